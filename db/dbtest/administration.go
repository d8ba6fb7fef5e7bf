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
		"Members.More": func(o domain.OrgTx) error {
			more, err := o.Members().More(1)
			return without(more, err)
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

// auditCalls are the tenancy cases of the chain, of feeds and of event hooks.
func auditCalls(a tenant) map[string]foreignCall {
	return map[string]foreignCall{
		"Audit.Head": func(o domain.OrgTx) error { _, err := o.Audit().Head(); return err },
		"Audit.Waiting": func(o domain.OrgTx) error {
			rows, err := o.Audit().Waiting(10)
			for _, row := range rows {
				err = without(row.Target.ID == string(a.user.ID), err)
			}
			return err
		},
		"Audit.Place": func(o domain.OrgTx) error {
			if _, err := o.Audit().Head(); err != nil {
				return err
			}
			return o.Audit().Place([]domain.AuditEvent{{ID: a.chained, Seq: 9, Hash: "x"}}, domain.ChainHead{Seq: 9, Hash: "x"})
		},
		"Audit.From": func(o domain.OrgTx) error {
			rows, err := o.Audit().From(0, 10)
			for _, row := range rows {
				err = without(row.ID == a.chained, err)
			}
			return err
		},
		"Outbox.Insert": func(o domain.OrgTx) error {
			return o.Outbox().Insert(domain.Mail{ID: id[domain.MailID](), To: "x@example.com"})
		},
		"Outbox.List": func(o domain.OrgTx) error {
			all, err := o.Outbox().List(10)
			for _, mail := range all {
				err = without(mail.To == a.invite.Email, err)
			}
			return err
		},
		"Tokens.Warned": func(o domain.OrgTx) error {
			first, err := o.Tokens().Warned(a.token.ID, 1)
			return without(first, err)
		},
		"Feeds.Get": func(o domain.OrgTx) error { return absent(o.Feeds().Get(a.feed)) },
		"Feeds.Lease": func(o domain.OrgTx) error {
			_, err := o.Feeds().Lease(a.feed, "ours", Start.AddDate(50, 0, 0))
			return err
		},
		"Feeds.Advance": func(o domain.OrgTx) error {
			return refused(o.Feeds().Advance(a.feed, "theirs", 7))
		},
		"Feeds.Delay": func(o domain.OrgTx) error {
			return refused(o.Feeds().Delay(domain.Feed{ID: a.feed, Seq: 7}, "theirs", Start))
		},
		"Feeds.Delete": func(o domain.OrgTx) error { return o.Feeds().Delete(a.feed) },
		"Hooks.Get":    func(o domain.OrgTx) error { return absent(o.Hooks().Get(a.hook.ID)) },
		"Hooks.List": func(o domain.OrgTx) error {
			all, err := o.Hooks().List()
			for _, hook := range all {
				err = without(hook.ID == a.hook.ID, err)
			}
			return err
		},
		"Hooks.Insert": func(o domain.OrgTx) error {
			hook := a.hook
			hook.ID = id[domain.HookID]()
			return o.Hooks().Insert(hook)
		},
		"Hooks.Update":  func(o domain.OrgTx) error { return refused(o.Hooks().Update(a.hook)) },
		"Hooks.Delete":  func(o domain.OrgTx) error { return refused(o.Hooks().Delete(a.hook.ID)) },
		"Hooks.Letters": func(o domain.OrgTx) error { return empty(o.Hooks().Letters(a.hook.ID)) },
		"Hooks.Bury": func(o domain.OrgTx) error {
			// A hook of another organization is no hook here; the foreign key refuses it.
			return refused(o.Hooks().Bury(domain.DeadLetter{Hook: a.hook.ID, Event: id[domain.AuditID]()}))
		},
		"Hooks.Unbury": func(o domain.OrgTx) error { return refused(o.Hooks().Unbury(a.letter)) },
	}
}

// chain gives rows a place once, in order, and says who waits.
func (s *suite) chain(t *testing.T) {
	scope := s.org(t)
	first, second := id[domain.AuditID](), id[domain.AuditID]()
	s.write(t, func(tx domain.Tx) error {
		for _, one := range []domain.AuditID{first, second} {
			if err := tx.Org(scope).Audit().Append(domain.AuditEvent{ID: one, At: Start, Operation: "test", Workspace: "w"}); err != nil {
				return err
			}
		}
		return nil
	})
	waiting := func() bool {
		found := false
		s.read(t, func(tx domain.Tx) error {
			orgs, err := tx.System(s.system).Orgs().AuditWaiting(10_000)
			for _, org := range orgs {
				found = found || org == scope.Org()
			}
			return err
		})
		return found
	}
	want(t, "waiting before", waiting(), true)
	s.write(t, func(tx domain.Tx) error {
		audit := tx.Org(scope).Audit()
		head, err := audit.Head()
		want(t, "the head of no chain", head, domain.ChainHead{})
		if err != nil {
			return err
		}
		rows, err := audit.Waiting(10)
		if err != nil {
			return err
		}
		for i := range rows {
			rows[i].Seq, rows[i].Hash = int64(i+1), string(rows[i].ID)
		}
		return audit.Place(rows, domain.ChainHead{Seq: 2, Hash: string(second)})
	})
	want(t, "waiting after", waiting(), false)
	s.read(t, func(tx domain.Tx) error {
		audit := tx.Org(scope).Audit()
		head, err := audit.Head()
		want(t, "Head", head, domain.ChainHead{Seq: 2, Hash: string(second)})
		if err != nil {
			return err
		}
		rows, err := audit.From(1, 10)
		if err == nil {
			want(t, "From", len(rows), 1)
			want(t, "the second row", rows[0].ID, second)
			want(t, "its place", rows[0].Seq, int64(2))
			want(t, "its workspace", rows[0].Workspace, "w")
		}
		return err
	})
}

// feeds are leased by one at a time, and remember how far they came.
func (s *suite) feeds(t *testing.T) {
	scope := s.org(t)
	lease := func(name string) error {
		return s.store.Write(t.Context(), func(tx domain.Tx) error {
			_, err := tx.Org(scope).Feeds().Lease("export", name, tx.Now().Add(time.Hour))
			return err
		})
	}
	if err := lease("a"); err != nil {
		t.Fatal(err)
	}
	wantKind(t, "a second lease", lease("b"), domain.NotFound, "")
	s.write(t, func(tx domain.Tx) error { return tx.Org(scope).Feeds().Advance("export", "a", 5) })
	if err := lease("b"); err != nil {
		t.Fatal(err)
	}
	wantKind(t, "Advance by the old lease", s.store.Write(t.Context(), func(tx domain.Tx) error { return tx.Org(scope).Feeds().Advance("export", "a", 9) }), domain.NotFound, "")
	failed := domain.Feed{ID: "export", Seq: 6, Attempts: 2, LastError: "away"}
	s.write(t, func(tx domain.Tx) error { return tx.Org(scope).Feeds().Delay(failed, "b", tx.Now().Add(time.Hour)) })
	wantKind(t, "a lease while it is paused", lease("c"), domain.NotFound, "")
	s.read(t, func(tx domain.Tx) error {
		got, err := tx.Org(scope).Feeds().Get("export")
		want(t, "Get", got, failed)
		return err
	})
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
