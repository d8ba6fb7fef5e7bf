package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"muster/cmd/internal/config"
	"muster/db"
	"muster/domain"
)

// What a backup's file is called when only a directory is given; the names sort by time.
const (
	backupPrefix = "muster-"
	backupSuffix = ".backup"
)

// fleeting are tables whose rows let somebody in: who was signed out after a backup stays signed out when it is restored.
func fleeting() []string { return []string{"sessions", "flows", "logout_tokens", "attempts"} }

// Backup writes everything that the configured database holds into one file, while servers use it, and returns the file's name.
// A place that is a directory gets a file named by the time, and keeps the newest ones: keep, or all when keep is 0.
func Backup(ctx context.Context, cfg *config.Config, place string, keep int, done func(db.Copied)) (string, error) {
	source, err := openSource(ctx, cfg.DatabaseURL, db.Options{CommandLine: true})
	if err != nil {
		return "", err
	}
	defer func() { _ = source.Close() }()
	now := time.Now().UTC()
	dir, named := directory(place)
	file := place
	if !named {
		file = filepath.Join(dir, backupPrefix+now.Format("20060102T150405Z")+backupSuffix)
	}
	if err := writeBackup(ctx, source, file, done); err != nil {
		return "", err
	}
	if err := domain.New(source, cfg.Policy).RecordBackup(ctx, now, file); err != nil {
		return file, err
	}
	if named || keep == 0 {
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

// writeBackup gives the file its name only when it is whole.
func writeBackup(ctx context.Context, source *db.DB, file string, done func(db.Copied)) error {
	if _, err := os.Stat(file); err == nil {
		return domain.Errorf(domain.Conflict, "%s is there already; a backup never replaces a file", file)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return domain.Wrap(domain.Invalid, err, "the directory of the backup cannot be made")
	}
	partial := file + ".partial"
	defer removeDatabase(partial)
	removeDatabase(partial)
	target, err := db.Open(ctx, "sqlite://"+partial, db.Options{CommandLine: true})
	if err != nil {
		return err
	}
	if err := errors.Join(db.Copy(ctx, source, target, db.CopyOptions{Done: done}), target.Close()); err != nil {
		return err
	}
	return os.Rename(partial, file)
}

// removeDatabase removes an SQLite file and what lies beside it.
func removeDatabase(path string) {
	for _, suffix := range []string{"", "-wal", "-shm", ".migrate", ".lock"} {
		_ = os.Remove(path + suffix)
	}
}

// thin removes all backups but the newest.
func thin(dir string, keep int) error {
	files, err := filepath.Glob(filepath.Join(dir, backupPrefix+"*"+backupSuffix))
	if err != nil {
		return err
	}
	slices.Sort(files)
	for _, old := range files[:max(0, len(files)-keep)] {
		if err := os.Remove(old); err != nil {
			return err
		}
	}
	return nil
}

// Restore fills the configured database, which must be empty, from a backup of this or an earlier release.
// Sessions come back only when asked for.
func Restore(ctx context.Context, cfg *config.Config, file string, sessions bool, done func(db.Copied)) error {
	dir, err := os.MkdirTemp("", "muster-restore-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	// A copy of the backup is brought up to date; the backup itself stays as it is.
	working := filepath.Join(dir, "backup")
	if err := copyFile(file, working); err != nil {
		return err
	}
	source, err := db.Open(ctx, "sqlite://"+working, db.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	if err := source.Migrate(ctx); err != nil {
		return domain.Wrap(domain.AsError(err).Kind, err, "%s cannot be read as a backup: %s", file, domain.AsError(err).Text)
	}
	options := db.CopyOptions{Done: done}
	if !sessions {
		options.Without = fleeting()
	}
	target, err := fill(ctx, source, cfg.DatabaseURL, options)
	if err != nil {
		return err
	}
	return errors.Join(domain.New(target, cfg.Policy).RecordRestore(ctx, file), target.Close())
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
		return err
	}
	_, err = io.Copy(target, source)
	if err := errors.Join(err, target.Close()); err != nil {
		return fmt.Errorf("a copy of the backup for working on: %w", err)
	}
	return nil
}
