package domain

import (
	"context"
	"time"
)

// SCIMTokens lists the organization's SCIM tokens, without their secrets.
func (s *Service) SCIMTokens(ctx context.Context, scope OrgScope) ([]SCIMToken, error) {
	if err := scope.require(PermOrgRead); err != nil {
		return nil, err
	}
	tokens := []SCIMToken{}
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		found, err := org.Tokens().List()
		tokens = append(tokens[:0], found...)
		return err
	})
	return tokens, err
}

// SCIMTokenByID returns one SCIM token, or NotFound.
func (s *Service) SCIMTokenByID(ctx context.Context, scope OrgScope, id TokenID) (SCIMToken, error) {
	if err := scope.require(PermOrgRead); err != nil {
		return SCIMToken{}, err
	}
	var token SCIMToken
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		var err error
		token, err = org.Tokens().Get(id)
		return renameNotFound(err, "SCIM token", string(id))
	})
	return token, err
}

// NewSCIMToken describes a SCIM token to be made; an empty Profile is auto.
type NewSCIMToken struct {
	Description string
	Profile     SCIMProfile
	// ExpiresAt is zero for a token that does not end.
	ExpiresAt time.Time
}

// CreateSCIMToken makes a SCIM token and returns its secret, which is never shown again (R25).
func (s *Service) CreateSCIMToken(ctx context.Context, scope OrgScope, request NewSCIMToken) (SCIMToken, Secret, error) {
	if err := mayManageTokens(scope); err != nil {
		return SCIMToken{}, "", err
	}
	if request.Profile == "" {
		request.Profile = ProfileAuto
	}
	if err := checkToken(request.Description, request.Profile); err != nil {
		return SCIMToken{}, "", err
	}
	secret := newSecret(SecretSCIM)
	request.ExpiresAt = Micro(request.ExpiresAt)
	var token SCIMToken
	err := s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		if err := s.requireRecent(tx, scope); err != nil {
			return err
		}
		if !request.ExpiresAt.IsZero() && !request.ExpiresAt.After(tx.Now()) {
			return Invalidf("expires_at", "the expiry must lie in the future")
		}
		token = SCIMToken{
			ID: newID[TokenID](tx.Now()), Org: scope.org, Digest: DigestOf(string(secret)), Description: request.Description,
			Short: secret.Short(), CreatedAt: tx.Now(), UpdatedAt: tx.Now(), CreatedBy: scope.actor.Name, Profile: request.Profile, ExpiresAt: request.ExpiresAt,
		}
		if err := org.Tokens().Insert(token); err != nil {
			return err
		}
		return record(tx, scope, "create_scim_token", tokenTarget(token), nil, tokenFacts(token))
	})
	return token, secret, err
}

func checkToken(description string, profile SCIMProfile) error {
	if err := checkDescription(description); err != nil {
		return err
	}
	return profile.Validate()
}

func tokenFacts(t SCIMToken) map[string]any {
	return map[string]any{"description": t.Description, "profile": t.Profile}
}

// SCIMTokenUpdate changes a SCIM token; what is nil stays.
type SCIMTokenUpdate struct {
	Description *string
	Profile     *SCIMProfile
}

// UpdateSCIMToken changes a SCIM token's description and profile; the next request is read by the new profile.
func (s *Service) UpdateSCIMToken(ctx context.Context, scope OrgScope, id TokenID, update SCIMTokenUpdate) (SCIMToken, error) {
	if update.Description == nil && update.Profile == nil {
		return SCIMToken{}, Invalidf("description", "name what is to change: description or profile")
	}
	var token SCIMToken
	err := s.changeToken(ctx, scope, id, func(tx Tx, org OrgTx, current SCIMToken) error {
		token = current
		if update.Description != nil {
			token.Description = *update.Description
		}
		if update.Profile != nil {
			token.Profile = *update.Profile
		}
		if err := checkToken(token.Description, token.Profile); err != nil {
			return err
		}
		token.UpdatedAt = tx.Now()
		if err := org.Tokens().Update(token); err != nil {
			return err
		}
		return record(tx, scope, "update_scim_token", tokenTarget(token), tokenFacts(current), tokenFacts(token))
	})
	return token, err
}

// DeleteSCIMToken ends a SCIM token: the next request with it is Unauthenticated (R25).
func (s *Service) DeleteSCIMToken(ctx context.Context, scope OrgScope, id TokenID) error {
	return s.changeToken(ctx, scope, id, func(tx Tx, org OrgTx, current SCIMToken) error {
		if err := org.Tokens().Delete(id); err != nil {
			return err
		}
		return record(tx, scope, "delete_scim_token", tokenTarget(current), map[string]any{"description": current.Description}, nil)
	})
}

func (s *Service) changeToken(ctx context.Context, scope OrgScope, id TokenID, fn func(Tx, OrgTx, SCIMToken) error) error {
	if err := mayManageTokens(scope); err != nil {
		return err
	}
	defer s.presumed.forget()
	return s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		token, err := org.Tokens().Get(id)
		if err != nil {
			return renameNotFound(err, "SCIM token", string(id))
		}
		return fn(tx, org, token)
	})
}

// mayManageTokens is R4: an Operator cannot touch SCIM tokens.
func mayManageTokens(scope OrgScope) error {
	if err := scope.require(PermOrgManage); err != nil {
		return err
	}
	return scope.requireAdmin("manage SCIM tokens")
}

// checkDescription bounds what describes a token or a key.
func checkDescription(description string) error {
	if len(description) > maxKey {
		return Invalidf("description", "the description has more than %d bytes", maxKey)
	}
	return nil
}

func tokenTarget(t SCIMToken) Target {
	return Target{Kind: "scim_token", ID: string(t.ID), Name: t.Description}
}
