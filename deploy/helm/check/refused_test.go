package check_test

import (
	"strings"
	"testing"
)

// TestRefused: what cannot work, and every name that is not known, is refused with a line that says what and why.
func TestRefused(t *testing.T) {
	for values, want := range map[string]string{
		"replicaCount: 2":                                                      "SQLite serves one pod",
		"autoscaling: {enabled: true}":                                         "SQLite serves one pod",
		"config: {databaseUrl: 'sqlite:///var/muster.db'}":                     "SQLite's file must be there: sqlite:///data/muster.db",
		"config: {databaseUrl: 'postgres://db/muster'}":                        "config.encryptionKey is missing",
		"config: {databaseUrl: 'mysql://db/muster'}":                           "at '/config/databaseUrl'",
		"config: {oauth: {oauthIssuerUrl: 'https://i'}}":                       "config.oauth.oauthClientId is missing",
		"ingress: {enabled: true}":                                             "config.hostname is missing",
		"gateway: {enabled: true, name: x}":                                    "config.hostname is missing",
		"{gateway: {enabled: true}, config: {hostname: id.example.com}}":       "gateway.name is missing",
		matrix["PostgreSQL"] + "autoscaling: {enabled: true, minReplicas: 11}": "autoscaling.minReplicas is greater",

		"replicas: 2":          "additional properties 'replicas' not allowed",
		"config: {hostnam: x}": "at '/config': additional properties 'hostnam' not allowed",
		"config: {workspaceScopeOrgInviteEnabled: true}":                                           "additional properties 'workspaceScopeOrgInviteEnabled' not allowed",
		"config: {oauth: {clientId: x}}":                                                           "at '/config/oauth': additional properties 'clientId' not allowed",
		"config: {scim: {maxResult: 1}}":                                                           "at '/config/scim': additional properties 'maxResult' not allowed",
		"config: {providers: [{id: a, oauthIssuerUrl: 'https://i', oauthClientId: x, secret: y}]}": "at '/config/providers/0': additional properties 'secret' not allowed",
		"config: {providers: [{id: A, oauthIssuerUrl: 'https://i', oauthClientId: x}]}":            "at '/config/providers/0/id'",
		"config: {providers: [{id: a}]}":                                                           "missing properties 'oauthIssuerUrl', 'oauthClientId'",
		"config: {hostname: 'https://id.example.com/x'}":                                           "at '/config/hostname'",
		"config: {basePath: muster}":                                                               "at '/config/basePath'",
		"config: {personalOrgsDisabled: maybe}":                                                    "at '/config/personalOrgsDisabled'",
		"config: {inviteExpiryDays: -1}":                                                           "at '/config/inviteExpiryDays'",
		"config: {logLevel: loud}":                                                                 "at '/config/logLevel'",
		"config: {initialOrgAdminEmail: ada}":                                                      "at '/config/initialOrgAdminEmail'",
		"config: {oauth: {tokenAuthMethod: jwt}}":                                                  "at '/config/oauth/tokenAuthMethod'",
		"config: {smtp: {url: 'mail.example.com'}}":                                                "at '/config/smtp/url'",
		"config: {smtp: null}":                                                                     "missing property 'smtp'",
		"config: {metrics: {listen: '127.0.0.1:9090'}}":                                            "at '/config/metrics/listen'",
		"listen: '8080'":                                                                           "at '/listen'",
		"listen: '127.0.0.1:8080'":                                                                 "at '/listen'",
		"replicaCount: many":                                                                       "at '/replicaCount'",
		"image: {tag: 1.2}":                                                                        "at '/image/tag'",
		"service: {port: 0}":                                                                       "at '/service/port'",
		"ingress: {enabled: 'yes'}":                                                                "at '/ingress/enabled'",
		"ingress: {hosts: [id.example.com]}":                                                       "additional properties 'hosts' not allowed",
		"networkPolicy: {egressPorts: [https]}":                                                    "at '/networkPolicy/egressPorts/0'",
		"extraEnv: [{name: A, valu: b}]":                                                           "additional properties 'valu' not allowed",
		"extraEnv: {A: b}":                                                                         "at '/extraEnv'",
		"preStopSleepSeconds: -1":                                                                  "at '/preStopSleepSeconds'",
		"podLabels: {a: 1}":                                                                        "at '/podLabels/a'",
	} {
		files, err := template(parse(t, values))
		if err == nil {
			t.Errorf("%q is taken: %d files", values, len(files))
			continue
		}
		text := strings.TrimSpace(err.Error())
		lines := strings.Split(text, "\n")
		if !strings.Contains(text, want) || len(lines) > 4 {
			t.Errorf("%q is refused with\n%s\nwant a line with %q", values, text, want)
		}
		if strings.Contains(text, "s3cret") {
			t.Errorf("%q: the refusal shows a secret", values)
		}
	}
}
