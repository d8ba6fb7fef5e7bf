//go:build race

package testkit

// raceFlags make built programs find data races when the test does; the Makefile has the same.
func raceFlags() []string {
	return []string{"-race", "-gcflags=modernc.org/sqlite/lib=-race=false", "-gcflags=modernc.org/libc/...=-race=false"}
}
