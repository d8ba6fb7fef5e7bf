package db

import (
	"database/sql"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3/database"
)

// serverName is how the names of a server's connections begin; a command's have another name, so that it can tell whether a server is there.
const (
	serverName  = "muster"
	commandName = "muster command"
)

// dialect is everything in which the statements of the two engines differ.
type dialect struct {
	engine Engine
	bind   int
	goose  database.Dialect
	// position is the function that returns where text lies in another one, from 1; 0 when it does not.
	position string
	// each opens the JSON array bound to its one placeholder as a table "j" with a column "value".
	each string
	// lock ends a SELECT that holds its rows; empty where a writing transaction holds everything.
	lock string
	// combines says that several writes can be parts of one statement.
	combines bool
	// array is a condition to be one of the rows of each; an array makes PostgreSQL look up each of them in the index,
	// where a list made it compare all with all while its statistics were of a smaller table. Empty where a list serves.
	array string
	// list is the aggregate of rows as JSON text, a list of pairs, in order of the first.
	list string
	// snapshot is how a transaction sees one moment throughout.
	snapshot *sql.TxOptions
	// servers lists where servers are connected from; empty where a lock tells.
	servers string
	// hold keeps others from writing to tables while a transaction lasts; empty where a lock does.
	hold string
	// tables lists the names of the tables that a statement finds.
	tables string
	// analyze begins the statement that refreshes the planner's statistics of a table; empty where there are none to refresh.
	analyze string
	// clock reads the server's clock in microseconds since 1970; empty where there is none.
	clock string
	// ddl turns the common schema into the engine's.
	ddl *strings.Replacer
}

func postgresDialect() dialect {
	return dialect{
		engine: PostgreSQL, bind: sqlx.DOLLAR, goose: database.DialectPostgres, position: "strpos",
		each: "jsonb_array_elements(CAST(? AS JSONB)) AS j(value)", array: "= ANY (ARRAY(SELECT j.value ->> 0 FROM %s))", lock: " FOR NO KEY UPDATE", combines: true, ddl: strings.NewReplacer(),
		list:     "CAST(json_agg(json_build_array(%[1]s, %[2]s) ORDER BY %[1]s) AS TEXT)",
		clock:    "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)",
		snapshot: &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
		servers: "SELECT DISTINCT COALESCE(host(client_addr), 'this machine') FROM pg_stat_activity WHERE datname = current_database() AND " +
			"(application_name = '" + serverName + "' OR application_name LIKE '" + serverName + " %' AND application_name NOT LIKE '" + commandName + "%')",
		hold:    "LOCK TABLE %s IN SHARE MODE",
		tables:  "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename",
		analyze: "ANALYZE ",
	}
}

// sqliteDialect leaves the collation out: SQLite compares bytes unless told otherwise, and knows no collation "C".
// It has no fill factor either.
func sqliteDialect() dialect {
	return dialect{
		engine: SQLite, bind: sqlx.QUESTION, goose: database.DialectSQLite3, position: "instr",
		each: "json_each(?) AS j", list: "json_group_array(json_array(%[1]s, %[2]s) ORDER BY %[1]s)", ddl: strings.NewReplacer(` COLLATE "C"`, "", " WITH (fillfactor = 80)", ""),
		snapshot: &sql.TxOptions{ReadOnly: true},
		tables:   "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
	}
}

// rebind writes the placeholders as the engine wants them.
func (d dialect) rebind(query string) string {
	if d.bind == sqlx.QUESTION {
		return query
	}
	return sqlx.Rebind(d.bind, query)
}

// contains is a condition that holds when the column contains the text bound to its one placeholder.
func (d dialect) contains(column string) string {
	return d.position + "(" + column + ", ?) > 0"
}

// pairs is all rows of a group as JSON text: a list of lists of two texts.
func (d dialect) pairs(first, second string) string { return fmt.Sprintf(d.list, first, second) }

// in is a condition on what stands before it: to be one of up to n ids that texts has put into its one placeholder.
func (d dialect) in(n int) string {
	if d.array != "" {
		return fmt.Sprintf(d.array, d.each)
	}
	return fmt.Sprintf("IN (SELECT j.value ->> 0 FROM %s LIMIT %d)", d.each, size(n))
}

// rows is a table "v" of up to n rows that tuples has put into its one placeholder; its columns are c0, c1 and so on, all text.
// They come in order of c0, so that two that lock the same rows lock them in the same order.
func (d dialect) rows(columns, n int) string {
	names := make([]string, columns)
	for i := range names {
		names[i] = fmt.Sprintf("j.value ->> %d AS c%d", i, i)
	}
	return fmt.Sprintf("(SELECT %s FROM %s ORDER BY 1 LIMIT %d) AS v", strings.Join(names, ", "), d.each, size(n))
}

// size is the limit of a list: the next power of ten, so that few statements serve lists of any length and can be kept prepared.
// It cuts nothing. It tells PostgreSQL how many rows to expect, who would take a hundred for granted and read whole tables,
// and makes SQLite read the list once, and not once for each row that it is joined with.
func size(n int) int {
	limit := 1
	for limit < n {
		limit *= 10
	}
	return limit
}
