package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

const (
	sqliteName   = "SQLite"
	postgresName = "PostgreSQL"
)

// engine makes databases of one kind.
type engine struct {
	name string
	// folder holds SQLite's files; server is the URL of a PostgreSQL server.
	folder, server string
}

// engines are those that were asked for and can be reached.
func engines(o options, folder string) []engine {
	var list []engine
	if o.engine != postgresName {
		list = append(list, engine{name: sqliteName, folder: folder})
	}
	if o.engine != sqliteName && o.postgres != "" {
		list = append(list, engine{name: postgresName, server: o.postgres})
	}
	return list
}

// newDatabase makes an empty database and returns its URL and how to be rid of it.
func (e engine) newDatabase(ctx context.Context) (database string, drop func(), err error) {
	if e.name == sqliteName {
		folder, err := os.MkdirTemp(e.folder, "db")
		return "sqlite://" + filepath.Join(folder, "bench.db"), func() { _ = os.RemoveAll(folder) }, err
	}
	address, err := url.Parse(e.server)
	if err != nil {
		return "", nil, err
	}
	name := fmt.Sprintf("bench_%d_%d", os.Getpid(), pick(1<<40))
	if err := e.administer(ctx, "CREATE DATABASE "+name); err != nil {
		return "", nil, err
	}
	address.Path = "/" + name
	return address.String(), func() {
		_ = e.administer(context.WithoutCancel(ctx), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
	}, nil
}

func (e engine) administer(ctx context.Context, statement string) error {
	admin, err := sql.Open(e.driver(), e.server)
	if err != nil {
		return err
	}
	_, err = admin.ExecContext(ctx, statement)
	return errors.Join(err, admin.Close())
}

// driver is the name under which database/sql knows the engine.
func (e engine) driver() string {
	if e.name == sqliteName {
		return "sqlite"
	}
	return "postgres"
}

// fillDSN opens a database to be filled: without care for a crash.
func (e engine) fillDSN(database string) string {
	if path, ok := strings.CutPrefix(database, "sqlite://"); ok {
		return "file:" + path + "?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_pragma=cache_size(-262144)"
	}
	return database
}
