package domain

import (
	"context"
	"time"
)

// KeyRequest describes a personal access token or a service key to be made.
type KeyRequest struct {
	Description string
	// ExpiresAt is zero for a key that does not expire, where the organization allows that.
	ExpiresAt time.Time
	// The rest is for service keys: where they reach and as what.
	Workspaces       []WorkspaceID
	DefaultWorkspace WorkspaceID
	Role             RoleID
	OrgRole          RoleID
}

// PersonalTokens lists the principal's own tokens in the organization.
func (s *Service) PersonalTokens(ctx context.Context, scope OrgScope) ([]Key, error) {
	if err := requirePerson(scope); err != nil {
		return nil, err
	}
	return s.keys(ctx, scope, PersonalKey, UserID(scope.actor.ID))
}

// CreatePersonalToken makes a token that acts as its user in the organization, and returns its secret (R42).
func (s *Service) CreatePersonalToken(ctx context.Context, scope OrgScope, request KeyRequest) (Key, Secret, error) {
	if err := requirePerson(scope); err != nil {
		return Key{}, "", err
	}
	if err := scope.require(PermPATCreate); err != nil {
		return Key{}, "", err
	}
	key := Key{Kind: PersonalKey, User: UserID(scope.actor.ID), Workspaces: nil, DefaultWorkspace: request.DefaultWorkspace}
	return s.createKey(ctx, scope, key, request, "create_personal_access_token")
}

// CreatePersonalTokenFor makes a token for the person with an address from the command line, making the person a member,
// and with admin an Organization Admin, where needed.
func (s *Service) CreatePersonalTokenFor(ctx context.Context, scope OrgScope, email string, admin bool, description string) (Key, Secret, error) {
	if scope.actor.Kind != ActorCommandLine {
		return Key{}, "", Errorf(Forbidden, "only the command line makes tokens for others")
	}
	member, err := s.addByHand(ctx, scope, email, admin)
	if err != nil {
		return Key{}, "", err
	}
	view, err := s.Member(ctx, scope, member)
	if err != nil {
		return Key{}, "", err
	}
	return s.createKey(ctx, scope, Key{Kind: PersonalKey, User: view.User}, KeyRequest{Description: description}, "create_personal_access_token")
}

// DeletePersonalToken ends one of the principal's own tokens.
func (s *Service) DeletePersonalToken(ctx context.Context, scope OrgScope, id KeyID) (Key, error) {
	if err := requirePerson(scope); err != nil {
		return Key{}, err
	}
	return s.deleteKey(ctx, scope, id, "delete_personal_access_token", func(key Key) bool {
		return key.Kind == PersonalKey && key.User == UserID(scope.actor.ID)
	})
}

// ServiceKeys lists the organization's service keys, which are the Admins' alone (R4).
func (s *Service) ServiceKeys(ctx context.Context, scope OrgScope) ([]Key, error) {
	if err := mayManageServiceKeys(scope); err != nil {
		return nil, err
	}
	return s.keys(ctx, scope, ServiceKey, "")
}

// CreateServiceKey makes a key that acts as no person; without workspaces it reaches the whole organization (R42).
func (s *Service) CreateServiceKey(ctx context.Context, scope OrgScope, request KeyRequest) (Key, Secret, error) {
	if err := mayManageServiceKeys(scope); err != nil {
		return Key{}, "", err
	}
	if request.Role == "" {
		request.Role = RoleWorkAdmin
	}
	if request.OrgRole == "" {
		request.OrgRole = RoleOrgUser
	}
	if err := checkRole("role_id", request.Role, ScopeWorkspace); err != nil {
		return Key{}, "", err
	}
	if err := checkRole("org_role_id", request.OrgRole, ScopeOrganization); err != nil {
		return Key{}, "", err
	}
	key := Key{
		Kind: ServiceKey, Role: request.Role, OrgRole: request.OrgRole,
		Workspaces: unique(request.Workspaces), DefaultWorkspace: request.DefaultWorkspace,
	}
	return s.createKey(ctx, scope, key, request, "create_service_key")
}

// DeleteServiceKey ends a service key.
func (s *Service) DeleteServiceKey(ctx context.Context, scope OrgScope, id KeyID) (Key, error) {
	if err := mayManageServiceKeys(scope); err != nil {
		return Key{}, err
	}
	return s.deleteKey(ctx, scope, id, "delete_service_key", func(key Key) bool { return key.Kind == ServiceKey })
}

// mayManageServiceKeys is R4: an Operator cannot touch keys that reach the whole organization.
func mayManageServiceKeys(scope OrgScope) error {
	if err := scope.require(PermOrgManage); err != nil {
		return err
	}
	return scope.requireAdmin("manage service keys of the organization")
}

func requirePerson(scope OrgScope) error {
	if scope.actor.Kind == ActorUser && scope.member != "" {
		return nil
	}
	return Errorf(Forbidden, "only a person has personal access tokens")
}

func (s *Service) keys(ctx context.Context, scope OrgScope, kind KeyKind, user UserID) ([]Key, error) {
	keys := []Key{}
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		found, err := org.Keys().List(kind, user)
		keys = append(keys[:0], found...)
		return err
	})
	return keys, err
}

// createKey checks the expiry against the organization's caps and stores the key's digest.
func (s *Service) createKey(ctx context.Context, scope OrgScope, key Key, request KeyRequest, operation string) (Key, Secret, error) {
	kind := SecretPAT
	if key.Kind == ServiceKey {
		kind = SecretService
	}
	if err := checkDescription(request.Description); err != nil {
		return Key{}, "", err
	}
	secret := newSecret(kind)
	err := s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		settings, err := org.Settings().Get()
		if err != nil {
			return err
		}
		if err := s.mayCreate(scope, key.Kind, settings.Settings); err != nil {
			return err
		}
		// A key acts without proving anything again, so one that manages is as sensitive to make as what it may do (item 110).
		if scope.Has(PermOrgManage) {
			if err := s.requireRecent(tx, scope); err != nil {
				return err
			}
		}
		if key.ExpiresAt, err = capExpiry(key.Kind, settings.Settings, request.ExpiresAt, tx.Now()); err != nil {
			return err
		}
		if err := keyWorkspaces(org, key); err != nil {
			return err
		}
		key.ID, key.Org, key.CreatedAt = newID[KeyID](tx.Now()), scope.org, tx.Now()
		key.Digest, key.Short = DigestOf(string(secret)), secret.Short()
		key.Description, key.CreatedBy = request.Description, scope.actor.Name
		if err := org.Keys().Insert(key); err != nil {
			return err
		}
		after := map[string]any{"description": key.Description, "kind": key.Kind, "expires_at": key.ExpiresAt}
		return record(tx, scope, operation, Target{"key", string(key.ID), key.Description}, nil, after)
	})
	return key, secret, err
}

func (s *Service) mayCreate(scope OrgScope, kind KeyKind, settings OrgSettings) error {
	if kind == PersonalKey && scope.actor.Kind != ActorCommandLine && (s.policy.PATCreationDisabled || settings.PATCreationDisabled) {
		return Errorf(Forbidden, "creating personal access tokens is switched off")
	}
	return nil
}

// capExpiry applies the organization's longest lifetime; a key without an end gets the latest that is allowed (R42).
func capExpiry(kind KeyKind, settings OrgSettings, wanted, now time.Time) (time.Time, error) {
	if !wanted.IsZero() && !wanted.After(now) {
		return time.Time{}, Invalidf("expires_at", "the expiry must lie in the future")
	}
	days := settings.MaxServiceKeyExpiryDays
	if kind == PersonalKey {
		days = settings.MaxPATExpiryDays
	}
	if days == nil {
		days = settings.MaxAPIKeyExpiryDays
	}
	if days == nil {
		return Micro(wanted), nil
	}
	latest := now.AddDate(0, 0, *days)
	if wanted.IsZero() {
		return latest, nil
	}
	if wanted.After(latest) {
		return time.Time{}, Invalidf("expires_at", "this organization allows at most %d days", *days)
	}
	return Micro(wanted), nil
}

func keyWorkspaces(org OrgTx, key Key) error {
	ids := key.Workspaces
	if key.DefaultWorkspace != "" {
		if key.Kind == ServiceKey && !key.reaches(key.DefaultWorkspace) {
			return Invalidf("default_workspace_id", "the default workspace is not among the key's workspaces")
		}
		ids = append(ids[:len(ids):len(ids)], key.DefaultWorkspace)
	}
	return livingWorkspaces(org, ids)
}

func (s *Service) deleteKey(ctx context.Context, scope OrgScope, id KeyID, operation string, own func(Key) bool) (Key, error) {
	var key Key
	err := s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		var err error
		key, err = org.Keys().Get(id)
		if err == nil && !own(key) {
			err = Errorf(NotFound, "")
		}
		if err != nil {
			return renameNotFound(err, "key", string(id))
		}
		if err := org.Keys().Delete(id); err != nil {
			return err
		}
		return record(tx, scope, operation, Target{"key", string(id), key.Description}, map[string]any{"description": key.Description}, nil)
	})
	return key, err
}
