package domain_test

import (
	"maps"
	"strings"
	"testing"

	"muster/domain"
)

// R31, R33: what group names mean, with every separator, prefixes that hold it, and workspaces whose names do.
func TestGroupNames(t *testing.T) {
	workspaces := []domain.Workspace{
		{ID: "w1", DisplayName: "Workspace 1"},
		{ID: "prod", DisplayName: "Prod"},
		{ID: "prod-eu", DisplayName: "Prod:EU"},
		{ID: "eu", DisplayName: "EU"},
		{ID: "sharp", DisplayName: "Straße"},
	}
	in := func(workspace domain.WorkspaceID, org, role domain.RoleID) domain.Mapping {
		return domain.Mapping{OrgRole: org, Workspaces: map[domain.WorkspaceID]domain.RoleID{workspace: role}}
	}
	admin := domain.Mapping{OrgRole: domain.RoleOrgAdmin}
	cases := []struct {
		separator, name string
		want            domain.Mapping
		reason          string
	}{
		{":", "Organization Admin", admin, ""},
		{":", "LS:Organization Admins", admin, ""},
		{":", "OrganizationAdmins", admin, ""},
		{":", "x-y z Organization Admin", admin, ""},
		{":", "organization user:workspace 1:editor", in("w1", domain.RoleOrgUser, domain.RoleWorkEditor), ""},
		{":", "LS:Organization User:Workspace 1:Admin", in("w1", domain.RoleOrgUser, domain.RoleWorkAdmin), ""},
		{":", "a:b:OrganizationViewer:Prod:Viewer", in("prod", domain.RoleOrgViewer, domain.RoleWorkViewer), ""},
		{":", "Organization Operator:Prod:EU:Viewer", in("prod-eu", domain.RoleOrgOperator, domain.RoleWorkViewer), ""},
		{":", "Organization Admin:Prod:Viewer", in("prod", domain.RoleOrgAdmin, domain.RoleWorkViewer), ""},
		{":", "Organization User:STRASSE:Editor", in("sharp", domain.RoleOrgUser, domain.RoleWorkEditor), ""},
		{":", "Organization User : Workspace 1 : Editor", in("w1", domain.RoleOrgUser, domain.RoleWorkEditor), ""},
		{"-", "LS-Organization User-Workspace 1-Editor", in("w1", domain.RoleOrgUser, domain.RoleWorkEditor), ""},
		{"_", "LS_Organization User_Prod_Viewer", in("prod", domain.RoleOrgUser, domain.RoleWorkViewer), ""},
		{" ", "LS Organization User Workspace 1 Editor", in("w1", domain.RoleOrgUser, domain.RoleWorkEditor), ""},
		{"&", "Organization User&Prod&Editor", in("prod", domain.RoleOrgUser, domain.RoleWorkEditor), ""},
		{":", "Engineering", domain.Mapping{}, "no organization role"},
		{":", "Organization User", domain.Mapping{}, "no organization role"},
		{":", "Organization User:Prod", domain.Mapping{}, "needs a workspace"},
		{":", "Organization User:Nowhere:Editor", domain.Mapping{}, "no workspace “nowhere” yet"},
		{":", "Organization User:Prod:Boss", domain.Mapping{}, "no workspace role “boss”"},
		{"-", "Organization User:Prod:Editor", domain.Mapping{}, "no organization role"},
	}
	for _, c := range cases {
		t.Run(c.separator+" "+c.name, func(t *testing.T) {
			got, reason := domain.NewNames(c.separator, workspaces, domain.Roles{}).Read(c.name)
			if got.OrgRole != c.want.OrgRole || !maps.Equal(got.Workspaces, c.want.Workspaces) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if c.reason == "" && reason != "" || !strings.Contains(reason, c.reason) {
				t.Errorf("reason %q, want one with %q", reason, c.reason)
			}
		})
	}
}

// R18, R33: a workspace that was deleted is not there for names either.
func TestGroupNamesLeaveDeletedWorkspacesOut(t *testing.T) {
	deleted := domain.Workspace{ID: "w", DisplayName: "Old"}
	deleted.DeletedAt = deleted.CreatedAt.AddDate(1, 0, 0)
	if got, reason := domain.NewNames(":", []domain.Workspace{deleted}, domain.Roles{}).Read("Organization User:Old:Editor"); !got.Empty() || reason == "" {
		t.Errorf("got %+v, reason %q", got, reason)
	}
}
