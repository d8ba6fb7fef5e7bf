package domain

import (
	"context"
	"errors"
	"slices"
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

// BeginFlow keeps a sign-in that was started until its callback comes.
func (s *Service) BeginFlow(ctx context.Context, flow Flow) error {
	return s.store.Write(ctx, func(tx Tx) error {
		return tx.System(systemScope()).Flows().Insert(flow)
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
		attempt := signIn{Service: s, tx: tx, system: tx.System(systemScope()), claims: claims, client: client, proving: proving, sso: map[OrgID]SSOSettings{}}
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
	joined   bool
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
	if err := a.hold(); err != nil {
		return SignedIn{}, err
	}
	if err := a.admit(); err != nil {
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

// arrive finds somebody who has been here before by their identity (R9 (1)), with all that the door needs to know about them.
// What is known about a membership is read after the person's row is held: whoever disables them has finished or waits.
func (a *signIn) arrive() error {
	user, err := a.system.Identities().Hold(a.claims.Issuer, a.claims.Subject)
	if IsKind(err, NotFound) {
		a.installation, err = a.system.Installation().Get()
		return err
	}
	if err != nil {
		return err
	}
	door, err := a.system.Installation().Door(user.ID)
	if err != nil {
		return err
	}
	a.user, a.door, a.installation = user, &door, door.Installation
	a.sso[door.Installation.DefaultOrg] = door.SSO
	return nil
}

// hold locks the person's row unless finding them did.
func (a *signIn) hold() error {
	if a.door != nil {
		return nil
	}
	_, err := a.system.Users().Lock(a.user.ID)
	return err
}

func (a *signIn) refuse(reason Reason, detail string) error {
	return &Refusal{Reason: reason, Email: a.claims.Email, Detail: detail}
}

// identify finds the person by R9, in its order, or makes one.
func (a *signIn) identify() error {
	if a.door != nil {
		return nil
	}
	for _, find := range []func() (bool, error){a.byObject, a.byExternalID, a.byEmail} {
		if found, err := find(); err != nil || found {
			return err
		}
	}
	if !a.claims.EmailTrusted {
		return a.refuse(ReasonEmailUnverified, "no match by identity or externalId")
	}
	user, err := userByEmail(a.tx, a.claims.Email, a.emailKey, a.claims.FullName)
	if err != nil {
		return err
	}
	a.user = user
	return a.link()
}

// byObject finds a person whose application at Entra got a new client id, which changes every "sub":
// tenant and object id stay, and the identity is stored anew for the same provider.
func (a *signIn) byObject() (bool, error) {
	if a.claims.Object == "" {
		return false, nil
	}
	known, err := a.system.Identities().ByObject(a.claims.Provider, a.claims.Object)
	if err != nil || len(known) == 0 {
		return false, err
	}
	for _, identity := range known {
		if identity.User != known[0].User {
			return false, nil
		}
	}
	if a.user, err = a.system.Users().Get(known[0].User); err != nil {
		return false, err
	}
	after := map[string]any{"issuer": a.claims.Issuer, "provider": a.claims.Provider, "by": "object id"}
	if err := record(a.tx, within(a.installation.DefaultOrg, a.actor()), "link_identity", a.target(), nil, after); err != nil {
		return false, err
	}
	return true, a.link()
}

// byExternalID is R9 (2): a SCIM user in an organization this provider serves.
// Every other organization that holds the same person must have said the same,
// or else one organization's token could hand another organization's member to a stranger.
func (a *signIn) byExternalID() (bool, error) {
	matches, err := a.system.Identities().ByExternalID(a.claims.Subject)
	if err != nil {
		return false, err
	}
	for _, match := range matches {
		if !a.serves(match.Org) {
			continue
		}
		agreed, err := a.everyOrgAgrees(match.User, matches)
		if err != nil {
			return false, err
		}
		if !agreed {
			continue
		}
		if a.user, err = a.system.Users().Get(match.User); err != nil {
			return false, err
		}
		return true, a.link()
	}
	return false, nil
}

func (a *signIn) everyOrgAgrees(user UserID, matches []ExternalMatch) (bool, error) {
	memberships, err := a.system.Users().Memberships(user)
	if err != nil {
		return false, err
	}
	for _, membership := range memberships {
		said := slices.ContainsFunc(matches, func(m ExternalMatch) bool {
			return m.Org == membership.Org && m.User == user
		})
		if !said {
			return false, nil
		}
	}
	return true, nil
}

// byEmail is R9 (3): only a trusted address (R10), only when the person has no other identity at this issuer,
// and only when the provider serves every organization the person is in.
func (a *signIn) byEmail() (bool, error) {
	user, err := a.system.Users().ByEmail(a.emailKey)
	if IsKind(err, NotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if !a.claims.EmailTrusted {
		return false, a.refuse(ReasonEmailUnverified, "the address belongs to a user")
	}
	identities, err := a.system.Identities().OfUser(user.ID)
	if err != nil {
		return false, err
	}
	for _, identity := range identities {
		if identity.Issuer == a.claims.Issuer && identity.Subject == a.claims.Subject {
			// A sign-in of the same person linked it a moment ago (R17).
			a.user = user
			return true, nil
		}
		if identity.Issuer == a.claims.Issuer {
			return false, a.refuse(ReasonEmailTaken, "the address's user has another identity at this issuer")
		}
	}
	memberships, err := a.system.Users().Memberships(user.ID)
	if err != nil {
		return false, err
	}
	for _, membership := range memberships {
		if !a.serves(membership.Org) {
			return false, a.refuse(ReasonEmailTaken, "the address's user is in an organization this provider does not serve")
		}
	}
	a.user = user
	return true, a.link()
}

func (a *signIn) serves(org OrgID) bool { return a.policy.serves(a.claims.Provider, org) }

// link stores the identity, so that later sign-ins match by it; of two at once the other one's row is as good (R17).
func (a *signIn) link() error {
	identity := Identity{
		ID: newID[IdentityID](a.tx.Now()), User: a.user.ID, Provider: a.claims.Provider,
		Issuer: a.claims.Issuer, Subject: a.claims.Subject, Object: a.claims.Object, Email: a.claims.Email, CreatedAt: a.tx.Now(),
	}
	created, err := a.system.Identities().Insert(identity)
	if err != nil || created {
		return err
	}
	existing, err := a.system.Identities().Find(a.claims.Issuer, a.claims.Subject)
	if err != nil {
		return err
	}
	if existing.User != a.user.ID {
		// The other sign-in found somebody else for this subject a moment ago; it decided.
		a.user, err = a.system.Users().Get(existing.User)
	}
	return err
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
