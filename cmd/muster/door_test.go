package main_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"muster/internal/testkit"
)

// A24, A25, items 81, 82: whatever a link asks for, the browser ends on a page of ours and never asks another origin for anything;
// relying party and provider are different sites to it.
func TestRedirectMatrix(t *testing.T) {
	s := newSite(t, "sqlite://"+t.TempDir()+"/muster.db", "SIGN_IN_RATE=0")
	hosts := s.watch()
	home := s.base + "/you"
	for _, c := range []struct{ next, want string }{
		{"//evil.example", home},
		{`/\evil.example`, home},
		{"/\t/evil.example", home},
		{"/\n/evil.example", home},
		{`/./\evil.example`, home},
		{`/a/../\evil.example`, home},
		{"///evil.example", home},
		{"/..//evil.example", home},
		{"/.//evil.example", home},
		{"/a/..//evil.example", home},
		{`\\evil.example`, home},
		{"javascript:alert(1)", home},
		{"https:evil.example", home},
		{"https://evil.example/", home},
		{"https://localhost@evil.example/", home},
		{"/%09/evil.example", home},
		{"/%5cevil.example", home},
		{"/%2F/evil.example", home},
		{"/x\r\nSet-Cookie: a=b", home},
		{"/api/v1/me", home},
		{"/scim/v2/Users", home},
		{"/sign-in", home},
		{"/sign-out", home},
		{"data:text/html,x", home},
		{"/@evil.example", s.base + "/@evil.example"},
		{"/you?a=b%2Fc&d=e", s.base + "/you?a=b%2Fc&d=e"},
		{"/you/sessions", s.base + "/you/sessions"},
	} {
		s.do(chromedp.Navigate(s.base + "/api/v1/oauth/custom-oidc?" + url.Values{"next": {c.next}}.Encode()))
		s.pick("alice")
		if got := s.location(); got != c.want {
			t.Errorf("%q leads to %s, want %s", c.next, got, c.want)
		}
	}
	for _, host := range hosts() {
		if host != strings.TrimPrefix(s.base, "http://") && host != strings.TrimPrefix(s.idp, "http://") {
			t.Errorf("the browser asked %s", host)
		}
	}
}

// watch returns the hosts that the browser asks from now on.
func (s *site) watch() func() []string {
	s.Helper()
	var mutex sync.Mutex
	seen := map[string]bool{}
	err := chromedp.Listen(s.tab, func(event any) {
		if sent, ok := event.(*network.EventRequestWillBeSent); ok {
			if u, err := url.Parse(sent.Request.URL); err == nil && u.Host != "" {
				mutex.Lock()
				seen[u.Host] = true
				mutex.Unlock()
			}
		}
	})
	if err != nil {
		s.Fatal(err)
	}
	if _, err := chromedp.Call(s.tab, network.Enable, network.EnableParams{}); err != nil {
		s.Fatal(err)
	}
	return func() []string {
		mutex.Lock()
		defer mutex.Unlock()
		hosts := []string{}
		for host := range seen {
			hosts = append(hosts, host)
		}
		if len(hosts) < 2 {
			s.Error("the browser was not watched")
		}
		return hosts
	}
}

func (s *site) location() string {
	s.Helper()
	at, err := chromedp.Run(s.tab, chromedp.Evaluate[string]("location.href"))
	if err != nil {
		s.Fatal(err)
	}
	return at
}

// Bad input: what goes wrong on the way is a page in plain words with a way on, never a session and never a loop,
// and its request id is in the log with the cause (items 8, 31, 37, 40).
func TestWrongTurns(t *testing.T) {
	s := newSite(t, "sqlite://"+t.TempDir()+"/muster.db")
	started := func() {
		s.do(chromedp.Navigate(s.base + "/api/v1/oauth/custom-oidc"))
		s.waitFor(`document.querySelector('button[name="subject"]') !== null`)
	}
	// Lost cookies: the way back says to start again, and the link does.
	started()
	s.forget()
	s.do(chromedp.Click(chromedp.CSS(`button[name="subject"][value="alice"]`)))
	s.waitFor(home(s.base))
	s.shows("start again")
	s.logged("flow_lost")
	s.do(chromedp.Click(chromedp.CSS(`main a[href$="/sign-in"]`)))
	s.pick("alice")
	s.shows("alice@example.com")

	// The back button and a reload of the way back, after it worked, lead to the page and make no second session.
	callback := ""
	err := chromedp.Listen(s.tab, func(event any) {
		if sent, ok := event.(*network.EventRequestWillBeSent); ok && strings.Contains(sent.Request.URL, "/callback?") {
			callback = sent.Request.URL
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(s.tab, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	started()
	s.pick("alice")
	before := s.cookies()
	s.do(chromedp.Navigate(callback))
	s.waitFor(home(s.base))
	s.shows("alice@example.com")
	if s.cookies() != before {
		t.Error("a replayed callback made another session")
	}
	// The same in another browser is worth nothing.
	s.forget()
	s.do(chromedp.Navigate(callback))
	s.waitFor(home(s.base))
	s.shows("start again")
	if got := s.status("/api/v1/me", s.cookies()); got != http.StatusUnauthorized {
		t.Errorf("another browser: %d", got)
	}
}

// logged fails the test unless the server's log has a line with the page's request id and the cause.
func (s *site) logged(cause string) {
	s.Helper()
	id, err := chromedp.Run(s.tab, chromedp.Evaluate[string](`document.querySelector("main code").textContent`))
	if err != nil {
		s.Fatal(err)
	}
	for line := range strings.Lines(s.process.Stderr()) {
		if strings.Contains(line, id) && strings.Contains(line, cause) {
			return
		}
	}
	s.Errorf("the log has no line with %s and %s:\n%s", id, cause, s.process.Stderr())
}

// Item 23: two sign-ins begun in two tabs of one browser both end well, the second one last.
func TestTwoTabs(t *testing.T) {
	s := newSite(t, "sqlite://"+t.TempDir()+"/muster.db")
	s.do(chromedp.Navigate(s.base + "/api/v1/oauth/custom-oidc?next=/you"))
	s.waitFor(`document.querySelector('button[name="subject"]') !== null`)
	first := s.location()
	s.do(chromedp.Navigate(s.base + "/api/v1/oauth/custom-oidc?next=/you/sessions"))
	s.pick("bob")
	if got := s.location(); got != s.base+"/you/sessions" {
		t.Errorf("the second tab is at %s", got)
	}
	s.do(chromedp.Navigate(first))
	s.pick("alice")
	s.shows("alice@example.com")
	if got := s.location(); got != s.base+"/you" {
		t.Errorf("the first tab is at %s", got)
	}
}

// Killed in the middle of a sign-in, the server takes it up where it was: begun sign-ins are in the database (F6).
// At two processes behind one address it does not matter which one answers, and signing out counts at both at once (A11).
func TestKilledInTheMiddle(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, databaseURL string) {
		s := newSite(t, databaseURL)
		s.do(chromedp.Navigate(s.base + "/sign-in"))
		s.waitFor(`document.querySelector('button[name="subject"]') !== null`)
		s.process.Kill()
		s.process.Restart()
		s.pick("alice")
		s.shows("alice@example.com")
	})
}

func TestTwoProcesses(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, databaseURL string) {
		if strings.HasPrefix(databaseURL, "sqlite:") {
			return // one process has the file
		}
		// Without limits, so that every request is decided by the session alone.
		s := newSite(t, databaseURL, "ADMIN_RATE=0", "ADMIN_WRONG_RATE=0")
		second := testkit.Start(t, testkit.Program{Path: s.binary, Args: []string{"serve"}, Env: s.env})
		cookies := s.signInWithoutBrowser("alice", func(n int) string { return []string{s.base, second.URL}[n%2] })
		for _, base := range []string{s.base, second.URL} {
			if got := statusAt(t, base, "/api/v1/me", cookies); got != http.StatusOK {
				t.Fatalf("at %s: %d", base, got)
			}
		}
		// Revoking while a hundred requests are under way: none that starts afterwards gets in, at either process (A11, A12).
		scim := s.command("token", "create")
		alice := s.pushPerson(scim, "alice@example.com")
		var revoked atomic.Bool
		var late atomic.Int64
		var group sync.WaitGroup
		stop := make(chan struct{})
		for i := range 100 {
			group.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					after := revoked.Load()
					if got := statusAt(t, []string{s.base, second.URL}[i%2], "/api/v1/me", cookies); after && got != http.StatusUnauthorized {
						late.Add(1)
					}
				}
			})
		}
		time.Sleep(300 * time.Millisecond)
		s.scim(scim, http.MethodPatch, "/Users/"+alice, patch(`{"op":"Replace","path":"active","value":"False"}`))
		revoked.Store(true)
		time.Sleep(500 * time.Millisecond)
		close(stop)
		group.Wait()
		if late.Load() > 0 {
			t.Errorf("%d requests got in after the revocation", late.Load())
		}
	})
}

// signInWithoutBrowser walks the flow with plain requests, the n-th of which goes to the server that at names.
func (s *site) signInWithoutBrowser(subject string, at func(n int) string) string {
	s.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	send := func(method, target, cookie, body string) *http.Response {
		request, err := http.NewRequestWithContext(s.Context(), method, target, strings.NewReader(body))
		if err != nil {
			s.Fatal(err)
		}
		if body != "" {
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		if cookie != "" {
			request.Header.Set("Cookie", cookie)
		}
		answer, err := client.Do(request)
		if err != nil {
			s.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer
	}
	begun := send(http.MethodGet, at(0)+"/api/v1/oauth/custom-oidc", "", "")
	target, err := url.Parse(begun.Header.Get("Location"))
	if err != nil || len(begun.Cookies()) != 1 {
		s.Fatalf("the start: %d %v", begun.StatusCode, err)
	}
	form := target.Query()
	form.Set("subject", subject)
	chosen := send(http.MethodPost, s.idp+"/authorize", "", form.Encode())
	back, err := url.Parse(chosen.Header.Get("Location"))
	if err != nil {
		s.Fatal(err)
	}
	flow := begun.Cookies()[0]
	ended := send(http.MethodGet, at(1)+back.Path+"?"+back.RawQuery, flow.Name+"="+flow.Value, "")
	for _, cookie := range ended.Cookies() {
		if cookie.Name == "muster" {
			return "muster=" + cookie.Value
		}
	}
	s.Fatalf("the callback: %d", ended.StatusCode)
	return ""
}

func statusAt(t *testing.T, base, path, cookies string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, nil)
	if err != nil {
		t.Error(err)
		return 0
	}
	request.Header.Set("Cookie", cookies)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Error(err)
		return 0
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

// Items 8, 40, A45: a provider that answers nonsense when it counts is a page with a way on, a metric by reason, and no session;
// one that is away at the start keeps nobody from starting the server, and sign-in works as soon as it is there.
func TestProviderInTrouble(t *testing.T) {
	var trouble atomic.Pointer[http.HandlerFunc]
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if handler := trouble.Load(); handler != nil {
			(*handler)(w, r)
			return
		}
		issuer := "http://" + r.Host
		_, _ = fmt.Fprintf(w, `{"issuer":%q,"authorization_endpoint":%q,"token_endpoint":%q,"jwks_uri":%q}`, issuer, issuer+"/authorize", issuer+"/token", issuer+"/keys")
	}))
	defer provider.Close()
	html := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) })
	trouble.Store(&html)
	server := testkit.Start(t, testkit.Program{Path: testkit.Build(t, "./cmd/muster"), Args: []string{"serve"}, Env: []string{
		"DATABASE_URL=sqlite://" + t.TempDir() + "/muster.db", "OAUTH_ISSUER_URL=" + provider.URL, "OAUTH_CLIENT_ID=muster", "LOG_FORMAT=json",
	}})
	if began := visit(t, server.URL+"/api/v1/oauth/custom-oidc", ""); began.StatusCode != http.StatusServiceUnavailable || began.Header.Get("Retry-After") == "" {
		t.Errorf("with a provider in trouble: %d", began.StatusCode)
	}
	trouble.Store(nil)
	time.Sleep(1100 * time.Millisecond) // a failure answers for a second, so that a crowd here is no crowd there
	for name, handler := range map[string]http.HandlerFunc{
		"HTML":     html,
		"500":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"30 MB":    func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 30<<20)) },
		"empty":    func(http.ResponseWriter, *http.Request) {},
		"hangs up": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"refuses": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
		},
	} {
		trouble.Store(nil)
		began := visit(t, server.URL+"/api/v1/oauth/custom-oidc", "")
		location, err := url.Parse(began.Header.Get("Location"))
		if err != nil || len(began.Cookies()) != 1 {
			t.Fatalf("%s: the start: %d %v", name, began.StatusCode, err)
		}
		trouble.Store(&handler)
		back := url.Values{"code": {"x"}, "state": {location.Query().Get("state")}}
		ended := visit(t, server.URL+"/api/v1/oauth/custom-oidc/callback?"+back.Encode(), began.Cookies()[0].String())
		if ended.StatusCode != http.StatusServiceUnavailable && ended.StatusCode != http.StatusBadGateway {
			t.Errorf("%s: %d", name, ended.StatusCode)
		}
		for _, cookie := range ended.Cookies() {
			if cookie.Name == "muster" {
				t.Errorf("%s: a session", name)
			}
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	metrics, err := io.ReadAll(answer.Body)
	if err != nil || !strings.Contains(string(metrics), `muster_sign_ins_total{outcome="provider_unreachable",provider="custom-oidc"}`) {
		t.Errorf("no metric says why (%v)", err)
	}
}

// visit sends a GET with one cookie and follows no redirect.
func visit(t *testing.T, target, cookie string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	if pair, _, _ := strings.Cut(cookie, ";"); pair != "" {
		request.Header.Set("Cookie", pair)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer
}
