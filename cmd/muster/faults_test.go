package main_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"muster/internal/testkit"
)

// scimClient is an identity provider at a server that may die.
type scimClient struct {
	base, token string
}

// do sends a request and returns status and body; an error means that no answer came.
func (c scimClient) do(ctx context.Context, method, path, body string) (int, map[string]any, error) {
	answer, raw, err := c.send(ctx, method, path, body, http.Header{})
	if err != nil {
		return 0, nil, err
	}
	var resource map[string]any
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &resource); err != nil {
			return 0, nil, err
		}
	}
	return answer.StatusCode, resource, nil
}

// send sends a request with further header fields and returns the answer and its body.
func (c scimClient) send(ctx context.Context, method, path, body string, header http.Header) (*http.Response, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+"/scim/v2"+path, strings.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	header.Set("Authorization", "Bearer "+c.token)
	header.Set("Content-Type", "application/scim+json")
	request.Header = header
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(answer.Body)
	return answer, raw, err
}

func userBody(name string) string {
	return `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"` + name + `","active":true}`
}

func groupBody(name string) string {
	return `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"` + name + `","members":[]}`
}

// serve starts a server without a provider and returns it with a SCIM client.
func serve(t *testing.T, databaseURL string) (*testkit.Process, scimClient) {
	t.Helper()
	binary := testkit.BuildRace(t, "./cmd/muster")
	env := []string{"DATABASE_URL=" + databaseURL, "LOG_FORMAT=json"}
	process := testkit.Start(t, testkit.Program{Path: binary, Args: []string{"serve"}, Env: env})
	return process, scimClient{base: process.URL, token: muster(t, env, "token", "create")}
}

// muster runs the command line and returns what it printed.
func muster(t *testing.T, env []string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), testkit.Build(t, "./cmd/muster"), args...)
	command.Env = env
	var stderr strings.Builder
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("muster %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// F6: killed under load, again and again, the server loses nothing that it acknowledged and needs no repair.
func TestKillUnderLoad(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, databaseURL string) {
		process, client := serve(t, databaseURL)
		_, group, err := client.do(t.Context(), http.MethodPost, "/Groups", groupBody("Team"))
		if err != nil {
			t.Fatal(err)
		}
		team := fmt.Sprint(group["id"])
		for round := range 4 {
			acknowledged := loadUntilKilled(t, process, client, team, round)
			process.Restart()
			_, whole, err := client.do(t.Context(), http.MethodGet, "/Groups/"+team, "")
			if err != nil {
				t.Fatal(err)
			}
			for name, id := range acknowledged {
				status, found, err := client.do(t.Context(), http.MethodGet, "/Users/"+id, "")
				if err != nil || status != http.StatusOK || found["userName"] != name {
					t.Errorf("round %d: %s was acknowledged and is %d %v (%v)", round, name, status, found, err)
				}
				if !hasMember(whole, id) {
					t.Errorf("round %d: %s was acknowledged as a member and is none", round, name)
				}
			}
		}
	})
}

// loadUntilKilled creates people and puts them into the group from eight clients until the server is killed,
// and returns those of which both was acknowledged.
func loadUntilKilled(t *testing.T, process *testkit.Process, client scimClient, team string, round int) map[string]string {
	t.Helper()
	var mutex sync.Mutex
	acknowledged := map[string]string{}
	var wait sync.WaitGroup
	for worker := range 8 {
		wait.Go(func() {
			for n := 0; ; n++ {
				name := fmt.Sprintf("r%d-w%d-n%d", round, worker, n)
				status, user, err := client.do(t.Context(), http.MethodPost, "/Users", userBody(name))
				if err != nil {
					return
				}
				id := fmt.Sprint(user["id"])
				add := patch(`{"op":"add","path":"members","value":[{"value":"` + id + `"}]}`)
				patched, _, err := client.do(t.Context(), http.MethodPatch, "/Groups/"+team, add)
				if err != nil {
					return
				}
				if status != http.StatusCreated || patched != http.StatusNoContent {
					t.Errorf("%s: created %d, added %d", name, status, patched)
					return
				}
				mutex.Lock()
				acknowledged[name] = id
				mutex.Unlock()
			}
		})
	}
	eventually(t, "some requests are acknowledged", func() error {
		mutex.Lock()
		defer mutex.Unlock()
		if len(acknowledged) < 20*(round+1) {
			return fmt.Errorf("%d so far", len(acknowledged))
		}
		return nil
	})
	process.Kill()
	wait.Wait()
	return acknowledged
}

// S91: what a provider asked for just before the server was told to stop is in its activity.
func TestActivityOfTheLastRequest(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, databaseURL string) {
		process, client := serve(t, databaseURL)
		if status, _, err := client.do(t.Context(), http.MethodGet, "/Users", ""); err != nil || status != http.StatusOK {
			t.Fatalf("GET /Users: %d %v", status, err)
		}
		if code := process.Stop(); code != 0 {
			t.Errorf("exit code %d", code)
		}
		if rows, err := numberIn(t, databaseURL, "SELECT COUNT(*) FROM scim_activity"); err != nil || rows != 1 {
			t.Errorf("%d rows of activity (%v), want the one request", rows, err)
		}
	})
}

func hasMember(group map[string]any, id string) bool {
	members, _ := group["members"].([]any)
	for _, member := range members {
		if element, ok := member.(map[string]any); ok && element["value"] == id {
			return true
		}
	}
	return false
}

// F2, F3, L1: two server processes on one PostgreSQL take concurrent changes of one group and creates of one person.
func TestTwoServers(t *testing.T) {
	databaseURL := testkit.Postgres(t)
	_, one := serve(t, databaseURL)
	_, two := serve(t, databaseURL)
	two.token = one.token // a token works on every process
	clients := []scimClient{one, two}
	_, group, err := one.do(t.Context(), http.MethodPost, "/Groups", groupBody("Team"))
	if err != nil {
		t.Fatal(err)
	}
	team := fmt.Sprint(group["id"])
	ids := make([]string, 24)
	for i := range ids {
		_, user, err := clients[i%2].do(t.Context(), http.MethodPost, "/Users", userBody(fmt.Sprint("user", i)))
		if err != nil {
			t.Fatal(err)
		}
		ids[i] = fmt.Sprint(user["id"])
	}
	var wait sync.WaitGroup
	var created atomic.Int32
	for i, id := range ids {
		wait.Go(func() {
			add := patch(`{"op":"add","path":"members","value":[{"value":"` + id + `"}]}`)
			if status, answer, err := clients[i%2].do(t.Context(), http.MethodPatch, "/Groups/"+team, add); err != nil || status != http.StatusNoContent {
				t.Errorf("adding %s: %d %v %v", id, status, answer, err)
			}
			status, answer, err := clients[i%2].do(t.Context(), http.MethodPost, "/Users", userBody("one@example.com"))
			switch {
			case err == nil && status == http.StatusCreated:
				created.Add(1)
			case err != nil || status != http.StatusConflict:
				t.Errorf("creating one person from many sides: %d %v %v", status, answer, err)
			}
		})
	}
	wait.Wait()
	_, whole, err := two.do(t.Context(), http.MethodGet, "/Groups/"+team, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if !hasMember(whole, id) {
			t.Errorf("the member %s is lost", id)
		}
	}
	if created.Load() != 1 {
		t.Errorf("one person was created %d times", created.Load())
	}
}

// A database that is away at start-up, and one that goes away later: 503 with Retry-After, and recovery without a restart.
func TestDatabaseAway(t *testing.T) {
	proxy, databaseURL := testkit.ProxyURL(t, testkit.Postgres(t))
	proxy.Refuse()
	binary := testkit.Build(t, "./cmd/muster")
	env := []string{"DATABASE_URL=" + databaseURL, "LOG_FORMAT=json"}
	process := testkit.Launch(t, testkit.Program{Path: binary, Args: []string{"serve"}, Env: env})
	client := scimClient{base: process.URL, token: "muster_scim_" + strings.Repeat("0", 38)}
	eventually(t, "the server lives without its database", func() error {
		return answers(t.Context(), process.URL+"/livez", http.StatusOK)
	})
	if err := answers(t.Context(), process.URL+"/readyz", http.StatusServiceUnavailable); err != nil {
		t.Error(err)
	}
	proxy.Resume()
	process.WaitReady()
	client.token = muster(t, env, "token", "create")
	if status, _, err := client.do(t.Context(), http.MethodGet, "/Users", ""); err != nil || status != http.StatusOK {
		t.Fatalf("after the database came: %d %v", status, err)
	}
	proxy.Refuse()
	proxy.Sever()
	eventually(t, "requests are 503 while the database is away", func() error {
		status, answer, err := client.do(t.Context(), http.MethodGet, "/Users", "")
		if err == nil && (status != http.StatusServiceUnavailable || answer["status"] != "503") {
			err = fmt.Errorf("status %d, %v", status, answer)
		}
		return err
	})
	if err := answers(t.Context(), process.URL+"/readyz", http.StatusServiceUnavailable); err != nil {
		t.Error(err)
	}
	proxy.Resume()
	eventually(t, "the server recovers by itself", func() error {
		status, _, err := client.do(t.Context(), http.MethodGet, "/Users", "")
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("status %d", status)
		}
		return err
	})
}

func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	var err error
	for range 300 {
		if err = try(); err == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("%s: %v", what, err)
}

func answers(ctx context.Context, address string, want int) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != want {
		return fmt.Errorf("%s answers %d, want %d", address, answer.StatusCode, want)
	}
	return nil
}

// What stops the program before it serves: one line that names the thing, and an exit code that tells a wrong call from a failure.
func TestRefusesToStart(t *testing.T) {
	binary := testkit.Build(t, "./cmd/muster")
	file := "sqlite://" + filepath.Join(t.TempDir(), "muster.db")
	first := testkit.Start(t, testkit.Program{Path: binary, Args: []string{"serve"}, Env: []string{"DATABASE_URL=" + file}})
	for name, c := range map[string]struct {
		env  []string
		args []string
		code int
		want string
	}{
		"unknown command":   {nil, []string{"fly"}, 2, "unexpected argument fly"},
		"wrong value":       {[]string{"FF_PERSONAL_ORGS_DISABLED=maybe"}, []string{"serve"}, 2, "config.personalOrgsDisabled"},
		"unknown key":       {nil, []string{"serve", "--set", "config.nothing=1"}, 2, `unknown key "config.nothing"`},
		"second server":     {[]string{"DATABASE_URL=" + file, "LISTEN_ADDRESS=127.0.0.1:0"}, []string{"serve"}, 4, "server"},
		"port taken":        {[]string{"DATABASE_URL=" + testkit.SQLite(t), "LISTEN_ADDRESS=" + first.Address}, []string{"serve"}, 4, "another program may have the port"},
		"no database":       {[]string{"DATABASE_URL=postgres://127.0.0.1:1/x"}, []string{"org", "list"}, 3, "database"},
		"no directory":      {[]string{"DATABASE_URL=sqlite://" + t.TempDir() + "/none/muster.db"}, []string{"serve"}, 2, "the directory of the database (DATABASE_URL) is not there"},
		"no client id":      {[]string{"DATABASE_URL=" + file, "OAUTH_ISSUER_URL=https://idp.example.com"}, []string{"serve"}, 2, "config.oauth.oauthClientId is missing"},
		"no such engine":    {[]string{"DATABASE_URL=mysql://x"}, []string{"serve"}, 2, "config.databaseUrl"},
		"address is none":   {[]string{"DATABASE_URL=" + file, "LISTEN_ADDRESS=nonsense"}, []string{"serve"}, 2, "host:port"},
		"no such address":   {[]string{"DATABASE_URL=" + file}, []string{"admin", "add", "nobody"}, 2, "not an e-mail address"},
		"no such org":       {[]string{"DATABASE_URL=" + file}, []string{"token", "create", "--org", "Nowhere"}, 5, "no organization \"Nowhere\""},
		"org already there": {[]string{"DATABASE_URL=" + file}, []string{"org", "create", "default"}, 4, "already"},
	} {
		t.Run(name, func(t *testing.T) {
			command := exec.CommandContext(t.Context(), binary, c.args...)
			command.Env = append([]string{"PATH="}, c.env...)
			var stdout, stderr strings.Builder
			command.Stdout, command.Stderr = &stdout, &stderr
			err := command.Run()
			exit, ok := errors.AsType[*exec.ExitError](err)
			if !ok || exit.ExitCode() != c.code {
				t.Errorf("ended with %v, want exit code %d", err, c.code)
			}
			if !strings.Contains(stderr.String(), c.want) || strings.Count(stderr.String(), "\n") != 1 || stdout.Len() > 0 {
				t.Errorf("printed %q and %q, want one line with %q", stdout.String(), stderr.String(), c.want)
			}
		})
	}
}
