package db

import (
	"time"

	"muster/domain"
)

type tokenStore struct{ handle }

type tokenRow struct {
	ID          domain.TokenID `db:"id"`
	Org         domain.OrgID   `db:"org_id"`
	Digest      domain.Digest  `db:"digest"`
	Description string         `db:"description"`
	Short       string         `db:"short"`
	CreatedBy   string         `db:"created_by"`
	CreatedAt   int64          `db:"created_at"`
	UpdatedAt   int64          `db:"updated_at"`
	LastUsedAt  int64          `db:"last_used_at"`
	ExpiresAt   int64          `db:"expires_at"`
	Profile     string         `db:"profile"`
	Revision    int64          `db:"revision"`
	Guarded     bool           `db:"guarded"`
}

const tokenColumns = "id, org_id, digest, description, short, created_by, created_at, updated_at, last_used_at, expires_at, profile" //nolint:gosec // names of columns

// knownTokens are the tokens with the revision of what their organization declared, and whether its guard is on.
//
//nolint:gosec // names of columns
const knownTokens = `SELECT t.id, t.org_id, t.digest, t.description, t.short, t.created_by, t.created_at, t.updated_at, t.last_used_at, t.expires_at,
	t.profile, COALESCE(d.revision, 0) AS revision, COALESCE(g.enabled, FALSE) AS guarded
	FROM scim_tokens t LEFT JOIN scim_definitions d ON d.org_id = t.org_id LEFT JOIN guards g ON g.org_id = t.org_id`

func (r tokenRow) token() (domain.SCIMToken, error) {
	return domain.SCIMToken{
		ID: r.ID, Org: r.Org, Digest: r.Digest, Description: r.Description, Short: r.Short, CreatedBy: r.CreatedBy,
		CreatedAt: moment(r.CreatedAt), UpdatedAt: moment(r.UpdatedAt), LastUsedAt: moment(r.LastUsedAt), ExpiresAt: moment(r.ExpiresAt),
		Profile: domain.SCIMProfile(r.Profile), Definitions: r.Revision, Guarded: r.Guarded,
	}, nil
}

// Get implements domain.TokenStore.
func (s tokenStore) Get(id domain.TokenID) (domain.SCIMToken, error) {
	var row tokenRow
	if err := s.get("SCIM token", &row, "SELECT "+tokenColumns+" FROM scim_tokens WHERE org_id = ? AND id = ?", s.org, id); err != nil {
		return domain.SCIMToken{}, err
	}
	return row.token()
}

// List implements domain.TokenStore.
func (s tokenStore) List() ([]domain.SCIMToken, error) {
	var rows []tokenRow
	if err := s.all(&rows, "SELECT "+tokenColumns+" FROM scim_tokens WHERE org_id = ? ORDER BY id", s.org); err != nil {
		return nil, err
	}
	return convert(rows, tokenRow.token)
}

// Insert implements domain.TokenStore.
func (s tokenStore) Insert(t domain.SCIMToken) error {
	_, err := s.exec("INSERT INTO scim_tokens ("+tokenColumns+") VALUES ("+places(11)+")",
		t.ID, s.org, t.Digest, t.Description, t.Short, t.CreatedBy, micros(t.CreatedAt), micros(t.UpdatedAt), micros(t.LastUsedAt), micros(t.ExpiresAt), t.Profile)
	return err
}

// Update implements domain.TokenStore.
func (s tokenStore) Update(t domain.SCIMToken) error {
	return s.must("SCIM token", "UPDATE scim_tokens SET digest = ?, description = ?, short = ?, updated_at = ?, expires_at = ?, profile = ? WHERE org_id = ? AND id = ?",
		t.Digest, t.Description, t.Short, micros(t.UpdatedAt), micros(t.ExpiresAt), t.Profile, s.org, t.ID)
}

// Delete implements domain.TokenStore.
func (s tokenStore) Delete(id domain.TokenID) error {
	return s.must("SCIM token", "DELETE FROM scim_tokens WHERE org_id = ? AND id = ?", s.org, id)
}

// Exists implements domain.TokenStore.
func (s tokenStore) Exists(id domain.TokenID) (bool, error) {
	var n int
	err := s.get("", &n, "SELECT COUNT(*) FROM scim_tokens WHERE org_id = ? AND id = ?", s.org, id)
	return n > 0, err
}

// Touch implements domain.TokenStore.
func (s tokenStore) Touch(id domain.TokenID, at time.Time) error {
	return s.must("SCIM token", "UPDATE scim_tokens SET last_used_at = ? WHERE org_id = ? AND id = ?", micros(at), s.org, id)
}

// Warned implements domain.TokenStore.
func (s tokenStore) Warned(id domain.TokenID, level int) (bool, error) {
	rows, err := s.exec("UPDATE scim_tokens SET warned = ? WHERE org_id = ? AND id = ? AND warned < ?", level, s.org, id, level)
	return rows > 0, err
}
