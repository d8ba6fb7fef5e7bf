package config

import (
	"encoding/base64"
	"errors"
	"net/url"
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
