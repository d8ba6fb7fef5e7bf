package check_test

import (
	"fmt"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	gateway "sigs.k8s.io/gateway-api/apis/v1"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
)

// key is an encryption key; it and everything with "s3cret" in it may stand in Secrets only.
const key = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="

// matrix are the values that the chart is tried with.
var matrix = map[string]string{
	"nothing":          "",
	"SQLite, no claim": "persistence: {enabled: false}",
	"SQLite, another's claim": `
persistence: {existingClaim: old}
config: {databaseUrl: "sqlite:///data/other.db"}
serviceAccount: {create: false}
service: {type: LoadBalancer, port: 8443}
`,
	"PostgreSQL": `
image: {repository: registry.example.com/muster, tag: v1}
config:
  hostname: id.example.com/
  databaseUrl: postgres://muster:s3cret@db/muster
  encryptionKey: ` + key + `
  initialOrgAdminEmail: you@example.com
  oauth: {oauthIssuerUrl: https://idp.example.com, oauthClientId: muster, oauthClientSecret: s3cret}
`,
	"an existing Secret": `
config:
  existingSecretName: muster
  hostname: https://id.example.com
`,
	"an existing Secret with mail": `
config:
  existingSecretName: mail
  smtp: {from: muster@example.com}
  metrics: {listen: ":9090"}
networkPolicy: {enabled: true}
serviceMonitor: {enabled: true, authorize: true}
`,
	"an existing Secret with SQLite": `
config:
  existingSecretName: muster
  databaseUrl: sqlite:///data/muster.db
  oauth: {oauthIssuerUrl: https://idp.example.com}
`,
	"an existing Secret and one of the chart's": `
config:
  existingSecretName: muster
  encryptionKey: ` + key + `
  providers:
    - {id: acme, oauthIssuerUrl: https://acme.example.com, oauthClientId: a, oauthClientSecret: s3cret-acme}
    - {id: other, oauthIssuerUrl: https://other.example.com, oauthClientId: o, oauthClientSecretFile: /etc/muster/secret/other}
`,
	"secrets from files of others": `
config:
  hostname: id.example.com
  trustedProxies: 10.0.0.0/8
extraEnv:
  - {name: DATABASE_URL_FILE, value: /mnt/database_url}
  - {name: ENCRYPTION_KEY_FILE, value: /mnt/encryption_key}
  - {name: INITIAL_ORG_ADMIN_EMAIL, value: you@example.com}
extraVolumes:
  - name: mnt
    csi: {driver: secrets-store.csi.k8s.io, readOnly: true, volumeAttributes: {secretProviderClass: muster}}
extraVolumeMounts:
  - {name: mnt, mountPath: /mnt, readOnly: true}
`,
	"everything": everything,
}

const everything = `
image: {repository: registry.example.com/muster, digest: "sha256:0123456789012345678901234567890123456789012345678901234567890123", pullPolicy: Always}
imagePullSecrets: [{name: registry}]
fullnameOverride: id
commonLabels: {team: identity}
commonAnnotations: {owner: identity@example.com}
listen: "[::]:9090"
config:
  hostname: id.example.com
  basePath: /muster
  databaseUrl: postgresql://muster:s3cret@db1,db2/muster?target_session_attrs=read-write
  encryptionKey: ` + key + `
  trustedProxies: [10.0.0.0/8]
  oauth: {enabled: true, oauthIssuerUrl: https://idp.example.com, oauthClientId: muster, oauthScopes: [openid, email, offline_access], oauthSessionMaxSec: "3600"}
  metrics: {token: s3cret-metrics-0123456789abcdef}
  smtp: {url: "smtps://muster:s3cret@mail.example.com:465", from: muster@example.com}
ingress:
  enabled: true
  ingressClassName: nginx
  annotations: {cert-manager.io/cluster-issuer: letsencrypt}
  labels: {public: "yes"}
  tls: [{secretName: id-tls}]
gateway: {enabled: true, name: public, namespace: gateways, sectionName: https}
autoscaling: {enabled: true, minReplicas: 3, maxReplicas: 6, behavior: {scaleDown: {stabilizationWindowSeconds: 600}}}
podDisruptionBudget: {maxUnavailable: 34%}
networkPolicy:
  enabled: true
  ingressFrom: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress-nginx}}}]
  extraEgress: [{to: [{ipBlock: {cidr: 10.1.0.0/16}}], ports: [{port: 6432, protocol: TCP}]}]
serviceMonitor: {enabled: true, labels: {release: prometheus}}
serviceAccount: {name: identity, annotations: {a: b}}
customCa: {secretName: company-ca, secretKey: root.pem}
podAnnotations: {a: b}
podLabels: {tier: front}
priorityClassName: system-cluster-critical
nodeSelector: {kubernetes.io/arch: amd64}
tolerations: [{key: dedicated, operator: Exists, effect: NoSchedule}]
affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Exists}]}]}}}
topologySpreadConstraints: [{maxSkew: 2, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, minDomains: 2}]
preStopSleepSeconds: 15
`

// TestChart lints and renders the chart with each of the values, and tries what comes out.
func TestChart(t *testing.T) {
	for name, text := range matrix {
		t.Run(name, func(t *testing.T) {
			values := parse(t, text)
			checkLint(t, values)
			r := render(t, values)
			for _, check := range []func(*testing.T, rendering){
				checkNames, checkPod, checkMounts, checkSelectors, checkPorts, checkReferences, checkSecrets, checkStopping,
			} {
				check(t, r)
			}
			_, container := pod(t, r)
			if port := fmt.Sprintf(":%d", container.Ports[0].ContainerPort); !strings.HasSuffix(load(t, r)["listen"].value, port) {
				t.Errorf("the server does not listen on %s", port)
			}
		})
	}
}

func checkLint(t *testing.T, values map[string]any) {
	t.Helper()
	for _, message := range lint.RunAll(chartDir, values, "identity").Messages {
		if message.Severity > support.InfoSev {
			t.Error(message)
		}
	}
}

// TestWhatIsMade compares which objects there are.
func TestWhatIsMade(t *testing.T) {
	for name, made := range map[string]struct{ claim, secret, budget, scaler, ingress, route, policy, monitor bool }{
		"nothing":                 {claim: true},
		"SQLite, no claim":        {},
		"SQLite, another's claim": {},
		"PostgreSQL":              {secret: true, budget: true},
		"an existing Secret":      {budget: true},
		"everything":              {secret: true, budget: true, scaler: true, ingress: true, route: true, policy: true, monitor: true},
	} {
		r := render(t, parse(t, matrix[name]))
		got := made
		got.claim, got.secret, got.budget = has[*core.PersistentVolumeClaim](r), has[*core.Secret](r), has[*policy.PodDisruptionBudget](r)
		got.scaler, got.ingress, got.route = has[*autoscaling.HorizontalPodAutoscaler](r), has[*networking.Ingress](r), has[*gateway.HTTPRoute](r)
		got.policy, got.monitor = has[*networking.NetworkPolicy](r), has[*monitoring.ServiceMonitor](r)
		if got != made {
			t.Errorf("%s: made are %+v, want %+v", name, got, made)
		}
		if !has[*apps.Deployment](r) || !has[*core.ConfigMap](r) || !has[*core.Service](r) {
			t.Errorf("%s: the server itself is missing", name)
		}
	}
}

// TestReplicas: SQLite has one pod that is replaced, PostgreSQL several that roll without a gap.
func TestReplicas(t *testing.T) {
	for text, want := range map[string]struct {
		replicas int32
		rolls    bool
	}{
		"":                                       {1, false},
		"replicaCount: 0":                        {0, false},
		"replicaCount: 1":                        {1, false},
		matrix["PostgreSQL"]:                     {2, true},
		matrix["an existing Secret"]:             {2, true},
		matrix["PostgreSQL"] + "replicaCount: 1": {1, true},
		matrix["PostgreSQL"] + "replicaCount: '5'": {5, true},
	} {
		spec := one[*apps.Deployment](t, render(t, parse(t, text))).Spec
		if spec.Replicas == nil || *spec.Replicas != want.replicas {
			t.Errorf("%q: replicas %v, want %d", text, spec.Replicas, want.replicas)
		}
		rolling := spec.Strategy.RollingUpdate
		if rolls := rolling != nil && rolling.MaxUnavailable.IntValue() == 0 && rolling.MaxSurge.IntValue() == 1; rolls != want.rolls {
			t.Errorf("%q: the strategy is %+v", text, spec.Strategy)
		}
		if !want.rolls && spec.Strategy.Type != apps.RecreateDeploymentStrategyType {
			t.Errorf("%q: two processes would want the same file", text)
		}
	}
	if scaled := one[*apps.Deployment](t, render(t, parse(t, everything))); scaled.Spec.Replicas != nil {
		t.Error("replicas are given though the autoscaler sets them")
	}
}

// TestRestart: a pod is replaced when its configuration or a secret of the chart changes, and by nothing else.
func TestRestart(t *testing.T) {
	sum := func(text string) string {
		return one[*apps.Deployment](t, render(t, parse(t, text))).Spec.Template.Annotations["checksum/config"]
	}
	before := sum(matrix["PostgreSQL"])
	if before == "" || sum(matrix["PostgreSQL"]+"service: {port: 81}") != before {
		t.Error("pods are replaced though their configuration is the same")
	}
	if sum(strings.Replace(matrix["PostgreSQL"], "idp.example.com", "idp.example.org", 1)) == before {
		t.Error("another issuer replaces no pod")
	}
	if sum(strings.Replace(matrix["PostgreSQL"], "oauthClientSecret: s3cret", "oauthClientSecret: s3cret2", 1)) == before {
		t.Error("another secret replaces no pod")
	}
}

// TestNotes: the notes say where to sign in and what is missing.
func TestNotes(t *testing.T) {
	for name, want := range map[string][]string{
		"nothing":                      {"http://localhost:8080/ after:", "port-forward service/prod-muster 8080:80", "config.hostname:", "config.oauth:", "config.initialOrgAdminEmail:", "SQLite, one pod"},
		"SQLite, no claim":             {"WITHOUT A VOLUME"},
		"PostgreSQL":                   {"https://id.example.com/\n", "https://id.example.com/api/v1/oauth/custom-oidc/callback", "PostgreSQL, 2 pods"},
		"everything":                   {"https://id.example.com/muster/\n", "PostgreSQL, 3 to 6 pods", "deploy/id -- /muster"},
		"secrets from files of others": {"https://id.example.com/"},
	} {
		notes := render(t, parse(t, matrix[name])).notes
		for _, text := range want {
			if !strings.Contains(notes, text) {
				t.Errorf("%s: the notes lack %q:\n%s", name, text, notes)
			}
		}
		if missing := strings.Contains(notes, "Still missing"); missing != (name != "PostgreSQL" && name != "secrets from files of others") {
			t.Errorf("%s: the notes say that something is missing: %t\n%s", name, missing, notes)
		}
	}
}
