package domain

import (
	"slices"
	"time"
)

// ActorKind is the sort of principal that acts; the audit log names it.
type ActorKind string

// The kinds of actors.
const (
	ActorUser        ActorKind = "user"
	ActorServiceKey  ActorKind = "service_key"
	ActorSCIM        ActorKind = "scim"
	ActorCommandLine ActorKind = "command_line"
	// ActorProvider is an OpenID provider that ends sessions.
	ActorProvider ActorKind = "provider"
	ActorSystem   ActorKind = "system"
)

// Actor is who does something and by which credential, as the audit log records it.
type Actor struct {
	Kind ActorKind
	// ID is the user's, key's or token's id; empty for the system and the command line.
	ID string
	// Name is the e-mail address or description that a reader recognises.
	Name string
	// Credential is the id of the session, key or token used.
	Credential string
	Client     Client
}

// OrgScope is the right to act in one organization.
// Its fields are unexported and its only makers are a principal's check, the SCIM token's check,
// sign-in and the command line, so that no request can reach an organization its credential does not belong to (R44).
type OrgScope struct {
	org         OrgID
	actor       Actor
	member      MemberID
	role        RoleID
	permissions []Permission
	// keyRoles are where a service key reaches, and as what; nil for everybody else.
	keyRoles *KeyRoles
	// provisioning marks an identity provider's token, which may do SCIM and nothing else (R25).
	provisioning bool
	// guarded says that the organization's deprovision guard is on (R39).
	guarded bool
	// profile is how that token's client is read, and definitions the revision of what the organization declared.
	profile     SCIMProfile
	definitions int64
	// bySession marks a signed-in browser: authTime is when its person last proved who they are, at which provider.
	bySession bool
	authTime  time.Time
	provider  string
	// presumed is the token of a scope that is still to be checked.
	presumed TokenID
}

// Org returns the organization; it is empty only for the zero scope, which a store refuses.
func (s OrgScope) Org() OrgID { return s.org }

// Actor returns who acts.
func (s OrgScope) Actor() Actor { return s.actor }

// Member returns the acting person's membership; empty for keys and tokens that are not a person's.
func (s OrgScope) Member() MemberID { return s.member }

// Role returns the acting principal's org role; empty for SCIM.
func (s OrgScope) Role() RoleID { return s.role }

// Profile returns how strictly a SCIM client is read; it is empty for everybody else.
func (s OrgScope) Profile() SCIMProfile { return s.profile }

// DefinitionsRevision returns the revision of what the organization declares; 0 means nothing.
func (s OrgScope) DefinitionsRevision() int64 { return s.definitions }

// Has reports whether the scope carries an organization permission.
func (s OrgScope) Has(permission Permission) bool {
	return slices.Contains(s.permissions, permission)
}

// Permissions returns the organization permissions of the scope.
func (s OrgScope) Permissions() []Permission { return slices.Clone(s.permissions) }

// require returns Forbidden, in words a person can act on, when the permission is missing.
func (s OrgScope) require(permission Permission) error {
	if s.Has(permission) {
		return nil
	}
	return Errorf(Forbidden, "this needs the permission %q in the organization; ask an Organization Admin", permission)
}

// requireSCIM guards what only an identity provider's token may do.
func (s OrgScope) requireSCIM() error {
	if s.provisioning {
		return nil
	}
	return Errorf(Forbidden, "only a SCIM token may do this")
}

// requireAdmin guards what an Operator may not do (R4).
func (s OrgScope) requireAdmin(what string) error {
	if s.role == RoleOrgAdmin {
		return nil
	}
	return Errorf(Forbidden, "only an Organization Admin may %s", what)
}

// SystemScope is the right to read and write across organizations; only this package makes one.
type SystemScope struct{ made bool }

// Valid is false for the zero scope, which a store refuses.
func (s SystemScope) Valid() bool { return s.made }

func systemScope() SystemScope { return SystemScope{made: true} }

// within is the scope of the system itself in an organization: sign-in, start-up.
func within(org OrgID, actor Actor) OrgScope { return OrgScope{org: org, actor: actor} }
