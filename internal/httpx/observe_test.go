package httpx_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"muster/domain"
	"muster/internal/httpx"
)

func TestAccessLog(t *testing.T) {
	inner := http.NewServeMux()
	inner.Handle("GET /users/{id}", httpx.Handler(func(w http.ResponseWriter, r *http.Request) error {
		httpx.Logger(r.Context()).Info("inside")
		_, err := io.WriteString(w, "hello")
		return err
	}).With(renderText))
	h, log := observed(httpx.Mount("/base", inner))
	request := httptest.NewRequest(http.MethodGet, "/base/users/PATHSECRET?token=QUERYSECRET", nil)
	request.Header.Set("Authorization", "Bearer HEADERSECRET")
	request.Header.Set("Cookie", "muster=COOKIESECRET")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, request)
	id := w.Header().Get("X-Request-Id")
	lines := regexp.MustCompile(`time=\S+ |duration=\S+ `).ReplaceAllString(log.String(), "")
	want := "level=INFO msg=inside request_id=" + id + "\n" +
		"level=INFO msg=request request_id=" + id + " method=GET route=/users/{id} status=200 bytes=5 ip=192.0.2.1\n"
	if lines != want {
		t.Errorf("got\n%s\nwant\n%s", lines, want)
	}
}

// Whoever checks a credential says so, and every later line of the request has it.
func TestIdentify(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("GET /", httpx.Handler(func(_ http.ResponseWriter, r *http.Request) error {
		httpx.Logger(r.Context()).Info("before")
		httpx.Identify(r.Context(), "", "pat-7")
		httpx.Identify(r.Context(), "org-1", "")
		httpx.Logger(r.Context()).Info("after")
		return nil
	}).With(renderText))
	h, log := observed(mux)
	ask(t, h, httptest.NewRequest(http.MethodGet, "/", nil))
	lines := strings.Split(log.String(), "\n")
	const who = " organization=org-1 credential=pat-7"
	if strings.Contains(lines[0], who) || !strings.Contains(lines[1], who) || !strings.Contains(lines[2], "msg=request") || !strings.Contains(lines[2], who) {
		t.Errorf("%s", log)
	}
	httpx.Identify(t.Context(), "org-1", "pat-7") // outside of a request it does nothing
}

func TestAccessLogOfUnknownRoute(t *testing.T) {
	h, log := observed(http.NewServeMux())
	ask(t, h, httptest.NewRequest("BREW", "/reset/PATHSECRET", nil))
	if !strings.Contains(log.String(), "method=other route=none status=404") || strings.Contains(log.String(), "SECRET") {
		t.Errorf("log: %s", log)
	}
}

func TestRequestID(t *testing.T) {
	for name, test := range map[string]struct {
		peer, sent string
		kept       bool
	}{
		"from a stranger":                   {"192.0.2.1:1", "abcdefgh-1", false},
		"from a trusted proxy":              {"10.0.0.1:1", "abcdefgh-1", true},
		"malformed":                         {"10.0.0.1:1", "abcdefgh\tx", false},
		"too short to be unique":            {"10.0.0.1:1", "abc", false},
		"too long":                          {"10.0.0.1:1", strings.Repeat("a", 65), false},
		"none":                              {"10.0.0.1:1", "", false},
		"from a trusted proxy by IPv4-in-6": {"[::ffff:10.0.0.1]:1", "abcdefgh-1", true},
	} {
		t.Run(name, func(t *testing.T) {
			var inside string
			observer := httpx.Observer{Log: slog.New(slog.DiscardHandler), Trusted: prefixes("10.0.0.0/8")}
			h := observer.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { inside = httpx.RequestID(r.Context()) }))
			request := httptest.NewRequest(http.MethodGet, "/", nil)
			request.RemoteAddr = test.peer
			request.Header.Set("X-Request-Id", test.sent)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, request)
			answered := w.Header().Get("X-Request-Id")
			if inside != answered || len(inside) < 8 || (inside == test.sent) != test.kept {
				t.Errorf("sent %q, inside %q, answered %q", test.sent, inside, answered)
			}
		})
	}
}

// A19: a forwarded address counts only when the peer is a trusted proxy, and only as far as trust reaches.
func TestClientOf(t *testing.T) {
	for name, test := range map[string]struct {
		peer      string
		forwarded []string
		want      string
	}{
		"nobody is trusted by the header alone": {"192.0.2.9:4711", []string{"203.0.113.7"}, "192.0.2.9"},
		"one proxy":                             {"10.0.0.1:4711", []string{"203.0.113.7"}, "203.0.113.7"},
		"an invented hop on the left":           {"10.0.0.1:4711", []string{"1.1.1.1, 203.0.113.7"}, "203.0.113.7"},
		"two proxies":                           {"10.0.0.1:4711", []string{"1.1.1.1, 203.0.113.7, 10.0.0.2"}, "203.0.113.7"},
		"several headers":                       {"10.0.0.1:4711", []string{"203.0.113.7", "10.0.0.2"}, "203.0.113.7"},
		"with a port":                           {"10.0.0.1:4711", []string{"203.0.113.7:1234"}, "203.0.113.7"},
		"IPv6":                                  {"[2001:db8::1]:4711", []string{"2001:db9::7"}, "2001:db9::7"},
		"IPv6 with a port":                      {"10.0.0.1:4711", []string{"[2001:db9::7]:1234"}, "2001:db9::7"},
		"nonsense stops the search":             {"10.0.0.1:4711", []string{"203.0.113.7, unknown"}, "10.0.0.1"},
		"no header":                             {"10.0.0.1:4711", nil, "10.0.0.1"},
		"only proxies":                          {"10.0.0.1:4711", []string{"10.0.0.3"}, "10.0.0.3"},
		"a socket without an address":           {"@", []string{"203.0.113.7"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var got domain.Client
			observer := httpx.Observer{Trusted: prefixes("10.0.0.0/8", "2001:db8::/32")}
			h := observer.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = httpx.ClientOf(r) }))
			request := httptest.NewRequest(http.MethodGet, "/", nil)
			request.RemoteAddr = test.peer
			request.Header["X-Forwarded-For"] = test.forwarded
			request.Header.Set("User-Agent", "curl/8")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, request)
			want := domain.Client{IP: test.want, UserAgent: "curl/8", RequestID: w.Header().Get("X-Request-Id"), Method: http.MethodGet, Path: "/"}
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func prefixes(all ...string) []netip.Prefix {
	var parsed []netip.Prefix
	for _, one := range all {
		parsed = append(parsed, netip.MustParsePrefix(one))
	}
	return parsed
}

// Item 101.
func TestSecurityHeaders(t *testing.T) {
	for scheme, hsts := range map[string]string{"https": "max-age=31536000", "http": ""} {
		w := httptest.NewRecorder()
		httpx.SecurityHeaders{
			ContentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'",
			PublicURL:             &url.URL{Scheme: scheme, Host: "muster.example"},
		}.Wrap(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		for name, want := range map[string]string{
			"Content-Security-Policy":    "default-src 'none'; frame-ancestors 'none'",
			"X-Content-Type-Options":     "nosniff",
			"X-Frame-Options":            "DENY",
			"Referrer-Policy":            "same-origin",
			"Cross-Origin-Opener-Policy": "same-origin",
			"Strict-Transport-Security":  hsts,
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", scheme, name, got, want)
			}
		}
	}
}

func TestMount(t *testing.T) {
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.Path) })
	for _, test := range []struct {
		base, path string
		want       answer
	}{
		{"", "/x", answer{200, "", "/x"}},
		{"/", "/x", answer{200, "", "/x"}},
		{"/auth", "/auth/x/y", answer{200, "", "/x/y"}},
		{"/auth/", "/auth/", answer{200, "", "/"}},
		{"/auth", "/x", answer{404, "", "404 page not found"}},
		{"/auth", "/author", answer{404, "", "404 page not found"}},
		{"/auth", "/", answer{404, "", "404 page not found"}},
	} {
		if got := ask(t, httpx.Mount(test.base, page), httptest.NewRequest(http.MethodGet, test.path, nil)); got != test.want {
			t.Errorf("%q below %q: got %+v, want %+v", test.path, test.base, got, test.want)
		}
	}
}
