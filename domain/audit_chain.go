package domain

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// The audit log of an organization is a chain: each row's hash is over the row before it and itself,
// so that a row that was changed, removed or put in between shows (R43).
// A row is written in the commit of its change, and gets its place right after it: if it were chained in that transaction,
// all changes of an organization would have to wait for each other.

// ChainHead is the end of an organization's chain.
type ChainHead struct {
	Seq  int64
	Hash string
}

const (
	// chainStep is how many rows get their place in one transaction, and are read at once to be checked.
	chainStep = 500
	// chainOrgs is how many organizations are served in one turn.
	chainOrgs = 100
)

// SequenceAudit gives every committed audit row that waits its place in its organization's chain, and returns how many did.
// Any number of processes may do so at once: of one organization's rows one takes care at a time.
func (s *Service) SequenceAudit(ctx context.Context) (int, error) {
	placed := 0
	for {
		var waiting []OrgID
		err := s.store.Read(ctx, func(tx Tx) error {
			var err error
			waiting, err = tx.System(systemScope()).Orgs().AuditWaiting(chainOrgs)
			return err
		})
		if err != nil || len(waiting) == 0 {
			return placed, err
		}
		for _, org := range waiting {
			n, err := s.sequence(ctx, within(org, systemActor()))
			placed += n
			if err != nil {
				return placed, err
			}
		}
	}
}

// sequence serves one organization in steps.
func (s *Service) sequence(ctx context.Context, scope OrgScope) (int, error) {
	placed := 0
	for {
		n := 0
		err := s.writeOrg(ctx, scope, func(_ Tx, org OrgTx) error {
			var err error
			_, n, err = placeWaiting(org)
			return err
		})
		placed += n
		if err != nil || n < chainStep {
			return placed, err
		}
	}
}

// placeWaiting gives the rows that wait their places, up to a step of them, and returns the new head.
func placeWaiting(org OrgTx) (head ChainHead, placed int, err error) {
	if head, err = org.Audit().Head(); err != nil {
		return head, 0, err
	}
	rows, err := org.Audit().Waiting(chainStep)
	if err != nil || len(rows) == 0 {
		return head, 0, err
	}
	for i := range rows {
		head = head.link(&rows[i])
	}
	return head, len(rows), org.Audit().Place(rows, head)
}

// link gives a row the place behind the head and returns the new head.
func (h ChainHead) link(row *AuditEvent) ChainHead {
	row.Seq = h.Seq + 1
	row.Hash = chainHash(h.Hash, *row)
	return ChainHead{row.Seq, row.Hash}
}

// chained is a row as it is hashed: every column in a fixed order.
type chained struct {
	Previous   string         `json:"previous"`
	Seq        int64          `json:"seq"`
	ID         AuditID        `json:"id"`
	At         int64          `json:"at"`
	Operation  string         `json:"operation"`
	Outcome    Outcome        `json:"outcome"`
	ActorKind  ActorKind      `json:"actor_kind"`
	ActorID    string         `json:"actor_id"`
	ActorName  string         `json:"actor_name"`
	Credential string         `json:"credential"`
	IP         string         `json:"ip"`
	UserAgent  string         `json:"user_agent"`
	RequestID  string         `json:"request_id"`
	Method     string         `json:"method"`
	Path       string         `json:"path"`
	Target     Target         `json:"target"`
	Workspace  WorkspaceID    `json:"workspace"`
	Before     map[string]any `json:"before"`
	After      map[string]any `json:"after"`
	Detail     string         `json:"detail"`
}

// chainHash is SHA-256 over the previous row's hash and this row as JSON, in which the keys of objects are sorted.
func chainHash(previous string, e AuditEvent) string {
	client := e.Actor.Client
	text, err := json.Marshal(chained{
		previous, e.Seq, e.ID, e.At.UnixMicro(), e.Operation, e.Outcome, e.Actor.Kind, e.Actor.ID, e.Actor.Name, e.Actor.Credential,
		client.IP, client.UserAgent, client.RequestID, client.Method, client.Path, e.Target, e.Workspace, e.Before, e.After, e.Detail,
	})
	if err != nil {
		// What comes out of a database column was JSON, and is again.
		text = []byte(err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// ChainReport is what checking an organization's chain found.
type ChainReport struct {
	Org     OrgID
	OrgName string
	// Rows is how many rows were checked and found in order.
	Rows int64
	// Damage says what is wrong with the first row that is not; empty when nothing is.
	Damage string
	// At is the place of that row.
	At int64
}

// VerifyAudit checks the chains of all organizations, or of one, from the first row to the head.
func (s *Service) VerifyAudit(ctx context.Context, only OrgID) ([]ChainReport, error) {
	if _, err := s.SequenceAudit(ctx); err != nil {
		return nil, err
	}
	var orgs []Org
	err := s.store.Read(ctx, func(tx Tx) error {
		var err error
		orgs, err = tx.System(systemScope()).Orgs().List()
		return err
	})
	if err != nil {
		return nil, err
	}
	reports := []ChainReport{}
	for _, org := range orgs {
		if only != "" && org.ID != only {
			continue
		}
		report, err := s.verifyChain(ctx, org)
		if err != nil {
			return nil, err
		}
		reports = append(reports, report)
	}
	return reports, nil
}

// verifyChain walks one chain in steps and stops at the first row that is not as it was.
func (s *Service) verifyChain(ctx context.Context, org Org) (ChainReport, error) {
	report := ChainReport{Org: org.ID, OrgName: org.DisplayName}
	head := ChainHead{}
	for {
		rows, err := s.AuditFrom(ctx, within(org.ID, systemActor()), head.Seq, chainStep)
		if err != nil {
			return report, err
		}
		for _, row := range rows {
			if report.Damage, report.At = head.damage(row), row.Seq; report.Damage != "" {
				return report, nil
			}
			head = ChainHead{row.Seq, row.Hash}
			report.Rows++
		}
		if len(rows) < chainStep {
			break
		}
	}
	err := s.readOrg(ctx, within(org.ID, systemActor()), func(_ Tx, tx OrgTx) error {
		stored, err := tx.Audit().Head()
		if err == nil && stored.Seq > head.Seq {
			report.Damage, report.At = "rows at the end were removed", head.Seq+1
		}
		return err
	})
	return report, err
}

// damage says what is wrong with the row that comes after the head.
func (h ChainHead) damage(row AuditEvent) string {
	switch {
	case row.Seq != h.Seq+1:
		return "a row is missing before this one"
	case row.Hash != chainHash(h.Hash, row):
		return "the row, or the one before it, is not as it was written: " + row.Operation + " at " + row.At.Format(time.RFC3339)
	default:
		return ""
	}
}

// AuditFrom returns up to limit rows behind a place, in order: what has a place is committed, and nothing comes before it later.
func (s *Service) AuditFrom(ctx context.Context, scope OrgScope, after int64, limit int) ([]AuditEvent, error) {
	var rows []AuditEvent
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		var err error
		rows, err = org.Audit().From(after, limit)
		return err
	})
	return rows, err
}
