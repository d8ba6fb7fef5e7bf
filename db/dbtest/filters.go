package dbtest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"muster/domain"
)

// filters asks random filters of people and groups and compares with Match over the same documents.
// The random source is fixed, so that a failure comes again.
func (s *suite) filters(t *testing.T) {
	scope := s.org(t)
	random := rand.New(rand.NewPCG(20260301, 7))
	group := s.group(t, scope)
	users := s.people(t, scope, random, group)
	docs := make([]domain.Document, len(users))
	ids := make([]domain.MemberID, len(users))
	for i, user := range users {
		docs[i], ids[i] = s.userDocument(t, scope, user.ID), user.ID
	}
	choice := filterChoice{random: random, ids: ids, group: group.ID}
	for n := range 600 {
		filter := choice.filter(3)
		var expected []domain.MemberID
		for i, doc := range docs {
			if filter.Match(doc) {
				expected = append(expected, ids[i])
			}
		}
		s.read(t, func(tx domain.Tx) error {
			got, err := tx.Org(scope).SCIMUsers().Query(domain.Query{Filter: filter, Count: len(users)})
			found := idsOf(got.Items, func(u domain.SCIMUser) domain.MemberID { return u.ID })
			if got.Total != len(expected) || len(found) != len(expected) || len(found) > 0 && fmt.Sprint(found) != fmt.Sprint(expected) {
				t.Errorf("filter %d %+v:\n got %d %v\nwant %d %v", n, filter, got.Total, found, len(expected), expected)
			}
			return err
		})
	}
	s.groupFilters(t, scope, group, ids[0])
}

// people makes users whose attributes overlap, and puts half of them into the group.
func (s *suite) people(t *testing.T, scope domain.OrgScope, random *rand.Rand, group domain.Group) []domain.SCIMUser {
	t.Helper()
	var users []domain.SCIMUser
	for i := range 40 {
		attributes := domain.Document{"userName": fmt.Sprintf("%s%d", pick(random, "Anna", "anna", "Bert", "ß"), i)}
		if random.IntN(3) > 0 {
			attributes["displayName"] = pick(random, "", "Anna", "ANNA B", "Bert", "ßx")
		}
		if random.IntN(3) > 0 {
			attributes["externalId"] = fmt.Sprintf("%s%d", pick(random, "E", "e"), i)
		}
		if random.IntN(2) > 0 {
			attributes["active"] = random.IntN(2) > 0
		}
		if random.IntN(2) > 0 {
			attributes["title"] = pick(random, "Anna", "boss")
		}
		var emails []any
		for range random.IntN(3) {
			emails = append(emails, map[string]any{
				"value": fmt.Sprintf("%s%d@example.com", pick(random, "Anna", "bert"), random.IntN(5)), "type": pick(random, "work", "home"),
			})
		}
		if emails != nil {
			attributes["emails"] = emails
		}
		user := resource(t, s.member(t, scope), attributes)
		user.CreatedAt, user.UpdatedAt = Start.Add(time.Duration(i)*time.Microsecond), Start.Add(time.Duration(random.IntN(5))*time.Microsecond)
		users = append(users, user)
		s.write(t, func(tx domain.Tx) error {
			if err := tx.Org(scope).SCIMUsers().Insert(user); err != nil || i%2 == 0 {
				return err
			}
			_, err := tx.Org(scope).GroupMembers().Add(group.ID, []domain.MemberID{user.ID})
			return err
		})
	}
	return users
}

// userDocument is what a filter sees: the resource as the protocol shows it.
func (s *suite) userDocument(t *testing.T, scope domain.OrgScope, id domain.MemberID) domain.Document {
	t.Helper()
	var user domain.SCIMUser
	s.read(t, func(tx domain.Tx) (err error) {
		user, err = tx.Org(scope).SCIMUsers().Get(id)
		return err
	})
	doc := maps.Clone(user.Attributes)
	doc["id"], doc["active"] = string(user.ID), user.Active
	doc["meta"] = map[string]any{
		"resourceType": "User", "version": fmt.Sprintf(`W/"%d"`, user.Version),
		"created": user.CreatedAt.Format(time.RFC3339Nano), "lastModified": user.UpdatedAt.Format(time.RFC3339Nano),
	}
	groups := []any{}
	for _, group := range user.Groups {
		groups = append(groups, map[string]any{"value": string(group.ID), "display": group.Name})
	}
	doc["groups"] = groups
	return doc
}

// filterChoice makes random filters.
type filterChoice struct {
	random *rand.Rand
	ids    []domain.MemberID
	group  domain.GroupID
}

func pick[T any](random *rand.Rand, from ...T) T { return from[random.IntN(len(from))] }

func (c filterChoice) filter(depth int) domain.Filter {
	if depth == 0 || c.random.IntN(3) == 0 {
		return c.leaf()
	}
	switch c.random.IntN(3) {
	case 0:
		return domain.And{Left: c.filter(depth - 1), Right: c.filter(depth - 1)}
	case 1:
		return domain.Or{Left: c.filter(depth - 1), Right: c.filter(depth - 1)}
	default:
		return domain.Not{Operand: c.filter(depth - 1)}
	}
}

func (c filterChoice) leaf() domain.Filter {
	attr := pick(c.random,
		domain.Attr{Name: "userName"}, domain.Attr{Name: "userName", CaseExact: true}, domain.Attr{Name: "displayName"},
		domain.Attr{Name: "externalId", CaseExact: true}, domain.Attr{Name: "externalId"}, domain.Attr{Name: "title"},
		domain.Attr{Name: "emails", Sub: "value"}, domain.Attr{Name: "emails", Sub: "type"}, domain.Attr{Name: "groups", Sub: "display"},
		domain.Attr{Name: "nothing", Unknown: true},
	)
	ops := []domain.FilterOp{
		domain.OpEqual, domain.OpNotEqual, domain.OpContains, domain.OpStartsWith, domain.OpEndsWith,
		domain.OpGreater, domain.OpGreaterOrEqual, domain.OpLess, domain.OpLessOrEqual,
	}
	text := pick(c.random, "", "anna", "Anna", "a", "ß", "SS", "bert", "anna1@example.com", "E1", "e2", "work", "\U0010FFFF", "a\x00", "group")
	switch c.random.IntN(8) {
	case 0:
		return domain.Present{Attr: attr}
	case 1:
		value := Start.Add(time.Duration(c.random.IntN(80)) * 500 * time.Nanosecond)
		return domain.Compare{Attr: domain.Attr{Name: "meta", Sub: pick(c.random, "created", "lastModified"), Type: domain.TypeDateTime}, Op: pick(c.random, ops...), Value: value}
	case 2:
		return domain.Compare{Attr: domain.Attr{Name: "active", Type: domain.TypeBoolean}, Op: pick(c.random, domain.OpEqual, domain.OpNotEqual), Value: c.random.IntN(2) > 0}
	case 3:
		inner := domain.Filter(domain.Compare{Attr: domain.Attr{Name: "value"}, Op: pick(c.random, ops...), Value: text})
		if c.random.IntN(2) > 0 {
			inner = domain.And{Left: eq("type", "", "work"), Right: inner}
		}
		return domain.ValuePath{Attr: domain.Attr{Name: "emails", Type: domain.TypeComplex}, Inner: inner}
	case 4:
		return domain.Compare{Attr: domain.Attr{Name: "id", CaseExact: true}, Op: pick(c.random, ops...), Value: string(pick(c.random, c.ids...))}
	case 5:
		return domain.Compare{Attr: domain.Attr{Name: "groups", Sub: "value"}, Op: pick(c.random, ops...), Value: string(c.group)}
	default:
		return domain.Compare{Attr: attr, Op: pick(c.random, ops...), Value: text}
	}
}

func (s *suite) groupFilters(t *testing.T, scope domain.OrgScope, group domain.Group, outside domain.MemberID) {
	t.Helper()
	var members []domain.GroupMember
	s.read(t, func(tx domain.Tx) (err error) {
		members, err = tx.Org(scope).GroupMembers().List(group.ID, "", 0)
		return err
	})
	empty := s.group(t, scope)
	in := eq("members", "value", string(members[0].Member))
	for name, c := range map[string]struct {
		filter domain.Filter
		want   []domain.GroupID
	}{
		"a member":             {in, []domain.GroupID{group.ID}},
		"not a member":         {domain.Not{Operand: in}, []domain.GroupID{empty.ID}},
		"somebody else":        {eq("members", "value", string(outside)), []domain.GroupID{}},
		"value path":           {domain.ValuePath{Attr: domain.Attr{Name: "members"}, Inner: eq("value", "", string(members[0].Member))}, []domain.GroupID{group.ID}},
		"a member's display":   {eq("members", "display", members[0].Display), []domain.GroupID{group.ID}},
		"displayName":          {eq("displayName", "", domain.Fold(empty.DisplayName)), []domain.GroupID{empty.ID}},
		"displayName sw":       {domain.Compare{Attr: domain.Attr{Name: "displayName"}, Op: domain.OpStartsWith, Value: "GROUP"}, []domain.GroupID{group.ID, empty.ID}},
		"displayName or id":    {domain.Or{Left: eq("displayName", "", empty.DisplayName), Right: eq("id", "", string(group.ID))}, []domain.GroupID{group.ID, empty.ID}},
		"externalId pr":        {domain.Present{Attr: domain.Attr{Name: "externalId", CaseExact: true}}, []domain.GroupID{}},
		"meta.resourceType":    {eq("meta", "resourceType", "group"), []domain.GroupID{group.ID, empty.ID}},
		"an unknown attribute": {domain.Present{Attr: domain.Attr{Name: "x", Unknown: true}}, []domain.GroupID{}},
	} {
		s.read(t, func(tx domain.Tx) error {
			got, err := tx.Org(scope).Groups().Query(domain.Query{Filter: c.filter, Count: 10})
			want(t, name, idsOf(got.Items, func(g domain.Group) domain.GroupID { return g.ID }), c.want)
			want(t, name+": total", got.Total, len(c.want))
			return err
		})
	}
}
