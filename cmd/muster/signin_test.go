package main_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"muster/internal/testkit"
)

// R7: without an address the command line prints a link; whoever signs in with it first is Admin, and then it is used up.
func TestSetUpLink(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, databaseURL string) {
		s := newSite(t, databaseURL, "INITIAL_ORG_ADMIN_EMAIL=")
		link := s.command("admin", "set-up-link")
		if !strings.HasPrefix(link, s.base+"/set-up?token=") {
			t.Fatalf("the link is %q", link)
		}
		s.do(chromedp.Navigate(link))
		s.waitFor(home(s.base))
		s.shows("Organization Admin", "no administrator yet")
		testkit.Screenshot(t, s.tab, "set-up")
		s.do(chromedp.Click(chromedp.CSS(`a[href*="/api/v1/oauth/custom-oidc"]`)))
		s.pick("bob")
		s.shows("bob@example.com", "Organization Admin", "set by the operator")
		s.do(chromedp.Navigate(link))
		s.waitFor(home(s.base))
		s.shows("used up")
		testkit.Screenshot(t, s.tab, "set-up-used")
	})
}

// Item 92: the person sees every browser and ends the others; the copy of an ended session's cookie is worth nothing.
func TestSessionsPage(t *testing.T) {
	s := newSite(t, "sqlite://"+t.TempDir()+"/muster.db")
	s.signIn("alice")
	elsewhere := s.cookies()
	s.do(chromedp.Navigate(s.base + "/sign-in?signed-out"))
	if answer := s.status("/api/v1/me", elsewhere); answer != http.StatusOK {
		t.Fatalf("the first session: %d", answer)
	}
	// Another browser of the same person.
	s.forget()
	s.signIn("alice")
	s.do(chromedp.Navigate(s.base + "/you/sessions"))
	s.waitFor(home(s.base))
	s.shows("This browser", "Sign out everywhere else")
	testkit.Screenshot(t, s.tab, "sessions")
	s.do(chromedp.Click(chromedp.CSS(`form[action$="/end-others"] button`)))
	s.waitFor(`document.querySelectorAll("section.session").length === 1`)
	if answer := s.status("/api/v1/me", elsewhere); answer != http.StatusUnauthorized {
		t.Errorf("the ended session: %d", answer)
	}
	s.do(chromedp.Click(chromedp.CSS(`form[action$="/end-all"] button`)))
	s.waitFor(`location.pathname.endsWith("/sign-in") && ` + home(s.base))
	s.shows("You are signed out")
}

// A22, item 85: signing in makes another session, and the one that the browser had is dead.
func TestNewSessionAtEverySignIn(t *testing.T) {
	s := newSite(t, "sqlite://"+t.TempDir()+"/muster.db")
	s.signIn("alice")
	before := s.cookies()
	s.do(chromedp.Navigate(s.base + "/api/v1/oauth/custom-oidc"))
	s.pick("bob")
	s.shows("bob@example.com")
	if s.cookies() == before {
		t.Error("the cookie is the same")
	}
	if answer := s.status("/api/v1/me", before); answer != http.StatusUnauthorized {
		t.Errorf("the session before: %d", answer)
	}
}

// Item 102: signing out goes through the provider, whose own page sends the browser back; a page whose policy forbade that would stop it.
func TestSignOutThroughTheProvider(t *testing.T) {
	s := newSite(t, "sqlite://"+t.TempDir()+"/muster.db", "OAUTH_IDP_LOGOUT_ENABLED=true")
	s.signIn("alice")
	cookies := s.cookies()
	s.signOut()
	s.shows("You are signed out")
	if answer := s.status("/api/v1/me", cookies); answer != http.StatusUnauthorized {
		t.Errorf("the session: %d", answer)
	}
	if log := s.process.Stderr(); strings.Contains(log, "came back with another state") || !strings.Contains(log, `"route":"/signed-out"`) {
		t.Errorf("the browser did not come back by the provider:\n%s", log)
	}
}

// Item 14, R9, item 79: the door lists both providers; an organization's own one reaches that organization only,
// and switching it off ends its sessions.
func TestTwoProviders(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, databaseURL string) {
		first := newSite(t, databaseURL)
		acme := first.command("org", "create", "Acme", "--admin", "carol@other.example")
		if list := first.command("org", "list"); !strings.Contains(list, acme+"\tAcme") {
			t.Errorf("the organizations are %q", list)
		}
		first.process.Stop()
		second := fmt.Sprintf(`[{"id":"second","displayName":"Acme’s own","oauthIssuerUrl":%q,"oauthClientId":"muster","oauthClientSecret":"secret","orgs":[%q]}]`, first.idp, acme)
		s := first.again("OAUTH_PROVIDERS=" + second)
		s.do(chromedp.Navigate(s.base + "/sign-in"))
		s.waitFor(home(s.base))
		s.shows("Acme’s own", "single sign-on")
		testkit.Screenshot(t, s.tab, "sign-in-two-providers")
		s.do(chromedp.Click(chromedp.CSS(`a[href$="/api/v1/oauth/second"]`)))
		s.pick("carol")
		s.shows("carol@other.example", "Acme", "Organization Admin")
		s.showsNot("Default organization")
		cookies := s.cookies()
		s.do(chromedp.Navigate(s.base + "/api/v1/oauth/second"))
		s.pick("alice")
		s.shows("not invited")
		// The main provider takes Carol into the default organization; what the other one made still ends at Acme.
		s.forget()
		s.do(chromedp.Navigate(s.base + "/api/v1/oauth/custom-oidc"))
		s.pick("carol")
		s.shows("carol@other.example", "Acme", "Default organization")
		if answer := s.status("/api/v1/me", cookies); answer != http.StatusOK {
			t.Fatalf("the session of the other provider: %d", answer)
		}
		s.process.Stop()
		last := s.again(strings.Replace("OAUTH_PROVIDERS="+second, `"id"`, `"enabled":false,"id"`, 1))
		if answer := last.status("/api/v1/me", cookies); answer != http.StatusUnauthorized {
			t.Errorf("the session of a provider that is switched off: %d", answer)
		}
	})
}

// again starts the server anew, at the same address with more in its environment.
func (s *site) again(environment ...string) *site {
	s.Helper()
	next := *s
	next.env = append(append([]string{}, s.env...), environment...)
	next.process = testkit.Start(s.T, testkit.Program{Path: s.binary, Args: []string{"serve"}, Env: next.env, Address: s.process.Address})
	return &next
}

// status is what a request with cookies is answered.
func (s *site) status(path, cookies string) int {
	s.Helper()
	request, err := http.NewRequestWithContext(s.Context(), http.MethodGet, s.base+path, nil)
	if err != nil {
		s.Fatal(err)
	}
	request.Header.Set("Cookie", cookies)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		s.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

// forget makes the browser another one: it loses its cookies.
func (s *site) forget() {
	s.Helper()
	if _, err := chromedp.Call(s.tab, network.ClearBrowserCookies, cdp.Empty{}); err != nil {
		s.Fatal(err)
	}
}
