package oidc_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/domain"
	"muster/internal/httpx"
	"muster/internal/testkit"
	"muster/internal/testkit/badidp"
	"muster/oidc"
)

// rules is an in-memory stand-in for the use cases: it keeps flows and remembers who signed in and who was refused.
type rules struct {
	mutex     sync.Mutex
	flows     map[domain.Digest]domain.Flow
	signedIn  []domain.Claims
	refused   []domain.Reason
	details   []string
	steppedUp []domain.Digest
	loggedOut []domain.ProviderLogout
	revoked   []domain.RevokedSubject
	// claims are what NeededClaims answers, setUp the token that is good, unknown says that RevokeSubject finds nobody.
	claims  []string
	setUp   string
	unknown bool
	// refusal is what SignIn answers when it is set, failure what ending sessions does.
	refusal, failure error
	// stepUp is what StepUp answers when it is set.
	stepUp error
}

func (r *rules) BeginFlow(_ context.Context, flow domain.Flow) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.flows[flow.State] = flow
	return nil
}

func (r *rules) ConsumeFlow(_ context.Context, state domain.Digest) (domain.Flow, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	flow, ok := r.flows[state]
	delete(r.flows, state)
	if !ok {
		return domain.Flow{}, domain.Errorf(domain.NotFound, "no such flow")
	}
	return flow, nil
}

func (r *rules) SignIn(_ context.Context, claims domain.Claims, _ domain.Client) (domain.SignedIn, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.refusal != nil {
		return domain.SignedIn{}, r.refusal
	}
	r.signedIn = append(r.signedIn, claims)
	return domain.SignedIn{Session: "session", ExpiresAt: claims.TokenExpiry}, nil
}

func (r *rules) StepUp(_ context.Context, claims domain.Claims, session domain.Digest, client domain.Client) (domain.SignedIn, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.stepUp != nil {
		return domain.SignedIn{}, r.stepUp
	}
	if r.refusal != nil || client.Session != session {
		return domain.SignedIn{}, &domain.Refusal{Reason: domain.ReasonFlowLost}
	}
	r.signedIn, r.steppedUp = append(r.signedIn, claims), append(r.steppedUp, session)
	return domain.SignedIn{Session: "session", ExpiresAt: claims.TokenExpiry}, nil
}

func (r *rules) CheckSetUpToken(_ context.Context, token string) error {
	if token == r.setUp {
		return nil
	}
	return domain.Errorf(domain.NotFound, "no such link")
}

func (r *rules) NeededClaims(context.Context, string) ([]string, error) { return r.claims, nil }

func (r *rules) EndProviderSessions(_ context.Context, logout domain.ProviderLogout, _ domain.Client) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.failure != nil {
		return r.failure
	}
	r.loggedOut = append(r.loggedOut, logout)
	return nil
}

func (r *rules) RevokeSubject(_ context.Context, subject domain.RevokedSubject, _ domain.Client) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.unknown {
		return domain.Errorf(domain.NotFound, "nobody")
	}
	r.revoked = append(r.revoked, subject)
	return nil
}

func (r *rules) RefuseSignIn(_ context.Context, _ string, refusal *domain.Refusal, _ domain.Client) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.refused = append(r.refused, refusal.Reason)
	r.details = append(r.details, refusal.Detail)
	return nil
}

// pages writes what would be pages as one header.
type pages struct{ cookies httpx.Cookies }

func (p pages) SetSession(w http.ResponseWriter, session string, _ time.Time) {
	p.cookies.SetSession(w, session, time.Hour)
}
func (p pages) HasSession(r *http.Request) bool { return p.cookies.Session(r) == "session" }
func (p pages) SessionProvider(r *http.Request) string {
	if p.HasSession(r) {
		return domain.ProviderOIDC
	}
	return ""
}

func (p pages) Refused(w http.ResponseWriter, _ *http.Request, refusal *domain.Refusal) {
	w.Header().Set("X-Reason", string(refusal.Reason))
	w.WriteHeader(http.StatusForbidden)
}

func (p pages) Failed(w http.ResponseWriter, _ *http.Request, err error) {
	w.Header().Set("X-Kind", domain.AsError(err).Kind.String())
	w.WriteHeader(http.StatusInternalServerError)
}

// world is a relying party, its misbehaving provider and a clock.
type world struct {
	*testing.T

	idp     *badidp.Provider
	rules   *rules
	clock   *testkit.Clock
	oidc    *oidc.Provider
	handler http.Handler
	// address is where requests come from; empty for the usual one.
	address string
	// log is written under slog's own lock; read it when all requests are answered.
	log *bytes.Buffer
}

func newWorld(t *testing.T, edit func(*oidc.Config)) *world {
	t.Helper()
	return newWorldAt(t, badidp.New(t), edit)
}

func newWorldAt(t *testing.T, idp *badidp.Provider, edit func(*oidc.Config)) *world {
	t.Helper()
	w := &world{T: t, idp: idp, rules: &rules{flows: map[domain.Digest]domain.Flow{}}, clock: testkit.NewClock(time.Now()), log: &bytes.Buffer{}}
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	config := oidc.Config{
		ID: domain.ProviderOIDC, Issuer: idp.Issuer(), ClientID: badidp.ClientID, ClientSecret: badidp.ClientSecret,
		Scopes: []string{"openid", "email", "profile"}, SessionMax: time.Hour, PublicURL: "https://muster.example/base", Now: w.clock.Now, Log: log,
	}
	if edit != nil {
		edit(&config)
	}
	cookies := httpx.Cookies{Secure: true}
	mux := http.NewServeMux()
	w.oidc = oidc.NewProvider(config)
	oidc.NewHandler(w.oidc, w.rules, pages{cookies}, cookies, "/base", oidc.NewLimits(5, w.clock.Now)).Routes(mux)
	w.handler = httpx.Observer{Log: log}.Wrap(mux)
	return w
}

const start = "/api/v1/oauth/custom-oidc"

// get sends a request with cookies and returns the answer.
func (w *world) get(target string, cookies ...*http.Cookie) *http.Response {
	w.Helper()
	return w.getWith(w.Context(), target, cookies...)
}

func (w *world) getWith(ctx context.Context, target string, cookies ...*http.Cookie) *http.Response {
	w.Helper()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if w.address != "" {
		r.RemoteAddr = w.address
	}
	for _, cookie := range cookies {
		r.AddCookie(cookie)
	}
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, r)
	return recorder.Result()
}

// begin starts a sign-in and returns the authorization URL and the browser's cookies.
func (w *world) begin(query string, cookies ...*http.Cookie) (string, []*http.Cookie) {
	w.Helper()
	answer := w.get(start+query, cookies...)
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusSeeOther {
		w.Fatalf("the start answered %d, reason %q", answer.StatusCode, answer.Header.Get("X-Reason"))
	}
	return answer.Header.Get("Location"), answer.Cookies()
}

// finish comes back from the provider.
func (w *world) finish(parameters url.Values, cookies ...*http.Cookie) *http.Response {
	w.Helper()
	return w.get(start+"/callback?"+parameters.Encode(), cookies...)
}

// signIn walks the whole flow and returns the callback's answer.
func (w *world) signIn() *http.Response {
	w.Helper()
	authorization, cookies := w.begin("")
	return w.finish(w.idp.Authorize(w, authorization), cookies...)
}

// outcome is "ok" for a sign-in, and otherwise the reason or kind.
func outcome(answer *http.Response) string {
	_ = answer.Body.Close()
	for _, cookie := range answer.Cookies() {
		if strings.HasSuffix(cookie.Name, "muster") && cookie.Value == "session" && answer.StatusCode == http.StatusSeeOther {
			return "ok"
		}
	}
	return answer.Header.Get("X-Reason") + answer.Header.Get("X-Kind")
}
