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

// maxHeaders is how many bytes of header fields a request may have.
const maxHeaders = 16 << 10

// NewServer makes a server with the limits of F9: a client that is slow, or says nothing, does not hold a connection for long.
// The request line may be much longer than the header fields: a SCIM filter that is too long gets SCIM's own answer.
func NewServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           limitHeaders(handler),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    384 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// limitHeaders answers 431 to more header fields than anybody needs.
func limitHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		size := 0
		for name, values := range r.Header {
			for _, value := range values {
				size += len(name) + len(value)
			}
		}
		if size > maxHeaders {
			http.Error(w, "the request's header fields are larger than 16 KiB", http.StatusRequestHeaderFieldsTooLarge)
			return
		}
		next.ServeHTTP(w, r)
	})
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
