package oidc_test

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/domain"
	"muster/internal/testkit/badidp"
	"muster/oidc"
)

// Items 12 and 17: the way of client authentication is fixed by the metadata, used once, and PKCE goes with each.
func TestClientAuthentication(t *testing.T) {
	methods := func(list ...string) func(map[string]any) {
		return func(m map[string]any) { m["token_endpoint_auth_methods_supported"] = list }
	}
	for name, c := range map[string]struct {
		secret string
		knobs  badidp.Knobs
		basic  bool
		fields []string
	}{
		"nothing said": {badidp.ClientSecret, badidp.Knobs{}, true, []string{"code", "code_verifier", "grant_type", "redirect_uri"}},
		"both":         {badidp.ClientSecret, badidp.Knobs{Discovery: methods("client_secret_post", "client_secret_basic")}, true, []string{"code", "code_verifier", "grant_type", "redirect_uri"}},
		"only post":    {badidp.ClientSecret, badidp.Knobs{Discovery: methods("client_secret_post")}, false, []string{"client_id", "client_secret", "code", "code_verifier", "grant_type", "redirect_uri"}},
		"public":       {"", badidp.Knobs{PublicClient: true}, false, []string{"client_id", "code", "code_verifier", "grant_type", "redirect_uri"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(config *oidc.Config) { config.ClientSecret = c.secret })
			w.idp.Set(c.knobs)
			if got := outcome(w.signIn()); got != "ok" {
				t.Fatalf("ended with %q", got)
			}
			redemptions := w.idp.Redemptions()
			if len(redemptions) != 1 || redemptions[0].Basic != c.basic || !slices.Equal(slices.Sorted(maps.Keys(redemptions[0].Form)), c.fields) {
				t.Errorf("the token endpoint got %+v", redemptions)
			}
		})
	}
	// One attempt, whatever the answer.
	w := newWorld(t, func(config *oidc.Config) { config.ClientSecret = "wrong" })
	if got := outcome(w.signIn()); got != string(domain.ReasonProviderError) || w.idp.Exchanges() != 1 {
		t.Errorf("a wrong secret: %q after %d attempts", got, w.idp.Exchanges())
	}
}

// Item 16: openid is asked for in any case, and blanks are written as the provider can read them.
func TestScopes(t *testing.T) {
	for _, c := range []struct {
		scopes  []string
		percent bool
		want    string
	}{
		{[]string{"email", "profile", "openid"}, false, "scope=email+profile+openid"},
		{[]string{"email", "profile", "openid"}, true, "scope=email%20profile%20openid"},
		{[]string{"email"}, false, "scope=openid+email"},
		{nil, false, "scope=openid"},
	} {
		w := newWorld(t, func(config *oidc.Config) { config.Scopes, config.URLEncodeScopeSpaces = c.scopes, c.percent })
		w.idp.Set(badidp.Knobs{Discovery: func(m map[string]any) { m["authorization_endpoint"] = w.idp.Issuer() + "/a+b?tenant=1" }})
		authorization, _ := w.begin("")
		if !strings.HasPrefix(authorization, w.idp.Issuer()+"/a+b?tenant=1&") || !strings.Contains(authorization+"&", c.want+"&") {
			t.Errorf("%v, %v: %s", c.scopes, c.percent, authorization)
		}
	}
}

// The claims that reach the rules, whole: a provider's odd values do no harm (items 54, 57, A43).
func TestClaims(t *testing.T) {
	idp := badidp.New(t)
	now := time.Unix(time.Now().Unix(), 0).UTC()
	plain := func(w *world) domain.Claims {
		return domain.Claims{
			Provider: domain.ProviderOIDC, Issuer: w.idp.Issuer(), Subject: "subject-1", TokenSubject: "subject-1", Email: "alice@example.com", EmailTrusted: true,
			FullName: "Alice", TokenExpiry: now.Add(time.Hour), SessionMax: time.Hour,
		}
	}
	for name, c := range map[string]struct {
		claims map[string]any
		want   func(*domain.Claims)
	}{
		"nothing odd": {nil, func(*domain.Claims) {}},
		"everything said": {
			map[string]any{"sid": "s1", "acr": "mfa", "amr": []string{"pwd", "otp"}, "auth_time": now.Unix() - 60, "name": "", "given_name": "Alice", "family_name": "Liddell"},
			func(c *domain.Claims) {
				c.SessionID, c.ACR, c.AMR, c.AuthTime, c.FullName = "s1", "mfa", []string{"pwd", "otp"}, now.Add(-time.Minute), "Alice Liddell"
			},
		},
		"wrong types": {
			map[string]any{"sid": 7, "acr": 1, "amr": 3, "auth_time": "now", "name": []int{1}, "given_name": nil, "family_name": map[string]any{}},
			func(c *domain.Claims) { c.FullName = "" },
		},
		"one method as text":        {map[string]any{"amr": "pwd"}, func(c *domain.Claims) { c.AMR = []string{"pwd"} }},
		"control characters":        {map[string]any{"name": "Al\r\nBcc: x\x00ice", "sid": "a\x00b"}, func(c *domain.Claims) { c.FullName = "Al Bcc: x ice" }},
		"a very long name":          {map[string]any{"name": strings.Repeat("ä", 5000)}, func(c *domain.Claims) { c.FullName = strings.Repeat("ä", 200) }},
		"an address with a NUL":     {map[string]any{"email": "ali\x00ce@example.com"}, func(c *domain.Claims) { c.Email = "" }},
		"an address that is a list": {map[string]any{"email": []string{"alice@example.com"}}, func(c *domain.Claims) { c.Email = "" }},
		"blanks around the address": {map[string]any{"email": " alice@example.com "}, func(*domain.Claims) {}},
		"look-alike names":          {map[string]any{"Email": "eve@example.com", "EMAIL_VERIFIED": false, "Sub": "eve", "NAME": "Eve"}, func(*domain.Claims) {}},
		"expired within the leeway": {map[string]any{"exp": now.Unix() - 30}, func(c *domain.Claims) { c.TokenExpiry = now.Add(time.Minute) }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldAt(t, idp, nil)
			w.clock.Set(now)
			w.idp.Set(badidp.Knobs{
				Now: w.clock.Now, Discovery: func(m map[string]any) { delete(m, "userinfo_endpoint") },
				Claims: func(claims map[string]any) {
					maps.Copy(claims, c.claims)
				},
			})
			if got := outcome(w.signIn()); got != "ok" {
				t.Fatalf("ended with %q", got)
			}
			want := plain(w)
			c.want(&want)
			if got := w.rules.signedIn[0]; !reflect.DeepEqual(got, want) {
				t.Errorf("claims\n%+v, want\n%+v", got, want)
			}
		})
	}
}

// Items 36 and 38, A40: no code, state, token or secret reaches the log or the audit row, however a sign-in ends,
// and what a provider writes comes shortened and on one line.
func TestNothingLeaks(t *testing.T) {
	idp := badidp.New(t)
	for name, knobs := range map[string]badidp.Knobs{
		"good":           {},
		"bad signature":  {BadSignature: true},
		"wrong nonce":    {Claims: func(c map[string]any) { c["nonce"] = "another" }},
		"echoing errors": {Token: echo},
		"echoing keys":   {KeysHandler: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, badidp.ClientSecret) }},
		"error": {Callback: func(v url.Values) {
			v.Del("code")
			v.Set("error", "x")
			v.Set("error_description", strings.Repeat("<b>\r\n", 2000))
		}},
		"code and error": {Callback: func(v url.Values) { v.Set("error", "x") }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldAt(t, idp, nil)
			w.idp.Set(knobs)
			authorization, cookies := w.begin("")
			u, err := url.Parse(authorization)
			if err != nil {
				t.Fatal(err)
			}
			parameters := w.idp.Authorize(t, authorization)
			_ = outcome(w.finish(parameters, cookies...))
			written := w.log.String() + strings.Join(w.rules.details, "\n")
			secrets := []string{badidp.ClientSecret, u.Query().Get("state"), u.Query().Get("nonce"), u.Query().Get("code_challenge"), w.idp.IDToken(u.Query().Get("nonce"))[:60]}
			secrets = append(secrets, parameters["code"]...)
			for _, cookie := range cookies {
				_, binding, _ := strings.Cut(cookie.Value, ".")
				secrets = append(secrets, binding)
			}
			for _, redemption := range w.idp.Redemptions() {
				secrets = append(secrets, redemption.Form.Get("code_verifier"))
			}
			for _, secret := range secrets {
				if secret != "" && strings.Contains(written, secret) {
					t.Errorf("%q is in %s", secret, written)
				}
			}
			for _, detail := range w.rules.details {
				if len(detail) > 600 || strings.ContainsAny(detail, "\r\n\x00") {
					t.Errorf("the detail is %q", detail)
				}
			}
		})
	}
}

// echo is a token endpoint that repeats what it was sent, as some do in their error pages.
func echo(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusBadRequest)
	_, _ = io.WriteString(w, r.PostForm.Encode()+r.Header.Get("Authorization"))
}

// Item 35: a sign-in that took longer than ten minutes has to be begun again, even if the store still has it.
func TestExpiredFlow(t *testing.T) {
	for took, want := range map[time.Duration]string{9 * time.Minute: "ok", 11 * time.Minute: string(domain.ReasonFlowLost)} {
		w := newWorld(t, nil)
		w.idp.Set(badidp.Knobs{Now: w.clock.Now})
		authorization, cookies := w.begin("")
		w.clock.Advance(took)
		if got := outcome(w.finish(w.idp.Authorize(t, authorization), cookies...)); got != want {
			t.Errorf("after %v: %q, want %q", took, got, want)
		}
	}
}

// A refusal by the rules is shown, gives no session, and was recorded by the rules themselves; a failure is no refusal.
func TestRulesRefuse(t *testing.T) {
	for want, err := range map[string]error{
		string(domain.ReasonNotInvited): &domain.Refusal{Reason: domain.ReasonNotInvited, Email: "alice@example.com"},
		"unavailable":                   domain.Errorf(domain.Unavailable, "the database does not answer"),
	} {
		w := newWorld(t, nil)
		w.rules.refusal = err
		if got := outcome(w.signIn()); got != want || len(w.rules.refused) != 0 {
			t.Errorf("ended with %q, want %q, recorded %v", got, want, w.rules.refused)
		}
	}
}

// How each sign-in and each provider's request ends is counted, by the reason and nothing that a person or a provider wrote.
func TestCounts(t *testing.T) {
	var counted []string
	w := newWorld(t, func(config *oidc.Config) {
		config.Count = func(provider, outcome string) { counted = append(counted, provider+" "+outcome) }
	})
	_ = outcome(w.signIn())
	_ = outcome(w.logOut(mint(w.idp, "", w.logoutClaims(), nil)))
	_ = outcome(w.logOut("forged"))
	_ = outcome(w.get(start + "/frontchannel-logout?" + url.Values{"iss": {w.idp.Issuer()}, "sid": {"s1"}}.Encode()))
	_ = outcome(w.revoke(`{"sub_id":{"format":"email","email":"a@example.com"}}`, "Authorization", "Bearer "+mint(w.idp, "", w.revocationClaims(), set{"typ": revocationType})))
	w.idp.Set(badidp.Knobs{BadSignature: true})
	_ = outcome(w.signIn())
	_ = outcome(w.get(start + "/callback?state=x&code=y"))
	w.idp.Set(badidp.Knobs{Callback: func(v url.Values) { v.Del("code"); v.Set("error", "of_its_own") }})
	_ = outcome(w.signIn())
	w.idp.Set(badidp.Knobs{})
	w.rules.refusal = domain.Errorf(domain.Unavailable, "the database does not answer")
	_ = outcome(w.signIn())
	want := []string{"ok", "backchannel_logout", "frontchannel_logout", "global_token_revocation", "bad_token", "flow_lost", "provider_error", "unavailable"}
	for i := range want {
		want[i] = domain.ProviderOIDC + " " + want[i]
	}
	if !slices.Equal(counted, want) {
		t.Errorf("counted %q, want %q", counted, want)
	}
}

// FuzzFlowCookies: whatever cookies a browser sends, a start answers, leaves at most five sign-ins, and a callback lets nobody in.
func FuzzFlowCookies(f *testing.F) {
	for _, seed := range []string{
		"", "__Host-muster-flow-a=1.x", "__Host-muster-flow-=; __Host-muster-flow-=.", "muster-flow-a=zzzzzzzzzzzzzzzzz.x",
		"__Host-muster-flow-a=-5.x; __Host-muster-flow-b=zz.y; __Host-muster-flow-c=q; __Host-muster-flow-d=1.; __Host-muster-flow-e=.; __Host-muster-flow-f=9.9.9",
	} {
		f.Add(seed)
	}
	idp := badidp.New(f)
	f.Fuzz(func(t *testing.T, header string) {
		w := newWorldAt(t, idp, func(config *oidc.Config) { config.Transport = idp })
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, start, nil)
		request.Header["Cookie"] = []string{header}
		left := map[string]bool{}
		for _, cookie := range request.Cookies() {
			if strings.HasPrefix(cookie.Name, "__Host-muster-flow-") {
				left[cookie.Name] = true
			}
		}
		recorder := httptest.NewRecorder()
		w.handler.ServeHTTP(recorder, request)
		answer := recorder.Result()
		defer func() { _ = answer.Body.Close() }()
		for _, cookie := range answer.Cookies() {
			left[cookie.Name] = cookie.MaxAge > 0
		}
		kept := 0
		for _, there := range left {
			if there {
				kept++
			}
		}
		if answer.StatusCode != http.StatusSeeOther || kept > 5 || kept < 1 {
			t.Errorf("%d with %d flows in the browser", answer.StatusCode, kept)
		}
		parameters := w.idp.Authorize(t, answer.Header.Get("Location"))
		back := httptest.NewRequestWithContext(t.Context(), http.MethodGet, start+"/callback?"+parameters.Encode(), nil)
		back.Header["Cookie"] = []string{header}
		recorder = httptest.NewRecorder()
		w.handler.ServeHTTP(recorder, back)
		if got := outcome(recorder.Result()); got != string(domain.ReasonFlowLost) {
			t.Errorf("the callback ended with %q", got)
		}
	})
}
