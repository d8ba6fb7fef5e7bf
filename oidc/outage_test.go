package oidc_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"muster/domain"
	"muster/internal/testkit/badidp"
	"muster/oidc"
)

// line is the way to the provider: it can be cut, and it can swallow requests. It remembers when it was used.
type line struct {
	idp   *badidp.Provider
	state atomic.Int32

	mutex sync.Mutex
	used  []time.Time
}

const (
	whole int32 = iota
	cut
	silent
)

func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	l.mutex.Lock()
	l.used = append(l.used, time.Now())
	l.mutex.Unlock()
	switch l.state.Load() {
	case cut:
		return nil, errors.New("connection refused")
	case silent:
		<-r.Context().Done()
		return nil, r.Context().Err()
	default:
		return l.idp.RoundTrip(r)
	}
}

// since returns how long after begun the line was used each time.
func (l *line) since(begun time.Time) []time.Duration {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	var all []time.Duration
	for _, at := range l.used {
		all = append(all, at.Sub(begun))
	}
	return all
}

// fakeTime runs test with a provider behind a line, in a bubble whose clock is ours; Run keeps the metadata fresh.
func fakeTime(t *testing.T, state int32, test func(w *world, l *line)) {
	t.Helper()
	idp := badidp.New(t)
	synctest.Test(t, func(t *testing.T) {
		l := &line{idp: idp}
		l.state.Store(state)
		w := newWorldAt(t, idp, func(config *oidc.Config) { config.Transport, config.Now = l, time.Now })
		ctx, stop := context.WithCancel(t.Context())
		go w.oidc.Run(ctx)
		synctest.Wait()
		test(w, l)
		stop()
		synctest.Wait()
	})
}

// Item 8: a provider that is down at the start is tried again with growing pauses, and at each sign-in.
func TestDownAtStart(t *testing.T) {
	fakeTime(t, cut, func(w *world, l *line) {
		begun := time.Now()
		if ready, problem := w.oidc.Status(); ready || !strings.Contains(problem, "connection refused") {
			w.Errorf("ready %v, problem %q", ready, problem)
		}
		time.Sleep(110 * time.Second)
		want := []time.Duration{0, 3 * time.Second, 9 * time.Second, 21 * time.Second, 45 * time.Second, 75 * time.Second, 105 * time.Second}
		if got := l.since(begun); !slices.Equal(got, want) {
			w.Errorf("attempts after %v, want %v", got, want)
		}
		for range 20 {
			if got := outcome(w.get(start)); got != string(domain.ReasonUnreachable) {
				w.Errorf("a sign-in ended with %q", got)
			}
		}
		if got := len(l.since(begun)); got != len(want)+1 {
			w.Errorf("20 sign-ins at once made %d attempts, want 1", got-len(want))
		}
		l.state.Store(whole)
		time.Sleep(2 * time.Second)
		if got := outcome(w.signIn()); got != "ok" {
			w.Errorf("after the provider came up: %q", got)
		}
		if ready, problem := w.oidc.Status(); !ready || problem != "" {
			w.Errorf("ready %v, problem %q", ready, problem)
		}
	})
}

// Item 8: the provider is found by itself as well, when nobody tries to sign in.
func TestFoundByItself(t *testing.T) {
	fakeTime(t, cut, func(w *world, l *line) {
		time.Sleep(20 * time.Second)
		l.state.Store(whole)
		time.Sleep(30 * time.Second)
		if ready, problem := w.oidc.Status(); !ready || problem != "" {
			w.Errorf("ready %v, problem %q", ready, problem)
		}
	})
}

// Item 6, A45: a provider that takes requests and never answers costs ten seconds and no more.
func TestSilentProvider(t *testing.T) {
	fakeTime(t, silent, func(w *world, _ *line) {
		begun := time.Now()
		if got := outcome(w.get(start)); got != string(domain.ReasonUnreachable) {
			w.Errorf("the start ended with %q", got)
		}
		if took := time.Since(begun); took > 10*time.Second {
			w.Errorf("it took %v", took)
		}
	})
	for name, silence := range map[string]func(http.HandlerFunc) badidp.Knobs{
		"token":    func(h http.HandlerFunc) badidp.Knobs { return badidp.Knobs{Token: h} },
		"keys":     func(h http.HandlerFunc) badidp.Knobs { return badidp.Knobs{KeysHandler: h} },
		"userinfo": func(h http.HandlerFunc) badidp.Knobs { return badidp.Knobs{Claims: dropEmail, UserInfoHandler: h} },
	} {
		fakeTime(t, whole, func(w *world, _ *line) {
			w.idp.Set(silence(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
			begun := time.Now()
			if got := outcome(w.signIn()); got == "ok" {
				w.Errorf("%s: ended with %q", name, got)
			}
			if took := time.Since(begun); took > 10*time.Second {
				w.Errorf("%s: it took %v", name, took)
			}
		})
	}
}

// Items 9 and 10: metadata are read again daily, and those read last outlive an outage of discovery and keys.
func TestLastGood(t *testing.T) {
	fakeTime(t, whole, func(w *world, _ *line) {
		if got := outcome(w.signIn()); got != "ok" {
			w.Fatalf("the first sign-in ended with %q", got)
		}
		time.Sleep(25 * time.Hour)
		if got := w.idp.Discoveries(); got != 2 {
			w.Errorf("%d discoveries in 25 hours, want 2", got)
		}
		broken := func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte("<html>maintenance</html>")) }
		w.idp.Set(badidp.Knobs{Discover: broken, KeysHandler: broken})
		time.Sleep(25 * time.Hour)
		if ready, problem := w.oidc.Status(); !ready || problem == "" {
			w.Errorf("ready %v, problem %q", ready, problem)
		}
		if got := outcome(w.signIn()); got != "ok" {
			w.Errorf("during the outage a sign-in ended with %q", got)
		}
		w.idp.Set(badidp.Knobs{})
		time.Sleep(time.Minute)
		if ready, problem := w.oidc.Status(); !ready || problem != "" {
			w.Errorf("after the outage: ready %v, problem %q", ready, problem)
		}
	})
}

// Item 10: keys that have moved are found again after one signature that failed.
func TestMovedKeys(t *testing.T) {
	fakeTime(t, whole, func(w *world, _ *line) {
		if got := outcome(w.signIn()); got != "ok" {
			w.Fatalf("the first sign-in ended with %q", got)
		}
		time.Sleep(5 * time.Minute)
		moved := badidp.Knobs{Discovery: func(m map[string]any) { m["jwks_uri"] = w.idp.Issuer() + "/moved/keys" }}
		moved.KeysHandler = func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/keys" {
				rw.WriteHeader(http.StatusGone)
				return
			}
			w.idp.WriteKeys(rw, badidp.Knobs{})
		}
		w.idp.Set(moved)
		w.idp.RotateKeys(w, "rsa-2")
		if got := outcome(w.signIn()); got != string(domain.ReasonBadToken) {
			w.Errorf("right after the move: %q", got)
		}
		synctest.Wait()
		if got := outcome(w.signIn()); got != "ok" {
			w.Errorf("a moment later: %q", got)
		}
	})
}

// Item 48: fifty people who are the first after a start cost one discovery and a few readings of the keys, and all get in.
func TestCrowd(t *testing.T) {
	w := newWorld(t, nil)
	var wait sync.WaitGroup
	results := make(chan string, 50)
	for range 50 {
		wait.Go(func() {
			answer := w.get(start)
			results <- outcome(w.finish(w.idp.Authorize(w, answer.Header.Get("Location")), answer.Cookies()...))
			_ = answer.Body.Close()
		})
	}
	wait.Wait()
	close(results)
	for result := range results {
		if result != "ok" {
			t.Errorf("a sign-in ended with %q", result)
		}
	}
	if discoveries, fetches := w.idp.Discoveries(), w.idp.KeyFetches(); discoveries != 1 || fetches > 5 {
		t.Errorf("%d discoveries and %d readings of the keys", discoveries, fetches)
	}
}

// Item 49: every way of changing keys that providers use.
func TestRotation(t *testing.T) {
	signIn := func(t *testing.T, w *world, what, want string) {
		t.Helper()
		if got := outcome(w.signIn()); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	t.Run("the same id, another key", func(t *testing.T) {
		w := newWorld(t, nil)
		signIn(t, w, "before", "ok")
		w.idp.RotateKeys(t, "rsa-1")
		signIn(t, w, "after", "ok")
	})
	t.Run("between issuing and verifying", func(t *testing.T) {
		w := newWorld(t, nil)
		signIn(t, w, "before", "ok")
		w.idp.Set(badidp.Knobs{TokenAnswer: func(map[string]any) { w.idp.RotateKeys(t, "rsa-2") }})
		signIn(t, w, "the old key is known", "ok")
		w.idp.Set(badidp.Knobs{})
		signIn(t, w, "the new key is found", "ok")
	})
	t.Run("keys away from the start", func(t *testing.T) {
		w := newWorld(t, nil)
		w.idp.Set(badidp.Knobs{KeysHandler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }})
		signIn(t, w, "no keys ever read", string(domain.ReasonUnreachable))
		w.idp.Set(badidp.Knobs{})
		signIn(t, w, "they are back", "ok")
	})
	t.Run("unknown id while keys are away", func(t *testing.T) {
		w := newWorld(t, nil)
		signIn(t, w, "before", "ok")
		w.idp.Set(badidp.Knobs{
			KeysHandler: huge, Header: func(h map[string]any) { h["kid"] = "unknown" },
		})
		signIn(t, w, "30 MB of keys", string(domain.ReasonBadToken))
		w.idp.Set(badidp.Knobs{KeysHandler: bomb})
		signIn(t, w, "the known key is still good", "ok")
	})
}
