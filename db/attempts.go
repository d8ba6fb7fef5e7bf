package db

import (
	"time"

	"muster/domain"
)

type attemptStore struct{ handle }

// Get implements domain.AttemptStore.
func (s attemptStore) Get(a domain.Attempt) (domain.Done, error) {
	var row struct {
		Request   domain.Digest `db:"request"`
		CreatedAt int64         `db:"created_at"`
		Status    int           `db:"status"`
		Answer    string        `db:"answer"`
	}
	err := s.get("attempt", &row, "SELECT request, created_at, status, answer FROM attempts WHERE credential = ? AND key_digest = ?", a.Credential, a.Key)
	a.Request = row.Request
	return domain.Done{Attempt: a, CreatedAt: moment(row.CreatedAt), Status: row.Status, Answer: row.Answer}, err
}

// Insert implements domain.AttemptStore.
func (s attemptStore) Insert(d domain.Done) (bool, error) {
	return s.insert("INSERT INTO attempts (credential, key_digest, request, created_at, status, answer) VALUES (?, ?, ?, ?, ?, ?)",
		d.Credential, d.Key, d.Request, micros(d.CreatedAt), d.Status, d.Answer)
}

// Answer implements domain.AttemptStore.
func (s attemptStore) Answer(d domain.Done) error {
	return s.must("attempt", "UPDATE attempts SET status = ?, answer = ? WHERE credential = ? AND key_digest = ?", d.Status, d.Answer, d.Credential, d.Key)
}

// DeleteBefore implements domain.AttemptStore.
func (s attemptStore) DeleteBefore(at time.Time, limit int) (int, error) {
	return s.exec("DELETE FROM attempts WHERE (credential, key_digest) IN (SELECT credential, key_digest FROM attempts WHERE created_at < ? LIMIT ?)", micros(at), limit)
}
