package domain_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"muster/domain"
)

// backChannel is what Acme's or the main provider says in a logout token.
func (w *world) backChannel(provider, iss, subject, sid, id string) {
	w.Helper()
	w.must(w.service.EndProviderSessions(w.Context(), domain.ProviderLogout{
		Provider: provider, Issuer: iss, Subject: subject, SID: sid, TokenID: id, Expires: w.clock.Now().Add(10 * time.Minute), Channel: "back",
	}, domain.Client{IP: "192.0.2.9"}))
}

// Items 105, 106, A39: which sessions a logout token ends, by sid, by sub and by both; everybody stays a member.
func TestWhomALogoutTokenMeans(t *testing.T) {
	const other = "https://second.example"
	cases := []struct {
		name, provider, issuer, subject, sid string
		// want says which of the sessions below are alive afterwards.
		want []bool
	}{
		{"a sid", domain.ProviderOIDC, issuer, "", "s1", []bool{false, true, false, true, true}},
		{"a sid and its person", domain.ProviderOIDC, issuer, "pairwise-alice", "s1", []bool{false, true, false, true, true}},
		{"a sid that is not known and a person", domain.ProviderOIDC, issuer, "pairwise-alice", "s9", []bool{true, true, false, true, true}},
		{"a person", domain.ProviderOIDC, issuer, "pairwise-alice", "", []bool{false, false, false, true, true}},
		{"the resolved subject is not the token's", domain.ProviderOIDC, issuer, "sub-alice@example.com", "", []bool{true, true, true, true, true}},
		{"nobody known by sid", domain.ProviderOIDC, issuer, "", "s9", []bool{true, true, true, true, true}},
		{"nobody known by person", domain.ProviderOIDC, issuer, "stranger", "", []bool{true, true, true, true, true}},
		{"another issuer's sid and person", "second", other, "pairwise-alice", "s1", []bool{true, true, true, true, false}},
		{"another provider with this issuer's name", "second", issuer, "pairwise-alice", "s1", []bool{true, true, true, true, true}},
	}
	onEngines(t, nil, func(w *world) {
		server := w.under(func(p *domain.Policy) { p.Providers["second"] = domain.ProviderPolicy{Issuer: other} })
		enter := func(name, provider, iss, sid string) string {
			given := claims(name + "@example.com")
			given.Provider, given.Issuer, given.TokenSubject, given.SessionID = provider, iss, "pairwise-"+name, sid
			return server.enter(given)
		}
		for i, c := range cases {
			sessions := []string{
				enter("alice", domain.ProviderOIDC, issuer, "s1"), enter("alice", domain.ProviderOIDC, issuer, "s2"),
				enter("alice", domain.ProviderOIDC, issuer, ""), enter("bob", domain.ProviderOIDC, issuer, ""),
				enter("alice", "second", other, "s1"),
			}
			before := server.facts("")
			server.backChannel(c.provider, c.issuer, c.subject, c.sid, fmt.Sprint("jti-", i))
			if got := server.allAlive(sessions...); !slices.Equal(got, c.want) {
				w.Errorf("%s: alive %v, want %v", c.name, got, c.want)
			}
			if got := server.facts(""); !slices.Equal(got, before) {
				w.Errorf("item 106: %s: the members are %v, were %v", c.name, got, before)
			}
		}
	})
}

// facts lists an organization's members in words.
func (w *world) facts(org string) []string {
	w.Helper()
	scope := w.commandLine(org)
	members, err := w.service.Members(w.Context(), scope, domain.MemberQuery{})
	w.must(err)
	var words []string
	for _, member := range members {
		words = append(words, fmt.Sprint(member.Email, member.Status, w.access(scope, member.ID)))
	}
	slices.Sort(words)
	return words
}

// Item 104, A39: a logout token is good once: its replay ends nothing, writes nothing and is no error, until it has expired and been swept.
func TestAReplayedLogoutToken(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		given := claims("alice@example.com")
		given.TokenSubject = "pairwise"
		first := w.enter(given)
		user, id := w.principal(first).User(), w.principal(first).CurrentSession()
		w.backChannel(domain.ProviderOIDC, issuer, "pairwise", "", "jti-1")
		rows := w.audit("", "logout")
		if len(rows) != 1 || w.alive(first) {
			w.Fatalf("after the token: audit rows %+v", rows)
		}
		want := domain.AuditEvent{
			ID: rows[0].ID, At: w.clock.Now(), Operation: "logout", Outcome: domain.Success,
			Actor: domain.Actor{
				Kind: domain.ActorProvider, ID: domain.ProviderOIDC, Name: domain.ProviderOIDC, Client: domain.Client{IP: "192.0.2.9"},
			},
			Target: domain.Target{Kind: "user", ID: string(user.ID)}, After: map[string]any{"channel": "back", "sessions": []any{string(id)}},
		}
		if !reflect.DeepEqual(rows[0], want) {
			w.Errorf("R43: audit row\n%+v, want\n%+v", rows[0], want)
		}
		second := w.enter(given)
		for range 3 {
			w.backChannel(domain.ProviderOIDC, issuer, "pairwise", "", "jti-1")
		}
		if got := len(w.audit("", "logout")); got != 1 || !w.alive(second) {
			w.Errorf("item 104: after the replay %d audit rows, alive %v", got, w.alive(second))
		}
		w.must(w.service.Sweep(w.Context()))
		w.backChannel(domain.ProviderOIDC, issuer, "pairwise", "", "jti-1")
		w.backChannel(domain.ProviderOIDC, "https://other.example", "pairwise", "", "jti-2")
		if !w.alive(second) {
			w.Error("item 104: a token was forgotten before it had expired")
		}
		w.backChannel(domain.ProviderOIDC, issuer, "pairwise", "", "jti-2")
		if w.alive(second) {
			w.Error("A39: another issuer's token used up this issuer's")
		}
		w.clock.Advance(11 * time.Minute)
		w.must(w.service.Sweep(w.Context()))
		third := w.enter(given)
		w.backChannel(domain.ProviderOIDC, issuer, "pairwise", "", "jti-1")
		if w.alive(third) {
			w.Error("an expired token is remembered for ever")
		}
	})
}

// Item 107: front-channel logout has no token to remember and works each time.
func TestFrontChannelLogout(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		for range 2 {
			given := claims("alice@example.com")
			given.TokenSubject, given.SessionID = "pairwise", "s1"
			session := w.enter(given)
			w.must(w.service.EndProviderSessions(w.Context(), domain.ProviderLogout{
				Provider: domain.ProviderOIDC, Issuer: issuer, SID: "s1", Channel: "front",
			}, domain.Client{}))
			if w.alive(session) {
				w.Error("item 107: the session lives on")
			}
		}
	})
}

// Item 108: Universal Logout ends sessions and personal access tokens, named by subject, by the token's "sub" or by address, and nothing else.
func TestRevokeSubject(t *testing.T) {
	for name, subject := range map[string]domain.RevokedSubject{
		"the resolved subject": {Subject: "sub-alice@example.com"}, "the token's sub": {Subject: "pairwise-alice"},
		"an address": {Email: "ALICE@example.com"},
	} {
		onDoors(t, nil, func(w *world, acme domain.OrgID) {
			home := w.commandLine("").Org()
			given := claims("alice@example.com")
			given.TokenSubject = "pairwise-alice"
			w.invite("Acme", domain.InviteRequest{Email: "alice@example.com"})
			inside := w.enter(acmeClaims("alice@example.com"))
			session := w.enter(given)
			bob := w.enter(claims("bob@example.com"))
			keys := []string{w.pat(session, home), w.pat(inside, acme), w.pat(bob, home)}
			before := w.facts("")
			subject.Provider, subject.Issuer, subject.TokenID, subject.Expires = domain.ProviderOIDC, issuer, "jti", w.clock.Now().Add(time.Minute)
			w.must(w.service.RevokeSubject(w.Context(), subject, domain.Client{}))
			if got := w.allAlive(session, inside, bob); !slices.Equal(got, []bool{false, false, true}) {
				w.Errorf("item 108: %s: alive %v", name, got)
			}
			if got := []bool{w.keyWorks(keys[0]), w.keyWorks(keys[1]), w.keyWorks(keys[2])}; !slices.Equal(got, []bool{false, false, true}) {
				w.Errorf("item 108: %s: tokens that work %v", name, got)
			}
			if got := w.facts(""); !slices.Equal(got, before) {
				w.Errorf("item 108: %s: the members are %v, were %v", name, got, before)
			}
			if got := []int{len(w.audit("", "revoke_sessions")), len(w.audit("Acme", "revoke_sessions"))}; !slices.Equal(got, []int{1, 1}) {
				w.Errorf("R43: %s: audit rows in both organizations %v", name, got)
			}
			again := w.enter(given)
			w.must(w.service.RevokeSubject(w.Context(), subject, domain.Client{}))
			if got := len(w.audit("", "revoke_sessions")); got != 1 || !w.alive(again) {
				w.Errorf("item 104: %s: after a replay %d audit rows, the new session lives: %v", name, got, w.alive(again))
			}
		})
	}
}

// Item 108: somebody who is not known, or is outside the provider's organizations, is not found, and nothing happens.
func TestRevokeSubjectFindsNobody(t *testing.T) {
	onDoors(t, nil, func(w *world, _ domain.OrgID) {
		session := w.enter(claims("alice@example.com"))
		for i, subject := range []domain.RevokedSubject{
			{Provider: domain.ProviderOIDC, Issuer: issuer, Subject: "stranger"},
			{Provider: domain.ProviderOIDC, Issuer: issuer, Email: "stranger@example.com"},
			{Provider: domain.ProviderOIDC, Issuer: issuer},
			{Provider: "acme", Issuer: acmeIssuer, Email: "alice@example.com"},
			{Provider: "acme", Issuer: acmeIssuer, Subject: "sub-alice@example.com"},
			{Provider: "gone", Issuer: issuer, Subject: "sub-alice@example.com"},
		} {
			subject.TokenID, subject.Expires = fmt.Sprint("jti-", i), w.clock.Now().Add(time.Minute)
			for range 2 {
				if err := w.service.RevokeSubject(w.Context(), subject, domain.Client{}); !domain.IsKind(err, domain.NotFound) {
					w.Errorf("item 108: %+v: %v", subject, err)
				}
			}
		}
		if !w.alive(session) || len(w.audit("", "revoke_sessions")) > 0 {
			w.Error("item 108: a request about nobody ended something")
		}
	})
}

// Items 79, 108: Acme's provider ends its own sessions and the tokens in Acme, and leaves the rest of the person alone.
func TestAnOwnProviderRevokesInside(t *testing.T) {
	onDoors(t, nil, func(w *world, acme domain.OrgID) {
		whole := w.enter(claims("alice@example.com"))
		home := w.commandLine("").Org()
		pushed := w.push(w.scim("Acme"), "pushed@acme.example")
		c := acmeClaims("pushed@acme.example")
		c.Subject = "sub-pushed@acme.example"
		w.enter(c)
		// Alice came by the main provider and is in Acme by SCIM.
		w.push(w.scim("Acme"), "alice@example.com")
		outer := w.pat(whole, home)
		inner := w.pat(whole, acme)
		w.must(w.service.RevokeSubject(w.Context(), domain.RevokedSubject{
			Provider: "acme", Issuer: acmeIssuer, Email: "alice@example.com", TokenID: "jti", Expires: w.clock.Now().Add(time.Minute),
		}, domain.Client{}))
		if !w.alive(whole) || !w.keyWorks(outer) || w.keyWorks(inner) {
			w.Errorf("item 79: the main session lives %v, the outer token %v, the inner one %v", w.alive(whole), w.keyWorks(outer), w.keyWorks(inner))
		}
		if len(w.audit("", "revoke_sessions")) != 0 || len(w.audit("Acme", "revoke_sessions")) != 1 {
			w.Error("R43: the audit rows are not in Acme's log")
		}
		w.must(w.service.RevokeSubject(w.Context(), domain.RevokedSubject{
			Provider: "acme", Issuer: acmeIssuer, Subject: c.Subject, TokenID: "jti-2", Expires: w.clock.Now().Add(time.Minute),
		}, domain.Client{}))
		if got := len(w.sessionsOf(pushed.User)); got != 0 {
			w.Errorf("item 108: %d sessions of Acme's provider are left", got)
		}
	})
}
