package db

import "muster/domain"

type installationStore struct{ handle }

// Get implements domain.InstallationStore.
func (s installationStore) Get() (domain.Installation, error) {
	var row struct {
		DefaultOrg domain.OrgID  `db:"default_org_id"`
		InitialOrg domain.OrgID  `db:"initial_org_id"`
		Admin      domain.UserID `db:"admin_user_id"`
		SigningKey string        `db:"signing_key"`
	}
	err := s.get("installation", &row, "SELECT default_org_id, initial_org_id, admin_user_id, signing_key FROM installation WHERE id = 1")
	return domain.Installation(row), err
}

// Insert implements domain.InstallationStore.
func (s installationStore) Insert(i domain.Installation) (bool, error) {
	return s.insert("INSERT INTO installation (id, default_org_id, initial_org_id, admin_user_id) VALUES (1, ?, ?, ?)",
		i.DefaultOrg, i.InitialOrg, i.Admin)
}

// SetDefaultOrg implements domain.InstallationStore.
func (s installationStore) SetDefaultOrg(from, to domain.OrgID) (bool, error) {
	rows, err := s.exec("UPDATE installation SET default_org_id = ? WHERE id = 1 AND default_org_id = ?", to, from)
	return rows > 0, err
}

// SetSigningKey implements domain.InstallationStore.
func (s installationStore) SetSigningKey(key string) error {
	_, err := s.exec("UPDATE installation SET signing_key = ? WHERE id = 1 AND signing_key = ''", key)
	return err
}

// ClaimAdmin implements domain.InstallationStore.
func (s installationStore) ClaimAdmin(user domain.UserID) (bool, error) {
	rows, err := s.exec("UPDATE installation SET admin_user_id = ? WHERE id = 1 AND admin_user_id = ''", user)
	return rows > 0, err
}
