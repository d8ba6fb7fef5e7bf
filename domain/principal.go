package domain

import (
	"context"
	"slices"
	"time"
)

// Principal is a checked credential: a signed-in browser, a personal access token or a service key.
type Principal struct {
	actor       Actor
	user        User
	memberships []Membership
	key         *Key
	session     *Session
}

// Key returns the principal of a personal access token or a service key, or Unauthenticated.
// The answer is the same for a malformed, unknown, expired and revoked one.
func (s *Service) Key(ctx context.Context, secret string, client Client) (Principal, error) {
	if kind, ok := secretKindOf(secret); !ok || kind != SecretPAT && kind != SecretService {
		return Principal{}, unauthenticated(nil)
	}
	var principal Principal
	var due bool
	err := s.store.Read(ctx, func(tx Tx) error {
		key, holder, err := tx.System(systemScope()).Credentials().Key(DigestOf(secret))
		if err != nil || expired(key.ExpiresAt, tx.Now()) || !key.RevokedAt.IsZero() {
			return unauthenticated(err)
		}
		due = tx.Now().Sub(key.LastUsedAt) > touchEvery
		principal = keyPrincipal(key, holder, client)
		return principal.mustBelong()
	})
	if err == nil && due {
		s.touchKey(ctx, principal)
	}
	return principal, err
}

// touchEvery is how stale "last used" may be; a write with every request would cost more than it tells.
const touchEvery = 5 * time.Minute

// touchKey records a use; a failure costs nothing but the record.
func (s *Service) touchKey(ctx context.Context, principal Principal) {
	_ = s.writeOrg(ctx, within(principal.key.Org, principal.actor), func(tx Tx, org OrgTx) error {
		return org.Keys().Touch(principal.key.ID, tx.Now())
	})
}

func keyPrincipal(key Key, holder Holder, client Client) Principal {
	principal := Principal{key: &key, user: holder.User}
	if key.Kind == ServiceKey {
		principal.actor = Actor{Kind: ActorServiceKey, ID: string(key.ID), Name: key.Description, Credential: string(key.ID), Client: client}
		return principal
	}
	principal.actor = Actor{Kind: ActorUser, ID: string(key.User), Name: holder.User.Email, Credential: string(key.ID), Client: client}
	principal.memberships = slices.DeleteFunc(activeOnly(holder.Memberships), func(m Membership) bool { return m.Org != key.Org })
	return principal
}

func activeOnly(memberships []Membership) []Membership {
	return slices.DeleteFunc(slices.Clone(memberships), func(m Membership) bool { return m.Member.Status != Active })
}

// unauthenticated hides what was wrong with a credential; only a database that is down keeps its own error.
func unauthenticated(err error) error {
	if err != nil && !IsKind(err, NotFound) {
		return err
	}
	return Errorf(Unauthenticated, "the credential is missing, unknown, expired or revoked")
}

// mustBelong refuses a person who is an active member of nothing.
func (p Principal) mustBelong() error {
	if p.IsServiceKey() || len(p.memberships) > 0 {
		return nil
	}
	return unauthenticated(nil)
}

// User returns the person; it is the zero User for a service key.
func (p Principal) User() User { return p.user }

// Actor returns who acts, for logs.
func (p Principal) Actor() Actor { return p.actor }

// SessionProvider returns the provider that signed a browser in; empty for a key.
func (p Principal) SessionProvider() string {
	if p.session == nil {
		return ""
	}
	return p.session.Provider
}

// IsServiceKey reports whether the principal is a service and no person.
func (p Principal) IsServiceKey() bool { return p.key != nil && p.key.Kind == ServiceKey }

// Memberships returns the organizations in which the person is active.
func (p Principal) Memberships() []Membership { return slices.Clone(p.memberships) }

// HomeOrg returns the organization that a key fixes; it is empty for a session, whose requests name one.
func (p Principal) HomeOrg() OrgID {
	if p.key == nil {
		return ""
	}
	return p.key.Org
}

// HomeWorkspace returns the workspace that a key stands for when a request names none; it may be empty.
func (p Principal) HomeWorkspace() WorkspaceID {
	switch {
	case p.key == nil:
		return ""
	case p.key.DefaultWorkspace == "" && len(p.key.Workspaces) == 1:
		return p.key.Workspaces[0]
	default:
		return p.key.DefaultWorkspace
	}
}

// In returns the right to act in an organization.
// An organization that the principal is not in answers as one that does not exist (R44).
func (p Principal) In(org OrgID) (OrgScope, error) {
	if p.IsServiceKey() {
		if org != p.key.Org {
			return OrgScope{}, noSuchOrg()
		}
		scope := within(org, p.actor)
		scope.role, scope.permissions = p.key.OrgRole, permissionsOf(p.key.OrgRole)
		scope.keyRoles = p.key.roles()
		return scope, nil
	}
	for _, membership := range p.memberships {
		if membership.Org == org {
			scope := within(org, p.actor)
			scope.member, scope.role = membership.Member.ID, membership.Member.Role.Role
			scope.permissions = permissionsOf(scope.role)
			if p.session != nil {
				scope.bySession, scope.authTime, scope.provider = true, p.session.AuthTime, p.session.Provider
			}
			return scope, nil
		}
	}
	return OrgScope{}, noSuchOrg()
}

func noSuchOrg() error { return Errorf(NotFound, "there is no such organization") }

func permissionsOf(id RoleID) []Permission {
	role, _ := SystemRole(id)
	return role.Permissions
}
