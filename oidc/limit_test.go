package oidc_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"muster/internal/testkit/badidp"
	"muster/oidc"
)

// from sends a request from an address and reports whether it came too fast; such an answer says when to come again.
func (w *world) from(address, target string) bool {
	w.Helper()
	r := httptest.NewRequestWithContext(w.Context(), http.MethodGet, target, nil)
	r.RemoteAddr = address
	r.Header.Set("X-Forwarded-For", "198.51.100.77")
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, r)
	limited := outcome(recorder.Result()) == "limited"
	if limited != (recorder.Header().Get("Retry-After") == "5") || limited && len(recorder.Result().Cookies()) != 0 {
		w.Errorf("%s answers %d with %v", target, recorder.Code, recorder.Header())
	}
	return limited
}

// Item 29: one address may begin so many sign-ins at once, and so many a second afterwards, and what is too fast is refused before
// anything is kept; another address passes, a network that one subscriber has of IPv6 counts as one,
// and what somebody says about proxies counts for nothing.
func TestRateLimit(t *testing.T) {
	idp := badidp.New(t)
	w := newWorldAt(t, idp, func(config *oidc.Config) { config.Transport = idp })
	starts := []string{start, start + "/step-up", start + "/initiate-login"}
	for i := range 200 {
		if w.from("192.0.2.7:1000", starts[i%len(starts)]) {
			t.Fatalf("request %d is refused", i+1)
		}
	}
	flows, refused := len(w.rules.flows), len(w.rules.refused)
	for _, target := range append(starts, start+"/callback?state=s&code=c", start+"/frontchannel-logout") {
		for _, address := range []string{"192.0.2.7:1000", "192.0.2.7:2000", "[::ffff:192.0.2.7]:3000"} {
			if !w.from(address, target) {
				t.Errorf("%s from %s is not refused", target, address)
			}
		}
	}
	if len(w.rules.flows) != flows || len(w.rules.refused) != refused {
		t.Error("a request that was too fast was written down")
	}
	if w.from("192.0.2.8:1000", start) {
		t.Error("another address is refused")
	}
	w.clock.Advance(time.Second)
	for i := range 5 {
		if w.from("192.0.2.7:1000", start) {
			t.Fatalf("a second later, request %d is refused", i+1)
		}
	}
	if !w.from("192.0.2.7:1000", start) {
		t.Error("a second later, one more than the rate is not refused")
	}
	for i := range 200 {
		if w.from(fmt.Sprintf("[2001:db8:1:2::%x]:1000", i), start) {
			t.Fatalf("IPv6 request %d is refused", i+1)
		}
	}
	if !w.from("[2001:db8:1:2:ffff::1]:1000", start) || w.from("[2001:db8:1:3::1]:1000", start) {
		t.Error("a /64 is not counted as one")
	}
}

// Item 29: many addresses together are bounded too, and forgotten when they are quiet.
func TestRateLimitOfAll(t *testing.T) {
	idp := badidp.New(t)
	w := newWorldAt(t, idp, func(config *oidc.Config) { config.Transport = idp })
	passed := 0
	for i := range 2100 {
		if !w.from(fmt.Sprintf("10.0.%d.%d:1000", i/256, i%256), start) {
			passed++
		}
	}
	if passed != 2000 || len(w.rules.flows) != 2000 {
		t.Errorf("%d of 2100 requests passed and left %d flows, want 2000", passed, len(w.rules.flows))
	}
	w.clock.Advance(2 * time.Minute)
	if w.from("10.0.0.1:1000", start) {
		t.Error("refused two minutes later")
	}
}

// Item 29: providers that end many sessions at once are no flood of people.
func TestLogoutsAreNotLimited(t *testing.T) {
	idp := badidp.New(t)
	w := newWorldAt(t, idp, func(config *oidc.Config) { config.Transport = idp })
	token := mint(idp, "", w.logoutClaims(), nil)
	form := url.Values{"logout_token": {token}}.Encode()
	for i := range 300 {
		answer := w.send(http.MethodPost, start+"/backchannel-logout", form, "Content-Type", formType)
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Fatalf("logout %d: %d", i+1, answer.StatusCode)
		}
	}
}
