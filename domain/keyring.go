package domain

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
)

// Keyring seals what must be read again and must not be readable in the database: providers' tokens (item 97).
// The first key seals and every key opens, so that a new key can be put before the old one.
// The zero Keyring seals nothing.
type Keyring struct {
	keys []sealingKey
}

type sealingKey struct {
	// id is public: it says which key sealed a text.
	id   string
	aead cipher.AEAD
}

// KeyBytes is the length of a key: AES-256.
const KeyBytes = 32

// ErrNoKey is that no key of the keyring opens a text, or that there is none to seal with.
var ErrNoKey = errors.New("no encryption key fits")

// NewKeyring returns a keyring of keys of KeyBytes each, or an error naming the one that is not.
func NewKeyring(keys ...[]byte) (Keyring, error) {
	var ring Keyring
	for _, key := range keys {
		if len(key) != KeyBytes {
			return Keyring{}, errors.New("an encryption key has 32 bytes")
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return Keyring{}, err
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return Keyring{}, err
		}
		sum := sha256.Sum256(append([]byte("muster key id\n"), key...))
		ring.keys = append(ring.keys, sealingKey{hex.EncodeToString(sum[:4]), aead})
	}
	return ring, nil
}

// Empty reports whether there is no key.
func (k Keyring) Empty() bool { return len(k.keys) == 0 }

// Seal encrypts text with AES-256-GCM and a random nonce; place is where it will be kept, and it opens nowhere else.
// It returns ErrNoKey when there is no key.
func (k Keyring) Seal(text, place string) (string, error) {
	if k.Empty() {
		return "", ErrNoKey
	}
	key := k.keys[0]
	nonce := make([]byte, key.aead.NonceSize())
	_, _ = rand.Read(nonce)
	sealed := key.aead.Seal(nonce, nonce, []byte(text), []byte(place))
	return key.id + "." + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// Open is the inverse of Seal; it opens "" as "".
func (k Keyring) Open(sealed, place string) (string, error) {
	if sealed == "" {
		return "", nil
	}
	id, encoded, _ := strings.Cut(sealed, ".")
	raw, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return "", ErrNoKey
	}
	for _, key := range k.keys {
		size := key.aead.NonceSize()
		if key.id != id || len(raw) < size {
			continue
		}
		if text, err := key.aead.Open(nil, raw[:size], raw[size:], []byte(place)); err == nil {
			return string(text), nil
		}
	}
	return "", ErrNoKey
}

// Current reports whether the first key sealed the text; "" needs no key.
func (k Keyring) Current(sealed string) bool {
	return sealed == "" || !k.Empty() && strings.HasPrefix(sealed, k.keys[0].id+".")
}

func sealedRefresh(id SessionID) string { return "session/" + string(id) + "/refresh" }
func sealedID(id SessionID) string      { return "session/" + string(id) + "/id" }
