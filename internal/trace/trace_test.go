package trace_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/testkit/otlp"
	"muster/internal/trace"
)

// tracer sends to a collector; stop sends what is left.
func tracer(t *testing.T, collector *otlp.Collector, change func(*trace.Config)) (made *trace.Tracer, stop func()) {
	t.Helper()
	sampler, err := trace.NewSampler("parentbased_always_on", "")
	if err != nil {
		t.Fatal(err)
	}
	config := trace.Config{
		Endpoint: collector.URL, Headers: map[string]string{"Authorization": "Bearer s3cret"}, Sampler: sampler, Log: slog.New(slog.DiscardHandler),
		Resource: map[string]string{"service.name": "muster", "service.version": "v1", "deployment.environment.name": "test"}, Every: time.Hour,
	}
	if change != nil {
		change(&config)
	}
	made = trace.New(config)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { made.Run(ctx) })
	var once sync.Once
	stop = func() { once.Do(func() { cancel(); running.Wait() }) }
	t.Cleanup(stop)
	return made, stop
}

func named(t *testing.T, spans []otlp.Span, name string) otlp.Span {
	t.Helper()
	i := slices.IndexFunc(spans, func(s otlp.Span) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("no span %q in %+v", name, spans)
	}
	return spans[i]
}

// A request, what it asked of the database and of another server are one trace; the other server is told of it where that is wanted.
func TestSpans(t *testing.T) {
	collector := otlp.New(t)
	made, stop := tracer(t, collector, nil)
	told := map[string]string{}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		told[r.URL.Path] = r.Header.Get("Traceparent")
		if r.URL.Path == "/broken" {
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	defer other.Close()

	ctx, server := made.Serve(t.Context(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	trace.Record(ctx, trace.Client, "database write", 30*time.Millisecond, "", trace.String("db.system.name", "sqlite"), trace.Int("muster.db.runs", 2))
	for _, c := range []struct {
		path   string
		target string
		tell   bool
	}{{"/hook", "receiver", true}, {"/broken", "identity provider", false}} {
		request, _ := http.NewRequestWithContext(ctx, http.MethodPost, other.URL+c.path+"?code=SECRET", http.NoBody)
		client := http.Client{Transport: trace.Transport{Next: http.DefaultTransport, Target: c.target, Propagate: c.tell}}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
	}
	server.Rename("GET /users/{id}")
	server.Set(trace.Int("http.response.status_code", 200))
	server.End()
	server.End()
	server.Set(trace.String("late", "x"))
	stop()

	spans := collector.Spans()
	if len(spans) != 4 {
		t.Fatalf("%+v", spans)
	}
	root := named(t, spans, "GET /users/{id}")
	if root.Trace != "0af7651916cd43dd8448eb211c80319c" || root.Parent != "b7ad6b7169203331" || root.Kind != 2 || root.Flags != 0x301 || root.Attributes["http.response.status_code"] != 200 ||
		root.Scope != "muster" || !maps.Equal(root.Resource, map[string]any{"service.name": "muster", "service.version": "v1", "deployment.environment.name": "test"}) {
		t.Errorf("%+v", root)
	}
	for name, attributes := range map[string]map[string]any{
		"database write":         {"db.system.name": "sqlite", "muster.db.runs": 2},
		"POST receiver":          {"http.request.method": "POST", "http.response.status_code": 200},
		"POST identity provider": {"http.request.method": "POST", "http.response.status_code": 502, "error.type": "502"},
	} {
		span := named(t, spans, name)
		delete(span.Attributes, "server.port")
		delete(span.Attributes, "server.address")
		if span.Trace != root.Trace || span.Parent != root.ID || span.Kind != 3 || span.Flags != 0x101 || span.Failed != strings.Contains(name, "identity") || !maps.Equal(span.Attributes, attributes) {
			t.Errorf("%+v", span)
		}
	}
	if took := named(t, spans, "database write"); took.Ended.Sub(took.Begun) < 30*time.Millisecond {
		t.Errorf("%+v", took)
	}
	if want := "00-" + root.Trace + "-" + named(t, spans, "POST receiver").ID + "-01"; told["/hook"] != want || told["/broken"] != "" {
		t.Errorf("told %q, want %q", told, want)
	}
	if got := collector.Headers()[0].Get("Authorization"); got != "Bearer s3cret" {
		t.Errorf("Authorization: %q", got)
	}
	if strings.Contains(collector.Raw(), "SECRET") {
		t.Error("a query was sent")
	}
	if sent, dropped := made.Counts(); sent != 4 || dropped != 0 {
		t.Errorf("%d sent, %d dropped", sent, dropped)
	}
}

// Work that no request asked for is a trace of its own; what belongs to nothing is not written down.
func TestBackground(t *testing.T) {
	collector := otlp.New(t)
	made, stop := tracer(t, collector, nil)
	ctx := made.Context(t.Context())
	trace.Record(ctx, trace.Client, "a look every second", time.Second, "")
	inner, span := trace.Start(ctx, trace.Client, "SMTP send")
	trace.Record(inner, trace.Client, "database write", time.Second, "failed")
	span.End()
	stop()
	spans := collector.Spans()
	if len(spans) != 2 || named(t, spans, "SMTP send").Parent != "" || !named(t, spans, "database write").Failed {
		t.Errorf("%+v", spans)
	}
}

// Without a tracer everything is there and does nothing.
func TestOff(t *testing.T) {
	var none *trace.Tracer
	ctx, span := none.Serve(none.Context(t.Context()), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	inner, child := trace.Start(ctx, trace.Internal, "x")
	span.Rename("x")
	span.Set(trace.Int("x", 1))
	span.Fail("x")
	span.End()
	trace.Record(ctx, trace.Internal, "x", time.Second, "")
	if ctx != t.Context() || inner != ctx || span != nil || child != nil || span.Trace() != "" || trace.Traceparent(ctx) != "" {
		t.Error("something is there")
	}
}

func TestTraceparent(t *testing.T) {
	const trace1, span1 = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	sampler, _ := trace.NewSampler("always_on", "")
	made := trace.New(trace.Config{Sampler: sampler})
	for header, taken := range map[string]bool{
		"00-" + trace1 + "-" + span1 + "-01":                   true,
		"00-" + trace1 + "-" + span1 + "-00":                   true,
		"cc-" + trace1 + "-" + span1 + "-01":                   true,
		"cc-" + trace1 + "-" + span1 + "-01-what-comes-later":  true,
		"00-" + trace1 + "-" + span1 + "-01-more":              false,
		"cc-" + trace1 + "-" + span1 + "-01more":               false,
		"ff-" + trace1 + "-" + span1 + "-01":                   false,
		"00-" + strings.ToUpper(trace1) + "-" + span1 + "-01":  false,
		"00-" + strings.Repeat("0", 32) + "-" + span1 + "-01":  false,
		"00-" + trace1 + "-" + strings.Repeat("0", 16) + "-01": false,
		"00-" + trace1 + "-" + span1 + "-0x":                   false,
		"00-" + trace1[:31] + "-" + span1 + "0-01":             false,
		"00-" + trace1 + "-" + span1:                           false,
		"":                                                     false,
	} {
		if _, span := made.Serve(t.Context(), header); (span.Trace() == trace1) != taken || len(span.Trace()) != 32 {
			t.Errorf("%q: %s", header, span.Trace())
		}
	}
}

func FuzzTraceparent(f *testing.F) {
	sampler, _ := trace.NewSampler("always_on", "")
	made := trace.New(trace.Config{Sampler: sampler})
	f.Add("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	f.Fuzz(func(t *testing.T, header string) {
		if _, span := made.Serve(t.Context(), header); len(span.Trace()) != 32 {
			t.Error(span.Trace())
		}
	})
}

// Each sampler decides as OpenTelemetry says, of what begins here and of what others began.
func TestSamplers(t *testing.T) {
	const remote = "-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-"
	for _, c := range []struct {
		name, argument string
		fresh, yes, no bool
	}{
		{name: "always_on", fresh: true, yes: true, no: true},
		{name: "always_off"},
		{name: "traceidratio", argument: "1", fresh: true, yes: true, no: true},
		{name: "traceidratio", argument: "0"},
		{name: "parentbased_always_on", fresh: true, yes: true},
		{name: "parentbased_always_off", yes: true},
		{name: "parentbased_traceidratio", fresh: true, yes: true},
		{name: "parentbased_traceidratio", argument: "0", yes: true},
	} {
		sampler, err := trace.NewSampler(c.name, c.argument)
		if err != nil {
			t.Fatal(err)
		}
		made := trace.New(trace.Config{Sampler: sampler})
		for header, want := range map[string]bool{"": c.fresh, "00" + remote + "01": c.yes, "00" + remote + "00": c.no} {
			ctx, _ := made.Serve(t.Context(), header)
			inner, _ := trace.Start(ctx, trace.Internal, "inner")
			for _, at := range []context.Context{ctx, inner} {
				if got := strings.HasSuffix(trace.Traceparent(at), "-01"); got != want {
					t.Errorf("%s %s, %q: %v", c.name, c.argument, header, got)
				}
			}
		}
	}
	for name, argument := range map[string]string{"sometimes": "", "traceidratio": "2", "parentbased_traceidratio": "x", "parentbased_": "", "": ""} {
		if _, err := trace.NewSampler(name, argument); err == nil {
			t.Errorf("%q %q is accepted", name, argument)
		}
	}
	half, _ := trace.NewSampler("traceidratio", "0.5")
	made, sampled := trace.New(trace.Config{Sampler: half}), 0
	for range 2000 {
		if ctx, _ := made.Serve(t.Context(), ""); strings.HasSuffix(trace.Traceparent(ctx), "-01") {
			sampled++
		}
	}
	if sampled < 800 || sampled > 1200 {
		t.Errorf("%d of 2000 at a half", sampled)
	}
}

// A collector that is away, hangs or refuses delays nobody: what does not fit is dropped and counted, and the log is told once.
func TestCollectorAway(t *testing.T) {
	release := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-release
	}))
	defer hanging.Close()
	defer close(release)
	var log bytes.Buffer
	made, stop := tracer(t, otlp.New(t), func(c *trace.Config) {
		c.Endpoint, c.Every, c.Log = hanging.URL, time.Millisecond, slog.New(slog.NewTextHandler(&log, nil))
	})
	const spans = 10_000
	begun := time.Now()
	for range spans {
		_, span := made.Serve(t.Context(), "")
		span.End()
	}
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("%d spans took %s", spans, took)
	}
	hanging.CloseClientConnections()
	stop()
	if sent, dropped := made.Counts(); sent != 0 || dropped != spans {
		t.Errorf("%d sent, %d dropped of %d", sent, dropped, spans)
	}
	if strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), "traces were not taken") {
		t.Errorf("%s", log.String())
	}
}

// A collector that is busy is asked again; one that says no, or takes only a part, is not.
func TestAnswers(t *testing.T) {
	status := func(code int, header, value string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			if header != "" {
				w.Header().Set(header, value)
			}
			w.WriteHeader(code)
		}
	}
	for name, c := range map[string]struct {
		answers       []func(http.ResponseWriter)
		sent, dropped int64
		requests      int
	}{
		"busy":    {[]func(http.ResponseWriter){status(503, "Retry-After", "1")}, 2, 0, 2},
		"refused": {[]func(http.ResponseWriter){status(400, "", "")}, 0, 2, 1},
		"moved":   {[]func(http.ResponseWriter){status(307, "Location", "/elsewhere")}, 0, 2, 1},
		"taken partly": {[]func(http.ResponseWriter){func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, `{"partialSuccess":{"rejectedSpans":"1","errorMessage":"x"}}`)
		}}, 1, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			collector := otlp.New(t)
			collector.Answer(c.answers...)
			made, stop := tracer(t, collector, func(config *trace.Config) { config.Every = 50 * time.Millisecond })
			for range 2 {
				_, span := made.Serve(t.Context(), "")
				span.End()
			}
			deadline := time.Now().Add(10 * time.Second)
			for sent, dropped := made.Counts(); sent+dropped < 2 && time.Now().Before(deadline); sent, dropped = made.Counts() {
				time.Sleep(10 * time.Millisecond)
			}
			stop()
			if sent, dropped := made.Counts(); sent != c.sent || dropped != c.dropped || len(collector.Headers()) != c.requests {
				t.Errorf("%d sent, %d dropped, %d requests", sent, dropped, len(collector.Headers()))
			}
		})
	}
}
