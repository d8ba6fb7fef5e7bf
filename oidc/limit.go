package oidc

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"muster/domain"
	"muster/internal/httpx"
)

// Limits bound how fast one address, and everybody together, may begin and end sign-ins (item 29).
// An office behind one address can sign in on a Monday morning; a flood cannot fill the database,
// because begun sign-ins are kept for ten minutes only.
type Limits struct {
	// rate is in begun sign-ins a second for one address; zero is without limit.
	rate float64
	now  func() time.Time

	mutex   sync.Mutex
	all     *rate.Limiter
	clients map[netip.Prefix]*client
	// swept is when addresses that are quiet were last forgotten.
	swept time.Time
}

type client struct {
	limiter *rate.Limiter
	seen    time.Time
}

// Beginning a sign-in writes a row, and everything else looks one up at most.
const (
	beginning = 4
	other     = 1
	// burst is how many seconds' worth may come at once: an office that comes back from lunch.
	burst = 40
	// everybody is how much more all addresses together may do than one.
	everybody = 10
	// quiet is how long an address is remembered; its burst is full again by then.
	quiet = burst * time.Second
)

// NewLimits makes limits of so many begun sign-ins a second for one address; zero is without limit.
// now overrides the clock, nil is the real one.
func NewLimits(perSecond float64, now func() time.Time) *Limits {
	if now == nil {
		now = time.Now
	}
	l := &Limits{rate: perSecond, now: now, clients: map[netip.Prefix]*client{}}
	l.all = l.limiter(everybody)
	return l
}

func (l *Limits) limiter(times float64) *rate.Limiter {
	units := l.rate * beginning * times
	return rate.NewLimiter(rate.Limit(units), int(units*burst))
}

// allow takes what a request costs from the address, and from everybody.
func (l *Limits) allow(address string, cost int) bool {
	if l.rate == 0 {
		return true
	}
	now := l.now()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.sweep(now)
	prefix := httpx.Network(address)
	one := l.clients[prefix]
	if one == nil {
		one = &client{limiter: l.limiter(1)}
		l.clients[prefix] = one
	}
	one.seen = now
	return one.limiter.AllowN(now, cost) && l.all.AllowN(now, cost)
}

func (l *Limits) sweep(now time.Time) {
	if now.Sub(l.swept) < quiet {
		return
	}
	l.swept = now
	for prefix, one := range l.clients {
		if now.Sub(one.seen) >= quiet {
			delete(l.clients, prefix)
		}
	}
}

// limited refuses a client that is too fast, before anything is read or written for it.
func (h *Handler) limited(cost int, next httpx.Handler) httpx.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if !h.limits.allow(httpx.ClientOf(r).IP, cost) {
			return domain.Errorf(domain.Limited, "too many sign-ins are begun from this address; wait a moment").After(5 * time.Second)
		}
		return next(w, r)
	}
}
