package db

import (
	"time"

	"muster/domain"
)

type feedStore struct{ handle }

// Lease implements domain.FeedStore.
func (s feedStore) Lease(id, lease string, until time.Time) (domain.Feed, error) {
	if _, err := s.insert("INSERT INTO feeds (org_id, id, seq, lease, lease_until, attempts, last_error) VALUES (?, ?, 0, '', 0, 0, '')", s.org, id); err != nil {
		return domain.Feed{}, err
	}
	var row struct {
		Seq      int64  `db:"seq"`
		Attempts int    `db:"attempts"`
		Error    string `db:"last_error"`
	}
	err := s.change("feed", &row, `UPDATE feeds SET lease = ?, lease_until = ? WHERE org_id = ? AND id = ? AND lease_until <= ?
		RETURNING seq, attempts, last_error`, lease, micros(until), s.org, id, micros(s.now))
	return domain.Feed{ID: id, Seq: row.Seq, Attempts: row.Attempts, LastError: row.Error}, err
}

// Advance implements domain.FeedStore.
func (s feedStore) Advance(id, lease string, seq int64) error {
	return s.must("feed", "UPDATE feeds SET seq = ?, lease = '', lease_until = 0, attempts = 0, last_error = '' WHERE org_id = ? AND id = ? AND lease = ?",
		seq, s.org, id, lease)
}

// Delay implements domain.FeedStore.
func (s feedStore) Delay(feed domain.Feed, lease string, until time.Time) error {
	return s.must("feed", "UPDATE feeds SET seq = ?, lease = '', lease_until = ?, attempts = ?, last_error = ? WHERE org_id = ? AND id = ? AND lease = ?",
		feed.Seq, micros(until), feed.Attempts, feed.LastError, s.org, feed.ID, lease)
}

// Get implements domain.FeedStore.
func (s feedStore) Get(id string) (domain.Feed, error) {
	var row struct {
		Seq      int64  `db:"seq"`
		Attempts int    `db:"attempts"`
		Error    string `db:"last_error"`
	}
	err := s.get("feed", &row, "SELECT seq, attempts, last_error FROM feeds WHERE org_id = ? AND id = ?", s.org, id)
	return domain.Feed{ID: id, Seq: row.Seq, Attempts: row.Attempts, LastError: row.Error}, err
}

// Delete implements domain.FeedStore.
func (s feedStore) Delete(id string) error {
	_, err := s.exec("DELETE FROM feeds WHERE org_id = ? AND id = ?", s.org, id)
	return err
}

// FeedsBehind implements domain.OrgStore.
func (s orgStore) FeedsBehind(id string, limit int) ([]domain.OrgID, error) {
	var orgs []domain.OrgID
	err := s.all(&orgs, `SELECT h.org_id FROM audit_heads h LEFT JOIN feeds f ON f.org_id = h.org_id AND f.id = ?
		WHERE h.seq > COALESCE(f.seq, 0) AND COALESCE(f.lease_until, 0) <= ? ORDER BY h.org_id LIMIT ?`, id, micros(s.now), limit)
	return orgs, err
}
