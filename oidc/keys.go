package oidc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/time/rate"
)

const (
	// keysTTL is how long a withdrawn key can go on verifying (item 50).
	keysTTL = 30 * time.Minute
	// keysRetry is the pause after an attempt to read aged keys again that failed.
	keysRetry   = time.Minute
	keysTimeout = 5 * time.Second
)

// keySet is go-oidc's remote key set with what it lacks: an age at which keys are read again,
// a bound on how often unknown key ids make it ask, and keys that outlive an outage (items 48-51, F15).
type keySet struct {
	url    string
	now    func() time.Time
	client *http.Client
	source *keySource

	mutex   sync.Mutex
	current *oidc.RemoteKeySet
	since   time.Time
}

func newKeySet(url string, client *http.Client, now func() time.Time) *keySet {
	source := &keySource{next: client.Transport, limit: rate.NewLimiter(rate.Every(12*time.Second), 5), now: now}
	return &keySet{
		url: url, now: now, source: source,
		client: &http.Client{Timeout: keysTimeout, Transport: source, CheckRedirect: client.CheckRedirect},
	}
}

// VerifySignature implements oidc.KeySet.
func (k *keySet) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	return k.inUse().VerifySignature(ctx, jwt) //nolint:contextcheck // a key set outlives every request
}

// inUse returns the key set, an empty one in its place when the keys are too old: that one reads them at its first use.
func (k *keySet) inUse() *oidc.RemoteKeySet {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	now := k.now()
	_, read := k.source.last()
	if k.current == nil || now.Sub(read) >= keysTTL && now.Sub(k.since) >= keysRetry {
		// go-oidc takes the values of its context and not its end.
		k.current, k.since = oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), k.client), k.url), now
	}
	return k.current
}

// watchedKeys remembers why a signature could not be verified; go-oidc hands on the text of that only.
type watchedKeys struct {
	oidc.KeySet

	err error
}

// VerifySignature implements oidc.KeySet.
func (w *watchedKeys) VerifySignature(ctx context.Context, jwt string) (payload []byte, err error) {
	payload, w.err = w.KeySet.VerifySignature(ctx, jwt)
	return payload, w.err
}

// keySource reads the provider's keys at most ten times a minute.
// When it may not, or the provider gives none, it answers with those it read last (item 9).
type keySource struct {
	next  http.RoundTripper
	limit *rate.Limiter
	now   func() time.Time

	mutex sync.Mutex
	keys  []byte
	read  time.Time
	// trouble is why the last attempt to read the keys failed; nil when it did not.
	trouble error
}

var (
	// errNoKeys is that there are no keys to verify with: not now, and not from before.
	errNoKeys    = errors.New("the provider's keys cannot be read")
	errThrottled = errors.New("they were asked for too often; waiting")
)

// RoundTrip implements http.RoundTripper.
func (s *keySource) RoundTrip(r *http.Request) (*http.Response, error) {
	keys, err := s.fetch(r)
	s.setTrouble(err)
	if err != nil {
		if keys, _ = s.last(); keys == nil {
			return nil, fmt.Errorf("%w: %w", errNoKeys, err)
		}
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(keys)), Body: io.NopCloser(bytes.NewReader(keys)),
	}, nil
}

func (s *keySource) fetch(r *http.Request) ([]byte, error) {
	if !s.limit.AllowN(s.now(), 1) {
		return nil, errThrottled
	}
	answer, err := s.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", answer.StatusCode)
	}
	keys, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, fmt.Errorf("the answer broke off: %w", err)
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(keys, &set); err != nil || set.Keys == nil {
		return nil, errors.New("the answer is no JSON Web Key Set (RFC 7517)")
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.keys, s.read = keys, s.now()
	return keys, nil
}

// last returns the keys that were read last, nil when none ever were, and when that was.
func (s *keySource) last() ([]byte, time.Time) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.keys, s.read
}

func (s *keySource) setTrouble(err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.trouble = err
}

// aged returns why the keys may be older than the provider's; nil when they were read well the last time.
func (s *keySource) aged() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.trouble
}
