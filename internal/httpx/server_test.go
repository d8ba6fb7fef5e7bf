package httpx_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"muster/internal/httpx"
)

// started is a server whose handler waits until the test lets it go.
type started struct {
	url     string
	entered chan struct{}
	release chan struct{}
	stop    context.CancelFunc
	ended   chan error
}

func start(t *testing.T, grace httpx.Grace) *started {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	s := &started{
		url: "http://" + listener.Addr().String(), stop: stop,
		entered: make(chan struct{}), release: make(chan struct{}), ended: make(chan error, 1),
	}
	server := httpx.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.entered <- struct{}{}
		select {
		case <-s.release:
		case <-r.Context().Done():
		}
		_, _ = io.WriteString(w, "done")
	}), slog.New(slog.DiscardHandler))
	go func() { s.ended <- httpx.Run(ctx, server, listener, grace) }()
	t.Cleanup(stop)
	return s
}

// request asks in the background and returns the channel on which body or error arrive.
func (s *started) request() <-chan string {
	answered := make(chan string, 1)
	go func() {
		res, err := http.Get(s.url)
		if err != nil {
			answered <- "error"
			return
		}
		defer func() { _ = res.Body.Close() }()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			answered <- "error"
			return
		}
		answered <- string(body)
	}()
	return answered
}

func TestRunFinishesWhatItAccepted(t *testing.T) {
	drained := make(chan struct{})
	s := start(t, httpx.Grace{Finish: time.Minute, OnDrain: func() { close(drained) }})
	answered := s.request()
	<-s.entered
	s.stop()
	<-drained
	close(s.release)
	if got := <-answered; got != "done" {
		t.Errorf("the request in flight got %q", got)
	}
	if err := <-s.ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	if got := <-s.request(); got != "error" {
		t.Errorf("the stopped server answered %q", got)
	}
}

func TestRunServesWhileItDrains(t *testing.T) {
	drained := make(chan struct{})
	s := start(t, httpx.Grace{Drain: 300 * time.Millisecond, Finish: time.Minute, OnDrain: func() { close(drained) }})
	s.stop()
	<-drained
	answered := s.request()
	<-s.entered
	close(s.release)
	if got := <-answered; got != "done" {
		t.Errorf("a request during the drain got %q", got)
	}
	if err := <-s.ended; err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestRunBreaksOffWhatDoesNotFinish(t *testing.T) {
	s := start(t, httpx.Grace{Finish: 50 * time.Millisecond})
	answered := s.request()
	<-s.entered
	s.stop()
	if err := <-s.ended; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Run: %v", err)
	}
	if got := <-answered; got != "error" {
		t.Errorf("the request got %q", got)
	}
}

func TestRunSaysWhenItCannotServe(t *testing.T) {
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	server := httpx.NewServer(http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	if err := httpx.Run(t.Context(), server, listener, httpx.Grace{}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Run: %v", err)
	}
}

// F9 and F12: the limits of a connection.
func TestServerLimits(t *testing.T) {
	server := httpx.NewServer(nil, slog.New(slog.DiscardHandler))
	got := []time.Duration{server.ReadHeaderTimeout, server.ReadTimeout, server.WriteTimeout, server.IdleTimeout}
	want := []time.Duration{5 * time.Second, 30 * time.Second, 60 * time.Second, 120 * time.Second}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("limit %d is %s, want %s", i, got[i], want[i])
		}
	}
}

// F12: headers above 16 KiB (and the 4 KiB that net/http allows beyond) never reach a handler.
func TestServerRefusesHugeHeaders(t *testing.T) {
	s := start(t, httpx.Grace{})
	connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	go func() {
		_, _ = io.WriteString(connection, "GET / HTTP/1.1\r\nHost: x\r\nX-Big: "+strings.Repeat("a", 64<<10)+"\r\n\r\n")
	}()
	res, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("status %d", res.StatusCode)
	}
}
