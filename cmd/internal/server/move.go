package server

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"muster/cmd/internal/config"
	"muster/db"
	"muster/domain"
)

// What a backup's file is called when only a directory is given; the names sort by time.
const (
	backupPrefix = "muster-"
	backupTime   = "20060102T150405Z"
	backupSuffix = ".backup"
	// partialSuffix is that of a backup that is being written.
	partialSuffix = ".partial"
)

// fleeting are tables whose rows let somebody in: who was signed out after a backup stays signed out when it is restored.
func fleeting() []string { return []string{"sessions", "flows", "logout_tokens", "attempts"} }

// Backup writes everything that the configured database holds into one file, while servers use it, and returns the file's name.
// A place that is a directory gets a file named by the time, and keeps the newest ones: keep, or all when keep is 0.
func Backup(ctx context.Context, cfg *config.Config, place string, keep int, done func(db.Copied)) (string, error) {
	now := time.Now().UTC()
	dir, named := directory(place)
	if named && keep > 0 {
		return "", domain.Invalidf("", "--keep needs a directory, and %s is none; give a directory, or end its name with / to have it made", place)
	}
	file := place
	if !named {
		file = filepath.Join(dir, backupPrefix+now.Format(backupTime)+backupSuffix)
	}
	source, err := openSource(ctx, cfg.DatabaseURL, db.Options{CommandLine: true})
	if err != nil {
		return "", err
	}
	defer func() { _ = source.Close() }()
	if err := writeBackup(ctx, source, file, done); err != nil {
		return "", err
	}
	if err := domain.New(source, cfg.Policy).RecordBackup(ctx, now, file); err != nil {
		return file, domain.Wrap(domain.AsError(err).Kind, err, "%s was written, but the database could not be told", file)
	}
	if keep == 0 {
		return file, nil
	}
	return file, thin(dir, keep)
}

// directory returns the directory of a place, and whether the place names a file in it.
func directory(place string) (dir string, named bool) {
	if info, err := os.Stat(place); err == nil && info.IsDir() || strings.HasSuffix(place, string(filepath.Separator)) {
		return place, false
	}
	return filepath.Dir(place), true
}

// writeBackup gives the file its name only when it is whole and on the disk.
func writeBackup(ctx context.Context, source *db.DB, file string, done func(db.Copied)) error {
	if _, err := os.Stat(file); err == nil {
		return domain.Errorf(domain.Conflict, "%s is there already; a backup never replaces a file", file)
	}
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return domain.Wrap(domain.Invalid, err, "the directory of the backup cannot be made")
	}
	held, err := holdDirectory(dir)
	if err != nil {
		return err
	}
	defer func() { _ = held.Close() }()
	partial := file + partialSuffix
	defer removeDatabase(partial)
	if err := removePartial(dir, partial); err != nil {
		return err
	}
	if err := db.WriteBackup(ctx, source, partial, done); err != nil {
		if ctx.Err() != nil {
			return domain.Wrap(domain.Unavailable, context.Cause(ctx), "interrupted; there is no backup, and nothing was left behind")
		}
		known := domain.AsError(err)
		return domain.Wrap(known.Kind, errors.Unwrap(known), "%s was not written, and nothing was left behind: %s", file, known.Text)
	}
	if err := os.Rename(partial, file); err != nil {
		return err
	}
	return held.Sync()
}

// holdDirectory keeps a second backup from a directory until it is closed, as far as the directory's file system has locks.
func holdDirectory(dir string) (*os.File, error) {
	held, err := os.Open(dir) //nolint:gosec // the operator names it
	if err != nil {
		return nil, domain.Wrap(domain.Invalid, err, "the directory of the backup cannot be opened")
	}
	if err := syscall.Flock(int(held.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errors.Join(domain.Errorf(domain.Conflict, "another backup is being written into %s; wait until it has ended", dir), held.Close())
	}
	return held, nil
}

// removePartial removes what backups that were killed have left in a directory.
func removePartial(dir, partial string) error {
	left, err := filepath.Glob(filepath.Join(dir, backupPrefix+"*"+backupSuffix+partialSuffix))
	if err != nil {
		return err
	}
	for _, one := range append(left, partial) {
		removeDatabase(one)
	}
	return nil
}

// removeDatabase removes an SQLite file and what lies beside it.
func removeDatabase(path string) {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal", ".migrate"} {
		_ = os.Remove(path + suffix)
	}
}

// thin removes all backups that are named by their time but the newest.
func thin(dir string, keep int) error {
	files, err := filepath.Glob(filepath.Join(dir, backupPrefix+"*"+backupSuffix))
	if err != nil {
		return err
	}
	files = slices.DeleteFunc(files, func(file string) bool {
		_, err := time.Parse(backupPrefix+backupTime+backupSuffix, filepath.Base(file))
		return err != nil
	})
	slices.Sort(files)
	for _, old := range files[:max(0, len(files)-keep)] {
		if err := os.Remove(old); err != nil {
			return err
		}
	}
	return nil
}

// Restore fills the configured database, which must be empty, from a backup of this or an earlier release, and returns what is not well there.
// Sessions come back only when asked for.
func Restore(ctx context.Context, cfg *config.Config, file string, sessions bool, done func(db.Copied)) ([]domain.Finding, error) {
	if err := cfg.FindEncryptionKey(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "muster-restore-")
	if err != nil {
		return nil, noRoom(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	// A copy of the backup is brought up to date; the backup itself stays as it is.
	working := filepath.Join(dir, "backup")
	if err := copyFile(file, working); err != nil {
		return nil, err
	}
	source, err := db.OpenBackup(ctx, working)
	if err != nil {
		known := domain.AsError(err)
		return nil, domain.Wrap(known.Kind, errors.Unwrap(known), "%s was not restored, and nothing was changed: %s", file, known.Text)
	}
	defer func() { _ = source.Close() }()
	options := db.CopyOptions{Done: done}
	if !sessions {
		options.Without = fleeting()
	}
	target, err := fill(ctx, source, cfg.DatabaseURL, options)
	if err != nil {
		return nil, err
	}
	service := domain.New(target, cfg.Policy)
	if err := service.RecordRestore(ctx, file); err != nil {
		return nil, errors.Join(err, target.Close())
	}
	findings, err := service.ExamineSecrets(ctx)
	return findings, errors.Join(err, target.Close())
}

// Move fills one database, which must be empty, with everything from another one that no server uses.
func Move(ctx context.Context, from, to string, done func(db.Copied)) error {
	source, err := openSource(ctx, from, db.Options{CommandLine: !isFile(from)})
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	target, err := fill(ctx, source, to, db.CopyOptions{Still: true, Done: done})
	if err != nil {
		return err
	}
	return target.Close()
}

// fill copies into a database and returns it, open; an SQLite target's lock keeps servers away meanwhile.
func fill(ctx context.Context, source *db.DB, to string, o db.CopyOptions) (*db.DB, error) {
	target, err := db.Open(ctx, to, db.Options{CommandLine: !isFile(to)})
	if err != nil {
		return nil, err
	}
	if err := db.Copy(ctx, source, target, o); err != nil {
		if ctx.Err() != nil {
			err = domain.Wrap(domain.Unavailable, context.Cause(ctx), "interrupted; run the same command again, and it goes on where it was")
		}
		return nil, errors.Join(err, target.Close())
	}
	if err := target.Migrate(ctx); err != nil {
		return nil, errors.Join(err, target.Close())
	}
	return target, nil
}

// openSource opens a database to read from, which must be there.
func openSource(ctx context.Context, url string, o db.Options) (*db.DB, error) {
	o.MustExist = true
	source, err := db.Open(ctx, url, o)
	if err != nil {
		return nil, err
	}
	if err := source.Look(ctx); err != nil {
		return nil, errors.Join(err, source.Close())
	}
	return source, nil
}

func isFile(url string) bool { return strings.HasPrefix(url, "sqlite://") }

// copyFile copies a backup, which is an SQLite file.
func copyFile(from, to string) error {
	source, err := os.Open(from) //nolint:gosec // the operator names the file
	if err != nil {
		return domain.Wrap(domain.NotFound, err, "the backup cannot be read")
	}
	defer func() { _ = source.Close() }()
	magic := make([]byte, 16)
	if _, err := io.ReadFull(source, magic); err != nil || string(magic) != "SQLite format 3\x00" {
		return domain.Errorf(domain.Invalid, "%s is no backup that \"muster backup\" made", from)
	}
	if _, err := source.Seek(0, io.SeekStart); err != nil {
		return err
	}
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // in a directory of our own
	if err != nil {
		return noRoom(err)
	}
	if _, err = io.Copy(target, source); err != nil {
		return noRoom(errors.Join(err, target.Close()))
	}
	return target.Close()
}

// noRoom is that the backup could not be copied for working on.
func noRoom(cause error) error {
	return domain.Wrap(domain.Unavailable, cause, "there is no room for a working copy of the backup in %s; set TMPDIR to a directory with as much room as the backup takes", os.TempDir())
}
