package httpx

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"muster/domain"
	"muster/internal/trace"
)

// Observer gives every request its id, its client's address and its logger, and records how it ended.
type Observer struct {
	// Log gets one line for each request, and whatever Logger is used for.
	Log *slog.Logger
	// Metrics may be nil.
	Metrics *Metrics
	// Traces may be nil.
	Traces *trace.Tracer
	// Trusted are the proxies whose X-Forwarded-For, X-Request-Id and Traceparent are believed; nobody's by default (A19).
	Trusted []netip.Prefix
}

// Wrap observes next.
// The access log has the route's pattern, never the path, the query, a header or a cookie: those carry secrets.
func (o Observer) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := time.Now()
		ex := o.newExchange(r)
		ctx, span := o.Traces.Serve(r.Context(), ex.parent(r))
		ex.trace = span.Trace()
		r = r.WithContext(context.WithValue(ctx, exchangeKey{}, ex))
		r.RemoteAddr = realAddress(r, o.Trusted)
		w.Header().Set("X-Request-Id", ex.id)
		res := recording(w)
		if o.Metrics != nil {
			o.Metrics.inFlight.Inc()
			defer o.Metrics.inFlight.Dec()
		}
		defer func() {
			ex.setRoute(r.Pattern)
			out := ex.outcome()
			o.record(r, out, res, time.Since(begun))
			endSpan(span, r, ex, out, res.sent())
		}()
		defer recoverWith(res, r, plainError)
		next.ServeHTTP(res, r)
	})
}

func (o Observer) newExchange(r *http.Request) *exchange {
	id, trusted := r.Header.Get("X-Request-Id"), trustedPeer(r.RemoteAddr, o.Trusted)
	if !wellFormedID(id) || !trusted {
		id = rand.Text()
	}
	return &exchange{id: id, base: o.Log, trusted: trusted}
}

// record writes the access log's line and counts the request.
func (o Observer) record(r *http.Request, out outcome, res *response, took time.Duration) {
	if o.Metrics != nil {
		o.Metrics.observe(r.Method, out, res.sent(), took)
	}
	level := slog.LevelInfo
	if out.route == "/livez" || out.route == "/readyz" || out.route == "/metrics" {
		level = slog.LevelDebug // asked every few seconds
	}
	if o.Log == nil || !o.Log.Enabled(r.Context(), level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("method", methodLabel(r.Method)), slog.String("route", out.route), slog.Int("status", res.sent()),
		slog.Duration("duration", took), slog.Int64("bytes", res.bytes), slog.String("ip", ClientOf(r).IP),
	}
	if out.kind != "" {
		attrs = append(attrs, slog.String("kind", out.kind))
	}
	if out.aborted {
		attrs = append(attrs, slog.Bool("aborted", true))
	}
	Logger(r.Context()).LogAttrs(r.Context(), level, "request", attrs...)
}

// parent is the trace that a trusted proxy says the request is part of.
func (e *exchange) parent(r *http.Request) string {
	if values := r.Header.Values("Traceparent"); e.trusted && len(values) == 1 {
		return values[0]
	}
	return ""
}

// endSpan ends a request's span in the words of OpenTelemetry's semantic conventions, but for the path, which may carry secrets and ids.
func endSpan(span *trace.Span, r *http.Request, ex *exchange, out outcome, status int) {
	if span == nil {
		return
	}
	method, name := methodLabel(r.Method), r.Method
	if method == "other" {
		method, name = "_OTHER", "HTTP"
	}
	span.Rename(name)
	if out.route != noRoute {
		span.Rename(name + " " + out.route)
		span.Set(trace.String("http.route", out.route))
	}
	span.Set(trace.String("http.request.method", method), trace.Int("http.response.status_code", status), trace.String("muster.request.id", ex.id))
	for key, value := range map[string]string{"muster.organization.id": string(ex.org), "muster.credential.id": ex.credential} {
		if value != "" {
			span.Set(trace.String(key, value))
		}
	}
	switch {
	case out.aborted:
		span.Fail("aborted")
	case status >= http.StatusInternalServerError:
		span.Fail(strconv.Itoa(status))
	}
	span.End()
}

// RequestID returns the id of the request that ctx belongs to; empty outside of one.
func RequestID(ctx context.Context) string { return exchangeOf(ctx).id }

// Logger returns the request's logger, which adds the request's id; outside of a request it discards.
func Logger(ctx context.Context) *slog.Logger {
	return exchangeOf(ctx).logger()
}

// Identify says on whose behalf a request is made, for its log lines: an organization, and the id of a session, key or token.
// Either may be empty, and then stays what it was.
func Identify(ctx context.Context, org domain.OrgID, credential string) {
	ex := exchangeOf(ctx)
	ex.mu.Lock()
	defer ex.mu.Unlock()
	if org != "" {
		ex.org = org
	}
	if credential != "" {
		ex.credential = credential
	}
	ex.log = nil
}

// ClientOf says where a request came from, for the session list and the audit log.
func ClientOf(r *http.Request) domain.Client {
	client := domain.Client{UserAgent: r.UserAgent(), RequestID: RequestID(r.Context()), Method: methodLabel(r.Method), Path: shortPath(r.URL.Path)}
	if ip, ok := parseAddress(r.RemoteAddr); ok {
		client.IP = ip.String()
	}
	return client
}

// shortPath bounds what the audit log keeps of a path.
func shortPath(path string) string {
	const longest = 300 // bytes
	return strings.ToValidUTF8(path[:min(len(path), longest)], "")
}

// exchangeKey is the only context key of this package.
type exchangeKey struct{}

// exchange is one request's id and logger, and what is known about how it ends.
type exchange struct {
	id string
	// base is the server's logger; nil means silence.
	base *slog.Logger
	// trace is the trace's id; empty without traces.
	trace string
	// trusted says that the other end of the connection is a trusted proxy.
	trusted bool

	mu         sync.Mutex
	org        domain.OrgID
	credential string
	// log is made of all of these when it is first asked for.
	log *slog.Logger
	end outcome
}

// noRoute is the route of what no pattern matched.
const noRoute = "none"

// outcome is how a request ended, for the access log and the metrics.
type outcome struct {
	// route is the path of the pattern that matched, "none" when none did.
	route string
	// kind is the error's, empty when there was none.
	kind string
	// aborted says that the connection was broken off.
	aborted bool
}

// logger makes the request's logger when it is first asked for: most requests write no line of their own.
func (e *exchange) logger() *slog.Logger {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.log == nil && e.base == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	if e.log == nil {
		e.log = e.base.With(e.identity()...)
	}
	return e.log
}

// identity is what every line of the request has; none of it is a secret or a name.
func (e *exchange) identity() []any {
	fields := []any{"request_id", e.id}
	if e.trace != "" {
		fields = append(fields, "trace_id", e.trace)
	}
	if e.org != "" {
		fields = append(fields, "organization", string(e.org))
	}
	if e.credential != "" {
		fields = append(fields, "credential", e.credential)
	}
	return fields
}

// exchangeOf returns the request's exchange, or a fresh one that nobody reads.
func exchangeOf(ctx context.Context) *exchange {
	if ex, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return ex
	}
	return &exchange{}
}

// setRoute keeps the first pattern it is told, which is that of the innermost mux.
func (e *exchange) setRoute(pattern string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.end.route == "" {
		e.end.route = pattern[strings.IndexByte(pattern, ' ')+1:]
	}
}

func (e *exchange) setKind(kind domain.Kind) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.end.kind = kind.String()
}

func (e *exchange) setAborted() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.end.aborted = true
}

func (e *exchange) outcome() outcome {
	e.mu.Lock()
	defer e.mu.Unlock()
	end := e.end
	if end.route == "" {
		end.route = noRoute
	}
	return end
}

// wellFormedID admits what may stand in a log line and a header as it is.
func wellFormedID(id string) bool {
	if len(id) < 8 || len(id) > 64 {
		return false
	}
	for _, c := range []byte(id) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

// plainError is the answer where no front end has a say.
func plainError(w http.ResponseWriter, _ *http.Request, _ error) {
	http.Error(w, "Something went wrong on our side.", http.StatusInternalServerError)
}
