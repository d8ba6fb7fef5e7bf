package domain_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"muster/domain"
)

// R2: custom roles are of workspaces, have a name of their own, hold any mix of workspace permissions and what applications define.
func TestCustomRoles(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		cli := w.commandLine("")
		lab := w.workspace(cli, "Lab")
		role, err := w.service.CreateRole(w.Context(), cli, roleOf("Auditor", "workspaces:read", "ledger:read"))
		w.must(err)
		if role.Name != "CUSTOM" || role.Scope != domain.ScopeWorkspace || !slices.Equal(role.Permissions, []domain.Permission{"ledger:read", "workspaces:read"}) {
			w.Errorf("%+v", role)
		}
		for name, c := range map[string]struct {
			change domain.RoleChange
			kind   domain.Kind
			words  string
		}{
			"the same name":               {roleOf("AUDITOR"), domain.Conflict, "already"},
			"a system role's name":        {roleOf("editor"), domain.Conflict, "system role"},
			"an organization permission":  {roleOf("Boss", "organization:manage"), domain.Invalid, "organization:manage"},
			"a permission that is none":   {roleOf("Odd", "everything"), domain.Invalid, "resource:action"},
			"no name":                     {roleOf(" "), domain.Invalid, "empty"},
			"a permission that is a page": {roleOf("Long", domain.Permission("a:"+strings.Repeat("b", 200))), domain.Invalid, "resource:action"},
		} {
			if _, err := w.service.CreateRole(w.Context(), cli, c.change); !domain.IsKind(err, c.kind) || !strings.Contains(err.Error(), c.words) {
				w.Errorf("%s: %v", name, err)
			}
		}
		alice := w.memberWith("alice@example.com", map[domain.WorkspaceID]domain.RoleID{lab.ID: role.ID})
		view, err := w.service.Workspace(w.Context(), alice, lab.ID)
		w.must(err)
		if view.Role.DisplayName != "Auditor" || !slices.Contains(view.Role.Permissions, "ledger:read") {
			w.Errorf("%+v", view.Role)
		}

		// A changed permission holds from the next request on; "manage" does not imply "manage-members".
		if _, err := w.service.RenameWorkspace(w.Context(), alice, lab.ID, "Lab 2"); !domain.IsKind(err, domain.Forbidden) {
			w.Errorf("renaming without the permission: %v", err)
		}
		_, err = w.service.UpdateRole(w.Context(), cli, role.ID, roleOf("Auditor", "workspaces:read", "workspaces:manage"))
		w.must(err)
		_, err = w.service.RenameWorkspace(w.Context(), alice, lab.ID, "Lab 2")
		w.must(err)
		if _, err := w.service.InviteToWorkspace(w.Context(), alice, lab.ID, []domain.InviteRequest{{Email: "x@example.com"}}); !domain.IsKind(err, domain.Forbidden) {
			w.Errorf("inviting with manage only: %v", err)
		}

		_, err = w.service.DeleteRole(w.Context(), cli, role.ID)
		wantKind(w.T, err, domain.Conflict, "1 × workspace membership")
		w.must(w.service.RemoveWorkspaceMember(w.Context(), cli, lab.ID, alice.Member()))
		_, err = w.service.DeleteRole(w.Context(), cli, role.ID)
		w.must(err)
		for _, system := range domain.SystemRoles() {
			_, err := w.service.DeleteRole(w.Context(), cli, system.ID)
			wantKind(w.T, err, domain.Forbidden, "system role")
		}
	})
}

// R33: a group named after a role that does not exist gives nothing until the role is made, and again when it goes.
func TestGroupNamesCustomRole(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		cli, scim := w.commandLine(""), w.scim("")
		bob := w.push(scim, "bob@example.com")
		group := w.pushGroup(scim, "Organization User:Workspace 1:Auditor", bob.ID)
		if !strings.Contains(group.Unmapped, "no workspace role") {
			w.Errorf("unmapped because: %q", group.Unmapped)
		}
		want := func(roles ...string) {
			w.Helper()
			if got := w.access(cli, bob.ID)[1:]; fmt.Sprint(got) != fmt.Sprint(roles) {
				w.Errorf("%q, want %q", got, roles)
			}
		}
		want()
		role, err := w.service.CreateRole(w.Context(), cli, roleOf("Auditor", "ledger:read"))
		w.must(err)
		want("Workspace 1: " + string(role.ID) + " (group)")
		_, err = w.service.DeleteRole(w.Context(), cli, role.ID)
		wantKind(w.T, err, domain.Conflict, "in use")
		_, err = w.service.UpdateRole(w.Context(), cli, role.ID, domain.RoleChange{DisplayName: new("Reviewer")})
		w.must(err)
		want()
	})
}
