package db_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"muster/db"
	"muster/domain"
	"muster/internal/testkit"
)

// The environment of the process that is killed: its database, and before which statement.
const (
	killedURL    = "MUSTER_TEST_KILLED_URL"
	killedBefore = "MUSTER_TEST_KILLED_BEFORE"
)

// F18: killed before a statement of a migration, chosen by chance, the next starters, two at once, end with the schema of a clean run.
func TestMigrationKilled(t *testing.T) {
	if url := os.Getenv(killedURL); url != "" {
		dieMigrating(t, url)
		return
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	killAtStatements(t, func(statements int) []int {
		return rand.New(rand.NewPCG(seed, 0)).Perm(statements)[:3]
	})
}

// killAtStatements kills a process before each of the chosen statements.
func killAtStatements(t *testing.T, choose func(statements int) []int) {
	t.Helper()
	testkit.Engines(t, func(t *testing.T, url string) {
		clean := notMigrated(t, url)
		statements, err := db.MigrateCounting(t.Context(), clean, -1, nil)
		must(t, err)
		want := schemaOf(t, clean)
		if statements < 100 || len(want) < 100 {
			t.Fatalf("%d statements, a schema of %d lines", statements, len(want))
		}
		empty := map[bool]func(testing.TB) string{true: testkit.SQLite, false: testkit.Postgres}[strings.HasPrefix(url, "sqlite")]
		for _, n := range choose(statements) {
			url := empty(t)
			killMigrating(t, url, n)
			var wait sync.WaitGroup
			for range 2 {
				again := notMigrated(t, url)
				wait.Go(func() {
					if err := again.Migrate(t.Context()); err != nil {
						t.Errorf("after the kill before statement %d: %v", n, err)
					}
				})
			}
			wait.Wait()
			if got := schemaOf(t, notMigrated(t, url)); !slices.Equal(got, want) {
				t.Errorf("killed before statement %d of %d, the schema is\n%s\nand not\n%s", n, statements, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
	})
}

// killMigrating runs this test in a process of its own, which kills itself.
func killMigrating(t *testing.T, url string, n int) {
	t.Helper()
	program, err := os.Executable()
	must(t, err)
	child := exec.CommandContext(t.Context(), program, "-test.run=^TestMigrationKilled$")
	child.Env = append(os.Environ(), killedURL+"="+url, killedBefore+"="+strconv.Itoa(n))
	out, err := child.CombinedOutput()
	ended, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		t.Fatalf("the process was not killed before statement %d: %v\n%s", n, err, out)
	}
	if status, ok := ended.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("the process was not killed before statement %d: %v\n%s", n, ended, out)
	}
}

func dieMigrating(t *testing.T, url string) {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv(killedBefore))
	must(t, err)
	_, err = db.MigrateCounting(t.Context(), notMigrated(t, url), n, func() {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // until it arrives
	})
	must(t, errors.Join(err, fmt.Errorf("there is no statement %d", n)))
}

// schemaOf lists tables, columns, indexes, constraints and versions.
func schemaOf(t *testing.T, store *db.DB) (lines []string) {
	t.Helper()
	must(t, store.Look(t.Context()))
	statement := "SELECT type || ' ' || name || ' ' || COALESCE(sql, '') FROM sqlite_master"
	if store.Engine() == db.PostgreSQL {
		statement = `SELECT table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || COALESCE(column_default, '') || ' ' || COALESCE(collation_name, '')
				FROM information_schema.columns WHERE table_schema = current_schema()
			UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema()
			UNION ALL SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = CAST(current_schema() AS regnamespace)`
	}
	must(t, store.Read(t.Context(), func(tx domain.Tx) error {
		var err error
		if lines, err = db.Strings(tx, statement); err != nil {
			return err
		}
		versions, err := db.Strings(tx, "SELECT CAST(version_id AS TEXT) FROM goose_db_version")
		lines = append(lines, versions...)
		return err
	}))
	slices.Sort(lines)
	return lines
}
