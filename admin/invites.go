package admin

import (
	"context"
	"time"

	"muster/domain"
)

// orgPending is a pending member.
type orgPending struct {
	ID              domain.InviteID      `json:"id"`
	Email           string               `json:"email"`
	CreatedAt       time.Time            `json:"created_at"`
	ExpiresAt       *time.Time           `json:"expires_at"`
	ReadOnly        bool                 `json:"read_only"`
	RoleID          domain.RoleID        `json:"role_id"`
	RoleName        string               `json:"role_name"`
	OrgRoleID       domain.RoleID        `json:"org_role_id"`
	OrgRoleName     string               `json:"org_role_name"`
	WorkspaceIDs    []domain.WorkspaceID `json:"workspace_ids" nullable:"false"`
	TenantIDs       []domain.WorkspaceID `json:"tenant_ids" nullable:"false"`
	WorkspaceRoleID domain.RoleID        `json:"workspace_role_id"`
	AccessScope     domain.AccessScope   `json:"access_scope"`
	UserID          *domain.UserID       `json:"user_id"`
	TenantID        *domain.WorkspaceID  `json:"tenant_id"`
	OrganizationID  domain.OrgID         `json:"organization_id"`
	FullName        *string              `json:"full_name"`
	Password        *string              `json:"password"`
	InviteLink      *string              `json:"invite_link" doc:"What to hand over where mail is not sent: signing in there with the address joins."`
	IsMember        bool                 `json:"is_member" doc:"True for somebody who was a member of the organization already and is in the workspace now."`
}

func (c caller) pending(invites []domain.Invite) []orgPending {
	return list(invites, func(i domain.Invite) orgPending { return pending(i, c) })
}

func pending(i domain.Invite, c caller) orgPending {
	workspaces := append([]domain.WorkspaceID{}, i.Workspaces...)
	return orgPending{
		ID: i.ID, Email: i.Email, CreatedAt: i.CreatedAt, ExpiresAt: moment(i.ExpiresAt), RoleID: i.Role, RoleName: domain.RoleName(i.Role),
		OrgRoleID: i.Role, OrgRoleName: domain.RoleName(i.Role), WorkspaceIDs: workspaces, TenantIDs: workspaces,
		WorkspaceRoleID: i.WorkspaceRole, AccessScope: domain.ScopeOrganization, OrganizationID: c.scope.Org(),
		InviteLink: nullable(c.service.InviteLink()),
	}
}

func (a *api) listPendingMembers(ctx context.Context, c caller, in *Page) (*out[[]orgPending], error) {
	invites, err := c.service.Invites(ctx, c.scope, in.query())
	if err != nil {
		return nil, err
	}
	return found(c.pending(invites))
}

func (a *api) everyInvite(ctx context.Context, c caller) ([]domain.Invite, error) {
	return every(func(window domain.Window) ([]domain.Invite, error) {
		return c.service.Invites(ctx, c.scope, domain.MemberQuery{Window: window})
	})
}

// pendingCreate is one address to invite.
type pendingCreate struct {
	Email           string               `json:"email"`
	RoleID          *domain.RoleID       `json:"role_id,omitempty" nullable:"true" doc:"The org role; Organization User when absent."`
	WorkspaceIDs    []domain.WorkspaceID `json:"workspace_ids,omitempty"`
	WorkspaceRoleID *domain.RoleID       `json:"workspace_role_id,omitempty" nullable:"true" doc:"The role in those workspaces; Editor when absent."`
	Password        *string              `json:"password,omitempty" nullable:"true" doc:"There are no passwords here; people sign in at the identity provider."`
}

func (p pendingCreate) request() domain.InviteRequest {
	request := domain.InviteRequest{Email: p.Email, Workspaces: p.WorkspaceIDs}
	assign(&request.Role, p.RoleID)
	assign(&request.WorkspaceRole, p.WorkspaceRoleID)
	return request
}

type invitation struct{ Body pendingCreate }

// errNoPasswords is the answer to a password that a client wants to set.
func errNoPasswords() error {
	return invalid("body", "password", "there are no passwords here; people sign in at the identity provider")
}

func (a *api) inviteMember(ctx context.Context, c caller, in *invitation) (*out[orgPending], error) {
	if in.Body.Password != nil {
		return nil, errNoPasswords()
	}
	made, err := c.service.Invite(ctx, c.scope, in.Body.request())
	if err != nil {
		return nil, err
	}
	return found(pending(made, c))
}

type invitations struct {
	Body []pendingCreate `maxItems:"500" nullable:"false"`
}

func (in *invitations) requests() ([]domain.InviteRequest, error) {
	for _, one := range in.Body {
		if one.Password != nil {
			return nil, errNoPasswords()
		}
	}
	return list(in.Body, pendingCreate.request), nil
}

func (a *api) inviteMembers(ctx context.Context, c caller, in *invitations) (*out[[]orgPending], error) {
	requests, err := in.requests()
	if err != nil {
		return nil, err
	}
	made, err := c.service.InviteAll(ctx, c.scope, requests)
	if err != nil {
		return nil, err
	}
	return found(c.pending(made))
}

type invitePath struct {
	ID domain.InviteID `path:"identity_id"`
}

type inviteGone struct {
	ID domain.InviteID `json:"id"`
}

func (a *api) withdrawInvite(ctx context.Context, c caller, in *invitePath) (*out[inviteGone], error) {
	if err := a.Service.WithdrawInvite(ctx, c.scope, in.ID); err != nil {
		return nil, err
	}
	return found(inviteGone{in.ID})
}
