package httpx_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"muster/internal/httpx"
)

func healthMux(health *httpx.Health) *http.ServeMux {
	mux := http.NewServeMux()
	health.Register(mux)
	return mux
}

func TestHealth(t *testing.T) {
	fine := httpx.Check{Name: "mail", Probe: func(context.Context) error { return nil }}
	broken := httpx.Check{Name: "database", Probe: func(context.Context) error { return errors.New("dial tcp 10.1.2.3:5432: refused") }}
	for name, test := range map[string]struct {
		path   string
		checks []httpx.Check
		drain  bool
		want   answer
	}{
		"live":     {"/livez", []httpx.Check{broken}, true, answer{200, "", `{"status":"ok"}`}},
		"ready":    {"/readyz", []httpx.Check{fine}, false, answer{200, "", `{"status":"ok"}`}},
		"broken":   {"/readyz", []httpx.Check{fine, broken}, false, answer{503, "1", `{"status":"unavailable","failing":["database"]}`}},
		"draining": {"/readyz", []httpx.Check{fine}, true, answer{503, "", `{"status":"draining"}`}},
	} {
		t.Run(name, func(t *testing.T) {
			health := httpx.NewHealth(time.Second, test.checks...)
			if test.drain {
				health.Drain()
			}
			if got := ask(t, healthMux(health), httptest.NewRequest(http.MethodGet, test.path, nil)); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// F8: a probe that hangs and heeds no context does not make /readyz hang.
func TestReadyWithHangingProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		health := httpx.NewHealth(2*time.Second, httpx.Check{Name: "database", Probe: func(context.Context) error {
			<-release
			return nil
		}})
		want := answer{503, "1", `{"status":"unavailable","failing":["database"]}`}
		if got := ask(t, healthMux(health), httptest.NewRequest(http.MethodGet, "/readyz", nil)); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

func TestMetrics(t *testing.T) {
	metrics := httpx.NewMetrics()
	mux := http.NewServeMux()
	metrics.Register(mux, httpx.Everybody)
	mux.Handle("GET /users/{id}", httpx.Handler(func(http.ResponseWriter, *http.Request) error { return nil }).With(renderText))
	h := httpx.Observer{Metrics: metrics}.Wrap(mux)
	for _, path := range []string{"/users/1", "/users/2", "/nowhere"} {
		ask(t, h, httptest.NewRequest(http.MethodGet, path, nil))
	}
	page := ask(t, h, httptest.NewRequest(http.MethodGet, "/metrics", nil)).body
	for _, want := range []string{
		`muster_http_requests_total{method="GET",route="/users/{id}",status="2xx"} 2`,
		`muster_http_requests_total{method="GET",route="none",status="4xx"} 1`,
		`muster_http_request_duration_seconds_count{method="GET",route="/users/{id}",status="2xx"} 2`,
		"muster_http_requests_in_flight 1\n", "go_goroutines ", "process_open_fds ",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
}
