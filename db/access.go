package db

import (
	"maps"
	"slices"

	"muster/domain"
)

type accessStore struct{ handle }

// Load implements domain.AccessStore.
func (s accessStore) Load(ids []domain.MemberID) (map[domain.MemberID]domain.Holding, error) {
	holdings := make(map[domain.MemberID]domain.Holding, len(ids))
	for some := range slices.Chunk(ids, chunk) {
		if err := s.loadRoles(holdings, some); err != nil {
			return nil, err
		}
		if err := s.loadWorkspaces(holdings, some); err != nil {
			return nil, err
		}
	}
	return holdings, s.refused
}

func (s accessStore) loadRoles(holdings map[domain.MemberID]domain.Holding, ids []domain.MemberID) error {
	var rows []struct {
		heldRow

		ID domain.MemberID `db:"id"`
	}
	err := s.all(&rows, "SELECT id, "+heldColumns+" FROM members WHERE org_id = ? AND id "+s.dialect.in(len(ids)), s.org, texts(ids))
	if err != nil {
		return err
	}
	for _, row := range rows {
		held, err := row.held()
		if err != nil {
			return err
		}
		holdings[row.ID] = domain.Holding{Org: held, Workspaces: map[domain.WorkspaceID]domain.Held{}}
	}
	return nil
}

func (s accessStore) loadWorkspaces(holdings map[domain.MemberID]domain.Holding, ids []domain.MemberID) error {
	var rows []struct {
		heldRow

		Member    domain.MemberID    `db:"member_id"`
		Workspace domain.WorkspaceID `db:"workspace_id"`
	}
	err := s.all(&rows, "SELECT member_id, workspace_id, "+heldColumns+" FROM workspace_members WHERE org_id = ? AND member_id "+s.dialect.in(len(ids)),
		s.org, texts(ids))
	if err != nil {
		return err
	}
	for _, row := range rows {
		held, err := row.held()
		if err != nil {
			return err
		}
		holdings[row.Member].Workspaces[row.Workspace] = held
	}
	return nil
}

// Groups implements domain.AccessStore; a group without a mapping has an empty text there.
func (s accessStore) Groups(ids []domain.MemberID) (map[domain.MemberID][]domain.GroupGrants, error) {
	groups := make(map[domain.MemberID][]domain.GroupGrants, len(ids))
	known := map[domain.GroupID]domain.GroupGrants{}
	for some := range slices.Chunk(ids, chunk) {
		var rows []struct {
			Member    domain.MemberID `db:"member_id"`
			ID        domain.GroupID  `db:"id"`
			Name      string          `db:"display_name"`
			Mapping   string          `db:"mapping"`
			CreatedAt int64           `db:"created_at"`
		}
		err := s.all(&rows, `SELECT gm.member_id, g.id, g.display_name, g.mapping, g.created_at
			FROM group_members gm JOIN scim_groups g ON g.org_id = gm.org_id AND g.id = gm.group_id
			WHERE gm.org_id = ? AND gm.member_id `+s.dialect.in(len(some))+` AND g.mapping <> ''`, s.org, texts(some))
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			group, ok := known[row.ID]
			if !ok {
				group = domain.GroupGrants{ID: row.ID, Name: row.Name, Created: moment(row.CreatedAt)}
				if err := decode(row.Mapping, &group.Mapping); err != nil {
					return nil, err
				}
				known[row.ID] = group
			}
			groups[row.Member] = append(groups[row.Member], group)
		}
	}
	return groups, s.refused
}

// Save implements domain.AccessStore with at most three statements for every chunk of rows.
func (s accessStore) Save(changes []domain.AccessChange) error {
	if err := s.saveRoles(changes); err != nil {
		return err
	}
	if err := s.drop(changes); err != nil {
		return err
	}
	if err := s.put(changes); err != nil {
		return err
	}
	return s.writable()
}

func (s accessStore) saveRoles(changes []domain.AccessChange) error {
	changed := slices.DeleteFunc(slices.Clone(changes), func(c domain.AccessChange) bool { return c.Org == nil })
	for some := range slices.Chunk(changed, chunk) {
		var rows [][]any
		for _, change := range some {
			held, err := heldArgs(*change.Org)
			if err != nil {
				return err
			}
			rows = append(rows, append([]any{change.Member}, held...))
		}
		text, err := tuples(rows)
		if err != nil {
			return err
		}
		err = s.later("members", `UPDATE members SET role_id = v.c1, grant_kind = v.c2, grant_source = v.c3, grant_source_name = v.c4,
			granted_at = CAST(v.c5 AS BIGINT), replaced = v.c6
			FROM `+s.dialect.rows(7, len(some))+` WHERE members.org_id = ? AND members.id = v.c0`, text, s.org)
		if err != nil {
			return err
		}
	}
	return nil
}

func (s accessStore) drop(changes []domain.AccessChange) error {
	var pairs [][]any
	for _, change := range changes {
		for _, workspace := range change.Drop {
			pairs = append(pairs, []any{change.Member, workspace})
		}
	}
	for some := range slices.Chunk(pairs, chunk) {
		text, err := tuples(some)
		if err != nil {
			return err
		}
		err = s.later("workspace_members", "DELETE FROM workspace_members WHERE org_id = ? AND (member_id, workspace_id) IN (SELECT v.c0, v.c1 FROM "+s.dialect.rows(2, len(some))+")", s.org, text)
		if err != nil {
			return err
		}
	}
	return nil
}

func (s accessStore) put(changes []domain.AccessChange) error {
	var rows [][]any
	for _, change := range changes {
		for _, workspace := range slices.Sorted(maps.Keys(change.Put)) {
			held, err := heldArgs(change.Put[workspace])
			if err != nil {
				return err
			}
			rows = append(rows, append([]any{change.Member, workspace}, held...))
		}
	}
	for some := range slices.Chunk(rows, chunk) {
		text, err := tuples(some)
		if err != nil {
			return err
		}
		err = s.later("workspace_members", "INSERT INTO workspace_members (org_id, member_id, workspace_id, "+heldColumns+`)
			SELECT CAST(? AS TEXT), v.c0, v.c1, v.c2, v.c3, v.c4, v.c5, CAST(v.c6 AS BIGINT), v.c7 FROM `+s.dialect.rows(8, len(some))+` WHERE TRUE
			ON CONFLICT (org_id, member_id, workspace_id) DO UPDATE SET role_id = excluded.role_id, grant_kind = excluded.grant_kind,
			grant_source = excluded.grant_source, grant_source_name = excluded.grant_source_name,
			granted_at = excluded.granted_at, replaced = excluded.replaced`, s.org, text)
		if err != nil {
			return err
		}
	}
	return nil
}
