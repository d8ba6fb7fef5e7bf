package testkit

import (
	"context"
	"crypto/rand"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	_ "github.com/lib/pq" // the driver
)

// Postgres makes an empty database on the test server, drops it when the test ends, and returns its URL.
func Postgres(t testing.TB) string {
	t.Helper()
	server := needed(t, "MUSTER_TEST_POSTGRES_URL")
	address, err := url.Parse(server)
	if err != nil {
		t.Fatalf("MUSTER_TEST_POSTGRES_URL: %v", err)
	}
	name := "muster_" + strings.ToLower(rand.Text()[:16])
	// template0 has no other sessions, so that tests can do this at the same time.
	administer(t, server, "CREATE DATABASE "+name+" TEMPLATE template0")
	t.Cleanup(func() { administer(t, server, "DROP DATABASE "+name+" WITH (FORCE)") })
	address.Path = "/" + name
	return address.String()
}

// SQLite returns the URL of a database file that does not exist yet, in a directory of the test's own.
func SQLite(t testing.TB) string {
	t.Helper()
	return "sqlite://" + filepath.Join(t.TempDir(), "muster.db")
}

// Engines runs test once on each database engine, with the URL of an empty database.
func Engines(t *testing.T, test func(t *testing.T, databaseURL string)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) { test(t, SQLite(t)) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, Postgres(t)) })
}

// administer runs one statement on a connection of its own; the test's context has ended when the clean-up comes here.
func administer(t testing.TB, server, statement string) {
	t.Helper()
	db, err := sql.Open("postgres", server)
	if err != nil {
		t.Fatalf("MUSTER_TEST_POSTGRES_URL: %v", err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// needed returns the value of an environment variable that "make test" sets.
func needed(t testing.TB, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Fatalf("this test needs %s: run make test, or set %s", name, name)
	}
	return value
}

// Prepared is a SQLite database that is prepared once and copied for every test, which takes a fraction of the time.
type Prepared struct {
	once sync.Once
	file []byte
	err  error
}

// Engines is like the function of that name, but the SQLite database is a copy of one that prepare has worked on.
// Preparing must be right to do twice: on PostgreSQL the test does it by itself.
func (p *Prepared) Engines(t *testing.T, prepare func(ctx context.Context, databaseURL string) error, test func(t *testing.T, databaseURL string)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		p.once.Do(func() {
			path := filepath.Join(t.TempDir(), "prepared.db")
			if p.err = prepare(t.Context(), "sqlite://"+path); p.err == nil {
				p.file, p.err = os.ReadFile(path)
			}
		})
		if p.err != nil {
			t.Fatal(p.err)
		}
		path := filepath.Join(t.TempDir(), "muster.db")
		if err := os.WriteFile(path, p.file, 0o600); err != nil {
			t.Fatal(err)
		}
		test(t, "sqlite://"+path)
	})
	t.Run("PostgreSQL", func(t *testing.T) { test(t, Postgres(t)) })
}
