package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
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
	dsn string
	// pooled says that connections change hands between transactions.
	pooled bool
	pool   *sqlx.DB
	log    *slog.Logger
	// slots bounds how many requests hold a connection.
	slots chan struct{}
	// waits is how often one had to wait for that, and waited for how long altogether, in nanoseconds.
	waits, waited atomic.Int64
	// statistics are refreshed while the first rows come.
	statistics statistics
}

func openPostgres(rest string, opts Options) (*postgres, error) {
	name := serverName
	if opts.CommandLine {
		name = commandName
	}
	dsn, err := postgresDSN(rest, name)
	if err != nil {
		return nil, err
	}
	base, err := pq.NewConnector(dsn.text)
	if err != nil {
		// The driver's text may repeat the DSN with its password.
		return nil, domain.Invalidf("database_url", "the PostgreSQL URL cannot be read; it is postgres://user:password@host:port/name?option=value")
	}
	base.Dialer(dialer{dsn.patience})
	var connector driver.Connector = &crowd{Connector: base}
	if !dsn.pooled {
		connector = preparing{connector}
	}
	pool := sql.OpenDB(connector)
	pool.SetMaxOpenConns(poolSize)
	pool.SetMaxIdleConns(poolSize)
	pool.SetConnMaxLifetime(poolLifetime)
	return &postgres{dsn: dsn.text, pooled: dsn.pooled, pool: sqlx.NewDb(pool, string(PostgreSQL)), log: opts.Log, slots: make(chan struct{}, requestConnections)}, nil
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
	begun := time.Now()
	defer func() {
		p.waits.Add(1)
		p.waited.Add(int64(time.Since(begun)))
	}()
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
