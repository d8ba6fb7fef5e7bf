package db

import (
	"strings"

	"muster/domain"
)

// like is a condition on a folded column to match one of the globs; it has a placeholder for each of likeArgs.
func like(column string, globs []string) string {
	conditions := make([]string, len(globs))
	for i := range globs {
		conditions[i] = column + ` LIKE ? ESCAPE '\'`
	}
	return "(" + strings.Join(conditions, " OR ") + ")"
}

var likeEscapes = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`, `*`, `%`) //nolint:gochecknoglobals // a constant table

// likeArgs are the globs as SQL writes them.
func likeArgs(globs []string) []any {
	patterns := make([]any, len(globs))
	for i, glob := range globs {
		patterns[i] = likeEscapes.Replace(domain.Fold(glob))
	}
	return patterns
}

// Like implements domain.MemberStore.
func (s memberStore) Like(m domain.PeopleMatch) ([]domain.MemberView, error) {
	where, args := s.matching(m)
	window := m.Clamp()
	return s.views(where, "m.id", args, window)
}

// CountLike implements domain.MemberStore.
func (s memberStore) CountLike(m domain.PeopleMatch) (int, error) {
	where, args := s.matching(m)
	var count int
	err := s.get("", &count, "SELECT COUNT(*) FROM members m JOIN users u ON u.id = m.user_id WHERE "+where, args...)
	return count, err
}

func (s memberStore) matching(m domain.PeopleMatch) (where string, args []any) {
	where, args = "m.org_id = ?", []any{s.org}
	add := func(condition string, more ...any) { where, args = where+" AND "+condition, append(args, more...) }
	if m.Active != nil {
		status := domain.Disabled
		if *m.Active {
			status = domain.Active
		}
		add("m.status = ?", status)
	}
	if len(m.Names) > 0 {
		add(like("u.full_name_key", m.Names), likeArgs(m.Names)...)
	}
	if len(m.Emails) > 0 {
		add(like("u.email_key", m.Emails), likeArgs(m.Emails)...)
	}
	if m.OrgRoleIDs != nil {
		add("m.role_id "+s.dialect.in(len(m.OrgRoleIDs)), texts(m.OrgRoleIDs))
	}
	if m.WorkspaceRoleIDs != nil {
		add("m.id IN (SELECT wm.member_id FROM workspace_members wm WHERE wm.org_id = ? AND wm.role_id "+s.dialect.in(len(m.WorkspaceRoleIDs))+")", s.org, texts(m.WorkspaceRoleIDs))
	}
	if len(m.Workspaces) > 0 {
		add("m.id IN (SELECT wm.member_id FROM workspace_members wm JOIN workspaces w ON w.org_id = wm.org_id AND w.id = wm.workspace_id WHERE wm.org_id = ? AND "+like("w.display_name_key", m.Workspaces)+")",
			append([]any{s.org}, likeArgs(m.Workspaces)...)...)
	}
	return where, args
}

// Like implements domain.InviteStore; of a pending member there is no name to match.
func (s inviteStore) Like(m domain.PeopleMatch) ([]domain.Invite, error) {
	if len(m.Names) > 0 {
		return nil, s.refused
	}
	where, args := "i.org_id = ?", []any{s.org}
	add := func(condition string, more ...any) { where, args = where+" AND "+condition, append(args, more...) }
	if len(m.Emails) > 0 {
		add(like("i.email_key", m.Emails), likeArgs(m.Emails)...)
	}
	if m.OrgRoleIDs != nil {
		add("i.role_id "+s.dialect.in(len(m.OrgRoleIDs)), texts(m.OrgRoleIDs))
	}
	if m.WorkspaceRoleIDs != nil {
		add("i.workspace_role "+s.dialect.in(len(m.WorkspaceRoleIDs)), texts(m.WorkspaceRoleIDs))
	}
	if len(m.Workspaces) > 0 {
		add("EXISTS (SELECT 1 FROM workspaces w WHERE w.org_id = ? AND "+like("w.display_name_key", m.Workspaces)+" AND "+s.dialect.position+"(i.workspaces, w.id) > 0)",
			append([]any{s.org}, likeArgs(m.Workspaces)...)...)
	}
	window := m.Clamp()
	var rows []inviteRow
	err := s.all(&rows, "SELECT "+inviteColumns+" FROM invites i WHERE "+where+" ORDER BY i.id LIMIT ? OFFSET ?", append(args, window.Limit, window.Offset)...)
	if err != nil {
		return nil, err
	}
	return convert(rows, inviteRow.invite)
}

// Of implements domain.GroupStore.
func (s groupStore) Of(ids []domain.MemberID) (map[domain.MemberID][]domain.GroupName, error) {
	var rows []struct {
		Member    domain.MemberID `db:"member_id"`
		Name      string          `db:"display_name"`
		CreatedAt int64           `db:"created_at"`
	}
	err := s.all(&rows, `SELECT gm.member_id, g.display_name, g.created_at FROM group_members gm
		JOIN scim_groups g ON g.org_id = gm.org_id AND g.id = gm.group_id
		WHERE gm.org_id = ? AND gm.member_id `+s.dialect.in(len(ids))+` ORDER BY g.display_name_key, g.id`, s.org, texts(ids))
	groups := map[domain.MemberID][]domain.GroupName{}
	for _, row := range rows {
		groups[row.Member] = append(groups[row.Member], domain.GroupName{Name: row.Name, CreatedAt: moment(row.CreatedAt)})
	}
	return groups, err
}
