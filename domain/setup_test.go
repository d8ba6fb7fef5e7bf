package domain_test

import (
	"slices"
	"sync"
	"testing"

	"muster/domain"
)

// settingUp makes claims of somebody who came by the set-up link.
func settingUp(email string) domain.Claims {
	c := claims(email)
	c.SetUp = true
	return c
}

// setUpOpen reports whether there is a set-up link, and fails the test when asking for it failed otherwise.
func (w *world) setUpOpen() (domain.Secret, bool) {
	w.Helper()
	token, err := w.service.SetUpToken(w.Context())
	if err != nil && !domain.IsKind(err, domain.NotFound) {
		w.Fatal(err)
	}
	return token, err == nil
}

// R7, A15: the set-up link makes the first person Admin, once; it is the same at every start, and worth nothing afterwards.
func TestTheSetUpLink(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		token, open := w.setUpOpen()
		same, _ := w.under(func(*domain.Policy) {}).setUpOpen()
		if !open || token != same || len(token) < 40 {
			w.Fatalf("the links of two processes: %q and %q", string(token), string(same))
		}
		w.must(w.service.CheckSetUpToken(w.Context(), string(token)))
		for _, wrong := range mangled(string(token)) {
			if err := w.service.CheckSetUpToken(w.Context(), wrong); !domain.IsKind(err, domain.NotFound) {
				w.Errorf("R7: the link %q: %v", wrong, err)
			}
		}
		unverified := settingUp("ada@example.com")
		unverified.EmailTrusted = false
		if got := w.reasonFor(unverified); got != domain.ReasonEmailUnverified {
			w.Errorf("R10: an unverified address with the link: refused for %q", got)
		}
		w.signIn("bob@example.com") // somebody who came without the link takes nothing away
		if _, open := w.setUpOpen(); !open {
			w.Error("R7: a sign-in without the link closed it")
		}
		ada := w.principal(w.enter(settingUp("ada@example.com")))
		if got, want := w.access(w.commandLine(""), w.memberOf(ada, w.commandLine("").Org())), []string{
			"Organization Admin (bootstrap)", "Workspace 1: Admin (bootstrap)",
		}; !slices.Equal(got, want) {
			w.Errorf("R7: whoever came by the link has %q, want %q", got, want)
		}
		if _, open := w.setUpOpen(); open {
			w.Error("R7: the link works twice")
		}
		if err := w.service.CheckSetUpToken(w.Context(), string(token)); !domain.IsKind(err, domain.NotFound) {
			w.Errorf("R7: the used link: %v", err)
		}
		_ = w.reasonFor(settingUp("eve@example.com")) // a flow that was begun before the link was used up
		if got := w.admins(); !slices.Equal(got, []string{"ada@example.com"}) {
			w.Errorf("R7: the Admins are %q", got)
		}
		if rows := w.audit("", "update_org_member"); len(rows) != 1 || rows[0].After["org_role"] != "Organization Admin" {
			w.Errorf("R43: audit rows %+v", rows)
		}
	})
}

// admins lists the Organization Admins of the default organization by address.
func (w *world) admins() []string {
	w.Helper()
	members, err := w.service.Members(w.Context(), w.commandLine(""), domain.MemberQuery{SortBy: "email"})
	w.must(err)
	var admins []string
	for _, member := range members {
		if member.Role.Role == domain.RoleOrgAdmin {
			admins = append(admins, member.Email)
		}
	}
	return admins
}

// R7: where an address is configured there is no link, and whoever comes as if by one is no Admin.
func TestNoSetUpLinkBesideAnAddress(t *testing.T) {
	onEngines(t, func(p *domain.Policy) { p.InitialAdminEmail = "ada@example.com" }, func(w *world) {
		if _, open := w.setUpOpen(); open {
			w.Error("R7: there is a link beside the address")
		}
		if err := w.service.CheckSetUpToken(w.Context(), ""); !domain.IsKind(err, domain.NotFound) {
			w.Errorf("R7: an empty link: %v", err)
		}
		_ = w.reasonFor(settingUp("eve@example.com"))
		w.signIn("ada@example.com")
		if got := w.admins(); !slices.Equal(got, []string{"ada@example.com"}) {
			w.Errorf("R7: the Admins are %q", got)
		}
	})
}

// R7: an Admin made by hand closes the link, and so does another default organization.
func TestWhatClosesTheSetUpLink(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		_, err := w.service.AddAdmin(w.Context(), w.commandLine(""), "ada@example.com")
		w.must(err)
		if _, open := w.setUpOpen(); open {
			w.Error("R7: there is a link though there is an Admin")
		}
		if got := w.reasonFor(settingUp("eve@example.com")); got != domain.ReasonSetUpOver {
			w.Errorf("R7: a flow begun before: refused for %q", got)
		}
		if got := w.admins(); !slices.Equal(got, []string{"ada@example.com"}) {
			w.Errorf("R7: the Admins are %q", got)
		}
	})
	onDoors(t, nil, func(w *world, acme domain.OrgID) {
		if got := w.reasonFor(func() domain.Claims { c := acmeClaims("eve@acme.example"); c.SetUp = true; return c }()); got != domain.ReasonNotInvited {
			w.Errorf("R7, item 79: the link at Acme's provider: refused for %q", got)
		}
		_, scope := domain.TestScopes(w, "")
		w.must(w.store.Write(w.Context(), func(tx domain.Tx) error {
			store := tx.System(scope).Installation()
			installation, err := store.Get()
			if err != nil {
				return err
			}
			_, err = store.SetDefaultOrg(installation.DefaultOrg, acme)
			return err
		}))
		if _, open := w.setUpOpen(); open {
			w.Error("R7: there is a link though the initial organization is no longer the default one")
		}
	})
}

// R7, R30: whoever was shut out does not come back as Admin by the link.
func TestTheSetUpLinkForSomebodyShutOut(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		scope := w.scim("")
		pushed := w.push(scope, "alice@example.com")
		w.active(scope, pushed.ID, false)
		if got := w.reasonFor(settingUp("alice@example.com")); got != domain.ReasonDisabled {
			w.Errorf("R30: a disabled person with the link: refused for %q", got)
		}
		w.must(w.service.DeleteUser(w.Context(), scope, pushed.ID, 0))
		if got := w.reasonFor(settingUp("alice@example.com")); got != domain.ReasonDeprovisioned {
			w.Errorf("R30: a deleted person with the link: refused for %q", got)
		}
		if _, open := w.setUpOpen(); !open {
			w.Error("R7: a refused person used the link up")
		}
	})
}

// R7: of twenty people who come by the link at once one is Admin; the others are refused, or members as by any sign-in.
func TestManyByTheSetUpLink(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		reasons := make([]domain.Reason, 20)
		var wait sync.WaitGroup
		for i := range reasons {
			wait.Go(func() {
				_, err := w.service.SignIn(w.Context(), settingUp(string(rune('a'+i))+"@example.com"), domain.Client{})
				reasons[i] = reasonOf(err)
			})
		}
		wait.Wait()
		for _, reason := range reasons {
			if reason != "" && reason != domain.ReasonSetUpOver {
				w.Errorf("R7: one of many was refused for %q", reason)
			}
		}
		if got := w.admins(); len(got) != 1 {
			w.Errorf("R7: the Admins are %q", got)
		}
	})
}
