//go:build soak

package db_test

import "testing"

// F18: killed before every statement of every migration.
func TestSoakMigrationKilled(t *testing.T) {
	killAtStatements(t, func(statements int) []int {
		all := make([]int, statements)
		for i := range all {
			all[i] = i
		}
		return all
	})
}
