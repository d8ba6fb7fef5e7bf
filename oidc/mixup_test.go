package oidc_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"muster/domain"
	"muster/internal/httpx"
	"muster/internal/testkit"
	"muster/internal/testkit/badidp"
	"muster/oidc"
)

// pair is a relying party of two providers, one of which is an attacker's.
type pair struct {
	*testing.T

	honest, attacker *badidp.Provider
	rules            *rules
	handler          http.Handler
}

func newPair(t *testing.T, honest, attacker *badidp.Provider) *pair {
	t.Helper()
	p := &pair{T: t, honest: honest, attacker: attacker, rules: &rules{flows: map[domain.Digest]domain.Flow{}}}
	clock, cookies, mux := testkit.NewClock(time.Now()), httpx.Cookies{Secure: true}, http.NewServeMux()
	limits := oidc.NewLimits(0, clock.Now)
	for id, idp := range map[string]*badidp.Provider{"honest": honest, "attacker": attacker} {
		provider := oidc.NewProvider(oidc.Config{
			ID: id, Issuer: idp.Issuer(), ClientID: badidp.ClientID, ClientSecret: badidp.ClientSecret, PublicURL: "https://muster.example", Transport: idp, Now: clock.Now,
		})
		oidc.NewHandler(provider, p.rules, pages{cookies}, cookies, "", limits).Routes(mux)
	}
	p.handler = mux
	return p
}

func (p *pair) get(target string, cookies []*http.Cookie) *http.Response {
	r := httptest.NewRequestWithContext(p.Context(), http.MethodGet, target, nil)
	for _, cookie := range cookies {
		r.AddCookie(cookie)
	}
	recorder := httptest.NewRecorder()
	p.handler.ServeHTTP(recorder, r)
	return recorder.Result()
}

// begin starts a sign-in at a provider and returns what it is asked for, and the browser's cookies.
func (p *pair) begin(provider string) (*url.URL, []*http.Cookie) {
	p.Helper()
	answer := p.get("/api/v1/oauth/"+provider, nil)
	_ = answer.Body.Close()
	u, err := answer.Location()
	if err != nil {
		p.Fatal(err)
	}
	return u, answer.Cookies()
}

// Items 14, 25, 33 and 34, A36: whatever the attacker's provider has the browser bring, where it brings it,
// the honest provider's code never reaches the attacker's token endpoint, and nobody is signed in.
func TestMixUp(t *testing.T) {
	honest, attacker := badidp.New(t), badidp.New(t)
	type answers struct {
		// code is the honest provider's, states are those of a sign-in at each of them.
		code                        string
		atHonest, atAttacker        string
		honestCookies, otherCookies []*http.Cookie
	}
	for name, c := range map[string]struct {
		callback string
		query    func(answers) url.Values
	}{
		"the honest answer to the attacker's flow, at its own callback": {"honest", func(a answers) url.Values {
			return url.Values{"code": {a.code}, "state": {a.atAttacker}, "iss": {honest.Issuer()}}
		}},
		"the same under the attacker's name": {"honest", func(a answers) url.Values {
			return url.Values{"code": {a.code}, "state": {a.atAttacker}, "iss": {attacker.Issuer()}}
		}},
		"the honest answer at the attacker's callback, its flow": {"attacker", func(a answers) url.Values {
			return url.Values{"code": {a.code}, "state": {a.atAttacker}, "iss": {honest.Issuer()}}
		}},
		"the honest answer at the attacker's callback": {"attacker", func(a answers) url.Values {
			return url.Values{"code": {a.code}, "state": {a.atHonest}, "iss": {honest.Issuer()}}
		}},
		"the same under its own name": {"attacker", func(a answers) url.Values {
			return url.Values{"code": {a.code}, "state": {a.atHonest}, "iss": {attacker.Issuer()}}
		}},
		"without iss, at its own callback": {"honest", func(a answers) url.Values {
			return url.Values{"code": {a.code}, "state": {a.atAttacker}}
		}},
		"without iss, at the attacker's callback": {"attacker", func(a answers) url.Values {
			return url.Values{"code": {a.code}, "state": {a.atHonest}}
		}},
		"a made-up code into the honest flow": {"honest", func(a answers) url.Values {
			return url.Values{"code": {"attackers-code"}, "state": {a.atHonest}, "iss": {attacker.Issuer()}}
		}},
		"an error of the attacker's for the honest flow": {"honest", func(a answers) url.Values {
			return url.Values{"error": {"access_denied"}, "state": {a.atHonest}, "iss": {attacker.Issuer()}}
		}},
	} {
		for promise, knobs := range map[string]badidp.Knobs{
			"iss promised":     {},
			"iss not promised": {Discovery: func(m map[string]any) { delete(m, "authorization_response_iss_parameter_supported") }},
		} {
			t.Run(name+", "+promise, func(t *testing.T) {
				honest.Set(knobs)
				attacker.Set(knobs)
				p := newPair(t, honest, attacker)
				before, taken := honest.Exchanges(), attacker.Exchanges()
				good, honestCookies := p.begin("honest")
				evil, otherCookies := p.begin("attacker")
				a := answers{honest.Authorize(t, good.String()).Get("code"), good.Query().Get("state"), evil.Query().Get("state"), honestCookies, otherCookies}
				answer := p.get("/api/v1/oauth/"+c.callback+"/callback?"+c.query(a).Encode(), slices.Concat(a.honestCookies, a.otherCookies))
				if got := outcome(answer); got != string(domain.ReasonFlowLost) && got != string(domain.ReasonBadToken) {
					t.Errorf("ended with %q", got)
				}
				if attacker.Exchanges() != taken || honest.Exchanges() != before || len(p.rules.signedIn) != 0 {
					t.Errorf("%d exchanges at the attacker's, %d at the honest one, signed in %v", attacker.Exchanges()-taken, honest.Exchanges()-before, p.rules.signedIn)
				}
			})
		}
	}
}

// A36: metadata of the attacker's that name the honest provider's authorization endpoint: the honest one sends its answer
// to the callback that is registered there, which is not the attacker's, and so the flow does not fit.
func TestMixUpByMetadata(t *testing.T) {
	honest, attacker := badidp.New(t), badidp.New(t)
	attacker.Set(badidp.Knobs{Discovery: func(m map[string]any) {
		m["authorization_endpoint"] = honest.Issuer() + "/authorize"
		delete(m, "authorization_response_iss_parameter_supported")
	}})
	p := newPair(t, honest, attacker)
	asked, cookies := p.begin("attacker")
	if asked.Host != mustParse(t, honest.Issuer()).Host || asked.Query().Get("redirect_uri") == "https://muster.example/api/v1/oauth/honest/callback" {
		t.Fatalf("the browser is sent to %v", asked)
	}
	answer := p.get("/api/v1/oauth/honest/callback?"+honest.Authorize(t, asked.String()).Encode(), cookies)
	if got := outcome(answer); got != string(domain.ReasonFlowLost) || attacker.Exchanges() != 0 || len(p.rules.signedIn) != 0 {
		t.Errorf("ended with %q, %d exchanges at the attacker's", got, attacker.Exchanges())
	}
}

func mustParse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// Items 21 and 34, section 4 "code injection across sessions": a code of another person's sign-in at the same provider
// does not fit this browser's verifier and nonce, even when the provider ignores PKCE.
func TestCodeInjection(t *testing.T) {
	w := newWorld(t, nil)
	attackers, _ := w.begin("")
	stolen := w.idp.Authorize(t, attackers).Get("code")
	victims, cookies := w.begin("")
	parameters := w.idp.Authorize(t, victims)
	parameters.Set("code", stolen)
	if got := outcome(w.finish(parameters, cookies...)); got != string(domain.ReasonProviderError) || len(w.rules.signedIn) != 0 {
		t.Errorf("ended with %q", got)
	}
	// PKCE downgrade: a provider that never looks at the verifier.
	victims, cookies = w.begin("")
	parameters = w.idp.Authorize(t, victims)
	token := w.idp.IDToken(mustParse(t, attackers).Query().Get("nonce"))
	w.idp.Set(badidp.Knobs{Token: func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		_, _ = rw.Write([]byte(`{"access_token":"access","token_type":"Bearer","id_token":"` + token + `"}`))
	}})
	if got := outcome(w.finish(parameters, cookies...)); got != string(domain.ReasonBadToken) || len(w.rules.signedIn) != 0 {
		t.Errorf("without PKCE: %q", got)
	}
}

// Items 14 and 25: one provider's sign-in works beside another's, each with its own callback and cookies.
func TestTwoProviders(t *testing.T) {
	honest, other := badidp.New(t), badidp.New(t)
	p := newPair(t, honest, other)
	for id, idp := range map[string]*badidp.Provider{"honest": honest, "attacker": other} {
		asked, cookies := p.begin(id)
		if got := asked.Query().Get("redirect_uri"); got != "https://muster.example/api/v1/oauth/"+id+"/callback" {
			t.Errorf("%s: the redirect URI is %q", id, got)
		}
		p.rules.signedIn = nil
		answer := p.get("/api/v1/oauth/"+id+"/callback?"+idp.Authorize(t, asked.String()).Encode(), cookies)
		if got := outcome(answer); got != "ok" || p.rules.signedIn[0].Provider != id || p.rules.signedIn[0].Issuer != idp.Issuer() {
			t.Errorf("%s: %q, %+v", id, got, p.rules.signedIn)
		}
	}
}
