package db_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"muster/db"
	"muster/domain"
	"muster/internal/testkit"
)

// faulty is a store behind a network that can be broken, with an organization whose audit log the tests write.
type faulty struct {
	*db.DB

	proxy  *testkit.Proxy
	scope  domain.OrgScope
	system domain.SystemScope
	log    *lockedBuffer
	n      atomic.Int64
	// alone makes a write one statement without BEGIN and COMMIT.
	alone bool
}

// lockedBuffer is a log that many write at once.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func newFaulty(t *testing.T, options string) *faulty {
	t.Helper()
	proxy, url := testkit.ProxyURL(t, testkit.Postgres(t))
	log := &lockedBuffer{}
	store := open(t, with(url, options), db.Options{Log: slog.New(slog.NewTextHandler(log, nil))})
	admin, err := newService(t, store).CommandLine(t.Context(), "")
	must(t, err)
	_, system := domain.TestScopes(t, "")
	return &faulty{DB: store, proxy: proxy, scope: admin, system: system, log: log}
}

// write adds a user and, when audited, the audit row that says so; it returns the address and how often the function ran.
func (f *faulty) write(ctx context.Context, audited bool, inside func()) (email string, runs int, err error) {
	n := f.n.Add(1)
	email = fmt.Sprintf("fault-%d@example.com", n)
	err = f.Write(ctx, func(tx domain.Tx) error {
		runs++
		if err := f.begin(tx); err != nil {
			return err
		}
		id := fmt.Sprintf("00000000-0000-7000-%04x-%012x", 0x8000+runs, n)
		if created, err := tx.System(f.system).Users().Insert(domain.User{ID: domain.UserID(id), Email: email}); err != nil || !created {
			return errors.Join(err, fmt.Errorf("created: %v", created))
		}
		if audited {
			if err := tx.Org(f.scope).Audit().Append(domain.AuditEvent{ID: domain.AuditID(id), Operation: email, At: tx.Now()}); err != nil {
				return err
			}
		}
		if inside != nil {
			inside()
		}
		return nil
	})
	return email, runs, err
}

// begin makes the transaction an explicit one, or reads first so that a single statement is all of it.
func (f *faulty) begin(tx domain.Tx) error {
	if f.alone {
		_, err := tx.Org(f.scope).Settings().Get()
		return err
	}
	return db.Exec(tx, "SELECT 1")
}

// rows counts what a write has left.
func (f *faulty) rows(t *testing.T, email string) (users, audits int) {
	t.Helper()
	must(t, f.Read(t.Context(), func(tx domain.Tx) error {
		users, audits = 0, 0
		_, err := tx.System(f.system).Users().ByEmail(email)
		if err == nil {
			users = 1
		} else if !domain.IsKind(err, domain.NotFound) {
			return err
		}
		events, err := tx.Org(f.scope).Audit().List(domain.AuditQuery{Operations: []string{email}})
		audits = len(events)
		return err
	}))
	return users, audits
}

// F3, rules 1 and 3 of the transactions: a statement whose reply is lost before COMMIT was sent runs again, in a new transaction.
func TestLostReply(t *testing.T) {
	f := newFaulty(t, "statement_timeout=3000")
	for name, fault := range map[string]testkit.Fault{
		"FIN": {}, "RST": {Reset: true}, "half a reply": {After: 3}, "request lost": {Lose: true},
		"the server shuts down": {Inject: testkit.PostgresFatal("57P01", "terminating connection due to administrator command")},
	} {
		t.Run(name, func(t *testing.T) {
			fault.Request = fmt.Sprintf("fault-%d@", f.n.Load()+1)
			f.proxy.Next(fault)
			happened := f.proxy.Happened()
			email, runs, err := f.write(t.Context(), true, nil)
			users, audits := f.rows(t, email)
			if err != nil || runs != 2 || users != 1 || audits != 1 || f.proxy.Happened() != happened+1 {
				t.Errorf("error %v, %d runs, %d users, %d audit rows; want success after 2 runs and one of each", err, runs, users, audits)
			}
		})
	}
}

// Rule 2: a COMMIT that is not answered may have happened or not; the audit row decides, and without one nobody can.
func TestUnknownCommit(t *testing.T) {
	f := newFaulty(t, "")
	for name, c := range map[string]struct {
		fault testkit.Fault
		runs  int
	}{
		"committed, FIN":           {testkit.Fault{Request: "COMMIT"}, 1},
		"committed, RST":           {testkit.Fault{Request: "COMMIT", Reset: true}, 1},
		"committed, half a reply":  {testkit.Fault{Request: "COMMIT", After: 4}, 1},
		"committed, then an error": {testkit.Fault{Request: "COMMIT", Inject: testkit.PostgresFatal("57P02", "crash")}, 1},
		"lost, FIN":                {testkit.Fault{Request: "COMMIT", Lose: true}, 2},
		"lost, RST":                {testkit.Fault{Request: "COMMIT", Lose: true, Reset: true}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			happened := f.proxy.Happened()
			email, runs, err := f.write(t.Context(), true, func() {
				if f.proxy.Happened() == happened {
					f.proxy.Next(c.fault)
				}
			})
			users, audits := f.rows(t, email)
			if err != nil || runs != c.runs || users != 1 || audits != 1 {
				t.Errorf("error %v, %d runs, %d users, %d audit rows; want success after %d runs and one of each", err, runs, users, audits, c.runs)
			}
		})
		t.Run(name+", no audit row", func(t *testing.T) {
			email, runs, err := f.write(t.Context(), false, func() { f.proxy.Next(c.fault) })
			users, _ := f.rows(t, email)
			if !domain.IsKind(err, domain.Unknown) || runs != 1 || users != 2-c.runs {
				t.Errorf("error %v, %d runs, %d users; want Unknown after one run and %d users", err, runs, users, 2-c.runs)
			}
		})
	}
}

// The same for a transaction that is one statement: its lost answer is a lost COMMIT's.
// A write without an audit row is never one, because nothing could decide then.
func TestUnknownSingleStatement(t *testing.T) {
	f := newFaulty(t, "statement_timeout=3000")
	f.alone = true
	shutdown := testkit.PostgresFatal("57P01", "terminating connection due to administrator command")
	for name, c := range map[string]struct {
		fault testkit.Fault
		runs  int
	}{
		"committed, FIN":           {testkit.Fault{}, 1},
		"committed, RST":           {testkit.Fault{Reset: true}, 1},
		"committed, half a reply":  {testkit.Fault{After: 4}, 1},
		"committed, then an error": {testkit.Fault{Inject: shutdown}, 1},
		"lost, FIN":                {testkit.Fault{Lose: true}, 2},
		"lost, RST":                {testkit.Fault{Lose: true, Reset: true}, 2},
		"refused with an error":    {testkit.Fault{Lose: true, Inject: shutdown}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			c.fault.Request = fmt.Sprintf("fault-%d@", f.n.Load()+1)
			f.proxy.Next(c.fault)
			happened := f.proxy.Happened()
			email, runs, err := f.write(t.Context(), true, nil)
			users, audits := f.rows(t, email)
			if err != nil || runs != c.runs || users != 1 || audits != 1 || f.proxy.Happened() != happened+1 {
				t.Errorf("error %v, %d runs, %d users, %d audit rows; want success after %d runs and one of each", err, runs, users, audits, c.runs)
			}
		})
		t.Run(name+", no audit row", func(t *testing.T) {
			c.fault.Request = fmt.Sprintf("fault-%d@", f.n.Load()+1)
			f.proxy.Next(c.fault)
			email, runs, err := f.write(t.Context(), false, nil)
			if users, _ := f.rows(t, email); err != nil || runs != 2 || users != 1 {
				t.Errorf("error %v, %d runs, %d users; want success after 2 runs and one user", err, runs, users)
			}
		})
	}
}

// A write that presumed too much runs once more, carefully: the answer is as precise, and nobody calls it a conflict.
func TestPresumedTooMuch(t *testing.T) {
	f := newFaulty(t, "")
	var taken domain.User
	must(t, f.Write(t.Context(), func(tx domain.Tx) error {
		taken = domain.User{ID: "00000000-0000-7000-8000-000000000001", Email: "taken@example.com", CreatedAt: tx.Now()}
		_, err := tx.System(f.system).Users().Insert(taken)
		return err
	}))
	runs, created := 0, true
	err := f.Write(t.Context(), func(tx domain.Tx) (err error) {
		runs++
		twin := taken
		twin.ID = "00000000-0000-7000-8000-000000000002"
		created, err = tx.System(f.system).Users().Insert(twin)
		return err
	})
	if err != nil || created || runs != 2 || strings.Contains(f.log.String(), "runs again") {
		t.Errorf("error %v, created %v, %d runs; want false after 2 runs and nothing in the log:\n%s", err, created, runs, f.log)
	}
}

// A commit that is still running while we look for its marker is waited for, and not taken for one that never happened.
func TestUnknownCommitStillRunning(t *testing.T) {
	f := newFaulty(t, "")
	var first sync.Once
	locked, release := make(chan struct{}), make(chan struct{})
	email, runs, err := f.write(t.Context(), true, func() {
		first.Do(func() {
			go func() {
				<-release
				close(locked)
			}()
			f.proxy.Next(testkit.Fault{Request: "COMMIT"})
			close(release)
		})
	})
	<-locked
	users, audits := f.rows(t, email)
	if err != nil || runs != 1 || users != 1 || audits != 1 {
		t.Errorf("error %v, %d runs, %d users, %d audit rows", err, runs, users, audits)
	}
}

// F27: an error packet followed by a close costs the client nothing, whatever it hits, and poisons no connection.
func TestPoisonedConnections(t *testing.T) {
	for name, alone := range map[string]bool{"BEGIN and COMMIT": false, "single statements": true} {
		t.Run(name, func(t *testing.T) { poisonConnections(t, alone) })
	}
}

func poisonConnections(t *testing.T, alone bool) {
	t.Helper()
	f := newFaulty(t, "")
	f.alone = alone
	fatal := testkit.PostgresFatal("57P01", "terminating connection")
	stop, done := make(chan struct{}), make(chan struct{})
	// Faults come by work done and not by time: on a slow machine one transaction would meet more of them than it may try again.
	var finishedOperations atomic.Int64
	go func() {
		defer close(done)
		for due := int64(0); f.proxy.Happened() < 100; {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
			if finishedOperations.Load() >= due {
				f.proxy.Next(testkit.Fault{Inject: fatal, Lose: f.proxy.Happened()%2 == 0})
				due = finishedOperations.Load() + 60
			}
		}
	}()
	var work sync.WaitGroup
	for worker := range 12 {
		work.Go(func() {
			for finished := false; !finished; {
				select {
				case <-done:
					finished = true
				default:
				}
				if worker%3 == 0 {
					if email, _, err := f.write(t.Context(), true, nil); err != nil {
						t.Errorf("write of %s: %v", email, err)
					}
					finishedOperations.Add(1)
					continue
				}
				if err := f.Read(t.Context(), func(tx domain.Tx) error {
					_, err := tx.Org(f.scope).Settings().Get()
					return err
				}); err != nil {
					t.Errorf("read: %v", err)
				}
				finishedOperations.Add(1)
			}
		})
	}
	work.Wait()
	close(stop)
	for n := range f.n.Load() {
		if users, audits := f.rows(t, fmt.Sprintf("fault-%d@example.com", n+1)); users != 1 || audits != 1 {
			t.Errorf("write %d left %d users and %d audit rows", n+1, users, audits)
		}
	}
	if strings.Contains(f.log.String(), "already being processed") {
		t.Error("a poisoned connection was used again")
	}
}

// An ERROR, which does not announce the end of the connection, fails one read and no other.
func TestErrorThenClose(t *testing.T) {
	f := newFaulty(t, "")
	poison := bytes.ReplaceAll(testkit.PostgresFatal("XX000", "out of the blue"), []byte("FATAL"), []byte("ERROR"))
	read := func() error {
		return f.Read(t.Context(), func(tx domain.Tx) error {
			_, err := tx.Org(f.scope).Settings().Get()
			return err
		})
	}
	for range 30 {
		f.proxy.Next(testkit.Fault{Inject: poison})
		if err := read(); err != nil && !domain.IsKind(err, domain.Internal) {
			t.Errorf("the read that the error hit: %v", err)
		}
		for range 3 {
			if err := read(); err != nil {
				t.Errorf("a later read: %v", err)
			}
		}
	}
}

// A database that is down is Unavailable with a time to try again, at once and without harm when it comes back.
func TestDatabaseDown(t *testing.T) {
	proxy, url := testkit.ProxyURL(t, testkit.Postgres(t))
	proxy.Refuse()
	store, err := db.Open(t.Context(), url, db.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, store.Close()) })
	service := newServiceOn(store)
	for name, err := range map[string]error{
		"Migrate": store.Migrate(t.Context()), "Check": store.Check(t.Context()), "Bootstrap": service.Bootstrap(t.Context()),
	} {
		if e := domain.AsError(err); err == nil || e.Kind != domain.Unavailable || e.RetryAfter == 0 {
			t.Errorf("%s while the database is down: %v", name, err)
		}
	}
	proxy.Resume()
	must(t, store.Migrate(t.Context()))
	must(t, store.Check(t.Context()))
	must(t, service.Bootstrap(t.Context()))
	for range 3 {
		proxy.Refuse()
		if _, err := service.CommandLine(t.Context(), ""); !domain.IsKind(err, domain.Unavailable) {
			t.Errorf("a read while the database is down: %v", err)
		}
		if err := store.Check(t.Context()); !domain.IsKind(err, domain.Unavailable) {
			t.Errorf("Check while the database is down: %v", err)
		}
		proxy.Resume()
		if _, err := service.CommandLine(t.Context(), ""); err != nil {
			t.Errorf("the first read afterwards: %v", err)
		}
	}
}

// A network that swallows everything holds nobody for longer than the server may stay silent.
func TestSilentNetwork(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, "statement_timeout=500")
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	f.proxy.Swallow()
	_, _, err := f.write(ctx, true, nil)
	if !domain.IsKind(err, domain.Unavailable) {
		t.Errorf("write: %v", err)
	}
	f.proxy.Resume()
	f.proxy.Sever()
	if _, _, err := f.write(t.Context(), true, nil); err != nil {
		t.Errorf("the first write afterwards: %v", err)
	}
}

// F26: a function that sleeps inside a transaction is cut off and holds no lock; another one that waits for a lock gives up.
func TestLongTransactions(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, "idle_in_transaction_session_timeout=300&lock_timeout=200")
	email, _, err := f.write(t.Context(), true, nil)
	must(t, err)
	var user domain.User
	must(t, f.Read(t.Context(), func(tx domain.Tx) (err error) {
		user, err = tx.System(f.system).Users().ByEmail(email)
		return err
	}))
	lock := func(tx domain.Tx) error {
		_, err := tx.System(f.system).Users().Lock(user.ID)
		return err
	}
	runs := 0
	must(t, f.Write(t.Context(), func(tx domain.Tx) error {
		if err := lock(tx); err != nil {
			return err
		}
		if runs++; runs == 1 {
			time.Sleep(600 * time.Millisecond) // longer than the server lets a transaction idle
			// The lock is gone with the transaction.
			return errors.Join(f.Write(t.Context(), lock), tx.System(f.system).Users().Update(user))
		}
		return nil
	}))
	if runs != 2 {
		t.Errorf("the function ran %d times, want 2", runs)
	}
	must(t, f.Write(t.Context(), func(tx domain.Tx) error {
		if err := lock(tx); err != nil {
			return err
		}
		if e := domain.AsError(f.Write(t.Context(), lock)); e.Kind != domain.Unavailable || e.RetryAfter == 0 {
			t.Errorf("waiting for a lock: %v", e)
		}
		return nil
	}))
}

// F8: when every connection is taken a request is told so soon, and is served again as soon as one is free.
func TestEveryConnectionTaken(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, "")
	var holders sync.WaitGroup
	held, release := make(chan struct{}), make(chan struct{})
	const connections = 18
	for range connections {
		holders.Go(func() {
			if _, _, err := f.write(t.Context(), true, func() { held <- struct{}{}; <-release }); err != nil {
				t.Error(err)
			}
		})
	}
	for range connections {
		<-held
	}
	read := func() error {
		return f.Read(t.Context(), func(tx domain.Tx) error {
			_, err := tx.Org(f.scope).Settings().Get()
			return err
		})
	}
	if e := domain.AsError(read()); e == nil || e.Kind != domain.Unavailable || e.RetryAfter == 0 {
		t.Errorf("a read without a connection: %v", e)
	}
	close(release)
	holders.Wait()
	must(t, read())
}
