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
	"path/filepath"
	"strings"
	"time"
)

// options are the command line.
type options struct {
	muster      string
	postgres    string
	users       int
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
	flag.IntVar(&o.users, "users", 2000, "people in the organization before measuring")
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

func run(ctx context.Context, o options) error {
	if o.limit != "" {
		return serveLimit(ctx, o.limit, o.database)
	}
	folder, err := os.MkdirTemp("", "muster-bench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	levels, err := parseLevels(o.concurrency)
	if err != nil {
		return err
	}
	table := newTable(levels)
	if err := measureEngine(ctx, o, "SQLite", "sqlite://"+filepath.Join(folder, "server.db"), "sqlite://"+filepath.Join(folder, "limit.db"), levels, table); err != nil {
		return err
	}
	if o.postgres != "" {
		server, limit, drop, err := twoDatabases(ctx, o.postgres)
		if err != nil {
			return err
		}
		defer drop()
		if err := measureEngine(ctx, o, "PostgreSQL", server, limit, levels, table); err != nil {
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
func measureEngine(ctx context.Context, o options, engine, serverDB, limitDB string, levels []int, table *table) error {
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
	log.Printf("%s: filling %d people, groups of 10 and 10,000", engine, o.users)
	if err := target.fill(ctx, o.users); err != nil {
		return err
	}
	if err := bare.fill(ctx, o.users); err != nil {
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
			log.Printf("%s, %d clients: %s", engine, level, c.name)
			got, err := load(ctx, level, length, c.request(target))
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			limit := selects
			if c.write {
				limit = insert
			}
			table.add(engine, c, level, got, limit)
		}
	}
	return nil
}
