package db

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite"

	"muster/domain"
)

// readers is how many connections read at once beside the writer.
const readers = 8

// sqliteEngine has one writer, which commits together what waits together, and readers that never wait for it.
type sqliteEngine struct {
	path   string
	lock   *fileLock
	reader *sqlx.DB
	writer *writer
}

// openSQLite creates the file when it is not there; its directory must be.
func openSQLite(ctx context.Context, path string, opts Options) (*sqliteEngine, error) {
	if path == "" || strings.Contains(path, "?") {
		return nil, domain.Invalidf("database_url", "the SQLite URL is sqlite://path, without options")
	}
	s := &sqliteEngine{path: path}
	if opts.MustExist {
		if _, err := os.Stat(path); err != nil {
			return nil, domain.Wrap(domain.Invalid, err, "the SQLite file %q cannot be opened", path)
		}
	}
	if !opts.CommandLine {
		lock, err := lockFile(path + ".lock")
		if err != nil {
			return nil, err
		}
		s.lock = lock
	}
	if err := s.connect(ctx, opts); err != nil {
		return nil, errors.Join(err, s.lock.release())
	}
	return s, nil
}

func (s *sqliteEngine) connect(ctx context.Context, opts Options) error {
	if err := createFile(s.path); err != nil {
		return err
	}
	write, err := s.open("_txlock=immediate", true)
	if err != nil {
		return err
	}
	write.SetMaxOpenConns(1)
	if s.reader, err = s.open("_pragma=query_only(1)", true); err != nil {
		return err
	}
	s.reader.SetMaxOpenConns(readers)
	s.reader.SetMaxIdleConns(readers)
	s.writer = startWriter(ctx, write, opts.Log)
	return nil
}

// createFile makes the database file readable for its owner only, because digests and addresses are in it.
func createFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the operator names the file
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist):
		return domain.Wrap(domain.Invalid, err, "the SQLite file %q cannot be opened", path)
	case err != nil:
		return unavailable(err)
	}
	return translate(file.Close())
}

// open gives the settings with the file's name, because a statement would reach one connection of the pool only.
func (s *sqliteEngine) open(options string, prepare bool) (*sqlx.DB, error) {
	dsn := sqliteName(s.path) + "?_pragma=busy_timeout(1000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
		"&_pragma=foreign_keys(1)&_pragma=temp_store(2)&_pragma=journal_size_limit(67108864)&" + options
	connector, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, domain.Wrap(domain.Invalid, err, "the SQLite file %q cannot be opened", s.path)
	}
	if prepare {
		connector = preparing{connector}
	}
	return sqlx.NewDb(sql.OpenDB(connector), string(SQLite)), nil
}

// sqliteName is a file's name as SQLite's URI.
func sqliteName(path string) string {
	return "file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
}

func (s *sqliteEngine) dialect() dialect { return sqliteDialect() }

func (s *sqliteEngine) close() error {
	return errors.Join(s.writer.stop(), s.reader.Close(), s.lock.release())
}

func (s *sqliteEngine) ping(ctx context.Context) error {
	var one int
	return translate(s.reader.GetContext(ctx, &one, "SELECT 1"))
}

// read runs fn on one connection without a transaction: each statement sees what was committed before it, as on PostgreSQL,
// and most reads are one statement, for which BEGIN and ROLLBACK would cost as much again.
func (s *sqliteEngine) read(ctx context.Context, begin beginTx, fn func(domain.Tx) error) error {
	conn, err := s.reader.Connx(ctx)
	if err != nil {
		return unavailable(err)
	}
	defer func() { _ = conn.Close() }()
	t := begin(ctx, conn)
	err = fn(t)
	if t.cause != nil {
		return orCause(err, t.cause)
	}
	return err
}

// write runs fn in the writer's next transaction, again when that was lost by somebody else's fault.
func (s *sqliteEngine) write(ctx context.Context, begin beginTx, fn func(domain.Tx) error) error {
	var err error
	for range attempts {
		var again bool
		if again, err = s.writer.write(ctx, begin, fn); !again {
			return err
		}
	}
	return err
}
