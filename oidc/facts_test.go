package oidc_test

import (
	"fmt"
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
	"muster/internal/httpx"
	"muster/internal/testkit/badidp"
	"muster/oidc"
)

// Item 74: group names in every form that providers use; what a provider leaves out for its length is unknown and not "none".
func TestGroupForms(t *testing.T) {
	idp := badidp.New(t)
	many := make([]string, 2001)
	for i := range many {
		many[i] = fmt.Sprint("group ", i)
	}
	for name, c := range map[string]struct {
		claims map[string]any
		want   map[string][]string
	}{
		"array":          {map[string]any{"groups": []string{"a", "b"}}, map[string][]string{"groups": {"a", "b"}}},
		"one text":       {map[string]any{"groups": "a"}, map[string][]string{"groups": {"a"}}},
		"object":         {map[string]any{"groups": map[string]any{"b": 1, "a": map[string]any{}}}, map[string][]string{"groups": {"a", "b"}}},
		"null":           {map[string]any{"groups": nil}, map[string][]string{"groups": {}}},
		"absent":         {nil, map[string][]string{"groups": {}}},
		"odd elements":   {map[string]any{"groups": []any{"a", 7, nil, " ", "b\x00", strings.Repeat("x", 301)}}, map[string][]string{"groups": {"a"}}},
		"a number":       {map[string]any{"groups": 7}, map[string][]string{"groups": {}}},
		"too many":       {map[string]any{"groups": many}, nil},
		"overage":        {map[string]any{"_claim_names": map[string]any{"groups": "src1"}, "_claim_sources": map[string]any{"src1": map[string]any{"endpoint": "https://graph.example/groups"}}}, nil},
		"hasgroups":      {map[string]any{"hasgroups": true}, nil},
		"another claim":  {map[string]any{"roles": []string{"a"}}, map[string][]string{"groups": {}}},
		"look-alike":     {map[string]any{"Groups": []string{"a"}}, map[string][]string{"groups": {}}},
		"names in names": {map[string]any{"groups": []string{"LS:Organization User:Workspace 1:Viewer"}}, map[string][]string{"groups": {"LS:Organization User:Workspace 1:Viewer"}}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldAt(t, idp, nil)
			w.rules.claims = []string{"groups"}
			idp.Set(badidp.Knobs{
				Claims:    func(claims map[string]any) { maps.Copy(claims, c.claims) },
				Discovery: func(m map[string]any) { delete(m, "userinfo_endpoint") },
			})
			if got := outcome(w.signIn()); got != "ok" || !reflect.DeepEqual(w.rules.signedIn[0].Groups, c.want) {
				t.Errorf("%s, %v, want %v", got, w.rules.signedIn, c.want)
			}
		})
	}
}

// Item 52 and oidcc-client-test-userinfo-invalid-sub, -signed, -bearer-header: userinfo is asked for what is missing only,
// must be about the same person, and a signed answer must be from this issuer for us.
func TestUserInfo(t *testing.T) {
	idp := badidp.New(t)
	info := map[string]any{"sub": "subject-1", "groups": []string{"from userinfo"}, "email": "eve@example.com", "email_verified": true}
	sign := func(edit func(map[string]any)) badidp.Knobs {
		return badidp.Knobs{UserInfo: info, SignedUserInfo: edit}
	}
	for name, c := range map[string]struct {
		knobs  badidp.Knobs
		claims []string
		want   string
		groups []string
	}{
		"asked for groups":  {badidp.Knobs{UserInfo: info}, []string{"groups"}, "ok", []string{"from userinfo"}},
		"not asked":         {badidp.Knobs{UserInfoHandler: broken}, nil, "ok", nil},
		"not needed":        {badidp.Knobs{UserInfoHandler: broken, Claims: func(c map[string]any) { c["groups"] = []string{"token"} }}, []string{"groups"}, "ok", []string{"token"}},
		"not for overage":   {badidp.Knobs{UserInfoHandler: broken, Claims: func(c map[string]any) { c["hasgroups"] = "true" }}, []string{"groups"}, "ok", nil},
		"somebody else":     {badidp.Knobs{UserInfo: map[string]any{"sub": "subject-2"}}, []string{"groups"}, "bad_token", nil},
		"away":              {badidp.Knobs{UserInfoHandler: broken}, []string{"groups"}, "provider_unreachable", nil},
		"signed":            {sign(func(map[string]any) {}), []string{"groups"}, "ok", []string{"from userinfo"}},
		"signed for others": {sign(func(c map[string]any) { c["aud"] = "other" }), []string{"groups"}, "bad_token", nil},
		"signed by others":  {sign(func(c map[string]any) { c["iss"] = "https://evil.example" }), []string{"groups"}, "bad_token", nil},
		"signed, other sub": {sign(func(c map[string]any) { c["sub"] = "subject-2" }), []string{"groups"}, "bad_token", nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldAt(t, idp, nil)
			w.rules.claims = c.claims
			idp.Set(c.knobs)
			if got := outcome(w.signIn()); got != c.want {
				t.Fatalf("ended with %q", got)
			}
			if c.want != "ok" {
				return
			}
			// The token's address is never replaced by userinfo's.
			if got := w.rules.signedIn[0]; got.Email != "alice@example.com" || !slices.Equal(got.Groups["groups"], c.groups) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func broken(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }

const tenant = "11111111-2222-3333-4444-555555555555"

// entra is a provider that speaks as Entra does for one tenant, without a network.
func entra(idp *badidp.Provider, claims map[string]any) (func(*oidc.Config), badidp.Knobs) {
	const issuer = "https://login.microsoftonline.com/" + tenant + "/v2.0"
	edit := func(c *oidc.Config) { c.Issuer, c.Transport = issuer, idp }
	return edit, badidp.Knobs{
		Discovery: func(m map[string]any) { m["issuer"] = issuer },
		Callback:  func(v url.Values) { v.Set("iss", issuer) },
		Claims: func(c map[string]any) {
			delete(c, "email_verified")
			c["iss"], c["tid"], c["oid"] = issuer, tenant, "00000000-aaaa-bbbb-cccc-dddddddddddd"
			maps.Copy(c, claims)
		},
	}
}

// Section 7, items 59, 63, 76, A2, A3: Entra's oid is the subject and tid is pinned; an address counts when the tenant owns its domain.
func TestEntra(t *testing.T) {
	idp := badidp.New(t)
	for name, c := range map[string]struct {
		claims  map[string]any
		want    string
		trusted bool
	}{
		"plain":                {nil, "ok", false},
		"xms_edov true":        {map[string]any{"xms_edov": true}, "ok", true},
		"xms_edov 1":           {map[string]any{"xms_edov": 1}, "ok", true},
		`xms_edov "1"`:         {map[string]any{"xms_edov": "1"}, "ok", true},
		"xms_edov false":       {map[string]any{"xms_edov": false}, "ok", false},
		"xms_edov 0":           {map[string]any{"xms_edov": 0}, "ok", false},
		"another tenant":       {map[string]any{"tid": "99999999-2222-3333-4444-555555555555", "xms_edov": true}, "bad_token", false},
		"without oid":          {map[string]any{"oid": nil}, "bad_token", false},
		"preferred_username":   {map[string]any{"email": nil, "preferred_username": "ada@example.com", "upn": "ada@example.com"}, "ok", false},
		"tenant in capitals":   {map[string]any{"tid": strings.ToUpper(tenant)}, "ok", false},
		"without the tid":      {map[string]any{"tid": nil}, "ok", false},
		"domain of other kind": {map[string]any{"xms_edov": []int{1}}, "ok", false},
	} {
		t.Run(name, func(t *testing.T) {
			edit, knobs := entra(idp, c.claims)
			w := newWorldAt(t, idp, edit)
			discover := knobs.Discovery
			knobs.Discovery = func(m map[string]any) { discover(m); delete(m, "userinfo_endpoint") }
			idp.Set(knobs)
			if got := outcome(w.signIn()); got != c.want {
				t.Fatalf("ended with %q: %v", got, w.rules.details)
			}
			if c.want != "ok" {
				return
			}
			got := w.rules.signedIn[0]
			object := tenant + "/00000000-aaaa-bbbb-cccc-dddddddddddd"
			if name == "without the tid" {
				object = ""
			}
			if got.Subject != "00000000-aaaa-bbbb-cccc-dddddddddddd" || got.TokenSubject != "subject-1" || got.Object != object || got.EmailTrusted != c.trusted {
				t.Errorf("%+v", got)
			}
			if name == "preferred_username" && got.Email != "" {
				t.Errorf("the address is %q (item 60)", got.Email)
			}
		})
	}
	// What Entra says counts at Entra only.
	w := newWorldAt(t, idp, nil)
	idp.Set(badidp.Knobs{Claims: func(c map[string]any) {
		c["email_verified"], c["xms_edov"], c["tid"], c["oid"] = false, true, tenant, "o"
	}})
	if got := outcome(w.signIn()); got != "ok" || w.rules.signedIn[0].EmailTrusted || w.rules.signedIn[0].Object != "" {
		t.Errorf("%s %+v", got, w.rules.signedIn)
	}
}

// Items 42 and 44: the switches for lax providers are off by default (see TestIDTokens), and let pass exactly what they name.
func TestSwitches(t *testing.T) {
	idp := badidp.New(t)
	for name, c := range map[string]struct {
		edit  func(*oidc.Config)
		knobs badidp.Knobs
		want  string
	}{
		"no nonce":           {func(c *oidc.Config) { c.NonceOptional = true }, badidp.Knobs{Claims: func(c map[string]any) { delete(c, "nonce") }}, "ok"},
		"wrong nonce":        {func(c *oidc.Config) { c.NonceOptional = true }, badidp.Knobs{Claims: func(c map[string]any) { c["nonce"] = "x" }}, "bad_token"},
		"foreign azp":        {func(c *oidc.Config) { c.ForeignAzpAllowed = true }, badidp.Knobs{Claims: func(c map[string]any) { c["azp"] = "other" }}, "ok"},
		"two aud, no azp":    {func(c *oidc.Config) { c.ForeignAzpAllowed = true }, badidp.Knobs{Claims: func(c map[string]any) { c["aud"] = []string{"other", badidp.ClientID} }}, "ok"},
		"still our audience": {func(c *oidc.Config) { c.ForeignAzpAllowed = true }, badidp.Knobs{Claims: func(c map[string]any) { c["aud"] = "other" }}, "bad_token"},
	} {
		w := newWorldAt(t, idp, c.edit)
		idp.Set(c.knobs)
		if got := outcome(w.signIn()); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// Items 110 and 112: a step-up asks for a fresh proof; an old one fails though the provider is happy, and none counts from iat.
func TestStepUp(t *testing.T) {
	session := &http.Cookie{Name: "__Host-muster", Value: "session"}
	for name, c := range map[string]struct {
		authTime func() int64
		want     string
	}{
		"fresh":   {func() int64 { return time.Now().Unix() }, "ok"},
		"old":     {func() int64 { return time.Now().Add(-time.Hour).Unix() }, string(domain.ReasonNotProved)},
		"unsaid":  {nil, "ok"},
		"no time": {func() int64 { return -1 }, string(domain.ReasonNotProved)},
	} {
		w := newWorld(t, nil)
		w.idp.Set(badidp.Knobs{AuthTime: c.authTime})
		answer := w.get(start+"/step-up?next=/you", session)
		_ = answer.Body.Close()
		authorization, _ := url.Parse(answer.Header.Get("Location"))
		if query := authorization.Query(); query.Get("prompt") != "login" || query.Get("max_age") != "0" || query.Get("code_challenge_method") != "S256" {
			t.Fatalf("%s: asked with %v", name, query)
		}
		back := w.finish(w.idp.Authorize(t, authorization.String()), append(answer.Cookies(), session)...)
		if got := outcome(back); got != c.want || (len(w.rules.steppedUp) == 1) != (c.want == "ok") {
			t.Errorf("%s: %q, %v", name, got, w.rules.steppedUp)
		}
		if c.want == "ok" && time.Since(w.rules.signedIn[0].AuthTime).Abs() > time.Minute {
			t.Errorf("%s: proved at %s", name, w.rules.signedIn[0].AuthTime)
		}
	}
	// A8: without the session, or in another browser, a step-up proves nothing.
	w := newWorld(t, nil)
	if got := outcome(w.get(start + "/step-up")); got != string(domain.ReasonFlowLost) {
		t.Errorf("without a session: %q", got)
	}
	answer := w.get(start+"/step-up", session)
	_ = answer.Body.Close()
	if got := outcome(w.finish(w.idp.Authorize(t, answer.Header.Get("Location")), answer.Cookies()...)); got == "ok" || len(w.rules.signedIn) != 0 {
		t.Errorf("in a browser without the session: %q", got)
	}
}

// R7: the set-up link's token goes with the flow, and a wrong one begins nothing.
func TestSetUpFlow(t *testing.T) {
	w := newWorld(t, nil)
	w.rules.setUp = "good"
	authorization, cookies := w.begin("?set-up=good")
	if got := outcome(w.finish(w.idp.Authorize(t, authorization), cookies...)); got != "ok" || !w.rules.signedIn[0].SetUp {
		t.Errorf("%q, %+v", got, w.rules.signedIn)
	}
	if got := outcome(w.get(start + "?set-up=bad")); got != string(domain.ReasonSetUpOver) {
		t.Errorf("a wrong token: %q", got)
	}
	if strings.Contains(authorization, "good") || strings.Contains(w.log.String(), "good") {
		t.Error("the token is handed on")
	}
}

// Item 27 and oidcc-client-test-3rd-party-init-login: a tile at the provider begins an ordinary sign-in, to a page of ours only (A24).
func TestInitiatedLogin(t *testing.T) {
	w := newWorld(t, nil)
	const ours = "https://muster.example/base"
	for link, next := range map[string]string{
		"": "/", ours + "/you?a=b": "/you?a=b", ours: "/", "https://evil.example/": "/", "https://muster.example@evil.example/": "/",
		ours + "@evil.example/": "/", ours + "//evil.example": "/", "https://muster.example/based/x": "/", "//evil.example": "/", ours + "/api/v1/me": "/",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			form := url.Values{"iss": {w.idp.Issuer()}, "target_link_uri": {link}, "login_hint": {"alice@example.com"}}.Encode()
			target, body := start+"/initiate-login?"+form, ""
			if method == http.MethodPost {
				target, body = start+"/initiate-login", form
			}
			answer, _ := w.send(method, target, "application/x-www-form-urlencoded", body, nil)
			authorization, err := url.Parse(answer.Header.Get("Location"))
			if err != nil || answer.StatusCode != http.StatusSeeOther || authorization.Query().Get("login_hint") != "alice@example.com" {
				t.Fatalf("%s %q: %d to %q", method, link, answer.StatusCode, answer.Header.Get("Location"))
			}
			if got := w.rules.flows[domain.DigestOf(authorization.Query().Get("state"))].Next; got != next {
				t.Errorf("%s %q leads to %q, want %q", method, link, got, next)
			}
		}
	}
	for _, issuer := range []string{"", "https://evil.example", w.idp.Issuer() + "/"} {
		if got := outcome(w.get(start + "/initiate-login?" + url.Values{"iss": {issuer}}.Encode())); got != string(domain.ReasonFlowLost) {
			t.Errorf("iss %q: %q", issuer, got)
		}
	}
}

// Item 28: what a link may hand on to the provider, and nothing else.
func TestPassedOn(t *testing.T) {
	w := newWorld(t, nil)
	query := url.Values{
		"login_hint": {"a@example.com"}, "domain_hint": {"example.com"}, "hd": {"example.com"}, "acr_values": {"mfa"}, "ui_locales": {"de"},
		"prompt": {"select_account"}, "redirect_uri": {"https://evil.example"}, "scope": {"admin"}, "client_id": {"evil"}, "request_uri": {"x"}, "max_age": {"1"},
	}
	authorization, _ := w.begin("?" + query.Encode())
	u, _ := url.Parse(authorization)
	got := u.Query()
	for _, name := range []string{"login_hint", "domain_hint", "hd", "acr_values", "ui_locales", "prompt"} {
		if got.Get(name) != query.Get(name) {
			t.Errorf("%s is %q", name, got.Get(name))
		}
	}
	if got.Get("redirect_uri") == query.Get("redirect_uri") || got.Get("scope") != "openid email profile" || got.Get("client_id") != badidp.ClientID || got.Has("request_uri") || got.Has("max_age") {
		t.Errorf("asked with %v", got)
	}
	for _, odd := range []string{"?prompt=none", "?login_hint=" + strings.Repeat("x", 300), "?login_hint=a%0d%0ab", "?ui_locales=%20de"} {
		authorization, _ := w.begin(odd)
		if u, _ := url.Parse(authorization); u.Query().Has("prompt") || u.Query().Has("login_hint") || u.Query().Has("ui_locales") {
			t.Errorf("%s was handed on: %s", odd, authorization)
		}
	}
}

// Item 29: one address may begin sign-ins so fast and no faster, an IPv6 network counting as one; another address is not its victim.
func TestRateLimit(t *testing.T) {
	w := newWorld(t, nil)
	from := func(address string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, start, nil)
		r.RemoteAddr = address
		recorder := httptest.NewRecorder()
		w.handler.ServeHTTP(recorder, r)
		return recorder.Code
	}
	for i := range 200 {
		if got := from("192.0.2.1:1"); got != http.StatusSeeOther {
			t.Fatalf("start %d: %d", i, got)
		}
	}
	if from("192.0.2.1:2") == http.StatusSeeOther || from("192.0.2.2:1") != http.StatusSeeOther {
		t.Error("the limit is not the address's")
	}
	for i := range 200 {
		from(fmt.Sprintf("[2001:db8::%x]:1", i))
	}
	if from("[2001:db8::ffff:1]:1") == http.StatusSeeOther || from("[2001:db8:0:1::1]:1") != http.StatusSeeOther {
		t.Error("the limit is not the network's")
	}
	w.clock.Advance(time.Second)
	if from("192.0.2.1:1") != http.StatusSeeOther {
		t.Error("it does not end")
	}
}

// A36: an attacker's provider beside an honest one gets no code of the honest one, with the iss parameter and with the path alone.
func TestMixUp(t *testing.T) {
	for _, withIss := range []bool{true, false} {
		honest, evil := badidp.New(t), badidp.New(t)
		silent := func(m map[string]any) {
			if !withIss {
				delete(m, "authorization_response_iss_parameter_supported")
			}
		}
		honest.Set(badidp.Knobs{Discovery: silent})
		evil.Set(badidp.Knobs{Discovery: silent})
		w := newWorldAt(t, evil, nil)
		cookies := httpx.Cookies{Secure: true}
		mux := http.NewServeMux()
		limits := oidc.NewLimits(0, nil)
		for id, idp := range map[string]*badidp.Provider{"evil": evil, "honest": honest} {
			provider := oidc.NewProvider(oidc.Config{
				ID: id, Issuer: idp.Issuer(), ClientID: badidp.ClientID, ClientSecret: badidp.ClientSecret, SessionMax: time.Hour, PublicURL: "https://muster.example/base",
			})
			oidc.NewHandler(provider, w.rules, pages{cookies}, cookies, "/base", limits).Routes(mux)
		}
		w.handler = mux
		// The browser begins at the attacker's provider, which sends it to the honest one with the same state.
		began := w.get("/api/v1/oauth/evil")
		_ = began.Body.Close()
		honestBegan := w.get("/api/v1/oauth/honest")
		_ = honestBegan.Body.Close()
		evilURL, _ := url.Parse(began.Header.Get("Location"))
		honestURL, _ := url.Parse(honestBegan.Header.Get("Location"))
		query := honestURL.Query()
		query.Set("state", evilURL.Query().Get("state"))
		honestURL.RawQuery = query.Encode()
		parameters := honest.Authorize(t, honestURL.String())
		if !withIss {
			parameters.Del("iss")
		}
		// The honest provider answers to the honest callback only: that is where its registered redirect URI leads.
		if got := outcome(w.get("/api/v1/oauth/honest/callback?"+parameters.Encode(), append(began.Cookies(), honestBegan.Cookies()...)...)); got != string(domain.ReasonFlowLost) {
			t.Errorf("iss %v: ended with %q", withIss, got)
		}
		if evil.Exchanges() != 0 || honest.Exchanges() != 0 || len(w.rules.signedIn) != 0 {
			t.Errorf("iss %v: the code reached a token endpoint", withIss)
		}
	}
}

// Item 102 and oidcc-client-test-rp-init-logout: where the provider's session ends, with a fresh state and a fixed way back (item 83).
func TestEndSession(t *testing.T) {
	w := newWorld(t, func(c *oidc.Config) { c.KeepIDToken = true })
	if target, _ := w.oidc.EndSession(domain.SignedOut{}); target != "" {
		t.Errorf("before discovery: %q", target)
	}
	w.signedInWith()
	target, state := w.oidc.EndSession(domain.SignedOut{IDToken: "token", Email: "alice@example.com"})
	u, _ := url.Parse(target)
	want := url.Values{"client_id": {badidp.ClientID}, "post_logout_redirect_uri": {"https://muster.example/base/signed-out"}, "id_token_hint": {"token"}, "state": {state}}
	if !strings.HasPrefix(target, w.idp.Issuer()+"/end-session?") || !reflect.DeepEqual(u.Query(), want) || len(state) < 40 {
		t.Errorf("%s", target)
	}
	again, other := w.oidc.EndSession(domain.SignedOut{Email: "alice@example.com"})
	if u, _ := url.Parse(again); other == state || u.Query().Get("logout_hint") != "alice@example.com" || w.oidc.EndSessionOrigin() != w.idp.Issuer() {
		t.Errorf("%s, %s", again, w.oidc.EndSessionOrigin())
	}
	plain := newWorldAt(t, w.idp, nil)
	plain.signedInWith()
	if target, _ := plain.oidc.EndSession(domain.SignedOut{}); target != "" || plain.oidc.EndSessionOrigin() != "" {
		t.Errorf("though it is off: %q", target)
	}
}

// Item 11: an inspection reports all that is wrong at once, and keeps nothing.
func TestInspect(t *testing.T) {
	idp := badidp.New(t)
	levels := func(findings []domain.Finding) map[string]domain.FindingLevel {
		worst := map[string]domain.FindingLevel{}
		for _, finding := range findings {
			if worst[finding.Check] != domain.FindingFailed {
				worst[finding.Check] = finding.Level
			}
		}
		return worst
	}
	const ok, warning, failed = domain.FindingOK, domain.FindingWarning, domain.FindingFailed
	good := map[string]domain.FindingLevel{"discovery": ok, "issuer": ok, "clock": ok, "keys": ok, "metadata": ok, "back-channel logout": warning}
	with := func(changes map[string]domain.FindingLevel) map[string]domain.FindingLevel {
		all := maps.Clone(good)
		maps.Copy(all, changes)
		return all
	}
	for name, c := range map[string]struct {
		knobs badidp.Knobs
		edit  func(*oidc.Config)
		want  map[string]domain.FindingLevel
	}{
		"good":       {badidp.Knobs{}, nil, good},
		"logout":     {badidp.Knobs{Discovery: func(m map[string]any) { m["backchannel_logout_supported"] = true }}, nil, with(map[string]domain.FindingLevel{"back-channel logout": ok})},
		"HTML":       {badidp.Knobs{Discover: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }}, nil, map[string]domain.FindingLevel{"discovery": failed}},
		"30 MB":      {badidp.Knobs{Discover: huge}, nil, map[string]domain.FindingLevel{"discovery": failed}},
		"404":        {badidp.Knobs{Discover: http.NotFound}, nil, map[string]domain.FindingLevel{"discovery": failed}},
		"plain http": {badidp.Knobs{}, func(c *oidc.Config) { c.Issuer = "http://idp.example" }, map[string]domain.FindingLevel{"issuer": failed}},
		"clock":      {badidp.Knobs{}, func(c *oidc.Config) { c.Now = func() time.Time { return time.Now().Add(10 * time.Minute) } }, with(map[string]domain.FindingLevel{"clock": failed})},
		"keys away":  {badidp.Knobs{KeysHandler: broken}, nil, with(map[string]domain.FindingLevel{"keys": failed})},
		"no keys":    {badidp.Knobs{Keys: func([]map[string]any) []map[string]any { return []map[string]any{} }}, nil, with(map[string]domain.FindingLevel{"keys": failed})},
		"nameless":   {badidp.Knobs{Keys: withoutKid}, nil, with(map[string]domain.FindingLevel{"keys": warning})},
		"much at once": {badidp.Knobs{Discovery: func(m map[string]any) {
			m["issuer"] = "x"
			delete(m, "token_endpoint")
			m["jwks_uri"] = "http://169.254.169.254/"
		}}, nil, map[string]domain.FindingLevel{"discovery": ok, "issuer": failed, "clock": ok, "metadata": failed, "back-channel logout": warning}},
		"settings": {
			badidp.Knobs{Discovery: func(m map[string]any) {
				m["scopes_supported"], m["claims_supported"] = []string{"openid"}, []string{"email"}
				m["code_challenge_methods_supported"], m["response_types_supported"] = []string{"plain"}, []string{"id_token"}
				m["token_endpoint_auth_methods_supported"] = []string{"private_key_jwt"}
				delete(m, "end_session_endpoint")
			}},
			func(c *oidc.Config) {
				c.KeepIDToken, c.NonceOptional, c.AuthMethod = true, true, "client_secret_post"
			},
			with(map[string]domain.FindingLevel{"metadata": failed, "PKCE": warning, "scopes": warning, "subject": warning, "client authentication": failed, "sign-out": warning, "switches": warning}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldAt(t, idp, func(config *oidc.Config) {
				config.Now = time.Now
				if c.edit != nil {
					c.edit(config)
				}
			})
			idp.Set(c.knobs)
			if got := levels(w.oidc.Inspect(t.Context())); !maps.Equal(got, c.want) {
				t.Errorf("found %v\n%v, want %v", w.oidc.Inspect(t.Context()), got, c.want)
			}
			if ready, problem := w.oidc.Status(); ready || problem != "" {
				t.Errorf("the inspection left its traces: %v %q", ready, problem)
			}
		})
	}
}
