package main_test

import (
	"errors"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"muster/internal/testkit"
	"muster/internal/testkit/badidp"
)

// Items 103-108, 110 against the real program: a provider ends sessions over its back channel, in a frame and by global revocation,
// and a sensitive change is refused to a session whose person proved themselves long ago until they do so again.
func TestProviderSignals(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, databaseURL string) {
		idp := badidp.New(t)
		long := time.Now().Add(-time.Hour).Unix()
		idp.Set(badidp.Knobs{
			Claims:   func(c map[string]any) { c["sid"] = "session-1" },
			AuthTime: func() int64 { return long },
		})
		server := testkit.Start(t, testkit.Program{Path: testkit.Build(t, "./cmd/muster"), Args: []string{"serve"}, Env: []string{
			"DATABASE_URL=" + databaseURL, "OAUTH_ISSUER_URL=" + idp.Issuer(), "OAUTH_CLIENT_ID=" + badidp.ClientID,
			"OAUTH_CLIENT_SECRET=" + badidp.ClientSecret, "INITIAL_ORG_ADMIN_EMAIL=alice@example.com", "LOG_FORMAT=json",
		}})
		const oauth = "/api/v1/oauth/custom-oidc"
		form := func(path string, values url.Values, header http.Header) int {
			t.Helper()
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, strings.NewReader(values.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			for name, value := range header {
				request.Header[name] = value
			}
			answer, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = answer.Body.Close()
			return answer.StatusCode
		}
		for name, end := range map[string]func() int{
			"back channel": func() int {
				return form(oauth+"/backchannel-logout", url.Values{"logout_token": {idp.LogoutToken(nil)}}, nil)
			},
			"front channel": func() int {
				return visit(t, server.URL+oauth+"/frontchannel-logout?"+url.Values{"iss": {idp.Issuer()}, "sid": {"session-1"}}.Encode(), "").StatusCode
			},
			"global revocation": func() int {
				body := `{"sub_id":{"format":"iss_sub","iss":"` + idp.Issuer() + `","sub":"subject-1"}}`
				request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+oauth+"/global-token-revocation", strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				request.Header.Set("Authorization", "Bearer "+idp.RevocationToken(server.URL+oauth+"/global-token-revocation", nil))
				answer, err := http.DefaultClient.Do(request)
				if err != nil {
					t.Fatal(err)
				}
				_ = answer.Body.Close()
				return answer.StatusCode
			},
		} {
			cookie := through(t, idp, server.URL, oauth, "")
			if got := statusAt(t, server.URL, "/api/v1/me", cookie); got != http.StatusOK {
				t.Fatalf("%s: not signed in: %d", name, got)
			}
			if got := end(); got != http.StatusOK && got != http.StatusNoContent {
				t.Errorf("%s: %d", name, got)
			}
			if got := statusAt(t, server.URL, "/api/v1/me", cookie); got != http.StatusUnauthorized {
				t.Errorf("%s: afterwards %d", name, got)
			}
		}
		cookie := through(t, idp, server.URL, oauth, "")
		token := func(cookie string) int {
			return form("/api/v1/orgs/current/scim/tokens", nil, http.Header{"Cookie": {cookie}, "Sec-Fetch-Site": {"same-origin"}, "Content-Type": {"application/json"}})
		}
		if got := token(cookie); got != http.StatusUnauthorized {
			t.Errorf("a SCIM token after an hour: %d", got)
		}
		long = time.Now().Unix()
		proved := through(t, idp, server.URL, oauth+"/step-up", cookie)
		if got := token(proved); got != http.StatusCreated {
			t.Errorf("a SCIM token after proving it again: %d", got)
		}
		if got := statusAt(t, server.URL, "/api/v1/me", cookie); got != http.StatusUnauthorized {
			t.Errorf("the session before the step-up: %d", got)
		}
	})
}

// through walks a flow from where it starts, in a browser that has a session or none, and returns the session's cookie.
func through(t *testing.T, idp *badidp.Provider, base, start, session string) string {
	t.Helper()
	began := visit(t, base+start, session)
	if began.StatusCode != http.StatusSeeOther || len(began.Cookies()) != 1 {
		t.Fatalf("%s: %d", start, began.StatusCode)
	}
	flow := began.Cookies()[0]
	cookies := flow.Name + "=" + flow.Value
	back := idp.Authorize(t, began.Header.Get("Location"))
	callback := base + "/api/v1/oauth/custom-oidc/callback?" + back.Encode()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, callback, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Cookie", cookies)
	if session != "" {
		request.Header.Set("Cookie", cookies+"; "+session)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	ended, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = ended.Body.Close()
	for _, cookie := range ended.Cookies() {
		if cookie.Name == "muster" {
			return "muster=" + cookie.Value
		}
	}
	t.Fatalf("the callback: %d", ended.StatusCode)
	return ""
}

// Item 11: the doctor finds what is wrong, says what to do, changes nothing, and fails when something has to be done.
func TestDoctor(t *testing.T) {
	idp := badidp.New(t)
	binary := testkit.Build(t, "./cmd/muster")
	env := []string{"DATABASE_URL=sqlite://" + t.TempDir() + "/muster.db", "OAUTH_ISSUER_URL=" + idp.Issuer(), "OAUTH_CLIENT_ID=muster"}
	muster(t, env, "migrate")
	report := muster(t, env, "doctor")
	for _, want := range []string{"ok       server", "database", "administrators", "custom-oidc  discovery", "warning  custom-oidc  back-channel logout"} {
		if !strings.Contains(report, want) {
			t.Errorf("the report has no %q:\n%s", want, report)
		}
	}
	idp.Set(badidp.Knobs{Discovery: func(m map[string]any) { m["issuer"] = idp.Issuer() + "/" }})
	out, code := commandFails(t, binary, env, "doctor")
	if code == 0 || !strings.Contains(out, "mind the slash") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	out, code = commandFails(t, binary, env[:1], "doctor")
	if code == 0 || !strings.Contains(out, "OAUTH_ISSUER_URL") {
		t.Errorf("without a provider: exit code %d:\n%s", code, out)
	}
}

// The command line ends sessions, changes the key and prints the set-up link, each saying what it did or why not.
func TestSessionCommands(t *testing.T) {
	env := []string{"DATABASE_URL=sqlite://" + t.TempDir() + "/muster.db"}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"session", "end", "--all"}, "ended 0 sessions"},
		{[]string{"reseal"}, "sealed the tokens of 0 sessions anew"},
		{[]string{"admin", "set-up-link"}, "/set-up?token="},
	} {
		if got := muster(t, env, c.args...); !strings.Contains(got, c.want) {
			t.Errorf("%v: %q", c.args, got)
		}
	}
	muster(t, env, "admin", "add", "ada@example.com")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"session", "end"}, 2, "--email ADDRESS"},
		{[]string{"session", "end", "--email", "nobody@example.com"}, 5, "nobody@example.com"},
		{[]string{"admin", "set-up-link"}, 5, "has an Organization Admin"},
	} {
		if out, code := commandFails(t, testkit.Build(t, "./cmd/muster"), env, c.args...); code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%v: exit code %d, %q", c.args, code, out)
		}
	}
}

// commandFails runs a command that is to fail and returns all that it printed, and its exit code.
func commandFails(t *testing.T, binary string, env []string, args ...string) (string, int) {
	t.Helper()
	command := exec.CommandContext(t.Context(), binary, args...)
	command.Env = env
	out, err := command.CombinedOutput()
	failed, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out), failed.ExitCode()
}
