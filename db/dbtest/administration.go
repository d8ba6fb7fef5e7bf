package dbtest

import (
	"testing"
	"time"

	"muster/domain"
)

func customRole() domain.Role {
	return domain.Role{
		ID: id[domain.RoleID](), Name: "CUSTOM", DisplayName: unique("Role "), Description: "d", Scope: domain.ScopeWorkspace,
		Permissions: []domain.Permission{"projects:read", "workspaces:read"},
	}
}

// administrationCalls are the tenancy cases of what administration adds.
func administrationCalls(a tenant) map[string]foreignCall {
	match := domain.PeopleMatch{PeopleQuery: domain.PeopleQuery{Emails: []string{a.invite.Email, "user*"}}}
	return map[string]foreignCall{
		"Roles.Get": func(o domain.OrgTx) error { return absent(o.Roles().Get(a.role.ID)) },
		"Roles.List": func(o domain.OrgTx) error {
			all, err := o.Roles().List()
			for _, role := range all {
				err = without(role.ID == a.role.ID, err)
			}
			return err
		},
		"Roles.Insert": func(o domain.OrgTx) error {
			role := a.role
			role.ID = id[domain.RoleID]()
			return o.Roles().Insert(role)
		},
		"Roles.Update": func(o domain.OrgTx) error { return refused(o.Roles().Update(a.role)) },
		"Roles.Delete": func(o domain.OrgTx) error { return refused(o.Roles().Delete(a.role.ID)) },
		"Roles.Use": func(o domain.OrgTx) error {
			use, err := o.Roles().Use(domain.RoleWorkEditor)
			return without(use.Members != 1, err) // our own
		},
		"Accounts.Get": func(o domain.OrgTx) error { return absent(o.Accounts().Get(a.account.ID)) },
		"Accounts.List": func(o domain.OrgTx) error {
			all, err := o.Accounts().List()
			for _, account := range all {
				err = without(account.ID == a.account.ID, err)
			}
			return err
		},
		"Accounts.Insert": func(o domain.OrgTx) error {
			account := a.account
			account.ID = id[domain.AccountID]()
			return o.Accounts().Insert(account)
		},
		"Accounts.Delete": func(o domain.OrgTx) error { return refused(o.Accounts().Delete(a.account.ID)) },
		"Keys.Update":     func(o domain.OrgTx) error { return refused(o.Keys().Update(a.key)) },
		"Keys.DeleteOfAccount": func(o domain.OrgTx) error {
			return o.Keys().DeleteOfAccount(a.account.ID)
		},
		"Guard.Get":  func(o domain.OrgTx) error { _, err := o.Guard().Get(); return err },
		"Guard.Lock": func(o domain.OrgTx) error { _, err := o.Guard().Lock(); return err },
		"Guard.Put":  func(o domain.OrgTx) error { return o.Guard().Put(domain.DefaultGuard()) },
		"Guard.Spend": func(o domain.OrgTx) error {
			return o.Guard().Spend(Start, 1)
		},
		"Guard.Spent": func(o domain.OrgTx) error { _, err := o.Guard().Spent(Start); return err },
		"Guard.Hold": func(o domain.OrgTx) error {
			return o.Guard().Hold(domain.HeldRequest{Operation: "test", Target: domain.Target{ID: string(a.user.ID)}, Requests: 1})
		},
		"Guard.Held": func(o domain.OrgTx) error {
			held, count, err := o.Guard().Held(10)
			return without(len(held) > 1 || count > 1, err)
		},
		"Guard.Clear": func(o domain.OrgTx) error { return o.Guard().Clear() },
		"Members.Like": func(o domain.OrgTx) error {
			found, err := o.Members().Like(match)
			for _, member := range found {
				err = without(member.ID == a.user.ID, err)
			}
			return err
		},
		"Members.CountLike": func(o domain.OrgTx) error {
			count, err := o.Members().CountLike(domain.PeopleMatch{})
			return without(count > 1, err)
		},
		"Members.CountActive": func(o domain.OrgTx) error {
			count, err := o.Members().CountActive()
			return without(count > 1, err)
		},
		"Invites.Like": func(o domain.OrgTx) error {
			return empty(o.Invites().Like(domain.PeopleMatch{PeopleQuery: domain.PeopleQuery{Workspaces: []string{a.workspace.DisplayName}}}))
		},
		"Groups.List": func(o domain.OrgTx) error {
			all, err := o.Groups().List(domain.GroupQuery{})
			for _, group := range all {
				err = without(group.ID == a.group.ID, err)
			}
			return err
		},
		"Groups.Of": func(o domain.OrgTx) error {
			found, err := o.Groups().Of([]domain.MemberID{a.user.ID})
			return without(len(found) > 0, err)
		},
		"GroupMembers.Count": func(o domain.OrgTx) error {
			count, err := o.GroupMembers().Count(a.group.ID)
			return without(count > 0, err)
		},
	}
}

// roles keeps custom roles, and says what uses one.
func (s *suite) roles(t *testing.T) {
	scope, role := s.org(t), customRole()
	member := s.member(t, scope)
	workspace := domain.Workspace{ID: id[domain.WorkspaceID](), DisplayName: unique("W"), CreatedAt: Start}
	group := s.group(t, scope)
	s.write(t, func(tx domain.Tx) error { return tx.Org(scope).Roles().Insert(role) })
	s.read(t, func(tx domain.Tx) error {
		got, err := tx.Org(scope).Roles().Get(role.ID)
		want(t, "Get", got, role)
		return err
	})
	twin := customRole()
	twin.DisplayName = role.DisplayName
	wantKind(t, "Insert of a name that is taken", s.store.Write(t.Context(), func(tx domain.Tx) error { return tx.Org(scope).Roles().Insert(twin) }), domain.Conflict, "display_name")
	held := domain.Held{Grant: domain.Grant{Kind: domain.GrantManual, Role: role.ID, At: Start}}
	s.write(t, func(tx domain.Tx) error {
		org := tx.Org(scope)
		for _, step := range []func() error{
			func() error { return org.Workspaces().Insert(workspace) },
			func() error {
				return org.Access().Save([]domain.AccessChange{{Member: member.ID, Put: map[domain.WorkspaceID]domain.Held{workspace.ID: held}}})
			},
			func() error {
				return org.Invites().Put(domain.Invite{ID: id[domain.InviteID](), Email: unique("i") + "@example.com", WorkspaceRole: role.ID, CreatedAt: Start})
			},
			func() error {
				return org.Invites().Put(domain.Invite{ID: id[domain.InviteID](), Email: unique("i") + "@example.com", OwnRoles: map[domain.WorkspaceID]domain.RoleID{workspace.ID: role.ID}, CreatedAt: Start})
			},
			func() error {
				return org.Keys().Insert(domain.Key{ID: id[domain.KeyID](), Kind: domain.ServiceKey, Digest: domain.DigestOf(unique("k")), Role: role.ID, CreatedAt: Start})
			},
			func() error {
				return org.Accounts().Insert(domain.ServiceAccount{ID: id[domain.AccountID](), Name: unique("A"), Workspaces: map[domain.WorkspaceID]domain.RoleID{workspace.ID: role.ID}})
			},
			func() error {
				return org.Groups().SetMapping(group.ID, domain.Mapping{Workspaces: map[domain.WorkspaceID]domain.RoleID{workspace.ID: role.ID}}, "", true)
			},
		} {
			if err := step(); err != nil {
				return err
			}
		}
		use, err := org.Roles().Use(role.ID)
		want(t, "Use", use, domain.RoleUse{Members: 1, Invites: 2, Keys: 1, Accounts: 1, Groups: 1})
		return err
	})
	role.DisplayName, role.Permissions = unique("Renamed "), []domain.Permission{}
	s.write(t, func(tx domain.Tx) error { return tx.Org(scope).Roles().Update(role) })
	s.read(t, func(tx domain.Tx) error {
		got, err := tx.Org(scope).Roles().List()
		want(t, "List", got, []domain.Role{role})
		return err
	})
}

// guard counts within a window and keeps what is held.
func (s *suite) guard(t *testing.T) {
	scope := s.org(t)
	guard := domain.Guard{Enabled: true, MaxPeople: 3, MaxPercent: 5, Window: time.Hour, State: domain.GuardHolding, ChangedAt: Start, Until: Start.Add(time.Hour), By: "ada", Base: 7}
	held := domain.HeldRequest{Operation: "delete_scim_user", Target: domain.Target{Kind: "user", ID: "u", Name: "U"}, Token: "t", FirstAt: Start, LastAt: Start, Requests: 1}
	s.write(t, func(tx domain.Tx) error {
		got, err := tx.Org(scope).Guard().Lock()
		want(t, "a guard that nobody has set", got, domain.DefaultGuard())
		return err
	})
	s.write(t, func(tx domain.Tx) error {
		store := tx.Org(scope).Guard()
		if err := store.Put(guard); err != nil {
			return err
		}
		if err := store.Spend(Start, 2); err != nil {
			return err
		}
		if err := store.Spend(Start.Add(time.Minute), 3); err != nil {
			return err
		}
		for range 2 {
			if err := store.Hold(held); err != nil {
				return err
			}
		}
		return nil
	})
	s.read(t, func(tx domain.Tx) error {
		store := tx.Org(scope).Guard()
		got, err := store.Get()
		want(t, "Get", got, guard)
		for since, people := range map[time.Time]int{Start: 5, Start.Add(time.Second): 3, Start.Add(time.Hour): 0} {
			spent, err := store.Spent(since)
			want(t, "Spent", spent, people)
			if err != nil {
				return err
			}
		}
		list, count, heldErr := store.Held(1)
		twice := held
		twice.Requests = 2
		want(t, "Held", list, []domain.HeldRequest{twice})
		want(t, "how many are held", count, 1)
		if err == nil {
			err = heldErr
		}
		return err
	})
	s.write(t, func(tx domain.Tx) error { return tx.Org(scope).Guard().Clear() })
	s.read(t, func(tx domain.Tx) error {
		spent, err := tx.Org(scope).Guard().Spent(Start)
		want(t, "Spent after Clear", spent, 0)
		return err
	})
}

// like finds members and invites by globs, of which "%" and "_" are no part.
func (s *suite) like(t *testing.T) {
	scope := s.org(t)
	ada := s.named(t, scope, "Ada 100%", "ada_1@example.com", domain.RoleOrgAdmin)
	bob := s.named(t, scope, "Bob", "bobx1@example.com", domain.RoleOrgUser)
	invite := domain.Invite{ID: id[domain.InviteID](), Email: "carol@example.com", Role: domain.RoleOrgViewer, CreatedAt: Start}
	s.write(t, func(tx domain.Tx) error { return tx.Org(scope).Invites().Put(invite) })
	yes, no := true, false
	for name, c := range map[string]struct {
		match   domain.PeopleMatch
		members []domain.MemberID
		invites int
	}{
		"everybody":      {domain.PeopleMatch{}, []domain.MemberID{ada.ID, bob.ID}, 1},
		"a name":         {domain.PeopleMatch{PeopleQuery: domain.PeopleQuery{Names: []string{"ADA*"}}}, []domain.MemberID{ada.ID}, 0},
		"percent":        {domain.PeopleMatch{PeopleQuery: domain.PeopleQuery{Names: []string{"*%"}}}, []domain.MemberID{ada.ID}, 0},
		"an underscore":  {domain.PeopleMatch{PeopleQuery: domain.PeopleQuery{Emails: []string{"*_1@*"}}}, []domain.MemberID{ada.ID}, 0},
		"one of two":     {domain.PeopleMatch{PeopleQuery: domain.PeopleQuery{Emails: []string{"bob*", "carol@example.com"}}}, []domain.MemberID{bob.ID}, 1},
		"a role":         {domain.PeopleMatch{OrgRoleIDs: []domain.RoleID{domain.RoleOrgViewer, domain.RoleOrgUser}}, []domain.MemberID{bob.ID}, 1},
		"no role at all": {domain.PeopleMatch{OrgRoleIDs: []domain.RoleID{}}, nil, 0},
		"active":         {domain.PeopleMatch{PeopleQuery: domain.PeopleQuery{Active: &yes}}, []domain.MemberID{ada.ID, bob.ID}, 1},
		"disabled":       {domain.PeopleMatch{PeopleQuery: domain.PeopleQuery{Active: &no}}, nil, 1},
	} {
		s.read(t, func(tx domain.Tx) error {
			members, err := tx.Org(scope).Members().Like(c.match)
			if err != nil {
				return err
			}
			var ids []domain.MemberID
			for _, member := range members {
				ids = append(ids, member.ID)
			}
			want(t, name, ids, c.members)
			count, err := tx.Org(scope).Members().CountLike(c.match)
			want(t, name+", counted", count, len(c.members))
			if err != nil {
				return err
			}
			invites, err := tx.Org(scope).Invites().Like(c.match)
			want(t, name+", invites", len(invites), c.invites)
			return err
		})
	}
}
