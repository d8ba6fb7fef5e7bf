package db_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/db"
	"muster/domain"
	"muster/internal/testkit"
)

// Every Read and Write is told of once, with how it ended.
func TestObserve(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, url string) {
		var mutex sync.Mutex
		var seen []db.Transaction
		store := open(t, url, db.Options{Observe: func(_ context.Context, done db.Transaction) {
			mutex.Lock()
			defer mutex.Unlock()
			seen = append(seen, done)
		}})
		service := newService(t, store)
		seen = nil
		_, err := service.CommandLine(t.Context(), "")
		must(t, err)
		refused := errors.New("refused")
		if err := store.Write(t.Context(), func(domain.Tx) error { return refused }); !errors.Is(err, refused) {
			t.Fatal(err)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := store.Read(gone, func(tx domain.Tx) error { return db.Exec(tx, "SELECT 1") }); err == nil {
			t.Error("a read for somebody who has gone away succeeded")
		}
		if len(seen) != 3 || seen[0].Write || seen[0].Err != nil || seen[0].Runs != 1 || seen[0].Took <= 0 ||
			!seen[1].Write || !errors.Is(seen[1].Err, refused) || seen[1].Canceled || !seen[2].Canceled {
			t.Errorf("%+v", seen)
		}
	})
}

// Vitals are what is stored, by indexes where there may be much.
func TestVitals(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, url string) {
		clock := testkit.NewClock(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC))
		store := open(t, url, db.Options{Clock: clock.Now})
		ring, err := domain.NewKeyring(make([]byte, domain.KeyBytes))
		must(t, err)
		service := domain.New(store, domain.Policy{InitialOrgName: "Default", DefaultWorkspaceName: "Workspace 1", JITEnabled: true, Keyring: ring, MailEnabled: true, PublicURL: "https://id.example.com"})
		must(t, service.Bootstrap(t.Context()))
		scope, err := service.CommandLine(t.Context(), "")
		must(t, err)
		empty, err := store.Vitals(t.Context())
		must(t, err)
		if empty.Schema == 0 || !empty.BackupAt.IsZero() || empty.Sessions != 0 || !empty.TokenEnds.IsZero() || empty.HooksBehind != 0 || !empty.HooksOldest.IsZero() {
			t.Errorf("%+v", empty)
		}

		to := "https://app.example.com/hook"
		_, _, err = service.CreateEventHook(t.Context(), scope, domain.HookChange{URL: &to})
		must(t, err)
		_, err = service.AddAdmin(t.Context(), scope, "ada@example.com")
		must(t, err)
		_, err = service.Invite(t.Context(), scope, domain.InviteRequest{Email: "bea@example.com"})
		must(t, err)
		must(t, service.RecordBackup(t.Context(), clock.Now(), "somewhere"))
		for _, days := range []int{30, 9} {
			_, _, err = service.CreateSCIMToken(t.Context(), scope, domain.NewSCIMToken{ExpiresAt: clock.Now().AddDate(0, 0, days)})
			must(t, err)
		}
		_, err = service.SignIn(t.Context(), claims("bob@example.com"), domain.Client{})
		must(t, err)
		_, err = service.SequenceAudit(t.Context())
		must(t, err)
		got, err := store.Vitals(t.Context())
		must(t, err)
		if !got.BackupAt.Equal(clock.Now()) || got.Sessions != 1 || got.MailsWaiting != 1 || !got.TokenEnds.Equal(clock.Now().AddDate(0, 0, 9)) ||
			got.ExportBehind == 0 || !got.ExportOldest.Equal(clock.Now()) || got.HooksBehind == 0 || !got.HooksOldest.Equal(clock.Now()) {
			t.Errorf("%+v", got)
		}
		if pools := store.Pools(); len(pools) != 1 || pools[0].MaxOpen == 0 || pools[0].Open == 0 {
			t.Errorf("%+v", pools)
		}
	})
}

// Vitals are found by indexes; PostgreSQL reads through what is as small as a test's tables, so that only SQLite's plan says so.
func TestVitalsPlan(t *testing.T) {
	store := open(t, testkit.SQLite(t), db.Options{})
	newService(t, store)
	seen, err := store.Explain(t.Context(), db.ReadVitals)
	must(t, err)
	for _, one := range seen {
		if scans(one.Plan) {
			t.Errorf("%s\n%s", one.Statement, strings.Join(one.Plan, "\n"))
		}
	}
	if len(seen) != 1 {
		t.Errorf("%d statements", len(seen))
	}
}
