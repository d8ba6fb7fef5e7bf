package oidc_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"muster/domain"
	"muster/internal/testkit/badidp"
	"muster/oidc"
)

// renewing is a token endpoint that answers refresh tokens with an ID token, which has no nonce, and the fields of answer over it.
func renewing(idp *badidp.Provider, claims, answer set) badidp.Knobs {
	knobs := badidp.Knobs{Claims: func(usual map[string]any) {
		replace(usual, with(usual, claims))
		delete(usual, "nonce")
	}}
	knobs.Token = func(w http.ResponseWriter, _ *http.Request) {
		whole := with(set{"access_token": "access", "token_type": "Bearer", "expires_in": 600, "refresh_token": "second", "id_token": idp.IDToken("")}, answer)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(whole) //nolint:errchkjson // plain maps of texts and numbers
	}
	return knobs
}

// failing is a token endpoint with one answer.
func failing(status int, kind, text string) badidp.Knobs {
	return badidp.Knobs{Token: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(text))
	}}
}

// renew renews the session of subject-1 with the refresh token "first".
func (w *world) renew() (domain.Renewal, error) {
	w.Helper()
	session := domain.Session{ID: "session-1", Provider: domain.ProviderOIDC, Issuer: w.idp.Issuer(), Subject: "subject-1", TokenSubject: "subject-1"}
	return oidc.Providers{w.oidc}.Renew(w.Context(), session, "first")
}

// isRefusal tells the provider's "no" from everything else that can go wrong.
func isRefusal(err error) bool {
	refusal, ok := errors.AsType[*domain.Refusal](err)
	return ok && refusal.Reason == domain.ReasonNotRenewed && refusal.Detail != ""
}

// Items 94 and 96, module oidcc-client-test-refresh-token: what a good answer gives, with a new refresh token and without.
func TestRenew(t *testing.T) {
	idp := badidp.New(t)
	for name, c := range map[string]struct {
		claims, answer set
		keep           bool
		want           func(now time.Time) domain.Renewal
	}{
		"oidcc-client-test-refresh-token, rotated": {nil, nil, false, func(now time.Time) domain.Renewal {
			return domain.Renewal{TokenExpiry: now.Add(time.Hour), RefreshToken: "second"}
		}},
		"not rotated": {nil, set{"refresh_token": nil}, false, func(now time.Time) domain.Renewal {
			return domain.Renewal{TokenExpiry: now.Add(time.Hour)}
		}},
		"the old one again": {nil, set{"refresh_token": "first"}, false, func(now time.Time) domain.Renewal {
			return domain.Renewal{TokenExpiry: now.Add(time.Hour)}
		}},
		"neither ID token nor expires_in": {nil, set{"id_token": nil, "expires_in": nil}, false, func(now time.Time) domain.Renewal {
			return domain.Renewal{TokenExpiry: now.Add(5 * time.Minute), RefreshToken: "second"}
		}},
		"an empty ID token": {nil, set{"id_token": "", "expires_in": nil}, true, func(now time.Time) domain.Renewal {
			return domain.Renewal{TokenExpiry: now.Add(5 * time.Minute), RefreshToken: "second"}
		}},
		"expired within the leeway": {set{"exp": time.Now().Add(-30 * time.Second).Unix()}, nil, false, func(now time.Time) domain.Renewal {
			return domain.Renewal{TokenExpiry: now.Add(time.Minute), RefreshToken: "second"}
		}},
		"with a nonce": {set{"nonce": "another"}, nil, false, func(now time.Time) domain.Renewal {
			return domain.Renewal{TokenExpiry: now.Add(time.Hour), RefreshToken: "second"}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldAt(t, idp, func(config *oidc.Config) { config.KeepIDToken = c.keep })
			now := time.Unix(time.Now().Unix(), 0).UTC()
			w.clock.Set(now)
			knobs := renewing(idp, c.claims, c.answer)
			knobs.Now = w.clock.Now
			idp.Set(knobs)
			before := idp.Exchanges()
			got, err := w.renew()
			if want := c.want(now); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%+v, %v, want %+v", got, err, want)
			}
			sent := idp.Redemptions()[before:]
			if len(sent) != 1 || !sent[0].Basic || !reflect.DeepEqual(map[string][]string(sent[0].Form), map[string][]string{"grant_type": {"refresh_token"}, "refresh_token": {"first"}}) {
				t.Errorf("the token endpoint got %+v", sent)
			}
		})
	}
}

// Item 96: without an ID token the session lasts as long as the access token, and never so short that it is renewed without end.
func TestRenewByExpiresIn(t *testing.T) {
	idp := badidp.New(t)
	for seconds, least := range map[int]time.Duration{600: 599 * time.Second, 1: time.Second, -5: time.Second, -1 << 31: time.Second} {
		w := newWorldAt(t, idp, nil)
		idp.Set(renewing(idp, nil, set{"id_token": nil, "expires_in": seconds}))
		begun := time.Now()
		got, err := w.renew()
		if err != nil || got.TokenExpiry.Before(begun.Add(least)) || got.TokenExpiry.After(time.Now().Add(max(least, time.Minute)+time.Second)) {
			t.Errorf("expires_in %d: until %v, %v; it is %v", seconds, got.TokenExpiry, err, begun)
		}
	}
}

// Item 102: the renewed ID token is kept where the ID token is kept at all.
func TestRenewKeepsIDToken(t *testing.T) {
	w := newWorld(t, func(config *oidc.Config) { config.KeepIDToken = true })
	token := mint(w.idp, "", set{
		"iss": w.idp.Issuer(), "aud": badidp.ClientID, "sub": "subject-1", "iat": w.clock.Now().Unix(), "exp": w.clock.Now().Add(time.Hour).Unix(),
	}, nil)
	w.idp.Set(renewing(w.idp, nil, set{"id_token": token}))
	if got, err := w.renew(); err != nil || got.IDToken != token {
		t.Errorf("%+v, %v", got, err)
	}
}

// Items 94 and 96, modules oidcc-client-test-refresh-token-invalid-issuer and -invalid-sub:
// a provider that says no, or whose new ID token is not this person's for us, ends the session.
func TestRenewRefused(t *testing.T) {
	idp := badidp.New(t)
	at := func(offset time.Duration) int64 { return time.Now().Add(offset).Unix() }
	claims := func(changed set) badidp.Knobs { return renewing(idp, changed, nil) }
	header := func(name string, value any) badidp.Knobs {
		knobs := renewing(idp, nil, nil)
		knobs.Header = func(h map[string]any) { h[name] = value }
		return knobs
	}
	signed := func(algorithm string, broken bool) badidp.Knobs {
		knobs := renewing(idp, nil, nil)
		knobs.Algorithm, knobs.BadSignature = algorithm, broken
		return knobs
	}
	for name, knobs := range map[string]badidp.Knobs{
		"oidcc-client-test-refresh-token-invalid-issuer": claims(set{"iss": "https://evil.example"}),
		"oidcc-client-test-refresh-token-invalid-sub":    claims(set{"sub": "somebody else"}),
		"another audience":          claims(set{"aud": "another client"}),
		"no audience":               claims(set{"aud": nil}),
		"another's azp":             claims(set{"azp": "another client"}),
		"two audiences without azp": claims(set{"aud": []string{badidp.ClientID, "other"}}),
		"no sub":                    claims(set{"sub": nil}),
		"expired":                   claims(set{"exp": at(-2 * time.Minute)}),
		"no exp":                    claims(set{"exp": nil}),
		"no iat":                    claims(set{"iat": nil}),
		"iat an hour ahead":         claims(set{"iat": at(time.Hour)}),
		"iat an hour old":           claims(set{"iat": at(-time.Hour)}),
		"nbf an hour ahead":         claims(set{"nbf": at(time.Hour)}),
		"alg none":                  signed("none", false),
		"HS256 with the public key": signed("HS256-public", false),
		"bad signature":             signed("", true),
		"typ at+jwt":                header("typ", "at+jwt"),
		"typ logout+jwt":            header("typ", "logout+jwt"),
		"encrypted":                 renewing(idp, nil, set{"id_token": "e30.AA.AA.AA.AA"}),
		"no JWT":                    renewing(idp, nil, set{"id_token": "<html>"}),
		"invalid_grant":             failing(http.StatusBadRequest, "application/json", `{"error":"invalid_grant","error_description":"<b>revoked</b>"}`),
		"invalid_grant with 200":    failing(http.StatusOK, "application/json", `{"error":"invalid_grant"}`),
		"invalid_grant as a form":   failing(http.StatusBadRequest, "text/plain", `error=invalid_grant`),
		"access_denied":             failing(http.StatusForbidden, "application/json", `{"error":"access_denied"}`),
		"interaction_required":      failing(http.StatusBadRequest, "application/json", `{"error":"interaction_required"}`),
		"login_required":            failing(http.StatusBadRequest, "application/json", `{"error":"login_required"}`),
		"consent_required":          failing(http.StatusBadRequest, "application/json", `{"error":"consent_required"}`),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldAt(t, idp, nil)
			idp.Set(knobs)
			before := idp.Exchanges()
			got, err := w.renew()
			if !isRefusal(err) || got != (domain.Renewal{}) {
				t.Errorf("%+v, %v", got, err)
			}
			if tries := idp.Exchanges() - before; tries != 1 {
				t.Errorf("%d requests at the token endpoint", tries)
			}
			if refusal, ok := errors.AsType[*domain.Refusal](err); ok && strings.Contains(refusal.Detail, "revoked") {
				t.Errorf("the provider's own words are in %q", refusal.Detail)
			}
		})
	}
}

// Item 96, R11: where another claim is the subject, it is compared as well.
func TestRenewComparesTheSubject(t *testing.T) {
	for object, want := range map[any]bool{"object-1": true, "object-2": false, nil: false} {
		w := newWorld(t, func(config *oidc.Config) { config.SubjectClaims = map[string]string{"http://": "oid"} })
		w.idp.Set(renewing(w.idp, set{"oid": object}, nil))
		session := domain.Session{Provider: domain.ProviderOIDC, Issuer: w.idp.Issuer(), Subject: "object-1", TokenSubject: "subject-1"}
		_, err := oidc.Providers{w.oidc}.Renew(t.Context(), session, "first")
		if want && err != nil || !want && !isRefusal(err) {
			t.Errorf("oid %v: %v", object, err)
		}
	}
}

// Item 94: a provider that cannot be asked, or does not know us, says nothing about the session, which is no refusal.
func TestRenewTrouble(t *testing.T) {
	idp := badidp.New(t)
	for name, knobs := range map[string]badidp.Knobs{
		"500":                     failing(http.StatusInternalServerError, "application/json", `{"error":"server_error"}`),
		"502 in HTML":             failing(http.StatusBadGateway, "text/html", "<html>bad gateway</html>"),
		"HTML":                    failing(http.StatusOK, "text/html", "<html>maintenance</html>"),
		"nothing":                 failing(http.StatusOK, "application/json", ""),
		"no access token":         renewing(idp, nil, set{"access_token": nil}),
		"400 without a code":      failing(http.StatusBadRequest, "application/json", `{}`),
		"429":                     failing(http.StatusTooManyRequests, "application/json", `{"error":"slow_down"}`),
		"temporarily_unavailable": failing(http.StatusServiceUnavailable, "application/json", `{"error":"temporarily_unavailable"}`),
		"invalid_client":          failing(http.StatusUnauthorized, "application/json", `{"error":"invalid_client"}`),
		"unauthorized_client":     failing(http.StatusBadRequest, "application/json", `{"error":"unauthorized_client"}`),
		"invalid_request":         failing(http.StatusBadRequest, "application/json", `{"error":"invalid_request"}`),
		"30 MB":                   {Token: huge},
		"gzip bomb":               {Token: bomb},
		"a redirect": {Token: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://evil.example/token", http.StatusTemporaryRedirect)
		}},
		"metadata away": {Discover: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }},
		"keys away": func() badidp.Knobs {
			knobs := renewing(idp, nil, nil)
			knobs.KeysHandler = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
			return knobs
		}(),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldAt(t, idp, nil)
			idp.Set(knobs)
			got, err := w.renew()
			if err == nil || isRefusal(err) || got != (domain.Renewal{}) {
				t.Errorf("%+v, %v", got, err)
			}
			if strings.Contains(w.log.String(), badidp.ClientSecret) || strings.Contains(w.log.String(), "first") {
				t.Errorf("a secret is in the log: %s", w.log)
			}
		})
	}
}

// Items 6 and 94: a token endpoint that never answers costs ten seconds and no session.
func TestRenewSilence(t *testing.T) {
	fakeTime(t, whole, func(w *world, l *line) {
		w.idp.Set(badidp.Knobs{Token: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }})
		begun := time.Now()
		if got, err := w.renew(); err == nil || isRefusal(err) {
			w.Errorf("%+v, %v", got, err)
		}
		if took := time.Since(begun); took > 10*time.Second {
			w.Errorf("it took %v", took)
		}
		l.state.Store(cut)
		if got, err := w.renew(); err == nil || isRefusal(err) {
			w.Errorf("cut off: %+v, %v", got, err)
		}
	})
}

// Items 51 and 94: new keys that cannot be fetched are the provider's trouble, not the person's: the session is not ended for them.
func TestRenewWhileKeysAreAway(t *testing.T) {
	w := newWorld(t, nil)
	if got := outcome(w.signIn()); got != "ok" {
		t.Fatalf("the sign-in ended with %q", got)
	}
	w.idp.RotateKeys(t, "rsa-2")
	knobs := renewing(w.idp, nil, nil)
	knobs.KeysHandler = func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusBadGateway) }
	w.idp.Set(knobs)
	if got, err := w.renew(); err == nil || isRefusal(err) {
		t.Errorf("with the keys away: %+v, %v", got, err)
	}
	w.idp.Set(renewing(w.idp, nil, nil))
	if got, err := w.renew(); err != nil || got.RefreshToken != "second" {
		t.Errorf("with the keys back: %+v, %v", got, err)
	}
}

// Item 14: a session of a provider that is no longer configured is not renewed.
func TestRenewWithoutProvider(t *testing.T) {
	w := newWorld(t, nil)
	providers := oidc.Providers{w.oidc}
	if _, err := providers.Renew(t.Context(), domain.Session{Provider: "gone"}, "first"); !isRefusal(err) {
		t.Error(err)
	}
	if providers.Get("gone") != nil || providers.Get(domain.ProviderOIDC) != w.oidc {
		t.Error("the wrong provider is found")
	}
}

// Items 94 and 97: the refresh token of a sign-in reaches the rules, and the ID token only where it is to be kept.
func TestTokensOfSignIn(t *testing.T) {
	for _, keep := range []bool{false, true} {
		w := newWorld(t, func(config *oidc.Config) {
			config.Scopes, config.KeepIDToken = []string{"openid", "offline_access"}, keep
		})
		var token string
		w.idp.Set(badidp.Knobs{TokenAnswer: func(answer map[string]any) {
			answer["refresh_token"] = "first"
			token, _ = answer["id_token"].(string)
		}})
		query, cookies := w.authorizationQuery("")
		if query.Get("scope") != "openid offline_access" {
			t.Errorf("the scope is %q", query.Get("scope"))
		}
		if got := outcome(w.finish(w.idp.Authorize(t, w.idp.Issuer()+"/authorize?"+query.Encode()), cookies...)); got != "ok" {
			t.Fatalf("ended with %q", got)
		}
		claims := w.rules.signedIn[0]
		if claims.RefreshToken != "first" || keep != (claims.IDToken == token) || !keep && claims.IDToken != "" {
			t.Errorf("keep %v: refresh token %q, ID token %q", keep, claims.RefreshToken, claims.IDToken)
		}
	}
}

// Item 8: a browser that goes away in the middle of a sign-in or a renewal leaves no defect behind.
func TestBrowserGone(t *testing.T) {
	idp := badidp.New(t)
	leaving, leave := context.WithCancel(t.Context())
	w := newWorldAt(t, idp, func(config *oidc.Config) { config.Transport = idp })
	if got := outcome(w.signIn()); got != "ok" {
		t.Fatalf("the first sign-in ended with %q", got)
	}
	idp.Set(badidp.Knobs{Claims: func(c map[string]any) { c["iss"] = "https://evil.example" }, TokenAnswer: func(map[string]any) { leave() }})
	authorization, cookies := w.begin("")
	if got := outcome(w.getWith(leaving, start+"/callback?"+idp.Authorize(t, authorization).Encode(), cookies...)); got == "internal" || got == "ok" {
		t.Errorf("ended with %q", got)
	}
	if strings.Contains(w.log.String(), "panic") {
		t.Error("it panicked")
	}
}
