package server

import (
	"context"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"muster/cmd/internal/config"
	"muster/cmd/internal/metrics"
	"muster/db"
	"muster/domain"
	"muster/internal/httpx"
	"muster/internal/trace"
	"muster/oidc"
	"muster/scim"
)

// monitor is what watches a server.
type monitor struct {
	metrics *metrics.Metrics
	// traces is nil when there is nowhere for them to go.
	traces *trace.Tracer
	// engine names the database in traces, as OpenTelemetry does.
	engine string
}

func newMonitor(cfg *config.Config, log *slog.Logger) *monitor {
	number, commit := Version()
	m := &monitor{metrics: metrics.New(number, commit), engine: "postgresql"}
	if strings.HasPrefix(cfg.DatabaseURL, "sqlite:") {
		m.engine = "sqlite"
	}
	if cfg.Tracing.Endpoint != "" {
		about := maps.Clone(cfg.Tracing.Resource)
		about["service.version"] = number
		m.traces = trace.New(trace.Config{
			Endpoint: cfg.Tracing.Endpoint, Headers: cfg.Tracing.Headers, Resource: about, Sampler: cfg.Tracing.Sampler, Log: log,
		})
		log.Info("traces are sent", "endpoint", cfg.Tracing.Endpoint)
	}
	return m
}

// begin sends traces until stop, which waits a bounded time for the last ones; the end of ctx is not theirs.
func (m *monitor) begin(ctx context.Context) (stop func()) {
	if m.traces == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { m.traces.Run(ctx) })
	return func() {
		cancel()
		running.Wait()
	}
}

// transaction is told of each of the store's.
func (m *monitor) transaction(ctx context.Context, done db.Transaction) {
	m.metrics.Transaction(ctx, done)
	if m.traces == nil {
		return
	}
	access, outcome, failure := "read", metrics.Outcome(done), ""
	if done.Write {
		access = "write"
	}
	if outcome == "failed" || outcome == "unknown" {
		failure = outcome
	}
	trace.Record(ctx, trace.Client, "database "+access, done.Took, failure, trace.String("db.system.name", m.engine),
		trace.String("db.operation.name", access), trace.String("muster.db.outcome", outcome), trace.Int("muster.db.runs", done.Runs))
}

// scim is told of each operation.
func (m *monitor) scim(ctx context.Context, op scim.Operation) {
	m.metrics.SCIM(op)
	if !op.InBulk {
		trace.From(ctx).Set(trace.String("muster.scim.resource", op.Resource), trace.String("muster.scim.operation", op.Name))
	}
}

// toProvider makes spans of the requests to a provider, which learns nothing of them.
func (m *monitor) toProvider(next http.RoundTripper) http.RoundTripper {
	if m.traces == nil {
		return next
	}
	if next == nil {
		next = http.DefaultTransport
	}
	return trace.Transport{Next: next, Target: "identity provider"}
}

// watch has scrapers told of the database, the providers and the traces.
func (m *monitor) watch(cfg *config.Config, store *db.DB, providers oidc.Providers) {
	watched := metrics.Watched{Store: store, Providers: up(providers), Exporting: cfg.AuditExport != ""}
	if m.traces != nil {
		watched.Spans = m.traces.Counts
	}
	m.metrics.Watch(watched)
}

// register adds /metrics to the address that people use, unless it has one of its own.
func (m *monitor) register(mux *http.ServeMux, cfg *config.Config) {
	if cfg.MetricsListen == "" {
		m.metrics.HTTP.Register(mux, httpx.Scrapers(cfg.MetricsToken))
	}
}

// serve answers /metrics, /livez and /readyz on an address of their own until ctx ends; without one it does nothing.
func (m *monitor) serve(ctx context.Context, cfg *config.Config, health *httpx.Health, log *slog.Logger) (stop func(), err error) {
	if cfg.MetricsListen == "" {
		return func() {}, nil
	}
	var listening net.ListenConfig
	listener, err := listening.Listen(ctx, "tcp", cfg.MetricsListen)
	if err != nil {
		return nil, domain.Wrap(domain.Conflict, err, "config.metrics.listen = %q (METRICS_LISTEN_ADDRESS) cannot be listened on; another program may have the port", cfg.MetricsListen)
	}
	may := httpx.Everybody
	if cfg.MetricsToken != "" {
		may = httpx.Scrapers(cfg.MetricsToken)
	}
	mux := http.NewServeMux()
	health.Register(mux)
	m.metrics.HTTP.Register(mux, may)
	// It answers as long as the server does, also while that stops.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		server := httpx.NewServer(httpx.Observer{Log: log}.Wrap(mux), log)
		if err := httpx.Run(ctx, server, listener, httpx.Grace{Finish: time.Second}); err != nil {
			log.WarnContext(ctx, "metrics are not served", "error", err)
		}
	}()
	log.InfoContext(ctx, "metrics are served", "address", listener.Addr().String())
	return func() {
		cancel()
		<-stopped
	}, nil
}
