package dbtest

import (
	"strconv"
	"sync"
	"testing"

	"muster/domain"
)

const (
	racers = 12
	rounds = 8
)

func (s *suite) races(t *testing.T) {
	t.Run("OnePerson", s.onePerson)
	t.Run("OneFlow", s.oneFlow)
	t.Run("OneVersion", s.oneVersion)
	t.Run("Locks", s.locks)
	t.Run("Deltas", s.deltas)
}

// race runs fn in every racer at once.
func race(fn func(racer int)) {
	var wait sync.WaitGroup
	start := make(chan struct{})
	for racer := range racers {
		wait.Go(func() {
			<-start
			fn(racer)
		})
	}
	close(start)
	wait.Wait()
}

// R17: first sign-ins and creates of one person at once make one user, one membership and one identity, and no error.
func (s *suite) onePerson(t *testing.T) {
	scope := s.org(t)
	for range rounds {
		email, subject := unique("race")+"@example.com", unique("sub")
		results := make([]domain.Member, racers)
		race(func(racer int) {
			err := s.store.Write(t.Context(), func(tx domain.Tx) (err error) {
				results[racer], err = s.join(tx, scope, email, subject)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
		for _, member := range results {
			want(t, "the member", member, results[0])
		}
		s.read(t, func(tx domain.Tx) error {
			identities, err := tx.System(s.system).Identities().OfUser(results[0].User)
			want(t, "identities", len(identities), 1)
			return err
		})
	}
}

// join is what sign-in and provisioning do: insert, and read when somebody else was faster.
func (s *suite) join(tx domain.Tx, scope domain.OrgScope, email, subject string) (domain.Member, error) {
	system, members := tx.System(s.system), tx.Org(scope).Members()
	user := domain.User{ID: id[domain.UserID](), Email: email, CreatedAt: Start}
	created, err := system.Users().Insert(user)
	if err == nil && !created {
		user, err = system.Users().ByEmail(email)
	}
	if err != nil {
		return domain.Member{}, err
	}
	identity := domain.Identity{ID: id[domain.IdentityID](), User: user.ID, Issuer: "i", Subject: subject, CreatedAt: Start}
	if created, err = system.Identities().Insert(identity); err == nil && !created {
		_, err = system.Identities().Find("i", subject)
	}
	if err != nil {
		return domain.Member{}, err
	}
	member := domain.Member{ID: id[domain.MemberID](), User: user.ID, Status: domain.Active, CreatedAt: Start}
	if created, err = members.Insert(member); err == nil && !created {
		member, err = members.ByUser(user.ID)
	}
	return member, err
}

func (s *suite) oneFlow(t *testing.T) {
	for range rounds {
		flow := domain.Flow{State: domain.DigestOf(unique("state")), CreatedAt: Start, ExpiresAt: Start}
		s.write(t, func(tx domain.Tx) error { return tx.System(s.system).Flows().Insert(flow) })
		var mu sync.Mutex
		won := 0
		race(func(int) {
			err := s.store.Write(t.Context(), func(tx domain.Tx) error {
				_, err := tx.System(s.system).Flows().Consume(flow.State)
				return err
			})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else {
				wantKind(t, "Consume", err, domain.NotFound, "")
			}
		})
		want(t, "who consumed the flow", won, 1)
	}
}

// oneVersion: of those who change the same version exactly one wins.
func (s *suite) oneVersion(t *testing.T) {
	scope := s.org(t)
	user := s.scimUser(t, scope, nil)
	for round := range rounds {
		expected := int64(round + 1)
		var mu sync.Mutex
		won := 0
		race(func(int) {
			err := s.store.Write(t.Context(), func(tx domain.Tx) error {
				current, err := tx.Org(scope).SCIMUsers().Lock(user.ID)
				if err != nil {
					return err
				}
				if current.Version != expected {
					return errOnPurpose
				}
				current.Version++
				return tx.Org(scope).SCIMUsers().Update(current)
			})
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				won++
			}
		})
		want(t, "who changed the version", won, 1)
	}
}

// locks: whoever reads after a lock sees what the one before wrote, so that no change is lost.
func (s *suite) locks(t *testing.T) {
	c := counters{suite: s, scope: s.org(t)}
	c.member, c.user, c.group = s.member(t, c.scope), s.user(t), s.group(t, c.scope)
	for name, step := range map[string]func(domain.Tx) error{
		"Members.Lock": c.countMember, "Users.Lock": c.countUser, "Settings.Lock": c.countSettings, "Groups.Bump": c.countGroup,
	} {
		race(func(int) {
			for range rounds {
				if err := s.store.Write(t.Context(), step); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	total := strconv.Itoa(racers * rounds)
	var got []string
	var version int64
	s.read(t, func(tx domain.Tx) (err error) {
		got, version, err = c.values(tx)
		return err
	})
	want(t, "the counters", got, []string{total, total, total, total})
	want(t, "the version", version, int64(racers*rounds+1))
}

// counters are numbers in the text of a member, a user, an organization and a group, each read and written under a lock.
type counters struct {
	*suite

	scope  domain.OrgScope
	member domain.Member
	user   domain.User
	group  domain.Group
}

func next(text string) string {
	n, _ := strconv.Atoi(text) // what is no number yet counts as none
	return strconv.Itoa(n + 1)
}

func (c counters) countMember(tx domain.Tx) error {
	if err := tx.Org(c.scope).Members().Lock([]domain.MemberID{c.member.ID}); err != nil {
		return err
	}
	holdings, err := tx.Org(c.scope).Access().Load([]domain.MemberID{c.member.ID})
	if err != nil {
		return err
	}
	held := holdings[c.member.ID].Org
	held.Source = next(held.Source)
	return tx.Org(c.scope).Access().Save([]domain.AccessChange{{Member: c.member.ID, Org: &held}})
}

func (c counters) countUser(tx domain.Tx) error {
	users := tx.System(c.system).Users()
	if _, err := users.Lock(c.user.ID); err != nil {
		return err
	}
	current, err := users.Get(c.user.ID)
	if err != nil {
		return err
	}
	current.FullName = next(current.FullName)
	return users.Update(current)
}

func (c counters) countSettings(tx domain.Tx) error {
	org, err := tx.Org(c.scope).Settings().Lock()
	if err != nil {
		return err
	}
	org.Settings.SecurityContact = next(org.Settings.SecurityContact)
	return tx.Org(c.scope).Settings().Update(org)
}

func (c counters) countGroup(tx domain.Tx) error {
	current, err := tx.Org(c.scope).Groups().Bump(c.group.ID)
	if err != nil {
		return err
	}
	current.Unmapped = next(current.Unmapped)
	return tx.Org(c.scope).Groups().Update(current)
}

func (c counters) values(tx domain.Tx) (texts []string, version int64, err error) {
	member, err := tx.Org(c.scope).Members().Get(c.member.ID)
	if err != nil {
		return nil, 0, err
	}
	user, err := tx.System(c.system).Users().Get(c.user.ID)
	if err != nil {
		return nil, 0, err
	}
	org, err := tx.Org(c.scope).Settings().Get()
	if err != nil {
		return nil, 0, err
	}
	group, err := tx.Org(c.scope).Groups().Get(c.group.ID)
	return []string{member.Role.Source, user.FullName, org.Settings.SecurityContact, group.Unmapped}, group.Version, err
}

// deltas: members that are added and removed at once, in orders that cross, all end up where their last change put them.
func (s *suite) deltas(t *testing.T) {
	scope := s.org(t)
	group := s.group(t, scope)
	ids := make([]domain.MemberID, racers)
	for i := range ids {
		ids[i] = s.scimUser(t, scope, nil).ID
	}
	race(func(racer int) {
		for round := range rounds {
			err := s.store.Write(t.Context(), func(tx domain.Tx) error {
				if _, err := tx.Org(scope).Groups().Bump(group.ID); err != nil {
					return err
				}
				if round%2 == 0 {
					_, err := tx.Org(scope).GroupMembers().Add(group.ID, ids[racer:racer+1])
					return err
				}
				_, err := tx.Org(scope).GroupMembers().Remove(group.ID, ids[racer:racer+1])
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
		err := s.store.Write(t.Context(), func(tx domain.Tx) error {
			// Everybody locks the same people, each beginning elsewhere.
			return tx.Org(scope).Members().Lock(append(append([]domain.MemberID{}, ids[racer:]...), ids[:racer]...))
		})
		if err != nil {
			t.Error(err)
		}
	})
	s.read(t, func(tx domain.Tx) error {
		members, err := tx.Org(scope).GroupMembers().List(group.ID, "", 0)
		want(t, "members", len(members), 0)
		return err
	})
}
