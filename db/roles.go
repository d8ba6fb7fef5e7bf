package db

import "muster/domain"

type roleStore struct{ handle }

type roleRow struct {
	ID          domain.RoleID `db:"id"`
	DisplayName string        `db:"display_name"`
	Description string        `db:"description"`
	Permissions string        `db:"permissions"`
}

const roleColumns = "id, display_name, description, permissions"

func (r roleRow) role() (domain.Role, error) {
	role := domain.Role{ID: r.ID, Name: "CUSTOM", DisplayName: r.DisplayName, Description: r.Description, Scope: domain.ScopeWorkspace}
	return role, decode(r.Permissions, &role.Permissions)
}

// Get implements domain.RoleStore.
func (s roleStore) Get(id domain.RoleID) (domain.Role, error) {
	var row roleRow
	if err := s.get("role", &row, "SELECT "+roleColumns+" FROM roles WHERE org_id = ? AND id = ?", s.org, id); err != nil {
		return domain.Role{}, err
	}
	return row.role()
}

// List implements domain.RoleStore.
func (s roleStore) List() ([]domain.Role, error) {
	var rows []roleRow
	if err := s.all(&rows, "SELECT "+roleColumns+" FROM roles WHERE org_id = ? ORDER BY display_name_key", s.org); err != nil {
		return nil, err
	}
	return convert(rows, roleRow.role)
}

// values are the columns of a role but for its id.
func (roleStore) values(r domain.Role) (nameKey, permissions string, err error) {
	if nameKey, err = key("display_name", r.DisplayName); err != nil {
		return "", "", err
	}
	permissions, err = encode(r.Permissions)
	return nameKey, permissions, err
}

// Insert implements domain.RoleStore.
func (s roleStore) Insert(r domain.Role) error {
	nameKey, permissions, err := s.values(r)
	if err != nil {
		return err
	}
	created, err := s.insert("INSERT INTO roles (org_id, display_name_key, "+roleColumns+") VALUES ("+places(6)+")",
		s.org, nameKey, r.ID, r.DisplayName, r.Description, permissions)
	if err == nil && !created {
		return taken("display_name")
	}
	return err
}

// Update implements domain.RoleStore.
func (s roleStore) Update(r domain.Role) error {
	nameKey, permissions, err := s.values(r)
	if err != nil {
		return err
	}
	err = s.must("role", "UPDATE roles SET display_name_key = ?, display_name = ?, description = ?, permissions = ? WHERE org_id = ? AND id = ?",
		nameKey, r.DisplayName, r.Description, permissions, s.org, r.ID)
	if domain.IsKind(err, domain.Conflict) {
		return taken("display_name")
	}
	return err
}

// Delete implements domain.RoleStore.
func (s roleStore) Delete(id domain.RoleID) error {
	return s.must("role", "DELETE FROM roles WHERE org_id = ? AND id = ?", s.org, id)
}

// Use implements domain.RoleStore; an id is long enough to be looked for in the JSON of mappings and places.
func (s roleStore) Use(id domain.RoleID) (domain.RoleUse, error) {
	var row struct {
		Members  int `db:"members"`
		Invites  int `db:"invites"`
		Keys     int `db:"keys"`
		Accounts int `db:"accounts"`
		Groups   int `db:"mapped"`
		Joining  int `db:"joining"`
	}
	err := s.get("", &row, `SELECT
		(SELECT COUNT(*) FROM workspace_members WHERE org_id = ? AND role_id = ?) AS members,
		(SELECT COUNT(*) FROM invites WHERE org_id = ? AND (workspace_role = ? OR `+s.dialect.contains("own_roles")+`)) AS invites,
		(SELECT COUNT(*) FROM api_keys WHERE org_id = ? AND role_id = ?) AS keys,
		(SELECT COUNT(*) FROM service_accounts WHERE org_id = ? AND `+s.dialect.contains("workspaces")+`) AS accounts,
		(SELECT COUNT(*) FROM scim_groups WHERE org_id = ? AND explicit = TRUE AND `+s.dialect.contains("mapping")+`) AS mapped,
		(SELECT COUNT(*) FROM sso_settings WHERE org_id = ? AND default_workspace_role = ?) AS joining`,
		s.org, id, s.org, id, id, s.org, id, s.org, id, s.org, id, s.org, id)
	return domain.RoleUse{
		Members: row.Members, Invites: row.Invites, Keys: row.Keys, Accounts: row.Accounts, Groups: row.Groups, Default: row.Joining > 0,
	}, err
}
