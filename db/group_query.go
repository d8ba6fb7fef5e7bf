package db

import (
	"slices"

	"muster/domain"
)

// listedGroupRow is a group in a list.
type listedGroupRow struct {
	groupRow

	Key string `db:"sort_key"`
}

// Query implements domain.GroupStore.
func (s groupStore) Query(q domain.Query) (domain.Result[domain.Group], error) {
	needsMembers := refersTo(q, "", "members")
	result, err := run(s.handle, q, found[domain.Group]{
		table: "scim_groups", columns: groupColumns, fields: s.filterable(),
		read: func(_ bool, query string, args ...any) ([]row[domain.Group], error) {
			var rows []listedGroupRow
			if err := s.all(&rows, query, args...); err != nil {
				return nil, err
			}
			return convert(rows, func(r listedGroupRow) (row[domain.Group], error) {
				group, err := r.group()
				return row[domain.Group]{item: group, id: string(group.ID), key: r.Key}, err
			})
		},
		complete: func(rows []row[domain.Group]) error {
			if !needsMembers {
				return nil
			}
			for i := range rows {
				group := &rows[i].item
				people, err := groupMemberStore(s).List(group.ID, "", 0)
				if err != nil {
					return err
				}
				groups, err := nestedGroupStore(s).List(group.ID)
				if err != nil {
					return err
				}
				group.Members = slices.Concat(people, groups)
			}
			return nil
		},
		document: func(g domain.Group) domain.Document { return groupDocument(q, g) },
	})
	if err != nil {
		return result, err
	}
	for i := range result.Items {
		result.Items[i].Members = nil
	}
	return result, nil
}

func (s groupStore) filterable() filterable {
	return filterable{
		dialect: s.dialect, org: s.org, id: "id", resourceType: "Group",
		columns: map[string]column{
			"id":          {name: "id", canonical: true},
			"displayName": {name: "display_name_key", folded: true},
			"externalId":  {name: "external_id", optional: true},
		},
		times: map[string]string{"meta.created": "created_at", "meta.lastModified": "updated_at"},
		sets: map[string]set{
			"members.value": {
				query: `SELECT group_id FROM (SELECT org_id, group_id, member_id FROM group_members
					UNION ALL SELECT org_id, group_id, child_id FROM group_groups) AS m WHERE org_id = ?`,
				value: column{name: "member_id", canonical: true, optional: true},
			},
		},
	}
}

func groupDocument(q domain.Query, g domain.Group) domain.Document {
	doc := withLocation(q, document(g.Attributes, "Group", string(g.ID), g.Version, g.CreatedAt, g.UpdatedAt), "Group", string(g.ID))
	members := make([]any, len(g.Members))
	for i, member := range g.Members {
		element := member.Element()
		kind, _ := element["type"].(string)
		members[i] = withRef(q, element, kind, string(member.Member))
	}
	doc["members"] = members
	return doc
}

// List implements domain.GroupStore.
func (s groupStore) List(q domain.GroupQuery) ([]domain.GroupView, error) {
	where, args := "g.org_id = ?", []any{s.org}
	if q.Search != "" {
		where, args = where+" AND "+s.dialect.contains("g.display_name_key"), append(args, domain.Fold(q.Search))
	}
	if q.Unmapped {
		where += " AND g.mapping = ''"
	}
	var rows []struct {
		groupRow

		People int `db:"people"`
	}
	window := q.Clamp()
	err := s.all(&rows, `SELECT g.id, g.display_name, g.external_id, '' AS data, g.mapping, g.unmapped, g.explicit, g.name_slot, g.version, g.created_at, g.updated_at,
		(SELECT COUNT(*) FROM group_members gm WHERE gm.org_id = g.org_id AND gm.group_id = g.id) AS people
		FROM scim_groups g WHERE `+where+` ORDER BY g.display_name_key, g.id LIMIT ? OFFSET ?`, append(args, window.Limit, window.Offset)...)
	if err != nil {
		return nil, err
	}
	views := make([]domain.GroupView, len(rows))
	for i, row := range rows {
		group, err := row.group()
		if err != nil {
			return nil, err
		}
		views[i] = domain.GroupView{Group: group, People: row.People}
	}
	return views, nil
}
