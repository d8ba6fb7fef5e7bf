package admin_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"testing"

	"muster/domain"
)

// A17: a key opens the API as X-API-Key or bearer token and in no other way, so that there is one check of what it may do.
func TestKeyByOtherMeans(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("ada:"+w.key))
		for name, c := range map[string]struct {
			path   string
			header http.Header
		}{
			"Basic":    {"/api/v1/me", http.Header{"Authorization": {basic}}},
			"a query":  {"/api/v1/me?api_key=" + w.key + "&access_token=" + w.key, nil},
			"a cookie": {"/api/v1/me", http.Header{"Cookie": {"__Host-muster=" + w.key + "; X-Api-Key=" + w.key}}},
		} {
			if got := w.send(http.MethodGet, c.path, "", c.header); got.status != http.StatusUnauthorized {
				w.Errorf("%s: %d %s", name, got.status, got.raw)
			}
		}
	})
}

// A18: a service's key is no person on any route that speaks of "me".
func TestServiceKeyIsNobody(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		w1 := w.ok(http.MethodGet, "/api/v1/workspaces", "").list()[0]["id"]
		service := w.ok(http.MethodPost, "/api/v1/orgs/current/service-keys", fmt.Sprintf(`{"description":"robot","workspaces":[%q]}`, w1)).object()
		robot := http.Header{"X-Api-Key": {fmt.Sprint(service["key"])}}
		for _, path := range []string{"/me", "/me/sessions", "/orgs"} {
			if got := w.send(http.MethodGet, "/api/v1"+path, "", robot); got.status != http.StatusForbidden {
				w.Errorf("%s: %d %s", path, got.status, got.raw)
			}
		}
		for _, path := range []string{"/me/sessions", "/me/sessions/" + unknownID} {
			if got := w.send(http.MethodDelete, "/api/v1"+path, "", robot); got.status != http.StatusForbidden {
				w.Errorf("DELETE %s: %d %s", path, got.status, got.raw)
			}
		}
		for _, path := range []string{"/orgs/current/user/login-methods", "/orgs/current/personal-access-tokens"} {
			if got := w.send(http.MethodGet, "/api/v1"+path, "", robot); got.status == http.StatusOK && len(got.list()) > 0 {
				w.Errorf("%s: %s", path, got.raw)
			}
		}
	})
}

// A41: a credential that is malformed, unknown, of another kind or revoked is answered in the same words and headers.
func TestOneAnswerForBadCredentials(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		gone := w.keyFor("", "bob@example.com", false)
		member := w.ok(http.MethodGet, "/api/v1/orgs/current/members/active?emails=bob@example.com", "").list()[0]["id"]
		w.ok(http.MethodDelete, fmt.Sprint("/api/v1/orgs/current/members/", member), "")
		scope, err := w.service.CommandLine(w.Context(), "")
		if err != nil {
			w.Fatal(err)
		}
		_, scim, err := w.service.CreateSCIMToken(w.Context(), scope, domain.NewSCIMToken{})
		if err != nil {
			w.Fatal(err)
		}
		want := w.send(http.MethodGet, "/api/v1/orgs/current", "", http.Header{"X-Api-Key": {"x"}})
		for name, key := range map[string]string{"revoked": gone, "of another kind": string(scim), "cut": w.key[:len(w.key)-1], "another checksum": w.key[:len(w.key)-1] + "~", "empty prefix": "muster_pat_"} {
			got := w.send(http.MethodGet, "/api/v1/orgs/current", "", http.Header{"X-Api-Key": {key}})
			if got.status != http.StatusUnauthorized || got.raw != want.raw || got.header.Get("WWW-Authenticate") != want.header.Get("WWW-Authenticate") {
				w.Errorf("%s: %d %s", name, got.status, got.raw)
			}
		}
	})
}
