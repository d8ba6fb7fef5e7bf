package domain

import (
	"context"
	"time"
)

// StepUp replaces a session by one whose person has proved again who they are (items 110-112).
// The session is the one in the browser now; the provider must have named the same person, or else the attempt is recorded and refused (A8).
func (s *Service) StepUp(ctx context.Context, claims Claims, session Digest, client Client) (SignedIn, error) {
	return s.enter(ctx, claims, client, session)
}

// sameSession refuses a step-up by another person than the session's, or in another browser.
func (a *signIn) sameSession() error {
	session, _, err := a.system.Sessions().Find(a.proving)
	if IsKind(err, NotFound) || err == nil && a.client.Session != a.proving {
		return a.refuse(ReasonFlowLost, "the session that was to be proved is over")
	}
	if err != nil {
		return err
	}
	if session.Issuer != a.claims.Issuer || session.Subject != a.claims.Subject || session.Provider != a.claims.Provider {
		return a.refuse(ReasonAnotherPerson, "a step-up was answered for another person")
	}
	return nil
}

// NeedsStepUp reports whether the principal would be asked to prove again who they are before a sensitive change at that time.
func (s *Service) NeedsStepUp(principal Principal, now time.Time) bool {
	if principal.session == nil || s.policy.StepUpMaxAge == 0 {
		return false
	}
	return now.Sub(principal.session.AuthTime) > s.policy.StepUpMaxAge
}

// requireRecent guards the changes that a stolen session must not make: SCIM tokens, sign-in settings, new Admins,
// and the keys of those who manage (item 110).
// Keys and the command line pass: whoever made a key that manages proved then who they are.
func (s *Service) requireRecent(tx Tx, scope OrgScope) error {
	if !scope.bySession || s.policy.StepUpMaxAge == 0 || tx.Now().Sub(scope.authTime) <= s.policy.StepUpMaxAge {
		return nil
	}
	return &Error{
		Kind: StepUpNeeded, Provider: scope.provider,
		Text: "this needs a recent sign-in: prove once more who you are, then try again",
	}
}
