package admin

import (
	"context"

	"muster/domain"
)

type workspaceMemberLists struct {
	TenantID domain.WorkspaceID `json:"tenant_id"`
	Members  []orgMember        `json:"members" nullable:"false"`
	Pending  []orgPending       `json:"pending" nullable:"false"`
}

// listWorkspaceMembers leaves out Organization Admins without a membership of their own, who are in every workspace (R3).
func (a *api) listWorkspaceMembers(ctx context.Context, c caller, _ *none) (*out[workspaceMemberLists], error) {
	views, err := every(func(window domain.Window) ([]domain.MemberView, error) {
		return a.Service.WorkspaceMembers(ctx, c.scope, c.workspace, domain.MemberQuery{Window: window})
	})
	if err != nil {
		return nil, err
	}
	invites, err := every(func(window domain.Window) ([]domain.Invite, error) {
		return a.Service.WorkspaceInvites(ctx, c.scope, c.workspace, domain.MemberQuery{Window: window})
	})
	if err != nil {
		return nil, err
	}
	return found(workspaceMemberLists{c.workspace, c.workspaceMembers(views), c.workspacePending(invites)})
}

func (a *api) listActiveWorkspaceMembers(ctx context.Context, c caller, in *activeQuery) (*out[[]orgMember], error) {
	views, err := a.Service.WorkspaceMembers(ctx, c.scope, c.workspace, in.query())
	if err != nil {
		return nil, err
	}
	return found(c.workspaceMembers(views))
}

func (a *api) listPendingWorkspaceMembers(ctx context.Context, c caller, in *Page) (*out[[]orgPending], error) {
	invites, err := a.Service.WorkspaceInvites(ctx, c.scope, c.workspace, in.query())
	if err != nil {
		return nil, err
	}
	return found(c.workspacePending(invites))
}

func (c caller) workspaceMembers(views []domain.MemberView) []orgMember {
	return list(views, func(view domain.MemberView) orgMember { return workspaceMember(view, c) })
}

func (c caller) workspacePending(invites []domain.Invite) []orgPending {
	return list(invites, func(i domain.Invite) orgPending { return workspacePending(i, c) })
}

// workspaceMember is a member with the role in the workspace instead of the org role.
func workspaceMember(view domain.MemberView, c caller) orgMember {
	body := member(view, c)
	body.TenantID, body.AccessScope = &c.workspace, domain.ScopeWorkspace
	for _, held := range view.Workspaces {
		if held.Workspace == c.workspace {
			body.RoleID, body.RoleName, body.Grant = &held.Role, nullable(held.As.DisplayName), grant(held.Grant)
			body.ReadOnly = held.Role == domain.RoleWorkViewer
		}
	}
	return body
}

// workspacePending is an invite as the workspace sees it.
func workspacePending(i domain.Invite, c caller) orgPending {
	body := pending(i, c)
	role := i.RoleIn(c.workspace)
	body.TenantID, body.WorkspaceRoleID, body.AccessScope = &c.workspace, role, domain.ScopeWorkspace
	body.ReadOnly = role == domain.RoleWorkViewer
	return body
}

// workspaceMemberCreate names a member of the organization; clients use any of the three ids and either name of the role.
type workspaceMemberCreate struct {
	UserID          *domain.UserID       `json:"user_id,omitempty" nullable:"true"`
	LSUserID        *domain.UserID       `json:"ls_user_id,omitempty" nullable:"true"`
	OrgIdentityID   *domain.MemberID     `json:"org_identity_id,omitempty" nullable:"true"`
	RoleID          *domain.RoleID       `json:"role_id,omitempty" nullable:"true"`
	WorkspaceRoleID *domain.RoleID       `json:"workspace_role_id,omitempty" nullable:"true"`
	WorkspaceIDs    []domain.WorkspaceID `json:"workspace_ids,omitempty"`
}

type workspaceMemberCreation struct {
	Body workspaceMemberCreate `nameHint:"WorkspaceMemberCreate"`
}

func (b workspaceMemberCreate) request() (domain.NewWorkspaceMember, error) {
	request := domain.NewWorkspaceMember{Workspaces: b.WorkspaceIDs}
	assign(&request.Role, b.WorkspaceRoleID)
	assign(&request.Role, b.RoleID)
	assign(&request.User, b.LSUserID)
	assign(&request.User, b.UserID)
	assign(&request.Member, b.OrgIdentityID)
	if request.User == "" && request.Member == "" {
		return request, invalid("body", "user_id", "name the member: org_identity_id, user_id or ls_user_id")
	}
	if request.Role == "" {
		return request, badRequest("name the role in the workspace: role_id or workspace_role_id")
	}
	return request, nil
}

func (a *api) addWorkspaceMember(ctx context.Context, c caller, in *workspaceMemberCreation) (*out[identity], error) {
	request, err := in.Body.request()
	if err != nil {
		return nil, err
	}
	view, err := c.service.AddWorkspaceMember(ctx, c.scope, c.workspace, request)
	if err != nil {
		return nil, err
	}
	return found(identityOf(workspaceMember(view, c)))
}

// inviteToWorkspace is R21; who is a member of the organization already is in the workspace at once.
func (a *api) inviteToWorkspace(ctx context.Context, c caller, in *invitations) (*out[[]orgPending], error) {
	requests, err := in.requests()
	if err != nil {
		return nil, err
	}
	invited, err := c.service.InviteToWorkspace(ctx, c.scope, c.workspace, requests)
	if err != nil {
		return nil, err
	}
	return found(list(invited, func(i domain.Invited) orgPending {
		if i.Invite != nil {
			return workspacePending(*i.Invite, c)
		}
		return broughtIn(*i.Member, c)
	}))
}

// broughtIn is a member in the form of an invite that was claimed at once: it has a user.
func broughtIn(view domain.MemberView, c caller) orgPending {
	in := workspaceMember(view, c)
	body := orgPending{
		ID: domain.InviteID(view.ID), Email: view.Email, CreatedAt: view.CreatedAt, ReadOnly: in.ReadOnly, RoleID: view.Role.Role,
		RoleName: domain.RoleName(view.Role.Role), OrgRoleID: view.Role.Role, OrgRoleName: domain.RoleName(view.Role.Role),
		WorkspaceIDs: []domain.WorkspaceID{}, AccessScope: domain.ScopeWorkspace, UserID: &view.User, TenantID: &c.workspace,
		OrganizationID: c.scope.Org(), FullName: nullable(view.FullName), IsMember: true,
	}
	for _, held := range view.Workspaces {
		body.WorkspaceIDs = append(body.WorkspaceIDs, held.Workspace)
	}
	body.TenantIDs = body.WorkspaceIDs
	if in.RoleID != nil {
		body.WorkspaceRoleID = *in.RoleID
	}
	return body
}

type workspaceMemberUpdate struct {
	ID   domain.MemberID `path:"identity_id"`
	Body struct {
		RoleID domain.RoleID `json:"role_id"`
	} `nameHint:"WorkspaceMemberUpdate"`
}

func (a *api) updateWorkspaceMember(ctx context.Context, c caller, in *workspaceMemberUpdate) (*out[orgMember], error) {
	view, err := c.service.SetWorkspaceRole(ctx, c.scope, c.workspace, in.ID, in.Body.RoleID)
	if err != nil {
		return nil, err
	}
	return found(workspaceMember(view, c))
}

func (a *api) removeWorkspaceMember(ctx context.Context, c caller, in *memberPath) (*out[memberGone], error) {
	if err := a.Service.RemoveWorkspaceMember(ctx, c.scope, c.workspace, in.ID); err != nil {
		return nil, err
	}
	return found(memberGone{in.ID})
}

func (a *api) withdrawWorkspaceInvite(ctx context.Context, c caller, in *invitePath) (*out[inviteGone], error) {
	if err := a.Service.WithdrawWorkspaceInvite(ctx, c.scope, c.workspace, in.ID); err != nil {
		return nil, err
	}
	return found(inviteGone{in.ID})
}
