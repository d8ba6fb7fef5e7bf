package domain

import (
	"context"
	"time"
)

// KeyRequest describes a personal access token or a service key to be made.
type KeyRequest struct {
	Description string
	// ExpiresAt is zero for a key that does not expire, where the organization allows that.
	ExpiresAt        time.Time
	DefaultWorkspace WorkspaceID
	// The rest is for service keys: where they reach and as what.
	// Without workspaces a key reaches the whole organization, and only such a key has an org role.
	Workspaces []WorkspaceID
	Role       RoleID
	OrgRole    RoleID
	// Account is the service account that the key acts for; the key then reaches where the account does.
	Account AccountID
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
		if err := keyReach(org, scope, &key); err != nil {
			return err
		}
		key.ID, key.Org, key.CreatedAt = newID[KeyID](tx.Now()), scope.org, tx.Now()
		key.Digest, key.Short = DigestOf(string(secret)), secret.Short()
		key.Description, key.CreatedBy = request.Description, scope.actor.Name
		if err := org.Keys().Insert(key); err != nil {
			return err
		}
		return record(tx, scope, operation, keyTarget(key), nil, keyFacts(key))
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

// keyReach checks where a key is to reach, and as what.
func keyReach(org OrgTx, scope OrgScope, key *Key) error {
	if err := keyAccount(org, key); err != nil {
		return err
	}
	if err := keyRoles(org, *key); err != nil {
		return err
	}
	return keyWorkspaces(org, scope, *key)
}

func keyWorkspaces(org OrgTx, scope OrgScope, key Key) error {
	if err := livingWorkspaces(org, "workspaces", key.Workspaces); err != nil {
		return err
	}
	if key.DefaultWorkspace == "" {
		return nil
	}
	if _, reached := key.roles().in(key.DefaultWorkspace); key.Kind == ServiceKey && !reached {
		return Invalidf("default_workspace_id", "the default workspace is not among the key's workspaces")
	}
	_, err := visibleWorkspace(org, scope, key.DefaultWorkspace)
	return err
}

func (s *Service) deleteKey(ctx context.Context, scope OrgScope, id KeyID, operation string, own func(Key) bool) (Key, error) {
	var key Key
	err := s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		var err error
		if key, err = ownKey(org, id, own); err != nil {
			return err
		}
		if err := org.Keys().Delete(id); err != nil {
			return err
		}
		return record(tx, scope, operation, keyTarget(key), keyFacts(key), nil)
	})
	return key, err
}

// ownKey returns a key that the caller may know of; any other is not there.
func ownKey(org OrgTx, id KeyID, own func(Key) bool) (Key, error) {
	if !ValidID(id) {
		return Key{}, unknownResource("key", string(id))
	}
	key, err := org.Keys().Get(id)
	if err == nil && !own(key) {
		err = Errorf(NotFound, "")
	}
	return key, renameNotFound(err, "key", string(id))
}

func keyTarget(key Key) Target {
	return Target{Kind: "key", ID: string(key.ID), Name: key.Description}
}

// keyFacts are what the audit log says of a key; its secret is nowhere.
func keyFacts(key Key) map[string]any {
	facts := map[string]any{"description": key.Description, "kind": key.Kind, "short": key.Short}
	if !key.ExpiresAt.IsZero() {
		facts["expires_at"] = key.ExpiresAt
	}
	if key.Kind == ServiceKey {
		facts["workspaces"], facts["role_id"], facts["org_role"] = key.Workspaces, key.Role, RoleName(key.OrgRole)
	}
	if !key.RevokedAt.IsZero() {
		facts["revoked_at"] = key.RevokedAt
	}
	return facts
}
