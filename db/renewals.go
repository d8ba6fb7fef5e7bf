package db

import (
	"time"

	"muster/domain"
)

type renewalStore struct{ handle }

// Lease implements domain.RenewalStore: of several that ask at once one UPDATE finds the row as it wants it.
func (s renewalStore) Lease(session domain.Digest, lease string, until time.Time) (domain.Tokens, error) {
	var row tokensRow
	err := s.change("session to renew", &row, `UPDATE sessions SET lease = ?, lease_until = ?
		WHERE digest = ? AND lease_until <= ? AND expires_at <= ? AND ends_at > ? AND refresh_token <> '' RETURNING refresh_token, id_token`,
		lease, micros(until), session, micros(s.now), micros(s.now), micros(s.now))
	return domain.Tokens(row), err
}

// Renew implements domain.RenewalStore.
func (s renewalStore) Renew(session domain.Digest, lease string, expires time.Time, tokens domain.Tokens) error {
	return s.must("session to renew", `UPDATE sessions SET expires_at = ?, lease = '', lease_until = 0,
		refresh_token = COALESCE(NULLIF(CAST(? AS TEXT), ''), refresh_token), id_token = COALESCE(NULLIF(CAST(? AS TEXT), ''), id_token)
		WHERE digest = ? AND lease = ?`, micros(expires), tokens.Refresh, tokens.ID, session, lease)
}

// Pause implements domain.RenewalStore.
func (s renewalStore) Pause(session domain.Digest, lease string, until time.Time) error {
	return s.must("session to renew", "UPDATE sessions SET lease = '', lease_until = ? WHERE digest = ? AND lease = ?", micros(until), session, lease)
}

// Sealed implements domain.RenewalStore.
func (s renewalStore) Sealed(after domain.Digest, limit int) ([]domain.Session, error) {
	var rows []struct {
		sessionRow
		tokensRow
	}
	err := s.all(&rows, "SELECT "+sessionColumns+`, s.refresh_token, s.id_token FROM sessions s
		WHERE s.digest > ? AND (s.refresh_token <> '' OR s.id_token <> '') ORDER BY s.digest LIMIT ?`, after, limit)
	if err != nil {
		return nil, err
	}
	sessions := make([]domain.Session, len(rows))
	for i, row := range rows {
		if sessions[i], err = row.session(); err != nil {
			return nil, err
		}
		sessions[i].Tokens = domain.Tokens(row.tokensRow)
	}
	return sessions, nil
}

// Reseal implements domain.RenewalStore; a session that was renewed or ended meanwhile stays as it is.
func (s renewalStore) Reseal(session domain.Digest, from, to domain.Tokens) error {
	_, err := s.exec("UPDATE sessions SET refresh_token = ?, id_token = ? WHERE digest = ? AND refresh_token = ? AND id_token = ?",
		to.Refresh, to.ID, session, from.Refresh, from.ID)
	return err
}

type logoutTokenStore struct{ handle }

// Remember implements domain.LogoutTokenStore.
func (s logoutTokenStore) Remember(issuer, id string, expires time.Time) (bool, error) {
	return s.insert("INSERT INTO logout_tokens (issuer, id, expires_at) VALUES (?, ?, ?)", issuer, id, micros(expires))
}

// DeleteExpired implements domain.LogoutTokenStore.
func (s logoutTokenStore) DeleteExpired(limit int) (int, error) {
	return s.exec(`DELETE FROM logout_tokens WHERE (issuer, id) IN
		(SELECT issuer, id FROM logout_tokens WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`, micros(s.now), limit)
}
