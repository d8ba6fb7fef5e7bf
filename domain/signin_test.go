package domain_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"muster/domain"
)

// reasonOf returns why a sign-in was refused; empty when it was not.
func reasonOf(err error) domain.Reason {
	if refusal, ok := errors.AsType[*domain.Refusal](err); ok {
		return refusal.Reason
	}
	if err != nil {
		return domain.Reason(err.Error())
	}
	return ""
}

// Items 68, 70, R12: invites on or off, JIT on or off, invited or not: eight cases. R13: the installation's flag beats the setting.
func TestTheEightCasesOfFirstSignIn(t *testing.T) {
	const jit, invited = "Workspace 1: Editor (jit)", "Workspace 1: Viewer (invite)"
	cases := []struct {
		invites, jit, invited bool
		want                  string
		reason                domain.Reason
	}{
		{true, true, true, invited, ""},
		{true, true, false, jit, ""},
		{true, false, true, invited, ""},
		{true, false, false, "", domain.ReasonNotInvited},
		{false, true, true, jit, ""},
		{false, true, false, jit, ""},
		{false, false, true, "", domain.ReasonNotInvited},
		{false, false, false, "", domain.ReasonNotInvited},
	}
	for _, flagOff := range []bool{false, true} {
		onEngines(t, func(p *domain.Policy) { p.JITEnabled = !flagOff }, func(w *world) {
			for i, c := range cases {
				email := fmt.Sprintf("p%d@example.com", i)
				setUp(w, c.invites, c.jit, c.invited, email)
				wanted, reason := c.want, c.reason
				if flagOff && wanted == jit {
					wanted, reason = "", domain.ReasonNotInvited
				}
				principal, err := w.trySignIn(claims(email))
				if got := reasonOf(err); got != reason {
					w.Fatalf("flag off %v, case %d: refused for %q, want %q", flagOff, i, got, reason)
				}
				if err != nil {
					continue
				}
				org := principal.Memberships()[0].Org
				got := w.access(w.commandLine(""), w.memberOf(principal, org))
				if !slices.Equal(got[1:], []string{wanted}) {
					w.Errorf("case %d: access %q, want %q", i, got, wanted)
				}
			}
		})
	}
}

// setUp invites the person where the case wants it, with Viewer so that the invite can be told from JIT, and then sets the switches.
func setUp(w *world, invites, jit, invited bool, email string) {
	w.Helper()
	scope := w.commandLine("")
	set := func(invites, jit bool) {
		_, err := w.service.UpdateOrganization(w.Context(), scope, domain.OrgUpdate{Settings: func(s *domain.OrgSettings) {
			s.InvitesEnabled, s.JITEnabled = invites, jit
		}})
		w.must(err)
	}
	if invited {
		set(true, jit)
		workspaces, err := w.service.Workspaces(w.Context(), scope, false)
		w.must(err)
		_, err = w.service.Invite(w.Context(), scope, domain.InviteRequest{
			Email: email, Workspaces: []domain.WorkspaceID{workspaces[0].ID}, WorkspaceRole: domain.RoleWorkViewer,
		})
		w.must(err)
	}
	set(invites, jit)
}

// R9, R10, R11, items 58, 59, 60: who is found by what, and what an untrusted address is worth.
func TestFindingThePerson(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		alice := w.signIn("alice@example.com")

		renamed := claims("alice@new.example")
		renamed.Subject = "sub-alice@example.com"
		again, err := w.trySignIn(renamed)
		w.must(err)
		if again.User().ID != alice.User().ID {
			w.Error("R9 (1): the identity did not find the person")
		}

		pushed := w.push(w.scim(""), "bob@example.com")
		bob := claims("bob@elsewhere.example")
		bob.Subject, bob.EmailTrusted = "sub-bob@example.com", false
		found, err := w.trySignIn(bob)
		w.must(err)
		if found.User().ID != pushed.User {
			w.Error("R9 (2): the externalId did not find the person")
		}

		_, err = w.service.AddAdmin(w.Context(), w.commandLine(""), "carol@example.com")
		w.must(err)
		untrusted := claims("carol@example.com")
		untrusted.EmailTrusted = false
		if _, err := w.trySignIn(untrusted); reasonOf(err) != domain.ReasonEmailUnverified {
			w.Errorf("R10, A2: an unverified address got %v", err)
		}
		carol, err := w.trySignIn(claims("CAROL@Example.com"))
		w.must(err)
		if got := carol.Memberships()[0].Member.Role.Role; got != domain.RoleOrgAdmin {
			w.Errorf("R9 (3): the address, in another case, found role %s", domain.RoleName(got))
		}

		second := claims("alice@example.com")
		second.Subject = "another subject"
		if _, err := w.trySignIn(second); reasonOf(err) != domain.ReasonEmailTaken {
			w.Errorf("A1: a second identity at the issuer got %v", err)
		}
		none := claims("")
		if _, err := w.trySignIn(none); reasonOf(err) != domain.ReasonEmailMissing {
			w.Errorf("R11: a sign-in without an address got %v", err)
		}
		for _, address := range []string{"victim@corp.com@evil.com", `"a@corp.com"@evil.com`, "dot@example.com."} { // A21
			if _, err := w.trySignIn(claims(address)); reasonOf(err) != domain.ReasonEmailMissing {
				w.Errorf("A21: %q got %v", address, err)
			}
		}
	})
}

// R7, R8: the configured first Admin, once; the last Admin cannot be demoted or removed.
func TestFirstAndLastAdmin(t *testing.T) {
	onEngines(t, func(p *domain.Policy) { p.InitialAdminEmail = "Ada@example.com" }, func(w *world) {
		ada := w.signIn("ada@example.com")
		scope, err := ada.In(ada.Memberships()[0].Org)
		w.must(err)
		if scope.Role() != domain.RoleOrgAdmin {
			w.Fatalf("ada is %s", domain.RoleName(scope.Role()))
		}
		if _, err := w.service.SetMemberRole(w.Context(), scope, scope.Member(), domain.RoleOrgUser); !domain.IsKind(err, domain.Conflict) {
			w.Errorf("demoting the last Admin: %v", err)
		}
		if err := w.service.RemoveMember(w.Context(), scope, scope.Member()); !domain.IsKind(err, domain.Conflict) {
			w.Errorf("removing the last Admin: %v", err)
		}
		bob := w.signIn("bob@example.com")
		_, err = w.service.SetMemberRole(w.Context(), scope, w.memberOf(bob, scope.Org()), domain.RoleOrgAdmin)
		w.must(err)
		_, err = w.service.SetMemberRole(w.Context(), scope, scope.Member(), domain.RoleOrgUser)
		w.must(err)
		w.must(w.service.Bootstrap(w.Context()))
		if again := w.signIn("ada@example.com"); again.Memberships()[0].Member.Role.Role != domain.RoleOrgUser {
			w.Error("R7: start-up's address makes an Admin more than once")
		}
	})
}

// R14, R15, R18: defaults reach later joiners only; none is allowed; a deleted one is skipped.
func TestDefaultsForFirstTimeUsers(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		scope := w.commandLine("")
		alice := w.signIn("alice@example.com")
		lab := w.workspace(scope, "Lab")
		sso, err := w.service.SSOSettings(w.Context(), scope)
		w.must(err)
		set := func(role domain.RoleID, workspaces ...domain.WorkspaceID) {
			_, err := w.service.SetSSODefaults(w.Context(), scope, sso.ID, func(s *domain.SSOSettings) {
				s.DefaultWorkspaceRole, s.DefaultWorkspaces = role, workspaces
			})
			w.must(err)
		}
		set(domain.RoleWorkViewer, lab.ID)
		bob := w.signIn("bob@example.com")
		w.must(w.service.DeleteWorkspace(w.Context(), scope, lab.ID))
		carol := w.signIn("carol@example.com")
		set(domain.RoleWorkViewer)
		dave := w.signIn("dave@example.com")
		for _, c := range []struct {
			principal domain.Principal
			want      []string
		}{
			{alice, []string{"Organization User (jit)", "Workspace 1: Editor (jit)"}},
			{bob, []string{"Organization User (jit)"}},
			{carol, []string{"Organization User (jit)"}},
			{dave, []string{"Organization User (jit)"}},
		} {
			if got := w.access(scope, w.memberOf(c.principal, scope.Org())); !slices.Equal(got, c.want) {
				w.Errorf("%s has %q, want %q", c.principal.User().Email, got, c.want)
			}
		}
	})
}

// R19, R16: the default organization changes hands only by an Admin of both, and only later joiners notice.
func TestDefaultOrganization(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		acme, err := w.service.CreateOrganizationByHand(w.Context(), "Acme")
		w.must(err)
		_, err = w.service.AddAdmin(w.Context(), w.commandLine("Acme"), "ada@example.com")
		w.must(err)
		ada := w.signIn("ada@example.com") // joins Default by JIT as User
		if err := w.service.SetDefaultOrganization(w.Context(), ada, acme); !domain.IsKind(err, domain.Forbidden) {
			w.Errorf("an Admin of the new organization only: %v", err)
		}
		_, err = w.service.AddAdmin(w.Context(), w.commandLine("Default"), "ada@example.com")
		w.must(err)
		ada = w.signIn("ada@example.com")
		w.must(w.service.SetDefaultOrganization(w.Context(), ada, acme))
		bob := w.signIn("bob@example.com")
		if got := bob.Memberships(); len(got) != 1 || got[0].OrgName != "Acme" {
			w.Errorf("bob joined %+v", got)
		}
		if got := len(w.signIn("ada@example.com").Memberships()); got != 2 {
			w.Errorf("ada is in %d organizations, want 2", got)
		}
	})
}

// R6: personal organizations, where allowed, come with the first sign-in and stay small.
func TestPersonalOrganization(t *testing.T) {
	onEngines(t, func(p *domain.Policy) { p.PersonalOrgsDisabled = false }, func(w *world) {
		w.signIn("alice@example.com")
		alice := w.signIn("alice@example.com")
		var personal domain.OrgID
		for _, membership := range alice.Memberships() {
			if membership.Personal {
				personal = membership.Org
			}
		}
		if personal == "" || len(alice.Memberships()) != 2 {
			w.Fatalf("memberships %+v", alice.Memberships())
		}
		scope, err := alice.In(personal)
		w.must(err)
		if _, err := w.service.CreateWorkspace(w.Context(), scope, domain.NewWorkspace{Name: "Second"}); !domain.IsKind(err, domain.Conflict) {
			w.Errorf("a second workspace: %v", err)
		}
		if _, err := w.service.Invite(w.Context(), scope, domain.InviteRequest{Email: "bob@example.com"}); !domain.IsKind(err, domain.Forbidden) {
			w.Errorf("an invite: %v", err)
		}
	})
}

// R17, A44, item 71: a hundred first sign-ins of one person, while SCIM creates the same person, make one user and no error.
func TestFirstSignInsAtOnce(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		scope := w.scim("")
		failures := make(chan error, 60)
		users := make(chan domain.UserID, 60)
		var wait sync.WaitGroup
		for i := range 50 {
			wait.Go(func() {
				c := claims("alice@example.com")
				if i%2 == 0 {
					c.Email = "ALICE@example.com"
				}
				signedIn, err := w.service.SignIn(w.Context(), c, domain.Client{})
				if err != nil {
					failures <- err
					return
				}
				users <- signedIn.User
			})
		}
		wait.Go(func() {
			if _, err := w.service.CreateUser(w.Context(), scope, person("alice@example.com")); err != nil {
				failures <- err
			}
		})
		wait.Wait()
		close(failures)
		close(users)
		for err := range failures {
			w.Errorf("an error at a first sign-in: %v", err)
		}
		seen := map[domain.UserID]bool{}
		for user := range users {
			seen[user] = true
		}
		members, err := w.service.Members(w.Context(), w.commandLine(""), domain.MemberQuery{})
		w.must(err)
		if len(seen) != 1 || len(members) != 1 || !members[0].SCIM {
			w.Errorf("%d users, members %+v", len(seen), members)
		}
	})
}

// R41: the session ends with the ID token, never later than the longest session, unless the operator overrides it.
func TestSessionLength(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		now := w.clock.Now()
		for _, c := range []struct {
			expiry   time.Duration
			override bool
			want     time.Duration
		}{{time.Hour, false, time.Hour}, {48 * time.Hour, false, 24 * time.Hour}, {time.Hour, true, 24 * time.Hour}} {
			given := claims("alice@example.com")
			given.TokenExpiry, given.OverrideExpiry = now.Add(c.expiry), c.override
			signedIn, err := w.service.SignIn(w.Context(), given, domain.Client{})
			w.must(err)
			if got := signedIn.ExpiresAt.Sub(now); got != c.want {
				w.Errorf("expiry %s, override %v: the session lasts %s, want %s", c.expiry, c.override, got, c.want)
			}
		}
		signedIn, err := w.service.SignIn(w.Context(), claims("alice@example.com"), domain.Client{})
		w.must(err)
		w.clock.Advance(24*time.Hour + time.Second)
		if _, err := w.service.Session(w.Context(), signedIn.Session, domain.Client{}); !domain.IsKind(err, domain.Unauthenticated) {
			w.Errorf("an expired session: %v", err)
		}
	})
}

// Whoever was made by address alone, such as the first Admin (R7), gets the name that the provider knows; a name that is there stays.
func TestANameWhereThereIsNone(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		_, err := w.service.AddAdmin(w.Context(), w.commandLine(""), "ada@example.com")
		w.must(err)
		if got := w.signIn("ada@example.com").User().FullName; got != "Name of ada@example.com" {
			w.Errorf("her name is %q", got)
		}
		c := claims("ada@example.com")
		c.FullName = "Another"
		again, err := w.trySignIn(c)
		w.must(err)
		if got := again.User().FullName; got != "Name of ada@example.com" {
			w.Errorf("her name became %q", got)
		}
	})
}
