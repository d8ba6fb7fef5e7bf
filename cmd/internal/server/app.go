package server

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"time"

	"muster/admin"
	"muster/cmd/internal/config"
	"muster/cmd/internal/metrics"
	"muster/db"
	"muster/domain"
	"muster/internal/deliver"
	"muster/internal/httpx"
	"muster/internal/mail"
	"muster/oidc"
	"muster/scim"
	"muster/web"
)

// app is the server's handler and what must be told when it stops.
type app struct {
	handler http.Handler
	health  *httpx.Health
	// provisioning keeps the last requests' activity when it is told to.
	provisioning *scim.Server
	// deliverer sends the audit log on, and sender mail; it is nil where none is configured.
	deliverer *deliver.Deliverer
	sender    *mail.Sender
}

// newApp makes every front end and puts them behind one mux.
func newApp(ctx context.Context, cfg *config.Config, service *domain.Service, shut *gate, store *db.DB, watching *monitor, log *slog.Logger) (*app, error) {
	publicURL, err := url.Parse(cfg.PublicURL)
	if err != nil {
		return nil, err
	}
	sameOrigin, err := httpx.NewSameOrigin(publicURL)
	if err != nil {
		return nil, err
	}
	number, commit := Version()
	cookies := httpx.Cookies{Secure: cfg.Secure()}
	counted := watching.metrics
	providers, err := newProviders(cfg, watching, log)
	if err != nil {
		return nil, err
	}
	service.UseRenewer(providers)
	deliverer := deliver.New(deliver.Config{
		Service: service, Log: log, Record: func(org domain.OrgID, e domain.AuditEvent) any { return admin.AuditOf(org, e) },
		Export: deliver.NewExporter(cfg.AuditExport, cfg.AuditExportSecret, os.Stdout), Loopback: !cfg.Secure(),
		CountEvent: counted.Event, CountBatch: counted.Export,
	})
	pages := web.New(web.Config{
		Service: service, BasePath: cfg.BasePath, PublicURL: publicURL, Cookies: cookies, SameOrigin: sameOrigin, Doors: doors{providers},
		Rules: service, Providers: testers{providers}, Events: deliverer, Operator: operator{cfg, store, service},
	})

	mux := http.NewServeMux()
	pages.Routes(mux)
	limits := oidc.NewLimits(cfg.SignInRate, nil)
	for _, provider := range providers {
		go provider.Run(ctx)
		handler := oidc.NewHandler(provider, service, browser{pages, service, cookies}, cookies, cfg.BasePath, limits)
		handler.ReturnPaths = cfg.ReturnPaths
		handler.Routes(mux)
	}
	provisioning := newSCIM(cfg, service, store, watching, log) //nolint:contextcheck // a request brings its own
	go provisioning.Run(ctx)
	mux.Handle("/scim/", provisioning)
	mux.Handle(scim.TokenPath, provisioning.TokenEndpoint())
	api := admin.New(admin.Config{ //nolint:contextcheck // a request brings its own
		Service: service, Version: number, GitSHA: commit, InfoAuthRequired: cfg.InfoAuthRequired,
		Session: cookies.Session, SameOrigin: sameOrigin, Log: log, Providers: testers{providers}, Events: deliverer, Limits: admin.NewLimits(cfg.AdminRate, cfg.AdminWrongRate, nil),
	})
	mux.Handle("/api/", api)
	mux.Handle("/v1/platform/", api)

	sender, err := newSender(cfg, service, counted, log)
	if err != nil {
		return nil, err
	}
	health := httpx.NewHealth(2*time.Second, httpx.Check{Name: "database", Probe: store.Check}, httpx.Check{Name: "schema", Probe: shut.check})
	root := http.NewServeMux()
	health.Register(root)
	watching.register(root, cfg)
	watching.watch(cfg, store, providers)
	root.Handle("/", httpx.Mount(cfg.BasePath, mux))
	return &app{provisioning: provisioning, handler: httpx.Observer{Log: log, Metrics: counted.HTTP, Traces: watching.traces, Trusted: cfg.TrustedProxies}.Wrap(root), health: health, deliverer: deliverer, sender: sender}, nil
}

// newSender is nil where no mail server is configured.
func newSender(cfg *config.Config, service *domain.Service, counted *metrics.Metrics, log *slog.Logger) (*mail.Sender, error) {
	if cfg.SMTP == nil {
		return nil, nil //nolint:nilnil // no mail is no error
	}
	return mail.New(mail.Config{URL: cfg.SMTP, From: cfg.MailFrom, Service: service, Log: log, Count: counted.Mail})
}

// newSCIM makes the SCIM endpoint; it may use most of the database, but not so much that sign-in waits for it.
func newSCIM(cfg *config.Config, service *domain.Service, store *db.DB, watching *monitor, log *slog.Logger) *scim.Server {
	limits := scim.Limits{
		UserBody: cfg.SCIM.UserBody, GroupBody: cfg.SCIM.GroupBody, BulkBody: cfg.SCIM.BulkBody,
		BulkOperations: cfg.SCIM.BulkOperations, MaxResults: cfg.SCIM.MaxResults,
		TokenRate: cfg.SCIM.TokenRate, OrgRate: cfg.SCIM.OrgRate, Concurrency: 48,
	}
	if store.Engine() == db.PostgreSQL {
		limits.Concurrency = 12 // of the connections that requests share
	}
	return scim.New(scim.Config{
		Service: service, PublicURL: cfg.PublicURL, Limits: limits, Log: log,
		Definitions: cfg.Policy.Definitions, OpenDiscovery: !cfg.SCIM.DiscoveryAuthRequired,
		Observe: watching.scim,
	})
}

// browser lets sign-in show the console's pages and set its cookie.
type browser struct {
	*web.Web

	service *domain.Service
	cookies httpx.Cookies
}

// SetSession implements oidc.Browser; the server ends the session by its own record in any case.
func (b browser) SetSession(w http.ResponseWriter, session string, expires time.Time) {
	b.cookies.SetSession(w, session, time.Until(expires))
}

// HasSession implements oidc.Browser.
func (b browser) HasSession(r *http.Request) bool {
	token := b.cookies.Session(r)
	if token == "" {
		return false
	}
	_, err := b.service.Session(r.Context(), token, httpx.ClientOf(r))
	return err == nil
}

// SessionProvider implements oidc.Browser.
func (b browser) SessionProvider(r *http.Request) string {
	token := b.cookies.Session(r)
	if token == "" {
		return ""
	}
	principal, err := b.service.Session(r.Context(), token, httpx.ClientOf(r))
	if err != nil {
		return ""
	}
	return principal.SessionProvider()
}
