package db

import (
	"time"

	"muster/domain"
)

type keyStore struct{ handle }

type keyRow struct {
	ID               domain.KeyID       `db:"id"`
	Org              domain.OrgID       `db:"org_id"`
	Kind             domain.KeyKind     `db:"kind"`
	Digest           domain.Digest      `db:"digest"`
	Short            string             `db:"short"`
	User             domain.UserID      `db:"user_id"`
	Description      string             `db:"description"`
	Role             domain.RoleID      `db:"role_id"`
	OrgRole          domain.RoleID      `db:"org_role_id"`
	Workspaces       string             `db:"workspaces"`
	DefaultWorkspace domain.WorkspaceID `db:"default_workspace"`
	CreatedBy        string             `db:"created_by"`
	CreatedAt        int64              `db:"created_at"`
	LastUsedAt       int64              `db:"last_used_at"`
	ExpiresAt        int64              `db:"expires_at"`
	Account          domain.AccountID   `db:"account_id"`
	RevokedAt        int64              `db:"revoked_at"`
	// Places are the account's, where the statement has joined it.
	Places string `db:"places"`
}

const keyColumns = `id, org_id, kind, digest, short, user_id, description, role_id, org_role_id,
	workspaces, default_workspace, created_by, created_at, last_used_at, expires_at, account_id, revoked_at`

func (r keyRow) key() (domain.Key, error) {
	key := domain.Key{
		ID: r.ID, Org: r.Org, Kind: r.Kind, Digest: r.Digest, Short: r.Short, User: r.User, Description: r.Description,
		Role: r.Role, OrgRole: r.OrgRole, DefaultWorkspace: r.DefaultWorkspace, CreatedBy: r.CreatedBy,
		CreatedAt: moment(r.CreatedAt), LastUsedAt: moment(r.LastUsedAt), ExpiresAt: moment(r.ExpiresAt),
		Account: r.Account, RevokedAt: moment(r.RevokedAt),
	}
	if r.Places != "" {
		if err := decode(r.Places, &key.AccountRoles); err != nil {
			return key, err
		}
	}
	return key, decode(r.Workspaces, &key.Workspaces)
}

// Get implements domain.KeyStore.
func (s keyStore) Get(id domain.KeyID) (domain.Key, error) {
	var row keyRow
	if err := s.get("key", &row, "SELECT "+keyColumns+" FROM api_keys WHERE org_id = ? AND id = ?", s.org, id); err != nil {
		return domain.Key{}, err
	}
	return row.key()
}

// List implements domain.KeyStore.
func (s keyStore) List(kind domain.KeyKind, user domain.UserID) ([]domain.Key, error) {
	var rows []keyRow
	query, args := "SELECT "+keyColumns+" FROM api_keys WHERE org_id = ? AND kind = ?", []any{s.org, kind}
	if user != "" {
		query, args = query+" AND user_id = ?", append(args, user)
	}
	if err := s.all(&rows, query+" ORDER BY id", args...); err != nil {
		return nil, err
	}
	return convert(rows, keyRow.key)
}

// Insert implements domain.KeyStore.
func (s keyStore) Insert(k domain.Key) error {
	workspaces, err := encode(k.Workspaces)
	if err != nil {
		return err
	}
	_, err = s.exec("INSERT INTO api_keys ("+keyColumns+") VALUES ("+places(17)+")",
		k.ID, s.org, k.Kind, k.Digest, k.Short, k.User, k.Description, k.Role, k.OrgRole, workspaces, k.DefaultWorkspace,
		k.CreatedBy, micros(k.CreatedAt), micros(k.LastUsedAt), micros(k.ExpiresAt), k.Account, micros(k.RevokedAt))
	return err
}

// Delete implements domain.KeyStore.
func (s keyStore) Delete(id domain.KeyID) error {
	return s.must("key", "DELETE FROM api_keys WHERE org_id = ? AND id = ?", s.org, id)
}

// Update implements domain.KeyStore.
func (s keyStore) Update(k domain.Key) error {
	return s.must("key", "UPDATE api_keys SET role_id = ?, org_role_id = ?, revoked_at = ? WHERE org_id = ? AND id = ?",
		k.Role, k.OrgRole, micros(k.RevokedAt), s.org, k.ID)
}

// DeleteOfAccount implements domain.KeyStore.
func (s keyStore) DeleteOfAccount(account domain.AccountID) error {
	if account == "" {
		return s.writable() // most keys have no account
	}
	_, err := s.exec("DELETE FROM api_keys WHERE org_id = ? AND account_id = ? AND account_id <> ''", s.org, account)
	return err
}

// DeleteOfUser implements domain.KeyStore.
func (s keyStore) DeleteOfUser(user domain.UserID) error {
	if user == "" {
		return s.writable() // a service key has no user
	}
	return s.later("api_keys", "DELETE FROM api_keys WHERE org_id = ? AND user_id = ?", s.org, user)
}

// Touch implements domain.KeyStore.
func (s keyStore) Touch(id domain.KeyID, at time.Time) error {
	return s.must("key", "UPDATE api_keys SET last_used_at = ? WHERE org_id = ? AND id = ?", micros(at), s.org, id)
}
