// Command bench measures the server against the least that could answer the same requests, on the same database with
// the same client, and prints one table of ratios. Absolute numbers drift from machine to machine; ratios do not.
//
// The limit is a bare net/http handler: one transaction with one INSERT, or with one SELECT by primary key.
// Server and limit each run in a process of their own; this process is the client.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"
	"time"
)

// options are the command line.
type options struct {
	muster      string
	postgres    string
	tables      string
	engine      string
	users       int
	requests    int
	syncUsers   int
	seconds     float64
	concurrency string
	limit       string
	database    string
}

func main() {
	log.SetFlags(0)
	var o options
	flag.StringVar(&o.muster, "muster", "bin/muster", "the server's binary")
	flag.StringVar(&o.postgres, "postgres", os.Getenv("MUSTER_TEST_POSTGRES_URL"), "a PostgreSQL server to make databases on; empty for SQLite only")
	flag.StringVar(&o.tables, "tables", "ratios", "what to measure: some of ratios,signin,admin,growth,groups,lists,bulk,sync,memory")
	flag.StringVar(&o.engine, "engine", "", "measure only SQLite or PostgreSQL")
	flag.IntVar(&o.users, "users", 0, "people in the organization before measuring; 0: 2,000 for ratios, 100,000 elsewhere")
	flag.IntVar(&o.requests, "requests", 2000, "how often growth sends each request at each size")
	flag.IntVar(&o.syncUsers, "sync", 1000, "people of the first synchronization")
	flag.Float64Var(&o.seconds, "seconds", 2, "how long each cell is measured")
	flag.StringVar(&o.concurrency, "concurrency", "1,16,64", "numbers of clients")
	flag.StringVar(&o.limit, "limit", "", "serve as the limit on this address (used by the program itself)")
	flag.StringVar(&o.database, "database", "", "the limit's database (used by the program itself)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, o)
	stop()
	if err != nil {
		log.Fatal("bench: ", err)
	}
}

// usersOr is the number of people wished for, or n.
func (o options) usersOr(n int) int {
	if o.users > 0 {
		return o.users
	}
	return n
}

func run(ctx context.Context, o options) error {
	if o.limit != "" {
		return serveLimit(ctx, o.limit, o.database)
	}
	if o.engine != "" && o.engine != sqliteName && o.engine != postgresName {
		return fmt.Errorf("%q is no engine", o.engine)
	}
	folder, err := os.MkdirTemp("", "muster-bench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	for _, name := range strings.Split(o.tables, ",") {
		measure, ok := tables()[name]
		if !ok {
			return fmt.Errorf("%q is no table", name)
		}
		if err := measure(ctx, o, engines(o, folder)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// tables are what -tables can name.
func tables() map[string]func(context.Context, options, []engine) error {
	return map[string]func(context.Context, options, []engine) error{
		"ratios": ratios,
		"growth": eachEngine(growth()),
		"groups": eachEngine(groups()),
		"lists":  eachEngine(lists()),
		"bulk":   eachEngine(bulk()),
		"sync":   eachEngine(firstSync()),
		"memory": eachEngine(resident()),
		"signin": signIn,
		"admin":  eachEngine(administration()),
	}
}

// measurement fills a table with one engine after the other.
type measurement struct {
	report  report
	measure func(context.Context, options, engine, *report) error
}

func eachEngine(m measurement) func(context.Context, options, []engine) error {
	return func(ctx context.Context, o options, engines []engine) error {
		for _, e := range engines {
			if err := m.measure(ctx, o, e, &m.report); err != nil {
				return fmt.Errorf("%s: %w", e.name, err)
			}
		}
		m.report.print(os.Stdout)
		return nil
	}
}

// ratios measures the server against the limit.
func ratios(ctx context.Context, o options, engines []engine) error {
	levels, err := parseLevels(o.concurrency)
	if err != nil {
		return err
	}
	table := newTable(levels)
	for _, e := range engines {
		if err := measureEngine(ctx, o, e, levels, table); err != nil {
			return err
		}
	}
	table.print(os.Stdout)
	return nil
}

func parseLevels(text string) ([]int, error) {
	var levels []int
	for _, part := range strings.Split(text, ",") {
		var n int
		if _, err := fmt.Sscan(part, &n); err != nil || n < 1 {
			return nil, fmt.Errorf("%q is no number of clients", part)
		}
		levels = append(levels, n)
	}
	if len(levels) == 0 {
		return nil, errors.New("no numbers of clients")
	}
	return levels, nil
}

// measureEngine runs every case against the server and against the limit on one engine.
func measureEngine(ctx context.Context, o options, e engine, levels []int, table *table) error {
	serverDB, drop, err := e.newDatabase(ctx)
	if err != nil {
		return err
	}
	defer drop()
	limitDB, dropLimit, err := e.newDatabase(ctx)
	if err != nil {
		return err
	}
	defer dropLimit()
	target, stop, err := startServer(ctx, o, serverDB)
	if err != nil {
		return err
	}
	defer stop()
	bare, stopBare, err := startLimit(ctx, limitDB)
	if err != nil {
		return err
	}
	defer stopBare()
	log.Printf("%s: filling %d people, groups of 10 and 10,000", e.name, o.usersOr(2000))
	if err := target.fill(ctx, o.usersOr(2000)); err != nil {
		return err
	}
	if err := bare.fill(ctx, o.usersOr(2000)); err != nil {
		return err
	}
	length := time.Duration(o.seconds * float64(time.Second))
	for _, level := range levels {
		insert, err := load(ctx, level, length, bare.insert)
		if err != nil {
			return err
		}
		selects, err := load(ctx, level, length, bare.lookup)
		if err != nil {
			return err
		}
		for _, c := range cases() {
			log.Printf("%s, %d clients: %s", e.name, level, c.name)
			got, err := load(ctx, level, length, c.request(target))
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			limit := selects
			if c.write {
				limit = insert
			}
			table.add(e.name, c, level, got, limit)
		}
	}
	return nil
}
