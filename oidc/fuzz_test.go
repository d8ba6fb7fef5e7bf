package oidc_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"muster/domain"
	"muster/internal/testkit/badidp"
	"muster/oidc"
)

// strange is a claim's value in one of the forms that a provider may give it.
func strange(form uint8, text string, number float64) any {
	forms := []any{text, number, nil, []any{text, number}, set{text: number}, []any{[]any{set{text: nil}}}, number > 0, fmt.Sprint(number), []string{text, text}, json.RawMessage(text)}
	return forms[int(form)%len(forms)]
}

// addStrange adds seeds for each form of value.
func addStrange(f *testing.F) {
	f.Helper()
	for form := range uint8(10) {
		f.Add(form, form, "a@example.com", 1.7e9, form+3, "https://evil.example")
		f.Add(form+7, form, "\x00\r\n\u2028", -1.0, form+11, "relying-party")
	}
	f.Add(uint8(0), uint8(9), `{"src1":"x","groups":"src1"}`, 0.0, uint8(1), `{"src1":{"endpoint":"https://evil.example"}}`)
}

// strangeClaims puts two strange values over usual claims; it reports false for what is no JSON and so can never be signed.
func strangeClaims(usual set, names []string, first, form uint8, text string, number float64, second uint8, other string) (set, bool) {
	claims := with(usual, nil)
	claims[names[int(first)%len(names)]] = strange(form, text, number)
	claims[names[int(second)%len(names)]] = strange(form/10, other, number)
	_, err := json.Marshal(claims)
	return claims, err == nil
}

// FuzzIDToken (F13): whatever a provider signs, nobody panics or waits, what names somebody else or another flow is refused,
// and what reaches the rules can be kept and shown.
func FuzzIDToken(f *testing.F) {
	addStrange(f)
	idp := badidp.New(f)
	names := []string{
		"sub", "iss", "aud", "azp", "exp", "iat", "nbf", "nonce", "auth_time", "acr", "amr", "sid", "email", "email_verified", "name", "given_name", "family_name",
		"groups", "roles", "_claim_names", "_claim_sources", "hasgroups", "at_hash", "oid", "tid", "xms_edov", "events", "typ", "jti",
	}
	f.Fuzz(func(t *testing.T, first, form uint8, text string, number float64, second uint8, other string) {
		if _, ok := strangeClaims(set{}, names, first, form, text, number, second, other); !ok {
			t.Skip("no JSON: the provider could not sign it")
		}
		w := newWorldAt(t, idp, func(config *oidc.Config) { config.Transport = idp })
		w.rules.claims = []string{"groups", "roles"}
		var foreign bool
		w.idp.Set(badidp.Knobs{
			Algorithm: "ES256", UserInfo: set{"sub": "subject-1"},
			Claims: func(claims map[string]any) {
				usual := with(claims, nil)
				changed, _ := strangeClaims(usual, names, first, form, text, number, second, other)
				replace(claims, changed)
				foreign = written(claims["iss"]) != written(usual["iss"]) || written(claims["nonce"]) != written(usual["nonce"])
			},
		})
		got := outcome(w.signIn())
		if got == "" || got == "internal" || got == "ok" && (foreign || len(w.rules.signedIn) != 1) || got != "ok" && len(w.rules.signedIn) != 0 {
			t.Fatalf("ended with %q, signed in %+v", got, w.rules.signedIn)
		}
		for _, claims := range w.rules.signedIn {
			checkKept(t, w, claims)
		}
	})
}

// written is a claim as it reads in a token, without blanks.
func written(claim any) string {
	raw, err := json.Marshal(claim)
	if err != nil {
		return ""
	}
	return string(raw)
}

// checkKept fails for claims that a store or a page could not take.
func checkKept(t *testing.T, w *world, claims domain.Claims) {
	t.Helper()
	texts := append([]string{claims.Subject, claims.TokenSubject, claims.Object, claims.Email, claims.FullName, claims.SessionID, claims.ACR}, claims.AMR...)
	for _, names := range claims.Groups {
		texts = append(texts, names...)
	}
	for _, text := range texts {
		if strings.ContainsFunc(text, unicode.IsControl) || !utf8.ValidString(text) {
			t.Errorf("%q is kept", text)
		}
	}
	if claims.Subject == "" || utf8.RuneCountInString(claims.Subject) > 255 || utf8.RuneCountInString(claims.FullName) > 200 || len(claims.AMR) > 16 {
		t.Errorf("kept %+v", claims)
	}
	if claims.Issuer != w.idp.Issuer() || claims.TokenExpiry.Before(w.clock.Now()) || claims.TokenExpiry.Year() > 9999 {
		t.Errorf("kept %+v", claims)
	}
}

// FuzzBackChannelLogout (F13): whatever is sent, the answer is 400, 413 or a good token's 200, and nothing panics.
func FuzzBackChannelLogout(f *testing.F) {
	for _, seed := range []string{"", "logout_token=", "logout_token=a.b.c", "logout_token=e30.e30.e30", "logout_token=e30.AA.AA.AA.AA", "%zz", "logout_token=x&logout_token=y", "logout_token=bnVsbA.bnVsbA."} {
		f.Add(seed)
	}
	idp := badidp.New(f)
	f.Fuzz(func(t *testing.T, form string) {
		w := newWorldAt(t, idp, func(config *oidc.Config) { config.Transport = idp })
		answer := w.send(http.MethodPost, start+"/backchannel-logout", form, "Content-Type", formType)
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusBadRequest && answer.StatusCode != http.StatusRequestEntityTooLarge || len(w.rules.loggedOut) != 0 {
			t.Errorf("answered %d, logged out %v", answer.StatusCode, w.rules.loggedOut)
		}
	})
}

// FuzzLogoutClaims (F13): whatever a provider signs as a logout token ends the sessions that it names by texts that can be kept, or nothing.
func FuzzLogoutClaims(f *testing.F) {
	addStrange(f)
	idp := badidp.New(f)
	names := []string{"sub", "sid", "jti", "iat", "exp", "iss", "aud", "events", "nonce", "nbf", "azp"}
	f.Fuzz(func(t *testing.T, first, form uint8, text string, number float64, second uint8, other string) {
		w := newWorldAt(t, idp, func(config *oidc.Config) { config.Transport = idp })
		claims, ok := strangeClaims(w.logoutClaims(), names, first, form, text, number, second, other)
		if !ok {
			t.Skip("no JSON: the provider could not sign it")
		}
		answer := w.logOut(mint(idp, "ES256", claims, nil))
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusBadRequest && answer.StatusCode != http.StatusOK || (answer.StatusCode == http.StatusOK) != (len(w.rules.loggedOut) == 1) {
			t.Errorf("answered %d, logged out %v", answer.StatusCode, w.rules.loggedOut)
		}
		for _, logout := range w.rules.loggedOut {
			odd := func(text string) bool { return len(text) > 4*255 || strings.ContainsFunc(text, unicode.IsControl) }
			if odd(logout.Subject) || odd(logout.SID) || odd(logout.TokenID) || logout.TokenID == "" || logout.Subject+logout.SID == "" || logout.Expires.After(w.clock.Now().Add(15*time.Minute)) {
				t.Errorf("logged out %+v", logout)
			}
		}
	})
}
