//go:build soak

package main_test

import (
	"testing"

	"muster/internal/testkit"
)

// F2, the long form.
func TestSoakGroupsAreLinearizable(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, databaseURL string) { groupsAreLinearizable(t, databaseURL, 20000) })
}
