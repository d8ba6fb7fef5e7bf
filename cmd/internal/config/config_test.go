package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/cmd/internal/config"
)

func environment(pairs map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		text, ok := pairs[name]
		return text, ok
	}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Later sources win: defaults, file, environment, flags; each value remembers where it came from.
func TestOrder(t *testing.T) {
	file := write(t, "muster.yaml", `
listen: 127.0.0.1:9000
config:
  initialOrgName: From File
  defaultWorkspaceName: Lab
  oauth:
    oauthIssuerUrl: https://idp.example/.well-known/openid-configuration
    oauthClientId: muster
    oauthScopes: [openid, email]
    subClaimOverrides:
      https://idp.example: oid
  trustedProxies:
    - 10.0.0.0/8
`)
	secret := write(t, "secret", "s3cret\n")
	cfg, err := config.Load(config.Sources{
		File: file,
		Getenv: environment(map[string]string{
			"INITIAL_ORG_NAME": "From Environment", "OAUTH_CLIENT_SECRET": "", "OAUTH_CLIENT_SECRET_FILE": secret, "LISTEN_ADDRESS": "127.0.0.1:9001",
			"FF_ORG_CREATION_DISABLED": "false", "OAUTH_SESSION_MAX_SEC": "3600",
		}),
		Flags: map[string]string{"listen": "127.0.0.1:9002"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Listen != "127.0.0.1:9002" || cfg.PublicURL != "http://127.0.0.1:9002" {
		t.Errorf("listen %q, public URL %q", cfg.Listen, cfg.PublicURL)
	}
	p := cfg.Policy
	if p.InitialOrgName != "From Environment" || p.DefaultWorkspaceName != "Lab" || p.OrgCreationDisabled || !p.PersonalOrgsDisabled || !p.JITEnabled {
		t.Errorf("policy %+v", p)
	}
	if p.InviteExpiry != 30*24*time.Hour {
		t.Errorf("invites expire after %s", p.InviteExpiry)
	}
	o := cfg.OAuth
	if !o.Enabled || o.IssuerURL != "https://idp.example" || o.ClientSecret != "s3cret" || o.SessionMax != time.Hour ||
		strings.Join(o.Scopes, " ") != "openid email" || o.SubClaimOverrides["https://idp.example"] != "oid" {
		t.Errorf("oauth %+v", o)
	}
	if len(cfg.TrustedProxies) != 1 || cfg.TrustedProxies[0].String() != "10.0.0.0/8" {
		t.Errorf("trusted proxies %v", cfg.TrustedProxies)
	}
	sources := map[string]string{}
	for _, line := range cfg.Lines() {
		sources[line.Key] = line.Source
		if strings.Contains(line.Value, "s3cret") {
			t.Errorf("the secret is printed: %+v", line)
		}
	}
	for key, want := range map[string]string{
		"listen": "flag", "config.initialOrgName": "environment INITIAL_ORG_NAME", "config.defaultWorkspaceName": file + " line 5",
		"config.oauth.oauthClientSecret": "file " + secret, "config.logLevel": "default",
	} {
		if sources[key] != want {
			t.Errorf("%s comes from %q, want %q", key, sources[key], want)
		}
	}
}

// A wrong value stops the start with one line that names the key, the value and what is allowed.
func TestWrongValues(t *testing.T) {
	for _, c := range []struct {
		name, key, text string
		want            string
	}{
		{"listen", "listen", "8080", "host:port"},
		{"port", "listen", "localhost:http", "0 to 65535"},
		{"hostname with path", "config.hostname", "https://id.example.com/muster", "config.basePath"},
		{"plain http", "config.hostname", "http://id.example.com", "https is required"},
		{"base path", "config.basePath", "muster", "starts with /"},
		{"database", "config.databaseUrl", "mysql://x", "sqlite://FILE"},
		{"admin", "config.initialOrgAdminEmail", "ada", "allowed is an e-mail address"},
		{"flag", "config.personalOrgsDisabled", "maybe", "true and false"},
		{"session", "config.oauth.oauthSessionMaxSec", "700000", "604800"},
		{"issuer", "config.oauth.oauthIssuerUrl", "http://idp.example", "https"},
		{"issuer without client", "config.oauth.oauthIssuerUrl", "https://idp.example", "oauthClientId is missing"},
		{"enabled without issuer", "config.oauth.enabled", "true", "oauthIssuerUrl is missing"},
		{"log level", "config.logLevel", "loud", "debug, info, warn and error"},
		{"log format", "config.logFormat", "xml", "text and json"},
		{"proxies", "config.trustedProxies", "10.0.0.0/99", "allowed are addresses and networks"},
		{"sub claims", "config.oauth.subClaimOverrides", "oid", "JSON object"},
		{"metrics address", "config.metrics.listen", "9090", "host:port"},
		{"metrics token", "config.metrics.token", "short", "16 characters"},
		{"collector", "config.tracing.endpoint", "localhost:4318", "http:// and https://"},
		{"collector with a password", "config.tracing.tracesEndpoint", "https://user:secret@collector.example/v1/traces", "config.tracing.headers"},
		{"headers", "config.tracing.headers", "authorization", "name=value"},
		{"attributes", "config.tracing.resourceAttributes", "=x", "name=value"},
		{"sampler", "config.tracing.sampler", "sometimes", "parentbased_traceidratio"},
		{"ratio", "config.tracing.samplerArg", "10%", "between 0 and 1"},
		{"unknown", "config.nothing", "1", "unknown key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := config.Load(config.Sources{Getenv: environment(nil), Flags: map[string]string{c.key: c.text}})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line with %q", err, c.want)
			}
		})
	}
}

// Unknown keys in the file are errors that name the line; so are broken files and a secret given twice.
func TestBrokenSources(t *testing.T) {
	for name, c := range map[string]struct{ file, want string }{
		"unknown key":  {"config:\n  initialOrgNmae: x\n", "line 2: unknown key \"config.initialOrgNmae\""},
		"nested wrong": {"config: 7\n", "line 1"},
		"no yaml":      {"config: [", "yaml"},
		"deep value":   {"listen:\n  - [a]\n", "plain values"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := config.Load(config.Sources{File: write(t, "muster.yaml", c.file), Getenv: environment(nil)})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	_, err := config.Load(config.Sources{Getenv: environment(map[string]string{"OAUTH_CLIENT_SECRET": "a", "OAUTH_CLIENT_SECRET_FILE": "b"})})
	if err == nil || !strings.Contains(err.Error(), "set one of them") {
		t.Errorf("a secret given twice: %v", err)
	}
	if _, err := config.Load(config.Sources{File: "/nowhere.yaml", Getenv: environment(nil)}); err == nil {
		t.Error("a missing file was accepted")
	}
	if _, err := config.Load(config.Sources{File: write(t, "empty.yaml", ""), Getenv: environment(nil)}); err != nil {
		t.Errorf("an empty file: %v", err)
	}
}

// Traces go where OpenTelemetry's own names say; nowhere without an endpoint.
func TestTracing(t *testing.T) {
	load := func(pairs map[string]string, file string) config.Tracing {
		t.Helper()
		sources := config.Sources{Getenv: environment(pairs)}
		if file != "" {
			sources.File = write(t, "muster.yaml", file)
		}
		cfg, err := config.Load(sources)
		if err != nil {
			t.Fatal(err)
		}
		return cfg.Tracing
	}
	off := load(nil, "")
	if off.Endpoint != "" || off.Sampler == nil || off.Resource["service.name"] != "muster" {
		t.Errorf("%+v", off)
	}
	one := load(map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318/", "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20x%2Cy, tenant=7",
		"OTEL_RESOURCE_ATTRIBUTES": "service.name=other,deployment.environment.name=test", "OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1",
	}, "")
	if one.Endpoint != "http://localhost:4318/v1/traces" || one.Headers["authorization"] != "Bearer x,y" || one.Headers["tenant"] != "7" ||
		one.Resource["service.name"] != "other" || one.Resource["deployment.environment.name"] != "test" {
		t.Errorf("%+v", one)
	}
	two := load(map[string]string{"OTEL_SERVICE_NAME": "id"}, `
config:
  tracing:
    endpoint: http://elsewhere:4318
    tracesEndpoint: https://collector.example/api/traces
    headers:
      authorization: "Basic abc="
    resourceAttributes: service.name=other
`)
	if two.Endpoint != "https://collector.example/api/traces" || two.Headers["authorization"] != "Basic abc=" || two.Resource["service.name"] != "id" {
		t.Errorf("%+v", two)
	}
}
