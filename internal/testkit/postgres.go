package testkit

import (
	"crypto/rand"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strings"
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
