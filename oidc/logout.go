package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"muster/domain"
	"muster/internal/httpx"
)

const (
	// maxLogout is the largest request by which a provider ends sessions.
	maxLogout = 64 << 10
	// maxLogoutAge is how long a logout token may be valid: one that is good for years is good for replaying (item 104).
	maxLogoutAge = 10 * time.Minute
	logoutEvent  = "http://schemas.openid.net/event/backchannel-logout"
)

// requestError is a provider's request that is not accepted; its text is short and holds nothing of the token.
type requestError struct {
	status int
	// code is the error code of the answer's body.
	code  string
	cause error
}

func (e *requestError) Error() string { return e.code + ": " + e.cause.Error() }
func (e *requestError) Unwrap() error { return e.cause }

func badRequest(format string, args ...any) error {
	return &requestError{http.StatusBadRequest, "invalid_request", fmt.Errorf(format, args...)}
}

// backChannelLogout ends the sessions that a logout token names (OpenID Connect Back-Channel Logout 1.0).
// It takes no cookies, and nothing that is wrong with a token ends any session.
func (h *Handler) backChannelLogout(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	raw, err := logoutToken(w, r)
	if err != nil {
		return err
	}
	logout, err := h.provider.verifyLogout(r.Context(), raw)
	if err != nil {
		return err
	}
	if err := h.rules.EndProviderSessions(r.Context(), logout, httpx.ClientOf(r)); err != nil {
		return err
	}
	h.provider.config.Count(h.provider.config.ID, "backchannel_logout")
	w.WriteHeader(http.StatusOK)
	return nil
}

func logoutToken(w http.ResponseWriter, r *http.Request) (string, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Method != http.MethodPost || err != nil || kind != "application/x-www-form-urlencoded" {
		return "", badRequest("a logout is a POST of a form with a logout_token")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxLogout)
	if err := r.ParseForm(); err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return "", &requestError{http.StatusRequestEntityTooLarge, "invalid_request", err}
		}
		return "", badRequest("the form could not be read")
	}
	if tokens := r.PostForm["logout_token"]; len(tokens) == 1 && tokens[0] != "" {
		return tokens[0], nil
	}
	return "", badRequest("the form holds no logout_token, or several")
}

// verifyLogout checks a logout token (Back-Channel Logout section 2.6); go-oidc checks signature, issuer and audience,
// and what it leaves open is checked here (item 104).
func (p *Provider) verifyLogout(ctx context.Context, raw string) (domain.ProviderLogout, error) {
	kind, err := typeOf(raw)
	if err != nil {
		return domain.ProviderLogout{}, badRequest("%w", err)
	}
	accepted := []string{"logout+jwt", "application/logout+jwt"}
	if !p.config.LogoutTypeRequired {
		accepted = append(accepted, "", "jwt", "application/jwt")
	}
	if !slices.Contains(accepted, kind) {
		return domain.ProviderLogout{}, badRequest("a token of type %.32q is no logout token", kind)
	}
	claims, err := p.signedBy(ctx, raw, p.config.ClientID)
	if err != nil {
		return domain.ProviderLogout{}, err
	}
	logout := domain.ProviderLogout{
		Provider: p.config.ID, Issuer: p.config.Issuer, Subject: claims.text("sub"), SID: claims.text("sid"),
		TokenID: claims.text("jti"), Channel: "back",
	}
	logout.Expires, err = p.checkSignal(claims)
	if err == nil {
		err = checkLogoutClaims(claims, logout)
	}
	return logout, err
}

func checkLogoutClaims(claims claimSet, logout domain.ProviderLogout) error {
	var events map[string]json.RawMessage
	if err := json.Unmarshal(claims["events"], &events); err != nil {
		return badRequest("events is no JSON object")
	}
	var event map[string]any
	if err := json.Unmarshal(events[logoutEvent], &event); err != nil || event == nil {
		return badRequest("events does not hold the logout event with an object")
	}
	switch {
	case claims.has("nonce"):
		return badRequest("a logout token has no nonce")
	case logout.Subject == "" && logout.SID == "":
		return badRequest("neither sub nor sid says whose session has ended")
	case claims.has("sub") && !isSubject(logout.Subject) || claims.has("sid") && sessionID(logout.SID) == "":
		return badRequest("sub or sid is no text, or longer than 255 characters")
	default:
		return nil
	}
}

// signedBy returns the claims of a token that the provider signed for an audience.
func (p *Provider) signedBy(ctx context.Context, raw, audience string) (claimSet, error) {
	meta, err := p.metadata(ctx)
	if err != nil {
		return nil, domain.Wrap(domain.Unavailable, err, "the provider's keys cannot be read now").After(5 * time.Second)
	}
	checks := *meta.checks
	checks.ClientID = audience
	verified, err := p.checkToken(ctx, meta, &checks, raw)
	if _, away := errors.AsType[*awayError](err); away {
		return nil, domain.Wrap(domain.Unavailable, err, "the provider's keys cannot be read now").After(5 * time.Second)
	}
	if err != nil {
		return nil, badRequest("%w", err)
	}
	var claims claimSet
	if err := verified.Claims(&claims); err != nil {
		return nil, badRequest("the token's claims: %w", err)
	}
	return claims, nil
}

// checkSignal checks what makes a token good once and for a short time only, and returns until when it must be remembered.
func (p *Provider) checkSignal(claims claimSet) (time.Time, error) {
	now := p.config.Now()
	issued, hasIssued := claims.time("iat")
	expiry, hasExpiry := claims.time("exp")
	switch {
	case !isSubject(claims.text("jti")):
		return time.Time{}, badRequest("jti is missing, no text, or longer than 255 characters")
	case !hasIssued || !hasExpiry:
		return time.Time{}, badRequest("iat or exp is missing or no time")
	case issued.After(now.Add(skew)):
		return time.Time{}, badRequest("the token was issued at %s and it is %s here", issued.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	case now.After(expiry.Add(skew)):
		return time.Time{}, badRequest("the token expired at %s and it is %s here", expiry.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	case expiry.Sub(now) > maxLogoutAge+skew:
		return time.Time{}, badRequest("the token is good for more than %s", maxLogoutAge)
	default:
		return expiry.Add(skew), nil
	}
}

// frontChannelLogout ends the sessions of a provider's session (OpenID Connect Front-Channel Logout 1.0), which the provider
// asks for from a frame in the browser. No cookie need come with it: nobody can guess a sid.
func (h *Handler) frontChannelLogout(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	if query.Get("iss") != h.provider.config.Issuer || sessionID(query.Get("sid")) == "" || len(query["iss"]) > 1 || len(query["sid"]) > 1 {
		http.Error(w, "iss and sid must name a session of this provider", http.StatusBadRequest)
		return nil
	}
	err := h.rules.EndProviderSessions(r.Context(), domain.ProviderLogout{
		Provider: h.provider.config.ID, Issuer: h.provider.config.Issuer, SID: query.Get("sid"), Channel: "front",
	}, httpx.ClientOf(r))
	if err != nil {
		return err
	}
	h.provider.config.Count(h.provider.config.ID, "frontchannel_logout")
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	w.WriteHeader(http.StatusOK)
	return nil
}

// revocation is the body of a global token revocation; Okta's older form calls sub_id "subject".
type revocation struct {
	SubjectID *subjectID `json:"sub_id"`
	Subject   *subjectID `json:"subject"`
}

// subjectID names a person (RFC 9493 section 3).
type subjectID struct {
	Format  string `json:"format"`
	Issuer  string `json:"iss"`
	Subject string `json:"sub"`
	Email   string `json:"email"`
}

// revokeSubject ends every session and key of a person at once (Okta's Universal Logout, draft-parecki-oauth-global-token-revocation).
func (h *Handler) revokeSubject(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	raw, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || raw == "" || len(raw) > maxLogout {
		return unauthorized(errors.New("there is no bearer token"))
	}
	subject, err := h.provider.verifyRevocation(r.Context(), raw)
	if err != nil {
		return err
	}
	if err := readRevocation(w, r, &subject); err != nil {
		return err
	}
	if err := h.rules.RevokeSubject(r.Context(), subject, httpx.ClientOf(r)); err != nil {
		return err
	}
	h.provider.config.Count(h.provider.config.ID, "global_token_revocation")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func unauthorized(cause error) error {
	return &requestError{http.StatusUnauthorized, "invalid_token", cause}
}

// verifyRevocation checks the assertion by which the provider shows that it is the provider:
// signed by its keys, made for this very endpoint and for nothing else, about our client, good once.
func (p *Provider) verifyRevocation(ctx context.Context, raw string) (domain.RevokedSubject, error) {
	none := domain.RevokedSubject{}
	kind, err := typeOf(raw)
	if err != nil || kind != "global-token-revocation+jwt" {
		return none, unauthorized(fmt.Errorf("a token of type %.32q is no global token revocation", kind))
	}
	claims, err := p.signedBy(ctx, raw, p.config.PublicURL+revocationPath(p.config.ID))
	if domain.IsKind(err, domain.Unavailable) {
		return none, err
	}
	if err != nil {
		return none, unauthorized(err)
	}
	if claims.text("sub") != p.config.ClientID {
		return none, unauthorized(fmt.Errorf("the token is about the client %.64q", claims.text("sub")))
	}
	expires, err := p.checkSignal(claims)
	if err != nil {
		return none, unauthorized(err)
	}
	return domain.RevokedSubject{Provider: p.config.ID, Issuer: p.config.Issuer, TokenID: claims.text("jti"), Expires: expires}, nil
}

func readRevocation(w http.ResponseWriter, r *http.Request, subject *domain.RevokedSubject) error {
	var body revocation
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxLogout)).Decode(&body)
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return &requestError{http.StatusRequestEntityTooLarge, "invalid_request", err}
	}
	named := body.SubjectID
	if named == nil {
		named = body.Subject
	}
	if err != nil || named == nil {
		return badRequest("the body must be a JSON object with a sub_id")
	}
	switch named.Format {
	case "iss_sub":
		subject.Subject = named.Subject
		if !isSubject(named.Subject) {
			return badRequest("sub is missing or longer than 255 characters")
		}
		if named.Issuer != subject.Issuer {
			return &requestError{http.StatusNotFound, "invalid_request", errors.New("the subject is of another issuer")}
		}
	case "email":
		subject.Email = strings.TrimSpace(named.Email)
		if !domain.IsEmail(subject.Email) {
			return badRequest("email is missing or no address")
		}
	default:
		return badRequest("the format %.32q is not known; allowed are iss_sub and email", named.Format)
	}
	return nil
}

// failJSON answers a provider's request that failed, and no browser's.
func (h *Handler) failJSON(w http.ResponseWriter, r *http.Request, err error) {
	status, code := http.StatusInternalServerError, "server_error"
	known := domain.AsError(err)
	if wrong, ok := errors.AsType[*requestError](err); ok {
		status, code = wrong.status, wrong.code
		httpx.Logger(r.Context()).InfoContext(r.Context(), "a provider's request was refused", "provider", h.provider.config.ID, "error", plain(wrong.Error(), maxDetail))
	} else {
		switch known.Kind { //nolint:exhaustive // the rest are defects
		case domain.NotFound:
			status, code = http.StatusNotFound, "invalid_request"
		case domain.Unavailable, domain.Unknown:
			status, code = http.StatusServiceUnavailable, "temporarily_unavailable"
		}
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	}
	_ = httpx.WriteJSON(w, status, "application/json", map[string]string{"error": code})
}

// EndSession returns where the browser ends the provider's own session (OpenID Connect RP-Initiated Logout 1.0), with the state
// that comes back; it is empty where the provider has no such place or is not to be asked.
func (p *Provider) EndSession(signedOut domain.SignedOut) (target, state string) {
	meta := p.known()
	if !p.config.KeepIDToken || meta == nil || meta.endSession == "" {
		return "", ""
	}
	u, err := url.Parse(meta.endSession)
	if err != nil {
		return "", ""
	}
	state = domain.NewOpaque()
	query := u.Query()
	query.Set("client_id", p.config.ClientID)
	query.Set("post_logout_redirect_uri", p.config.PublicURL+SignedOutPath)
	query.Set("state", state)
	if signedOut.IDToken != "" {
		query.Set("id_token_hint", signedOut.IDToken)
	} else if signedOut.Email != "" {
		query.Set("logout_hint", signedOut.Email)
	}
	u.RawQuery = query.Encode()
	return u.String(), state
}

// SignedOutPath is where a provider sends the browser after its own session has ended; it is registered there.
const SignedOutPath = "/signed-out"

// EndSessionOrigin returns the origin that EndSession leads to, for the page's policy; empty when there is none.
func (p *Provider) EndSessionOrigin() string {
	meta := p.known()
	if !p.config.KeepIDToken || meta == nil || meta.endSession == "" {
		return ""
	}
	u, err := url.Parse(meta.endSession)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
