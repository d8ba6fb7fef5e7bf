package domain_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/domain"
)

// inGroups makes claims whose token lists groups; without names it lists none, which is not the same as not telling.
func inGroups(email string, names ...string) domain.Claims {
	c := claims(email)
	c.Groups = map[string][]string{"groups": names, "other": {"Organization Admins"}}
	return c
}

// onGroups runs a test where the token's groups count, in an organization with the workspaces "Lab" and "Workspace 1" and an Admin of its own.
func onGroups(t *testing.T, test func(w *world, scope domain.OrgScope)) {
	t.Helper()
	onEngines(t, nil, func(w *world) {
		scope := w.commandLine("")
		w.workspace(scope, "Lab")
		_, err := w.service.AddAdmin(w.Context(), scope, "ada@example.com")
		w.must(err)
		w.sso("", func(s *domain.SSOSettings) { s.GroupsEnabled = true })
		test(w, scope)
	})
}

// afterSignIn signs somebody in and returns what they hold.
func (w *world) afterSignIn(scope domain.OrgScope, c domain.Claims) []string {
	w.Helper()
	w.clock.Advance(time.Second)
	return w.access(scope, w.memberOf(w.principal(w.enter(c)), scope.Org()))
}

// R31, R34, items 74, 75: what the groups of one token after another give, as "jit" ends and begins again.
func TestWhatGroupsOfATokenGive(t *testing.T) {
	const user, floor = "Organization User (jit)", "Workspace 1: Editor (jit)"
	onGroups(t, func(w *world, scope domain.OrgScope) {
		for i, c := range []struct {
			name  string
			names [][]string
			want  [][]string
		}{
			{"the names of R31, in any case, with a prefix", [][]string{{"app-organization operator:LAB:viewer"}, {"OrganizationViewer : Lab : Admin"}}, [][]string{
				{"Organization Operator (sso_group)", "Lab: Viewer (sso_group)", floor}, {"Organization Viewer (sso_group)", "Lab: Admin (sso_group)", floor},
			}},
			{"the highest role in a workspace and in the organization", [][]string{{"Organization Viewer:Lab:Admin", "Organization User:Lab:Editor", "Organization Operator:Lab:Viewer"}}, [][]string{
				{"Organization Operator (sso_group)", "Lab: Admin (sso_group)", floor},
			}},
			{"Organization Admin before everything", [][]string{{"Organization Viewer:Lab:Viewer", "Organization Admins"}, {"Organization Viewer:Lab:Viewer"}}, [][]string{
				{"Organization Admin (sso_group)", "Lab: Admin (sso_group)", "Workspace 1: Admin (sso_group)"}, {"Organization Viewer (sso_group)", "Lab: Viewer (sso_group)", floor},
			}},
			{"what JIT gave is replaced, and gone when the group is", [][]string{{}, {"Organization User:Workspace 1:Viewer"}, {}}, [][]string{
				{user, floor}, {"Organization User (sso_group)", "Workspace 1: Viewer (sso_group)"}, {user},
			}},
			{"a group that maps to nothing", [][]string{{"Everybody", "Organization User:Nowhere:Editor", ""}}, [][]string{{user, floor}}},
			{"the same name twice", [][]string{{"Organization User:Lab:Editor", "Organization User:Lab:Editor"}}, [][]string{
				{"Organization User (sso_group)", "Lab: Editor (sso_group)", floor},
			}},
		} {
			for step, names := range c.names {
				got := w.afterSignIn(scope, inGroups(string(rune('a'+i))+"@example.com", names...))
				if !slices.Equal(got, c.want[step]) {
					w.Errorf("%s, step %d: %q, want %q", c.name, step, got, c.want[step])
				}
			}
		}
	})
}

// R35, R37, R43: a sign-in that changes nothing leaves the grants' times and the audit log alone; one that does is recorded with the groups.
func TestGroupsOfATokenInTheAuditLog(t *testing.T) {
	onGroups(t, func(w *world, scope domain.OrgScope) {
		for range 3 {
			w.afterSignIn(scope, inGroups("alice@example.com", "Organization User:Lab:Editor", "Organization Operators of Nowhere"))
		}
		rows := w.audit("", "sync_sso_groups")
		if len(rows) != 1 || rows[0].Target.Name != "alice@example.com" {
			w.Fatalf("R43: audit rows %+v", rows)
		}
		alice := w.memberOf(w.signIn("alice@example.com"), scope.Org())
		explanation, err := w.service.Explain(w.Context(), scope, alice)
		w.must(err)
		want := domain.Grant{Kind: domain.GrantSSOGroup, Role: domain.RoleWorkEditor, SourceName: "Organization User:Lab:Editor", At: rows[0].At}
		if got := explanation.Workspaces[0].Grant; got != want {
			w.Errorf("R37: Lab by %+v, want %+v", got, want)
		}
	})
}

// R36, item 75: what a person, an invite, start-up or SCIM gave stays, whatever the token says; where nothing was, the token gives and takes its own.
func TestGroupsOfATokenLeaveOtherGrantsAlone(t *testing.T) {
	onGroups(t, func(w *world, scope domain.OrgScope) {
		workspaces, err := w.service.Workspaces(w.Context(), scope, false)
		w.must(err)
		w.invite("", domain.InviteRequest{
			Email: "invited@example.com", Role: domain.RoleOrgOperator, Workspaces: []domain.WorkspaceID{workspaces[1].ID}, WorkspaceRole: domain.RoleWorkViewer,
		})
		manual := w.memberOf(w.signIn("manual@example.com"), scope.Org())
		_, err = w.service.SetMemberRole(w.Context(), scope, manual, domain.RoleOrgViewer)
		w.must(err)
		scim := w.scim("")
		pushed := w.push(scim, "pushed@example.com")
		w.pushGroup(scim, "Organization Operator:Workspace 1:Viewer", pushed.ID)
		w.push(scim, "floor@example.com")
		groups := []string{"Organization User:Workspace 1:Admin", "Organization User:Lab:Editor"}
		for _, c := range []struct {
			email       string
			with, after []string
		}{
			{
				"invited@example.com",
				[]string{"Organization Operator (invite)", "Lab: Editor (sso_group)", "Workspace 1: Viewer (invite)"},
				[]string{"Organization Operator (invite)", "Workspace 1: Viewer (invite)"},
			},
			{
				"manual@example.com",
				[]string{"Organization Viewer (manual)", "Lab: Editor (sso_group)", "Workspace 1: Admin (sso_group)"},
				[]string{"Organization Viewer (manual)"},
			},
			{
				"ada@example.com",
				[]string{"Organization Admin (bootstrap)", "Lab: Admin (bootstrap)", "Workspace 1: Admin (bootstrap)"},
				[]string{"Organization Admin (bootstrap)", "Lab: Admin (bootstrap)", "Workspace 1: Admin (bootstrap)"},
			},
			{
				"pushed@example.com",
				[]string{"Organization Operator (group)", "Lab: Editor (sso_group)", "Workspace 1: Viewer (group)"},
				[]string{"Organization Operator (group)", "Workspace 1: Viewer (group)"},
			},
			{
				"floor@example.com",
				[]string{"Organization User (sso_group)", "Lab: Editor (sso_group)", "Workspace 1: Admin (sso_group)"},
				[]string{"Organization User (jit)"},
			},
		} {
			if got := w.afterSignIn(scope, inGroups(c.email, groups...)); !slices.Equal(got, c.with) {
				w.Errorf("%s with groups: %q, want %q", c.email, got, c.with)
			}
			if got := w.afterSignIn(scope, inGroups(c.email)); !slices.Equal(got, c.after) {
				w.Errorf("%s without: %q, want %q", c.email, got, c.after)
			}
		}
	})
}

// R36: a SCIM group that speaks later replaces what the token gave, and the explanation says so; leaving it brings nothing back.
func TestASCIMGroupReplacesATokensGrant(t *testing.T) {
	onGroups(t, func(w *world, scope domain.OrgScope) {
		scim := w.scim("")
		c := inGroups("alice@example.com", "Organization Operator:Lab:Admin")
		w.afterSignIn(scope, c)
		alice := w.push(scim, "alice@example.com")
		group := w.pushGroup(scim, "Organization User:Lab:Viewer", alice.ID)
		want := []string{"Organization User (group)", "Lab: Viewer (group)", "Workspace 1: Editor (jit)"}
		if got := w.access(scope, alice.ID); !slices.Equal(got, want) {
			w.Errorf("R36: with the group %q, want %q", got, want)
		}
		if got := w.afterSignIn(scope, c); !slices.Equal(got, want) {
			w.Errorf("R36: after another sign-in %q, want %q", got, want)
		}
		explanation, err := w.service.Explain(w.Context(), scope, alice.ID)
		w.must(err)
		lost := explanation.Workspaces[0].Lost
		if len(lost) != 1 || lost[0].Kind != domain.GrantSSOGroup || lost[0].Role != domain.RoleWorkAdmin || lost[0].SourceName != "Organization Operator:Lab:Admin" {
			w.Errorf("R37: lost in Lab: %+v", lost)
		}
		w.must(w.service.DeleteGroup(w.Context(), scim, group.ID, 0))
		if got, want := w.access(scope, alice.ID), []string{"Organization User (scim)", "Workspace 1: Editor (jit)"}; !slices.Equal(got, want) {
			w.Errorf("R36: without the group %q, want %q", got, want)
		}
		if got, want := w.afterSignIn(scope, c), []string{"Organization Operator (sso_group)", "Lab: Admin (sso_group)", "Workspace 1: Editor (jit)"}; !slices.Equal(got, want) {
			w.Errorf("after the next sign-in %q, want %q", got, want)
		}
	})
}

// R32: an explicit mapping replaces the name's convention, for a token's groups as for SCIM's, in any case of the letters.
func TestExplicitMappingsOfTokenGroups(t *testing.T) {
	onGroups(t, func(w *world, scope domain.OrgScope) {
		workspaces, err := w.service.Workspaces(w.Context(), scope, false)
		w.must(err)
		scim := w.scim("")
		for name, mapping := range map[string]domain.Mapping{
			"Engineers":                    {OrgRole: domain.RoleOrgOperator, Workspaces: map[domain.WorkspaceID]domain.RoleID{workspaces[0].ID: domain.RoleWorkAdmin}},
			"Organization User:Lab:Viewer": {OrgRole: domain.RoleOrgViewer},
			"Organization Admins":          {},
		} {
			w.mapExplicitly(scope, w.pushGroup(scim, name).ID, mapping)
		}
		for email, c := range map[string]struct {
			group string
			want  []string
		}{
			"a@example.com": {"ENGINEERS", []string{"Organization Operator (sso_group)", "Lab: Admin (sso_group)", "Workspace 1: Editor (jit)"}},
			"b@example.com": {"organization user:lab:viewer", []string{"Organization Viewer (sso_group)", "Workspace 1: Editor (jit)"}},
			"c@example.com": {"Organization Admins", []string{"Organization User (jit)", "Workspace 1: Editor (jit)"}},
			"d@example.com": {"My Organization Admins", []string{"Organization Admin (sso_group)", "Lab: Admin (sso_group)", "Workspace 1: Admin (sso_group)"}},
		} {
			if got := w.afterSignIn(scope, inGroups(email, c.group)); !slices.Equal(got, c.want) {
				w.Errorf("R32: %s gives %q, want %q", c.group, got, c.want)
			}
		}
		w.must(w.service.DeleteWorkspace(w.Context(), scope, workspaces[0].ID))
		if got, want := w.afterSignIn(scope, inGroups("e@example.com", "Engineers")), []string{"Organization Operator (sso_group)", "Workspace 1: Editor (jit)"}; !slices.Equal(got, want) {
			w.Errorf("R33: a mapping to a workspace that was deleted gives %q, want %q", got, want)
		}
	})
}

// mapExplicitly writes a mapping as an admin's (R32).
func (w *world) mapExplicitly(scope domain.OrgScope, id domain.GroupID, mapping domain.Mapping) {
	w.Helper()
	w.must(w.store.Write(w.Context(), func(tx domain.Tx) error {
		groups := tx.Org(scope).Groups()
		group, err := groups.Get(id)
		if err != nil {
			return err
		}
		group.Explicit, group.Mapping, group.Unmapped = true, mapping, ""
		return groups.Update(group)
	}))
}

// Item 74: a token that does not tell the groups, for their number or because nobody asked, changes nothing; one that says "none" does.
func TestUnknownGroupsChangeNothing(t *testing.T) {
	onGroups(t, func(w *world, scope domain.OrgScope) {
		overage := claims("alice@example.com")
		overage.Groups = map[string][]string{"other": {"Organization Admins"}}
		null := claims("alice@example.com")
		null.Groups = map[string][]string{"groups": nil}
		given := []string{"Organization Operator (sso_group)", "Lab: Editor (sso_group)", "Workspace 1: Editor (jit)"}
		for i, c := range []struct {
			claims domain.Claims
			want   []string
		}{
			{overage, []string{"Organization User (jit)", "Workspace 1: Editor (jit)"}},
			{inGroups("alice@example.com", "Organization Operator:Lab:Editor"), given},
			{overage, given},
			{claims("alice@example.com"), given},
			{null, []string{"Organization User (jit)", "Workspace 1: Editor (jit)"}},
		} {
			if got := w.afterSignIn(scope, c.claims); !slices.Equal(got, c.want) {
				w.Errorf("item 74: step %d: %q, want %q", i, got, c.want)
			}
		}
	})
}

// wanted is what the property below expects of one person: role and grant by place.
type wanted struct {
	org        string
	orgKind    domain.GrantKind
	workspaces map[string][2]string
}

// R34, R36, item 75: over random histories of sign-ins a person holds what the last token that told gives, beside what others gave.
func TestTokenGroupsAgreeWithTheModel(t *testing.T) {
	universe := map[string][3]string{
		"Organization Operator:Workspace 1:Viewer": {"Organization Operator", "Workspace 1", "Viewer"}, "Organization User:Lab:Admin": {"Organization User", "Lab", "Admin"},
		"Organization Viewer:Lab:Editor": {"Organization Viewer", "Lab", "Editor"}, "Organization User:Lab:Viewer": {"Organization User", "Lab", "Viewer"},
		"Organization Viewer:Workspace 1:Admin": {"Organization Viewer", "Workspace 1", "Admin"}, "Staff": {},
	}
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range universe {
			if !yield(name) {
				return
			}
		}
	})
	onGroups(t, func(w *world, scope domain.OrgScope) {
		people := 0
		rapid.Check(w.T, func(t *rapid.T) {
			people++
			email := string(domain.DigestOf(string(rune(people))))[:12] + "@example.com"
			m := w.arrive(scope, email, rapid.Bool().Draw(t, "invited"))
			for range rapid.IntRange(1, 4).Draw(t, "sign-ins") {
				groups := rapid.SliceOfDistinct(rapid.SampledFrom(names), rapid.ID[string]).Draw(t, "groups")
				c := inGroups(email, groups...)
				if rapid.Bool().Draw(t, "unknown") {
					c.Groups = nil
				} else {
					m.apply(groups, universe)
				}
				if got, want := w.afterSignIn(scope, c), m.words(); !slices.Equal(got, want) {
					t.Fatalf("after %q (told: %v) %q, want %q", groups, c.Groups != nil, got, want)
				}
			}
		})
	})
}

// arrive makes a member by JIT or by an invite.
func (w *world) arrive(scope domain.OrgScope, email string, invited bool) *wanted {
	w.Helper()
	m := &wanted{"Organization User", domain.GrantJIT, map[string][2]string{"Workspace 1": {"Editor", "jit"}}}
	if invited {
		workspaces, err := w.service.Workspaces(w.Context(), scope, false)
		w.must(err)
		w.invite("", domain.InviteRequest{
			Email: email, Role: domain.RoleOrgViewer, Workspaces: []domain.WorkspaceID{workspaces[0].ID}, WorkspaceRole: domain.RoleWorkEditor,
		})
		m = &wanted{"Organization Viewer", domain.GrantInvite, map[string][2]string{"Lab": {"Editor", "invite"}}}
	}
	w.enter(claims(email))
	return m
}

// apply is the rules written the slow, obvious way.
func (m *wanted) apply(groups []string, universe map[string][3]string) {
	org := ""
	best := map[string]string{}
	for _, name := range groups {
		g := universe[name]
		org = higher([]string{"", "Organization Viewer", "Organization User", "Organization Operator"}, org, g[0])
		if g[1] != "" {
			best[g[1]] = higher([]string{"", "Viewer", "Editor", "Admin"}, best[g[1]], g[2])
		}
	}
	switch {
	case m.orgKind == domain.GrantInvite:
	case org != "":
		m.org, m.orgKind = org, domain.GrantSSOGroup
	default:
		m.org, m.orgKind = "Organization User", domain.GrantJIT
	}
	for workspace, held := range m.workspaces {
		if held[1] == "sso_group" {
			delete(m.workspaces, workspace)
		}
	}
	for workspace, role := range best {
		if held := m.workspaces[workspace]; held[1] != "invite" {
			m.workspaces[workspace] = [2]string{role, "sso_group"}
		}
	}
}

func higher(order []string, a, b string) string {
	if slices.Index(order, a) >= slices.Index(order, b) {
		return a
	}
	return b
}

func (m *wanted) words() []string {
	words := []string{m.org + " (" + string(m.orgKind) + ")"}
	for _, workspace := range []string{"Lab", "Workspace 1"} {
		if held, ok := m.workspaces[workspace]; ok {
			words = append(words, workspace+": "+held[0]+" ("+held[1]+")")
		}
	}
	return words
}
