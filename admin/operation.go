package admin

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/domain"
	"muster/internal/httpx"
)

// out is the answer of an operation that sends a body; its lists are never null (checklist, item 6).
type out[T any] struct {
	Body T `nullable:"false"`
}

// none is the request of an operation without parameters, and the answer of one without a body.
type none struct{}

// found ends an operation well.
func found[T any](body T) (*out[T], error) { //nolint:unparam // it has the results of an operation, to be returned as they are
	return &out[T]{body}, nil
}

// route is an operation's place and what the document says about it.
type route struct {
	method string
	// path follows the root; names in braces are parameters.
	path    string
	who     class
	summary string
	// status is that of success where it is not 200.
	status int
}

// maxBody is the largest request body in bytes.
const maxBody = 1 << 20

// at registers an operation.
// It asks who is there before it reads the body, so that strangers learn nothing about the shape of a request.
func at[I, O any](a *api, route route, serve func(context.Context, caller, *I) (*O, error)) {
	operation := huma.Operation{
		OperationID: operationID(route), Method: route.method, Path: root + route.path, Summary: route.summary,
		Tags: []string{tagOf(route.path)}, DefaultStatus: route.status,
		Security: securityOf(route.who), Parameters: parametersOf(route.who), Responses: a.failureResponse(),
		Middlewares: huma.Middlewares{a.admit(route.who)},
		// One byte more than allowed, because the library refuses what reaches its limit.
		MaxBodyBytes: maxBody + 1, BodyReadTimeout: 30 * time.Second,
	}
	huma.Register(a.huma, operation, func(ctx context.Context, in *I) (*O, error) {
		c, _ := ctx.Value(callerKey{}).(caller)
		answer, err := serve(ctx, c, in)
		if err != nil {
			outcomeOf(ctx).err = err
		}
		return answer, err
	})
}

type callerKey struct{}

// admit hands the caller on in the context, or ends the request.
func (a *api) admit(who class) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		c, err := a.caller(requestOf(ctx), who)
		if err != nil {
			outcomeOf(ctx.Context()).err = err
			return
		}
		if a.once(ctx, &c) {
			next(huma.WithValue(ctx, callerKey{}, c))
		}
	}
}

// mux puts every operation between the library and our own error answers.
type mux struct{ *http.ServeMux }

// HandleFunc implements humago.Mux.
// The library writes successes only: as soon as an operation has failed, what it writes is dropped and fail answers instead.
func (m mux) HandleFunc(pattern string, handle func(http.ResponseWriter, *http.Request)) {
	m.Handle(pattern, httpx.Handler(func(w http.ResponseWriter, r *http.Request) error {
		if r.ContentLength > maxBody {
			w.Header().Set("Connection", "close")
			return tooLarge()
		}
		// There is one format here, whatever a client calls it.
		r.Header.Set("Content-Type", mediaType)
		w.Header().Set("Cache-Control", "no-store")
		result := &outcome{}
		handle(&muted{w, result}, r.WithContext(context.WithValue(r.Context(), outcomeKey{}, result)))
		if keep := result.keep; keep != nil && result.err == nil {
			keep.done(r.Context(), max(keep.status, http.StatusOK), keep.body.String())
		}
		return result.err
	}).With(fail))
}

// refuse answers what no operation takes: 405 with Allow when the path takes other methods, 404 otherwise.
func (m mux) refuse(w http.ResponseWriter, r *http.Request) error {
	allowed := []string{}
	for _, method := range []string{http.MethodDelete, http.MethodGet, http.MethodPatch, http.MethodPost, http.MethodPut} {
		probe := *r
		probe.Method = method
		if _, pattern := m.Handler(&probe); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		return domain.Errorf(domain.NotFound, "there is no such path in this API")
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	text := "this path takes " + strings.Join(allowed, ", ")
	return httpx.WriteJSON(w, http.StatusMethodNotAllowed, mediaType, failure{text, text})
}

// outcome is why a request failed; its error is nil for a success.
type outcome struct {
	err error
	// keep collects the answer to a request with an idempotency key; nil for any other.
	keep *keptAnswer
}

func (o *outcome) failed() bool { return o.err != nil }

type outcomeKey struct{}

func outcomeOf(ctx context.Context) *outcome {
	result, _ := ctx.Value(outcomeKey{}).(*outcome)
	return result
}

// muted lets nothing through once the request has failed.
type muted struct {
	http.ResponseWriter
	result *outcome
}

// WriteHeader implements http.ResponseWriter.
func (m *muted) WriteHeader(status int) {
	if m.result.failed() {
		return
	}
	if m.result.keep != nil {
		m.result.keep.status = status
	}
	m.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (m *muted) Write(p []byte) (int, error) {
	if m.result.failed() {
		return len(p), nil
	}
	if m.result.keep != nil {
		_, _ = m.result.keep.body.Write(p)
	}
	return m.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the server's own writer.
func (m *muted) Unwrap() http.ResponseWriter { return m.ResponseWriter }

// operationID is made of the method and the path's words: "get-orgs-current-info".
func operationID(r route) string {
	words := strings.FieldsFunc(r.path, func(c rune) bool { return c == '/' || c == '{' || c == '}' })
	return strings.ToLower(r.method) + "-" + strings.ReplaceAll(strings.Join(words, "-"), "_", "-")
}

// tagOf groups operations by what they are about: the last word of the path that is no parameter.
func tagOf(path string) string {
	words := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if len(words) > 2 && slices.Equal(words[:2], []string{"orgs", "current"}) {
		return words[2]
	}
	return words[0]
}
