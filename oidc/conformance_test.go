package oidc_test

import (
	"testing"

	"muster/domain"
	"muster/internal/testkit/badidp"
)

// The relying-party modules of the OpenID conformance suite that one sign-in can show, by their names;
// those of refreshing, logging out and signing in from elsewhere are beside what they test.
// Items 1, 41, 42, 43, 45, 46 and 49.
func TestConformanceModules(t *testing.T) {
	idp := badidp.New(t)
	const bad, away = string(domain.ReasonBadToken), string(domain.ReasonUnreachable)
	claims := func(changed set) badidp.Knobs {
		return badidp.Knobs{Claims: func(usual map[string]any) { replace(usual, with(usual, changed)) }}
	}
	noKid := func(header map[string]any) { delete(header, "kid") }
	for module, c := range map[string]struct {
		knobs badidp.Knobs
		want  string
	}{
		"oidcc-client-test":                             {badidp.Knobs{Claims: dropEmail, UserInfo: set{"sub": "subject-1", "email": "alice@example.com"}}, "ok"},
		"oidcc-client-test-invalid-iss":                 {claims(set{"iss": idp.Issuer() + "1"}), bad},
		"oidcc-client-test-invalid-aud":                 {claims(set{"aud": badidp.ClientID + "1"}), bad},
		"oidcc-client-test-missing-aud":                 {claims(set{"aud": nil}), bad},
		"oidcc-client-test-missing-iat":                 {claims(set{"iat": nil}), bad},
		"oidcc-client-test-missing-sub":                 {claims(set{"sub": nil}), bad},
		"oidcc-client-test-invalid-sig-rs256":           {badidp.Knobs{BadSignature: true}, bad},
		"oidcc-client-test-invalid-sig-es256":           {badidp.Knobs{Algorithm: "ES256", BadSignature: true}, bad},
		"oidcc-client-test-invalid-sig-hs256":           {badidp.Knobs{Algorithm: "HS256", BadSignature: true}, bad},
		"oidcc-client-test-idtoken-sig-rs256":           {badidp.Knobs{Algorithm: "RS256"}, "ok"},
		"oidcc-client-test-idtoken-sig-none":            {badidp.Knobs{Algorithm: "none"}, bad},
		"oidcc-client-test-kid-absent-single-jwks":      {badidp.Knobs{Header: noKid, Keys: func(keys []map[string]any) []map[string]any { return keys[:1] }}, "ok"},
		"oidcc-client-test-kid-absent-multiple-jwks":    {badidp.Knobs{Header: noKid}, "ok"},
		"oidcc-client-test-invalid-athash":              {claims(set{"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}), bad},
		"oidcc-client-test-missing-athash, a code flow": {claims(set{"at_hash": nil}), "ok"},
		"oidcc-client-test-discovery-issuer-mismatch":   {badidp.Knobs{Discovery: func(m map[string]any) { m["issuer"] = idp.Issuer() + "1" }}, away},
	} {
		t.Run(module, func(t *testing.T) {
			w := newWorldAt(t, idp, nil)
			idp.Set(c.knobs)
			answer := w.get(start)
			if u := answer.Header.Get("Location"); u != "" {
				cookies := answer.Cookies()
				_ = answer.Body.Close()
				answer = w.finish(idp.Authorize(t, u), cookies...)
			}
			if got := outcome(answer); got != c.want || (len(w.rules.signedIn) == 1) != (c.want == "ok") {
				t.Errorf("ended with %q, want %q; signed in %v", got, c.want, w.rules.signedIn)
			}
		})
	}
}

// Items 10 and 49, modules oidcc-client-test-discovery-openid-config, oidcc-client-test-discovery-jwks-uri-keys,
// oidcc-client-test-signing-key-rotation and oidcc-client-test-signing-key-rotation-just-before-signing:
// metadata and keys are found by discovery alone, and a new key at the next sign-in.
func TestConformanceKeys(t *testing.T) {
	w := newWorld(t, nil)
	moved := badidp.Knobs{Discovery: func(m map[string]any) { m["jwks_uri"] = w.idp.Issuer() + "/moved/keys" }}
	w.idp.Set(moved)
	for _, step := range []struct {
		what    string
		before  func()
		fetches int
	}{
		{"oidcc-client-test-discovery-jwks-uri-keys", func() {}, 1},
		{"the keys are known", func() {}, 1},
		{"oidcc-client-test-signing-key-rotation", func() { w.idp.RotateKeys(t, "rsa-2") }, 2},
		{"oidcc-client-test-signing-key-rotation-just-before-signing", func() {
			knobs := moved
			knobs.Claims = func(map[string]any) { w.idp.RotateKeys(t, "rsa-3") }
			w.idp.Set(knobs)
		}, 3},
	} {
		step.before()
		if got := outcome(w.signIn()); got != "ok" || w.idp.KeyFetches() != step.fetches || w.idp.Discoveries() != 1 {
			t.Errorf("%s: %q, %d readings of the keys, want %d, %d of the metadata", step.what, got, w.idp.KeyFetches(), step.fetches, w.idp.Discoveries())
		}
	}
}

// Section 4, rows of our own, item 55: a token answer is looked at whole before anything is believed.
func TestTokenAnswers(t *testing.T) {
	idp := badidp.New(t)
	const bad, away = string(domain.ReasonBadToken), string(domain.ReasonUnreachable)
	for name, c := range map[string]struct {
		answer set
		want   string
	}{
		"item 39: bearer in small letters":   {set{"token_type": "bearer"}, "ok"},
		"item 39: no token type":             {set{"token_type": nil}, bad},
		"item 39: DPoP":                      {set{"token_type": "DPoP"}, bad},
		"item 39: no ID token":               {set{"id_token": nil}, bad},
		"item 39: an empty ID token":         {set{"id_token": ""}, bad},
		"item 39: a list":                    {set{"id_token": []string{"a.b.c"}}, bad},
		"item 39: an error beside the token": {set{"error": "invalid_grant"}, string(domain.ReasonProviderError)},
		"item 39: no access token":           {set{"access_token": ""}, away},
		"item 55: five parts":                {set{"id_token": "e30.AA.AA.AA.AA"}, bad},
		"two parts":                          {set{"id_token": "e30.AA"}, bad},
		"expires_in a text":                  {set{"expires_in": "soon"}, away},
		"expires_in below zero":              {set{"expires_in": -1}, "ok"},
		"no expires_in":                      {set{"expires_in": nil}, "ok"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldAt(t, idp, nil)
			idp.Set(badidp.Knobs{TokenAnswer: func(usual map[string]any) { replace(usual, with(usual, c.answer)) }})
			if got := outcome(w.signIn()); got != c.want {
				t.Errorf("ended with %q, want %q: %v", got, c.want, w.rules.details)
			}
		})
	}
}
