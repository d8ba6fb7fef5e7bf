package db

import (
	"time"

	"muster/domain"
)

type installationStore struct{ handle }

// Get implements domain.InstallationStore.
func (s installationStore) Get() (domain.Installation, error) {
	var row struct {
		DefaultOrg domain.OrgID  `db:"default_org_id"`
		InitialOrg domain.OrgID  `db:"initial_org_id"`
		Admin      domain.UserID `db:"admin_user_id"`
		SigningKey string        `db:"signing_key"`
		BackupAt   int64         `db:"backup_at"`
	}
	err := s.get("installation", &row, "SELECT default_org_id, initial_org_id, admin_user_id, signing_key, backup_at FROM installation WHERE id = 1")
	return domain.Installation{
		DefaultOrg: row.DefaultOrg, InitialOrg: row.InitialOrg, Admin: row.Admin, SigningKey: row.SigningKey, BackupAt: moment(row.BackupAt),
	}, err
}

// Door implements domain.InstallationStore.
func (s installationStore) Door(user domain.UserID, provider string) (domain.Door, error) {
	var row struct {
		ssoRow

		DefaultOrg domain.OrgID      `db:"default_org_id"`
		InitialOrg domain.OrgID      `db:"initial_org_id"`
		Admin      domain.UserID     `db:"admin_user_id"`
		Disabled   bool              `db:"disabled"`
		Member     *domain.MemberID  `db:"m_id"`
		Status     *domain.Status    `db:"status"`
		CreatedAt  *int64            `db:"created_at"`
		HeldRole   *domain.RoleID    `db:"role_id"`
		Kind       *domain.GrantKind `db:"grant_kind"`
		Source     *string           `db:"grant_source"`
		SourceName *string           `db:"grant_source_name"`
		At         *int64            `db:"granted_at"`
		Replaced   *string           `db:"replaced"`
	}
	err := s.get("installation", &row, "SELECT i.default_org_id, i.initial_org_id, i.admin_user_id, "+ssoColumns+`, m.id AS m_id, m.status, m.created_at,
		m.role_id, m.grant_kind, m.grant_source, m.grant_source_name, m.granted_at, m.replaced,
		EXISTS (SELECT 1 FROM disabled_providers d WHERE d.id = ?) AS disabled
		FROM installation i JOIN sso_settings s ON s.org_id = i.default_org_id
		LEFT JOIN members m ON m.org_id = i.default_org_id AND m.user_id = ? WHERE i.id = 1`, provider, user)
	if err != nil {
		return domain.Door{}, err
	}
	door := domain.Door{Installation: domain.Installation{DefaultOrg: row.DefaultOrg, InitialOrg: row.InitialOrg, Admin: row.Admin}, ProviderDisabled: row.Disabled}
	if door.SSO, err = row.settings(); err != nil || row.Member == nil {
		return door, err
	}
	held := heldRow{Role: *row.HeldRole, Kind: *row.Kind, Source: *row.Source, SourceName: *row.SourceName, At: *row.At, Replaced: *row.Replaced}
	member, err := memberRow{heldRow: held, ID: *row.Member, User: user, Status: *row.Status, CreatedAt: *row.CreatedAt}.member()
	door.Member = &member
	return door, err
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

// SetBackupAt implements domain.InstallationStore.
func (s installationStore) SetBackupAt(at time.Time) error {
	_, err := s.exec("UPDATE installation SET backup_at = ? WHERE id = 1", micros(at))
	return err
}

// ClaimAdmin implements domain.InstallationStore.
func (s installationStore) ClaimAdmin(user domain.UserID) (bool, error) {
	rows, err := s.exec("UPDATE installation SET admin_user_id = ? WHERE id = 1 AND admin_user_id = ''", user)
	return rows > 0, err
}
