package admin

import (
	"net/http"

	"muster/domain"
)

// roleBody is a role as the API shows it; system roles belong to no organization.
type roleBody struct {
	ID             domain.RoleID       `json:"id"`
	Name           string              `json:"name"`
	DisplayName    string              `json:"display_name"`
	Description    string              `json:"description"`
	OrganizationID *domain.OrgID       `json:"organization_id"`
	Permissions    []domain.Permission `json:"permissions"`
	AccessScope    domain.AccessScope  `json:"access_scope"`
	IsRestricted   bool                `json:"is_restricted"`
}

func (a *api) listRoles(_ http.ResponseWriter, _ *http.Request, c caller) (result, error) {
	if !c.scope.Has(domain.PermOrgRead) {
		return result{}, domain.Errorf(domain.Forbidden, "this needs the permission %q", domain.PermOrgRead)
	}
	bodies := []roleBody{}
	for _, role := range domain.SystemRoles() {
		bodies = append(bodies, roleBody{
			ID: role.ID, Name: role.Name, DisplayName: role.DisplayName, Description: role.Description,
			Permissions: role.Permissions, AccessScope: role.Scope,
		})
	}
	return found(bodies)
}

func (a *api) listPermissions(http.ResponseWriter, *http.Request, caller) (result, error) {
	bodies := []map[string]any{}
	for _, permission := range domain.Permissions() {
		bodies = append(bodies, map[string]any{"name": permission.Name, "description": permission.Description, "access_scope": permission.Scope})
	}
	return found(bodies)
}
