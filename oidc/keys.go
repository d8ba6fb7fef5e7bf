package oidc

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/time/rate"
)

// keysTTL is how long a withdrawn key can go on verifying (item 50).
const keysTTL = 30 * time.Minute

// keySet is go-oidc's remote key set with what it lacks: an age at which keys are read again,
// and a bound on how often unknown key ids make it ask (item 48, F15).
type keySet struct {
	url    string
	now    func() time.Time
	client *http.Client
	asked  *throttle

	mutex   sync.Mutex
	current *oidc.RemoteKeySet
	since   time.Time
}

func newKeySet(url string, client *http.Client, now func() time.Time) *keySet {
	asked := &throttle{next: client.Transport, limit: rate.NewLimiter(rate.Every(12*time.Second), 5), now: now}
	keys := &keySet{url: url, now: now, asked: asked, client: &http.Client{Timeout: 5 * time.Second, Transport: asked, CheckRedirect: client.CheckRedirect}}
	keys.current = keys.fresh()
	return keys
}

// fresh makes an empty key set; go-oidc takes the values of its context and not its end.
func (k *keySet) fresh() *oidc.RemoteKeySet {
	return oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), k.client), k.url)
}

// VerifySignature implements oidc.KeySet.
func (k *keySet) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	k.mutex.Lock()
	current, since := k.current, k.since
	k.mutex.Unlock()
	if k.now().Sub(since) < keysTTL {
		return current.VerifySignature(ctx, jwt)
	}
	begun := k.asked.answers()
	fresh := k.fresh() //nolint:contextcheck // a key set outlives every request
	payload, err := fresh.VerifySignature(ctx, jwt)
	if err != nil && k.asked.answers() == begun {
		// The provider gave no keys: the old ones stay in use (item 9).
		return current.VerifySignature(ctx, jwt)
	}
	k.mutex.Lock()
	k.current, k.since = fresh, k.now()
	k.mutex.Unlock()
	return payload, err
}

// throttle lets at most ten requests a minute through and counts the answers with status 200.
type throttle struct {
	next  http.RoundTripper
	limit *rate.Limiter
	now   func() time.Time

	mutex sync.Mutex
	good  int
}

var errThrottled = errors.New("the provider's keys were asked for too often; waiting")

// RoundTrip implements http.RoundTripper.
func (t *throttle) RoundTrip(r *http.Request) (*http.Response, error) {
	if !t.limit.AllowN(t.now(), 1) {
		return nil, errThrottled
	}
	answer, err := t.next.RoundTrip(r)
	if err == nil && answer.StatusCode == http.StatusOK {
		t.mutex.Lock()
		t.good++
		t.mutex.Unlock()
	}
	return answer, err
}

func (t *throttle) answers() int {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.good
}
