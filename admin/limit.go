package admin

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"muster/domain"
	"muster/internal/httpx"
)

// Limits bound how many requests one credential makes, and how many wrong credentials one address may try.
//
// A credential has its own bucket, wherever it comes from. An address pays for wrong credentials only, so that guessing is slow;
// once it has tried too many, only credentials that were good a moment ago are let through from it, before anything is looked up:
// what others do behind the same address does not stop whoever is at work there.
// The question of reverse proxies, /auth/check, comes once for every request of an application and is not counted for a good credential.
type Limits struct {
	perMinute, wrongPerMinute float64
	now                       func() time.Time

	mutex       sync.Mutex
	credentials map[string]*bucket
	addresses   map[netip.Prefix]*bucket
	// good are credentials, by digest, that were good at a time.
	good  map[domain.Digest]time.Time
	swept time.Time
}

type bucket struct {
	limiter *rate.Limiter
	seen    time.Time
}

const (
	// forgetting is how long a bucket that nobody draws from is remembered; it is full again by then.
	forgetting = 2 * time.Minute
	// goodFor is how long a credential counts as one that was good a moment ago.
	goodFor = 5 * time.Minute
)

// NewLimits makes limits of so many requests a minute for a credential, and so many wrong credentials a minute for an address;
// zero is without limit. A minute's worth may come at once. now overrides the clock, nil is the real one.
func NewLimits(perMinute, wrongPerMinute float64, now func() time.Time) *Limits {
	if now == nil {
		now = time.Now
	}
	return &Limits{
		perMinute: perMinute, wrongPerMinute: wrongPerMinute, now: now,
		credentials: map[string]*bucket{}, addresses: map[netip.Prefix]*bucket{}, good: map[domain.Digest]time.Time{},
	}
}

// draw takes n from a bucket, made full where there is none.
func draw[K comparable](buckets map[K]*bucket, key K, perMinute float64, now time.Time, n int) *rate.Reservation {
	one := buckets[key]
	if one == nil {
		one = &bucket{limiter: rate.NewLimiter(rate.Limit(perMinute/60), int(max(perMinute, 1)))}
		buckets[key] = one
	}
	one.seen = now
	return one.limiter.ReserveN(now, n)
}

// request counts a request of a credential that is good; the error says how long to wait.
func (l *Limits) request(credential string) error {
	if l == nil || l.perMinute == 0 {
		return nil
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	now := l.now()
	l.sweep(now)
	reserved := draw(l.credentials, credential, l.perMinute, now, 1)
	if wait := reserved.DelayFrom(now); wait > 0 {
		reserved.CancelAt(now)
		return domain.Errorf(domain.Limited, "this credential makes more than %.0f requests a minute; wait a moment", l.perMinute).After(wait)
	}
	return nil
}

// knock refuses an address that has tried too many wrong credentials, unless this one was good a moment ago.
func (l *Limits) knock(address string, credential domain.Digest) error {
	if l == nil || l.wrongPerMinute == 0 {
		return nil
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	now := l.now()
	if at, good := l.good[credential]; good && now.Sub(at) < goodFor {
		return nil
	}
	one := l.addresses[httpx.Network(address)]
	if one == nil || one.limiter.TokensAt(now) >= 1 {
		return nil
	}
	return domain.Errorf(domain.Limited, "too many wrong credentials have come from this address; wait a moment").After(5 * time.Second)
}

// tried notes how a credential turned out.
func (l *Limits) tried(address string, credential domain.Digest, good bool) {
	if l == nil || l.wrongPerMinute == 0 {
		return
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	now := l.now()
	if good {
		l.good[credential] = now
		return
	}
	l.sweep(now)
	delete(l.good, credential)
	if reserved := draw(l.addresses, httpx.Network(address), l.wrongPerMinute, now, 1); reserved.DelayFrom(now) > 0 {
		reserved.CancelAt(now)
	}
}

// sweep forgets what is quiet, so that memory is bounded by what happens in a few minutes.
func (l *Limits) sweep(now time.Time) {
	if now.Sub(l.swept) < forgetting {
		return
	}
	l.swept = now
	for key, one := range l.credentials {
		if now.Sub(one.seen) >= forgetting {
			delete(l.credentials, key)
		}
	}
	for key, one := range l.addresses {
		if now.Sub(one.seen) >= forgetting {
			delete(l.addresses, key)
		}
	}
	for key, at := range l.good {
		if now.Sub(at) >= goodFor {
			delete(l.good, key)
		}
	}
}
