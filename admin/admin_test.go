package admin_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"muster/admin"
	"muster/domain"
)

// unknownID has the form of our ids and belongs to nothing.
const unknownID = "01a20869-0000-7000-8000-000000000000"

// The shapes that programs written for the model's API look for: every field is there, nullable ones as null, lists never null.
func TestShapes(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		w.session("alice@example.com")
		for path, fields := range map[string]string{
			"/api/v1/info":                 "version git_sha license_expiration_time batch_ingest_config instance_flags customer_info",
			"/api/v1/orgs/current":         "id display_name config connected_to_stripe connected_to_metronome is_personal tier payment_method has_cancelled end_of_billing_period current_plan upcoming_plan reached_max_workspaces permissions marketplace_payouts_enabled default_sso_provision security_contact scim_group_name_separator",
			"/api/v1/orgs/current/info":    "id display_name config tier is_personal disabled sso_login_slug sso_only jit_provisioning_enabled invites_enabled public_sharing_disabled pat_creation_disabled workspace_admin_can_invite_to_org default_sso_provision max_api_key_expiry_days max_pat_expiry_days max_service_key_expiry_days security_contact scim_group_name_separator permissions member_disabled ip_allowlist_enabled can_export_usage_backfill reached_max_workspaces",
			"/api/v1/orgs/current/members": "organization_id members pending",
			"/api/v1/me":                   "user organizations",
			"/api/v1/auth/public":          "ls_user_id organization_id tenant_id user_email user_id",
		} {
			got := keys(w.ok(http.MethodGet, path, "").object())
			for _, field := range strings.Fields(fields) {
				if !got[field] {
					w.Errorf("%s lacks %q", path, field)
				}
			}
		}
		for path, fields := range map[string]string{
			"/api/v1/orgs":                        "id display_name tier created_at created_by_user_id created_by_ls_user_id modified_at is_personal disabled sso_login_slug sso_only jit_provisioning_enabled invites_enabled default_sso_provision scim_group_name_separator",
			"/api/v1/workspaces":                  "id organization_id created_at display_name is_personal is_deleted tenant_handle read_only role_id role_name permissions",
			"/api/v1/orgs/current/roles":          "id name display_name description organization_id permissions access_scope",
			"/api/v1/orgs/permissions":            "name description access_scope",
			"/api/v1/orgs/current/members/active": "id organization_id tenant_id created_at user_id ls_user_id read_only role_id role_name access_scope email full_name avatar_url display_name is_disabled linked_login_methods org_role_id org_role_name tenant_ids",
			"/api/v1/orgs/current/sso-settings":   "id organization_id provider_id default_workspace_role_id default_workspace_ids metadata_url metadata_xml sso_groups_enabled sso_groups_claim_field sso_groups_required sso_groups_role_sync_enabled attribute_mapping attribute_mapping_load_error",
		} {
			list := w.ok(http.MethodGet, path, "").list()
			if len(list) == 0 {
				w.Errorf("%s is empty", path)
				continue
			}
			got := keys(list[0])
			for _, field := range strings.Fields(fields) {
				if !got[field] {
					w.Errorf("%s lacks %q", path, field)
				}
			}
		}
	})
}

// Checklist 1: every path answers under four spellings.
func TestAliases(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		want := w.ok(http.MethodGet, "/api/v1/orgs/current/roles", "").raw
		for _, path := range []string{"/api/orgs/current/roles", "/v1/platform/orgs/current/roles", "/api/v1/platform/orgs/current/roles", "/api/v1/orgs/current/roles/"} {
			if got := w.ok(http.MethodGet, path, "").raw; got != want {
				w.Errorf("%s answers something else", path)
			}
		}
	})
}

// The published script's calls of this issue: workspaces, roles by display name, members, invites and tokens, read back at once.
func TestAdministration(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		lab := w.ok(http.MethodPost, "/api/v1/workspaces", `{"display_name":"Lab","tenant_handle":"lab"}`).object()
		invited := w.ok(http.MethodPost, "/api/v1/orgs/current/members", fmt.Sprintf(
			`{"email":"bob@example.com","workspace_ids":[%q],"workspace_role_id":%q}`, lab["id"], w.role("workspace", "Viewer"))).object()
		if invited["org_role_name"] != "Organization User" {
			w.Errorf("the invite is %v", invited)
		}
		again := w.call(http.MethodPost, "/api/v1/orgs/current/members", `{"email":"BOB@example.com"}`)
		if again.status != http.StatusOK || again.object()["id"] != invited["id"] {
			w.Errorf("R22: inviting again: %d %s", again.status, again.raw)
		}
		w.session("bob@example.com")
		members := w.ok(http.MethodGet, "/api/v1/orgs/current/members/active?emails=BOB@EXAMPLE.COM&limit=1", "").list()
		if len(members) != 1 || members[0]["email"] != "bob@example.com" || fmt.Sprint(members[0]["tenant_ids"]) != fmt.Sprint([]any{lab["id"]}) {
			w.Fatalf("members %v", members)
		}
		path := fmt.Sprint("/api/v1/orgs/current/members/", members[0]["id"])
		changed := w.ok(http.MethodPatch, path, fmt.Sprintf(`{"role_id":%q}`, w.role("organization", "Organization Operator"))).object()
		if changed["org_role_name"] != "Organization Operator" {
			w.Errorf("the member is %v", changed)
		}
		why := w.ok(http.MethodGet, path+"/access", "").object()
		if org, _ := why["organization"].(map[string]any); org["role_name"] != "Organization Operator" {
			w.Errorf("R37: explained as %v", why)
		}
		if conflict := w.call(http.MethodPost, "/api/v1/orgs/current/members", `{"email":"bob@example.com"}`); conflict.status != http.StatusConflict || conflict.header.Get("X-Should-Retry") != "false" {
			w.Errorf("R22: inviting a member: %d %v", conflict.status, conflict.header)
		}
		if gone := w.ok(http.MethodDelete, path, ""); gone.status != http.StatusOK {
			w.Errorf("removing: %d", gone.status)
		}
		if gone := w.call(http.MethodDelete, path, ""); gone.status != http.StatusNotFound {
			w.Errorf("removing again: %d", gone.status)
		}
		renamed := w.ok(http.MethodPatch, fmt.Sprint("/api/v1/workspaces/", lab["id"]), `{"display_name":"Laboratory"}`).object()
		if renamed["display_name"] != "Laboratory" {
			w.Errorf("renamed to %v", renamed)
		}
		if twin := w.call(http.MethodPost, "/api/v1/workspaces", `{"display_name":"LABORATORY"}`); twin.status != http.StatusConflict {
			w.Errorf("a second workspace of the name: %d %s", twin.status, twin.raw)
		}
		w.ok(http.MethodDelete, fmt.Sprint("/api/v1/workspaces/", lab["id"]), "")
		if list := w.ok(http.MethodGet, "/api/v1/workspaces?include_deleted=true", "").list(); len(list) != 2 {
			w.Errorf("with deleted ones there are %d workspaces", len(list))
		}
	})
}

// R25, R42: secrets are shown once, credentials end at once, and each kind opens its own door only.
func TestCredentials(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		made := w.ok(http.MethodPost, "/v1/platform/orgs/current/scim/tokens", `{"description":"Okta"}`)
		token := made.object()
		secret, _ := token["token"].(string)
		if made.status != http.StatusCreated || secret == "" {
			w.Fatalf("a SCIM token: %d %v", made.status, token)
		}
		path := fmt.Sprint("/v1/platform/orgs/current/scim/tokens/", token["id"])
		if got := w.ok(http.MethodGet, path, ""); strings.Contains(got.raw, secret) || got.object()["short_token"] == "" {
			w.Errorf("read back: %s", got.raw)
		}
		if got := w.ok(http.MethodPatch, path, `{"description":"Entra"}`).object(); got["description"] != "Entra" {
			w.Errorf("renamed: %v", got)
		}
		for name, header := range map[string]http.Header{
			"a SCIM token": {"X-Api-Key": {secret}}, "nothing": {}, "a made-up key": {"Authorization": {"Bearer muster_pat_x"}},
			"a key with a space": {"X-Api-Key": {w.key + " x"}}, "a key cut short": {"X-Api-Key": {w.key[:len(w.key)-1]}}, "another case": {"X-Api-Key": {strings.ToUpper(w.key)}},
		} {
			if got := w.send(http.MethodGet, "/api/v1/me", "", header); got.status != http.StatusUnauthorized { // A16
				w.Errorf("%s: %d", name, got.status)
			}
		}
		if gone := w.ok(http.MethodDelete, path, ""); gone.status != http.StatusNoContent {
			w.Errorf("deleting the token: %d", gone.status)
		}

		service := w.ok(http.MethodPost, "/api/v1/orgs/current/service-keys", `{"description":"robot"}`).object()
		robot := http.Header{"Authorization": {fmt.Sprint("Bearer ", service["key"])}}
		if got := w.send(http.MethodGet, "/api/v1/orgs/current", "", robot); got.status != http.StatusOK {
			w.Errorf("a service key: %d %s", got.status, got.raw)
		}
		if got := w.send(http.MethodPost, "/api/v1/workspaces", `{"display_name":"x"}`, robot); got.status != http.StatusForbidden {
			w.Errorf("a service key managing: %d", got.status)
		}
		if got := w.send(http.MethodGet, "/api/v1/me", "", robot); got.status != http.StatusForbidden {
			w.Errorf("a service key as a person: %d %s", got.status, got.raw)
		}
		if got := w.send(http.MethodGet, "/api/v1/workspaces/current/members", "", robot); got.status != http.StatusForbidden || got.object()["error"] != "org_scoped_key_requires_workspace" {
			w.Errorf("an org-wide key without a workspace: %d %s", got.status, got.raw)
		}
		w.ok(http.MethodDelete, fmt.Sprint("/api/v1/orgs/current/service-keys/", service["id"]), "")
		if got := w.send(http.MethodGet, "/api/v1/orgs/current", "", robot); got.status != http.StatusUnauthorized {
			w.Errorf("a deleted service key: %d", got.status)
		}

		own := w.ok(http.MethodPost, "/api/v1/orgs/current/personal-access-tokens", "").object()
		if own["description"] != "Default API key" || own["key"] == nil {
			w.Errorf("a token from an empty body: %v", own)
		}
		if list := w.ok(http.MethodGet, "/api/v1/orgs/current/personal-access-tokens", ""); strings.Contains(list.raw, fmt.Sprint(own["key"])) || len(list.list()) != 2 {
			w.Errorf("the list: %s", list.raw)
		}
		w.ok(http.MethodDelete, fmt.Sprint("/api/v1/orgs/current/personal-access-tokens/", own["id"]), "")
	})
}

// Items 99, 100: a cookie works from the same origin only, and not at all beside a key.
func TestCookies(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		cookie := "__Host-muster=" + w.session("ada@example.com")
		for name, c := range map[string]struct {
			header http.Header
			want   int
		}{
			"same origin":    {http.Header{"Cookie": {cookie}, "Sec-Fetch-Site": {"same-origin"}}, http.StatusOK},
			"another site":   {http.Header{"Cookie": {cookie}, "Sec-Fetch-Site": {"cross-site"}}, http.StatusForbidden},
			"a sibling":      {http.Header{"Cookie": {cookie}, "Sec-Fetch-Site": {"same-site"}}, http.StatusForbidden},
			"Origin null":    {http.Header{"Cookie": {cookie}, "Origin": {"null"}}, http.StatusForbidden},
			"with a bad key": {http.Header{"Cookie": {cookie}, "Sec-Fetch-Site": {"same-origin"}, "X-Api-Key": {"x"}}, http.StatusUnauthorized},
		} {
			if got := w.send(http.MethodPost, "/api/v1/workspaces", fmt.Sprintf(`{"display_name":%q}`, name), c.header); got.status != c.want {
				w.Errorf("%s: %d %s, want %d", name, got.status, got.raw, c.want)
			}
		}
	})
}

// R44: an id of another organization answers exactly as one that does not exist.
func TestForeignIDs(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		if _, err := w.service.CreateOrganizationByHand(w.Context(), "Acme"); err != nil {
			w.Fatal(err)
		}
		own := w.key
		w.key = w.keyFor("Acme", "eve@acme.example", true)
		foreign := map[string]string{}
		foreign["workspaces"], _ = w.ok(http.MethodGet, "/api/v1/workspaces", "").list()[0]["id"].(string)
		foreign["orgs/current/members"], _ = w.ok(http.MethodGet, "/api/v1/orgs/current/members/active", "").list()[0]["id"].(string)
		foreign["orgs/current/sso-settings"], _ = w.ok(http.MethodGet, "/api/v1/orgs/current/sso-settings", "").list()[0]["id"].(string)
		foreign["orgs/current/scim/tokens"], _ = w.ok(http.MethodPost, "/api/v1/orgs/current/scim/tokens", "").object()["id"].(string)
		foreign["orgs/current/service-keys"], _ = w.ok(http.MethodPost, "/api/v1/orgs/current/service-keys", "").object()["id"].(string)
		foreign["orgs/current/personal-access-tokens"], _ = w.ok(http.MethodPost, "/api/v1/orgs/current/personal-access-tokens", "").object()["id"].(string)
		foreign["orgs/current/roles"], _ = w.ok(http.MethodPost, "/api/v1/orgs/current/roles", `{"display_name":"Theirs","permissions":[]}`).object()["id"].(string)
		foreign["service-accounts"], _ = w.ok(http.MethodPost, "/api/v1/service-accounts", `{"name":"Theirs"}`).object()["id"].(string)
		foreign["orgs/current/event-hooks"], _ = w.call(http.MethodPost, "/api/v1/orgs/current/event-hooks", `{"url":"https://app.example/"}`).object()["id"].(string)
		invite := w.ok(http.MethodPost, "/api/v1/orgs/current/members", `{"email":"theirs@acme.example"}`).object()["id"]
		scope, err := w.service.CommandLine(w.Context(), "Acme")
		if err != nil {
			w.Fatal(err)
		}
		foreign["orgs/current/scim/groups"] = w.pushGroup(scope, "Organization User:Workspace 1:Editor")
		org, _ := w.ok(http.MethodGet, "/api/v1/orgs/current", "").object()["id"].(string)
		w.key = own
		ids := append(slices.Collect(maps.Values(foreign)), fmt.Sprint(invite))
		header := http.Header{"X-Api-Key": {own}, "X-Tenant-Id": {fmt.Sprint(w.ok(http.MethodGet, "/api/v1/workspaces", "").list()[0]["id"])}}
		for path, body := range map[string]string{
			"orgs/current/members/%s/pending": "", "orgs/current/members/%s/access": "", "orgs/current/personal-access-tokens/%s/revocation": "",
			"orgs/current/event-hooks/%s/test": "", "orgs/current/event-hooks/%s/dead-letters": "", "orgs/current/scim/groups/%s/mapping": "{}", "api-key/%s": "",
		} {
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
				want := w.send(method, "/api/v1/"+fmt.Sprintf(path, unknownID), body, header)
				for _, id := range ids {
					got := w.send(method, "/api/v1/"+fmt.Sprintf(path, id), body, header)
					if got.status != want.status || strings.ReplaceAll(got.raw, id, unknownID) != want.raw {
						w.Errorf("%s %s: foreign %d %s, unknown %d %s", method, path, got.status, got.raw, want.status, want.raw)
					}
				}
			}
		}
		for collection, id := range foreign {
			for _, method := range []string{http.MethodGet, http.MethodPatch, http.MethodDelete} {
				body := `{"display_name":"x","description":"x","role_id":"` + string(domain.RoleOrgUser) + `"}`
				got := w.call(method, "/api/v1/"+collection+"/"+id, body)
				want := w.call(method, "/api/v1/"+collection+"/"+unknownID, body)
				if got.status != want.status || strings.ReplaceAll(got.raw, id, unknownID) != want.raw {
					w.Errorf("%s %s: foreign %d %s, unknown %d %s", method, collection, got.status, got.raw, want.status, want.raw)
				}
			}
		}
		header = http.Header{"Cookie": {"__Host-muster=" + w.session("ada@example.com")}, "X-Organization-Id": {org}}
		if got := w.send(http.MethodGet, "/api/v1/orgs/current", "", header); got.status != http.StatusNotFound {
			w.Errorf("another organization by header: %d", got.status)
		}
		if got := w.send(http.MethodGet, "/api/v1/orgs/current", "", http.Header{"X-Api-Key": {own}, "X-Organization-Id": {org}}); got.status != http.StatusForbidden {
			w.Errorf("checklist 2: a key with another organization: %d", got.status)
		}
	})
}

// Bad input: the field, the location and what is allowed, in the form that clients read.
func TestBadInput(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		sso := fmt.Sprint("/orgs/current/sso-settings/", w.ok(http.MethodGet, "/api/v1/orgs/current/sso-settings", "").list()[0]["id"])
		for name, c := range map[string]struct {
			method, path, body string
			status             int
			want               []string
		}{
			"no JSON":             {http.MethodPost, "/workspaces", `{`, 422, []string{"json_invalid"}},
			"a list":              {http.MethodPost, "/workspaces", `[]`, 422, []string{"JSON object"}},
			"missing":             {http.MethodPost, "/workspaces", `{}`, 422, []string{"display_name", "required"}},
			"missing, all":        {http.MethodPost, "/orgs", `{}`, 422, []string{`{"loc":["body","display_name"],"msg":"this field is required","type":"missing"},{"loc":["body","is_personal"]`}},
			"within a list":       {http.MethodPost, "/orgs/current/members", `{"email":"a@b.example","workspace_ids":["x",7]}`, 422, []string{`["body","workspace_ids",1]`, "string"}},
			"null":                {http.MethodPost, "/workspaces", `null`, 422, []string{"JSON object"}},
			"no body":             {http.MethodPost, "/workspaces", ``, 422, []string{`"loc":["body"]`, "required"}},
			"query, all":          {http.MethodGet, "/orgs/current/members/active?limit=x&offset=-1&is_disabled=maybe", "", 422, []string{`["query","limit"]`, `["query","offset"]`, `["query","is_disabled"]`}},
			"a date that is none": {http.MethodPost, "/orgs/current/personal-access-tokens", `{"expires_at":"tomorrow"}`, 422, []string{"expires_at", "date-time"}},
			"wrong types, all":    {http.MethodPatch, "/orgs/current/info", `{"jit_provisioning_enabled":"no","max_pat_expiry_days":"x"}`, 422, []string{"jit_provisioning_enabled", "max_pat_expiry_days"}},
			"empty name":          {http.MethodPost, "/workspaces", `{"display_name":" "}`, 422, []string{"display_name"}},
			"separator":           {http.MethodPatch, "/orgs/current/info", `{"scim_group_name_separator":"/"}`, 422, []string{"separator", ":-_ &"}},
			"foreign workspace":   {http.MethodPatch, sso, `{"default_workspace_ids":["01a20869-0000-7000-8000-000000000000"]}`, 422, []string{"default_workspace_ids"}},
			"role of an org":      {http.MethodPatch, sso, `{"default_workspace_role_id":"` + string(domain.RoleOrgUser) + `"}`, 422, []string{"default_workspace_role_id"}},
			"no address":          {http.MethodPost, "/orgs/current/members", `{"email":"bob"}`, 422, []string{"email"}},
			"limit":               {http.MethodGet, "/orgs/current/members/active?limit=501", "", 422, []string{"limit", "500"}},
			"sort":                {http.MethodGet, "/orgs/current/members/active?sort_by=shoe", "", 422, []string{"sort_by"}},
			"unknown path":        {http.MethodGet, "/nothing", "", 404, []string{"no such path"}},
			"wrong method":        {http.MethodPut, "/workspaces", "", 405, []string{"GET, POST"}},
			"too large":           {http.MethodPost, "/workspaces", `{"display_name":"` + strings.Repeat("x", 1<<20) + `"}`, 413, []string{"larger"}},
			"deep nesting":        {http.MethodPost, "/workspaces", strings.Repeat(`{"a":`, 100_000), 422, []string{"JSON"}},
			"expiry in the past":  {http.MethodPost, "/orgs/current/personal-access-tokens", `{"expires_at":"2001-01-01T00:00:00Z"}`, 422, []string{"future"}},
		} {
			got := w.call(c.method, "/api/v1"+c.path, c.body)
			if got.status != c.status || got.object()["detail"] == nil || got.object()["error"] == nil {
				w.Errorf("%s: %d %.300s, want %d", name, got.status, got.raw, c.status)
			}
			for _, words := range c.want {
				if !strings.Contains(got.raw, words) {
					w.Errorf("%s: %.300s does not say %q", name, got.raw, words)
				}
			}
		}
	})
}

// A body is JSON whatever the client calls it, and has a limit also when its length is not announced.
func TestBodies(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		for name, c := range map[string]struct {
			body io.Reader
			want int
		}{
			"curl's default type": {strings.NewReader(`{"display_name":"Lab"}`), http.StatusOK},
			"no length":           {io.MultiReader(strings.NewReader(`{"display_name":"Lab 2"}`)), http.StatusOK},
			"no length, too much": {io.MultiReader(strings.NewReader(`{"display_name":"` + strings.Repeat("x", 2<<20) + `"}`)), http.StatusRequestEntityTooLarge},
		} {
			r := httptest.NewRequestWithContext(w.Context(), http.MethodPost, "/api/v1/workspaces", c.body)
			r.Header.Set("X-Api-Key", w.key)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			recorder := httptest.NewRecorder()
			w.handler.ServeHTTP(recorder, r)
			if recorder.Code != c.want || recorder.Header().Get("Content-Type") != "application/json" {
				w.Errorf("%s: %d %v %.200s, want %d", name, recorder.Code, recorder.Header(), recorder.Body, c.want)
			}
		}
	})
}

// R5, R19 and infoEndpointAuthRequired: the flags.
func TestFlags(t *testing.T) {
	onEngines(t, func(p *domain.Policy, c *admin.Config) { p.OrgCreationDisabled, c.InfoAuthRequired = false, true }, func(w *world) {
		if got := w.send(http.MethodGet, "/api/v1/info", "", nil); got.status != http.StatusUnauthorized {
			w.Errorf("info without a credential: %d", got.status)
		}
		header := http.Header{"Cookie": {"__Host-muster=" + w.session("ada@example.com")}, "Sec-Fetch-Site": {"same-origin"}}
		made := w.send(http.MethodPost, "/api/v1/orgs", `{"display_name":"Acme","is_personal":false}`, header)
		if made.status != http.StatusOK {
			w.Fatalf("creating an organization: %d %s", made.status, made.raw)
		}
		header.Set("X-Organization-Id", fmt.Sprint(made.object()["id"]))
		if got := w.send(http.MethodPost, "/api/v1/orgs/current/set-default-sso-provision", "", header); got.status != http.StatusOK {
			w.Fatalf("R19: %d %s", got.status, got.raw)
		}
		if got := w.send(http.MethodGet, "/api/v1/orgs/current/info", "", header).object(); got["default_sso_provision"] != true {
			w.Errorf("R19: %v", got)
		}
		if got := w.send(http.MethodPost, "/api/v1/orgs", `{"display_name":"Mine","is_personal":true}`, header); got.status != http.StatusForbidden {
			w.Errorf("R6: %d %s", got.status, got.raw)
		}
	})
}

// pushGroup makes a group through SCIM in an organization and returns its id.
func (w *world) pushGroup(scope domain.OrgScope, name string) string {
	w.Helper()
	_, secret, err := w.service.CreateSCIMToken(w.Context(), scope, domain.NewSCIMToken{})
	if err != nil {
		w.Fatal(err)
	}
	scim, err := w.service.SCIMToken(w.Context(), string(secret), domain.Client{})
	if err != nil {
		w.Fatal(err)
	}
	group, err := w.service.CreateGroup(w.Context(), scim, domain.Document{"displayName": name}, nil)
	if err != nil {
		w.Fatal(err)
	}
	return string(group.ID)
}

// Generated clients send null for what they leave out.
func TestNullsAreAbsent(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		sso := fmt.Sprint(w.ok(http.MethodGet, "/api/v1/orgs/current/sso-settings", "").list()[0]["id"])
		for request, body := range map[string]string{
			"POST /workspaces":                          `{"display_name":"Lab","id":null,"tenant_handle":null}`,
			"POST /orgs/current/members":                `{"email":"b@example.com","role_id":null,"workspace_ids":null,"workspace_role_id":null,"password":null,"full_name":null,"read_only":null}`,
			"PATCH /orgs/current/info":                  `{"display_name":null,"jit_provisioning_enabled":null,"invites_enabled":null,"max_pat_expiry_days":null,"scim_group_name_separator":null}`,
			"POST /orgs/current/personal-access-tokens": `{"description":null,"expires_at":null,"workspaces":null,"role_id":null,"org_role_id":null,"default_workspace_id":null}`,
			"POST /orgs/current/service-keys":           `{"description":null,"expires_at":null,"workspaces":null,"role_id":null,"org_role_id":null,"default_workspace_id":null}`,
			"POST /orgs/current/roles":                  `{"display_name":"R","description":null,"permissions":[]}`,
			"PATCH /orgs/current/sso-settings/" + sso:   `{"default_workspace_role_id":null,"default_workspace_ids":null,"sso_groups_enabled":null,"attribute_mapping":null}`,
			"PATCH /orgs/current/login-methods":         `{"sso_only":null}`,
		} {
			method, path, _ := strings.Cut(request, " ")
			if got := w.call(method, "/api/v1"+path, body); got.status != http.StatusOK {
				w.Errorf("%s: %d %s", request, got.status, got.raw)
			}
		}
		if got := w.call(http.MethodPost, "/api/v1/orgs/current/scim/tokens", `{"description":null,"expires_at":null}`); got.status != http.StatusCreated {
			w.Errorf("a SCIM token: %d %s", got.status, got.raw)
		}
	})
}
