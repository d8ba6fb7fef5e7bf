package db_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/db"
	"muster/domain"
	"muster/internal/testkit"
)

// F17: a second server on the same file is refused; a command-line tool works beside the first.
func TestOneServerPerFile(t *testing.T) {
	url := testkit.SQLite(t)
	server, err := db.Open(t.Context(), url, db.Options{})
	must(t, err)
	must(t, server.Migrate(t.Context()))
	if _, err := db.Open(t.Context(), url, db.Options{}); !domain.IsKind(err, domain.Conflict) {
		t.Errorf("a second server: %v", err)
	}
	tool := open(t, url, db.Options{CommandLine: true})
	newService(t, tool)
	admin, err := newServiceOn(server).CommandLine(t.Context(), "")
	must(t, err)
	_, err = newServiceOn(tool).AddAdmin(t.Context(), admin, "admin@example.com")
	must(t, err)
	_, err = newServiceOn(server).AddAdmin(t.Context(), admin, "second@example.com")
	must(t, err)
	must(t, server.Close())
	must(t, open(t, url, db.Options{}).Check(t.Context()))
}

// lockFor lets another process, as it were, hold the file's write lock.
func lockFor(t *testing.T, url string) (release func()) {
	t.Helper()
	other, err := sql.Open("sqlite", strings.TrimPrefix(url, "sqlite://"))
	must(t, err)
	conn, err := other.Conn(t.Context())
	must(t, err)
	_, err = conn.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	must(t, err)
	return func() {
		_, err := conn.ExecContext(t.Context(), "ROLLBACK")
		must(t, errors.Join(err, conn.Close(), other.Close()))
	}
}

// F17: a lock that somebody else holds is waited for, then Unavailable with a time to try again, for everybody who waits at once.
func TestForeignLock(t *testing.T) {
	t.Parallel()
	url := testkit.SQLite(t)
	store := open(t, url, db.Options{})
	_, system := domain.TestScopes(t, "")
	write := func() error {
		return store.Write(t.Context(), func(tx domain.Tx) error {
			_, err := tx.System(system).Flows().DeleteExpired(1)
			return err
		})
	}
	release := lockFor(t, url)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if e := domain.AsError(write()); e == nil || e.Kind != domain.Unavailable || e.RetryAfter == 0 {
				t.Errorf("a write while another process holds the lock: %v", e)
			}
		})
	}
	wait.Wait()
	must(t, store.Check(t.Context()))
	go func() {
		time.Sleep(1500 * time.Millisecond) // longer than SQLite waits by itself
		release()
	}()
	must(t, write())
}

// F16: a full disk is Unavailable, nothing acknowledged is lost, neighbours are not harmed, and it goes on when there is room.
func TestDiskFull(t *testing.T) {
	store := open(t, testkit.SQLite(t), db.Options{})
	service := newService(t, store)
	admin, err := service.CommandLine(t.Context(), "")
	must(t, err)
	must(t, store.Write(t.Context(), func(tx domain.Tx) error {
		pages, err := db.Strings(tx, "PRAGMA page_count")
		if err != nil {
			return err
		}
		_, err = db.Strings(tx, "PRAGMA max_page_count = "+pages[0])
		return err
	}))
	big := map[string]any{"text": strings.Repeat("x", 1<<16)}
	acknowledged, refused := 0, 0
	var mu sync.Mutex
	var wait sync.WaitGroup
	for worker := range 8 {
		wait.Go(func() {
			err := store.Write(t.Context(), func(tx domain.Tx) error {
				return tx.Org(admin).Audit().Append(domain.AuditEvent{ID: domain.AuditID(fmt.Sprint("big", worker)), Operation: "big", After: big})
			})
			mu.Lock()
			defer mu.Unlock()
			if e := domain.AsError(err); e == nil {
				acknowledged++
			} else if refused++; e.Kind != domain.Unavailable || e.RetryAfter == 0 {
				t.Errorf("a write on a full disk: %v", err)
			}
		})
	}
	wait.Wait()
	if refused == 0 {
		t.Error("the disk was never full")
	}
	var events []domain.AuditEvent
	var check []string
	must(t, store.Write(t.Context(), func(tx domain.Tx) (err error) {
		if check, err = db.Strings(tx, "PRAGMA integrity_check"); err != nil {
			return err
		}
		events, err = tx.Org(admin).Audit().List(domain.AuditQuery{Operations: []string{"big"}})
		return err
	}))
	if len(events) != acknowledged || check[0] != "ok" {
		t.Errorf("%d rows of %d acknowledged, integrity %v", len(events), acknowledged, check)
	}
}

// A function that refuses because of what a neighbour in the same commit wrote is answered after that commit:
// until then nobody else can see what the refusal speaks of, and a crash would undo it.
func TestARefusalWaitsForWhatItRestsOn(t *testing.T) {
	t.Parallel()
	store := open(t, testkit.SQLite(t), db.Options{})
	_, system := domain.TestScopes(t, "")
	queued := make(chan struct{})
	// The pauses let each of them queue behind the one before, so that they share a commit.
	write := func(fn func(tx domain.Tx) error) <-chan error {
		outcome := make(chan error, 1)
		go func() { outcome <- store.Write(t.Context(), fn) }()
		time.Sleep(100 * time.Millisecond)
		return outcome
	}
	user := domain.User{ID: "00000000-0000-7000-8000-000000000001", Email: "alice@example.com"}
	first := write(func(tx domain.Tx) error {
		<-queued
		_, err := tx.System(system).Users().Insert(user)
		return err
	})
	seen := errors.New("she is there already")
	second := write(func(tx domain.Tx) error {
		_, err := tx.System(system).Users().Get(user.ID)
		return errors.Join(err, seen)
	})
	looked := make(chan struct{})
	third := write(func(domain.Tx) error {
		select {
		case <-looked:
			t.Error("the refusal came while its neighbour's commit was still to come")
		case <-time.After(200 * time.Millisecond):
		}
		return nil
	})
	close(queued)
	if err := <-second; !errors.Is(err, seen) || domain.IsKind(err, domain.NotFound) {
		t.Errorf("the second one: %v", err)
	}
	close(looked)
	must(t, store.Read(t.Context(), func(tx domain.Tx) error {
		_, err := tx.System(system).Users().Get(user.ID)
		return err
	}))
	must(t, errors.Join(<-first, <-third))
}

// writerVariable makes the test binary a process that writes until it is killed; its value is the database's URL.
const writerVariable = "MUSTER_TEST_WRITE_TO"

func TestMain(m *testing.M) {
	if url := os.Getenv(writerVariable); url != "" {
		writeUntilKilled(url)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeUntilKilled prints the address of everybody whom a commit has acknowledged.
func writeUntilKilled(url string) {
	ctx := context.Background()
	store, err := db.Open(ctx, url, db.Options{})
	if err == nil {
		err = store.Migrate(ctx)
	}
	service := newServiceOn(store)
	admin, lookErr := service.CommandLine(ctx, "")
	if err = errors.Join(err, lookErr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	fmt.Println("ready")
	var work sync.WaitGroup
	for worker := range 4 {
		work.Go(func() {
			for n := 0; ; n++ {
				email := fmt.Sprintf("p-%d-%d-%d@example.com", os.Getpid(), worker, n)
				if _, err := service.AddAdmin(ctx, admin, email); err != nil {
					fmt.Fprintln(os.Stderr, err)
					return
				}
				fmt.Println(email)
			}
		})
	}
	work.Wait()
}

// F6: whatever was acknowledged before kill -9 is there afterwards, each member with its audit row, and nothing needs repair.
func TestKill(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, url string) {
		prepared, err := db.Open(t.Context(), url, db.Options{})
		must(t, err)
		must(t, prepared.Migrate(t.Context()))
		newService(t, prepared)
		must(t, prepared.Close())
		acknowledged := map[string]bool{}
		for range 5 {
			killWriter(t, url, acknowledged)
		}
		store := open(t, url, db.Options{})
		admin, err := newServiceOn(store).CommandLine(t.Context(), "")
		must(t, err)
		must(t, store.Read(t.Context(), func(tx domain.Tx) error {
			// In one statement, because what the killed one sent last may still be on its way.
			rows, err := db.Strings(tx, `SELECT 'member ' || u.email FROM members m JOIN users u ON u.id = m.user_id
				UNION ALL SELECT 'audit ' || target_name FROM audit_log WHERE operation = 'update_org_member' UNION ALL SELECT 'user ' || email FROM users`)
			count := map[string]int{}
			for _, row := range rows {
				kind, email, _ := strings.Cut(row, " ")
				count[kind]++
				if kind == "member" {
					delete(acknowledged, email)
				}
			}
			if count["member"] != count["audit"] || count["member"] != count["user"] {
				t.Errorf("%v", count)
			}
			return err
		}))
		if len(acknowledged) > 0 {
			t.Errorf("%d acknowledged writes are missing", len(acknowledged))
		}
		_, err = newServiceOn(store).AddAdmin(t.Context(), admin, "after@example.com")
		must(t, err)
	})
}

// killWriter starts a writer, kills it after it has acknowledged some writes, and adds those.
func killWriter(t *testing.T, url string, acknowledged map[string]bool) {
	t.Helper()
	writer := exec.CommandContext(t.Context(), os.Args[0])
	writer.Env = append(os.Environ(), writerVariable+"="+url)
	writer.Stderr = os.Stderr
	output, err := writer.StdoutPipe()
	must(t, err)
	must(t, writer.Start())
	lines := bufio.NewScanner(output)
	for n := 0; lines.Scan(); n++ {
		if email := lines.Text(); email != "ready" {
			acknowledged[email] = true
		}
		if n == 40 {
			must(t, writer.Process.Kill())
		}
	}
	if err := writer.Wait(); err == nil || len(acknowledged) == 0 {
		t.Errorf("the writer ended by itself: %v", err)
	}
}
