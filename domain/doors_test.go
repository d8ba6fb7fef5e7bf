package domain_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"muster/domain"
)

// The words in which the tests of providers and sessions are told.

// acmeIssuer is the issuer of the provider "acme", which serves the organization Acme only.
const acmeIssuer = "https://login.acme.example"

// under returns the same world as a server with another configuration sees it.
func (w *world) under(change func(*domain.Policy)) *world {
	next := *w
	next.policy.Providers = maps.Clone(w.policy.Providers)
	change(&next.policy)
	next.service = domain.New(w.store, next.policy)
	return &next
}

// withAcme makes the organization Acme and configures a provider of its own for it.
func (w *world) withAcme() (*world, domain.OrgID) {
	w.Helper()
	acme, err := w.service.CreateOrganizationByHand(w.Context(), "Acme")
	w.must(err)
	return w.under(func(p *domain.Policy) {
		p.Providers["acme"] = domain.ProviderPolicy{Issuer: acmeIssuer, Orgs: []domain.OrgID{acme}}
	}), acme
}

// onDoors is onEngines with Acme and its provider.
func onDoors(t *testing.T, change func(*domain.Policy), test func(w *world, acme domain.OrgID)) {
	t.Helper()
	onEngines(t, change, func(w *world) { test(w.withAcme()) })
}

// acmeClaims is what Acme's provider says about somebody.
func acmeClaims(email string) domain.Claims {
	c := claims(email)
	c.Provider, c.Issuer, c.Subject = "acme", acmeIssuer, "acme-"+email
	return c
}

// enter signs somebody in and returns the cookie's value.
func (w *world) enter(c domain.Claims) string {
	w.Helper()
	signedIn, err := w.service.SignIn(w.Context(), c, domain.Client{})
	w.must(err)
	return signedIn.Session
}

// principal checks a session that must be alive.
func (w *world) principal(session string) domain.Principal {
	w.Helper()
	principal, err := w.service.Session(w.Context(), session, domain.Client{})
	w.must(err)
	return principal
}

// alive reports whether a session may be used; any other answer than yes and Unauthenticated fails the test.
func (w *world) alive(session string) bool {
	w.Helper()
	_, err := w.service.Session(w.Context(), session, domain.Client{})
	if err != nil && !domain.IsKind(err, domain.Unauthenticated) {
		w.Fatalf("a session was answered with %v", err)
	}
	return err == nil
}

// allAlive tells for each session whether it may be used.
func (w *world) allAlive(sessions ...string) []bool {
	w.Helper()
	answers := make([]bool, len(sessions))
	for i, session := range sessions {
		answers[i] = w.alive(session)
	}
	return answers
}

// scopeOf is a person's own right to act in the organization, by session.
func (w *world) scopeOf(session string, org domain.OrgID) domain.OrgScope {
	w.Helper()
	scope, err := w.principal(session).In(org)
	w.must(err)
	return scope
}

// pat makes a personal access token in the organization.
func (w *world) pat(session string, org domain.OrgID) string {
	w.Helper()
	_, secret, err := w.service.CreatePersonalToken(w.Context(), w.scopeOf(session, org), domain.KeyRequest{Description: "script"})
	w.must(err)
	return string(secret)
}

// keyWorks reports whether a personal access token may be used.
func (w *world) keyWorks(secret string) bool {
	w.Helper()
	_, err := w.service.Key(w.Context(), secret, domain.Client{})
	if err != nil && !domain.IsKind(err, domain.Unauthenticated) {
		w.Fatalf("a key was answered with %v", err)
	}
	return err == nil
}

// orgNames lists a principal's organizations by name.
func orgNames(principal domain.Principal) []string {
	names := []string{}
	for _, membership := range principal.Memberships() {
		names = append(names, membership.OrgName)
	}
	return names
}

// invite makes a pending member of an organization.
func (w *world) invite(org string, request domain.InviteRequest) {
	w.Helper()
	_, err := w.service.Invite(w.Context(), w.commandLine(org), request)
	w.must(err)
}

// reasonFor returns why a sign-in is refused; empty when it is not.
func (w *world) reasonFor(c domain.Claims) domain.Reason {
	w.Helper()
	_, err := w.service.SignIn(w.Context(), c, domain.Client{})
	return reasonOf(err)
}

// audit returns an organization's rows of the operations named, the newest first.
func (w *world) audit(org string, operations ...string) []domain.AuditEvent {
	w.Helper()
	var rows []domain.AuditEvent
	w.must(w.store.Read(w.Context(), func(tx domain.Tx) error {
		var err error
		rows, err = tx.Org(w.commandLine(org)).Audit().List(domain.AuditQuery{Limit: 1000, Operations: operations})
		return err
	}))
	return rows
}

// system reads from the store across organizations.
func (w *world) system(read func(domain.SystemTx) error) {
	w.Helper()
	_, scope := domain.TestScopes(w, "")
	w.must(w.store.Read(w.Context(), func(tx domain.Tx) error { return read(tx.System(scope)) }))
}

// sessionsOf returns a person's sessions as the store has them.
func (w *world) sessionsOf(user domain.UserID) []domain.Session {
	w.Helper()
	var sessions []domain.Session
	w.system(func(system domain.SystemTx) error {
		var err error
		sessions, err = system.Sessions().List(domain.SessionFilter{User: user})
		return err
	})
	return sessions
}

// identitiesOf returns the pairs of provider and subject by which a person signs in, sorted.
func (w *world) identitiesOf(user domain.UserID) []string {
	w.Helper()
	var words []string
	w.system(func(system domain.SystemTx) error {
		identities, err := system.Identities().OfUser(user)
		words = []string{}
		for _, identity := range identities {
			words = append(words, identity.Provider+" "+identity.Subject)
		}
		slices.Sort(words)
		return err
	})
	return words
}

// sso changes an organization's sign-in settings.
func (w *world) sso(org string, change func(*domain.SSOSettings)) {
	w.Helper()
	scope := w.commandLine(org)
	settings, err := w.service.SSOSettings(w.Context(), scope)
	w.must(err)
	_, err = w.service.SetSSODefaults(w.Context(), scope, settings.ID, change)
	w.must(err)
}

// expiring makes claims whose ID token lasts for a time and whose session may last for another.
func (w *world) expiring(email string, token, longest time.Duration) domain.Claims {
	c := claims(email)
	c.TokenExpiry, c.SessionMax, c.OverrideExpiry = w.clock.Now().Add(token), longest, false
	return c
}
