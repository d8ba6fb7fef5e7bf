package db

import "muster/domain"

type settingsStore struct{ handle }

// Get implements domain.SettingsStore.
func (s settingsStore) Get() (domain.Org, error) {
	return orgStore(s).Get(s.org)
}

// Update implements domain.SettingsStore.
func (s settingsStore) Update(org domain.Org) error {
	settings, err := encode(org.Settings)
	if err != nil {
		return err
	}
	nameKey, err := key("display_name", org.DisplayName)
	if err != nil {
		return err
	}
	return s.must("organization", "UPDATE orgs SET display_name = ?, display_name_key = ?, settings = ?, modified_at = ? WHERE id = ?",
		org.DisplayName, nameKey, settings, micros(org.ModifiedAt), s.org)
}

// Lock implements domain.SettingsStore.
func (s settingsStore) Lock() (domain.Org, error) {
	var row orgRow
	err := s.change("organization", &row, "SELECT "+orgColumns+" FROM orgs WHERE id = ?"+s.dialect.lock, s.org)
	if err != nil {
		return domain.Org{}, err
	}
	return row.org()
}

// SSO implements domain.SettingsStore.
func (s settingsStore) SSO() (domain.SSOSettings, error) {
	var row struct {
		ID         string        `db:"id"`
		Provider   string        `db:"provider_id"`
		Role       domain.RoleID `db:"default_workspace_role"`
		Workspaces string        `db:"default_workspaces"`
		Enabled    bool          `db:"groups_enabled"`
		Claim      string        `db:"groups_claim"`
		Required   bool          `db:"groups_required"`
		RoleSync   bool          `db:"groups_role_sync"`
	}
	err := s.get("SSO settings", &row, "SELECT id, provider_id, default_workspace_role, default_workspaces, groups_enabled, groups_claim, groups_required, groups_role_sync FROM sso_settings WHERE org_id = ?", s.org)
	if err != nil {
		return domain.SSOSettings{}, err
	}
	sso := domain.SSOSettings{
		ID: row.ID, ProviderID: row.Provider, DefaultWorkspaceRole: row.Role,
		GroupsEnabled: row.Enabled, GroupsClaim: row.Claim, GroupsRequired: row.Required, GroupsRoleSync: row.RoleSync,
	}
	return sso, decode(row.Workspaces, &sso.DefaultWorkspaces)
}

// UpdateSSO implements domain.SettingsStore.
func (s settingsStore) UpdateSSO(sso domain.SSOSettings) error {
	workspaces, err := encode(sso.DefaultWorkspaces)
	if err != nil {
		return err
	}
	return s.must("SSO settings", "UPDATE sso_settings SET provider_id = ?, default_workspace_role = ?, default_workspaces = ?, groups_enabled = ?, groups_claim = ?, groups_required = ?, groups_role_sync = ? WHERE org_id = ? AND id = ?",
		sso.ProviderID, sso.DefaultWorkspaceRole, workspaces, sso.GroupsEnabled, sso.GroupsClaim, sso.GroupsRequired, sso.GroupsRoleSync, s.org, sso.ID)
}
