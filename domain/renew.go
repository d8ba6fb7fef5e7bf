package domain

import (
	"context"
	"errors"
	"time"
)

// Renewer asks identity providers to renew sessions; package oidc has one.
type Renewer interface {
	// Renew redeems the refresh token of a session (OpenID Connect Core section 12).
	// It returns a *Refusal when the provider says no, or says that the token is now somebody else's, which ends the session;
	// any other error means that the provider could not be asked.
	Renew(ctx context.Context, session Session, refreshToken string) (Renewal, error)
}

// Renewal is a provider's answer; RefreshToken and IDToken are in clear, and empty where the old one stays.
type Renewal struct {
	// TokenExpiry is when the renewed session has to be renewed again.
	TokenExpiry  time.Time
	RefreshToken string
	IDToken      string
}

const (
	// renewTimeout bounds one attempt, and the lease outlives it, so that no two processes redeem one refresh token (item 94).
	renewTimeout = 12 * time.Second
	renewLease   = 30 * time.Second
	// renewPause is the least time between two attempts at a provider that is away.
	renewPause = 30 * time.Second
	// renewGrace is how long a session lives on while its provider is away.
	renewGrace = 15 * time.Minute
	// renewPoll is how often a request looks whether another one has renewed the session.
	renewPoll = 50 * time.Millisecond
)

// UseRenewer tells the service who renews sessions; it is called once, before the first request.
func (s *Service) UseRenewer(renewer Renewer) { s.renewer = renewer }

// due reports whether the session's time is over and its provider has to be asked.
func (l liveSession) due() bool { return l.Renewable && !l.now.Before(l.ExpiresAt) }

// paused reports whether the provider was away a moment ago and the session lives on for a while.
func (l liveSession) paused() bool {
	return l.Lease == "" && l.now.Before(l.LeaseUntil) && l.now.Before(l.ExpiresAt.Add(renewGrace))
}

// renew returns the session after one of all requests, in one of all processes, has asked the provider.
func (s *Service) renew(ctx context.Context, live liveSession) (liveSession, error) {
	deadline := time.NewTimer(renewLease)
	defer deadline.Stop()
	for {
		if live.paused() {
			return live, nil
		}
		err := error(Errorf(NotFound, "somebody else renews the session"))
		if !live.now.Before(live.LeaseUntil) {
			err = s.tryRenewal(ctx, live)
		}
		if err != nil && !IsKind(err, NotFound) {
			return liveSession{}, err
		}
		if err != nil {
			select {
			case <-ctx.Done():
				return liveSession{}, Wrap(Unavailable, ctx.Err(), "the request ended while the session was being renewed")
			case <-deadline.C:
				return liveSession{}, Errorf(Unavailable, "the session is being renewed; try again in a moment").After(time.Second)
			case <-time.After(renewPoll):
			}
		}
		if live, err = s.findSession(ctx, live.Digest); err != nil || !live.due() {
			return live, err
		}
		if live.Lease == "" && live.now.Before(live.LeaseUntil) && !live.paused() {
			// Away for longer than the grace: nobody is let in on the word of a provider that says nothing.
			return liveSession{}, unauthenticated(nil)
		}
	}
}

// tryRenewal asks the provider if nobody else does; it is NotFound when somebody does or did.
func (s *Service) tryRenewal(ctx context.Context, live liveSession) error {
	lease := NewOpaque()
	var tokens Tokens
	err := s.store.Write(ctx, func(tx Tx) error {
		var err error
		tokens, err = tx.System(systemScope()).Renewals().Lease(live.Digest, lease, tx.Now().Add(renewLease))
		return err
	})
	if err != nil {
		return err
	}
	// A browser that goes away must not cost the session: the old refresh token may be spent already.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewTimeout)
	defer cancel()
	renewal, err := s.redeem(ctx, live.Session, tokens)
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		return s.endRefused(ctx, live, refusal)
	}
	if err != nil {
		return s.pauseRenewal(ctx, live.Digest, lease)
	}
	return s.keepRenewal(ctx, live.Session, lease, renewal)
}

func (s *Service) redeem(ctx context.Context, session Session, tokens Tokens) (Renewal, error) {
	token, err := s.policy.Keyring.Open(tokens.Refresh, sealedRefresh(session.ID))
	if err != nil || s.renewer == nil {
		return Renewal{}, &Refusal{Reason: ReasonNotRenewed, Detail: "the refresh token cannot be read: the key that sealed it is gone"}
	}
	return s.renewer.Renew(ctx, session, token)
}

// keepRenewal stores the answer unless the session was ended meanwhile: then it stays ended (A46).
func (s *Service) keepRenewal(ctx context.Context, session Session, lease string, renewal Renewal) error {
	return s.store.Write(ctx, func(tx Tx) error {
		sealed := Tokens{}
		var err error
		if renewal.RefreshToken != "" {
			if sealed.Refresh, err = s.policy.Keyring.Seal(renewal.RefreshToken, sealedRefresh(session.ID)); err != nil {
				return err
			}
		}
		if renewal.IDToken != "" {
			if sealed.ID, err = s.policy.Keyring.Seal(renewal.IDToken, sealedID(session.ID)); err != nil {
				return err
			}
		}
		// A provider whose tokens are over at once is not asked at once again.
		expires := renewal.TokenExpiry
		if soon := tx.Now().Add(renewPause); expires.Before(soon) {
			expires = soon
		}
		if expires.After(session.EndsAt) {
			expires = session.EndsAt
		}
		return tx.System(systemScope()).Renewals().Renew(session.Digest, lease, expires, sealed)
	})
}

func (s *Service) pauseRenewal(ctx context.Context, session Digest, lease string) error {
	return s.store.Write(ctx, func(tx Tx) error {
		return tx.System(systemScope()).Renewals().Pause(session, lease, tx.Now().Add(renewPause))
	})
}

// endRefused ends a session that its provider does not renew.
func (s *Service) endRefused(ctx context.Context, live liveSession, refusal *Refusal) error {
	return s.store.Write(ctx, func(tx Tx) error {
		_, err := tx.System(systemScope()).Sessions().Delete(live.Digest)
		if err != nil {
			return err
		}
		user := live.holder.User
		actor := Actor{Kind: ActorSystem, Name: live.Provider}
		return recordForAll(tx, actor, "logout", Target{Kind: "user", ID: string(user.ID), Name: user.Email}, map[string]any{
			"session": live.ID, "reason": refusal.Reason, "detail": refusal.Detail,
		})
	})
}
