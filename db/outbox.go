package db

import (
	"time"

	"muster/domain"
)

type outboxStore struct{ handle }

type mailStore struct{ handle }

type mailRow struct {
	Org       domain.OrgID  `db:"org_id"`
	ID        domain.MailID `db:"id"`
	To        string        `db:"recipient"`
	Subject   string        `db:"subject"`
	Body      string        `db:"body"`
	CreatedAt int64         `db:"created_at"`
	Attempts  int           `db:"attempts"`
	LastError string        `db:"last_error"`
	Dead      bool          `db:"dead"`
}

const mailColumns = "org_id, id, recipient, subject, body, created_at, attempts, last_error, dead"

func (r mailRow) mail() (domain.Mail, error) {
	return domain.Mail{
		Org: r.Org, ID: r.ID, To: r.To, Subject: r.Subject, Body: r.Body, CreatedAt: moment(r.CreatedAt),
		Attempts: r.Attempts, LastError: r.LastError, Dead: r.Dead,
	}, nil
}

// Insert implements domain.OutboxStore.
func (s outboxStore) Insert(m domain.Mail) error {
	return s.later("outbox", "INSERT INTO outbox (org_id, id, recipient, subject, body, created_at, next_at, lease, attempts, last_error, dead) VALUES (?, ?, ?, ?, ?, ?, ?, '', 0, '', FALSE)",
		s.org, m.ID, m.To, m.Subject, m.Body, micros(m.CreatedAt), micros(m.CreatedAt))
}

// List implements domain.OutboxStore.
func (s outboxStore) List(limit int) ([]domain.Mail, error) {
	var rows []mailRow
	if err := s.all(&rows, "SELECT "+mailColumns+" FROM outbox WHERE org_id = ? ORDER BY id LIMIT ?", s.org, limit); err != nil {
		return nil, err
	}
	return convert(rows, mailRow.mail)
}

// Lease implements domain.MailStore; of two processes at once one gets each mail.
func (s mailStore) Lease(lease string, until time.Time, limit int) ([]domain.Mail, error) {
	var rows []mailRow
	err := s.changeAll(&rows, `UPDATE outbox SET lease = ?, next_at = ? WHERE dead = FALSE AND next_at <= ? AND (org_id, id) IN
		(SELECT org_id, id FROM outbox WHERE dead = FALSE AND next_at <= ? ORDER BY next_at LIMIT ?) RETURNING `+mailColumns,
		lease, micros(until), micros(s.now), micros(s.now), limit)
	if err != nil {
		return nil, err
	}
	return convert(rows, mailRow.mail)
}

// Delete implements domain.MailStore.
func (s mailStore) Delete(m domain.Mail, lease string) error {
	return s.must("mail", "DELETE FROM outbox WHERE org_id = ? AND id = ? AND lease = ?", m.Org, m.ID, lease)
}

// Delay implements domain.MailStore.
func (s mailStore) Delay(m domain.Mail, lease string, until time.Time) error {
	return s.must("mail", "UPDATE outbox SET lease = '', next_at = ?, attempts = ?, last_error = ?, dead = ? WHERE org_id = ? AND id = ? AND lease = ?",
		micros(until), m.Attempts, m.LastError, m.Dead, m.Org, m.ID, lease)
}

// DeleteDead implements domain.MailStore.
func (s mailStore) DeleteDead(before time.Time, limit int) (int, error) {
	return s.exec("DELETE FROM outbox WHERE (org_id, id) IN (SELECT org_id, id FROM outbox WHERE dead = TRUE AND created_at < ? LIMIT ?)", micros(before), limit)
}
