package domain_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/domain"
)

func (w *world) verified() domain.ChainReport {
	w.Helper()
	reports, err := w.service.VerifyAudit(w.Context(), w.commandLine("").Org())
	w.must(err)
	return reports[0]
}

// R43: after changes by many at once, from two processes, the chain has every row once and is in order.
func TestChainOfConcurrentChanges(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		scim := w.scim("")
		stop := make(chan struct{})
		var sequencers, writers sync.WaitGroup
		for range 2 {
			sequencers.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						if _, err := w.service.SequenceAudit(w.Context()); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		const each = 15
		for n := range 4 {
			writers.Go(func() {
				for i := range each {
					if _, err := w.service.CreateUser(w.Context(), scim, person(fmt.Sprintf("p%d-%d@example.com", n, i))); err != nil {
						t.Error(err)
					}
				}
			})
		}
		writers.Wait()
		close(stop)
		sequencers.Wait()
		report := w.verified()
		if report.Damage != "" || report.Rows < 4*each {
			t.Errorf("%+v", report)
		}
		rows, err := w.service.AuditFrom(w.Context(), w.commandLine(""), 0, 1000)
		w.must(err)
		seen := map[domain.AuditID]bool{}
		for i, row := range rows {
			if seen[row.ID] || row.Seq != int64(i+1) || row.Hash == "" {
				t.Fatalf("row %d: %+v", i, row)
			}
			seen[row.ID] = true
		}
	})
}

// R43: the log is read by time, workspace, operation and target, newest first, by those who manage the organization.
func TestAuditLog(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		cli := w.commandLine("")
		lab := w.workspace(cli, "Lab")
		w.clock.Advance(time.Hour)
		middle := w.clock.Now()
		alice := w.memberWith("alice@example.com", map[domain.WorkspaceID]domain.RoleID{lab.ID: domain.RoleWorkEditor})
		w.clock.Advance(time.Hour)
		w.signIn("bob@example.com")
		operations := func(q domain.AuditQuery) string {
			q.From, q.To, q.Limit = orTime(q.From, middle.AddDate(-1, 0, 0)), orTime(q.To, middle.AddDate(1, 0, 0)), 100
			events, err := w.service.AuditLog(w.Context(), cli, q)
			w.must(err)
			var names []string
			for _, event := range events {
				names = append(names, event.Operation)
			}
			return strings.Join(names, " ")
		}
		for name, c := range map[string]struct {
			query domain.AuditQuery
			want  string
		}{
			"the middle":  {domain.AuditQuery{From: middle, To: middle.Add(time.Minute)}, "add_member_to_workspace delete_workspace_member login jit_join_organization"},
			"a workspace": {domain.AuditQuery{Workspace: lab.ID}, "add_member_to_workspace create_workspace"},
			"operations":  {domain.AuditQuery{Operations: []string{"login", "create_organization"}}, "login login create_organization"},
			"a target":    {domain.AuditQuery{Target: string(alice.Member())}, "add_member_to_workspace delete_workspace_member"},
			"an actor":    {domain.AuditQuery{ActorID: alice.Actor().ID}, "login jit_join_organization"},
		} {
			if got := operations(c.query); got != c.want {
				t.Errorf("%s: %s, want %s", name, got, c.want)
			}
		}
		if _, err := w.service.AuditLog(w.Context(), alice, domain.AuditQuery{}); !domain.IsKind(err, domain.Forbidden) {
			t.Errorf("a User reads the log: %v", err)
		}
	})
}

func orTime(at, other time.Time) time.Time {
	if at.IsZero() {
		return other
	}
	return at
}
