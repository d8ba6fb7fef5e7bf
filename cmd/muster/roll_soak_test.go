//go:build soak

package main_test

import (
	"testing"

	"muster/internal/testkit"
)

// F19, the long form: to the next release, back to the last one and forward again, twenty times over.
func TestSoakLiveRoll(t *testing.T) {
	before, now := testkit.Previous(t).Path, testkit.Build(t, "./cmd/muster")
	roll(t, 20, before, now, before, now)
}
