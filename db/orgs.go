package db

import "muster/domain"

type orgStore struct{ handle }

type orgRow struct {
	ID          domain.OrgID  `db:"id"`
	DisplayName string        `db:"display_name"`
	Personal    bool          `db:"personal"`
	CreatedBy   domain.UserID `db:"created_by"`
	Settings    string        `db:"settings"`
	CreatedAt   int64         `db:"created_at"`
	ModifiedAt  int64         `db:"modified_at"`
}

const orgColumns = "id, display_name, personal, created_by, settings, created_at, modified_at"

func (r orgRow) org() (domain.Org, error) {
	org := domain.Org{
		ID: r.ID, DisplayName: r.DisplayName, Personal: r.Personal, CreatedBy: r.CreatedBy,
		CreatedAt: moment(r.CreatedAt), ModifiedAt: moment(r.ModifiedAt),
	}
	return org, decode(r.Settings, &org.Settings)
}

// Get implements domain.OrgStore.
func (s orgStore) Get(id domain.OrgID) (domain.Org, error) {
	var row orgRow
	if err := s.get("organization", &row, "SELECT "+orgColumns+" FROM orgs WHERE id = ?", id); err != nil {
		return domain.Org{}, err
	}
	return row.org()
}

// List implements domain.OrgStore.
func (s orgStore) List() ([]domain.Org, error) {
	var rows []orgRow
	if err := s.all(&rows, "SELECT "+orgColumns+" FROM orgs ORDER BY display_name_key, id"); err != nil {
		return nil, err
	}
	return convert(rows, orgRow.org)
}

// Insert implements domain.OrgStore.
func (s orgStore) Insert(org domain.Org, sso domain.SSOSettings) error {
	settings, err := encode(org.Settings)
	if err != nil {
		return err
	}
	nameKey, err := key("display_name", org.DisplayName)
	if err != nil {
		return err
	}
	if _, err := s.exec("INSERT INTO orgs (id, display_name, display_name_key, personal, created_by, settings, created_at, modified_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		org.ID, org.DisplayName, nameKey, org.Personal, org.CreatedBy, settings, micros(org.CreatedAt), micros(org.ModifiedAt)); err != nil {
		return err
	}
	workspaces, err := encode(sso.DefaultWorkspaces)
	if err != nil {
		return err
	}
	_, err = s.exec("INSERT INTO sso_settings (org_id, id, provider_id, default_workspace_role, default_workspaces, groups_enabled, groups_claim, groups_required, groups_role_sync) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		org.ID, sso.ID, sso.ProviderID, sso.DefaultWorkspaceRole, workspaces, sso.GroupsEnabled, sso.GroupsClaim, sso.GroupsRequired, sso.GroupsRoleSync)
	return err
}

// convert turns rows into what they stand for.
func convert[R, T any](rows []R, to func(R) (T, error)) ([]T, error) {
	converted := make([]T, 0, len(rows))
	for _, row := range rows {
		one, err := to(row)
		if err != nil {
			return nil, err
		}
		converted = append(converted, one)
	}
	return converted, nil
}
