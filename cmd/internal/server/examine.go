package server

import (
	"context"
	"log/slog"

	"muster/cmd/internal/config"
	"muster/db"
	"muster/domain"
)

// Examine checks what a start needs beside the providers: the database, an Admin, and that people can be matched.
func Examine(ctx context.Context, cfg *config.Config) []domain.Finding {
	findings := []domain.Finding{{Check: "configuration", Level: domain.FindingOK, Detail: "every value is well-formed; the public URL is " + cfg.PublicURL}}
	add := func(check string, level domain.FindingLevel, detail string) {
		findings = append(findings, domain.Finding{Check: check, Level: level, Detail: detail})
	}
	if len(cfg.Providers) == 0 {
		add("sign-in", domain.FindingFailed, "no identity provider is configured, so nobody can sign in: set OAUTH_ISSUER_URL, OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET")
	}
	store, err := db.Open(ctx, cfg.DatabaseURL, db.Options{CommandLine: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		add("database", domain.FindingFailed, domain.AsError(err).Error())
		return findings
	}
	defer func() { _ = store.Close() }()
	if err := store.Look(ctx); err != nil {
		add("database", domain.FindingFailed, domain.AsError(err).Error())
		return findings
	}
	add("database", domain.FindingOK, string(store.Engine())+" answers")
	found, err := domain.New(store, cfg.Policy).Examine(ctx)
	if err != nil {
		add("schema", domain.FindingWarning, "the database is not set up yet; the first start does that")
		return findings
	}
	return append(findings, found...)
}
