package oidc_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"muster/domain"
	"muster/internal/testkit/badidp"
	"muster/oidc"
)

// inspected is what an inspection found, shortened to levels by check; several of one check are joined in their order.
func inspected(findings []domain.Finding) map[string]string {
	found := map[string]string{}
	for _, finding := range findings {
		if had := found[finding.Check]; had != "" {
			found[finding.Check] = had + " " + string(finding.Level)
		} else {
			found[finding.Check] = string(finding.Level)
		}
	}
	return found
}

// details are all that an inspection says.
func details(findings []domain.Finding) string {
	var all []string
	for _, finding := range findings {
		all = append(all, finding.Check+": "+finding.Detail)
	}
	return strings.Join(all, "\n")
}

// Item 11: every rule that a provider breaks is reported, each with what is wrong, and several at once.
func TestInspect(t *testing.T) {
	idp := badidp.New(t)
	well := map[string]string{"discovery": "ok", "issuer": "ok", "clock": "ok", "keys": "ok", "metadata": "ok", "back-channel logout": "warning"}
	discovery := func(edit func(map[string]any)) badidp.Knobs { return badidp.Knobs{Discovery: edit} }
	says := func(name string, value any) badidp.Knobs {
		return discovery(func(m map[string]any) { m[name] = value })
	}
	clock := func(offset time.Duration) func(*oidc.Config) {
		return func(config *oidc.Config) { config.Now = func() time.Time { return time.Now().Add(offset) } }
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	html := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html>"))
	}
	keys := func(set ...map[string]any) badidp.Knobs {
		return badidp.Knobs{Keys: func([]map[string]any) []map[string]any { return set }}
	}
	for name, c := range map[string]struct {
		knobs badidp.Knobs
		edit  func(*oidc.Config)
		// want are the differences from a provider that does well, says what must be in the text.
		want map[string]string
		says string
	}{
		"all is well":               {badidp.Knobs{}, nil, nil, "the provider calls itself"},
		"another issuer":            {says("issuer", "https://evil.example"), nil, map[string]string{"issuer": "failed"}, `calls itself "https://evil.example"`},
		"only a slash":              {says("issuer", idp.Issuer()+"/"), nil, map[string]string{"issuer": "failed"}, "mind the slash"},
		"no issuer":                 {discovery(func(m map[string]any) { delete(m, "issuer") }), nil, map[string]string{"issuer": "failed"}, `calls itself ""`},
		"no token endpoint":         {says("token_endpoint", ""), nil, map[string]string{"metadata": "failed"}, "token_endpoint is missing"},
		"no authorization endpoint": {says("authorization_endpoint", ""), nil, map[string]string{"metadata": "failed"}, "authorization_endpoint is missing"},
		"no keys' place":            {says("jwks_uri", ""), nil, map[string]string{"metadata": "failed", "keys": ""}, "jwks_uri is missing"},
		"keys in plain http":        {says("jwks_uri", "http://idp.example/keys"), nil, map[string]string{"metadata": "failed", "keys": ""}, "https is required"},
		"keys at a cloud's own":     {says("jwks_uri", "https://169.254.169.254/keys"), nil, map[string]string{"metadata": "failed", "keys": ""}, "link-local"},
		"the same in IPv6":          {says("jwks_uri", "https://[::ffff:169.254.169.254]/keys"), nil, map[string]string{"metadata": "failed", "keys": ""}, "link-local"},
		"userinfo with a fragment":  {says("userinfo_endpoint", "https://idp.example/userinfo#x"), nil, map[string]string{"metadata": "failed"}, "without user and fragment"},
		"token endpoint with user":  {says("token_endpoint", "https://a:b@idp.example/token"), nil, map[string]string{"metadata": "failed"}, "without user and fragment"},
		"only symmetric":            {says("id_token_signing_alg_values_supported", []string{"HS256", "none"}), nil, map[string]string{"metadata": "failed"}, "none of the signing algorithms"},
		"no code flow":              {says("response_types_supported", []string{"id_token"}), nil, map[string]string{"metadata": "ok failed"}, `no "code"`},
		"no S256":                   {says("code_challenge_methods_supported", []string{"plain"}), nil, map[string]string{"PKCE": "warning"}, "plain and not S256"},
		"scopes":                    {says("scopes_supported", []string{"openid"}), nil, map[string]string{"scopes": "warning warning"}, `the scope "profile"`},
		"another way to prove us": {
			says("token_endpoint_auth_methods_supported", []string{"private_key_jwt"}), func(config *oidc.Config) { config.AuthMethod = "client_secret_post" },
			map[string]string{"client authentication": "failed"},
			`"client_secret_post"`,
		},
		"nowhere to sign out":    {says("end_session_endpoint", nil), func(config *oidc.Config) { config.KeepIDToken = true }, map[string]string{"sign-out": "warning"}, "end_session_endpoint"},
		"back-channel logout":    {says("backchannel_logout_supported", true), nil, map[string]string{"back-channel logout": "ok"}, "https://muster.example/base" + start + "/backchannel-logout"},
		"the subject's claim":    {says("claims_supported", []string{"email"}), nil, map[string]string{"subject": "warning"}, `"sub"`},
		"nonceOptional":          {badidp.Knobs{}, func(config *oidc.Config) { config.NonceOptional = true }, map[string]string{"switches": "warning"}, "nonceOptional"},
		"foreignAzpAllowed":      {badidp.Knobs{}, func(config *oidc.Config) { config.ForeignAzpAllowed = true }, map[string]string{"switches": "warning"}, "foreignAzpAllowed"},
		"clocks 45 s apart":      {badidp.Knobs{}, clock(45 * time.Second), map[string]string{"clock": "warning"}, "differ by 4"},
		"clocks 5 min apart":     {badidp.Knobs{}, clock(-5 * time.Minute), map[string]string{"clock": "failed"}, "NTP"},
		"keys away":              {badidp.Knobs{KeysHandler: status(http.StatusBadGateway)}, nil, map[string]string{"keys": "failed"}, "it answers 502"},
		"keys in HTML":           {badidp.Knobs{KeysHandler: html}, nil, map[string]string{"keys": "failed"}, "text/html"},
		"30 MB of keys":          {badidp.Knobs{KeysHandler: huge}, nil, map[string]string{"keys": "failed"}, "longer than 1 MiB"},
		"a bomb of keys":         {badidp.Knobs{KeysHandler: bomb}, nil, map[string]string{"keys": "failed"}, "longer than 1 MiB"},
		"keys elsewhere":         {badidp.Knobs{KeysHandler: http.RedirectHandler("http://169.254.169.254/", http.StatusFound).ServeHTTP}, nil, map[string]string{"keys": "failed"}, "it answers 302"},
		"no keys in the set":     {keys(), nil, map[string]string{"keys": "failed"}, "no RSA, EC or OKP key"},
		"only keys for sealing":  {keys(set{"kty": "RSA", "use": "enc", "kid": "1"}, set{"kty": "oct", "kid": "2"}), nil, map[string]string{"keys": "failed"}, "no RSA, EC or OKP key"},
		"keys without names":     {badidp.Knobs{Keys: withoutKid}, nil, map[string]string{"keys": "warning"}, "have no kid"},
		"one key without a name": {keys(set{"kty": "RSA"}), nil, nil, "with: 1"},
		"several at once": {discovery(func(m map[string]any) {
			m["issuer"], m["token_endpoint"], m["userinfo_endpoint"] = "https://evil.example", "", "http://idp.example/userinfo"
			m["code_challenge_methods_supported"], m["id_token_signing_alg_values_supported"] = []string{"plain"}, []string{"none"}
		}), nil, map[string]string{"issuer": "failed", "metadata": "failed failed failed", "PKCE": "warning"}, "token_endpoint is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldAt(t, idp, func(config *oidc.Config) {
				config.Now = time.Now
				if c.edit != nil {
					c.edit(config)
				}
			})
			idp.Set(c.knobs)
			findings := w.oidc.Inspect(t.Context())
			want := with(anyOf(well), anyOf(c.want))
			if got := anyOf(inspected(findings)); !reflect.DeepEqual(got, want) {
				t.Errorf("found %v, want %v", got, want)
			}
			if text := details(findings); !strings.Contains(text, c.says) || strings.Contains(text, badidp.ClientSecret) {
				t.Errorf("it says\n%s\nwithout %q", text, c.says)
			}
			if ready, problem := w.oidc.Status(); ready || problem != "" || len(w.rules.flows) != 0 {
				t.Errorf("the inspection left something behind: ready %v, problem %q", ready, problem)
			}
		})
	}
}

// anyOf makes the values any; an empty one is none.
func anyOf(texts map[string]string) set {
	all := set{}
	for name, text := range texts {
		if all[name] = text; text == "" {
			all[name] = nil
		}
	}
	return all
}

// Item 11: a provider that cannot be read at all is reported as that alone, and an issuer that cannot be right is not even asked.
func TestInspectAlone(t *testing.T) {
	idp := badidp.New(t)
	for name, c := range map[string]struct {
		issuer, check, says string
		discover            http.HandlerFunc
	}{
		"plain http":   {"http://idp.example", "issuer", "https is required", nil},
		"with a user":  {"https://a@idp.example", "issuer", "without user", nil},
		"no URL":       {"idp", "issuer", "not an absolute URL", nil},
		"500":          {"", "discovery", "it answers 500", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }},
		"HTML":         {"", "discovery", "not the JSON document", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }},
		"30 MB":        {"", "discovery", "longer than 1 MiB", huge},
		"gzip bomb":    {"", "discovery", "longer than 1 MiB", bomb},
		"a redirect":   {"", "discovery", "it answers 302", http.RedirectHandler("http://169.254.169.254/", http.StatusFound).ServeHTTP},
		"no such host": {"http://127.0.0.1:1", "discovery", "refused", nil},
	} {
		t.Run(name, func(t *testing.T) {
			idp.Set(badidp.Knobs{Discover: c.discover})
			config := oidc.Config{ID: domain.ProviderOIDC, Issuer: idp.Issuer(), ClientID: badidp.ClientID, PublicURL: "https://muster.example"}
			if c.issuer != "" {
				config.Issuer = c.issuer
			}
			before := idp.Discoveries()
			findings := oidc.Inspect(t.Context(), config)
			if len(findings) != 1 || findings[0].Check != c.check || findings[0].Level != domain.FindingFailed || !strings.Contains(findings[0].Detail, c.says) {
				t.Errorf("found %+v", findings)
			}
			if c.check == "issuer" && idp.Discoveries() != before {
				t.Error("it was asked all the same")
			}
		})
	}
}

// Item 11: a provider in use is left as it is, even when it does not do well now.
func TestInspectInUse(t *testing.T) {
	w := newWorld(t, nil)
	if got := outcome(w.signIn()); got != "ok" {
		t.Fatalf("the sign-in ended with %q", got)
	}
	w.idp.Set(badidp.Knobs{Discovery: func(m map[string]any) { m["token_endpoint"] = "" }})
	if got := inspected(w.oidc.Inspect(t.Context())); got["metadata"] != "failed" {
		t.Errorf("found %v", got)
	}
	w.idp.Set(badidp.Knobs{})
	if ready, problem := w.oidc.Status(); !ready || problem != "" {
		t.Errorf("ready %v, problem %q", ready, problem)
	}
	if got := outcome(w.signIn()); got != "ok" || w.idp.Discoveries() != 2 {
		t.Errorf("afterwards: %q, %d discoveries", got, w.idp.Discoveries())
	}
}

// Items 6 and 11: an inspection of a provider that never answers ends after ten seconds.
func TestInspectSilence(t *testing.T) {
	fakeTime(t, silent, func(w *world, _ *line) {
		begun := time.Now()
		if got := inspected(w.oidc.Inspect(w.Context())); !reflect.DeepEqual(got, map[string]string{"discovery": "failed"}) {
			w.Errorf("found %v", got)
		}
		if took := time.Since(begun); took > 10*time.Second {
			w.Errorf("it took %v", took)
		}
	})
}

// Items 11 and 13: what may be known about a provider, and what to register there, hold no secret.
func TestDescribe(t *testing.T) {
	w := newWorld(t, func(config *oidc.Config) {
		config.DisplayName, config.Issuer = "Example", config.Issuer+"/.well-known/openid-configuration"
	})
	at := "https://muster.example/base" + start
	want := domain.ProviderStatus{
		ID: domain.ProviderOIDC, Name: "Example", Issuer: w.idp.Issuer(), ClientID: badidp.ClientID,
		RedirectURI: at + "/callback", InitiateLoginURI: at + "/initiate-login", BackChannelLogoutURI: at + "/backchannel-logout",
		FrontChannelLogoutURI: at + "/frontchannel-logout", GlobalTokenRevocationURI: at + "/global-token-revocation",
		PostLogoutRedirectURI: "https://muster.example/base/signed-out",
	}
	if got := w.oidc.Describe(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	w.begin("")
	want.Ready = true
	if got := w.oidc.Describe(); got != want || w.oidc.ID() != domain.ProviderOIDC || w.oidc.Name() != "Example" || w.oidc.StartPath() != start {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// Item 5: an endpoint where no provider lives is refused, however it is written.
func TestAddressesOfNoProvider(t *testing.T) {
	idp := badidp.New(t)
	for _, host := range []string{"169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]", "0.0.0.0", "[::]", "224.0.0.1", "[ff02::1]"} {
		for _, endpoint := range []string{"authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint"} {
			w := newWorldAt(t, idp, nil)
			idp.Set(badidp.Knobs{Discovery: func(m map[string]any) { m[endpoint] = "https://" + host + "/x" }})
			if got := outcome(w.get(start)); got != string(domain.ReasonUnreachable) {
				t.Errorf("%s at %s: %q", endpoint, host, got)
			}
		}
	}
}
