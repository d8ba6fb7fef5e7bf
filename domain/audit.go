package domain

import "time"

// Outcome says whether what the audit row names happened.
type Outcome string

// The outcomes.
const (
	Success Outcome = "success"
	Failure Outcome = "failure"
)

// AuditEvent is one row of an organization's audit log, written in the commit of the change it tells of (R43).
type AuditEvent struct {
	ID AuditID
	At time.Time
	// Operation is one of the names that the admin API lists.
	Operation string
	Outcome   Outcome
	Actor     Actor
	Target    Target
	// Before and After hold what changed, as JSON values; secrets never stand in them.
	Before map[string]any
	After  map[string]any
	// Detail is the reason of a refusal.
	Detail string
}

// Target is what was acted on.
type Target struct {
	// Kind is "user", "group", "workspace", "organization", "scim_token", "key", "invite", "session" or "sso_settings".
	Kind string
	ID   string
	Name string
}

// AuditQuery selects audit rows, newest first.
type AuditQuery struct {
	Limit int
	// Before continues a listing: only rows older than this id.
	Before AuditID
	// Operations limits the rows to these names; empty means all.
	Operations []string
	// Actor and Target limit the rows to a kind of actor and to one target's id; empty means all.
	Actor  ActorKind
	Target string
}

// record writes an audit row in the transaction of the change.
func record(tx Tx, scope OrgScope, operation string, target Target, before, after map[string]any) error {
	return tx.Org(scope).Audit().Append(AuditEvent{
		ID: newID[AuditID](tx.Now()), At: tx.Now(), Operation: operation, Outcome: Success,
		Actor: scope.actor, Target: target, Before: before, After: after,
	})
}
