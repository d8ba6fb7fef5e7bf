package httpx

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// NewServer makes a server with the limits of F9: a client that is slow, or says nothing, does not hold a connection for long.
func NewServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// Grace says how a server stops.
type Grace struct {
	// Drain is how long it goes on accepting after it was told to stop, for load balancers to notice; OnDrain is called at its beginning.
	Drain   time.Duration
	OnDrain func()
	// Finish is how long it waits for requests that it accepted; they are broken off after that.
	Finish time.Duration
}

// Run serves on listener until ctx ends and then stops as grace says.
// It returns nil when everything accepted was finished, and always closes the listener.
func Run(ctx context.Context, server *http.Server, listener net.Listener, grace Grace) error {
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serving on %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	if grace.OnDrain != nil {
		grace.OnDrain()
	}
	// Answers now say "Connection: close", so that kept connections end without a request in flight.
	server.SetKeepAlivesEnabled(false)
	select {
	case err := <-served:
		return fmt.Errorf("serving on %s: %w", listener.Addr(), err)
	case <-time.After(grace.Drain):
	}
	return stop(context.WithoutCancel(ctx), server, served, grace.Finish)
}

// stop waits for what was accepted, and breaks off what is not finished in time.
func stop(ctx context.Context, server *http.Server, served <-chan error, finish time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, finish)
	defer cancel()
	err := server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("requests were still running after %s: %w", finish, err), server.Close())
	}
	if serveErr := <-served; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	return err
}
