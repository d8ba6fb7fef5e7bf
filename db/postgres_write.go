package db

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"muster/domain"
)

// How a run of a transaction's function ended.
type ending int

const (
	// finished is for good, with or without an error.
	finished ending = iota
	// again may succeed when it is run again, because of a conflict with others or a lost connection.
	again
	// misjudged is to be run again carefully.
	misjudged
	// stale met a connection that had ended while nobody used it.
	stale
)

// write runs fn in a transaction, again after a conflict or a lost connection.
func (p *postgres) write(ctx context.Context, begin beginTx, fn func(domain.Tx) error) error {
	if err := p.enter(ctx); err != nil {
		return err
	}
	defer p.leave()
	careful, ended := false, 0
	for attempt := 1; ; {
		end, err := p.attempt(ctx, begin, fn, careful)
		switch {
		case end == misjudged && !careful:
			careful = true
			continue
		case end == stale && ended < poolSize:
			ended++
			continue
		case end == finished || attempt == attempts:
			return err
		}
		attempt++
		p.log.InfoContext(ctx, "transaction runs again", "attempt", attempt, "cause", err)
		if backoff(ctx, attempt-1) != nil {
			return err
		}
	}
}

// transaction is one on a connection of its own, begun no sooner than it must: in READ COMMITTED each statement sees
// its own snapshot anyway, so that what only reads before the first lock needs none.
type transaction struct {
	*sqlx.Conn

	ctx   context.Context
	begun *sqlx.Tx
	// sound says that the connection has answered a statement.
	sound bool
}

// begin sends BEGIN.
func (t *transaction) begin() (err error) {
	t.begun, err = t.BeginTxx(t.ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	t.sound = t.sound || err == nil
	return err
}

// QueryContext implements querier.
func (t *transaction) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if t.begun != nil {
		return t.begun.QueryContext(ctx, query, args...)
	}
	return t.Conn.QueryContext(ctx, query, args...)
}

// QueryxContext implements querier.
func (t *transaction) QueryxContext(ctx context.Context, query string, args ...any) (*sqlx.Rows, error) {
	if t.begun != nil {
		return t.begun.QueryxContext(ctx, query, args...)
	}
	rows, err := t.Conn.QueryxContext(ctx, query, args...)
	t.sound = t.sound || err == nil
	return rows, err
}

// QueryRowxContext implements querier.
func (t *transaction) QueryRowxContext(ctx context.Context, query string, args ...any) *sqlx.Row {
	if t.begun != nil {
		return t.begun.QueryRowxContext(ctx, query, args...)
	}
	row := t.Conn.QueryRowxContext(ctx, query, args...)
	t.sound = t.sound || row.Err() == nil
	return row
}

// ExecContext implements querier; nothing is ever written outside the transaction here.
func (t *transaction) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if t.begun == nil {
		return nil, sql.ErrTxDone
	}
	return t.begun.ExecContext(ctx, query, args...)
}

// end rolls back what was not committed and gives the connection back, or throws it away when it is not sound.
func (t *transaction) end(ctx context.Context, failed bool) {
	var err error
	switch {
	case t.begun != nil:
		if err = t.begun.Rollback(); errors.Is(err, sql.ErrTxDone) {
			err = nil
		}
	case failed:
		// After an error packet followed by a close the driver takes a connection for a good one.
		err = t.PingContext(ctx)
	}
	if err != nil {
		evict(t.Conn)
	}
	_ = t.Close()
}

// attempt runs fn once.
func (p *postgres) attempt(ctx context.Context, begin beginTx, fn func(domain.Tx) error, careful bool) (ending, error) {
	conn, err := p.pool.Connx(ctx)
	if err != nil {
		return again.onlyIf(ctx.Err() == nil && cutOff(err)), unavailable(err)
	}
	on := &transaction{Conn: conn, ctx: ctx}
	t := begin(ctx, on)
	t.careful, t.start = careful, on.begin
	// A panic passes through; the transaction does not outlive it. After a commit this ends nothing.
	defer func() { on.end(context.WithoutCancel(ctx), t.cause != nil) }()
	h := handle{tx: t}
	if p.pooled {
		err = h.begin()
	}
	if err == nil {
		err = fn(t)
	}
	if err != nil && t.cause == nil && len(t.waiting) > 0 {
		return misjudged, err // what led to the error may rest on a write that would have been refused
	}
	if err == nil && t.cause == nil {
		if p.alone(t, on) {
			return p.writeAlone(ctx, on, t)
		}
		err = h.flush()
	}
	if t.cause != nil {
		// After a failed statement PostgreSQL refuses to commit, whatever fn made of the error.
		if t.misjudged {
			return misjudged, err
		}
		if !on.sound && lostConnection(t.cause) && ctx.Err() == nil {
			return stale, orCause(err, t.cause)
		}
		return again.onlyIf(transient(t.cause) && ctx.Err() == nil), orCause(err, t.cause)
	}
	if err != nil || on.begun == nil {
		return finished, err // nothing was written
	}
	return p.commit(ctx, on, t)
}

func (e ending) onlyIf(so bool) ending {
	if so {
		return e
	}
	return finished
}

// alone reports whether all that the transaction writes is one statement, which needs no BEGIN and no COMMIT.
// Without an audit row nobody could say whether it happened when its answer is lost, as opposed to one before a COMMIT,
// and a connection that has not answered yet may have ended long ago.
func (p *postgres) alone(t *tx, on *transaction) bool {
	return on.begun == nil && on.sound && len(t.waiting) > 0 && t.marker.org != ""
}

// writeAlone sends what is queued as the whole transaction.
// When the answer is lost both outcomes are possible, as with COMMIT.
func (p *postgres) writeAlone(ctx context.Context, on *transaction, t *tx) (ending, error) {
	if ctx.Err() != nil {
		return finished, unavailable(ctx.Err())
	}
	query, args := t.combined()
	// Once it is sent it is not cancelled; a caller that goes away must not make the outcome unknown.
	_, err := on.Conn.ExecContext(context.WithoutCancel(ctx), query, args...)
	if err == nil {
		p.statistics.add(ctx, t.grown, p.analyze)
		return finished, nil
	}
	t.cause = err
	if e, ok := errors.AsType[*pq.Error](err); ok && !gone(e) {
		if presumption(err) {
			return misjudged, translate(e)
		}
		return again.onlyIf(transient(e) && ctx.Err() == nil), translate(e)
	}
	evict(on.Conn)
	return p.decide(ctx, t, err)
}

// commit sends COMMIT. When the answer is lost both outcomes are possible.
func (p *postgres) commit(ctx context.Context, on *transaction, t *tx) (ending, error) {
	err := on.begun.Commit()
	if err == nil {
		p.statistics.add(ctx, t.grown, p.analyze)
		return finished, nil
	}
	if errors.Is(err, sql.ErrTxDone) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return finished, unavailable(err) // COMMIT was not sent
	}
	if e, ok := errors.AsType[*pq.Error](err); ok && !gone(e) {
		return again.onlyIf(transient(e)), translate(e) // the server says that it rolled back
	}
	return p.decide(ctx, t, err)
}

// decide lets the audit row say whether a transaction whose end was not answered happened.
func (p *postgres) decide(ctx context.Context, t *tx, cause error) (ending, error) {
	if t.marker.org == "" {
		return finished, domain.Wrap(domain.Unknown, cause, "the database did not say whether the change was made")
	}
	done, err := p.committed(ctx, t.marker)
	if err != nil {
		return finished, domain.Wrap(domain.Unknown, errors.Join(cause, err), "the database did not say whether the change was made")
	}
	p.log.WarnContext(ctx, "commit was not answered", "operation", t.op, "committed", done, "cause", cause)
	if done {
		p.statistics.add(ctx, t.grown, p.analyze)
		return finished, nil
	}
	return again, unavailable(cause)
}

// lookFor bounds the search for a marker; it outlasts a short failover.
const lookFor = 15 * time.Second

// committed finds out whether the transaction that wrote the marker was committed.
// It tries to write the same marker: the unique index makes it wait for a transaction that is still running,
// so that "absent" cannot become "present" later. Whatever it wrote is rolled back.
func (p *postgres) committed(ctx context.Context, m marker) (bool, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookFor)
	defer cancel()
	for attempt := 1; ; attempt++ {
		done, err := p.probe(ctx, m)
		if err == nil {
			return done, nil
		}
		if waitErr := backoff(ctx, attempt); waitErr != nil {
			return false, err
		}
	}
}

func (p *postgres) probe(ctx context.Context, m marker) (bool, error) {
	sqlTx, err := p.pool.BeginTxx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return false, err
	}
	defer func() { _ = sqlTx.Rollback() }()
	h := handle{tx: &tx{ctx: ctx, q: sqlTx, dialect: p.dialect(), op: m.op}, org: m.org}
	inserted, err := auditStore{h}.mark()
	return !inserted, err
}
