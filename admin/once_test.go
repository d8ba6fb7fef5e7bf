package admin_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/admin"
	"muster/domain"
	"muster/internal/testkit"
)

func (w *world) post(path, body, key string) answer {
	w.Helper()
	return w.send(http.MethodPost, "/api/v1"+path, body, http.Header{"X-Api-Key": {w.key}, "Idempotency-Key": {key}})
}

// The same request with the same key is done once, however often and at whatever time it is sent, and is answered as the first one was.
func TestIdempotencyKeys(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		var all sync.WaitGroup
		answers := make([]answer, 50)
		for i := range answers {
			all.Go(func() { answers[i] = w.post("/workspaces", `{"display_name":"Once"}`, "k1") })
		}
		all.Wait()
		made := 0
		for _, got := range answers {
			switch {
			case got.status == http.StatusOK:
				made++
			case got.status != http.StatusConflict || got.header.Get("X-Should-Retry") != "true" || got.header.Get("Retry-After") == "":
				w.Errorf("%d %s %v", got.status, got.raw, got.header)
			}
		}
		if made == 0 {
			w.Error("nobody was answered")
		}
		again := w.post("/workspaces", `{"display_name":"Once"}`, "k1")
		if again.status != http.StatusOK || again.header.Get("Idempotent-Replayed") != "true" || again.object()["display_name"] != "Once" {
			w.Errorf("again: %d %s %v", again.status, again.raw, again.header)
		}
		if all := w.ok(http.MethodGet, "/api/v1/workspaces", "").list(); len(all) != 2 {
			w.Errorf("%d workspaces", len(all))
		}

		if got := w.post("/workspaces", `{"display_name":"Other"}`, "k1"); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.raw, "another request") {
			w.Errorf("another body: %d %s", got.status, got.raw)
		}
		if got := w.post("/workspaces", `{"display_name":"Once"}`, "k2"); got.status != http.StatusConflict || got.header.Get("X-Should-Retry") != "false" {
			w.Errorf("a real conflict: %d %s %v", got.status, got.raw, got.header)
		}
		if got := w.post("/workspaces", `{"display_name":"Second"}`, "k2"); got.status != http.StatusOK {
			w.Errorf("a key whose request had failed: %d %s", got.status, got.raw)
		}
		own := w.key
		w.key = w.keyFor("", "bea@example.com", true)
		if got := w.post("/workspaces", `{"display_name":"Bea's"}`, "k1"); got.status != http.StatusOK || got.header.Get("Idempotent-Replayed") != "" {
			w.Errorf("another credential: %d %s", got.status, got.raw)
		}
		w.key = own

		first := w.post("/orgs/current/personal-access-tokens", `{"description":"x"}`, "k3").object()["key"]
		second := w.post("/orgs/current/personal-access-tokens", `{"description":"x"}`, "k3").object()["key"]
		if first == nil || first != second {
			w.Errorf("a secret: %v, then %v", first, second)
		}
	})
}

// A credential that asks too often waits; another one does not.
func TestCredentialRate(t *testing.T) {
	clock := testkit.NewClock(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC))
	onEngines(t, func(_ *domain.Policy, c *admin.Config) { c.Limits = admin.NewLimits(60, 0, clock.Now) }, func(w *world) {
		other := w.keyFor("", "other@example.com", false)
		for range 60 {
			w.ok(http.MethodGet, "/api/v1/me", "")
		}
		got := w.call(http.MethodGet, "/api/v1/me", "")
		if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") != "1" || got.header.Get("Retry-After-Ms") != "1000" {
			w.Errorf("%d %s %v", got.status, got.raw, got.header)
		}
		if got := w.call(http.MethodGet, "/api/v1/auth/check", ""); got.status != http.StatusOK {
			w.Errorf("a proxy's question: %d", got.status)
		}
		if got := w.send(http.MethodGet, "/api/v1/me", "", http.Header{"X-Api-Key": {other}}); got.status != http.StatusOK {
			w.Errorf("another credential: %d", got.status)
		}
		clock.Advance(time.Second)
		w.ok(http.MethodGet, "/api/v1/me", "")
	})
}

// Guessing keys is slow, and does not stop whoever is at work behind the same address.
func TestGuessing(t *testing.T) {
	clock := testkit.NewClock(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC))
	onEngines(t, func(_ *domain.Policy, c *admin.Config) { c.Limits = admin.NewLimits(0, 30, clock.Now) }, func(w *world) {
		w.ok(http.MethodGet, "/api/v1/me", "")
		idle := w.keyFor("", "idle@example.com", false)
		counts := map[int]int{}
		for i := range 100 {
			counts[w.send(http.MethodGet, "/api/v1/me", "", http.Header{"X-Api-Key": {fmt.Sprint("muster_pat_", i)}}).status]++
		}
		if counts[http.StatusUnauthorized] != 30 || counts[http.StatusTooManyRequests] != 70 {
			w.Errorf("%v", counts)
		}
		w.ok(http.MethodGet, "/api/v1/me", "")
		if got := w.send(http.MethodGet, "/api/v1/me", "", http.Header{"X-Api-Key": {idle}}); got.status != http.StatusTooManyRequests {
			w.Errorf("a credential that nobody knows: %d", got.status)
		}
		clock.Advance(10 * time.Second)
		if got := w.send(http.MethodGet, "/api/v1/me", "", http.Header{"X-Api-Key": {idle}}); got.status != http.StatusOK {
			w.Errorf("after a while: %d", got.status)
		}
	})
}
