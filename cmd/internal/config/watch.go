package config

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"

	"muster/internal/trace"
)

// Tracing is where traces go; without an endpoint there are none.
type Tracing struct {
	// Endpoint is the whole address that takes them.
	Endpoint string
	Headers  map[string]string
	// Resource describes this server to who reads its traces.
	Resource map[string]string
	Sampler  trace.Sampler

	base, service, sampler, samplerArg string
}

// metricsSettings are the keys about who may read the metrics.
func metricsSettings() []setting {
	return []setting{
		{
			key: "config.metrics.listen", env: []string{"METRICS_LISTEN_ADDRESS"},
			help: "a second address, for /metrics, /livez and /readyz; /metrics is then not on the first", set: setMetricsListen,
		},
		{
			key: "config.metrics.token", env: []string{"METRICS_TOKEN"}, secret: true,
			help: "bearer token for /metrics; without it, only this machine and private networks may ask", set: setMetricsToken,
		},
	}
}

func setMetricsListen(c *Config, text string) error {
	if text == "" {
		return nil
	}
	c.MetricsListen = text
	return checkAddress(text)
}

func setMetricsToken(c *Config, text string) error {
	if text != "" && len(text) < 16 {
		return errors.New("a token has at least 16 characters; \"openssl rand -hex 32\" makes one")
	}
	c.MetricsToken = text
	return nil
}

// tracingSettings are the keys about traces; their names in the environment are OpenTelemetry's.
func tracingSettings() []setting {
	return []setting{
		{key: "config.tracing.endpoint", env: []string{"OTEL_EXPORTER_OTLP_ENDPOINT"}, help: "base URL of a collector that takes OTLP over HTTP, such as http://localhost:4318; without it there are no traces", set: endpoint(func(c *Config) *string { return &c.Tracing.base })},
		{key: "config.tracing.tracesEndpoint", env: []string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"}, help: "the whole URL for traces, in place of endpoint and /v1/traces", set: endpoint(func(c *Config) *string { return &c.Tracing.Endpoint })},
		{key: "config.tracing.headers", env: []string{"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"}, secret: true, help: "headers for the collector: name=value, commas between", set: pairs(func(c *Config) *map[string]string { return &c.Tracing.Headers })},
		{key: "config.tracing.serviceName", env: []string{"OTEL_SERVICE_NAME"}, help: "service.name of the traces: muster, unless the resource attributes say otherwise", set: plain(func(c *Config) *string { return &c.Tracing.service })},
		{key: "config.tracing.resourceAttributes", env: []string{"OTEL_RESOURCE_ATTRIBUTES"}, help: "what else describes this server: name=value, commas between", set: pairs(func(c *Config) *map[string]string { return &c.Tracing.Resource })},
		{key: "config.tracing.sampler", env: []string{"OTEL_TRACES_SAMPLER"}, def: "parentbased_always_on", help: "which requests are traced: always_on, always_off or traceidratio, alone or behind parentbased_", set: setSampler},
		{key: "config.tracing.samplerArg", env: []string{"OTEL_TRACES_SAMPLER_ARG"}, help: "the ratio of traceidratio, from 0 to 1", set: setSamplerArg},
	}
}

func setSampler(c *Config, text string) error {
	c.Tracing.sampler = text
	_, err := trace.NewSampler(text, "")
	return err
}

func setSamplerArg(c *Config, text string) error {
	c.Tracing.samplerArg = text
	_, err := trace.NewSampler("traceidratio", text)
	return err
}

func endpoint(field func(*Config) *string) func(*Config, string) error {
	return func(c *Config, text string) error {
		if text == "" {
			return nil
		}
		parsed, err := url.Parse(text)
		if err != nil || parsed.Hostname() == "" || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.User != nil || parsed.RawQuery != "" {
			return errors.New("allowed are http:// and https:// with a host, such as http://localhost:4318; a password goes into config.tracing.headers")
		}
		*field(c) = strings.TrimRight(text, "/")
		return nil
	}
}

// pairs reads name=value with commas between, values percent-encoded (W3C Baggage, as OpenTelemetry has it), or a mapping in JSON.
func pairs(field func(*Config) *map[string]string) func(*Config, string) error {
	return func(c *Config, text string) error {
		read := map[string]string{}
		*field(c) = read
		if strings.HasPrefix(text, "{") {
			return json.Unmarshal([]byte(text), &read)
		}
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part == "" {
				continue
			}
			name, value, found := strings.Cut(part, "=")
			value, err := url.PathUnescape(strings.TrimSpace(value))
			if name = strings.TrimSpace(name); !found || name == "" || err != nil || strings.ContainsAny(name+value, "\r\n") {
				return errors.New("this is name=value, commas between, with %2C for a comma in a value")
			}
			read[name] = value
		}
		return nil
	}
}

// finishTracing puts together what stands in several keys.
func (c *Config) finishTracing() error {
	t := &c.Tracing
	var err error
	if t.Sampler, err = trace.NewSampler(t.sampler, t.samplerArg); err != nil {
		return err
	}
	if t.Endpoint == "" && t.base != "" {
		t.Endpoint = t.base + "/v1/traces"
	}
	if t.service == "" && t.Resource["service.name"] == "" {
		t.service = "muster"
	}
	if t.service != "" {
		t.Resource["service.name"] = t.service
	}
	return nil
}
