package domain

import (
	"context"
	"slices"
	"time"
)

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
	// Workspace is where it happened; empty for what concerns the organization.
	Workspace WorkspaceID
	// Before and After hold what changed, as JSON values; secrets never stand in them.
	Before map[string]any
	After  map[string]any
	// Detail is the reason of a refusal.
	Detail string
	// About are members whom the row concerns beside its target: those who came to a group or left it, and whose access changed.
	// It is written and searched, never read back.
	About []MemberID
	// Seq is the row's place in the chain, from 1; zero until the sequencer has given it one, a moment after the commit.
	Seq int64
	// Hash is over the row before and this one; empty until there is a place.
	Hash string
}

// Target is what was acted on.
type Target struct {
	// Kind is "user", "group", "workspace", "organization", "scim_token", "key", "invite", "session", "sso_settings", "login_provider" or "installation".
	Kind string
	ID   string
	Name string
}

// AuditQuery selects audit rows, newest first.
type AuditQuery struct {
	Limit int
	// Before continues a listing: only rows older than this id.
	Before AuditID
	// From and To bound the time, both included; zero is no bound.
	From, To time.Time
	// Operations limits the rows to these names; empty means all.
	Operations []string
	// Actor and Target limit the rows to a kind of actor and to one target's id, ActorID to one actor, Workspace to one workspace; empty means all.
	Actor     ActorKind
	ActorID   string
	Target    string
	Workspace WorkspaceID
	// About selects what was done to somebody: a member's id, or an address, which also finds people who are gone.
	About string
}

// MaxAuditPage is how many rows one look at the audit log shows at most.
const MaxAuditPage = 100

// AuditLog returns a page of the organization's audit log, newest first, for those who manage it.
func (s *Service) AuditLog(ctx context.Context, scope OrgScope, query AuditQuery) ([]AuditEvent, error) {
	if err := scope.require(PermOrgManage); err != nil {
		return nil, err
	}
	if query.To.Before(query.From) {
		return nil, Invalidf("end_time", "the end of the time window lies before its start")
	}
	query.Limit = min(max(query.Limit, 1), MaxAuditPage)
	events := []AuditEvent{}
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		found, err := org.Audit().List(query)
		events = append(events[:0], found...)
		return err
	})
	return events, err
}

// record writes an audit row in the transaction of the change.
func record(tx Tx, scope OrgScope, operation string, target Target, before, after map[string]any) error {
	return tx.Org(scope).Audit().Append(AuditEvent{
		ID: newID[AuditID](tx.Now()), At: tx.Now(), Operation: operation, Outcome: Success,
		Actor: scope.actor, Target: target, Workspace: workspaceOf(target, before, after), Before: before, After: after,
		About: aboutOf(target, after),
	})
}

// aboutOf are the members whom a row concerns beside its target.
func aboutOf(target Target, after map[string]any) []MemberID {
	var about []MemberID
	for _, key := range []string{"added", "removed"} {
		members, _ := after[key].([]MemberID)
		about = append(about, members...)
	}
	facts, _ := after["access"].([]any)
	for _, fact := range facts {
		if one, ok := fact.(map[string]any); ok {
			if member, ok := one["member_id"].(MemberID); ok && string(member) != target.ID {
				about = append(about, member)
			}
		}
	}
	slices.Sort(about)
	return slices.Compact(about)
}

// workspaceOf is where something happened: the workspace itself, or the one that the facts name.
func workspaceOf(target Target, before, after map[string]any) WorkspaceID {
	if target.Kind == "workspace" {
		return WorkspaceID(target.ID)
	}
	for _, facts := range []map[string]any{after, before} {
		if id, ok := facts["workspace"].(WorkspaceID); ok {
			return id
		}
	}
	return ""
}
