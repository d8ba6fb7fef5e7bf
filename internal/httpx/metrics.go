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
	signIns  *prometheus.CounterVec
	mails    *prometheus.CounterVec
	duration *prometheus.HistogramVec
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
		signIns: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_sign_ins_total",
			Help: "Sign-ins and sign-outs at a provider, by how they ended: ok, or the reason of a refusal.",
		}, []string{"provider", "outcome"}),
		mails: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_mails_total",
			Help: "Mails by what came of them: sent, failed (and tried again), or dead.",
		}, []string{"outcome"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "muster_http_request_duration_seconds",
			Help:    "Time from a request's header to the end of its answer.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, labels),
	}
	m.Registry.MustRegister(m.requests, m.signIns, m.mails, m.duration, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// SignIn counts how a sign-in ended; both values are of small sets of our own, never a client's words.
func (m *Metrics) SignIn(provider, outcome string) {
	m.signIns.WithLabelValues(provider, outcome).Inc()
}

// Mail counts what came of a mail: "sent", "failed" or "dead".
func (m *Metrics) Mail(outcome string) { m.mails.WithLabelValues(outcome).Inc() }

// Register adds GET /metrics.
func (m *Metrics) Register(mux *http.ServeMux) {
	page := promhttp.HandlerFor(m.Registry, promhttp.HandlerOpts{Registry: m.Registry})
	mux.Handle("GET /metrics", Handler(func(w http.ResponseWriter, r *http.Request) error {
		page.ServeHTTP(w, r)
		return nil
	}).With(plainError))
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
