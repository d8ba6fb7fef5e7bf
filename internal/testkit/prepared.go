package testkit

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Prepared are databases that are prepared once in a test process and copied for every test, which takes a fraction of the time.
type Prepared struct {
	// sqlite returns the content of the prepared file, postgres the name of the prepared database.
	sqlite   func() ([]byte, error)
	postgres func() (string, error)
	// drop removes the prepared database, if there is one.
	drop func() error
}

// NewPrepared makes databases on which prepare has worked when the first test asks for one.
func NewPrepared(prepare func(ctx context.Context, databaseURL string) error) *Prepared {
	p := &Prepared{drop: func() error { return nil }}
	p.sqlite = sync.OnceValues(func() ([]byte, error) { return preparedFile(prepare) })
	p.postgres = sync.OnceValues(func() (string, error) {
		server, name := os.Getenv("MUSTER_TEST_POSTGRES_URL"), newName()
		address, err := databaseURL(server, name)
		if err != nil {
			return "", err
		}
		if err := administer(server, "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
			return "", err
		}
		p.drop = func() error { return administer(server, "DROP DATABASE "+name+" WITH (FORCE)") }
		return name, prepare(context.Background(), address)
	})
	return p
}

// Main runs a package's tests, removes what was prepared for them and returns the exit code.
func (p *Prepared) Main(m *testing.M) int {
	code := m.Run()
	if err := p.drop(); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// Engines runs test once on each database engine, with the URL of a prepared database.
func (p *Prepared) Engines(t *testing.T, test func(t *testing.T, databaseURL string)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) { test(t, p.SQLite(t)) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, p.Postgres(t)) })
}

// SQLite returns the URL of a prepared database file in a directory of the test's own.
func (p *Prepared) SQLite(t testing.TB) string {
	t.Helper()
	content, err := p.sqlite()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "muster.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite://" + path
}

// Postgres makes a prepared database on the test server, drops it when the test ends, and returns its URL.
func (p *Prepared) Postgres(t testing.TB) string {
	t.Helper()
	needed(t, "MUSTER_TEST_POSTGRES_URL")
	template, err := p.postgres()
	if err != nil {
		t.Fatal(err)
	}
	return postgresLike(t, template)
}

// preparedFile prepares a file and returns what is in it.
func preparedFile(prepare func(ctx context.Context, databaseURL string) error) ([]byte, error) {
	dir, err := os.MkdirTemp("", "muster-prepared")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "prepared.db")
	if err := prepare(context.Background(), "sqlite://"+path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}
