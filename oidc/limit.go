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
	now func() time.Time

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

const (
	clientRate, clientBurst = 20, 200
	allRate, allBurst       = 400, 2000
	// quiet is how long an address is remembered; its burst is full again long before.
	quiet = time.Minute
)

// NewLimits makes limits; now overrides the clock, nil is the real one.
func NewLimits(now func() time.Time) *Limits {
	if now == nil {
		now = time.Now
	}
	return &Limits{now: now, all: rate.NewLimiter(allRate, allBurst), clients: map[netip.Prefix]*client{}}
}

// allow takes one turn of the address, and of everybody's.
func (l *Limits) allow(address string) bool {
	now := l.now()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.sweep(now)
	prefix := prefixOf(address)
	one := l.clients[prefix]
	if one == nil {
		one = &client{limiter: rate.NewLimiter(clientRate, clientBurst)}
		l.clients[prefix] = one
	}
	one.seen = now
	return one.limiter.AllowN(now, 1) && l.all.AllowN(now, 1)
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

// prefixOf is the address, or the /64 network that one subscriber has of IPv6.
func prefixOf(address string) netip.Prefix {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Prefix{}
	}
	bits := 32
	if ip = ip.Unmap(); ip.Is6() {
		bits = 64
	}
	prefix, _ := ip.Prefix(bits)
	return prefix
}

// limited refuses a client that is too fast, before anything is read or written for it.
func (h *Handler) limited(next httpx.Handler) httpx.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if !h.limits.allow(httpx.ClientOf(r).IP) {
			return domain.Errorf(domain.Limited, "too many sign-ins are begun from this address; wait a moment").After(5 * time.Second)
		}
		return next(w, r)
	}
}
