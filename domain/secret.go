package domain

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash/crc32"
	"log/slog"
	"strings"
)

// Digest is the hex SHA-256 of a secret: what is stored and looked up, so that no comparison depends on the secret.
// Secrets here have at least 160 random bits and need no stretching.
type Digest string

// DigestOf returns the digest of a secret.
func DigestOf(secret string) Digest {
	sum := sha256.Sum256([]byte(secret))
	return Digest(hex.EncodeToString(sum[:]))
}

// SecretKind is the typed prefix of a credential; it decides which routes take it.
type SecretKind string

// The kinds of credentials that leave the server once and come back with every request.
const (
	SecretSCIM    SecretKind = "scim"
	SecretPAT     SecretKind = "pat"
	SecretService SecretKind = "svc"
	// SecretAccess is what a SCIM client fetches with its token's id and secret (S95).
	SecretAccess SecretKind = "sat"
)

// Secret is a credential in clear: shown once, never stored, never logged.
type Secret string

// LogValue keeps a secret out of structured logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue("[secret]") }

// Short returns what may be shown later to recognise the secret: its prefix and last four characters.
func (s Secret) Short() string {
	text := string(s)
	if len(text) < 12 {
		return "…"
	}
	prefix := text[:strings.LastIndexByte(text, '_')+1]
	return prefix + "…" + text[len(text)-4:]
}

const (
	secretPrefix = "muster_"
	secretLength = 32 // base62 characters, 190 bits
	checkLength  = 6
	base62       = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// newSecret makes a credential: "muster_", its kind, 32 random base62 characters and a base62 CRC-32 of all before it.
// Double-clicking selects it whole, and scanners can tell it from a look-alike.
func newSecret(kind SecretKind) Secret {
	body := secretPrefix + string(kind) + "_" + randomBase62(secretLength)
	return Secret(body + checksum(body))
}

// secretKindOf returns the kind of a well-formed credential without asking the database; it rejects anything else.
func secretKindOf(secret string) (SecretKind, bool) {
	rest, ok := strings.CutPrefix(secret, secretPrefix)
	if !ok {
		return "", false
	}
	kind, random, ok := strings.Cut(rest, "_")
	if !ok || len(random) != secretLength+checkLength {
		return "", false
	}
	body := secret[:len(secret)-checkLength]
	return SecretKind(kind), checksum(body) == secret[len(body):]
}

func checksum(body string) string {
	sum := crc32.ChecksumIEEE([]byte(body))
	var text [checkLength]byte
	for i := checkLength - 1; i >= 0; i-- {
		text[i] = base62[sum%62]
		sum /= 62
	}
	return string(text[:])
}

// randomBase62 draws without bias: bytes from 248 up are thrown away.
func randomBase62(length int) string {
	text := make([]byte, 0, length)
	var raw [64]byte
	for len(text) < length {
		_, _ = rand.Read(raw[:])
		for _, b := range raw {
			if b < 248 && len(text) < length {
				text = append(text, base62[b%62])
			}
		}
	}
	return string(text)
}

// NewOpaque returns 256 random bits as URL-safe text: session cookies, states, nonces and PKCE verifiers.
func NewOpaque() string {
	var raw [32]byte
	_, _ = rand.Read(raw[:])
	return base64.RawURLEncoding.EncodeToString(raw[:])
}
