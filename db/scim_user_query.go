package db

import (
	"slices"

	"muster/domain"
)

// Query implements domain.SCIMUserStore.
func (s scimUserStore) Query(q domain.Query) (domain.Result[domain.SCIMUser], error) {
	needsGroups := mentions(q.Filter, "groups")
	result, err := run(s.handle, q, found[domain.SCIMUser]{
		table: "scim_users", columns: scimUserColumns, fields: s.filterable(),
		read: func(query string, args ...any) ([]domain.SCIMUser, error) {
			var rows []scimUserRow
			if err := s.all(&rows, query, args...); err != nil {
				return nil, err
			}
			return convert(rows, scimUserRow.scimUser)
		},
		id: func(u domain.SCIMUser) string { return string(u.ID) },
		complete: func(users []domain.SCIMUser) error {
			if !needsGroups {
				return nil
			}
			return s.addGroups(users)
		},
		document: userDocument,
	})
	if err != nil {
		return result, err
	}
	for i := range result.Items {
		result.Items[i].Groups = nil
	}
	return result, s.addGroups(result.Items)
}

func (s scimUserStore) filterable() filterable {
	return filterable{
		dialect: s.dialect, org: s.org, id: "id", active: "active",
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

// userDocument fills in "active", which a document may leave out although it always has a value.
func userDocument(u domain.SCIMUser) domain.Document {
	doc := document(u.Attributes, "User", string(u.ID), u.Version, u.CreatedAt, u.UpdatedAt)
	doc["active"] = u.Active
	groups := make([]any, len(u.Groups))
	for i, group := range u.Groups {
		groups[i] = map[string]any{"value": string(group.ID), "display": group.Name, "type": "direct"}
	}
	doc["groups"] = groups
	return doc
}

// addGroups fills in the groups of many users with one statement a chunk.
func (s scimUserStore) addGroups(users []domain.SCIMUser) error {
	at := make(map[domain.MemberID]int, len(users))
	ids := make([]domain.MemberID, len(users))
	for i, user := range users {
		at[user.ID], ids[i] = i, user.ID
	}
	for some := range slices.Chunk(ids, chunk) {
		var rows []struct {
			Member domain.MemberID `db:"member_id"`
			ID     domain.GroupID  `db:"id"`
			Name   string          `db:"display_name"`
		}
		err := s.all(&rows, `SELECT gm.member_id, g.id, g.display_name
			FROM group_members gm JOIN scim_groups g ON g.org_id = gm.org_id AND g.id = gm.group_id
			WHERE gm.org_id = ? AND gm.member_id `+s.dialect.in(len(some))+` ORDER BY gm.member_id, g.id`, s.org, texts(some))
		if err != nil {
			return err
		}
		for _, row := range rows {
			user := &users[at[row.Member]]
			user.Groups = append(user.Groups, domain.GroupRef{ID: row.ID, Name: row.Name})
		}
	}
	return nil
}
