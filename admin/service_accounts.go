package admin

import (
	"context"
	"time"

	"muster/domain"
)

// serviceAccount is a machine's identity, for which several keys can act.
type serviceAccount struct {
	ID               domain.AccountID    `json:"id"`
	CreatedAt        time.Time           `json:"created_at"`
	UpdatedAt        time.Time           `json:"updated_at"`
	Name             string              `json:"name"`
	OrganizationID   domain.OrgID        `json:"organization_id"`
	DefaultWorkspace *domain.WorkspaceID `json:"default_workspace_id"`
	IdentityID       domain.AccountID    `json:"organization_identity_id"`
	Workspaces       []place             `json:"workspaces" nullable:"false"`
}

// place is a workspace with a role there.
type place struct {
	WorkspaceID domain.WorkspaceID `json:"workspace_id"`
	RoleID      *domain.RoleID     `json:"role_id,omitempty" nullable:"true" doc:"Editor when absent."`
}

func account(s domain.ServiceAccount, c caller) serviceAccount {
	body := serviceAccount{
		ID: s.ID, CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt, Name: s.Name, OrganizationID: c.scope.Org(),
		DefaultWorkspace: nullable(s.DefaultWorkspace), IdentityID: s.ID, Workspaces: places(s.Workspaces),
	}
	return body
}

type accountCreation struct {
	Body struct {
		Name       string  `json:"name"`
		Workspaces []place `json:"workspaces,omitempty" doc:"Where its keys act; the first is the default one."`
	} `nameHint:"ServiceAccountCreate"`
}

type accountPath struct {
	ID domain.AccountID `path:"service_account_id"`
}

func (a *api) listServiceAccounts(ctx context.Context, c caller, _ *none) (*out[[]serviceAccount], error) {
	all, err := a.Service.ServiceAccounts(ctx, c.scope)
	if err != nil {
		return nil, err
	}
	return found(list(all, func(s domain.ServiceAccount) serviceAccount { return account(s, c) }))
}

func (a *api) createServiceAccount(ctx context.Context, c caller, in *accountCreation) (*out[serviceAccount], error) {
	where := list(in.Body.Workspaces, func(p place) domain.Place {
		one := domain.Place{Workspace: p.WorkspaceID}
		assign(&one.Role, p.RoleID)
		return one
	})
	made, err := c.service.CreateServiceAccount(ctx, c.scope, in.Body.Name, where)
	if err != nil {
		return nil, err
	}
	return found(account(made, c))
}

func (a *api) deleteServiceAccount(ctx context.Context, c caller, in *accountPath) (*out[serviceAccount], error) {
	gone, err := a.Service.DeleteServiceAccount(ctx, c.scope, in.ID)
	if err != nil {
		return nil, err
	}
	return found(account(gone, c))
}
