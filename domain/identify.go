package domain

import (
	"slices"
	"time"
)

// arrive finds somebody who has been here before by their identity (R9 (1)), with all that the door needs to know about them.
// What is known about a membership is read after the person's row is held: whoever disables them has finished or waits.
func (a *signIn) arrive() error {
	user, err := a.system.Identities().Hold(a.claims.Issuer, a.claims.Subject)
	if IsKind(err, NotFound) {
		if err := refuseDisabled(a.system, a.claims.Provider); err != nil {
			return err
		}
		a.installation, err = a.system.Installation().Get()
		return err
	}
	if err != nil {
		return err
	}
	door, err := a.system.Installation().Door(user.ID, a.claims.Provider)
	if err != nil {
		return err
	}
	if door.ProviderDisabled {
		return providerDisabled(a.claims.Provider)
	}
	a.user, a.door, a.installation = user, &door, door.Installation
	a.sso[door.Installation.DefaultOrg] = door.SSO
	return nil
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
	return a.newcomer()
}

// newcomer makes the person; somebody whom another sign-in made with the same address a moment ago is looked at as anybody known.
func (a *signIn) newcomer() error {
	a.user = User{ID: newID[UserID](a.tx.Now()), Email: a.claims.Email, FullName: a.claims.FullName, CreatedAt: a.tx.Now(), EmailProved: a.provesEmail()}
	created, err := a.system.Users().Insert(a.user)
	if err != nil {
		return err
	}
	if created {
		return a.link("")
	}
	if found, err := a.byEmail(); err != nil || found {
		return err
	}
	return Errorf(Unavailable, "the person was removed just now; try again in a moment").After(time.Second)
}

// take holds the person's row before anything is decided about them; false is somebody who was removed a moment ago.
func (a *signIn) take(id UserID) (bool, error) {
	user, err := a.system.Users().Lock(id)
	if IsKind(err, NotFound) {
		return false, nil
	}
	a.user = user
	return err == nil, err
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
	if taken, err := a.take(known[0].User); err != nil || !taken {
		return false, err
	}
	return true, a.link("object id")
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
		if taken, err := a.take(match.User); err != nil || !taken {
			return false, err
		}
		agreed, err := a.everyOrgAgrees(match.User, matches)
		if err != nil {
			return false, err
		}
		if !agreed {
			continue
		}
		return true, a.link("externalId")
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
	if taken, err := a.take(user.ID); err != nil || !taken {
		return false, err
	}
	identities, err := a.system.Identities().OfUser(user.ID)
	if err != nil {
		return false, err
	}
	for _, identity := range identities {
		if identity.Issuer == a.claims.Issuer && identity.Subject == a.claims.Subject {
			// A sign-in of the same person linked it a moment ago (R17).
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
	return true, a.link("address")
}

func (a *signIn) serves(org OrgID) bool { return a.policy.serves(a.claims.Provider, org) }

// link stores the identity, so that later sign-ins match by it; of two at once the other one's row is as good (R17).
// That somebody known got one is recorded with what they were found by, which is empty for a new person (item 59).
func (a *signIn) link(by string) error {
	identity := Identity{
		ID: newID[IdentityID](a.tx.Now()), User: a.user.ID, Provider: a.claims.Provider,
		Issuer: a.claims.Issuer, Subject: a.claims.Subject, Object: a.claims.Object, Email: a.claims.Email, CreatedAt: a.tx.Now(),
	}
	created, err := a.system.Identities().Insert(identity)
	if err == nil && created && by != "" {
		after := map[string]any{"issuer": a.claims.Issuer, "provider": a.claims.Provider, "by": by}
		return record(a.tx, within(a.installation.DefaultOrg, a.actor()), "link_identity", a.target(), nil, after)
	}
	if err != nil || created {
		return err
	}
	existing, err := a.system.Identities().Find(a.claims.Issuer, a.claims.Subject)
	if err != nil {
		return err
	}
	if existing.User != a.user.ID {
		// The other sign-in found somebody else for this subject a moment ago; it decided.
		_, err = a.take(existing.User)
	}
	return err
}
