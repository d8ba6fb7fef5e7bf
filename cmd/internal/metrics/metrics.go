// Package metrics is everything that a server counts and measures; docs/monitoring.md lists it, and a test compares the two.
//
// No label has values without a bound: there is none of organizations, people, tokens, hooks or addresses.
package metrics

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"muster/db"
	"muster/domain"
	"muster/internal/httpx"
	"muster/scim"
)

// Metrics are one server's; its methods are what the parts of the server call.
type Metrics struct {
	HTTP *httpx.Metrics

	signIns         *prometheus.CounterVec
	scimRequests    *prometheus.CounterVec
	scimBulk        *prometheus.CounterVec
	scimDuration    *prometheus.HistogramVec
	guardHolds      prometheus.Counter
	transactions    *prometheus.CounterVec
	retries         prometheus.Counter
	transactionTime *prometheus.HistogramVec
	mails           *prometheus.CounterVec
	events          *prometheus.CounterVec
	exports         *prometheus.CounterVec
}

// New makes them, with what the program was built from.
func New(version, commit string) *Metrics {
	m := &Metrics{HTTP: httpx.NewMetrics()}
	m.signIns = m.counter("muster_sign_ins_total", "Sign-ins and sign-outs at a provider, by how they ended: ok, or the reason of a refusal.", "provider", "outcome")
	m.scimRequests = m.counter("muster_scim_requests_total", "SCIM requests, by resource type, operation and HTTP status.", "resource", "operation", "status")
	m.scimDuration = m.histogram("muster_scim_request_duration_seconds", "Time that SCIM requests took, by resource type and operation.", "resource", "operation")
	m.scimBulk = m.counter("muster_scim_bulk_operations_total", "Operations inside of Bulk requests, by resource type, operation and status.", "resource", "operation", "status")
	m.guardHolds = m.counter("muster_scim_guard_held_total", "Deprovisionings that the guard held back, repetitions among them.").WithLabelValues()
	m.transactions = m.counter("muster_db_transactions_total", "Transactions by access (read, write) and outcome: ok, refused (by a rule), canceled, failed, or unknown.", "access", "outcome")
	m.retries = m.counter("muster_db_transaction_retries_total", "Runs of transactions beyond the first: after a conflict, a lost connection, or a presumption that did not hold.").WithLabelValues()
	m.transactionTime = m.histogram("muster_db_transaction_duration_seconds", "Time that transactions took, waiting and repetitions among it.", "access")
	m.mails = m.counter("muster_mails_total", "Mails by what came of them: sent, failed (and tried again), or dead.", "outcome")
	m.events = m.counter("muster_event_deliveries_total", "Events to hooks, by outcome: sent, failed (and tried again), or dead.", "outcome")
	m.exports = m.counter("muster_audit_export_batches_total", "Batches of audit rows to the export, by outcome: sent, or failed (and tried again).", "outcome")
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "muster_build_info", Help: "1, with what the program was built from."}, []string{"version", "commit"})
	build.WithLabelValues(version, commit).Set(1)
	m.HTTP.Registry.MustRegister(build)
	return m
}

func (m *Metrics) counter(name, help string, labels ...string) *prometheus.CounterVec {
	made := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	m.HTTP.Registry.MustRegister(made)
	return made
}

func (m *Metrics) histogram(name, help string, labels ...string) *prometheus.HistogramVec {
	made := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: name, Help: help, Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	}, labels)
	m.HTTP.Registry.MustRegister(made)
	return made
}

// SignIn counts how a sign-in ended; both values are of small sets of our own, never a client's words.
func (m *Metrics) SignIn(provider, outcome string) {
	m.signIns.WithLabelValues(provider, outcome).Inc()
}

// Mail counts what came of a mail: "sent", "failed" or "dead".
func (m *Metrics) Mail(outcome string) { m.mails.WithLabelValues(outcome).Inc() }

// Event counts what came of an event for a hook: "sent", "failed" or "dead".
func (m *Metrics) Event(outcome string) { m.events.WithLabelValues(outcome).Inc() }

// Export counts what came of a batch for the audit export: "sent" or "failed".
func (m *Metrics) Export(outcome string) { m.exports.WithLabelValues(outcome).Inc() }

// SCIM counts an operation that a client asked for.
func (m *Metrics) SCIM(op scim.Operation) {
	if domain.IsKind(op.Err, domain.Guarded) {
		m.guardHolds.Inc()
	}
	status := strconv.Itoa(op.Status)
	if op.InBulk {
		m.scimBulk.WithLabelValues(op.Resource, op.Name, status).Inc()
		return
	}
	m.scimRequests.WithLabelValues(op.Resource, op.Name, status).Inc()
	m.scimDuration.WithLabelValues(op.Resource, op.Name).Observe(op.Took.Seconds())
}

// Transaction counts one of the store's.
func (m *Metrics) Transaction(_ context.Context, done db.Transaction) {
	access := "read"
	if done.Write {
		access = "write"
	}
	m.transactions.WithLabelValues(access, Outcome(done)).Inc()
	m.transactionTime.WithLabelValues(access).Observe(done.Took.Seconds())
	if done.Runs > 1 {
		m.retries.Add(float64(done.Runs - 1))
	}
}

// Outcome says in a word how a transaction ended.
func Outcome(done db.Transaction) string {
	if done.Err == nil {
		return "ok"
	}
	if _, refused := errors.AsType[*domain.Refusal](done.Err); refused {
		return "refused"
	}
	switch kind := domain.AsError(done.Err).Kind; {
	case kind == domain.Unknown:
		return "unknown"
	case done.Canceled:
		return "canceled"
	case kind == domain.Internal || kind == domain.Unavailable:
		return "failed"
	default:
		return "refused"
	}
}

// since is the age of what happened at a time; nothing has none.
func since(at, now time.Time) float64 {
	if at.IsZero() {
		return 0
	}
	return max(0, now.Sub(at).Seconds())
}
