package db

import (
	"context"
	"database/sql"
	"database/sql/driver"

	"github.com/lib/pq"
	"modernc.org/sqlite"
)

// MigrateCounting makes the schema by one connection, calls die before the n-th statement or commit, counted from 0, and returns how many there were.
func MigrateCounting(ctx context.Context, d *DB, n int, die func()) (statements int, err error) {
	counted := &dying{before: n, die: die}
	switch engine := d.engine.(type) {
	case *postgres:
		counted.Connector, err = pq.NewConnector(engine.dsn)
	case *sqliteEngine:
		counted.Connector, err = sqlite.NewConnector(sqliteName(engine.path) + "?_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=foreign_keys(1)")
	}
	if err != nil {
		return 0, err
	}
	pool := sql.OpenDB(counted)
	defer func() { _ = pool.Close() }()
	pool.SetMaxOpenConns(1)
	err = migrateWith(ctx, pool, d.engine.dialect())
	return counted.seen, err
}

// dying is a connector whose connections count statements.
type dying struct {
	driver.Connector

	before, seen int
	die          func()
}

func (d *dying) count() {
	if d.seen == d.before {
		d.die()
	}
	d.seen++
}

// Connect implements driver.Connector.
func (d *dying) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := d.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return dyingConn{&preparedConn{Conn: conn, statements: map[string]*preparedStatement{}}, d}, nil
}

type dyingConn struct {
	*preparedConn

	dying *dying
}

// ExecContext implements driver.ExecerContext.
func (c dyingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.dying.count()
	if direct, ok := c.Conn.(driver.ExecerContext); ok {
		return direct.ExecContext(ctx, query, args)
	}
	return nil, driver.ErrSkip
}

// BeginTx implements driver.ConnBeginTx.
func (c dyingConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	tx, err := c.preparedConn.BeginTx(ctx, opts)
	return dyingTx{tx, c.dying}, err
}

type dyingTx struct {
	driver.Tx

	dying *dying
}

// Commit implements driver.Tx.
func (t dyingTx) Commit() error {
	t.dying.count()
	return t.Tx.Commit()
}
