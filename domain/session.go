package domain

import (
	"context"
	"slices"
	"time"
)

// Session is a signed-in browser: server-side and opaque, so that ending it is immediate everywhere (R41).
type Session struct {
	ID SessionID
	// Digest is the key; the cookie's value itself is never stored.
	Digest   Digest
	User     UserID
	Provider string
	Issuer   string
	Subject  string
	// TokenSubject is "sub" as the provider writes it in logout tokens; Subject may be another claim (R11).
	TokenSubject string
	// SID is the provider's own name for its session, empty when it gave none.
	SID string
	// AuthTime is when the person last proved who they are; zero when the provider does not say.
	AuthTime   time.Time
	ACR        string
	AMR        []string
	Client     Client
	CreatedAt  time.Time
	LastSeenAt time.Time
	// ExpiresAt is when the session ends unless its provider renews it.
	ExpiresAt time.Time
	// EndsAt is when it ends in any case; it is ExpiresAt for a session that cannot be renewed.
	EndsAt time.Time
	// Renewable says that the session holds a refresh token.
	Renewable bool
	// Lease says who is renewing the session until LeaseUntil; empty with LeaseUntil ahead is a pause between attempts.
	Lease      string
	LeaseUntil time.Time
	// Tokens are the provider's, sealed; reading a session leaves them out.
	Tokens Tokens
}

// Tokens are what a session keeps of its provider's tokens, each sealed by the operator's key (item 97); empty where it keeps none.
type Tokens struct {
	// Refresh renews the session, ID names the person when the provider's own session is to end.
	Refresh string
	ID      string
}

// SessionFilter selects sessions; every field that is set narrows it, and the zero filter selects none.
type SessionFilter struct {
	ID       SessionID
	User     UserID
	Provider string
	// Everybody selects all sessions of the installation.
	Everybody bool
	// Members selects the sessions of an organization's members; OnlyHere leaves out those who are active in another one.
	Members  OrgID
	OnlyHere bool
	// Of selects the sessions of these providers; empty means all.
	Of []string
	// NotOf selects the sessions of providers that are not among these; it is for those that are no longer configured.
	NotOf []string
	// Except leaves one session out.
	Except SessionID
	// Ended selects what a provider's logout means.
	Ended *ProviderLogout
}

// EndedSession names a session that was ended by a filter.
type EndedSession struct {
	ID   SessionID
	User UserID
}

// Limits of a session that no provider decides.
const (
	// seenEvery is how stale "last seen" may be; a write with every request would cost more than it tells (item 87).
	seenEvery = 2 * time.Minute
	// opaqueLength is that of a session cookie's value.
	opaqueLength = 43
)

// liveSession is a session that was found, with its holder and the time of looking.
type liveSession struct {
	Session

	holder Holder
	now    time.Time
}

// Session returns the principal of a session cookie, or Unauthenticated.
// The user's and the memberships' state is read with the session, so that ending one is immediate (R41).
// A session whose time is over is renewed first where its provider gave a refresh token.
func (s *Service) Session(ctx context.Context, token string, client Client) (Principal, error) {
	if !isOpaque(token) {
		return Principal{}, unauthenticated(nil)
	}
	live, err := s.findSession(ctx, DigestOf(token))
	if err == nil && live.due() {
		live, err = s.renew(ctx, live)
	}
	if err != nil {
		return Principal{}, err
	}
	principal := s.sessionPrincipal(live, client)
	if err := principal.mustBelong(); err != nil {
		return Principal{}, err
	}
	if live.now.Sub(live.LastSeenAt) >= seenEvery {
		s.touchSession(ctx, live)
	}
	return principal, nil
}

// isOpaque tells what NewOpaque could have made from what need not be looked up.
func isOpaque(token string) bool {
	return len(token) == opaqueLength && !slices.ContainsFunc([]byte(token), func(c byte) bool {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		return !letter && c != '-' && c != '_'
	})
}

// findSession reads a session that may still be used, perhaps after it has been renewed.
func (s *Service) findSession(ctx context.Context, digest Digest) (liveSession, error) {
	var live liveSession
	err := s.store.Read(ctx, func(tx Tx) error {
		session, holder, err := tx.System(systemScope()).Sessions().Find(digest)
		if err != nil {
			return unauthenticated(err)
		}
		live = liveSession{session, holder, tx.Now()}
		return s.policy.checkSession(live)
	})
	return live, err
}

// checkSession refuses what the row alone decides: the idle limit, the end, and a provider that is no longer there (items 14, 87).
func (p Policy) checkSession(live liveSession) error {
	idle := p.SessionIdle > 0 && live.now.Sub(live.LastSeenAt) >= p.SessionIdle
	over := !live.now.Before(live.ExpiresAt) && !live.Renewable
	if idle || over || !p.knows(live.Provider) {
		return unauthenticated(nil)
	}
	return nil
}

// sessionPrincipal is what the session may do: its provider's organizations and no others (R9, item 79).
func (s *Service) sessionPrincipal(live liveSession, client Client) Principal {
	session := live.Session
	return Principal{
		actor: Actor{Kind: ActorUser, ID: string(session.User), Name: live.holder.User.Email, Credential: string(session.ID), Client: client},
		user:  live.holder.User, session: &session,
		memberships: slices.DeleteFunc(activeOnly(live.holder.Memberships), func(m Membership) bool {
			return !s.policy.serves(session.Provider, m.Org)
		}),
	}
}

// touchSession records that the session is in use; a failure costs nothing but the record.
func (s *Service) touchSession(ctx context.Context, live liveSession) {
	_ = s.store.Write(ctx, func(tx Tx) error {
		return tx.System(systemScope()).Sessions().Touch(live.Digest, tx.Now())
	})
}

// SignedOut is what is known of a session that was ended by its own browser.
type SignedOut struct {
	Provider string
	// IDToken is the provider's, in clear, when it was kept; Email helps a provider that gets none (item 102).
	IDToken string
	Email   string
}

// SignOut ends the session; for an unknown one it returns the zero SignedOut.
func (s *Service) SignOut(ctx context.Context, token string, client Client) (SignedOut, error) {
	var out SignedOut
	err := s.store.Write(ctx, func(tx Tx) error {
		out = SignedOut{}
		sessions := tx.System(systemScope()).Sessions()
		session, holder, err := sessions.Find(DigestOf(token))
		if IsKind(err, NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		tokens, err := sessions.Delete(session.Digest)
		if IsKind(err, NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		// A key that was thrown away costs the hint and nothing more.
		idToken, _ := s.policy.Keyring.Open(tokens.ID, sealedID(session.ID))
		out = SignedOut{Provider: session.Provider, IDToken: idToken, Email: holder.User.Email}
		actor := Actor{Kind: ActorUser, ID: string(session.User), Name: holder.User.Email, Credential: string(session.ID), Client: client}
		return recordForAll(tx, actor, "logout", Target{Kind: "session", ID: string(session.ID)}, nil)
	})
	return out, err
}

// recordForAll writes an audit row that concerns no organization more than another; the default one keeps it.
func recordForAll(tx Tx, actor Actor, operation string, target Target, after map[string]any) error {
	installation, err := tx.System(systemScope()).Installation().Get()
	if err != nil {
		return err
	}
	return record(tx, within(installation.DefaultOrg, actor), operation, target, nil, after)
}

// Sweep removes what has expired in small steps: sessions, flows, remembered logout tokens, access tokens, old
// provisioning activity, idempotency keys and mail that was given up; the server calls it now and then.
func (s *Service) Sweep(ctx context.Context) error {
	const step = 500
	for {
		removed := 0
		err := s.store.Write(ctx, func(tx Tx) error {
			removed = 0
			system := tx.System(systemScope())
			for _, sweep := range []func(int) (int, error){
				system.Sessions().DeleteExpired, system.Flows().DeleteExpired,
				system.LogoutTokens().DeleteExpired, system.Credentials().DeleteExpired,
				func(limit int) (int, error) {
					return system.Credentials().DeleteActivity(tx.Now().Add(-activityKept), limit)
				},
				func(limit int) (int, error) {
					return system.Mails().DeleteDead(tx.Now().Add(-deadMailKept), limit)
				},
				func(limit int) (int, error) {
					return system.Attempts().DeleteBefore(tx.Now().Add(-attemptsKept), limit)
				},
			} {
				n, err := sweep(step)
				if err != nil {
					return err
				}
				removed += n
			}
			return nil
		})
		if err != nil || removed < step {
			return err
		}
	}
}
