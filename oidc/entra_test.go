package oidc_test

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"muster/domain"
	"muster/internal/testkit/badidp"
	"muster/oidc"
)

const (
	tenant = "11111111-2222-3333-4444-555555555555"
	object = "99999999-8888-7777-6666-555555555555"
	entra  = "https://login.microsoftonline.com/" + tenant + "/v2.0"
)

// tenantPaths serves the provider below any path, as Entra is below its tenants' ids.
type tenantPaths struct{ idp *badidp.Provider }

// RoundTrip implements http.RoundTripper.
func (p tenantPaths) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration") {
		r = r.Clone(r.Context())
		r.URL.Path = "/.well-known/openid-configuration"
	}
	return p.idp.RoundTrip(r)
}

// newEntra is a world whose provider calls itself issuer; its ID tokens have claims over Entra's usual ones.
func newEntra(t *testing.T, idp *badidp.Provider, issuer string, claims set, edit func(*oidc.Config)) *world {
	t.Helper()
	w := newWorldAt(t, idp, func(config *oidc.Config) {
		config.Issuer, config.Transport = issuer, tenantPaths{idp}
		if edit != nil {
			edit(config)
		}
	})
	idp.Set(badidp.Knobs{
		Discovery: func(m map[string]any) { m["issuer"] = issuer; delete(m, "userinfo_endpoint") },
		Callback:  func(v url.Values) { v.Set("iss", issuer) },
		Claims: func(usual map[string]any) {
			delete(usual, "email_verified")
			maps.Copy(usual, set{"iss": issuer, "oid": object, "tid": tenant, "sub": "pairwise"})
			replace(usual, with(usual, claims))
		},
	})
	return w
}

// A3, item 59, section 7: Entra names people by oid, within the one tenant that the issuer is about,
// and only its word that the tenant owns a domain makes an address trusted.
func TestEntra(t *testing.T) {
	idp := badidp.New(t)
	const bad = string(domain.ReasonBadToken)
	for name, c := range map[string]struct {
		claims set
		edit   func(*oidc.Config)
		want   string
		// subject, object and trusted are what the rules get.
		subject, object string
		trusted         bool
	}{
		"oid":                     {nil, nil, "ok", object, tenant + "/" + object, false},
		"sub by configuration":    {nil, func(c *oidc.Config) { c.SubjectClaims = map[string]string{"https://login.microsoftonline.com/": "sub"} }, "ok", "pairwise", tenant + "/" + object, false},
		"another issuer's prefix": {nil, func(c *oidc.Config) { c.SubjectClaims = map[string]string{"https://other.example/": "sub"} }, "ok", object, tenant + "/" + object, false},
		"A3: another tenant":      {set{"tid": "66666666-2222-3333-4444-555555555555", "xms_edov": true, "email": "victim@example.com"}, nil, bad, "", "", false},
		"A3: another tenant's issuer": {set{
			"iss": "https://login.microsoftonline.com/66666666-2222-3333-4444-555555555555/v2.0", "tid": "66666666-2222-3333-4444-555555555555",
		}, nil, bad, "", "", false},
		"A3: trusting addresses does not open it": {set{"tid": "other"}, func(c *oidc.Config) { c.TrustEmail = true }, bad, "", "", false},
		"tid a number":            {set{"tid": 7}, nil, bad, "", "", false},
		"tid in capitals":         {set{"tid": strings.ToUpper(tenant)}, nil, "ok", object, tenant + "/" + object, false},
		"no tid":                  {set{"tid": nil}, nil, "ok", object, "", false},
		"no oid":                  {set{"oid": nil}, nil, bad, "", "", false},
		"oid a number":            {set{"oid": 7}, nil, bad, "", "", false},
		"xms_edov true":           {set{"xms_edov": true}, nil, "ok", object, tenant + "/" + object, true},
		`xms_edov "true"`:         {set{"xms_edov": "true"}, nil, "ok", object, tenant + "/" + object, true},
		"xms_edov 1":              {set{"xms_edov": 1}, nil, "ok", object, tenant + "/" + object, true},
		`xms_edov "1"`:            {set{"xms_edov": "1"}, nil, "ok", object, tenant + "/" + object, true},
		"xms_edov false":          {set{"xms_edov": false}, nil, "ok", object, tenant + "/" + object, false},
		"xms_edov 0":              {set{"xms_edov": 0}, nil, "ok", object, tenant + "/" + object, false},
		"xms_edov yes":            {set{"xms_edov": "yes"}, nil, "ok", object, tenant + "/" + object, false},
		"xms_edov a list":         {set{"xms_edov": []bool{true}}, nil, "ok", object, tenant + "/" + object, false},
		"A2: an address from upn": {set{"email": nil, "upn": "victim@example.com", "preferred_username": "victim@example.com", "xms_edov": true}, nil, "ok", object, tenant + "/" + object, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newEntra(t, idp, entra, c.claims, c.edit)
			if got := outcome(w.signIn()); got != c.want {
				t.Fatalf("ended with %q, want %q: %v", got, c.want, w.rules.details)
			}
			if c.want != "ok" {
				if len(w.rules.signedIn) != 0 {
					t.Errorf("signed in %+v", w.rules.signedIn)
				}
				return
			}
			got := w.rules.signedIn[0]
			if got.Subject != c.subject || got.TokenSubject != "pairwise" || got.Object != c.object || got.EmailTrusted != c.trusted || got.Issuer != entra {
				t.Errorf("signed in %+v", got)
			}
			if (got.Email == "") != strings.HasPrefix(name, "A2") {
				t.Errorf("the address is %q", got.Email)
			}
		})
	}
}

// A3: what is Entra's word counts for nobody else; a provider that calls itself like it is not it.
func TestEntraClaimsElsewhere(t *testing.T) {
	idp := badidp.New(t)
	for _, issuer := range []string{"https://login.microsoftonline.com.evil.example/" + tenant + "/v2.0", "https://evil.example/login.microsoftonline.com/" + tenant} {
		w := newEntra(t, idp, issuer, set{"xms_edov": true}, nil)
		if got := outcome(w.signIn()); got != "ok" {
			t.Fatalf("%s: %q: %v", issuer, got, w.rules.details)
		}
		if got := w.rules.signedIn[0]; got.EmailTrusted || got.Object != "" || got.Subject != "pairwise" {
			t.Errorf("%s: %+v", issuer, got)
		}
	}
}

// Item 76, section 7: Entra's older issuer and its national clouds are pinned to their tenants too; "common" is nobody's issuer.
func TestEntraIssuers(t *testing.T) {
	idp := badidp.New(t)
	for _, issuer := range []string{"https://sts.windows.net/" + tenant + "/", "https://login.microsoftonline.us/" + tenant + "/v2.0", "https://login.partner.microsoftonline.cn/" + tenant + "/v2.0"} {
		w := newEntra(t, idp, issuer, nil, nil)
		if got := outcome(w.signIn()); got != "ok" || w.rules.signedIn[0].Subject != object {
			t.Errorf("%s: %q, %+v", issuer, got, w.rules.signedIn)
		}
		w = newEntra(t, idp, issuer, set{"tid": "other"}, nil)
		if got := outcome(w.signIn()); got != string(domain.ReasonBadToken) {
			t.Errorf("%s, another tenant: %q", issuer, got)
		}
	}
	w := newEntra(t, idp, "https://login.microsoftonline.com/common/v2.0", nil, nil)
	idp.Set(badidp.Knobs{Discovery: func(m map[string]any) { m["issuer"] = "https://login.microsoftonline.com/{tenantid}/v2.0" }})
	if got := outcome(w.get(start)); got != string(domain.ReasonUnreachable) {
		t.Errorf("common: %q", got)
	}
}
