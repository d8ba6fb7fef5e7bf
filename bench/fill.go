package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// filler writes people straight into the schema, as copies of one person whom the server made.
// Copying keeps it true to whatever columns the schema has; audit rows are not copied.
type filler struct {
	engine string
	conn   *sql.Conn
	// The person copied from: as number 1 everything about them is named after these three.
	member, user, name string
}

// copied are the tables in which a person has rows, each with the column that names the person.
func copied() [][2]string {
	return [][2]string{
		{"users", "id"},
		{"members", "id"},
		{"scim_users", "id"},
		{"scim_emails", "member_id"},
	}
}

// memberID is the id of the n-th person as the filler numbers them.
func memberID(n int) string { return fmt.Sprintf("01900000-0000-7000-8000-%012d", n) }

// userName is the userName of the n-th person, whoever made them.
func userName(n int) string { return fmt.Sprintf("user%09d@example.com", n) }

// fillPeople copies the person with the id and userName number 1 until there are users people; the server must not run.
func fillPeople(ctx context.Context, e engine, database, id string, users int) error {
	pool, err := sql.Open(e.driver(), e.fillDSN(database))
	if err != nil {
		return err
	}
	defer func() { _ = pool.Close() }()
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	f := &filler{engine: e.name, conn: conn, member: id, name: userName(1)}
	if err := conn.QueryRowContext(ctx, "SELECT user_id FROM members WHERE id = '"+id+"'").Scan(&f.user); err != nil {
		return fmt.Errorf("the person to copy: %w", err)
	}
	return f.fill(ctx, users)
}

func (f *filler) fill(ctx context.Context, users int) error {
	if f.engine == postgresName {
		// The copies keep the foreign keys; checking them would be most of the time.
		if _, err := f.conn.ExecContext(ctx, "SET session_replication_role = replica"); err != nil {
			return err
		}
	}
	tx, err := f.conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for _, table := range copied() {
		if err := f.copyTable(ctx, tx, table[0], table[1], users); err != nil {
			return fmt.Errorf("filling %s: %w", table[0], err)
		}
	}
	// The number of people is kept beside them, so that a page need not count.
	count := fmt.Sprintf(`UPDATE scim_counts SET users = users + %d
		WHERE org_id = (SELECT org_id FROM members WHERE id = '%s') AND shard = (SELECT MIN(shard) FROM scim_counts)`, users-1, f.member)
	if _, err := tx.ExecContext(ctx, count); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil || f.engine != postgresName {
		return err
	}
	return f.analyze(ctx)
}

// analyze leaves the other tables as the server finds them: statistics of an empty table are worse than none.
func (f *filler) analyze(ctx context.Context) error {
	for _, table := range copied() {
		if _, err := f.conn.ExecContext(ctx, "VACUUM ANALYZE "+table[0]); err != nil {
			return err
		}
	}
	return nil
}

// copyTable copies the person's rows of one table under the numbers 2 to users.
func (f *filler) copyTable(ctx context.Context, tx *sql.Tx, table, owner string, users int) error {
	columns, values, err := f.columns(ctx, tx, table)
	if err != nil || users < 2 {
		return err
	}
	person := f.member
	if table == "users" {
		person = f.user
	}
	statement := fmt.Sprintf(`WITH RECURSIVE s(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM s WHERE n < %d)
		INSERT INTO %s (%s) SELECT %s FROM s, %s AS t WHERE t.%s = '%s'`,
		users, table, columns, values, table, owner, person)
	_, err = tx.ExecContext(ctx, statement)
	return err
}

// columns lists a table's columns and, for each, what the n-th copy has there.
func (f *filler) columns(ctx context.Context, tx *sql.Tx, table string) (columns, values string, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT * FROM "+table+" WHERE 1 = 0")
	if err != nil {
		return "", "", err
	}
	defer func() { _ = rows.Close() }()
	types, err := rows.ColumnTypes()
	if err != nil {
		return "", "", err
	}
	var names, copies []string
	for _, column := range types {
		names = append(names, column.Name())
		value := "t." + column.Name()
		if column.DatabaseTypeName() == "TEXT" {
			value = f.renamed(value)
		}
		copies = append(copies, value)
	}
	return strings.Join(names, ", "), strings.Join(copies, ", "), rows.Err()
}

// renamed replaces the first person's ids and name in a text column by those of number n, in SQL that both engines know.
func (f *filler) renamed(column string) string {
	number := "SUBSTR(CAST(1000000000000 + n AS TEXT), 2)"
	return fmt.Sprintf("REPLACE(REPLACE(REPLACE(%s, '%s', '01900000-0000-7000-8000-' || %s), '%s', '01900000-0000-7000-9000-' || %s), '%s', 'user' || SUBSTR(%s, 4) || '@example.com')",
		column, f.member, number, f.user, number, f.name, number)
}
