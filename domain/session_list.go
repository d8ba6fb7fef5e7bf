package domain

import (
	"context"
	"slices"
	"time"
)

// MySessions returns the person's signed-in browsers, the newest first (item 92).
// Through an organization's own provider one sees that provider's sessions only.
func (s *Service) MySessions(ctx context.Context, principal Principal) ([]Session, error) {
	sessions := []Session{}
	if principal.user.ID == "" {
		return sessions, nil
	}
	err := s.store.Read(ctx, func(tx Tx) error {
		found, err := tx.System(systemScope()).Sessions().List(s.ownSessions(principal))
		sessions = append(sessions[:0], s.policy.living(found, tx.Now())...)
		return err
	})
	return sessions, err
}

// CurrentSession returns the session that the principal came by; empty for a key.
func (p Principal) CurrentSession() SessionID {
	if p.session == nil {
		return ""
	}
	return p.session.ID
}

// ownSessions are those that the principal reaches no further than: what came by an organization's own provider,
// or by a key of an organization that has one, reaches the sessions of such providers only (item 79).
func (s *Service) ownSessions(principal Principal) SessionFilter {
	filter := SessionFilter{User: principal.user.ID}
	if provider := principal.SessionProvider(); s.policy.limited(provider) {
		filter.Provider = provider
	}
	if home := principal.HomeOrg(); home != "" {
		filter.Of = s.policy.ownProviders(home)
	}
	return filter
}

// living leaves out sessions that no request could use any more.
func (p Policy) living(sessions []Session, now time.Time) []Session {
	return slices.DeleteFunc(sessions, func(session Session) bool {
		return p.checkSession(liveSession{Session: session, now: now}) != nil
	})
}

// EndMySession ends one of the person's own sessions, or returns NotFound.
func (s *Service) EndMySession(ctx context.Context, principal Principal, id SessionID) error {
	if principal.user.ID == "" || !ValidID(id) {
		return unknownResource("session", string(id))
	}
	filter := s.ownSessions(principal)
	filter.ID = id
	ended, err := s.endSessions(ctx, principal.actor, filter)
	if err == nil && ended == 0 {
		return unknownResource("session", string(id))
	}
	return err
}

// EndMySessions signs the person out everywhere, or everywhere else, and returns how many sessions that were.
func (s *Service) EndMySessions(ctx context.Context, principal Principal, keepCurrent bool) (int, error) {
	if principal.user.ID == "" {
		return 0, nil
	}
	filter := s.ownSessions(principal)
	if keepCurrent {
		filter.Except = principal.CurrentSession()
	}
	return s.endSessions(ctx, principal.actor, filter)
}

// endSessions ends what a filter selects and writes the audit row.
func (s *Service) endSessions(ctx context.Context, actor Actor, filter SessionFilter) (int, error) {
	count := 0
	err := s.store.Write(ctx, func(tx Tx) error {
		count = 0
		ended, err := tx.System(systemScope()).Sessions().DeleteWhere(filter)
		if err != nil || len(ended) == 0 {
			return err
		}
		count = len(ended)
		return recordForAll(tx, actor, "revoke_sessions", usersTarget(ended), map[string]any{"sessions": len(ended), "provider": filter.Provider})
	})
	return count, err
}

// MemberSessions returns a member's signed-in browsers.
// They are the person's in all organizations, so an organization sees them when it is the default one or the person's only one.
func (s *Service) MemberSessions(ctx context.Context, scope OrgScope, id MemberID) ([]Session, error) {
	if err := scope.require(PermOrgManage); err != nil {
		return nil, err
	}
	sessions := []Session{}
	err := s.readOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		member, err := s.ofMember(tx, org, scope, id)
		if err != nil {
			return err
		}
		found, err := tx.System(systemScope()).Sessions().List(SessionFilter{User: member.User})
		sessions = append(sessions[:0], s.policy.living(found, tx.Now())...)
		return err
	})
	return sessions, err
}

// EndMemberSessions signs a member out everywhere and returns how many sessions that were; MemberSessions says where it applies.
func (s *Service) EndMemberSessions(ctx context.Context, scope OrgScope, id MemberID) (int, error) {
	if err := scope.require(PermOrgManage); err != nil {
		return 0, err
	}
	count := 0
	err := s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		count = 0
		member, err := s.ofMember(tx, org, scope, id)
		if err != nil {
			return err
		}
		user, err := tx.System(systemScope()).Users().Lock(member.User)
		if err != nil {
			return err
		}
		ended, err := tx.System(systemScope()).Sessions().DeleteWhere(SessionFilter{User: member.User})
		if err != nil || len(ended) == 0 {
			return err
		}
		count = len(ended)
		return record(tx, scope, "revoke_sessions", Target{"user", string(id), user.Email}, nil, map[string]any{"sessions": count})
	})
	return count, err
}

// ofMember returns a member whose sessions the scope may see and end (R4, R44).
func (s *Service) ofMember(tx Tx, org OrgTx, scope OrgScope, id MemberID) (Member, error) {
	if !ValidID(id) {
		return Member{}, unknownResource("member", string(id))
	}
	member, err := org.Members().Get(id)
	if err != nil {
		return Member{}, renameNotFound(err, "member", string(id))
	}
	if err := mayGive(scope, member.Role.Role); err != nil {
		return Member{}, Errorf(Forbidden, "only an Organization Admin may see or end the sessions of a member with the role %s", RoleName(member.Role.Role))
	}
	memberships, err := tx.System(systemScope()).Users().Memberships(member.User)
	if err != nil || !activeElsewhere(memberships, scope.org) {
		return member, err
	}
	installation, err := tx.System(systemScope()).Installation().Get()
	if err == nil && installation.DefaultOrg != scope.org {
		err = Errorf(Forbidden, "this person is in another organization too, whose sessions are not yours to end; disabling or removing the member ends their access here at once")
	}
	return member, err
}

// EndOrgSessions signs all members out, or those whom one provider signed in, and returns how many sessions that were.
// Members who are active in another organization stay signed in unless this is the default one.
func (s *Service) EndOrgSessions(ctx context.Context, scope OrgScope, provider string) (int, error) {
	if err := scope.require(PermOrgManage); err != nil {
		return 0, err
	}
	if err := scope.requireAdmin("sign everybody out"); err != nil {
		return 0, err
	}
	count := 0
	err := s.writeOrg(ctx, scope, func(tx Tx, _ OrgTx) error {
		count = 0
		installation, err := tx.System(systemScope()).Installation().Get()
		if err != nil {
			return err
		}
		ended, err := tx.System(systemScope()).Sessions().DeleteWhere(SessionFilter{
			Members: scope.org, OnlyHere: installation.DefaultOrg != scope.org, Provider: provider,
		})
		if err != nil || len(ended) == 0 {
			return err
		}
		count = len(ended)
		return record(tx, scope, "revoke_sessions", Target{Kind: "organization", ID: string(scope.org)}, nil,
			map[string]any{"sessions": count, "provider": provider})
	})
	return count, err
}

// EndSessionsByHand is for the command line in an emergency: it ends the sessions of a person, of a provider, or all of an organization's members.
func (s *Service) EndSessionsByHand(ctx context.Context, scope OrgScope, email, provider string) (int, error) {
	filter := SessionFilter{Provider: provider}
	if email == "" && provider == "" {
		filter.Members = scope.org
	}
	if email != "" {
		user, err := s.userByAddress(ctx, email)
		if err != nil {
			return 0, err
		}
		filter.User = user.ID
	}
	return s.endSessions(ctx, scope.actor, filter)
}

// EndAllSessions is for the command line in an emergency: everybody in the installation is signed out.
func (s *Service) EndAllSessions(ctx context.Context) (int, error) {
	return s.endSessions(ctx, commandLine(), SessionFilter{Everybody: true})
}

func (s *Service) userByAddress(ctx context.Context, email string) (User, error) {
	key, err := EmailKey("email", email)
	if err != nil {
		return User{}, err
	}
	var user User
	err = s.store.Read(ctx, func(tx Tx) error {
		var err error
		user, err = tx.System(systemScope()).Users().ByEmail(key)
		return renameNotFound(err, "person", email)
	})
	return user, err
}

// EndSessionsOfRemovedProviders ends the sessions of providers that are no longer configured or were switched off (item 14).
// No request could use them any more; start-up removes them, so that none revives when the provider comes back.
func (s *Service) EndSessionsOfRemovedProviders(ctx context.Context) (int, error) {
	if s.policy.Providers == nil {
		return 0, nil
	}
	filter := SessionFilter{NotOf: []string{""}}
	for id := range s.policy.Providers {
		filter.NotOf = append(filter.NotOf, id)
	}
	return s.endSessions(ctx, systemActor(), filter)
}

// Reseal seals every stored token with the keyring's first key, and returns how many sessions it changed.
// Tokens that no key opens are dropped: their sessions last until their next renewal.
func (s *Service) Reseal(ctx context.Context) (int, error) {
	const step = 100
	if s.policy.Keyring.Empty() {
		return 0, Errorf(Invalid, "there is no encryption key to seal with; set config.encryptionKey")
	}
	changed := 0
	for after := Digest(""); ; {
		var sessions []Session
		err := s.store.Read(ctx, func(tx Tx) error {
			var err error
			sessions, err = tx.System(systemScope()).Renewals().Sealed(after, step)
			return err
		})
		if err != nil || len(sessions) == 0 {
			return changed, err
		}
		for _, session := range sessions {
			done, err := s.reseal(ctx, session)
			if err != nil {
				return changed, err
			}
			if done {
				changed++
			}
		}
		after = sessions[len(sessions)-1].Digest
	}
}

func (s *Service) reseal(ctx context.Context, session Session) (bool, error) {
	ring := s.policy.Keyring
	if ring.Current(session.Tokens.Refresh) && ring.Current(session.Tokens.ID) {
		return false, nil
	}
	again := func(sealed, place string) (string, error) {
		if text, err := ring.Open(sealed, place); err == nil && text != "" {
			return ring.Seal(text, place)
		}
		return "", nil
	}
	var next Tokens
	var err error
	if next.Refresh, err = again(session.Tokens.Refresh, sealedRefresh(session.ID)); err != nil {
		return false, err
	}
	if next.ID, err = again(session.Tokens.ID, sealedID(session.ID)); err != nil {
		return false, err
	}
	return true, s.store.Write(ctx, func(tx Tx) error {
		return tx.System(systemScope()).Renewals().Reseal(session.Digest, session.Tokens, next)
	})
}
