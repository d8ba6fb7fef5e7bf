// Package deliver sends each organization's audit log on, in the order of its chain: to an export for those who collect logs,
// and as events to the organizations' own hooks.
//
// What is delivered is at least once and in order; a receiver knows a repetition by its id.
// Any number of processes may run: of each feed one takes care at a time, by a lease in the database.
package deliver

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"muster/domain"
)

// Config is what a Deliverer is made of.
type Config struct {
	Service *domain.Service
	Log     *slog.Logger
	// Record is an audit row as it is exported.
	Record func(domain.OrgID, domain.AuditEvent) any
	// Export is where audit records go; nil for nowhere.
	Export Exporter
	// Loopback lets hooks lead to this very machine; it is for trying things out.
	Loopback bool
	// CountEvent and CountBatch are told of every outcome, "sent", "failed" or, of an event, "dead"; they may be nil.
	CountEvent, CountBatch func(outcome string)
	// Clock is time.Now when it is nil.
	Clock func() time.Time
}

// Deliverer sends what has a place in the chain.
type Deliverer struct {
	Config

	client *http.Client
}

// New returns a Deliverer that does nothing until Run or Turn.
func New(config Config) *Deliverer {
	if config.Clock == nil {
		config.Clock = time.Now
	}
	for _, count := range []*func(string){&config.CountEvent, &config.CountBatch} {
		if *count == nil {
			*count = func(string) {}
		}
	}
	return &Deliverer{Config: config, client: newClient(config.Loopback)}
}

// exportFeed is the id of the feed that serves the export.
const exportFeed = "export"

// Run takes a turn every second until ctx ends.
func (d *Deliverer) Run(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		if err := d.Turn(ctx); err != nil && ctx.Err() == nil && !domain.IsKind(err, domain.Unavailable) {
			d.Log.WarnContext(ctx, "the audit log was not sent on", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Turn gives committed rows their place and delivers what can be delivered now.
func (d *Deliverer) Turn(ctx context.Context) error {
	if _, err := d.Service.SequenceAudit(ctx); err != nil {
		return err
	}
	return errors.Join(d.exportAll(ctx), d.allHooks(ctx))
}

func (d *Deliverer) exportAll(ctx context.Context) error {
	if d.Export == nil {
		return nil
	}
	orgs, err := d.Service.FeedsBehind(ctx, exportFeed)
	if err != nil {
		return err
	}
	for _, org := range orgs {
		if err := d.serve(ctx, org, exportFeed, d.export); err != nil {
			return err
		}
	}
	return nil
}

func (d *Deliverer) allHooks(ctx context.Context) error {
	hooks, err := d.Service.Hooks(ctx)
	if err != nil {
		return err
	}
	for _, hook := range hooks {
		// Asking costs a read; taking a turn for nothing would cost a write every second.
		behind, err := d.Service.FeedBehind(ctx, hook.Org, hook.FeedID())
		if err != nil {
			return err
		}
		if !behind {
			continue
		}
		err = d.serve(ctx, hook.Org, hook.FeedID(), func(ctx context.Context, batch domain.FeedBatch) (int64, error) { return d.events(ctx, hook, batch) })
		if err != nil {
			return err
		}
	}
	return nil
}

// serve delivers batch after batch until nothing is left or one fails; send returns the place up to which everything has arrived.
func (d *Deliverer) serve(ctx context.Context, org domain.OrgID, feed string, send func(context.Context, domain.FeedBatch) (int64, error)) error {
	for {
		batch, err := d.Service.NextBatch(ctx, org, feed)
		if err != nil || len(batch.Rows) == 0 {
			return err
		}
		seq, failed := send(ctx, batch)
		if failed == nil {
			if err := d.Service.Delivered(ctx, batch, seq); err != nil {
				return err
			}
			continue
		}
		d.Log.WarnContext(ctx, "not delivered; it is tried again", "organization", org, "feed", feed, "attempts", batch.Attempts+1, "error", failed)
		// The lease is given back also when the server is stopping.
		return d.Service.NotDelivered(context.WithoutCancel(ctx), batch, seq, failed)
	}
}

// export sends a batch of audit records, all or none.
func (d *Deliverer) export(ctx context.Context, batch domain.FeedBatch) (int64, error) {
	var lines []byte
	for _, row := range batch.Rows {
		line, err := json.Marshal(d.Record(batch.Org, row))
		if err != nil {
			return batch.Seq, err
		}
		lines = append(append(lines, line...), '\n')
	}
	last := batch.Rows[len(batch.Rows)-1]
	if err := d.Export.Export(ctx, string(last.ID), lines); err != nil {
		d.CountBatch("failed")
		return batch.Seq, err
	}
	d.CountBatch("sent")
	return last.Seq, nil
}

// events sends the rows of a batch that are news, one by one; an event that was tried too often becomes a dead letter.
func (d *Deliverer) events(ctx context.Context, hook domain.EventHook, batch domain.FeedBatch) (int64, error) {
	seq, attempts := batch.Seq, batch.Attempts
	for _, row := range batch.Rows {
		event, news := domain.EventOf(row)
		if news && hook.Wants(event) {
			if err := d.sendOrBury(ctx, hook, event, attempts); err != nil {
				return seq, err
			}
		}
		seq, attempts = row.Seq, 0
	}
	return seq, nil
}

func (d *Deliverer) sendOrBury(ctx context.Context, hook domain.EventHook, event domain.Event, attempts int) error {
	failed := d.Send(ctx, hook, event)
	switch {
	case failed == nil:
		d.CountEvent("sent")
		return nil
	case attempts+1 < domain.MaxDeliveries:
		d.CountEvent("failed")
		return failed
	}
	d.CountEvent("dead")
	body, err := bodyOf(hook.Org, event)
	if err != nil {
		return err
	}
	d.Log.ErrorContext(ctx, "an event was given up; it is among the hook's dead letters", "organization", hook.Org, "hook", hook.ID, "event", event.ID, "error", failed)
	return d.Service.Bury(ctx, hook.Org, domain.DeadLetter{Hook: hook.ID, Event: event.ID, Type: event.Type, Body: string(body), Error: failed.Error()})
}
