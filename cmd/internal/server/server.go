// Package server puts the parts together: configuration in, a running server out. It holds wiring and nothing else.
package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"time"

	"muster/cmd/internal/config"
	"muster/db"
	"muster/domain"
	"muster/internal/httpx"
	"muster/scim"
)

// Options are what a program decides that an operator does not.
type Options struct {
	Log *slog.Logger
	// Ready is called once, when the first request can be served; nil for nothing.
	Ready func(*domain.Service) error
}

// Run serves until ctx ends, finishes what it accepted and returns.
// A database that is not there yet does not keep it from starting; a database that must not be used does.
func Run(ctx context.Context, cfg *config.Config, o Options) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if err := cfg.EnsureEncryptionKey(); err != nil {
		return err
	}
	watching := newMonitor(cfg, o.Log)
	defer watching.begin(ctx)()
	ctx = watching.traces.Context(ctx)
	store, err := db.Open(ctx, cfg.DatabaseURL, db.Options{Log: o.Log, Observe: watching.transaction})
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	shut := &gate{store: store}
	service := domain.New(shut, cfg.Policy)

	var listening net.ListenConfig
	listener, err := listening.Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return domain.Wrap(domain.Conflict, err, "listen = %q (LISTEN_ADDRESS) cannot be listened on; another program may have the port", cfg.Listen)
	}
	app, err := newApp(ctx, cfg, service, shut, store, watching, o.Log)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	stopMonitor, err := watching.serve(ctx, cfg, app.health, o.Log)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer stopMonitor()
	go func() {
		if err := prepare(ctx, store, shut, service, cfg.PublicURL, o); err != nil {
			cancel(err)
			return
		}
		go app.deliverer.Run(ctx)
		if app.sender != nil {
			go app.sender.Run(ctx)
		}
		sweep(ctx, service, o.Log)
	}()
	o.Log.InfoContext(ctx, "listening", "address", listener.Addr().String(), "public_url", cfg.PublicURL, "database", store.Engine())
	err = httpx.Run(ctx, httpx.NewServer(app.handler, o.Log), listener, httpx.Grace{
		Drain: cfg.ShutdownDelay, OnDrain: app.health.Drain, Finish: 20 * time.Second,
	})
	keepLast(ctx, app.provisioning)
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}

// keepLast keeps what the last requests did, when nobody is served any more and before the database is closed.
func keepLast(ctx context.Context, provisioning *scim.Server) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	provisioning.Flush(ctx)
}

// prepare brings the schema up to date, creates the first organization and opens the gate.
// While the database does not answer it tries again, ever more slowly.
func prepare(ctx context.Context, store *db.DB, shut *gate, service *domain.Service, publicURL string, o Options) error {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := bringUp(ctx, store, shut, service)
		if err == nil {
			break
		}
		if !domain.IsKind(err, domain.Unavailable) {
			return err
		}
		o.Log.WarnContext(ctx, "the database is not there yet", "error", err, "next_try_in", wait)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
	o.Log.InfoContext(ctx, "ready")
	if err := afterStart(ctx, service, o.Log, publicURL); err != nil {
		return err
	}
	if o.Ready == nil {
		return nil
	}
	return o.Ready(service)
}

// afterStart prints the set-up link while there is no Admin (R7), and ends the sessions of providers that are gone (item 14).
func afterStart(ctx context.Context, service *domain.Service, log *slog.Logger, publicURL string) error {
	link, err := setUpLink(ctx, service, publicURL)
	if err != nil {
		return err
	}
	if link != "" {
		log.WarnContext(ctx, "there is no Organization Admin yet: the first person who signs in with this link becomes one", "set_up_link", link)
	}
	ended, err := service.EndSessionsOfRemovedProviders(ctx)
	if ended > 0 {
		log.InfoContext(ctx, "ended the sessions of providers that are not configured any more", "sessions", ended)
	}
	return err
}

// setUpLink returns the link by which the first Admin signs in; empty when there is an Admin or an address for one is configured.
func setUpLink(ctx context.Context, service *domain.Service, publicURL string) (string, error) {
	token, err := service.SetUpToken(ctx)
	if domain.IsKind(err, domain.NotFound) {
		return "", nil
	}
	return publicURL + "/set-up?token=" + url.QueryEscape(string(token)), err
}

// SetUpLink is for the command line: it is domain.NotFound where there is no such link.
func SetUpLink(ctx context.Context, cfg *config.Config, service *domain.Service) (string, error) {
	link, err := setUpLink(ctx, service, cfg.PublicURL)
	if err == nil && link == "" {
		_, err = service.SetUpToken(ctx)
	}
	return link, err
}

func bringUp(ctx context.Context, store *db.DB, shut *gate, service *domain.Service) error {
	offset, err := store.ClockOffset(ctx)
	if err != nil {
		return err
	}
	if offset.Abs() > mostClockOffset {
		return domain.Errorf(domain.Conflict, "%s", clockText(offset))
	}
	if err := store.Migrate(ctx); err != nil {
		return err
	}
	// Behind the gate's back: no request comes before there is an organization.
	if err := domain.New(store, service.Policy()).Bootstrap(ctx); err != nil {
		return err
	}
	shut.open.Store(true)
	return nil
}

// sweep removes expired sessions and flows every minute.
func sweep(ctx context.Context, service *domain.Service, log *slog.Logger) {
	ticker := time.NewTicker(time.Minute)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := service.Sweep(ctx); err != nil && ctx.Err() == nil {
				log.WarnContext(ctx, "expired sessions were not removed", "error", err)
			}
			if _, err := service.WarnOfExpiringTokens(ctx); err != nil && ctx.Err() == nil {
				log.WarnContext(ctx, "nobody was told of SCIM tokens that end soon", "error", err)
			}
		}
	}
}

// WithService runs fn for a command on the configured database, which a server may be using at the same time.
func WithService(ctx context.Context, cfg *config.Config, fn func(*domain.Service) error) error {
	if err := cfg.EnsureEncryptionKey(); err != nil {
		return err
	}
	store, err := db.Open(ctx, cfg.DatabaseURL, db.Options{CommandLine: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	if err := store.Migrate(ctx); err != nil {
		return err
	}
	service := domain.New(store, cfg.Policy)
	if err := service.Bootstrap(ctx); err != nil {
		return err
	}
	return fn(service)
}
