package server

import (
	"context"
	"time"

	"muster/cmd/internal/config"
	"muster/db"
	"muster/domain"
)

// operator tells the console's Health page what the running server stands on.
type operator struct {
	cfg     *config.Config
	store   *db.DB
	service *domain.Service
}

// Version implements web.Operator.
func (o operator) Version() (number, commit string) { return Version() }

// Findings implements web.Operator.
func (o operator) Findings(ctx context.Context) []domain.Finding {
	findings := []domain.Finding{{Check: "public URL", Level: domain.FindingOK, Detail: o.cfg.PublicURL}}
	add := func(check string, level domain.FindingLevel, detail string) {
		findings = append(findings, domain.Finding{Check: check, Level: level, Detail: detail})
	}
	if !o.cfg.Secure() {
		add("public URL", domain.FindingWarning, "is plain http, so that cookies and tokens can be read on the way; put a proxy with TLS in front and set HOSTNAME_URL to its https address")
	}
	switch err := o.store.Check(ctx); {
	case err != nil:
		add("database", domain.FindingFailed, domain.AsError(err).Text)
	case o.store.Engine() == db.SQLite:
		add("database", domain.FindingOK, "SQLite, in the file beside this server; for more than one server process use PostgreSQL")
	default:
		add("database", domain.FindingOK, string(o.store.Engine())+" answers")
	}
	if len(o.cfg.Providers) == 0 {
		add("sign-in", domain.FindingFailed, "no identity provider is configured: set OAUTH_ISSUER_URL, OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET, and start the server again")
	}
	if disabled, err := o.service.ExamineProviders(ctx); err == nil {
		findings = append(findings, disabled...)
	}
	if backup, err := o.service.ExamineBackup(ctx, time.Now()); err == nil {
		findings = append(findings, backup)
	}
	if o.cfg.AuditExport == "" {
		add("audit export", domain.FindingOK, "not configured: the audit log stays in the database, where whoever can write to it could rewrite it")
	} else {
		add("audit export", domain.FindingOK, "configured")
	}
	return findings
}
