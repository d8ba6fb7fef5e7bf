package db

import (
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3/database"
)

// dialect is everything in which the statements of the two engines differ.
type dialect struct {
	engine Engine
	bind   int
	goose  database.Dialect
	// position is the function that returns where text lies in another one, from 1; 0 when it does not.
	position string
	// ddl turns the common schema into the engine's.
	ddl *strings.Replacer
}

func postgresDialect() dialect {
	return dialect{
		engine: PostgreSQL, bind: sqlx.DOLLAR, goose: database.DialectPostgres, position: "strpos", ddl: strings.NewReplacer(),
	}
}

// sqliteDialect leaves the collation out: SQLite compares bytes unless told otherwise, and knows no collation "C".
func sqliteDialect() dialect {
	return dialect{
		engine: SQLite, bind: sqlx.QUESTION, goose: database.DialectSQLite3, position: "instr", ddl: strings.NewReplacer(` COLLATE "C"`, ""),
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
