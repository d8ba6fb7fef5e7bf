package domain

import "time"

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
	// Profile is how strictly its client is read.
	Profile SCIMProfile
	// Definitions is the revision of what the organization declared, and Guarded says that its deprovision guard is on;
	// both are read together with the token.
	Definitions int64
	Guarded     bool
}

// SCIMProfile is how strictly a SCIM client is read; answers are the same in all.
type SCIMProfile string

// The profiles of a SCIM token.
const (
	// ProfileAuto takes what Okta and Entra ID send, and what the RFCs say.
	ProfileAuto SCIMProfile = "auto"
	ProfileOkta SCIMProfile = "okta"
	// ProfileEntra makes every replace create the element that it does not find.
	ProfileEntra SCIMProfile = "entra"
	// ProfileLenient also takes a PATCH without schemas and unquoted words in filters.
	ProfileLenient SCIMProfile = "lenient"
	// ProfileStrict refuses whatever no schema declares.
	ProfileStrict SCIMProfile = "strict"
)

// Validate returns Invalid for a profile that there is not.
func (p SCIMProfile) Validate() error {
	switch p {
	case ProfileAuto, ProfileOkta, ProfileEntra, ProfileLenient, ProfileStrict:
		return nil
	default:
		return Invalidf("profile", "a profile is auto, okta, entra, lenient or strict")
	}
}

// AccessToken is a short-lived credential that stands for a SCIM token (S95).
type AccessToken struct {
	Digest    Digest
	Org       OrgID
	Token     TokenID
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
	// Account is the service account that a service key acts for, and AccountRoles where that is; empty for other keys.
	Account      AccountID
	AccountRoles map[WorkspaceID]RoleID
	CreatedBy    string
	CreatedAt    time.Time
	LastUsedAt   time.Time
	ExpiresAt    time.Time
	// RevokedAt is when an Admin switched the key off; zero while it works.
	RevokedAt time.Time
}

// expired reports whether a credential's end has come; a zero end never comes.
func expired(end, now time.Time) bool { return !end.IsZero() && !now.Before(end) }

// Holder is a credential's user and memberships, read together with it in one query.
type Holder struct {
	User        User
	Memberships []Membership
}
