package scim

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"muster/domain"
)

// longestTurn is how long an operation waits for its turn before the client is asked to come back.
const longestTurn = 5 * time.Second

// turns lets so many operations run at once; when more want to, organizations take turns,
// so that the sync of one never starves another's (S92).
type turns struct {
	mutex sync.Mutex
	free  int
	// waiting are the queues of organizations, and order is whose turn it is next.
	waiting map[domain.OrgID][]chan struct{}
	order   []domain.OrgID
}

func newTurns(n int) *turns { return &turns{free: n, waiting: map[domain.OrgID][]chan struct{}{}} }

// take waits for a turn; the caller gives it back.
func (t *turns) take(ctx context.Context, org domain.OrgID) error {
	t.mutex.Lock()
	if t.free > 0 {
		t.free--
		t.mutex.Unlock()
		return nil
	}
	turn := make(chan struct{})
	if len(t.waiting[org]) == 0 {
		t.order = append(t.order, org)
	}
	t.waiting[org] = append(t.waiting[org], turn)
	t.mutex.Unlock()

	timer := time.NewTimer(longestTurn)
	defer timer.Stop()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	case <-timer.C:
	}
	if t.leave(org, turn) {
		return domain.Errorf(domain.Unavailable, "the server has too much to do; try again").After(time.Second)
	}
	return nil // the turn came at the same moment
}

// leave gives up a place in the queue; false when the turn has come already.
func (t *turns) leave(org domain.OrgID, turn chan struct{}) bool {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	queue := t.waiting[org]
	for i, one := range queue {
		if one == turn {
			t.waiting[org] = append(queue[:i:i], queue[i+1:]...)
			return true
		}
	}
	return false
}

// give hands the turn to the organization that has waited longest for one.
func (t *turns) give() {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	for len(t.order) > 0 {
		org := t.order[0]
		t.order = t.order[1:]
		queue := t.waiting[org]
		if len(queue) == 0 {
			delete(t.waiting, org)
			continue
		}
		t.waiting[org] = queue[1:]
		if len(queue) > 1 {
			t.order = append(t.order, org)
		} else {
			delete(t.waiting, org)
		}
		close(queue[0])
		return
	}
	t.free++
}

// rates are the optional limits of requests a second (S92).
type rates struct {
	token, org float64
	mutex      sync.Mutex
	buckets    map[string]*rate.Limiter
}

const (
	// burst is how many seconds' worth of requests may come at once.
	burst      = 4
	maxBuckets = 10_000
)

func newRates(l Limits) *rates {
	return &rates{token: l.TokenRate, org: l.OrgRate, buckets: map[string]*rate.Limiter{}}
}

// admit returns Limited, with the time to wait, for a token or an organization that asks too often.
func (r *rates) admit(scope domain.OrgScope) error {
	if r.token <= 0 && r.org <= 0 {
		return nil
	}
	if err := r.one("token "+scope.Actor().ID, r.token); err != nil {
		return err
	}
	return r.one("org "+string(scope.Org()), r.org)
}

func (r *rates) one(key string, perSecond float64) error {
	if perSecond <= 0 {
		return nil
	}
	r.mutex.Lock()
	bucket := r.buckets[key]
	if bucket == nil {
		if len(r.buckets) >= maxBuckets {
			clear(r.buckets)
		}
		bucket = rate.NewLimiter(rate.Limit(perSecond), max(1, int(burst*perSecond)))
		r.buckets[key] = bucket
	}
	r.mutex.Unlock()
	if bucket.Allow() {
		return nil
	}
	wait := time.Duration(float64(time.Second) / perSecond)
	return domain.Errorf(domain.Limited, "more than %g requests a second; slow down", perSecond).After(max(wait, time.Second))
}
