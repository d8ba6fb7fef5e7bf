package db

import "muster/domain"

type credentialStore struct{ handle }

// SCIMToken implements domain.CredentialStore.
func (s credentialStore) SCIMToken(digest domain.Digest) (domain.SCIMToken, error) {
	var row tokenRow
	if err := s.get("SCIM token", &row, "SELECT "+tokenColumns+" FROM scim_tokens WHERE digest = ?", digest); err != nil {
		return domain.SCIMToken{}, err
	}
	return row.token()
}

// Key implements domain.CredentialStore.
func (s credentialStore) Key(digest domain.Digest) (domain.Key, domain.Holder, error) {
	var rows []struct {
		keyRow
		holderRow
	}
	err := s.all(&rows, `SELECT k.id, k.org_id, k.kind, k.digest, k.short, k.user_id, k.description, k.role_id, k.org_role_id,
		k.workspaces, k.default_workspace, k.created_by, k.created_at, k.last_used_at, k.expires_at, `+holderColumns+`
		FROM api_keys k LEFT JOIN users u ON u.id = k.user_id
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
