package domain

import (
	"slices"
	"time"
)

// Session is a signed-in browser: server-side and opaque, so that ending it is immediate everywhere (R41).
type Session struct {
	ID SessionID
	// Digest is the key; the cookie's value itself is never stored.
	Digest    Digest
	User      UserID
	Provider  string
	Issuer    string
	Subject   string
	SID       string
	AuthTime  time.Time
	ACR       string
	AMR       []string
	Client    Client
	CreatedAt time.Time
	ExpiresAt time.Time
}

// SCIMToken is an identity provider's credential for one organization (R25).
type SCIMToken struct {
	ID          TokenID
	Org         OrgID
	Digest      Digest
	Description string
	// Short is the prefix and the last four characters, to recognise it by.
	Short      string
	CreatedAt  time.Time
	UpdatedAt  time.Time
	CreatedBy  string
	LastUsedAt time.Time
	// ExpiresAt is zero when the token does not expire.
	ExpiresAt time.Time
}

// KeyKind tells a person's token from a service's key.
type KeyKind string

// The two kinds of keys (R42).
const (
	PersonalKey KeyKind = "pat"
	ServiceKey  KeyKind = "service"
)

// Key is a personal access token or a service key.
type Key struct {
	ID     KeyID
	Org    OrgID
	Kind   KeyKind
	Digest Digest
	Short  string
	// User is the token's owner; empty for a service key.
	User        UserID
	Description string
	// Role is a service key's workspace role, OrgRole its org role; a personal token acts with its user's own.
	Role    RoleID
	OrgRole RoleID
	// Workspaces limits a service key; empty means the whole organization.
	Workspaces       []WorkspaceID
	DefaultWorkspace WorkspaceID
	CreatedBy        string
	CreatedAt        time.Time
	LastUsedAt       time.Time
	ExpiresAt        time.Time
}

// reaches reports whether a service key may act in a workspace.
func (k Key) reaches(workspace WorkspaceID) bool {
	return len(k.Workspaces) == 0 || slices.Contains(k.Workspaces, workspace)
}

// expired reports whether a credential's end has come; a zero end never comes.
func expired(end, now time.Time) bool { return !end.IsZero() && !now.Before(end) }

// Holder is a credential's user and memberships, read together with it in one query.
type Holder struct {
	User        User
	Memberships []Membership
}
