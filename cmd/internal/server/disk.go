package server

import "syscall"

// freeSpace is the part, and the number of bytes, that is free on the disk of a directory.
func freeSpace(dir string) (part float64, bytes uint64, err error) {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(dir, &stat); err != nil {
		return 0, 0, err
	}
	size := uint64(stat.Bsize) //nolint:gosec,unconvert // a block has a positive size, and its type differs between systems
	return float64(stat.Bavail) / float64(max(stat.Blocks, 1)), stat.Bavail * size, nil
}
