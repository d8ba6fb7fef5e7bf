package admin

import (
	"context"
	"time"

	"muster/domain"
)

// listOwnInvites are the organizations that have invited the caller (R23).
func (a *api) listOwnInvites(ctx context.Context, c caller, _ *none) (*out[[]OrgSlim], error) {
	own, err := a.Service.OwnInvites(ctx, c.principal)
	if err != nil {
		return nil, err
	}
	return found(list(own, func(i domain.Invitation) OrgSlim { return org(i.Org) }))
}

type orgPath struct {
	ID domain.OrgID `path:"organization_id"`
}

type orgGone struct {
	ID domain.OrgID `json:"id"`
}

// identity is a membership without the person around it.
type identity struct {
	ID             domain.MemberID     `json:"id"`
	OrganizationID domain.OrgID        `json:"organization_id"`
	TenantID       *domain.WorkspaceID `json:"tenant_id"`
	CreatedAt      time.Time           `json:"created_at"`
	UserID         domain.UserID       `json:"user_id"`
	LSUserID       domain.UserID       `json:"ls_user_id"`
	ReadOnly       bool                `json:"read_only"`
	RoleID         *domain.RoleID      `json:"role_id"`
	RoleName       *string             `json:"role_name"`
	AccessScope    domain.AccessScope  `json:"access_scope"`
}

func identityOf(m orgMember) identity {
	return identity{m.ID, m.OrganizationID, m.TenantID, m.CreatedAt, m.UserID, m.LSUserID, m.ReadOnly, m.RoleID, m.RoleName, m.AccessScope}
}

func (a *api) claimOwnInvite(ctx context.Context, c caller, in *orgPath) (*out[identity], error) {
	view, err := c.service.ClaimInvite(ctx, c.principal, in.ID)
	if err != nil {
		return nil, err
	}
	return found(identityOf(memberIn(view, in.ID)))
}

func (a *api) declineOwnInvite(ctx context.Context, c caller, in *orgPath) (*out[orgGone], error) {
	if err := a.Service.DeclineInvite(ctx, c.principal, in.ID); err != nil {
		return nil, err
	}
	return found(orgGone{in.ID})
}

// listOwnWorkspaceInvites are the workspaces that wait for the caller.
func (a *api) listOwnWorkspaceInvites(ctx context.Context, c caller, _ *none) (*out[[]tenant], error) {
	own, err := a.Service.OwnInvites(ctx, c.principal)
	if err != nil {
		return nil, err
	}
	tenants := []tenant{}
	for _, invitation := range own {
		for _, waiting := range invitation.In {
			body := tenantOf(domain.WorkspaceView{Workspace: waiting}, invitation.Org.ID)
			role := invitation.RoleIn(waiting.ID)
			body.RoleID = &role
			tenants = append(tenants, body)
		}
	}
	return found(tenants)
}

type workspaceClaim struct {
	ID domain.WorkspaceID `path:"workspace_id"`
}

func (a *api) claimOwnWorkspaceInvite(ctx context.Context, c caller, in *workspaceClaim) (*out[workspaceJoined], error) {
	view, err := c.service.ClaimWorkspaceInvite(ctx, c.principal, in.ID)
	if err != nil {
		return nil, err
	}
	return found(workspaceJoined{view.ID, in.ID})
}

type workspaceJoined struct {
	ID       domain.MemberID    `json:"id"`
	TenantID domain.WorkspaceID `json:"tenant_id"`
}

type workspaceDeclined struct {
	ID domain.WorkspaceID `json:"id"`
}

func (a *api) declineOwnWorkspaceInvite(ctx context.Context, c caller, in *workspaceClaim) (*out[workspaceDeclined], error) {
	if err := a.Service.DeclineWorkspaceInvite(ctx, c.principal, in.ID); err != nil {
		return nil, err
	}
	return found(workspaceDeclined{in.ID})
}
