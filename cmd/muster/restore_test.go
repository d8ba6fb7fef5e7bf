package main_test

import (
	"bytes"
	"database/sql"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "muster/db" // SQLite's driver
	"muster/internal/testkit"
)

// A restore brings nobody's session back unless told to, and says when the encryption key is not the one that was in use.
func TestRestoreSessions(t *testing.T) {
	dir := t.TempDir()
	now := testkit.Build(t, "./cmd/muster")
	i := newInstallation(t, "sqlite://"+dir+"/muster.db")
	process := i.serve(now, "")
	cookie := through(t, i.idp, process.URL, "/api/v1/oauth/custom-oidc", "")
	key := i.run(now, "key", "create", "--email", "ada@example.com", "--admin")
	hook := map[string]string{"X-Api-Key": key, "Content-Type": "application/json"}
	if status, _, body := ask(t, http.MethodPost, process.URL+"/api/v1/orgs/current/event-hooks", `{"url":"https://192.0.2.1/hook"}`, hook); status != http.StatusCreated {
		t.Fatalf("a hook: %d %s", status, body)
	}
	i.run(now, "backup", "-q", dir+"/backup")
	process.Stop()
	sealed, err := os.ReadFile(dir + "/muster.db.key")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		args    []string
		withKey bool
		status  int
	}{
		{"without", nil, true, http.StatusUnauthorized},
		{"with", []string{"--sessions"}, false, http.StatusOK},
	} {
		file := dir + "/" + c.name + ".db"
		if c.withKey {
			if err := os.WriteFile(file+".key", sealed, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		restored := installation{t, i.idp, append([]string{"DATABASE_URL=sqlite://" + file}, i.env[1:]...)}
		said := restored.run(now, append(append([]string{"restore"}, c.args...), dir+"/backup")...)
		if strings.Contains(said, "failed: encryption key") == c.withKey {
			t.Errorf("%s: %s", c.name, said)
		}
		if c.withKey {
			if text, _ := commandFails(t, now, append(restored.env, "OAUTH_ISSUER_URL="), "doctor"); strings.Contains(text, "encryption key") {
				t.Errorf("%s: doctor: %s", c.name, text)
			}
		}
		process := restored.serve(now, process.Address)
		if got := statusAt(t, process.URL, "/api/v1/me", cookie); got != c.status {
			t.Errorf("%s sessions: %d", c.name, got)
		}
		process.Stop()
	}
}

// A backup that is not as it was written is refused, and nothing is made.
func TestDamagedBackup(t *testing.T) {
	dir := t.TempDir()
	env := []string{"DATABASE_URL=sqlite://" + dir + "/muster.db"}
	muster(t, env, "key", "create", "--email", "ada@example.com")
	muster(t, env, "backup", "-q", dir+"/good")
	good, err := os.ReadFile(dir + "/good")
	if err != nil {
		t.Fatal(err)
	}
	live, err := os.ReadFile(dir + "/muster.db")
	if err != nil {
		t.Fatal(err)
	}
	target := dir + "/restored.db"
	for name, c := range map[string]struct {
		file []byte
		code int
		text string
	}{
		"one letter": {bytes.Replace(good, []byte("ada@example.com"), []byte("eve@example.com"), 1), 4, "is damaged"},
		"half":       {good[:len(good)/2], 4, "is damaged"},
		"a page":     {append(bytes.Clone(good[:len(good)-4096]), make([]byte, 4096)...), 4, "is damaged"},
		"beginning":  {good[:10], 2, "is no backup"},
		"live":       {live, 2, "is no backup"},
	} {
		file := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
		if err := os.WriteFile(file, c.file, 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, []string{"DATABASE_URL=sqlite://" + target}, c.code, c.text, "restore", file)
		if _, err := os.Stat(target); err == nil {
			t.Errorf("%s: the database was made", name)
		}
	}
	if _, err := os.Stat(dir + "/good"); err != nil {
		t.Error(err)
	}
}

// soundDatabase checks what must hold in every database that was copied at one moment: whoever is there is in the audit log,
// is counted, and nothing refers to what is not there.
func soundDatabase(t *testing.T, url string) {
	t.Helper()
	number := func(statement string) int {
		t.Helper()
		n, err := numberIn(t, url, statement)
		if err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		return n
	}
	people := number("SELECT COUNT(*) FROM scim_users")
	for name, statement := range map[string]string{
		"rows of the audit log about creating them": "SELECT COUNT(*) FROM audit_log WHERE operation = 'create_scim_user'",
		"counted": "SELECT SUM(users) FROM scim_counts",
		"members": "SELECT COUNT(*) FROM members m JOIN users u ON u.id = m.user_id JOIN scim_users s ON s.org_id = m.org_id AND s.id = m.id",
	} {
		if got := number(statement); got != people {
			t.Errorf("%d people, and %s: %d", people, name, got)
		}
	}
	if strings.HasPrefix(url, "sqlite") && number("SELECT COUNT(*) FROM pragma_foreign_key_check") != 0 {
		t.Error("a row refers to one that is not there")
	}
}

// numberIn reads a number behind the program's back.
func numberIn(t *testing.T, url, statement string) (n int, err error) {
	t.Helper()
	driver, address := "postgres", url
	if file, ok := strings.CutPrefix(url, "sqlite://"); ok {
		driver, address = "sqlite", file
	}
	pool, err := sql.Open(driver, address)
	if err != nil {
		return 0, err
	}
	defer func() { _ = pool.Close() }()
	err = pool.QueryRowContext(t.Context(), statement).Scan(&n)
	return n, err
}
