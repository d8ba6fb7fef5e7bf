package domain

import (
	"strings"
	"time"
	"unicode"
)

// User is one person over the whole installation.
type User struct {
	ID UserID
	// Email is kept as written and compared folded; it is empty for a person that SCIM created without one (S9).
	Email     string
	FullName  string
	CreatedAt time.Time
	// EmailProved says that a provider of the whole installation, or the operator, vouched for the address: it may claim invites (R10, R23).
	EmailProved bool
}

// Identity is one way a user signs in; issuer and subject are unique over the installation (R9).
type Identity struct {
	ID       IdentityID
	User     UserID
	Provider string
	Issuer   string
	Subject  string
	// Object names the person over all of the provider's applications; empty where the provider has no such name.
	Object    string
	Email     string
	CreatedAt time.Time
}

// Status says whether a membership lets its user in.
type Status string

// The two states of a membership.
const (
	Active   Status = "active"
	Disabled Status = "disabled"
)

// Member is a user in an organization; its id is not the user's.
type Member struct {
	ID     MemberID
	User   UserID
	Status Status
	// Role is the effective org role and why it is held.
	Role      Held
	CreatedAt time.Time
}

// MemberView is a member with the person behind it.
type MemberView struct {
	Member
	Email    string
	FullName string
	// SCIM is true when an identity provider's SCIM resource stands behind the member.
	SCIM bool
	// Workspaces are the memberships held by a row of their own; an Organization Admin has all others too (R3).
	Workspaces []WorkspaceHeld
	// Identities are the ways the person signs in.
	Identities []Identity
}

// WorkspaceHeld is one workspace membership with the workspace's name.
type WorkspaceHeld struct {
	Workspace WorkspaceID
	Name      string
	Held
	// As is the role held; the service fills it in.
	As Role
}

// MaxSearched is among how many members a text that begins nobody's name or address is looked for anywhere in them.
const MaxSearched = 20_000

// MemberQuery selects members for a list.
//
// Every member has to be looked at for a text that may stand anywhere: that takes milliseconds for MaxSearched of them, and seconds for a million.
type MemberQuery struct {
	Window
	// Emails are compared folded; empty means all.
	Emails  []string
	IDs     []MemberID
	UserIDs []UserID
	// Search is a part of the name or address.
	Search string
	// Find is how the name or address begins; when nobody's begins so, it may stand anywhere, as with Search,
	// in an organization of at most MaxSearched members.
	Find string
	// Role is the org role held, and Grant why; empty means any.
	Role  RoleID
	Grant GrantKind
	// Status selects one state; empty means both.
	Status Status
	// Workspace selects members with a row in that workspace.
	Workspace WorkspaceID
	// SortBy is "name", "email", "role" or "created_at" (the default).
	SortBy     string
	Descending bool
}

// Membership is one of a user's organizations, read together with a session or a key.
type Membership struct {
	Org      OrgID
	OrgName  string
	Personal bool
	Member   Member
}

// EmailKey returns the key under which an address is compared, or Invalid when it is no address.
func EmailKey(field, email string) (string, error) {
	if !IsEmail(email) {
		return "", Invalidf(field, "%q is not an e-mail address", email)
	}
	return Fold(strings.TrimSpace(email)), nil
}

// IsEmail is a deliberately small check: one "@" with something on both sides, no spaces, no control characters.
// More than one "@" is refused because software disagrees about which part is the domain (A21).
func IsEmail(email string) bool {
	email = strings.TrimSpace(email)
	local, host, ok := strings.Cut(email, "@")
	if !ok || local == "" || host == "" || len(email) > 254 || strings.Contains(host, "@") {
		return false
	}
	if strings.HasPrefix(host, ".") || strings.HasSuffix(host, ".") {
		return false
	}
	return !strings.ContainsFunc(email, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || r == '"' || r == '<' || r == '>' || r == ','
	})
}
