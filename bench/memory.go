package main

import (
	"context"
	"errors"
	"log"
	"strconv"
	"time"
)

func resident() measurement {
	return measurement{
		report: report{
			title: "Memory of the server's process, one start for all rows; the peak is that of the row's requests.\n" +
				"Wanted: below 100 MB resident at 1,000,000 users on PostgreSQL; ready within 1 s on SQLite.",
			header: []string{"engine", "users", "moment", "requests/s", "resident after", "peak"},
		},
		measure: measureResident,
	}
}

func measureResident(ctx context.Context, o options, e engine, r *report) error {
	w, done, err := openWorld(ctx, o, e, o.usersOr(100_000))
	if err != nil {
		return err
	}
	defer done()
	r.add(e.name, "0", "start to ready, "+ms(w.firstReady)+" (makes the schema)", "-", "-", "-")
	r.add(e.name, thousands(w.users), "start to ready, "+ms(w.ready), "-", "-", "-")
	time.Sleep(settle)
	now, err := w.process.memory()
	if err != nil {
		return err
	}
	r.add(e.name, thousands(w.users), "idle", "-", mb(now.resident), mb(now.peak))
	for _, c := range growthCases() {
		if err := w.occupy(ctx, o, c, r); err != nil {
			return err
		}
	}
	for _, way := range walks() {
		log.Printf("%s, memory: list by %s", e.name, way.name)
		err := w.peak("list by "+way.name, r, func() (string, error) {
			_, err := w.walk(ctx, way)
			return "-", err
		})
		if err != nil {
			return err
		}
	}
	time.Sleep(settle)
	return errors.Join(w.peak("idle again", r, func() (string, error) { return "-", nil }), ctx.Err())
}

// occupy sends one kind of request from 64 clients, each with a sequence of its own.
func (w *world) occupy(ctx context.Context, o options, c growthCase, r *report) error {
	log.Printf("%s, memory: %s", w.engine, c.name)
	const clients = 64
	requests := make(chan func(context.Context) error, clients)
	for range clients {
		requests <- c.request(w)
	}
	return w.peak(c.name+", 64 clients", r, func() (string, error) {
		got, err := load(ctx, clients, time.Duration(o.seconds*float64(time.Second)), func(ctx context.Context) error {
			request := <-requests
			defer func() { requests <- request }()
			return request(ctx)
		})
		return strconv.Itoa(int(got.perSecond)), err
	})
}

// peak adds a row with the memory after do and the most while it ran; a request that failed is in the row.
func (w *world) peak(moment string, r *report, do func() (string, error)) error {
	if err := w.process.forgetPeak(); err != nil {
		return err
	}
	perSecond, failure := do()
	if failure != nil {
		perSecond = "FAILED: " + failure.Error()
	}
	now, err := w.process.memory()
	r.add(w.engine, thousands(w.users), moment, perSecond, mb(now.resident), mb(now.peak))
	return err
}
