// Package db keeps everything in PostgreSQL or SQLite, with one schema and one set of statements for both.
//
// Store.Read and Store.Write are the only ways to a statement.
// A write is always an explicit transaction, because with this PostgreSQL driver a statement outside one may run twice when its reply is lost.
// Which engine is asked in dialect.go only; postgres.go and sqlite.go say how each of them runs a transaction.
package db

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"

	"muster/domain"
)

// Options says how to open a database; the zero value suits a server.
type Options struct {
	// Clock gives transactions their time; nil means the system's clock.
	Clock domain.Clock
	// Log receives what an operator should know; nil means silence.
	Log *slog.Logger
	// CommandLine opens an SQLite file beside a running server, without the lock that keeps a second server away.
	CommandLine bool
	// Observe is told of every Read and Write that has ended, in its caller's goroutine; it may be nil.
	Observe func(context.Context, Transaction)
	// MustExist refuses an SQLite file that is not there instead of making it.
	MustExist bool
}

// Engine is a database product.
type Engine string

// The engines.
const (
	PostgreSQL Engine = "postgres"
	SQLite     Engine = "sqlite"
)

// DB is an open database; it implements domain.Store.
type DB struct {
	engine engine
	clock  domain.Clock
	log    *slog.Logger
	// observe may be nil.
	observe func(context.Context, Transaction)
	// migrated is true once the schema is known to be the one this binary speaks.
	migrated atomic.Bool
	marked   listMarks
	// afterCopy lets a test do something in the middle of a copy; it is nil otherwise.
	afterCopy func(table string)
}

var _ domain.Store = (*DB)(nil)

// engine is how a product runs transactions.
type engine interface {
	dialect() dialect
	// read runs fn with what reads; write runs it in a transaction and commits.
	read(ctx context.Context, begin beginTx, fn func(domain.Tx) error) error
	write(ctx context.Context, begin beginTx, fn func(domain.Tx) error) error
	migrate(ctx context.Context) error
	ping(ctx context.Context) error
	busy() Pool
	// bulk is a pool for work that takes longer than a request may; the caller closes it.
	bulk() (*sqlx.DB, error)
	close() error
}

// Open prepares the database behind a URL: sqlite://path or postgres://user:password@host:port,host:port/name?option=value.
// It does not connect to PostgreSQL, so that a server can start before its database does; call Migrate until it succeeds.
// A second server on the same SQLite file is Conflict, a URL that cannot be read Invalid.
func Open(ctx context.Context, url string, opts Options) (*DB, error) {
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	scheme, rest, found := strings.Cut(url, "://")
	if !found {
		return nil, unknownURL()
	}
	var opened engine
	var err error
	switch scheme {
	case "sqlite":
		opened, err = openSQLite(ctx, rest, opts)
	case "postgres", "postgresql":
		opened, err = openPostgres(rest, opts)
	default:
		return nil, unknownURL()
	}
	if err != nil {
		return nil, err
	}
	return &DB{engine: opened, clock: opts.Clock, log: opts.Log, observe: opts.Observe}, nil
}

// unknownURL does not repeat the URL, which may hold a password.
func unknownURL() error {
	return domain.Invalidf("database_url", "the database URL must begin with sqlite:// or postgres://")
}

// Engine returns the product in use.
func (d *DB) Engine() Engine { return d.engine.dialect().engine }

// Migrate brings the schema up to date, once over all processes that start at the same time.
// It is Unavailable while the database does not answer; ErrNewerSchema is for good.
func (d *DB) Migrate(ctx context.Context) error {
	if err := d.engine.migrate(ctx); err != nil {
		return err
	}
	if err := d.whole(ctx); err != nil {
		return err
	}
	d.migrated.Store(true)
	return nil
}

// whole refuses a database that a copy has only begun to fill.
func (d *DB) whole(ctx context.Context) error {
	pool, err := d.engine.bulk()
	if err != nil {
		return err
	}
	defer func() { _ = pool.Close() }()
	return unfinished(ctx, pool)
}

// Look takes the schema as it is, for a command that only reads: what the schema lacks fails when it is read.
// It is Unavailable when the database does not answer.
func (d *DB) Look(ctx context.Context) error {
	if err := d.engine.ping(ctx); err != nil {
		return err
	}
	d.migrated.Store(true)
	return nil
}

// Schema returns the version of the database's schema, 0 for none, and the one that this program makes.
func (d *DB) Schema(ctx context.Context) (current, known int64, err error) {
	pool, err := d.engine.bulk()
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = pool.Close() }()
	if known, err = knownSchema(pool.DB, d.engine.dialect()); err != nil {
		return 0, 0, err
	}
	if err := pool.GetContext(ctx, &current, currentSchema); err != nil {
		return 0, known, nil // a database that was never set up has no such table
	}
	return current, known, nil
}

// ClockOffset is how far the database's clock is ahead of this machine's; the round trip blurs it, and SQLite has no clock of its own.
func (d *DB) ClockOffset(ctx context.Context) (time.Duration, error) {
	statement := d.engine.dialect().clock
	if statement == "" {
		return 0, nil
	}
	pool, err := d.engine.bulk()
	if err != nil {
		return 0, err
	}
	defer func() { _ = pool.Close() }()
	// So that the statement's time does not hold that of connecting.
	if err := pool.PingContext(ctx); err != nil {
		return 0, translate(err)
	}
	var micros int64
	asked := time.Now()
	if err := pool.GetContext(ctx, &micros, statement); err != nil {
		return 0, translate(err)
	}
	return time.UnixMicro(micros).Sub(asked.Add(time.Since(asked) / 2)), nil
}

// Check reports whether the database answers and has its schema, for readiness.
func (d *DB) Check(ctx context.Context) error {
	if !d.migrated.Load() {
		return notYet()
	}
	return d.engine.ping(ctx)
}

// Close ends all connections; what waits to be written is written first.
func (d *DB) Close() error { return d.engine.close() }

// Read implements domain.Store.
func (d *DB) Read(ctx context.Context, fn func(domain.Tx) error) error {
	if !d.migrated.Load() {
		return notYet()
	}
	return d.observed(ctx, false, func(begin beginTx) error { return d.engine.read(ctx, begin, fn) })
}

// Write implements domain.Store.
func (d *DB) Write(ctx context.Context, fn func(domain.Tx) error) error {
	if !d.migrated.Load() {
		return notYet()
	}
	return d.observed(ctx, true, func(begin beginTx) error { return d.engine.write(ctx, begin, fn) })
}

func notYet() error {
	return domain.Errorf(domain.Unavailable, "the database is not ready yet").After(time.Second)
}
