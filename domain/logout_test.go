package domain_test

import (
	"testing"
	"time"

	"muster/domain"
)

// at makes a session at a provider with its names for person and session.
func (w *world) at(email, sid string) string {
	w.Helper()
	c := claims(email)
	c.TokenSubject, c.SessionID = "token-"+email, sid
	return w.cookie(c)
}

// Items 104-106: a provider's word ends the sessions it names, once, and leaves the account as it is.
func TestProviderLogout(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		first, second, nameless, other := w.at("alice@example.com", "s1"), w.at("alice@example.com", "s2"), w.at("alice@example.com", ""), w.at("bob@example.com", "s3")
		logout := domain.ProviderLogout{
			Provider: domain.ProviderOIDC, Issuer: issuer, SID: "s1", Subject: "token-alice@example.com", TokenID: "jti-1",
			Expires: w.clock.Now().Add(time.Minute), Channel: "back",
		}
		rows := func() int {
			count := 0
			for _, event := range w.audit("") {
				if event.Operation == "logout" {
					count++
				}
			}
			return count
		}
		for range 2 {
			w.must(w.service.EndProviderSessions(w.Context(), logout, domain.Client{}))
		}
		for name, c := range map[string]struct {
			cookie string
			alive  bool
		}{"the one named": {first, false}, "one without a name": {nameless, false}, "one of another name": {second, true}, "somebody else's": {other, true}} {
			if w.alive(c.cookie) != c.alive {
				w.Errorf("%s: alive %v", name, !c.alive)
			}
		}
		if rows() != 1 {
			w.Errorf("%d audit rows", rows())
		}
		// A39: the clock may move, a token is good once; it is forgotten when it is no longer good for anything.
		again := w.at("alice@example.com", "s1")
		w.must(w.service.EndProviderSessions(w.Context(), logout, domain.Client{}))
		if !w.alive(again) {
			w.Error("a replayed token ended a session")
		}
		logout.TokenID, logout.SID = "jti-2", ""
		w.must(w.service.EndProviderSessions(w.Context(), logout, domain.Client{}))
		if w.alive(again) || w.alive(second) || !w.alive(other) {
			w.Error("by subject: not all of hers, or more than hers")
		}
		logout.TokenID, logout.Provider = "jti-3", "another"
		logout.Subject = "token-bob@example.com"
		w.must(w.service.EndProviderSessions(w.Context(), logout, domain.Client{}))
		if !w.alive(other) {
			w.Error("a provider ended another one's session")
		}
		if _, err := w.trySignIn(claims("alice@example.com")); err != nil {
			w.Errorf("she cannot sign in again: %v", err)
		}
	})
}

// Item 108: Universal Logout ends sessions and personal access tokens, by subject or address, where the provider reaches.
func TestRevokeSubject(t *testing.T) {
	acme(t, func(w *world, scope domain.OrgScope, _ func(string) domain.Claims) {
		for _, org := range []domain.OrgScope{scope, w.commandLine("")} {
			_, err := w.service.AddAdmin(w.Context(), org, "ada@example.com")
			w.must(err)
		}
		key := func(org domain.OrgScope) string {
			_, secret, err := w.service.CreatePersonalTokenFor(w.Context(), org, "ada@example.com", true, "test")
			w.must(err)
			return string(secret)
		}
		works := func(secret string) bool {
			_, err := w.service.Key(w.Context(), secret, domain.Client{})
			return err == nil
		}
		jti := 0
		revoke := func(provider, subject, email string) error {
			jti++
			return w.service.RevokeSubject(w.Context(), domain.RevokedSubject{
				Provider: provider, Issuer: w.policy.Providers[provider].Issuer, Subject: subject, Email: email,
				TokenID: string(rune('a' + jti)), Expires: w.clock.Now().Add(time.Minute),
			}, domain.Client{})
		}
		cookie := w.cookie(claims("ada@example.com"))
		here, there := key(w.commandLine("")), key(scope)
		// Acme's provider reaches her keys at Acme, and none of the sessions that another provider made.
		w.must(revoke("acme", "", "ada@example.com"))
		if works(there) || !works(here) || !w.alive(cookie) {
			w.Error("Acme's provider reached too far, or not far enough")
		}
		there = key(scope)
		for _, c := range [][2]string{{"sub-ada@example.com", ""}, {"", "ADA@example.com"}} {
			w.must(revoke(domain.ProviderOIDC, c[0], c[1]))
			if works(here) || works(there) || w.alive(cookie) {
				w.Errorf("by %q: something of hers still works", c)
			}
			cookie, here, there = w.cookie(claims("ada@example.com")), key(w.commandLine("")), key(scope)
		}
		bob := w.cookie(claims("bob@example.com"))
		for name, err := range map[string]error{
			"nobody":              revoke(domain.ProviderOIDC, "nobody", ""),
			"nobody's address":    revoke(domain.ProviderOIDC, "", "nobody@example.com"),
			"not in its own org":  revoke("acme", "", "bob@example.com"),
			"another issuer's":    revoke("acme", "sub-ada@example.com", ""),
			"nobody, once more":   revoke(domain.ProviderOIDC, "nobody", ""),
			"an unknown provider": revoke("unknown", "", "ada@example.com"),
		} {
			if !domain.IsKind(err, domain.NotFound) {
				w.Errorf("%s: %v", name, err)
			}
		}
		if !w.alive(cookie) || !w.alive(bob) {
			w.Error("a refused request ended a session")
		}
	})
}

// A11, A12, R41, items 89, 106, 109: whatever ends a session ends it for the next request, with the same commit, and the person's tokens where access ended.
func TestEveryWayOut(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		scim := w.scim("")
		admin := w.commandLine("")
		for name, c := range map[string]struct {
			end  func(id domain.MemberID, cookie string) error
			keys bool
		}{
			"SCIM disables": {func(id domain.MemberID, _ string) error { w.active(scim, id, false); return nil }, false},
			"SCIM deletes":  {func(id domain.MemberID, _ string) error { return w.service.DeleteUser(w.Context(), scim, id, 0) }, false},
			"an Admin removes": {func(id domain.MemberID, _ string) error {
				return w.service.RemoveMember(w.Context(), admin, id)
			}, false},
			"an Admin signs out": {func(id domain.MemberID, _ string) error {
				_, err := w.service.EndMemberSessions(w.Context(), admin, id)
				return err
			}, true},
			"an Admin signs all out": {func(domain.MemberID, string) error {
				_, err := w.service.EndOrgSessions(w.Context(), admin, "")
				return err
			}, true},
			"the command line": {func(domain.MemberID, string) error {
				_, err := w.service.EndSessionsByHand(w.Context(), admin, "way@example.com", "")
				return err
			}, true},
			"the person": {func(_ domain.MemberID, cookie string) error {
				_, err := w.service.SignOut(w.Context(), cookie, domain.Client{})
				return err
			}, true},
			"the person, everywhere": {func(_ domain.MemberID, cookie string) error {
				principal, err := w.service.Session(w.Context(), cookie, domain.Client{})
				w.must(err)
				_, err = w.service.EndMySessions(w.Context(), principal, false)
				return err
			}, true},
			"the provider": {func(domain.MemberID, string) error {
				return w.service.EndProviderSessions(w.Context(), domain.ProviderLogout{Provider: domain.ProviderOIDC, Issuer: issuer, Subject: "token-way@example.com", Channel: "back"}, domain.Client{})
			}, true},
		} {
			w.clock.Advance(time.Second)
			user := w.push(scim, "way@example.com")
			cookie := w.at("way@example.com", "")
			_, secret, err := w.service.CreatePersonalTokenFor(w.Context(), admin, "way@example.com", false, "test")
			w.must(err)
			if !w.alive(cookie) {
				w.Fatalf("%s: not signed in", name)
			}
			w.must(c.end(user.ID, cookie))
			if w.alive(cookie) {
				w.Errorf("%s: the session lives", name)
			}
			if _, err := w.service.Key(w.Context(), string(secret), domain.Client{}); (err == nil) != c.keys {
				w.Errorf("%s: the key: %v", name, err)
			}
			if err := w.service.DeleteUser(w.Context(), scim, user.ID, 0); err != nil && !domain.IsKind(err, domain.NotFound) {
				w.Fatal(err)
			}
		}
	})
}
