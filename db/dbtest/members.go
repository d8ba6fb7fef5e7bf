package dbtest

import (
	"testing"
	"time"

	"muster/domain"
)

func (s *suite) members(t *testing.T) {
	scope := s.org(t)
	member := s.member(t, scope)
	twin := member
	twin.ID = id[domain.MemberID]()
	var twice bool
	s.write(t, func(tx domain.Tx) (err error) {
		twice, err = tx.Org(scope).Members().Insert(twin)
		return err
	})
	want(t, "Insert of a user who is a member", twice, false)
	s.read(t, func(tx domain.Tx) error {
		got, err := tx.Org(scope).Members().Get(member.ID)
		if err != nil {
			return err
		}
		want(t, "Get", got, member)
		got, err = tx.Org(scope).Members().ByUser(member.User)
		want(t, "ByUser", got, member)
		return err
	})
	admin := s.member(t, scope)
	var counts []int
	s.write(t, func(tx domain.Tx) error {
		members := tx.Org(scope).Members()
		counts = counts[:0]
		count := func() error {
			admins, err := members.CountAdmins()
			counts = append(counts, admins)
			return err
		}
		held := domain.Held{Grant: domain.Grant{Kind: domain.GrantManual, Role: domain.RoleOrgAdmin, At: Start}}
		for _, step := range []func() error{
			count,
			func() error {
				return tx.Org(scope).Access().Save([]domain.AccessChange{{Member: admin.ID, Org: &held}})
			},
			count,
			func() error { return members.SetStatus(admin.ID, domain.Disabled) },
			count,
			func() error {
				return members.Lock([]domain.MemberID{member.ID, admin.ID, member.ID, id[domain.MemberID]()})
			},
		} {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
	want(t, "CountAdmins", counts, []int{0, 1, 0}) // R8
	s.deleteMember(t, scope)
}

// R28: a membership takes everything that hangs on it with it.
func (s *suite) deleteMember(t *testing.T, scope domain.OrgScope) {
	t.Helper()
	user, group := s.scimUser(t, scope, domain.Document{"emails": []any{map[string]any{"value": unique("e") + "@example.com"}}}), s.group(t, scope)
	s.write(t, func(tx domain.Tx) error {
		if _, err := tx.Org(scope).GroupMembers().Add(group.ID, []domain.MemberID{user.ID}); err != nil {
			return err
		}
		return tx.Org(scope).Members().Delete(user.ID)
	})
	s.read(t, func(tx domain.Tx) error {
		org := tx.Org(scope)
		_, err := org.SCIMUsers().Get(user.ID)
		wantKind(t, "the SCIM user", err, domain.NotFound, "")
		_, err = org.Members().Get(user.ID)
		wantKind(t, "the member", err, domain.NotFound, "")
		members, err := org.GroupMembers().List(group.ID, "", 0)
		want(t, "the group's members", members, []domain.GroupMember{})
		return err
	})
	err := s.store.Write(t.Context(), func(tx domain.Tx) error { return tx.Org(scope).Members().Delete(user.ID) })
	wantKind(t, "Delete again", err, domain.NotFound, "")
}

func (s *suite) memberList(t *testing.T) {
	scope := s.org(t)
	workspace := domain.Workspace{ID: id[domain.WorkspaceID](), DisplayName: "Lab", CreatedAt: Start}
	s.write(t, func(tx domain.Tx) error { return tx.Org(scope).Workspaces().Insert(workspace) })
	anna := s.named(t, scope, "Anna Weiß", "anna@example.com", domain.RoleOrgViewer)
	bert := s.named(t, scope, "bert Zuse", "zuse@example.com", domain.RoleOrgAdmin)
	cleo := s.named(t, scope, "Cleo", "cleo@EXAMPLE.com", domain.RoleOrgUser)
	identity := domain.Identity{ID: id[domain.IdentityID](), User: cleo.User, Issuer: "i", Subject: unique("s"), CreatedAt: Start}
	held := domain.Held{Grant: domain.Grant{Kind: domain.GrantManual, Role: domain.RoleWorkEditor, At: Start}}
	s.write(t, func(tx domain.Tx) error {
		if _, err := tx.System(s.system).Identities().Insert(identity); err != nil {
			return err
		}
		if err := tx.Org(scope).SCIMUsers().Insert(resource(t, bert, nil)); err != nil {
			return err
		}
		if err := tx.Org(scope).Members().SetStatus(bert.ID, domain.Disabled); err != nil {
			return err
		}
		return tx.Org(scope).Access().Save([]domain.AccessChange{{Member: cleo.ID, Put: map[domain.WorkspaceID]domain.Held{workspace.ID: held}}})
	})
	window := func(limit, offset int) domain.Window { return domain.Window{Limit: limit, Offset: offset} }
	for name, c := range map[string]struct {
		query domain.MemberQuery
		want  []domain.Member
	}{
		"all":              {domain.MemberQuery{}, []domain.Member{anna, bert, cleo}},
		"newest first":     {domain.MemberQuery{SortBy: "created_at", Descending: true}, []domain.Member{cleo, bert, anna}},
		"by name":          {domain.MemberQuery{SortBy: "name", Window: window(2, 1)}, []domain.Member{bert, cleo}},
		"by address":       {domain.MemberQuery{SortBy: "email", Descending: true}, []domain.Member{bert, cleo, anna}},
		"by role":          {domain.MemberQuery{SortBy: "role"}, []domain.Member{bert, cleo, anna}},
		"addresses":        {domain.MemberQuery{Emails: []string{"CLEO@example.com", "x@example.com"}}, []domain.Member{cleo}},
		"ids":              {domain.MemberQuery{IDs: []domain.MemberID{anna.ID, cleo.ID}}, []domain.Member{anna, cleo}},
		"users":            {domain.MemberQuery{UserIDs: []domain.UserID{bert.User}}, []domain.Member{bert}},
		"search a name":    {domain.MemberQuery{Search: "WEISS"}, []domain.Member{anna}},
		"search addresses": {domain.MemberQuery{Search: "@example"}, []domain.Member{anna, bert, cleo}},
		"search a percent": {domain.MemberQuery{Search: "%"}, []domain.Member{}},
		"active":           {domain.MemberQuery{Status: domain.Active}, []domain.Member{anna, cleo}},
		"workspace":        {domain.MemberQuery{Workspace: workspace.ID}, []domain.Member{cleo}},
	} {
		s.read(t, func(tx domain.Tx) error {
			got, err := tx.Org(scope).Members().List(c.query)
			want(t, name, idsOf(got, func(v domain.MemberView) domain.MemberID { return v.ID }), idsOf(c.want, func(m domain.Member) domain.MemberID { return m.ID }))
			return err
		})
	}
	bert.Status = domain.Disabled
	s.read(t, func(tx domain.Tx) error {
		got, err := tx.Org(scope).Members().List(domain.MemberQuery{})
		want(t, "views", got, []domain.MemberView{
			{Member: anna, Email: "anna@example.com", FullName: "Anna Weiß"},
			{Member: bert, Email: "zuse@example.com", FullName: "bert Zuse", SCIM: true},
			{
				Member: cleo, Email: "cleo@EXAMPLE.com", FullName: "Cleo", Identities: []domain.Identity{identity},
				Workspaces: []domain.WorkspaceHeld{{Workspace: workspace.ID, Name: "Lab", Held: held}},
			},
		})
		return err
	})
}

// named makes a member with a name, an address and a role.
func (s *suite) named(t *testing.T, scope domain.OrgScope, name, email string, role domain.RoleID) domain.Member {
	t.Helper()
	member := s.member(t, scope)
	member.Role.Role = role
	s.write(t, func(tx domain.Tx) error {
		if err := tx.System(s.system).Users().Update(domain.User{ID: member.User, FullName: name, Email: email}); err != nil {
			return err
		}
		return tx.Org(scope).Access().Save([]domain.AccessChange{{Member: member.ID, Org: &member.Role}})
	})
	return member
}

func (s *suite) access(t *testing.T) {
	scope := s.org(t)
	user, other := s.scimUser(t, scope, nil), s.scimUser(t, scope, nil)
	var workspaces []domain.WorkspaceID
	for range 3 {
		workspace := domain.Workspace{ID: id[domain.WorkspaceID](), DisplayName: unique("W"), CreatedAt: Start}
		workspaces = append(workspaces, workspace.ID)
		s.write(t, func(tx domain.Tx) error { return tx.Org(scope).Workspaces().Insert(workspace) })
	}
	grant := func(kind domain.GrantKind, role domain.RoleID) domain.Grant {
		return domain.Grant{Kind: kind, Role: role, Source: "source", SourceName: "Größe", At: Start.Add(time.Microsecond)}
	}
	replaced := grant(domain.GrantManual, domain.RoleWorkViewer)
	orgRole := domain.Held{Grant: grant(domain.GrantGroup, domain.RoleOrgOperator), Replaced: &replaced}
	first := domain.Held{Grant: grant(domain.GrantJIT, domain.RoleWorkEditor)}
	second := domain.Held{Grant: grant(domain.GrantGroup, domain.RoleWorkAdmin), Replaced: &replaced}
	s.write(t, func(tx domain.Tx) error {
		access := tx.Org(scope).Access()
		err := access.Save([]domain.AccessChange{
			{Member: user.ID, Org: &orgRole, Put: map[domain.WorkspaceID]domain.Held{workspaces[0]: first, workspaces[1]: first}},
			{Member: other.ID, Put: map[domain.WorkspaceID]domain.Held{workspaces[0]: second}},
		})
		if err != nil {
			return err
		}
		return access.Save([]domain.AccessChange{{
			Member: user.ID, Put: map[domain.WorkspaceID]domain.Held{workspaces[1]: second, workspaces[2]: first}, Drop: []domain.WorkspaceID{workspaces[0]},
		}})
	})
	s.read(t, func(tx domain.Tx) error {
		got, err := tx.Org(scope).Access().Load([]domain.MemberID{user.ID, other.ID, id[domain.MemberID]()})
		want(t, "Load", got, map[domain.MemberID]domain.Holding{
			user.ID: {Org: orgRole, Workspaces: map[domain.WorkspaceID]domain.Held{workspaces[1]: second, workspaces[2]: first}},
			other.ID: {
				Org:        domain.Held{Grant: domain.Grant{Kind: domain.GrantManual, Role: domain.RoleOrgUser, At: Start}},
				Workspaces: map[domain.WorkspaceID]domain.Held{workspaces[0]: second},
			},
		})
		return err
	})
	s.accessGroups(t, scope, user, workspaces[0])
}

// accessGroups leaves out a group that gives nothing.
func (s *suite) accessGroups(t *testing.T, scope domain.OrgScope, user domain.SCIMUser, workspace domain.WorkspaceID) {
	t.Helper()
	silent, speaking := s.group(t, scope), s.group(t, scope)
	mapping := domain.Mapping{OrgRole: domain.RoleOrgUser, Workspaces: map[domain.WorkspaceID]domain.RoleID{workspace: domain.RoleWorkEditor}}
	s.write(t, func(tx domain.Tx) error {
		for _, group := range []domain.Group{silent, speaking} {
			if _, err := tx.Org(scope).GroupMembers().Add(group.ID, []domain.MemberID{user.ID}); err != nil {
				return err
			}
		}
		return tx.Org(scope).Groups().SetMapping(speaking.ID, mapping, "", false)
	})
	s.read(t, func(tx domain.Tx) error {
		got, err := tx.Org(scope).Access().Groups([]domain.MemberID{user.ID, id[domain.MemberID]()})
		want(t, "Groups", got, map[domain.MemberID][]domain.GroupGrants{
			user.ID: {{ID: speaking.ID, Name: speaking.DisplayName, Created: Start, Mapping: mapping}},
		})
		return err
	})
}
