package db

import (
	"slices"

	"muster/domain"
)

// listedUserRow is a SCIM user with its groups, which come as one JSON text.
type listedUserRow struct {
	scimUserRow

	Groups string `db:"groups"`
	Key    string `db:"sort_key"`
}

// Query implements domain.SCIMUserStore; groups come with the rows.
func (s scimUserStore) Query(q domain.Query) (domain.Result[domain.SCIMUser], error) {
	needsManagers := refersTo(q, domain.EnterpriseURN, "manager")
	return run(s.handle, q, found[domain.SCIMUser]{
		table: "scim_users", columns: s.listedColumns(), fields: s.filterable(),
		read: func(exact bool, query string, args ...any) ([]row[domain.SCIMUser], error) {
			var rows []listedUserRow
			if err := s.all(&rows, query, args...); err != nil {
				return nil, err
			}
			return convert(rows, func(r listedUserRow) (row[domain.SCIMUser], error) {
				user, err := r.user(q.Raw && exact)
				return row[domain.SCIMUser]{item: user, id: string(user.ID), key: r.Key}, err
			})
		},
		complete: func(rows []row[domain.SCIMUser]) error {
			if !needsManagers {
				return nil
			}
			return s.nameManagers(rows)
		},
		document: func(u domain.SCIMUser) domain.Document { return userDocument(q, u) },
		count:    s.count,
	})
}

// listedColumns are a user's, with the groups as a list of ids and names.
func (s scimUserStore) listedColumns() string {
	return scimUserColumns + `, COALESCE((SELECT ` + s.dialect.pairs("g.id", "g.display_name") + ` FROM group_members gm
		JOIN scim_groups g ON g.org_id = gm.org_id AND g.id = gm.group_id
		WHERE gm.org_id = scim_users.org_id AND gm.member_id = scim_users.id), '') AS groups`
}

// user reads the row; raw leaves the document as text.
func (r listedUserRow) user(raw bool) (domain.SCIMUser, error) {
	user := domain.SCIMUser{
		ID: r.ID, User: r.User, Text: r.Data, Version: r.Version, CreatedAt: moment(r.CreatedAt), UpdatedAt: moment(r.UpdatedAt),
	}
	if !raw {
		var err error
		if user, err = r.scimUser(); err != nil {
			return user, err
		}
	}
	if len(r.Groups) <= len("[]") {
		return user, nil
	}
	var pairs [][2]string
	if err := decode(r.Groups, &pairs); err != nil {
		return user, err
	}
	for _, pair := range pairs {
		user.Groups = append(user.Groups, domain.GroupRef{ID: domain.GroupID(pair[0]), Name: pair[1]})
	}
	return user, nil
}

func (s scimUserStore) filterable() filterable {
	return filterable{
		dialect: s.dialect, org: s.org, id: "id", active: "active", resourceType: "User",
		columns: map[string]column{
			"id":          {name: "id", canonical: true},
			"userName":    {name: "user_name_key", folded: true},
			"externalId":  {name: "external_id", optional: true},
			"displayName": {name: "display_name_key", folded: true, optional: true},
		},
		times: map[string]string{"meta.created": "created_at", "meta.lastModified": "updated_at"},
		sets: map[string]set{
			"emails.value": {query: "SELECT member_id FROM scim_emails WHERE org_id = ?", value: column{name: "value_key", folded: true, optional: true}},
			"groups.value": {query: "SELECT member_id FROM group_members WHERE org_id = ?", value: column{name: "group_id", canonical: true, optional: true}},
		},
	}
}

// userDocument fills in "active", which a document may leave out although it always has a value, and what is computed.
func userDocument(q domain.Query, u domain.SCIMUser) domain.Document {
	doc := withLocation(q, document(u.Attributes, "User", string(u.ID), u.Version, u.CreatedAt, u.UpdatedAt), "User", string(u.ID))
	doc["active"] = u.Active
	groups := make([]any, len(u.Groups))
	for i, group := range u.Groups {
		groups[i] = withRef(q, map[string]any{"value": string(group.ID), "display": group.Name, "type": "direct"}, "Group", string(group.ID))
	}
	doc["groups"] = groups
	return doc
}

// withRef adds where the resource is that an element points to.
func withRef(q domain.Query, element map[string]any, resourceType, id string) map[string]any {
	if q.Location != nil {
		element["$ref"] = q.Location(resourceType, id)
	}
	return element
}

// nameManagers puts the names of managers into the documents, which a filter may ask for.
func (s scimUserStore) nameManagers(rows []row[domain.SCIMUser]) error {
	var references []string
	for _, r := range rows {
		if reference := r.item.Manager(); reference != "" {
			references = append(references, reference)
		}
	}
	people, err := s.People(references)
	if err != nil {
		return err
	}
	for _, r := range rows {
		r.item.NameManager(people)
	}
	return nil
}

// People implements domain.SCIMUserStore; an id wins over an externalId.
func (s scimUserStore) People(references []string) (map[string]domain.Person, error) {
	people := make(map[string]domain.Person, len(references))
	for _, column := range []string{"external_id", "id"} {
		for some := range slices.Chunk(references, chunk) {
			var rows []struct {
				Reference string          `db:"reference"`
				ID        domain.MemberID `db:"id"`
				Name      string          `db:"full_name"`
			}
			err := s.all(&rows, "SELECT "+column+" AS reference, id, full_name FROM scim_users WHERE org_id = ? AND "+column+" <> '' AND "+column+" "+s.dialect.in(len(some)),
				s.org, texts(some))
			if err != nil {
				return nil, err
			}
			for _, row := range rows {
				people[row.Reference] = domain.Person{ID: row.ID, Name: row.Name}
			}
		}
	}
	return people, s.refused
}

// count adds up what the shards count (see countUsers).
func (s scimUserStore) count() (int, error) {
	var n int
	err := s.get("", &n, "SELECT COALESCE(SUM(users), 0) FROM scim_counts WHERE org_id = ?", s.org)
	return n, err
}
