package dbtest

import (
	"testing"
	"time"

	"muster/domain"
)

// installation is the only test that needs an empty store; it runs first.
func (s *suite) installation(t *testing.T) {
	s.write(t, func(tx domain.Tx) error {
		_, err := tx.System(s.system).Installation().Get()
		wantKind(t, "Get from an empty store", err, domain.NotFound, "")
		return nil
	})
	first := domain.Installation{DefaultOrg: id[domain.OrgID](), InitialOrg: id[domain.OrgID]()}
	other := domain.Installation{DefaultOrg: id[domain.OrgID](), InitialOrg: id[domain.OrgID]()}
	user, late := id[domain.UserID](), id[domain.UserID]()
	var inserted, again, claimed, claimedAgain, moved, movedAgain bool
	s.write(t, func(tx domain.Tx) (err error) {
		store := tx.System(s.system).Installation()
		for _, step := range []func() error{
			func() error { inserted, err = store.Insert(first); return err },
			func() error { again, err = store.Insert(other); return err },
			func() error { claimed, err = store.ClaimAdmin(user); return err },
			func() error { claimedAgain, err = store.ClaimAdmin(late); return err },
			func() error { moved, err = store.SetDefaultOrg(first.DefaultOrg, other.DefaultOrg); return err },
			func() error { return store.SetBackupAt(Start) },
			func() error { movedAgain, err = store.SetDefaultOrg(first.DefaultOrg, first.InitialOrg); return err },
		} {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
	want(t, "what happened", []bool{inserted, again, claimed, claimedAgain, moved, movedAgain}, []bool{true, false, true, false, true, false})
	var got domain.Installation
	s.read(t, func(tx domain.Tx) (err error) {
		got, err = tx.System(s.system).Installation().Get()
		return err
	})
	want(t, "Get", got, domain.Installation{DefaultOrg: other.DefaultOrg, InitialOrg: first.InitialOrg, Admin: user, BackupAt: Start})
	got.BackupAt = time.Time{}
	s.door(t, got)
}

// door: what sign-in asks about somebody known is what the stores say one by one.
func (s *suite) door(t *testing.T, installation domain.Installation) {
	t.Helper()
	scope := s.org(t)
	member, stranger := s.member(t, scope), s.user(t)
	s.write(t, func(tx domain.Tx) error {
		_, err := tx.System(s.system).Installation().SetDefaultOrg(installation.DefaultOrg, scope.Org())
		return err
	})
	installation.DefaultOrg = scope.Org()
	s.write(t, func(tx domain.Tx) error {
		changed, err := tx.System(s.system).Providers().Disable("closed")
		want(t, "Disable", changed, true)
		return err
	})
	s.read(t, func(tx domain.Tx) error {
		sso, err := tx.Org(scope).Settings().SSO()
		if err != nil {
			return err
		}
		got, err := tx.System(s.system).Installation().Door(member.User, "open")
		want(t, "Door", got, domain.Door{Installation: installation, SSO: sso, Member: &member})
		if err != nil {
			return err
		}
		got, err = tx.System(s.system).Installation().Door(stranger.ID, "closed")
		want(t, "Door of a stranger", got, domain.Door{Installation: installation, SSO: sso, ProviderDisabled: true})
		if err != nil {
			return err
		}
		disabled, err := tx.System(s.system).Providers().Disabled()
		want(t, "Disabled", disabled, []domain.DisabledProvider{{ID: "closed", At: Start.Truncate(time.Microsecond)}})
		return err
	})
	s.write(t, func(tx domain.Tx) error {
		changed, err := tx.System(s.system).Providers().Enable("closed")
		want(t, "Enable", changed, true)
		return err
	})
}

func (s *suite) users(t *testing.T) {
	user, second := s.user(t), s.user(t)
	nobody := domain.User{ID: id[domain.UserID](), FullName: "No Address", CreatedAt: Start.Add(time.Microsecond)}
	nobodyElse := domain.User{ID: id[domain.UserID](), CreatedAt: Start}
	var twice bool
	var held domain.User
	s.write(t, func(tx domain.Tx) (err error) {
		users := tx.System(s.system).Users()
		for _, one := range []domain.User{nobody, nobodyElse} {
			if created, err := users.Insert(one); err != nil || !created {
				t.Errorf("Insert without an address: %v, %v", created, err)
			}
		}
		twin := domain.User{ID: id[domain.UserID](), Email: user.Email, CreatedAt: Start}
		if twice, err = users.Insert(twin); err != nil {
			return err
		}
		held, err = users.Lock(user.ID)
		return err
	})
	want(t, "Lock", held, user)
	want(t, "Insert with an address that is taken", twice, false)
	user.FullName, user.Email = "New Name", unique("moved")+"@Example.com"
	s.write(t, func(tx domain.Tx) error { return tx.System(s.system).Users().Update(user) })
	s.read(t, func(tx domain.Tx) error {
		users := tx.System(s.system).Users()
		for name, find := range map[string]func() (domain.User, error){
			"Get":     func() (domain.User, error) { return users.Get(user.ID) },
			"ByEmail": func() (domain.User, error) { return users.ByEmail(domain.Fold(user.Email)) },
		} {
			got, err := find()
			if err != nil {
				return err
			}
			want(t, name, got, user)
		}
		got, err := users.Get(nobody.ID)
		want(t, "a time to the microsecond", got, nobody)
		return err
	})
	clash := second
	clash.Email = user.Email
	err := s.store.Write(t.Context(), func(tx domain.Tx) error { return tx.System(s.system).Users().Update(clash) })
	wantKind(t, "Update to an address that is taken", err, domain.Conflict, "emails")
	s.unknownUser(t)
	s.write(t, func(tx domain.Tx) error { return tx.System(s.system).Users().Delete(second.ID) })
	s.read(t, func(tx domain.Tx) error {
		_, err := tx.System(s.system).Users().Get(second.ID)
		wantKind(t, "Get after Delete", err, domain.NotFound, "")
		return nil
	})
}

func (s *suite) unknownUser(t *testing.T) {
	t.Helper()
	s.write(t, func(tx domain.Tx) error {
		users := tx.System(s.system).Users()
		unknown := id[domain.UserID]()
		_, getErr := users.Get(unknown)
		_, emailErr := users.ByEmail("nobody@example.com")
		_, emptyErr := users.ByEmail("")
		for name, err := range map[string]error{
			"Get": getErr, "ByEmail": emailErr, "ByEmail of nothing": emptyErr,
			"Update": users.Update(domain.User{ID: unknown}), "Delete": users.Delete(unknown), "Lock": lockOnly(users, unknown),
		} {
			wantKind(t, name+" of an unknown user", err, domain.NotFound, "")
		}
		return nil
	})
}

func (s *suite) identities(t *testing.T) {
	user, other := s.user(t), s.user(t)
	identity := domain.Identity{
		ID: id[domain.IdentityID](), User: user.ID, Provider: "custom-oidc", Issuer: "https://idp.example.com", Subject: unique("Sub"), Object: unique("tenant/"),
		Email: user.Email, CreatedAt: Start,
	}
	second := identity
	second.ID, second.Subject = id[domain.IdentityID](), unique("Sub")
	taken := identity
	taken.ID, taken.User = id[domain.IdentityID](), other.ID
	var created []bool
	s.write(t, func(tx domain.Tx) error {
		created = created[:0]
		for _, one := range []domain.Identity{identity, second, taken} {
			ok, err := tx.System(s.system).Identities().Insert(one)
			if err != nil {
				return err
			}
			created = append(created, ok)
		}
		return nil
	})
	want(t, "Insert", created, []bool{true, true, false})
	s.read(t, func(tx domain.Tx) error {
		got, err := tx.System(s.system).Identities().Find(identity.Issuer, identity.Subject)
		if err != nil {
			return err
		}
		want(t, "Find", got, identity)
		all, err := tx.System(s.system).Identities().OfUser(user.ID)
		want(t, "OfUser", all, []domain.Identity{identity, second})
		same, _ := tx.System(s.system).Identities().ByObject(identity.Provider, identity.Object)
		want(t, "ByObject", same, []domain.Identity{identity, second})
		none, _ := tx.System(s.system).Identities().ByObject("other", identity.Object)
		want(t, "ByObject at another provider", len(none), 0)
		_, missing := tx.System(s.system).Identities().Find(identity.Issuer, domain.Fold(identity.Subject))
		wantKind(t, "Find compares exactly", missing, domain.NotFound, "")
		return err
	})
	s.write(t, func(tx domain.Tx) error {
		held, err := tx.System(s.system).Identities().Hold(identity.Issuer, identity.Subject)
		want(t, "Hold", held, user)
		_, missing := tx.System(s.system).Identities().Hold(identity.Issuer, "nobody")
		wantKind(t, "Hold of nobody", missing, domain.NotFound, "")
		return err
	})
	s.write(t, func(tx domain.Tx) error { return tx.System(s.system).Identities().DeleteOfUser(user.ID) })
	s.read(t, func(tx domain.Tx) error {
		_, err := tx.System(s.system).Identities().Find(identity.Issuer, identity.Subject)
		wantKind(t, "Find after DeleteOfUser", err, domain.NotFound, "")
		return nil
	})
	s.byExternalID(t)
}

// R9: an externalId is looked for over all organizations.
func (s *suite) byExternalID(t *testing.T) {
	t.Helper()
	external := unique("external")
	var matches []domain.ExternalMatch
	for range 2 {
		scope := s.org(t)
		user := s.scimUser(t, scope, domain.Document{"externalId": external})
		matches = append(matches, domain.ExternalMatch{Org: scope.Org(), Member: user.ID, User: user.User})
	}
	s.read(t, func(tx domain.Tx) error {
		got, err := tx.System(s.system).Identities().ByExternalID(external)
		want(t, "ByExternalID", got, matches)
		none, noneErr := tx.System(s.system).Identities().ByExternalID("")
		if noneErr != nil || len(none) != 0 {
			t.Errorf("ByExternalID of nothing: %v, %v", none, noneErr)
		}
		return err
	})
}

func (s *suite) flows(t *testing.T) {
	flow := domain.Flow{
		State: domain.DigestOf(unique("state")), Binding: domain.DigestOf("cookie"), Provider: "custom-oidc", Issuer: "https://idp.example.com",
		RedirectURI: "https://muster.example.com/callback", Nonce: "n", Verifier: "v", Next: "/next?a=b", Purpose: domain.PurposeStepUp,
		Session: domain.DigestOf("session"), Claims: []string{"groups"},
		CreatedAt: Start, ExpiresAt: Start.Add(10 * time.Minute),
	}
	old := flow
	old.State, old.ExpiresAt, old.Claims = domain.DigestOf(unique("state")), Start.Add(-time.Second), nil
	var got domain.Flow
	var swept int
	s.write(t, func(tx domain.Tx) (err error) {
		flows := tx.System(s.system).Flows()
		for _, one := range []domain.Flow{flow, old} {
			if err := flows.Insert(one); err != nil {
				return err
			}
		}
		if swept, err = flows.DeleteExpired(10); err != nil {
			return err
		}
		got, err = flows.Consume(flow.State)
		return err
	})
	want(t, "Consume", got, flow)
	want(t, "DeleteExpired", swept, 1)
	err := s.store.Write(t.Context(), func(tx domain.Tx) error {
		_, err := tx.System(s.system).Flows().Consume(flow.State)
		return err
	})
	wantKind(t, "Consume again", err, domain.NotFound, "")
}

func lockOnly(users domain.UserStore, id domain.UserID) error {
	_, err := users.Lock(id)
	return err
}
