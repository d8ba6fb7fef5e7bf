package domain

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"sync"
	"time"
)

// Ids are distinct types, so that the compiler catches one handed over for another.
// Each is a UUID in text form, made here and never by a database.
type (
	// OrgID names an organization.
	OrgID string
	// WorkspaceID names a workspace inside an organization.
	WorkspaceID string
	// UserID names a person over the whole installation.
	UserID string
	// MemberID names a person in one organization: the admin API's identity id and SCIM's User id.
	MemberID string
	// RoleID names a system or custom role.
	RoleID string
	// GroupID names a SCIM group.
	GroupID string
	// InviteID names a pending member.
	InviteID string
	// TokenID names a SCIM token.
	TokenID string
	// KeyID names a personal access token or a service key.
	KeyID string
	// AccountID names a service account.
	AccountID string
	// SessionID is a session's public handle, not its secret.
	SessionID string
	// IdentityID names one way a user signs in.
	IdentityID string
	// AuditID names an audit row; it sorts by time.
	AuditID string
)

// newID returns a UUID version 7 (RFC 9562): ids made later sort later, which keeps indexes compact and pages stable.
func newID[T ~string](now time.Time) T {
	var raw [16]byte
	_, _ = rand.Read(raw[:])
	milliseconds := uint64(now.UnixMilli())
	random := binary.BigEndian.Uint16(raw[4:6])
	binary.BigEndian.PutUint64(raw[:8], milliseconds<<16|uint64(random))
	binary.BigEndian.PutUint16(raw[6:8], 0x7000|inMillisecond.next(now))
	raw[8] = raw[8]&0x3f | 0x80
	return T(formatUUID(raw))
}

// FirstID is not greater than any id that was made at the time or later.
func FirstID(at time.Time) AuditID {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:8], uint64(max(at.UnixMilli(), 0))<<16)
	return AuditID(formatUUID(raw))
}

// inMillisecond orders what one process makes within the same millisecond, such as the rows of one transaction.
var inMillisecond fractions //nolint:gochecknoglobals // ids are ordered over the whole process

type fractions struct {
	mutex        sync.Mutex
	milliseconds int64
	last         uint16
}

// next is the sub-millisecond part of a time in 12 bits, or one more than the last one of that millisecond.
func (f *fractions) next(now time.Time) uint16 {
	fraction := uint16(now.Nanosecond() % int(time.Millisecond) * 4096 / int(time.Millisecond)) //nolint:gosec // below 4096
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if ms := now.UnixMilli(); ms != f.milliseconds {
		f.milliseconds = ms
	} else if fraction <= f.last {
		fraction = min(f.last+1, 4095)
	}
	f.last = fraction
	return fraction
}

func formatUUID(raw [16]byte) string {
	var text [36]byte
	hex.Encode(text[0:8], raw[0:4])
	hex.Encode(text[9:13], raw[4:6])
	hex.Encode(text[14:18], raw[6:8])
	hex.Encode(text[19:23], raw[8:10])
	hex.Encode(text[24:36], raw[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

// ValidID reports whether text has the form of our ids; nothing else needs to be looked up.
func ValidID[T ~string](id T) bool {
	if len(id) != 36 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case '0' <= c && c <= '9', 'a' <= c && c <= 'f':
		default:
			return false
		}
	}
	return true
}

// unique returns the ids without repeats, in the order of their first appearance.
func unique[T ~string](ids []T) []T {
	seen := make(map[T]bool, len(ids))
	kept := make([]T, 0, len(ids))
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			kept = append(kept, id)
		}
	}
	return kept
}
