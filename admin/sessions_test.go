package admin_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"muster/admin"
	"muster/domain"
)

func cookie(session string) http.Header {
	return http.Header{"Cookie": {"__Host-muster=" + session}, "Sec-Fetch-Site": {"same-origin"}}
}

// Item 92: everybody sees where they are signed in and ends any of it; what was ended answers 401 to the next request.
func TestOwnSessions(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		first, second, third := w.session("bob@example.com"), w.session("bob@example.com"), w.session("bob@example.com")
		carol := w.session("carol@example.com")
		works := func(session string) bool {
			return w.send(http.MethodGet, "/api/v1/me", "", cookie(session)).status == http.StatusOK
		}
		sessions := w.send(http.MethodGet, "/api/v1/me/sessions", "", cookie(second)).list()
		if len(sessions) != 3 || sessions[0]["is_current"] != false || sessions[1]["is_current"] != true {
			w.Fatalf("sessions %v", sessions)
		}
		one := w.send(http.MethodDelete, fmt.Sprint("/api/v1/me/sessions/", sessions[2]["id"]), "", cookie(second))
		if one.status != http.StatusOK || works(first) || !works(second) || !works(third) {
			w.Errorf("ending one: %d %s", one.status, one.raw)
		}
		carols := w.send(http.MethodGet, "/api/v1/me/sessions", "", cookie(carol)).list()[0]["id"]
		if foreign := w.send(http.MethodDelete, fmt.Sprint("/api/v1/me/sessions/", carols), "", cookie(second)); foreign.status != http.StatusNotFound || !works(carol) {
			w.Errorf("ending somebody else's: %d", foreign.status)
		}
		if others := w.send(http.MethodDelete, "/api/v1/me/sessions?keep_current=true", "", cookie(second)).object(); others["ended"] != 1.0 || works(third) || !works(second) {
			w.Errorf("ending the others: %v", others)
		}
		if all := w.send(http.MethodDelete, "/api/v1/me/sessions", "", cookie(second)).object(); all["ended"] != 1.0 || works(second) || !works(carol) {
			w.Errorf("ending all: %v", all)
		}
	})
}

// Item 92, R44: an Admin ends a member's sessions, a provider's, or everybody's, but not those of people of another organization.
func TestAdminsEndSessions(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		bob := w.session("bob@example.com")
		members := w.ok(http.MethodGet, "/api/v1/orgs/current/members/active?emails=bob@example.com", "").list()
		path := fmt.Sprint("/api/v1/orgs/current/members/", members[0]["id"], "/sessions")
		if list := w.ok(http.MethodGet, path, "").list(); len(list) != 1 || list[0]["provider"] != domain.ProviderOIDC {
			w.Errorf("the member's sessions: %v", list)
		}
		if ended := w.ok(http.MethodDelete, path, "").object(); ended["ended"] != 1.0 {
			w.Errorf("ended %v", ended)
		}
		if got := w.send(http.MethodGet, "/api/v1/me", "", cookie(bob)); got.status != http.StatusUnauthorized {
			w.Errorf("afterwards: %d", got.status)
		}
		for _, query := range []string{"?provider=custom-oidc", ""} {
			_ = w.session("bob@example.com")
			if ended := w.ok(http.MethodDelete, "/api/v1/orgs/current/sessions?provider=other", "").object(); ended["ended"] != 0.0 {
				w.Errorf("another provider's: %v", ended)
			}
			if ended := w.ok(http.MethodDelete, "/api/v1/orgs/current/sessions"+query, "").object(); ended["ended"] != 1.0 {
				w.Errorf("all%s: %v", query, ended)
			}
		}
		if _, err := w.service.CreateOrganizationByHand(w.Context(), "Acme"); err != nil {
			w.Fatal(err)
		}
		// Bob is in Acme too; its Admin neither sees nor ends his sessions.
		w.keyFor("Acme", "bob@example.com", false)
		bob = w.session("bob@example.com")
		own := w.key
		w.key = w.keyFor("Acme", "eve@acme.example", true)
		members = w.ok(http.MethodGet, "/api/v1/orgs/current/members/active?emails=bob@example.com", "").list()
		path = fmt.Sprint("/api/v1/orgs/current/members/", members[0]["id"], "/sessions")
		for _, method := range []string{http.MethodGet, http.MethodDelete} {
			if got := w.call(method, path, ""); got.status != http.StatusForbidden {
				w.Errorf("%s by another organization's Admin: %d %s", method, got.status, got.raw)
			}
		}
		if ended := w.ok(http.MethodDelete, "/api/v1/orgs/current/sessions", "").object(); ended["ended"] != 0.0 {
			w.Errorf("another organization ended %v", ended)
		}
		w.key = own
		if got := w.send(http.MethodGet, "/api/v1/me", "", cookie(bob)); got.status != http.StatusOK {
			w.Errorf("Bob is signed out: %d", got.status)
		}
	})
}

// Item 110: a session whose person proved who they are too long ago, or never said when, is asked to step up; a key is not.
func TestStepUp(t *testing.T) {
	onEngines(t, func(p *domain.Policy, _ *admin.Config) { p.StepUpMaxAge = 10 * time.Minute }, func(w *world) {
		at := func(authTime time.Time) string {
			signedIn, err := w.service.SignIn(w.Context(), domain.Claims{
				Provider: domain.ProviderOIDC, Issuer: "https://idp.example", Subject: "ada", Email: "ada@example.com", EmailTrusted: true,
				SessionMax: time.Hour, OverrideExpiry: true, AuthTime: authTime,
			}, domain.Client{})
			if err != nil {
				w.Fatal(err)
			}
			return signedIn.Session
		}
		w.keyFor("", "bob@example.com", false)
		member := w.ok(http.MethodGet, "/api/v1/orgs/current/members/active?emails=bob@example.com", "").list()[0]["id"]
		sso := w.ok(http.MethodGet, "/api/v1/orgs/current/sso-settings", "").list()[0]["id"]
		for _, c := range []struct{ method, path, body string }{
			{http.MethodPost, "/orgs/current/scim/tokens", `{}`},
			{http.MethodPatch, fmt.Sprint("/orgs/current/sso-settings/", sso), `{}`},
			{http.MethodPost, "/orgs/current/members", `{"email":"new@example.com","role_id":"` + string(domain.RoleOrgAdmin) + `"}`},
			{http.MethodPatch, fmt.Sprint("/orgs/current/members/", member), `{"role_id":"` + string(domain.RoleOrgAdmin) + `"}`},
		} {
			for name, header := range map[string]http.Header{"old": cookie(at(time.Now().Add(-time.Hour))), "unknown": cookie(at(time.Time{}))} {
				got := w.send(c.method, "/api/v1"+c.path, c.body, header)
				if got.status != http.StatusUnauthorized || got.header.Get("WWW-Authenticate") == `Bearer realm="muster"` {
					w.Errorf("%s %s with an %s sign-in: %d %q", c.method, c.path, name, got.status, got.header.Get("WWW-Authenticate"))
				}
			}
			if got := w.send(c.method, "/api/v1"+c.path, c.body, cookie(at(time.Now().Add(-time.Minute)))); got.status >= 300 {
				w.Errorf("%s %s with a fresh sign-in: %d %s", c.method, c.path, got.status, got.raw)
			}
			if got := w.call(c.method, "/api/v1"+c.path, c.body); got.status >= 300 {
				w.Errorf("%s %s with a key: %d %s", c.method, c.path, got.status, got.raw)
			}
		}
		plain := `{"email":"plain@example.com"}`
		if got := w.send(http.MethodPost, "/api/v1/orgs/current/members", plain, cookie(at(time.Time{}))); got.status != http.StatusOK {
			w.Errorf("an ordinary invite asks for a step-up: %d %s", got.status, got.raw)
		}
	})
}

// Item 11: a provider is tested without saving anything; one that is not there is said to be so.
func TestProviderTest(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		list := w.ok(http.MethodGet, "/api/v1/orgs/current/login-providers", "").list()
		if len(list) != 1 || list[0]["id"] != domain.ProviderOIDC || list[0]["problem"] != nil {
			w.Errorf("providers %v", list)
		}
		report := w.ok(http.MethodPost, "/api/v1/orgs/current/login-providers/custom-oidc/test", "").object()
		if findings, _ := report["findings"].([]any); report["ok"] != true || len(findings) != 3 {
			w.Errorf("the report is %v", report)
		}
		if got := w.call(http.MethodPost, "/api/v1/orgs/current/login-providers/none/test", ""); got.status != http.StatusNotFound {
			w.Errorf("an unknown provider: %d", got.status)
		}
	})
}
