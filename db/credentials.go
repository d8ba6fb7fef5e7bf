package db

import (
	"time"

	"muster/domain"
)

type credentialStore struct{ handle }

// SCIMToken implements domain.CredentialStore.
func (s credentialStore) SCIMToken(digest domain.Digest) (domain.SCIMToken, error) {
	return s.token("WHERE t.digest = ?", digest)
}

// SCIMTokenByID implements domain.CredentialStore; ids are unique over all organizations.
func (s credentialStore) SCIMTokenByID(id domain.TokenID) (domain.SCIMToken, error) {
	return s.token("WHERE t.id = ?", id)
}

// Access implements domain.CredentialStore.
func (s credentialStore) Access(digest domain.Digest) (domain.SCIMToken, error) {
	return s.token("JOIN scim_access_tokens a ON a.org_id = t.org_id AND a.token_id = t.id WHERE a.digest = ? AND a.expires_at > ?", digest, micros(s.now))
}

func (s credentialStore) token(where string, args ...any) (domain.SCIMToken, error) {
	var row tokenRow
	if err := s.get("SCIM token", &row, knownTokens+" "+where, args...); err != nil {
		return domain.SCIMToken{}, err
	}
	return row.token()
}

// InsertAccess implements domain.CredentialStore.
func (s credentialStore) InsertAccess(t domain.AccessToken) error {
	_, err := s.exec("INSERT INTO scim_access_tokens (digest, org_id, token_id, expires_at) VALUES (?, ?, ?, ?)", t.Digest, t.Org, t.Token, micros(t.ExpiresAt))
	return err
}

// DeleteExpired implements domain.CredentialStore.
func (s credentialStore) DeleteExpired(limit int) (int, error) {
	return s.exec("DELETE FROM scim_access_tokens WHERE digest IN (SELECT digest FROM scim_access_tokens WHERE expires_at <= ? LIMIT ?)", micros(s.now), limit)
}

// DeleteActivity implements domain.CredentialStore.
func (s credentialStore) DeleteActivity(before time.Time, limit int) (int, error) {
	return s.exec("DELETE FROM scim_activity WHERE (org_id, id) IN (SELECT org_id, id FROM scim_activity WHERE at < ? LIMIT ?)", micros(before), limit)
}

// Key implements domain.CredentialStore.
func (s credentialStore) Key(digest domain.Digest) (domain.Key, domain.Holder, error) {
	var rows []struct {
		keyRow
		holderRow
	}
	err := s.all(&rows, `SELECT k.id, k.org_id, k.kind, k.digest, k.short, k.user_id, k.description, k.role_id, k.org_role_id,
		k.workspaces, k.default_workspace, k.created_by, k.created_at, k.last_used_at, k.expires_at,
		k.account_id, k.revoked_at, COALESCE(a.workspaces, '') AS places, `+holderColumns+`
		FROM api_keys k LEFT JOIN service_accounts a ON a.org_id = k.org_id AND a.id = k.account_id LEFT JOIN users u ON u.id = k.user_id
		LEFT JOIN members m ON m.user_id = u.id LEFT JOIN orgs o ON o.id = m.org_id
		WHERE k.digest = ? ORDER BY o.display_name_key, o.id`, digest)
	if err != nil {
		return domain.Key{}, domain.Holder{}, err
	}
	if len(rows) == 0 {
		return domain.Key{}, domain.Holder{}, notFound("key")
	}
	var holder domain.Holder
	for _, row := range rows {
		if err := row.add(&holder); err != nil {
			return domain.Key{}, domain.Holder{}, err
		}
	}
	key, err := rows[0].key()
	return key, holder, err
}

// Expiring implements domain.CredentialStore.
func (s credentialStore) Expiring(from, to time.Time, level int) ([]domain.SCIMToken, error) {
	var rows []tokenRow
	err := s.all(&rows, knownTokens+" WHERE t.expires_at > 0 AND t.expires_at > ? AND t.expires_at <= ? AND t.warned < ? ORDER BY t.expires_at", micros(from), micros(to), level)
	if err != nil {
		return nil, err
	}
	return convert(rows, tokenRow.token)
}
