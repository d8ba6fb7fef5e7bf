package main_test

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"muster/internal/testkit"
)

// TestConsole does with each page what it is for, in a browser, and asks the database by the API what came of it.
func TestConsole(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, databaseURL string) {
		c := newConsole(t, databaseURL)
		c.populate()
		c.signIn("bob")
		c.openAs("ada", "/members")
		for _, step := range []consoleStep{
			{"members", (*console).tryMembers},
			{"why Bob lost access", (*console).tryWhy},
			{"invites", (*console).tryInvites},
			{"workspaces", (*console).tryWorkspaces},
			{"roles", (*console).tryRoles},
			{"sign-in", (*console).trySignInSettings},
			{"connect", (*console).tryConnect},
			{"groups", (*console).tryGroups},
			{"guard", (*console).tryGuard},
			{"keys", (*console).tryKeys},
			{"hooks", (*console).tryHooks},
			{"audit", (*console).tryAudit},
			{"settings", (*console).trySettings},
			{"you", (*console).tryYou},
			{"default organization", (*console).tryDefault},
		} {
			c.step(t, step)
		}
	})
}

// memberOf is a member as the API shows it.
func (c *console) memberOf(email string) map[string]any {
	c.Helper()
	var all []map[string]any
	c.adminInto(c.key, http.MethodGet, "/orgs/current/members/active?emails="+strings.ReplaceAll(email, "@", "%40"), "", &all)
	if len(all) != 1 {
		c.Fatalf("%s is %d members", email, len(all))
	}
	return all[0]
}

func (c *console) want(got, want any) {
	c.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		testkit.Screenshot(c.T, c.tab, "failed")
		c.Fatalf("got %v, want %v; the page:\n%s", got, want, c.text())
	}
}

func (c *console) choose(field, label string) {
	c.Helper()
	c.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`void((select) => { select.value = [...select.options].find(o => o.text === %q).value; })(document.querySelector(%q))`, label, field)))
}

func (c *console) tick(label string) {
	c.Helper()
	found := c.evaluate(fmt.Sprintf(`String(((label) => { for (const one of document.querySelectorAll("label")) { if (one.textContent.trim() === label) { one.querySelector("input").click(); return true; } } return false; })(%q))`, label))
	c.want(found, "true")
}

func (c *console) tryMembers() {
	c.open("/members")
	c.fill(`#q`, "grace")
	c.press(".filters", "Search")
	c.shows("Grace Hopper")
	c.showsNot("person1@example.com")
	c.press("tbody", "Grace Hopper")
	c.shows("Viewer", "LS:Organization User:Workspace 1:Viewer")

	// A role by hand, and back by one click.
	c.open("/members/" + fmt.Sprint(c.memberOf("bob@example.com")["id"]))
	c.choose(`select[name=role_id]`, "Organization Viewer")
	c.press("section[aria-labelledby=org-role]", "Change")
	c.shows("The role was changed.", "Undo", "Organization Viewer", "set by ada@example.com")
	c.want(c.memberOf("bob@example.com")["org_role_name"], "Organization Viewer")
	c.press(".done", "Undo")
	c.want(c.memberOf("bob@example.com")["org_role_name"], "Organization User")

	// Disabled after a question that opens over the page, and enabled again.
	c.click("section[aria-labelledby=access]", "Disable")
	c.waitFor(`document.querySelector("dialog[open] h1") !== null`)
	c.shows("Disable Bob Cratchit?", "ends at once")
	c.press("dialog", "Disable")
	c.shows("Disabled.", "This person cannot sign in here.")
	c.want(c.memberOf("bob@example.com")["is_disabled"], true)
	c.press("section[aria-labelledby=access]", "Enable")
	c.want(c.memberOf("bob@example.com")["is_disabled"], false)

	// The last Admin stays, and the page says why.
	ada := fmt.Sprint(c.memberOf("ada@example.com")["id"])
	c.open("/members/" + ada)
	c.choose(`select[name=role_id]`, "Organization User")
	c.press("section[aria-labelledby=org-role]", "Change")
	c.shows("last active Organization Admin")
	c.want(c.memberOf("ada@example.com")["org_role_name"], "Organization Admin")

	// Into a workspace and out again.
	c.open("/members/" + fmt.Sprint(c.memberOf("bob@example.com")["id"]))
	c.choose(`select[name=workspace_id]`, "Lab (A & B)")
	c.press("section[aria-labelledby=places]", "Add")
	c.shows("Added to the workspace.", "Lab (A & B)")
	c.press(".done", "Undo")
	c.want(len(c.memberOf("bob@example.com")["tenant_ids"].([]any)), 1) //nolint:forcetypeassert // a list, as the contract says
}

// What an Admin does whom Bob asks why he lost access: from the list of members, without knowing what happened.
func (c *console) tryWhy() {
	alan := fmt.Sprint(c.memberOf("person1@example.com")["id"])
	group := c.pushGroup(c.token, "LS:Organization User:Lab (A & B):Editor", alan)
	c.scim(c.token, http.MethodPatch, "/Groups/"+group, patch(`{"op":"remove","path":"members[value eq \"`+alan+`\"]"}`))
	c.open("/members")
	c.fill(`#q`, "person1@")
	c.press(".filters", "Search")
	c.press("tbody", "Why")
	c.shows("Taken out of the group", "Lost Editor in “Lab (A & B)”", "by SCIM (Okta)")

	// Whoever is gone is found by the address.
	c.scim(c.token, http.MethodDelete, "/Users/"+alan, "")
	c.open("/members")
	c.fill(`#q`, "person1@example.com")
	c.press(".filters", "Search")
	c.shows("Nobody here matches")
	c.press(".empty", "Look in the audit log for “person1@example.com”")
	c.shows("Pushed person removed", "SCIM (Okta)")
	c.press("tbody tr", "person1@example.com")
	c.shows("No longer a member", "Lost Editor in “Lab (A & B)”")
}

func (c *console) tryInvites() {
	c.open("/invites")
	c.press(".intro", "Invite people")
	c.fill(`textarea`, "New One <new1@example.com>, bob@example.com\nnonsense")
	c.press("form.card", "Show what will happen")
	c.shows("new1@example.com", "Becomes a pending member", "a member of this organization already", "Nothing is sent while a row is wrong")
	c.fill(`textarea`, "new1@example.com; new2@example.com")
	c.tick("Lab (A & B)")
	c.press("form.card", "Look again")
	c.press("form.card", "Make 2 invites")
	c.shows("Invited.", "new1@example.com", "new2@example.com", "Editor", "Hand this link over")
	c.want(len(c.pending()), 3)
	c.press("tbody tr:first-child", "Withdraw")
	c.shows("withdrawn")
	c.want(len(c.pending()), 2)
	c.press(".done", "Undo")
	c.shows("Invited.", "new1@example.com", "new2@example.com")
	c.want(len(c.pending()), 3)
}

func (c *console) pending() []map[string]any {
	c.Helper()
	var all []map[string]any
	c.adminInto(c.key, http.MethodGet, "/orgs/current/members/pending", "", &all)
	return all
}

func (c *console) tryWorkspaces() {
	c.open("/workspaces")
	c.fill(`#create-display_name`, "Workspace 1")
	c.press("section[aria-labelledby=create]", "Create")
	c.shows("already")
	c.want(c.evaluate(`document.querySelector("#create-display_name").value + document.querySelector("#create-display_name").getAttribute("aria-invalid")`), "Workspace 1true")
	c.fill(`#create-display_name`, "Shop")
	c.press("section[aria-labelledby=create]", "Create")
	c.shows("Created.", "Shop")
	shop := c.id("/workspaces", "display_name", "Shop")

	// R21: a member at once, somebody new as a pending member.
	c.fill(`textarea`, "bob@example.com, fresh@example.com")
	c.press("section[aria-labelledby=bring]", "Bring in")
	c.shows("Bob Cratchit", "fresh@example.com")
	c.want(len(c.memberOf("bob@example.com")["tenant_ids"].([]any)), 2) //nolint:forcetypeassert // a list

	// A form that is older than what it changes shows both.
	c.open("/workspaces/" + shop)
	c.admin(c.key, http.MethodPatch, "/workspaces/"+shop, `{"display_name":"Store"}`)
	c.fill(`#rename-display_name`, "Boutique")
	c.press("section[aria-labelledby=change]", "Rename")
	c.shows("omebody changed this after you opened it", "Its name is now “Store”")
	c.want(c.evaluate(`document.querySelector("#rename-display_name").value`), "Boutique")
	c.press("section[aria-labelledby=change]", "Rename")
	c.shows("Renamed", "Boutique")
	c.press(".done", "Undo")
	c.shows("Store")

	// Deleting asks for the name.
	c.open("/workspaces/" + shop + "/delete")
	c.shows("Everybody in it loses access", "1 person")
	c.fill(`#confirm-typed`, "Shop")
	c.press(".confirm", "Delete the workspace")
	c.shows("ype the workspace’s name")
	c.fill(`#confirm-typed`, "store")
	c.press(".confirm", "Delete the workspace")
	c.shows("Deleted.")
	c.showsNot("Store")
}

func (c *console) tryRoles() {
	c.open("/roles")
	c.press("section", "Viewer")
	c.shows("A system role")
	c.press(".ways", "New role like this")
	c.fill(`#role-display_name`, "Auditor")
	c.fill(`#role-others`, "acme:audit\nnot a permission")
	c.press("form.card", "Create")
	c.shows("is no permission")
	c.fill(`#role-others`, "acme:audit")
	c.press("form.card", "Create")
	c.shows("Created.", "Auditor")
	id := c.role(c.key, "workspace", "Auditor")

	c.admin(c.key, http.MethodPatch, "/orgs/current/roles/"+id, `{"description":"changed meanwhile"}`)
	c.fill(`#role-description`, "mine")
	c.press("form.card", "Save")
	c.shows("omebody changed this", "changed meanwhile")
	c.press("form.card", "Save")
	c.shows("Saved.", "mine")
	c.click("main > .ways", "Delete")
	c.waitFor(`document.querySelector("dialog[open]") !== null`)
	c.shows("Delete the role “Auditor”?", "Nobody loses anything")
	c.press("dialog", "Delete the role")
	c.shows("Deleted.")
	c.showsNot("Auditor")
	c.press(".done", "Undo")
	c.shows("Created.", "Auditor")
	c.want(c.evaluate(`document.querySelector("#role-others").value`), "acme:audit")
	c.admin(c.key, http.MethodDelete, "/orgs/current/roles/"+c.role(c.key, "workspace", "Auditor"), "")
}

func (c *console) trySignInSettings() {
	c.open("/sign-in-settings")
	c.shows("joins with the default workspaces and role below", "as Organization User, and Editor in “Workspace 1”")
	c.tick("Whoever signs in for the first time joins")
	c.press("section[aria-labelledby=now]", "Save")
	c.shows("is refused: nobody invited them")
	c.want(c.admin(c.key, http.MethodGet, "/orgs/current/info", "")["jit_provisioning_enabled"], false)
	c.tick("Whoever signs in for the first time joins")
	c.press("section[aria-labelledby=now]", "Save")

	c.tick("Lab (A & B)")
	c.choose(`#defaults-default_workspace_role_id`, "Viewer")
	c.press("section[aria-labelledby=defaults]", "Save")
	c.shows("Viewer in “Lab (A & B)”, “Workspace 1”")
	c.press("section[aria-labelledby=providers]", "Test this provider")
	c.shows("Well", "discovery")
}

// A guide from its first step to the first request, which the page notices by itself.
func (c *console) tryConnect() {
	c.open("/provisioning/connect/okta")
	c.shows("/scim/v2", "userName")
	c.press("section[aria-labelledby=step-1]", "Create a token")
	secret := c.evaluate(`document.querySelector(".secret code").textContent`)
	if !strings.HasPrefix(secret, "muster_scim_") {
		c.Fatalf("the secret is %q", secret)
	}
	// The guide waits for this token, whatever others ask meanwhile, and says when in the reader's own zone.
	c.scim(c.token, http.MethodGet, "/Users?count=0", "")
	c.press("section[aria-labelledby=step-4]", "Look again")
	c.shows("Connect Okta", "Waiting for the first request with this token")
	c.scim(secret, http.MethodGet, `/Users?filter=userName%20eq%20%22nobody%22`, "")
	c.waitFor(`document.querySelector("#waiting").innerText.includes("Received")`)
	c.want(c.evaluate(`String(document.querySelector("#waiting").innerText.includes("UTC"))`), "false")

	c.open("/provisioning")
	c.press("section[aria-labelledby=tokens] tr:last-child", "Rotate")
	c.shows("shown only this once", "Until then both work")
	second := c.evaluate(`document.querySelector(".secret code").textContent`)
	c.scim(second, http.MethodGet, "/Users?count=0", "")
	c.scim(secret, http.MethodGet, "/Users?count=0", "")
	c.open("/provisioning")
	c.click("section[aria-labelledby=tokens] tr:last-child", "Delete")
	c.waitFor(`document.querySelector("dialog[open]") !== null`)
	c.press("dialog", "Delete the token")
	c.shows("The token has ended")
}

func (c *console) tryGroups() {
	canteen := c.id("/orgs/current/scim/groups", "display_name", "Canteen <i>")
	c.open("/provisioning/groups")
	c.shows("These give nothing", "Canteen <i>")
	c.press("section[aria-labelledby=unmapped]", "Map it")
	c.choose(`#mapping-add_workspace`, "Lab (A & B)")
	c.choose(`#mapping-add_role_id`, "Admin")
	c.press("section[aria-labelledby=mapping]", "Show who gains and who loses")
	c.shows("Who gains", "Grace Hopper", "enters “Lab (A & B)” as Admin")
	c.want(c.admin(c.key, http.MethodGet, "/orgs/current/scim/groups/"+canteen, "")["source"], "unmapped")
	c.press("section[aria-labelledby=mapping]", "Save this mapping")
	c.shows("The mapping is in force", "Admin in Lab (A & B)", "By a mapping")
	c.want(c.admin(c.key, http.MethodGet, "/orgs/current/scim/groups/"+canteen, "")["source"], "explicit")
	// A mistake is taken back by one click, and so is taking it back.
	c.press(".done", "Undo")
	c.shows("own name decides again", "Nothing.")
	c.want(c.admin(c.key, http.MethodGet, "/orgs/current/scim/groups/"+canteen, "")["source"], "unmapped")
	c.press(".done", "Undo")
	c.shows("The mapping is in force", "Admin in Lab (A & B)")
	c.tick("Admin in Lab (A & B)")
	c.press("section[aria-labelledby=mapping]", "Show who gains and who loses")
	c.shows("The group would give nothing", "Who loses", "Grace Hopper")
	c.press("section[aria-labelledby=mapping]", "Cancel")
	c.press("section[aria-labelledby=mapping]", "Let its name decide again…")
	c.shows("Who loses", "Grace Hopper", "leaves “Lab (A & B)” (Admin)")
	c.press("section[aria-labelledby=mapping]", "Let the name decide")
	c.shows("own name decides again", "Nothing.")
}

func (c *console) tryGuard() {
	c.open("/provisioning/guard")
	c.tick("Guard against mass deprovisioning")
	c.fill(`#guard-max_people`, "0")
	c.fill(`#guard-max_percent`, "0")
	c.press("form.card", "Save")
	c.shows("On; nothing is held back")
	kurt := fmt.Sprint(c.memberOf("person4@example.com")["id"])
	c.want(c.refusal(http.MethodDelete, "/Users/"+kurt), http.StatusTooManyRequests)
	c.open("/provisioning")
	c.shows("The guard holds 1 request back")
	c.press(".alarm", "Look at it")
	c.shows("person4@example.com")
	c.click(".alarm", "Release…")
	c.waitFor(`document.querySelector("dialog[open]") !== null`)
	c.press("dialog", "Release")
	c.shows("Released")
	c.scim(c.token, http.MethodDelete, "/Users/"+kurt, "")
	c.tick("Guard against mass deprovisioning")
	c.press("form.card", "Save")
	c.shows("Off: however many")
}

// refusal is the status of a SCIM request that is refused.
func (c *console) refusal(method, path string) int {
	c.Helper()
	request, err := http.NewRequestWithContext(c.Context(), method, c.base+"/scim/v2"+path, nil)
	if err != nil {
		c.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		c.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

func (c *console) tryKeys() {
	c.open("/keys")
	c.fill(`#key-description`, "Deployer")
	c.press("section[aria-labelledby=service-keys]", "Create a key")
	secret := c.evaluate(`document.querySelector(".secret code").textContent`)
	c.want(c.admin(secret, http.MethodGet, "/orgs/current", "")["id"], c.org)
	c.open("/keys")
	c.showsNot(secret)
	c.click("section[aria-labelledby=service-keys] tr:last-child", "Delete")
	c.waitFor(`document.querySelector("dialog[open]") !== null`)
	c.press("dialog", "Delete the key")
	c.shows("Deleted.")
	c.fill(`#account-name`, "Crawler")
	c.press("section[aria-labelledby=accounts]", "Create")
	c.shows("Crawler")
	c.want(c.id("/service-accounts", "name", "Crawler") != "", true)
}

func (c *console) tryHooks() {
	c.open("/hooks")
	c.fill(`#hook-url`, "ftp://example.com")
	c.press("section[aria-labelledby=new-hook]", "Create")
	c.shows("https")
	c.fill(`#hook-url`, "https://192.0.2.2/events")
	c.press("section[aria-labelledby=new-hook]", "Create")
	c.shows("shown only this once", "https://192.0.2.2/events")
	c.press("section.card:has(h2 bdi)", "Switch off")
	c.shows("Saved.", "Off")
}

func (c *console) tryAudit() {
	c.open("/audit")
	c.choose(`#operation`, "Group mapped")
	c.press(".filters", "Search")
	c.shows("Group mapped", "ada@example.com")
	c.want(c.evaluate(`String([...document.querySelectorAll(".list > table > tbody > tr > th")].every(th => th.innerText.startsWith("Group mapped")))`), "true")
	request, err := http.NewRequestWithContext(c.Context(), http.MethodGet, c.in+"/audit.csv", nil)
	if err != nil {
		c.Fatal(err)
	}
	request.Header.Set("Cookie", c.cookies())
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	rows, err := csv.NewReader(answer.Body).ReadAll()
	if err != nil || len(rows) < 20 || answer.Header.Get("Content-Disposition") == "" {
		c.Fatalf("the table has %d rows (%v)", len(rows), err)
	}
	// Whatever is recorded can be searched for, under words of its own.
	for _, row := range rows[1:] {
		if c.evaluate(fmt.Sprintf(`String(document.querySelector("#operation option[value=%s]") !== null)`, row[1])) != "true" {
			c.Errorf("the filter does not offer %s", row[1])
		}
	}
}

func (c *console) trySettings() {
	c.open("/settings")
	c.fill(`#settings-max_pat_expiry_days`, "-3")
	c.press("form.card", "Save")
	c.shows("at least 1 day")
	c.want(c.evaluate(`document.querySelector("[aria-invalid=true]").name + document.querySelector("[aria-invalid=true]").value`), "max_pat_expiry_days-3")
	c.fill(`#settings-max_pat_expiry_days`, "30")
	c.fill(`#settings-security_contact`, "security@example.com")
	c.press("form.card", "Save")
	c.shows("Saved.")
	info := c.admin(c.key, http.MethodGet, "/orgs/current/info", "")
	c.want(fmt.Sprint(info["max_pat_expiry_days"], info["security_contact"]), "30security@example.com")
	c.open("/health")
	c.shows("database", "single sign-on", "active Organization Admins of “Default”: 1")
}

func (c *console) tryYou() {
	c.do(chromedp.Navigate(c.base + "/you/tokens"))
	c.waitFor(home(c.base))
	c.fill(`input[name=description]`, "laptop")
	c.press("section.card", "Create a token")
	c.shows("days")
	c.fill(`input[name=description]`, "laptop")
	c.fill(`input[type=date]`, "2999-01-01")
	c.press("section.card", "Create a token")
	c.shows("30 days")
	c.admin(c.key, http.MethodPatch, "/orgs/current/info", `{"max_pat_expiry_days":null}`)
	c.fill(`input[type=date]`, "")
	c.press("section.card", "Create a token")
	secret := c.evaluate(`document.querySelector(".secret code").textContent`)
	c.want(c.admin(secret, http.MethodGet, "/auth/public", "")["user_email"], "ada@example.com")
}

// R19, R23: another organization invites Ada, she accepts, and makes it the default one.
func (c *console) tryDefault() {
	acme := c.command("org", "create", "Acme", "--admin", "carol@other.example")
	carol := c.command("key", "create", "--email", "carol@other.example", "--admin", "--org", "Acme")
	c.admin(carol, http.MethodPost, "/orgs/current/members", `{"email":"ada@example.com","role_id":"`+c.role(c.key, "organization", "Organization Admin")+`"}`)
	c.do(chromedp.Navigate(c.base + "/orgs"))
	c.waitFor(home(c.base))
	c.press(".note", "1 organization invited you.")
	c.shows("Acme", "As Organization Admin")
	c.press("section.row", "Accept")
	c.shows("You have joined.", "carol@other.example")
	c.do(chromedp.Navigate(c.base + "/orgs"))
	c.waitFor(home(c.base))
	c.press("section.row", "Set as default organization")
	c.shows("Make “Acme” the default organization?", "Editor in “Workspace 1”")
	c.press(".confirm", "Set as default organization")
	c.shows("First-time users join this organization from now on.")
	c.want(c.admin(carol, http.MethodGet, "/orgs/current", "")["default_sso_provision"], true)
	c.do(chromedp.Navigate(c.base + "/orgs/" + acme + "/health"))
	c.waitFor(home(c.base))
	c.shows("The installation")
}
