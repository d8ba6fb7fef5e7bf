package oidc_test

import (
	"compress/gzip"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"muster/domain"
	"muster/internal/testkit/badidp"
	"muster/oidc"
)

// Items 30, 33, 36, 39, 41 to 47, 52, 55 and 56, section 2.1 of the sign-in rules row by row: what go-oidc decides alone and what it leaves to us.
func TestIDTokens(t *testing.T) {
	const bad, skewed = string(domain.ReasonBadToken), string(domain.ReasonClockSkew)
	claim := func(name string, value any) badidp.Knobs {
		return badidp.Knobs{Claims: func(c map[string]any) { c[name] = value }}
	}
	without := func(name string) badidp.Knobs {
		return badidp.Knobs{Claims: func(c map[string]any) { delete(c, name) }}
	}
	at := func(name string, offset time.Duration) badidp.Knobs {
		return badidp.Knobs{Claims: func(c map[string]any) { c[name] = time.Now().Add(offset).Unix() }}
	}
	header := func(name string, value any) badidp.Knobs {
		return badidp.Knobs{Header: func(h map[string]any) { h[name] = value }}
	}
	sum := sha256.Sum256([]byte("access"))
	idp := badidp.New(t)
	goodHash := base64.RawURLEncoding.EncodeToString(sum[:16])
	for name, c := range map[string]struct {
		knobs badidp.Knobs
		want  string
	}{
		"good RS256":                  {badidp.Knobs{}, "ok"},
		"good ES256":                  {badidp.Knobs{Algorithm: "ES256"}, "ok"},
		"wrong iss":                   {claim("iss", "https://evil.example"), bad},
		"iss with a slash":            {badidp.Knobs{Claims: func(c map[string]any) { c["iss"] = fmt.Sprint(c["iss"], "/") }}, bad},
		"wrong aud":                   {claim("aud", "somebody else"), bad},
		"missing aud":                 {without("aud"), bad},
		"missing exp":                 {without("exp"), bad},
		"expired within the leeway":   {at("exp", -30*time.Second), "ok"},
		"expired":                     {at("exp", -2*time.Minute), skewed},
		"alg none":                    {badidp.Knobs{Algorithm: "none"}, bad},
		"HS256 with the secret":       {badidp.Knobs{Algorithm: "HS256"}, bad},
		"HS256 with the public key":   {badidp.Knobs{Algorithm: "HS256-public"}, bad},
		"PS256 not advertised":        {badidp.Knobs{Algorithm: "PS256"}, bad},
		"bad signature":               {badidp.Knobs{BadSignature: true}, bad},
		"RS token with the ES kid":    {header("kid", "ec-1"), bad},
		"embedded jwk":                {badidp.Knobs{BadSignature: true, Header: func(h map[string]any) { h["jwk"] = map[string]any{"kty": "oct", "k": "AA"} }}, bad},
		"nbf far ahead":               {at("nbf", 6*time.Minute), skewed},
		"nbf 4 min ahead":             {at("nbf", 4*time.Minute), skewed},
		"nbf within the leeway":       {at("nbf", 45*time.Second), "ok"},
		"nbf as text":                 {claim("nbf", "soon"), bad},
		"exp as text":                 {claim("exp", "late"), bad},
		"exp beyond all time":         {claim("exp", 1e30), bad},
		"sub as number":               {claim("sub", 7), bad},
		"sub with a NUL":              {claim("sub", "a\x00b"), bad},
		"missing sub":                 {without("sub"), bad},
		"empty sub":                   {claim("sub", ""), bad},
		"sub of 300 characters":       {claim("sub", strings.Repeat("x", 300)), bad},
		"missing iat":                 {without("iat"), bad},
		"iat an hour ahead":           {at("iat", time.Hour), skewed},
		"iat a year old":              {at("iat", -365*24*time.Hour), skewed},
		"iat 5 min ahead":             {at("iat", 5*time.Minute), skewed},
		"iat as text":                 {claim("iat", "now"), bad},
		"iat within the leeway":       {at("iat", 45*time.Second), "ok"},
		"missing nonce":               {without("nonce"), bad},
		"wrong nonce":                 {claim("nonce", "another"), bad},
		"two audiences without azp":   {claim("aud", []string{badidp.ClientID, "other"}), bad},
		"two audiences with our azp":  {badidp.Knobs{Claims: func(c map[string]any) { c["aud"], c["azp"] = []string{badidp.ClientID, "other"}, badidp.ClientID }}, "ok"},
		"two audiences, other's azp":  {badidp.Knobs{Claims: func(c map[string]any) { c["aud"], c["azp"] = []string{badidp.ClientID, "other"}, "other" }}, bad},
		"azp of another":              {claim("azp", "other"), bad},
		"azp as number":               {claim("azp", 7), bad},
		"nonce as number":             {claim("nonce", 7), bad},
		"typ at+jwt":                  {header("typ", "at+jwt"), bad},
		"typ logout+jwt":              {header("typ", "logout+jwt"), bad},
		"typ application/jwt":         {header("typ", "application/jwt"), "ok"},
		"bad at_hash":                 {claim("at_hash", "AAAA"), bad},
		"good at_hash":                {claim("at_hash", goodHash), "ok"},
		"kid in token, none in keys":  {badidp.Knobs{Keys: withoutKid, Header: func(h map[string]any) { delete(h, "kid") }}, "ok"},
		"no id_token":                 {badidp.Knobs{TokenAnswer: func(a map[string]any) { delete(a, "id_token") }}, bad},
		"id_token is a number":        {badidp.Knobs{TokenAnswer: func(a map[string]any) { a["id_token"] = 7 }}, bad},
		"token type mac":              {badidp.Knobs{TokenAnswer: func(a map[string]any) { a["token_type"] = "mac" }}, bad},
		"wrong iss parameter":         {badidp.Knobs{Callback: func(v url.Values) { v.Set("iss", "https://evil.example") }}, bad},
		"missing iss parameter":       {badidp.Knobs{Callback: func(v url.Values) { v.Del("iss") }}, bad},
		"error from the provider":     {badidp.Knobs{Callback: func(v url.Values) { v.Del("code"); v.Set("error", "access_denied") }}, string(domain.ReasonProviderError)},
		"code and error":              {badidp.Knobs{Callback: func(v url.Values) { v.Set("error", "access_denied") }}, string(domain.ReasonFlowLost)},
		"repeated state":              {badidp.Knobs{Callback: func(v url.Values) { v.Add("state", "x") }}, string(domain.ReasonFlowLost)},
		"missing state":               {badidp.Knobs{Callback: func(v url.Values) { v.Del("state") }}, string(domain.ReasonFlowLost)},
		"userinfo of somebody else":   {badidp.Knobs{Claims: dropEmail, UserInfo: map[string]any{"sub": "other", "email": "eve@example.com"}}, bad},
		"userinfo away":               {badidp.Knobs{Claims: dropEmail}, string(domain.ReasonUnreachable)},
		"userinfo in HTML":            {badidp.Knobs{Claims: dropEmail, UserInfoHandler: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }}, bad},
		"userinfo with the address":   {badidp.Knobs{Claims: dropEmail, UserInfo: map[string]any{"sub": "subject-1", "email": "a@example.com", "email_verified": 1}}, "ok"},
		"no kid, several keys":        {badidp.Knobs{Header: func(h map[string]any) { delete(h, "kid") }}, "ok"},
		"kid in token, keys without":  {badidp.Knobs{Keys: withoutKid}, bad},
		"two keys with one kid":       {badidp.Knobs{Keys: sameKid, Header: func(h map[string]any) { h["kid"] = "one" }}, "ok"},
		"encrypted":                   {badidp.Knobs{TokenAnswer: func(a map[string]any) { a["id_token"] = "e30.AA.AA.AA.AA" }}, bad},
		"no JWT":                      {badidp.Knobs{TokenAnswer: func(a map[string]any) { a["id_token"] = "<html>" }}, bad},
		"no access token":             {badidp.Knobs{TokenAnswer: func(a map[string]any) { delete(a, "access_token") }}, string(domain.ReasonUnreachable)},
		"PKCE not listed":             {badidp.Knobs{Discovery: func(m map[string]any) { m["code_challenge_methods_supported"] = []string{"plain"} }}, "ok"},
		"no iss parameter promised":   {badidp.Knobs{Discovery: func(m map[string]any) { delete(m, "authorization_response_iss_parameter_supported") }, Callback: func(v url.Values) { v.Del("iss") }}, "ok"},
		"wrong iss on an error":       {badidp.Knobs{Callback: func(v url.Values) { v.Del("code"); v.Set("error", "x"); v.Set("iss", "https://evil.example") }}, bad},
		"an error without iss":        {badidp.Knobs{Callback: func(v url.Values) { v.Del("code"); v.Set("error", "x"); v.Del("iss") }}, bad},
		"neither code nor error":      {badidp.Knobs{Callback: func(v url.Values) { v.Del("code") }}, string(domain.ReasonFlowLost)},
		"repeated code":               {badidp.Knobs{Callback: func(v url.Values) { v.Add("code", "x") }}, string(domain.ReasonFlowLost)},
		"repeated iss":                {badidp.Knobs{Callback: func(v url.Values) { v.Add("iss", "x") }}, string(domain.ReasonFlowLost)},
		"another's state":             {badidp.Knobs{Callback: func(v url.Values) { v.Set("state", "guess") }}, string(domain.ReasonFlowLost)},
		"provider's clock 45 s off":   {badidp.Knobs{Now: func() time.Time { return time.Now().Add(-45 * time.Second) }}, "ok"},
		"provider's clock 5 min off":  {badidp.Knobs{Now: func() time.Time { return time.Now().Add(5 * time.Minute) }}, skewed},
		"provider's clock 10 min off": {badidp.Knobs{Now: func() time.Time { return time.Now().Add(10 * time.Minute) }}, skewed},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldAt(t, idp, nil)
			w.idp.Set(c.knobs)
			if got := outcome(w.signIn()); got != c.want {
				t.Errorf("the sign-in ended with %q, want %q", got, c.want)
			}
			if (c.want == "ok") != (len(w.rules.signedIn) == 1) || (c.want == "ok") == (len(w.rules.refused) > 0) {
				t.Errorf("signed in %v, refused %v", w.rules.signedIn, w.rules.refused)
			}
		})
	}
}

func dropEmail(claims map[string]any) { delete(claims, "email"); delete(claims, "email_verified") }

func withoutKid(keys []map[string]any) []map[string]any {
	for _, key := range keys {
		delete(key, "kid")
	}
	return keys
}

func sameKid(keys []map[string]any) []map[string]any {
	for _, key := range keys {
		key["kid"] = "one"
	}
	return keys
}

// Item 53, A2: only true and "true" make an address trusted; R10: the operator may trust the provider.
func TestEmailVerified(t *testing.T) {
	idp := badidp.New(t)
	for _, c := range []struct {
		value any
		trust bool
		want  bool
	}{{true, false, true}, {"true", false, true}, {false, false, false}, {"false", false, false}, {1, false, false}, {"yes", false, false}, {nil, false, false}, {nil, true, true}} {
		w := newWorldAt(t, idp, func(config *oidc.Config) { config.TrustEmail = c.trust })
		w.idp.Set(badidp.Knobs{Claims: func(claims map[string]any) { claims["email_verified"] = c.value }})
		if got := outcome(w.signIn()); got != "ok" || w.rules.signedIn[0].EmailTrusted != c.want {
			t.Errorf("email_verified %v, trust %v: %s, %+v", c.value, c.trust, got, w.rules.signedIn)
		}
	}
}

// R11: the subject is sub, or the claim of the longest matching issuer prefix.
func TestSubjectClaim(t *testing.T) {
	w := newWorld(t, func(config *oidc.Config) {
		config.SubjectClaims = map[string]string{"http://": "sub", "http://127.": "oid"}
	})
	w.idp.Set(badidp.Knobs{Claims: func(claims map[string]any) { claims["oid"] = "object-id" }})
	if got := outcome(w.signIn()); got != "ok" || w.rules.signedIn[0].Subject != "object-id" {
		t.Errorf("%s, %+v", got, w.rules.signedIn)
	}
	w.idp.Set(badidp.Knobs{})
	if got := outcome(w.signIn()); got != string(domain.ReasonBadToken) {
		t.Errorf("a token without the claim: %s", got)
	}
}

// Items 2-4, 9, 12, 40, A45: what discovery and the token endpoint may not do.
func TestBadEndpoints(t *testing.T) {
	idp := badidp.New(t)
	edit := func(name string, value any) badidp.Knobs {
		return badidp.Knobs{Discovery: func(m map[string]any) { m[name] = value }}
	}
	answer := func(handler http.HandlerFunc) badidp.Knobs { return badidp.Knobs{Discover: handler} }
	for name, knobs := range map[string]badidp.Knobs{
		"another issuer":            edit("issuer", "https://evil.example"),
		"trailing slash":            {Discovery: func(m map[string]any) { m["issuer"] = fmt.Sprint(m["issuer"], "/") }},
		"no token endpoint":         edit("token_endpoint", ""),
		"no keys":                   edit("jwks_uri", ""),
		"plain http, link-local":    edit("jwks_uri", "http://169.254.169.254/keys"),
		"userinfo part":             edit("token_endpoint", "https://good@evil.example/token"),
		"fragment":                  edit("authorization_endpoint", "https://idp.example/authorize#x"),
		"only symmetric algorithms": edit("id_token_signing_alg_values_supported", []string{"HS256", "none"}),
		"HTML":                      answer(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }),
		"30 MB":                     answer(huge),
		"gzip bomb":                 answer(bomb),
		"500":                       answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldAt(t, idp, nil)
			w.idp.Set(knobs)
			got := w.get(start)
			if reason := outcome(got); reason != string(domain.ReasonUnreachable) {
				t.Errorf("the start answered %d %q", got.StatusCode, reason)
			}
			// Item 8: it recovers by itself once the provider does.
			w.idp.Set(badidp.Knobs{})
			w.clock.Advance(2 * time.Second)
			if got := outcome(w.signIn()); got != "ok" {
				t.Errorf("after the provider recovered: %q", got)
			}
		})
	}
}

// Items 1 and 2: an issuer must be https, and the error about another issuer names both and points at the slash.
func TestIssuer(t *testing.T) {
	idp := badidp.New(t)
	for name, c := range map[string]struct{ configured, discovered, want string }{
		"plain http":   {"http://idp.example", "http://idp.example", "https is required"},
		"with a user":  {"https://a@idp.example", "https://a@idp.example", "without user"},
		"another":      {"https://idp.example", "https://evil.example", `"https://idp.example" and the provider calls itself "https://evil.example"`},
		"only a slash": {"https://idp.example", "https://idp.example/", "mind the slash"},
		"right":        {"https://idp.example/.well-known/openid-configuration", "https://idp.example", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldAt(t, idp, func(config *oidc.Config) { config.Issuer, config.Transport = c.configured, idp })
			idp.Set(badidp.Knobs{Discovery: func(m map[string]any) { m["issuer"] = c.discovered }})
			_ = outcome(w.get(start))
			if ready, problem := w.oidc.Status(); ready != (c.want == "") || !strings.Contains(problem, c.want) || c.want == "" && problem != "" {
				t.Errorf("ready %v, problem %q, want %q", ready, problem, c.want)
			}
		})
	}
}

func huge(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	chunk := []byte(strings.Repeat(" ", 1<<16))
	for range 480 {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

func bomb(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	w.Header().Set("Content-Type", "application/json")
	zipped := gzip.NewWriter(w)
	defer func() { _ = zipped.Close() }()
	chunk := []byte(strings.Repeat(" ", 1<<16))
	for range 480 {
		if _, err := zipped.Write(chunk); err != nil {
			return
		}
	}
}

// Item 7, 40: the token endpoint's redirects are not followed, and its failures end the sign-in after one attempt.
func TestTokenEndpoint(t *testing.T) {
	stolen := 0
	thief := badidp.New(t)
	thief.Set(badidp.Knobs{Token: func(http.ResponseWriter, *http.Request) { stolen++ }})
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    domain.Reason
	}{
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, thief.Issuer()+"/token", http.StatusTemporaryRedirect)
		}, domain.ReasonProviderError},
		"no such":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) }, domain.ReasonProviderError},
		"in trouble": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, domain.ReasonUnreachable},
		"HTML":       {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, domain.ReasonUnreachable},
		"30 MB":      {huge, domain.ReasonUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.idp.Set(badidp.Knobs{Token: c.handler})
			if got := outcome(w.signIn()); got != string(c.want) {
				t.Errorf("ended with %q, want %q", got, c.want)
			}
			if got := w.idp.Exchanges(); got != 1 {
				t.Errorf("%d requests at the token endpoint, want 1", got)
			}
		})
	}
	if stolen != 0 {
		t.Error("the code and the secret were handed to another origin")
	}
}

// Items 49 to 51: rotation heals at once, a withdrawn key stops, and an outage does not.
func TestKeys(t *testing.T) {
	w := newWorld(t, nil)
	ok := func(what string) {
		t.Helper()
		if got := outcome(w.signIn()); got != "ok" {
			t.Errorf("%s: %q", what, got)
		}
	}
	ok("first sign-in")
	w.idp.RotateKeys(t, "rsa-2")
	ok("a new key id")
	away := func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, `{"keys": []}`)
	}
	w.idp.Set(badidp.Knobs{KeysHandler: away})
	ok("keys away, known key")
	w.clock.Advance(time.Hour)
	w.idp.Set(badidp.Knobs{Now: w.clock.Now, KeysHandler: away})
	ok("keys away for an hour, known key")
	w.idp.Set(badidp.Knobs{Now: w.clock.Now, Keys: func(keys []map[string]any) []map[string]any { return keys[1:] }})
	w.clock.Advance(2 * time.Minute)
	if got := outcome(w.signIn()); got != string(domain.ReasonBadToken) {
		t.Errorf("a withdrawn key after an hour: %q", got)
	}
}

// Items 48 and F15: a thousand ID tokens with unknown key ids within a minute fetch the keys at most ten times, and a good one still works.
func TestUnknownKeys(t *testing.T) {
	idp := badidp.New(t)
	w := newWorldAt(t, idp, func(config *oidc.Config) { config.Transport = idp })
	idp.Set(badidp.Knobs{Algorithm: "ES256", Now: w.clock.Now, Header: func(h map[string]any) { h["kid"] = rand.Text() }})
	for i := range 1000 {
		w.address = fmt.Sprintf("10.0.0.%d:1000", i%100)
		w.clock.Advance(60 * time.Millisecond)
		if got := outcome(w.signIn()); got != string(domain.ReasonBadToken) {
			t.Fatalf("a forged key id: %q", got)
		}
	}
	if got := idp.KeyFetches(); got > 10 {
		t.Errorf("1,000 forged key ids fetched the keys %d times within a minute, want at most 10", got)
	}
	idp.Set(badidp.Knobs{Now: w.clock.Now})
	if got := outcome(w.signIn()); got != "ok" {
		t.Errorf("a good token in the flood: %q", got)
	}
}
