package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"log/slog"
	"sync"

	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"muster/domain"
)

// batch is how many functions share one commit at most.
const batch = 64

// writer is SQLite's one writing connection.
// It takes what waits, runs each function in a savepoint and commits them together: one wait for the disk serves them all,
// and nothing is answered before it is on the disk: not even a refusal, or that there was nothing to change, because what it
// rests on may be a neighbour's that is not on the disk yet.
// A function runs in its caller's goroutine, so that its panic is the caller's; only the turns are given out here.
type writer struct {
	pool  *sqlx.DB
	queue chan *turn
	log   *slog.Logger

	stopping chan struct{}
	stopped  chan struct{}
	once     sync.Once
}

// turn is one caller's place in the queue.
type turn struct {
	// start gives the connection, or is closed when there is none; err says why.
	start chan querier
	err   error
	// ran is the caller's answer, and outcome what became of it.
	ran     chan ran
	outcome chan error
}

// ran is what a caller made of its turn.
type ran struct {
	// keep is false when the function's statements are to be rolled back.
	keep bool
	// broken is true when the engine may have rolled back the whole transaction.
	broken bool
}

// errAgain is for those who shared a transaction that somebody else's failure rolled back.
var errAgain = errors.New("the shared transaction was rolled back")

func startWriter(ctx context.Context, pool *sqlx.DB, log *slog.Logger) *writer {
	w := &writer{
		pool: pool, queue: make(chan *turn), log: log,
		stopping: make(chan struct{}), stopped: make(chan struct{}),
	}
	go w.loop(context.WithoutCancel(ctx))
	return w
}

// write queues for a turn, runs fn in it and waits for the commit.
func (w *writer) write(ctx context.Context, begin beginTx, fn func(domain.Tx) error) (again bool, err error) {
	place := &turn{start: make(chan querier, 1), ran: make(chan ran, 1), outcome: make(chan error, 1)}
	select {
	case w.queue <- place:
	case <-ctx.Done():
		return false, unavailable(ctx.Err())
	case <-w.stopping:
		return false, domain.Errorf(domain.Unavailable, "the server is stopping").After(retryAfter)
	}
	q, ok := <-place.start
	if !ok {
		return false, translate(place.err)
	}
	result, err := place.run(ctx, q, begin, fn)
	if result.broken {
		return false, err
	}
	outcome := <-place.outcome
	switch {
	case outcome == nil:
		return false, err
	case !result.keep:
		return true, translate(errAgain)
	default:
		return errors.Is(outcome, errAgain), translate(outcome)
	}
}

// run runs fn and gives the turn back, also when fn panics.
func (t *turn) run(ctx context.Context, q querier, begin beginTx, fn func(domain.Tx) error) (result ran, err error) {
	// A caller that gives up must not interrupt a statement: that would roll back its neighbours too.
	inner := begin(context.WithoutCancel(ctx), q)
	defer func() {
		result.broken = inner.cause != nil && !constraint(inner.cause)
		t.ran <- result
	}()
	if ctx.Err() == nil {
		err = fn(inner)
	}
	switch {
	case inner.cause != nil:
		err = orCause(err, inner.cause)
	case err == nil && ctx.Err() != nil:
		err = unavailable(ctx.Err())
	default:
		result.keep = err == nil
	}
	return result, err
}

// constraint reports whether only the statement failed; any other error may have ended the transaction.
func constraint(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code()&0xff == sqlite3.SQLITE_CONSTRAINT
}

// stop lets what is queued finish.
func (w *writer) stop() error {
	w.once.Do(func() { close(w.stopping) })
	<-w.stopped
	return w.pool.Close()
}

func (w *writer) loop(ctx context.Context) {
	defer close(w.stopped)
	var conn *writerConn
	for {
		select {
		case <-w.stopping:
			return
		case first := <-w.queue:
			conn = w.serve(ctx, conn, first)
		}
	}
}

// serve runs one batch and returns the connection for the next; nil when it has to be opened anew.
func (w *writer) serve(ctx context.Context, conn *writerConn, first *turn) *writerConn {
	conn, err := w.begin(ctx, conn)
	if err != nil {
		w.refuse(first, err)
		return conn
	}
	var turns []*turn
	keeps := false
	for place, n := first, 1; place != nil; place, n = w.next(n), n+1 {
		turns = append(turns, place)
		keep, intact := conn.give(place)
		if !intact {
			conn.discard()
			answer(turns, errAgain)
			return nil
		}
		keeps = keeps || keep
	}
	if !keeps {
		err := conn.exec("ROLLBACK")
		answer(turns, nil)
		if err != nil {
			conn.discard()
			return nil
		}
		return conn
	}
	if err := conn.exec("COMMIT"); err != nil {
		w.log.ErrorContext(ctx, "commit failed", "functions", len(turns), "cause", err)
		conn.discard()
		answer(turns, err)
		return nil
	}
	answer(turns, nil)
	return conn
}

// begin starts a transaction; another process that holds the lock is waited for, up to the number of attempts.
func (w *writer) begin(ctx context.Context, conn *writerConn) (*writerConn, error) {
	if conn == nil {
		opened, err := w.pool.Connx(ctx)
		if err != nil {
			return nil, unavailable(err)
		}
		conn = &writerConn{Conn: opened, ctx: ctx}
	}
	var err error
	for range attempts {
		if err = conn.exec("BEGIN IMMEDIATE"); err == nil {
			return conn, nil
		}
		if !busy(err) {
			conn.discard()
			return nil, err
		}
	}
	return conn, err
}

// refuse answers everybody who waits, so that they do not fail one after the other.
func (w *writer) refuse(first *turn, err error) {
	for place := first; place != nil; place = w.next(1) {
		place.err = err
		close(place.start)
	}
}

// next is the next one that waits now; nil when nobody does or the batch is full.
func (w *writer) next(n int) *turn {
	if n >= batch {
		return nil
	}
	select {
	case place := <-w.queue:
		return place
	default:
		return nil
	}
}

func answer(turns []*turn, err error) {
	for _, place := range turns {
		place.outcome <- err
	}
}

// writerConn is the connection inside a batch.
type writerConn struct {
	*sqlx.Conn

	ctx context.Context
}

func (c *writerConn) exec(statement string) error {
	_, err := c.ExecContext(c.ctx, statement)
	return err
}

// give lets one caller run in a savepoint and reports whether it is to be committed and whether the transaction still stands.
func (c *writerConn) give(place *turn) (keep, intact bool) {
	if err := c.exec("SAVEPOINT one"); err != nil {
		place.err = err
		close(place.start)
		return false, false
	}
	place.start <- c.Conn
	result := <-place.ran
	switch {
	case result.keep:
		return true, c.exec("RELEASE one") == nil
	case result.broken:
		return false, false
	default:
		return false, c.exec("ROLLBACK TO one") == nil && c.exec("RELEASE one") == nil
	}
}

// discard closes the connection, and with it whatever transaction is open on it.
func (c *writerConn) discard() {
	_ = c.Raw(func(any) error { return driver.ErrBadConn })
	_ = c.Close()
}
