package trace

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
)

// Transport makes a span of each request that it sends.
type Transport struct {
	Next http.RoundTripper
	// Target says in a word of our own what is at the other end, and is part of the span's name.
	Target string
	// Propagate tells the other end which trace the request is part of.
	Propagate bool
}

// RoundTrip implements http.RoundTripper.
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, span := Start(r.Context(), Client, r.Method+" "+t.Target, String("http.request.method", r.Method))
	if span == nil {
		return t.Next.RoundTrip(r)
	}
	defer span.End()
	span.Set(serverOf(r.URL)...)
	r = r.Clone(ctx)
	if t.Propagate {
		r.Header.Set("Traceparent", Traceparent(ctx))
	}
	response, err := t.Next.RoundTrip(r)
	if err != nil {
		span.Fail(failureOf(err))
		return response, err
	}
	span.Set(Int("http.response.status_code", response.StatusCode))
	if response.StatusCode >= http.StatusBadRequest {
		span.Fail(strconv.Itoa(response.StatusCode))
	}
	return response, nil
}

// serverOf is where a request goes, without its path and query.
func serverOf(to *url.URL) []Attr {
	port, err := strconv.Atoi(to.Port())
	if err != nil {
		port = map[string]int{"http": 80, "https": 443}[to.Scheme]
	}
	return []Attr{String("server.address", to.Hostname()), Int("server.port", port)}
}

// failureOf says in a word why there is no answer; the error's own text may repeat an address.
func failureOf(err error) string {
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	default:
		return "network"
	}
}
