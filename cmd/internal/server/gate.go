package server

import (
	"context"
	"sync/atomic"
	"time"

	"muster/domain"
)

// gate keeps the store shut until its schema is up to date, so that a server whose database is away at start-up
// answers 503 and recovers by itself.
type gate struct {
	store domain.Store
	open  atomic.Bool
}

// Read implements domain.Store.
func (g *gate) Read(ctx context.Context, fn func(domain.Tx) error) error {
	if !g.open.Load() {
		return notYet()
	}
	return g.store.Read(ctx, fn)
}

// Write implements domain.Store.
func (g *gate) Write(ctx context.Context, fn func(domain.Tx) error) error {
	if !g.open.Load() {
		return notYet()
	}
	return g.store.Write(ctx, fn)
}

// check is the readiness probe.
func (g *gate) check(context.Context) error {
	if g.open.Load() {
		return nil
	}
	return notYet()
}

func notYet() error {
	return domain.Errorf(domain.Unavailable, "the database is not there yet; try again in a moment").After(2 * time.Second)
}
