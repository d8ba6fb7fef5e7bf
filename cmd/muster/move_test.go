package main_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"muster/internal/testkit"
)

// F28: a backup made while people are written restores to a server that has everybody from before it, and an unbroken audit log.
func TestBackupUnderLoad(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, databaseURL string) {
		process, client := serve(t, databaseURL)
		env := []string{"DATABASE_URL=" + databaseURL}
		create := func(name string) {
			status, _, err := client.do(t.Context(), http.MethodPost, "/Users", userBody(name))
			if err != nil || status != http.StatusCreated {
				t.Errorf("POST /Users: %d %v", status, err)
			}
		}
		for i := range 50 {
			create(fmt.Sprintf("before%d@example.com", i))
		}
		stop := make(chan struct{})
		var load sync.WaitGroup
		load.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					create(fmt.Sprintf("meanwhile%d@example.com", i))
				}
			}
		})
		dir := t.TempDir()
		files := make([]string, 2)
		for i := range files {
			files[i] = muster(t, env, "backup", "--quiet", filepath.Join(dir, fmt.Sprint(i)))
		}
		close(stop)
		load.Wait()
		process.Kill()

		// Onto the other engine, for a backup is the same from both.
		restored := map[bool]func(testing.TB) string{true: testkit.Postgres, false: testkit.SQLite}[strings.HasPrefix(databaseURL, "sqlite")](t)
		target := []string{"DATABASE_URL=" + restored}
		muster(t, target, "restore", files[1])
		soundDatabase(t, restored)
		if text := muster(t, target, "audit", "verify"); !strings.Contains(text, "in order") {
			t.Errorf("audit verify: %s", text)
		}
		again := testkit.Start(t, testkit.Program{Path: testkit.Build(t, "./cmd/muster"), Args: []string{"serve"}, Env: target})
		client.base = again.URL
		for i := range 50 {
			status, list, err := client.do(t.Context(), http.MethodGet, fmt.Sprintf("/Users?filter=userName%%20eq%%20%%22before%d@example.com%%22", i), "")
			if err != nil || status != http.StatusOK || list["totalResults"] != 1.0 {
				t.Fatalf("before%d is not there: %d %v %v", i, status, list["totalResults"], err)
			}
		}
		create("after@example.com")
	})
}

// A directory keeps the newest backups, and nothing that a killed one left.
func TestBackupDirectory(t *testing.T) {
	env := []string{"DATABASE_URL=" + testkit.SQLite(t)}
	muster(t, env, "migrate")
	dir := t.TempDir() + "/"
	for _, old := range []string{"muster-20200101T000000Z.backup", "muster-20200102T000000Z.backup", "muster-before.backup", "muster-20200103T000000Z.backup.partial", "muster-20200103T000000Z.backup.partial-wal"} {
		if err := os.WriteFile(dir+old, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := muster(t, env, "backup", "-q", "--keep", "2", dir)
	left, err := filepath.Glob(dir + "*")
	want := []string{dir + "muster-20200102T000000Z.backup", file, dir + "muster-before.backup"}
	if err != nil || strings.Join(left, " ") != strings.Join(want, " ") {
		t.Errorf("%v, want %v", left, want)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if text, _ := commandFails(t, testkit.Build(t, "./cmd/muster"), env, "doctor"); !strings.Contains(text, "the last one was made at") {
		t.Errorf("doctor: %s", text)
	}
}

// From SQLite to PostgreSQL and back; a server that still runs is not overlooked.
func TestMigrateData(t *testing.T) {
	here, there, back := testkit.SQLite(t), testkit.Postgres(t), testkit.SQLite(t)
	process, client := serve(t, here)
	if status, _, err := client.do(t.Context(), http.MethodPost, "/Users", userBody("ada@example.com")); err != nil || status != http.StatusCreated {
		t.Fatal(status, err)
	}
	refused(t, nil, 4, "another server uses this SQLite file", "migrate-data", here, there)
	process.Stop()
	first := muster(t, nil, "migrate-data", here, there)
	if !strings.Contains(first, "scim_users") || !strings.Contains(first, "everything is there and the same") {
		t.Errorf("migrate-data: %s", first)
	}
	moved := testkit.Start(t, testkit.Program{Path: testkit.Build(t, "./cmd/muster"), Args: []string{"serve"}, Env: []string{"DATABASE_URL=" + there}})
	client.base = moved.URL
	if status, list, err := client.do(t.Context(), http.MethodGet, "/Users", ""); err != nil || status != http.StatusOK || list["totalResults"] != 1.0 {
		t.Errorf("the token from before: %d %v %v", status, list, err)
	}
	refused(t, nil, 4, "a server is connected to the source", "migrate-data", there, back)
	moved.Stop()
	muster(t, nil, "migrate-data", "--quiet", there, back)
}

// What is wrong is said in one line, and nothing is lost or left.
func TestMoveRefusals(t *testing.T) {
	dir := t.TempDir()
	env := []string{"DATABASE_URL=sqlite://" + dir + "/muster.db"}
	muster(t, env, "migrate")
	muster(t, env, "backup", "-q", dir+"/good")
	if err := os.WriteFile(dir+"/text", []byte("no database at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, env, 4, "a backup never replaces a file", "backup", dir+"/good")
	refused(t, env, 4, "the target is not empty", "restore", dir+"/good")
	refused(t, env, 2, "is no backup", "restore", dir+"/text")
	refused(t, env, 5, "no such file", "restore", dir+"/nothing")
	refused(t, env, 2, "--keep needs a directory", "backup", "--keep", "3", dir+"/named")
	refused(t, append(env, "TMPDIR="+dir+"/nowhere"), 3, "set TMPDIR", "restore", dir+"/good")
	refused(t, env, 2, "the same database", "migrate-data", "sqlite://x", "sqlite://x")
	refused(t, env, 2, "no such file", "migrate-data", "sqlite://"+dir+"/nothing", "sqlite://"+dir+"/else")
	refused(t, []string{"DATABASE_URL=sqlite://" + dir + "/nothing"}, 2, "no such file", "backup", dir+"/b")
	left, err := filepath.Glob(dir + "/*")
	if err != nil || len(left) == 0 {
		t.Fatal(err)
	}
	for _, name := range left {
		if strings.Contains(name, "partial") || strings.HasSuffix(name, "/nothing") || strings.HasSuffix(name, "/b") {
			t.Errorf("%s was left behind", name)
		}
	}
}

// refused runs a command that must fail with an exit code and one line that has the text.
func refused(t *testing.T, env []string, code int, text string, args ...string) {
	t.Helper()
	line, got := commandFails(t, testkit.Build(t, "./cmd/muster"), env, args...)
	if got != code || !strings.Contains(line, text) || strings.Count(strings.TrimSpace(line), "\n") > 0 {
		t.Errorf("muster %s: exit code %d, %q; want %d and %q", strings.Join(args, " "), got, line, code, text)
	}
}
