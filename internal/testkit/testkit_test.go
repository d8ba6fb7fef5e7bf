package testkit_test

import (
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	_ "github.com/lib/pq" // the driver

	"muster/internal/testkit"
)

// TestMain lets the test binary stand in for a server: it runs as one when it is told so by its environment.
func TestMain(m *testing.M) {
	switch os.Getenv("TESTKIT_ROLE") {
	case "server":
		serve()
	case "broken":
		fmt.Fprintln(os.Stderr, "no such database")
		os.Exit(3)
	default:
		os.Exit(m.Run())
	}
}

// serve answers on LISTEN_ADDRESS until SIGTERM, and ends with code 7 then.
func serve() {
	fmt.Println("listening on", os.Getenv("LISTEN_ADDRESS"))
	http.HandleFunc("/readyz", func(http.ResponseWriter, *http.Request) {})
	go func() { fmt.Fprintln(os.Stderr, http.ListenAndServe(os.Getenv("LISTEN_ADDRESS"), nil)) }()
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	<-asked
	os.Exit(7)
}

func TestPostgresMakesAndDropsADatabase(t *testing.T) {
	var databaseURL string
	t.Run("inside", func(t *testing.T) {
		databaseURL = testkit.Postgres(t)
		if got := query(t, databaseURL, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"); got != "0" {
			t.Errorf("%s tables", got)
		}
	})
	name := databaseURL[strings.LastIndexByte(databaseURL, '/')+1 : strings.IndexByte(databaseURL, '?')]
	count := "SELECT count(*) FROM pg_database WHERE datname = '" + name + "'"
	if got := query(t, os.Getenv("MUSTER_TEST_POSTGRES_URL"), count); got != "0" {
		t.Errorf("database %s is still there", name)
	}
}

func TestEngines(t *testing.T) {
	var seen []string
	testkit.Engines(t, func(_ *testing.T, databaseURL string) {
		engine, _, _ := strings.Cut(databaseURL, "://")
		seen = append(seen, engine)
	})
	if got := strings.Join(seen, " "); got != "sqlite postgres" {
		t.Errorf("ran on %s", got)
	}
}

func query(t *testing.T, databaseURL, statement string) string {
	t.Helper()
	db, err := sql.Open("postgres", databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var result string
	if err := db.QueryRowContext(t.Context(), statement).Scan(&result); err != nil {
		t.Fatal(err)
	}
	return result
}

func TestProcess(t *testing.T) {
	p := testkit.Start(t, testkit.Program{Path: os.Args[0], Env: []string{"TESTKIT_ROLE=server"}})
	first := p.PID()
	p.Kill()
	if _, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", p.Address); err == nil {
		t.Error("the killed program still listens")
	}
	p.Restart()
	if p.PID() == first {
		t.Error("the restarted program is the old one")
	}
	if code := p.Stop(); code != 7 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
	line := "listening on " + p.Address + "\n"
	if got := p.Stdout(); got != line+line {
		t.Errorf("standard output %q", got)
	}
}

func TestProcessThatDoesNotStart(t *testing.T) {
	p := testkit.Launch(t, testkit.Program{Path: os.Args[0], Env: []string{"TESTKIT_ROLE=broken"}})
	if code := p.Wait(); code != 3 {
		t.Errorf("exit code %d", code)
	}
	if got := p.Stderr(); got != "no such database\n" {
		t.Errorf("standard error %q", got)
	}
}

func TestClock(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	clock := testkit.NewClock(start)
	clock.Advance(time.Hour)
	if got := clock.Now(); !got.Equal(start.Add(time.Hour)) {
		t.Errorf("advanced to %s", got)
	}
	clock.Set(start)
	if got := clock.Now(); !got.Equal(start) {
		t.Errorf("set to %s", got)
	}
}

func TestChromium(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "<!doctype html><title>Hello</title><p>World")
	}))
	defer server.Close()
	t.Setenv("MUSTER_SCREENSHOTS", t.TempDir())
	tab := testkit.Chromium(t)
	if err := chromedp.Do(tab, chromedp.Navigate(server.URL)); err != nil {
		t.Fatal(err)
	}
	title, err := chromedp.Run(tab, chromedp.Title())
	if err != nil || title != "Hello" {
		t.Errorf("title %q, error %v", title, err)
	}
	testkit.Screenshot(t, tab, "hello")
	png, err := os.ReadFile(os.Getenv("MUSTER_SCREENSHOTS") + "/hello.png")
	if err != nil || !strings.HasPrefix(string(png), "\x89PNG") {
		t.Errorf("screenshot of %d bytes, error %v", len(png), err)
	}
}
