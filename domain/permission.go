package domain

import (
	"slices"
	"strings"
)

// everyApplicationPermission lists the permissions of the applications that the model's API names; this server stores them and asks for none.
func everyApplicationPermission() []Permission {
	var all []Permission
	for _, resource := range []string{
		"annotation-queues", "charts", "datasets", "deployments", "feedback", "issues", "projects",
		"prompts", "rules", "sandboxes", "alerts", "mcp-servers",
	} {
		for _, action := range []string{"create", "read", "update", "delete"} {
			all = append(all, Permission(resource+":"+action))
		}
	}
	return append(all,
		"datasets:share", "prompts:share", "runs:create", "runs:read", "runs:share", "runs:delete", "experiments:run",
		"projects:increase-trace-tier", "projects:decrease-trace-tier", "sandboxes:exec",
		"bulk-exports:read", "bulk-exports:manage", "mcp-servers:invoke", "gateway:invoke",
		"fleet:read-admin-config", "fleet:write-admin-config",
	)
}

// editorPermissions leaves out what administers and what deletes runs.
func editorPermissions() []Permission {
	return slices.DeleteFunc(everyApplicationPermission(), func(p Permission) bool {
		text := string(p)
		return p == "runs:delete" || strings.HasSuffix(text, ":manage") || strings.HasSuffix(text, "-admin-config")
	})
}

func viewerPermissions() []Permission {
	return slices.DeleteFunc(everyApplicationPermission(), func(p Permission) bool {
		return !strings.HasSuffix(string(p), ":read")
	})
}

// PermissionInfo describes a permission for people who compose roles.
type PermissionInfo struct {
	Name        Permission
	Description string
	Scope       AccessScope
}

// Permissions lists every permission that this server knows (R2).
func Permissions() []PermissionInfo {
	infos := []PermissionInfo{
		{PermOrgManage, "Manage the organization: settings, members, workspaces.", ScopeOrganization},
		{PermOrgRead, "Read the organization.", ScopeOrganization},
		{PermPATCreate, "Create personal access tokens.", ScopeOrganization},
		{PermWorkRead, "Read the workspace and its members.", ScopeWorkspace},
		{PermWorkManage, "Rename and delete the workspace.", ScopeWorkspace},
		{PermWorkPeople, "Add, change and remove members of the workspace.", ScopeWorkspace},
		{PermWorkKeys, "Manage the workspace's service keys.", ScopeWorkspace},
		{permWorkSecrets, "Manage the workspace's secrets.", ScopeWorkspace},
		{permWorkModels, "Manage the workspace's model configurations.", ScopeWorkspace},
	}
	for _, p := range everyApplicationPermission() {
		resource, action, _ := strings.Cut(string(p), ":")
		infos = append(infos, PermissionInfo{p, "Application permission: " + action + " " + resource + ".", ScopeWorkspace})
	}
	return infos
}
