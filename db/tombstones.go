package db

import (
	"slices"

	"muster/domain"
)

type tombstoneStore struct{ handle }

// Put implements domain.TombstoneStore.
func (s tombstoneStore) Put(member domain.MemberID, marks []domain.Digest) error {
	for some := range slices.Chunk(marks, chunk) {
		args := make([]any, 0, 3*len(some))
		for _, mark := range some {
			args = append(args, s.org, mark, member)
		}
		_, err := s.exec("INSERT INTO tombstones (org_id, digest, member_id) VALUES "+tuples(len(some), 3)+" ON CONFLICT DO NOTHING", args...)
		if err != nil {
			return err
		}
	}
	return s.writable()
}

// Any implements domain.TombstoneStore.
func (s tombstoneStore) Any(marks []domain.Digest) (bool, error) {
	for some := range slices.Chunk(marks, chunk) {
		in, args := list(some, s.org)
		var found int
		if err := s.get("", &found, "SELECT COUNT(*) FROM tombstones WHERE org_id = ? AND digest IN "+in, args...); err != nil || found > 0 {
			return found > 0, err
		}
	}
	return false, s.refused
}

// Clear implements domain.TombstoneStore.
func (s tombstoneStore) Clear(marks []domain.Digest) error {
	for some := range slices.Chunk(marks, chunk) {
		in, args := list(some, s.org, s.org)
		_, err := s.exec("DELETE FROM tombstones WHERE org_id = ? AND member_id IN (SELECT member_id FROM tombstones WHERE org_id = ? AND digest IN "+in+")", args...)
		if err != nil {
			return err
		}
	}
	return s.writable()
}
