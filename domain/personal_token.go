package domain

import (
	"context"
	"time"
)

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
	key := Key{Kind: PersonalKey, User: UserID(scope.actor.ID), DefaultWorkspace: request.DefaultWorkspace}
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

// OwnedKey is a personal access token with the person whose it is.
type OwnedKey struct {
	Key
	Owner User
}

// AllPersonalTokens lists every member's tokens, for Organization Admins.
func (s *Service) AllPersonalTokens(ctx context.Context, scope OrgScope) ([]OwnedKey, error) {
	if err := mayManageOthersTokens(scope); err != nil {
		return nil, err
	}
	owned := []OwnedKey{}
	err := s.readOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		keys, err := org.Keys().List(PersonalKey, "")
		if err != nil {
			return err
		}
		owned = owned[:0]
		owners := map[UserID]User{}
		for _, key := range keys {
			owner, known := owners[key.User]
			if !known {
				if owner, err = tx.System(systemScope()).Users().Get(key.User); err != nil {
					return err
				}
				owners[key.User] = owner
			}
			owned = append(owned, OwnedKey{key, owner})
		}
		return nil
	})
	return owned, err
}

// RevokePersonalToken switches a member's token off, or on again; it ends or works with the next request.
func (s *Service) RevokePersonalToken(ctx context.Context, scope OrgScope, id KeyID, revoked bool) (Key, error) {
	if err := mayManageOthersTokens(scope); err != nil {
		return Key{}, err
	}
	var key Key
	err := s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		before, err := ownKey(org, id, func(key Key) bool { return key.Kind == PersonalKey })
		if err != nil {
			return err
		}
		if key = before; revoked == !before.RevokedAt.IsZero() {
			return nil
		}
		key.RevokedAt = time.Time{}
		if revoked {
			key.RevokedAt = tx.Now()
		}
		if err := org.Keys().Update(key); err != nil {
			return err
		}
		return record(tx, scope, "revoke_personal_access_token", keyTarget(key), keyFacts(before), keyFacts(key))
	})
	return key, err
}

// mayManageOthersTokens is for Organization Admins alone (R4).
func mayManageOthersTokens(scope OrgScope) error {
	if err := scope.require(PermOrgManage); err != nil {
		return err
	}
	return scope.requireAdmin("see and switch off other people's tokens")
}

func requirePerson(scope OrgScope) error {
	if scope.actor.Kind == ActorUser && scope.member != "" {
		return nil
	}
	return Errorf(Forbidden, "only a person has personal access tokens")
}
