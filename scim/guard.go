package scim

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"muster/domain"
	"muster/scim/schema"
	"muster/scim/scimerr"
)

// mediaType is what every answer with a body says it is (S4).
const mediaType = "application/scim+json; charset=utf-8"

// The limits that stand before the parsers, besides those of bodies.
// Nesting and repeated keys of JSON are schema.Decode's, filters and paths have theirs in package filter.
const (
	// maxParameter bounds a query parameter other than a filter, in bytes.
	maxParameter = 8 << 10
	// drained is how much of a body that is too large is read and forgotten, in bytes:
	// most clients only see the answer when they could send all they had.
	drained = 32 << 20
)

// acceptable refuses a request whose Accept rules out what we answer (S4).
func acceptable(r *http.Request) error {
	accepts := strings.Join(r.Header.Values("Accept"), ",")
	if strings.TrimSpace(accepts) == "" {
		return nil
	}
	for accepted := range strings.SplitSeq(accepts, ",") {
		kind, parameters, err := mime.ParseMediaType(accepted)
		if err != nil || strings.Trim(parameters["q"], "0.") == "" && parameters["q"] != "" {
			continue
		}
		switch kind {
		case "*/*", "application/*", "application/scim+json", "application/json":
			return nil
		}
	}
	return &protocolError{status: http.StatusNotAcceptable, text: "answers are application/scim+json"}
}

// bodyOf reads a request's body as a JSON object of at most so many bytes.
// It returns 415 for another media type, TooLarge above the limit, and invalidSyntax for what is no JSON object.
func bodyOf(r *http.Request) func(limit int64) (map[string]any, error) {
	return func(limit int64) (map[string]any, error) {
		if err := isJSON(r.Header); err != nil {
			return nil, err
		}
		body, err := readBody(r, limit)
		if err != nil {
			return nil, err
		}
		return schema.Decode(body)
	}
}

// isJSON checks what a body says it is; one that says nothing is taken as JSON (K16).
func isJSON(header http.Header) error {
	if encoding := header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return &protocolError{status: http.StatusUnsupportedMediaType, text: "send the body without Content-Encoding"}
	}
	sent := header.Get("Content-Type")
	if sent == "" {
		return nil
	}
	kind, parameters, err := mime.ParseMediaType(sent)
	if err != nil || kind != "application/scim+json" && kind != "application/json" {
		return &protocolError{status: http.StatusUnsupportedMediaType, text: "send the body as application/scim+json"}
	}
	if charset, ok := parameters["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return &protocolError{status: http.StatusUnsupportedMediaType, text: "send the body in UTF-8"}
	}
	return nil
}

func readBody(r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, tooLarge(r.Body, limit)
	}
	var body bytes.Buffer
	if r.ContentLength > 0 {
		body.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	n, err := body.ReadFrom(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return nil, scimerr.New(scimerr.InvalidSyntax, "", "the body ended before it was complete")
	}
	if n > limit {
		return nil, tooLarge(r.Body, limit)
	}
	return body.Bytes(), nil
}

func tooLarge(body io.Reader, limit int64) error {
	_, _ = io.CopyN(io.Discard, body, drained)
	return domain.Errorf(domain.TooLarge, "the body is larger than the %d bytes that are allowed here", limit)
}

// parameters returns the query's parameters.
// A query that cannot be read is refused rather than read in part: without its filter a list would be a full one.
func parameters(query string) (url.Values, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, scimerr.New(scimerr.InvalidValue, "", "the query string is not encoded as a URL needs it")
	}
	return values, nil
}

// parameter returns one parameter; an empty one counts as absent.
func parameter(values url.Values, name string) (string, error) {
	sent := values[name]
	switch {
	case len(sent) == 0:
		return "", nil
	case len(sent) > 1:
		return "", scimerr.New(scimerr.InvalidValue, name, "%s is there more than once", name)
	case len(sent[0]) > maxParameter:
		return "", scimerr.New(scimerr.InvalidValue, name, "%s is longer than %d bytes", name, maxParameter)
	default:
		return sent[0], nil
	}
}
