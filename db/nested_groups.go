package db

import "muster/domain"

type nestedGroupStore struct{ handle }

// Add implements domain.NestedGroupStore.
func (s nestedGroupStore) Add(group domain.GroupID, children []domain.GroupID) ([]domain.GroupID, error) {
	return inChunks(s.handle, children, func(some []domain.GroupID) (added []domain.GroupID, err error) {
		err = s.changeAll(&added, `INSERT INTO group_groups (org_id, group_id, child_id)
			SELECT CAST(? AS TEXT), CAST(? AS TEXT), v.c0 FROM `+s.dialect.rows(1, len(some))+` WHERE TRUE
			ON CONFLICT DO NOTHING RETURNING child_id`, s.org, group, texts(some))
		return added, err
	})
}

// Remove implements domain.NestedGroupStore.
func (s nestedGroupStore) Remove(group domain.GroupID, children []domain.GroupID) ([]domain.GroupID, error) {
	return inChunks(s.handle, children, func(some []domain.GroupID) (removed []domain.GroupID, err error) {
		err = s.changeAll(&removed, "DELETE FROM group_groups WHERE org_id = ? AND group_id = (SELECT CAST(? AS TEXT)) AND child_id "+s.dialect.in(len(some))+" RETURNING child_id",
			s.org, group, texts(some))
		return removed, err
	})
}

// List implements domain.NestedGroupStore.
func (s nestedGroupStore) List(group domain.GroupID) ([]domain.GroupMember, error) {
	var rows []groupMemberRow
	err := s.all(&rows, `SELECT g.id AS member_id, g.display_name AS full_name FROM group_groups gg
		JOIN scim_groups g ON g.org_id = gg.org_id AND g.id = gg.child_id WHERE gg.org_id = ? AND gg.group_id = ? ORDER BY gg.child_id`, s.org, group)
	if err != nil {
		return nil, err
	}
	return convert(rows, func(r groupMemberRow) (domain.GroupMember, error) {
		return domain.GroupMember{Member: r.Member, Display: r.Display, Group: true}, nil
	})
}

// Parents implements domain.NestedGroupStore.
func (s nestedGroupStore) Parents(group domain.GroupID) ([]domain.GroupID, error) {
	var parents []domain.GroupID
	err := s.all(&parents, "SELECT group_id FROM group_groups WHERE org_id = ? AND child_id = ? ORDER BY group_id", s.org, group)
	return parents, err
}

// Missing implements domain.NestedGroupStore.
func (s nestedGroupStore) Missing(ids []domain.GroupID) ([]domain.GroupID, error) {
	return missing(s.handle, "scim_groups", ids)
}
