package httpx_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"muster/domain"
	"muster/internal/httpx"
)

// renderText is a front end's renderer as simple as can be.
func renderText(w http.ResponseWriter, _ *http.Request, err error) {
	known := domain.AsError(err)
	http.Error(w, known.Kind.String()+": "+known.Text, http.StatusTeapot)
}

// observed returns a handler as a server would have it, and the log that it writes.
func observed(h http.Handler) (http.Handler, *bytes.Buffer) {
	log := &bytes.Buffer{}
	logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return httpx.Observer{Log: logger, Metrics: httpx.NewMetrics()}.Wrap(h), log
}

// answer is what a client sees of an answer.
type answer struct {
	status int
	retry  string
	body   string
}

func ask(t *testing.T, h http.Handler, r *http.Request) answer {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return answer{w.Code, w.Header().Get("Retry-After"), strings.TrimSpace(w.Body.String())}
}

func TestHandlerRendersErrors(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want answer
	}{
		"domain error": {domain.Errorf(domain.NotFound, "no such user"), answer{418, "", "not_found: no such user"}},
		"waits as told, rounded up": {
			domain.Errorf(domain.Limited, "slow down").After(1500 * time.Millisecond),
			answer{418, "2", "limited: slow down"},
		},
		"unavailable always says when to come back": {
			domain.Errorf(domain.Unavailable, "no database"),
			answer{418, "1", "unavailable: no database"},
		},
		"any other error keeps its text to itself": {
			errors.New("password=hunter2"),
			answer{418, "", "internal: something went wrong on our side"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := httpx.Handler(func(http.ResponseWriter, *http.Request) error { return test.err }).With(renderText)
			if got := ask(t, h, httptest.NewRequest(http.MethodGet, "/", nil)); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestHandlerPanicIsRenderedAndLogged(t *testing.T) {
	h, log := observed(httpx.Handler(func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Set-Cookie", "half=done")
		panic("kaboom")
	}).With(renderText))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if got, want := strings.TrimSpace(w.Body.String()), "internal: something went wrong on our side"; got != want {
		t.Errorf("body %q, want %q", got, want)
	}
	if got := w.Header().Get("Set-Cookie"); got != "" {
		t.Errorf("the panicking handler's cookie was sent: %q", got)
	}
	for _, want := range []string{"panic=kaboom", "handler_test.go", "kind=internal"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
}

// F13: a panic anywhere costs its own request, and the connection serves the next one.
func TestPanicOutsideOfHandlers(t *testing.T) {
	h, _ := observed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/panic" {
			panic("kaboom")
		}
		_, _ = io.WriteString(w, "fine")
	}))
	server := httptest.NewServer(h)
	defer server.Close()
	for _, want := range []struct{ path, body string }{{"/panic", "Something went wrong on our side.\n"}, {"/", "fine"}} {
		res, err := server.Client().Get(server.URL + want.path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || string(body) != want.body {
			t.Errorf("%s: body %q, error %v; want %q", want.path, body, err, want.body)
		}
	}
}

func TestBegunAnswerIsBrokenOff(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error": func() error { return errors.New("too late") },
		"panic": func() error { panic("too late") },
		"abort": func() error { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			h, log := observed(httpx.Handler(func(w http.ResponseWriter, _ *http.Request) error {
				w.WriteHeader(http.StatusOK)
				_, _ = io.WriteString(w, "half an ans")
				_ = http.NewResponseController(w).Flush()
				return fail()
			}).With(renderText))
			server := httptest.NewServer(h)
			res, err := server.Client().Get(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("the client read %q and got error %v, want an unexpected end", body, err)
			}
			server.Close()
			if !strings.Contains(log.String(), "aborted=true") {
				t.Errorf("the log does not say so:\n%s", log)
			}
		})
	}
}

// F10.
func TestLimitBody(t *testing.T) {
	h := httpx.LimitBody(10, func(w http.ResponseWriter, r *http.Request) error {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		_, err = w.Write(body)
		return err
	}).With(renderText)
	for name, test := range map[string]struct {
		body io.Reader
		want answer
	}{
		"at the limit": {strings.NewReader("0123456789"), answer{200, "", "0123456789"}},
		"announced": {
			strings.NewReader("0123456789a"),
			answer{418, "", "too_large: the request's body has 11 bytes; at most 10 are allowed here"},
		},
		"unannounced": {
			io.MultiReader(strings.NewReader("01234567"), strings.NewReader("89abc")),
			answer{418, "", "too_large: the request's body is larger than the 10 bytes allowed here"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ask(t, h, httptest.NewRequest(http.MethodPost, "/", test.body)); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// F10: an endless body is left unread and its connection closed.
func TestLimitBodyStopsReading(t *testing.T) {
	h, _ := observed(httpx.LimitBody(1000, func(_ http.ResponseWriter, r *http.Request) error {
		_, err := io.Copy(io.Discard, r.Body)
		return err
	}).With(renderText))
	server := httptest.NewServer(h)
	defer server.Close()
	sent := &countingReader{}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, sent)
	if err != nil {
		t.Fatal(err)
	}
	res, err := server.Client().Do(request)
	if err == nil {
		if res.StatusCode != http.StatusTeapot || !res.Close {
			t.Errorf("status %d, close %t", res.StatusCode, res.Close)
		}
		_ = res.Body.Close()
	}
	if n := sent.n.Load(); n > 64<<20 {
		t.Errorf("the server took %d bytes", n)
	}
}

// countingReader is a body of a gigabyte.
type countingReader struct{ n atomic.Int64 }

func (c *countingReader) Read(p []byte) (int, error) {
	if c.n.Add(int64(len(p))) > 1<<30 {
		return 0, io.EOF
	}
	return len(p), nil
}

func TestWriteJSONRefusesWhatCannotBeEncoded(t *testing.T) {
	h := httpx.Handler(func(w http.ResponseWriter, _ *http.Request) error {
		return httpx.WriteJSON(w, http.StatusOK, "application/json", map[string]any{"f": func() {}})
	}).With(renderText)
	want := answer{418, "", "internal: the answer could not be encoded"}
	if got := ask(t, h, httptest.NewRequest(http.MethodGet, "/", nil)); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
