package domain

import (
	"context"
	"reflect"
	"slices"
)

// CreateUser makes the person whom an identity provider sends a member at once (R26).
// Whoever has the address or the identity already is adopted; a userName or externalId that is taken is Conflict.
func (s *Service) CreateUser(ctx context.Context, scope OrgScope, doc Document) (SCIMUser, error) {
	if err := scope.requireSCIM(); err != nil {
		return SCIMUser{}, err
	}
	profile, err := ReadProfile(doc)
	if err != nil {
		return SCIMUser{}, err
	}
	definitions, err := s.definitionsOf(ctx, scope)
	if err != nil {
		return SCIMUser{}, err
	}
	var created SCIMUser
	err = s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		p := provisioning{Service: s, tx: tx, org: org, scope: scope, definitions: definitions}
		var err error
		created, err = p.create(doc, profile)
		return err
	})
	return created, err
}

// ChangeUser applies a PUT or PATCH to a SCIM user, atomically.
// A change that changes nothing leaves version and times alone; a version that is not the current one is Stale.
func (s *Service) ChangeUser(ctx context.Context, scope OrgScope, id MemberID, change UserChange) (SCIMUser, error) {
	if err := scope.requireSCIM(); err != nil {
		return SCIMUser{}, err
	}
	if !ValidID(id) {
		return SCIMUser{}, unknownResource("User", string(id))
	}
	definitions, err := s.definitionsOf(ctx, scope)
	if err != nil {
		return SCIMUser{}, err
	}
	var changed SCIMUser
	err = s.writeGuarded(ctx, scope, "update_scim_user", Target{Kind: "user", ID: string(id)}, func(tx Tx, org OrgTx) error {
		p := provisioning{Service: s, tx: tx, org: org, scope: scope, definitions: definitions}
		var err error
		changed, err = p.change(id, change)
		return err
	})
	return changed, err
}

// DeleteUser removes the membership and all that hangs on it, and remembers that this person may not come back by itself (R28, R30).
func (s *Service) DeleteUser(ctx context.Context, scope OrgScope, id MemberID, ifMatch int64) error {
	if err := scope.requireSCIM(); err != nil {
		return err
	}
	if !ValidID(id) {
		return unknownResource("User", string(id))
	}
	return s.writeGuarded(ctx, scope, "delete_scim_user", Target{Kind: "user", ID: string(id)}, func(tx Tx, org OrgTx) error {
		p := provisioning{Service: s, tx: tx, org: org, scope: scope}
		return p.delete(id, ifMatch)
	})
}

func unknownResource(kind, id string) error {
	return Errorf(NotFound, "there is no %s with the id %q", kind, id)
}

func renameNotFound(err error, kind, id string) error {
	if IsKind(err, NotFound) {
		return unknownResource(kind, id)
	}
	return err
}

// provisioning is one SCIM operation on a person inside its transaction.
type provisioning struct {
	*Service

	tx    Tx
	org   OrgTx
	scope OrgScope
	// definitions are what is declared beside the standard schemas.
	definitions Definitions
}

func (p provisioning) create(doc Document, profile Profile) (SCIMUser, error) {
	known, err := p.lookUp(profile)
	if err != nil {
		return SCIMUser{}, err
	}
	user, err := p.findOrMakeUser(profile, known)
	if err != nil {
		return SCIMUser{}, err
	}
	// Two creates of one person take turns here, so that the second sees what the first made; a new row is locked already.
	if user, err = p.tx.System(systemScope()).Users().Lock(user.ID); err != nil {
		return SCIMUser{}, err
	}
	member, err := p.join(user, profile, known.Invited)
	if err != nil {
		return SCIMUser{}, err
	}
	resource := SCIMUser{
		ID: member.ID, User: user.ID, Attributes: doc, Profile: profile,
		Version: 1, CreatedAt: p.tx.Now(), UpdatedAt: p.tx.Now(),
	}
	if err := p.org.SCIMUsers().Insert(resource); err != nil {
		return SCIMUser{}, taken(err, profile)
	}
	if err := keepUnique(p.org, p.definitions, TypeUser, string(resource.ID), nil, doc); err != nil {
		return SCIMUser{}, err
	}
	if err := p.forgive(profile, user); err != nil {
		return SCIMUser{}, err
	}
	if err := p.updatePerson(user, profile); err != nil {
		return SCIMUser{}, err
	}
	if profile.Active != (member.Status == Active) {
		memberships, err := p.tx.System(systemScope()).Users().Memberships(user.ID)
		if err != nil {
			return SCIMUser{}, err
		}
		if err := p.setActive(user, member.ID, memberships, profile.Active); err != nil {
			return SCIMUser{}, err
		}
	}
	return resource, p.record("create_scim_user", resource, nil, profileFacts(profile))
}

// join makes the membership, or takes over the one that JIT, an invite or an admin made before.
func (p provisioning) join(user User, profile Profile, invited bool) (Member, error) {
	floor := Grant{Kind: GrantSCIM, Role: RoleOrgUser, Source: p.scope.actor.ID, SourceName: p.scope.actor.Name, At: p.tx.Now()}
	var invite *Invite
	if invited || Fold(user.Email) != Fold(profile.Email) {
		var err error
		if invite, err = p.pendingInvite(user, profile); err != nil {
			return Member{}, err
		}
	}
	if invite != nil {
		return claimInvite(p.tx, p.org, *invite, user.ID)
	}
	member, created, err := ensureMember(p.tx, p.org, user.ID, floor)
	if err != nil || created {
		return member, err
	}
	return member, p.notPushedYet(member.ID, profile)
}

// notPushedYet refuses a second SCIM user for one person, naming the attribute by which the first one can be found (S18).
func (p provisioning) notPushedYet(id MemberID, profile Profile) error {
	existing, err := p.org.SCIMUsers().Get(id)
	switch {
	case IsKind(err, NotFound):
		return nil
	case err != nil:
		return err
	case Fold(existing.UserName) == Fold(profile.UserName):
		return userNameTaken(profile)
	default:
		return emailTaken(existing, profile)
	}
}

// emailTaken names the attribute by which the User with the address can be found; it need not be the address itself (S18).
func emailTaken(existing SCIMUser, profile Profile) error {
	for _, address := range existing.Emails {
		if Fold(address) == Fold(profile.Email) {
			return Conflictf("emails", "the e-mail address %q belongs to another User of this organization; find it with the filter emails.value eq", profile.Email)
		}
	}
	return Conflictf("emails", "the e-mail address %q belongs to the User with the userName %q; find it with the filter userName eq", profile.Email, existing.UserName)
}

// taken says how to find the User that has the userName or the externalId.
func taken(err error, profile Profile) error {
	if !IsKind(err, Conflict) {
		return err
	}
	switch AsError(err).Field {
	case "userName":
		return userNameTaken(profile)
	case "externalId":
		return externalIDTaken(TypeUser, profile.ExternalID)
	default:
		return err
	}
}

func externalIDTaken(kind, externalID string) error {
	return Conflictf("externalId", "a %s with the externalId %q exists already; find it with the filter externalId eq", kind, externalID)
}

func userNameTaken(profile Profile) error {
	return Conflictf("userName", "a User with the userName %q exists already; find it with the filter userName eq", profile.UserName)
}

// isNew reports whether this transaction made the person.
func (p provisioning) isNew(user User) bool { return user.CreatedAt.Equal(p.tx.Now()) }

func (p provisioning) pendingInvite(user User, profile Profile) (*Invite, error) {
	for _, key := range unique([]string{Fold(profile.Email), Fold(user.Email)}) {
		if key == "" {
			continue
		}
		invite, err := p.org.Invites().ByEmail(key)
		if IsKind(err, NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if invite.Open(p.tx.Now()) {
			return &invite, nil
		}
	}
	return nil, nil //nolint:nilnil // no invite is no error
}

// forgive forgets that the person was deleted before: SCIM itself lets them in again (R30).
func (p provisioning) forgive(profile Profile, user User) error {
	var identities []Identity
	if !p.isNew(user) {
		var err error
		if identities, err = p.tx.System(systemScope()).Identities().OfUser(user.ID); err != nil {
			return err
		}
	}
	return p.org.Tombstones().Clear(personMarks(profile, user, identities))
}

// setActive disables or enables the membership; disabling ends sessions and keys in the same commit (R27).
// The caller holds the person's lock and has read the memberships since.
func (p provisioning) setActive(user User, id MemberID, memberships []Membership, active bool) error {
	at := slices.IndexFunc(memberships, func(m Membership) bool { return m.Member.ID == id })
	switch {
	case at < 0:
		return unknownResource("User", string(id))
	case active == (memberships[at].Member.Status == Active):
		return nil
	case active:
		return p.org.Members().SetStatus(id, Active)
	}
	if err := deprovision(p.tx, p.org, p.scope, 1); err != nil {
		return err
	}
	if err := p.withdrawInvites(Profile{}, user); err != nil {
		return err
	}
	if err := revokeAll(p.tx, p.scope, user.ID, memberships); err != nil {
		return err
	}
	return p.org.Members().SetStatus(id, Disabled)
}

// change is the body of ChangeUser.
func (p provisioning) change(id MemberID, change UserChange) (SCIMUser, error) {
	current, err := p.org.SCIMUsers().Lock(id)
	if err != nil {
		return SCIMUser{}, renameNotFound(err, "User", string(id))
	}
	if change.IfMatch != 0 && change.IfMatch != current.Version {
		return SCIMUser{}, stale()
	}
	doc, err := change.Apply(current.Attributes)
	if err != nil {
		return SCIMUser{}, err
	}
	if reflect.DeepEqual(doc, current.Attributes) {
		current.Unchanged = true
		return current, nil
	}
	next := current
	next.Attributes, next.Version, next.UpdatedAt = doc, current.Version+1, p.tx.Now()
	if next.Profile, err = ReadProfile(doc); err != nil {
		return SCIMUser{}, err
	}
	if err := p.carry(current, next); err != nil {
		return SCIMUser{}, err
	}
	if err := p.org.SCIMUsers().Update(next); err != nil {
		return SCIMUser{}, taken(err, next.Profile)
	}
	if err := keepUnique(p.org, p.definitions, TypeUser, string(id), current.Attributes, doc); err != nil {
		return SCIMUser{}, err
	}
	return next, p.record("update_scim_user", next, profileFacts(current.Profile), profileFacts(next.Profile))
}

func stale() error {
	return Errorf(Stale, "the resource has changed since this version; read it again")
}

// carry takes a changed resource to the user record and the membership.
func (p provisioning) carry(before, after SCIMUser) error {
	users := p.tx.System(systemScope()).Users()
	if before.Active != after.Active {
		user, err := users.Lock(after.User)
		if err != nil {
			return err
		}
		memberships, err := users.Memberships(after.User)
		if err != nil {
			return err
		}
		if err := p.setActive(user, after.ID, memberships, after.Active); err != nil {
			return err
		}
	}
	if before.Email == after.Email && before.FullName == after.FullName {
		return nil
	}
	user, err := users.Get(after.User)
	if err != nil {
		return err
	}
	return p.updatePerson(user, after.Profile)
}

// delete is the body of DeleteUser.
func (p provisioning) delete(id MemberID, ifMatch int64) error {
	current, err := p.org.SCIMUsers().Lock(id)
	if err != nil {
		return renameNotFound(err, "User", string(id))
	}
	if ifMatch != 0 && ifMatch != current.Version {
		return stale()
	}
	system := p.tx.System(systemScope())
	user, err := system.Users().Lock(current.User)
	if err != nil {
		return err
	}
	identities, err := system.Identities().OfUser(user.ID)
	if err != nil {
		return err
	}
	marks := personMarks(current.Profile, user, identities)
	if err := p.org.Tombstones().Put(id, marks); err != nil {
		return err
	}
	if current.Active {
		if err := deprovision(p.tx, p.org, p.scope, 1); err != nil {
			return err
		}
	}
	if err := p.withdrawInvites(current.Profile, user); err != nil {
		return err
	}
	if err := removeMember(p.tx, p.scope, Member{ID: id, User: user.ID}); err != nil {
		return err
	}
	return p.record("delete_scim_user", current, profileFacts(current.Profile), nil)
}

// withdrawInvites makes sure that an invite older than the deprovisioning lets nobody in (R30).
func (p provisioning) withdrawInvites(profile Profile, user User) error {
	invite, err := p.pendingInvite(user, profile)
	if err != nil || invite == nil {
		return err
	}
	return p.org.Invites().Delete(invite.ID)
}

func (p provisioning) record(operation string, user SCIMUser, before, after map[string]any) error {
	return record(p.tx, p.scope, operation, Target{Kind: "user", ID: string(user.ID), Name: user.UserName}, before, after)
}

func profileFacts(p Profile) map[string]any {
	return map[string]any{
		"userName": p.UserName, "externalId": p.ExternalID, "name": p.FullName, "email": p.Email, "active": p.Active,
	}
}
