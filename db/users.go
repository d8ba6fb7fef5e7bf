package db

import (
	"muster/domain"
)

type userStore struct{ handle }

type userRow struct {
	ID        domain.UserID `db:"id"`
	Email     string        `db:"email"`
	FullName  string        `db:"full_name"`
	CreatedAt int64         `db:"created_at"`
	Proved    bool          `db:"email_proved"`
}

const userColumns = "id, email, full_name, created_at, email_proved"

func (r userRow) user() domain.User {
	return domain.User{ID: r.ID, Email: r.Email, FullName: r.FullName, CreatedAt: moment(r.CreatedAt), EmailProved: r.Proved}
}

// Get implements domain.UserStore.
func (s userStore) Get(id domain.UserID) (domain.User, error) {
	var row userRow
	err := s.get("user", &row, "SELECT "+userColumns+" FROM users WHERE id = ?", id)
	s.seen[string(id)] = err == nil
	return row.user(), err
}

// ByEmail implements domain.UserStore.
func (s userStore) ByEmail(emailKey string) (domain.User, error) {
	var row userRow
	// The second condition lets the engine take the partial index.
	err := s.get("user", &row, "SELECT "+userColumns+" FROM users WHERE email_key = ? AND email_key <> ''", emailKey)
	return row.user(), err
}

// Insert implements domain.UserStore.
func (s userStore) Insert(u domain.User) (bool, error) {
	emailKey, nameKey, err := userKeys(u)
	if err != nil {
		return false, err
	}
	created, err := s.presume("users", "INSERT INTO users (id, email, email_key, full_name, full_name_key, created_at, email_proved) VALUES (?, ?, ?, ?, ?, ?, ?)",
		u.ID, u.Email, emailKey, u.FullName, nameKey, micros(u.CreatedAt), u.EmailProved)
	if created {
		s.held[u.ID], s.fresh[u.ID] = u, true
	}
	return created, err
}

// userKeys folds what is searched.
func userKeys(u domain.User) (emailKey, nameKey string, err error) {
	if emailKey, err = key("emails", u.Email); err != nil {
		return "", "", err
	}
	nameKey, err = key("name", u.FullName)
	return emailKey, nameKey, err
}

// Update implements domain.UserStore.
func (s userStore) Update(u domain.User) error {
	emailKey, nameKey, err := userKeys(u)
	if err != nil {
		return err
	}
	update := "UPDATE users SET email = ?, email_key = ?, full_name = ?, full_name_key = ?, email_proved = ? WHERE id = ?"
	args := []any{u.Email, emailKey, u.FullName, nameKey, u.EmailProved, u.ID}
	if held, ok := s.held[u.ID]; ok {
		held.Email, held.FullName, held.EmailProved = u.Email, u.FullName, u.EmailProved
		s.held[u.ID] = held
	}
	if s.seen[string(u.ID)] {
		return s.mustLater("user", "users", update, args...)
	}
	err = s.must("user", update, args...)
	if domain.IsKind(err, domain.Conflict) {
		return taken("emails")
	}
	return err
}

// InvitedTo implements domain.UserStore.
func (s userStore) InvitedTo(emailKey string) ([]domain.OrgID, error) {
	var orgs []domain.OrgID
	err := s.all(&orgs, "SELECT i.org_id FROM invites i JOIN orgs o ON o.id = i.org_id WHERE i.email_key = ? ORDER BY o.display_name_key, o.id", emailKey)
	return orgs, err
}

// Delete implements domain.UserStore.
func (s userStore) Delete(id domain.UserID) error {
	delete(s.held, id)
	delete(s.fresh, id)
	return s.must("user", "DELETE FROM users WHERE id = ?", id)
}

// Lock implements domain.UserStore.
func (s userStore) Lock(id domain.UserID) (domain.User, error) {
	if user, ok := s.held[id]; ok {
		return user, s.writable()
	}
	var row userRow
	err := s.change("user", &row, "SELECT "+userColumns+" FROM users WHERE id = ?"+s.dialect.lock, id)
	if err == nil {
		s.held[id], s.seen[string(id)] = row.user(), true
	}
	return row.user(), err
}

// membershipRow is a member with its organization.
type membershipRow struct {
	memberRow

	Org      domain.OrgID `db:"org_id"`
	OrgName  string       `db:"org_name"`
	Personal bool         `db:"personal"`
}

func (r membershipRow) membership() (domain.Membership, error) {
	member, err := r.member()
	return domain.Membership{Org: r.Org, OrgName: r.OrgName, Personal: r.Personal, Member: member}, err
}

// Memberships implements domain.UserStore.
func (s userStore) Memberships(id domain.UserID) ([]domain.Membership, error) {
	var rows []membershipRow
	err := s.all(&rows, `SELECT m.org_id, o.display_name AS org_name, o.personal, m.id, m.user_id, m.status, m.created_at,
		m.role_id, m.grant_kind, m.grant_source, m.grant_source_name, m.granted_at, m.replaced
		FROM members m JOIN orgs o ON o.id = m.org_id WHERE m.user_id = ? ORDER BY o.display_name_key, o.id`, id)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		s.seen[string(row.ID)] = true
	}
	return convert(rows, membershipRow.membership)
}
