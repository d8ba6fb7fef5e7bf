package domain

import (
	"context"
	"slices"
	"time"
)

// ProviderLogout is a provider's word that a person's session there has ended.
type ProviderLogout struct {
	Provider string
	Issuer   string
	// Subject is the token's "sub" and SID its "sid"; one of them may be empty.
	Subject string
	SID     string
	// TokenID is the logout token's "jti" and Expires its "exp": a token is good once. Front-channel logout has none.
	TokenID string
	Expires time.Time
	// Channel is "back" or "front", for the audit log.
	Channel string
}

// EndProviderSessions ends the sessions that a provider says have ended, and nothing else: accounts stay as they are (item 106).
// With a sid these are the sessions of that sid and those of the same person that have none (item 105).
// A token that was seen before changes nothing and is no error (item 104).
func (s *Service) EndProviderSessions(ctx context.Context, logout ProviderLogout, client Client) error {
	return s.store.Write(ctx, func(tx Tx) error {
		system := tx.System(systemScope())
		if logout.TokenID != "" {
			fresh, err := system.LogoutTokens().Remember(logout.Issuer, logout.TokenID, logout.Expires)
			if err != nil || !fresh {
				return err
			}
		}
		ended, err := system.Sessions().DeleteWhere(SessionFilter{Provider: logout.Provider, Ended: &logout})
		if err != nil || len(ended) == 0 {
			return err
		}
		actor := Actor{Kind: ActorProvider, ID: logout.Provider, Name: logout.Provider, Client: client}
		return recordForAll(tx, actor, "logout", usersTarget(ended), map[string]any{"channel": logout.Channel, "sessions": sessionIDs(ended)})
	})
}

// usersTarget names the person when all sessions are one person's.
func usersTarget(ended []EndedSession) Target {
	for _, session := range ended {
		if session.User != ended[0].User {
			return Target{Kind: "session"}
		}
	}
	return Target{Kind: "user", ID: string(ended[0].User)}
}

func sessionIDs(ended []EndedSession) []SessionID {
	ids := make([]SessionID, len(ended))
	for i, session := range ended {
		ids[i] = session.ID
	}
	return ids
}

// RevokedSubject is the person whose access a provider wants ended at once (Okta's Universal Logout).
type RevokedSubject struct {
	Provider string
	// Issuer and Subject name the person as the provider does; or else Email does.
	Issuer  string
	Subject string
	Email   string
	// TokenID and Expires are those of the assertion that asks.
	TokenID string
	Expires time.Time
}

// RevokeSubject ends every session and personal access token of a person in the organizations that the provider serves (item 108).
// It returns NotFound for somebody who is not known or is in none of them.
// The account stays: the provider decides whether the person may sign in again.
func (s *Service) RevokeSubject(ctx context.Context, subject RevokedSubject, client Client) error {
	return s.store.Write(ctx, func(tx Tx) error {
		system := tx.System(systemScope())
		fresh, err := system.LogoutTokens().Remember(subject.Issuer, subject.TokenID, subject.Expires)
		if err != nil || !fresh {
			return err
		}
		user, err := s.revoked(tx, subject)
		if err != nil {
			return err
		}
		memberships, err := system.Users().Memberships(user.ID)
		if err != nil {
			return err
		}
		memberships = slices.DeleteFunc(memberships, func(m Membership) bool { return !s.policy.serves(subject.Provider, m.Org) })
		if len(memberships) == 0 {
			return Errorf(NotFound, "there is no such person here")
		}
		actor := Actor{Kind: ActorProvider, ID: subject.Provider, Name: subject.Provider, Client: client}
		return s.revokeEverywhere(tx, actor, subject.Provider, user, memberships)
	})
}

// revoked finds the person and holds their row, so that no sign-in passes by.
func (s *Service) revoked(tx Tx, subject RevokedSubject) (User, error) {
	system := tx.System(systemScope())
	if subject.Subject == "" {
		user, err := system.Users().ByEmail(Fold(subject.Email))
		if err != nil {
			return User{}, err
		}
		return system.Users().Lock(user.ID)
	}
	identity, err := system.Identities().Find(subject.Issuer, subject.Subject)
	if IsKind(err, NotFound) {
		// Where another claim is the subject, "sub" is known by the sessions only.
		return s.bySession(tx, subject)
	}
	if err != nil {
		return User{}, err
	}
	return system.Users().Lock(identity.User)
}

func (s *Service) bySession(tx Tx, subject RevokedSubject) (User, error) {
	system := tx.System(systemScope())
	id, err := system.Sessions().UserOf(subject.Issuer, subject.Subject)
	if err != nil {
		return User{}, err
	}
	return system.Users().Lock(id)
}

func (s *Service) revokeEverywhere(tx Tx, actor Actor, provider string, user User, memberships []Membership) error {
	for _, membership := range memberships {
		scope := within(membership.Org, actor)
		if err := tx.Org(scope).Keys().DeleteOfUser(user.ID); err != nil {
			return err
		}
		if err := record(tx, scope, "revoke_sessions", Target{"user", string(user.ID), user.Email}, nil, map[string]any{"keys": true}); err != nil {
			return err
		}
	}
	filter := SessionFilter{User: user.ID}
	if s.policy.limited(provider) {
		filter.Provider = provider
	}
	_, err := tx.System(systemScope()).Sessions().DeleteWhere(filter)
	return err
}
