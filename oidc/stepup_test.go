package oidc_test

import (
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/domain"
	"muster/internal/testkit/badidp"
)

// session is the cookie of the session that pages knows.
func session() *http.Cookie { return &http.Cookie{Name: "__Host-muster", Value: "session"} }

// Items 110 and 112: the provider is told to ask again, and must have done so;
// one that says nothing about it is taken at its word that the token is fresh.
func TestStepUp(t *testing.T) {
	idp := badidp.New(t)
	const notProved = string(domain.ReasonNotProved)
	for name, c := range map[string]struct {
		// offset is when the person proved who they are, seen from the start of the step-up; nil for a claim of its own.
		offset *time.Duration
		claim  any
		want   string
	}{
		"just now":               {ptr(0), nil, "ok"},
		"within the leeway":      {ptr(-45 * time.Second), nil, "ok"},
		"two minutes ago":        {ptr(-2 * time.Minute), nil, notProved},
		"yesterday":              {ptr(-24 * time.Hour), nil, notProved},
		"an hour ahead":          {ptr(time.Hour), nil, notProved},
		"no auth_time":           {nil, nil, "ok"},
		"auth_time a text":       {nil, "now", notProved},
		"auth_time zero":         {nil, 0, notProved},
		"auth_time a list":       {nil, []int{1}, notProved},
		"auth_time beyond times": {nil, 1e15, notProved},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldAt(t, idp, nil)
			now := time.Unix(time.Now().Unix(), 0).UTC()
			w.clock.Set(now)
			idp.Set(badidp.Knobs{Now: w.clock.Now, Claims: func(claims map[string]any) {
				if c.offset != nil {
					claims["auth_time"] = now.Add(*c.offset).Unix()
				} else if c.claim != nil {
					claims["auth_time"] = c.claim
				}
			}})
			authorization, cookies := w.begin("/step-up?next=/you", session())
			u, err := url.Parse(authorization)
			if err != nil {
				t.Fatal(err)
			}
			if q := u.Query(); q.Get("prompt") != "login" || q.Get("max_age") != "0" || q.Get("code_challenge_method") != "S256" {
				t.Errorf("the provider is asked for %v", q)
			}
			answer := w.finish(idp.Authorize(t, authorization), append(cookies, session())...)
			location := answer.Header.Get("Location")
			if got := outcome(answer); got != c.want || got == "ok" && location != "/base/you" {
				t.Fatalf("ended with %q at %q, want %q: %v", got, location, c.want, w.rules.details)
			}
			if want := []domain.Digest{domain.DigestOf("session")}; c.want == "ok" && !slices.Equal(w.rules.steppedUp, want) || c.want != "ok" && w.rules.steppedUp != nil {
				t.Errorf("stepped up %v", w.rules.steppedUp)
			}
			if c.want != "ok" {
				return
			}
			proved := now
			if c.offset != nil {
				proved = now.Add(*c.offset)
			}
			if got := w.rules.signedIn[0].AuthTime; !got.Equal(proved) {
				t.Errorf("proved at %v, want %v", got, proved)
			}
		})
	}
}

func ptr(d time.Duration) *time.Duration { return &d }

// Items 56 and 110: no token says that somebody has proved who they are in the future, which would last.
func TestAuthTimeAhead(t *testing.T) {
	w := newWorld(t, nil)
	w.idp.Set(badidp.Knobs{Claims: func(claims map[string]any) { claims["auth_time"] = time.Now().Add(365 * 24 * time.Hour).Unix() }})
	got := outcome(w.signIn())
	if got == "ok" && w.rules.signedIn[0].AuthTime.After(time.Now().Add(2*time.Minute)) {
		t.Errorf("the sign-in counts as proved at %v", w.rules.signedIn[0].AuthTime)
	}
}

// Items 21 and 111, A8: a step-up needs a session of this provider, and ends in the browser and for the session that began it;
// its state at another purpose's end, and another's at its end, do what they were begun for and nothing else.
func TestStepUpSession(t *testing.T) {
	w := newWorld(t, nil)
	for name, cookies := range map[string][]*http.Cookie{"no session": nil, "a dead session": {{Name: "__Host-muster", Value: "old"}}} {
		if got := outcome(w.get(start+"/step-up", cookies...)); got != string(domain.ReasonFlowLost) || len(w.rules.flows) != 0 {
			t.Errorf("%s: %q, %d flows", name, got, len(w.rules.flows))
		}
	}
	for name, other := range map[string][]*http.Cookie{"another session": {{Name: "__Host-muster", Value: "another"}}, "signed out meanwhile": nil} {
		authorization, cookies := w.begin("/step-up", session())
		if got := outcome(w.finish(w.idp.Authorize(t, authorization), append(cookies, other...)...)); got != string(domain.ReasonFlowLost) {
			t.Errorf("%s: %q", name, got)
		}
	}
	authorization, _ := w.begin("/step-up", session())
	if got := outcome(w.finish(w.idp.Authorize(t, authorization))); got != string(domain.ReasonFlowLost) {
		t.Errorf("another browser: %q", got)
	}
	if w.rules.steppedUp != nil || w.rules.signedIn != nil {
		t.Fatalf("stepped up %v, signed in %v", w.rules.steppedUp, w.rules.signedIn)
	}
	authorization, cookies := w.begin("", session())
	if got := outcome(w.finish(w.idp.Authorize(t, authorization), append(cookies, session())...)); got != "ok" || w.rules.steppedUp != nil {
		t.Errorf("a sign-in with a session: %q, stepped up %v", got, w.rules.steppedUp)
	}
}

// Item 111: what the rules refuse about a step-up is shown, and leaves the session as it was.
func TestStepUpRefused(t *testing.T) {
	w := newWorld(t, nil)
	w.rules.stepUp = &domain.Refusal{Reason: domain.ReasonAnotherPerson}
	authorization, cookies := w.begin("/step-up", session())
	answer := w.finish(w.idp.Authorize(t, authorization), append(cookies, session())...)
	for _, cookie := range answer.Cookies() {
		if cookie.Name == "__Host-muster" {
			t.Errorf("the session's cookie is set to %q", cookie.Value)
		}
	}
	if got := outcome(answer); got != string(domain.ReasonAnotherPerson) {
		t.Errorf("ended with %q", got)
	}
}

// R7: a sign-in by a set-up link says so to the rules; a link that is not good goes no further.
func TestSetUpFlow(t *testing.T) {
	w := newWorld(t, nil)
	w.rules.setUp = "good-token"
	if got := outcome(w.get(start + "?set-up=bad-token")); got != string(domain.ReasonSetUpOver) || len(w.rules.flows) != 0 {
		t.Errorf("a link that is over: %q, %d flows", got, len(w.rules.flows))
	}
	for query, want := range map[string]bool{"?set-up=good-token&next=/you": true, "?set-up=": false, "": false} {
		asked, cookies := w.authorizationQuery(query)
		if strings.Contains(asked.Encode(), "good-token") {
			t.Errorf("the provider gets the link's secret: %v", asked)
		}
		w.rules.signedIn = nil
		if got := outcome(w.finish(w.idp.Authorize(t, w.idp.Issuer()+"/authorize?"+asked.Encode()), cookies...)); got != "ok" || w.rules.signedIn[0].SetUp != want {
			t.Errorf("%q: %q, %+v", query, got, w.rules.signedIn)
		}
	}
	if strings.Contains(w.log.String(), "good-token") || strings.Contains(w.log.String(), "bad-token") {
		t.Errorf("the link's secret is in the log: %s", w.log)
	}
}

// Items 16, 26 and 28: what a link may add to the authorization request, and nothing besides.
func TestPassedOn(t *testing.T) {
	w := newWorld(t, nil)
	own := []string{"client_id", "code_challenge", "code_challenge_method", "nonce", "redirect_uri", "response_type", "scope", "state"}
	for query, want := range map[string]set{
		"?login_hint=a%40example.com&domain_hint=example.com&hd=example.com&acr_values=mfa&ui_locales=de": {
			"login_hint": "a@example.com", "domain_hint": "example.com", "hd": "example.com", "acr_values": "mfa", "ui_locales": "de",
		},
		"?prompt=login":                           {"prompt": "login"},
		"?prompt=select_account":                  {"prompt": "select_account"},
		"?prompt=consent":                         {"prompt": "consent"},
		"?prompt=none":                            {},
		"?prompt=login+consent":                   {},
		"?prompt=create":                          {},
		"?login_hint=" + strings.Repeat("x", 255): {"login_hint": strings.Repeat("x", 255)},
		"?login_hint=" + strings.Repeat("x", 256): {},
		"?login_hint=a%0D%0Ab":                    {},
		"?login_hint=":                            {},
		"?next=/you&request=x&request_uri=x&max_age=1&claims=x&registration=x&id_token_hint=x&resource=x&display=x":                                                   {},
		"?state=x&nonce=x&redirect_uri=https://evil.example&response_type=token&client_id=x&scope=x&code_challenge=x&code_challenge_method=plain&response_mode=query": {},
	} {
		asked, _ := w.authorizationQuery(query)
		got := set{}
		for name, values := range asked {
			if !slices.Contains(own, name) {
				got[name] = strings.Join(values, ",")
			} else if len(values) != 1 || values[0] == "x" {
				t.Errorf("%s: %s is %q", query, name, values)
			}
		}
		if !reflect.DeepEqual(got, want) || !slices.IsSorted(own) || len(asked) != len(own)+len(want) {
			t.Errorf("%s adds %v, want %v", query, got, want)
		}
		if asked.Get("response_type") != "code" || asked.Get("code_challenge_method") != "S256" || asked.Get("redirect_uri") != "https://muster.example/base"+start+"/callback" {
			t.Errorf("%s: %v", query, asked)
		}
		if strings.Contains(asked.Encode(), "%2Fyou") {
			t.Errorf("item 26: next goes to the provider: %v", asked)
		}
	}
}

// Item 24: the redirect URI is ours, whatever the request calls us.
func TestForgedHost(t *testing.T) {
	w := newWorld(t, nil)
	answer := w.send(http.MethodGet, "https://evil.example"+start, "", "X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "http", "Forwarded", "host=evil.example", "X-Original-URL", "/evil")
	_ = body(t, answer)
	u, err := answer.Location()
	if err != nil {
		t.Fatal(err)
	}
	if got := u.Query().Get("redirect_uri"); got != "https://muster.example/base"+start+"/callback" {
		t.Errorf("the redirect URI is %q", got)
	}
}

// Item 27, module oidcc-client-test-3rd-party-init-login, A24: somebody else may ask for a sign-in at our provider, and the end lies here.
func TestInitiateLogin(t *testing.T) {
	idp := badidp.New(t)
	here := "https://muster.example/base"
	for name, c := range map[string]struct {
		query url.Values
		// next is where the sign-in ends, hint what the provider gets.
		next, hint string
	}{
		"oidcc-client-test-3rd-party-init-login": {url.Values{}, "/base/", ""},
		"target":                                 {url.Values{"target_link_uri": {here + "/you?tab=1"}}, "/base/you?tab=1", ""},
		"target, the root":                       {url.Values{"target_link_uri": {here}}, "/base/", ""},
		"hint":                                   {url.Values{"login_hint": {"a@example.com"}}, "/base/", "a@example.com"},
		"hint too long":                          {url.Values{"login_hint": {strings.Repeat("x", 256)}}, "/base/", ""},
		"hint with a line":                       {url.Values{"login_hint": {"a\r\nb"}}, "/base/", ""},
		"elsewhere":                              {url.Values{"target_link_uri": {"https://evil.example/you"}}, "/base/", ""},
		"A24: userinfo":                          {url.Values{"target_link_uri": {"https://muster.example@evil.example/"}}, "/base/", ""},
		"A24: base as userinfo":                  {url.Values{"target_link_uri": {here + "@evil.example/"}}, "/base/", ""},
		"a longer host":                          {url.Values{"target_link_uri": {"https://muster.example.evil.example/base/you"}}, "/base/", ""},
		"a longer base":                          {url.Values{"target_link_uri": {here + "-evil/you"}}, "/base/", ""},
		"beside the base":                        {url.Values{"target_link_uri": {"https://muster.example/other"}}, "/base/", ""},
		"plain http":                             {url.Values{"target_link_uri": {"http://muster.example/base/you"}}, "/base/", ""},
		"two slashes":                            {url.Values{"target_link_uri": {here + "//evil.example"}}, "/base/", ""},
		"a backslash":                            {url.Values{"target_link_uri": {here + `/\evil.example`}}, "/base/", ""},
		"out by dots":                            {url.Values{"target_link_uri": {here + "/../../evil"}}, "/base/", ""},
		"the API":                                {url.Values{"target_link_uri": {here + "/api/v1/me"}}, "/base/", ""},
		"signing out":                            {url.Values{"target_link_uri": {here + "/sign-out"}}, "/base/", ""},
		"script":                                 {url.Values{"target_link_uri": {"javascript:alert(1)"}}, "/base/", ""},
		"other parameters":                       {url.Values{"prompt": {"login"}, "acr_values": {"x"}, "next": {"/other"}, "set-up": {"x"}}, "/base/", ""},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			t.Run(name+", "+method, func(t *testing.T) {
				w := newWorldAt(t, idp, nil)
				idp.Set(badidp.Knobs{})
				query := maps.Clone(c.query)
				query.Set("iss", idp.Issuer())
				answer := w.initiate(method, query)
				_ = answer.Body.Close()
				u, err := answer.Location()
				if err != nil {
					t.Fatalf("answered %d: %v", answer.StatusCode, err)
				}
				if q := u.Query(); q.Get("login_hint") != c.hint || q.Has("prompt") || q.Has("acr_values") {
					t.Errorf("the provider gets %v", q)
				}
				back := w.finish(idp.Authorize(t, u.String()), answer.Cookies()...)
				location := back.Header.Get("Location")
				if got := outcome(back); got != "ok" || location != c.next || w.rules.signedIn[0].SetUp {
					t.Errorf("ended with %q at %q, want %q", got, location, c.next)
				}
			})
		}
	}
}

// initiate asks for a sign-in as a third party does.
func (w *world) initiate(method string, query url.Values) *http.Response {
	w.Helper()
	if method == http.MethodGet {
		return w.get(start + "/initiate-login?" + query.Encode())
	}
	return w.send(method, start+"/initiate-login", query.Encode(), "Content-Type", formType, "Origin", "https://tile.example", "Sec-Fetch-Site", "cross-site")
}

// Item 27: iss must be our provider to the letter; nothing is begun otherwise.
func TestInitiateLoginIssuer(t *testing.T) {
	w := newWorld(t, nil)
	for name, query := range map[string]url.Values{
		"none": {}, "another": {"iss": {"https://evil.example"}}, "with a slash": {"iss": {w.idp.Issuer() + "/"}}, "in capitals": {"iss": {strings.ToUpper(w.idp.Issuer())}},
		"empty": {"iss": {""}}, "after another": {"iss": {"https://evil.example", w.idp.Issuer()}},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if got := outcome(w.initiate(method, query)); got != string(domain.ReasonFlowLost) || len(w.rules.flows) != 0 {
				t.Errorf("%s, %s: %q, %d flows", name, method, got, len(w.rules.flows))
			}
		}
	}
	if got := outcome(w.initiate(http.MethodPost, url.Values{"iss": {w.idp.Issuer()}, "x": {strings.Repeat("x", 1<<20)}})); got != "invalid" || len(w.rules.flows) != 0 {
		t.Errorf("a large form: %q", got)
	}
}

// Module oidcc-client-test-form-post-error: an error by form_post is shown as what it is, and a form that is too large as trouble.
func TestFormPostError(t *testing.T) {
	w := newWorld(t, nil)
	w.idp.Set(badidp.Knobs{Callback: func(v url.Values) { v.Del("code"); v.Set("error", "login_required") }})
	authorization, cookies := w.begin("")
	posted := w.send(http.MethodPost, start+"/callback", w.idp.Authorize(t, authorization).Encode(), "Content-Type", formType)
	_ = posted.Body.Close()
	back := strings.TrimPrefix(posted.Header.Get("Location"), "/base")
	if got := outcome(w.get(back, cookies...)); got != string(domain.ReasonProviderError) || w.idp.Exchanges() != 0 {
		t.Errorf("ended with %q after %d exchanges", got, w.idp.Exchanges())
	}
	large := w.send(http.MethodPost, start+"/callback", "code="+strings.Repeat("x", 1<<20), "Content-Type", formType)
	if got := outcome(large); got != string(domain.ReasonProviderError) {
		t.Errorf("a large form: %q", got)
	}
	stray := w.send(http.MethodPost, start+"/callback", "state=s&code=c&next=//evil.example&x=y", "Content-Type", formType)
	_ = stray.Body.Close()
	if got := stray.Header.Get("Location"); got != "/base"+start+"/callback?code=c&state=s" {
		t.Errorf("stray parameters: %q", got)
	}
}
