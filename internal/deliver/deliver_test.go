package deliver_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/db"
	"muster/domain"
	"muster/internal/deliver"
	"muster/internal/testkit"
)

// world is a service with a receiver of events.
type world struct {
	*testing.T

	service  *domain.Service
	scope    domain.OrgScope
	clock    *testkit.Clock
	receiver *receiver
}

func onEngines(t *testing.T, test func(w *world)) {
	t.Helper()
	testkit.Engines(t, func(t *testing.T, databaseURL string) {
		clock := testkit.NewClock(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC))
		store, err := db.Open(t.Context(), databaseURL, db.Options{Clock: clock.Now})
		w := &world{T: t, clock: clock, receiver: &receiver{}}
		w.must(err)
		t.Cleanup(func() { _ = store.Close() })
		w.must(store.Migrate(t.Context()))
		ring, err := domain.NewKeyring(make([]byte, domain.KeyBytes))
		w.must(err)
		w.service = domain.New(store, domain.Policy{InitialOrgName: "Default", DefaultWorkspaceName: "Workspace 1", Keyring: ring})
		w.must(w.service.Bootstrap(t.Context()))
		w.scope, err = w.service.CommandLine(t.Context(), "")
		w.must(err)
		server := httptest.NewServer(w.receiver)
		t.Cleanup(server.Close)
		w.receiver.url = server.URL
		test(w)
	})
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) deliverer(export deliver.Exporter) *deliver.Deliverer {
	return deliver.New(deliver.Config{
		Service: w.service, Log: slog.New(slog.DiscardHandler), Export: export, Loopback: true, Clock: w.clock.Now,
		Record: func(_ domain.OrgID, e domain.AuditEvent) any {
			return map[string]any{"seq": e.Seq, "operation": e.Operation}
		},
	})
}

// people makes members from..to by hand, each of whom is a row of the audit log.
func (w *world) people(from, to int) {
	w.Helper()
	for i := from; i < to; i++ {
		_, err := w.service.AddAdmin(w.Context(), w.scope, fmt.Sprintf("p%d@example.com", i))
		w.must(err)
	}
}

func (w *world) hook(types ...string) (domain.HookView, domain.Secret) {
	w.Helper()
	view, secret, err := w.service.CreateEventHook(w.Context(), w.scope, domain.HookChange{URL: &w.receiver.url, Types: &types})
	w.must(err)
	return view, secret
}

// receiver keeps what arrives, and answers what it is told to.
type receiver struct {
	mutex    sync.Mutex
	url      string
	arrived  []*http.Request
	bodies   []string
	statuses []int
}

// ServeHTTP implements http.Handler.
func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.arrived, r.bodies = append(r.arrived, request), append(r.bodies, string(body))
	if len(r.statuses) > 0 {
		w.WriteHeader(r.statuses[0])
		r.statuses = r.statuses[1:]
	}
}

// told are the targets' names in the order of arrival.
func (r *receiver) told() []string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	var names []string
	for _, body := range r.bodies {
		var event struct {
			Type string `json:"type"`
			Data struct {
				Target struct {
					Name string `json:"name"`
				} `json:"target"`
			} `json:"data"`
		}
		_ = json.Unmarshal([]byte(body), &event)
		names = append(names, event.Data.Target.Name)
	}
	return names
}

func names(from, to int) []string {
	var all []string
	for i := from; i < to; i++ {
		all = append(all, fmt.Sprintf("p%d@example.com", i))
	}
	return all
}

// Events arrive once, in order, signed; a hook begins with what happens after it was made.
func TestEvents(t *testing.T) {
	onEngines(t, func(w *world) {
		w.people(0, 2)
		_, secret := w.hook("member.updated")
		w.people(2, 5)
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() { _ = w.deliverer(nil).Turn(w.Context()) })
		}
		both.Wait()
		w.must(w.deliverer(nil).Turn(w.Context()))
		if got, want := w.receiver.told(), names(2, 5); !slices.Equal(got, want) {
			w.Fatalf("%q, want %q", got, want)
		}
		for i, request := range w.receiver.arrived {
			if !signed(request.Header, w.receiver.bodies[i], secret) {
				w.Errorf("event %d is not signed: %v", i, request.Header)
			}
		}
	})
}

// signed checks a message as the documentation of Standard Webhooks says.
func signed(header http.Header, body string, secret domain.Secret) bool {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(string(secret), "whsec_"))
	mac := hmac.New(sha256.New, key)
	_, _ = io.WriteString(mac, header.Get("webhook-id")+"."+header.Get("webhook-timestamp")+"."+body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	return slices.Contains(strings.Fields(header.Get("webhook-signature")), want)
}

// A receiver that fails gets the same event again, and nothing later before it.
func TestRetry(t *testing.T) {
	onEngines(t, func(w *world) {
		w.hook("member.updated")
		w.people(0, 3)
		w.receiver.statuses = []int{200, 500, 503}
		d := w.deliverer(nil)
		for range 3 {
			w.must(d.Turn(w.Context()))
			w.must(d.Turn(w.Context()))
			w.clock.Advance(2 * time.Hour)
		}
		if got, want := w.receiver.told(), []string{"p0@example.com", "p1@example.com", "p1@example.com", "p1@example.com", "p2@example.com"}; !slices.Equal(got, want) {
			w.Errorf("%q, want %q", got, want)
		}
	})
}

// An event that is refused again and again becomes a dead letter, and the next one is delivered.
func TestDeadLetters(t *testing.T) {
	onEngines(t, func(w *world) {
		view, _ := w.hook("member.updated")
		w.people(0, 2)
		w.receiver.statuses = slices.Repeat([]int{500}, domain.MaxDeliveries)
		d := w.deliverer(nil)
		for range domain.MaxDeliveries + 1 {
			w.must(d.Turn(w.Context()))
			w.clock.Advance(2 * time.Hour)
		}
		letters, err := w.service.DeadLetters(w.Context(), w.scope, view.EventHook.ID)
		if err != nil || len(letters) != 1 || !strings.Contains(letters[0].Body, "p0@example.com") || !strings.Contains(letters[0].Error, "500") {
			w.Fatalf("%+v, %v", letters, err)
		}
		if got := w.receiver.told(); got[len(got)-1] != "p1@example.com" {
			w.Errorf("%q", got)
		}
		hook, err := w.service.Hook(w.Context(), w.scope, view.EventHook.ID)
		w.must(err)
		w.must(d.SendBody(w.Context(), hook, string(letters[0].Event), []byte(letters[0].Body)))
		w.must(w.service.Unbury(w.Context(), w.scope, letters[0]))
	})
}

// During a rotation both secrets sign; after a day the old one does not.
func TestSecretRotation(t *testing.T) {
	onEngines(t, func(w *world) {
		view, old := w.hook()
		_, next, err := w.service.RotateEventHookSecret(w.Context(), w.scope, view.EventHook.ID)
		w.must(err)
		for day, wantOld := range []bool{true, false} {
			w.people(day, day+1)
			w.must(w.deliverer(nil).Turn(w.Context()))
			last := len(w.receiver.arrived) - 1
			header, body := w.receiver.arrived[last].Header, w.receiver.bodies[last]
			if !signed(header, body, next) || signed(header, body, old) != wantOld {
				w.Errorf("day %d: %v", day, header)
			}
			w.clock.Advance(25 * time.Hour)
		}
	})
}

// What an organization's Admin names does not reach what only this machine or its network's plumbing answers at.
func TestForbiddenAddresses(t *testing.T) {
	onEngines(t, func(w *world) {
		d := deliver.New(deliver.Config{Service: w.service, Log: slog.New(slog.DiscardHandler), Clock: w.clock.Now})
		view, _ := w.hook()
		for _, to := range []string{w.receiver.url, "http://169.254.169.254/latest/meta-data", "http://[fe80::1]/", "http://0.0.0.0/", "http://[::ffff:127.0.0.1]/"} {
			hook := view.EventHook
			hook.URL = to
			if err := d.SendBody(w.Context(), hook, "id", []byte("{}")); err == nil || !strings.Contains(err.Error(), "not sent to") {
				w.Errorf("%s: %v", to, err)
			}
		}
		for _, to := range []string{"http://app.example/", "ftp://app.example", "https://", "https://user:secret@app.example/", "nonsense"} {
			if _, _, err := w.service.CreateEventHook(w.Context(), w.scope, domain.HookChange{URL: &to}); !domain.IsKind(err, domain.Invalid) {
				w.Errorf("%s: %v", to, err)
			}
		}
		redirect := httptest.NewServer(http.RedirectHandler("http://169.254.169.254/", http.StatusFound))
		w.Cleanup(redirect.Close)
		hook := view.EventHook
		hook.URL = redirect.URL
		if err := w.deliverer(nil).SendBody(w.Context(), hook, "id", []byte("{}")); err == nil || !strings.Contains(err.Error(), "302") {
			w.Errorf("a redirect: %v", err)
		}
	})
}

// flaky takes lines, but fails now and then after it has kept or lost them.
type flaky struct {
	lines  bytes.Buffer
	fails  []bool
	ending context.CancelFunc
}

var errAway = errors.New("the receiver is away")

// Export implements deliver.Exporter.
func (f *flaky) Export(_ context.Context, _ string, lines []byte) error {
	failed := len(f.fails) > 0 && f.fails[0]
	f.fails = f.fails[min(1, len(f.fails)):]
	if failed {
		return errAway
	}
	_, _ = f.lines.Write(lines)
	if f.ending != nil {
		f.ending()
	}
	return nil
}

// R43: the export has every row in order, without a gap, also after failures and when the process ends between sending and noting it.
func TestExport(t *testing.T) {
	onEngines(t, func(w *world) {
		w.people(0, 4)
		sink := &flaky{fails: []bool{true}}
		w.must(w.deliverer(sink).Turn(w.Context()))
		w.clock.Advance(time.Hour)
		ctx, cancel := context.WithCancel(w.Context())
		sink.ending = cancel
		_ = w.deliverer(sink).Turn(ctx) // it ends before it can note what it has sent
		sink.ending = nil
		w.clock.Advance(time.Hour)
		w.people(4, 6)
		w.must(w.deliverer(sink).Turn(w.Context()))
		highest := 0
		for line := range strings.Lines(sink.lines.String()) {
			var record struct {
				Seq int `json:"seq"`
			}
			w.must(json.Unmarshal([]byte(line), &record))
			if record.Seq > highest+1 {
				w.Fatalf("row %d comes after row %d", record.Seq, highest)
			}
			highest = max(highest, record.Seq)
		}
		if highest != 7 {
			w.Errorf("the last row is %d of 7", highest)
		}
	})
}

// A file is appended to, and may be moved away.
func TestExportToFile(t *testing.T) {
	path := t.TempDir() + "/audit.jsonl"
	sink := deliver.NewExporter(path, "", nil)
	for _, line := range []string{"one\n", "two\n"} {
		if err := sink.Export(t.Context(), "id", []byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if err := sink.Export(t.Context(), "id", []byte("three\n")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{path + ".1": "one\ntwo\n", path: "three\n"} {
		if got, err := os.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
