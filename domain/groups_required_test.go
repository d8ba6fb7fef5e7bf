package domain_test

import (
	"slices"
	"sync"
	"testing"

	"muster/domain"
)

// Item 74: where a group is required, who is refused and who passes, newcomer or member, whatever door they would come in by.
func TestRequiredGroups(t *testing.T) {
	onGroups(t, func(w *world, _ domain.OrgScope) {
		unknown := claims
		none := func(email string) domain.Claims { return inGroups(email) }
		useless := func(email string) domain.Claims {
			return inGroups(email, "Everybody", "Organization User:Nowhere:Editor")
		}
		matching := func(email string) domain.Claims { return inGroups(email, "Organization User:Lab:Viewer") }
		newcomer := func(string) {}
		invited := func(email string) { w.invite("", domain.InviteRequest{Email: email}) }
		member := func(email string) { w.signIn(email) }
		pushed := func(email string) { w.push(w.scim(""), email) }
		disabled := func(email string) {
			scim := w.scim("")
			w.active(scim, w.push(scim, email).ID, false)
		}
		for i, c := range []struct {
			name   string
			before func(string)
			token  func(string) domain.Claims
			want   domain.Reason
		}{
			{"newcomer, unknown", newcomer, unknown, domain.ReasonNoGroup},
			{"newcomer, none", newcomer, none, domain.ReasonNoGroup},
			{"newcomer, none that maps", newcomer, useless, domain.ReasonNoGroup},
			{"newcomer, one that maps", newcomer, matching, ""},
			{"invited, unknown", invited, unknown, domain.ReasonNoGroup},
			{"invited, none", invited, none, domain.ReasonNoGroup},
			{"invited, one that maps", invited, matching, ""},
			{"member, unknown", member, unknown, ""},
			{"member, none", member, none, domain.ReasonNoGroup},
			{"member, none that maps", member, useless, domain.ReasonNoGroup},
			{"member, one that maps", member, matching, ""},
			{"pushed by SCIM, unknown", pushed, unknown, ""},
			{"pushed by SCIM, none", pushed, none, domain.ReasonNoGroup},
			{"disabled, one that maps", disabled, matching, domain.ReasonDisabled},
			{"disabled, unknown", disabled, unknown, domain.ReasonNoGroup},
		} {
			email := string(rune('a'+i)) + "@example.com"
			w.sso("", func(s *domain.SSOSettings) { s.GroupsRequired = false })
			c.before(email)
			w.sso("", func(s *domain.SSOSettings) { s.GroupsRequired = true })
			before := w.facts("")
			if got := w.reasonFor(c.token(email)); got != c.want {
				w.Errorf("%s: refused for %q, want %q", c.name, got, c.want)
			}
			if after := w.facts(""); c.want != "" && !slices.Equal(after, before) {
				w.Errorf("%s: the refusal changed the members from %q to %q", c.name, before, after)
			}
		}
	})
}

// A switched-off sync asks for nothing and gives nothing, whatever the other settings say.
func TestGroupsSwitchedOff(t *testing.T) {
	onGroups(t, func(w *world, scope domain.OrgScope) {
		w.sso("", func(s *domain.SSOSettings) { s.GroupsEnabled, s.GroupsRequired = false, true })
		want := []string{"Organization User (jit)", "Workspace 1: Editor (jit)"}
		for range 2 {
			if got := w.afterSignIn(scope, inGroups("alice@example.com", "Organization Admins")); !slices.Equal(got, want) {
				w.Errorf("switched off: %q, want %q", got, want)
			}
		}
	})
}

// With the role sync off the token's groups count when somebody joins, and never again.
func TestRoleSyncOff(t *testing.T) {
	onGroups(t, func(w *world, scope domain.OrgScope) {
		w.sso("", func(s *domain.SSOSettings) { s.GroupsRoleSync = false })
		want := []string{"Organization Operator (sso_group)", "Lab: Editor (sso_group)", "Workspace 1: Editor (jit)"}
		for i, groups := range [][]string{{"Organization Operator:Lab:Editor"}, {"Organization User:Lab:Admin"}, {}} {
			if got := w.afterSignIn(scope, inGroups("alice@example.com", groups...)); !slices.Equal(got, want) {
				w.Errorf("sign-in %d: %q, want %q", i, got, want)
			}
		}
		w.invite("", domain.InviteRequest{Email: "bob@example.com", Role: domain.RoleOrgViewer})
		want = []string{"Organization Viewer (invite)", "Lab: Admin (sso_group)"}
		for i, groups := range [][]string{{"Organization User:Lab:Admin"}, {}} {
			if got := w.afterSignIn(scope, inGroups("bob@example.com", groups...)); !slices.Equal(got, want) {
				w.Errorf("invited, sign-in %d: %q, want %q", i, got, want)
			}
		}
	})
}

// R8, item 75: a token never takes the last Organization Admin's role, neither from one alone nor from two at once.
func TestTheLastAdminKeepsTheRole(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		w.sso("", func(s *domain.SSOSettings) { s.GroupsEnabled = true })
		for _, email := range []string{"ada@example.com", "bea@example.com"} {
			w.enter(inGroups(email, "Organization Admins"))
		}
		var wait sync.WaitGroup
		for _, email := range []string{"ada@example.com", "bea@example.com"} {
			wait.Go(func() {
				if _, err := w.service.SignIn(w.Context(), inGroups(email, "Organization Viewer:Workspace 1:Viewer"), domain.Client{}); err != nil {
					w.Errorf("R8: an Admin who loses the group: %v", err)
				}
			})
		}
		wait.Wait()
		admins := w.admins()
		if len(admins) != 1 {
			w.Fatalf("R8: the Admins are %q", admins)
		}
		w.enter(inGroups(admins[0]))
		if got := w.admins(); !slices.Equal(got, admins) {
			w.Errorf("R8: the Admins are %q, want %q", got, admins)
		}
		w.enter(inGroups("cleo@example.com", "Organization Admins"))
		w.enter(inGroups(admins[0]))
		if got := w.admins(); !slices.Equal(got, []string{"cleo@example.com"}) {
			w.Errorf("with another Admin there, the Admins are %q", got)
		}
	})
}

// Items 14, 79: the groups of an organization's own provider count there, and another provider's token says nothing about it.
func TestGroupsAtAnOwnProvider(t *testing.T) {
	onDoors(t, nil, func(w *world, acme domain.OrgID) {
		inAcme := w.commandLine("Acme")
		for _, org := range []string{"", "Acme"} {
			w.sso(org, func(s *domain.SSOSettings) { s.GroupsEnabled = true })
		}
		w.invite("Acme", domain.InviteRequest{Email: "alice@example.com", Role: domain.RoleOrgViewer})
		given := acmeClaims("alice@example.com")
		given.Groups = map[string][]string{"groups": {"Organization User:Workspace 1:Admin", "Organization Admins"}}
		member := w.memberOf(w.principal(w.enter(given)), acme)
		want := []string{"Organization Viewer (invite)", "Workspace 1: Admin (sso_group)"}
		if got := w.access(inAcme, member); !slices.Equal(got, want) {
			w.Errorf("item 79: in Acme %q, want %q", got, want)
		}
		w.enter(inGroups("alice@example.com"))
		if got := w.access(inAcme, member); !slices.Equal(got, want) {
			w.Errorf("item 79: after a sign-in by the main provider, in Acme %q, want %q", got, want)
		}
		home := w.memberOf(w.principal(w.enter(inGroups("alice@example.com"))), w.commandLine("").Org())
		w.enter(given)
		if got, want := w.access(w.commandLine(""), home), []string{"Organization User (jit)", "Workspace 1: Editor (jit)"}; !slices.Equal(got, want) {
			w.Errorf("item 79: Acme's token gave %q in the default organization, want %q", got, want)
		}
		for provider, want := range map[string][]string{domain.ProviderOIDC: {"groups"}, "acme": {"groups"}} {
			if got, err := w.service.NeededClaims(w.Context(), provider); err != nil || !slices.Equal(got, want) {
				w.Errorf("claims needed from %s: %q, %v", provider, got, err)
			}
		}
		w.sso("Acme", func(s *domain.SSOSettings) { s.GroupsRequired = true })
		given.Groups = map[string][]string{"groups": {}}
		if got := w.reasonFor(given); got != domain.ReasonNoGroup {
			w.Errorf("Acme's member without a group: refused for %q", got)
		}
	})
}

// Item 79: of the organizations that one provider serves, one that asks for a group shuts nobody out of another one.
func TestARequiredGroupElsewhere(t *testing.T) {
	onDoors(t, nil, func(w *world, acme domain.OrgID) {
		beta, err := w.service.CreateOrganizationByHand(w.Context(), "Beta")
		w.must(err)
		server := w.under(func(p *domain.Policy) {
			p.Providers["acme"] = domain.ProviderPolicy{Issuer: acmeIssuer, Orgs: []domain.OrgID{acme, beta}}
		})
		w.sso("Beta", func(s *domain.SSOSettings) { s.GroupsEnabled, s.GroupsRequired = true, true })
		w.invite("Acme", domain.InviteRequest{Email: "alice@example.com"})
		given := acmeClaims("alice@example.com")
		given.Groups = map[string][]string{"groups": {}}
		if got := server.reasonFor(given); got != "" {
			w.Errorf("somebody invited to Acme, of whom Beta knows nothing, was refused for %q", got)
		}
	})
}

// With the role sync off in one of a provider's organizations, joining another one is no joining of the first.
func TestRoleSyncOffBesideAnotherJoining(t *testing.T) {
	onDoors(t, nil, func(w *world, acme domain.OrgID) {
		beta, err := w.service.CreateOrganizationByHand(w.Context(), "Beta")
		w.must(err)
		server := w.under(func(p *domain.Policy) {
			p.Providers["acme"] = domain.ProviderPolicy{Issuer: acmeIssuer, Orgs: []domain.OrgID{acme, beta}}
		})
		w.sso("Acme", func(s *domain.SSOSettings) { s.GroupsEnabled, s.GroupsRoleSync = true, false })
		w.invite("Acme", domain.InviteRequest{Email: "alice@example.com"})
		server.enter(acmeClaims("alice@example.com"))
		w.invite("Beta", domain.InviteRequest{Email: "alice@example.com"})
		given := acmeClaims("alice@example.com")
		given.Groups = map[string][]string{"groups": {"Organization User:Workspace 1:Admin"}}
		member := server.memberOf(server.principal(server.enter(given)), acme)
		if got, want := w.access(w.commandLine("Acme"), member), []string{"Organization User (invite)"}; !slices.Equal(got, want) {
			w.Errorf("a member of Acme for long who joined Beta has %q in Acme, want %q", got, want)
		}
	})
}

// Item 54: a token with thousands of groups is read as any other.
func TestThousandsOfGroups(t *testing.T) {
	onGroups(t, func(w *world, scope domain.OrgScope) {
		names := []string{"Organization User:Lab:Editor"}
		for i := range 20_000 {
			names = append(names, "group "+string(rune('a'+i%26))+string(rune('a'+i/26%26))+string(rune('a'+i/676)))
		}
		if got, want := w.afterSignIn(scope, inGroups("alice@example.com", names...)), []string{
			"Organization User (sso_group)", "Lab: Editor (sso_group)", "Workspace 1: Editor (jit)",
		}; !slices.Equal(got, want) {
			w.Errorf("%q, want %q", got, want)
		}
	})
}
