package server

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"muster/cmd/internal/config"
	"muster/cmd/internal/metrics"
	"muster/domain"
	"muster/internal/httpx"
)

// monitor is what watches a server.
type monitor struct {
	metrics *metrics.Metrics
}

func newMonitor() *monitor {
	return &monitor{metrics: metrics.New(Version())}
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
