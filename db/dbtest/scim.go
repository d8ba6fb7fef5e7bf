package dbtest

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"muster/domain"
)

func (s *suite) scimUsers(t *testing.T) {
	scope := s.org(t)
	user := s.scimUser(t, scope, domain.Document{
		"externalId": "00u1", "displayName": "Bärbel <&>", "active": false,
		"name":   map[string]any{"givenName": "Bärbel", "familyName": "Jensen"},
		"emails": []any{map[string]any{"value": "B@example.com", "primary": true}, map[string]any{"value": "b@EXAMPLE.com"}},
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": map[string]any{"employeeNumber": "701984", "level": json.Number("12345678901234567890.5")},
	})
	group := s.group(t, scope)
	s.write(t, func(tx domain.Tx) error {
		_, err := tx.Org(scope).GroupMembers().Add(group.ID, []domain.MemberID{user.ID})
		return err
	})
	whole := user
	whole.Groups = []domain.GroupRef{{ID: group.ID, Name: group.DisplayName}}
	s.write(t, func(tx domain.Tx) error {
		users := tx.Org(scope).SCIMUsers()
		got, err := users.Get(user.ID)
		if err != nil {
			return err
		}
		want(t, "Get", got, whole)
		if got, err = users.ByUserName(domain.Fold(user.UserName)); err != nil {
			return err
		}
		want(t, "ByUserName", got, user)
		got, err = users.Lock(user.ID)
		want(t, "Lock", got, whole)
		return err
	})
	s.updateSCIMUser(t, scope, user)
	s.scimUserConflicts(t, scope)
	s.missing(t, scope, user)
}

func (s *suite) updateSCIMUser(t *testing.T, scope domain.OrgScope, user domain.SCIMUser) {
	t.Helper()
	for _, address := range []string{"", "new@example.com"} {
		next := user
		next.Attributes = domain.Document{"userName": unique("renamed"), "externalId": unique("e")}
		if address != "" {
			next.Attributes["emails"] = []any{map[string]any{"value": address}}
		}
		var err error
		if next.Profile, err = domain.ReadProfile(next.Attributes); err != nil {
			t.Fatal(err)
		}
		next.Version, next.UpdatedAt = next.Version+1, Start.Add(time.Hour)
		s.write(t, func(tx domain.Tx) error {
			if _, err := tx.Org(scope).SCIMUsers().Lock(user.ID); err != nil {
				return err
			}
			return tx.Org(scope).SCIMUsers().Update(next)
		})
		s.read(t, func(tx domain.Tx) error {
			got, err := tx.Org(scope).SCIMUsers().Get(user.ID)
			if err != nil {
				return err
			}
			got.Groups = nil
			want(t, "after Update", got, next)
			old, err := tx.Org(scope).SCIMUsers().Query(domain.Query{Count: 10, Filter: eq("emails", "value", "b@example.com")})
			want(t, "the old address finds", old.Total, 0)
			return err
		})
	}
}

func (s *suite) scimUserConflicts(t *testing.T, scope domain.OrgScope) {
	t.Helper()
	taken := s.scimUser(t, scope, domain.Document{"userName": "Taken@example.com", "externalId": "Taken"})
	for field, attributes := range map[string]domain.Document{
		"userName":   {"userName": "tAKEN@example.com"},
		"externalId": {"externalId": "Taken"},
	} {
		fresh := resource(t, s.member(t, scope), attributes)
		err := s.store.Write(t.Context(), func(tx domain.Tx) error { return tx.Org(scope).SCIMUsers().Insert(fresh) })
		wantKind(t, "Insert", err, domain.Conflict, field)
		existing := s.scimUser(t, scope, nil)
		changed := resource(t, domain.Member{ID: existing.ID, User: existing.User}, attributes)
		err = s.store.Write(t.Context(), func(tx domain.Tx) error { return tx.Org(scope).SCIMUsers().Update(changed) })
		wantKind(t, "Update", err, domain.Conflict, field)
	}
	err := s.store.Write(t.Context(), func(tx domain.Tx) error { return tx.Org(scope).SCIMUsers().Insert(taken) })
	wantKind(t, "Insert of the same", err, domain.Conflict, "id")
	// An externalId is compared exactly, and several users may have none.
	s.scimUser(t, scope, domain.Document{"externalId": "tAKEN"})
	for what, value := range map[string]string{"a NUL": "a\x00b", "too long a text": longText()} {
		fresh := resource(t, s.member(t, scope), domain.Document{"userName": value})
		err := s.store.Write(t.Context(), func(tx domain.Tx) error { return tx.Org(scope).SCIMUsers().Insert(fresh) })
		wantKind(t, what, err, domain.Invalid, "userName")
	}
}

// longText is short enough for the rules and, folded, too long for an index.
func longText() string {
	text := ""
	for range 100 {
		text += "\uFDFA" // an Arabic ligature of 18 characters
	}
	return text
}

func (s *suite) missing(t *testing.T, scope domain.OrgScope, user domain.SCIMUser) {
	t.Helper()
	plain := s.member(t, scope) // a member without a SCIM resource
	unknown := id[domain.MemberID]()
	var many []domain.MemberID
	for range 2500 {
		many = append(many, id[domain.MemberID]())
	}
	s.read(t, func(tx domain.Tx) error {
		got, err := tx.Org(scope).SCIMUsers().Missing([]domain.MemberID{unknown, user.ID, plain.ID})
		if err != nil {
			return err
		}
		want(t, "Missing", got, []domain.MemberID{unknown, plain.ID})
		if got, err = tx.Org(scope).SCIMUsers().Missing(many); err != nil {
			return err
		}
		want(t, "Missing of many", got, many)
		return nil
	})
}

func (s *suite) groups(t *testing.T) {
	scope := s.org(t)
	group := s.group(t, scope)
	var bumped domain.Group
	next := group
	next.DisplayName, next.ExternalID = "Renamed", "ext"
	next.Attributes = domain.Document{"displayName": "Renamed", "externalId": "ext", "x": []any{json.Number("1")}}
	next.Mapping = domain.Mapping{Workspaces: map[domain.WorkspaceID]domain.RoleID{"w": domain.RoleWorkViewer}}
	next.Unmapped, next.Explicit, next.UpdatedAt = "why", true, Start.Add(time.Second)
	s.write(t, func(tx domain.Tx) (err error) {
		if bumped, err = tx.Org(scope).Groups().Bump(group.ID); err != nil {
			return err
		}
		return tx.Org(scope).Groups().Update(next)
	})
	want(t, "Bump returns the version before", bumped, group)
	next.Version = group.Version + 1
	s.read(t, func(tx domain.Tx) error {
		got, err := tx.Org(scope).Groups().Get(group.ID)
		want(t, "Get", got, next)
		return err
	})
	s.write(t, func(tx domain.Tx) error {
		return tx.Org(scope).Groups().SetMapping(group.ID, domain.Mapping{OrgRole: domain.RoleOrgUser}, "", false)
	})
	second := s.group(t, scope)
	var names []string
	var mappings []domain.Mapping
	s.read(t, func(tx domain.Tx) error {
		names, mappings = nil, nil
		return tx.Org(scope).Groups().Each(func(g domain.Group) error {
			names, mappings = append(names, g.DisplayName), append(mappings, g.Mapping)
			_, err := tx.Org(scope).Groups().Get(g.ID) // fn may use the transaction
			return err
		})
	})
	want(t, "Each", names, []string{"Renamed", second.DisplayName})
	want(t, "the mappings", mappings, []domain.Mapping{{OrgRole: domain.RoleOrgUser}, {}})
	s.groupConflicts(t, scope, second)
	s.write(t, func(tx domain.Tx) error { return tx.Org(scope).Groups().Delete(group.ID) })
	err := s.store.Write(t.Context(), func(tx domain.Tx) error {
		_, err := tx.Org(scope).Groups().Bump(group.ID)
		return err
	})
	wantKind(t, "Bump after Delete", err, domain.NotFound, "")
}

func (s *suite) groupConflicts(t *testing.T, scope domain.OrgScope, second domain.Group) {
	t.Helper()
	for field, change := range map[string]func(*domain.Group){
		"displayName": func(g *domain.Group) { g.DisplayName = "RENAMED" },
		"externalId":  func(g *domain.Group) { g.ExternalID = "ext" },
	} {
		fresh := domain.Group{ID: id[domain.GroupID](), DisplayName: unique("G"), Attributes: domain.Document{}, Version: 1, CreatedAt: Start, UpdatedAt: Start}
		change(&fresh)
		err := s.store.Write(t.Context(), func(tx domain.Tx) error { return tx.Org(scope).Groups().Insert(fresh) })
		wantKind(t, "Insert", err, domain.Conflict, field)
		changed := second
		change(&changed)
		err = s.store.Write(t.Context(), func(tx domain.Tx) error { return tx.Org(scope).Groups().Update(changed) })
		wantKind(t, "Update", err, domain.Conflict, field)
	}
}

func (s *suite) groupMembers(t *testing.T) {
	scope := s.org(t)
	group := s.group(t, scope)
	var people []domain.SCIMUser
	var ids []domain.MemberID
	for range 5 {
		user := s.scimUser(t, scope, domain.Document{"displayName": unique("Name ")})
		people, ids = append(people, user), append(ids, user.ID)
	}
	change := func(fn func(domain.GroupMemberStore) ([]domain.MemberID, error)) (got []domain.MemberID) {
		t.Helper()
		s.write(t, func(tx domain.Tx) (err error) {
			got, err = fn(tx.Org(scope).GroupMembers())
			return err
		})
		return got
	}
	add := func(members ...domain.MemberID) []domain.MemberID {
		return change(func(g domain.GroupMemberStore) ([]domain.MemberID, error) { return g.Add(group.ID, members) })
	}
	remove := func(members ...domain.MemberID) []domain.MemberID {
		return change(func(g domain.GroupMemberStore) ([]domain.MemberID, error) { return g.Remove(group.ID, members) })
	}
	want(t, "Add", add(ids[0], ids[2], ids[0]), []domain.MemberID{ids[0], ids[2]})
	want(t, "Add again", add(ids...), []domain.MemberID{ids[1], ids[3], ids[4]})
	want(t, "Add of nobody", len(add()), 0)
	want(t, "Remove", remove(ids[1], id[domain.MemberID](), ids[4]), []domain.MemberID{ids[1], ids[4]})
	want(t, "Remove again", len(remove(ids[1])), 0)
	var whole []domain.GroupMember
	for _, i := range []int{0, 2, 3} {
		whole = append(whole, domain.GroupMember{Member: ids[i], Display: people[i].DisplayName})
	}
	for name, c := range map[string]struct {
		after domain.MemberID
		limit int
		want  []domain.GroupMember
	}{
		"all": {"", 0, whole}, "first": {"", 1, whole[:1]}, "rest": {ids[0], 0, whole[1:]}, "next": {ids[0], 1, whole[1:2]}, "none": {ids[4], 0, whole[:0]},
	} {
		s.read(t, func(tx domain.Tx) error {
			got, err := tx.Org(scope).GroupMembers().List(group.ID, c.after, c.limit)
			want(t, "List "+name, got, c.want)
			return err
		})
	}
	addOne := func(group domain.GroupID, member domain.MemberID) (added []domain.MemberID, err error) {
		err = s.store.Write(t.Context(), func(tx domain.Tx) error {
			added, err = tx.Org(scope).GroupMembers().Add(group, []domain.MemberID{member})
			return err
		})
		return added, err
	}
	_, err := addOne(id[domain.GroupID](), ids[0])
	wantKind(t, "Add to an unknown group", err, domain.NotFound, "")
	added, err := addOne(group.ID, id[domain.MemberID]())
	want(t, "Add of an unknown member", added, nil)
	want(t, "Add of an unknown member", err, nil)
	s.manyMembers(t, scope)
}

// manyMembers goes over the size of one statement.
func (s *suite) manyMembers(t *testing.T, scope domain.OrgScope) {
	t.Helper()
	const many = 2100
	group := s.group(t, scope)
	ids := make([]domain.MemberID, many)
	s.write(t, func(tx domain.Tx) error {
		for i := range ids {
			ids[i] = id[domain.MemberID]()
			if err := s.insertPerson(t, tx, scope, ids[i]); err != nil {
				return err
			}
		}
		return nil
	})
	shuffled := slices.Clone(ids)
	slices.Reverse(shuffled)
	role := domain.Held{Grant: domain.Grant{Kind: domain.GrantGroup, Role: domain.RoleOrgViewer, At: Start}}
	changes := make([]domain.AccessChange, many)
	for i, id := range shuffled {
		changes[i] = domain.AccessChange{Member: id, Org: &role}
	}
	var added []domain.MemberID
	s.write(t, func(tx domain.Tx) (err error) {
		if err := tx.Org(scope).Members().Lock(shuffled); err != nil {
			return err
		}
		if added, err = tx.Org(scope).GroupMembers().Add(group.ID, shuffled); err != nil {
			return err
		}
		return tx.Org(scope).Access().Save(changes)
	})
	want(t, "Add of many", added, ids)
	s.read(t, func(tx domain.Tx) error {
		holdings, err := tx.Org(scope).Access().Load(ids)
		want(t, "Load of many", len(holdings), many)
		for _, holding := range holdings {
			if holding.Org.Role != domain.RoleOrgViewer {
				t.Fatal("Save left somebody out")
			}
		}
		return err
	})
}

func (s *suite) insertPerson(t *testing.T, tx domain.Tx, scope domain.OrgScope, member domain.MemberID) error {
	t.Helper()
	user := domain.User{ID: id[domain.UserID](), CreatedAt: Start}
	if _, err := tx.System(s.system).Users().Insert(user); err != nil {
		return err
	}
	made := domain.Member{ID: member, User: user.ID, Status: domain.Active, Role: domain.Held{Grant: domain.Grant{Role: domain.RoleOrgUser}}}
	if _, err := tx.Org(scope).Members().Insert(made); err != nil {
		return err
	}
	return tx.Org(scope).SCIMUsers().Insert(resource(t, made, nil))
}

// paging walks a list in pages whose sizes do not divide it, with a filter and without.
func (s *suite) paging(t *testing.T) {
	scope := s.org(t)
	const people = 23
	var all []domain.MemberID
	for range people {
		all = append(all, s.scimUser(t, scope, domain.Document{"displayName": "Same", "title": "same"}).ID)
	}
	for name, filter := range map[string]domain.Filter{
		"no filter": nil, "by SQL": eq("displayName", "", "SAME"), "by Match": eq("title", "", "SAME"),
	} {
		for _, size := range []int{1, 7, people, people + 1} {
			var walked []domain.MemberID
			for offset := 0; offset < people+size; offset += size {
				s.read(t, func(tx domain.Tx) error {
					page, err := tx.Org(scope).SCIMUsers().Query(domain.Query{Filter: filter, Offset: offset, Count: size})
					if page.Total != people {
						t.Errorf("%s, offset %d, count %d: total %d, want %d", name, offset, size, page.Total, people)
					}
					walked = append(walked, idsOf(page.Items, func(u domain.SCIMUser) domain.MemberID { return u.ID })...)
					return err
				})
			}
			want(t, name, walked, all)
		}
		s.read(t, func(tx domain.Tx) error { // S40: a count of zero asks for the total
			page, err := tx.Org(scope).SCIMUsers().Query(domain.Query{Filter: filter})
			want(t, name+", count 0", page, domain.Result[domain.SCIMUser]{Total: people, Scanned: page.Scanned})
			return err
		})
	}
}
