package domain

import (
	"context"
	"time"
)

// A feed sends an organization's audit log on, row by row in the order of the chain: at least once, and one process at a time.

// Feed is how far one reader of an organization's audit log has come.
type Feed struct {
	Org OrgID
	ID  string
	// Seq is the place of the last row that was delivered.
	Seq int64
	// Attempts is how often the next rows were tried in vain, and LastError what came of it.
	Attempts  int
	LastError string
}

// FeedBatch is what is to be delivered next; without rows there is nothing to do.
type FeedBatch struct {
	Feed
	Rows []AuditEvent

	lease string
}

const (
	// feedLease is how long a process has for one delivery.
	feedLease = 2 * time.Minute
	feedStep  = 200
)

// NextBatch leases a feed and returns the rows to be delivered; it has none while another process delivers, while a failed
// delivery waits for its next try, and when everything was delivered. A feed that is new begins with the first row.
func (s *Service) NextBatch(ctx context.Context, org OrgID, id string) (FeedBatch, error) {
	scope := within(org, systemActor())
	batch := FeedBatch{}
	err := s.writeOrg(ctx, scope, func(tx Tx, orgTx OrgTx) error {
		lease := NewOpaque()
		feed, err := orgTx.Feeds().Lease(id, lease, tx.Now().Add(feedLease))
		if IsKind(err, NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		feed.Org = org
		rows, err := orgTx.Audit().From(feed.Seq, feedStep)
		if err != nil || len(rows) > 0 {
			batch = FeedBatch{feed, rows, lease}
			return err
		}
		return orgTx.Feeds().Advance(id, lease, feed.Seq)
	})
	return batch, err
}

// Delivered says that the rows of a batch up to a place have arrived.
func (s *Service) Delivered(ctx context.Context, batch FeedBatch, seq int64) error {
	return s.writeOrg(ctx, within(batch.Org, systemActor()), func(_ Tx, org OrgTx) error {
		return org.Feeds().Advance(batch.ID, batch.lease, seq)
	})
}

// NotDelivered says how far a batch has arrived and why no further; nobody tries again for a while.
func (s *Service) NotDelivered(ctx context.Context, batch FeedBatch, seq int64, cause error) error {
	if seq > batch.Seq {
		batch.Attempts = 0
	}
	batch.Seq, batch.LastError = seq, cause.Error()
	return s.writeOrg(ctx, within(batch.Org, systemActor()), func(tx Tx, org OrgTx) error {
		until := tx.Now().Add(feedPause(batch.Attempts))
		next := batch.Feed
		next.Attempts++
		return org.Feeds().Delay(next, batch.lease, until)
	})
}

// feedPause grows from five seconds to an hour.
func feedPause(attempts int) time.Duration {
	return min(5*time.Second<<min(attempts, 10), time.Hour)
}

// FeedBehind reports whether a feed of one organization has not delivered everything that has a place.
func (s *Service) FeedBehind(ctx context.Context, org OrgID, id string) (bool, error) {
	behind := false
	err := s.readOrg(ctx, within(org, systemActor()), func(_ Tx, orgTx OrgTx) error {
		head, err := orgTx.Audit().Head()
		if err != nil {
			return err
		}
		feed, err := orgTx.Feeds().Get(id)
		if IsKind(err, NotFound) {
			err = nil
		}
		behind = head.Seq > feed.Seq
		return err
	})
	return behind, err
}

// FeedsBehind returns the organizations of which a feed has not delivered everything that has a place.
func (s *Service) FeedsBehind(ctx context.Context, id string) ([]OrgID, error) {
	var orgs []OrgID
	err := s.store.Read(ctx, func(tx Tx) error {
		var err error
		orgs, err = tx.System(systemScope()).Orgs().FeedsBehind(id, chainOrgs)
		return err
	})
	return orgs, err
}
