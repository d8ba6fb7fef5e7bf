package web_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
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
	me       domain.Me
	err      error
	ended    []string
	sessions []domain.Session
	disabled map[string]time.Time
}

func (s *service) Session(_ context.Context, token string, _ domain.Client) (domain.Principal, error) {
	if token != "good" {
		return domain.Principal{}, domain.Errorf(domain.Unauthenticated, "no such session")
	}
	return domain.Principal{}, s.err
}

func (s *service) Me(context.Context, domain.Principal) (domain.Me, error) { return s.me, s.err }

func (s *service) SignOut(_ context.Context, token string, _ domain.Client) (domain.SignedOut, error) {
	s.ended = append(s.ended, token)
	return domain.SignedOut{Provider: "custom-oidc", Email: s.me.User.Email}, s.err
}

func (s *service) MySessions(context.Context, domain.Principal) ([]domain.Session, error) {
	return s.sessions, s.err
}

func (s *service) EndMySession(_ context.Context, _ domain.Principal, id domain.SessionID) error {
	s.ended = append(s.ended, string(id))
	return s.err
}

func (s *service) EndMySessions(_ context.Context, _ domain.Principal, keepCurrent bool) (int, error) {
	s.ended = append(s.ended, fmt.Sprint("all but current: ", keepCurrent))
	return 1, s.err
}

func (s *service) CheckSetUpToken(_ context.Context, token string) error {
	if token == "good" {
		return nil
	}
	return domain.Errorf(domain.NotFound, "used")
}

func (s *service) DisabledProviders(context.Context) (map[string]time.Time, error) {
	return s.disabled, nil
}

// doors are providers that answer, and where their own sessions end.
type doors struct {
	list []web.Door
	end  string
}

func (d doors) List() []web.Door { return d.list }

func (d doors) EndSession(domain.SignedOut) (target, state string) {
	if d.end == "" {
		return "", ""
	}
	return d.end + "/end?state=s", "s"
}

func (d doors) EndSessionOrigins() []string {
	if d.end == "" {
		return nil
	}
	return []string{d.end}
}

// okta and entra are two doors, of which the second does not answer.
func okta() web.Door  { return web.Door{ID: "custom-oidc", Name: "Okta", Ready: true} }
func entra() web.Door { return web.Door{ID: "entra", Name: "Entra <ID>"} }

// switchedOff has the operator switch providers off.
func switchedOff(ids ...string) func(*web.Config) {
	disabled := map[string]time.Time{}
	for _, id := range ids {
		disabled[id] = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	}
	return func(c *web.Config) { c.Service.(*service).disabled = disabled }
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
		Doors: doors{list: []web.Door{okta(), entra()}},
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

// golden compares a whole page with the one that was looked at and kept; the digests of the files it loads are left out.
func golden(t *testing.T, name, got string) {
	t.Helper()
	got = regexp.MustCompile(`\?v=[0-9a-f]{16}"`).ReplaceAllString(got, `?v=DIGEST"`)
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

var at = time.Date(2026, 3, 1, 23, 30, 0, 0, time.UTC)

func grant(kind domain.GrantKind, role domain.RoleID, name string) domain.Grant {
	return domain.Grant{Kind: kind, Role: role, Source: "some-id", SourceName: name, At: at}
}

// alice has every kind of grant, in force and lost, and names that try to break out.
func alice() domain.Me {
	group := "LS:Organization User:Workspace 1:Viewer"
	left := grant(domain.GrantSCIM, domain.RoleOrgUser, "")
	left.Source = ""
	return domain.Me{
		User: domain.User{Email: "alice@example.com", FullName: "Alice <script>alert(\"1\")</script> \u202eevil\u202c 😀"},
		Organizations: []domain.MyOrg{
			{Name: "Default", Default: true, Explanation: domain.Explanation{
				Org: domain.Why{Grant: grant(domain.GrantGroup, domain.RoleOrgUser, group), Lost: []domain.Lost{
					{Grant: grant(domain.GrantJIT, domain.RoleOrgUser, "custom-oidc"), Why: "replaced by the group “" + group + "”; it does not come back when the group is left"},
				}},
				Workspaces: []domain.Why{
					{Workspace: "w1", Name: "Workspace 1", Grant: grant(domain.GrantGroup, domain.RoleWorkViewer, group), Lost: []domain.Lost{
						{Grant: grant(domain.GrantGroup, domain.RoleWorkEditor, "<i>\u202eEditors"), Why: "the group “" + group + "” was created later and decides in this workspace"},
						{Grant: grant(domain.GrantManual, domain.RoleWorkAdmin, "ada@example.com"), Why: "replaced by the group “" + group + "”"},
					}},
					{Workspace: "w2", Name: strings.Repeat("long", 50), Grant: grant(domain.GrantManual, domain.RoleWorkEditor, "ada@example.com")},
					{Workspace: "w3", Name: "מרחב עבודה", Grant: grant(domain.GrantInvite, domain.RoleWorkEditor, "אדה@example.com")},
					{Workspace: "w4", Name: "Lab 🔬", Grant: grant(domain.GrantJIT, domain.RoleWorkEditor, "custom-oidc")},
					{Workspace: "w5", Name: `"><img src=x onerror=alert(1)>`, Grant: grant(domain.GrantInvite, domain.RoleWorkEditor, "")},
					{Workspace: "w6", Name: "Six", Grant: grant(domain.GrantManual, domain.RoleWorkEditor, "")},
				},
			}},
			{Name: "Alice’s own", Personal: true, Explanation: domain.Explanation{
				Org: domain.Why{Grant: grant(domain.GrantBootstrap, domain.RoleOrgAdmin, "start-up")},
				Workspaces: []domain.Why{{Workspace: "w7", Name: "All", Implied: true, Grant: grant(domain.GrantBootstrap, domain.RoleWorkAdmin, "start-up"), Lost: []domain.Lost{
					{Grant: grant(domain.GrantJIT, domain.RoleWorkEditor, "custom-oidc"), Why: "an Organization Admin is Admin of every workspace; this role counts again when that ends"},
				}}},
			}},
			{Name: "Acme", Explanation: domain.Explanation{Org: domain.Why{Grant: grant(domain.GrantSCIM, domain.RoleOrgUser, "Okta")}}},
			{Name: "Beta", Explanation: domain.Explanation{Org: domain.Why{Grant: grant(domain.GrantSCIM, domain.RoleOrgUser, "")}}},
			{Name: "Gamma", Explanation: domain.Explanation{Org: domain.Why{Grant: left}}},
		},
	}
}

// bob is in one organization, as most people are, and has no name.
func bob() domain.Me {
	return domain.Me{User: domain.User{Email: "bob@example.com"}, Organizations: []domain.MyOrg{
		{Name: "Default", Default: true, Explanation: domain.Explanation{
			Org:        domain.Why{Grant: grant(domain.GrantJIT, domain.RoleOrgUser, "custom-oidc")},
			Workspaces: []domain.Why{{Workspace: "w1", Name: "Workspace 1", Grant: grant(domain.GrantJIT, domain.RoleWorkEditor, "custom-oidc")}},
		}},
	}}
}

// R37, item 84: every page whole, as it was looked at.
func TestPages(t *testing.T) {
	signedIn := http.Header{"Cookie": {"__Host-muster=good"}}
	for name, c := range map[string]struct {
		method, path string
		header       http.Header
		edit         func(*web.Config)
		me           domain.Me
		status       int
	}{
		"sign-in":              {http.MethodGet, "/sign-in?next=/you?a=b%26c", nil, nil, domain.Me{}, 200},
		"sign-in-signed-out":   {http.MethodGet, "/sign-in?signed-out", nil, nil, domain.Me{}, 200},
		"sign-in-unreachable":  {http.MethodGet, "/sign-in", nil, behind(entra()), domain.Me{}, 200},
		"sign-in-unconfigured": {http.MethodGet, "/sign-in", nil, behind(), domain.Me{}, 200},
		"sign-in-one-door":     {http.MethodGet, "/sign-in?signed-out", nil, behind(okta()), domain.Me{}, 200},
		"sign-in-disabled":     {http.MethodGet, "/sign-in", nil, switchedOff("custom-oidc"), domain.Me{}, 200},
		"sign-in-closed":       {http.MethodGet, "/sign-in", nil, switchedOff("custom-oidc", "entra"), domain.Me{}, 200},
		"set-up":               {http.MethodGet, "/set-up?token=good", nil, nil, domain.Me{}, 200},
		"sessions":             {http.MethodGet, "/you/sessions", signedIn, nil, bob(), 200},
		"you":                  {http.MethodGet, "/you", signedIn, nil, alice(), 200},
		"you-plain":            {http.MethodGet, "/you", signedIn, nil, bob(), 200},
		"not-found":            {http.MethodGet, "/nowhere/%3Cscript%3E?next=https://evil.example", nil, nil, domain.Me{}, 404},
		"not-allowed":          {http.MethodPut, "/you", nil, nil, domain.Me{}, 405},
	} {
		t.Run(name, func(t *testing.T) {
			_, handler := newWeb(t, &service{me: c.me, sessions: twoBrowsers()}, c.edit)
			answer := request(t, handler, c.method, c.path, c.header)
			requireSafe(t, answer)
			if answer.StatusCode != c.status {
				t.Errorf("status %d, want %d", answer.StatusCode, c.status)
			}
			golden(t, name, text(t, answer))
		})
	}
}

// behind puts other doors in front of the pages.
func behind(list ...web.Door) func(*web.Config) {
	return func(c *web.Config) { c.Doors = doors{list: list} }
}

// twoBrowsers are sessions, one of them with a name that tries to break out.
func twoBrowsers() []domain.Session {
	return []domain.Session{
		{ID: "01", Client: domain.Client{IP: "192.0.2.1", UserAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"}, CreatedAt: at, LastSeenAt: at.Add(time.Hour), EndsAt: at.Add(24 * time.Hour)},
		{ID: "02", Client: domain.Client{UserAgent: "<b>\u202eagent"}, CreatedAt: at, LastSeenAt: at, EndsAt: at.Add(time.Hour)},
	}
}

// With one provider that answers the door leads straight on; after signing out, and when the provider is away, it stays.
func TestStraightOn(t *testing.T) {
	for target, c := range map[string]struct {
		edit func(*web.Config)
		want string
	}{
		"/sign-in":             {behind(okta()), "/base/api/v1/oauth/custom-oidc"},
		"/sign-in?next=/you":   {behind(okta()), "/base/api/v1/oauth/custom-oidc?next=%2Fyou"},
		"/sign-in?another":     {behind(okta()), "/base/api/v1/oauth/custom-oidc?prompt=select_account"},
		"/sign-in?signed-out":  {behind(okta()), ""},
		"/sign-in?next=/":      {behind(entra()), ""},
		"/sign-in?next=/two":   {behind(okta(), entra()), ""},
		"/sign-in?next=/three": {behind(), ""},
	} {
		_, handler := newWeb(t, &service{}, c.edit)
		answer := request(t, handler, http.MethodGet, target, nil)
		_ = answer.Body.Close()
		if got := answer.Header.Get("Location"); got != c.want {
			t.Errorf("%s leads to %q, want %q", target, got, c.want)
		}
	}
}

// Item 102: after the session here has ended, signing out leads on to the provider, and back to a page that says so
// whatever state comes back; pages allow their forms to lead there and nowhere else (item 101).
func TestSignOutAtTheProvider(t *testing.T) {
	s := &service{}
	_, handler := newWeb(t, s, func(c *web.Config) { c.Doors = doors{list: []web.Door{okta()}, end: "https://idp.example"} })
	out := request(t, handler, http.MethodPost, "/sign-out", http.Header{"Cookie": {"__Host-muster=good"}, "Sec-Fetch-Site": {"same-origin"}})
	_ = out.Body.Close()
	if out.StatusCode != http.StatusSeeOther || out.Header.Get("Location") != "https://idp.example/end?state=s" || len(s.ended) != 1 {
		t.Fatalf("%d to %q, ended %v", out.StatusCode, out.Header.Get("Location"), s.ended)
	}
	policy := out.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "form-action 'self' https://idp.example;") {
		t.Errorf("the policy is %q", policy)
	}
	var state string
	for _, cookie := range out.Cookies() {
		if cookie.Name == "__Host-muster-out" {
			state = cookie.Value
		}
	}
	if state != "s" {
		t.Errorf("the state in the cookie is %q", state)
	}
	for _, query := range []string{"?state=s", "?state=other", "", "?state="} {
		back := request(t, handler, http.MethodGet, "/signed-out"+query, http.Header{"Cookie": {"__Host-muster-out=s"}})
		_ = back.Body.Close()
		if back.StatusCode != http.StatusSeeOther || back.Header.Get("Location") != "/base/sign-in?signed-out" || len(back.Cookies()) != 1 || back.Cookies()[0].MaxAge >= 0 {
			t.Errorf("back with %q: %d to %q", query, back.StatusCode, back.Header.Get("Location"))
		}
	}
}

// Item 92: one session, all others, or all of them end by forms that no other site can send; ending one's own signs out.
func TestEndSessions(t *testing.T) {
	for name, c := range map[string]struct {
		path, body string
		ended      string
		location   string
	}{
		"one":     {"/you/sessions/end", "id=02", "[02]", "/base/you/sessions"},
		"current": {"/you/sessions/end", "id=", "[good]", "/base/sign-in?signed-out"},
		"others":  {"/you/sessions/end-others", "", "[all but current: true]", "/base/you/sessions"},
		"all":     {"/you/sessions/end-all", "", "[all but current: true good]", "/base/sign-in?signed-out"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &service{me: bob()}
			_, handler := newWeb(t, s, nil)
			for site, status := range map[string]int{"cross-site": http.StatusForbidden, "same-origin": http.StatusSeeOther} {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, c.path, strings.NewReader(c.body))
				r.Header = http.Header{"Cookie": {"__Host-muster=good"}, "Sec-Fetch-Site": {site}, "Content-Type": {"application/x-www-form-urlencoded"}}
				recorder := httptest.NewRecorder()
				handler.ServeHTTP(recorder, r)
				if recorder.Code != status {
					t.Errorf("%s: %d", site, recorder.Code)
				}
				if status == http.StatusSeeOther && (recorder.Header().Get("Location") != c.location || fmt.Sprint(s.ended) != c.ended) {
					t.Errorf("to %q, ended %v", recorder.Header().Get("Location"), s.ended)
				}
				if status == http.StatusForbidden && len(s.ended) > 0 {
					t.Errorf("another site ended %v", s.ended)
				}
				s.ended = nil
			}
		})
	}
}

// R7: a set-up link that is used up says what to do instead.
func TestSetUpLinkUsedUp(t *testing.T) {
	_, handler := newWeb(t, &service{}, nil)
	answer := request(t, handler, http.MethodGet, "/set-up?token=other", nil)
	if page := text(t, answer); answer.StatusCode != http.StatusGone || !strings.Contains(page, "used up") {
		t.Errorf("%d %s", answer.StatusCode, page)
	}
}

// An Organization Admin is in every workspace there is; the page stays small, and says what it left out.
func TestManyWorkspaces(t *testing.T) {
	me := bob()
	for i := range 10_000 {
		me.Organizations[0].Workspaces = append(me.Organizations[0].Workspaces, domain.Why{
			Name: fmt.Sprint("Workspace ", i+2), Implied: true, Grant: grant(domain.GrantManual, domain.RoleWorkAdmin, "ada@example.com"),
		})
	}
	_, handler := newWeb(t, &service{me: me}, nil)
	page := text(t, request(t, handler, http.MethodGet, "/you", http.Header{"Cookie": {"__Host-muster=good"}}))
	if len(page) > 60_000 || !strings.Contains(page, ">9901 more workspaces</a>.") {
		t.Errorf("%d bytes", len(page))
	}
}

// requireSafe checks the headers of every page (item 101).
func requireSafe(t *testing.T, answer *http.Response) {
	t.Helper()
	for name, want := range map[string]string{
		"Content-Security-Policy":    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
		"X-Content-Type-Options":     "nosniff",
		"Cache-Control":              "no-store",
		"Strict-Transport-Security":  "max-age=31536000",
		"Cross-Origin-Opener-Policy": "same-origin",
		"Content-Type":               "text/html; charset=utf-8",
	} {
		if got := answer.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	// Under no-referrer a browser sends "Origin: null" with our own forms; pages of problems have no form (item 38).
	want := "same-origin"
	if answer.StatusCode >= 400 {
		want = "no-referrer"
	}
	if got := answer.Header.Get("Referrer-Policy"); got != want {
		t.Errorf("Referrer-Policy is %q, want %q", got, want)
	}
}

// rendered is a page that a handler answers with, behind what gives every request its id.
func rendered(t *testing.T, method string, render http.HandlerFunc) (*http.Response, string) {
	t.Helper()
	answer := request(t, httpx.Observer{}.Wrap(render), method, "/api/v1/oauth/custom-oidc/callback?code=secret", nil)
	requireSafe(t, answer)
	id := answer.Header.Get("X-Request-Id")
	page := text(t, answer)
	if id == "" || !strings.Contains(page, "<code>"+id+"</code>") {
		t.Error("the page does not show the request's id")
	}
	return answer, strings.ReplaceAll(page, id, "REQUEST-ID")
}

// A43, items 31, 36, 40, 84: every reason has a page of its own words, with a way forward and nothing that was meant for the log.
func TestRefusals(t *testing.T) {
	pages, _ := newWeb(t, &service{}, nil)
	titles := map[string]domain.Reason{}
	for reason, status := range map[domain.Reason]int{
		domain.ReasonNotInvited: 403, domain.ReasonDisabled: 403, domain.ReasonDeprovisioned: 403, domain.ReasonEmailMissing: 403,
		domain.ReasonEmailUnverified: 403, domain.ReasonEmailTaken: 403, domain.ReasonUnreachable: 503, domain.ReasonProviderError: 502,
		domain.ReasonBadToken: 502, domain.ReasonFlowLost: 400, domain.ReasonClockSkew: 502, "of another version": 403,
		domain.ReasonNoGroup: 403, domain.ReasonNotProved: 403, domain.ReasonAnotherPerson: 403, domain.ReasonNotRenewed: 401, domain.ReasonSetUpOver: 410, domain.ReasonProviderDisabled: 403,
	} {
		t.Run(string(reason), func(t *testing.T) {
			refusal := &domain.Refusal{Reason: reason, Detail: "inside"}
			if status == http.StatusForbidden && reason != domain.ReasonEmailMissing {
				refusal.Email = "<b>eve</b>@example.com"
			}
			answer, page := rendered(t, http.MethodGet, func(w http.ResponseWriter, r *http.Request) { pages.Refused(w, r, refusal) })
			if answer.StatusCode != status || (status == http.StatusServiceUnavailable) != (answer.Header.Get("Retry-After") != "") {
				t.Errorf("status %d, want %d; Retry-After %q", answer.StatusCode, status, answer.Header.Get("Retry-After"))
			}
			title, _, _ := strings.Cut(page, "</title>")
			if other, twice := titles[title]; twice {
				t.Errorf("%s has the same page", other)
			}
			titles[title] = reason
			if strings.Contains(page, "inside") {
				t.Error("the page shows what was meant for the log")
			}
			golden(t, "refused-"+strings.ReplaceAll(string(reason), " ", "_"), page)
		})
	}
}

// Every kind has a page of its own words; the text of a defect stays in the log.
func TestFailures(t *testing.T) {
	pages, _ := newWeb(t, &service{}, nil)
	titles := map[string]domain.Kind{}
	statuses := []int{
		domain.Internal: 500, domain.Invalid: 400, domain.NotFound: 404, domain.Conflict: 409, domain.Stale: 409, domain.Unauthenticated: 401,
		domain.Forbidden: 403, domain.StepUpNeeded: 401, domain.Guarded: 429, domain.TooLarge: 413, domain.Limited: 429, domain.Unavailable: 503, domain.Unknown: 503,
	}
	for i, status := range statuses {
		kind := domain.Kind(i)
		t.Run(kind.String(), func(t *testing.T) {
			failing := httpx.Handler(func(http.ResponseWriter, *http.Request) error {
				return domain.Wrap(kind, io.ErrUnexpectedEOF, "the <b>text</b> of the error")
			}).With(pages.Failed)
			answer, page := rendered(t, http.MethodGet, failing.ServeHTTP)
			if answer.StatusCode != status || status == http.StatusServiceUnavailable && answer.Header.Get("Retry-After") == "" {
				t.Errorf("status %d, want %d; Retry-After %q", answer.StatusCode, status, answer.Header.Get("Retry-After"))
			}
			title, _, _ := strings.Cut(page, "</title>")
			if other, twice := titles[title]; twice {
				t.Errorf("%s has the same page", other)
			}
			titles[title] = kind
			if strings.Contains(page, "unexpected EOF") || kind == domain.Internal && strings.Contains(page, "text") {
				t.Error("the page shows what was meant for the log")
			}
			golden(t, "failed-"+kind.String(), page)
		})
	}
	if next := domain.Kind(len(statuses)).String(); !strings.HasPrefix(next, "kind(") {
		t.Errorf("%s is a kind without a page", next)
	}
}

// A form that was sent cannot be asked for once more by a link.
func TestFailedForm(t *testing.T) {
	pages, _ := newWeb(t, &service{}, nil)
	_, page := rendered(t, http.MethodPost, func(w http.ResponseWriter, r *http.Request) {
		pages.Failed(w, r, domain.Errorf(domain.Unavailable, "the database does not answer"))
	})
	if strings.Contains(page, "Try again</a>") || !strings.Contains(page, `href="/base/">Front page</a>`) {
		t.Error(page)
	}
}

// Files are kept for good under the address that pages give, and asked for anew under any other.
func TestStatic(t *testing.T) {
	_, handler := newWeb(t, &service{}, nil)
	page := text(t, request(t, handler, http.MethodGet, "/sign-in", nil))
	for name, contentType := range map[string]string{"muster.css": "text/css; charset=utf-8", "times.js": "text/javascript; charset=utf-8", "mark.svg": "image/svg+xml"} {
		t.Run(name, func(t *testing.T) {
			_, rest, found := strings.Cut(page, `"/base/static/`+name+"?v=")
			version, _, _ := strings.Cut(rest, `"`)
			if !found || version == "" {
				t.Fatal("the page does not load it")
			}
			answer := request(t, handler, http.MethodGet, "/static/"+name+"?v="+version, nil)
			_ = answer.Body.Close()
			if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != contentType || !strings.Contains(answer.Header.Get("Cache-Control"), "immutable") {
				t.Errorf("%d, %q, %q", answer.StatusCode, answer.Header.Get("Content-Type"), answer.Header.Get("Cache-Control"))
			}
			again := request(t, handler, http.MethodGet, "/static/"+name+"?v=old", http.Header{"If-None-Match": {answer.Header.Get("Etag")}})
			_ = again.Body.Close()
			if again.StatusCode != http.StatusNotModified || again.Header.Get("Cache-Control") != "no-cache" {
				t.Errorf("once more: %d, %q", again.StatusCode, again.Header.Get("Cache-Control"))
			}
		})
	}
	for _, name := range []string{"none.css", "..%2Fweb.go", "%2e%2e", "templates%2Fyou.html"} {
		answer := request(t, handler, http.MethodGet, "/static/"+name, nil)
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusNotFound || answer.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d, %q", name, answer.StatusCode, answer.Header.Get("Cache-Control"))
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
	get := request(t, handler, http.MethodGet, "/sign-out", http.Header{"Cookie": cookie})
	_ = get.Body.Close()
	if get.StatusCode != http.StatusMethodNotAllowed || get.Header.Get("Allow") != http.MethodPost || len(s.ended) != 1 {
		t.Errorf("a GET: %d, Allow %q, ended %v", get.StatusCode, get.Header.Get("Allow"), s.ended)
	}
}

// A session that could not be ended keeps its cookie, so that the person can try again.
func TestSignOutFails(t *testing.T) {
	_, handler := newWeb(t, &service{err: domain.Errorf(domain.Unavailable, "the database does not answer")}, nil)
	answer := request(t, handler, http.MethodPost, "/sign-out", http.Header{"Cookie": {"__Host-muster=good"}, "Sec-Fetch-Site": {"same-origin"}})
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusServiceUnavailable || len(answer.Cookies()) != 0 {
		t.Errorf("%d, cookies %v", answer.StatusCode, answer.Cookies())
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
