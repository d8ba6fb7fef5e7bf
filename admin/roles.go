package admin

import (
	"context"

	"muster/domain"
)

// roleBody is a role as the API shows it; system roles belong to no organization.
type roleBody struct {
	ID             domain.RoleID       `json:"id"`
	Name           string              `json:"name"`
	DisplayName    string              `json:"display_name"`
	Description    string              `json:"description"`
	OrganizationID *domain.OrgID       `json:"organization_id"`
	Permissions    []domain.Permission `json:"permissions" nullable:"false"`
	AccessScope    domain.AccessScope  `json:"access_scope"`
	IsRestricted   bool                `json:"is_restricted"`
}

func role(r domain.Role, c caller) roleBody {
	body := roleBody{
		ID: r.ID, Name: r.Name, DisplayName: r.DisplayName, Description: r.Description,
		Permissions: permissions(r.Permissions), AccessScope: r.Scope,
	}
	if org := c.scope.Org(); r.Custom() {
		body.OrganizationID = &org
	}
	return body
}

func (a *api) listRoles(ctx context.Context, c caller, _ *none) (*out[[]roleBody], error) {
	roles, err := a.Service.Roles(ctx, c.scope)
	if err != nil {
		return nil, err
	}
	return found(list(roles, func(r domain.Role) roleBody { return role(r, c) }))
}

// roleFields are what a custom role is made of.
type roleFields struct {
	DisplayName *string              `json:"display_name,omitempty" nullable:"true"`
	Description *string              `json:"description,omitempty" nullable:"true"`
	Permissions *[]domain.Permission `json:"permissions,omitempty" nullable:"true" doc:"Workspace permissions, and what applications define themselves (resource:action)."`
}

func (f roleFields) change() domain.RoleChange {
	return domain.RoleChange{DisplayName: f.DisplayName, Description: f.Description, Permissions: f.Permissions}
}

type roleCreation struct {
	Body struct {
		DisplayName string              `json:"display_name"`
		Description string              `json:"description,omitempty" nullable:"true"`
		Permissions []domain.Permission `json:"permissions" nullable:"false" doc:"Workspace permissions, and what applications define themselves (resource:action)."`
	} `nameHint:"RoleCreate"`
}

type roleUpdate struct {
	ID   domain.RoleID `path:"role_id"`
	Body roleFields    `nameHint:"RoleUpdate"`
}

type rolePath struct {
	ID domain.RoleID `path:"role_id"`
}

func (a *api) createRole(ctx context.Context, c caller, in *roleCreation) (*out[roleBody], error) {
	fields := roleFields{&in.Body.DisplayName, &in.Body.Description, &in.Body.Permissions}
	return c.roleOr(c.service.CreateRole(ctx, c.scope, fields.change()))
}

func (a *api) updateRole(ctx context.Context, c caller, in *roleUpdate) (*out[roleBody], error) {
	return c.roleOr(a.Service.UpdateRole(ctx, c.scope, in.ID, in.Body.change()))
}

func (a *api) deleteRole(ctx context.Context, c caller, in *rolePath) (*out[roleBody], error) {
	return c.roleOr(a.Service.DeleteRole(ctx, c.scope, in.ID))
}

func (c caller) roleOr(r domain.Role, err error) (*out[roleBody], error) {
	if err != nil {
		return nil, err
	}
	return found(role(r, c))
}

type permissionBody struct {
	Name        domain.Permission  `json:"name"`
	Description string             `json:"description"`
	AccessScope domain.AccessScope `json:"access_scope"`
}

func listPermissions(context.Context, caller, *none) (*out[[]permissionBody], error) {
	return found(list(domain.Permissions(), func(p domain.PermissionInfo) permissionBody {
		return permissionBody{p.Name, p.Description, p.Scope}
	}))
}
