package db

import (
	"slices"

	"muster/domain"
)

type memberViewRow struct {
	memberRow

	Email    string `db:"email"`
	FullName string `db:"full_name"`
	SCIM     bool   `db:"scim"`
}

func (r memberViewRow) view() (domain.MemberView, error) {
	member, err := r.member()
	return domain.MemberView{Member: member, Email: r.Email, FullName: r.FullName, SCIM: r.SCIM}, err
}

// List implements domain.MemberStore with three statements, however many members there are.
func (s memberStore) List(q domain.MemberQuery) ([]domain.MemberView, error) {
	if q.Clamp().Offset >= markStep && unfiltered(q) {
		return s.deepPage(q)
	}
	if q.Find != "" {
		if possible, err := s.beginning(&q); err != nil || !possible {
			return []domain.MemberView{}, err
		}
	}
	if len(q.Emails)+len(q.UserIDs) > 0 {
		if err := s.resolve(&q); err != nil || len(q.IDs) == 0 {
			return []domain.MemberView{}, err
		}
	}
	where, args := s.conditions(q)
	order := "m.id"
	switch q.SortBy {
	case "name":
		order = "u.full_name_key"
	case "email":
		order = "u.email_key"
	case "role":
		order = "m.role_id" // the ids of the org roles are in order of power
	}
	return s.views(where, direction(order, "m.id", q.Descending), args, q.Clamp())
}

// views reads the members that a condition selects, with the people behind them.
func (s memberStore) views(where, order string, args []any, window domain.Window) ([]domain.MemberView, error) {
	var rows []memberViewRow
	err := s.all(&rows, `SELECT m.id, m.user_id, m.status, m.created_at, m.role_id, m.grant_kind, m.grant_source, m.grant_source_name,
		m.granted_at, m.replaced, u.email, u.full_name,
		EXISTS (SELECT 1 FROM scim_users su WHERE su.org_id = m.org_id AND su.id = m.id) AS scim
		FROM members m JOIN users u ON u.id = m.user_id WHERE `+where+`
		ORDER BY `+order+` LIMIT ? OFFSET ?`, append(args, window.Limit, window.Offset)...)
	if err != nil {
		return nil, err
	}
	views, err := convert(rows, memberViewRow.view)
	if err != nil || len(views) == 0 {
		return views, err
	}
	if err := s.addWorkspaces(views); err != nil {
		return nil, err
	}
	return views, s.addIdentities(views)
}

// resolve finds the members with the addresses and users asked for, so that a list of a few reads those few:
// both engines would walk a whole organization in the order that is wanted, and look for the addresses on the way.
func (s memberStore) resolve(q *domain.MemberQuery) error {
	// SQLite takes the tables of a CROSS JOIN in the order in which they stand.
	query, args := "SELECT m.id FROM users u CROSS JOIN members m WHERE m.user_id = u.id AND m.org_id = ?", []any{s.org}
	if len(q.Emails) > 0 {
		query, args = query+" AND u.email_key "+s.dialect.in(len(q.Emails))+" AND u.email_key <> ''", append(args, texts(folded(q.Emails)))
	}
	if len(q.UserIDs) > 0 {
		query, args = query+" AND u.id "+s.dialect.in(len(q.UserIDs)), append(args, texts(q.UserIDs))
	}
	var ids []domain.MemberID
	if err := s.all(&ids, query, args...); err != nil {
		return err
	}
	if len(q.IDs) > 0 {
		asked := q.IDs
		ids = slices.DeleteFunc(ids, func(id domain.MemberID) bool { return !slices.Contains(asked, id) })
	}
	q.IDs, q.Emails, q.UserIDs = ids, nil, nil
	return nil
}

// maxFound is how many members a search by a beginning looks at.
const maxFound = 500

// beginning turns how a name or address begins into the members whose address or name begins so.
// Both are looked up in an index, so that a search reads what it finds; when nothing begins so, the text may stand anywhere.
// Among many members that would take seconds, and nobody is found.
func (s memberStore) beginning(q *domain.MemberQuery) (bool, error) {
	from := domain.Fold(q.Find)
	q.Find = ""
	if from == "" {
		return true, nil
	}
	var found []domain.MemberID
	for _, key := range []string{"email_key", "full_name_key"} {
		var ids []domain.MemberID
		err := s.all(&ids, "SELECT m.id FROM users u CROSS JOIN members m WHERE m.user_id = u.id AND m.org_id = ? AND u."+key+" >= ? AND u."+key+" < ? AND u."+key+" <> '' ORDER BY u."+key+" LIMIT ?",
			s.org, from, from+"\U0010FFFF", maxFound)
		if err != nil {
			return false, err
		}
		found = append(found, ids...)
	}
	if len(found) == 0 {
		q.Search = from
		many, err := s.More(domain.MaxSearched)
		return !many, err
	}
	slices.Sort(found)
	q.IDs = slices.Compact(found)
	return true, nil
}

func (s memberStore) conditions(q domain.MemberQuery) (where string, args []any) {
	where, args = "m.org_id = ?", []any{s.org}
	if len(q.IDs) > 0 {
		where, args = where+" AND m.id "+s.dialect.in(len(q.IDs)), append(args, texts(q.IDs))
	}
	if q.Search != "" {
		part := domain.Fold(q.Search)
		where += " AND (" + s.dialect.contains("u.full_name_key") + " OR " + s.dialect.contains("u.email_key") + ")"
		args = append(args, part, part)
	}
	if q.Role != "" {
		where, args = where+" AND m.role_id = ?", append(args, q.Role)
		if q.Role != domain.RoleOrgUser {
			where += " AND m.role_id <> '00000000-0000-4000-8000-000000000003'" // the index's own words
		}
	}
	if q.Grant != "" {
		where, args = where+" AND m.grant_kind = ?", append(args, q.Grant)
		if q.Grant != domain.GrantJIT && q.Grant != domain.GrantSCIM && q.Grant != domain.GrantGroup {
			where += " AND m.grant_kind NOT IN ('jit', 'scim', 'group')"
		}
	}
	switch q.Status {
	case domain.Active:
		where += " AND m.status = 'active'"
	case domain.Disabled:
		where += " AND m.status = 'disabled'"
	}
	if q.Workspace != "" {
		where += " AND m.id IN (SELECT wm.member_id FROM workspace_members wm WHERE wm.org_id = ? AND wm.workspace_id = ?)"
		args = append(args, s.org, q.Workspace)
	}
	return where, args
}

func (s memberStore) addWorkspaces(views []domain.MemberView) error {
	at := map[domain.MemberID]int{}
	ids := make([]domain.MemberID, len(views))
	for i, view := range views {
		at[view.ID], ids[i] = i, view.ID
	}
	var rows []struct {
		heldRow

		Member    domain.MemberID    `db:"member_id"`
		Workspace domain.WorkspaceID `db:"workspace_id"`
		Name      string             `db:"display_name"`
	}
	err := s.all(&rows, `SELECT wm.member_id, wm.workspace_id, w.display_name,
		wm.role_id, wm.grant_kind, wm.grant_source, wm.grant_source_name, wm.granted_at, wm.replaced
		FROM workspace_members wm JOIN workspaces w ON w.org_id = wm.org_id AND w.id = wm.workspace_id
		WHERE wm.org_id = ? AND wm.member_id `+s.dialect.in(len(ids))+` ORDER BY w.display_name_key, w.id`, s.org, texts(ids))
	if err != nil {
		return err
	}
	for _, row := range rows {
		held, err := row.held()
		if err != nil {
			return err
		}
		view := &views[at[row.Member]]
		view.Workspaces = append(view.Workspaces, domain.WorkspaceHeld{Workspace: row.Workspace, Name: row.Name, Held: held})
	}
	return nil
}

func (s memberStore) addIdentities(views []domain.MemberView) error {
	at := map[domain.UserID]int{}
	ids := make([]domain.UserID, len(views))
	for i, view := range views {
		at[view.User], ids[i] = i, view.User
	}
	var rows []identityRow
	if err := s.all(&rows, "SELECT "+identityColumns+" FROM identities WHERE user_id "+s.dialect.in(len(ids))+" ORDER BY id", texts(ids)); err != nil {
		return err
	}
	for _, row := range rows {
		identity, err := row.identity()
		if err != nil {
			return err
		}
		view := &views[at[row.User]]
		view.Identities = append(view.Identities, identity)
	}
	return nil
}

// direction orders by a column and, among equals, by another.
func direction(column, then string, descending bool) string {
	how := ""
	if descending {
		how = " DESC"
	}
	if column == then {
		return column + how
	}
	return column + how + ", " + then + how
}

func folded(texts []string) []string {
	keys := make([]string, 0, len(texts))
	for _, text := range texts {
		keys = append(keys, domain.Fold(text))
	}
	return slices.Compact(slices.Sorted(slices.Values(keys)))
}
