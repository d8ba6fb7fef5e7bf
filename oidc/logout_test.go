package oidc_test

import (
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

// Item 107, modules oidcc-client-test-rp-frontchannel-rpinitlogout and oidcc-client-test-rp-frontchannel-opinitlogout:
// a frame without cookies ends the sessions of (iss, sid), and nothing else does.
func TestFrontChannelLogout(t *testing.T) {
	w := newWorld(t, nil)
	issuer := w.idp.Issuer()
	for name, c := range map[string]struct {
		query url.Values
		want  int
	}{
		"good":            {url.Values{"iss": {issuer}, "sid": {"s1"}}, http.StatusOK},
		"more parameters": {url.Values{"iss": {issuer}, "sid": {"s1"}, "x": {"y"}, "sub": {"subject-2"}}, http.StatusOK},
		"nothing":         {nil, http.StatusBadRequest},
		"no iss":          {url.Values{"sid": {"s1"}}, http.StatusBadRequest},
		"no sid":          {url.Values{"iss": {issuer}}, http.StatusBadRequest},
		"empty sid":       {url.Values{"iss": {issuer}, "sid": {""}}, http.StatusBadRequest},
		"another iss":     {url.Values{"iss": {"https://evil.example"}, "sid": {"s1"}}, http.StatusBadRequest},
		"iss with slash":  {url.Values{"iss": {issuer + "/"}, "sid": {"s1"}}, http.StatusBadRequest},
		"two iss":         {url.Values{"iss": {issuer, "https://evil.example"}, "sid": {"s1"}}, http.StatusBadRequest},
		"two sid":         {url.Values{"iss": {issuer}, "sid": {"s1", "s2"}}, http.StatusBadRequest},
		"sid with a NUL":  {url.Values{"iss": {issuer}, "sid": {"a\x00b"}}, http.StatusBadRequest},
		"a long sid":      {url.Values{"iss": {issuer}, "sid": {strings.Repeat("s", 300)}}, http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			w.rules.loggedOut = nil
			answer := w.send(http.MethodGet, start+"/frontchannel-logout?"+c.query.Encode(), "", "Sec-Fetch-Dest", "iframe", "Sec-Fetch-Site", "cross-site")
			text := body(t, answer)
			if answer.StatusCode != c.want || strings.Contains(text, "evil") || len(answer.Cookies()) != 0 {
				t.Errorf("answered %d %q with the cookies %v", answer.StatusCode, text, answer.Cookies())
			}
			h := answer.Header
			if h.Get("Cache-Control") != "no-store" || h.Get("X-Frame-Options") != "" || strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors") {
				t.Errorf("the headers are %v", h)
			}
			var want []domain.ProviderLogout
			if c.want == http.StatusOK {
				want = []domain.ProviderLogout{{Provider: domain.ProviderOIDC, Issuer: issuer, SID: "s1", Channel: "front"}}
			}
			if !reflect.DeepEqual(w.rules.loggedOut, want) {
				t.Errorf("logged out %+v, want %+v", w.rules.loggedOut, want)
			}
		})
	}
	w.rules.failure = domain.Errorf(domain.Unavailable, "the database does not answer")
	if got := outcome(w.get(start + "/frontchannel-logout?" + url.Values{"iss": {issuer}, "sid": {"s1"}}.Encode())); got != "unavailable" {
		t.Errorf("with the database away: %q", got)
	}
}

// endSession is what EndSession gives, with its state checked and left out.
func endSession(t *testing.T, provider *oidc.Provider, signedOut domain.SignedOut) string {
	t.Helper()
	target, state := provider.EndSession(signedOut)
	if target == "" {
		if state != "" {
			t.Errorf("a state %q for nowhere", state)
		}
		return ""
	}
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	if len(state) < 43 || query.Get("state") != state {
		t.Errorf("the state is %q, in the URL %q", state, query.Get("state"))
	}
	query.Del("state")
	u.RawQuery = query.Encode()
	return u.String()
}

// Items 83 and 102, module oidcc-client-test-rp-init-logout: where the browser ends the provider's own session, and by what it is named there.
func TestEndSession(t *testing.T) {
	idp := badidp.New(t)
	back := url.QueryEscape("https://muster.example/base/signed-out")
	at := func(endpoint string) badidp.Knobs {
		return badidp.Knobs{Discovery: func(m map[string]any) { m["end_session_endpoint"] = endpoint }}
	}
	const there = "https://idp.example/logout"
	for name, c := range map[string]struct {
		keep      bool
		knobs     badidp.Knobs
		signedOut domain.SignedOut
		want      string
	}{
		"with an ID token":   {true, at(there), domain.SignedOut{IDToken: "a.b.c", Email: "a@example.com"}, there + "?client_id=relying-party&id_token_hint=a.b.c&post_logout_redirect_uri=" + back},
		"with an address":    {true, at(there), domain.SignedOut{Email: "a@example.com"}, there + "?client_id=relying-party&logout_hint=a%40example.com&post_logout_redirect_uri=" + back},
		"with nothing":       {true, at(there), domain.SignedOut{}, there + "?client_id=relying-party&post_logout_redirect_uri=" + back},
		"a query of its own": {true, at(there + "?p=signin&client_id=x"), domain.SignedOut{}, there + "?client_id=relying-party&p=signin&post_logout_redirect_uri=" + back},
		"not offered":        {true, at(""), domain.SignedOut{IDToken: "a.b.c"}, ""},
		"not asked for":      {false, at(there), domain.SignedOut{IDToken: "a.b.c"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldAt(t, idp, func(config *oidc.Config) { config.KeepIDToken = c.keep })
			idp.Set(c.knobs)
			if got := endSession(t, w.oidc, c.signedOut) + w.oidc.EndSessionOrigin(); got != "" {
				t.Errorf("before the provider was ever asked: %q", got)
			}
			w.begin("")
			if got := endSession(t, w.oidc, c.signedOut); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if got := w.oidc.EndSessionOrigin(); (got == "https://idp.example") != (c.want != "") {
				t.Errorf("the origin is %q", got)
			}
			_, one := w.oidc.EndSession(c.signedOut)
			if _, two := w.oidc.EndSession(c.signedOut); one == two && one != "" {
				t.Error("two sign-outs have one state")
			}
		})
	}
	// Item 2: a place that is not safe makes the metadata unusable.
	w := newWorldAt(t, idp, func(config *oidc.Config) { config.KeepIDToken = true })
	idp.Set(at("http://idp.example/logout"))
	if got := outcome(w.get(start)); got != string(domain.ReasonUnreachable) || endSession(t, w.oidc, domain.SignedOut{}) != "" {
		t.Errorf("plain http: %q", got)
	}
}

// Items 38 and 98: nothing that signs in or out is kept by anybody, and where a browser goes next learns nothing from us.
func TestNothingIsKept(t *testing.T) {
	w := newWorld(t, nil)
	for _, target := range []string{
		start, start + "?set-up=bad", start + "/step-up", start + "/initiate-login", start + "/callback", start + "/callback?state=s&code=c",
		start + "/callback?error=x&state=s", start + "/frontchannel-logout",
	} {
		answer := w.get(target)
		_ = answer.Body.Close()
		if answer.Header.Get("Cache-Control") != "no-store" || answer.Header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %v", target, answer.Header)
		}
	}
	for _, target := range []string{start + "/callback", start + "/initiate-login", start + "/backchannel-logout", start + "/global-token-revocation"} {
		answer := w.send(http.MethodPost, target, "state=s&code=c", "Content-Type", formType)
		_ = answer.Body.Close()
		if answer.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("POST %s: %v", target, answer.Header)
		}
	}
}

// revocationClaims are those of a good assertion (item 108).
func (w *world) revocationClaims() set {
	claims := with(w.logoutClaims(), set{"events": nil, "sid": nil, "sub": badidp.ClientID})
	claims["aud"] = "https://muster.example/base" + start + "/global-token-revocation"
	return claims
}

func (w *world) revoke(text string, headers ...string) *http.Response {
	w.Helper()
	return w.send(http.MethodPost, start+"/global-token-revocation", text, append([]string{"Content-Type", "application/json"}, headers...)...)
}

const revocationType = "global-token-revocation+jwt"

// Item 108: whom a provider may have revoked, in both forms of the body, and what it is answered.
func TestGlobalTokenRevocation(t *testing.T) {
	idp := badidp.New(t)
	w := newWorldAt(t, idp, func(config *oidc.Config) { config.Transport = idp })
	person := func(subject, email string) domain.RevokedSubject {
		return domain.RevokedSubject{Provider: domain.ProviderOIDC, Issuer: idp.Issuer(), Subject: subject, Email: email}
	}
	issSub := `{"format":"iss_sub","iss":"` + idp.Issuer() + `","sub":"subject-1"}`
	const bad = http.StatusBadRequest
	for name, c := range map[string]struct {
		body    string
		unknown bool
		want    int
		revoked domain.RevokedSubject
	}{
		"iss_sub":                    {`{"sub_id":` + issSub + `}`, false, http.StatusNoContent, person("subject-1", "")},
		"email":                      {`{"sub_id":{"format":"email","email":" a@example.com "}}`, false, http.StatusNoContent, person("", "a@example.com")},
		"the older key":              {`{"subject":` + issSub + `}`, false, http.StatusNoContent, person("subject-1", "")},
		"the older key, email":       {`{"subject":{"format":"email","email":"a@example.com"}}`, false, http.StatusNoContent, person("", "a@example.com")},
		"both keys":                  {`{"sub_id":` + issSub + `,"subject":{"format":"email","email":"b@example.com"}}`, false, http.StatusNoContent, person("subject-1", "")},
		"nobody here":                {`{"sub_id":` + issSub + `}`, true, http.StatusNotFound, domain.RevokedSubject{}},
		"another issuer's":           {`{"sub_id":{"format":"iss_sub","iss":"https://evil.example","sub":"subject-1"}}`, false, http.StatusNotFound, domain.RevokedSubject{}},
		"no issuer":                  {`{"sub_id":{"format":"iss_sub","sub":"subject-1"}}`, false, http.StatusNotFound, domain.RevokedSubject{}},
		"no sub":                     {`{"sub_id":{"format":"iss_sub","iss":"` + idp.Issuer() + `"}}`, false, bad, domain.RevokedSubject{}},
		"a long sub":                 {`{"sub_id":{"format":"iss_sub","iss":"x","sub":"` + strings.Repeat("s", 300) + `"}}`, false, bad, domain.RevokedSubject{}},
		"no address":                 {`{"sub_id":{"format":"email"}}`, false, bad, domain.RevokedSubject{}},
		"two addresses":              {`{"sub_id":{"format":"email","email":"a@example.com,b@example.com"}}`, false, bad, domain.RevokedSubject{}},
		"A21: an address in another": {`{"sub_id":{"format":"email","email":"a@example.com@evil.example"}}`, false, bad, domain.RevokedSubject{}},
		"an unknown format":          {`{"sub_id":{"format":"phone_number","phone_number":"+123"}}`, false, bad, domain.RevokedSubject{}},
		"no format":                  {`{"sub_id":{"email":"a@example.com"}}`, false, bad, domain.RevokedSubject{}},
		"no subject":                 {`{}`, false, bad, domain.RevokedSubject{}},
		"a subject that is null":     {`{"sub_id":null}`, false, bad, domain.RevokedSubject{}},
		"a subject that is a text":   {`{"sub_id":"a@example.com"}`, false, bad, domain.RevokedSubject{}},
		"a list":                     {`[]`, false, bad, domain.RevokedSubject{}},
		"no JSON":                    {`sub_id=a`, false, bad, domain.RevokedSubject{}},
		"nothing":                    {``, false, bad, domain.RevokedSubject{}},
		"a large body":               {`{"x":"` + strings.Repeat("x", 1<<20) + `","sub_id":` + issSub + `}`, false, http.StatusRequestEntityTooLarge, domain.RevokedSubject{}},
	} {
		t.Run(name, func(t *testing.T) {
			w.rules.revoked, w.rules.unknown = nil, c.unknown
			claims := w.revocationClaims()
			answer := w.revoke(c.body, "Authorization", "Bearer "+mint(idp, "", claims, set{"typ": revocationType}))
			if c.want != http.StatusNoContent {
				jsonError(t, answer, c.want, "invalid_request")
				if len(w.rules.revoked) != 0 {
					t.Errorf("revoked %+v", w.rules.revoked)
				}
				return
			}
			want := c.revoked
			want.TokenID, _ = claims["jti"].(string)
			want.Expires = time.Unix(w.clock.Now().Unix(), 0).UTC().Add(3 * time.Minute)
			if text := body(t, answer); answer.StatusCode != c.want || text != "" || answer.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("answered %d %q", answer.StatusCode, text)
			}
			if !reflect.DeepEqual(w.rules.revoked, []domain.RevokedSubject{want}) {
				t.Errorf("revoked\n%+v, want\n%+v", w.rules.revoked, want)
			}
		})
	}
}

// Items 100 and 108: only the provider may ask, by a token that it made for this and for nothing else.
func TestRevocationAssertion(t *testing.T) {
	idp, stranger := badidp.New(t), badidp.New(t)
	w := newWorldAt(t, idp, func(config *oidc.Config) { config.Transport = idp })
	ahead := func(d time.Duration) int64 { return w.clock.Now().Add(d).Unix() }
	made := func(algorithm string, claims, header set) string {
		return "Bearer " + mint(idp, algorithm, with(w.revocationClaims(), claims), with(set{"typ": revocationType}, header))
	}
	for name, authorization := range map[string]string{
		"none": "", "Basic": "Basic YTpi", "Bearer alone": "Bearer ", "no JWT": "Bearer x", "encrypted": "Bearer e30.AA.AA.AA.AA",
		"a long token":           "Bearer " + strings.Repeat("x", 1<<17),
		"typ JWT":                made("", nil, set{"typ": "JWT"}),
		"no typ":                 "Bearer " + mint(idp, "", w.revocationClaims(), set{"typ": nil}),
		"typ logout+jwt":         made("", nil, set{"typ": "logout+jwt"}),
		"typ at+jwt":             made("", nil, set{"typ": "at+jwt"}),
		"a logout token":         "Bearer " + mint(idp, "", w.logoutClaims(), set{"typ": "logout+jwt"}),
		"our client as audience": made("", set{"aud": badidp.ClientID}, nil),
		"another endpoint":       made("", set{"aud": "https://muster.example/base" + start + "/backchannel-logout"}, nil),
		"another provider's":     made("", set{"aud": "https://muster.example/base/api/v1/oauth/other/global-token-revocation"}, nil),
		"no aud":                 made("", set{"aud": nil}, nil),
		"another sub":            made("", set{"sub": "another client"}, nil),
		"no sub":                 made("", set{"sub": nil}, nil),
		"another iss":            made("", set{"iss": "https://evil.example"}, nil),
		"expired":                made("", set{"exp": ahead(-2 * time.Minute)}, nil),
		"far exp":                made("", set{"exp": ahead(time.Hour)}, nil),
		"no exp":                 made("", set{"exp": nil}, nil),
		"no iat":                 made("", set{"iat": nil}, nil),
		"iat ahead":              made("", set{"iat": ahead(5 * time.Minute)}, nil),
		"no jti":                 made("", set{"jti": nil}, nil),
		"alg none":               made("none", nil, nil),
		"HS256, the secret":      made("HS256", nil, nil),
		"HS256, the public key":  made("HS256-public", nil, nil),
		"another provider's key": "Bearer " + mint(stranger, "", w.revocationClaims(), set{"typ": revocationType}),
	} {
		t.Run(name, func(t *testing.T) {
			answer := w.revoke(`{"sub_id":{"format":"email","email":"a@example.com"}}`, "Authorization", authorization, "Cookie", "__Host-muster=session")
			if got := answer.Header.Get("WWW-Authenticate"); !strings.HasPrefix(got, "Bearer") {
				t.Errorf("WWW-Authenticate is %q", got)
			}
			jsonError(t, answer, http.StatusUnauthorized, "invalid_token")
			if len(w.rules.revoked) != 0 {
				t.Errorf("revoked %+v", w.rules.revoked)
			}
		})
	}
	away := newWorldAt(t, idp, nil)
	token := made("", nil, nil)
	idp.Set(badidp.Knobs{KeysHandler: func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusBadGateway) }})
	jsonError(t, away.revoke(`{}`, "Authorization", token), http.StatusServiceUnavailable, "temporarily_unavailable")
}
