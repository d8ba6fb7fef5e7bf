package domain

import (
	"context"
	"errors"
	"time"
)

// SignedIn is a new session.
type SignedIn struct {
	// Session is the cookie's value; only its digest is stored.
	Session   string
	ExpiresAt time.Time
	User      UserID
	// Joined is true when this sign-in made the person a member of the default organization.
	Joined bool
}

// BeginFlow keeps a sign-in that was started until its callback comes; it returns a *Refusal when the provider is disabled.
func (s *Service) BeginFlow(ctx context.Context, flow Flow) error {
	return s.store.Write(ctx, func(tx Tx) error {
		system := tx.System(systemScope())
		if err := refuseDisabled(system, flow.Provider); err != nil {
			return err
		}
		return system.Flows().Insert(flow)
	})
}

// ConsumeFlow takes the flow out of the store; of concurrent callers one gets it and the others NotFound.
// An expired flow is NotFound too.
func (s *Service) ConsumeFlow(ctx context.Context, state Digest) (Flow, error) {
	var flow Flow
	err := s.store.Write(ctx, func(tx Tx) error {
		var err error
		flow, err = tx.System(systemScope()).Flows().Consume(state)
		if err == nil && expired(flow.ExpiresAt, tx.Now()) {
			return Errorf(NotFound, "the sign-in was started too long ago")
		}
		return err
	})
	return flow, err
}

// SignIn lets a person in whom a provider has authenticated, by rules R9 to R18, or returns a *Refusal.
// Finding or making the person, joining the organization, the session and the audit rows are one commit.
// The session that the browser had before ends with the new one (item 85).
func (s *Service) SignIn(ctx context.Context, claims Claims, client Client) (SignedIn, error) {
	return s.enter(ctx, claims, client, "")
}

// enter is SignIn, and StepUp for a session to be proved.
func (s *Service) enter(ctx context.Context, claims Claims, client Client, proving Digest) (SignedIn, error) {
	var result SignedIn
	err := s.store.Write(ctx, func(tx Tx) error {
		attempt := signIn{Service: s, tx: tx, system: tx.System(systemScope()), claims: claims, client: client, proving: proving, sso: map[OrgID]SSOSettings{}, joinedAt: map[OrgID]bool{}}
		var err error
		result, err = attempt.run()
		return err
	})
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		if err := s.RefuseSignIn(ctx, claims.Provider, refusal, client); err != nil {
			return SignedIn{}, err
		}
		return SignedIn{}, refusal
	}
	return result, err
}

// RefuseSignIn records a refused sign-in in the default organization's audit log (R43).
func (s *Service) RefuseSignIn(ctx context.Context, provider string, refusal *Refusal, client Client) error {
	return s.store.Write(ctx, func(tx Tx) error {
		installation, err := tx.System(systemScope()).Installation().Get()
		if err != nil {
			return err
		}
		actor := Actor{Kind: ActorUser, Name: refusal.Email, Client: client}
		return tx.Org(within(installation.DefaultOrg, actor)).Audit().Append(AuditEvent{
			ID: newID[AuditID](tx.Now()), At: tx.Now(), Operation: "login", Outcome: Failure, Actor: actor,
			Target: Target{Kind: "user", Name: refusal.Email},
			After:  map[string]any{"provider": provider, "reason": string(refusal.Reason)}, Detail: refusal.Detail,
		})
	})
}

// signIn is one attempt inside its transaction.
type signIn struct {
	*Service

	tx     Tx
	system SystemTx
	claims Claims
	client Client
	// proving is the session of a step-up; empty for a sign-in.
	proving Digest

	// sso are the settings read so far.
	sso          map[OrgID]SSOSettings
	installation Installation
	user         User
	// door is what was read about somebody known, whose row is held; nil for anybody else.
	door     *Door
	emailKey string
	// joined says that this sign-in made the person a member, and joinedAt where.
	joined   bool
	joinedAt map[OrgID]bool
}

func (a *signIn) run() (SignedIn, error) {
	if err := a.arrive(); err != nil {
		return SignedIn{}, err
	}
	if a.proving != "" {
		if err := a.sameSession(); err != nil {
			return SignedIn{}, err
		}
	}
	if !IsEmail(a.claims.Email) {
		return SignedIn{}, a.refuse(ReasonEmailMissing, "")
	}
	a.emailKey = Fold(a.claims.Email)
	if err := a.identify(); err != nil {
		return SignedIn{}, err
	}
	// From here on nobody can be deprovisioned behind our back: whoever does it waits for this row.
	if _, err := a.system.Users().Lock(a.user.ID); err != nil {
		return SignedIn{}, err
	}
	if err := a.admit(); err != nil {
		return SignedIn{}, err
	}
	if err := a.completePerson(); err != nil {
		return SignedIn{}, err
	}
	if err := a.syncAll(); err != nil {
		return SignedIn{}, err
	}
	if err := a.personalOrg(); err != nil {
		return SignedIn{}, err
	}
	return a.session()
}

// provesEmail reports whether this sign-in vouches for the address over the whole installation (R10);
// an organization's own provider does so for that organization only.
func (a *signIn) provesEmail() bool {
	return a.claims.EmailTrusted && !a.policy.limited(a.claims.Provider)
}

// completePerson notes what this sign-in tells of somebody who was known by an address only: that the address is theirs,
// which SCIM for instance has only claimed, and a name where there is none.
func (a *signIn) completePerson() error {
	if !a.provesEmail() || Fold(a.user.Email) != a.emailKey {
		return nil
	}
	known := a.user
	known.EmailProved = true
	if known.FullName == "" {
		known.FullName = a.claims.FullName
	}
	if known == a.user {
		return nil
	}
	a.user = known
	return a.system.Users().Update(a.user)
}

func (a *signIn) refuse(reason Reason, detail string) error {
	return &Refusal{Reason: reason, Email: a.claims.Email, Detail: detail}
}

// session makes the session and its audit row; its length is R41's.
func (a *signIn) session() (SignedIn, error) {
	token := NewOpaque()
	now := a.tx.Now()
	session := Session{
		ID: newID[SessionID](now), Digest: DigestOf(token), User: a.user.ID, Provider: a.claims.Provider,
		Issuer: a.claims.Issuer, Subject: a.claims.Subject, TokenSubject: a.claims.TokenSubject, SID: a.claims.SessionID,
		AuthTime: a.claims.AuthTime, ACR: a.claims.ACR, AMR: a.claims.AMR,
		Client: a.client, CreatedAt: now, LastSeenAt: now, ExpiresAt: sessionEnd(a.claims, now),
	}
	if err := a.keepTokens(&session); err != nil {
		return SignedIn{}, err
	}
	if a.client.Session != "" {
		if _, err := a.system.Sessions().Delete(a.client.Session); err != nil && !IsKind(err, NotFound) {
			return SignedIn{}, err
		}
	}
	if err := a.system.Sessions().Insert(session, a.policy.SessionsPerUser); err != nil {
		return SignedIn{}, err
	}
	scope := within(a.installation.DefaultOrg, a.actor())
	scope.actor.Credential = string(session.ID)
	after := map[string]any{"provider": a.claims.Provider, "joined": a.joined}
	if a.proving != "" {
		after["step_up"] = true
	}
	if err := record(a.tx, scope, "login", a.target(), nil, after); err != nil {
		return SignedIn{}, err
	}
	return SignedIn{Session: token, ExpiresAt: session.EndsAt, User: a.user.ID, Joined: a.joined}, nil
}

// keepTokens seals the provider's tokens that the session needs, and sets when it ends in any case (R41).
// A session of the longest length at once has nothing to renew.
func (a *signIn) keepTokens(session *Session) error {
	session.EndsAt = session.ExpiresAt
	longest := session.CreatedAt.Add(a.claims.SessionMax)
	var err error
	if a.claims.RefreshToken != "" && session.ExpiresAt.Before(longest) && !a.policy.Keyring.Empty() {
		session.EndsAt = longest
		if session.Tokens.Refresh, err = a.policy.Keyring.Seal(a.claims.RefreshToken, sealedRefresh(session.ID)); err != nil {
			return err
		}
	}
	if a.claims.IDToken != "" && !a.policy.Keyring.Empty() {
		session.Tokens.ID, err = a.policy.Keyring.Seal(a.claims.IDToken, sealedID(session.ID))
	}
	return err
}

// sessionEnd is the ID token's expiry, never later than the longest session; the override takes the longest (R41).
func sessionEnd(claims Claims, now time.Time) time.Time {
	longest := now.Add(claims.SessionMax)
	if claims.OverrideExpiry || claims.TokenExpiry.After(longest) {
		return longest
	}
	return claims.TokenExpiry
}

func (a *signIn) actor() Actor {
	return Actor{Kind: ActorUser, ID: string(a.user.ID), Name: a.user.Email, Client: a.client}
}

func (a *signIn) target() Target {
	return Target{Kind: "user", ID: string(a.user.ID), Name: a.user.Email}
}
