package domain_test

import (
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/domain"
)

// R41, item 87, A14: the ID token's expiry, the longest session, the override and the idle limit, each looked at from use to use.
func TestWhenASessionEnds(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		for _, c := range []struct {
			name           string
			token, longest time.Duration
			override       bool
			idle, every    time.Duration
			want           time.Duration
		}{
			{"the ID token's expiry", time.Hour, 24 * time.Hour, false, 0, 10 * time.Minute, time.Hour},
			{"the longest session", 48 * time.Hour, 24 * time.Hour, false, 0, time.Hour, 24 * time.Hour},
			{"the override", time.Hour, 24 * time.Hour, true, 0, time.Hour, 24 * time.Hour},
			{"the override is no longer than the longest session", 48 * time.Hour, 2 * time.Hour, true, 0, time.Hour, 2 * time.Hour},
			{"A14: used every minute without a refresh token", time.Hour, 24 * time.Hour, false, 30 * time.Minute, time.Minute, time.Hour},
			{"an ID token that was over at once", 0, 24 * time.Hour, false, 0, 0, 0},
			{"unused for the idle limit", time.Hour, 2 * time.Hour, true, 30 * time.Minute, 30 * time.Minute, 30 * time.Minute},
			{"used before the idle limit every time", time.Hour, 2 * time.Hour, true, 30 * time.Minute, 29 * time.Minute, 145 * time.Minute},
			{"used too often to be written down each time", time.Hour, time.Hour, true, 10 * time.Minute, time.Minute, time.Hour},
		} {
			server := w.under(func(p *domain.Policy) { p.SessionIdle = c.idle })
			given := w.expiring("alice@example.com", c.token, c.longest)
			given.OverrideExpiry = c.override
			session, start := server.enter(given), w.clock.Now()
			for range 200 {
				w.clock.Advance(c.every)
				if !server.alive(session) {
					break
				}
			}
			if got := w.clock.Now().Sub(start); got != c.want || server.alive(session) {
				w.Errorf("%s: over after %s, want %s", c.name, got, c.want)
			}
		}
	})
}

// Items 57, 88: the row says who, by which provider, how and from where.
func TestWhatASessionKnows(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		given := w.expiring("alice@example.com", time.Hour, 24*time.Hour)
		given.TokenSubject, given.SessionID, given.AuthTime = "pairwise", "sid-1", w.clock.Now().Add(-time.Minute)
		given.ACR, given.AMR = "urn:mfa", []string{"pwd", "otp"}
		client := domain.Client{IP: "192.0.2.7", UserAgent: "Browser/1", RequestID: "request-1"}
		signedIn, err := w.service.SignIn(w.Context(), given, client)
		w.must(err)
		principal := w.principal(signedIn.Session)
		got, err := w.service.MySessions(w.Context(), principal)
		w.must(err)
		ends := w.clock.Now().Add(time.Hour)
		want := []domain.Session{{
			ID: principal.CurrentSession(), Digest: domain.DigestOf(signedIn.Session), User: signedIn.User, Provider: domain.ProviderOIDC,
			Issuer: issuer, Subject: "sub-alice@example.com", TokenSubject: "pairwise", SID: "sid-1", AuthTime: given.AuthTime,
			ACR: "urn:mfa", AMR: []string{"pwd", "otp"}, Client: client, CreatedAt: w.clock.Now(), LastSeenAt: w.clock.Now(),
			ExpiresAt: ends, EndsAt: ends, LeaseUntil: got[0].LeaseUntil,
		}}
		if !reflect.DeepEqual(got, want) {
			w.Errorf("got  %+v\nwant %+v", got, want)
		}
	})
}

// Item 93: of one person's sessions the newest remain, whoever else is signed in and however many come at once.
func TestSessionsPerUser(t *testing.T) {
	onEngines(t, func(p *domain.Policy) { p.SessionsPerUser = 3 }, func(w *world) {
		other := w.enter(claims("bob@example.com"))
		var sessions []string
		for range 5 {
			w.clock.Advance(time.Second)
			sessions = append(sessions, w.enter(claims("alice@example.com")))
		}
		if got, want := w.allAlive(append(sessions, other)...), []bool{false, false, true, true, true, true}; !slices.Equal(got, want) {
			w.Errorf("alive %v, want %v", got, want)
		}
		var wait sync.WaitGroup
		for range 20 {
			wait.Go(func() {
				if _, err := w.service.SignIn(w.Context(), claims("alice@example.com"), domain.Client{}); err != nil {
					w.Errorf("a sign-in among many: %v", err)
				}
			})
		}
		wait.Wait()
		alice := w.principal(w.enter(claims("alice@example.com")))
		if got := len(w.sessionsOf(alice.User().ID)); got != 3 {
			w.Errorf("%d sessions after many sign-ins at once, want 3", got)
		}
	})
}

// Item 93: a session that is over takes no living one's place.
func TestSessionsPerUserCountTheLiving(t *testing.T) {
	onEngines(t, func(p *domain.Policy) { p.SessionsPerUser = 2 }, func(w *world) {
		long := w.enter(w.expiring("alice@example.com", 24*time.Hour, 24*time.Hour))
		w.clock.Advance(time.Second)
		w.enter(w.expiring("alice@example.com", time.Minute, 24*time.Hour))
		w.clock.Advance(time.Hour)
		w.enter(w.expiring("alice@example.com", 24*time.Hour, 24*time.Hour))
		if !w.alive(long) {
			w.Error("a session gave way to one that had ended long before")
		}
	})
}

// Item 85, A22: every sign-in has an id of its own, and the session that the browser had before is dead.
func TestEverySignInHasANewSession(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		elsewhere := w.enter(claims("alice@example.com"))
		planted := w.enter(claims("mallory@example.com"))
		before := planted
		for _, email := range []string{"alice@example.com", "alice@example.com", "bob@example.com"} {
			signedIn, err := w.service.SignIn(w.Context(), claims(email), domain.Client{Session: domain.DigestOf(before)})
			w.must(err)
			if got := w.allAlive(before, signedIn.Session, elsewhere); signedIn.Session == before || !slices.Equal(got, []bool{false, true, true}) {
				w.Errorf("%s: old, new and another browser's session are alive: %v", email, got)
			}
			before = signedIn.Session
		}
		chosen := domain.NewOpaque()
		_, err := w.service.SignIn(w.Context(), claims("alice@example.com"), domain.Client{Session: domain.DigestOf(chosen)})
		w.must(err)
		if w.alive(chosen) {
			w.Error("A22: a cookie that the attacker chose became a session")
		}
	})
}

// A16: a session, key or SCIM token is good letter by letter or not at all.
func TestMangledCredentials(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		session := w.enter(claims("alice@example.com"))
		org := w.principal(session).Memberships()[0].Org
		key := w.pat(session, org)
		_, secret, err := w.service.CreateSCIMToken(w.Context(), w.commandLine(""), domain.NewSCIMToken{Description: "test"})
		w.must(err)
		for name, c := range map[string]struct {
			good  string
			check func(string) error
		}{
			"session": {session, func(text string) error {
				_, err := w.service.Session(w.Context(), text, domain.Client{})
				return err
			}},
			"key": {key, func(text string) error {
				_, err := w.service.Key(w.Context(), text, domain.Client{})
				return err
			}},
			"SCIM token": {string(secret), func(text string) error {
				_, err := w.service.SCIMToken(w.Context(), text, domain.Client{})
				return err
			}},
		} {
			w.must(c.check(c.good))
			for _, text := range mangled(c.good) {
				if err := c.check(text); !domain.IsKind(err, domain.Unauthenticated) {
					w.Errorf("A16: the %s %q as %q was answered with %v", name, c.good, text, err)
				}
			}
		}
	})
}

// mangled returns what a credential must not be taken for.
func mangled(good string) []string {
	swapped := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case 'A' <= r && r <= 'Z':
			return r - 'A' + 'a'
		default:
			return r
		}
	}, good)
	last := good[:len(good)-1]
	return []string{
		"", last, good[1:], good + "A", good + "=", good + good, swapped, strings.ToLower(good), strings.ToUpper(good),
		" " + good, good + " ", good + "\n", "\t" + good, last + "\x00", last + "é", last + "%", string(domain.DigestOf(good)),
		good[:20] + " " + good[21:], `"` + good + `"`, strings.Repeat("A", len(good)),
	}
}

// Item 87: "last seen" is written at most every two minutes.
func TestLastSeen(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		session := w.enter(claims("alice@example.com"))
		user, start := w.principal(session).User().ID, w.clock.Now()
		var got []time.Duration
		for _, step := range []time.Duration{0, 119 * time.Second, time.Second, time.Minute, 59 * time.Second, time.Second, time.Hour} {
			w.clock.Advance(step)
			w.principal(session)
			got = append(got, w.sessionsOf(user)[0].LastSeenAt.Sub(start))
		}
		want := []time.Duration{0, 0, 2 * time.Minute, 2 * time.Minute, 2 * time.Minute, 4 * time.Minute, 64 * time.Minute}
		if !slices.Equal(got, want) {
			w.Errorf("last seen after %v, want %v", got, want)
		}
	})
}

// A13: a role that was taken is gone at the next request of the same session, and one that was given is there.
func TestRolesAreReadWithEveryRequest(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		operator := w.commandLine("")
		_, err := w.service.AddAdmin(w.Context(), operator, "ada@example.com")
		w.must(err)
		session := w.enter(claims("bob@example.com"))
		bob := w.scopeOf(session, operator.Org()).Member()
		for _, role := range []domain.RoleID{domain.RoleOrgAdmin, domain.RoleOrgOperator, domain.RoleOrgViewer, domain.RoleOrgAdmin, domain.RoleOrgUser} {
			_, err := w.service.SetMemberRole(w.Context(), operator, bob, role)
			w.must(err)
			now := w.scopeOf(session, operator.Org())
			want, _ := domain.SystemRole(role)
			if now.Role() != role || !slices.Equal(now.Permissions(), want.Permissions) {
				w.Errorf("A13: after %s the session acts as %s with %v", want.DisplayName, domain.RoleName(now.Role()), now.Permissions())
			}
		}
	})
}
