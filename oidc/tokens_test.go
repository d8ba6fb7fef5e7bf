package oidc_test

import (
	"crypto/rand"
	"encoding/base64"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"muster/internal/testkit/badidp"
)

// set is claims or headers.
type set = map[string]any

// with puts other entries over the usual ones; a nil value takes one away.
func with(usual, other set) set {
	all := maps.Clone(usual)
	maps.Copy(all, other)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	return all
}

// replace makes one set of entries another, in place.
func replace(usual, by set) {
	clear(usual)
	maps.Copy(usual, by)
}

// mint has a provider sign claims of the test's own; the provider behaves again afterwards.
func mint(idp *badidp.Provider, algorithm string, claims, header set) string {
	idp.Set(badidp.Knobs{
		Algorithm: algorithm, Claims: func(usual map[string]any) { replace(usual, claims) },
		Header: func(usual map[string]any) { replace(usual, with(usual, header)) },
	})
	defer idp.Set(badidp.Knobs{})
	return idp.IDToken("")
}

const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// logoutClaims are those of a good logout token.
func (w *world) logoutClaims() set {
	now := w.clock.Now()
	return set{
		"iss": w.idp.Issuer(), "aud": badidp.ClientID, "iat": now.Unix(), "exp": now.Add(2 * time.Minute).Unix(), "jti": rand.Text(),
		"sub": "subject-1", "sid": "s1", "events": set{logoutEvent: set{}},
	}
}

// send sends a request with a body and headers, which are names and values by turns.
func (w *world) send(method, target, body string, headers ...string) *http.Response {
	w.Helper()
	r := httptest.NewRequestWithContext(w.Context(), method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, r)
	return recorder.Result()
}

const formType = "application/x-www-form-urlencoded"

// logOut sends a logout token as providers do, without any cookie.
func (w *world) logOut(token string) *http.Response {
	w.Helper()
	return w.send(http.MethodPost, start+"/backchannel-logout", url.Values{"logout_token": {token}}.Encode(), "Content-Type", formType)
}

// encode is a part of a token.
func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// body reads an answer to its end.
func body(t testing.TB, answer *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	return string(text)
}

// authorizationQuery begins a sign-in and returns what the provider is asked for.
func (w *world) authorizationQuery(query string, cookies ...*http.Cookie) (url.Values, []*http.Cookie) {
	w.Helper()
	authorization, flow := w.begin(query, cookies...)
	u, err := url.Parse(authorization)
	if err != nil {
		w.Fatal(err)
	}
	return u.Query(), flow
}
