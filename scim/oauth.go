package scim

import (
	"net/http"
	"net/url"
	"strings"

	"muster/domain"
	"muster/internal/httpx"
)

// TokenPath is where clients fetch access tokens.
const TokenPath = "/oauth/token" //nolint:gosec // a path

// maxTokenRequest bounds the body of a token request in bytes.
const maxTokenRequest = 8 << 10

// tokenFailure is an error answer of the token endpoint (RFC 6749 section 5.2).
type tokenFailure struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// TokenEndpoint exchanges the id and the secret of a SCIM token for an access token that lasts an hour
// (OAuth 2.0 client credentials, RFC 6749 section 4.4; S95).
func (s *Server) TokenEndpoint() http.Handler {
	return httpx.Handler(s.serveToken).With(func(w http.ResponseWriter, _ *http.Request, err error) {
		status, _ := statusOf(domain.AsError(err))
		failure := tokenFailure{"temporarily_unavailable", "try again in a moment"}
		if status == http.StatusRequestEntityTooLarge || status == http.StatusBadRequest {
			failure = tokenFailure{"invalid_request", domain.AsError(err).Text}
		}
		_ = httpx.WriteJSON(w, status, "application/json", failure)
	})
}

func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return httpx.WriteJSON(w, http.StatusMethodNotAllowed, "application/json", tokenFailure{"invalid_request", "use POST"})
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxTokenRequest)
	if err := r.ParseForm(); err != nil {
		return domain.Errorf(domain.Invalid, "send grant_type=client_credentials as application/x-www-form-urlencoded")
	}
	if r.PostForm.Get("grant_type") != "client_credentials" {
		return httpx.WriteJSON(w, http.StatusBadRequest, "application/json", tokenFailure{"unsupported_grant_type", "only client_credentials is supported"})
	}
	id, secret, ok := clientOf(r)
	if !ok {
		return httpx.WriteJSON(w, http.StatusBadRequest, "application/json",
			tokenFailure{"invalid_request", "authenticate once: with HTTP Basic, or with client_id and client_secret in the body"})
	}
	token, err := s.service.IssueAccessToken(r.Context(), id, secret)
	if domain.IsKind(err, domain.Unauthenticated) {
		w.Header().Set("WWW-Authenticate", `Basic realm="SCIM"`)
		return httpx.WriteJSON(w, http.StatusUnauthorized, "application/json",
			tokenFailure{"invalid_client", "client_id is the id of a SCIM token, and client_secret its secret"})
	}
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, "application/json", map[string]any{
		"access_token": string(token), "token_type": "Bearer", "expires_in": int(domain.AccessTokenLifetime.Seconds()), "scope": "scim",
	})
}

// clientOf reads the client's id and secret from where RFC 6749 section 2.3.1 allows them, but not from two places at once.
func clientOf(r *http.Request) (id, secret string, ok bool) {
	id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	name, password, basic := r.BasicAuth()
	if !basic {
		return id, secret, id != "" && secret != "" && r.Header.Get("Authorization") == ""
	}
	if secret != "" {
		return "", "", false
	}
	name, err := url.QueryUnescape(name)
	password, passwordErr := url.QueryUnescape(strings.ReplaceAll(password, "+", "%2B"))
	return name, password, err == nil && passwordErr == nil
}
