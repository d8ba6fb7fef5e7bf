package main_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"muster/internal/testkit"
	"muster/internal/testkit/badidp"
)

// What an operator does in an emergency works at once on a running server, and is in the audit log as done on the command line.
func TestRecovery(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, databaseURL string) {
		idp := badidp.New(t)
		env := []string{
			"DATABASE_URL=" + databaseURL, "OAUTH_ISSUER_URL=" + idp.Issuer(), "OAUTH_CLIENT_ID=" + badidp.ClientID,
			"OAUTH_CLIENT_SECRET=" + badidp.ClientSecret, "LOG_FORMAT=json",
		}
		server := testkit.Start(t, testkit.Program{Path: testkit.Build(t, "./cmd/muster"), Args: []string{"serve"}, Env: env})
		const start = "/api/v1/oauth/custom-oidc"

		// Nobody can get in: a new Admin.
		muster(t, env, "admin", "add", "alice@example.com")
		cookie := through(t, idp, server.URL, start, "")
		org, _, _ := strings.Cut(muster(t, env, "org", "list"), "\t")
		settings := server.URL + "/orgs/" + org + "/sign-in-settings"
		if text := textOf(t, settings, cookie); !strings.Contains(text, "Identity providers") || strings.Contains(text, "switched off") {
			t.Errorf("the settings: %s", text)
		}

		// A provider is in a stranger's hands.
		if out := muster(t, env, "provider", "disable", "custom-oidc"); !strings.Contains(out, "ended 1 sessions") {
			t.Error(out)
		}
		if got := statusAt(t, server.URL, "/api/v1/me", cookie); got != http.StatusUnauthorized {
			t.Errorf("the session of a disabled provider: %d", got)
		}
		if got := visit(t, server.URL+start, "").StatusCode; got != http.StatusForbidden {
			t.Errorf("a sign-in through a disabled provider begins: %d", got)
		}
		if text := textOf(t, server.URL+"/sign-in", ""); !strings.Contains(text, "switched off by the operator") || strings.Contains(text, start) {
			t.Errorf("the door: %s", text)
		}
		if out := muster(t, env, "provider", "list"); !strings.Contains(out, "disabled since") {
			t.Error(out)
		}
		if out := muster(t, env, "doctor"); !strings.Contains(out, "muster provider enable custom-oidc") {
			t.Error(out)
		}
		muster(t, env, "provider", "disable", "custom-oidc")
		muster(t, env, "provider", "enable", "custom-oidc")
		if got := statusAt(t, server.URL, "/api/v1/me", cookie); got != http.StatusUnauthorized {
			t.Errorf("a session revived: %d", got)
		}
		refused(t, env, 5, "is not disabled", "provider", "enable", "custom-oidc")
		refused(t, env, 5, "configured and enabled are: custom-oidc", "provider", "disable", "else")

		// The installation itself is in doubt.
		cookie = through(t, idp, server.URL, start, "")
		if out := muster(t, env, "session", "end", "--everywhere"); !strings.Contains(out, "ended 1 sessions") {
			t.Error(out)
		}
		if got := statusAt(t, server.URL, "/api/v1/me", cookie); got != http.StatusUnauthorized {
			t.Errorf("after all sessions ended: %d", got)
		}
		refused(t, env, 2, "stands alone", "session", "end", "--everywhere", "--all")
		releaseGuard(t, server, env)
		wantOperations(t, env, "update_org_member", "disable_login_provider", "enable_login_provider", "revoke_sessions", "release_deprovisioning")
	})
}

// A sign-in that was under way when the provider was disabled ends nowhere.
func TestProviderDisabledMeanwhile(t *testing.T) {
	idp := badidp.New(t)
	env := []string{
		"DATABASE_URL=" + testkit.SQLite(t), "OAUTH_ISSUER_URL=" + idp.Issuer(), "OAUTH_CLIENT_ID=" + badidp.ClientID,
		"OAUTH_CLIENT_SECRET=" + badidp.ClientSecret, "INITIAL_ORG_ADMIN_EMAIL=alice@example.com",
	}
	server := testkit.Start(t, testkit.Program{Path: testkit.Build(t, "./cmd/muster"), Args: []string{"serve"}, Env: env})
	began := visit(t, server.URL+"/api/v1/oauth/custom-oidc", "")
	back := idp.Authorize(t, began.Header.Get("Location"))
	muster(t, env, "provider", "disable", "custom-oidc")
	flow := began.Cookies()[0]
	ended := visit(t, server.URL+"/api/v1/oauth/custom-oidc/callback?"+back.Encode(), flow.Name+"="+flow.Value)
	if ended.StatusCode != http.StatusForbidden {
		t.Errorf("the callback: %d", ended.StatusCode)
	}
	for _, cookie := range ended.Cookies() {
		if cookie.Name == "muster" && cookie.MaxAge >= 0 {
			t.Error("there is a session")
		}
	}
}

// releaseGuard has the guard hold a removal back and lets it pass.
func releaseGuard(t *testing.T, server *testkit.Process, env []string) {
	t.Helper()
	client := scimClient{base: server.URL, token: muster(t, env, "token", "create")}
	key := muster(t, env, "key", "create", "--email", "ops@example.com", "--admin")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, server.URL+"/api/v1/orgs/current/scim/guard", strings.NewReader(`{"enabled":true,"max_people":1,"max_percent":0,"window_minutes":60}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{"Authorization": {"Bearer " + key}, "Content-Type": {"application/json"}}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("the guard: %d %s", answer.StatusCode, text)
	}
	var ids []string
	for _, name := range []string{"g1@example.com", "g2@example.com"} {
		_, made, err := client.do(t.Context(), http.MethodPost, "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"`+name+`"}`)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, made["id"].(string))
	}
	remove := func(id string) int {
		status, _, err := client.do(t.Context(), http.MethodDelete, "/Users/"+id, "")
		if err != nil {
			t.Fatal(err)
		}
		return status
	}
	if first, held := remove(ids[0]), remove(ids[1]); first != http.StatusNoContent || held != http.StatusTooManyRequests {
		t.Fatalf("the guard holds nothing back: %d %d", first, held)
	}
	muster(t, env, "guard", "release")
	if got := remove(ids[1]); got != http.StatusNoContent {
		t.Errorf("after the release: %d", got)
	}
}

// wantOperations waits until the audit log has rows of these operations, all by the command line.
func wantOperations(t *testing.T, env []string, operations ...string) {
	t.Helper()
	found := map[string]bool{}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline) && len(found) < len(operations); {
		for _, line := range strings.Split(muster(t, env, "audit", "export"), "\n") {
			for _, operation := range operations {
				if strings.Contains(line, `"operation":"`+operation+`"`) && strings.Contains(line, "command line") {
					found[operation] = json.Valid([]byte(line))
				}
			}
		}
	}
	for _, operation := range operations {
		if !found[operation] {
			t.Errorf("no audit row by the command line says %s", operation)
		}
	}
}

// textOf is the text of a page, with redirects followed.
func textOf(t *testing.T, address, cookie string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Cookie", cookie)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
