package domain

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"time"
)

// SCIMToken returns the scope that a SCIM token, or an access token fetched with one, fixes; or Unauthenticated (R25).
// The answer is the same for a malformed, unknown, expired and deleted one.
func (s *Service) SCIMToken(ctx context.Context, secret string, client Client) (OrgScope, error) {
	kind, ok := secretKindOf(secret)
	if !ok || kind != SecretSCIM && kind != SecretAccess {
		return OrgScope{}, unauthenticated(nil)
	}
	var token SCIMToken
	var now time.Time
	err := s.store.Read(ctx, func(tx Tx) error {
		var err error
		now = tx.Now()
		credentials := tx.System(systemScope()).Credentials()
		if kind == SecretAccess {
			token, err = credentials.Access(DigestOf(secret))
		} else {
			token, err = credentials.SCIMToken(DigestOf(secret))
		}
		if err != nil || expired(token.ExpiresAt, now) {
			return unauthenticated(err)
		}
		return nil
	})
	if err != nil {
		return OrgScope{}, err
	}
	scope := tokenScope(token, client)
	if kind == SecretSCIM {
		s.presumed.keep(token)
	}
	if now.Sub(token.LastUsedAt) > touchEvery {
		_ = s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error { return org.Tokens().Touch(token.ID, tx.Now()) })
	}
	return scope, nil
}

// tokenScope is what a SCIM token may do.
func tokenScope(token SCIMToken, client Client) OrgScope {
	scope := within(token.Org, Actor{
		Kind: ActorSCIM, ID: string(token.ID), Name: token.Description, Credential: string(token.ID), Client: client,
	})
	scope.provisioning, scope.profile, scope.definitions, scope.guarded = true, token.Profile, token.Definitions, token.Guarded
	return scope
}

// AccessTokenLifetime is how long an access token lasts.
const AccessTokenLifetime = time.Hour

// IssueAccessToken exchanges a SCIM token's id and secret for a short-lived access token of the same organization
// (OAuth 2.0 client credentials, RFC 6749 section 4.4; S95), or returns Unauthenticated.
// The access token ends with the SCIM token, at once.
func (s *Service) IssueAccessToken(ctx context.Context, clientID, clientSecret string) (Secret, error) {
	if !ValidID(TokenID(clientID)) {
		return "", unauthenticated(nil)
	}
	secret := newSecret(SecretAccess)
	err := s.store.Write(ctx, func(tx Tx) error {
		credentials := tx.System(systemScope()).Credentials()
		token, err := credentials.SCIMTokenByID(TokenID(clientID))
		if err != nil || expired(token.ExpiresAt, tx.Now()) {
			return unauthenticated(err)
		}
		if subtle.ConstantTimeCompare([]byte(token.Digest), []byte(DigestOf(clientSecret))) != 1 {
			return unauthenticated(nil)
		}
		return credentials.InsertAccess(AccessToken{
			Digest: DigestOf(string(secret)), Org: token.Org, Token: token.ID, ExpiresAt: tx.Now().Add(AccessTokenLifetime),
		})
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

// OwnUser returns the SCIM user that a personal access token's holder is, for /Me (S23).
// It is Unauthenticated for any other credential, and NotFound for somebody whom no identity provider sent.
func (s *Service) OwnUser(ctx context.Context, secret string, client Client) (OrgScope, SCIMUser, error) {
	principal, err := s.Key(ctx, secret, client)
	if err != nil {
		return OrgScope{}, SCIMUser{}, err
	}
	if principal.IsServiceKey() {
		return OrgScope{}, SCIMUser{}, unauthenticated(nil)
	}
	scope, err := principal.In(principal.HomeOrg())
	if err != nil {
		return OrgScope{}, SCIMUser{}, err
	}
	var user SCIMUser
	err = s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		var err error
		if user, err = org.SCIMUsers().Get(scope.member); err != nil {
			return renameNotFound(err, TypeUser, string(scope.member))
		}
		declared, err := org.Definitions().Get()
		scope.definitions = declared.Revision
		return err
	})
	return scope, user, err
}

// SigningKey returns the installation's secret key, made at first use; it is the same in every process.
func (s *Service) SigningKey(ctx context.Context) (string, error) {
	if key := s.signingKey.Load(); key != nil {
		return *key, nil
	}
	key, err := s.readSigningKey(ctx)
	if err == nil && key == "" {
		var raw [32]byte
		_, _ = rand.Read(raw[:])
		if err = s.store.Write(ctx, func(tx Tx) error {
			return tx.System(systemScope()).Installation().SetSigningKey(hex.EncodeToString(raw[:]))
		}); err == nil {
			key, err = s.readSigningKey(ctx)
		}
	}
	if err != nil {
		return "", err
	}
	s.signingKey.Store(&key)
	return key, nil
}

func (s *Service) readSigningKey(ctx context.Context) (string, error) {
	var key string
	err := s.store.Read(ctx, func(tx Tx) error {
		installation, err := tx.System(systemScope()).Installation().Get()
		key = installation.SigningKey
		return err
	})
	return key, err
}
