package domain_test

import (
	"slices"
	"testing"
	"time"

	"muster/domain"
)

// acme makes an organization with a provider of its own beside the installation's, and returns its scope and that provider's claims.
func acme(t *testing.T, test func(w *world, scope domain.OrgScope, at func(email string) domain.Claims)) {
	t.Helper()
	onEngines(t, nil, func(w *world) {
		id, err := w.service.CreateOrganizationByHand(w.Context(), "Acme")
		w.must(err)
		w.policy.Providers = map[string]domain.ProviderPolicy{
			domain.ProviderOIDC: {Issuer: issuer},
			"acme":              {Issuer: "https://idp.acme.example", Orgs: []domain.OrgID{id}},
		}
		w.service = domain.New(w.store, w.policy)
		test(w, w.commandLine("Acme"), func(email string) domain.Claims {
			c := claims(email)
			c.Provider, c.Issuer = "acme", "https://idp.acme.example"
			return c
		})
	})
}

// orgs are the names of the organizations that a sign-in reaches; a refusal is its reason.
func (w *world) reaches(c domain.Claims) []string {
	w.Helper()
	principal, err := w.trySignIn(c)
	if err != nil {
		return []string{string(reasonOf(err))}
	}
	names := []string{}
	for _, membership := range principal.Memberships() {
		names = append(names, membership.OrgName)
	}
	slices.Sort(names)
	return names
}

// R9, R16, items 14, 78, 79, A1, A4, A5, A34: an organization's own provider reaches that organization and nobody else's people.
func TestOwnProvider(t *testing.T) {
	acme(t, func(w *world, scope domain.OrgScope, at func(string) domain.Claims) {
		_, err := w.service.AddAdmin(w.Context(), scope, "ada@acme.example")
		w.must(err)
		w.signIn("victim@example.com")
		for _, c := range []struct {
			name   string
			claims domain.Claims
			want   []string
		}{
			{"a member of Acme", at("ada@acme.example"), []string{"Acme"}},
			{"again, by identity", at("ada@acme.example"), []string{"Acme"}},
			{"a member of another", at("victim@example.com"), []string{"email_taken"}},
			{"nobody, though JIT is on", at("eve@acme.example"), []string{"not_invited"}},
			{"unverified", unverified(at("ada@acme.example"), "new-subject"), []string{"email_unverified"}},
			{"another subject, same mail", subject(at("ada@acme.example"), "new-subject"), []string{"email_taken"}},
		} {
			if got := w.reaches(c.claims); !slices.Equal(got, c.want) {
				w.Errorf("%s: %v, want %v", c.name, got, c.want)
			}
		}
		// Nobody was made, linked or joined by the refused ones.
		for _, email := range []string{"eve@acme.example"} {
			if _, err := w.service.EndSessionsByHand(w.Context(), scope, email, ""); !domain.IsKind(err, domain.NotFound) {
				w.Errorf("%s exists: %v", email, err)
			}
		}
	})
}

func unverified(c domain.Claims, sub string) domain.Claims {
	c.EmailTrusted = false
	return subject(c, sub)
}

func subject(c domain.Claims, sub string) domain.Claims {
	c.Subject, c.TokenSubject = sub, sub
	return c
}

// R16, R23: whom an organization invites comes in by that organization's own provider, and gets what the invite says, there only.
func TestOwnProviderClaimsInvites(t *testing.T) {
	acme(t, func(w *world, scope domain.OrgScope, at func(string) domain.Claims) {
		for _, org := range []domain.OrgScope{scope, w.commandLine("")} {
			_, err := w.service.Invite(w.Context(), org, domain.InviteRequest{Email: "guest@acme.example", Role: domain.RoleOrgViewer})
			w.must(err)
		}
		if got := w.reaches(at("guest@acme.example")); !slices.Equal(got, []string{"Acme"}) {
			w.Errorf("the guest reaches %v", got)
		}
		// By the main provider the same person claims the other invite; the first session still ends at Acme.
		cookie := w.cookie(at("guest@acme.example"))
		if got := w.reaches(claims("guest@acme.example")); !slices.Equal(got, []string{"Acme", "Default"}) {
			w.Errorf("by the main provider: %v", got)
		}
		principal, err := w.service.Session(w.Context(), cookie, domain.Client{})
		w.must(err)
		if len(principal.Memberships()) != 1 {
			w.Errorf("through its own provider the guest reaches %+v", principal.Memberships())
		}
		sessions, err := w.service.MySessions(w.Context(), principal)
		w.must(err)
		for _, session := range sessions {
			if session.Provider != "acme" {
				w.Errorf("it sees a session of %s", session.Provider)
			}
		}
		if _, err := principal.In(w.commandLine("").Org()); !domain.IsKind(err, domain.NotFound) {
			w.Errorf("R44: it acts in the default organization: %v", err)
		}
	})
}

// Item 14: sessions of a provider that is switched off are dead at once, and removed at the next start, so that none revives.
func TestRemovedProvider(t *testing.T) {
	acme(t, func(w *world, scope domain.OrgScope, at func(string) domain.Claims) {
		_, err := w.service.AddAdmin(w.Context(), scope, "ada@acme.example")
		w.must(err)
		cookie, other := w.cookie(at("ada@acme.example")), w.cookie(claims("alice@example.com"))
		with, without := w.policy.Providers, map[string]domain.ProviderPolicy{domain.ProviderOIDC: {Issuer: issuer}}
		w.policy.Providers = without
		w.service = domain.New(w.store, w.policy)
		if w.alive(cookie) || !w.alive(other) {
			w.Error("switching a provider off does not end its sessions, or ends others")
		}
		ended, err := w.service.EndSessionsOfRemovedProviders(w.Context())
		w.must(err)
		again, err := w.service.EndSessionsOfRemovedProviders(w.Context())
		w.must(err)
		w.policy.Providers = with
		w.service = domain.New(w.store, w.policy)
		if ended != 1 || again != 0 || w.alive(cookie) || !w.alive(other) {
			w.Errorf("ended %d, then %d; the session revived: %v", ended, again, w.alive(cookie))
		}
		// Item 15: the identity outlives the provider's absence.
		if got := w.reaches(at("ada@acme.example")); !slices.Equal(got, []string{"Acme"}) {
			w.Errorf("after it came back: %v", got)
		}
	})
}

// R26, A4: SCIM of one organization finds people by the issuers of the providers that serve it, and by no other's.
func TestSCIMAdoptsByItsProviders(t *testing.T) {
	acme(t, func(w *world, scope domain.OrgScope, at func(string) domain.Claims) {
		_, err := w.service.AddAdmin(w.Context(), scope, "ada@acme.example")
		w.must(err)
		ada := w.must1(w.trySignIn(at("ada@acme.example")))
		// The default organization's provider pushes somebody whose externalId happens to be Ada's subject at Acme's provider.
		document := person("stranger@example.com")
		document["externalId"] = "sub-ada@acme.example"
		created, err := w.service.CreateUser(w.Context(), w.scim(""), document)
		w.must(err)
		if created.User == ada.User().ID {
			w.Error("another organization's token took hold of her")
		}
	})
}

func (w *world) must1(principal domain.Principal, err error) domain.Principal {
	w.Helper()
	w.must(err)
	return principal
}

// Section 7: with a new client id every "sub" of Entra changes; the object id finds the person again, at the same provider only.
func TestNewClientID(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		old := claims("alice@example.com")
		old.Object = "tenant/alice"
		alice := w.must1(w.trySignIn(old))
		next := subject(old, "another-sub")
		if got := w.must1(w.trySignIn(next)); got.User().ID != alice.User().ID {
			w.Error("the new client id made a stranger of her")
		}
		// Without the object id, or at another provider, her address alone does not do (A1).
		for name, edit := range map[string]func(*domain.Claims){
			"no object":        func(c *domain.Claims) { c.Object = "" },
			"another person's": func(c *domain.Claims) { c.Object = "tenant/bob" },
			"another provider": func(c *domain.Claims) { c.Provider = "second" },
		} {
			c := subject(old, "third-sub "+name)
			edit(&c)
			if _, err := w.trySignIn(c); reasonOf(err) != domain.ReasonEmailTaken && name != "another provider" {
				w.Errorf("%s: %v", name, err)
			} else if err == nil {
				w.Errorf("%s signed in", name)
			}
		}
	})
}

// A33, A35, item 69: who was disabled or deleted through SCIM is refused at the door, once in the log each time and never joined and removed.
func TestDeprovisionedAtTheDoor(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		scope := w.scim("")
		disabled, deleted := w.push(scope, "disabled@example.com"), w.push(scope, "deleted@example.com")
		w.active(scope, disabled.ID, false)
		w.must(w.service.DeleteUser(w.Context(), scope, deleted.ID, 0))
		for email, reason := range map[string]domain.Reason{"disabled@example.com": domain.ReasonDisabled, "deleted@example.com": domain.ReasonDeprovisioned} {
			before := len(w.audit(""))
			w.clock.Advance(time.Second)
			if _, err := w.trySignIn(claims(email)); reasonOf(err) != reason {
				w.Errorf("%s: %v", email, err)
			}
			if rows := w.audit(""); len(rows) != before+1 || rows[0].Operation != "login" || rows[0].Outcome != domain.Failure {
				w.Errorf("%s left %d rows", email, len(rows)-before)
			}
		}
	})
}

// audit is the organization's log, newest first.
func (w *world) audit(org string) []domain.AuditEvent {
	w.Helper()
	var events []domain.AuditEvent
	scope := w.commandLine(org)
	w.must(w.store.Read(w.Context(), func(tx domain.Tx) error {
		var err error
		events, err = tx.Org(scope).Audit().List(domain.AuditQuery{Limit: 500})
		return err
	}))
	return events
}

// R7: the set-up link makes one person Admin, once, while there is none; A15: it is worth nothing afterwards.
func TestSetUpLink(t *testing.T) {
	onEngines(t, func(p *domain.Policy) { p.InitialAdminEmail = "" }, func(w *world) {
		token, err := w.service.SetUpToken(w.Context())
		w.must(err)
		same, err := domain.New(w.store, w.policy).SetUpToken(w.Context())
		w.must(err)
		if token != same || len(token) < 40 {
			w.Errorf("two processes print %q and %q", token, same)
		}
		for _, wrong := range []string{"", "x", string(token) + "x", string(token)[1:]} {
			if err := w.service.CheckSetUpToken(w.Context(), wrong); !domain.IsKind(err, domain.NotFound) {
				w.Errorf("the token %q: %v", wrong, err)
			}
		}
		w.must(w.service.CheckSetUpToken(w.Context(), string(token)))
		unverified := claims("eve@example.com")
		unverified.SetUp, unverified.EmailTrusted = true, false
		if _, err := w.trySignIn(unverified); reasonOf(err) != domain.ReasonEmailUnverified {
			w.Errorf("an unverified address: %v", err)
		}
		results := make(chan error, 2)
		for _, email := range []string{"ada@example.com", "bob@example.com"} {
			go func() {
				c := claims(email)
				c.SetUp = true
				_, err := w.service.SignIn(w.Context(), c, domain.Client{})
				results <- err
			}()
		}
		first, second := <-results, <-results
		if (first == nil) == (second == nil) || reasonOf(first) != "" && reasonOf(first) != domain.ReasonSetUpOver || reasonOf(second) != "" && reasonOf(second) != domain.ReasonSetUpOver {
			w.Errorf("two at once: %v and %v", first, second)
		}
		if _, err := w.service.SetUpToken(w.Context()); !domain.IsKind(err, domain.NotFound) {
			w.Errorf("afterwards there is a link: %v", err)
		}
		if err := w.service.CheckSetUpToken(w.Context(), string(token)); !domain.IsKind(err, domain.NotFound) {
			w.Errorf("the used link: %v", err)
		}
		// Who signs in without the link is nobody special.
		if got := w.access(w.commandLine(""), w.memberOf(w.signIn("carol@example.com"), w.commandLine("").Org())); got[0] != "Organization User (jit)" {
			w.Errorf("a later person: %v", got)
		}
	})
}

// Items 110, 111, A8: a step-up makes another session for the same person in the same browser, and for nobody else.
func TestStepUp(t *testing.T) {
	onEngines(t, func(p *domain.Policy) { p.StepUpMaxAge = 10 * time.Minute }, func(w *world) {
		_, err := w.service.AddAdmin(w.Context(), w.commandLine(""), "ada@example.com")
		w.must(err)
		cookie, other := w.cookie(claims("ada@example.com")), w.cookie(claims("bob@example.com"))
		token := func(cookie string) error {
			principal, err := w.service.Session(w.Context(), cookie, domain.Client{})
			w.must(err)
			scope, err := principal.In(w.commandLine("").Org())
			w.must(err)
			_, _, err = w.service.CreateSCIMToken(w.Context(), scope, domain.NewSCIMToken{Description: "test"})
			if (err != nil) != w.service.NeedsStepUp(principal, w.clock.Now()) {
				w.Errorf("NeedsStepUp disagrees with %v", err)
			}
			return err
		}
		if err := token(cookie); !domain.IsKind(err, domain.StepUpNeeded) || domain.AsError(err).Provider != domain.ProviderOIDC {
			w.Errorf("without a proof: %v", err)
		}
		proved := claims("ada@example.com")
		proved.AuthTime = w.clock.Now()
		step := func(c domain.Claims, session, browser string) (domain.SignedIn, error) {
			return w.service.StepUp(w.Context(), c, domain.DigestOf(session), domain.Client{Session: domain.DigestOf(browser)})
		}
		w.clock.Advance(time.Second)
		if _, err := step(claims("bob@example.com"), cookie, cookie); reasonOf(err) != domain.ReasonAnotherPerson {
			w.Errorf("another person: %v", err)
		}
		if rows := w.audit(""); rows[0].Outcome != domain.Failure || rows[0].After["reason"] != string(domain.ReasonAnotherPerson) {
			w.Errorf("the swap is recorded as %+v", rows[0])
		}
		if _, err := step(proved, cookie, other); reasonOf(err) != domain.ReasonFlowLost {
			w.Errorf("another browser: %v", err)
		}
		if _, err := step(proved, domain.NewOpaque(), cookie); reasonOf(err) != domain.ReasonFlowLost {
			w.Errorf("a session that is over: %v", err)
		}
		fresh, err := step(proved, cookie, cookie)
		w.must(err)
		if w.alive(cookie) || !w.alive(fresh.Session) || !w.alive(other) {
			w.Error("the session before lives, or another one died")
		}
		w.must(token(fresh.Session))
		w.clock.Advance(11 * time.Minute)
		if err := token(fresh.Session); !domain.IsKind(err, domain.StepUpNeeded) {
			w.Errorf("eleven minutes later: %v", err)
		}
	})
}
