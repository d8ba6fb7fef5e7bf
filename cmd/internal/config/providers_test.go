package config_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"muster/cmd/internal/config"
	"muster/domain"
)

const org = "01a20869-0000-7000-8000-000000000001"

// Item 14: further providers have the keys of the first one, and the rules are told who is enabled and whom each serves.
func TestProviders(t *testing.T) {
	secret := write(t, "secret", "from a file\n")
	file := write(t, "muster.yaml", `
config:
  oauth:
    oauthIssuerUrl: https://idp.example
    oauthClientId: first
  providers:
    - id: acme
      displayName: Acme’s own
      oauthIssuerUrl: https://idp.acme.example/.well-known/openid-configuration
      oauthClientId: second
      oauthClientSecretFile: `+secret+`
      oauthScopes: openid email offline_access
      oauthSessionMaxSec: 3600
      trustEmail: true
      orgs: [`+org+`]
    - {id: off, enabled: false}
  encryptionKey: `+base64.StdEncoding.EncodeToString(make([]byte, 32))+`
`)
	cfg, err := config.Load(config.Sources{File: file, Getenv: environment(nil)})
	if err != nil {
		t.Fatal(err)
	}
	want := config.Provider{
		ID: "acme", Enabled: true, ClientID: "second", ClientSecret: "from a file", IssuerURL: "https://idp.acme.example", DisplayName: "Acme’s own",
		Scopes: []string{"openid", "email", "offline_access"}, SessionMax: time.Hour, TrustEmail: true, Orgs: []domain.OrgID{org},
	}
	if len(cfg.Providers) != 2 || !reflect.DeepEqual(cfg.Providers[1], want) || cfg.Providers[0].ID != domain.ProviderOIDC {
		t.Errorf("providers %+v", cfg.Providers)
	}
	policies := map[string]domain.ProviderPolicy{
		domain.ProviderOIDC: {Issuer: "https://idp.example"},
		"acme":              {Issuer: "https://idp.acme.example", Orgs: []domain.OrgID{org}},
	}
	if !reflect.DeepEqual(cfg.Policy.Providers, policies) || cfg.Policy.Keyring.Empty() {
		t.Errorf("the rules know %+v", cfg.Policy.Providers)
	}
	if cfg.Policy.SessionIdle != 12*time.Hour || cfg.Policy.SessionsPerUser != 20 || cfg.Policy.StepUpMaxAge != 10*time.Minute || cfg.SignInRate != 50 {
		t.Errorf("defaults %+v %v", cfg.Policy, cfg.SignInRate)
	}
}

// Secrets in the list are masked like all others, and an error never repeats one.
func TestProviderSecretsAreMasked(t *testing.T) {
	list := `[{"id":"acme","oauthIssuerUrl":"https://idp.acme.example","oauthClientId":"x","oauthClientSecret":"s3cret","oauthClientSecretPrevious":"0ld"}]`
	cfg, err := config.Load(config.Sources{Getenv: environment(map[string]string{"OAUTH_PROVIDERS": list})})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range cfg.Lines() {
		if strings.Contains(line.Value, "s3cret") || strings.Contains(line.Value, "0ld") {
			t.Errorf("printed: %+v", line)
		}
	}
	for _, broken := range []string{strings.Replace(list, `"acme"`, `"No Id"`, 1), strings.Replace(list, `"oauthClientId":"x"`, `"oauthClientId":7`, 1), list[:len(list)-2]} {
		_, err := config.Load(config.Sources{Getenv: environment(map[string]string{"OAUTH_PROVIDERS": broken})})
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%v", err)
		}
	}
}

// A provider that cannot work stops the start with one line that says what is wrong and what is allowed.
func TestWrongProviders(t *testing.T) {
	good := `"id":"acme","oauthIssuerUrl":"https://idp.acme.example","oauthClientId":"x"`
	for _, c := range []struct{ list, want string }{
		{`{}`, "a list of providers"},
		{`[{` + good + `,"oauthClientld":"x"}]`, "unknown field"},
		{`[{"oauthIssuerUrl":"https://a.example","oauthClientId":"x"}]`, "1 to 40 small letters"},
		{`[{` + strings.Replace(good, "acme", "custom-oidc", 1) + `}]`, "no other provider has it"},
		{`[{` + good + `},{` + good + `}]`, "no other provider has it"},
		{`[{` + strings.Replace(good, "acme", "a/b", 1) + `}]`, "1 to 40 small letters"},
		{`[{"id":"acme","oauthClientId":"x"}]`, "oauthIssuerUrl is missing"},
		{`[{"id":"acme","oauthIssuerUrl":"https://a.example"}]`, "oauthClientId is missing"},
		{`[{"id":"acme","oauthIssuerUrl":"http://a.example","oauthClientId":"x"}]`, "must use https"},
		{`[{` + good + `,"oauthScopes":["email"]}]`, "must hold openid"},
		{`[{` + good + `,"oauthSessionMaxSec":1}]`, "60 to 604800"},
		{`[{` + good + `,"tokenAuthMethod":"private_key_jwt"}]`, "client_secret_basic, client_secret_post and none"},
		{`[{` + good + `,"orgs":["Acme"]}]`, "muster org list"},
		{`[{` + good + `,"orgs":[]}]`, "leave the key out for all"},
		{`[{` + good + `,"oauthClientSecret":"a","oauthClientSecretFile":"b"}]`, "given twice"},
		{`[{` + good + `,"oauthClientSecretFile":"/nowhere"}]`, "/nowhere"},
	} {
		_, err := config.Load(config.Sources{Getenv: environment(map[string]string{"OAUTH_PROVIDERS": c.list})})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", c.list, err, c.want)
		}
	}
	for key, c := range map[string][2]string{
		"config.oauth.oauthIssuerUrl":    {"https://login.microsoftonline.com/common/v2.0", "your own tenant's id"}, // item 76
		"config.oauth.tokenAuthMethod":   {"magic", "client_secret_basic"},
		"config.encryptionKey":           {"short", "32 bytes"},
		"config.session.idleSec":         {"10", "300 to 604800"},
		"config.session.maxPerUser":      {"0", "1 to 1000"},
		"config.session.stepUpMaxAgeSec": {"x", "30 to 604800"},
		"config.signInRate":              {"0.5", "0 (no limit)"},
	} {
		_, err := config.Load(config.Sources{Getenv: environment(nil), Flags: map[string]string{key: c[0]}})
		if err == nil || !strings.Contains(err.Error(), c[1]) {
			t.Errorf("%s = %q: %v, want %q", key, c[0], err, c[1])
		}
	}
}

// Item 97: where providers' tokens are kept there is a key: made once beside the SQLite file, asked for on PostgreSQL.
func TestEncryptionKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "muster.db")
	load := func(database, scopes string) (*config.Config, error) {
		return config.Load(config.Sources{Getenv: environment(nil), Flags: map[string]string{
			"config.databaseUrl": database, "config.oauth.oauthIssuerUrl": "https://idp.example", "config.oauth.oauthClientId": "x", "config.oauth.oauthScopes": scopes,
		}})
	}
	const offline = "openid email offline_access"
	if _, err := load("postgres://host/name", offline); err == nil || !strings.Contains(err.Error(), "openssl rand") {
		t.Errorf("PostgreSQL without a key: %v", err)
	}
	if _, err := load("postgres://host/name", "openid email"); err != nil {
		t.Errorf("PostgreSQL that keeps nothing: %v", err)
	}
	var sealed string
	for range 2 {
		cfg, err := load("sqlite://"+path, offline)
		if err != nil {
			t.Fatal(err)
		}
		if err := cfg.EnsureEncryptionKey(); err != nil || cfg.Policy.Keyring.Empty() {
			t.Fatalf("SQLite: %v", err)
		}
		if sealed == "" {
			if sealed, err = cfg.Policy.Keyring.Seal("token", "place"); err != nil {
				t.Fatal(err)
			}
		}
		if text, err := cfg.Policy.Keyring.Open(sealed, "place"); err != nil || text != "token" {
			t.Errorf("the second start has another key: %v", err)
		}
	}
	info, err := os.Stat(path + ".key")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v %v", info, err)
	}
	if err := os.WriteFile(path+".key", []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := load("sqlite://"+path, offline)
	if err != nil {
		t.Fatal(err)
	}
	if err := cfg.EnsureEncryptionKey(); err == nil || !strings.Contains(err.Error(), "muster.db.key") {
		t.Errorf("a broken key file: %v", err)
	}
}
