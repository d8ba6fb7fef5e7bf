package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"muster/db"
)

// Store is what is watched of the database; *db.DB has it.
type Store interface {
	Pools() []db.Pool
	Vitals(ctx context.Context) (db.Vitals, error)
}

// Watched is what metrics are asked of when somebody scrapes.
type Watched struct {
	Store Store
	// Providers says of each identity provider whether its metadata could be read the last time.
	Providers func() map[string]bool
	// Spans are how many spans of traces were taken and how many were lost; nil without traces.
	Spans func() (sent, dropped int64)
	// Exporting says that an audit export is configured; without one it cannot lag.
	Exporting bool
	// Clock is time.Now when it is nil.
	Clock func() time.Time
}

const (
	// freshFor is how long an answer of the database serves every scraper.
	freshFor = 15 * time.Second
	// patience is how long a scrape waits for the database.
	patience = 2 * time.Second
)

// Watch adds what is measured at the moment of a scrape.
// While the database does not answer, what would come from it is left out and muster_db_up is 0: the scrape succeeds all the same.
func (m *Metrics) Watch(w Watched) {
	if w.Clock == nil {
		w.Clock = time.Now
	}
	m.HTTP.Registry.MustRegister(&watcher{Watched: w, gauges: gauges()})
}

// gauges are the descriptions, by name.
func gauges() map[string]*prometheus.Desc {
	made := map[string]*prometheus.Desc{}
	add := func(name, help string, labels ...string) {
		made[name] = prometheus.NewDesc(name, help, labels, nil)
	}
	// The names are those of client_golang's own collector, which common dashboards know.
	add("go_sql_max_open_connections", "The most connections that the pool may have.", "db_name")
	add("go_sql_open_connections", "Connections that there are.", "db_name")
	add("go_sql_in_use_connections", "Connections in use.", "db_name")
	add("go_sql_idle_connections", "Connections that nobody uses.", "db_name")
	add("go_sql_wait_count_total", "How often somebody waited for a connection.", "db_name")
	add("go_sql_wait_duration_seconds_total", "How long all of them waited together.", "db_name")
	add("muster_identity_provider_up", "Whether the provider's metadata could be read the last time: 1 or 0.", "provider")
	add("muster_db_up", "Whether the database answered the last time it was asked: 1 or 0.")
	add("muster_db_schema_version", "The version of the database's schema.")
	add("muster_backup_last_success_timestamp_seconds", "When \"muster backup\" last made one; 0 for never.")
	add("muster_sessions", "Signed-in browsers, counted up to 100,000.")
	add("muster_mails_waiting", "Mails that are still to be sent, counted up to 100,000.")
	add("muster_mails_dead", "Mails that were given up and are kept for a while, counted up to 100,000.")
	add("muster_event_dead_letters", "Events that were given up and wait for somebody to look, counted up to 100,000.")
	add("muster_event_lag_rows", "Audit rows that enabled event hooks have not seen, over all hooks.")
	add("muster_event_lag_seconds", "Age of the oldest of these rows; 0 when there is none.")
	add("muster_audit_export_lag_rows", "Audit rows that the export has not taken; absent without an export.")
	add("muster_audit_export_lag_seconds", "Age of the oldest of these rows; 0 when there is none, absent without an export.")
	add("muster_scim_guards_holding", "Organizations in which the guard holds deprovisioning back and waits for an Organization Admin.")
	add("muster_scim_token_next_expiry_timestamp_seconds", "When the next of the living SCIM tokens ends; absent when none will.")
	add("muster_trace_spans_total", "Spans of traces, by outcome: sent, or dropped because the collector did not take them; absent without traces.", "outcome")
	return made
}

// watcher asks when it is scraped.
type watcher struct {
	Watched

	gauges map[string]*prometheus.Desc

	mutex  sync.Mutex
	asked  time.Time
	vitals db.Vitals
	err    error
}

// Describe implements prometheus.Collector.
func (w *watcher) Describe(to chan<- *prometheus.Desc) {
	for _, gauge := range w.gauges {
		to <- gauge
	}
}

// Collect implements prometheus.Collector.
func (w *watcher) Collect(to chan<- prometheus.Metric) {
	send := func(name string, kind prometheus.ValueType, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(w.gauges[name], kind, value, labels...)
	}
	gauge := func(name string, value float64, labels ...string) {
		send(name, prometheus.GaugeValue, value, labels...)
	}
	for _, pool := range w.Store.Pools() {
		gauge("go_sql_max_open_connections", float64(pool.MaxOpen), pool.Name)
		gauge("go_sql_open_connections", float64(pool.Open), pool.Name)
		gauge("go_sql_in_use_connections", float64(pool.InUse), pool.Name)
		gauge("go_sql_idle_connections", float64(pool.Idle), pool.Name)
		send("go_sql_wait_count_total", prometheus.CounterValue, float64(pool.Waits), pool.Name)
		send("go_sql_wait_duration_seconds_total", prometheus.CounterValue, pool.Waited.Seconds(), pool.Name)
	}
	for provider, up := range w.Providers() {
		gauge("muster_identity_provider_up", oneIf(up), provider)
	}
	if w.Spans != nil {
		sent, dropped := w.Spans()
		send("muster_trace_spans_total", prometheus.CounterValue, float64(sent), "sent")
		send("muster_trace_spans_total", prometheus.CounterValue, float64(dropped), "dropped")
	}
	vitals, err := w.ask()
	gauge("muster_db_up", oneIf(err == nil))
	if err == nil {
		w.stored(vitals, gauge)
	}
}

// stored sends what the database said.
func (w *watcher) stored(v db.Vitals, gauge func(string, float64, ...string)) {
	now := w.Clock()
	gauge("muster_db_schema_version", float64(v.Schema))
	gauge("muster_backup_last_success_timestamp_seconds", timestamp(v.BackupAt))
	gauge("muster_sessions", float64(v.Sessions))
	gauge("muster_mails_waiting", float64(v.MailsWaiting))
	gauge("muster_mails_dead", float64(v.MailsDead))
	gauge("muster_event_dead_letters", float64(v.DeadLetters))
	gauge("muster_event_lag_rows", float64(v.HooksBehind))
	gauge("muster_event_lag_seconds", since(v.HooksOldest, now))
	if w.Exporting {
		gauge("muster_audit_export_lag_rows", float64(v.ExportBehind))
		gauge("muster_audit_export_lag_seconds", since(v.ExportOldest, now))
	}
	gauge("muster_scim_guards_holding", float64(v.GuardsHolding))
	if !v.TokenEnds.IsZero() {
		gauge("muster_scim_token_next_expiry_timestamp_seconds", timestamp(v.TokenEnds))
	}
}

// ask asks the database unless that was done a moment ago; of several scrapers one asks.
func (w *watcher) ask() (db.Vitals, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if now := w.Clock(); w.asked.IsZero() || now.Sub(w.asked) >= freshFor {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		w.vitals, w.err = w.Store.Vitals(ctx)
		w.asked = now
	}
	return w.vitals, w.err
}

func oneIf(so bool) float64 {
	if so {
		return 1
	}
	return 0
}

func timestamp(at time.Time) float64 {
	if at.IsZero() {
		return 0
	}
	return float64(at.UnixMicro()) / 1e6
}
