package scim_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"muster/domain"
)

// A7: an externalId is opaque text: never an id of ours, whatever it looks like.
func TestExternalIDsAreOpaque(t *testing.T) {
	onEngines(t, func(w *world) {
		victim := w.create("victim@example.com")
		_, err := w.service.AddAdmin(t.Context(), w.commandLine(""), "owner@example.com")
		w.must(err)
		for i, externalID := range []string{"1", "0", "-1", victim, "admin", "owner@example.com", strings.Repeat("x", 1000), "ﬁ́😀", "' OR 1=1 --", "../Users"} {
			body := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"p%d","externalId":%q}`, i, externalID)
			created := w.ok(http.StatusCreated, http.MethodPost, "/Users", body)
			if id := fmt.Sprint(created.body["id"]); id == victim || !domain.ValidID(domain.MemberID(id)) {
				t.Errorf("%q became %s", externalID, id)
			}
		}
		long := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"long","externalId":%q}`, strings.Repeat("x", 10_000))
		w.refused(http.StatusBadRequest, "invalidValue", http.MethodPost, "/Users", long)
		if got := w.ok(http.StatusOK, http.MethodGet, "/Users/"+victim, ""); got.body["userName"] != "victim@example.com" {
			t.Errorf("the victim is %v", got.body)
		}
	})
}

// A28: keys and paths that mean something elsewhere mean nothing here, and nested ones do not get far.
func TestOddPatchPaths(t *testing.T) {
	w := onSQLite(t)
	id := w.create("alice@example.com")
	before := w.ok(http.StatusOK, http.MethodGet, "/Users/"+id, "").text
	for _, operation := range []string{
		`{"op":"replace","path":"__proto__.admin","value":true}`,
		`{"op":"replace","path":"constructor.prototype","value":{}}`,
		`{"op":"add","path":"name.__proto__","value":{"a":1}}`,
		`{"op":"replace","path":"a.b.c.d.e","value":1}`,
		`{"op":"replace","path":"emails[type eq \"work\"].value.length","value":1}`,
		`{"op":"replace","path":"id","value":"x"}`,
		`{"op":"replace","path":"meta.version","value":"x"}`,
		`{"op":"add","path":"emails","value":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`,
	} {
		got := w.send(http.MethodPatch, "/Users/"+id, `{"schemas":["`+patchURN+`"],"Operations":[`+operation+`]}`)
		if got.status != http.StatusBadRequest {
			t.Errorf("%.80s: %d %s", operation, got.status, got.text)
		}
	}
	if after := w.ok(http.StatusOK, http.MethodGet, "/Users/"+id, "").text; after != before {
		t.Errorf("the person is now %s", after)
	}
}

// A29: what an identity provider writes about a person gives no role, verifies nothing and reaches no other organization.
func TestAttributesGiveNothing(t *testing.T) {
	onEngines(t, func(w *world) {
		body := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"eve@example.com","password":"x","active":true,
			"userType":"Organization Admin","roles":[{"value":"ORGANIZATION_ADMIN","primary":true}],"entitlements":[{"value":"organization:manage"}],
			"groups":[{"value":"` + w.createGroup("LS:Organization Admins") + `"}]}`
		id := fmt.Sprint(w.ok(http.StatusCreated, http.MethodPost, "/Users", body).body["id"])
		scope := w.commandLine("")
		why, err := w.service.Explain(t.Context(), scope, domain.MemberID(id))
		w.must(err)
		if why.Org.Role != domain.RoleOrgUser || len(why.Workspaces) != 0 {
			t.Errorf("she holds %+v", why)
		}
		if got := w.send(http.MethodGet, "/Users/"+id, ""); strings.Contains(got.text, "password") {
			t.Error("the password comes back")
		}
		_, err = w.service.CreateOrganizationByHand(t.Context(), "Acme")
		w.must(err)
		for _, path := range []string{"/Users/" + id, "/Groups/" + id} {
			if got := w.send(http.MethodGet, path, "", "Authorization", "Bearer "+w.token("Acme")); got.status != http.StatusNotFound {
				t.Errorf("%s with another organization's token: %d", path, got.status)
			}
		}
		for _, path := range []string{"/Users", "/Groups", "/Schemas", "/ResourceTypes", "/ServiceProviderConfig"} {
			if got := w.send(http.MethodGet, path, "", "Authorization", ""); got.status != http.StatusUnauthorized {
				t.Errorf("%s without a token: %d", path, got.status)
			}
		}
	})
}

// A30, R8: SCIM may take the last Admin's access, because a leaver never keeps it; the command line names another.
func TestLastAdminLeaves(t *testing.T) {
	onEngines(t, func(w *world) {
		id := w.create("ada@example.com")
		_, err := w.service.AddAdmin(t.Context(), w.commandLine(""), "ada@example.com")
		w.must(err)
		w.ok(http.StatusOK, http.MethodPatch, "/Users/"+id, `{"schemas":["`+patchURN+`"],"Operations":[{"op":"replace","path":"active","value":false}]}`)
		found, err := w.service.Examine(t.Context())
		w.must(err)
		if len(found) == 0 || found[0].Level != domain.FindingWarning {
			t.Errorf("nobody warns: %+v", found)
		}
		_, err = w.service.AddAdmin(t.Context(), w.commandLine(""), "eve@example.com")
		w.must(err)
	})
}
