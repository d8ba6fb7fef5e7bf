package oidc_test

import (
	"crypto/rand"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"muster/domain"
	"muster/internal/testkit/badidp"
	"muster/oidc"
)

const (
	backChannel  = start + "/backchannel-logout"
	frontChannel = start + "/frontchannel-logout"
	revocation   = start + "/global-token-revocation"
	// revocationURL is the audience of an assertion: the endpoint as the provider knows it.
	revocationURL = "https://muster.example/base" + revocation
	logoutEvent   = "http://schemas.openid.net/event/backchannel-logout"
)

// send sends any request without cookies.
func (w *world) send(method, target, contentType, body string, header http.Header) (*http.Response, string) {
	w.Helper()
	r := httptest.NewRequestWithContext(w.Context(), method, target, strings.NewReader(body))
	for name, values := range header {
		r.Header[name] = values
	}
	r.Header.Set("Content-Type", contentType)
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, r)
	answer := recorder.Result()
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		w.Fatal(err)
	}
	return answer, strings.TrimSpace(string(raw))
}

func (w *world) logout(token string) (*http.Response, string) {
	w.Helper()
	return w.send(http.MethodPost, backChannel, "application/x-www-form-urlencoded", url.Values{"logout_token": {token}}.Encode(), nil)
}

// Items 103-106, A38, the conformance modules oidcc-client-test-rp-backchannel-rpinitlogout and its variants with a wrong token,
// and the rows that the suite lacks: what is wrong is answered 400 and ends no session.
func TestLogoutTokens(t *testing.T) {
	idp := badidp.New(t)
	claim := func(name string, value any) badidp.Edit {
		return func(_, claims map[string]any) { claims[name] = value }
	}
	without := func(name string) badidp.Edit {
		return func(_, claims map[string]any) { delete(claims, name) }
	}
	at := func(name string, offset time.Duration) badidp.Edit {
		return claim(name, time.Now().Add(offset).Unix())
	}
	typ := func(value string) badidp.Edit {
		return func(header, _ map[string]any) { header["typ"] = value }
	}
	for name, c := range map[string]struct {
		knobs badidp.Knobs
		edit  badidp.Edit
		good  bool
	}{
		"good":                      {badidp.Knobs{}, nil, true},
		"good ES256":                {badidp.Knobs{Algorithm: "ES256"}, nil, true},
		"sid only":                  {badidp.Knobs{}, without("sub"), true},
		"sub only":                  {badidp.Knobs{}, without("sid"), true},
		"typ JWT":                   {badidp.Knobs{}, typ("JWT"), true},
		"no typ":                    {badidp.Knobs{}, func(header, _ map[string]any) { delete(header, "typ") }, true},
		"alg none":                  {badidp.Knobs{Algorithm: "none"}, nil, false},
		"HS256 with the public key": {badidp.Knobs{Algorithm: "HS256-public"}, nil, false},
		"HS256 with the secret":     {badidp.Knobs{Algorithm: "HS256"}, nil, false},
		"wrong alg":                 {badidp.Knobs{Algorithm: "PS256"}, nil, false},
		"bad signature":             {badidp.Knobs{BadSignature: true}, nil, false},
		"no event":                  {badidp.Knobs{}, without("events"), false},
		"wrong event":               {badidp.Knobs{}, claim("events", map[string]any{"other": map[string]any{}}), false},
		"event null":                {badidp.Knobs{}, claim("events", map[string]any{logoutEvent: nil}), false},
		"event text":                {badidp.Knobs{}, claim("events", map[string]any{logoutEvent: "yes"}), false},
		"event list":                {badidp.Knobs{}, claim("events", []string{logoutEvent}), false},
		"with nonce":                {badidp.Knobs{}, claim("nonce", "n"), false},
		"wrong aud":                 {badidp.Knobs{}, claim("aud", "another client"), false},
		"wrong iss":                 {badidp.Knobs{}, claim("iss", "https://evil.example"), false},
		"missing jti":               {badidp.Knobs{}, without("jti"), false},
		"missing iat":               {badidp.Knobs{}, without("iat"), false},
		"iat in the future":         {badidp.Knobs{}, at("iat", 5*time.Minute), false},
		"iat within the leeway":     {badidp.Knobs{}, at("iat", 45*time.Second), true},
		"missing exp":               {badidp.Knobs{}, without("exp"), false},
		"expired":                   {badidp.Knobs{}, at("exp", -2*time.Minute), false},
		"good for ten years":        {badidp.Knobs{}, at("exp", 10*365*24*time.Hour), false},
		"neither sub nor sid":       {badidp.Knobs{}, func(_, claims map[string]any) { delete(claims, "sub"); delete(claims, "sid") }, false},
		"sub as number":             {badidp.Knobs{}, claim("sub", 7), false},
		"sid as list":               {badidp.Knobs{}, claim("sid", []string{"a"}), false},
		"an access token":           {badidp.Knobs{}, typ("at+jwt"), false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldAt(t, idp, nil)
			idp.Set(c.knobs)
			answer, body := w.logout(idp.LogoutToken(c.edit))
			want := http.StatusOK
			if !c.good {
				want = http.StatusBadRequest
			}
			if answer.StatusCode != want || answer.Header.Get("Cache-Control") != "no-store" || (len(w.rules.loggedOut) == 1) != c.good {
				t.Errorf("%d %s, ended %v", answer.StatusCode, body, w.rules.loggedOut)
			}
			if !c.good && body != `{"error":"invalid_request"}` {
				t.Errorf("the answer is %s", body)
			}
		})
	}
}

// Item 105: what the rules are told is what the token says, with the time until which it must be remembered.
func TestLogoutClaims(t *testing.T) {
	w := newWorld(t, nil)
	now := time.Now().Truncate(time.Second)
	w.clock.Set(now)
	w.idp.Set(badidp.Knobs{Now: w.clock.Now})
	if answer, body := w.logout(w.idp.LogoutToken(func(_, c map[string]any) { c["jti"] = "token-1" })); answer.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", answer.StatusCode, body)
	}
	want := domain.ProviderLogout{
		Provider: domain.ProviderOIDC, Issuer: w.idp.Issuer(), Subject: "subject-1", SID: "session-1", TokenID: "token-1",
		Expires: now.Add(3 * time.Minute).UTC(), Channel: "back",
	}
	if got := w.rules.loggedOut[0]; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// Item 103: other methods and content types, a missing, repeated or huge token, and tokens of another kind.
func TestLogoutRequests(t *testing.T) {
	w := newWorld(t, nil)
	const form = "application/x-www-form-urlencoded"
	good := w.idp.LogoutToken(nil)
	for name, c := range map[string]struct {
		method, contentType, body string
		want                      int
	}{
		"GET":              {http.MethodGet, form, "", 400},
		"PUT":              {http.MethodPut, form, "logout_token=" + good, 400},
		"JSON":             {http.MethodPost, "application/json", `{"logout_token":"` + good + `"}`, 400},
		"no token":         {http.MethodPost, form, "", 400},
		"two tokens":       {http.MethodPost, form, "logout_token=" + good + "&logout_token=" + good, 400},
		"no JWT":           {http.MethodPost, form, "logout_token=x", 400},
		"an ID token":      {http.MethodPost, form, "logout_token=" + w.idp.IDToken("n"), 400},
		"1 MB":             {http.MethodPost, form, "logout_token=" + strings.Repeat("a", 1<<20), 413},
		"broken form":      {http.MethodPost, form, "logout_token=%zz", 400},
		"with charset":     {http.MethodPost, form + "; charset=utf-8", "logout_token=" + good, 200},
		"in the query too": {http.MethodPost, form, "x=y", 400},
	} {
		if answer, body := w.send(c.method, backChannel, c.contentType, c.body, nil); answer.StatusCode != c.want || answer.Header.Get("Location") != "" {
			t.Errorf("%s: %d %s, want %d", name, answer.StatusCode, body, c.want)
		}
	}
	if len(w.rules.loggedOut) != 1 {
		t.Errorf("ended %v", w.rules.loggedOut)
	}
	// Item 104: the switch takes tokens of the registered type only.
	strict := newWorldAt(t, w.idp, func(c *oidc.Config) { c.LogoutTypeRequired = true })
	if answer, _ := strict.logout(w.idp.LogoutToken(func(header, _ map[string]any) { header["typ"] = "JWT" })); answer.StatusCode != http.StatusBadRequest {
		t.Errorf("a token of type JWT: %d", answer.StatusCode)
	}
	if answer, _ := strict.logout(w.idp.LogoutToken(nil)); answer.StatusCode != http.StatusOK {
		t.Errorf("a token of type logout+jwt: %d", answer.StatusCode)
	}
}

// A37, item 48: ten thousand made-up tokens cost the provider a handful of requests, and an absent one is no "no".
func TestLogoutFlood(t *testing.T) {
	w := newWorld(t, nil)
	if answer, _ := w.logout(w.idp.LogoutToken(nil)); answer.StatusCode != http.StatusOK {
		t.Fatal("the good token was refused")
	}
	before := w.idp.KeyFetches()
	token := w.idp.LogoutToken(func(header, _ map[string]any) { header["kid"] = "KID" })
	head, rest, _ := strings.Cut(token, ".")
	for i := range 10_000 {
		made := head[:len(head)-4] + rand.Text()[:4] + "." + rest
		if i%100 == 0 {
			made = w.idp.LogoutToken(func(header, _ map[string]any) { header["kid"] = rand.Text() })
		}
		if answer, _ := w.logout(made); answer.StatusCode != http.StatusBadRequest {
			t.Fatalf("a made-up token: %d", answer.StatusCode)
		}
	}
	if fetched := w.idp.KeyFetches() - before; fetched > 10 {
		t.Errorf("the keys were read %d times", fetched)
	}
	down := newWorld(t, nil)
	down.idp.Set(badidp.Knobs{KeysHandler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }})
	if answer, _ := down.logout(down.idp.LogoutToken(nil)); answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" {
		t.Errorf("without keys: %d", answer.StatusCode)
	}
}

// Item 107 and oidcc-client-test-rp-frontchannel-rpinitlogout: iss and sid end the session, in a frame and without cookies.
func TestFrontChannelLogout(t *testing.T) {
	w := newWorld(t, nil)
	for name, c := range map[string]struct {
		query url.Values
		want  int
	}{
		"good":         {url.Values{"iss": {w.idp.Issuer()}, "sid": {"session-1"}}, 200},
		"no sid":       {url.Values{"iss": {w.idp.Issuer()}}, 400},
		"no iss":       {url.Values{"sid": {"session-1"}}, 400},
		"wrong iss":    {url.Values{"iss": {"https://evil.example"}, "sid": {"session-1"}}, 400},
		"sid twice":    {url.Values{"iss": {w.idp.Issuer()}, "sid": {"a", "b"}}, 400},
		"sid too long": {url.Values{"iss": {w.idp.Issuer()}, "sid": {strings.Repeat("s", 300)}}, 400},
	} {
		answer := w.get(frontChannel + "?" + c.query.Encode())
		_ = answer.Body.Close()
		if answer.StatusCode != c.want || answer.Header.Get("Cache-Control") != "no-store" || answer.Header.Get("X-Frame-Options") != "" {
			t.Errorf("%s: %d %v", name, answer.StatusCode, answer.Header)
		}
	}
	want := domain.ProviderLogout{Provider: domain.ProviderOIDC, Issuer: w.idp.Issuer(), SID: "session-1", Channel: "front"}
	if len(w.rules.loggedOut) != 1 || w.rules.loggedOut[0] != want {
		t.Errorf("ended %+v", w.rules.loggedOut)
	}
}

// Item 108: Okta's Universal Logout, by subject or by address, and every way in which a request is not Okta's.
func TestGlobalTokenRevocation(t *testing.T) {
	w := newWorld(t, nil)
	bySubject := `{"sub_id":{"format":"iss_sub","iss":"` + w.idp.Issuer() + `","sub":"subject-1"}}`
	edit := func(name string, value any) badidp.Edit {
		return func(_, claims map[string]any) { claims[name] = value }
	}
	for name, c := range map[string]struct {
		edit    badidp.Edit
		body    string
		unknown bool
		want    int
	}{
		"by subject":        {nil, bySubject, false, 204},
		"older key":         {nil, strings.Replace(bySubject, "sub_id", "subject", 1), false, 204},
		"by address":        {nil, `{"sub_id":{"format":"email","email":"alice@example.com"}}`, false, 204},
		"unknown":           {nil, bySubject, true, 404},
		"another issuer":    {nil, `{"sub_id":{"format":"iss_sub","iss":"https://evil.example","sub":"s"}}`, false, 404},
		"another format":    {nil, `{"sub_id":{"format":"phone_number","phone_number":"1"}}`, false, 400},
		"no subject":        {nil, `{}`, false, 400},
		"no JSON":           {nil, `subject`, false, 400},
		"no address":        {nil, `{"sub_id":{"format":"email","email":"alice"}}`, false, 400},
		"1 MB":              {nil, `{"x":"` + strings.Repeat("a", 1<<20) + `"}`, false, 413},
		"another audience":  {edit("aud", badidp.ClientID), bySubject, false, 401},
		"another client":    {edit("sub", "other"), bySubject, false, 401},
		"another type":      {func(header, _ map[string]any) { header["typ"] = "JWT" }, bySubject, false, 401},
		"a logout token":    {func(header, _ map[string]any) { header["typ"] = "logout+jwt" }, bySubject, false, 401},
		"another issuer's":  {edit("iss", "https://evil.example"), bySubject, false, 401},
		"expired":           {edit("exp", time.Now().Add(-5*time.Minute).Unix()), bySubject, false, 401},
		"good for a year":   {edit("exp", time.Now().Add(365*24*time.Hour).Unix()), bySubject, false, 401},
		"without jti":       {func(_, claims map[string]any) { delete(claims, "jti") }, bySubject, false, 401},
		"from the future":   {edit("iat", time.Now().Add(5*time.Minute).Unix()), bySubject, false, 401},
		"subject too long":  {nil, strings.Replace(bySubject, "subject-1", strings.Repeat("s", 300), 1), false, 400},
		"an empty document": {nil, ``, false, 400},
	} {
		w.rules.unknown, w.rules.revoked = c.unknown, nil
		answer, body := w.send(http.MethodPost, revocation, "application/json", c.body,
			http.Header{"Authorization": {"Bearer " + w.idp.RevocationToken(revocationURL, c.edit)}})
		if answer.StatusCode != c.want || (len(w.rules.revoked) == 1) != (c.want == 204) {
			t.Errorf("%s: %d %s, want %d; revoked %v", name, answer.StatusCode, body, c.want, w.rules.revoked)
		}
		if (answer.Header.Get("WWW-Authenticate") != "") != (c.want == 401) {
			t.Errorf("%s: WWW-Authenticate %q", name, answer.Header.Get("WWW-Authenticate"))
		}
	}
	for name, header := range map[string]http.Header{"no credential": nil, "Basic": {"Authorization": {"Basic eDp5"}}, "no token": {"Authorization": {"Bearer "}}} {
		if answer, _ := w.send(http.MethodPost, revocation, "application/json", bySubject, header); answer.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, answer.StatusCode)
		}
	}
}
