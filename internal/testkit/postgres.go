package testkit

import (
	"crypto/rand"
	"database/sql"
	"fmt"
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
	// template0 has no other sessions, so that tests can do this at the same time.
	return postgresLike(t, "template0")
}

// postgresLike makes a copy of a database to which nobody is connected, drops it when the test ends, and returns its URL.
func postgresLike(t testing.TB, template string) string {
	t.Helper()
	server := needed(t, "MUSTER_TEST_POSTGRES_URL")
	name := newName()
	address, err := databaseURL(server, name)
	if err == nil {
		err = administer(server, "CREATE DATABASE "+name+" TEMPLATE "+template)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := administer(server, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return address
}

// newName is a database's name that is in no use.
func newName() string { return "muster_" + strings.ToLower(rand.Text()[:16]) }

// databaseURL is the address of a database of the server.
func databaseURL(server, name string) (string, error) {
	address, err := url.Parse(server)
	if err != nil {
		return "", fmt.Errorf("MUSTER_TEST_POSTGRES_URL: %w", err)
	}
	address.Path = "/" + name
	return address.String(), nil
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
func administer(server, statement string) error {
	db, err := sql.Open("postgres", server)
	if err != nil {
		return fmt.Errorf("MUSTER_TEST_POSTGRES_URL: %w", err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Exec(statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
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
