package httpx

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics counts requests; its registry takes the metrics of the other parts too.
type Metrics struct {
	// Registry is this server's own, not the process-wide one.
	Registry *prometheus.Registry

	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
}

// NewMetrics makes a registry with the request metrics and the collectors of Go and of the process.
func NewMetrics() *Metrics {
	labels := []string{"route", "method", "status"}
	m := &Metrics{
		Registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_http_requests_total",
			Help: "Requests answered, by route pattern, method and class of status.",
		}, labels),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "muster_http_request_duration_seconds",
			Help:    "Time from a request's header to the end of its answer.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, labels),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "muster_http_requests_in_flight", Help: "Requests that are being answered."}),
	}
	m.Registry.MustRegister(m.requests, m.duration, m.inFlight, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Register adds GET /metrics for those whom may admits.
func (m *Metrics) Register(mux *http.ServeMux, may func(*http.Request) error) {
	page := promhttp.HandlerFor(m.Registry, promhttp.HandlerOpts{Registry: m.Registry})
	mux.Handle("GET /metrics", Handler(func(w http.ResponseWriter, r *http.Request) error {
		if err := may(r); err != nil {
			return err
		}
		page.ServeHTTP(w, r)
		return nil
	}).With(textError))
}

// observe counts one request; one that was broken off has no class of status.
func (m *Metrics) observe(method string, out outcome, status int, took time.Duration) {
	class := strconv.Itoa(status/100) + "xx"
	if out.aborted {
		class = "aborted"
	}
	m.requests.WithLabelValues(out.route, methodLabel(method), class).Inc()
	m.duration.WithLabelValues(out.route, methodLabel(method), class).Observe(took.Seconds())
}

// methodLabel keeps clients from making up label values.
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	default:
		return "other"
	}
}
