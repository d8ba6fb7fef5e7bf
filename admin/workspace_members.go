package admin

import (
	"context"
	"slices"

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
	invites, err := a.everyInvite(ctx, c)
	if err != nil {
		return nil, err
	}
	invites = slices.DeleteFunc(invites, func(i domain.Invite) bool { return !slices.Contains(i.Workspaces, c.workspace) })
	members := list(views, func(view domain.MemberView) orgMember { return workspaceMember(view, c) })
	return found(workspaceMemberLists{c.workspace, members, c.pending(invites)})
}

// workspaceMember is a member with the role in the workspace instead of the org role.
func workspaceMember(view domain.MemberView, c caller) orgMember {
	body := member(view, c)
	body.TenantID, body.AccessScope = &c.workspace, domain.ScopeWorkspace
	for _, held := range view.Workspaces {
		if held.Workspace == c.workspace {
			body.RoleID, body.RoleName, body.Grant = &held.Role, nullable(domain.RoleName(held.Role)), grant(held.Grant)
			body.ReadOnly = held.Role == domain.RoleWorkViewer
		}
	}
	return body
}
