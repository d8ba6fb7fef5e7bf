package domain_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"muster/domain"
)

// keyring is a new key.
func keyring(t *testing.T, keys ...[]byte) domain.Keyring {
	t.Helper()
	if len(keys) == 0 {
		keys = [][]byte{newKey()}
	}
	ring, err := domain.NewKeyring(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func newKey() []byte {
	key := make([]byte, domain.KeyBytes)
	_, _ = rand.Read(key)
	return key
}

// cookie signs a person in and returns the cookie's value.
func (w *world) cookie(c domain.Claims) string {
	w.Helper()
	signedIn, err := w.service.SignIn(w.Context(), c, domain.Client{IP: "192.0.2.1", UserAgent: "test"})
	w.must(err)
	return signedIn.Session
}

// alive reports whether a cookie still lets somebody in; an error other than Unauthenticated fails the test.
func (w *world) alive(cookie string) bool {
	w.Helper()
	_, err := w.service.Session(w.Context(), cookie, domain.Client{})
	if err != nil && !domain.IsKind(err, domain.Unauthenticated) {
		w.Errorf("the session: %v", err)
	}
	return err == nil
}

// R41: a session lasts as long as the ID token says, or the longest time where that is overridden or shorter; item 87: and not unused.
func TestSessionLifetime(t *testing.T) {
	onEngines(t, func(p *domain.Policy) { p.SessionIdle = 3 * time.Hour }, func(w *world) {
		for name, c := range map[string]struct {
			token, longest time.Duration
			override       bool
			steps          []time.Duration
			last           bool
		}{
			"the token's end":        {time.Hour, 24 * time.Hour, false, []time.Duration{59 * time.Minute}, true},
			"after it":               {time.Hour, 24 * time.Hour, false, []time.Duration{30 * time.Minute, 30 * time.Minute}, false},
			"the longest is shorter": {2 * time.Hour, time.Hour, false, []time.Duration{30 * time.Minute, 30 * time.Minute}, false},
			"overridden":             {time.Hour, 4 * time.Hour, true, []time.Duration{2 * time.Hour, 119 * time.Minute}, true},
			"idle":                   {time.Hour, 24 * time.Hour, true, []time.Duration{3 * time.Hour}, false},
			"used now and then":      {time.Hour, 24 * time.Hour, true, []time.Duration{2 * time.Hour, 2 * time.Hour, 2 * time.Hour}, true},
			// A14: used every hour, and still it ends.
			"the absolute end": {time.Hour, 4 * time.Hour, true, []time.Duration{time.Hour, time.Hour, time.Hour, time.Hour}, false},
		} {
			person := claims("alice@example.com")
			person.TokenExpiry, person.SessionMax, person.OverrideExpiry = w.clock.Now().Add(c.token), c.longest, c.override
			cookie := w.cookie(person)
			got := false
			for _, step := range c.steps {
				w.clock.Advance(step)
				got = w.alive(cookie)
			}
			if got != c.last {
				w.Errorf("%s: alive %v, want %v", name, got, c.last)
			}
		}
	})
}

// A16, A22, items 85, 93: only the very cookie works; a new sign-in ends the one before it; a person has so many sessions and no more.
func TestSessionCookies(t *testing.T) {
	onEngines(t, func(p *domain.Policy) { p.SessionsPerUser = 3 }, func(w *world) {
		cookie := w.cookie(claims("alice@example.com"))
		for _, odd := range []string{"", cookie[1:], cookie + "A", " " + cookie, cookie + "\n", strings.ToUpper(cookie), strings.ToLower(cookie), strings.Repeat("A", 43), strings.Repeat("é", 43)} {
			if odd != cookie && w.alive(odd) {
				w.Errorf("%q works", odd)
			}
		}
		again, err := w.service.SignIn(w.Context(), claims("alice@example.com"), domain.Client{Session: domain.DigestOf(cookie)})
		w.must(err)
		if w.alive(cookie) || !w.alive(again.Session) {
			w.Error("the session before outlives a sign-in")
		}
		planted := domain.NewOpaque()
		_, err = w.service.SignIn(w.Context(), claims("bob@example.com"), domain.Client{Session: domain.DigestOf(planted)})
		w.must(err)
		if w.alive(planted) {
			w.Error("a planted cookie works")
		}
		var cookies []string
		for range 4 {
			w.clock.Advance(time.Second)
			cookies = append(cookies, w.cookie(claims("carol@example.com")))
		}
		for i, want := range []bool{false, true, true, true} {
			if w.alive(cookies[i]) != want {
				w.Errorf("session %d of 4: alive %v", i, !want)
			}
		}
	})
}

// A13: nothing about a role is kept in a session: a change is seen by the next request.
func TestRoleChangeIsSeenAtOnce(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		scope := w.commandLine("")
		_, err := w.service.AddAdmin(w.Context(), scope, "ada@example.com")
		w.must(err)
		_, err = w.service.AddAdmin(w.Context(), scope, "eve@example.com")
		w.must(err)
		cookie := w.cookie(claims("ada@example.com"))
		role := func() domain.RoleID {
			principal, err := w.service.Session(w.Context(), cookie, domain.Client{})
			w.must(err)
			return principal.Memberships()[0].Member.Role.Role
		}
		before := role()
		principal, err := w.service.Session(w.Context(), cookie, domain.Client{})
		w.must(err)
		_, err = w.service.SetMemberRole(w.Context(), scope, w.memberOf(principal, scope.Org()), domain.RoleOrgViewer)
		w.must(err)
		if after := role(); before != domain.RoleOrgAdmin || after != domain.RoleOrgViewer {
			w.Errorf("before %s, after %s", before, after)
		}
	})
}

// renewer is a provider that renews sessions as it is told.
type renewer struct {
	mutex sync.Mutex
	calls atomic.Int64
	// answer is called with the number of the call and the refresh token.
	answer func(call int64, token string) (domain.Renewal, error)
}

func (r *renewer) Renew(_ context.Context, _ domain.Session, token string) (domain.Renewal, error) {
	call := r.calls.Add(1)
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.answer(call, token)
}

// renewing signs alice in with a token of an hour and a refresh token, at a provider that answers so.
func (w *world) renewing(answer func(call int64, token string) (domain.Renewal, error)) (string, *renewer) {
	w.Helper()
	provider := &renewer{answer: answer}
	w.service.UseRenewer(provider)
	person := claims("alice@example.com")
	person.TokenExpiry, person.OverrideExpiry, person.SessionMax = w.clock.Now().Add(time.Hour), false, 24*time.Hour
	person.RefreshToken = "refresh-0"
	return w.cookie(person), provider
}

// hourly renews for an hour each time and rotates the token, which must be the one given before.
func (w *world) hourly(call int64, token string) (domain.Renewal, error) {
	if token != fmt.Sprint("refresh-", call-1) {
		return domain.Renewal{}, &domain.Refusal{Reason: domain.ReasonNotRenewed, Detail: "spent: " + token}
	}
	return domain.Renewal{TokenExpiry: w.clock.Now().Add(time.Hour), RefreshToken: fmt.Sprint("refresh-", call)}, nil
}

func withKeys(p *domain.Policy) {
	ring, err := domain.NewKeyring(newKey())
	if err != nil {
		panic(err) // a key of the right length
	}
	p.Keyring = ring
}

// R41, item 94: a hundred requests at the end of a session's hour make one renewal; it goes on so up to the absolute end.
func TestRenewal(t *testing.T) {
	onEngines(t, withKeys, func(w *world) {
		cookie, provider := w.renewing(w.hourly)
		for hour := range 23 {
			w.clock.Advance(time.Hour)
			requests := 1
			if hour < 2 {
				requests = 100
			}
			var alive atomic.Int64
			var group sync.WaitGroup
			for range requests {
				group.Go(func() {
					if w.alive(cookie) {
						alive.Add(1)
					}
				})
			}
			group.Wait()
			if got := alive.Load(); got != int64(requests) || provider.calls.Load() != int64(hour)+1 {
				w.Fatalf("hour %d: %d of %d requests, %d renewals", hour, got, requests, provider.calls.Load())
			}
		}
		w.clock.Advance(time.Hour)
		if w.alive(cookie) || provider.calls.Load() != 23 {
			w.Errorf("after the absolute end: %d renewals", provider.calls.Load())
		}
	})
}

// Items 94, 95, 96: the provider's "no" ends the session for good; its absence does not for a while, and is asked about now and then only.
func TestRenewalFails(t *testing.T) {
	onEngines(t, withKeys, func(w *world) {
		refusal := &domain.Refusal{Reason: domain.ReasonNotRenewed, Detail: "invalid_grant"}
		cookie, provider := w.renewing(func(int64, string) (domain.Renewal, error) { return domain.Renewal{}, refusal })
		w.clock.Advance(time.Hour)
		for range 2 {
			if w.alive(cookie) || provider.calls.Load() != 1 {
				w.Errorf("refused: %d calls", provider.calls.Load())
			}
		}
		away := true
		cookie, provider = w.renewing(func(int64, string) (domain.Renewal, error) {
			if away {
				return domain.Renewal{}, errors.New("connection refused")
			}
			return domain.Renewal{TokenExpiry: w.clock.Now().Add(time.Hour)}, nil
		})
		w.clock.Advance(time.Hour)
		for _, c := range []struct {
			later time.Duration
			alive bool
			calls int64
		}{
			{0, true, 1},
			{10 * time.Second, true, 1},
			{20 * time.Second, true, 2},
			{13 * time.Minute, true, 3},
			{2 * time.Minute, false, 4},
			{time.Minute, false, 5},
		} {
			w.clock.Advance(c.later)
			if got := w.alive(cookie); got != c.alive || provider.calls.Load() != c.calls {
				w.Errorf("%s later: alive %v after %d calls, want %v after %d", c.later, got, provider.calls.Load(), c.alive, c.calls)
			}
		}
		away = false
		w.clock.Advance(time.Minute)
		if !w.alive(cookie) {
			w.Error("the provider is back and the session is not")
		}
	})
}

// A provider whose renewed tokens are over as soon as they come is asked now and then, and not in a loop.
func TestRenewalThatIsOverAtOnce(t *testing.T) {
	onEngines(t, withKeys, func(w *world) {
		cookie, provider := w.renewing(func(call int64, _ string) (domain.Renewal, error) {
			return domain.Renewal{TokenExpiry: w.clock.Now().Add(-time.Hour), RefreshToken: fmt.Sprint("refresh-", call)}, nil
		})
		w.clock.Advance(time.Hour)
		for range 3 {
			if !w.alive(cookie) {
				w.Fatal("the session ended")
			}
		}
		if provider.calls.Load() != 1 {
			w.Errorf("%d renewals", provider.calls.Load())
		}
	})
}

// Item 94: a browser that goes away in the middle does not cost the rotated token, and a process that died with the lease holds
// it for its time only.
func TestRenewalInterrupted(t *testing.T) {
	onEngines(t, withKeys, func(w *world) {
		asked, answered := make(chan struct{}, 1), make(chan struct{})
		cookie, _ := w.renewing(func(call int64, token string) (domain.Renewal, error) {
			if call == 1 {
				asked <- struct{}{}
				<-answered
			}
			return w.hourly(call, token)
		})
		w.clock.Advance(time.Hour)
		ctx, leave := context.WithCancel(w.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = w.service.Session(ctx, cookie, domain.Client{})
		}()
		<-asked
		leave()
		close(answered)
		<-done
		if !w.alive(cookie) {
			w.Fatal("the session was lost with the browser")
		}
		w.clock.Advance(time.Hour)
		if !w.alive(cookie) {
			w.Error("the rotated token was lost with the browser")
		}
	})
}

// Item 97: tokens are sealed at rest for their own session; keys are changed with an overlap; a lost key ends sessions and breaks nothing.
func TestKeyring(t *testing.T) {
	first, second := newKey(), newKey()
	ring := keyring(t, first)
	sealed, err := ring.Seal("refresh", "session/1")
	if err != nil || strings.Contains(sealed, "refresh") {
		t.Fatalf("%q %v", sealed, err)
	}
	for name, c := range map[string]struct {
		ring   domain.Keyring
		sealed string
		place  string
		want   string
	}{
		"the same":        {ring, sealed, "session/1", "refresh"},
		"with a new key":  {keyring(t, second, first), sealed, "session/1", "refresh"},
		"another session": {ring, sealed, "session/2", ""},
		"another key":     {keyring(t, second), sealed, "session/1", ""},
		"no key":          {domain.Keyring{}, sealed, "session/1", ""},
		"cut":             {ring, sealed[:len(sealed)-2], "session/1", ""},
		"no text":         {ring, "x", "session/1", ""},
	} {
		text, err := c.ring.Open(c.sealed, c.place)
		if text != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: %q %v", name, text, err)
		}
	}
	again, _ := ring.Seal("refresh", "session/1")
	if again == sealed || !ring.Current(sealed) || keyring(t, second, first).Current(sealed) {
		t.Error("sealing is not random, or the key in use is not told")
	}
	if _, err := domain.NewKeyring([]byte("short")); err == nil {
		t.Error("a short key is taken")
	}
}

// Item 97: after the key was changed, "reseal" seals everything with the new one, and sessions go on under it alone.
func TestReseal(t *testing.T) {
	first, second := newKey(), newKey()
	onEngines(t, func(p *domain.Policy) { p.Keyring = keyring(t, first) }, func(w *world) {
		cookie, _ := w.renewing(w.hourly)
		w.renewing(w.hourly)
		both, only := w.beside(keyring(t, second, first)), w.beside(keyring(t, second))
		changed, err := both.Reseal(w.Context())
		w.must(err)
		none, err := both.Reseal(w.Context())
		w.must(err)
		if changed != 2 || none != 0 {
			w.Errorf("changed %d, then %d", changed, none)
		}
		w.clock.Advance(time.Hour)
		only.UseRenewer(&renewer{answer: w.hourly})
		if _, err := only.Session(w.Context(), cookie, domain.Client{}); err != nil {
			w.Errorf("under the new key: %v", err)
		}
		w.clock.Advance(time.Hour)
		stranger := w.beside(keyring(t))
		stranger.UseRenewer(&renewer{answer: w.hourly})
		if _, err := stranger.Session(w.Context(), cookie, domain.Client{}); !domain.IsKind(err, domain.Unauthenticated) {
			w.Errorf("under a key that is lost: %v", err)
		}
	})
}

// A46: whoever disables somebody leaves no living session behind, however it races sign-ins and renewals.
func TestDeprovisioningRacesSessions(t *testing.T) {
	onEngines(t, withKeys, func(w *world) {
		scope := w.scim("")
		for round := range 20 {
			email := fmt.Sprintf("p%d@example.com", round)
			user := w.push(scope, email)
			person := claims(email)
			person.OverrideExpiry, person.TokenExpiry, person.RefreshToken = false, w.clock.Now().Add(time.Minute), "refresh"
			w.service.UseRenewer(&renewer{answer: func(int64, string) (domain.Renewal, error) {
				return domain.Renewal{TokenExpiry: w.clock.Now().Add(time.Hour), RefreshToken: "next"}, nil
			}})
			cookies := []string{w.cookie(person), w.cookie(person)}
			w.clock.Advance(time.Minute)
			var mutex sync.Mutex
			var group sync.WaitGroup
			for i := range 8 {
				group.Go(func() {
					if i%2 == 0 {
						_, _ = w.service.Session(w.Context(), cookies[i%4/2], domain.Client{})
						return
					}
					if signedIn, err := w.service.SignIn(w.Context(), person, domain.Client{}); err == nil {
						mutex.Lock()
						cookies = append(cookies, signedIn.Session)
						mutex.Unlock()
					}
				})
			}
			group.Go(func() { w.active(scope, user.ID, false) })
			group.Wait()
			for _, cookie := range cookies {
				if w.alive(cookie) {
					w.Fatalf("round %d: a session outlived the person's access", round)
				}
			}
		}
	})
}
