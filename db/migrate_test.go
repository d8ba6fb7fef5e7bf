package db_test

import (
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/db"
	"muster/db/dbtest"
	"muster/domain"
	"muster/internal/testkit"
)

// F18: of processes that start at once one migrates and the others wait.
func TestStartersAtOnce(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, url string) {
		var wait sync.WaitGroup
		for range 4 {
			store, err := db.Open(t.Context(), url, db.Options{CommandLine: true})
			must(t, err)
			t.Cleanup(func() { must(t, store.Close()) })
			wait.Go(func() {
				if err := errors.Join(store.Migrate(t.Context()), newServiceOn(store).Bootstrap(t.Context())); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		store := open(t, url, db.Options{CommandLine: true})
		_, system := domain.TestScopes(t, "")
		must(t, store.Read(t.Context(), func(tx domain.Tx) error {
			orgs, err := tx.System(system).Orgs().List()
			if len(orgs) != 1 {
				t.Errorf("%d organizations, want 1", len(orgs))
			}
			return err
		}))
	})
}

// F18, F19: an older program runs on a newer schema that only adds to its own; any other it leaves alone and says so.
func TestNewerSchema(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, url string) {
		store := open(t, url, db.Options{})
		exec := func(statement string) {
			must(t, store.Write(t.Context(), func(tx domain.Tx) error { return db.Exec(tx, statement) }))
		}
		exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99998, TRUE)")
		must(t, store.Migrate(t.Context()))
		exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, TRUE)")
		exec("INSERT INTO schema_compatible (schema, oldest) VALUES (99999, 99998)")
		if err := store.Migrate(t.Context()); !errors.Is(err, db.ErrNewerSchema) {
			t.Errorf("Migrate: %v", err)
		}
	})
}

// A store that has not been migrated yet answers Unavailable.
func TestNotMigrated(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, url string) {
		store, err := db.Open(t.Context(), url, db.Options{})
		must(t, err)
		t.Cleanup(func() { must(t, store.Close()) })
		for name, err := range map[string]error{
			"Check": store.Check(t.Context()), "Write": newServiceOn(store).Bootstrap(t.Context()),
		} {
			if e := domain.AsError(err); err == nil || e.Kind != domain.Unavailable || e.RetryAfter == 0 {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// The order of text is that of its bytes whatever the database's own collation is.
func TestForeignCollation(t *testing.T) {
	admin, err := sql.Open("postgres", testkit.Postgres(t))
	must(t, err)
	var name string
	must(t, admin.QueryRowContext(t.Context(), "SELECT current_database() || '_de'").Scan(&name))
	_, err = admin.ExecContext(t.Context(), "CREATE DATABASE "+name+" TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de-DE'")
	must(t, err)
	t.Cleanup(func() {
		_, err := admin.Exec("DROP DATABASE " + name) // the test's context has ended
		must(t, errors.Join(err, admin.Close()))
	})
	url := testkit.Postgres(t)
	end := strings.IndexByte(url, '?')
	if end < 0 {
		end = len(url)
	}
	store := open(t, url[:strings.LastIndexByte(url[:end], '/')+1]+name+url[end:], db.Options{Clock: func() time.Time { return dbtest.Start }})
	dbtest.Run(t, store)
}

func TestURLs(t *testing.T) {
	for _, url := range []string{"", "muster.db", "mysql://localhost/x", "sqlite://", "sqlite:///no/such/directory/x.db", "sqlite://x.db?mode=ro", "postgres://h/%zz", "postgres://h/x?statement_timeout=0"} {
		if _, err := db.Open(t.Context(), url, db.Options{}); !domain.IsKind(err, domain.Invalid) {
			t.Errorf("Open(%q): %v", url, err)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("Open(%q) tells the password", url)
		}
	}
}

// Several hosts, each with its port; the first that answers is used.
func TestSeveralHosts(t *testing.T) {
	proxy, through := testkit.ProxyURL(t, testkit.Postgres(t))
	down := testkit.FreeAddress(t)
	url := with(strings.Replace(through, proxy.Address(), down+","+proxy.Address(), 1), "target_session_attrs=read-write")
	must(t, open(t, url, db.Options{}).Check(t.Context()))
}
