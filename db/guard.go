package db

import (
	"crypto/rand"
	"time"

	"muster/domain"
)

type guardStore struct{ handle }

type guardRow struct {
	Enabled    bool              `db:"enabled"`
	MaxPeople  int               `db:"max_people"`
	MaxPercent int               `db:"max_percent"`
	Window     int64             `db:"window_size"`
	State      domain.GuardState `db:"state"`
	ChangedAt  int64             `db:"changed_at"`
	Until      int64             `db:"until"`
	By         string            `db:"decided_by"`
	Base       int               `db:"base"`
}

const guardColumns = "enabled, max_people, max_percent, window_size, state, changed_at, until, decided_by, base"

func (r guardRow) guard() domain.Guard {
	return domain.Guard{
		Enabled: r.Enabled, MaxPeople: r.MaxPeople, MaxPercent: r.MaxPercent, Window: time.Duration(r.Window) * time.Microsecond,
		State: r.State, ChangedAt: moment(r.ChangedAt), Until: moment(r.Until), By: r.By, Base: r.Base,
	}
}

// Get implements domain.GuardStore.
func (s guardStore) Get() (domain.Guard, error) {
	var row guardRow
	return orDefault(&row, s.get("guard", &row, "SELECT "+guardColumns+" FROM guards WHERE org_id = ?", s.org))
}

// Lock implements domain.GuardStore.
func (s guardStore) Lock() (domain.Guard, error) {
	var row guardRow
	return orDefault(&row, s.change("guard", &row, "SELECT "+guardColumns+" FROM guards WHERE org_id = ?"+s.dialect.lock, s.org))
}

func orDefault(row *guardRow, err error) (domain.Guard, error) {
	if domain.IsKind(err, domain.NotFound) {
		return domain.DefaultGuard(), nil
	}
	return row.guard(), err
}

// Put implements domain.GuardStore.
func (s guardStore) Put(g domain.Guard) error {
	_, err := s.exec("INSERT INTO guards (org_id, "+guardColumns+") VALUES ("+places(10)+`) ON CONFLICT (org_id) DO UPDATE SET
		enabled = excluded.enabled, max_people = excluded.max_people, max_percent = excluded.max_percent, window_size = excluded.window_size,
		state = excluded.state, changed_at = excluded.changed_at, until = excluded.until, decided_by = excluded.decided_by, base = excluded.base`,
		s.org, g.Enabled, g.MaxPeople, g.MaxPercent, g.Window.Microseconds(), g.State, micros(g.ChangedAt), micros(g.Until), g.By, g.Base)
	return err
}

// Spend implements domain.GuardStore; what is older than the longest window goes.
func (s guardStore) Spend(at time.Time, people int) error {
	if _, err := s.exec("DELETE FROM guard_spent WHERE org_id = ? AND at < ?", s.org, micros(at.AddDate(0, 0, -8))); err != nil {
		return err
	}
	_, err := s.exec("INSERT INTO guard_spent (org_id, id, at, people) VALUES (?, ?, ?, ?)", s.org, rand.Text(), micros(at), people)
	return err
}

// Spent implements domain.GuardStore.
func (s guardStore) Spent(since time.Time) (int, error) {
	var people int
	err := s.get("", &people, "SELECT COALESCE(SUM(people), 0) FROM guard_spent WHERE org_id = ? AND at >= ?", s.org, micros(since))
	return people, err
}

// Hold implements domain.GuardStore.
func (s guardStore) Hold(h domain.HeldRequest) error {
	_, err := s.exec(`INSERT INTO guard_held (org_id, operation, target_id, target_kind, target_name, token_id, first_at, last_at, requests)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (org_id, operation, target_id) DO UPDATE SET
		target_name = excluded.target_name, token_id = excluded.token_id, last_at = excluded.last_at, requests = guard_held.requests + excluded.requests`,
		s.org, h.Operation, h.Target.ID, h.Target.Kind, h.Target.Name, h.Token, micros(h.FirstAt), micros(h.LastAt), h.Requests)
	return err
}

// Held implements domain.GuardStore.
func (s guardStore) Held(limit int) ([]domain.HeldRequest, int, error) {
	var rows []struct {
		Operation string         `db:"operation"`
		ID        string         `db:"target_id"`
		Kind      string         `db:"target_kind"`
		Name      string         `db:"target_name"`
		Token     domain.TokenID `db:"token_id"`
		FirstAt   int64          `db:"first_at"`
		LastAt    int64          `db:"last_at"`
		Requests  int            `db:"requests"`
	}
	err := s.all(&rows, `SELECT operation, target_id, target_kind, target_name, token_id, first_at, last_at, requests
		FROM guard_held WHERE org_id = ? ORDER BY last_at DESC, target_id LIMIT ?`, s.org, limit)
	if err != nil {
		return nil, 0, err
	}
	held := make([]domain.HeldRequest, len(rows))
	for i, row := range rows {
		held[i] = domain.HeldRequest{
			Operation: row.Operation, Target: domain.Target{Kind: row.Kind, ID: row.ID, Name: row.Name}, Token: row.Token,
			FirstAt: moment(row.FirstAt), LastAt: moment(row.LastAt), Requests: row.Requests,
		}
	}
	var count int
	err = s.get("", &count, "SELECT COUNT(*) FROM guard_held WHERE org_id = ?", s.org)
	return held, count, err
}

// Clear implements domain.GuardStore.
func (s guardStore) Clear() error {
	if _, err := s.exec("DELETE FROM guard_held WHERE org_id = ?", s.org); err != nil {
		return err
	}
	_, err := s.exec("DELETE FROM guard_spent WHERE org_id = ?", s.org)
	return err
}
