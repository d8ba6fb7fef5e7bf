package db

import (
	"slices"
	"time"

	"muster/domain"
)

type auditStore struct{ handle }

type auditRow struct {
	ID         domain.AuditID     `db:"id"`
	At         int64              `db:"at"`
	Operation  string             `db:"operation"`
	Outcome    domain.Outcome     `db:"outcome"`
	ActorKind  domain.ActorKind   `db:"actor_kind"`
	ActorID    string             `db:"actor_id"`
	ActorName  string             `db:"actor_name"`
	Credential string             `db:"credential"`
	IP         string             `db:"ip"`
	UserAgent  string             `db:"user_agent"`
	RequestID  string             `db:"request_id"`
	TargetKind string             `db:"target_kind"`
	TargetID   string             `db:"target_id"`
	TargetName string             `db:"target_name"`
	Before     string             `db:"before"`
	After      string             `db:"after"`
	Detail     string             `db:"detail"`
	Method     string             `db:"method"`
	Path       string             `db:"path"`
	Workspace  domain.WorkspaceID `db:"workspace_id"`
	Seq        int64              `db:"seq"`
	Hash       string             `db:"hash"`
}

const auditColumns = `id, at, operation, outcome, actor_kind, actor_id, actor_name, credential, ip, user_agent, request_id,
	target_kind, target_id, target_name, before, after, detail, method, path, workspace_id`

func (r auditRow) event() (domain.AuditEvent, error) {
	event := domain.AuditEvent{
		ID: r.ID, At: moment(r.At), Operation: r.Operation, Outcome: r.Outcome,
		Actor: domain.Actor{
			Kind: r.ActorKind, ID: r.ActorID, Name: r.ActorName, Credential: r.Credential,
			Client: domain.Client{IP: r.IP, UserAgent: r.UserAgent, RequestID: r.RequestID, Method: r.Method, Path: r.Path},
		},
		Target: domain.Target{Kind: r.TargetKind, ID: r.TargetID, Name: r.TargetName}, Detail: r.Detail,
		Workspace: r.Workspace, Seq: r.Seq, Hash: r.Hash,
	}
	if err := decode(r.Before, &event.Before); err != nil {
		return event, err
	}
	return event, decode(r.After, &event.After)
}

// Append implements domain.AuditStore.
// The transaction's operation id goes with the row, so that the row can say later whether the transaction was committed.
func (s auditStore) Append(e domain.AuditEvent) error {
	inserted, err := s.write(e, s.marks, func(query string, args ...any) (bool, error) {
		return s.presume("audit_log", query, args...)
	})
	if err != nil {
		return err
	}
	if !inserted {
		return domain.Errorf(domain.Internal, "the audit log has a row with the id %s already", e.ID)
	}
	if s.marks == 0 {
		s.marker = marker{org: s.org, op: s.op}
	}
	s.marks++
	return s.about(e)
}

// about makes the row findable by the members whom it concerns.
// A row about one person needs none of this: it is found by its target.
func (s auditStore) about(e domain.AuditEvent) error {
	for some := range slices.Chunk(e.About, chunk) {
		rows := make([][]any, len(some))
		for i, key := range some {
			rows[i] = []any{key}
		}
		text, err := tuples(rows)
		if err != nil {
			return err
		}
		if _, err := s.exec("INSERT INTO audit_about (org_id, member_id, id) SELECT CAST(? AS TEXT), v.c0, CAST(? AS TEXT) FROM "+s.dialect.rows(1, len(some))+" WHERE TRUE", s.org, e.ID, text); err != nil {
			return err
		}
	}
	return nil
}

func (s auditStore) write(e domain.AuditEvent, n int, insert func(query string, args ...any) (bool, error)) (bool, error) {
	before, err := encode(e.Before)
	if err != nil {
		return false, err
	}
	after, err := encode(e.After)
	if err != nil {
		return false, err
	}
	client := e.Actor.Client
	key := ""
	if e.Target.Kind == "user" || e.Target.Kind == "invite" {
		key = domain.Fold(e.Target.Name)
	}
	return insert("INSERT INTO audit_log (org_id, op_id, op_n, target_key, "+auditColumns+") VALUES ("+places(24)+")",
		s.org, s.op, n, key, e.ID, micros(e.At), e.Operation, e.Outcome, e.Actor.Kind, e.Actor.ID, e.Actor.Name, e.Actor.Credential,
		client.IP, client.UserAgent, client.RequestID, e.Target.Kind, e.Target.ID, e.Target.Name, before, after, e.Detail,
		client.Method, client.Path, e.Workspace)
}

// mark tries to write a transaction's first audit row once more; false means that the transaction was committed.
func (s auditStore) mark() (bool, error) {
	return s.write(domain.AuditEvent{ID: domain.AuditID(s.op), Operation: "probe"}, 0, s.insert)
}

// List implements domain.AuditStore.
// An id begins with its time, so that a time window is a range of the primary key.
func (s auditStore) List(q domain.AuditQuery) ([]domain.AuditEvent, error) {
	query, args := "SELECT "+auditColumns+", seq, hash FROM audit_log WHERE org_id = ?", []any{s.org}
	add := func(condition string, more ...any) { query, args = query+" AND "+condition, append(args, more...) }
	if q.Before != "" {
		add("id < ?", q.Before)
	}
	if !q.From.IsZero() {
		add("id >= ? AND at >= ?", domain.FirstID(q.From), micros(q.From))
	}
	if !q.To.IsZero() {
		add("id < ? AND at <= ?", domain.FirstID(q.To.Add(time.Millisecond)), micros(q.To))
	}
	if len(q.Operations) > 0 {
		add("operation "+s.dialect.in(len(q.Operations)), texts(q.Operations))
	}
	if q.Actor != "" {
		add("actor_kind = ?", q.Actor)
	}
	if q.ActorID != "" {
		add("actor_id = ?", q.ActorID)
	}
	if q.Target != "" {
		add("target_id = ? AND target_id <> ''", q.Target)
	}
	if q.Workspace != "" {
		add("workspace_id = ?", q.Workspace)
	}
	if q.About != "" {
		add(`id IN (SELECT id FROM audit_log WHERE org_id = ? AND target_id = ? AND target_id <> ''
			UNION ALL SELECT id FROM audit_log WHERE org_id = ? AND target_key = ? AND target_key <> ''
			UNION ALL SELECT id FROM audit_about WHERE org_id = ? AND member_id = ?)`, s.org, q.About, s.org, domain.Fold(q.About), s.org, q.About)
	}
	limit := domain.Window{Limit: q.Limit}.Clamp().Limit
	return s.events(query+" ORDER BY id DESC LIMIT ?", append(args, limit)...)
}

func (s auditStore) events(query string, args ...any) ([]domain.AuditEvent, error) {
	var rows []auditRow
	if err := s.all(&rows, query, args...); err != nil {
		return nil, err
	}
	return convert(rows, auditRow.event)
}

// Head implements domain.AuditStore.
func (s auditStore) Head() (domain.ChainHead, error) {
	var row struct {
		Seq  int64  `db:"seq"`
		Hash string `db:"hash"`
	}
	const query = "SELECT seq, hash FROM audit_heads WHERE org_id = ?"
	if s.readOnly {
		err := s.get("head", &row, query, s.org)
		if domain.IsKind(err, domain.NotFound) {
			err = nil
		}
		return domain.ChainHead{Seq: row.Seq, Hash: row.Hash}, err
	}
	if _, err := s.insert("INSERT INTO audit_heads (org_id, seq, hash) VALUES (?, 0, '')", s.org); err != nil {
		return domain.ChainHead{}, err
	}
	err := s.change("head", &row, query+s.dialect.lock, s.org)
	return domain.ChainHead{Seq: row.Seq, Hash: row.Hash}, err
}

// Waiting implements domain.AuditStore.
func (s auditStore) Waiting(limit int) ([]domain.AuditEvent, error) {
	return s.events("SELECT "+auditColumns+", seq, hash FROM audit_log WHERE org_id = ? AND seq = 0 ORDER BY id LIMIT ?", s.org, limit)
}

// Place implements domain.AuditStore.
func (s auditStore) Place(rows []domain.AuditEvent, head domain.ChainHead) error {
	for some := range slices.Chunk(rows, chunk) {
		var places [][]any
		for _, row := range some {
			places = append(places, []any{row.ID, row.Seq, row.Hash})
		}
		text, err := tuples(places)
		if err != nil {
			return err
		}
		if _, err := s.exec("UPDATE audit_log SET seq = CAST(v.c1 AS BIGINT), hash = v.c2 FROM "+s.dialect.rows(3, len(some))+" WHERE audit_log.org_id = ? AND audit_log.id = v.c0 AND audit_log.seq = 0", text, s.org); err != nil {
			return err
		}
	}
	return s.must("head", "UPDATE audit_heads SET seq = ?, hash = ? WHERE org_id = ?", head.Seq, head.Hash, s.org)
}

// From implements domain.AuditStore.
func (s auditStore) From(after int64, limit int) ([]domain.AuditEvent, error) {
	return s.events("SELECT "+auditColumns+", seq, hash FROM audit_log WHERE org_id = ? AND seq > ? AND seq > 0 ORDER BY seq LIMIT ?", s.org, after, limit)
}

// AuditWaiting implements domain.OrgStore.
func (s orgStore) AuditWaiting(limit int) ([]domain.OrgID, error) {
	var orgs []domain.OrgID
	err := s.all(&orgs, "SELECT DISTINCT org_id FROM audit_log WHERE seq = 0 LIMIT ?", limit)
	return orgs, err
}
