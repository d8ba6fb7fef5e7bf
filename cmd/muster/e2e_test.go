package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"muster/internal/demoidp"
	"muster/internal/testkit"
)

// TestMainJob is the product's main job from end to end, in a real browser against the real program on both engines:
// first sign-in, provisioning by SCIM, changed defaults, another default organization.
func TestMainJob(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, databaseURL string) {
		s := newSite(t, databaseURL)
		scim := s.command("token", "create", "--description", "Okta")
		ada := s.command("key", "create", "--email", "ada@example.com", "--admin")

		// R12, R14: Alice has never been here.
		s.signIn("alice")
		s.shows("alice@example.com", "Default", "Organization User", "Workspace 1", "Editor")
		testkit.Screenshot(t, s.tab, "you-alice-first-sign-in")

		alice := s.pushPerson(scim, "alice@example.com")
		group := s.pushGroup(scim, "LS:Organization User:Workspace 1:Viewer", alice)
		s.reload()
		s.shows("Viewer", "LS:Organization User:Workspace 1:Viewer")
		testkit.Screenshot(t, s.tab, "you-alice-in-a-group")
		s.scim(scim, http.MethodPatch, "/Groups/"+group, patch(`{"op":"replace","value":{"id":"`+group+`","displayName":"LS:Organization Admins"}}`))
		s.reload()
		s.shows("Organization Admin", "LS:Organization Admins")
		s.scim(scim, http.MethodPatch, "/Groups/"+group, patch(`{"op":"Remove","path":"members","value":[{"$ref":null,"value":"`+alice+`"}]}`))
		s.reload()
		s.showsNot("LS:Organization Admins")

		// R27, R30: disabled, she is out with that commit and does not come back by herself.
		s.scim(scim, http.MethodPatch, "/Users/"+alice, patch(`{"op":"Replace","path":"active","value":"False"}`))
		s.signedOutAlready()
		s.signIn("alice")
		s.shows("disabled")
		testkit.Screenshot(t, s.tab, "refused-disabled")
		s.scim(scim, http.MethodPatch, "/Users/"+alice, patch(`{"op":"replace","value":{"active":true}}`))
		s.signIn("alice")
		s.shows("alice@example.com", "Organization User")

		// R15: other defaults reach the next person only.
		lab := s.admin(ada, http.MethodPost, "/workspaces", `{"display_name":"Lab"}`)["id"]
		var settings []map[string]any
		s.adminInto(ada, http.MethodGet, "/orgs/current/sso-settings", "", &settings)
		s.admin(ada, http.MethodPatch, fmt.Sprint("/orgs/current/sso-settings/", settings[0]["id"]),
			fmt.Sprintf(`{"default_workspace_ids":["%s"],"default_workspace_role_id":"%s"}`, lab, s.role(ada, "workspace", "Viewer")))
		s.signOut()
		s.signIn("bob")
		s.shows("bob@example.com", "Lab", "Viewer")
		s.showsNot("Workspace 1")

		// R28, R30: deleted, she does not come back by signing in.
		s.scim(scim, http.MethodDelete, "/Users/"+alice, "")
		s.signOut()
		s.signIn("alice")
		s.shows("access has ended")
		testkit.Screenshot(t, s.tab, "refused-deprovisioned")

		// R19: Acme becomes the default organization; Carol joins it, Bob stays where he is.
		acme := s.command("org", "create", "Acme", "--admin", "ada@example.com")
		s.command("key", "create", "--email", "ada@example.com", "--admin", "--org", "Acme")
		s.makeDefault(acme)
		s.signOut()
		s.signIn("carol")
		s.shows("carol@other.example", "Acme")
		s.signOut()
		s.signIn("dave")
		s.shows("dave@example.com", "verified")
		testkit.Screenshot(t, s.tab, "refused-unverified")
	})
}

// site is a running server, its identity provider and a browser.
type site struct {
	*testing.T

	binary  string
	env     []string
	process *testkit.Process
	base    string
	idp     string
	tab     context.Context //nolint:containedctx // chromedp's handle of a browser tab
}

// newSite starts a server; what is given of the environment beats what a site has by default.
func newSite(t *testing.T, databaseURL string, environment ...string) *site {
	t.Helper()
	s := &site{T: t, binary: testkit.Build(t, "./cmd/muster")}
	address := testkit.FreeAddress(t)
	// The names differ so that provider and server are different sites to the browser.
	s.base = "http://localhost" + address[strings.LastIndexByte(address, ':'):]
	s.idp = startProvider(t, s.base)
	s.env = []string{
		"HOSTNAME_URL=" + s.base, "DATABASE_URL=" + databaseURL,
		"OAUTH_ISSUER_URL=" + s.idp, "OAUTH_CLIENT_ID=muster", "OAUTH_CLIENT_SECRET=secret", "LOG_FORMAT=json",
		"INITIAL_ORG_ADMIN_EMAIL=ada@example.com",
	}
	s.env = append(s.env, environment...)
	s.process = testkit.Start(t, testkit.Program{Path: s.binary, Args: []string{"serve"}, Env: s.env, Address: address})
	s.tab = testkit.Chromium(t)
	return s
}

func startProvider(t *testing.T, base string) string {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	issuer := "http://" + listener.Addr().String()
	provider, err := demoidp.New(demoidp.Config{
		Issuer: issuer, ClientID: "muster", ClientSecret: "secret", People: demoidp.DefaultPeople(),
		RedirectURIs: []string{base + "/api/v1/oauth/custom-oidc/callback", base + "/api/v1/oauth/second/callback"},
		LogoutURIs:   []string{base + "/signed-out"},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: provider.Handler(), ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return issuer
}

// command runs the program's command line beside the running server and returns what it printed.
func (s *site) command(args ...string) string {
	s.Helper()
	command := exec.CommandContext(s.Context(), s.binary, args...)
	command.Env = s.env
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		s.Fatalf("muster %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// do runs steps in the browser; each has half a minute.
func (s *site) do(steps ...chromedp.Action[chromedp.Void]) {
	s.Helper()
	for _, step := range steps {
		ctx, cancel := context.WithTimeout(s.tab, 30*time.Second)
		err := chromedp.Do(ctx, step)
		cancel()
		if err != nil {
			s.Fatalf("the browser: %v\nthe page:\n%s", err, s.text())
		}
	}
}

// waitFor asks the page, across navigations, until the condition holds.
func (s *site) waitFor(condition string) {
	s.Helper()
	for range 300 {
		holds, err := chromedp.Run(s.tab, chromedp.Evaluate[bool](condition))
		if err == nil && holds {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	s.Fatalf("%s never held; the page:\n%s", condition, s.text())
}

// signIn starts at the door, which leads straight on to the one provider, and picks a person there.
func (s *site) signIn(subject string) {
	s.Helper()
	s.do(chromedp.Navigate(s.base + "/sign-in"))
	s.pick(subject)
}

// pick chooses a person at the provider and waits for the way back.
func (s *site) pick(subject string) {
	s.Helper()
	button := `button[name="subject"][value="` + subject + `"]`
	s.waitFor(`document.querySelector('` + button + `') !== null`)
	s.do(chromedp.Click(chromedp.CSS(button)))
	s.waitFor(home(s.base))
}

// home holds when the browser shows one of the server's own pages.
func home(base string) string {
	return `location.origin === "` + base + `" && document.readyState === "complete" && document.querySelector("main h1") !== null`
}

func (s *site) signOut() {
	s.Helper()
	s.do(
		chromedp.Navigate(s.base+"/you"),
		chromedp.Click(chromedp.CSS(`form[action$="/sign-out"] button`)),
	)
	s.waitFor(`location.pathname.endsWith("/sign-in") && ` + home(s.base))
}

func (s *site) reload() {
	s.Helper()
	s.do(chromedp.Navigate(s.base + "/you"))
	s.waitFor(home(s.base))
}

// signedOutAlready asks for a page and finds itself at the provider's door.
func (s *site) signedOutAlready() {
	s.Helper()
	s.do(chromedp.Navigate(s.base + "/you"))
	s.waitFor(`location.origin === "` + s.idp + `" && document.querySelector('button[name="subject"]') !== null`)
}

// text is what a person can read on the page.
func (s *site) text() string {
	s.Helper()
	text, err := chromedp.Run(s.tab, chromedp.Evaluate[string](`document.body.innerText`))
	if err != nil {
		return err.Error()
	}
	return text
}

func (s *site) shows(want ...string) {
	s.Helper()
	text := s.text()
	for _, words := range want {
		if !strings.Contains(text, words) {
			testkit.Screenshot(s.T, s.tab, "failed")
			s.Fatalf("the page does not show %q:\n%s", words, text)
		}
	}
}

func (s *site) showsNot(unwanted ...string) {
	s.Helper()
	text := s.text()
	for _, words := range unwanted {
		if strings.Contains(text, words) {
			s.Fatalf("the page shows %q:\n%s", words, text)
		}
	}
}

func patch(operation string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + operation + `]}`
}

// scim sends a SCIM request and returns the resource it answers with.
func (s *site) scim(token, method, path, body string) map[string]any {
	s.Helper()
	var answer map[string]any
	s.send(method, "/scim/v2"+path, http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/scim+json"}}, body, &answer)
	return answer
}

// pushPerson does what Okta does: look the person up, then create them.
func (s *site) pushPerson(token, email string) string {
	s.Helper()
	found := s.scim(token, http.MethodGet, `/Users?filter=userName%20eq%20%22`+email+`%22&startIndex=1&count=100`, "")
	if total, _ := found["totalResults"].(float64); total != 0 {
		s.Fatalf("%s is there before the first push", email)
	}
	created := s.scim(token, http.MethodPost, "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"`+email+
		`","name":{"givenName":"Alice","familyName":"Lee"},"emails":[{"primary":true,"value":"`+email+
		`","type":"work"}],"displayName":"Alice Lee","locale":"en-US","externalId":"00u1","groups":[],"password":"s3cret","active":true}`)
	return fmt.Sprint(created["id"])
}

func (s *site) pushGroup(token, name, member string) string {
	s.Helper()
	created := s.scim(token, http.MethodPost, "/Groups",
		`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"`+name+`","members":[]}`)
	id := fmt.Sprint(created["id"])
	s.scim(token, http.MethodPatch, "/Groups/"+id, patch(`{"op":"add","path":"members","value":[{"value":"`+member+`"}]}`))
	return id
}

func (s *site) admin(key, method, path, body string) map[string]any {
	s.Helper()
	var answer map[string]any
	s.adminInto(key, method, path, body, &answer)
	return answer
}

func (s *site) adminInto(key, method, path, body string, into any) {
	s.Helper()
	s.send(method, "/api/v1"+path, http.Header{"X-Api-Key": {key}, "Content-Type": {"application/json"}}, body, into)
}

// role finds a role by its display name within a scope, as scripts do.
func (s *site) role(key, scope, name string) string {
	s.Helper()
	var roles []map[string]any
	s.adminInto(key, http.MethodGet, "/orgs/current/roles", "", &roles)
	for _, role := range roles {
		if role["access_scope"] == scope && role["display_name"] == name {
			return fmt.Sprint(role["id"])
		}
	}
	s.Fatalf("there is no role %s in %s: %v", name, scope, roles)
	return ""
}

// makeDefault signs Ada in and lets her browser's session make the organization the default one:
// a personal access token belongs to one organization, and the rule asks for an Admin of both.
func (s *site) makeDefault(org string) {
	s.Helper()
	s.signIn("ada")
	s.shows("ada@example.com", "Acme", "Default")
	s.send(http.MethodPost, "/api/v1/orgs/current/set-default-sso-provision", http.Header{
		"X-Organization-Id": {org}, "Origin": {s.base}, "Sec-Fetch-Site": {"same-origin"}, "Cookie": {s.cookies()},
	}, "", new(any))
}

// cookies are the browser's for the server, as it would send them.
func (s *site) cookies() string {
	s.Helper()
	found, err := chromedp.Call(s.tab, network.GetCookies, network.GetCookiesParams{URLs: []string{s.base}})
	if err != nil {
		s.Fatal(err)
	}
	var pairs []string
	for _, cookie := range found.Cookies {
		pairs = append(pairs, cookie.Name+"="+cookie.Value)
	}
	return strings.Join(pairs, "; ")
}

// send sends a request, fails on anything but success, and decodes the answer unless there is none.
func (s *site) send(method, path string, header http.Header, body string, into any) {
	s.Helper()
	request, err := http.NewRequestWithContext(s.Context(), method, s.base+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	request.Header = header
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= http.StatusBadRequest {
		s.Fatalf("%s %s: %d %s (%v)", method, path, answer.StatusCode, raw, err)
	}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, into); err != nil {
			s.Fatalf("%s %s: %v in %s", method, path, err, raw)
		}
	}
}
