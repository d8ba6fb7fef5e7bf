package httpx_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"muster/internal/httpx"
)

// Without a token metrics are for private networks, asked directly; with one for whoever has it, from wherever.
func TestWhoMayScrape(t *testing.T) {
	const token = "0123456789abcdef"
	for name, c := range map[string]struct {
		token, peer string
		header      map[string]string
		status      int
	}{
		"this machine":                              {"", "127.0.0.1:1", nil, 200},
		"a private network":                         {"", "192.168.7.7:1", nil, 200},
		"a private network by IPv6":                 {"", "[fd00::7]:1", nil, 200},
		"the world":                                 {"", "192.0.2.1:1", nil, 403},
		"the world by a trusted proxy":              {"", "10.0.0.1:1", map[string]string{"X-Forwarded-For": "192.0.2.1"}, 403},
		"a private network by a trusted proxy":      {"", "10.0.0.1:1", map[string]string{"X-Forwarded-For": "10.9.9.9"}, 200},
		"the world by a proxy nobody trusts":        {"", "172.16.0.1:1", map[string]string{"X-Forwarded-For": "192.0.2.1"}, 403},
		"the world by such a proxy, in other words": {"", "172.16.0.1:1", map[string]string{"Forwarded": "for=192.0.2.1"}, 403},
		"with the token":                            {token, "192.0.2.1:1", map[string]string{"Authorization": "Bearer " + token}, 200},
		"with another one":                          {token, "127.0.0.1:1", map[string]string{"Authorization": "Bearer 0123456789abcdeg"}, 401},
		"with the token as a password":              {token, "127.0.0.1:1", map[string]string{"Authorization": "Basic " + token}, 401},
		"without the token":                         {token, "127.0.0.1:1", nil, 401},
	} {
		t.Run(name, func(t *testing.T) {
			metrics := httpx.NewMetrics()
			mux := http.NewServeMux()
			metrics.Register(mux, httpx.Scrapers(c.token))
			request := httptest.NewRequest(http.MethodGet, "/metrics", nil)
			request.RemoteAddr = c.peer
			for key, value := range c.header {
				request.Header.Set(key, value)
			}
			w := httptest.NewRecorder()
			httpx.Observer{Metrics: metrics, Trusted: prefixes("10.0.0.0/24")}.Wrap(mux).ServeHTTP(w, request)
			if w.Code != c.status || (w.Code == http.StatusOK) != strings.Contains(w.Body.String(), "go_goroutines") {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}
