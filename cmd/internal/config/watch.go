package config

import "errors"

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
