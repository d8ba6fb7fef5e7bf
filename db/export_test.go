package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"

	"github.com/jmoiron/sqlx"

	"muster/domain"
)

// Exec runs a statement of the test's own in a transaction.
func Exec(t domain.Tx, statement string, args ...any) error {
	_, err := handle{tx: t.(*tx)}.exec(statement, args...) //nolint:forcetypeassert // ours
	return err
}

// Strings reads a column of a statement of the test's own.
func Strings(t domain.Tx, statement string, args ...any) (column []string, err error) {
	err = handle{tx: t.(*tx)}.all(&column, statement, args...) //nolint:forcetypeassert // ours
	return column, err
}

// ReadVitals is what Vitals does in a transaction.
func ReadVitals(t domain.Tx) error {
	_, err := vitals(handle{tx: t.(*tx)}) //nolint:forcetypeassert // ours
	return err
}

// Explained is a statement with the plan that the engine made for it.
type Explained struct {
	Statement string
	Plan      []string
}

// Explain runs fn in a transaction that is rolled back and returns the plan of every statement.
func (d *DB) Explain(ctx context.Context, fn func(domain.Tx) error) ([]Explained, error) {
	pool := d.testPool()
	sqlTx, err := pool.BeginTxx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = sqlTx.Rollback() }()
	explaining := &explainer{querier: sqlTx, prefix: map[Engine]string{PostgreSQL: "EXPLAIN ", SQLite: "EXPLAIN QUERY PLAN "}[d.Engine()]}
	t := d.begin(false)(ctx, explaining)
	if err = fn(t); err == nil {
		err = handle{tx: t}.flush()
	}
	return explaining.seen, err
}

// testPool is where a test may run statements; SQLite's is a second writer.
func (d *DB) testPool() *sqlx.DB {
	switch engine := d.engine.(type) {
	case *postgres:
		return engine.pool
	case *sqliteEngine:
		pool, err := engine.open("_txlock=immediate", false)
		if err != nil {
			panic(err)
		}
		return pool
	default:
		panic("unknown engine")
	}
}

type explainer struct {
	querier

	prefix string
	seen   []Explained
}

func (e *explainer) explain(ctx context.Context, statement string, args []any) {
	rows, err := e.querier.QueryxContext(ctx, e.prefix+statement, args...)
	if err != nil {
		panic(err)
	}
	defer func() { _ = rows.Close() }()
	explained := Explained{Statement: strings.Join(strings.Fields(statement), " ")}
	for rows.Next() {
		columns, err := rows.SliceScan()
		if err != nil {
			panic(err)
		}
		switch text := columns[len(columns)-1].(type) {
		case string:
			explained.Plan = append(explained.Plan, text)
		case []byte:
			explained.Plan = append(explained.Plan, string(text))
		}
	}
	if err := rows.Err(); err != nil {
		panic(err)
	}
	e.seen = append(e.seen, explained)
}

func (e *explainer) QueryxContext(ctx context.Context, query string, args ...any) (*sqlx.Rows, error) {
	e.explain(ctx, query, args)
	return e.querier.QueryxContext(ctx, query, args...)
}

func (e *explainer) QueryRowxContext(ctx context.Context, query string, args ...any) *sqlx.Row {
	e.explain(ctx, query, args)
	return e.querier.QueryRowxContext(ctx, query, args...)
}

func (e *explainer) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	e.explain(ctx, query, args)
	return e.querier.ExecContext(ctx, query, args...)
}

// TableKeys are the tables that move with an installation, each with its key.
func TableKeys() []string {
	var all []string
	for _, t := range tables() {
		all = append(all, t.name+" "+strings.Join(t.key, ","))
	}
	return all
}

// AfterCopy calls fn after each table that was copied into the database, and after each chunk of a large one.
func AfterCopy(d *DB, fn func(table string)) { d.afterCopy = fn }

// MakeTable makes a table with a row, whatever else is there.
func MakeTable(ctx context.Context, d *DB, name string) error {
	pool, err := d.engine.bulk()
	if err != nil {
		return err
	}
	defer func() { _ = pool.Close() }()
	if _, err := pool.ExecContext(ctx, "CREATE TABLE "+name+" (id BIGINT NOT NULL PRIMARY KEY)"); err != nil {
		return err
	}
	_, err = pool.ExecContext(ctx, "INSERT INTO "+name+" (id) VALUES (1)")
	return err
}

// NewCrowd makes the connector that asks for many.
func NewCrowd(next driver.Connector) driver.Connector { return &crowd{Connector: next} }
