package oidc_test

import (
	"maps"
	"net/http"
	"slices"
	"testing"

	"muster/domain"
	"muster/internal/testkit/badidp"
	"muster/oidc"
)

// Item 12, module oidcc-client-test-client-secret-basic: the way that is configured is taken, whatever the metadata say, once.
func TestForcedAuthMethod(t *testing.T) {
	usual := []string{"code", "code_verifier", "grant_type", "redirect_uri"}
	named := append([]string{"client_id"}, usual...)
	posted := append([]string{"client_id", "client_secret"}, usual...)
	for name, c := range map[string]struct {
		method, secret, listed string
		basic                  bool
		fields                 []string
	}{
		"oidcc-client-test-client-secret-basic": {"client_secret_basic", badidp.ClientSecret, "client_secret_post", true, usual},
		"client_secret_post":                    {"client_secret_post", badidp.ClientSecret, "client_secret_basic", false, posted},
		"none":                                  {"none", "", "client_secret_basic", false, named},
		"none with a secret left over":          {"none", badidp.ClientSecret, "client_secret_basic", false, named},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(config *oidc.Config) { config.AuthMethod, config.ClientSecret = c.method, c.secret })
			w.idp.Set(badidp.Knobs{
				PublicClient: c.method == "none",
				Discovery:    func(m map[string]any) { m["token_endpoint_auth_methods_supported"] = []string{c.listed} },
			})
			if got := outcome(w.signIn()); got != "ok" {
				t.Fatalf("ended with %q", got)
			}
			sent := w.idp.Redemptions()
			if len(sent) != 1 || sent[0].Basic != c.basic || !slices.Equal(slices.Sorted(maps.Keys(sent[0].Form)), c.fields) {
				t.Errorf("the token endpoint got %+v", sent)
			}
		})
	}
}

// Item 13: while the secret is being changed both are tried, in that order, and nothing else is tried twice.
func TestTwoSecrets(t *testing.T) {
	idp := badidp.New(t)
	for name, c := range map[string]struct {
		present, previous string
		knobs             badidp.Knobs
		want              string
		tries             int
	}{
		"changed here first":         {"new", badidp.ClientSecret, badidp.Knobs{}, "ok", 2},
		"changed there first":        {badidp.ClientSecret, "old", badidp.Knobs{}, "ok", 1},
		"both wrong":                 {"new", "old", badidp.Knobs{}, string(domain.ReasonProviderError), 2},
		"only one, wrong":            {"new", "", badidp.Knobs{}, string(domain.ReasonProviderError), 1},
		"401 without a code":         {"new", "old", failing(http.StatusUnauthorized, "text/html", "<html>"), string(domain.ReasonProviderError), 2},
		"invalid_client with 400":    {"new", "old", failing(http.StatusBadRequest, "application/json", `{"error":"invalid_client"}`), string(domain.ReasonProviderError), 2},
		"invalid_grant":              {"new", "old", failing(http.StatusBadRequest, "application/json", `{"error":"invalid_grant"}`), string(domain.ReasonProviderError), 1},
		"invalid_grant with 401":     {"new", "old", failing(http.StatusUnauthorized, "application/json", `{"error":"invalid_grant"}`), string(domain.ReasonProviderError), 1},
		"the provider is in trouble": {"new", "old", failing(http.StatusBadGateway, "text/html", "<html>"), string(domain.ReasonUnreachable), 1},
	} {
		for _, method := range []string{"client_secret_basic", "client_secret_post"} {
			t.Run(name+", "+method, func(t *testing.T) {
				w := newWorldAt(t, idp, func(config *oidc.Config) {
					config.ClientSecret, config.PreviousSecret, config.AuthMethod = c.present, c.previous, method
				})
				idp.Set(c.knobs)
				before := idp.Exchanges()
				if got := outcome(w.signIn()); got != c.want {
					t.Errorf("ended with %q, want %q", got, c.want)
				}
				if got := idp.Exchanges() - before; got != c.tries {
					t.Errorf("%d requests at the token endpoint, want %d", got, c.tries)
				}
			})
		}
	}
}

// Item 13: a renewal takes the other secret as well; when neither is known the session is not ended for it.
func TestTwoSecretsRenew(t *testing.T) {
	for good, tries := range map[string]int{"new": 1, "old": 2, "neither": 2} {
		w := newWorld(t, func(config *oidc.Config) {
			config.ClientSecret, config.PreviousSecret, config.AuthMethod = "new", "old", "client_secret_post"
		})
		knobs := renewing(w.idp, nil, nil)
		answer := knobs.Token
		knobs.Token = func(rw http.ResponseWriter, r *http.Request) {
			if r.FormValue("client_secret") == good {
				answer(rw, r)
				return
			}
			failing(http.StatusUnauthorized, "application/json", `{"error":"invalid_client"}`).Token(rw, r)
		}
		w.idp.Set(knobs)
		got, err := w.renew()
		if known := good != "neither"; known != (err == nil) || known != (got.RefreshToken == "second") || isRefusal(err) {
			t.Errorf("%s: %+v, %v", good, got, err)
		}
		if w.idp.Exchanges() != tries {
			t.Errorf("%s: %d requests at the token endpoint, want %d", good, w.idp.Exchanges(), tries)
		}
	}
}

// Items 42 and 44, modules oidcc-client-test-nonce-invalid and oidcc-client-test-nonce-unless-code-flow:
// each switch loosens what it names and nothing else; without them the checks are strict.
func TestSwitches(t *testing.T) {
	idp := badidp.New(t)
	const bad = string(domain.ReasonBadToken)
	strict := func(*oidc.Config) {}
	nonce := func(config *oidc.Config) { config.NonceOptional = true }
	azp := func(config *oidc.Config) { config.ForeignAzpAllowed = true }
	two := []string{badidp.ClientID, "other"}
	for name, c := range map[string]struct {
		config func(*oidc.Config)
		claims set
		want   string
	}{
		"strict, no nonce":                         {strict, set{"nonce": nil}, bad},
		"oidcc-client-test-nonce-invalid":          {strict, set{"nonce": "another"}, bad},
		"nonceOptional, no nonce":                  {nonce, set{"nonce": nil}, "ok"},
		"nonceOptional, a wrong nonce":             {nonce, set{"nonce": "another"}, bad},
		"nonceOptional, an empty nonce":            {nonce, set{"nonce": ""}, bad},
		"nonceOptional, a number":                  {nonce, set{"nonce": 7}, bad},
		"nonceOptional, another's azp":             {nonce, set{"azp": "other"}, bad},
		"strict, another's azp":                    {strict, set{"azp": "other"}, bad},
		"foreignAzpAllowed, another's azp":         {azp, set{"azp": "other"}, "ok"},
		"foreignAzpAllowed, two audiences, no azp": {azp, set{"aud": two}, "ok"},
		"foreignAzpAllowed, not for us":            {azp, set{"aud": "other", "azp": badidp.ClientID}, bad},
		"foreignAzpAllowed, no nonce":              {azp, set{"nonce": nil}, bad},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldAt(t, idp, c.config)
			idp.Set(badidp.Knobs{Claims: func(usual map[string]any) {
				replace(usual, with(usual, c.claims))
			}})
			query, _ := w.authorizationQuery("")
			if query.Get("nonce") == "" || query.Get("code_challenge_method") != "S256" {
				t.Errorf("nonce and PKCE are sent in any case: %v", query)
			}
			if got := outcome(w.signIn()); got != c.want {
				t.Errorf("ended with %q, want %q", got, c.want)
			}
		})
	}
}
