package db

import "muster/domain"

type auditStore struct{ handle }

type auditRow struct {
	ID         domain.AuditID   `db:"id"`
	At         int64            `db:"at"`
	Operation  string           `db:"operation"`
	Outcome    domain.Outcome   `db:"outcome"`
	ActorKind  domain.ActorKind `db:"actor_kind"`
	ActorID    string           `db:"actor_id"`
	ActorName  string           `db:"actor_name"`
	Credential string           `db:"credential"`
	IP         string           `db:"ip"`
	UserAgent  string           `db:"user_agent"`
	RequestID  string           `db:"request_id"`
	TargetKind string           `db:"target_kind"`
	TargetID   string           `db:"target_id"`
	TargetName string           `db:"target_name"`
	Before     string           `db:"before"`
	After      string           `db:"after"`
	Detail     string           `db:"detail"`
}

const auditColumns = `id, at, operation, outcome, actor_kind, actor_id, actor_name, credential, ip, user_agent, request_id,
	target_kind, target_id, target_name, before, after, detail`

func (r auditRow) event() (domain.AuditEvent, error) {
	event := domain.AuditEvent{
		ID: r.ID, At: moment(r.At), Operation: r.Operation, Outcome: r.Outcome,
		Actor: domain.Actor{
			Kind: r.ActorKind, ID: r.ActorID, Name: r.ActorName, Credential: r.Credential,
			Client: domain.Client{IP: r.IP, UserAgent: r.UserAgent, RequestID: r.RequestID},
		},
		Target: domain.Target{Kind: r.TargetKind, ID: r.TargetID, Name: r.TargetName}, Detail: r.Detail,
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
	return insert("INSERT INTO audit_log (org_id, op_id, op_n, "+auditColumns+") VALUES ("+places(20)+")",
		s.org, s.op, n, e.ID, micros(e.At), e.Operation, e.Outcome, e.Actor.Kind, e.Actor.ID, e.Actor.Name, e.Actor.Credential,
		client.IP, client.UserAgent, client.RequestID, e.Target.Kind, e.Target.ID, e.Target.Name, before, after, e.Detail)
}

// mark tries to write a transaction's first audit row once more; false means that the transaction was committed.
func (s auditStore) mark() (bool, error) {
	return s.write(domain.AuditEvent{ID: domain.AuditID(s.op), Operation: "probe"}, 0, s.insert)
}

// List implements domain.AuditStore.
func (s auditStore) List(q domain.AuditQuery) ([]domain.AuditEvent, error) {
	query, args := "SELECT "+auditColumns+" FROM audit_log WHERE org_id = ?", []any{s.org}
	if q.Before != "" {
		query, args = query+" AND id < ?", append(args, q.Before)
	}
	if len(q.Operations) > 0 {
		query, args = query+" AND operation "+s.dialect.in(len(q.Operations)), append(args, texts(q.Operations))
	}
	if q.Actor != "" {
		query, args = query+" AND actor_kind = ?", append(args, q.Actor)
	}
	if q.Target != "" {
		query, args = query+" AND target_id = ?", append(args, q.Target)
	}
	var rows []auditRow
	limit := domain.Window{Limit: q.Limit}.Clamp().Limit
	if err := s.all(&rows, query+" ORDER BY id DESC LIMIT ?", append(args, limit)...); err != nil {
		return nil, err
	}
	return convert(rows, auditRow.event)
}
