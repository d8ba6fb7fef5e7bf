package domain_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/domain"
)

// rotating is a provider that renews sessions for an hour and gives a new refresh token each time, as RFC 9700 section 4.14 wants it:
// a token that was used before ends everything.
type rotating struct {
	mu sync.Mutex
	// calls counts the requests, used the tokens that were redeemed.
	calls int
	used  []string
	now   func() time.Time
	// meanwhile is called during each request; what it returns is the answer, if it is an error.
	meanwhile func() error
}

// Renew implements domain.Renewer.
func (r *rotating) Renew(_ context.Context, _ domain.Session, token string) (domain.Renewal, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	if r.meanwhile != nil {
		if err := r.meanwhile(); err != nil {
			return domain.Renewal{}, err
		}
	}
	if slices.Contains(r.used, token) || !strings.HasPrefix(token, "refresh-") {
		return domain.Renewal{}, &domain.Refusal{Reason: domain.ReasonNotRenewed, Detail: "invalid_grant"}
	}
	r.used = append(r.used, token)
	next := fmt.Sprintf("%s+", token)
	return domain.Renewal{TokenExpiry: r.now().Add(time.Hour), RefreshToken: next, IDToken: "id of " + next}, nil
}

// asked returns the number of requests.
func (r *rotating) asked() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls
}

// ring makes a keyring of keys that are the letters of a word.
func ring(t *testing.T, letters string) domain.Keyring {
	t.Helper()
	var keys [][]byte
	for _, letter := range letters {
		keys = append(keys, []byte(strings.Repeat(string(letter), domain.KeyBytes)))
	}
	keyring, err := domain.NewKeyring(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return keyring
}

// onRenewing runs a test with a key and a rotating provider.
func onRenewing(t *testing.T, test func(w *world, provider *rotating)) {
	t.Helper()
	onEngines(t, func(p *domain.Policy) { p.Keyring = ring(t, "a") }, func(w *world) {
		provider := &rotating{now: w.clock.Now}
		w.service.UseRenewer(provider)
		test(w, provider)
	})
}

// renewable makes claims whose session lasts an hour and may be renewed for a day.
func (w *world) renewable(email string) domain.Claims {
	c := w.expiring(email, time.Hour, 24*time.Hour)
	c.RefreshToken, c.IDToken = "refresh-"+email, "id of "+email
	return c
}

// sealed returns the tokens that are kept for a session.
func (w *world) sealed(session string) domain.Session {
	w.Helper()
	var found domain.Session
	w.system(func(system domain.SystemTx) error {
		all, err := system.Renewals().Sealed("", 1000)
		for _, candidate := range all {
			if candidate.Digest == domain.DigestOf(session) {
				found = candidate
			}
		}
		return err
	})
	return found
}

// opened returns a session's tokens in clear.
func (w *world) opened(keyring domain.Keyring, session string) domain.Tokens {
	w.Helper()
	found := w.sealed(session)
	refresh, err := keyring.Open(found.Tokens.Refresh, "session/"+string(found.ID)+"/refresh")
	w.must(err)
	id, err := keyring.Open(found.Tokens.ID, "session/"+string(found.ID)+"/id")
	w.must(err)
	return domain.Tokens{Refresh: refresh, ID: id}
}

// Item 94: of a hundred requests at two servers one redeems the refresh token, and all are answered.
func TestASessionIsRenewedOnce(t *testing.T) {
	onRenewing(t, func(w *world, provider *rotating) {
		provider.meanwhile = func() error { time.Sleep(100 * time.Millisecond); return nil }
		other := w.under(func(*domain.Policy) {})
		other.service.UseRenewer(provider)
		session := w.enter(w.renewable("alice@example.com"))
		w.clock.Advance(time.Hour)
		var wait sync.WaitGroup
		for i := range 100 {
			server := []*world{w, other}[i%2]
			wait.Go(func() {
				if _, err := server.service.Session(w.Context(), session, domain.Client{}); err != nil {
					w.Errorf("a request during the renewal: %v", err)
				}
			})
		}
		wait.Wait()
		if got := provider.asked(); got != 1 {
			w.Errorf("item 94: the provider was asked %d times", got)
		}
		if got, want := w.opened(w.policy.Keyring, session), (domain.Tokens{Refresh: "refresh-alice@example.com+", ID: "id of refresh-alice@example.com+"}); got != want {
			w.Errorf("tokens %+v, want %+v", got, want)
		}
	})
}

// R41, item 95: renewed every hour, used every minute, a session ends at its longest all the same, and nobody is asked after that.
func TestRenewalHasAnEnd(t *testing.T) {
	onRenewing(t, func(w *world, provider *rotating) {
		signedIn, err := w.service.SignIn(w.Context(), w.renewable("alice@example.com"), domain.Client{})
		w.must(err)
		start := w.clock.Now()
		if got, want := signedIn.ExpiresAt.Sub(start), 24*time.Hour; got != want {
			w.Errorf("the cookie lasts %s, want %s", got, want)
		}
		user := w.principal(signedIn.Session).User().ID
		for range 60 {
			w.clock.Advance(30 * time.Minute)
			if !w.alive(signedIn.Session) {
				break
			}
			if got := w.sessionsOf(user)[0]; got.ExpiresAt.After(got.EndsAt) {
				w.Fatalf("the session may last until %s, beyond its end at %s", got.ExpiresAt, got.EndsAt)
			}
		}
		if got := w.clock.Now().Sub(start); got != 24*time.Hour || provider.asked() != 23 {
			w.Errorf("over after %s and %d renewals, want 24h and 23", got, provider.asked())
		}
	})
}

// Item 97: what is stored is sealed, for this session and this purpose only, and is what the provider gave last.
func TestStoredTokensAreSealed(t *testing.T) {
	onRenewing(t, func(w *world, _ *rotating) {
		session, twin := w.enter(w.renewable("alice@example.com")), w.enter(w.renewable("bob@example.com"))
		for _, want := range []domain.Tokens{
			{Refresh: "refresh-alice@example.com", ID: "id of alice@example.com"},
			{Refresh: "refresh-alice@example.com+", ID: "id of refresh-alice@example.com+"},
		} {
			stored := w.sealed(session)
			if got := w.opened(w.policy.Keyring, session); got != want {
				w.Errorf("tokens %+v, want %+v", got, want)
			}
			if all := fmt.Sprintf("%+v", stored); strings.Contains(all, "refresh-") || strings.Contains(all, "id of") {
				w.Errorf("item 97: a token stands in clear in %s", all)
			}
			for _, place := range []string{
				"session/" + string(stored.ID) + "/id", "session/" + string(w.sealed(twin).ID) + "/refresh", "",
			} {
				if _, err := w.policy.Keyring.Open(stored.Tokens.Refresh, place); !errors.Is(err, domain.ErrNoKey) {
					w.Errorf("item 97: the refresh token opens as %q: %v", place, err)
				}
			}
			w.clock.Advance(time.Hour)
			w.principal(session)
		}
		out, err := w.service.SignOut(w.Context(), session, domain.Client{})
		w.must(err)
		want := domain.SignedOut{Provider: domain.ProviderOIDC, IDToken: "id of refresh-alice@example.com++", Email: "alice@example.com"}
		if out != want {
			w.Errorf("item 102: signing out gives %+v, want %+v", out, want)
		}
		if left := w.sealed(session); left.ID != "" {
			w.Errorf("item 106: tokens outlive their session: %+v", left)
		}
	})
}

// R41: without a key no token is kept, and without a refresh token the ID token's expiry is the end.
func TestWithoutAKeyNothingIsKept(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		session := w.enter(w.renewable("alice@example.com"))
		if got := w.sealed(session); got.ID != "" {
			w.Errorf("kept without a key: %+v", got)
		}
		w.clock.Advance(time.Hour)
		if w.alive(session) {
			w.Error("R41: the session outlived its ID token")
		}
	})
}

// Item 94: the provider's "no" ends the session, in the audit log, and is not asked for twice.
func TestARefusedRenewalEndsTheSession(t *testing.T) {
	onRenewing(t, func(w *world, provider *rotating) {
		session, other := w.enter(w.renewable("alice@example.com")), w.enter(claims("alice@example.com"))
		user := w.principal(session).User()
		id := w.principal(session).CurrentSession()
		provider.meanwhile = func() error { return &domain.Refusal{Reason: domain.ReasonNotRenewed, Detail: "invalid_grant"} }
		w.clock.Advance(time.Hour)
		if got := w.allAlive(session, session, other); !slices.Equal(got, []bool{false, false, true}) || provider.asked() != 1 {
			w.Errorf("alive %v after %d requests to the provider", got, provider.asked())
		}
		rows := w.audit("", "logout")
		if len(rows) != 1 || rows[0].Target != (domain.Target{Kind: "user", ID: string(user.ID), Name: user.Email}) ||
			rows[0].After["reason"] != string(domain.ReasonNotRenewed) || rows[0].After["session"] != string(id) || rows[0].Actor.Kind != domain.ActorSystem {
			w.Errorf("R43: audit rows %+v", rows)
		}
		if got := len(w.sessionsOf(user.ID)); got != 1 {
			w.Errorf("%d sessions are left, want 1", got)
		}
	})
}

// Item 94: while the provider is away the session lives for a grace, the provider is asked at intervals, and when it is back so is the session.
func TestAProviderThatIsAway(t *testing.T) {
	onRenewing(t, func(w *world, provider *rotating) {
		session := w.enter(w.renewable("alice@example.com"))
		provider.meanwhile = func() error { return errors.New("connection refused") }
		for _, step := range []struct {
			after time.Duration
			alive bool
			asked int
		}{
			{time.Hour - time.Second, true, 0},
			{time.Second, true, 1},
			{0, true, 1},
			{29 * time.Second, true, 1},
			{time.Second, true, 2},
			{14 * time.Minute, true, 3},
			{29 * time.Second, true, 3},
			{time.Second, false, 4},
			{time.Second, false, 4},
			{time.Hour, false, 5},
		} {
			w.clock.Advance(step.after)
			if got := w.alive(session); got != step.alive || provider.asked() != step.asked {
				w.Errorf("%s after the last look: alive %v and asked %d times, want %v and %d", step.after, got, provider.asked(), step.alive, step.asked)
			}
		}
		provider.meanwhile = nil
		w.clock.Advance(30 * time.Second)
		if !w.alive(session) || w.opened(w.policy.Keyring, session).Refresh != "refresh-alice@example.com+" {
			w.Error("item 94: the provider is back and the session is not")
		}
		provider.meanwhile = func() error { return errors.New("connection refused") }
		w.clock.Advance(23 * time.Hour)
		if w.alive(session) {
			w.Error("R41: beyond its end a session lives because its provider is away")
		}
	})
}

// Item 94: a browser that goes away while the provider answers costs nobody the new refresh token.
func TestABrowserThatGoesAway(t *testing.T) {
	onRenewing(t, func(w *world, provider *rotating) {
		session := w.enter(w.renewable("alice@example.com"))
		ctx, leave := context.WithCancel(w.Context())
		provider.meanwhile = func() error { leave(); return nil }
		w.clock.Advance(time.Hour)
		_, _ = w.service.Session(ctx, session, domain.Client{})
		if got := w.opened(w.policy.Keyring, session).Refresh; got != "refresh-alice@example.com+" {
			w.Errorf("item 94: stored %q, and the provider knows that no more", got)
		}
		if !w.alive(session) || provider.asked() != 1 {
			w.Errorf("after that the provider was asked %d times in all", provider.asked())
		}
	})
}

// Item 94: a process that died holding the lease holds nobody up for longer than the lease, and what it brings late changes nothing.
func TestAProcessThatDiedRenewing(t *testing.T) {
	onRenewing(t, func(w *world, provider *rotating) {
		session := w.enter(w.renewable("alice@example.com"))
		w.clock.Advance(time.Hour)
		renewals := func(do func(domain.RenewalStore, time.Time) error) error {
			_, scope := domain.TestScopes(w, "")
			return w.store.Write(w.Context(), func(tx domain.Tx) error { return do(tx.System(scope).Renewals(), tx.Now()) })
		}
		w.must(renewals(func(store domain.RenewalStore, now time.Time) error {
			_, err := store.Lease(domain.DigestOf(session), "dead", now.Add(30*time.Second))
			return err
		}))
		short, cancel := context.WithTimeout(w.Context(), 200*time.Millisecond)
		defer cancel()
		_, err := w.service.Session(short, session, domain.Client{})
		if domain.IsKind(err, domain.Unauthenticated) || err == nil || provider.asked() != 0 {
			w.Errorf("while another process holds the lease: %v after %d requests to the provider", err, provider.asked())
		}
		if _, ok := errors.AsType[*domain.Error](err); !ok {
			w.Errorf("a request that was given up was answered with a %T, want a *domain.Error as the package promises", err)
		}
		w.clock.Advance(30 * time.Second)
		if !w.alive(session) || provider.asked() != 1 {
			w.Errorf("after the lease the provider was asked %d times", provider.asked())
		}
		err = renewals(func(store domain.RenewalStore, now time.Time) error {
			return store.Renew(domain.DigestOf(session), "dead", now.Add(time.Hour), domain.Tokens{Refresh: "late"})
		})
		if !domain.IsKind(err, domain.NotFound) || w.opened(w.policy.Keyring, session).Refresh != "refresh-alice@example.com+" {
			w.Errorf("the answer of a process that lost its lease: %v", err)
		}
	})
}

// Item 94: a provider whose tokens are over as soon as they come is not asked again and again by one request.
func TestARenewalThatIsOverAtOnce(t *testing.T) {
	onRenewing(t, func(w *world, provider *rotating) {
		session := w.enter(w.renewable("alice@example.com"))
		start := w.clock.Now()
		provider.now = func() time.Time { return start.Add(-time.Hour) }
		w.clock.Advance(time.Hour)
		short, cancel := context.WithTimeout(w.Context(), 2*time.Second)
		defer cancel()
		_, _ = w.service.Session(short, session, domain.Client{})
		if got := provider.asked(); got > 2 {
			w.Errorf("one request asked the provider %d times", got)
		}
	})
}

// Items 14, 94: a session that is dead for another reason is not renewed.
func TestWhatIsNotRenewed(t *testing.T) {
	onRenewing(t, func(w *world, provider *rotating) {
		idle := w.under(func(p *domain.Policy) { p.SessionIdle = 30 * time.Minute })
		removed := w.under(func(p *domain.Policy) { delete(p.Providers, domain.ProviderOIDC) })
		for name, server := range map[string]*world{"unused for too long": idle, "its provider is gone": removed} {
			server.service.UseRenewer(provider)
			session := w.enter(w.renewable("alice@example.com"))
			w.clock.Advance(time.Hour)
			if server.alive(session) || provider.asked() != 0 {
				w.Errorf("%s: the provider was asked %d times", name, provider.asked())
			}
		}
	})
}
