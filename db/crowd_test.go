package db_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"muster/db"
)

// awayUntil is a connector to a database that is away until a time; it counts who asks.
type awayUntil struct {
	driver.Connector

	back  time.Time
	asked atomic.Int64
}

var errAway = errors.New("the database is away")

// Connect implements driver.Connector; nothing is done with the connections.
func (a *awayUntil) Connect(context.Context) (driver.Conn, error) {
	a.asked.Add(1)
	time.Sleep(10 * time.Millisecond)
	if time.Now().Before(a.back) {
		return nil, errAway
	}
	return nil, nil //nolint:nilnil // no connection is needed
}

// A database that is away for ten seconds is asked ten times a second at most, however many want to know,
// and everybody has a connection again soon after it is back.
func TestCrowdAtTheDoor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := &awayUntil{back: time.Now().Add(10 * time.Second)}
		crowd := db.NewCrowd(away)
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				for {
					_, err := crowd.Connect(t.Context())
					if err == nil {
						break
					}
					if !errors.Is(err, errAway) {
						t.Error(err)
					}
				}
				if late := time.Since(away.back); late > 300*time.Millisecond {
					t.Errorf("connected %s after the database was back", late)
				}
			})
		}
		all.Wait()
		// The first attempts and the last ones are everybody's.
		if asked := away.asked.Load(); asked > 50+100+50 {
			t.Errorf("asked %d times", asked)
		}
	})
}

// Whoever goes away while it asks for the others leaves them neither waiting nor with an error of its own.
func TestCrowdLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := &awayUntil{back: time.Now().Add(15 * time.Millisecond)}
		crowd := db.NewCrowd(away)
		if _, err := crowd.Connect(t.Context()); !errors.Is(err, errAway) {
			t.Fatal(err)
		}
		impatient, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		var both sync.WaitGroup
		both.Go(func() {
			if _, err := crowd.Connect(impatient); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("who goes away: %v", err)
			}
		})
		both.Go(func() {
			time.Sleep(time.Millisecond)
			if _, err := crowd.Connect(t.Context()); !errors.Is(err, errAway) {
				t.Errorf("who waited for it: %v", err)
			}
			if _, err := crowd.Connect(t.Context()); err != nil {
				t.Errorf("asked again: %v", err)
			}
		})
		both.Wait()
	})
}
