package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"muster/cmd/internal/config"
	"muster/db"
	"muster/domain"
	"muster/internal/mail"
)

// What makes the doctor speak.
const (
	// mostClockOffset is how far the database's clock may be from this machine's (F14).
	mostClockOffset = 5 * time.Second
	// certificateWarning is how long before its end a certificate is worth a warning.
	certificateWarning = 21 * 24 * time.Hour
	// leastFree is the part of the disk that should be free (F16).
	leastFree = 0.10
	// checkTimeout bounds a check that goes over the network.
	checkTimeout = 5 * time.Second
)

// findings collects what the doctor found, in the order of the checks.
type findings []domain.Finding

func (f *findings) add(level domain.FindingLevel, check, format string, args ...any) {
	*f = append(*f, domain.Finding{Check: check, Level: level, Detail: fmt.Sprintf(format, args...)})
}

// Examine checks all that a server stands on beside its providers; it changes nothing.
func Examine(ctx context.Context, cfg *config.Config, file string) []domain.Finding {
	found := &findings{}
	found.add(domain.FindingOK, "configuration", "every value is well-formed; the public URL is %s", cfg.PublicURL)
	if !cfg.Secure() {
		found.add(domain.FindingWarning, "public URL", "is plain http, which is for trying out: put a proxy with TLS in front and set HOSTNAME_URL to its https address")
	}
	if len(cfg.Providers) == 0 {
		found.add(domain.FindingFailed, "sign-in", "no identity provider is configured, so nobody can sign in: set OAUTH_ISSUER_URL, OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET")
	}
	if err := cfg.FindEncryptionKey(); err != nil {
		found.add(domain.FindingFailed, "encryption key", "%v", err)
	}
	found.permissions(cfg, file)
	found.database(ctx, cfg)
	found.certificates(ctx, cfg)
	found.mail(ctx, cfg)
	return *found
}

// database checks that it answers, what its schema and its clock are, and what is in it.
func (f *findings) database(ctx context.Context, cfg *config.Config) {
	store, err := db.Open(ctx, cfg.DatabaseURL, db.Options{CommandLine: true, MustExist: true, Log: slog.New(slog.DiscardHandler)})
	if errors.Is(err, fs.ErrNotExist) {
		f.add(domain.FindingWarning, "database", "there is no file at %s yet; the first start makes it", strings.TrimPrefix(cfg.DatabaseURL, "sqlite://"))
		return
	}
	if err != nil {
		f.add(domain.FindingFailed, "database", "%s", described(err))
		return
	}
	defer func() { _ = store.Close() }()
	if err := store.Look(ctx); err != nil {
		f.add(domain.FindingFailed, "database", "%s; check DATABASE_URL, that the database runs, and that this machine may reach it", described(err))
		return
	}
	f.add(domain.FindingOK, "database", "%s answers", store.Engine())
	f.clock(ctx, store)
	if !f.schema(ctx, store) {
		return
	}
	service := domain.New(store, cfg.Policy)
	inside, err := service.Examine(ctx)
	if err != nil {
		f.add(domain.FindingFailed, "installation", "%s", described(err))
		return
	}
	*f = append(*f, inside...)
	if disabled, err := service.ExamineProviders(ctx); err == nil {
		*f = append(*f, disabled...)
	}
	if backup, err := service.ExamineBackup(ctx, time.Now()); err == nil {
		*f = append(*f, backup)
	}
}

// schema reports whether this program can read what is in the database.
func (f *findings) schema(ctx context.Context, store *db.DB) bool {
	current, known, err := store.Schema(ctx)
	switch {
	case err != nil:
		f.add(domain.FindingFailed, "schema", "%s", described(err))
	case current == 0:
		f.add(domain.FindingWarning, "schema", "the database is not set up yet; the first start does that")
	case current < known:
		f.add(domain.FindingWarning, "schema", "is %d and this program's %d; the next start brings it up to date", current, known)
	case current > known:
		f.add(domain.FindingWarning, "schema", "is %d, of a later release than this program (%d); finish the upgrade", current, known)
		return true
	default:
		f.add(domain.FindingOK, "schema", "is %d, as this program wants it", current)
		return true
	}
	return false
}

// clock compares the database's clock with this machine's.
func (f *findings) clock(ctx context.Context, store *db.DB) {
	if offset, err := store.ClockOffset(ctx); err != nil {
		f.add(domain.FindingFailed, "clock", "%s", described(err))
	} else if offset.Abs() > mostClockOffset {
		f.add(domain.FindingFailed, "clock", "%s", clockText(offset))
	} else {
		f.add(domain.FindingOK, "clock", "agrees with the database's")
	}
}

func clockText(offset time.Duration) string {
	return fmt.Sprintf("the database's clock and this machine's differ by %s, and at most %s is accepted: set both by NTP", offset.Abs().Round(time.Second), mostClockOffset)
}

// permissions looks at the files that hold secrets, and at the disk that holds the database.
func (f *findings) permissions(cfg *config.Config, file string) {
	paths := []string{file}
	path, isSQLite := strings.CutPrefix(cfg.DatabaseURL, "sqlite://")
	if isSQLite {
		paths = append(paths, path, path+"-wal", path+".key")
	}
	for _, one := range paths {
		if info, err := os.Stat(one); err == nil && info.Mode().Perm()&0o077 != 0 {
			f.add(domain.FindingWarning, "permissions", "%s can be read by others (%s): chmod 600 %s", one, info.Mode().Perm(), one)
		}
	}
	if !isSQLite {
		return
	}
	free, bytes, err := freeSpace(filepath.Dir(path))
	switch {
	case err != nil:
		f.add(domain.FindingFailed, "disk", "the directory of the database: %v", err)
	case free < leastFree:
		f.add(domain.FindingWarning, "disk", "only %.0f %% (%d MB) of the database's disk is free: make room before writes are refused", 100*free, bytes>>20)
	default:
		f.add(domain.FindingOK, "disk", "%.0f %% (%d MB) of the database's disk is free", 100*free, bytes>>20)
	}
}

// certificates looks at those of the public address and of the providers.
func (f *findings) certificates(ctx context.Context, cfg *config.Config) {
	f.certificate(ctx, cfg.PublicURL, "", domain.FindingWarning)
	for _, provider := range cfg.Providers {
		f.certificate(ctx, provider.IssuerURL, provider.CAFile, domain.FindingFailed)
	}
}

// certificate connects to an https address; unreachable is how bad it is not to get there.
func (f *findings) certificate(ctx context.Context, address, caFile string, unreachable domain.FindingLevel) {
	target, err := url.Parse(address)
	if err != nil || target.Scheme != "https" {
		return
	}
	port := target.Port()
	if port == "" {
		port = "443"
	}
	roots, err := rootsWith(caFile)
	if err != nil {
		f.add(domain.FindingFailed, "certificate", "caFile: %v", err)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	dialer := tls.Dialer{Config: &tls.Config{RootCAs: roots, ServerName: target.Hostname(), MinVersion: tls.VersionTLS12}}
	connection, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(target.Hostname(), port))
	if err != nil {
		f.unverified(target.Host, err, unreachable)
		return
	}
	defer func() { _ = connection.Close() }()
	encrypted, ok := connection.(*tls.Conn)
	if !ok {
		return
	}
	end := encrypted.ConnectionState().PeerCertificates[0].NotAfter
	if left := time.Until(end); left < certificateWarning {
		f.add(domain.FindingWarning, "certificate", "that of %s ends in %d days, at %s: renew it", target.Host, int(left.Hours()/24), end.UTC().Format(time.RFC3339))
		return
	}
	f.add(domain.FindingOK, "certificate", "that of %s is good until %s", target.Host, end.UTC().Format(time.DateOnly))
}

// unverified says what to do about a connection that was not made.
func (f *findings) unverified(host string, err error, unreachable domain.FindingLevel) {
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		f.add(domain.FindingFailed, "certificate", "that of %s is not good now (%v): renew it, and check this machine's clock", host, invalid)
		return
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		f.add(domain.FindingFailed, "certificate", "that of %s is not trusted (%v): install its authority's certificate, or name it in caFile for a provider", host, err)
		return
	}
	f.add(unreachable, "certificate", "%s cannot be reached from here (%v): check the name, the firewall and the proxy", host, err)
}

// mail connects to the mail server and says goodbye.
func (f *findings) mail(ctx context.Context, cfg *config.Config) {
	if cfg.SMTP == nil {
		f.add(domain.FindingOK, "mail", "not configured: invites are links that administrators pass on")
		return
	}
	sender, err := mail.New(mail.Config{URL: cfg.SMTP, From: cfg.MailFrom})
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, checkTimeout)
		defer cancel()
		err = sender.Check(ctx)
	}
	if err != nil {
		f.add(domain.FindingFailed, "mail", "%s does not take mail from this server: %v; check SMTP_URL", cfg.SMTP.Host, err)
		return
	}
	f.add(domain.FindingOK, "mail", "%s takes mail from this server", cfg.SMTP.Host)
}

// described is an error with its cause, for the person at the command line.
func described(err error) string {
	known := domain.AsError(err)
	if cause := errors.Unwrap(known); cause != nil {
		return known.Text + ": " + cause.Error()
	}
	return known.Text
}
