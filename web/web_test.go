package web_test

import (
	"context"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/domain"
	"muster/internal/httpx"
	"muster/web"
)

var update = flag.Bool("update", false, "write the golden pages anew")

// service is somebody signed in, or nobody.
type service struct {
	me    domain.Me
	err   error
	ended []string
}

func (s *service) Session(_ context.Context, token string, _ domain.Client) (domain.Principal, error) {
	if token != "good" {
		return domain.Principal{}, domain.Errorf(domain.Unauthenticated, "no such session")
	}
	return domain.Principal{}, s.err
}

func (s *service) Me(context.Context, domain.Principal) (domain.Me, error) { return s.me, s.err }

func (s *service) SignOut(_ context.Context, token string, _ domain.Client) error {
	s.ended = append(s.ended, token)
	return s.err
}

func newWeb(t *testing.T, s *service, edit func(*web.Config)) (*web.Web, http.Handler) {
	t.Helper()
	publicURL := &url.URL{Scheme: "https", Host: "muster.example", Path: "/base"}
	sameOrigin, err := httpx.NewSameOrigin(publicURL)
	if err != nil {
		t.Fatal(err)
	}
	config := web.Config{
		Service: s, BasePath: "/base", PublicURL: publicURL, Cookies: httpx.Cookies{Secure: true}, SameOrigin: sameOrigin,
		ProviderName: "Okta", ProviderConfigured: true, ProviderReady: func() bool { return true },
	}
	if edit != nil {
		edit(&config)
	}
	pages := web.New(config)
	mux := http.NewServeMux()
	pages.Routes(mux)
	return pages, mux
}

func request(t *testing.T, handler http.Handler, method, target string, header http.Header) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, nil)
	for name, values := range header {
		r.Header[name] = values
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	return recorder.Result()
}

func text(t *testing.T, answer *http.Response) string {
	t.Helper()
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// golden compares a whole page with the one that was looked at and kept.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".html")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs from the page that was looked at:\n%s", name, got)
	}
}

// alice has every kind of grant, and names that try to break out.
func alice() domain.Me {
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	grant := func(kind domain.GrantKind, role domain.RoleID, name string) domain.Grant {
		return domain.Grant{Kind: kind, Role: role, SourceName: name, At: at}
	}
	return domain.Me{
		User: domain.User{Email: "alice@example.com", FullName: "Alice <script>alert(\"1\")</script> \u202e😀"},
		Organizations: []domain.MyOrg{
			{Name: "Default", Default: true, Explanation: domain.Explanation{
				Org: domain.Why{Grant: grant(domain.GrantGroup, domain.RoleOrgUser, "LS:Organization User:Workspace 1:Viewer"), Lost: []domain.Lost{
					{Grant: grant(domain.GrantJIT, domain.RoleOrgUser, "custom-oidc"), Why: "replaced by the group"},
				}},
				Workspaces: []domain.Why{
					{Workspace: "w1", Name: "Workspace 1", Grant: grant(domain.GrantGroup, domain.RoleWorkViewer, "LS:Organization User:Workspace 1:Viewer")},
					{Workspace: "w2", Name: strings.Repeat("long", 50), Grant: grant(domain.GrantManual, domain.RoleWorkEditor, "ada@example.com")},
					{Workspace: "w3", Name: "Invited", Grant: grant(domain.GrantInvite, domain.RoleWorkEditor, "")},
					{Workspace: "w4", Name: "First", Grant: grant(domain.GrantJIT, domain.RoleWorkEditor, "custom-oidc")},
				},
			}},
			{Name: "Acme", Personal: true, Explanation: domain.Explanation{
				Org:        domain.Why{Grant: grant(domain.GrantBootstrap, domain.RoleOrgAdmin, "start-up")},
				Workspaces: []domain.Why{{Workspace: "w5", Name: "All", Implied: true, Grant: grant(domain.GrantBootstrap, domain.RoleWorkAdmin, "start-up")}},
			}},
			{Name: "Empty", Explanation: domain.Explanation{Org: domain.Why{Grant: grant(domain.GrantSCIM, domain.RoleOrgUser, "Okta")}}},
		},
	}
}

func TestPages(t *testing.T) {
	signedIn := http.Header{"Cookie": {"__Host-muster=good"}}
	for name, c := range map[string]struct {
		path   string
		header http.Header
		edit   func(*web.Config)
	}{
		"sign-in":              {"/sign-in?next=/you", nil, nil},
		"sign-in-signed-out":   {"/sign-in?signed-out", nil, nil},
		"sign-in-unreachable":  {"/sign-in", nil, func(c *web.Config) { c.ProviderReady = func() bool { return false } }},
		"sign-in-unconfigured": {"/sign-in", nil, func(c *web.Config) { c.ProviderConfigured = false }},
		"you":                  {"/you", signedIn, nil},
		"nowhere":              {"/nowhere/%3Cscript%3E", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, handler := newWeb(t, &service{me: alice()}, c.edit)
			answer := request(t, handler, http.MethodGet, c.path, c.header)
			requireSafe(t, answer)
			golden(t, name, text(t, answer))
		})
	}
}

// requireSafe checks the headers of every page (item 101).
func requireSafe(t *testing.T, answer *http.Response) {
	t.Helper()
	for name, want := range map[string]string{
		"Content-Security-Policy": "frame-ancestors 'none'", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
		"Strict-Transport-Security": "max-age", "Cross-Origin-Opener-Policy": "same-origin", "Content-Type": "text/html; charset=utf-8",
	} {
		if got := answer.Header.Get(name); !strings.Contains(got, want) {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if strings.Contains(answer.Header.Get("Content-Security-Policy"), "unsafe") {
		t.Error("the policy allows what is unsafe")
	}
}

// Every reason and every kind has a page of its own words, with a way forward and the request's id.
func TestRefusals(t *testing.T) {
	pages, _ := newWeb(t, &service{}, nil)
	seen := map[string]string{}
	show := func(name string, render func(http.ResponseWriter, *http.Request)) (int, string) {
		handler := httpx.Observer{}.Wrap(http.HandlerFunc(render))
		answer := request(t, handler, http.MethodGet, "/", nil)
		requireSafe(t, answer)
		page := text(t, answer)
		if !strings.Contains(page, answer.Header.Get("X-Request-Id")) || !strings.Contains(page, `class="button"`) {
			t.Errorf("%s: no request id or no way forward", name)
		}
		return answer.StatusCode, page
	}
	for reason, status := range map[domain.Reason]int{
		domain.ReasonNotInvited: 403, domain.ReasonDisabled: 403, domain.ReasonDeprovisioned: 403, domain.ReasonEmailMissing: 403,
		domain.ReasonEmailUnverified: 403, domain.ReasonEmailTaken: 403, domain.ReasonUnreachable: 503, domain.ReasonProviderError: 502,
		domain.ReasonBadToken: 502, domain.ReasonFlowLost: 400, domain.ReasonClockSkew: 502,
	} {
		got, page := show(string(reason), func(w http.ResponseWriter, r *http.Request) {
			pages.Refused(w, r, &domain.Refusal{Reason: reason, Email: "<b>eve</b>@example.com", Detail: "inside"}) // A43
		})
		title, _, _ := strings.Cut(page, "</title>")
		if got != status || seen[title] != "" || strings.Contains(page, "<b>eve") || strings.Contains(page, "inside") {
			t.Errorf("%s: status %d, want %d; the same page as %q; %s", reason, got, status, seen[title], page)
		}
		seen[title] = string(reason)
	}
	for kind := domain.Internal; kind <= domain.Unknown; kind++ {
		got, page := show(kind.String(), func(w http.ResponseWriter, r *http.Request) {
			pages.Failed(w, r, domain.Errorf(kind, "secret insides"))
		})
		if got < 400 || (kind == domain.Internal) == strings.Contains(page, "secret insides") {
			t.Errorf("%s: %d %s", kind, got, page)
		}
	}
}

// Items 91, 99: signing out is a form of our own, ends the session before the cookie, and another site cannot send it.
func TestSignOut(t *testing.T) {
	s := &service{}
	_, handler := newWeb(t, s, nil)
	cookie := []string{"__Host-muster=good"}
	foreign := request(t, handler, http.MethodPost, "/sign-out", http.Header{"Cookie": cookie, "Sec-Fetch-Site": {"cross-site"}})
	_ = foreign.Body.Close()
	if foreign.StatusCode != http.StatusForbidden || len(s.ended) != 0 {
		t.Errorf("from another site: %d, ended %v", foreign.StatusCode, s.ended)
	}
	own := request(t, handler, http.MethodPost, "/sign-out", http.Header{"Cookie": cookie, "Sec-Fetch-Site": {"same-origin"}})
	_ = own.Body.Close()
	if own.StatusCode != http.StatusSeeOther || own.Header.Get("Location") != "/base/sign-in?signed-out" || len(s.ended) != 1 || own.Cookies()[0].MaxAge >= 0 {
		t.Errorf("%d to %q, ended %v, cookies %v", own.StatusCode, own.Header.Get("Location"), s.ended, own.Cookies())
	}
	get := request(t, handler, http.MethodGet, "/sign-out", nil)
	_ = get.Body.Close()
	if get.StatusCode != http.StatusNotFound && get.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("a GET: %d", get.StatusCode)
	}
}

// Nobody signed in is sent to the door and comes back; a database that is away is no reason to sign in again.
func TestDoor(t *testing.T) {
	_, handler := newWeb(t, &service{}, nil)
	for path, want := range map[string]string{"/": "/base/sign-in", "/you": "/base/sign-in?next=%2Fyou"} {
		answer := request(t, handler, http.MethodGet, path, nil)
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != want {
			t.Errorf("%s: %d to %q", path, answer.StatusCode, answer.Header.Get("Location"))
		}
	}
	_, away := newWeb(t, &service{err: domain.Errorf(domain.Unavailable, "no database").After(time.Second)}, nil)
	answer := request(t, away, http.MethodGet, "/", http.Header{"Cookie": {"__Host-muster=good"}})
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" {
		t.Errorf("without a database: %d, Retry-After %q", answer.StatusCode, answer.Header.Get("Retry-After"))
	}
}
