package check_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
)

const root = "../../.."

// setting is a line of "muster config".
type setting struct{ value, source string }

// existing and withMail are Secrets that somebody else made.
var existing = map[string]string{
	"oauth_client_id": "muster", "oauth_client_secret": "s3cret", "oauth_client_secret_previous": "s3cret-before", "oauth_issuer_url": "https://idp.example.com",
	"database_url": "postgres://muster:s3cret@db/muster", "encryption_key": key,
	"audit_export_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "metrics_token": "s3cret-metrics-0123456789abcdef", "tracing_headers": "authorization=s3cret-tracing", "other": "s3cret-other",
}

var withMail = map[string]string{"database_url": existing["database_url"], "smtp_url": "smtp://muster:s3cret@mail.example.com:587"}

// binary is where the program is built whose configuration this is.
var binary string

var build = sync.OnceValue(func() error {
	command := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", binary, "./cmd/muster")
	command.Dir, command.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
})

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "muster-chart")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "muster")
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// run asks the server for its configuration.
func run(t *testing.T, env []string, args ...string) map[string]setting {
	t.Helper()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(binary, append(args, "config")...)
	command.Env = append([]string{}, env...)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("the server does not take its configuration: %s", out)
	}
	all := map[string]setting{}
	for line := range strings.Lines(strings.TrimSpace(string(out))) {
		found := settingLine.FindStringSubmatch(strings.TrimSpace(line))
		if found == nil {
			t.Fatalf("not a line of settings: %q", line)
		}
		all[found[1]] = setting{found[2], found[3]}
	}
	return all
}

var settingLine = regexp.MustCompile(`^(\S+) +(.*?) *(default|environment \S+|file \S+|\S+ line \d+)$`)

// load lets the server read what a pod would give it, and returns the configuration in force.
func load(t *testing.T, r rendering) map[string]setting {
	t.Helper()
	dir := t.TempDir()
	_, container := pod(t, r)
	file := write(t, filepath.Join(dir, "config/muster.yaml"), strings.ReplaceAll(one[*core.ConfigMap](t, r).Data["muster.yaml"], "/etc/muster", dir))
	secrets := map[string]map[string]string{"muster": existing, "mail": withMail}
	if secret := one[*core.Secret](t, r); secret != nil {
		secrets[secret.Name] = secret.StringData
	}
	mountSecrets(t, r, secrets, filepath.Join(dir, "secret"))
	mounted := map[string]string{"/mnt/database_url": existing["database_url"], "/mnt/encryption_key": key}
	env := imageEnv(t)
	for _, variable := range container.Env {
		value := variable.Value
		if from := variable.ValueFrom; from != nil {
			found := false
			if value, found = secrets[from.SecretKeyRef.Name][from.SecretKeyRef.Key]; !found {
				if !is(from.SecretKeyRef.Optional, true) {
					t.Errorf("%s: the Secret %s has no %s", variable.Name, from.SecretKeyRef.Name, from.SecretKeyRef.Key)
				}
				continue
			}
		} else if text, ok := mounted[value]; ok {
			value = write(t, filepath.Join(dir, value), text)
		}
		env = append(env, variable.Name+"="+value)
	}
	return run(t, env, "--config", file)
}

// mountSecrets writes the files that the projected volume would have.
func mountSecrets(t *testing.T, r rendering, secrets map[string]map[string]string, dir string) {
	t.Helper()
	for _, volume := range one[*apps.Deployment](t, r).Spec.Template.Spec.Volumes {
		if volume.Projected == nil {
			continue
		}
		for _, source := range volume.Projected.Sources {
			files := map[string]string{}
			for _, item := range source.Secret.Items {
				files[item.Path] = secrets[source.Secret.Name][item.Key]
			}
			if source.Secret.Items == nil {
				files = secrets[source.Secret.Name]
			}
			for name, text := range files {
				write(t, filepath.Join(dir, name), text)
			}
		}
	}
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// imageEnv is what the image sets.
func imageEnv(t *testing.T) []string {
	t.Helper()
	dockerfile, err := os.ReadFile(filepath.Join(root, "deploy/Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	var env []string
	for _, line := range regexp.MustCompile(`(?m)^ENV (.*)$`).FindAllStringSubmatch(string(dockerfile), -1) {
		env = append(env, strings.Fields(line[1])...)
	}
	if len(env) == 0 {
		t.Fatal("the image sets nothing")
	}
	return env
}

// everyKey sets every key to something that is not its default.
const everyKey = `
listen: ":9090"
config:
  hostname: https://id.example.com
  basePath: /muster
  databaseUrl: postgres://muster:s3cret@db/muster
  encryptionKey: ` + key + `
  initialOrgAdminEmail: you@example.com
  initialOrgName: Acme
  defaultWorkspaceName: Lab
  userOrgCreationDisabled: false
  personalOrgsDisabled: false
  workspaceScopeOrgInvitesEnabled: true
  selfHostedJitProvisioningEnabled: false
  infoEndpointAuthRequired: true
  patCreationDisabled: true
  inviteExpiryDays: 0
  oauth:
    enabled: true
    oauthClientId: muster
    oauthClientSecret: s3cret
    oauthClientSecretPrevious: s3cret-before
    oauthIssuerUrl: https://idp.example.com
    displayName: Acme
    oauthScopes: [openid, email]
    oauthSessionMaxSec: 604800
    overrideTokenExpiry: true
    idpLogoutEnabled: true
    urlEncodeScopeSpaces: true
    trustEmail: true
    subClaimOverrides: {https://idp.example.com: oid}
    tokenAuthMethod: client_secret_post
    caFile: /var/ca.crt
    nonceOptional: true
    foreignAzpAllowed: true
    logoutTokenTypeRequired: true
  providers: [{id: acme, oauthIssuerUrl: https://acme.example.com, oauthClientId: a, oauthClientSecret: s3cret-acme, oauthClientSecretPrevious: s3cret-old}]
  returnPaths: [/app/, /other/]
  signInRate: 1.5
  session: {idleSec: 0, maxPerUser: 3, stepUpMaxAgeSec: 0}
  adminRate: 1000000
  adminWrongRate: 0
  audit: {export: "https://siem.example.com", exportSecret: whsec_czNjcmV0czNjcmV0czNjcmV0}
  smtp: {url: "smtp://muster:s3cret@mail.example.com:587", from: Muster <muster@example.com>}
  scim:
    discoveryAuthRequired: false
    userBodyBytes: 1073741824
    groupBodyBytes: 2097152
    bulkBodyBytes: 2097152
    bulkOperations: 10
    maxResults: 10000
    tokenRate: 25
    orgRate: 100.5
    schemas: [{id: "urn:example:Badge", name: Badge, attributes: [{name: number, type: string}]}]
    resourceTypes: [{name: Badge, endpoint: /Badges, schema: "urn:example:Badge"}]
  metrics: {listen: ":9091", token: s3cret-metrics-0123456789abcdef}
  tracing:
    endpoint: http://collector:4318
    tracesEndpoint: http://collector:4318/traces
    headers: authorization=s3cret-tracing
    serviceName: people
    resourceAttributes: deployment.environment.name=test
    sampler: traceidratio
    samplerArg: 0.5
  shutdownDelaySec: 7
  logLevel: debug
  logFormat: text
  trustedProxies: [10.0.0.0/8, 192.0.2.1]
`

// TestEveryKey: the server gets every key that it knows, as it was written, and secrets by another way than the file.
func TestEveryKey(t *testing.T) {
	values := parse(t, everyKey)
	got := load(t, render(t, values))
	wanted := flat(values, "", got)
	for name, s := range got {
		want, set := wanted[name]
		if s.source == "default" || !set {
			t.Errorf("%s cannot be set through the chart, or is not in this test", name)
		}
		switch {
		case strings.Contains(s.value, "********"):
			if !strings.HasPrefix(s.source, "environment ") {
				t.Errorf("%s is a secret and comes from %s", name, s.source)
			}
		case strings.Contains(want, "s3cret"): // masked in the middle
		case strings.HasPrefix(s.value, "["):
			if !strings.Contains(s.value, want) {
				t.Errorf("%s = %s, want it to hold %s", name, s.value, want)
			}
		case s.value != want:
			t.Errorf("%s = %q, want %q", name, s.value, want)
		}
	}
	for name := range wanted {
		if _, known := got[name]; !known {
			t.Errorf("the server knows no %s", name)
		}
	}
}

// flat are the values by their whole names, as the environment would hold them.
func flat(values map[string]any, prefix string, known map[string]setting) map[string]string {
	all := map[string]string{}
	for name, value := range values {
		name = prefix + name
		_, whole := known[name]
		switch typed := value.(type) {
		case map[string]any:
			if !whole {
				maps.Copy(all, flat(typed, name+".", known))
				continue
			}
			text, _ := json.Marshal(typed)
			all[name] = string(text)
		case []any:
			var texts []string
			for _, item := range typed {
				if mapping, ok := item.(map[string]any); ok {
					texts = append(texts, fmt.Sprint(cmp.Or(mapping["id"], mapping["name"])))
					continue
				}
				texts = append(texts, fmt.Sprint(item))
			}
			all[name] = strings.Join(texts, ",")
		case float64:
			all[name] = strconv.FormatFloat(typed, 'f', -1, 64)
		default:
			all[name] = fmt.Sprint(typed)
		}
	}
	return all
}

// TestDefaults: where nothing is set, the server has its own defaults.
func TestDefaults(t *testing.T) {
	got := load(t, render(t, nil))
	for name, own := range run(t, nil) {
		want := own.value
		switch name {
		case "listen":
			want = ":8080"
		case "config.databaseUrl":
			want = "sqlite:///data/muster.db"
		case "config.logFormat":
			want = "json"
		}
		if got[name].value != want {
			t.Errorf("%s is %q through the chart, and %q without", name, got[name].value, want)
		}
	}
}

// TestWhatCounts: values count before an existing Secret and before what the image sets.
func TestWhatCounts(t *testing.T) {
	for values, want := range map[string]map[string]string{
		matrix["PostgreSQL"]: {
			"config.hostname": "https://id.example.com", "config.databaseUrl": "postgres://muster:xxxxx@db/muster",
			"config.oauth.oauthClientSecret": "********",
		},
		matrix["an existing Secret"]: {
			"config.databaseUrl": "postgres://muster:xxxxx@db/muster", "config.oauth.oauthIssuerUrl": "https://idp.example.com",
			"config.oauth.oauthClientId": "muster", "config.encryptionKey": "********", "config.audit.exportSecret": "********",
		},
		matrix["an existing Secret with mail"]:   {"config.smtp.url": "********", "config.oauth.enabled": "", "config.oauth.oauthClientId": ""},
		matrix["an existing Secret with SQLite"]: {"config.databaseUrl": "sqlite:///data/muster.db", "config.oauth.oauthClientId": "muster"},
		matrix["an existing Secret"] + "  oauth: {oauthIssuerUrl: https://other.example.com, oauthClientId: other}": {
			"config.oauth.oauthIssuerUrl": "https://other.example.com", "config.oauth.oauthClientId": "other",
		},
		matrix["secrets from files of others"]: {"config.databaseUrl": "postgres://muster:xxxxx@db/muster", "config.encryptionKey": "********"},
		"config: {logFormat: text, inviteExpiryDays: '7', oauth: {enabled: 'false'}}": {
			"config.logFormat": "text", "config.inviteExpiryDays": "7", "config.oauth.enabled": "false",
		},
	} {
		got := load(t, render(t, parse(t, values)))
		for name, text := range want {
			if got[name].value != text {
				t.Errorf("%s = %q, want %q, with%s", name, got[name].value, text, values)
			}
		}
	}
}
