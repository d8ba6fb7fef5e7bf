package admin

import (
	"log/slog"
	"net/http"
	"strings"

	"muster/domain"
	"muster/internal/httpx"
)

// Config is what the API is made of.
type Config struct {
	Service *domain.Service
	Version string
	GitSHA  string
	// InfoAuthRequired makes the info endpoint ask for a credential.
	InfoAuthRequired bool
	// Session reads the session cookie; empty when there is none.
	Session func(*http.Request) string
	// SameOrigin refuses what another site makes a signed-in browser send (item 99).
	SameOrigin *httpx.SameOrigin
	Log        *slog.Logger
}

// api answers requests; nothing in it changes.
type api struct {
	Config

	mux *http.ServeMux
}

// maxBody is the largest request body in bytes.
const maxBody = 1 << 20

// New returns the handler of /api and /v1/platform; a base path must be cut off before.
func New(config Config) http.Handler {
	a := &api{Config: config}
	a.mux = a.routes()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = canonical(r.URL.Path)
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		a.mux.ServeHTTP(w, r)
	})
}

// root is where every operation stands; the other spellings of it are aliases (compatibility checklist, item 1).
const root = "/api/v1"

func canonical(path string) string {
	for _, alias := range []string{"/api/v1/platform/", "/v1/platform/", "/api/v1/", "/api/"} {
		if rest, ok := strings.CutPrefix(path, alias); ok {
			return root + "/" + strings.TrimSuffix(rest, "/")
		}
	}
	return path
}
