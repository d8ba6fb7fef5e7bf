package httpx

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"
)

// Check is one thing that the server needs in order to serve.
type Check struct {
	// Name is shown to whoever asks; the probe's error only to the log.
	Name string
	// Probe returns nil when all is well; it should give up when its context does.
	Probe func(context.Context) error
}

// Health answers whether the process lives and whether it can serve.
type Health struct {
	timeout  time.Duration
	checks   []Check
	draining atomic.Bool
}

// NewHealth makes a Health whose checks have timeout together.
func NewHealth(timeout time.Duration, checks ...Check) *Health {
	return &Health{timeout: timeout, checks: checks}
}

// Drain makes the server not ready for good; a load balancer then sends nothing more while the rest is finished.
func (h *Health) Drain() { h.draining.Store(true) }

// Register adds GET /livez, which always answers 200, and GET /readyz.
func (h *Health) Register(mux *http.ServeMux) {
	mux.Handle("GET /livez", Handler(live).With(plainError))
	mux.Handle("GET /readyz", Handler(h.ready).With(plainError))
}

// healthBody names the failing checks and nothing of their insides.
type healthBody struct {
	Status  string   `json:"status"`
	Failing []string `json:"failing,omitempty"`
}

func live(w http.ResponseWriter, _ *http.Request) error {
	return writeHealth(w, http.StatusOK, healthBody{Status: "ok"})
}

func (h *Health) ready(w http.ResponseWriter, r *http.Request) error {
	if h.draining.Load() {
		return writeHealth(w, http.StatusServiceUnavailable, healthBody{Status: "draining"})
	}
	if failing := h.failing(r.Context()); len(failing) > 0 {
		w.Header().Set("Retry-After", "1")
		return writeHealth(w, http.StatusServiceUnavailable, healthBody{Status: "unavailable", Failing: failing})
	}
	return writeHealth(w, http.StatusOK, healthBody{Status: "ok"})
}

func writeHealth(w http.ResponseWriter, status int, body healthBody) error {
	w.Header().Set("Cache-Control", "no-store")
	return WriteJSON(w, status, "application/json", body)
}

// failing runs the checks side by side and returns the names of those that fail, in order.
// A probe that does not heed its context counts as failed when the time is up.
func (h *Health) failing(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	results := make([]chan error, len(h.checks))
	for i, check := range h.checks {
		results[i] = make(chan error, 1)
		go func() { results[i] <- check.Probe(ctx) }()
	}
	var names []string
	for i, check := range h.checks {
		var err error
		select {
		case err = <-results[i]:
		case <-ctx.Done():
			err = ctx.Err()
		}
		if err != nil {
			Logger(ctx).WarnContext(ctx, "not ready", "check", check.Name, "error", err)
			names = append(names, check.Name)
		}
	}
	return names
}
