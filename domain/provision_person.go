package domain

// This file finds the person behind a SCIM user and keeps their record (R26, R29).

// lookUp reads who signed in before with the subject that SCIM sends as externalId, and who has the address.
func (p provisioning) lookUp(profile Profile) (Newcomer, error) {
	arrival := Arrival{EmailKey: Fold(profile.Email), Subject: profile.ExternalID, Issuers: p.policy.issuersOf(p.scope.org)}
	return p.org.SCIMUsers().Newcomer(arrival)
}

// findOrMakeUser adopts the person with the same address or identity (R26), and refuses an address that belongs to
// somebody else than the person the externalId names.
func (p provisioning) findOrMakeUser(profile Profile, known Newcomer) (User, error) {
	switch same := known.ByIdentity; {
	case same.ID != "" && known.ByEmail.ID != "" && known.ByEmail.ID != same.ID:
		return User{}, addressTaken(profile.Email)
	case same.ID != "":
		return same, nil
	case known.ByEmail.ID != "":
		return known.ByEmail, nil
	}
	if profile.Email == "" {
		user := User{ID: newID[UserID](p.tx.Now()), FullName: profile.FullName, CreatedAt: p.tx.Now()}
		_, err := p.tx.System(systemScope()).Users().Insert(user)
		return user, err
	}
	return makeUser(p.tx, profile.Email, Fold(profile.Email), profile.FullName)
}

func addressTaken(email string) error {
	return Conflictf("emails", "the e-mail address %q belongs to another user", email)
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
			next.Email, next.EmailProved = profile.Email, false
		}
	}
	if next == user {
		return nil
	}
	return p.tx.System(systemScope()).Users().Update(next)
}
