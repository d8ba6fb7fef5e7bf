package db

import "muster/domain"

type settingsStore struct{ handle }

type ssoRow struct {
	SSO        string        `db:"sso_id"`
	Provider   string        `db:"provider_id"`
	Role       domain.RoleID `db:"default_workspace_role"`
	Workspaces string        `db:"default_workspaces"`
	Enabled    bool          `db:"groups_enabled"`
	Claim      string        `db:"groups_claim"`
	Required   bool          `db:"groups_required"`
	RoleSync   bool          `db:"groups_role_sync"`
	Removed    bool          `db:"removed"`
}

const ssoColumns = "s.id AS sso_id, s.provider_id, s.default_workspace_role, s.default_workspaces, s.groups_enabled, s.groups_claim, s.groups_required, s.groups_role_sync, s.removed"

func (r ssoRow) settings() (domain.SSOSettings, error) {
	sso := domain.SSOSettings{
		ID: r.SSO, ProviderID: r.Provider, DefaultWorkspaceRole: r.Role,
		GroupsEnabled: r.Enabled, GroupsClaim: r.Claim, GroupsRequired: r.Required, GroupsRoleSync: r.RoleSync, Removed: r.Removed,
	}
	return sso, decode(r.Workspaces, &sso.DefaultWorkspaces)
}

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
	var row ssoRow
	err := s.get("SSO settings", &row, "SELECT "+ssoColumns+" FROM sso_settings s WHERE s.org_id = ?", s.org)
	if err != nil {
		return domain.SSOSettings{}, err
	}
	return row.settings()
}

// UpdateSSO implements domain.SettingsStore.
func (s settingsStore) UpdateSSO(sso domain.SSOSettings) error {
	workspaces, err := encode(sso.DefaultWorkspaces)
	if err != nil {
		return err
	}
	return s.must("SSO settings", "UPDATE sso_settings SET provider_id = ?, default_workspace_role = ?, default_workspaces = ?, groups_enabled = ?, groups_claim = ?, groups_required = ?, groups_role_sync = ?, removed = ? WHERE org_id = ? AND id = ?",
		sso.ProviderID, sso.DefaultWorkspaceRole, workspaces, sso.GroupsEnabled, sso.GroupsClaim, sso.GroupsRequired, sso.GroupsRoleSync, sso.Removed, s.org, sso.ID)
}
