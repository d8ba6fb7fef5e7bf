package config

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"muster/domain"
)

// sessionSettings are the keys about sessions, the further providers and what is kept of their tokens.
func sessionSettings() []setting {
	return []setting{
		{
			key: "config.providers", env: []string{"OAUTH_PROVIDERS"}, help: "further OpenID providers, each with an id, the keys of config.oauth and the orgs it serves",
			structured: true, mask: maskProviders, set: setProviders,
		},
		{
			key: "config.encryptionKey", env: []string{"ENCRYPTION_KEY"}, secret: true,
			help: "keys for providers' tokens and event hooks' secrets at rest, 32 bytes each in base64 or hex, commas between; the first seals, all open", set: setEncryptionKeys,
		},
		{key: "config.signInRate", env: []string{"SIGN_IN_RATE"}, def: "50", help: "sign-ins a second that one address may begin, with bursts of forty times as many; 0 without limit", set: setSignInRate},
		{key: "config.returnPaths", env: []string{"RETURN_PATHS"}, help: "paths of applications on this host, commas between, to which people may go back after signing in", set: setReturnPaths},
		{key: "config.session.idleSec", env: []string{"SESSION_IDLE_SEC"}, def: "43200", help: "seconds without a request after which a session ends; 0 never", set: setIdle},
		{key: "config.session.maxPerUser", env: []string{"SESSIONS_PER_USER"}, def: "20", help: "signed-in browsers that one person may have; the oldest ends", set: count(1000, func(c *Config) *int { return &c.Policy.SessionsPerUser })},
		{key: "config.session.stepUpMaxAgeSec", env: []string{"STEP_UP_MAX_AGE_SEC"}, def: "600", help: "how recent a sign-in must be for sensitive changes; 0 asks for none", set: setStepUp},
	}
}

func setReturnPaths(c *Config, text string) error {
	c.ReturnPaths = nil
	for _, path := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		if !strings.HasPrefix(path, "/") || strings.Contains(path, "//") || strings.ContainsAny(path, "\\?#") {
			return errors.New("allowed are paths on this host, such as /app/")
		}
		c.ReturnPaths = append(c.ReturnPaths, path)
	}
	return nil
}

func setSignInRate(c *Config, text string) error {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n < 0 || n > 0 && n < 1 || n > 1e6 {
		return errors.New("allowed are 0 (no limit) and 1 or more sign-ins a second")
	}
	c.SignInRate = n
	return nil
}

// setEncryptionKeys reads one or more keys of 32 bytes.
func setEncryptionKeys(c *Config, text string) error {
	ring, err := keyring(text)
	c.Policy.Keyring = ring
	return err
}

func keyring(text string) (domain.Keyring, error) {
	var keys [][]byte
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' }) {
		key, err := decodeKey(part)
		if err != nil {
			return domain.Keyring{}, err
		}
		keys = append(keys, key)
	}
	return domain.NewKeyring(keys...)
}

func decodeKey(text string) ([]byte, error) {
	for _, decode := range []func(string) ([]byte, error){
		hex.DecodeString, base64.StdEncoding.DecodeString, base64.RawStdEncoding.DecodeString,
		base64.URLEncoding.DecodeString, base64.RawURLEncoding.DecodeString,
	} {
		if key, err := decode(text); err == nil && len(key) == domain.KeyBytes {
			return key, nil
		}
	}
	return nil, errors.New("a key is 32 bytes in base64 or hex; \"openssl rand -base64 32\" makes one")
}

func newKey() string {
	key := make([]byte, domain.KeyBytes)
	_, _ = rand.Read(key)
	return base64.StdEncoding.EncodeToString(key)
}

// checkEncryption asks for a key where providers' tokens are kept and several processes share the database.
func (c *Config) checkEncryption() error {
	if !c.Policy.Keyring.Empty() || !slices.ContainsFunc(c.Providers, Provider.KeepsTokens) {
		return nil
	}
	if strings.HasPrefix(c.DatabaseURL, "sqlite://") {
		return nil // EnsureEncryptionKey makes one
	}
	return errors.New("config.encryptionKey is missing: the scope offline_access and idpLogoutEnabled keep the provider's tokens, " +
		"which are stored encrypted, and every process on this PostgreSQL needs the same key; \"openssl rand -base64 32\" makes one")
}

// EnsureEncryptionKey makes the key where the database is SQLite and none is configured; it stays beside the database's file.
func (c *Config) EnsureEncryptionKey() error {
	path := c.keyFile()
	if path == "" {
		return nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // beside the database that the operator names
	if err == nil {
		_, err = file.WriteString(newKey() + "\n")
		if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
			err = errors.Join(err, os.Remove(path)) // on a full disk; an empty file would be taken for a key that is damaged
		}
	}
	if errors.Is(err, os.ErrNotExist) {
		return domain.Wrap(domain.Invalid, err, "the directory of the database (DATABASE_URL) is not there: make it, for the user who runs the server")
	}
	if err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("the encryption key beside the database: %w", err)
	}
	return c.FindEncryptionKey()
}

// FindEncryptionKey reads the key that EnsureEncryptionKey made; that there is none is no error.
func (c *Config) FindEncryptionKey() error {
	path := c.keyFile()
	if path == "" {
		return nil
	}
	raw, err := os.ReadFile(path) //nolint:gosec // beside the database that the operator names
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the encryption key beside the database: %w", err)
	}
	ring, err := keyring(string(raw))
	if err != nil || ring.Empty() {
		return fmt.Errorf("%s: %w", path, errors.Join(err, errors.New("the file holds no encryption key")))
	}
	c.Policy.Keyring = ring
	c.values["config.encryptionKey"] = value{strings.TrimSpace(string(raw)), "file " + path}
	return nil
}

// keyFile is where the key lies that belongs to an SQLite file; empty where a key is configured or must be.
func (c *Config) keyFile() string {
	path, isFile := strings.CutPrefix(c.DatabaseURL, "sqlite://")
	if !isFile || !c.Policy.Keyring.Empty() {
		return ""
	}
	path, _, _ = strings.Cut(path, "?")
	return filepath.Clean(path) + ".key"
}
