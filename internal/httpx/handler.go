package httpx

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"muster/domain"
)

// Handler answers a request or returns why it could not; it does not write an error answer itself.
// Once it has begun to write the answer, returning an error breaks the connection off, so that no client takes half an answer for a whole one.
type Handler func(w http.ResponseWriter, r *http.Request) error

// ErrorRenderer writes err as the error answer of one front end.
// It gets what the handler returned, so that it can recognise errors of its own; domain.AsError makes a domain.Error of any.
// Retry-After is already set when it is called.
type ErrorRenderer func(w http.ResponseWriter, r *http.Request, err error)

// defaultRetry is what a client is asked to wait when an error that passes by itself does not say how long.
const defaultRetry = time.Second

// With makes the handler an http.Handler whose errors and panics are rendered by render.
// A body above its limit becomes domain.TooLarge; a panic is logged with its stack and becomes domain.Internal.
func (h Handler) With(render ErrorRenderer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		res := recording(w)
		exchangeOf(r.Context()).setRoute(r.Pattern)
		defer recoverWith(res, r, render)
		if err := h(res, r); err != nil {
			fail(res, r, render, err)
		}
	})
}

// fail logs err and renders it, or breaks the connection off when an answer has begun.
func fail(res *response, r *http.Request, render ErrorRenderer, err error) {
	err = named(err)
	known := domain.AsError(err)
	if refusal, ok := errors.AsType[*domain.Refusal](err); ok {
		known = domain.Wrap(domain.Forbidden, refusal, "the sign-in was refused")
	}
	exchangeOf(r.Context()).setKind(known.Kind)
	logError(r.Context(), known, err)
	if res.started() {
		abort(r.Context())
	}
	setRetryAfter(res.Header(), known)
	render(res, r, err)
}

// recoverWith turns a panic into a rendered domain.Internal; it must be deferred.
// http.ErrAbortHandler goes on to the server, which closes the connection without a word.
func recoverWith(res *response, r *http.Request, render ErrorRenderer) {
	v := recover()
	if v == nil {
		return
	}
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		abort(r.Context())
	}
	exchangeOf(r.Context()).setKind(domain.Internal)
	Logger(r.Context()).ErrorContext(r.Context(), "panic", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	if res.started() {
		abort(r.Context())
	}
	// What the handler had prepared describes an answer that is not coming.
	for _, name := range []string{"Set-Cookie", "Location", "Content-Length", "Content-Encoding", "Etag", "Last-Modified"} {
		res.Header().Del(name)
	}
	render(res, r, domain.Errorf(domain.Internal, "something went wrong on our side"))
}

// abort makes the server close the connection without a word more.
func abort(ctx context.Context) {
	exchangeOf(ctx).setAborted()
	panic(http.ErrAbortHandler)
}

// named gives errors of net/http and context the kind they have in the domain.
func named(err error) error {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return domain.Wrap(domain.TooLarge, err, "the request's body is larger than the %d bytes allowed here", tooLarge.Limit)
	}
	if _, ok := errors.AsType[*domain.Error](err); ok {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return domain.Wrap(domain.Unavailable, err, "the request was not finished in time")
	}
	return err
}

// logError writes defects as errors, failing dependencies as warnings and what clients do wrong for debugging only.
func logError(ctx context.Context, known *domain.Error, err error) {
	level := slog.LevelDebug
	switch known.Kind {
	case domain.Internal:
		level = slog.LevelError
	case domain.Unavailable, domain.Unknown:
		level = slog.LevelWarn
	case domain.Invalid, domain.NotFound, domain.Conflict, domain.Stale, domain.Unauthenticated,
		domain.Forbidden, domain.StepUpNeeded, domain.Guarded, domain.TooLarge, domain.Limited:
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		level = slog.LevelDebug // the client went away: nobody reads the answer, and nothing is wrong here
	}
	Logger(ctx).Log(ctx, level, "request failed", "kind", known.Kind.String(), "error", err)
}

// setRetryAfter says how long to wait, in whole seconds rounded up (RFC 9110 section 10.2.3).
func setRetryAfter(header http.Header, known *domain.Error) {
	wait := known.RetryAfter
	if wait <= 0 && (known.Kind == domain.Unavailable || known.Kind == domain.Unknown || known.Kind == domain.Limited) {
		wait = defaultRetry
	}
	if wait > 0 {
		header.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
}
