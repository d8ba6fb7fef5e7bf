//go:build !race

package testkit

// raceFlags make built programs find data races when the test does.
func raceFlags() []string { return nil }
