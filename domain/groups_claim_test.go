package domain_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster/domain"
)

// sync switches the groups sync of the default organization on.
func (w *world) sync(edit func(*domain.SSOSettings)) {
	w.Helper()
	scope := w.commandLine("")
	settings, err := w.service.SSOSettings(w.Context(), scope)
	w.must(err)
	_, err = w.service.SetSSODefaults(w.Context(), scope, settings.ID, func(s *domain.SSOSettings) {
		s.GroupsEnabled, s.GroupsRoleSync = true, true
		if edit != nil {
			edit(s)
		}
	})
	w.must(err)
}

// inGroups signs a person in with these groups and returns what they hold; a refusal is its reason.
func (w *world) inGroups(email string, groups ...string) []string {
	w.Helper()
	c := claims(email)
	c.Groups = map[string][]string{"groups": groups}
	return w.holds(c)
}

func (w *world) holds(c domain.Claims) []string {
	w.Helper()
	principal, err := w.trySignIn(c)
	if err != nil {
		return []string{string(reasonOf(err))}
	}
	scope := w.commandLine("")
	return w.access(scope, w.memberOf(principal, scope.Org()))
}

// R31-R34, items 74, 75: a token's groups give roles by the names of SCIM's groups, and take back what an earlier token's gave.
func TestGroupsSync(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		w.workspace(w.commandLine(""), "Lab")
		w.sync(nil)
		unknown := claims("alice@example.com")
		for _, c := range []struct {
			name string
			got  func() []string
			want []string
		}{
			{"at first", func() []string {
				return w.inGroups("alice@example.com", "LS:Organization User:Lab:Viewer", "everybody")
			}, []string{"Organization User (sso_group)", "Lab: Viewer (sso_group)", "Workspace 1: Editor (jit)"}},
			{"another role", func() []string { return w.inGroups("alice@example.com", "x:organization operator:lab:admin") }, []string{"Organization Operator (sso_group)", "Lab: Admin (sso_group)", "Workspace 1: Editor (jit)"}},
			{"the more powerful of two", func() []string {
				return w.inGroups("alice@example.com", "a:Organization User:Lab:Viewer", "b:Organization User:Lab:Editor", "c:Organization User:Workspace 1:Viewer")
			}, []string{"Organization User (sso_group)", "Lab: Editor (sso_group)", "Workspace 1: Viewer (sso_group)"}},
			{"unknown groups change nothing", func() []string { return w.holds(unknown) }, []string{"Organization User (sso_group)", "Lab: Editor (sso_group)", "Workspace 1: Viewer (sso_group)"}},
			{"no groups any more", func() []string { return w.inGroups("alice@example.com") }, []string{"Organization User (jit)"}},
			{"an Admin by group", func() []string { return w.inGroups("alice@example.com", "LS:Organization Admins") }, []string{"Organization Admin (sso_group)", "Lab: Admin (sso_group)", "Workspace 1: Admin (sso_group)"}},
			// Item 75: nobody else is Admin.
			{"the last Admin stays", func() []string { return w.inGroups("alice@example.com") }, []string{"Organization Admin (sso_group)", "Lab: Admin (sso_group)", "Workspace 1: Admin (sso_group)"}},
		} {
			if got := c.got(); !same(got, c.want) {
				w.Errorf("%s: %q, want %q", c.name, got, c.want)
			}
		}
		_, err := w.service.AddAdmin(w.Context(), w.commandLine(""), "ada@example.com")
		w.must(err)
		if got := w.inGroups("alice@example.com"); !same(got, []string{"Organization User (jit)"}) {
			w.Errorf("no longer the last Admin: %q", got)
		}
	})
}

// same compares what is held; the org role comes first, workspaces in any order.
func same(got, want []string) bool {
	if len(got) != len(want) || got[0] != want[0] {
		return false
	}
	a, b := slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	return slices.Equal(a, b)
}

// The sync manages what it granted itself: what a person, an invite, start-up or a SCIM group gave stays.
func TestGroupsSyncLeavesOthersAlone(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		scope := w.commandLine("")
		lab := w.workspace(scope, "Lab")
		w.sync(nil)
		_, err := w.service.Invite(w.Context(), scope, domain.InviteRequest{
			Email: "guest@example.com", Role: domain.RoleOrgViewer, Workspaces: []domain.WorkspaceID{lab.ID}, WorkspaceRole: domain.RoleWorkViewer,
		})
		w.must(err)
		want := []string{"Organization Viewer (invite)", "Lab: Viewer (invite)", "Workspace 1: Editor (sso_group)"}
		if got := w.inGroups("guest@example.com", "LS:Organization Operator:Lab:Admin", "LS:Organization Operator:Workspace 1:Editor"); !same(got, want) {
			w.Errorf("an invited person: %q", got)
		}
		scim := w.scim("")
		pushed := w.push(scim, "pushed@example.com")
		w.pushGroup(scim, "LS:Organization Operator:Lab:Editor", pushed.ID)
		want = []string{"Organization Operator (group)", "Lab: Editor (group)", "Workspace 1: Viewer (sso_group)"}
		if got := w.inGroups("pushed@example.com", "LS:Organization User:Lab:Admin", "LS:Organization User:Workspace 1:Viewer"); !same(got, want) {
			w.Errorf("a person in a SCIM group: %q", got)
		}
		// R36: a SCIM group that speaks about the place later replaces what the token gave.
		w.pushGroup(scim, "LS:Organization User:Workspace 1:Admin", pushed.ID)
		want = []string{"Organization Operator (group)", "Lab: Editor (group)", "Workspace 1: Admin (group)"}
		if got := w.inGroups("pushed@example.com", "LS:Organization User:Workspace 1:Viewer"); !same(got, want) {
			w.Errorf("SCIM spoke later: %q", got)
		}
	})
}

// "required" refuses who is in no group that gives anything, member or not; when groups are unknown a member passes.
func TestGroupsRequired(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		w.signIn("member@example.com")
		w.sync(func(s *domain.SSOSettings) { s.GroupsRequired = true })
		refused := []string{string(domain.ReasonNoGroup)}
		for name, c := range map[string]struct {
			got, want []string
		}{
			"a newcomer without":        {w.inGroups("new@example.com", "everybody"), refused},
			"a newcomer, unknown":       {w.holds(claims("new@example.com")), refused},
			"a newcomer with":           {w.inGroups("new@example.com", "LS:Organization User:Workspace 1:Viewer"), []string{"Organization User (sso_group)", "Workspace 1: Viewer (sso_group)"}},
			"a member without":          {w.inGroups("member@example.com"), refused},
			"a member, unknown":         {w.holds(claims("member@example.com")), []string{"Organization User (jit)", "Workspace 1: Editor (jit)"}},
			"a group of nothing":        {w.inGroups("other@example.com", "LS:Organization User:Nowhere:Viewer"), refused},
			"the name of another claim": {w.inGroups("other@example.com", ""), refused},
		} {
			if !slices.Equal(c.got, c.want) {
				w.Errorf("%s: %q, want %q", name, c.got, c.want)
			}
		}
	})
}

// Without role sync the groups count at the first sign-in only; switched off, they count for nothing and take nothing (R15).
func TestGroupsAtTheFirstSignInOnly(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		w.sync(func(s *domain.SSOSettings) { s.GroupsRoleSync = false })
		first := []string{"Organization User (sso_group)", "Workspace 1: Viewer (sso_group)"}
		if got := w.inGroups("alice@example.com", "LS:Organization User:Workspace 1:Viewer"); !slices.Equal(got, first) {
			w.Errorf("at first: %q", got)
		}
		if got := w.inGroups("alice@example.com", "LS:Organization User:Workspace 1:Admin"); !slices.Equal(got, first) {
			w.Errorf("later: %q", got)
		}
		w.sync(func(s *domain.SSOSettings) { s.GroupsEnabled = false })
		if got := w.inGroups("alice@example.com"); !slices.Equal(got, first) {
			w.Errorf("switched off: %q", got)
		}
	})
}

// R37: whatever a history of tokens says, signing in twice with the same groups changes nothing, and roles are those of the last token.
func TestGroupsSyncIsAFunctionOfTheToken(t *testing.T) {
	onEngines(t, nil, checkHistories)
}

func checkHistories(w *world) {
	w.sync(nil)
	names := []string{"a:Organization User:Workspace 1:Viewer", "b:Organization User:Workspace 1:Admin", "c:Organization Viewer:Workspace 1:Editor", "d:Organization Operator", "e"}
	person := 0
	rapid.Check(w.T, func(t *rapid.T) {
		person++
		first, second := fmt.Sprintf("p%d@example.com", person), fmt.Sprintf("q%d@example.com", person)
		history := rapid.SliceOfN(rapid.SliceOfDistinct(rapid.SampledFrom(names), rapid.ID[string]), 1, 3).Draw(t, "history")
		for _, groups := range history {
			w.inGroups(first, groups...)
		}
		last := history[len(history)-1]
		once, twice := w.inGroups(first, last...), w.inGroups(first, last...)
		if !slices.Equal(once, twice) {
			t.Fatalf("first %q, then %q", once, twice)
		}
		// Somebody who comes with the same groups at once holds the same, but for what joining gave and an earlier token replaced.
		fresh := w.inGroups(second, last...)
		if once[0] != fresh[0] || len(last) > 0 && len(once) > len(fresh) {
			t.Fatalf("%q, and afresh %q", once, fresh)
		}
	})
}
