package server_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"io"
	"log"
	"log/slog"
	"math/big"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/cmd/internal/config"
	"muster/cmd/internal/server"
	"muster/db"
	"muster/domain"
	"muster/internal/testkit"
)

// loaded is a configuration from environment variables alone.
func loaded(t *testing.T, environment ...string) *config.Config {
	t.Helper()
	values := map[string]string{}
	for _, one := range environment {
		name, value, _ := strings.Cut(one, "=")
		values[name] = value
	}
	cfg, err := config.Load(config.Sources{Getenv: func(name string) (string, bool) {
		value, found := values[name]
		return value, found
	}})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// has reports whether the doctor found a thing of a level.
func has(findings []domain.Finding, level domain.FindingLevel, check, text string) bool {
	for _, finding := range findings {
		if finding.Level == level && finding.Check == check && strings.Contains(finding.Detail, text) {
			return true
		}
	}
	return false
}

// Each thing that can be wrong is found, with its cure.
func TestDoctorFinds(t *testing.T) {
	dir := t.TempDir()
	open := filepath.Join(dir, "open.db")
	store, err := db.Open(t.Context(), "sqlite://"+open, db.Options{CommandLine: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "muster.yaml")
	if err := os.WriteFile(file, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	sqlite := "DATABASE_URL=sqlite://" + open
	for _, test := range []struct {
		name        string
		environment []string
		level       domain.FindingLevel
		check, text string
	}{
		{"plain http", []string{sqlite}, domain.FindingWarning, "public URL", "TLS"},
		{"no provider", []string{sqlite}, domain.FindingFailed, "sign-in", "OAUTH_ISSUER_URL"},
		{"a file for all", []string{sqlite}, domain.FindingWarning, "permissions", "chmod 600 " + open},
		{"a configuration for the group", []string{sqlite}, domain.FindingWarning, "permissions", "chmod 600 " + file},
		{"a schema to be made", []string{sqlite}, domain.FindingWarning, "schema", "not set up yet"},
		{"no file", []string{"DATABASE_URL=sqlite://" + dir + "/none.db"}, domain.FindingWarning, "database", "the first start makes it"},
		{"no server", []string{"DATABASE_URL=postgres://127.0.0.1:1/muster"}, domain.FindingFailed, "database", "DATABASE_URL"},
		{"no mail server", []string{sqlite, "SMTP_URL=smtp://127.0.0.1:1", "MAIL_FROM=muster@example.com"}, domain.FindingFailed, "mail", "SMTP_URL"},
		{"an address where nobody is", []string{sqlite, "HOSTNAME_URL=https://127.0.0.1:1"}, domain.FindingWarning, "certificate", "cannot be reached"},
		{"an expired certificate", []string{sqlite, "HOSTNAME_URL=" + withCertificate(t, -time.Hour)}, domain.FindingFailed, "certificate", "is not"},
		{"a foreign certificate", []string{sqlite, "HOSTNAME_URL=" + withCertificate(t, time.Hour)}, domain.FindingFailed, "certificate", "not trusted"},
		{"another clock", []string{"DATABASE_URL=" + otherClock(t)}, domain.FindingFailed, "clock", "NTP"},
	} {
		if found := server.Examine(t.Context(), loaded(t, test.environment...), file); !has(found, test.level, test.check, test.text) {
			t.Errorf("%s: not found in %v", test.name, found)
		}
	}
}

// A provider's certificate that its own authority made, and that ends soon.
func TestCertificateThatEndsSoon(t *testing.T) {
	address := withCertificate(t, 48*time.Hour)
	providers := `OAUTH_PROVIDERS=[{"id":"x","displayName":"X","oauthIssuerUrl":"` + address + `","oauthClientId":"a","caFile":"` + authority(t, address) + `"}]`
	found := server.Examine(t.Context(), loaded(t, "DATABASE_URL="+testkit.SQLite(t), providers), "")
	if !has(found, domain.FindingWarning, "certificate", "ends in 1 days") {
		t.Errorf("not found in %v", found)
	}
}

// F14: a server does not start on a database whose clock is another one.
func TestClockThatDiffers(t *testing.T) {
	cfg := loaded(t, "DATABASE_URL="+otherClock(t), "LISTEN_ADDRESS=127.0.0.1:0")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err := server.Run(ctx, cfg, server.Options{Log: slog.New(slog.DiscardHandler)})
	if !domain.IsKind(err, domain.Conflict) || !strings.Contains(err.Error(), "NTP") {
		t.Errorf("Run: %v", err)
	}
}

// otherClock is a database whose clock is a minute ahead.
func otherClock(t *testing.T) string {
	t.Helper()
	address := testkit.Postgres(t)
	connection, err := sql.Open("postgres", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	const function = "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$ SELECT pg_catalog.clock_timestamp() + interval '1 minute' $$"
	if _, err := connection.ExecContext(t.Context(), function); err != nil {
		t.Fatal(err)
	}
	return address + "&search_path=public,pg_catalog"
}

// withCertificate is the address of a server whose certificate ends after a while.
func withCertificate(t *testing.T, left time.Duration) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-72 * time.Hour), NotAfter: time.Now().Add(left),
		DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	site := httptest.NewUnstartedServer(nil)
	site.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	site.Config.ErrorLog = log.New(io.Discard, "", 0)
	site.StartTLS()
	t.Cleanup(site.Close)
	_, port, _ := strings.Cut(strings.TrimPrefix(site.URL, "https://"), ":")
	return "https://localhost:" + port
}

// authority writes the certificate of an address to a file.
func authority(t *testing.T, address string) string {
	t.Helper()
	connection, err := tls.Dial("tcp", strings.TrimPrefix(address, "https://"), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	file := filepath.Join(t.TempDir(), "ca.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: connection.ConnectionState().PeerCertificates[0].Raw}
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
