package db_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/db"
	"muster/db/dbtest"
	"muster/domain"
	"muster/internal/testkit"
)

// A table that is made and not listed would stay behind; one listed before those it refers to could not be filled.
func TestTables(t *testing.T) {
	store := open(t, testkit.SQLite(t), db.Options{})
	strs := func(statement string, args ...any) (column []string) {
		must(t, store.Read(t.Context(), func(tx domain.Tx) (err error) {
			column, err = db.Strings(tx, statement, args...)
			return err
		}))
		return column
	}
	listed := db.TableKeys()
	var seen []string
	for _, one := range listed {
		name, key, _ := strings.Cut(one, " ")
		seen = append(seen, name)
		if got := strings.Join(strs("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", name), ","); got != key {
			t.Errorf("the key of %s is %s, not %s", name, got, key)
		}
		for _, parent := range strs(`SELECT "table" FROM pragma_foreign_key_list(?)`, name) {
			if !slices.Contains(seen, parent) {
				t.Errorf("%s refers to %s, which comes later", name, parent)
			}
		}
	}
	for _, name := range strs("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'") {
		if !slices.Contains(append(seen, "goose_db_version", "schema_compatible", "transfers"), name) {
			t.Errorf("%s is not listed", name)
		}
	}
}

// F28: whatever the conformance suite leaves behind is the same after a way there and back, and serves.
func TestCopyThereAndBack(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, url string) {
		other := map[bool]func(testing.TB) string{true: testkit.Postgres, false: testkit.SQLite}[strings.HasPrefix(url, "sqlite")]
		from := open(t, url, db.Options{CommandLine: true, Clock: func() time.Time { return dbtest.Start }})
		dbtest.Run(t, from)
		there, back := notMigrated(t, other(t)), notMigrated(t, testkit.SQLite(t))
		first, second := copyAll(t, from, there), copyAll(t, there, back)
		if len(first) == 0 || !slices.Equal(first, second) {
			t.Errorf("there %v, and back %v", first, second)
		}
		held := slices.DeleteFunc(slices.Clone(first), func(c db.Copied) bool { return c.Rows == 0 })
		if len(held) < len(first)*3/4 {
			t.Errorf("only %d of %d tables held something", len(held), len(first))
		}
		must(t, errors.Join(there.Migrate(t.Context()), back.Migrate(t.Context())))
		must(t, newServiceOn(back).RecordBackup(t.Context(), dbtest.Start, "test"))
	})
}

func notMigrated(t *testing.T, url string) *db.DB {
	t.Helper()
	store, err := db.Open(t.Context(), url, db.Options{CommandLine: true})
	must(t, err)
	t.Cleanup(func() { must(t, store.Close()) })
	return store
}

func copyAll(t *testing.T, from, to *db.DB) []db.Copied {
	t.Helper()
	var all []db.Copied
	must(t, db.Copy(t.Context(), from, to, db.CopyOptions{Done: func(c db.Copied) { all = append(all, c) }}))
	return all
}

// A copy that was cut off keeps servers away, goes on where it was, and says when the source has changed meanwhile.
func TestCopyResumes(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, url string) {
		from := open(t, url, db.Options{CommandLine: true})
		service := newService(t, from)
		scope, _ := scimScope(t, service)
		manyPeople(t, from, scope, 1200)
		for name, changed := range map[string]bool{"unchanged": false, "changed": true} {
			t.Run(name, func(t *testing.T) {
				target := "sqlite://" + t.TempDir() + "/to.db"
				to := notMigrated(t, target)
				ctx, cut := context.WithCancel(t.Context())
				defer cut()
				db.AfterCopy(to, func(table string) {
					if table == "scim_users" {
						cut()
					}
				})
				if err := db.Copy(ctx, from, to, db.CopyOptions{}); err == nil {
					t.Fatal("the copy was not cut off")
				}
				if err := to.Migrate(t.Context()); !domain.IsKind(err, domain.Conflict) || !strings.Contains(err.Error(), "in part") {
					t.Errorf("a server starts on a half filled database: %v", err)
				}
				if changed {
					must(t, from.Write(t.Context(), func(tx domain.Tx) error {
						return db.Exec(tx, "UPDATE users SET full_name = 'Someone Else' WHERE id = (SELECT MIN(id) FROM users)")
					}))
				}
				again := notMigrated(t, target)
				err := db.Copy(t.Context(), from, again, db.CopyOptions{})
				if changed {
					if !domain.IsKind(err, domain.Conflict) || !strings.Contains(err.Error(), "the source changed") {
						t.Errorf("Copy after a change: %v", err)
					}
					return
				}
				must(t, errors.Join(err, again.Migrate(t.Context())))
			})
		}
	})
}

// Every wrong pair of databases is refused before anything is written.
func TestCopyRefusals(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, url string) {
		from := open(t, url, db.Options{CommandLine: true})
		newService(t, from)
		full := open(t, testkit.SQLite(t), db.Options{CommandLine: true})
		newService(t, full)
		empty := open(t, testkit.Postgres(t), db.Options{CommandLine: true})
		older := open(t, testkit.SQLite(t), db.Options{CommandLine: true})
		must(t, older.Write(t.Context(), func(tx domain.Tx) error {
			return db.Exec(tx, "DELETE FROM goose_db_version WHERE version_id = (SELECT MAX(version_id) FROM goose_db_version)")
		}))
		for _, test := range []struct {
			name     string
			from, to *db.DB
			text     string
		}{
			{"a target with an installation", from, full, "the target is not empty"},
			{"an empty source", empty, notMigrated(t, testkit.SQLite(t)), "no installation"},
			{"a source that was never migrated", notMigrated(t, testkit.Postgres(t)), notMigrated(t, testkit.SQLite(t)), "no installation"},
			{"an older source", older, notMigrated(t, testkit.SQLite(t)), "muster migrate"},
		} {
			if err := db.Copy(t.Context(), test.from, test.to, db.CopyOptions{}); err == nil || !strings.Contains(err.Error(), test.text) {
				t.Errorf("%s: %v", test.name, err)
			}
		}
	})
}

// A server that is connected would go on writing.
func TestCopyFromServer(t *testing.T) {
	url := testkit.Postgres(t)
	newService(t, open(t, url, db.Options{}))
	from := notMigrated(t, url)
	err := db.Copy(t.Context(), from, notMigrated(t, testkit.SQLite(t)), db.CopyOptions{Still: true})
	if !domain.IsKind(err, domain.Conflict) || !strings.Contains(err.Error(), "server is connected") {
		t.Errorf("Copy: %v", err)
	}
	must(t, db.Copy(t.Context(), from, notMigrated(t, testkit.SQLite(t)), db.CopyOptions{}))
}

// Text that the target cannot hold names its table.
func TestCopyNamesTheTable(t *testing.T) {
	from := open(t, testkit.SQLite(t), db.Options{})
	newService(t, from)
	must(t, from.Write(t.Context(), func(tx domain.Tx) error { return db.Exec(tx, "UPDATE orgs SET settings = ?", "a\x00b") }))
	err := db.Copy(t.Context(), from, notMigrated(t, testkit.Postgres(t)), db.CopyOptions{})
	if err == nil || !strings.Contains(err.Error(), "orgs") {
		t.Errorf("Copy: %v", err)
	}
}

func TestMustExist(t *testing.T) {
	url := testkit.SQLite(t)
	_, err := db.Open(t.Context(), url, db.Options{CommandLine: true, MustExist: true})
	if !domain.IsKind(err, domain.Invalid) {
		t.Errorf("Open: %v", err)
	}
	if _, err := os.Stat(strings.TrimPrefix(url, "sqlite://")); !errors.Is(err, os.ErrNotExist) {
		t.Error(fmt.Sprint("the file was made: ", err))
	}
}

// A target that holds something keeps its old schema too.
func TestCopyLeavesTargetAlone(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, url string) {
		from := open(t, testkit.SQLite(t), db.Options{CommandLine: true})
		newService(t, from)
		to := notMigrated(t, url)
		must(t, db.MakeTable(t.Context(), to, `"odd ""name"`))
		err := db.Copy(t.Context(), from, to, db.CopyOptions{})
		if !domain.IsKind(err, domain.Conflict) || !strings.Contains(err.Error(), "nothing was changed") {
			t.Errorf("Copy: %v", err)
		}
		if current, _, err := to.Schema(t.Context()); err != nil || current != 0 {
			t.Errorf("the target has schema %d, %v", current, err)
		}
	})
}

// While the source is to be still nobody writes to it, and a server that comes meanwhile is found before the copy is called whole.
func TestCopyHoldsSource(t *testing.T) {
	url := testkit.Postgres(t)
	from := open(t, url, db.Options{CommandLine: true})
	newService(t, from)
	to := notMigrated(t, testkit.SQLite(t))
	tried := false
	db.AfterCopy(to, func(string) {
		if tried {
			return
		}
		tried = true
		server, err := db.Open(t.Context(), with(url, "application_name=blue&lock_timeout=100"), db.Options{})
		must(t, err)
		t.Cleanup(func() { must(t, server.Close()) })
		must(t, server.Look(t.Context()))
		if err := newServiceOn(server).RecordRestore(t.Context(), "test"); !domain.IsKind(err, domain.Unavailable) {
			t.Errorf("a write while the source is copied: %v", err)
		}
	})
	err := db.Copy(t.Context(), from, to, db.CopyOptions{Still: true})
	if !tried || !domain.IsKind(err, domain.Conflict) || !strings.Contains(err.Error(), "server is connected") {
		t.Errorf("Copy: %v", err)
	}
	if err := to.Migrate(t.Context()); !domain.IsKind(err, domain.Conflict) {
		t.Errorf("a server starts on it: %v", err)
	}
}

// What an earlier run brought and this one leaves out does not stay.
func TestCopyLeavesOut(t *testing.T) {
	from := open(t, testkit.SQLite(t), db.Options{CommandLine: true})
	newService(t, from)
	must(t, from.Write(t.Context(), func(tx domain.Tx) error {
		return db.Exec(tx, "INSERT INTO logout_tokens (issuer, id, expires_at) VALUES ('https://idp.example', '1', 1)")
	}))
	to := notMigrated(t, testkit.SQLite(t))
	ctx, cut := context.WithCancel(t.Context())
	defer cut()
	db.AfterCopy(to, func(table string) {
		if table == "logout_tokens" {
			cut()
		}
	})
	if err := db.Copy(ctx, from, to, db.CopyOptions{}); !domain.IsKind(err, domain.Unavailable) || !strings.Contains(err.Error(), "interrupted") {
		t.Fatalf("Copy: %v", err)
	}
	db.AfterCopy(to, nil)
	must(t, db.Copy(t.Context(), from, to, db.CopyOptions{Without: []string{"logout_tokens"}}))
	must(t, to.Migrate(t.Context()))
	must(t, to.Read(t.Context(), func(tx domain.Tx) error {
		left, err := db.Strings(tx, "SELECT id FROM logout_tokens")
		if len(left) > 0 {
			t.Errorf("%v stayed", left)
		}
		return err
	}))
}
