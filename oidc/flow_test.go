package oidc_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/domain"
	"muster/internal/testkit/badidp"
	"muster/oidc"
)

// Items 16 to 22, 24 and 25: what the browser is sent away with.
func TestAuthorizationRequest(t *testing.T) {
	w := newWorld(t, nil)
	authorization, cookies := w.begin("?next=/you?tab=1")
	u, err := url.Parse(authorization)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	for name, want := range map[string]string{
		"response_type": "code", "client_id": badidp.ClientID, "code_challenge_method": "S256", "scope": "openid email profile",
		"redirect_uri": "https://muster.example/base/api/v1/oauth/custom-oidc/callback",
	} {
		if q.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, q.Get(name), want)
		}
	}
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if len(q.Get(name)) < 43 {
			t.Errorf("%s has %d characters", name, len(q.Get(name)))
		}
	}
	if len(cookies) != 1 {
		t.Fatalf("cookies %v", cookies)
	}
	cookie := cookies[0]
	if !strings.HasPrefix(cookie.Name, "__Host-") || !cookie.Secure || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode ||
		cookie.Path != "/" || cookie.Domain != "" || cookie.MaxAge > 600 || cookie.MaxAge <= 0 {
		t.Errorf("item 22: the flow cookie is %+v", cookie)
	}
	answer := w.finish(w.idp.Authorize(t, authorization), cookies...)
	if got := answer.Header.Get("Location"); got != "/base/you?tab=1" {
		t.Errorf("after signing in the browser goes to %q", got)
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"} {
		if got := answer.Header.Get(name); got != want {
			t.Errorf("item 38: %s is %q", name, got)
		}
	}
	if got := outcome(answer); got != "ok" {
		t.Errorf("ended with %q", got)
	}
}

// Item 31, A10: an attacker's code and state in a victim's browser make no session.
func TestLoginCSRF(t *testing.T) {
	w := newWorld(t, nil)
	attackers, own := w.begin("")
	_, victims := w.begin("")
	parameters := w.idp.Authorize(t, attackers)
	for name, cookies := range map[string][]*http.Cookie{"no cookie": nil, "another flow's cookie": victims} {
		if got := outcome(w.finish(parameters, cookies...)); got != string(domain.ReasonFlowLost) {
			t.Errorf("%s: %q", name, got)
		}
	}
	if w.idp.Exchanges() != 0 {
		t.Error("the code was exchanged before the browser was checked")
	}
	if got := outcome(w.finish(parameters, own...)); got != "ok" {
		t.Errorf("the browser that began it, after the others: %q", got)
	}
	begun, cookies := w.begin("")
	forged := *cookies[0]
	forged.Value = "0.guess"
	if got := outcome(w.finish(w.idp.Authorize(t, begun), &forged)); got != string(domain.ReasonFlowLost) || w.idp.Exchanges() != 1 {
		t.Errorf("a forged cookie: %q, %d exchanges", got, w.idp.Exchanges())
	}
}

// Items 32, 37, A9: of fifty callbacks with one state one exchanges the code; a replay with a session goes home, without one starts again.
func TestOneExchange(t *testing.T) {
	w := newWorld(t, nil)
	authorization, cookies := w.begin("")
	parameters := w.idp.Authorize(t, authorization)
	var wait sync.WaitGroup
	results := make(chan string, 50)
	for range 50 {
		wait.Go(func() { results <- outcome(w.finish(parameters, cookies...)) })
	}
	wait.Wait()
	close(results)
	counts := map[string]int{}
	for result := range results {
		counts[result]++
	}
	if counts["ok"] != 1 || counts[string(domain.ReasonFlowLost)] != 49 || w.idp.Exchanges() != 1 {
		t.Errorf("outcomes %v, %d exchanges", counts, w.idp.Exchanges())
	}
	session := &http.Cookie{Name: "__Host-muster", Value: "session"}
	answer := w.finish(parameters, append(cookies, session)...)
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != "/base/" {
		t.Errorf("a replay with a session: %d to %q", answer.StatusCode, answer.Header.Get("Location"))
	}
}

// Items 21, 34, A8: a flow of another provider, issuer or purpose is refused.
func TestForeignFlow(t *testing.T) {
	for name, edit := range map[string]func(*domain.Flow){
		"provider": func(f *domain.Flow) { f.Provider = "other" },
		"issuer":   func(f *domain.Flow) { f.Issuer = "https://other.example" },
		"purpose":  func(f *domain.Flow) { f.Purpose = "link" },
		"browser":  func(f *domain.Flow) { f.Binding = domain.DigestOf("another") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			authorization, cookies := w.begin("")
			for state, flow := range w.rules.flows {
				edit(&flow)
				w.rules.flows[state] = flow
			}
			if got := outcome(w.finish(w.idp.Authorize(t, authorization), cookies...)); got != string(domain.ReasonFlowLost) {
				t.Errorf("ended with %q", got)
			}
			if w.idp.Exchanges() != 0 {
				t.Error("the code was exchanged")
			}
		})
	}
}

// Item 23, A42: at most five sign-ins are under way in one browser, and sixty stray cookies do no harm.
func TestParallelTabs(t *testing.T) {
	w := newWorld(t, nil)
	jar := map[string]*http.Cookie{}
	var last string
	var begun []string
	for range 8 {
		var all []*http.Cookie
		for _, cookie := range jar {
			all = append(all, cookie)
		}
		authorization, cookies := w.begin("", all...)
		last = authorization
		for _, cookie := range cookies {
			if cookie.MaxAge < 0 {
				delete(jar, cookie.Name)
			} else {
				jar[cookie.Name] = cookie
				begun = append(begun, cookie.Name)
			}
		}
		w.clock.Advance(time.Second)
	}
	newest := slices.Sorted(slices.Values(begun[len(begun)-5:]))
	if got := slices.Sorted(maps.Keys(jar)); !slices.Equal(got, newest) {
		t.Errorf("the browser has %q, want the newest five %q", got, newest)
	}
	all := make([]*http.Cookie, 0, 65)
	for _, cookie := range jar {
		all = append(all, cookie)
	}
	for i := range 60 {
		all = append(all, &http.Cookie{Name: "stray-" + string(rune('a'+i%26)), Value: "x"})
	}
	w.idp.Set(badidp.Knobs{Now: w.clock.Now})
	if got := outcome(w.finish(w.idp.Authorize(t, last), all...)); got != "ok" {
		t.Errorf("the newest tab ended with %q", got)
	}
}

// A cross-site form_post carries no Lax cookie: it becomes a GET and consumes nothing by itself.
func TestFormPost(t *testing.T) {
	w := newWorld(t, nil)
	authorization, cookies := w.begin("")
	parameters := w.idp.Authorize(t, authorization)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, start+"/callback", strings.NewReader(parameters.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, r)
	location := recorder.Header().Get("Location")
	if recorder.Code != http.StatusSeeOther || !strings.HasPrefix(location, "/base"+start+"/callback?") {
		t.Fatalf("%d to %q", recorder.Code, location)
	}
	if got := outcome(w.get(strings.TrimPrefix(location, "/base"), cookies...)); got != "ok" {
		t.Errorf("ended with %q", got)
	}
}

// Items 81-82, section 6, A24, A25: where a browser may be sent after signing in.
func TestLocalPath(t *testing.T) {
	for _, next := range []string{
		"//evil.com", `/\evil.com`, "/\t/evil.com", "/\n/evil.com", `/./\evil.com`, `/a/../\evil.com`, "///evil.com", "/..//evil.com",
		"/.//evil.com", "/a/..//evil.com", `\\evil.com`, "javascript:alert(1)", "https:evil.com", "https://evil.com", "https://good@evil/",
		"/%09/evil.com", "/%5cevil.com", "/%2F/evil.com", "/x\r\nSet-Cookie: a=b", "", "you", "/api/v1/orgs", "/scim/v2/Users", "/sign-out",
		"/sign-in", "/API/v1/me", "/api", "/you#frag\\", "/you#frag", "/a b", "/a/../b", "/./you", "/%2e%2e/you", "/you\u0085", "/you\u2028",
		"/" + strings.Repeat("x", 4096),
	} {
		if got, ok := oidc.LocalPath(next); ok {
			t.Errorf("%q is accepted as %q", next, got)
		}
	}
	for next, want := range map[string]string{"/": "/", "/you": "/you", "/you?tab=1&x=%2F": "/you?tab=1&x=%2F", "/@evil.com": "/@evil.com", "/caf%C3%A9": "/caf%C3%A9"} {
		if got, ok := oidc.LocalPath(next); !ok || got != want {
			t.Errorf("%q: %q, %v, want %q", next, got, ok, want)
		}
	}
}

// FuzzLocalPath: whatever is accepted stays on this origin when a browser resolves it, as it is and after one more cleaning.
func FuzzLocalPath(f *testing.F) {
	for _, seed := range []string{"/you", "//evil.com", `/\evil.com`, "/%2F/evil", "/a/..//b"} {
		f.Add(seed)
	}
	base, err := url.Parse("https://muster.example/base/")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, next string) {
		got, ok := oidc.LocalPath(next)
		if !ok {
			return
		}
		u, err := base.Parse(got)
		if err != nil || u.Host != base.Host || u.Scheme != "https" || strings.HasPrefix(got, "//") || strings.ContainsAny(got, "\\\r\n\t") {
			t.Errorf("%q is accepted as %q, which leads to %v", next, got, u)
		}
	})
}
