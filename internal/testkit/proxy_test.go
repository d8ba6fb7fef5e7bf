package testkit_test

import (
	"bufio"
	"database/sql"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/lib/pq"

	"muster/internal/testkit"
)

// shout is a server that answers each line with the same line twice.
func shout(t *testing.T) (address string, heard chan string) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	heard = make(chan string, 10)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = connection.Close() }()
				lines := bufio.NewScanner(connection)
				for lines.Scan() {
					heard <- lines.Text()
					_, _ = io.WriteString(connection, lines.Text()+lines.Text()+"\n")
				}
			}()
		}
	}()
	return listener.Addr().String(), heard
}

func dial(t *testing.T, p *testkit.Proxy) net.Conn {
	t.Helper()
	connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", p.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return connection
}

// say sends a line and returns what comes back until the line or the connection ends.
func say(connection net.Conn, line string) (string, error) {
	_, _ = io.WriteString(connection, line+"\n")
	return bufio.NewReader(connection).ReadString('\n')
}

// tries says a line on a connection of its own; the connection may fail at any step.
func tries(t *testing.T, p *testkit.Proxy, line string) (string, bool) {
	t.Helper()
	connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", p.Address())
	if err != nil {
		return "", false
	}
	defer func() { _ = connection.Close() }()
	got, err := say(connection, line)
	return got, err == nil
}

func TestProxyFaults(t *testing.T) {
	for name, test := range map[string]struct {
		fault testkit.Fault
		reply string
		err   error
		heard bool
	}{
		"nothing of the reply": {testkit.Fault{}, "", io.EOF, true},
		"half the reply":       {testkit.Fault{After: 3}, "abc", io.EOF, true},
		"reset":                {testkit.Fault{Reset: true}, "", syscall.ECONNRESET, true},
		"another reply":        {testkit.Fault{Inject: []byte("no\n")}, "no\n", nil, true},
		"that request":         {testkit.Fault{Request: "bc", After: 1}, "a", io.EOF, true},
		"lost request":         {testkit.Fault{Request: "bc", Lose: true}, "", io.EOF, false},
	} {
		t.Run(name, func(t *testing.T) {
			target, heard := shout(t)
			p := testkit.NewProxy(t, target)
			connection := dial(t, p)
			if got, err := say(connection, "x"); got != "xx\n" || err != nil {
				t.Fatalf("before: %q, %v", got, err)
			}
			<-heard
			p.Next(test.fault)
			reply, err := say(connection, "abc")
			if reply != test.reply || !errors.Is(err, test.err) {
				t.Errorf("got %q and %v, want %q and %v", reply, err, test.reply, test.err)
			}
			if p.Happened() != 1 || (len(heard) == 1) != test.heard {
				t.Errorf("happened %d times, target heard %d lines", p.Happened(), len(heard))
			}
			if got, err := say(dial(t, p), "y"); got != "yy\n" || err != nil {
				t.Errorf("afterwards: %q, %v", got, err)
			}
		})
	}
}

func TestProxyFaultWaitsForItsRequest(t *testing.T) {
	target, _ := shout(t)
	p := testkit.NewProxy(t, target)
	connection := dial(t, p)
	p.Next(testkit.Fault{Request: "COMMIT"})
	if got, err := say(connection, "BEGIN"); got != "BEGINBEGIN\n" || err != nil {
		t.Errorf("another request: %q, %v", got, err)
	}
	if got, err := say(connection, "COMMIT"); got != "" || !errors.Is(err, io.EOF) {
		t.Errorf("that request: %q, %v", got, err)
	}
}

func TestProxyStates(t *testing.T) {
	target, heard := shout(t)
	p := testkit.NewProxy(t, target)
	connection := dial(t, p)

	p.Pause()
	answered := make(chan string, 1)
	go func() {
		line, _ := say(connection, "held")
		answered <- line
	}()
	p.Resume()
	if got := <-answered; got != "heldheld\n" {
		t.Errorf("after the pause: %q", got)
	}
	<-heard

	p.Swallow()
	if err := connection.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if got, err := say(connection, "gone"); got != "" || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("swallowed: %q, %v", got, err)
	}

	p.Refuse()
	if got, ok := tries(t, p, "x"); ok {
		t.Errorf("refused: %q", got)
	}

	p.Resume()
	connection = dial(t, p)
	if got, err := say(connection, "back"); got != "backback\n" || err != nil {
		t.Errorf("resumed: %q, %v", got, err)
	}
	p.Sever()
	if got, err := say(connection, "x"); got != "" || err == nil {
		t.Errorf("severed: %q, %v", got, err)
	}
	if len(heard) != 1 || <-heard != "back" {
		t.Error("the target heard what was swallowed or refused")
	}
}

// The reply of a COMMIT is lost and the transaction stands: the fault that Store.Write must survive.
func TestProxyInFrontOfPostgres(t *testing.T) {
	direct := testkit.Postgres(t)
	p, through := testkit.ProxyURL(t, direct)
	db, err := sql.Open("postgres", through)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "CREATE TABLE t AS SELECT 1"); err != nil {
		t.Fatal(err)
	}
	p.Next(testkit.Fault{Request: "COMMIT"})
	if err := tx.Commit(); err == nil {
		t.Error("Commit succeeded without its reply")
	}
	if got := query(t, direct, "SELECT count(*) FROM t"); got != "1" {
		t.Errorf("%s rows", got)
	}
}

func TestPostgresFatal(t *testing.T) {
	p, through := testkit.ProxyURL(t, testkit.Postgres(t))
	db, err := sql.Open("postgres", through)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	// The first connection meets the fault at its start-up, where database/sql does not try again.
	p.Next(testkit.Fault{Inject: testkit.PostgresFatal("57P01", "terminating connection")})
	err = db.PingContext(t.Context())
	if fatal, ok := errors.AsType[*pq.Error](err); !ok || fatal.Code != "57P01" || fatal.Severity != "FATAL" {
		t.Errorf("got %v", err)
	}
}
