package oidc_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"muster/domain"
	"muster/internal/testkit/badidp"
	"muster/oidc"
)

// signedInWith signs in and returns the session that the rules would keep, with its refresh token.
func (w *world) signedInWith() (domain.Session, string) {
	w.Helper()
	if got := outcome(w.signIn()); got != "ok" {
		w.Fatalf("the sign-in ended with %q", got)
	}
	claims := w.rules.signedIn[len(w.rules.signedIn)-1]
	session := domain.Session{Provider: claims.Provider, Issuer: claims.Issuer, Subject: claims.Subject, TokenSubject: claims.TokenSubject}
	return session, claims.RefreshToken
}

func offline(config *oidc.Config) { config.Scopes = append(config.Scopes, "offline_access") }

// Items 94-96 and oidcc-client-test-refresh-token, -invalid-issuer, -invalid-sub: what renews a session, what ends it,
// and what only means that the provider could not be asked.
func TestRenewal(t *testing.T) {
	const renewed, ended, away = "renewed", "ended", "away"
	claim := func(name string, value any) badidp.Knobs {
		return badidp.Knobs{RefreshClaims: func(c map[string]any) { c[name] = value }}
	}
	answers := func(status int, body string) badidp.Knobs {
		return badidp.Knobs{Refresh: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}}
	}
	for name, c := range map[string]struct {
		knobs badidp.Knobs
		want  string
	}{
		"good":                 {badidp.Knobs{}, renewed},
		"without rotation":     {badidp.Knobs{NoRotation: true}, renewed},
		"without ID token":     {badidp.Knobs{NoRenewedToken: true}, renewed},
		"another issuer":       {claim("iss", "https://evil.example"), ended},
		"another subject":      {claim("sub", "subject-2"), ended},
		"another audience":     {claim("aud", "other"), ended},
		"another azp":          {claim("azp", "other"), ended},
		"expired":              {claim("exp", time.Now().Add(-time.Hour).Unix()), ended},
		"without iat":          {badidp.Knobs{RefreshClaims: func(c map[string]any) { delete(c, "iat") }}, ended},
		"bad signature":        {badidp.Knobs{BadSignature: true}, ended},
		"invalid_grant":        {answers(400, `{"error":"invalid_grant"}`), ended},
		"interaction_required": {answers(400, `{"error":"interaction_required"}`), ended},
		"invalid_client":       {answers(401, `{"error":"invalid_client"}`), away},
		"temporarily":          {answers(400, `{"error":"temporarily_unavailable"}`), away},
		"500":                  {answers(500, ``), away},
		"HTML":                 {answers(200, `<html>`), away},
		"30 MB":                {badidp.Knobs{Refresh: huge}, away},
		"a redirect": {badidp.Knobs{Refresh: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}}, away},
		"keys away, key known":  {badidp.Knobs{KeysHandler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }}, renewed},
		"refused with a secret": {answers(400, `{"error":"invalid_grant","error_description":"`+strings.Repeat("x", 5000)+`"}`), ended},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, offline)
			session, token := w.signedInWith()
			if token == "" {
				t.Fatal("there is no refresh token")
			}
			w.idp.Set(c.knobs)
			renewal, err := oidc.Providers{w.oidc}.Renew(t.Context(), session, token)
			refusal, isRefusal := errors.AsType[*domain.Refusal](err)
			got := renewed
			switch {
			case isRefusal:
				got = ended
			case err != nil:
				got = away
			}
			if got != c.want || isRefusal && len(refusal.Detail) > 600 {
				t.Fatalf("%s: %v", got, err)
			}
			if got == renewed && (!renewal.TokenExpiry.After(time.Now()) || (renewal.RefreshToken == "") != (name == "without rotation") || renewal.RefreshToken == token) {
				t.Errorf("renewed as %+v", renewal)
			}
		})
	}
}

// Item 94: a spent refresh token ends the session, and one of a provider that is no longer configured does too.
func TestSpentRefreshToken(t *testing.T) {
	w := newWorld(t, offline)
	session, token := w.signedInWith()
	providers := oidc.Providers{w.oidc}
	if _, err := providers.Renew(t.Context(), session, token); err != nil {
		t.Fatal(err)
	}
	_, err := providers.Renew(t.Context(), session, token)
	if _, refused := errors.AsType[*domain.Refusal](err); !refused || w.idp.Reused() != 1 {
		t.Errorf("a spent token: %v", err)
	}
	session.Provider = "gone"
	if _, refused := errors.AsType[*domain.Refusal](second(providers.Renew(t.Context(), session, token))); !refused {
		t.Error("a provider that is gone renews")
	}
}

func second[T any](_ T, err error) error { return err }

// Item 97: no token of the provider is kept unless it is needed: refresh tokens by scope, the ID token for ending the provider's session.
func TestTokensKept(t *testing.T) {
	for name, c := range map[string]struct {
		edit        func(*oidc.Config)
		refresh, id bool
	}{
		"none":    {nil, false, false},
		"refresh": {offline, true, false},
		"ID":      {func(c *oidc.Config) { c.KeepIDToken = true }, false, true},
	} {
		w := newWorld(t, c.edit)
		w.signedInWith()
		if got := w.rules.signedIn[0]; (got.RefreshToken != "") != c.refresh || (got.IDToken != "") != c.id {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Item 13: two secrets overlap while one is changed, at sign-in and at renewal; a wrong code is not tried twice.
func TestTwoSecrets(t *testing.T) {
	w := newWorld(t, func(c *oidc.Config) {
		offline(c)
		c.ClientSecret, c.PreviousSecret = "the new one", badidp.ClientSecret
	})
	session, token := w.signedInWith()
	if _, err := (oidc.Providers{w.oidc}).Renew(t.Context(), session, token); err != nil {
		t.Errorf("renewal with the secret before: %v", err)
	}
	if got := w.idp.Exchanges(); got != 4 {
		t.Errorf("%d requests at the token endpoint, want 4", got)
	}
	w.idp.Set(badidp.Knobs{Secret: "the new one"})
	w.signedInWith()
	if got := w.idp.Exchanges(); got != 5 {
		t.Errorf("%d requests after the change, want 5", got)
	}
	w.idp.Set(badidp.Knobs{Token: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
	}})
	if got := outcome(w.signIn()); got != string(domain.ReasonProviderError) || w.idp.Exchanges() != 6 {
		t.Errorf("a refused code: %s after %d requests", got, w.idp.Exchanges())
	}
}

// Item 12: the way of client authentication is what is configured, whatever the metadata say.
func TestAuthMethod(t *testing.T) {
	for method, basic := range map[string]bool{"client_secret_basic": true, "client_secret_post": false, "none": false} {
		w := newWorld(t, func(c *oidc.Config) {
			c.AuthMethod = method
			if method == "none" {
				c.ClientSecret = ""
			}
		})
		w.idp.Set(badidp.Knobs{PublicClient: method == "none", Discovery: func(m map[string]any) {
			m["token_endpoint_auth_methods_supported"] = []string{"private_key_jwt"}
		}})
		w.signedInWith()
		if got := w.idp.Redemptions(); len(got) != 1 || got[0].Basic != basic || got[0].Form.Has("client_secret") != (method == "client_secret_post") {
			t.Errorf("%s: %+v", method, got)
		}
	}
}
