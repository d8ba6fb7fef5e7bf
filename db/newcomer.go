package db

import (
	"slices"

	"muster/domain"
)

// Newcomer implements domain.SCIMUserStore.
func (s scimUserStore) Newcomer(a domain.Arrival) (domain.Newcomer, error) {
	query, args := s.arrival(a)
	if query == "" {
		return domain.Newcomer{}, s.refused
	}
	var rows []struct {
		userRow

		Found string `db:"found"`
	}
	if err := s.all(&rows, query, args...); err != nil {
		return domain.Newcomer{}, err
	}
	var known domain.Newcomer
	best := len(a.Issuers)
	for _, row := range rows {
		switch row.Found {
		case "email":
			known.ByEmail = row.user()
		case "invite":
			known.Invited = true
		default:
			if at := slices.Index(a.Issuers, row.Found); at < best {
				known.ByIdentity, best = row.user(), at
			}
		}
	}
	return known, nil
}

// arrival is empty when there is nothing to look for; an issuer is a URL and never one of our words.
func (s scimUserStore) arrival(a domain.Arrival) (query string, args []any) {
	if a.EmailKey != "" {
		query = "SELECT 'email' AS found, " + userColumns + ` FROM users WHERE email_key = ? AND email_key <> ''
			UNION ALL SELECT 'invite', id, email, '', created_at, FALSE FROM invites WHERE org_id = ? AND email_key = ?`
		args = []any{a.EmailKey, s.org, a.EmailKey}
	}
	if a.Subject == "" || len(a.Issuers) == 0 {
		return query, args
	}
	if query != "" {
		query += " UNION ALL "
	}
	query += `SELECT i.issuer AS found, u.id, u.email, u.full_name, u.created_at, u.email_proved FROM identities i JOIN users u ON u.id = i.user_id
		WHERE i.issuer IN (` + places(len(a.Issuers)) + `) AND i.subject = ?`
	for _, issuer := range a.Issuers {
		args = append(args, issuer)
	}
	return query, append(args, a.Subject)
}
