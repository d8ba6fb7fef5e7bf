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
	// StepUp replaces a session whose person has proved again who they are; its refusals are as SignIn's.
	StepUp(ctx context.Context, claims domain.Claims, session domain.Digest, client domain.Client) (domain.SignedIn, error)
	// CheckSetUpToken is domain.NotFound for a set-up link that is not good (R7).
	CheckSetUpToken(ctx context.Context, token string) error
	// NeededClaims names the claims that the organizations a provider serves need beside the standard ones.
	NeededClaims(ctx context.Context, provider string) ([]string, error)
	// EndProviderSessions ends what a provider says has ended; a token seen before changes nothing.
	EndProviderSessions(ctx context.Context, logout domain.ProviderLogout, client domain.Client) error
	// RevokeSubject ends a person's sessions and keys, or returns domain.NotFound.
	RevokeSubject(ctx context.Context, subject domain.RevokedSubject, client domain.Client) error
	// RefuseSignIn records a sign-in that ended before SignIn was asked.
	RefuseSignIn(ctx context.Context, provider string, refusal *domain.Refusal, client domain.Client) error
}

// Browser is how this package speaks to the person: pages and the session cookie.
type Browser interface {
	SetSession(w http.ResponseWriter, session string, expires time.Time)
	// HasSession reports whether the request carries a session that works.
	HasSession(r *http.Request) bool
	// SessionProvider returns the provider of the request's session; empty without one that works.
	SessionProvider(r *http.Request) string
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
	limits   *Limits
	// ReturnPaths are the paths on the server's own host, each with what is below it, that belong to applications
	// to which people may go back after signing in.
	ReturnPaths []string
}

// NewHandler makes a handler; basePath is where the whole server is mounted, and limits are shared by all providers' handlers.
func NewHandler(provider *Provider, rules SignIn, browser Browser, cookies httpx.Cookies, basePath string, limits *Limits) *Handler {
	return &Handler{provider: provider, rules: rules, browser: browser, cookies: cookies, basePath: basePath, limits: limits}
}

// Routes registers the paths of the provider.
func (h *Handler) Routes(mux *http.ServeMux) {
	id := h.provider.config.ID
	mux.Handle("GET "+startPath(id), h.handle(h.limited(beginning, h.start)))
	mux.Handle("GET "+startPath(id)+"/step-up", h.handle(h.limited(beginning, h.stepUp)))
	mux.Handle("GET "+startPath(id)+"/initiate-login", h.handle(h.limited(beginning, h.initiated)))
	mux.Handle("POST "+startPath(id)+"/initiate-login", h.handle(h.limited(beginning, h.initiated)))
	mux.Handle("GET "+callbackPath(id), h.handle(h.limited(other, h.callback)))
	mux.Handle("POST "+callbackPath(id), h.handle(h.limited(other, h.formPost)))
	// Every method, because a wrong one is an invalid request here and no missing page (item 103).
	mux.Handle(startPath(id)+"/backchannel-logout", httpx.Handler(h.backChannelLogout).With(h.failJSON))
	mux.Handle("GET "+startPath(id)+"/frontchannel-logout", h.handle(h.limited(other, h.frontChannelLogout)))
	mux.Handle("POST "+revocationPath(id), httpx.Handler(h.revokeSubject).With(h.failJSON))
}

func revocationPath(id string) string { return startPath(id) + "/global-token-revocation" }

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
