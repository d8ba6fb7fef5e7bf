package db

import "muster/domain"

type identityStore struct{ handle }

type identityRow struct {
	ID        domain.IdentityID `db:"id"`
	User      domain.UserID     `db:"user_id"`
	Provider  string            `db:"provider"`
	Issuer    string            `db:"issuer"`
	Subject   string            `db:"subject"`
	Object    string            `db:"object"`
	Email     string            `db:"email"`
	CreatedAt int64             `db:"created_at"`
}

const identityColumns = "id, user_id, provider, issuer, subject, object, email, created_at"

func (r identityRow) identity() (domain.Identity, error) {
	return domain.Identity{
		ID: r.ID, User: r.User, Provider: r.Provider, Issuer: r.Issuer, Subject: r.Subject, Object: r.Object, Email: r.Email, CreatedAt: moment(r.CreatedAt),
	}, nil
}

// Find implements domain.IdentityStore.
func (s identityStore) Find(issuer, subject string) (domain.Identity, error) {
	var row identityRow
	err := s.get("identity", &row, "SELECT "+identityColumns+" FROM identities WHERE issuer = ? AND subject = ?", issuer, subject)
	if err != nil {
		return domain.Identity{}, err
	}
	return row.identity()
}

// Hold implements domain.IdentityStore.
func (s identityStore) Hold(issuer, subject string) (domain.User, error) {
	lock := s.dialect.lock
	if lock != "" {
		lock += " OF u"
	}
	var row userRow
	err := s.change("identity", &row, `SELECT u.id, u.email, u.full_name, u.created_at, u.email_proved FROM identities i JOIN users u ON u.id = i.user_id
		WHERE i.issuer = ? AND i.subject = ?`+lock, issuer, subject)
	if err == nil {
		s.held[row.ID], s.seen[string(row.ID)] = row.user(), true
	}
	return row.user(), err
}

// OfUser implements domain.IdentityStore.
func (s identityStore) OfUser(user domain.UserID) ([]domain.Identity, error) {
	if s.fresh[user] {
		return nil, s.refused
	}
	var rows []identityRow
	if err := s.all(&rows, "SELECT "+identityColumns+" FROM identities WHERE user_id = ? ORDER BY id", user); err != nil {
		return nil, err
	}
	return convert(rows, identityRow.identity)
}

// Insert implements domain.IdentityStore.
func (s identityStore) Insert(i domain.Identity) (bool, error) {
	for field, text := range map[string]string{"issuer": i.Issuer, "subject": i.Subject} {
		if _, err := exactKey(field, text); err != nil {
			return false, err
		}
	}
	delete(s.fresh, i.User)
	return s.insert("INSERT INTO identities ("+identityColumns+") VALUES ("+places(8)+")",
		i.ID, i.User, i.Provider, i.Issuer, i.Subject, i.Object, i.Email, micros(i.CreatedAt))
}

// ByObject implements domain.IdentityStore.
func (s identityStore) ByObject(provider, object string) ([]domain.Identity, error) {
	var rows []identityRow
	err := s.all(&rows, "SELECT "+identityColumns+" FROM identities WHERE object = ? AND object <> '' AND provider = ? ORDER BY id", object, provider)
	if err != nil {
		return nil, err
	}
	return convert(rows, identityRow.identity)
}

// DeleteOfUser implements domain.IdentityStore.
func (s identityStore) DeleteOfUser(user domain.UserID) error {
	return s.later("identities", "DELETE FROM identities WHERE user_id = ?", user)
}

// ByExternalID implements domain.IdentityStore.
func (s identityStore) ByExternalID(externalID string) ([]domain.ExternalMatch, error) {
	var rows []struct {
		Org    domain.OrgID    `db:"org_id"`
		Member domain.MemberID `db:"id"`
		User   domain.UserID   `db:"user_id"`
	}
	err := s.all(&rows, "SELECT org_id, id, user_id FROM scim_users WHERE external_id = ? AND external_id <> '' ORDER BY org_id", externalID)
	if err != nil {
		return nil, err
	}
	matches := make([]domain.ExternalMatch, len(rows))
	for i, row := range rows {
		matches[i] = domain.ExternalMatch(row)
	}
	return matches, nil
}
