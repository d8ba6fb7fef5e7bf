package db

import (
	"slices"

	"muster/domain"
)

type tombstoneStore struct{ handle }

// Put implements domain.TombstoneStore.
func (s tombstoneStore) Put(member domain.MemberID, marks []domain.Digest) error {
	for some := range slices.Chunk(marks, chunk) {
		err := s.later("tombstones", "INSERT INTO tombstones (org_id, digest, member_id) SELECT CAST(? AS TEXT), v.c0, CAST(? AS TEXT) FROM "+s.dialect.rows(1, len(some))+" WHERE TRUE ON CONFLICT DO NOTHING",
			s.org, member, texts(some))
		if err != nil {
			return err
		}
	}
	return s.writable()
}

// Any implements domain.TombstoneStore.
func (s tombstoneStore) Any(marks []domain.Digest) (bool, error) {
	for some := range slices.Chunk(marks, chunk) {
		var found int
		if err := s.get("", &found, "SELECT COUNT(*) FROM tombstones WHERE org_id = ? AND digest "+s.dialect.in(len(some)), s.org, texts(some)); err != nil || found > 0 {
			return found > 0, err
		}
	}
	return false, s.refused
}

// Clear implements domain.TombstoneStore.
func (s tombstoneStore) Clear(marks []domain.Digest) error {
	for some := range slices.Chunk(marks, chunk) {
		err := s.later("tombstones", "DELETE FROM tombstones WHERE org_id = ? AND member_id IN (SELECT member_id FROM tombstones WHERE org_id = ? AND digest "+s.dialect.in(len(some))+")", s.org, s.org, texts(some))
		if err != nil {
			return err
		}
	}
	return s.writable()
}
