package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/cmd/internal/metrics"
	"muster/db"
	"muster/domain"
	"muster/internal/httpx"
	"muster/scim"
)

// store is a database that can be away.
type store struct {
	vitals db.Vitals
	err    error
	asked  int
}

func (*store) Pools() []db.Pool {
	return []db.Pool{{Name: "postgres", MaxOpen: 20, Open: 3, InUse: 1, Idle: 2, Waits: 4, Waited: 1500 * time.Millisecond}}
}

func (s *store) Vitals(context.Context) (db.Vitals, error) {
	s.asked++
	return s.vitals, s.err
}

// watched are metrics in which everything has happened once.
func watched(s *store, now *time.Time) *metrics.Metrics {
	m := metrics.New("v1.2.3", "0123abc")
	m.SignIn("custom-oidc", "ok")
	m.Mail("sent")
	m.Event("sent")
	m.Export("sent")
	m.SCIM(scim.Operation{Resource: "User", Name: "delete", Status: 429, Err: domain.Errorf(domain.Guarded, "held"), Took: time.Second})
	m.SCIM(scim.Operation{Resource: "User", Name: "create", Status: 201, InBulk: true})
	m.Transaction(context.Background(), db.Transaction{Write: true, Runs: 3, Took: time.Second})
	m.Watch(metrics.Watched{
		Store: s, Providers: func() map[string]bool { return map[string]bool{"custom-oidc": true} },
		Spans: func() (sent, dropped int64) { return 5, 6 }, Exporting: true, Clock: func() time.Time { return *now },
	})
	return m
}

func newStore(now time.Time) *store {
	return &store{vitals: db.Vitals{
		Schema: 7, BackupAt: now.Add(-time.Hour), Sessions: 3, DeadLetters: 2, GuardsHolding: 1, TokenEnds: now.Add(time.Hour),
		ExportBehind: 9, ExportOldest: now.Add(-time.Minute),
	}}
}

// scrape is what a scraper reads, without what Go and the process say of themselves.
func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	mux := http.NewServeMux()
	m.HTTP.Register(mux, httpx.Everybody)
	w := httptest.NewRecorder()
	httpx.Observer{Metrics: m.HTTP}.Wrap(mux).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestScrape(t *testing.T) {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	page := scrape(t, watched(newStore(now), &now))
	for _, want := range []string{
		`muster_build_info{commit="0123abc",version="v1.2.3"} 1`,
		`muster_scim_requests_total{operation="delete",resource="User",status="429"} 1`,
		`muster_scim_request_duration_seconds_count{operation="delete",resource="User"} 1`,
		`muster_scim_bulk_operations_total{operation="create",resource="User",status="201"} 1`,
		"muster_scim_guard_held_total 1",
		`muster_db_transactions_total{access="write",outcome="ok"} 1`,
		"muster_db_transaction_retries_total 2",
		`go_sql_wait_duration_seconds_total{db_name="postgres"} 1.5`,
		`muster_identity_provider_up{provider="custom-oidc"} 1`,
		`muster_trace_spans_total{outcome="sent"} 5`, `muster_trace_spans_total{outcome="dropped"} 6`, "muster_db_up 1", "muster_db_schema_version 7", "muster_sessions 3", "muster_audit_export_lag_seconds 60", "muster_audit_export_lag_rows 9",
		"muster_event_lag_seconds 0", "muster_event_dead_letters 2", "muster_scim_guards_holding 1",
		"muster_scim_token_next_expiry_timestamp_seconds 1.7723592e+09",
	} {
		if !strings.Contains(page, want+"\n") {
			t.Errorf("/metrics lacks %s", want)
		}
	}
}

// A database that is away does not fail the scrape: it says so, and what it would have said is left out.
// Scrapers that come one after the other ask it once.
func TestDatabaseAway(t *testing.T) {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	s := newStore(now)
	s.err = errors.New("away")
	m := watched(s, &now)
	for range 3 {
		page := scrape(t, m)
		if !strings.Contains(page, "\nmuster_db_up 0\n") || strings.Contains(page, "\nmuster_sessions ") || !strings.Contains(page, "\ngo_sql_open_connections{") {
			t.Fatal(page)
		}
	}
	s.err, now = nil, now.Add(16*time.Second)
	if page := scrape(t, m); !strings.Contains(page, "\nmuster_db_up 1\n") || !strings.Contains(page, "\nmuster_sessions 3\n") {
		t.Error(page)
	}
	if s.asked != 2 {
		t.Errorf("asked %d times", s.asked)
	}
}

func TestOutcome(t *testing.T) {
	for want, done := range map[string]db.Transaction{
		"ok":       {},
		"refused":  {Err: domain.Errorf(domain.Conflict, "taken")},
		"failed":   {Err: domain.Errorf(domain.Unavailable, "away")},
		"canceled": {Err: domain.Errorf(domain.Unavailable, "away"), Canceled: true},
		"unknown":  {Err: domain.Errorf(domain.Unknown, "no answer"), Canceled: true},
	} {
		if got := metrics.Outcome(done); got != want {
			t.Errorf("%+v: %s, want %s", done, got, want)
		}
	}
	if got := metrics.Outcome(db.Transaction{Err: &domain.Refusal{Reason: domain.ReasonNotInvited}}); got != "refused" {
		t.Errorf("a refused sign-in: %s", got)
	}
	if got := metrics.Outcome(db.Transaction{Err: errors.New("a defect")}); got != "failed" {
		t.Errorf("a defect: %s", got)
	}
}

// documented returns the lines of docs/monitoring.md's table.
func documented(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../../docs/monitoring.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "| `muster_") || strings.HasPrefix(line, "| `go_sql_") {
			rows = append(rows, strings.TrimSpace(line))
		}
	}
	return rows
}

// registered are the same lines as the registry has them.
func registered(t *testing.T) map[string]string {
	t.Helper()
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	m := watched(newStore(now), &now)
	scrape(t, m)
	families, err := m.HTTP.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for _, family := range families {
		name := family.GetName()
		if !strings.HasPrefix(name, "muster_") && !strings.HasPrefix(name, "go_sql_") {
			continue
		}
		var labels []string
		for _, label := range family.GetMetric()[0].GetLabel() {
			labels = append(labels, label.GetName())
		}
		rows[name] = fmt.Sprintf("| `%s` | %s | %s | %s |", name, strings.ToLower(family.GetType().String()), strings.Join(labels, ", "), family.GetHelp())
	}
	return rows
}

// docs/monitoring.md has every metric, with its type, its labels and its help.
func TestEveryMetricIsDocumented(t *testing.T) {
	rows := registered(t)
	want := slices.Sorted(maps.Values(rows))
	if got := documented(t); !slices.Equal(got, want) {
		t.Errorf("docs/monitoring.md should have this table:\n%s", strings.Join(want, "\n"))
	}
}

// Names say their unit and their kind, as Prometheus asks for.
func TestNames(t *testing.T) {
	for name, row := range registered(t) {
		counter, total := strings.Contains(row, "| counter |"), strings.HasSuffix(name, "_total")
		if counter != total || strings.Contains(row, "| histogram |") && !strings.HasSuffix(name, "_seconds") || strings.HasSuffix(row, "|  |") {
			t.Error(row)
		}
	}
}
