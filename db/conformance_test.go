package db_test

import (
	"testing"
	"time"

	"muster/db"
	"muster/db/dbtest"
	"muster/internal/testkit"
)

// open opens and migrates a database; the test closes it.
func open(t testing.TB, url string, opts db.Options) *db.DB {
	t.Helper()
	store, err := db.Open(t.Context(), url, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store
}

func TestConformance(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, url string) {
		dbtest.Run(t, open(t, url, db.Options{Clock: func() time.Time { return dbtest.Start }}))
	})
}

// Behind a pooler that changes connections between transactions, statements are not kept prepared; the answers are the same.
func TestConformanceWithoutPreparedStatements(t *testing.T) {
	url := with(testkit.Postgres(t), "muster_transaction_pooler=yes")
	dbtest.Run(t, open(t, url, db.Options{Clock: func() time.Time { return dbtest.Start }}))
}
