package scim

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"strings"
	"time"

	"muster/domain"
	"muster/scim/scimerr"
)

// cursorLifetime is how long a cursor can be used; ServiceProviderConfig says so (RFC 9865 section 4).
const cursorLifetime = time.Hour

// cursors makes and checks the cursors of RFC 9865: a position, sealed, for one organization and one query.
type cursors struct {
	key   func(context.Context) (string, error)
	clock func() time.Time
}

// links are the cursors of the pages around one.
type links struct{ next, previous string }

// position is what a cursor holds.
type position struct {
	// Number is the sort key of a number, as a fraction.
	Text     string `json:"t,omitempty"`
	Number   string `json:"n,omitempty"`
	Absent   bool   `json:"a,omitempty"`
	ID       string `json:"i"`
	Backward bool   `json:"b,omitempty"`
	Total    int    `json:"c"`
	// Issued is in seconds since 1970.
	Issued int64 `json:"s"`
}

// read puts the position of the cursor into the query; an empty cursor asks for the first page.
func (c cursors) read(ctx context.Context, list *listRequest, values url.Values, scope domain.OrgScope) error {
	if values.Has("startIndex") {
		return scimerr.New(scimerr.InvalidValue, "startIndex", "startIndex and cursor exclude each other")
	}
	text, err := parameter(values, "cursor")
	if err != nil || text == "" {
		return err
	}
	key, err := c.key(ctx)
	if err != nil {
		return err
	}
	raw, ok := open(key, text, bound(*list, scope))
	if !ok {
		return invalidCursor()
	}
	var at position
	if err := json.Unmarshal(raw, &at); err != nil {
		return invalidCursor()
	}
	if c.clock().Sub(time.Unix(at.Issued, 0)) > cursorLifetime {
		return scimerr.New(scimerr.ExpiredCursor, "cursor", "the cursor has expired; begin again with an empty one")
	}
	list.From = &domain.Position{ID: at.ID, Key: domain.SortKey{Absent: at.Absent, Text: at.Text}}
	if at.Number != "" {
		list.From.Key.Number, _ = new(big.Rat).SetString(at.Number)
	}
	list.Backward, list.Total = at.Backward, &at.Total
	return nil
}

// invalidCursor says the same whatever is wrong, so that nothing can be learned from trying (P3).
func invalidCursor() error {
	return scimerr.New(scimerr.InvalidCursor, "cursor", "the cursor is not valid for this query; begin again with an empty one")
}

// around returns the cursors behind and before a page.
func (c cursors) around(ctx context.Context, list listRequest, scope domain.OrgScope, found page) links {
	if len(found.At) == 0 {
		return links{}
	}
	key, err := c.key(ctx)
	if err != nil {
		return links{} // the page is whole; the next request says that the database is away
	}
	var l links
	first, last := found.At[0], found.At[len(found.At)-1]
	if found.More || list.Backward {
		l.next = c.make(key, last, false, list, scope, found.Total)
	}
	if list.From != nil && (!list.Backward || found.More) {
		l.previous = c.make(key, first, true, list, scope, found.Total)
	}
	return l
}

func (c cursors) make(key string, at domain.Position, backward bool, list listRequest, scope domain.OrgScope, total int) string {
	held := position{Text: at.Key.Text, Absent: at.Key.Absent, ID: at.ID, Backward: backward, Total: total, Issued: c.clock().Unix()}
	if at.Key.Number != nil {
		held.Number = at.Key.Number.RatString()
	}
	raw, err := json.Marshal(held)
	if err != nil {
		return ""
	}
	return seal(key, raw, bound(list, scope))
}

// bound is what a cursor is good for: one organization, one query, pages of one size (P2, P4).
func bound(list listRequest, scope domain.OrgScope) []byte {
	return fmt.Appendf(nil, "cursor\x00%s\x00%s\x00%d", scope.Org(), list.fingerprint, list.Count)
}

// seal encrypts what a cursor holds, because the value that a list is sorted by may be somebody's name and URLs end up in logs.
func seal(key string, plain, bound []byte) string {
	sealer, err := sealerOf(key)
	if err != nil {
		return ""
	}
	nonce := make([]byte, sealer.NonceSize())
	_, _ = rand.Read(nonce)
	return base64.RawURLEncoding.EncodeToString(sealer.Seal(nonce, nonce, plain, bound))
}

func open(key, text string, bound []byte) ([]byte, bool) {
	sealer, err := sealerOf(key)
	if err != nil {
		return nil, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) < sealer.NonceSize() {
		return nil, false
	}
	plain, err := sealer.Open(nil, raw[:sealer.NonceSize()], raw[sealer.NonceSize():], bound)
	return plain, err == nil
}

func sealerOf(key string) (cipher.AEAD, error) {
	sum := sha256.Sum256([]byte("cursor\x00" + key))
	block, err := aes.NewCipher(sum[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// fingerprint tells queries apart by what decides which resources they find, and in which order.
func fingerprint(values url.Values, types []collection) string {
	var b strings.Builder
	for _, t := range types {
		b.WriteString(t.kind().Name)
		b.WriteByte(0)
	}
	for _, name := range []string{"filter", "sortBy", "sortOrder"} {
		b.WriteString(values.Get(name))
		b.WriteByte(0)
	}
	sum := sha256.Sum256([]byte(b.String()))
	return string(sum[:16])
}
