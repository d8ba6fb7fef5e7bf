package db

import "muster/domain"

type workspaceStore struct{ handle }

type workspaceRow struct {
	ID          domain.WorkspaceID `db:"id"`
	DisplayName string             `db:"display_name"`
	CreatedAt   int64              `db:"created_at"`
	DeletedAt   int64              `db:"deleted_at"`
	Handle      string             `db:"handle"`
}

const workspaceColumns = "id, display_name, created_at, deleted_at, handle"

func (r workspaceRow) workspace() (domain.Workspace, error) {
	return domain.Workspace{ID: r.ID, DisplayName: r.DisplayName, CreatedAt: moment(r.CreatedAt), DeletedAt: moment(r.DeletedAt), Handle: r.Handle}, nil
}

// Get implements domain.WorkspaceStore.
func (s workspaceStore) Get(id domain.WorkspaceID) (domain.Workspace, error) {
	var row workspaceRow
	err := s.get("workspace", &row, "SELECT "+workspaceColumns+" FROM workspaces WHERE org_id = ? AND id = ?", s.org, id)
	if err != nil {
		return domain.Workspace{}, err
	}
	return row.workspace()
}

// List implements domain.WorkspaceStore.
func (s workspaceStore) List(includeDeleted bool) ([]domain.Workspace, error) {
	query := "SELECT " + workspaceColumns + " FROM workspaces WHERE org_id = ?"
	if !includeDeleted {
		query += " AND deleted_at = 0"
	}
	var rows []workspaceRow
	if err := s.all(&rows, query+" ORDER BY display_name_key, id", s.org); err != nil {
		return nil, err
	}
	return convert(rows, workspaceRow.workspace)
}

// Insert implements domain.WorkspaceStore.
func (s workspaceStore) Insert(w domain.Workspace) error {
	nameKey, err := key("display_name", w.DisplayName)
	if err != nil {
		return err
	}
	created, err := s.insert("INSERT INTO workspaces (org_id, id, display_name, display_name_key, created_at, deleted_at, handle) VALUES (?, ?, ?, ?, ?, ?, ?)",
		s.org, w.ID, w.DisplayName, nameKey, micros(w.CreatedAt), micros(w.DeletedAt), w.Handle)
	if err == nil && !created {
		return s.clash(w, nameKey)
	}
	return err
}

// Update implements domain.WorkspaceStore.
func (s workspaceStore) Update(w domain.Workspace) error {
	nameKey, err := key("display_name", w.DisplayName)
	if err != nil {
		return err
	}
	err = s.must("workspace", "UPDATE workspaces SET display_name = ?, display_name_key = ?, deleted_at = ?, handle = ? WHERE org_id = ? AND id = ?",
		w.DisplayName, nameKey, micros(w.DeletedAt), w.Handle, s.org, w.ID)
	if named, ok := conflict(err); ok && !named {
		return s.clash(w, nameKey)
	}
	if err != nil || !w.Deleted() {
		return err
	}
	_, err = s.exec("DELETE FROM workspace_members WHERE org_id = ? AND workspace_id = ?", s.org, w.ID)
	return err
}

// clash finds out which unique attribute another workspace has.
func (s workspaceStore) clash(w domain.Workspace, nameKey string) error {
	var same int
	err := s.get("", &same, "SELECT COUNT(*) FROM workspaces WHERE org_id = ? AND display_name_key = ? AND deleted_at = 0 AND id <> ?", s.org, nameKey, w.ID)
	switch {
	case err != nil:
		return err
	case same > 0:
		return taken("display_name")
	case w.Handle != "":
		return taken("tenant_handle")
	default:
		return taken("id")
	}
}
