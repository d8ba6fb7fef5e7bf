package main_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"muster/db"
	"muster/internal/testkit"
	"muster/internal/testkit/badidp"
)

// installation is a database with an identity provider, on which programs of two releases run.
type installation struct {
	*testing.T

	idp *badidp.Provider
	env []string
}

func newInstallation(t *testing.T, databaseURL string, env ...string) installation {
	t.Helper()
	idp := badidp.New(t)
	return installation{t, idp, append([]string{
		"DATABASE_URL=" + databaseURL, "OAUTH_ISSUER_URL=" + idp.Issuer(), "OAUTH_CLIENT_ID=" + badidp.ClientID,
		"OAUTH_CLIENT_SECRET=" + badidp.ClientSecret, "LOG_FORMAT=json",
	}, env...)}
}

// serve starts a program's server; an empty address is any free one.
func (i installation) serve(program, address string) *testkit.Process {
	i.Helper()
	return testkit.Start(i.T, testkit.Program{Path: program, Args: []string{"serve"}, Env: i.env, Address: address})
}

// run runs a program's command line and returns what it printed.
func (i installation) run(program string, args ...string) string {
	i.Helper()
	command := exec.CommandContext(i.Context(), program, args...)
	command.Env = i.env
	var said strings.Builder
	command.Stderr = &said
	out, err := command.Output()
	if err != nil {
		i.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, said.String())
	}
	return strings.TrimSpace(string(out))
}

// smoke signs in, provisions and administers through a running server, and returns the id of whom it has made.
func (i installation) smoke(program, base, name string) string {
	i.Helper()
	if got := statusAt(i.T, base, "/api/v1/me", through(i.T, i.idp, base, "/api/v1/oauth/custom-oidc", "")); got != http.StatusOK {
		i.Errorf("signed in and then %d", got)
	}
	client := scimClient{base: base, token: i.run(program, "token", "create")}
	do := func(want int, method, path, body string) map[string]any {
		i.Helper()
		status, answer, err := client.do(i.Context(), method, path, body)
		if err != nil || status != want {
			i.Fatalf("%s %s: %d %v %v", method, path, status, answer, err)
		}
		return answer
	}
	user := fmt.Sprint(do(http.StatusCreated, http.MethodPost, "/Users", userBody(name+"@example.com"))["id"])
	gone := fmt.Sprint(do(http.StatusCreated, http.MethodPost, "/Users", userBody(name+"-gone@example.com"))["id"])
	group := fmt.Sprint(do(http.StatusCreated, http.MethodPost, "/Groups", groupBody("Organization Admins "+name))["id"])
	do(http.StatusNoContent, http.MethodPatch, "/Groups/"+group, patch(`{"op":"add","path":"members","value":[{"value":"`+user+`"}]}`))
	do(http.StatusOK, http.MethodPatch, "/Users/"+user, patch(`{"op":"replace","value":{"active":false}}`))
	do(http.StatusOK, http.MethodPatch, "/Users/"+user, patch(`{"op":"replace","value":{"active":true}}`))
	do(http.StatusNoContent, http.MethodDelete, "/Users/"+gone, "")
	found := do(http.StatusOK, http.MethodGet, "/Users?filter="+url.QueryEscape(`userName eq "`+name+`@example.com"`), "")
	if found["totalResults"] != 1.0 || !hasMember(do(http.StatusOK, http.MethodGet, "/Groups/"+group, ""), user) {
		i.Errorf("%s is not found, or not in the group: %v", name, found)
	}
	key := map[string]string{"X-Api-Key": i.run(program, "key", "create", "--email", "ada@example.com", "--admin"), "Content-Type": "application/json"}
	if status, _, body := ask(i.T, http.MethodPost, base+"/api/v1/workspaces", `{"display_name":"`+name+`"}`, key); status >= http.StatusBadRequest {
		i.Errorf("a workspace: %d %s", status, body)
	}
	if status, _, body := ask(i.T, http.MethodGet, base+"/api/v1/orgs/current/members", "", key); status != http.StatusOK || !strings.Contains(body, name+"@example.com") {
		i.Errorf("the members: %d %s", status, body)
	}
	if text := i.run(program, "audit", "verify"); !strings.Contains(text, "in order") {
		i.Errorf("the audit log: %s", text)
	}
	return user
}

// exec runs statements on the database behind the programs' back.
func (i installation) exec(statements ...string) {
	i.Helper()
	engine, address := string(db.PostgreSQL), strings.TrimPrefix(i.env[0], "DATABASE_URL=")
	if file, ok := strings.CutPrefix(address, "sqlite://"); ok {
		engine, address = string(db.SQLite), file
	}
	pool, err := sql.Open(engine, address)
	if err != nil {
		i.Fatal(err)
	}
	defer func() { _ = pool.Close() }()
	for _, statement := range statements {
		if _, err := pool.ExecContext(i.Context(), statement); err != nil {
			i.Fatalf("%s: %v", statement, err)
		}
	}
}

// F19: the present program brings up to date what the release before it has made, that one then works on the new schema,
// and neither touches a schema that takes away what it needs.
func TestPreviousRelease(t *testing.T) {
	before, now := testkit.Previous(t), testkit.Build(t, "./cmd/muster")
	t.Run("migrations", func(t *testing.T) { unchangedMigrations(t, before) })
	testkit.Engines(t, func(t *testing.T, databaseURL string) {
		i := newInstallation(t, databaseURL)
		process := i.serve(before.Path, "")
		user := i.smoke(before.Path, process.URL, "one")
		process.Stop()
		refused(t, i.env, 4, "run \"muster migrate\"", "backup", t.TempDir()+"/backup")

		process = i.serve(now, "")
		i.smoke(now, process.URL, "two")
		client := scimClient{base: process.URL, token: i.run(now, "token", "create")}
		if status, _, err := client.do(t.Context(), http.MethodGet, "/Users/"+user, ""); err != nil || status != http.StatusOK {
			t.Errorf("whom the release before had: %d %v", status, err)
		}
		process.Stop()

		process = i.serve(before.Path, "")
		i.smoke(before.Path, process.URL, "three")
		process.Stop()

		i.exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, TRUE)", "INSERT INTO schema_compatible (schema, oldest) VALUES (99999, 99999)")
		refused(t, i.env, 4, "start the later version of the program", "migrate")
		refused(t, i.env, 4, "start the later version of the program", "token", "create")
		refused(t, i.env, 4, "use the later version of the program", "backup", t.TempDir()+"/backup")
		for _, program := range []string{before.Path, now} {
			out, code := commandFails(t, program, append(i.env, "LISTEN_ADDRESS=127.0.0.1:0"), "serve")
			if lines := strings.Split(strings.TrimSpace(out), "\n"); program == now && code != 4 || code == 0 || !strings.Contains(lines[len(lines)-1], "start the later version of the program") {
				t.Errorf("%s serve: exit code %d, %q", program, code, out)
			}
		}
	})
}

// unchangedMigrations compares what both releases have: a migration that has run somewhere never changes.
func unchangedMigrations(t *testing.T, before testkit.Release) {
	t.Helper()
	if before.Source == "" {
		t.Skip("only a binary of the release before was given")
	}
	files, err := filepath.Glob(filepath.Join(before.Source, "db/migrations/*.sql"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		was, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		is, err := os.ReadFile(filepath.Join("../../db/migrations", filepath.Base(file)))
		if err != nil || !bytes.Equal(was, is) {
			t.Errorf("%s is not what it was in the last release (%v); write a new migration", filepath.Base(file), err)
		}
	}
}
