package config

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strconv"
	"strings"
)

// auditSettings are the keys about sending the audit log on.
func auditSettings() []setting {
	return []setting{
		{key: "config.audit.export", env: []string{"AUDIT_EXPORT"}, help: "where the audit log is sent on to: a file's path, stdout, or an https address", set: setAuditExport},
		{key: "config.audit.exportSecret", env: []string{"AUDIT_EXPORT_SECRET"}, secret: true, help: "whsec_… that signs what goes to an address (Standard Webhooks)", set: setAuditSecret},
	}
}

func setAuditExport(c *Config, text string) error {
	c.AuditExport = text
	if !strings.Contains(text, "://") {
		return nil
	}
	parsed, err := url.Parse(text)
	if err != nil || parsed.Host == "" || parsed.Scheme != "https" && (parsed.Scheme != "http" || !loopback(parsed.Hostname())) {
		return errors.New("allowed are a file's path, stdout, and https://… (http only on this machine)")
	}
	return nil
}

func setAuditSecret(c *Config, text string) error {
	c.AuditExportSecret = text
	if text == "" {
		return nil
	}
	if key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "whsec_")); err != nil || len(key) < 16 {
		return errors.New("a secret is whsec_ and at least 16 bytes in base64")
	}
	return nil
}

// adminSettings are the keys about the admin API.
func adminSettings() []setting {
	perMinute := func(place func(*Config) *float64) func(*Config, string) error {
		return func(c *Config, text string) error {
			n, err := strconv.ParseFloat(text, 64)
			if err != nil || n < 0 || n > 0 && n < 10 || n > 1e9 {
				return errors.New("allowed are 0 (no limit) and 10 or more a minute")
			}
			*place(c) = n
			return nil
		}
	}
	return []setting{
		{key: "config.adminRate", env: []string{"ADMIN_RATE"}, def: "2000", help: "requests a minute that one credential may make to the admin API; 0 without limit", set: perMinute(func(c *Config) *float64 { return &c.AdminRate })},
		{key: "config.adminWrongRate", env: []string{"ADMIN_WRONG_RATE"}, def: "300", help: "wrong credentials a minute that one address may try; 0 without limit", set: perMinute(func(c *Config) *float64 { return &c.AdminWrongRate })},
	}
}
