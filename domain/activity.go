package domain

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// ActivityID names an entry of the provisioning activity; it sorts by time.
type ActivityID string

// Activity is what an identity provider asked for, and what became of it (S91).
// Changes that were made are in the audit log, in the same commit; everything else is kept as Activity a moment later.
type Activity struct {
	ID    ActivityID
	At    time.Time
	Token TokenID
	// RequestID is that of the log and of the audit rows.
	RequestID string
	Method    string
	// Resource is the path's first segment, such as Users; Target is the resource's id, when the path names one.
	Resource string
	Target   string
	// Status is the HTTP status; SCIMType and Detail are those of an error's answer.
	Status   int
	SCIMType string
	Detail   string
	// Requests is how many equal ones the entry stands for.
	Requests int
}

// UndeclaredAttribute is an attribute that a provider sent and no schema declares (S14).
type UndeclaredAttribute struct {
	Token    TokenID
	Resource string
	Path     string
	Requests int
	// Example is a value that was sent, shortened.
	Example  string
	LastSeen time.Time
}

// ActivityQuery selects entries, the newest first.
type ActivityQuery struct {
	// Before is the id of the last entry seen; empty for the newest.
	Before ActivityID
	Limit  int
	// Target is a resource's id; Refused selects what was answered with an error.
	Target  string
	Refused bool
}

// ActivityEntry is an Activity or a change, as the provisioning log shows it.
type ActivityEntry struct {
	Activity
	// Operation, Before and After are set for a change.
	Operation     string
	Name          string
	Before, After map[string]any
}

// ActivityCount is how many requests of identity providers fell into a span of time.
type ActivityCount struct {
	From time.Time
	// Changes were made, Others changed nothing, and Refused were answered with an error.
	Changes, Others, Refused int
}

// ActivityCounts counts what identity providers asked for in spans of time that end with the one in which now lies, the oldest first.
func (s *Service) ActivityCounts(ctx context.Context, scope OrgScope, span time.Duration, spans int) ([]ActivityCount, error) {
	if err := scope.require(PermOrgRead); err != nil {
		return nil, err
	}
	var counts []ActivityCount
	err := s.readOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		from := tx.Now().Truncate(span).Add(-time.Duration(spans-1) * span)
		counts = make([]ActivityCount, spans)
		for i := range counts {
			counts[i].From = from.Add(time.Duration(i) * span)
		}
		found, err := org.Activity().Counts(from, span)
		for i, count := range found {
			if i >= 0 && i < spans {
				count.From = counts[i].From
				counts[i] = count
			}
		}
		return err
	})
	return counts, err
}

// activityKept is how long the provisioning activity is kept; the audit log is kept for good.
const activityKept = 30 * 24 * time.Hour

// RecordActivity keeps what happened under one scope.
func (s *Service) RecordActivity(ctx context.Context, scope OrgScope, activity []Activity, undeclared []UndeclaredAttribute) error {
	if err := scope.requireSCIM(); err != nil {
		return err
	}
	return s.writeOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		for i := range activity {
			activity[i].ID = newID[ActivityID](activity[i].At)
		}
		if err := org.Activity().Append(activity); err != nil {
			return err
		}
		return org.Activity().CountUndeclared(undeclared)
	})
}

// RecordStrangers keeps requests whose token is nobody's, in the default organization: whoever runs the installation finds out there
// why an identity provider is refused.
func (s *Service) RecordStrangers(ctx context.Context, activity []Activity) error {
	return s.store.Write(ctx, func(tx Tx) error {
		installation, err := tx.System(systemScope()).Installation().Get()
		if err != nil {
			return err
		}
		for i := range activity {
			activity[i].ID = newID[ActivityID](activity[i].At)
		}
		return tx.Org(within(installation.DefaultOrg, systemActor())).Activity().Append(activity)
	})
}

// Activity returns the provisioning log: changes from the audit log and the rest, merged by time, the newest first.
func (s *Service) Activity(ctx context.Context, scope OrgScope, query ActivityQuery) ([]ActivityEntry, error) {
	if err := scope.require(PermOrgRead); err != nil {
		return nil, err
	}
	query.Limit = Window{Limit: query.Limit}.Clamp().Limit
	entries := []ActivityEntry{}
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		entries = entries[:0]
		others, err := org.Activity().List(query)
		if err != nil {
			return err
		}
		for _, one := range others {
			entries = append(entries, ActivityEntry{Activity: one})
		}
		if query.Refused {
			return nil
		}
		changes, err := org.Audit().List(AuditQuery{
			Before: AuditID(query.Before), Limit: query.Limit, Actor: ActorSCIM, Target: query.Target,
		})
		for _, change := range changes {
			entries = append(entries, change.activity())
		}
		return err
	})
	slices.SortFunc(entries, func(a, b ActivityEntry) int { return cmp.Compare(b.ID, a.ID) })
	return entries[:min(len(entries), query.Limit)], err
}

// activity is a change as the provisioning log shows it.
func (e AuditEvent) activity() ActivityEntry {
	return ActivityEntry{
		Activity: Activity{
			ID: ActivityID(e.ID), At: e.At, Token: TokenID(e.Actor.ID), RequestID: e.Actor.Client.RequestID,
			Resource: e.Target.Kind, Target: e.Target.ID, Detail: e.Detail, Requests: 1,
		},
		Operation: e.Operation, Name: e.Target.Name, Before: e.Before, After: e.After,
	}
}

// UndeclaredAttributes returns the attributes that providers sent and no schema declares, by token, resource and path.
func (s *Service) UndeclaredAttributes(ctx context.Context, scope OrgScope) ([]UndeclaredAttribute, error) {
	if err := scope.require(PermOrgRead); err != nil {
		return nil, err
	}
	found := []UndeclaredAttribute{}
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		all, err := org.Activity().Undeclared()
		found = append(found[:0], all...)
		return err
	})
	return found, err
}
