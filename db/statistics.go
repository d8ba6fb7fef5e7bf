package db

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"
)

// firstStatistics is how many people and group members a server adds before it refreshes the planner's statistics, and tenfold each time after.
// PostgreSQL cannot tell our indexes apart while its statistics say that a table is empty, for all of them begin with org_id.
// It then keeps plans that read a whole organization for one row, also for the checks of foreign keys, until autovacuum
// comes by a minute later; a first synchronization would crawl until then.
const firstStatistics = 100

// statistics counts what was added and refreshes them in the background.
type statistics struct {
	added   atomic.Int64
	next    atomic.Int64
	running sync.WaitGroup
}

// add reports that n rows were added; refresh runs when that was enough.
func (s *statistics) add(ctx context.Context, n int, refresh func(context.Context)) {
	if n == 0 {
		return
	}
	added, next := s.added.Add(int64(n)), max(s.next.Load(), firstStatistics)
	if added < next || !s.next.CompareAndSwap(next, 10*next) && !s.next.CompareAndSwap(0, 10*next) {
		return
	}
	ctx = context.WithoutCancel(ctx) // the request may be over before the refresh
	s.running.Go(func() { refresh(ctx) })
}

// analyze refreshes the statistics of the tables that grow; a failure costs nothing but time.
func (p *postgres) analyze(ctx context.Context) {
	for _, table := range []string{
		"users", "identities", "members", "workspace_members", "scim_users", "scim_emails", "scim_groups", "group_members", "audit_log",
	} {
		if err := p.analyzeTable(ctx, table); err != nil {
			p.log.WarnContext(ctx, "the planner's statistics could not be refreshed", "table", table, "cause", err)
			return
		}
	}
}

// analyzeTable leaves out an empty table: the planner's own guess about one that it knows nothing of is better than zero rows.
func (p *postgres) analyzeTable(ctx context.Context, table string) error {
	sqlTx, err := p.pool.BeginTxx(ctx, &sql.TxOptions{})
	if err != nil {
		return err
	}
	defer func() { _ = sqlTx.Rollback() }()
	var filled bool
	if err := sqlTx.GetContext(ctx, &filled, "SELECT EXISTS (SELECT 1 FROM "+table+")"); err != nil || !filled {
		return err
	}
	if _, err := sqlTx.ExecContext(ctx, "SET LOCAL statement_timeout = 0"); err != nil {
		return err
	}
	if _, err := sqlTx.ExecContext(ctx, "ANALYZE "+table); err != nil {
		return err
	}
	return sqlTx.Commit()
}
