package httpx

import (
	"net/http"
	"net/url"
	"strings"
)

// SecurityHeaders are the headers of every answer of an HTML front end (item 101).
type SecurityHeaders struct {
	// ContentSecurityPolicy is the caller's, without unsafe-inline and with frame-ancestors 'none'.
	ContentSecurityPolicy string
	// PublicURL decides about Strict-Transport-Security, which is sent when it is https.
	PublicURL *url.URL
}

// Wrap sets the headers before next runs, which may replace them: a file that may be cached sets its own Cache-Control.
func (s SecurityHeaders) Wrap(next http.Handler) http.Handler {
	fixed := map[string]string{
		"Content-Security-Policy": s.ContentSecurityPolicy,
		"X-Content-Type-Options":  "nosniff",
		"X-Frame-Options":         "DENY",
		// Not no-referrer: under it browsers send "Origin: null" with our own forms, which item 99 refuses.
		"Referrer-Policy":              "same-origin",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Permissions-Policy":           "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
		"Cache-Control":                "no-store",
	}
	if s.PublicURL != nil && s.PublicURL.Scheme == "https" {
		fixed["Strict-Transport-Security"] = "max-age=31536000"
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range fixed {
			w.Header().Set(name, value)
		}
		next.ServeHTTP(w, r)
	})
}

// Mount serves next below base ("" or "/" for the root) and answers 404 to every other path; base itself is redirected to base with a slash.
func Mount(base string, next http.Handler) http.Handler {
	base = strings.TrimSuffix(base, "/")
	if base == "" {
		return next
	}
	mux := http.NewServeMux()
	mux.Handle(base+"/", http.StripPrefix(base, next))
	return mux
}
