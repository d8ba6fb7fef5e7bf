package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"muster/domain"
)

// A backup is an SQLite file of the schema with one table more, which lists what is in the others.
// Later releases read it too, so neither this table nor digest may change what it means.
const backupContents = `CREATE TABLE backup_contents (
	name        TEXT NOT NULL PRIMARY KEY,
	key_columns TEXT NOT NULL,
	row_count   BIGINT NOT NULL,
	digest      TEXT NOT NULL
)`

// WriteBackup copies everything that a database holds into a new file, compares it, and makes the file stand alone.
// Servers may go on writing meanwhile.
func WriteBackup(ctx context.Context, from *DB, file string, done func(Copied)) error {
	target, err := Open(ctx, "sqlite://"+file, Options{CommandLine: true})
	if err != nil {
		return err
	}
	var all []Copied
	o := CopyOptions{Done: func(copied Copied) {
		all = append(all, copied)
		if done != nil {
			done(copied)
		}
	}}
	if err := errors.Join(Copy(ctx, from, target, o), target.Close()); err != nil {
		return err
	}
	return translate(closeBackup(ctx, file, all))
}

// closeBackup writes the list of contents, and everything that still lies in the log beside the file into it.
func closeBackup(ctx context.Context, file string, all []Copied) (err error) {
	pool, err := openBackup(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	if _, err := pool.ExecContext(ctx, backupContents); err != nil {
		return err
	}
	keys := map[string]string{}
	for _, t := range tables() {
		keys[t.name] = strings.Join(t.key, " ")
	}
	for _, c := range all {
		insert := "INSERT INTO backup_contents (name, key_columns, row_count, digest) VALUES (?, ?, ?, ?)"
		if _, err := pool.ExecContext(ctx, insert, c.Table, keys[c.Table], c.Rows, c.Digest); err != nil {
			return err
		}
	}
	var mode string
	if err := pool.GetContext(ctx, &mode, "PRAGMA journal_mode = DELETE"); err != nil {
		return err
	}
	if mode != "delete" {
		return domain.Errorf(domain.Unavailable, "the backup could not be closed; is its disk full?")
	}
	return nil
}

// openBackup opens a backup's file as it is, by one connection.
func openBackup(file string) (*sqlx.DB, error) {
	connector, err := sqlite.NewConnector(sqliteName(file) + "?_pragma=synchronous(FULL)")
	if err != nil {
		return nil, err
	}
	pool := sqlx.NewDb(sql.OpenDB(connector), string(SQLite))
	pool.SetMaxOpenConns(1)
	return pool, nil
}

// OpenBackup opens a file that WriteBackup of this or an earlier release wrote, checks that it is as it was then, and brings its schema up to date.
// So it changes the file: give it a copy. A file that is something else is Invalid, a damaged one or one of a later release Conflict.
func OpenBackup(ctx context.Context, file string) (*DB, error) {
	if err := checkBackup(ctx, file); err != nil {
		return nil, err
	}
	backup, err := Open(ctx, "sqlite://"+file, Options{})
	if err != nil {
		return nil, err
	}
	if err := backup.Migrate(ctx); err != nil {
		return nil, errors.Join(err, backup.Close())
	}
	return backup, nil
}

func checkBackup(ctx context.Context, file string) (err error) {
	pool, err := openBackup(file)
	if err != nil {
		return translate(err)
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	var contents []struct {
		Name   string `db:"name"`
		Key    string `db:"key_columns"`
		Rows   int64  `db:"row_count"`
		Digest string `db:"digest"`
	}
	if err := pool.SelectContext(ctx, &contents, "SELECT name, key_columns, row_count, digest FROM backup_contents ORDER BY name"); err != nil {
		if damaged(err) {
			return domain.Wrap(domain.Conflict, err, "the backup is damaged; take another one")
		}
		return domain.Wrap(domain.Invalid, err, "this is no backup that \"muster backup\" made")
	}
	for _, c := range contents {
		found, err := digest(ctx, pool, sqliteDialect(), table{c.Name, strings.Fields(c.Key)})
		if ctx.Err() != nil {
			return translate(ctx.Err())
		}
		if err == nil && found != (Copied{c.Name, c.Rows, c.Digest}) {
			err = fmt.Errorf("%d rows with digest %.12s, not %d rows with digest %.12s", found.Rows, found.Digest, c.Rows, c.Digest)
		}
		if err != nil {
			return domain.Wrap(domain.Conflict, err, "the backup is damaged: its table %s is not as it was written; take another one", c.Name)
		}
	}
	return nil
}

// damaged reports whether a file is not as SQLite wrote it.
func damaged(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && (e.Code()&0xff == sqlite3.SQLITE_CORRUPT || e.Code()&0xff == sqlite3.SQLITE_NOTADB)
}
