package db

import (
	"errors"
	"os"
	"syscall"

	"muster/domain"
)

// fileLock is a lock that the operating system ends with the process, however that ends.
type fileLock struct{ file *os.File }

// lockFile takes the lock of a server; another server's is Conflict.
func lockFile(path string) (*fileLock, error) {
	lock, err := flock(path, syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, domain.Wrap(domain.Conflict, err, "another server uses this SQLite file already (it holds %s); run one server per file, or PostgreSQL for several", path)
	}
	if err != nil {
		return nil, domain.Wrap(domain.Invalid, err, "the lock file %q cannot be opened", path)
	}
	return lock, nil
}

func flock(path string, how int) (*fileLock, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // beside the operator's file
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(file.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &fileLock{file}, nil
}

// release ends the lock; a nil lock is none.
func (l *fileLock) release() error {
	if l == nil {
		return nil
	}
	return l.file.Close()
}
