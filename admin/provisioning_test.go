package admin_test

import (
	"net/http"
	"testing"
)

// S17, K12, S91: what an administrator declares and reads about provisioning, over the API.
func TestProvisioning(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		w.session("alice@example.com")
		admin := w.keyFor("", "ada@example.com", true)
		key := http.Header{"X-Api-Key": {admin}}
		body := `{"schemas":[{"id":"urn:acme:badge","attributes":[{"name":"number","uniqueness":"server"}]}],"resourceTypes":[{"name":"User","schemaExtensions":[{"schema":"urn:acme:badge"}]}]}`
		for _, c := range []struct {
			method, path, body string
			want               int
		}{
			{http.MethodPut, "/scim/schemas", body, http.StatusOK},
			{http.MethodGet, "/scim/schemas", "", http.StatusOK},
			{http.MethodPut, "/scim/schemas", `{"schemas":[{"id":"x","attributes":[{"name":"a"}]}],"resourceTypes":[]}`, http.StatusUnprocessableEntity},
			{http.MethodPut, "/scim/schemas", `{}`, http.StatusUnprocessableEntity},
			{http.MethodPost, "/scim/tokens", `{"description":"d","profile":"strict"}`, http.StatusCreated},
			{http.MethodPost, "/scim/tokens", `{"profile":"loose"}`, http.StatusUnprocessableEntity},
			{http.MethodPatch, "/info", `{"scim_group_twins_allowed":true}`, http.StatusOK},
			{http.MethodGet, "/scim/activity?limit=5&outcome=refused", "", http.StatusOK},
			{http.MethodGet, "/scim/activity?outcome=lost", "", http.StatusUnprocessableEntity},
			{http.MethodGet, "/scim/undeclared-attributes", "", http.StatusOK},
		} {
			if got := w.send(c.method, "/api/v1/orgs/current"+c.path, c.body, key); got.status != c.want {
				w.Errorf("%s %s %s: %d %s, want %d", c.method, c.path, c.body, got.status, got.raw, c.want)
			}
		}
	})
}
