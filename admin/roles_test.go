package admin_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"muster/admin"
	"muster/domain"
)

// orgOperation is a request and the status that it gets from each role in the organization: Admin, Operator, User, Viewer.
type orgOperation struct {
	method, path, body string
	want               [4]int
}

// orgOperations has a row for every operation; docs/api-reference.md is made from it.
func orgOperations(sso, admins, w1 string) []orgOperation {
	const yes, no, gone = http.StatusOK, http.StatusForbidden, http.StatusNotFound
	return []orgOperation{
		{http.MethodGet, "/orgs/current", "", [4]int{yes, yes, yes, yes}},
		{http.MethodGet, "/orgs/current/roles", "", [4]int{yes, yes, yes, yes}},
		{http.MethodGet, "/orgs/current/members", "", [4]int{yes, yes, yes, yes}},
		{http.MethodGet, "/orgs/current/sso-settings", "", [4]int{yes, yes, yes, yes}},
		{http.MethodGet, "/orgs/current/scim/tokens", "", [4]int{yes, yes, yes, yes}},
		{http.MethodGet, "/orgs/current/scim/schemas", "", [4]int{yes, yes, yes, yes}},
		{http.MethodPut, "/orgs/current/scim/schemas", `{"schemas":[],"resourceTypes":[]}`, [4]int{yes, no, no, no}},
		{http.MethodGet, "/orgs/current/scim/activity", "", [4]int{yes, yes, yes, yes}},
		{http.MethodGet, "/orgs/current/scim/undeclared-attributes", "", [4]int{yes, yes, yes, yes}},
		{http.MethodPatch, "/orgs/current/info", `{"invites_enabled":true}`, [4]int{yes, yes, no, no}},
		{http.MethodPost, "/workspaces", `{"display_name":"W%d"}`, [4]int{yes, yes, no, no}},
		{http.MethodPost, "/orgs/current/members", `{"email":"i%d@example.com"}`, [4]int{yes, yes, no, no}},
		{http.MethodPost, "/orgs/current/members", `{"email":"a%d@example.com","role_id":"` + string(domain.RoleOrgAdmin) + `"}`, [4]int{yes, no, no, no}},
		{http.MethodPatch, "/orgs/current/members/" + admins, `{"role_id":"` + string(domain.RoleOrgAdmin) + `"}`, [4]int{yes, no, no, no}},
		{http.MethodPatch, "/orgs/current/sso-settings/" + sso, `{}`, [4]int{yes, no, no, no}},
		{http.MethodPost, "/orgs/current/scim/tokens", `{}`, [4]int{http.StatusCreated, no, no, no}},
		{http.MethodPost, "/orgs/current/service-keys", `{}`, [4]int{yes, no, no, no}},
		{http.MethodPost, "/orgs/current/personal-access-tokens", `{}`, [4]int{yes, yes, yes, no}},
		{http.MethodPost, "/orgs/current/set-default-sso-provision", "", [4]int{yes, no, no, no}},
		{http.MethodPost, "/orgs", `{"display_name":"New","is_personal":false}`, [4]int{no, no, no, no}},
		{http.MethodGet, "/orgs", "", [4]int{yes, yes, yes, yes}},
		{http.MethodGet, "/orgs/permissions", "", [4]int{yes, yes, yes, yes}},
		{http.MethodGet, "/orgs/current/info", "", [4]int{yes, yes, yes, yes}},
		{http.MethodGet, "/orgs/current/members/active", "", [4]int{yes, yes, yes, yes}},
		{http.MethodGet, "/orgs/current/members/pending", "", [4]int{yes, yes, yes, yes}},
		{http.MethodGet, "/orgs/current/user/login-methods", "", [4]int{yes, yes, yes, yes}},
		{http.MethodGet, "/orgs/current/personal-access-tokens", "", [4]int{yes, yes, yes, yes}},
		{http.MethodGet, "/orgs/current/service-keys", "", [4]int{yes, no, no, no}},
		{http.MethodGet, "/orgs/current/members/" + admins + "/access", "", [4]int{yes, yes, yes, yes}},
		{http.MethodGet, "/me", "", [4]int{yes, yes, yes, yes}},
		{http.MethodGet, "/me/sessions", "", [4]int{yes, yes, yes, yes}},
		{http.MethodDelete, "/me/sessions", "", [4]int{yes, yes, yes, yes}},
		{http.MethodDelete, "/me/sessions/" + unknownID, "", [4]int{gone, gone, gone, gone}},
		// An Operator may not touch an Admin (R4).
		{http.MethodGet, "/orgs/current/members/" + admins + "/sessions", "", [4]int{yes, no, no, no}},
		{http.MethodDelete, "/orgs/current/members/" + admins + "/sessions", "", [4]int{yes, no, no, no}},
		{http.MethodDelete, "/orgs/current/sessions", "", [4]int{yes, no, no, no}},
		{http.MethodGet, "/orgs/current/login-providers", "", [4]int{yes, yes, yes, yes}},
		{http.MethodPost, "/orgs/current/login-providers/custom-oidc/test", "", [4]int{yes, yes, no, no}},
		{http.MethodGet, "/auth/public", "", [4]int{yes, yes, yes, yes}},
		{http.MethodGet, "/workspaces", "", [4]int{yes, yes, yes, yes}},
		// Users and Viewers are not in the workspace, and so it does not exist for them (R44).
		{http.MethodGet, "/workspaces/" + w1, "", [4]int{yes, yes, gone, gone}},
		{http.MethodGet, "/workspaces/current/members", "", [4]int{yes, yes, gone, gone}},
		{http.MethodPatch, "/workspaces/" + w1, `{"display_name":"Renamed %d"}`, [4]int{yes, yes, gone, gone}},
		{http.MethodGet, "/auth/check", "", [4]int{yes, no, no, no}},
		// With an unknown id, a permission shows as "not found" and its absence as "forbidden", and nothing is lost.
		{http.MethodDelete, "/orgs/current/members/" + unknownID, "", [4]int{gone, gone, no, no}},
		{http.MethodDelete, "/orgs/current/members/" + unknownID + "/pending", "", [4]int{gone, gone, no, no}},
		{http.MethodGet, "/orgs/current/scim/tokens/" + unknownID, "", [4]int{gone, gone, gone, gone}},
		{http.MethodPatch, "/orgs/current/scim/tokens/" + unknownID, `{"description":"x"}`, [4]int{gone, no, no, no}},
		{http.MethodDelete, "/orgs/current/scim/tokens/" + unknownID, "", [4]int{gone, no, no, no}},
		{http.MethodDelete, "/orgs/current/personal-access-tokens/" + unknownID, "", [4]int{gone, gone, gone, gone}},
		{http.MethodDelete, "/orgs/current/service-keys/" + unknownID, "", [4]int{gone, no, no, no}},
		{http.MethodGet, "/platform/orgs/current/members", "", [4]int{yes, yes, yes, yes}},
		{http.MethodPost, "/orgs/current/members/batch", `[{"email":"b%d@example.com"}]`, [4]int{yes, yes, no, no}},
		{http.MethodPost, "/orgs/current/members/batch", `[{"email":"c%d@example.com","role_id":"` + string(domain.RoleOrgOperator) + `"}]`, [4]int{yes, no, no, no}},
		{http.MethodGet, "/orgs/current/members/personal-access-tokens", "", [4]int{yes, no, no, no}},
		{http.MethodPost, "/orgs/current/personal-access-tokens/" + unknownID + "/revocation", "", [4]int{gone, no, no, no}},
		{http.MethodDelete, "/orgs/current/personal-access-tokens/" + unknownID + "/revocation", "", [4]int{gone, no, no, no}},
		{http.MethodPost, "/orgs/current/roles", `{"display_name":"R%d","permissions":[]}`, [4]int{yes, no, no, no}},
		{http.MethodPatch, "/orgs/current/roles/" + unknownID, `{}`, [4]int{gone, no, no, no}},
		{http.MethodDelete, "/orgs/current/roles/" + unknownID, "", [4]int{gone, no, no, no}},
		{http.MethodPatch, "/orgs/current/service-keys/" + unknownID, `{}`, [4]int{gone, no, no, no}},
		{http.MethodGet, "/service-accounts", "", [4]int{yes, no, no, no}},
		{http.MethodPost, "/service-accounts", `{"name":"A%d"}`, [4]int{yes, no, no, no}},
		{http.MethodDelete, "/service-accounts/" + unknownID, "", [4]int{gone, no, no, no}},
		// An Operator sees the workspace without being in it, and has no permission inside (R4).
		{http.MethodGet, "/api-key", "", [4]int{yes, no, gone, gone}},
		{http.MethodPost, "/api-key", "", [4]int{yes, no, gone, gone}},
		{http.MethodDelete, "/api-key/" + unknownID, "", [4]int{gone, no, gone, gone}},
		{http.MethodGet, "/api-key/current", "", [4]int{yes, yes, yes, yes}},
		{http.MethodPost, "/api-key/current", `{}`, [4]int{yes, yes, gone, no}},
		{http.MethodDelete, "/api-key/current/" + unknownID, "", [4]int{gone, gone, gone, gone}},
		{http.MethodPatch, "/orgs/current/login-methods", `{}`, [4]int{yes, no, no, no}},
		{http.MethodPost, "/orgs/current/sso-settings", `{"default_workspace_role_id":"` + string(domain.RoleWorkEditor) + `","default_workspace_ids":[]}`, [4]int{http.StatusConflict, no, no, no}},
		{http.MethodDelete, "/orgs/current/sso-settings/" + unknownID, "", [4]int{gone, no, no, no}},
		{http.MethodGet, "/orgs/current/scim/groups", "", [4]int{yes, yes, yes, yes}},
		{http.MethodGet, "/orgs/current/scim/groups/" + unknownID, "", [4]int{gone, gone, gone, gone}},
		{http.MethodPut, "/orgs/current/scim/groups/" + unknownID + "/mapping", `{}`, [4]int{gone, gone, no, no}},
		{http.MethodDelete, "/orgs/current/scim/groups/" + unknownID + "/mapping", "", [4]int{gone, gone, no, no}},
		{http.MethodPost, "/orgs/current/scim/preview", `{"group_name":"x"}`, [4]int{yes, yes, no, no}},
		{http.MethodGet, "/orgs/current/scim/guard", "", [4]int{yes, yes, no, no}},
		{http.MethodPatch, "/orgs/current/scim/guard", `{}`, [4]int{yes, no, no, no}},
		{http.MethodPost, "/orgs/current/scim/guard/release", "", [4]int{http.StatusConflict, no, no, no}},
		{http.MethodPost, "/orgs/current/scim/guard/refuse", "", [4]int{http.StatusConflict, no, no, no}},
		{http.MethodGet, "/orgs/pending", "", [4]int{yes, yes, yes, yes}},
		{http.MethodDelete, "/orgs/pending/" + unknownID, "", [4]int{gone, gone, gone, gone}},
		{http.MethodPost, "/orgs/pending/" + unknownID + "/claim", "", [4]int{gone, gone, gone, gone}},
		{http.MethodGet, "/workspaces/pending", "", [4]int{yes, yes, yes, yes}},
		{http.MethodDelete, "/workspaces/pending/" + unknownID, "", [4]int{gone, gone, gone, gone}},
		{http.MethodPost, "/workspaces/pending/" + unknownID + "/claim", "", [4]int{gone, gone, gone, gone}},
		{http.MethodGet, "/workspaces/current/members/active", "", [4]int{yes, yes, gone, gone}},
		{http.MethodGet, "/workspaces/current/members/pending", "", [4]int{yes, yes, gone, gone}},
		{http.MethodPost, "/workspaces/current/members", `{"user_id":"` + unknownID + `","role_id":"` + string(domain.RoleWorkEditor) + `"}`, [4]int{gone, gone, gone, gone}},
		{http.MethodPost, "/workspaces/current/members/batch", `[{"email":"wb%d@example.com"}]`, [4]int{yes, yes, gone, gone}},
		{http.MethodPatch, "/workspaces/current/members/" + unknownID, `{"role_id":"` + string(domain.RoleWorkEditor) + `"}`, [4]int{gone, gone, gone, gone}},
		{http.MethodDelete, "/workspaces/current/members/" + unknownID, "", [4]int{gone, gone, gone, gone}},
		{http.MethodDelete, "/workspaces/current/members/" + unknownID + "/pending", "", [4]int{gone, gone, gone, gone}},
		{http.MethodGet, "/audit-logs?start_time=2026-01-01T00:00:00Z&end_time=2030-01-01T00:00:00Z", "", [4]int{yes, yes, no, no}},
		{http.MethodGet, "/orgs/current/event-hooks", "", [4]int{yes, no, no, no}},
		{http.MethodPost, "/orgs/current/event-hooks", `{"url":"https://app.example/hook"}`, [4]int{http.StatusCreated, no, no, no}},
		{http.MethodPatch, "/orgs/current/event-hooks/" + unknownID, `{}`, [4]int{gone, no, no, no}},
		{http.MethodDelete, "/orgs/current/event-hooks/" + unknownID, "", [4]int{gone, no, no, no}},
		{http.MethodPost, "/orgs/current/event-hooks/" + unknownID + "/rotate-secret", "", [4]int{gone, no, no, no}},
		{http.MethodPost, "/orgs/current/event-hooks/" + unknownID + "/test", "", [4]int{gone, no, no, no}},
		{http.MethodGet, "/orgs/current/event-hooks/" + unknownID + "/dead-letters", "", [4]int{gone, no, no, no}},
		{http.MethodPost, "/orgs/current/event-hooks/" + unknownID + "/dead-letters/" + unknownID + "/redeliver", "", [4]int{gone, no, no, no}},
		{http.MethodGet, "/settings", "", [4]int{yes, yes, gone, gone}},
		{http.MethodPost, "/settings/handle", `{"tenant_handle":"w%d"}`, [4]int{yes, yes, gone, gone}},
		{http.MethodDelete, "/workspaces/" + unknownID, "", [4]int{gone, gone, gone, gone}},
	}
}

// R4, R20 and the role tables: what each role may do, operation by operation.
func TestRoles(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		roles := []string{"Organization Admin", "Organization Operator", "Organization User", "Organization Viewer"}
		keyOf := map[string]string{}
		for i, name := range roles {
			email := fmt.Sprintf("r%d@example.com", i)
			keyOf[name] = w.keyFor("", email, false)
			member := w.ok(http.MethodGet, "/api/v1/orgs/current/members/active?emails="+email, "").list()[0]
			w.ok(http.MethodPatch, fmt.Sprint("/api/v1/orgs/current/members/", member["id"]), fmt.Sprintf(`{"role_id":%q}`, w.role("organization", name)))
		}
		sso := w.ok(http.MethodGet, "/api/v1/orgs/current/sso-settings", "").list()[0]["id"]
		admins := w.ok(http.MethodGet, "/api/v1/orgs/current/members/active?emails=r0@example.com", "").list()[0]["id"]
		w1 := fmt.Sprint(w.ok(http.MethodGet, "/api/v1/workspaces", "").list()[0]["id"])
		tried := map[string]bool{}
		for _, c := range orgOperations(fmt.Sprint(sso), fmt.Sprint(admins), w1) {
			tried[w.contract.operation(c.method, "/api/v1"+c.path)] = true
			for i, name := range roles {
				body := strings.ReplaceAll(c.body, "%d", fmt.Sprint(i))
				if got := w.send(c.method, "/api/v1"+c.path, body, http.Header{"X-Api-Key": {keyOf[name]}, "X-Tenant-Id": {w1}}); got.status != c.want[i] {
					w.Errorf("%s %s as %s: %d %s, want %d", c.method, c.path, name, got.status, got.raw, c.want[i])
				}
			}
		}
		for _, operation := range w.contract.operations() {
			open := slices.Contains([]string{"get-info", "get-info-health", "get-ok"}, operation)
			if !tried[operation] && !open {
				w.Errorf("%s has no row in this table", operation)
			}
		}
	})
}

// workspaceOperation is the same for the roles in a workspace: Admin, Editor, Viewer, one that manages members, one without a permission of ours.
type workspaceOperation struct {
	method, path, body string
	want               [5]int
}

func workspaceOperations(w1, hr string) []workspaceOperation {
	const yes, no = http.StatusOK, http.StatusForbidden
	return []workspaceOperation{
		{http.MethodGet, "/workspaces/" + w1, "", [5]int{yes, yes, yes, yes, yes}},
		{http.MethodGet, "/settings", "", [5]int{yes, yes, yes, yes, yes}},
		{http.MethodGet, "/workspaces/current/members", "", [5]int{yes, yes, yes, yes, no}},
		{http.MethodGet, "/workspaces/current/members/active", "", [5]int{yes, yes, yes, yes, no}},
		{http.MethodGet, "/workspaces/current/members/pending", "", [5]int{yes, yes, yes, yes, no}},
		{http.MethodPatch, "/workspaces/" + w1, `{"display_name":"Renamed %d"}`, [5]int{yes, no, no, no, no}},
		{http.MethodPost, "/settings/handle", `{"tenant_handle":"h%d"}`, [5]int{yes, no, no, no, no}},
		{http.MethodPost, "/workspaces/current/members/batch", `[{"email":"n%d@example.com","workspace_role_id":"` + hr + `"}]`, [5]int{yes, no, no, yes, no}},
		{http.MethodPost, "/workspaces/current/members/batch", `[{"email":"m%d@example.com"}]`, [5]int{yes, no, no, no, no}},
		{http.MethodGet, "/api-key", "", [5]int{yes, no, no, no, no}},
		{http.MethodPost, "/api-key", `{}`, [5]int{yes, no, no, no, no}},
		{http.MethodPatch, "/workspaces/current/members/VICTIM", `{"role_id":"` + string(domain.RoleWorkViewer) + `"}`, [5]int{yes, no, no, no, no}},
		{http.MethodDelete, "/workspaces/current/members/VICTIM", "", [5]int{yes, no, no, no, no}},
		{http.MethodPost, "/workspaces", `{"display_name":"New %d"}`, [5]int{no, no, no, no, no}},
		{http.MethodDelete, "/workspaces/" + unknownID, "", [5]int{http.StatusNotFound, http.StatusNotFound, http.StatusNotFound, http.StatusNotFound, http.StatusNotFound}},
	}
}

// R2, R21 and the workspace operations: what each role in a workspace may do there.
func TestWorkspaceRoles(t *testing.T) {
	onEngines(t, func(p *domain.Policy, _ *admin.Config) { p.WorkspaceInvitesEnabled = true }, func(w *world) {
		w1 := fmt.Sprint(w.ok(http.MethodGet, "/api/v1/workspaces", "").list()[0]["id"])
		hr := fmt.Sprint(w.ok(http.MethodPost, "/api/v1/orgs/current/roles", `{"display_name":"HR","permissions":["workspaces:read","workspaces:manage-members"]}`).object()["id"])
		blind := fmt.Sprint(w.ok(http.MethodPost, "/api/v1/orgs/current/roles", `{"display_name":"Blind","permissions":["ledger:read"]}`).object()["id"])
		roles := []string{string(domain.RoleWorkAdmin), string(domain.RoleWorkEditor), string(domain.RoleWorkViewer), hr, blind}
		keys := make([]string, len(roles))
		victims := make([]string, len(roles))
		header := http.Header{"X-Api-Key": {w.key}, "X-Tenant-Id": {w1}}
		join := func(email, role string) string {
			member := fmt.Sprint(w.ok(http.MethodGet, "/api/v1/orgs/current/members/active?emails="+email, "").list()[0]["id"])
			if got := w.send(http.MethodPost, "/api/v1/workspaces/current/members", fmt.Sprintf(`{"org_identity_id":%q,"role_id":%q}`, member, role), header); got.status != http.StatusOK {
				w.Fatalf("%d %s", got.status, got.raw)
			}
			return member
		}
		for i, role := range roles {
			keys[i] = w.keyFor("", fmt.Sprintf("w%d@example.com", i), false)
			join(fmt.Sprintf("w%d@example.com", i), role)
			w.keyFor("", fmt.Sprintf("v%d@example.com", i), false)
			victims[i] = join(fmt.Sprintf("v%d@example.com", i), blind)
		}
		for _, c := range workspaceOperations(w1, hr) {
			for i := range roles {
				fill := strings.NewReplacer("%d", fmt.Sprint(i), "VICTIM", victims[i])
				got := w.send(c.method, "/api/v1"+fill.Replace(c.path), fill.Replace(c.body), http.Header{"X-Api-Key": {keys[i]}, "X-Tenant-Id": {w1}})
				if got.status != c.want[i] {
					w.Errorf("%s %s as role %d: %d %s, want %d", c.method, c.path, i, got.status, got.raw, c.want[i])
				}
			}
		}
	})
}
