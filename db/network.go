package db

import (
	"context"
	"net"
	"sync"
	"time"
)

// dialer makes connections that lose patience; it implements pq.Dialer and pq.DialerContext.
// Patience is how long the server may stay silent in the middle of a statement; statement_timeout ends one sooner.
// Without it a network that swallows packets would hold a request for as long as TCP hopes.
type dialer struct{ patience time.Duration }

// DialContext implements pq.DialerContext.
func (d dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &impatientConn{Conn: conn, patience: d.patience}, nil
}

// Dial implements pq.Dialer.
func (d dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialTimeout implements pq.Dialer.
func (d dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}

// impatientConn gives each read and write a deadline of its own, and the driver's when that is sooner.
// The driver reads only while it waits for an answer, so that an idle connection is not ended.
type impatientConn struct {
	net.Conn

	patience time.Duration
	mu       sync.Mutex
	limit    time.Time
}

// SetDeadline implements net.Conn; the driver uses it while it connects.
func (c *impatientConn) SetDeadline(limit time.Time) error {
	c.mu.Lock()
	c.limit = limit
	c.mu.Unlock()
	return c.Conn.SetDeadline(limit)
}

func (c *impatientConn) deadline() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	own := time.Now().Add(c.patience)
	if !c.limit.IsZero() && c.limit.Before(own) {
		return c.limit
	}
	return own
}

// Read implements net.Conn.
func (c *impatientConn) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(c.deadline()); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

// Write implements net.Conn.
func (c *impatientConn) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(c.deadline()); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}
