package main_test

import (
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"muster/internal/testkit"
)

// TestConsoleAgainstOdds shares one server and one browser among what goes wrong; each part begins by signing in.
func TestConsoleAgainstOdds(t *testing.T) {
	database := testkit.Postgres(t)
	c := newConsole(t, database)
	c.database = database
	c.populate()
	for _, step := range []consoleStep{
		{"lost session", (*console).keepsFormOfALostSession},
		{"who can", (*console).saysWhoCan},
		{"forged forms", (*console).refusesForgedForms},
		{"names", (*console).keepsNamesSafe},
		{"without scripts", (*console).worksWithoutScripts},
		{"keyboard", (*console).worksByKeyboard},
		// It makes every sign-in an hour older, so it comes last.
		{"proof", (*console).keepsFormThatNeedsProof},
	} {
		c.step(t, step)
	}
}

// A form whose session has ended is kept: the person signs in beside it and sends it again.
func (c *console) keepsFormOfALostSession() {
	c.openAs("ada", "/workspaces")
	c.fill(`#create-display_name`, "Kept name")
	cookies := c.cookies()
	c.forget()
	c.press("section[aria-labelledby=create]", "Create")
	c.shows("Your session has ended", "kept on this page")
	if strings.Contains(c.workspaceNames(), "Kept name") {
		c.Fatal("it was created without a session")
	}
	// What signing in beside it does: the browser has a session again.
	for _, pair := range strings.Split(cookies, "; ") {
		name, value, _ := strings.Cut(pair, "=")
		c.setCookie(name, value)
	}
	c.press("section", "Send what I entered")
	c.shows("Created.", "Kept name")
	// A page that was asked for without a session opens after signing in, with its search.
	c.forget()
	c.do(chromedp.Navigate(c.in + "/members?q=ada"))
	c.pick("ada")
	c.want(c.evaluate(`location.pathname + location.search`), "/orgs/"+c.org+"/members?q=ada")
}

// Item 110: a change that needs a recent sign-in keeps the form too.
func (c *console) keepsFormThatNeedsProof() {
	c.openAs("ada", "/provisioning")
	c.fill(`#token-description`, "Okta")
	c.hourPasses()
	c.press("section[aria-labelledby=tokens]", "Create a token")
	c.shows("Please prove once more who you are", "kept on this page")
	if got := c.evaluate(`document.querySelector("input[name=description]").value`); got != "Okta" {
		c.Errorf("the form holds %q", got)
	}
	if link := c.evaluate(`document.querySelector("a[target=_blank]").href`); !strings.Contains(link, "/step-up?next=%2Fsigned-in") {
		c.Errorf("the link leads to %s", link)
	}
}

// hourPasses makes every sign-in an hour older.
func (c *console) hourPasses() {
	c.Helper()
	database, err := sql.Open("postgres", c.database)
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = database.Close() }()
	if _, err := database.ExecContext(c.Context(), "UPDATE sessions SET auth_time = auth_time - 3600000000"); err != nil {
		c.Fatal(err)
	}
}

// Who may not is told who can, on every page that only some may see or change; nothing in a form makes up for it.
func (c *console) saysWhoCan() {
	c.openAs("bob", "/members")
	c.look(1280, "light")
	c.shows("Grace Hopper", "Workspaces", "Settings")
	c.showsNot("Invite people", "Audit log", "Health", "Guard")
	// What everybody may read opens for everybody.
	for _, path := range []string{
		"/workspaces", "/workspaces/" + c.id("/workspaces", "display_name", "Workspace 1"), "/roles", "/roles/" + c.role(c.key, "workspace", "Editor"), "/sign-in-settings",
		"/provisioning", "/provisioning/connect/okta", "/provisioning/groups", "/provisioning/groups/" + c.id("/orgs/current/scim/groups", "display_name", "Canteen <i>"),
		"/provisioning/activity", "/settings", "/keys", "/members/" + fmt.Sprint(c.memberOf("person0@example.com")["id"]),
	} {
		if answer := c.answer(c.in + path); !strings.HasPrefix(answer, "200") {
			c.Errorf("%s: %.200s", path, answer)
		}
	}
	for _, path := range []string{"/audit", "/health", "/hooks", "/invite", "/audit.csv"} {
		c.do(chromedp.Navigate(c.in + path))
		c.waitFor(home(c.base))
		c.shows("You may not do this", "ada@example.com")
	}
	member := fmt.Sprint(c.memberOf("person0@example.com")["id"])
	for path, form := range map[string]url.Values{
		"/members/" + member + "/role":                 {"role_id": {c.role(c.key, "organization", "Organization Admin")}},
		"/members/" + member + "/status":               {"disabled": {"true"}},
		"/members/" + member + "/remove":               {},
		"/invites":                                     {"addresses": {"x@example.com"}},
		"/workspaces":                                  {"display_name": {"Mine"}},
		"/roles/new":                                   {"display_name": {"Mine"}},
		"/settings":                                    {"display_name": {"Mine"}},
		"/sign-in-settings/joining":                    {},
		"/sign-in-settings/defaults":                   {},
		"/sign-in-settings/providers/custom-oidc/test": {},
		"/provisioning/tokens":                         {"description": {"Mine"}},
		"/provisioning/guard":                          {"max_people": {"1"}, "max_percent": {"1"}, "window_minutes": {"1"}},
		"/keys":                                        {"description": {"Mine"}},
		"/hooks":                                       {"url": {"https://192.0.2.1"}},
		"/default":                                     {},
		"/sessions/end":                                {},
	} {
		status, body := c.post(path, form, nil)
		if status != http.StatusForbidden {
			c.Errorf("%s: %d %s", path, status, body)
		}
	}
	// A workspace's own Admin may bring people in, as far as the switch allows; the page says who can do the rest (R21).
	workspace := c.id("/workspaces", "display_name", "Workspace 1")
	c.send(http.MethodPatch, "/api/v1/workspaces/current/members/"+fmt.Sprint(c.memberOf("bob@example.com")["id"]), http.Header{
		"X-Api-Key": {c.key}, "X-Tenant-Id": {workspace}, "Content-Type": {"application/json"},
	}, `{"role_id":"`+c.role(c.key, "workspace", "Admin")+`"}`, new(any))
	c.open("/workspaces/" + workspace)
	c.shows("Bring people in", "switched off; an Organization Admin can invite them, or switch it on: ada@example.com")
	c.fill("textarea", "stranger@example.com")
	c.press("section[aria-labelledby=bring]", "Bring in")
	c.shows("switched off for workspaces")
	c.fill("textarea", "person2@example.com")
	c.press("section[aria-labelledby=bring]", "Bring in")
	c.shows("person2@example.com")
}

// A form from another site, one that is too large, one for another organization, and an offer to undo that nobody made.
func (c *console) refusesForgedForms() {
	acme := c.command("org", "create", "Acme", "--admin", "carol@other.example")
	c.openAs("ada", "/members")
	if status, _ := c.post("/workspaces", url.Values{"display_name": {"Forged"}}, http.Header{"Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}}); status != http.StatusForbidden {
		c.Errorf("from another site: %d", status)
	}
	if status, _ := c.post("/workspaces", url.Values{"display_name": {"Forged"}}, http.Header{}); status != http.StatusForbidden {
		c.Errorf("without a word where it is from: %d", status)
	}
	if status, _ := c.post("/workspaces", url.Values{"display_name": {strings.Repeat("x", 300<<10)}}, nil); status != http.StatusRequestEntityTooLarge {
		c.Errorf("too large: %d", status)
	}
	foreign, nowhere := c.base+"/orgs/"+acme+"/members", c.base+"/orgs/01890000-0000-7000-8000-000000000000/members"
	if a, b := c.answer(foreign), c.answer(nowhere); a != b || !strings.HasPrefix(a, "404") {
		c.Errorf("another organization answers %q, none %q", a, b)
	}
	ada := fmt.Sprint(c.memberOf("ada@example.com")["id"])
	c.do(chromedp.Navigate(c.in + "/members?done=role&undo=" + url.QueryEscape("/orgs/"+c.org+"/members/"+ada+"/role?role_id=x") + "&until=99999999999&mac=AAAA"))
	c.waitFor(home(c.base))
	c.shows("The role was changed.")
	c.showsNot("Undo")
	c.do(chromedp.Navigate(c.in + "/members?done=" + url.QueryEscape("<script>alert(1)</script>")))
	c.waitFor(home(c.base))
	c.showsNot("alert(1)")
}

// Names with markup, right-to-left text, 200 characters and emoji are whole and harmless on every page.
func (c *console) keepsNamesSafe() {
	c.openAs("ada", "/members")
	c.shows("Alan <b>Turing</b>", "עדה לאבלייס", strings.Repeat("Long", 50), "Kurt 🤖 Gödel")
	c.want(c.evaluate(`String(document.querySelectorAll("main b, main i, main script").length)`), "0")
	// A name that a spreadsheet would run.
	c.admin(c.key, http.MethodPost, "/orgs/current/roles", `{"display_name":"=HYPERLINK(\"https://evil.example\")","description":"","permissions":[]}`)
	table := c.body(c.in + "/audit.csv")
	if !strings.Contains(table, `"'=HYPERLINK(`) || strings.Contains(table, `,"=HYPERLINK(`) {
		c.Errorf("the table:\n%s", table)
	}
}

// Everything works without scripts: a question is a page of its own, and nothing is hidden.
func (c *console) worksWithoutScripts() {
	c.openAs("ada", "/members")
	member := fmt.Sprint(c.memberOf("person0@example.com")["id"])
	c.scripts(false)
	c.do(chromedp.Navigate(c.in + "/members/" + member))
	c.do(chromedp.Click(chromedp.CSS(`a[href$="/disable"]`)))
	c.do(chromedp.Click(chromedp.CSS(`.confirm button`)))
	c.do(chromedp.WaitVisible(chromedp.CSS(`.done`)))
	c.want(c.memberOf("person0@example.com")["is_disabled"], true)
	c.do(chromedp.Click(chromedp.CSS(`form[action$="/status"] button`)))
	c.do(chromedp.WaitVisible(chromedp.CSS(`a[href$="/disable"]`)))
	c.want(c.memberOf("person0@example.com")["is_disabled"], false)
	c.do(chromedp.Navigate(c.in + "/provisioning/connect/okta"))
	c.do(chromedp.Click(chromedp.CSS(`section[aria-labelledby=step-1] button`)))
	c.do(chromedp.WaitVisible(chromedp.CSS(`.secret code`)))
	c.scripts(true)
}

// With the keyboard alone: skip to the content, search, open somebody, disable them in the dialog, leave it by Escape.
func (c *console) worksByKeyboard() {
	c.openAs("ada", "/members")
	c.keys(kb.Tab)
	c.want(c.focused(), "Skip to the content")
	c.keys(kb.Enter + kb.Tab + kb.Tab + kb.Tab)
	c.want(c.evaluate(`document.activeElement.id`), "q")
	c.mark()
	c.keys("grace" + kb.Enter)
	c.waitFor(`!document.body.dataset.old && ` + home(c.base))
	c.tabTo("Grace Hopper")
	c.mark()
	c.keys(kb.Enter)
	c.waitFor(`!document.body.dataset.old && ` + home(c.base))
	c.tabTo("Disable")
	c.keys(kb.Enter)
	c.waitFor(`document.querySelector("dialog[open]") !== null`)
	c.keys(kb.Escape)
	c.waitFor(`document.querySelector("dialog") === null`)
	c.want(c.focused(), "Disable")
	c.keys(kb.Enter)
	c.waitFor(`document.querySelector("dialog[open]") !== null`)
	c.tabTo("Disable")
	c.mark()
	c.keys(kb.Enter)
	c.waitFor(`!document.body.dataset.old && ` + home(c.base))
	c.want(c.memberOf("person0@example.com")["is_disabled"], true)
}

func (c *console) setCookie(name, value string) {
	c.Helper()
	if _, err := chromedp.Call(c.tab, network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: c.base}); err != nil {
		c.Fatal(err)
	}
}

func (c *console) keys(keys string) {
	c.Helper()
	c.do(chromedp.KeyEvent(keys))
}

// focused is the text of what has the focus.
func (c *console) focused() string {
	c.Helper()
	return strings.TrimSpace(c.evaluate(`document.activeElement.textContent`))
}

// tabTo moves the focus on until it is on something with that text.
func (c *console) tabTo(text string) {
	c.Helper()
	for range 60 {
		c.keys(kb.Tab)
		if c.focused() == text {
			return
		}
	}
	c.Fatalf("the keyboard does not reach %q", text)
}

// post sends a form as the browser's own page would, unless the headers say otherwise.
func (c *console) post(path string, form url.Values, header http.Header) (int, string) {
	c.Helper()
	request, err := http.NewRequestWithContext(c.Context(), http.MethodPost, c.in+path, strings.NewReader(form.Encode()))
	if err != nil {
		c.Fatal(err)
	}
	if header == nil {
		header = http.Header{"Origin": {c.base}, "Sec-Fetch-Site": {"same-origin"}}
	}
	request.Header = header
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Cookie", c.cookies())
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(request)
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		c.Fatal(err)
	}
	return answer.StatusCode, string(raw)
}

// body is a page as it is sent to the browser's session.
func (c *console) body(address string) string {
	c.Helper()
	_, body, _ := strings.Cut(c.answer(address), "\n")
	return body
}

// answer is a page with its status, without what differs from request to request.
func (c *console) answer(address string) string {
	c.Helper()
	request, err := http.NewRequestWithContext(c.Context(), http.MethodGet, address, nil)
	if err != nil {
		c.Fatal(err)
	}
	request.Header.Set("Cookie", c.cookies())
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		c.Fatal(err)
	}
	text := strings.ReplaceAll(string(raw), answer.Header.Get("X-Request-Id"), "")
	return fmt.Sprint(answer.StatusCode, "\n", text)
}

func (c *console) workspaceNames() string {
	c.Helper()
	var all []map[string]any
	c.adminInto(c.key, http.MethodGet, "/workspaces", "", &all)
	return fmt.Sprint(all)
}
