package dbtest

import (
	"testing"
	"time"

	"muster/domain"
)

// session is a person's session that ends in an hour, with tokens.
func (s *suite) session(t *testing.T, user domain.UserID, edit func(*domain.Session)) domain.Session {
	t.Helper()
	session := domain.Session{
		ID: id[domain.SessionID](), Digest: domain.DigestOf(unique("cookie")), User: user, Provider: "custom-oidc",
		Issuer: "https://idp.example.com", Subject: "s", TokenSubject: unique("sub"), SID: unique("sid"),
		AuthTime: Start.Add(-time.Minute), ACR: "1", AMR: []string{"pwd", "otp"},
		Client: domain.Client{IP: "192.0.2.1", UserAgent: "test", RequestID: "r"}, CreatedAt: Start, LastSeenAt: Start,
		ExpiresAt: Start, EndsAt: Start.Add(time.Hour), Renewable: true,
		Tokens: domain.Tokens{Refresh: unique("refresh"), ID: unique("id")},
	}
	if edit != nil {
		edit(&session)
	}
	s.write(t, func(tx domain.Tx) error { return tx.System(s.system).Sessions().Insert(session, 0) })
	return session
}

// found is a session as Find returns it.
func found(session domain.Session) domain.Session {
	session.Tokens, session.Client, session.CreatedAt = domain.Tokens{}, domain.Client{}, time.Time{}
	session.SID, session.ACR, session.AMR = "", "", nil
	return session
}

// listed is a session as List returns it.
func listed(session domain.Session) domain.Session {
	session.Tokens = domain.Tokens{}
	return session
}

// sessions are kept with all that item 88 names, and found without what no request needs.
func (s *suite) sessions(t *testing.T) {
	scope, elsewhere := s.org(t), s.org(t)
	member := s.member(t, scope)
	second := domain.Member{
		ID: id[domain.MemberID](), User: member.User, Status: domain.Disabled, CreatedAt: Start,
		Role: domain.Held{
			Grant:    domain.Grant{Kind: domain.GrantGroup, Role: domain.RoleOrgViewer, Source: "g", SourceName: "Group", At: Start},
			Replaced: &domain.Grant{Kind: domain.GrantJIT, Role: domain.RoleOrgUser, At: Start.Add(-time.Hour)},
		},
	}
	s.write(t, func(tx domain.Tx) error {
		_, err := tx.Org(elsewhere).Members().Insert(second)
		return err
	})
	session := s.session(t, member.User, nil)
	over := s.session(t, member.User, func(v *domain.Session) { v.EndsAt = Start })
	s.read(t, func(tx domain.Tx) error {
		system := tx.System(s.system)
		got, holder, err := system.Sessions().Find(session.Digest)
		if err != nil {
			return err
		}
		want(t, "Find", got, found(session))
		user, err := system.Users().Get(member.User)
		if err != nil {
			return err
		}
		memberships, err := system.Users().Memberships(member.User)
		if err != nil {
			return err
		}
		want(t, "the holder", holder, domain.Holder{User: user, Memberships: memberships})
		want(t, "the memberships", []domain.Member{memberships[0].Member, memberships[1].Member}, []domain.Member{member, second})
		_, _, err = system.Sessions().Find(over.Digest)
		wantKind(t, "Find of a session that is over", err, domain.NotFound, "")
		of, err := system.Sessions().UserOf(session.Issuer, session.TokenSubject)
		want(t, "UserOf", of, member.User)
		return err
	})
	t.Run("End", func(t *testing.T) { s.endSessions(t, session) })
	t.Run("Newest", s.newestSessions)
	t.Run("Where", s.sessionsWhere)
	t.Run("Logout", s.providerLogout)
	t.Run("Renewals", s.renewals)
	t.Run("LogoutTokens", s.logoutTokens)
}

func (s *suite) endSessions(t *testing.T, session domain.Session) {
	var swept, left int
	var tokens domain.Tokens
	later := Start.Add(time.Minute)
	s.write(t, func(tx domain.Tx) (err error) {
		sessions := tx.System(s.system).Sessions()
		if swept, err = sessions.DeleteExpired(10); err != nil {
			return err
		}
		if left, err = sessions.DeleteExpired(10); err != nil {
			return err
		}
		if err := sessions.Touch(session.Digest, later); err != nil {
			return err
		}
		got, _, err := sessions.Find(session.Digest)
		if err != nil {
			return err
		}
		want(t, "last seen after Touch", got.LastSeenAt, later)
		tokens, err = sessions.Delete(session.Digest)
		return err
	})
	want(t, "counts", []int{swept, left}, []int{1, 0})
	want(t, "the tokens of Delete", tokens, session.Tokens)
	s.gone(t, session)
	s.write(t, func(tx domain.Tx) error {
		sessions := tx.System(s.system).Sessions()
		if err := sessions.Insert(session, 0); err != nil {
			return err
		}
		return sessions.DeleteOfUser(session.User)
	})
	s.gone(t, session)
}

// gone fails the test unless the session cannot be found and cannot be ended again.
func (s *suite) gone(t *testing.T, session domain.Session) {
	t.Helper()
	err := s.store.Read(t.Context(), func(tx domain.Tx) error {
		_, _, err := tx.System(s.system).Sessions().Find(session.Digest)
		return err
	})
	wantKind(t, "Find of an ended session", err, domain.NotFound, "")
	err = s.store.Write(t.Context(), func(tx domain.Tx) error {
		_, err := tx.System(s.system).Sessions().Delete(session.Digest)
		return err
	})
	wantKind(t, "Delete of an ended session", err, domain.NotFound, "")
}

// newestSessions: a person keeps as many as Insert is told, the new one among them (item 93).
func (s *suite) newestSessions(t *testing.T) {
	user, other := s.user(t), s.user(t)
	bystander := s.session(t, other.ID, nil)
	var all []domain.Session
	for range 4 {
		all = append(all, s.session(t, user.ID, nil))
	}
	newest := all[3]
	newest.ID, newest.Digest = id[domain.SessionID](), domain.DigestOf(unique("cookie"))
	s.write(t, func(tx domain.Tx) error { return tx.System(s.system).Sessions().Insert(newest, 3) })
	s.read(t, func(tx domain.Tx) error {
		all, err := tx.System(s.system).Sessions().List(domain.SessionFilter{ID: newest.ID})
		want(t, "List", all, []domain.Session{listed(newest)})
		return err
	})
	want(t, "the sessions kept", s.list(t, domain.SessionFilter{User: user.ID}), []domain.SessionID{newest.ID, all[3].ID, all[2].ID})
	want(t, "somebody else's", s.list(t, domain.SessionFilter{User: other.ID}), []domain.SessionID{bystander.ID})
}

func (s *suite) list(t *testing.T, filter domain.SessionFilter) []domain.SessionID {
	t.Helper()
	ids := []domain.SessionID{}
	s.read(t, func(tx domain.Tx) error {
		ids = ids[:0]
		sessions, err := tx.System(s.system).Sessions().List(filter)
		for _, session := range sessions {
			ids = append(ids, session.ID)
		}
		return err
	})
	return ids
}

// sessionsWhere ends exactly what a filter selects, and nothing for the zero filter.
func (s *suite) sessionsWhere(t *testing.T) {
	scope, elsewhere := s.org(t), s.org(t)
	here, both := s.member(t, scope), s.member(t, scope)
	s.write(t, func(tx domain.Tx) error {
		_, err := tx.Org(elsewhere).Members().Insert(domain.Member{
			ID: id[domain.MemberID](), User: both.User, Status: domain.Active, CreatedAt: Start,
			Role: domain.Held{Grant: domain.Grant{Kind: domain.GrantManual, Role: domain.RoleOrgUser, At: Start}},
		})
		return err
	})
	provider := unique("provider-")
	one := s.session(t, here.User, nil)
	two := s.session(t, here.User, func(v *domain.Session) { v.Provider = provider })
	three := s.session(t, both.User, func(v *domain.Session) { v.Provider = provider })
	for name, c := range map[string]struct {
		filter domain.SessionFilter
		want   []domain.SessionID
	}{
		"nothing":               {domain.SessionFilter{}, []domain.SessionID{}},
		"an exception alone":    {domain.SessionFilter{Except: one.ID}, []domain.SessionID{}},
		"one":                   {domain.SessionFilter{ID: one.ID, User: here.User}, []domain.SessionID{one.ID}},
		"another person's":      {domain.SessionFilter{ID: one.ID, User: both.User}, []domain.SessionID{}},
		"a person's":            {domain.SessionFilter{User: here.User}, []domain.SessionID{two.ID, one.ID}},
		"a person's others":     {domain.SessionFilter{User: here.User, Except: two.ID}, []domain.SessionID{one.ID}},
		"a provider's":          {domain.SessionFilter{Provider: provider}, []domain.SessionID{three.ID, two.ID}},
		"an organization's":     {domain.SessionFilter{Members: scope.Org()}, []domain.SessionID{three.ID, two.ID, one.ID}},
		"of those only there":   {domain.SessionFilter{Members: scope.Org(), OnlyHere: true}, []domain.SessionID{two.ID, one.ID}},
		"of unknown providers":  {domain.SessionFilter{Members: scope.Org(), NotOf: []string{"custom-oidc", "other"}}, []domain.SessionID{three.ID, two.ID}},
		"of a provider in both": {domain.SessionFilter{Members: elsewhere.Org(), Provider: provider}, []domain.SessionID{three.ID}},
	} {
		want(t, name, s.list(t, c.filter), c.want)
	}
	var ended []domain.EndedSession
	s.write(t, func(tx domain.Tx) (err error) {
		ended, err = tx.System(s.system).Sessions().DeleteWhere(domain.SessionFilter{User: here.User, Except: one.ID})
		return err
	})
	want(t, "DeleteWhere", ended, []domain.EndedSession{{ID: two.ID, User: here.User}})
	want(t, "what is left", s.list(t, domain.SessionFilter{Members: scope.Org()}), []domain.SessionID{three.ID, one.ID})
	s.write(t, func(tx domain.Tx) (err error) {
		ended, err = tx.System(s.system).Sessions().DeleteWhere(domain.SessionFilter{})
		return err
	})
	want(t, "DeleteWhere of nothing", ended, []domain.EndedSession{})
}

// providerLogout is item 105, and A39: one sid at two issuers is two sessions.
func (s *suite) providerLogout(t *testing.T) {
	user := s.user(t)
	issuer, sid, sub := "https://"+unique("idp"), unique("sid"), unique("sub")
	at := func(issuer, sid, sub string) domain.Session {
		return s.session(t, user.ID, func(v *domain.Session) { v.Issuer, v.SID, v.TokenSubject = issuer, sid, sub })
	}
	named, nameless := at(issuer, sid, sub), at(issuer, "", sub)
	other, stranger, collision := at(issuer, unique("sid"), sub), at(issuer, "", unique("sub")), at("https://other.example", sid, sub)
	bySID := domain.ProviderLogout{Issuer: issuer, SID: sid}
	withSub := domain.ProviderLogout{Issuer: issuer, SID: sid, Subject: sub}
	gone := domain.ProviderLogout{Issuer: issuer, SID: unique("sid"), Subject: sub}
	bySub := domain.ProviderLogout{Issuer: issuer, Subject: sub}
	for name, c := range map[string]struct {
		logout domain.ProviderLogout
		want   []domain.SessionID
	}{
		"by sid":            {bySID, []domain.SessionID{nameless.ID, named.ID}},
		"by sid and sub":    {withSub, []domain.SessionID{nameless.ID, named.ID}},
		"by an unknown sid": {gone, []domain.SessionID{nameless.ID}},
		"by sub":            {bySub, []domain.SessionID{other.ID, nameless.ID, named.ID}},
		"of nobody":         {domain.ProviderLogout{Issuer: issuer, Subject: unique("sub")}, []domain.SessionID{}},
	} {
		want(t, name, s.list(t, domain.SessionFilter{Provider: "custom-oidc", Ended: &c.logout}), c.want)
	}
	_, _ = stranger, collision
}

// renewals: one of all lessees gets a session that is due, and what was ended meanwhile stays ended (item 94, A46).
func (s *suite) renewals(t *testing.T) {
	user := s.user(t)
	due := s.session(t, user.ID, nil)
	early := s.session(t, user.ID, func(v *domain.Session) { v.ExpiresAt = Start.Add(time.Minute) })
	bare := s.session(t, user.ID, func(v *domain.Session) { v.Renewable, v.Tokens = false, domain.Tokens{} })
	until := Start.Add(30 * time.Second)
	var tokens domain.Tokens
	s.write(t, func(tx domain.Tx) (err error) {
		tokens, err = tx.System(s.system).Renewals().Lease(due.Digest, "mine", until)
		return err
	})
	want(t, "the leased tokens", tokens, due.Tokens)
	renew := func(lease string) func(domain.RenewalStore) error {
		return func(r domain.RenewalStore) error {
			return r.Renew(due.Digest, lease, Start.Add(time.Hour), domain.Tokens{Refresh: "rotated"})
		}
	}
	lease := func(session domain.Session) func(domain.RenewalStore) error {
		return func(r domain.RenewalStore) error {
			_, err := r.Lease(session.Digest, "yours", until)
			return err
		}
	}
	refused := func(what string, call func(domain.RenewalStore) error) {
		t.Helper()
		err := s.store.Write(t.Context(), func(tx domain.Tx) error { return call(tx.System(s.system).Renewals()) })
		wantKind(t, what, err, domain.NotFound, "")
	}
	refused("a second lease", lease(due))
	refused("a lease of what is not due", lease(early))
	refused("a lease of what cannot be renewed", lease(bare))
	refused("renewing with another's lease", renew("yours"))
	refused("pausing with another's lease", func(r domain.RenewalStore) error { return r.Pause(due.Digest, "yours", until) })
	s.write(t, func(tx domain.Tx) error { return renew("mine")(tx.System(s.system).Renewals()) })
	s.read(t, func(tx domain.Tx) error {
		got, _, err := tx.System(s.system).Sessions().Find(due.Digest)
		renewed := found(due)
		renewed.ExpiresAt = Start.Add(time.Hour)
		want(t, "the renewed session", got, renewed)
		return err
	})
	refused("renewing twice", renew("mine"))
	s.write(t, func(tx domain.Tx) (err error) {
		tokens, err = tx.System(s.system).Sessions().Delete(due.Digest)
		return err
	})
	want(t, "the tokens afterwards", tokens, domain.Tokens{Refresh: "rotated", ID: due.Tokens.ID})
	refused("a lease of an ended session", lease(due))
	s.reseal(t, early)
}

func (s *suite) reseal(t *testing.T, session domain.Session) {
	t.Helper()
	var sealed []domain.Session
	s.read(t, func(tx domain.Tx) (err error) {
		sealed = nil
		for after := domain.Digest(""); ; {
			page, err := tx.System(s.system).Renewals().Sealed(after, 2)
			if err != nil || len(page) == 0 {
				return err
			}
			for _, one := range page {
				if one.ID == session.ID {
					sealed = append(sealed, one)
				}
			}
			after = page[len(page)-1].Digest
		}
	})
	want(t, "Sealed", sealed, []domain.Session{session})
	next := domain.Tokens{Refresh: "next", ID: "next"}
	var tokens domain.Tokens
	s.write(t, func(tx domain.Tx) (err error) {
		renewals := tx.System(s.system).Renewals()
		if err := renewals.Reseal(session.Digest, domain.Tokens{Refresh: "stale"}, domain.Tokens{}); err != nil {
			return err
		}
		if err := renewals.Reseal(session.Digest, session.Tokens, next); err != nil {
			return err
		}
		tokens, err = tx.System(s.system).Sessions().Delete(session.Digest)
		return err
	})
	want(t, "the tokens sealed anew", tokens, next)
}

// logoutTokens: a token is good once at its issuer (item 104).
func (s *suite) logoutTokens(t *testing.T) {
	name := unique("jti")
	var fresh []bool
	var swept int
	s.write(t, func(tx domain.Tx) (err error) {
		fresh = nil
		tokens := tx.System(s.system).LogoutTokens()
		for _, one := range []struct {
			issuer, id string
			expires    time.Time
		}{{"https://a.example", name, Start.Add(time.Minute)}, {"https://a.example", name, Start.Add(time.Minute)}, {"https://b.example", name, Start}} {
			first, err := tokens.Remember(one.issuer, one.id, one.expires)
			if err != nil {
				return err
			}
			fresh = append(fresh, first)
		}
		swept, err = tokens.DeleteExpired(10)
		return err
	})
	want(t, "Remember", fresh, []bool{true, false, true})
	want(t, "DeleteExpired", swept, 1)
}
