package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"muster/domain"
)

// The pool's size and the age at which a connection is replaced, so that a moved database is found again.
const (
	poolSize     = 20
	poolLifetime = 5 * time.Minute
)

// Requests share all connections but those that the server's own work needs, and wait this long for one.
const (
	requestConnections = poolSize - 2
	longestWait        = 2 * time.Second
)

// attempts is how often a transaction runs before its conflict with others is the client's.
const attempts = 5

// postgres runs transactions in READ COMMITTED.
type postgres struct {
	dsn  string
	pool *sqlx.DB
	log  *slog.Logger
	// slots bounds how many requests hold a connection.
	slots chan struct{}
	// statistics are refreshed while the first rows come.
	statistics statistics
}

func openPostgres(rest string, opts Options) (*postgres, error) {
	dsn, err := postgresDSN(rest)
	if err != nil {
		return nil, err
	}
	base, err := pq.NewConnector(dsn.text)
	if err != nil {
		// The driver's text may repeat the DSN with its password.
		return nil, domain.Invalidf("database_url", "the PostgreSQL URL cannot be read; it is postgres://user:password@host:port/name?option=value")
	}
	base.Dialer(dialer{dsn.patience})
	var connector driver.Connector = base
	if !dsn.pooled {
		connector = preparing{base}
	}
	pool := sql.OpenDB(connector)
	pool.SetMaxOpenConns(poolSize)
	pool.SetMaxIdleConns(poolSize)
	pool.SetConnMaxLifetime(poolLifetime)
	return &postgres{dsn: dsn.text, pool: sqlx.NewDb(pool, string(PostgreSQL)), log: opts.Log, slots: make(chan struct{}, requestConnections)}, nil
}

func (p *postgres) dialect() dialect { return postgresDialect() }

func (p *postgres) close() error {
	p.statistics.running.Wait()
	return p.pool.Close()
}

func (p *postgres) ping(ctx context.Context) error {
	var made *tx
	begin := func(ctx context.Context, q querier) *tx {
		made = &tx{ctx: ctx, q: q, dialect: p.dialect(), readOnly: true}
		return made
	}
	return p.read(ctx, begin, func(domain.Tx) error {
		var one int
		return handle{tx: made}.get("", &one, "SELECT 1")
	})
}

// enter waits for a connection to be free; a server that has too much to do says so soon.
func (p *postgres) enter(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(longestWait)
	defer timer.Stop()
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return unavailable(ctx.Err())
	case <-timer.C:
		return domain.Errorf(domain.Unavailable, "the server has too much to do; try again").After(retryAfter)
	}
}

func (p *postgres) leave() { <-p.slots }

// read runs fn on one connection without a transaction.
// In READ COMMITTED each statement sees its own snapshot anyway, and a transaction would cost two more round trips.
// A connection on which anything failed is thrown away, because after an error packet followed by a close the driver
// takes it for a good one and refuses every later statement on it; the read is then run again on another connection.
func (p *postgres) read(ctx context.Context, begin beginTx, fn func(domain.Tx) error) error {
	if err := p.enter(ctx); err != nil {
		return err
	}
	defer p.leave()
	for stale := 0; ; stale++ {
		again, err := p.readOnce(ctx, begin, fn)
		if !again || stale > poolSize {
			return err
		}
		if stale >= attempts && backoff(ctx, 0) != nil {
			return err
		}
	}
}

// readOnce reports whether the read may succeed on another connection.
func (p *postgres) readOnce(ctx context.Context, begin beginTx, fn func(domain.Tx) error) (again bool, err error) {
	conn, err := p.pool.Connx(ctx)
	if err != nil {
		return ctx.Err() == nil && cutOff(err), unavailable(err)
	}
	defer func() { _ = conn.Close() }()
	t := begin(ctx, conn)
	err = fn(t)
	if t.cause == nil {
		return false, err
	}
	evict(conn)
	return ctx.Err() == nil && !definite(t.cause), orCause(err, t.cause)
}

// evict closes the connection instead of giving it back to the pool.
func evict(conn *sqlx.Conn) {
	_ = conn.Raw(func(any) error { return driver.ErrBadConn })
}

// definite reports whether the server itself answered with an error that another run would meet again.
func definite(cause error) bool {
	e, ok := errors.AsType[*pq.Error](cause)
	return ok && !transient(e)
}

// orCause returns the function's error or, when it swallowed the driver's, that one.
func orCause(err, cause error) error {
	if err == nil {
		return translate(cause)
	}
	return err
}

// write runs fn in a transaction, again after a conflict or a lost connection.
func (p *postgres) write(ctx context.Context, begin beginTx, fn func(domain.Tx) error) error {
	if err := p.enter(ctx); err != nil {
		return err
	}
	defer p.leave()
	var err error
	for attempt := range attempts {
		if attempt > 0 {
			p.log.InfoContext(ctx, "transaction runs again", "attempt", attempt+1, "cause", err)
			if waitErr := backoff(ctx, attempt); waitErr != nil {
				return err
			}
		}
		var again bool
		again, err = p.attempt(ctx, begin, fn)
		if !again {
			return err
		}
	}
	return err
}

// attempt runs fn once and reports whether it may run again.
func (p *postgres) attempt(ctx context.Context, begin beginTx, fn func(domain.Tx) error) (again bool, err error) {
	sqlTx, err := p.pool.BeginTxx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return ctx.Err() == nil && cutOff(err), unavailable(err)
	}
	// A panic passes through; the transaction does not outlive it. After a commit this does nothing.
	defer func() { _ = sqlTx.Rollback() }()
	t := begin(ctx, sqlTx)
	err = fn(t)
	if t.cause != nil {
		// After a failed statement PostgreSQL refuses to commit, whatever fn made of the error.
		return transient(t.cause) && ctx.Err() == nil, orCause(err, t.cause)
	}
	if err != nil {
		return false, err
	}
	if again, err = p.commit(ctx, sqlTx, t); err == nil {
		p.statistics.add(ctx, t.grown, p.analyze)
	}
	return again, err
}

// commit sends COMMIT. When the answer is lost both outcomes are possible, and the audit row decides.
func (p *postgres) commit(ctx context.Context, sqlTx *sqlx.Tx, t *tx) (again bool, err error) {
	err = sqlTx.Commit()
	if err == nil {
		return false, nil
	}
	if errors.Is(err, sql.ErrTxDone) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false, unavailable(err) // COMMIT was not sent
	}
	if e, ok := errors.AsType[*pq.Error](err); ok && !gone(e) {
		return transient(e), translate(e) // the server says that it rolled back
	}
	if t.marker.org == "" {
		return false, domain.Wrap(domain.Unknown, err, "the database did not say whether the change was made")
	}
	done, lookErr := p.committed(ctx, t.marker)
	if lookErr != nil {
		return false, domain.Wrap(domain.Unknown, errors.Join(err, lookErr), "the database did not say whether the change was made")
	}
	p.log.WarnContext(ctx, "commit was not answered", "operation", t.op, "committed", done, "cause", err)
	return !done, doneOr(done, err)
}

func doneOr(done bool, err error) error {
	if done {
		return nil
	}
	return unavailable(err)
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

// backoff waits before the next attempt, longer each time and never in step with others.
func backoff(ctx context.Context, attempt int) error {
	most := time.Duration(1<<min(attempt, 6)) * 10 * time.Millisecond
	timer := time.NewTimer(rand.N(most) + time.Millisecond) //nolint:gosec // spreads load, hides nothing
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
