package db

import (
	"slices"

	"muster/domain"
)

type memberStore struct{ handle }

type memberRow struct {
	heldRow

	ID        domain.MemberID `db:"id"`
	User      domain.UserID   `db:"user_id"`
	Status    domain.Status   `db:"status"`
	CreatedAt int64           `db:"created_at"`
}

const memberColumns = "id, user_id, status, created_at, " + heldColumns

func (r memberRow) member() (domain.Member, error) {
	held, err := r.held()
	return domain.Member{ID: r.ID, User: r.User, Status: r.Status, Role: held, CreatedAt: moment(r.CreatedAt)}, err
}

// Get implements domain.MemberStore.
func (s memberStore) Get(id domain.MemberID) (domain.Member, error) {
	return s.find("id", string(id))
}

// ByUser implements domain.MemberStore.
func (s memberStore) ByUser(id domain.UserID) (domain.Member, error) {
	if s.fresh[id] && s.refused == nil {
		return domain.Member{}, notFound("member")
	}
	return s.find("user_id", string(id))
}

func (s memberStore) find(column, value string) (domain.Member, error) {
	var row memberRow
	err := s.get("member", &row, "SELECT "+memberColumns+" FROM members WHERE org_id = ? AND "+column+" = ?", s.org, value)
	if err != nil {
		return domain.Member{}, err
	}
	s.seen[string(row.ID)] = true
	return row.member()
}

// Insert implements domain.MemberStore.
func (s memberStore) Insert(m domain.Member) (bool, error) {
	held, err := heldArgs(m.Role)
	if err != nil {
		return false, err
	}
	delete(s.fresh, m.User)
	s.seen[string(m.ID)] = true
	args := append([]any{s.org, m.ID, m.User, m.Status, micros(m.CreatedAt)}, held...)
	return s.presume("members", "INSERT INTO members (org_id, "+memberColumns+") VALUES ("+places(11)+")", args...)
}

// SetStatus implements domain.MemberStore.
func (s memberStore) SetStatus(id domain.MemberID, status domain.Status) error {
	const update = "UPDATE members SET status = ? WHERE org_id = ? AND id = ?"
	if s.seen[string(id)] {
		return s.mustLater("member", "members", update, status, s.org, id)
	}
	return s.must("member", update, status, s.org, id)
}

// Delete implements domain.MemberStore; foreign keys take everything that hangs on the row with it.
func (s memberStore) Delete(id domain.MemberID) error {
	pushed, err := s.exec("DELETE FROM scim_users WHERE org_id = ? AND id = ?", s.org, id)
	if err != nil {
		return err
	}
	if err := s.count(-pushed, 1); err != nil {
		return err
	}
	return s.must("member", "DELETE FROM members WHERE org_id = ? AND id = ?", s.org, id)
}

// Lock implements domain.MemberStore, in order of id so that two that lock the same people seldom meet head-on.
func (s memberStore) Lock(ids []domain.MemberID) error {
	if s.dialect.lock == "" {
		return s.writable()
	}
	sorted := slices.Compact(slices.Sorted(slices.Values(ids)))
	for some := range slices.Chunk(sorted, chunk) {
		var held int
		err := s.change("", &held, "SELECT COUNT(*) FROM (SELECT 1 FROM members WHERE org_id = ? AND id "+s.dialect.in(len(some))+" ORDER BY id"+s.dialect.lock+") AS held",
			s.org, texts(some))
		if err != nil {
			return err
		}
	}
	return s.writable()
}

// More implements domain.MemberStore; it reads no further than it has to.
func (s memberStore) More(than int) (bool, error) {
	var ids []domain.MemberID
	err := s.all(&ids, "SELECT id FROM members WHERE org_id = ? ORDER BY id LIMIT 1 OFFSET ?", s.org, than)
	return len(ids) > 0, err
}

// CountActive implements domain.MemberStore.
func (s memberStore) CountActive() (int, error) {
	var count int
	err := s.get("", &count, "SELECT COUNT(*) FROM members WHERE org_id = ? AND status = 'active'", s.org)
	return count, err
}

// CountAdmins implements domain.MemberStore; the role's id is written out because the index is partial.
func (s memberStore) CountAdmins() (int, error) {
	var count int
	err := s.get("", &count, "SELECT COUNT(*) FROM members WHERE org_id = ? AND status = 'active' AND role_id = '"+string(domain.RoleOrgAdmin)+"'", s.org)
	return count, err
}
