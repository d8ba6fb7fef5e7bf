package db

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"strings"
	"syscall"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"muster/domain"
)

//go:embed migrations/*.sql
var migrations embed.FS

// ErrNewerSchema means that a later version of this program has changed the database so that this one cannot use it; start that one.
var ErrNewerSchema = errors.New("the database schema is newer than this program")

// migrate runs what is missing, under a lock that other starters wait for.
// It uses a connection of its own, because changing a large table may take longer than a request may.
func (p *postgres) migrate(ctx context.Context) error {
	pool, err := p.bulk()
	if err != nil {
		return err
	}
	defer func() { _ = pool.Close() }()
	locker, err := p.locker()
	if err != nil {
		return translate(err)
	}
	return migrateWith(ctx, pool.DB, p.dialect(), locker)
}

// locker is an advisory lock, which ends with the process that held it. Behind a pooler that hands connections on,
// and on engines that take advisory locks for nothing, a row with a lease serves instead: who died with it is waited for.
func (p *postgres) locker() (goose.ProviderOption, error) {
	if p.pooled {
		locker, err := lock.NewPostgresTableLocker(lock.WithTableLockTimeout(time.Second, 300), lock.WithTableLogger(slog.New(slog.DiscardHandler)))
		return goose.WithLocker(locker), err
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	return goose.WithSessionLocker(locker), err
}

// bulk is a pool whose statements take as long as they take.
func (p *postgres) bulk() (*sqlx.DB, error) {
	connector, err := pq.NewConnector(p.dsn + " statement_timeout='0' lock_timeout='60000' idle_in_transaction_session_timeout='0'")
	if err != nil {
		return nil, translate(err)
	}
	return sqlx.NewDb(sql.OpenDB(connector), string(PostgreSQL)), nil
}

func (s *sqliteEngine) migrate(ctx context.Context) error {
	held, err := flock(s.path+".migrate", syscall.LOCK_EX)
	if err != nil {
		return unavailable(err)
	}
	defer func() { _ = held.release() }()
	pool, err := s.bulk()
	if err != nil {
		return err
	}
	defer func() { _ = pool.Close() }()
	return migrateWith(ctx, pool.DB, s.dialect())
}

// bulk is a pool beside the writer's and the readers'.
func (s *sqliteEngine) bulk() (*sqlx.DB, error) { return s.open("_txlock=immediate", false) }

// migrateWith runs each missing migration in a transaction of its own; both engines roll back what they changed in the schema.
func migrateWith(ctx context.Context, pool *sql.DB, d dialect, options ...goose.ProviderOption) error {
	provider, err := newProvider(pool, d, options...)
	if err != nil {
		return translate(err)
	}
	current, known, err := provider.GetVersions(ctx)
	if err != nil {
		return translate(err)
	}
	if current > known {
		return compatible(ctx, pool, current, known)
	}
	if current == known {
		return nil
	}
	if _, err := provider.Up(ctx); err != nil {
		return translate(err)
	}
	return nil
}

func newProvider(pool *sql.DB, d dialect, options ...goose.ProviderOption) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	options = append(options, goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true))
	return goose.NewProvider(d.goose, pool, dialectFS{files, d.ddl}, options...)
}

// currentSchema reads the schema's version, in a database that has one.
const currentSchema = "SELECT MAX(version_id) FROM goose_db_version"

// knownSchema is the version of the schema that this program makes.
func knownSchema(pool *sql.DB, d dialect) (int64, error) {
	provider, err := newProvider(pool, d)
	if err != nil {
		return 0, translate(err)
	}
	sources := provider.ListSources()
	return sources[len(sources)-1].Version, nil
}

// compatible lets a program run on a later schema that still has all it needs, so that a release is rolled out one server at a time.
func compatible(ctx context.Context, pool *sql.DB, current, known int64) error {
	var oldest int64
	err := pool.QueryRowContext(ctx, "SELECT COALESCE(MAX(oldest), 0) FROM schema_compatible").Scan(&oldest)
	if err != nil {
		return translate(err)
	}
	if known < oldest {
		return domain.Wrap(domain.Conflict, ErrNewerSchema,
			"the database has schema %d, which needs a program that knows schema %d, and this one knows %d; start the later version of the program", current, oldest, known)
	}
	return nil
}

// dialectFS gives the common migrations as an engine wants them.
type dialectFS struct {
	fs.FS

	ddl *strings.Replacer
}

// Open implements fs.FS.
func (d dialectFS) Open(name string) (fs.File, error) {
	file, err := d.FS.Open(name)
	if err != nil || !strings.HasSuffix(name, ".sql") {
		return file, err
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return dialectFile{file, strings.NewReader(d.ddl.Replace(string(text)))}, nil
}

type dialectFile struct {
	fs.File

	text *strings.Reader
}

// Read implements fs.File.
func (f dialectFile) Read(p []byte) (int, error) { return f.text.Read(p) }
