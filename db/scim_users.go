package db

import (
	"math/rand/v2"
	"slices"

	"muster/domain"
)

type scimUserStore struct{ handle }

type scimUserRow struct {
	ID        domain.MemberID `db:"id"`
	User      domain.UserID   `db:"user_id"`
	Data      string          `db:"data"`
	Version   int64           `db:"version"`
	CreatedAt int64           `db:"created_at"`
	UpdatedAt int64           `db:"updated_at"`
}

const scimUserColumns = "id, user_id, data, version, created_at, updated_at"

// scimUser reads the profile from the document again: the columns beside it are for finding only.
func (r scimUserRow) scimUser() (domain.SCIMUser, error) {
	user := domain.SCIMUser{ID: r.ID, User: r.User, Version: r.Version, CreatedAt: moment(r.CreatedAt), UpdatedAt: moment(r.UpdatedAt)}
	if err := decode(r.Data, &user.Attributes); err != nil {
		return user, err
	}
	var err error
	user.Profile, err = domain.ReadProfile(user.Attributes)
	return user, err
}

// Get implements domain.SCIMUserStore; the resource and its groups come with one statement.
func (s scimUserStore) Get(id domain.MemberID) (domain.SCIMUser, error) {
	return s.fetch(id, false, "")
}

// Fetch implements domain.SCIMUserStore.
func (s scimUserStore) Fetch(id domain.MemberID, holding domain.TokenID) (domain.SCIMUser, error) {
	if holding == "" {
		return s.fetch(id, true, "")
	}
	return s.fetch(id, true, " AND "+whileHolding, s.org, holding)
}

// whileHolding is a condition that holds while a SCIM token is there.
const whileHolding = "EXISTS (SELECT 1 FROM scim_tokens t WHERE t.org_id = ? AND t.id = ?)"

func (s scimUserStore) fetch(id domain.MemberID, raw bool, more string, args ...any) (domain.SCIMUser, error) {
	var row listedUserRow
	err := s.get("User", &row, "SELECT "+s.listedColumns()+", '' AS sort_key FROM scim_users WHERE org_id = ? AND id = ?"+more, append([]any{s.org, id}, args...)...)
	if err != nil {
		return domain.SCIMUser{}, err
	}
	return row.user(raw)
}

// Lock implements domain.SCIMUserStore.
func (s scimUserStore) Lock(id domain.MemberID) (domain.SCIMUser, error) {
	if err := s.ready(); err != nil {
		return domain.SCIMUser{}, err
	}
	user, err := s.fetch(id, false, s.dialect.lock)
	if err != nil {
		return domain.SCIMUser{}, err
	}
	if s.emails[id], err = emailKeys(user.Attributes); err != nil {
		return domain.SCIMUser{}, err
	}
	return user, nil
}

// ByUserName implements domain.SCIMUserStore.
func (s scimUserStore) ByUserName(nameKey string) (domain.SCIMUser, error) {
	var row scimUserRow
	err := s.get("User", &row, "SELECT "+scimUserColumns+" FROM scim_users WHERE org_id = ? AND user_name_key = ?", s.org, nameKey)
	if err != nil {
		return domain.SCIMUser{}, err
	}
	return row.scimUser()
}

// scimUserKeys is what of a resource stands in columns, to be found by.
type scimUserKeys struct {
	userName, externalID, displayName, fullName string
	emails                                      []string
	data                                        string
}

func keysOf(u domain.SCIMUser) (k scimUserKeys, err error) {
	if k.userName, err = key("userName", u.UserName); err != nil {
		return k, err
	}
	if k.externalID, err = exactKey("externalId", u.ExternalID); err != nil {
		return k, err
	}
	if k.displayName, err = key("displayName", u.DisplayName); err != nil {
		return k, err
	}
	if k.fullName, err = exactKey("name", u.FullName); err != nil {
		return k, err
	}
	if k.emails, err = emailKeys(u.Attributes); err != nil {
		return k, err
	}
	k.data, err = encode(u.Attributes)
	return k, err
}

// emailKeys returns the folded addresses of a document as a filter on emails.value sees them, sorted.
func emailKeys(doc domain.Document) ([]string, error) {
	var keys []string
	elements, _ := doc["emails"].([]any)
	for _, element := range elements {
		email, _ := element.(map[string]any)
		value, _ := email["value"].(string)
		if value == "" {
			continue
		}
		folded, err := key("emails", value)
		if err != nil {
			return nil, err
		}
		keys = append(keys, folded)
	}
	slices.Sort(keys)
	return slices.Compact(keys), nil
}

// Insert implements domain.SCIMUserStore.
func (s scimUserStore) Insert(u domain.SCIMUser) error {
	k, err := keysOf(u)
	if err != nil {
		return err
	}
	created, err := s.presume("scim_users", "INSERT INTO scim_users (org_id, user_name_key, external_id, display_name_key, full_name, active, "+scimUserColumns+") VALUES ("+places(12)+")",
		s.org, k.userName, k.externalID, k.displayName, k.fullName, u.Active, u.ID, u.User, k.data, u.Version, micros(u.CreatedAt), micros(u.UpdatedAt))
	if err != nil {
		return err
	}
	if !created {
		return s.clash(k, u.ID)
	}
	s.grown++
	if err := s.countUsers(1); err != nil {
		return err
	}
	return s.addEmails(u.ID, k.emails)
}

// countShards is over how many rows an organization's count is spread, so that writers seldom meet.
const countShards = 64

// countUsers keeps the number of an organization's users, which lists tell without counting (S40).
func (h handle) countUsers(by int) error { return h.count(by, 0) }

// count adds to the number of SCIM users, and of members that were ever removed.
func (h handle) count(users, removed int) error {
	return h.later("scim_counts", `INSERT INTO scim_counts (org_id, shard, users, removed) VALUES (?, ?, ?, ?)
		ON CONFLICT (org_id, shard) DO UPDATE SET users = scim_counts.users + excluded.users, removed = scim_counts.removed + excluded.removed`,
		h.org, rand.IntN(countShards), users, removed) //nolint:gosec // spreads load
}

// Update implements domain.SCIMUserStore; addresses are written only when they changed.
func (s scimUserStore) Update(u domain.SCIMUser) error {
	k, err := keysOf(u)
	if err != nil {
		return err
	}
	update := `UPDATE scim_users SET user_name_key = ?, external_id = ?, display_name_key = ?, full_name = ?, active = ?,
		data = ?, version = ?, updated_at = ? WHERE org_id = ? AND id = ?`
	args := []any{k.userName, k.externalID, k.displayName, k.fullName, u.Active, k.data, u.Version, micros(u.UpdatedAt), s.org, u.ID}
	known, locked := s.emails[u.ID]
	if locked {
		err = s.mustLater("User", "scim_users", update, args...)
	} else {
		err = s.must("User", update, args...)
	}
	if named, ok := conflict(err); ok && !named {
		return s.clash(k, u.ID)
	}
	if err != nil {
		return err
	}
	if locked && slices.Equal(known, k.emails) {
		return nil
	}
	if err := s.later("scim_emails", "DELETE FROM scim_emails WHERE org_id = ? AND member_id = ?", s.org, u.ID); err != nil {
		return err
	}
	return s.addEmails(u.ID, k.emails)
}

// clash finds out which unique attribute another resource has; SQLite does not say.
func (s scimUserStore) clash(k scimUserKeys, id domain.MemberID) error {
	return s.whichIsTaken("scim_users", string(id), [][3]string{
		{"userName", "user_name_key", k.userName}, {"externalId", "external_id", k.externalID},
	})
}

func (s scimUserStore) addEmails(id domain.MemberID, keys []string) error {
	s.emails[id] = keys
	if len(keys) == 1 { // nearly everybody; faster than the list
		return s.later("scim_emails", "INSERT INTO scim_emails (org_id, member_id, value_key) VALUES (?, ?, ?)", s.org, id, keys[0])
	}
	for some := range slices.Chunk(keys, chunk) {
		err := s.later("scim_emails", "INSERT INTO scim_emails (org_id, member_id, value_key) SELECT CAST(? AS TEXT), CAST(? AS TEXT), v.c0 FROM "+s.dialect.rows(1, len(some))+" WHERE TRUE",
			s.org, id, texts(some))
		if err != nil {
			return err
		}
	}
	return nil
}

// Missing implements domain.SCIMUserStore.
func (s scimUserStore) Missing(ids []domain.MemberID) ([]domain.MemberID, error) {
	return missing(s.handle, "scim_users", ids)
}
