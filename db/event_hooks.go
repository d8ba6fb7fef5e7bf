package db

import "muster/domain"

type hookStore struct{ handle }

type hookRow struct {
	ID          domain.HookID `db:"id"`
	Org         domain.OrgID  `db:"org_id"`
	URL         string        `db:"url"`
	Description string        `db:"description"`
	Types       string        `db:"types"`
	Enabled     bool          `db:"enabled"`
	Secret      string        `db:"secret"`
	OldSecret   string        `db:"old_secret"`
	OldUntil    int64         `db:"old_until"`
	CreatedAt   int64         `db:"created_at"`
	UpdatedAt   int64         `db:"updated_at"`
}

const hookColumns = "id, org_id, url, description, types, enabled, secret, old_secret, old_until, created_at, updated_at"

func (r hookRow) hook() (domain.EventHook, error) {
	hook := domain.EventHook{
		ID: r.ID, Org: r.Org, URL: r.URL, Description: r.Description, Enabled: r.Enabled, Secret: r.Secret, OldSecret: r.OldSecret,
		OldUntil: moment(r.OldUntil), CreatedAt: moment(r.CreatedAt), UpdatedAt: moment(r.UpdatedAt),
	}
	return hook, decode(r.Types, &hook.Types)
}

// Get implements domain.HookStore.
func (s hookStore) Get(id domain.HookID) (domain.EventHook, error) {
	var row hookRow
	if err := s.get("event hook", &row, "SELECT "+hookColumns+" FROM event_hooks WHERE org_id = ? AND id = ?", s.org, id); err != nil {
		return domain.EventHook{}, err
	}
	return row.hook()
}

// List implements domain.HookStore.
func (s hookStore) List() ([]domain.EventHook, error) {
	var rows []hookRow
	if err := s.all(&rows, "SELECT "+hookColumns+" FROM event_hooks WHERE org_id = ? ORDER BY id", s.org); err != nil {
		return nil, err
	}
	return convert(rows, hookRow.hook)
}

// Hooks implements domain.OrgStore.
func (s orgStore) Hooks() ([]domain.EventHook, error) {
	var rows []hookRow
	if err := s.all(&rows, "SELECT "+hookColumns+" FROM event_hooks WHERE enabled = TRUE ORDER BY org_id, id"); err != nil {
		return nil, err
	}
	return convert(rows, hookRow.hook)
}

// Insert implements domain.HookStore.
func (s hookStore) Insert(h domain.EventHook) error {
	types, err := encode(h.Types)
	if err != nil {
		return err
	}
	_, err = s.exec("INSERT INTO event_hooks ("+hookColumns+") VALUES ("+places(11)+")", h.ID, s.org, h.URL, h.Description, types, h.Enabled,
		h.Secret, h.OldSecret, micros(h.OldUntil), micros(h.CreatedAt), micros(h.UpdatedAt))
	return err
}

// Update implements domain.HookStore.
func (s hookStore) Update(h domain.EventHook) error {
	types, err := encode(h.Types)
	if err != nil {
		return err
	}
	return s.must("event hook", `UPDATE event_hooks SET url = ?, description = ?, types = ?, enabled = ?, secret = ?, old_secret = ?, old_until = ?, updated_at = ?
		WHERE org_id = ? AND id = ?`, h.URL, h.Description, types, h.Enabled, h.Secret, h.OldSecret, micros(h.OldUntil), micros(h.UpdatedAt), s.org, h.ID)
}

// Delete implements domain.HookStore.
func (s hookStore) Delete(id domain.HookID) error {
	return s.must("event hook", "DELETE FROM event_hooks WHERE org_id = ? AND id = ?", s.org, id)
}

// Letters implements domain.HookStore.
func (s hookStore) Letters(id domain.HookID) ([]domain.DeadLetter, error) {
	var rows []struct {
		Event    domain.AuditID `db:"event_id"`
		Type     string         `db:"type"`
		Body     string         `db:"body"`
		Error    string         `db:"last_error"`
		FailedAt int64          `db:"failed_at"`
	}
	err := s.all(&rows, "SELECT event_id, type, body, last_error, failed_at FROM dead_letters WHERE org_id = ? AND hook_id = ? ORDER BY event_id", s.org, id)
	letters := make([]domain.DeadLetter, len(rows))
	for i, row := range rows {
		letters[i] = domain.DeadLetter{Hook: id, Event: row.Event, Type: row.Type, Body: row.Body, Error: row.Error, FailedAt: moment(row.FailedAt)}
	}
	return letters, err
}

// Bury implements domain.HookStore.
func (s hookStore) Bury(l domain.DeadLetter) error {
	_, err := s.insert("INSERT INTO dead_letters (org_id, hook_id, event_id, type, body, last_error, failed_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
		s.org, l.Hook, l.Event, l.Type, l.Body, l.Error, micros(l.FailedAt))
	return err
}

// Unbury implements domain.HookStore.
func (s hookStore) Unbury(l domain.DeadLetter) error {
	return s.must("dead letter", "DELETE FROM dead_letters WHERE org_id = ? AND hook_id = ? AND event_id = ?", s.org, l.Hook, l.Event)
}
