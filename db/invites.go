package db

import "muster/domain"

type inviteStore struct{ handle }

type inviteRow struct {
	ID            domain.InviteID `db:"id"`
	Email         string          `db:"email"`
	Role          domain.RoleID   `db:"role_id"`
	Workspaces    string          `db:"workspaces"`
	WorkspaceRole domain.RoleID   `db:"workspace_role"`
	OwnRoles      string          `db:"own_roles"`
	FromWorkspace bool            `db:"from_workspace"`
	InvitedBy     string          `db:"invited_by"`
	CreatedAt     int64           `db:"created_at"`
	ExpiresAt     int64           `db:"expires_at"`
}

const inviteColumns = "id, email, role_id, workspaces, workspace_role, own_roles, from_workspace, invited_by, created_at, expires_at"

func (r inviteRow) invite() (domain.Invite, error) {
	invite := domain.Invite{
		ID: r.ID, Email: r.Email, Role: r.Role, WorkspaceRole: r.WorkspaceRole, FromWorkspace: r.FromWorkspace, InvitedBy: r.InvitedBy,
		CreatedAt: moment(r.CreatedAt), ExpiresAt: moment(r.ExpiresAt),
	}
	if err := decode(r.Workspaces, &invite.Workspaces); err != nil {
		return invite, err
	}
	if r.OwnRoles == "" {
		return invite, nil
	}
	return invite, decode(r.OwnRoles, &invite.OwnRoles)
}

// Get implements domain.InviteStore.
func (s inviteStore) Get(id domain.InviteID) (domain.Invite, error) {
	return s.find("id", string(id))
}

// ByEmail implements domain.InviteStore.
func (s inviteStore) ByEmail(emailKey string) (domain.Invite, error) {
	return s.find("email_key", emailKey)
}

func (s inviteStore) find(column, value string) (domain.Invite, error) {
	var row inviteRow
	err := s.get("invite", &row, "SELECT "+inviteColumns+" FROM invites WHERE org_id = ? AND "+column+" = ?", s.org, value)
	if err != nil {
		return domain.Invite{}, err
	}
	return row.invite()
}

// List implements domain.InviteStore.
func (s inviteStore) List(q domain.MemberQuery) ([]domain.Invite, error) {
	where, args := "org_id = ?", []any{s.org}
	if len(q.Emails) > 0 {
		where, args = where+" AND email_key "+s.dialect.in(len(q.Emails)), append(args, texts(folded(q.Emails)))
	}
	if len(q.IDs) > 0 {
		where, args = where+" AND id "+s.dialect.in(len(q.IDs)), append(args, texts(q.IDs))
	}
	if q.Workspace != "" {
		// An id is long enough to be looked for in the JSON of the list.
		where, args = where+" AND "+s.dialect.contains("workspaces"), append(args, q.Workspace)
	}
	if q.Search != "" {
		where, args = where+" AND "+s.dialect.contains("email_key"), append(args, domain.Fold(q.Search))
	}
	order := "id"
	switch q.SortBy {
	case "email", "name":
		order = "email_key"
	case "role":
		order = "role_id"
	}
	var rows []inviteRow
	window := q.Clamp()
	err := s.all(&rows, "SELECT "+inviteColumns+" FROM invites WHERE "+where+" ORDER BY "+direction(order, "id", q.Descending)+" LIMIT ? OFFSET ?",
		append(args, window.Limit, window.Offset)...)
	if err != nil {
		return nil, err
	}
	return convert(rows, inviteRow.invite)
}

// Put implements domain.InviteStore.
func (s inviteStore) Put(i domain.Invite) error {
	workspaces, err := encode(i.Workspaces)
	if err != nil {
		return err
	}
	own := ""
	if len(i.OwnRoles) > 0 {
		if own, err = encode(i.OwnRoles); err != nil {
			return err
		}
	}
	emailKey, err := key("email", i.Email)
	if err != nil {
		return err
	}
	return s.later("invites", `INSERT INTO invites (org_id, email_key, `+inviteColumns+`) VALUES (`+places(12)+`)
		ON CONFLICT (org_id, email_key) DO UPDATE SET id = excluded.id, email = excluded.email, role_id = excluded.role_id,
		workspaces = excluded.workspaces, workspace_role = excluded.workspace_role, own_roles = excluded.own_roles,
		from_workspace = excluded.from_workspace, invited_by = excluded.invited_by,
		created_at = excluded.created_at, expires_at = excluded.expires_at`,
		s.org, emailKey, i.ID, i.Email, i.Role, workspaces, i.WorkspaceRole, own, i.FromWorkspace, i.InvitedBy, micros(i.CreatedAt), micros(i.ExpiresAt))
}

// Delete implements domain.InviteStore.
func (s inviteStore) Delete(id domain.InviteID) error {
	return s.must("invite", "DELETE FROM invites WHERE org_id = ? AND id = ?", s.org, id)
}
