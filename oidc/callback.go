package oidc

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"muster/domain"
	"muster/internal/httpx"
)

// maxDetail is the longest explanation that goes into the log and the audit row; providers' texts can be long.
const maxDetail = 500

// maxForm is the largest form_post answer; a browser must take it again as a URL.
const maxForm = 8 << 10

// formPost takes an answer in response mode form_post. The cross-site POST carries no Lax cookie,
// so the browser is sent to the same parameters with a GET, which does; nothing is consumed here.
func (h *Handler) formPost(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return h.refuse(r, domain.ReasonProviderError, "the form could not be read")
	}
	query := url.Values{}
	for _, name := range answerNames() {
		if values, ok := r.PostForm[name]; ok {
			query[name] = values
		}
	}
	// The path is fixed; only the query comes from outside.
	http.Redirect(w, r, h.basePath+callbackPath(h.provider.config.ID)+"?"+query.Encode(), http.StatusSeeOther)
	return nil
}

// answerNames are the parameters of an authorization answer (RFC 6749 section 4.1.2, RFC 9207).
func answerNames() []string { return []string{"code", "state", "iss", "error", "error_description"} }

// answer is what the provider sent back through the browser.
type answer struct{ code, state, issuer, failure, description string }

// callback ends a sign-in. The flow is taken out of the store before the code is exchanged, so that no code is tried twice.
func (h *Handler) callback(w http.ResponseWriter, r *http.Request) error {
	got, ok := readAnswer(r.URL.RawQuery)
	if !ok {
		return h.refuse(r, domain.ReasonFlowLost, "the callback's parameters are missing, repeated or contradict each other")
	}
	flow, err := h.takeFlow(w, r, got)
	if domain.IsKind(err, domain.NotFound) && h.browser.HasSession(r) {
		// The back button, or a reload, after a sign-in that worked (item 37).
		http.Redirect(w, r, h.basePath+"/", http.StatusSeeOther)
		return nil
	}
	if domain.IsKind(err, domain.NotFound) {
		return h.refuse(r, domain.ReasonFlowLost, err.Error())
	}
	if err != nil {
		return err
	}
	claims, err := h.authenticate(r.Context(), got, flow)
	if err != nil {
		return h.explain(r, err)
	}
	signedIn, err := h.admit(r, claims, flow)
	if err != nil {
		return err
	}
	h.provider.config.Count(h.provider.config.ID, "ok")
	h.browser.SetSession(w, signedIn.Session, signedIn.ExpiresAt)
	http.Redirect(w, r, flow.Next, http.StatusSeeOther)
	return nil
}

// admit has the rules decide; the session that the browser had before ends with the new one (item 85).
func (h *Handler) admit(r *http.Request, claims domain.Claims, flow domain.Flow) (domain.SignedIn, error) {
	client := httpx.ClientOf(r)
	if had := h.cookies.Session(r); had != "" {
		client.Session = domain.DigestOf(had)
	}
	if flow.Purpose == domain.PurposeStepUp {
		return h.rules.StepUp(r.Context(), claims, flow.Session, client)
	}
	return h.rules.SignIn(r.Context(), claims, client)
}

// readAnswer refuses repeated parameters, and a code together with an error (item 30).
func readAnswer(raw string) (answer, bool) {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return answer{}, false
	}
	for _, name := range answerNames() {
		if len(query[name]) > 1 {
			return answer{}, false
		}
	}
	got := answer{query.Get("code"), query.Get("state"), query.Get("iss"), query.Get("error"), query.Get("error_description")}
	return got, got.state != "" && (got.code == "") != (got.failure == "")
}

// takeFlow consumes the flow that the state names, for the browser that began it and nobody else (items 31-35).
func (h *Handler) takeFlow(w http.ResponseWriter, r *http.Request, got answer) (domain.Flow, error) {
	state := domain.DigestOf(got.state)
	binding := h.binding(r, state)
	if binding == "" {
		return domain.Flow{}, domain.Errorf(domain.NotFound, "this browser did not begin the sign-in")
	}
	h.cookies.Clear(w, flowName(state))
	flow, err := h.rules.ConsumeFlow(r.Context(), state)
	if err != nil {
		return domain.Flow{}, err
	}
	if h.provider.config.Now().After(flow.ExpiresAt) {
		return domain.Flow{}, domain.Errorf(domain.NotFound, "the sign-in was begun too long ago")
	}
	bound := subtle.ConstantTimeCompare([]byte(domain.DigestOf(binding)), []byte(flow.Binding)) == 1
	switch flow.Purpose {
	case domain.PurposeLogin, domain.PurposeStepUp, domain.PurposeSetUp:
	default:
		bound = false
	}
	if !bound || flow.Provider != h.provider.config.ID || flow.Issuer != h.provider.config.Issuer {
		return domain.Flow{}, domain.Errorf(domain.NotFound, "the sign-in was begun elsewhere or for something else")
	}
	return flow, nil
}

// protocolError is an answer that the provider should not have given.
type protocolError struct {
	reason domain.Reason
	cause  error
}

func (e *protocolError) Error() string { return e.cause.Error() }
func (e *protocolError) Unwrap() error { return e.cause }

// authenticate exchanges the code and verifies the token.
func (h *Handler) authenticate(ctx context.Context, got answer, flow domain.Flow) (domain.Claims, error) {
	meta, err := h.provider.metadata(ctx)
	if err != nil {
		return domain.Claims{}, &protocolError{domain.ReasonUnreachable, err}
	}
	// RFC 9207: on success and on error alike.
	if got.issuer != "" && got.issuer != flow.Issuer || got.issuer == "" && meta.issInAnswer {
		return domain.Claims{}, &protocolError{domain.ReasonBadToken, fmt.Errorf("the answer comes from issuer %.200q", got.issuer)}
	}
	if got.failure != "" {
		return domain.Claims{}, &protocolError{domain.ReasonProviderError, fmt.Errorf("the provider answered %.64q: %.200q", got.failure, got.description)}
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, h.provider.client), providerTimeout)
	defer cancel()
	token, err := h.provider.redeem(meta, func(config oauth2.Config) (*oauth2.Token, error) {
		config.RedirectURL = flow.RedirectURI
		return config.Exchange(ctx, got.code, oauth2.VerifierOption(flow.Verifier))
	})
	if err != nil {
		return domain.Claims{}, &protocolError{exchangeReason(err), exchangeCause(err)}
	}
	claims, err := h.provider.verify(ctx, meta, token, flow)
	if err != nil {
		return domain.Claims{}, &protocolError{tokenReason(err), err}
	}
	return claims, nil
}

// exchangeReason tells a provider that is in trouble from one that says no.
func exchangeReason(err error) domain.Reason {
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refused.Response != nil && refused.Response.StatusCode < http.StatusInternalServerError {
		return domain.ReasonProviderError
	}
	return domain.ReasonUnreachable
}

// exchangeCause keeps the provider's body out of the log: it may repeat the code or the secret.
func exchangeCause(err error) error {
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refused.Response != nil {
		return fmt.Errorf("the token endpoint answered %d %.64q", refused.Response.StatusCode, refused.ErrorCode)
	}
	return fmt.Errorf("the token endpoint: %w", err)
}

func tokenReason(err error) domain.Reason {
	if _, ok := errors.AsType[*awayError](err); ok {
		return domain.ReasonUnreachable
	}
	if _, ok := errors.AsType[*skewError](err); ok {
		return domain.ReasonClockSkew
	}
	if _, ok := errors.AsType[*notProvedError](err); ok {
		return domain.ReasonNotProved
	}
	return domain.ReasonBadToken
}

// explain turns a protocol error into a recorded refusal.
func (h *Handler) explain(r *http.Request, err error) error {
	if wrong, ok := errors.AsType[*protocolError](err); ok {
		return h.refuse(r, wrong.reason, wrong.Error())
	}
	return err
}

// refuse records a refusal and returns it, for render to show.
// It does so for a browser that went away as well: a refused sign-in is always recorded (R43).
func (h *Handler) refuse(r *http.Request, reason domain.Reason, detail string) error {
	refusal := &domain.Refusal{Reason: reason, Detail: plain(detail, maxDetail)}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 5*time.Second)
	defer cancel()
	if err := h.rules.RefuseSignIn(ctx, h.provider.config.ID, refusal, httpx.ClientOf(r)); err != nil {
		httpx.Logger(r.Context()).WarnContext(ctx, "a refused sign-in was not recorded", "error", err)
	}
	return refusal
}

// render shows what went wrong; the cause goes to the log and never to the page.
func (h *Handler) render(w http.ResponseWriter, r *http.Request, err error) {
	if refusal, ok := errors.AsType[*domain.Refusal](err); ok {
		h.provider.config.Count(h.provider.config.ID, string(refusal.Reason))
		httpx.Logger(r.Context()).InfoContext(r.Context(), "sign-in refused", "reason", refusal.Reason, "detail", refusal.Detail)
		h.browser.Refused(w, r, refusal)
		return
	}
	h.provider.config.Count(h.provider.config.ID, domain.AsError(err).Kind.String())
	h.browser.Failed(w, r, err)
}
