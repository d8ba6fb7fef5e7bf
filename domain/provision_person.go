package domain

// This file finds the person behind a SCIM user and keeps their record (R26, R29).

// findOrMakeUser adopts the person with the same address or identity (R26).
func (p provisioning) findOrMakeUser(profile Profile) (User, error) {
	known, err := p.byIdentity(profile.ExternalID)
	if err != nil {
		return User{}, err
	}
	if profile.Email == "" {
		if known.ID != "" {
			return known, nil
		}
		user := User{ID: newID[UserID](p.tx.Now()), FullName: profile.FullName, CreatedAt: p.tx.Now()}
		_, err := p.tx.System(systemScope()).Users().Insert(user)
		return user, err
	}
	if known.ID != "" {
		return known, p.sameAddress(known, profile)
	}
	return userByEmail(p.tx, profile.Email, Fold(profile.Email), profile.FullName)
}

// sameAddress refuses an address that belongs to somebody else than the person the externalId names.
func (p provisioning) sameAddress(known User, profile Profile) error {
	other, err := p.tx.System(systemScope()).Users().ByEmail(Fold(profile.Email))
	switch {
	case IsKind(err, NotFound):
		return nil
	case err == nil && other.ID != known.ID:
		return addressTaken(profile.Email)
	default:
		return err
	}
}

func addressTaken(email string) error {
	return Conflictf("emails", "the e-mail address %q belongs to another user", email)
}

// byIdentity finds a person who signed in before with the subject that SCIM sends as externalId.
func (p provisioning) byIdentity(externalID string) (User, error) {
	if externalID == "" {
		return User{}, nil
	}
	system := p.tx.System(systemScope())
	for _, issuer := range p.policy.Issuers {
		identity, err := system.Identities().Find(issuer, externalID)
		if IsKind(err, NotFound) {
			continue
		}
		if err != nil {
			return User{}, err
		}
		return system.Users().Get(identity.User)
	}
	return User{}, nil
}

// updatePerson carries name and address to the user record (R29).
// A person whom another organization holds too keeps their address:
// otherwise one organization's token could point another organization's member at a stranger's mailbox.
func (p provisioning) updatePerson(user User, profile Profile) error {
	next := user
	next.FullName = profile.FullName
	if profile.Email != "" && profile.Email != user.Email {
		system := p.tx.System(systemScope())
		if other, err := system.Users().ByEmail(Fold(profile.Email)); err == nil && other.ID != user.ID {
			return addressTaken(profile.Email)
		} else if err != nil && !IsKind(err, NotFound) {
			return err
		}
		memberships, err := system.Users().Memberships(user.ID)
		if err != nil {
			return err
		}
		if len(memberships) <= 1 {
			next.Email = profile.Email
		}
	}
	if next == user {
		return nil
	}
	return p.tx.System(systemScope()).Users().Update(next)
}
