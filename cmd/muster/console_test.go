package main_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"muster/internal/testkit"
)

// console is a site whose default organization has people, groups and keys, and Ada, its Admin, in the browser.
type console struct {
	*site

	key, token string
	org        string
	// in is the address of the organization's pages.
	in string
	// database is the address of the database, where a test needs it.
	database string
}

// consoleStep is a part of a test that shares its console with others.
type consoleStep struct {
	name string
	run  func(*console)
}

// step runs a part as a test of its own.
func (c *console) step(t *testing.T, step consoleStep) {
	t.Helper()
	t.Run(step.name, func(t *testing.T) {
		within, site := *c, *c.site
		site.T = t
		within.site = &site
		step.run(&within)
	})
}

func newConsole(t *testing.T, databaseURL string, environment ...string) *console {
	t.Helper()
	// A hook's secret needs a key; beside SQLite the server makes one by itself.
	environment = append(environment, "ENCRYPTION_KEY="+base64.StdEncoding.EncodeToString(make([]byte, 32)))
	c := &console{site: newSite(t, databaseURL, environment...)}
	c.key = c.command("key", "create", "--email", "ada@example.com", "--admin")
	c.org = fmt.Sprint(c.admin(c.key, http.MethodGet, "/orgs/current", "")["id"])
	c.in = c.base + "/orgs/" + c.org
	return c
}

// openAs signs somebody in and opens a page of the organization.
func (c *console) openAs(who, path string) {
	c.Helper()
	c.forget()
	c.signIn(who)
	c.open(path)
}

// open goes to a page of the organization.
func (c *console) open(path string) {
	c.Helper()
	c.do(chromedp.Navigate(c.in + path))
	c.waitFor(home(c.base))
}

// fill types a text into a field, in place of what is there.
func (c *console) fill(field, text string) {
	c.Helper()
	c.do(chromedp.SetValue(chromedp.CSS(field), text))
}

// press clicks a button or link by its text, within a part of the page, and waits for the page that follows.
func (c *console) press(within, text string) {
	c.Helper()
	c.mark()
	c.click(within, text)
	c.waitFor(`!document.body.dataset.old && ` + home(c.base))
}

// click clicks without waiting for another page.
func (c *console) click(within, text string) {
	c.Helper()
	raw, err := json.Marshal([]string{within, text})
	if err != nil {
		c.Fatal(err)
	}
	found, err := chromedp.Run(c.tab, chromedp.Evaluate[bool](`(([within, text]) => {
		for (const part of document.querySelectorAll(within)) {
			for (const one of part.querySelectorAll("button, a, summary")) {
				if (one.textContent.trim() === text) { one.click(); return true; }
			}
		}
		return false;
	})(`+string(raw)+`)`))
	if err != nil || !found {
		testkit.Screenshot(c.T, c.tab, "failed")
		c.Fatalf("there is no %q in %s (%v); the page:\n%s", text, within, err, c.text())
	}
}

// mark lets press see that the page is another one.
func (c *console) mark() {
	c.Helper()
	c.do(chromedp.Evaluate[chromedp.Void](`void(document.body.dataset.old = "1")`))
}

// id finds something in a list of the admin API by one of its fields.
func (c *console) id(path, field, value string) string {
	c.Helper()
	var all []map[string]any
	c.adminInto(c.key, http.MethodGet, path, "", &all)
	for _, one := range all {
		if fmt.Sprint(one[field]) == value {
			return fmt.Sprint(one["id"])
		}
	}
	c.Fatalf("%s has none whose %s is %q: %v", path, field, value, all)
	return ""
}

// populate gives every page of the console something to show; names try to break out and to overflow.
func (c *console) populate() {
	c.Helper()
	c.token = c.command("token", "create", "--description", "Okta")
	for i, name := range []string{"Grace Hopper", "Alan <b>Turing</b>", "עדה לאבלייס", strings.Repeat("Long", 50), "Kurt 🤖 Gödel"} {
		c.scim(c.token, http.MethodPost, "/Users", mustJSON(c.T, map[string]any{
			"schemas":  []string{"urn:ietf:params:scim:schemas:core:2.0:User"},
			"userName": fmt.Sprintf("person%d@example.com", i), "displayName": name, "externalId": fmt.Sprint("x", i), "active": i != 3,
			"emails": []map[string]any{{"value": fmt.Sprintf("person%d@example.com", i), "primary": true}}, "favouriteColour": "green",
		}))
	}
	grace := c.id("/orgs/current/members/active", "email", "person0@example.com")
	c.admin(c.key, http.MethodPost, "/workspaces", `{"display_name":"Lab (A & B)"}`)
	c.pushGroup(c.token, "LS:Organization User:Workspace 1:Viewer", grace)
	c.pushGroup(c.token, "Canteen <i>", grace)
	c.admin(c.key, http.MethodPost, "/orgs/current/roles", `{"display_name":"Analyst","description":"Reads and exports","permissions":["workspaces:read","projects:read","acme:export"]}`)
	c.admin(c.key, http.MethodPost, "/orgs/current/members", `{"email":"invited@example.com"}`)
	c.admin(c.key, http.MethodPost, "/orgs/current/service-keys", `{"description":"Nightly job"}`)
	c.admin(c.key, http.MethodPost, "/service-accounts", `{"name":"Robot"}`)
	c.admin(c.key, http.MethodPost, "/orgs/current/event-hooks", `{"url":"https://192.0.2.1/hook","description":"The wiki"}`)
	// A request that is refused, so that the log has one.
	refused, err := http.NewRequestWithContext(c.Context(), http.MethodGet, c.base+"/scim/v2/Users?filter=nonsense", nil)
	if err != nil {
		c.Fatal(err)
	}
	refused.Header.Set("Authorization", "Bearer "+c.token)
	if answer, err := http.DefaultClient.Do(refused); err == nil {
		_ = answer.Body.Close()
	}
}

func mustJSON(t *testing.T, value any) string {
	t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// pages are all pages of the console, by the name of their screenshot.
func (c *console) pages() map[string]string {
	c.Helper()
	workspace := c.id("/workspaces", "display_name", "Workspace 1")
	member := c.id("/orgs/current/members/active", "email", "person0@example.com")
	group := c.id("/orgs/current/scim/groups", "display_name", "Canteen <i>")
	in := "/orgs/" + c.org
	return map[string]string{
		"you": "/you", "you-invites": "/you/invites", "you-tokens": "/you/tokens", "you-sessions": "/you/sessions", "organizations": "/orgs",
		"members": in + "/members", "members-found": in + "/members?q=person&role=" + c.role(c.key, "organization", "Organization User"), "members-none": in + "/members?q=nobody%40example.com",
		"member": in + "/members/" + member, "member-disable": in + "/members/" + member + "/disable", "member-remove": in + "/members/" + member + "/remove",
		"invite": in + "/invite", "invites": in + "/invites",
		"workspaces": in + "/workspaces", "workspace": in + "/workspaces/" + workspace, "workspace-delete": in + "/workspaces/" + workspace + "/delete",
		"roles": in + "/roles", "role": in + "/roles/" + c.role(c.key, "workspace", "Editor"), "role-own": in + "/roles/" + c.role(c.key, "workspace", "Analyst"), "role-new": in + "/roles/new",
		"sign-in-settings": in + "/sign-in-settings", "provisioning": in + "/provisioning", "connect-okta": in + "/provisioning/connect/okta", "connect-entra": in + "/provisioning/connect/entra",
		"groups": in + "/provisioning/groups", "group": in + "/provisioning/groups/" + group, "activity": in + "/provisioning/activity", "guard": in + "/provisioning/guard",
		"keys": in + "/keys", "hooks": in + "/hooks", "audit": in + "/audit", "settings": in + "/settings", "health": in + "/health",
	}
}

// look chooses a width and a theme.
func (c *console) look(width int64, theme string) {
	c.Helper()
	c.do(chromedp.EmulateViewport(width, 900))
	features := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}}
	if _, err := chromedp.Call(c.tab, emulation.SetEmulatedMedia, features); err != nil {
		c.Fatal(err)
	}
}

// The four ways in which a page is looked at.
var looks = []struct {
	name  string
	width int64
	theme string
}{{"wide-light", 1280, "light"}, {"wide-dark", 1280, "dark"}, {"phone-light", 390, "light"}, {"phone-dark", 390, "dark"}}

// Every page of the console, in both themes and both widths: nothing that axe calls serious, nothing wider than the window,
// no page above 60 KB; with MUSTER_SCREENSHOTS set, a picture of each.
func TestEveryPage(t *testing.T) {
	axe, err := os.ReadFile(testkit.Axe(t))
	if err != nil {
		t.Fatal(err)
	}
	c := newConsole(t, "sqlite://"+t.TempDir()+"/muster.db")
	c.populate()
	c.openAs("ada", "/members")
	for name, path := range c.pages() {
		if size := c.size(path); size > 60<<10 {
			t.Errorf("%s has %d bytes", name, size)
		}
		for i, look := range looks {
			// Between them the first and the last have both themes and both widths; pictures are made of all four.
			if i%3 != 0 && os.Getenv("MUSTER_SCREENSHOTS") == "" {
				continue
			}
			c.look(look.width, look.theme)
			c.do(chromedp.Navigate(c.base + path))
			c.waitFor(home(c.base))
			testkit.Screenshot(t, c.tab, look.name+"/"+name)
			if over := c.evaluate(`String(document.documentElement.scrollWidth - document.documentElement.clientWidth)`); over != "0" {
				t.Errorf("%s, %s: %s pixels wider than the window", name, look.name, over)
			}
			c.audit(name+", "+look.name, string(axe))
		}
	}
	c.amongMany(string(axe))
}

// amongMany looks at the pages of an organization with more workspaces and roles than one chooses from: none grows with them,
// and what is typed instead does the same.
func (c *console) amongMany(axe string) {
	c.Helper()
	for i := range 60 {
		c.admin(c.key, http.MethodPost, "/workspaces", fmt.Sprintf(`{"display_name":"Team %d"}`, i))
		c.admin(c.key, http.MethodPost, "/orgs/current/roles", fmt.Sprintf(`{"display_name":"Role %d","description":"","permissions":["workspaces:read"]}`, i))
	}
	workspace, grace := c.id("/workspaces", "display_name", "Team 7"), c.id("/orgs/current/members/active", "email", "person0@example.com")
	for i := range 7 {
		place := c.id("/workspaces", "display_name", fmt.Sprint("Team ", i))
		c.post("/members/"+grace+"/workspaces", url.Values{"workspace_id": {fmt.Sprint("team ", i)}, "role_id": {c.role(c.key, "workspace", "Viewer")}}, nil)
		c.post("/workspaces/"+place+"/members/"+grace+"/role", url.Values{"role_id": {"role 9"}}, nil)
	}
	for name, path := range c.pages() {
		if size := c.size(path); size > 60<<10 {
			c.Errorf("among many, %s has %d bytes", name, size)
		}
	}
	group := "/provisioning/groups/" + c.id("/orgs/current/scim/groups", "display_name", "Canteen <i>")
	for _, path := range []string{group, "/members?workspace=team+3", "/members/" + grace} {
		c.open(path)
		c.shows("Grace Hopper")
		c.audit("among many, "+path, axe)
	}
	c.shows("Team 3", "Role 9")
	if status, page := c.post("/sign-in-settings/defaults", url.Values{"default_workspace_ids": {"Team 1\nTeam none"}}, nil); status != http.StatusBadRequest || !strings.Contains(page, "no workspace called “Team none”") {
		c.Errorf("an unknown name: %d", status)
	}
	if status, _ := c.post(group, url.Values{"do": {"save"}, "add_workspace": {"team 7"}, "add_role_id": {c.role(c.key, "workspace", "Viewer")}}, nil); status != http.StatusSeeOther {
		c.Errorf("a mapping to a typed name: %d", status)
	}
	if !strings.Contains(fmt.Sprint(c.memberOf("person0@example.com")["tenant_ids"]), workspace) {
		c.Error("the mapping gives nothing")
	}
}

// audit asks axe-core for violations of the WCAG.
func (c *console) audit(where, axe string) {
	c.Helper()
	c.do(chromedp.Evaluate[chromedp.Void](axe + `; void(window.found = null, axe.run(document, {resultTypes: ["violations"]}).then(r => {
		window.found = JSON.stringify(r.violations.filter(v => v.impact === "serious" || v.impact === "critical").map(v => v.id + ": " + v.help + " at " + v.nodes.map(n => n.html).slice(0, 3).join(" | ")));
	}, e => { window.found = JSON.stringify([String(e)]); }))`))
	c.waitFor(`window.found !== null`)
	var violations []string
	if err := json.Unmarshal([]byte(c.evaluate(`window.found`)), &violations); err != nil {
		c.Fatal(err)
	}
	for _, violation := range violations {
		c.Errorf("%s: %s", where, violation)
	}
}

func (c *console) evaluate(expression string) string {
	c.Helper()
	value, err := chromedp.Run(c.tab, chromedp.Evaluate[string](expression))
	if err != nil {
		c.Fatal(err)
	}
	return value
}

// size is how many bytes a page has.
func (c *console) size(path string) int {
	c.Helper()
	request, err := http.NewRequestWithContext(c.Context(), http.MethodGet, c.base+path, nil)
	if err != nil {
		c.Fatal(err)
	}
	request.Header.Set("Cookie", c.cookies())
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		c.Fatalf("%s: %d", path, answer.StatusCode)
	}
	var all strings.Builder
	if err := answer.Write(&all); err != nil {
		c.Fatal(err)
	}
	return all.Len()
}

// scripts switches the browser's scripts off or on.
func (c *console) scripts(on bool) {
	c.Helper()
	if _, err := chromedp.Call(c.tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on}); err != nil {
		c.Fatal(err)
	}
}
