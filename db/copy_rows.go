package db

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"
)

// tableRows walks a table in order of its key.
type tableRows struct {
	rows    *sql.Rows
	columns []*sql.ColumnType
	values  []any
	into    []any
	failed  error
}

// readRows begins after a key as loader.flush wrote it, or at the beginning.
func readRows(ctx context.Context, from sqlx.QueryerContext, d dialect, t table, after string) (*tableRows, error) {
	columns, err := columnsOf(ctx, from, t)
	if err != nil {
		return nil, err
	}
	names, number := make([]string, len(columns)), map[string]bool{}
	for i, column := range columns {
		names[i] = column.Name()
		number[column.Name()] = isNumber(column)
	}
	order := keyOrder(d, t, number)
	query, args := "SELECT "+strings.Join(names, ", ")+" FROM "+t.name, []any(nil)
	if after != "" {
		query += " WHERE (" + order + ") > (?" + strings.Repeat(", ?", len(t.key)-1) + ")"
		if args, err = readKey(after); err != nil {
			return nil, err
		}
	}
	rows, err := from.QueryContext(ctx, d.rebind(query+" ORDER BY "+order), args...) //nolint:rowserrcheck // next and close do
	if err != nil {
		return nil, err
	}
	r := &tableRows{rows: rows, columns: columns, values: make([]any, len(columns)), into: make([]any, len(columns))}
	for i := range r.values {
		r.into[i] = &r.values[i]
	}
	return r, nil
}

func columnsOf(ctx context.Context, from sqlx.QueryerContext, t table) ([]*sql.ColumnType, error) {
	rows, err := from.QueryContext(ctx, "SELECT * FROM "+t.name+" LIMIT 0")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	return columns, rows.Err()
}

func isNumber(column *sql.ColumnType) bool {
	name := column.DatabaseTypeName()
	return name == "BIGINT" || name == "INT8"
}

func (r *tableRows) names() []string {
	names := make([]string, len(r.columns))
	for i, column := range r.columns {
		names[i] = column.Name()
	}
	return names
}

// next reads a row into values, which are int64, bool or string whatever the engine calls them.
func (r *tableRows) next() bool {
	if r.failed != nil {
		return false
	}
	if !r.rows.Next() {
		r.failed = r.rows.Err()
		return false
	}
	if r.failed = r.rows.Scan(r.into...); r.failed != nil {
		return false
	}
	for i, value := range r.values {
		switch known := value.(type) {
		case []byte:
			r.values[i] = string(known)
		case int64:
			if !isNumber(r.columns[i]) {
				r.values[i] = known != 0
			}
		}
	}
	return true
}

func (r *tableRows) close() { _ = r.rows.Close() }

// loader writes rows in chunks, each with how far it has come in one transaction.
type loader struct {
	pool    *sqlx.DB
	dialect dialect
	table   table
	names   []string
	most    int
	rows    int
	values  []any
}

func newLoader(pool *sqlx.DB, d dialect, t table, names []string) *loader {
	return &loader{pool: pool, dialect: d, table: t, names: names, most: min(chunkRows, chunkVariable/len(names))}
}

// add reports whether it wrote a chunk.
func (l *loader) add(ctx context.Context, values []any) (written bool, err error) {
	l.values = append(l.values, values...)
	l.rows++
	if l.rows < l.most {
		return false, nil
	}
	return true, l.flush(ctx)
}

func (l *loader) flush(ctx context.Context) error {
	if l.rows == 0 {
		return nil
	}
	key, err := l.lastKey()
	if err != nil {
		return err
	}
	row := "(?" + strings.Repeat(", ?", len(l.names)-1) + ")"
	insert := "INSERT INTO " + l.table.name + " (" + strings.Join(l.names, ", ") + ") VALUES " + row + strings.Repeat(", "+row, l.rows-1)
	tx, err := l.pool.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(ctx, l.dialect.rebind(insert), l.values...); err != nil {
		return err
	}
	progress := "INSERT INTO transfers (name, last_key) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET last_key = excluded.last_key"
	if _, err := tx.ExecContext(ctx, l.dialect.rebind(progress), l.table.name, key); err != nil {
		return err
	}
	l.rows, l.values = 0, l.values[:0]
	return tx.Commit()
}

// lastKey is the key of the last row, as JSON.
func (l *loader) lastKey() (string, error) {
	last := l.values[len(l.values)-len(l.names):]
	key := make([]any, len(l.table.key))
	for i, wanted := range l.table.key {
		for j, name := range l.names {
			if name == wanted {
				key[i] = last[j]
			}
		}
	}
	text, err := json.Marshal(key)
	return string(text), err
}

func readKey(text string) ([]any, error) {
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber()
	var key []any
	if err := decoder.Decode(&key); err != nil {
		return nil, fmt.Errorf("the key in transfers: %w", err)
	}
	for i, value := range key {
		if number, ok := value.(json.Number); ok {
			n, err := number.Int64()
			if err != nil {
				return nil, err
			}
			key[i] = n
		}
	}
	return key, nil
}
