package domain

import "encoding/json"

// Seen is a digest of what somebody saw when they began to change it, so that two people do not overwrite each other unawares.
// It is empty for whoever does not say what they saw: such a change is made whatever is there now.
type Seen string

// SeenOf returns the digest of something's Face, which is what of it people see and change.
func SeenOf(face any) Seen {
	raw, err := json.Marshal(face)
	if err != nil {
		panic(err) // faces are made of strings, numbers and lists of them
	}
	return Seen(DigestOf(string(raw)))
}

// Having returns the service for a change by somebody who saw what seen says.
// What changes an organization, its sign-in settings, its guard, a member, a workspace, a place in one, a custom role or a group's mapping
// is Stale when that looks otherwise now.
func (s *Service) Having(seen Seen) *Service {
	having := *s
	having.seen = seen
	return &having
}

// check returns Stale when what was seen is not what is there now.
func (s Seen) check(now any) error {
	if s == "" || s == SeenOf(now) {
		return nil
	}
	return Errorf(Stale, "somebody changed this after you opened it; look at what is there now, then decide again")
}
