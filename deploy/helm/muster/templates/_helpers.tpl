{{- define "muster.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "muster.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "muster.labels" -}}
{{- $own := dict
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-")
  "app.kubernetes.io/version" (.Chart.AppVersion | replace "+" "_" | trunc 63 | trimSuffix "-")
  "app.kubernetes.io/managed-by" .Release.Service -}}
{{- toYaml (mergeOverwrite (dict) .Values.commonLabels $own (include "muster.selectorLabels" . | fromYaml)) -}}
{{- end -}}

{{/* The metadata of an object: (list $ NAME LABELS ANNOTATIONS), the release's name where NAME is empty. */}}
{{- define "muster.metadata" -}}
{{- $ := index . 0 -}}
name: {{ default (include "muster.fullname" $) (index . 1) }}
namespace: {{ $.Release.Namespace }}
labels:
  {{- toYaml (mergeOverwrite (dict) (index . 2) (include "muster.labels" $ | fromYaml)) | nindent 2 }}
{{- with mergeOverwrite (dict) $.Values.commonAnnotations (index . 3) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "muster.serviceAccountName" -}}
{{- default (ternary (include "muster.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "muster.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end -}}


{{- define "muster.url" -}}
{{- with .Values.config.hostname -}}
{{- ternary . (printf "https://%s" .) (contains "://" .) | trimSuffix "/" -}}
{{- end -}}
{{- end -}}

{{- define "muster.host" -}}
{{- get (urlParse (include "muster.url" .)) "hostname" -}}
{{- end -}}

{{/* Says "true" when extraEnv has a variable or its _FILE: (list $ NAME). */}}
{{- define "muster.inExtraEnv" -}}
{{- $name := index . 1 -}}
{{- range (index . 0).Values.extraEnv -}}
{{- if has .name (list $name (printf "%s_FILE" $name)) -}}true{{- end -}}
{{- end -}}
{{- end -}}

{{/* Says "true" when the database is SQLite. One that a Secret or extraEnv names is not. */}}
{{- define "muster.sqlite" -}}
{{- $url := default "" .Values.config.databaseUrl -}}
{{- $elsewhere := or .Values.config.existingSecretName (include "muster.inExtraEnv" (list . "DATABASE_URL")) -}}
{{- if or (hasPrefix "sqlite://" $url) (not (or $url $elsewhere)) -}}true{{- end -}}
{{- end -}}

{{- define "muster.replicas" -}}
{{- if has (toString .Values.replicaCount) (list "" "<nil>") -}}
{{- ternary 1 2 (eq (include "muster.sqlite" .) "true") -}}
{{- else -}}
{{- .Values.replicaCount | int -}}
{{- end -}}
{{- end -}}

{{/* Says "true" when there is, or may be, more than one pod. */}}
{{- define "muster.several" -}}
{{- if or .Values.autoscaling.enabled (gt (include "muster.replicas" . | int) 1) -}}true{{- end -}}
{{- end -}}

{{/* What can come from a Secret: its key, the variable, and what the values say. */}}
{{- define "muster.secretKeys" -}}
{{- $config := .Values.config -}}
{{- $database := ternary "" $config.databaseUrl (eq (include "muster.sqlite" .) "true") -}}
- {key: database_url, env: DATABASE_URL, value: {{ toJson $database }}}
- {key: encryption_key, env: ENCRYPTION_KEY, value: {{ toJson $config.encryptionKey }}}
- {key: oauth_client_id, env: OAUTH_CLIENT_ID, public: {{ toJson $config.oauth.oauthClientId }}}
- {key: oauth_client_secret, env: OAUTH_CLIENT_SECRET, value: {{ toJson $config.oauth.oauthClientSecret }}}
- {key: oauth_client_secret_previous, env: OAUTH_CLIENT_SECRET_PREVIOUS, value: {{ toJson $config.oauth.oauthClientSecretPrevious }}}
- {key: oauth_issuer_url, env: OAUTH_ISSUER_URL, public: {{ toJson $config.oauth.oauthIssuerUrl }}}
- {key: smtp_url, env: SMTP_URL, value: {{ toJson $config.smtp.url }}}
- {key: audit_export_secret, env: AUDIT_EXPORT_SECRET, value: {{ toJson $config.audit.exportSecret }}}
- {key: metrics_token, env: METRICS_TOKEN, value: {{ toJson $config.metrics.token }}}
- {key: tracing_headers, env: OTEL_EXPORTER_OTLP_HEADERS, value: {{ toJson $config.tracing.headers }}}
{{- end -}}

{{/* The secrets of further providers by the keys they have in the chart's Secret. */}}
{{- define "muster.providerSecrets" -}}
{{- $data := dict -}}
{{- range $provider := .Values.config.providers -}}
{{- range $name := tuple "oauthClientSecret" "oauthClientSecretPrevious" -}}
{{- with get $provider $name -}}
{{- $_ := set $data (printf "provider-%s-%s" $provider.id $name) . -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml $data -}}
{{- end -}}

{{/* What the chart's own Secret holds; without any it is not made. */}}
{{- define "muster.secretData" -}}
{{- $data := include "muster.providerSecrets" . | fromYaml -}}
{{- range include "muster.secretKeys" . | fromYamlArray -}}
{{- if .value -}}
{{- $_ := set $data .key .value -}}
{{- end -}}
{{- end -}}
{{- toYaml $data -}}
{{- end -}}

{{/* A mapping without what is empty, so that the server's defaults count. */}}
{{- define "muster.filled" -}}
{{- $filled := dict -}}
{{- range $key, $value := . -}}
{{- if kindIs "map" $value -}}
{{- $value = include "muster.filled" $value | fromYaml -}}
{{- end -}}
{{- if or (kindIs "bool" $value) $value (eq (toString $value) "0") -}}
{{- $_ := set $filled $key $value -}}
{{- end -}}
{{- end -}}
{{- toYaml $filled -}}
{{- end -}}

{{/* The server's file: all of config but the secrets. */}}
{{- define "muster.configuration" -}}
{{- $config := omit (deepCopy .Values.config) "existingSecretName" "databaseUrl" "encryptionKey" -}}
{{- $_ := set $config "hostname" (include "muster.url" .) -}}
{{- if include "muster.sqlite" . -}}
{{- $_ := set $config "databaseUrl" (default "sqlite:///data/muster.db" .Values.config.databaseUrl) -}}
{{- end -}}
{{- $_ := set $config "oauth" (omit $config.oauth "oauthClientSecret" "oauthClientSecretPrevious") -}}
{{- $_ := set $config "smtp" (omit $config.smtp "url") -}}
{{- $_ := set $config "audit" (omit $config.audit "exportSecret") -}}
{{- $_ := set $config "metrics" (omit $config.metrics "token") -}}
{{- $_ := set $config "tracing" (omit $config.tracing "headers") -}}
{{- range $provider := $config.providers -}}
{{- range $name := tuple "oauthClientSecret" "oauthClientSecretPrevious" -}}
{{- if get $provider $name -}}
{{- $_ := set $provider (printf "%sFile" $name) (printf "/etc/muster/secret/provider-%s-%s" $provider.id $name) -}}
{{- end -}}
{{- $_ := unset $provider $name -}}
{{- end -}}
{{- end -}}
{{- toYaml (dict "listen" .Values.listen "config" (include "muster.filled" $config | fromYaml)) -}}
{{- end -}}

{{/* The variables: secrets, and blanks for what the image sets, so that the file counts. */}}
{{- define "muster.env" -}}
{{- $sqlite := include "muster.sqlite" . -}}
{{- $existing := .Values.config.existingSecretName -}}
{{- $set := list -}}
{{- range .Values.extraEnv -}}
{{- $set = append $set .name -}}
{{- end -}}
{{- range include "muster.secretKeys" . | fromYamlArray -}}
{{- $database := eq .env "DATABASE_URL" -}}
{{- $wanted := or .value (and $existing (not .public) (not (and $database $sqlite))) -}}
{{- if and $wanted (not (include "muster.inExtraEnv" (list $ .env))) -}}
{{- $set = append $set .env }}
- name: {{ .env }}
  valueFrom:
    secretKeyRef:
      name: {{ ternary (include "muster.fullname" $) $existing (not (empty .value)) }}
      key: {{ .key }}
      {{- if and (not .value) (not $database) }}
      optional: true
      {{- end }}
{{- end -}}
{{- end -}}
{{- range tuple "LISTEN_ADDRESS" "DATABASE_URL" "LOG_FORMAT" }}
{{- if not (has . $set) }}
- name: {{ . }}
  value: ""
{{- end -}}
{{- end -}}
{{- if not (has "TMPDIR" $set) }}
- name: TMPDIR
  value: /tmp
{{- end -}}
{{- if .Values.customCa.secretName }}
- name: SSL_CERT_DIR
  value: /etc/muster/ca
{{- end -}}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end -}}
{{- end -}}

{{/* Stops with one line at what cannot work. */}}
{{- define "muster.validate" -}}
{{- $config := .Values.config -}}
{{- $sqlite := include "muster.sqlite" . -}}
{{- if and $sqlite (include "muster.several" .) -}}
{{- fail "SQLite serves one pod: set config.databaseUrl to PostgreSQL (or its database_url in config.existingSecretName), or replicaCount to 1 and autoscaling.enabled to false" -}}
{{- end -}}
{{- if and $sqlite $config.databaseUrl (not (hasPrefix "sqlite:///data/" $config.databaseUrl)) -}}
{{- fail (printf "config.databaseUrl = %q: the volume is at /data, so SQLite's file must be there: sqlite:///data/muster.db" $config.databaseUrl) -}}
{{- end -}}
{{- if not (or $sqlite $config.encryptionKey $config.existingSecretName (include "muster.inExtraEnv" (list . "ENCRYPTION_KEY"))) -}}
{{- fail "config.encryptionKey is missing: with PostgreSQL every pod needs the same key; \"openssl rand -base64 32\" makes one" -}}
{{- end -}}
{{- $client := or $config.oauth.oauthClientId $config.existingSecretName (include "muster.inExtraEnv" (list . "OAUTH_CLIENT_ID")) -}}
{{- if and $config.oauth.oauthIssuerUrl (not $client) -}}
{{- fail "config.oauth.oauthClientId is missing: with config.oauth.oauthIssuerUrl, the client id registered there is needed" -}}
{{- end -}}
{{- if and (or .Values.ingress.enabled .Values.gateway.enabled) (not $config.hostname) -}}
{{- fail "config.hostname is missing: ingress and gateway need the public name, such as https://id.example.com" -}}
{{- end -}}
{{- if and .Values.gateway.enabled (not .Values.gateway.name) -}}
{{- fail "gateway.name is missing: name the Gateway that the route belongs to" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- fail "autoscaling.minReplicas is greater than autoscaling.maxReplicas" -}}
{{- end -}}
{{- end -}}
