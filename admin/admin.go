package admin

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"

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
	Providers  Providers
	// Limits may be nil, for none.
	Limits *Limits
	// Events sends events to hooks.
	Events Events
	Log    *slog.Logger
}

// api answers requests; nothing in it changes after New.
type api struct {
	Config

	mux  mux
	huma huma.API
}

// New returns the handler of /api and /v1/platform; a base path must be cut off before.
func New(config Config) http.Handler {
	a := &api{Config: config, mux: mux{http.NewServeMux()}}
	a.huma = newHuma(a.mux, config.Version)
	a.routes()
	a.serveDocument()
	a.mux.Handle("/", httpx.Handler(a.mux.refuse).With(fail))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mux.ServeHTTP(w, canonical(r))
	})
}

// root is where every operation stands; the other spellings of it are aliases (compatibility checklist, item 1).
const root = "/api/v1"

// canonical returns the request as if it had been sent to the operation's own path.
func canonical(r *http.Request) *http.Request {
	sent := *r
	sent.URL = new(url.URL)
	*sent.URL = *r.URL
	sent.URL.Path, sent.URL.RawPath = canonicalPath(r.URL.Path), canonicalPath(r.URL.RawPath)
	return &sent
}

func canonicalPath(path string) string {
	for _, alias := range []string{"/api/v1/platform/", "/v1/platform/", "/api/v1/", "/api/"} {
		if rest, ok := strings.CutPrefix(path, alias); ok {
			if strings.HasSuffix(alias, "platform/") && strings.TrimSuffix(rest, "/") == "orgs/current/members" {
				// The one path whose answer is another one on the model's platform side.
				return root + "/platform/" + rest
			}
			return root + "/" + strings.TrimSuffix(rest, "/")
		}
	}
	return path
}
