package main_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"muster/internal/testkit"
	"muster/internal/testkit/otlp"
)

// TestSeeing looks at a running server as its operator does: metrics, traces and logs say what happened,
// and nothing in them or in an error lets anybody in (A40, F21) or names a person.
func TestSeeing(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, databaseURL string) {
		collector := otlp.New(t)
		var mutex sync.Mutex
		var told []string
		receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			mutex.Lock()
			defer mutex.Unlock()
			told = append(told, r.Header.Get("Traceparent"))
		}))
		defer receiver.Close()
		s := &site{T: t, binary: testkit.Build(t, "./cmd/muster")}
		address, metrics := testkit.FreeAddress(t), testkit.FreeAddress(t)
		s.base = "http://localhost" + address[strings.LastIndexByte(address, ':'):]
		s.idp = startProvider(t, s.base)
		const collectorSecret, metricsSecret = "canary-for-the-collector", "canary-for-the-scraper"
		s.env = []string{
			"HOSTNAME_URL=" + s.base, "DATABASE_URL=" + databaseURL, "OAUTH_ISSUER_URL=" + s.idp, "OAUTH_CLIENT_ID=muster", "OAUTH_CLIENT_SECRET=secret",
			"LOG_FORMAT=json", "LOG_LEVEL=debug", "TRUSTED_PROXIES=127.0.0.1,::1", "METRICS_LISTEN_ADDRESS=" + metrics, "METRICS_TOKEN=" + metricsSecret,
			"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=" + collector.URL, "OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20" + collectorSecret,
			"OTEL_SERVICE_NAME=seen", "ENCRYPTION_KEY=" + strings.Repeat("0f", 32),
		}
		s.process = testkit.Start(t, testkit.Program{Path: s.binary, Args: []string{"serve"}, Env: s.env, Address: address})
		scim, pat := s.command("token", "create", "--description", "Okta"), s.command("key", "create", "--email", "ada@example.com", "--admin")

		var errors strings.Builder
		send := func(base, method, path, body string, header ...string) (int, string) {
			request, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			for i := 0; i < len(header); i += 2 {
				request.Header.Set(header[i], header[i+1])
			}
			answer, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = answer.Body.Close() }()
			text, _ := io.ReadAll(answer.Body)
			if answer.StatusCode >= http.StatusBadRequest {
				errors.Write(text)
			}
			return answer.StatusCode, string(text)
		}
		const traced = "0af7651916cd43dd8448eb211c80319c"
		_, hook := send(s.base, http.MethodPost, "/api/v1/orgs/current/event-hooks", `{"url":"`+receiver.URL+`/receive?key=canary-of-the-hook"}`, "X-API-Key", pat)
		person := s.pushPerson(scim, "canary@example.com")
		send(s.base, http.MethodGet, "/scim/v2/Users/"+person+"?attributes=userName", "", "Authorization", "Bearer "+scim, "Traceparent", "00-"+traced+"-b7ad6b7169203331-01")
		session := s.signInWithoutBrowser("alice", func(int) string { return s.base })
		for _, header := range [][]string{
			{"Authorization", "Bearer " + scim + "x"}, {"Authorization", "Bearer " + pat}, {"X-API-Key", scim}, {"Cookie", session + "x"}, {"Cookie", session},
		} {
			send(s.base, http.MethodGet, "/scim/v2/Users?filter=userName+eq+%22canary@example.com%22", "", header...)
			send(s.base, http.MethodGet, "/api/v1/orgs/current/members", "", header...)
			send(s.base, http.MethodPost, "/api/v1/orgs", "{", header...)
		}
		send(s.base, http.MethodGet, "/api/v1/oauth/custom-oidc/callback?state=canary-of-a-state&code=canary-of-a-code", "")
		eventually(t, "an event", func() error {
			mutex.Lock()
			defer mutex.Unlock()
			if len(told) == 0 {
				return io.EOF
			}
			return nil
		})

		if status, _ := send(s.base, http.MethodGet, "/metrics", "", "Authorization", "Bearer "+metricsSecret); status != http.StatusNotFound {
			t.Errorf("/metrics on the address that people use: %d", status)
		}
		if status, _ := send("http://"+metrics, http.MethodGet, "/metrics", ""); status != http.StatusUnauthorized {
			t.Errorf("/metrics without its token: %d", status)
		}
		_, page := send("http://"+metrics, http.MethodGet, "/metrics", "", "Authorization", "Bearer "+metricsSecret)
		for _, want := range []string{
			`muster_scim_requests_total{operation="create",resource="User",status="201"} 1`, `muster_scim_requests_total{operation="list",resource="User",status="401"} 5`,
			`muster_sign_ins_total{outcome="ok",provider="custom-oidc"} 1`, `muster_event_deliveries_total{outcome="sent"}`,
			`muster_identity_provider_up{provider="custom-oidc"} 1`, "muster_db_up 1", "muster_sessions 1",
		} {
			if !strings.Contains(page, "\n"+want) {
				t.Errorf("/metrics lacks %s", want)
			}
		}
		if code := s.process.Stop(); code != 0 {
			t.Errorf("exit code %d", code)
		}

		spans := collector.Spans()
		get := spanOf(t, spans, "GET /scim/v2/Users/{id}")
		if get.Trace != traced || get.Parent != "b7ad6b7169203331" || get.Kind != 2 || get.Attributes["muster.scim.operation"] != "get" || get.Attributes["muster.scim.resource"] != "User" ||
			get.Attributes["http.route"] != "/scim/v2/Users/{id}" || get.Attributes["http.response.status_code"] != 200 || get.Resource["service.name"] != "seen" {
			t.Errorf("%+v", get)
		}
		system := map[bool]string{true: "sqlite", false: "postgresql"}[strings.HasPrefix(databaseURL, "sqlite:")]
		if read := below(spans, get, "database read"); read.Attributes["db.system.name"] != system || read.Attributes["muster.db.outcome"] != "ok" {
			t.Errorf("%+v", read)
		}
		callback := spanOf(t, spans, "GET /api/v1/oauth/custom-oidc/callback")
		if exchange := below(spans, callback, "POST identity provider"); exchange.Kind != 3 || exchange.Attributes["http.response.status_code"] != 200 {
			t.Errorf("%+v", exchange)
		}
		if sent := spanOf(t, spans, "POST receiver"); !slices.Contains(told, "00-"+sent.Trace+"-"+sent.ID+"-01") {
			t.Errorf("the receiver was told %q, the span is %+v", told, sent)
		}

		line := lineWith(t, s.process.Stderr(), traced)
		for key, want := range map[string]any{
			"msg": "request", "route": "/scim/v2/Users/{id}", "organization": get.Attributes["muster.organization.id"],
			"credential": get.Attributes["muster.credential.id"], "request_id": get.Attributes["muster.request.id"],
		} {
			if line[key] != want || want == "" {
				t.Errorf("%s = %v, want %v in %v", key, line[key], want, line)
			}
		}

		_, cookie, _ := strings.Cut(session, "=")
		secrets := []string{scim, pat, cookie, collectorSecret, metricsSecret, strings.Repeat("0f", 32), "canary-of-a-state", "canary-of-a-code", "canary-of-the-hook", secretIn(t, hook)}
		traces := collector.Raw()
		for place, text := range map[string]string{"the log": s.process.Stderr(), "the metrics": page, "the traces": traces, "an error": errors.String()} {
			for _, secret := range secrets {
				if strings.Contains(text, secret) {
					t.Errorf("%q is in %s", secret, place)
				}
			}
		}
		for _, name := range []string{"@example.com", person} {
			if strings.Contains(page, name) || strings.Contains(traces, name) {
				t.Errorf("%q is in the metrics or the traces", name)
			}
		}
	})
}

func spanOf(t *testing.T, spans []otlp.Span, name string) otlp.Span {
	t.Helper()
	at := slices.IndexFunc(spans, func(s otlp.Span) bool { return s.Name == name })
	if at < 0 {
		t.Fatalf("there is no span %q in %+v", name, spans)
	}
	return spans[at]
}

// below is a span right below another one; the zero Span when there is none.
func below(spans []otlp.Span, parent otlp.Span, name string) otlp.Span {
	for _, span := range spans {
		if span.Name == name && span.Trace == parent.Trace && span.Parent == parent.ID {
			return span
		}
	}
	return otlp.Span{}
}

// lineWith is the access log's line of a trace.
func lineWith(t *testing.T, log, trace string) map[string]any {
	t.Helper()
	for text := range strings.Lines(log) {
		var line map[string]any
		if strings.Contains(text, trace) && strings.Contains(text, `"msg":"request"`) && json.Unmarshal([]byte(text), &line) == nil {
			return line
		}
	}
	t.Fatalf("no line of the trace in %s", log)
	return nil
}

func secretIn(t *testing.T, hook string) string {
	t.Helper()
	var created struct {
		Secret string `json:"secret"`
	}
	if err := json.Unmarshal([]byte(hook), &created); err != nil || created.Secret == "" {
		t.Fatalf("%v in %s", err, hook)
	}
	return created.Secret
}
