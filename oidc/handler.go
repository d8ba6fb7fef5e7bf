package oidc

import (
	"context"
	"net/http"
	"time"

	"muster/domain"
	"muster/internal/httpx"
)

// SignIn is what the rules do for a sign-in.
type SignIn interface {
	BeginFlow(ctx context.Context, flow domain.Flow) error
	// ConsumeFlow takes a flow out of the store, for one of all concurrent callers; it is domain.NotFound for the others,
	// and when the flow is unknown or too old.
	ConsumeFlow(ctx context.Context, state domain.Digest) (domain.Flow, error)
	// SignIn lets the person in, or returns a *domain.Refusal that it has recorded.
	SignIn(ctx context.Context, claims domain.Claims, client domain.Client) (domain.SignedIn, error)
	// RefuseSignIn records a sign-in that ended before SignIn was asked.
	RefuseSignIn(ctx context.Context, provider string, refusal *domain.Refusal, client domain.Client) error
}

// Browser is how this package speaks to the person: pages and the session cookie.
type Browser interface {
	SetSession(w http.ResponseWriter, session string, expires time.Time)
	// HasSession reports whether the request carries a session that works.
	HasSession(r *http.Request) bool
	Refused(w http.ResponseWriter, r *http.Request, refusal *domain.Refusal)
	Failed(w http.ResponseWriter, r *http.Request, err error)
}

// Handler serves sign-in for one provider.
type Handler struct {
	provider *Provider
	rules    SignIn
	browser  Browser
	cookies  httpx.Cookies
	basePath string
}

// NewHandler makes a handler; basePath is where the whole server is mounted.
func NewHandler(provider *Provider, rules SignIn, browser Browser, cookies httpx.Cookies, basePath string) *Handler {
	return &Handler{provider: provider, rules: rules, browser: browser, cookies: cookies, basePath: basePath}
}

// Routes registers the paths of the provider.
func (h *Handler) Routes(mux *http.ServeMux) {
	id := h.provider.config.ID
	mux.Handle("GET "+startPath(id), h.handle(h.start))
	mux.Handle("GET "+callbackPath(id), h.handle(h.callback))
	mux.Handle("POST "+callbackPath(id), h.handle(h.formPost))
}

func startPath(id string) string    { return "/api/v1/oauth/" + id }
func callbackPath(id string) string { return "/api/v1/oauth/" + id + "/callback" }

// handle sets what every answer of a sign-in needs (item 38) and renders refusals and errors as pages.
func (h *Handler) handle(serve httpx.Handler) http.Handler {
	next := serve.With(h.render)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}
