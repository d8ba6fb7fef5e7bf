package domain

// Marks are digests, so that a person who was deleted leaves no personal data behind (R30).

// marksOf returns the mark of an e-mail address, given its key.
func marksOf(emailKey string) []Digest {
	if emailKey == "" {
		return nil
	}
	return []Digest{DigestOf("email\n" + emailKey)}
}

// personMarks returns every mark by which a person may come back: address, userName, externalId and identities.
func personMarks(profile Profile, user User, identities []Identity) []Digest {
	marks := marksOf(Fold(user.Email))
	for _, address := range []string{profile.Email, profile.UserName} {
		if IsEmail(address) {
			marks = append(marks, marksOf(Fold(address))...)
		}
	}
	if profile.ExternalID != "" {
		marks = append(marks, subjectMark(profile.ExternalID))
	}
	for _, identity := range identities {
		marks = append(marks, identityMark(identity.Issuer, identity.Subject), subjectMark(identity.Subject))
	}
	return marks
}

func identityMark(issuer, subject string) Digest {
	return DigestOf("identity\n" + issuer + "\n" + subject)
}

// subjectMark catches a person who was deleted before ever signing in: SCIM's externalId is the provider's subject.
func subjectMark(subject string) Digest { return DigestOf("subject\n" + subject) }
