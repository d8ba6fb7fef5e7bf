package db

import "muster/domain"

type groupMemberStore struct{ handle }

type groupMemberRow struct {
	Member  domain.MemberID `db:"member_id"`
	Display string          `db:"full_name"`
}

// Add implements domain.GroupMemberStore.
func (s groupMemberStore) Add(group domain.GroupID, members []domain.MemberID) ([]domain.MemberID, error) {
	return inChunks(s.handle, members, func(some []domain.MemberID) (added []domain.MemberID, err error) {
		err = s.changeAll(&added, `INSERT INTO group_members (org_id, group_id, member_id)
			SELECT org_id, CAST(? AS TEXT), id FROM scim_users WHERE org_id = ? AND id `+s.dialect.in(len(some))+` ORDER BY id
			ON CONFLICT DO NOTHING RETURNING member_id`, group, s.org, texts(some))
		s.grown += len(added)
		return added, err
	})
}

// Remove implements domain.GroupMemberStore.
// The group's id is hidden from PostgreSQL, which would take a new group, unknown to its statistics, for an empty one
// and compare every member with every id of the list.
func (s groupMemberStore) Remove(group domain.GroupID, members []domain.MemberID) ([]domain.MemberID, error) {
	return inChunks(s.handle, members, func(some []domain.MemberID) (removed []domain.MemberID, err error) {
		err = s.changeAll(&removed, "DELETE FROM group_members WHERE org_id = ? AND group_id = (SELECT CAST(? AS TEXT)) AND member_id "+s.dialect.in(len(some))+" RETURNING member_id",
			s.org, group, texts(some))
		return removed, err
	})
}

// List implements domain.GroupMemberStore.
func (s groupMemberStore) List(group domain.GroupID, after domain.MemberID, limit int) ([]domain.GroupMember, error) {
	query := `SELECT gm.member_id, u.full_name FROM group_members gm JOIN scim_users u ON u.org_id = gm.org_id AND u.id = gm.member_id
		WHERE gm.org_id = ? AND gm.group_id = ? AND gm.member_id > ? ORDER BY gm.member_id`
	args := []any{s.org, group, after}
	if limit > 0 {
		query, args = query+" LIMIT ?", append(args, limit)
	}
	var rows []groupMemberRow
	if err := s.all(&rows, query, args...); err != nil {
		return nil, err
	}
	members := make([]domain.GroupMember, len(rows))
	for i, row := range rows {
		members[i] = domain.GroupMember{Member: row.Member, Display: row.Display}
	}
	return members, nil
}

// Count implements domain.GroupMemberStore.
func (s groupMemberStore) Count(group domain.GroupID) (int, error) {
	var people int
	err := s.get("", &people, "SELECT COUNT(*) FROM group_members WHERE org_id = ? AND group_id = ?", s.org, group)
	return people, err
}
