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

func listRoles(_ context.Context, c caller, _ *none) (*out[[]roleBody], error) {
	if !c.scope.Has(domain.PermOrgRead) {
		return nil, domain.Errorf(domain.Forbidden, "this needs the permission %q", domain.PermOrgRead)
	}
	return found(list(domain.SystemRoles(), role))
}

func role(r domain.Role) roleBody {
	return roleBody{
		ID: r.ID, Name: r.Name, DisplayName: r.DisplayName, Description: r.Description,
		Permissions: permissions(r.Permissions), AccessScope: r.Scope,
	}
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
