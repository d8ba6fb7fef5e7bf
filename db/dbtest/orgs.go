package dbtest

import (
	"slices"
	"testing"
	"time"

	"muster/domain"
)

func (s *suite) settings(t *testing.T) {
	scope := s.org(t)
	days := 30
	var org domain.Org
	s.write(t, func(tx domain.Tx) (err error) {
		if org, err = tx.Org(scope).Settings().Lock(); err != nil {
			return err
		}
		org.DisplayName, org.ModifiedAt = "Ärger & Söhne <GmbH>", Start.Add(time.Second)
		org.Settings.MaxPATExpiryDays, org.Settings.GroupSeparator, org.Settings.JITEnabled = &days, "&", false
		return tx.Org(scope).Settings().Update(org)
	})
	sso := domain.SSOSettings{
		ProviderID: "custom-oidc", DefaultWorkspaceRole: domain.RoleWorkViewer,
		DefaultWorkspaces: []domain.WorkspaceID{id[domain.WorkspaceID]()},
		GroupsEnabled:     true, GroupsClaim: "roles", GroupsRequired: true, GroupsRoleSync: true,
	}
	s.write(t, func(tx domain.Tx) error {
		current, err := tx.Org(scope).Settings().SSO()
		if err != nil {
			return err
		}
		sso.ID = current.ID
		return tx.Org(scope).Settings().UpdateSSO(sso)
	})
	s.read(t, func(tx domain.Tx) error {
		got, err := tx.Org(scope).Settings().Get()
		if err != nil {
			return err
		}
		want(t, "Get", got, org)
		if got, err = tx.System(s.system).Orgs().Get(org.ID); err != nil {
			return err
		}
		want(t, "Orgs.Get", got, org)
		gotSSO, err := tx.Org(scope).Settings().SSO()
		want(t, "SSO", gotSSO, sso)
		return err
	})
	s.orgList(t, org)
}

func (s *suite) orgList(t *testing.T, org domain.Org) {
	t.Helper()
	s.read(t, func(tx domain.Tx) error {
		all, err := tx.System(s.system).Orgs().List()
		if !slices.ContainsFunc(all, func(o domain.Org) bool { return o.ID == org.ID }) {
			t.Error("List leaves the organization out")
		}
		if !slices.IsSortedFunc(all, byFoldedName) {
			t.Error("List is not in order of name")
		}
		_, missing := tx.System(s.system).Orgs().Get(id[domain.OrgID]())
		wantKind(t, "Get of an unknown organization", missing, domain.NotFound, "")
		return err
	})
}

func byFoldedName(a, b domain.Org) int {
	switch x, y := domain.Fold(a.DisplayName), domain.Fold(b.DisplayName); {
	case x < y:
		return -1
	case x > y:
		return 1
	default:
		return 0
	}
}

func (s *suite) workspaces(t *testing.T) {
	scope := s.org(t)
	first := domain.Workspace{ID: id[domain.WorkspaceID](), DisplayName: "Beta", CreatedAt: Start}
	second := domain.Workspace{ID: id[domain.WorkspaceID](), DisplayName: "alpha", CreatedAt: Start}
	insert := func(w domain.Workspace) error {
		return s.store.Write(t.Context(), func(tx domain.Tx) error { return tx.Org(scope).Workspaces().Insert(w) })
	}
	for _, workspace := range []domain.Workspace{first, second} {
		if err := insert(workspace); err != nil {
			t.Fatal(err)
		}
	}
	twin := domain.Workspace{ID: id[domain.WorkspaceID](), DisplayName: "BETA", CreatedAt: Start}
	wantKind(t, "Insert of a name that is taken", insert(twin), domain.Conflict, "display_name")
	err := s.store.Write(t.Context(), func(tx domain.Tx) error {
		renamed := second
		renamed.DisplayName = "bEta"
		return tx.Org(scope).Workspaces().Update(renamed)
	})
	wantKind(t, "Update to a name that is taken", err, domain.Conflict, "display_name")
	member := s.member(t, scope)
	held := domain.Held{Grant: domain.Grant{Kind: domain.GrantManual, Role: domain.RoleWorkEditor, At: Start}}
	first.DeletedAt = Start.Add(time.Hour)
	s.write(t, func(tx domain.Tx) error {
		put := domain.AccessChange{Member: member.ID, Put: map[domain.WorkspaceID]domain.Held{first.ID: held, second.ID: held}}
		if err := tx.Org(scope).Access().Save([]domain.AccessChange{put}); err != nil {
			return err
		}
		return tx.Org(scope).Workspaces().Update(first)
	})
	if err := insert(twin); err != nil {
		t.Errorf("a deleted workspace's name is not free: %v", err)
	}
	s.read(t, func(tx domain.Tx) error {
		living, err := tx.Org(scope).Workspaces().List(false)
		if err != nil {
			return err
		}
		want(t, "List", living, []domain.Workspace{second, twin})
		all, err := tx.Org(scope).Workspaces().List(true)
		if err != nil {
			return err
		}
		want(t, "List with the deleted", all, []domain.Workspace{second, first, twin})
		got, err := tx.Org(scope).Workspaces().Get(first.ID)
		if err != nil {
			return err
		}
		want(t, "Get of a deleted one", got, first)
		holdings, err := tx.Org(scope).Access().Load([]domain.MemberID{member.ID})
		want(t, "who was in it", holdings[member.ID].Workspaces, map[domain.WorkspaceID]domain.Held{second.ID: held})
		return err
	})
}

func (s *suite) invites(t *testing.T) {
	scope := s.org(t)
	invite := domain.Invite{
		ID: id[domain.InviteID](), Email: "New.Person@Example.com", Role: domain.RoleOrgViewer,
		Workspaces: []domain.WorkspaceID{id[domain.WorkspaceID](), id[domain.WorkspaceID]()}, WorkspaceRole: domain.RoleWorkEditor,
		InvitedBy: "admin@example.com", CreatedAt: Start, ExpiresAt: Start.Add(time.Hour),
	}
	second := domain.Invite{ID: id[domain.InviteID](), Email: "a@example.com", Role: domain.RoleOrgAdmin, CreatedAt: Start}
	again := invite // R22: inviting an address twice leaves one invite
	again.ID, again.Email, again.Role, again.ExpiresAt = id[domain.InviteID](), "new.person@example.com", domain.RoleOrgUser, time.Time{}
	s.write(t, func(tx domain.Tx) error {
		for _, one := range []domain.Invite{invite, second, again} {
			if err := tx.Org(scope).Invites().Put(one); err != nil {
				return err
			}
		}
		return nil
	})
	s.read(t, func(tx domain.Tx) error {
		invites := tx.Org(scope).Invites()
		got, err := invites.ByEmail(domain.Fold(invite.Email))
		if err != nil {
			return err
		}
		want(t, "ByEmail", got, again)
		if got, err = invites.Get(again.ID); err != nil {
			return err
		}
		want(t, "Get", got, again)
		_, err = invites.Get(invite.ID)
		wantKind(t, "Get of the replaced one", err, domain.NotFound, "")
		for name, c := range map[string]struct {
			query domain.MemberQuery
			ids   []domain.InviteID
		}{
			"all":       {domain.MemberQuery{}, []domain.InviteID{second.ID, again.ID}},
			"by e-mail": {domain.MemberQuery{SortBy: "email", Descending: true}, []domain.InviteID{again.ID, second.ID}},
			"one":       {domain.MemberQuery{Emails: []string{"A@EXAMPLE.com"}}, []domain.InviteID{second.ID}},
			"search":    {domain.MemberQuery{Search: "PERSON"}, []domain.InviteID{again.ID}},
			"second":    {domain.MemberQuery{Window: domain.Window{Limit: 1, Offset: 1}}, []domain.InviteID{again.ID}},
		} {
			found, err := invites.List(c.query)
			if err != nil {
				return err
			}
			want(t, "List "+name, idsOf(found, func(i domain.Invite) domain.InviteID { return i.ID }), c.ids)
		}
		return nil
	})
	s.write(t, func(tx domain.Tx) error { return tx.Org(scope).Invites().Delete(second.ID) })
	err := s.store.Write(t.Context(), func(tx domain.Tx) error { return tx.Org(scope).Invites().Delete(second.ID) })
	wantKind(t, "Delete again", err, domain.NotFound, "")
}

// idsOf returns the ids of what was found, in its order.
func idsOf[T, ID any](found []T, of func(T) ID) []ID {
	ids := make([]ID, len(found))
	for i, one := range found {
		ids[i] = of(one)
	}
	return ids
}

func (s *suite) credentials(t *testing.T) {
	scope := s.org(t)
	token := domain.SCIMToken{
		ID: id[domain.TokenID](), Org: scope.Org(), Digest: domain.DigestOf(unique("secret")), Description: "Okta", Short: "muster_scim_…abcd",
		CreatedAt: Start, UpdatedAt: Start, CreatedBy: "admin@example.com",
	}
	second := token
	second.ID, second.Digest, second.ExpiresAt = id[domain.TokenID](), domain.DigestOf(unique("secret")), Start.Add(time.Hour)
	s.write(t, func(tx domain.Tx) error {
		tokens := tx.Org(scope).Tokens()
		for _, one := range []domain.SCIMToken{token, second} {
			if err := tokens.Insert(one); err != nil {
				return err
			}
		}
		token.Description, token.UpdatedAt = "Entra", Start.Add(time.Second)
		if err := tokens.Update(token); err != nil {
			return err
		}
		token.LastUsedAt = Start.Add(time.Minute)
		return tokens.Touch(token.ID, token.LastUsedAt)
	})
	s.read(t, func(tx domain.Tx) error {
		got, err := tx.System(s.system).Credentials().SCIMToken(token.Digest)
		if err != nil {
			return err
		}
		want(t, "SCIMToken", got, token)
		if got, err = tx.Org(scope).Tokens().Get(token.ID); err != nil {
			return err
		}
		want(t, "Get", got, token)
		all, err := tx.Org(scope).Tokens().List()
		want(t, "List", all, []domain.SCIMToken{token, second})
		return err
	})
	s.write(t, func(tx domain.Tx) error { return tx.Org(scope).Tokens().Delete(token.ID) })
	s.read(t, func(tx domain.Tx) error {
		_, err := tx.System(s.system).Credentials().SCIMToken(token.Digest)
		wantKind(t, "SCIMToken after Delete", err, domain.NotFound, "")
		return nil
	})
	s.keys(t, scope)
}

func (s *suite) keys(t *testing.T, scope domain.OrgScope) {
	t.Helper()
	member := s.member(t, scope)
	personal := domain.Key{
		ID: id[domain.KeyID](), Org: scope.Org(), Kind: domain.PersonalKey, Digest: domain.DigestOf(unique("secret")), Short: "muster_pat_…",
		User: member.User, Description: "laptop", CreatedBy: "me", CreatedAt: Start, ExpiresAt: Start.Add(time.Hour),
	}
	service := domain.Key{
		ID: id[domain.KeyID](), Org: scope.Org(), Kind: domain.ServiceKey, Digest: domain.DigestOf(unique("secret")), Short: "muster_svc_…",
		Role: domain.RoleWorkEditor, OrgRole: domain.RoleOrgUser, Workspaces: []domain.WorkspaceID{"w1", "w2"}, DefaultWorkspace: "w1",
		CreatedBy: "admin", CreatedAt: Start,
	}
	s.write(t, func(tx domain.Tx) error {
		keys := tx.Org(scope).Keys()
		for _, one := range []domain.Key{personal, service} {
			if err := keys.Insert(one); err != nil {
				return err
			}
		}
		service.LastUsedAt = Start.Add(time.Minute)
		return keys.Touch(service.ID, service.LastUsedAt)
	})
	s.read(t, func(tx domain.Tx) error {
		system, keys := tx.System(s.system), tx.Org(scope).Keys()
		got, holder, err := system.Credentials().Key(personal.Digest)
		if err != nil {
			return err
		}
		want(t, "Key", got, personal)
		user, err := system.Users().Get(member.User)
		if err != nil {
			return err
		}
		memberships, err := system.Users().Memberships(member.User)
		if err != nil {
			return err
		}
		want(t, "its holder", holder, domain.Holder{User: user, Memberships: memberships})
		if got, holder, err = system.Credentials().Key(service.Digest); err != nil {
			return err
		}
		want(t, "a service key", got, service)
		want(t, "a service key's holder", holder, domain.Holder{})
		mine, err := keys.List(domain.PersonalKey, member.User)
		if err != nil {
			return err
		}
		want(t, "List of one's own", mine, []domain.Key{personal})
		all, err := keys.List(domain.ServiceKey, "")
		want(t, "List", all, []domain.Key{service})
		return err
	})
	var left [2][]domain.Key
	for i, user := range []domain.UserID{"", member.User} {
		s.write(t, func(tx domain.Tx) (err error) {
			if err = tx.Org(scope).Keys().DeleteOfUser(user); err == nil {
				left[i], err = tx.Org(scope).Keys().List(domain.PersonalKey, member.User)
			}
			return err
		})
	}
	want(t, "DeleteOfUser", left, [2][]domain.Key{{personal}, {}})
	s.write(t, func(tx domain.Tx) error { return tx.Org(scope).Keys().Delete(service.ID) })
}

// R30: a person is remembered under several marks and forgotten by any of them.
func (s *suite) tombstones(t *testing.T) {
	scope := s.org(t)
	mark := func(text string) []domain.Digest { return []domain.Digest{domain.DigestOf(text)} }
	known := func(marks []domain.Digest) (found bool) {
		s.read(t, func(tx domain.Tx) (err error) {
			found, err = tx.Org(scope).Tombstones().Any(marks)
			return err
		})
		return found
	}
	both := slices.Concat(mark("a"), mark("b"))
	s.write(t, func(tx domain.Tx) error {
		tombstones := tx.Org(scope).Tombstones()
		if err := tombstones.Put(id[domain.MemberID](), both); err != nil {
			return err
		}
		return tombstones.Put(id[domain.MemberID](), mark("c"))
	})
	want(t, "Any", []bool{known(mark("a")), known(slices.Concat(mark("x"), mark("b"))), known(mark("x")), known(nil)}, []bool{true, true, false, false})
	s.write(t, func(tx domain.Tx) error { return tx.Org(scope).Tombstones().Clear(mark("a")) })
	want(t, "Any after Clear", []bool{known(mark("a")), known(mark("b")), known(mark("c"))}, []bool{false, false, true})
}

func (s *suite) audit(t *testing.T) {
	scope := s.org(t)
	var events []domain.AuditEvent
	for i := range 5 {
		events = append([]domain.AuditEvent{{
			ID: id[domain.AuditID](), At: Start.Add(time.Duration(i) * time.Microsecond), Operation: []string{"login", "logout"}[i%2], Outcome: domain.Success,
			Actor: domain.Actor{
				Kind: domain.ActorUser, ID: "u", Name: "someone", Credential: "c",
				Client: domain.Client{IP: "192.0.2.1", UserAgent: "browser", RequestID: "r"},
			},
			Target: domain.Target{Kind: "user", ID: "u", Name: "Ünal"}, Before: map[string]any{"role": "User"},
			After: map[string]any{"list": []any{"a", "b"}, "on": true}, Detail: "because",
		}}, events...)
	}
	events[0].Before, events[0].After = nil, nil
	events[2].About = []domain.MemberID{"the-member", "another"}
	s.write(t, func(tx domain.Tx) error {
		for _, event := range slices.Backward(events) {
			if err := tx.Org(scope).Audit().Append(event); err != nil {
				return err
			}
		}
		return nil
	})
	events[2].About = nil // written and searched, never read back
	for name, c := range map[string]struct {
		query domain.AuditQuery
		want  []domain.AuditEvent
	}{
		"about a target":   {domain.AuditQuery{About: "u"}, events},
		"about a member":   {domain.AuditQuery{About: "the-member"}, events[2:3]},
		"about an address": {domain.AuditQuery{About: "ÜNAL"}, events},
		"about a stranger": {domain.AuditQuery{About: "nobody@example.com"}, []domain.AuditEvent{}},
		"all":              {domain.AuditQuery{}, events},
		"limit":            {domain.AuditQuery{Limit: 2}, events[:2]},
		"before":           {domain.AuditQuery{Before: events[2].ID}, events[3:]},
		"operations":       {domain.AuditQuery{Operations: []string{"logout", "other"}}, []domain.AuditEvent{events[1], events[3]}},
	} {
		s.read(t, func(tx domain.Tx) error {
			got, err := tx.Org(scope).Audit().List(c.query)
			want(t, "List "+name, got, c.want)
			return err
		})
	}
}
