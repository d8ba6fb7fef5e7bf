// Package config reads the server's configuration from defaults, a YAML file, the environment and flags, later ones winning.
// Every value is checked before anything starts; an error is one line that names the key, the value and what is allowed.
package config

import (
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"muster/domain"
)

// Config is everything an operator can set.
type Config struct {
	// Listen is the address the server listens on.
	Listen string
	// ShutdownDelay is how long the server goes on serving after it was told to stop.
	ShutdownDelay time.Duration
	// PublicURL is the base URL that browsers and identity providers use, with the base path, without a trailing slash.
	PublicURL string
	// BasePath is "" or a path such as "/muster" below which everything is served.
	BasePath    string
	DatabaseURL string
	Policy      domain.Policy
	// InfoAuthRequired makes the info endpoint ask for a credential.
	InfoAuthRequired bool
	// OAuth is the first OpenID provider; Providers are all that are enabled, it among them.
	OAuth     Provider
	Providers []Provider
	// ReturnPaths are the paths on this host to which people may go back after signing in.
	ReturnPaths []string
	// SignInRate is how many sign-ins a second one address may begin; zero is without limit.
	SignInRate float64
	// AdminRate is how many requests a minute one credential may make to the admin API, AdminWrongRate how many wrong
	// credentials a minute one address may try; zero is without limit.
	AdminRate      float64
	AdminWrongRate float64
	SCIM           SCIM
	// AuditExport is where the audit log is sent on to: a file, "stdout" or an address; empty for nowhere.
	// AuditExportSecret signs what goes to an address.
	AuditExport       string
	AuditExportSecret string
	// SMTP is the mail server, nil for none, and MailFrom who its mail comes from.
	SMTP     *url.URL
	MailFrom string
	// MetricsListen is an address of its own for metrics and probes; empty for none. MetricsToken is the bearer token that
	// scrapers send; without it, metrics are for private networks.
	MetricsListen string
	MetricsToken  string
	Tracing       Tracing
	LogLevel      slog.Level
	// LogFormat is "text", "json", or "" for text on a terminal and JSON otherwise.
	LogFormat string
	// TrustedProxies are the peers whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix

	values map[string]value
}

// value is what a setting was given and by whom, for "muster config".
type value struct {
	text   string
	source string
}

// Line is one setting as "muster config" prints it.
type Line struct {
	Key    string
	Value  string
	Source string
}

// Lines returns every setting in force with its origin; secrets are masked.
func (c *Config) Lines() []Line {
	lines := make([]Line, 0, len(c.values))
	for _, s := range settings() {
		got := c.values[s.key]
		text := got.text
		if s.secret && text != "" {
			text = "********"
		}
		if s.mask != nil {
			text = s.mask(text)
		}
		lines = append(lines, Line{Key: s.key, Value: text, Source: got.source})
	}
	return lines
}

// Secure reports whether browsers reach the server over https.
func (c *Config) Secure() bool { return strings.HasPrefix(c.PublicURL, "https://") }

// apply parses every value into its place and then checks what depends on several.
func (c *Config) apply() error {
	for _, s := range settings() {
		got := c.values[s.key]
		if err := s.set(c, got.text); err != nil {
			return fmt.Errorf("%s = %q (from %s): %w", s.key, shown(s, got.text), got.source, err)
		}
	}
	return c.finish()
}

func shown(s setting, text string) string {
	switch {
	case s.secret:
		return "********"
	case s.mask != nil:
		return s.mask(text)
	default:
		return text
	}
}

// finish fills in what follows from other settings and refuses combinations that cannot work.
func (c *Config) finish() error {
	if c.PublicURL == "" {
		c.PublicURL = "http://" + localAddress(c.Listen)
	}
	c.PublicURL += c.BasePath
	if got := c.values["config.oauth.enabled"]; got.text == "" {
		c.OAuth.Enabled = c.OAuth.IssuerURL != ""
	}
	if err := c.finishMail(); err != nil {
		return err
	}
	if err := c.finishTracing(); err != nil {
		return err
	}
	if err := c.finishProviders(); err != nil {
		return err
	}
	return c.checkDefinitions()
}

// localAddress turns a listening address into one that a browser on the same machine can open.
func localAddress(listen string) string {
	if strings.HasPrefix(listen, ":") {
		return "localhost" + listen
	}
	return listen
}
