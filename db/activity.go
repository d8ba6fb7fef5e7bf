package db

import (
	"slices"
	"time"

	"muster/domain"
)

type activityStore struct{ handle }

type activityRow struct {
	ID        domain.ActivityID `db:"id"`
	At        int64             `db:"at"`
	Token     domain.TokenID    `db:"token_id"`
	RequestID string            `db:"request_id"`
	Method    string            `db:"method"`
	Resource  string            `db:"resource"`
	Target    string            `db:"target_id"`
	Status    int               `db:"status"`
	SCIMType  string            `db:"scim_type"`
	Detail    string            `db:"detail"`
	Requests  int               `db:"requests"`
}

const activityColumns = "id, at, token_id, request_id, method, resource, target_id, status, scim_type, detail, requests"

func (r activityRow) activity() (domain.Activity, error) {
	return domain.Activity{
		ID: r.ID, At: moment(r.At), Token: r.Token, RequestID: r.RequestID, Method: r.Method, Resource: r.Resource, Target: r.Target,
		Status: r.Status, SCIMType: r.SCIMType, Detail: r.Detail, Requests: r.Requests,
	}, nil
}

// Append implements domain.ActivityStore.
func (s activityStore) Append(activity []domain.Activity) error {
	const columns = 11
	for some := range slices.Chunk(activity, chunk) {
		rows := make([][]any, len(some))
		for i, a := range some {
			rows[i] = []any{a.ID, micros(a.At), a.Token, a.RequestID, a.Method, a.Resource, a.Target, a.Status, a.SCIMType, a.Detail, a.Requests}
		}
		text, err := tuples(rows)
		if err != nil {
			return err
		}
		_, err = s.exec(`INSERT INTO scim_activity (org_id, `+activityColumns+`)
			SELECT CAST(? AS TEXT), v.c0, CAST(v.c1 AS BIGINT), v.c2, v.c3, v.c4, v.c5, v.c6, CAST(v.c7 AS BIGINT), v.c8, v.c9, CAST(v.c10 AS BIGINT)
			FROM `+s.dialect.rows(columns, len(some))+` WHERE TRUE`, s.org, text)
		if err != nil {
			return err
		}
	}
	return s.writable()
}

// List implements domain.ActivityStore.
func (s activityStore) List(q domain.ActivityQuery) ([]domain.Activity, error) {
	query, args := "SELECT "+activityColumns+" FROM scim_activity WHERE org_id = ?", []any{s.org}
	if q.Before != "" {
		query, args = query+" AND id < ?", append(args, q.Before)
	}
	if q.Target != "" {
		query, args = query+" AND target_id = ?", append(args, q.Target)
	}
	if q.Refused {
		query += " AND status >= 400"
	}
	var rows []activityRow
	if err := s.all(&rows, query+" ORDER BY id DESC LIMIT ?", append(args, q.Limit)...); err != nil {
		return nil, err
	}
	return convert(rows, activityRow.activity)
}

// Counts implements domain.ActivityStore.
// An id begins with its time, so that the rows since a time are a range of the primary key.
func (s activityStore) Counts(from time.Time, span time.Duration) (map[int]domain.ActivityCount, error) {
	var rows []struct {
		Span    int `db:"span"`
		Changes int `db:"changes"`
		Others  int `db:"others"`
		Refused int `db:"refused"`
	}
	err := s.all(&rows, `SELECT span, SUM(changes) AS changes, SUM(others) AS others, SUM(refused) AS refused FROM (
		SELECT (at - CAST(? AS BIGINT)) / CAST(? AS BIGINT) AS span, 0 AS changes, CASE WHEN status < 400 THEN requests ELSE 0 END AS others, CASE WHEN status >= 400 THEN requests ELSE 0 END AS refused
		FROM scim_activity WHERE org_id = ? AND id >= ?
		UNION ALL SELECT (at - CAST(? AS BIGINT)) / CAST(? AS BIGINT), 1, 0, 0 FROM audit_log WHERE org_id = ? AND id >= ? AND actor_kind = 'scim') AS every
		GROUP BY span`,
		micros(from), span.Microseconds(), s.org, domain.FirstID(from), micros(from), span.Microseconds(), s.org, domain.FirstID(from))
	counts := map[int]domain.ActivityCount{}
	for _, row := range rows {
		counts[row.Span] = domain.ActivityCount{Changes: row.Changes, Others: row.Others, Refused: row.Refused}
	}
	return counts, err
}

// CountUndeclared implements domain.ActivityStore; a token that was deleted meanwhile is left out.
func (s activityStore) CountUndeclared(attributes []domain.UndeclaredAttribute) error {
	for _, a := range attributes {
		_, err := s.exec(`INSERT INTO scim_undeclared (org_id, token_id, resource, path, requests, example, last_seen)
			SELECT org_id, id, CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS TEXT), CAST(? AS BIGINT) FROM scim_tokens WHERE org_id = ? AND id = ?
			ON CONFLICT (org_id, token_id, resource, path) DO UPDATE
			SET requests = scim_undeclared.requests + excluded.requests, example = excluded.example, last_seen = excluded.last_seen`,
			a.Resource, a.Path, a.Requests, a.Example, micros(a.LastSeen), s.org, a.Token)
		if err != nil {
			return err
		}
	}
	return s.writable()
}

// Undeclared implements domain.ActivityStore.
func (s activityStore) Undeclared() ([]domain.UndeclaredAttribute, error) {
	var rows []struct {
		Token    domain.TokenID `db:"token_id"`
		Resource string         `db:"resource"`
		Path     string         `db:"path"`
		Requests int            `db:"requests"`
		Example  string         `db:"example"`
		LastSeen int64          `db:"last_seen"`
	}
	err := s.all(&rows, "SELECT token_id, resource, path, requests, example, last_seen FROM scim_undeclared WHERE org_id = ? ORDER BY token_id, resource, path", s.org)
	if err != nil {
		return nil, err
	}
	found := make([]domain.UndeclaredAttribute, len(rows))
	for i, r := range rows {
		found[i] = domain.UndeclaredAttribute{
			Token: r.Token, Resource: r.Resource, Path: r.Path, Requests: r.Requests, Example: r.Example, LastSeen: moment(r.LastSeen),
		}
	}
	return found, nil
}
