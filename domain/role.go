package domain

import (
	"slices"
	"sync"
)

// Permission is a "resource:action" string; applications behind this server may define their own.
type Permission string

// The permissions that this server itself asks for (R2).
const (
	PermOrgManage  Permission = "organization:manage"
	PermOrgRead    Permission = "organization:read"
	PermPATCreate  Permission = "organization:pats:create"
	PermWorkRead   Permission = "workspaces:read"
	PermWorkManage Permission = "workspaces:manage"
	PermWorkPeople Permission = "workspaces:manage-members"
	PermWorkKeys   Permission = "workspaces:manage-keys"

	permWorkSecrets Permission = "workspaces:manage-secrets"
	permWorkModels  Permission = "workspaces:manage-model-configs"
)

// AccessScope says whether a role is held in an organization or in a workspace.
type AccessScope string

// The two scopes, as the API spells them.
const (
	ScopeOrganization AccessScope = "organization"
	ScopeWorkspace    AccessScope = "workspace"
)

// Role is a set of permissions with a name.
type Role struct {
	ID RoleID
	// Name is the constant of a system role.
	Name        string
	DisplayName string
	Description string
	Scope       AccessScope
	Permissions []Permission
}

// Custom reports whether the role is an organization's own (R2).
func (r Role) Custom() bool { return r.Name == customRoleName }

// nameOr is the display name; of a role that was not read, that of the system role with the id.
func (r Role) nameOr(id RoleID) string {
	if r.DisplayName == "" {
		return RoleName(id)
	}
	return r.DisplayName
}

// The ids of the system roles, the same on every installation (R1).
const (
	RoleOrgAdmin    RoleID = "00000000-0000-4000-8000-000000000001"
	RoleOrgOperator RoleID = "00000000-0000-4000-8000-000000000002"
	RoleOrgUser     RoleID = "00000000-0000-4000-8000-000000000003"
	RoleOrgViewer   RoleID = "00000000-0000-4000-8000-000000000004"
	RoleWorkAdmin   RoleID = "00000000-0000-4000-8000-000000000011"
	RoleWorkEditor  RoleID = "00000000-0000-4000-8000-000000000012"
	RoleWorkViewer  RoleID = "00000000-0000-4000-8000-000000000013"
)

// SystemRoles returns the roles that every organization has, most powerful first in each scope (R1, R2).
func SystemRoles() []Role {
	return []Role{
		{RoleOrgAdmin, "ORGANIZATION_ADMIN", "Organization Admin", "Manages the organization and is Admin of every workspace.", ScopeOrganization, []Permission{PermOrgManage, PermOrgRead, PermPATCreate}},
		{RoleOrgOperator, "ORGANIZATION_OPERATOR", "Organization Operator", "Manages workspaces, and members who are Users or Viewers.", ScopeOrganization, []Permission{PermOrgManage, PermOrgRead, PermPATCreate}},
		{RoleOrgUser, "ORGANIZATION_USER", "Organization User", "Uses the workspaces they are a member of.", ScopeOrganization, []Permission{PermOrgRead, PermPATCreate}},
		{RoleOrgViewer, "ORGANIZATION_VIEWER", "Organization Viewer", "Reads the organization.", ScopeOrganization, []Permission{PermOrgRead}},
		{RoleWorkAdmin, "WORKSPACE_ADMIN", "Admin", "Manages the workspace, its members and its keys.", ScopeWorkspace, slices.Concat([]Permission{PermWorkRead, PermWorkManage, PermWorkPeople, PermWorkKeys, permWorkSecrets, permWorkModels}, everyApplicationPermission())},
		{RoleWorkEditor, "WORKSPACE_USER", "Editor", "Creates and changes what is in the workspace.", ScopeWorkspace, slices.Concat([]Permission{PermWorkRead}, editorPermissions())},
		{RoleWorkViewer, "WORKSPACE_READER", "Viewer", "Reads what is in the workspace.", ScopeWorkspace, slices.Concat([]Permission{PermWorkRead}, viewerPermissions())},
	}
}

// SystemRole returns the system role with the id.
// Every request asks for one, so they are made once; nobody changes what is returned.
func SystemRole(id RoleID) (Role, bool) {
	role, ok := systemRoles()[id]
	return role, ok
}

var systemRoles = sync.OnceValue(func() map[RoleID]Role { //nolint:gochecknoglobals // a constant table
	roles := map[RoleID]Role{}
	for _, role := range SystemRoles() {
		// Without room at the end, whoever appends to the permissions gets a copy.
		role.Permissions = slices.Clip(role.Permissions)
		roles[role.ID] = role
	}
	return roles
})

// RoleName returns a system role's display name, for sentences and pages; Roles knows an organization's own roles too.
func RoleName(id RoleID) string { return Roles{}.Name(id) }

// orgPower orders org roles: the higher the more powerful (R34).
func orgPower(id RoleID) int {
	switch id { //nolint:exhaustive // workspace roles have no power over the organization
	case RoleOrgAdmin:
		return 4
	case RoleOrgOperator:
		return 3
	case RoleOrgUser:
		return 2
	case RoleOrgViewer:
		return 1
	default:
		return 0
	}
}
