package db

import (
	"slices"

	"muster/domain"
)

// Query implements domain.GroupStore.
func (s groupStore) Query(q domain.Query, withMembers bool) (domain.Result[domain.Group], error) {
	needsMembers := mentions(q.Filter, "members")
	result, err := run(s.handle, q, found[domain.Group]{
		table: "scim_groups", columns: groupColumns, fields: s.filterable(),
		read: func(query string, args ...any) ([]domain.Group, error) {
			var rows []groupRow
			if err := s.all(&rows, query, args...); err != nil {
				return nil, err
			}
			return convert(rows, groupRow.group)
		},
		id: func(g domain.Group) string { return string(g.ID) },
		complete: func(groups []domain.Group) error {
			if !needsMembers {
				return nil
			}
			return s.addMembers(groups)
		},
		document: groupDocument,
	})
	if err != nil {
		return result, err
	}
	for i := range result.Items {
		result.Items[i].Members = nil
	}
	if !withMembers {
		return result, nil
	}
	return result, s.addMembers(result.Items)
}

func (s groupStore) filterable() filterable {
	return filterable{
		dialect: s.dialect, org: s.org, id: "id",
		columns: map[string]column{
			"id":          {name: "id", canonical: true},
			"displayName": {name: "display_name_key", folded: true},
			"externalId":  {name: "external_id", optional: true},
		},
		times: map[string]string{"meta.created": "created_at", "meta.lastModified": "updated_at"},
		sets: map[string]set{
			"members.value": {query: "SELECT group_id FROM group_members WHERE org_id = ?", value: column{name: "member_id", canonical: true, optional: true}},
		},
	}
}

func groupDocument(g domain.Group) domain.Document {
	doc := document(g.Attributes, "Group", string(g.ID), g.Version, g.CreatedAt, g.UpdatedAt)
	members := make([]any, len(g.Members))
	for i, member := range g.Members {
		members[i] = map[string]any{"value": string(member.Member), "display": member.Display, "type": "User"}
	}
	doc["members"] = members
	return doc
}

// addMembers fills in the members of many groups with one statement a chunk.
func (s groupStore) addMembers(groups []domain.Group) error {
	at := make(map[domain.GroupID]int, len(groups))
	ids := make([]domain.GroupID, len(groups))
	for i, group := range groups {
		at[group.ID], ids[i] = i, group.ID
	}
	for some := range slices.Chunk(ids, chunk) {
		var rows []struct {
			groupMemberRow

			Group domain.GroupID `db:"group_id"`
		}
		err := s.all(&rows, `SELECT gm.group_id, gm.member_id, u.full_name
			FROM group_members gm JOIN scim_users u ON u.org_id = gm.org_id AND u.id = gm.member_id
			WHERE gm.org_id = ? AND gm.group_id `+s.dialect.in(len(some))+` ORDER BY gm.group_id, gm.member_id`, s.org, texts(some))
		if err != nil {
			return err
		}
		for _, row := range rows {
			group := &groups[at[row.Group]]
			group.Members = append(group.Members, domain.GroupMember(row.groupMemberRow))
		}
	}
	return nil
}
