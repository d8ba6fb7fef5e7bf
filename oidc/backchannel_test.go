package oidc_test

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"muster/domain"
	"muster/internal/testkit/badidp"
	"muster/oidc"
)

// jsonError is how every request of a provider that is refused must be answered: JSON, not kept by anybody, no cookie and no way on.
func jsonError(t *testing.T, answer *http.Response, status int, code string) {
	t.Helper()
	text := body(t, answer)
	if answer.StatusCode != status || text != fmt.Sprintf("{\"error\":%q}\n", code) {
		t.Errorf("answered %d %q, want %d with %q", answer.StatusCode, text, status, code)
	}
	if h := answer.Header; h.Get("Content-Type") != "application/json" || h.Get("Cache-Control") != "no-store" || h.Get("Location") != "" || len(answer.Cookies()) != 0 {
		t.Errorf("the headers are %v", h)
	}
}

// Items 103 to 106, modules oidcc-client-test-rp-backchannel-rpinitlogout and its variants, A38: a good token ends what it names,
// by the sessions' rules alone; anything else is refused with 400 and ends nothing.
func TestBackChannelLogout(t *testing.T) {
	idp, stranger := badidp.New(t), badidp.New(t)
	w := newWorldAt(t, idp, func(config *oidc.Config) { config.Transport = idp })
	ahead := func(d time.Duration) int64 { return w.clock.Now().Add(d).Unix() }
	const bad = http.StatusBadRequest
	for name, c := range map[string]struct {
		algorithm      string
		claims, header set
		want           int
	}{
		"oidcc-client-test-rp-backchannel-rpinitlogout":             {"", nil, nil, http.StatusOK},
		"oidcc-client-test-rp-backchannel-rpinitlogout-alg-none":    {"none", nil, nil, bad},
		"oidcc-client-test-rp-backchannel-rpinitlogout-wrong-alg":   {"HS256", nil, nil, bad},
		"oidcc-client-test-rp-backchannel-rpinitlogout-no-event":    {"", set{"events": nil}, nil, bad},
		"oidcc-client-test-rp-backchannel-rpinitlogout-wrong-event": {"", set{"events": set{"https://other.example/event": set{}}}, nil, bad},
		"oidcc-client-test-rp-backchannel-rpinitlogout-with-nonce":  {"", set{"nonce": "n"}, nil, bad},
		"oidcc-client-test-rp-backchannel-rpinitlogout-wrong-aud":   {"", set{"aud": "another client"}, nil, bad},
		"oidcc-client-test-rp-backchannel-rpinitlogout-wrong-iss":   {"", set{"iss": "https://evil.example"}, nil, bad},
		"A38: HS256 with the public key":                            {"HS256-public", nil, nil, bad},
		"PS256, not advertised":                                     {"PS256", nil, nil, bad},
		"ES256":                                                     {"ES256", nil, nil, http.StatusOK},
		"audience in a list":                                        {"", set{"aud": []string{badidp.ClientID}}, nil, http.StatusOK},
		"missing aud":                                               {"", set{"aud": nil}, nil, bad},
		"missing iss":                                               {"", set{"iss": nil}, nil, bad},
		"iss with a slash":                                          {"", set{"iss": idp.Issuer() + "/"}, nil, bad},
		"event null":                                                {"", set{"events": set{logoutEvent: nil}}, nil, bad},
		"event a text":                                              {"", set{"events": set{logoutEvent: "yes"}}, nil, bad},
		"event true":                                                {"", set{"events": set{logoutEvent: true}}, nil, bad},
		"event a list":                                              {"", set{"events": set{logoutEvent: []int{}}}, nil, bad},
		"event with members":                                        {"", set{"events": set{logoutEvent: set{"x": 1}}}, nil, http.StatusOK},
		"events a list":                                             {"", set{"events": []string{logoutEvent}}, nil, bad},
		"a second event":                                            {"", set{"events": set{logoutEvent: set{}, "https://other.example/event": set{}}}, nil, http.StatusOK},
		"an empty nonce":                                            {"", set{"nonce": ""}, nil, bad},
		"missing iat":                                               {"", set{"iat": nil}, nil, bad},
		"iat a text":                                                {"", set{"iat": "now"}, nil, bad},
		"iat within the leeway":                                     {"", set{"iat": ahead(45 * time.Second)}, nil, http.StatusOK},
		"iat 5 min ahead":                                           {"", set{"iat": ahead(5 * time.Minute)}, nil, bad},
		"missing exp":                                               {"", set{"exp": nil}, nil, bad},
		"expired within the leeway":                                 {"", set{"exp": ahead(-45 * time.Second)}, nil, http.StatusOK},
		"expired":                                                   {"", set{"exp": ahead(-2 * time.Minute)}, nil, bad},
		"exp ten minutes ahead":                                     {"", set{"exp": ahead(10 * time.Minute)}, nil, http.StatusOK},
		"exp an hour ahead":                                         {"", set{"exp": ahead(time.Hour)}, nil, bad},
		"exp ten years ahead":                                       {"", set{"exp": ahead(10 * 365 * 24 * time.Hour)}, nil, bad},
		"missing jti":                                               {"", set{"jti": nil}, nil, bad},
		"empty jti":                                                 {"", set{"jti": ""}, nil, bad},
		"jti a number":                                              {"", set{"jti": 7}, nil, bad},
		"jti of 300 characters":                                     {"", set{"jti": strings.Repeat("j", 300)}, nil, bad},
		"sid only":                                                  {"", set{"sub": nil}, nil, http.StatusOK},
		"sub only":                                                  {"", set{"sid": nil}, nil, http.StatusOK},
		"neither sub nor sid":                                       {"", set{"sub": nil, "sid": nil}, nil, bad},
		"both empty":                                                {"", set{"sub": "", "sid": ""}, nil, bad},
		"sub a number":                                              {"", set{"sub": 7}, nil, bad},
		"sid a number":                                              {"", set{"sid": 7}, nil, bad},
		"sub of 300 characters":                                     {"", set{"sub": strings.Repeat("s", 300)}, nil, bad},
		"sid of 300 characters":                                     {"", set{"sid": strings.Repeat("s", 300)}, nil, bad},
		"sid with a NUL":                                            {"", set{"sid": "a\x00b"}, nil, bad},
		"typ logout+jwt":                                            {"", nil, set{"typ": "logout+jwt"}, http.StatusOK},
		"typ application/logout+jwt":                                {"", nil, set{"typ": "application/logout+jwt"}, http.StatusOK},
		"no typ":                                                    {"", nil, set{"typ": nil}, http.StatusOK},
		"typ at+jwt":                                                {"", nil, set{"typ": "at+jwt"}, bad},
		"typ a number":                                              {"", nil, set{"typ": 7}, bad},
		"typ of a revocation":                                       {"", nil, set{"typ": "global-token-revocation+jwt"}, bad},
		"unknown kid":                                               {"", nil, set{"kid": "forged"}, bad},
		"embedded jwk":                                              {"HS256", nil, set{"jwk": set{"kty": "oct", "k": "AA"}}, bad},
		"an ID token":                                               {"", set{"events": nil, "jti": nil, "nonce": "n", "email": "alice@example.com"}, nil, bad},
		"an ID token with a jti":                                    {"", set{"events": nil}, nil, bad},
	} {
		t.Run(name, func(t *testing.T) {
			w.rules.loggedOut = nil
			claims := with(w.logoutClaims(), c.claims)
			answer := w.logOut(mint(idp, c.algorithm, claims, c.header))
			if c.want == http.StatusOK {
				loggedOut(t, w, answer, claims)
				return
			}
			jsonError(t, answer, c.want, "invalid_request")
			if len(w.rules.loggedOut) != 0 {
				t.Errorf("it logged out %+v", w.rules.loggedOut)
			}
		})
	}
	for name, token := range map[string]string{
		"A38: another provider's key":   mint(stranger, "", w.logoutClaims(), set{"kid": "rsa-1"}),
		"A38: another provider's token": mint(stranger, "", with(w.logoutClaims(), set{"iss": stranger.Issuer()}), nil),
		"encrypted":                     "e30.AA.AA.AA.AA", "no JWT": "<html>", "dots": "..", "a header that is no object": "W10.e30.AA",
	} {
		t.Run(name, func(t *testing.T) {
			w.rules.loggedOut = nil
			jsonError(t, w.logOut(token), bad, "invalid_request")
			if len(w.rules.loggedOut) != 0 {
				t.Errorf("it logged out %+v", w.rules.loggedOut)
			}
		})
	}
}

// loggedOut checks the answer to a good logout token, and that the rules got it whole: both names of the session, and the token's own (item 105).
func loggedOut(t *testing.T, w *world, answer *http.Response, claims set) {
	t.Helper()
	text := func(name string) string {
		text, _ := claims[name].(string)
		return text
	}
	expires, _ := claims["exp"].(int64)
	want := []domain.ProviderLogout{{
		Provider: domain.ProviderOIDC, Issuer: w.idp.Issuer(), Subject: text("sub"), SID: text("sid"), TokenID: text("jti"),
		Expires: time.Unix(expires, 0).UTC().Add(time.Minute), Channel: "back",
	}}
	if got := body(t, answer); answer.StatusCode != http.StatusOK || got != "" || answer.Header.Get("Cache-Control") != "no-store" || len(answer.Cookies()) != 0 {
		t.Errorf("answered %d %q with %v", answer.StatusCode, got, answer.Header)
	}
	if !reflect.DeepEqual(w.rules.loggedOut, want) {
		t.Errorf("logged out\n%+v, want\n%+v", w.rules.loggedOut, want)
	}
}

// Item 104: where the switch asks for it, a logout token must be of its own type.
func TestLogoutTypeRequired(t *testing.T) {
	idp := badidp.New(t)
	w := newWorldAt(t, idp, func(config *oidc.Config) { config.Transport, config.LogoutTypeRequired = idp, true })
	for kind, want := range map[any]int{"logout+jwt": http.StatusOK, "Logout+JWT": http.StatusOK, "JWT": http.StatusBadRequest, nil: http.StatusBadRequest, "at+jwt": http.StatusBadRequest} {
		answer := w.logOut(mint(idp, "", w.logoutClaims(), set{"typ": kind}))
		if got := body(t, answer); answer.StatusCode != want {
			t.Errorf("typ %v: %d %s, want %d", kind, answer.StatusCode, got, want)
		}
	}
}

// Item 47, section 4 "typ confusion": a logout token is no ID token, whatever it calls itself.
func TestLogoutTokenAsIDToken(t *testing.T) {
	for kind, edit := range map[string]func(*oidc.Config){"logout+jwt": nil, "JWT": nil, "jwt": func(config *oidc.Config) { config.LogoutTypeRequired = true }} {
		w := newWorld(t, edit)
		token := mint(w.idp, "", w.logoutClaims(), set{"typ": kind})
		w.idp.Set(badidp.Knobs{TokenAnswer: func(answer map[string]any) { answer["id_token"] = token }})
		if got := outcome(w.signIn()); got != string(domain.ReasonBadToken) || len(w.rules.signedIn) != 0 {
			t.Errorf("typ %s: %q, signed in %v", kind, got, w.rules.signedIn)
		}
	}
}

// Items 100 and 103: only a POST of a form with one logout_token is looked at; cookies make no difference; a large body is cut off.
func TestBackChannelRequests(t *testing.T) {
	idp := badidp.New(t)
	w := newWorldAt(t, idp, func(config *oidc.Config) { config.Transport = idp })
	token := mint(idp, "", w.logoutClaims(), nil)
	form := url.Values{"logout_token": {token}}.Encode()
	const target = start + "/backchannel-logout"
	for name, c := range map[string]struct {
		method, target, body, kind string
		want                       int
	}{
		"GET":               {http.MethodGet, target + "?" + form, "", "", http.StatusBadRequest},
		"GET with a form":   {http.MethodGet, target, form, formType, http.StatusBadRequest},
		"PUT":               {http.MethodPut, target, form, formType, http.StatusBadRequest},
		"PATCH":             {http.MethodPatch, target, form, formType, http.StatusBadRequest},
		"DELETE":            {http.MethodDelete, target, form, formType, http.StatusBadRequest},
		"JSON":              {http.MethodPost, target, `{"logout_token":"` + token + `"}`, "application/json", http.StatusBadRequest},
		"the token alone":   {http.MethodPost, target, token, "application/jwt", http.StatusBadRequest},
		"multipart":         {http.MethodPost, target, form, "multipart/form-data; boundary=x", http.StatusBadRequest},
		"plain text":        {http.MethodPost, target, form, "text/plain", http.StatusBadRequest},
		"no type":           {http.MethodPost, target, form, "", http.StatusBadRequest},
		"in the query":      {http.MethodPost, target + "?" + form, "", formType, http.StatusBadRequest},
		"no token":          {http.MethodPost, target, "", formType, http.StatusBadRequest},
		"an empty token":    {http.MethodPost, target, "logout_token=", formType, http.StatusBadRequest},
		"two tokens":        {http.MethodPost, target, form + "&" + form, formType, http.StatusBadRequest},
		"no form":           {http.MethodPost, target, "%zz", formType, http.StatusBadRequest},
		"a large body":      {http.MethodPost, target, form + "&x=" + strings.Repeat("x", 1<<20), formType, http.StatusRequestEntityTooLarge},
		"form with charset": {http.MethodPost, target, form, formType + ";charset=UTF-8", http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			w.rules.loggedOut = nil
			answer := w.send(c.method, c.target, c.body, "Content-Type", c.kind, "Cookie", "__Host-muster=session; x=y", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")
			if c.want != http.StatusOK {
				jsonError(t, answer, c.want, "invalid_request")
			} else if got := body(t, answer); answer.StatusCode != c.want || got != "" {
				t.Errorf("answered %d %q", answer.StatusCode, got)
			}
			if (len(w.rules.loggedOut) == 1) != (c.want == http.StatusOK) {
				t.Errorf("logged out %v", w.rules.loggedOut)
			}
		})
	}
}

// Item 103: what is in trouble here or there is no fault of the token: 503, and the provider sends it again.
func TestBackChannelTrouble(t *testing.T) {
	away := func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusBadGateway) }
	for name, knobs := range map[string]badidp.Knobs{"keys": {KeysHandler: away}, "metadata": {Discover: away}} {
		w := newWorld(t, nil)
		token := mint(w.idp, "", w.logoutClaims(), nil)
		w.idp.Set(knobs)
		answer := w.logOut(token)
		if answer.Header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", name)
		}
		jsonError(t, answer, http.StatusServiceUnavailable, "temporarily_unavailable")
		if len(w.rules.loggedOut) != 0 {
			t.Errorf("%s: logged out %v", name, w.rules.loggedOut)
		}
		w.idp.Set(badidp.Knobs{})
		w.clock.Advance(15 * time.Second)
		if answer := w.logOut(token); body(t, answer) != "" || answer.StatusCode != http.StatusOK {
			t.Errorf("%s, afterwards: %d", name, answer.StatusCode)
		}
	}
	w := newWorld(t, nil)
	w.rules.failure = domain.Errorf(domain.Unavailable, "the database does not answer")
	jsonError(t, w.logOut(mint(w.idp, "", w.logoutClaims(), nil)), http.StatusServiceUnavailable, "temporarily_unavailable")
}

// A37, items 48 and F15: ten thousand forged tokens in a minute fetch the keys at most ten times, and a good one still works.
func TestLogoutFlood(t *testing.T) {
	idp := badidp.New(t)
	w := newWorldAt(t, idp, func(config *oidc.Config) { config.Transport = idp })
	_, claims, _ := strings.Cut(mint(idp, "", w.logoutClaims(), nil), ".")
	for i := range 10_000 {
		header := encode(fmt.Sprintf(`{"alg":"RS256","kid":"forged-%d"}`, i))
		if answer := w.logOut(header + "." + claims); answer.StatusCode != http.StatusBadRequest {
			t.Fatalf("forged token %d: %d %s", i, answer.StatusCode, body(t, answer))
		} else {
			_ = answer.Body.Close()
		}
		w.clock.Advance(6 * time.Millisecond)
	}
	if got := idp.KeyFetches(); got > 10 || got < 1 {
		t.Errorf("the keys were fetched %d times within a minute, want at most 10", got)
	}
	if got := idp.Discoveries(); got != 1 {
		t.Errorf("the metadata were read %d times", got)
	}
	if answer := w.logOut(mint(idp, "", w.logoutClaims(), nil)); body(t, answer) != "" || answer.StatusCode != http.StatusOK {
		t.Errorf("a good token in the flood: %d", answer.StatusCode)
	}
}
