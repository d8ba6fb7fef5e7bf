package httpx

import (
	"net/http"

	"muster/domain"
)

// DefaultBodyLimit is the largest body that a request may have, in bytes, where a route does not say otherwise (F10).
const DefaultBodyLimit = 1 << 20

// LimitBody refuses bodies above limit bytes with domain.TooLarge:
// at once when the client announced the length, and at the limit when it did not.
// Neither case reads the rest; the connection is closed instead.
func LimitBody(limit int64, next Handler) Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if r.ContentLength > limit {
			w.Header().Set("Connection", "close")
			return domain.Errorf(domain.TooLarge, "the request's body has %d bytes; at most %d are allowed here", r.ContentLength, limit)
		}
		r.Body = http.MaxBytesReader(innermost(w), r.Body, limit)
		return next(w, r)
	}
}
