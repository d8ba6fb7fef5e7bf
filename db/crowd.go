package db

import (
	"context"
	"database/sql/driver"
	"sync"
	"time"
)

// crowdPause is the least time between two attempts to connect to a database that was away at the last one.
const crowdPause = 100 * time.Millisecond

// crowd is a connector that lets one of many ask whether a database that was away is there again; the others wait for the answer.
// While a cluster looks for its next primary every request would otherwise log on to all of its nodes in vain,
// and keep them, and this machine, from getting on.
type crowd struct {
	driver.Connector

	mutex sync.Mutex
	// cause is why the last attempt failed, at failed; nil when it did not.
	cause  error
	failed time.Time
	asking *question
}

// question is one attempt that others wait for.
type question struct {
	answered chan struct{}
	err      error
}

// Connect implements driver.Connector.
func (c *crowd) Connect(ctx context.Context) (driver.Conn, error) {
	c.mutex.Lock()
	switch {
	case c.cause == nil:
		c.mutex.Unlock()
		return c.connect(ctx)
	case c.asking != nil:
		asked := c.asking
		c.mutex.Unlock()
		return c.await(ctx, asked)
	default:
		own := &question{answered: make(chan struct{}), err: c.cause}
		c.asking = own
		pause := crowdPause - time.Since(c.failed)
		c.mutex.Unlock()
		return c.ask(ctx, own, pause)
	}
}

// await connects after another one has; when that one could not, neither can this.
func (c *crowd) await(ctx context.Context, asked *question) (driver.Conn, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-asked.answered:
	}
	if asked.err != nil {
		return nil, asked.err
	}
	return c.connect(ctx)
}

// ask connects after a pause, and tells the others; who goes away meanwhile leaves them the error from before.
func (c *crowd) ask(ctx context.Context, own *question, pause time.Duration) (conn driver.Conn, err error) {
	defer func() {
		c.mutex.Lock()
		c.asking = nil
		c.mutex.Unlock()
		close(own.answered)
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(pause):
	}
	conn, err = c.connect(ctx)
	if ctx.Err() == nil {
		own.err = err
	}
	return conn, err
}

// connect connects and remembers how that went.
func (c *crowd) connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil && ctx.Err() != nil {
		return nil, err // says nothing about the database
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.cause, c.failed = err, time.Now()
	return conn, err
}
