package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// rounds is into how many parts the requests of one case are cut.
// The sizes take turns, so that a slow moment of the machine meets all of them.
const rounds = 10

// patience is how long one size may take of a round; a request that grows with the size would take hours.
const patience = 3 * time.Second

// growthCase is a request whose time should not depend on the number of people.
type growthCase struct {
	name    string
	request func(*world) func(context.Context) error
}

// growthCases end with create, because it changes the size.
func growthCases() []growthCase {
	return []growthCase{
		{"GET /Users/{id}", func(w *world) func(context.Context) error {
			return func(ctx context.Context) error {
				return send(ctx, http.MethodGet, w.somebody(), w.bearer, "", http.StatusOK)
			}
		}},
		{"filter userName eq", filterCase(`userName eq %q`, userName)},
		{"filter externalId eq", filterCase(`externalId eq %q`, func(n int) string { return "x-" + userName(n) })},
		{"filter emails.value eq", filterCase(`emails.value eq %q`, userName)},
		{`filter emails[type eq "work"].value eq`, filterCase(`emails[type eq "work"].value eq %q`, userName)},
		{"PATCH active", offAndOn},
		{"POST /Users", func(w *world) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := w.createUser(ctx)
				return err
			}
		}},
	}
}

// filterCase looks for one person, who must be found.
func filterCase(filter string, value func(int) string) func(*world) func(context.Context) error {
	return func(w *world) func(context.Context) error {
		return func(ctx context.Context) error {
			n := w.anybody()
			query := url.QueryEscape(fmt.Sprintf(filter, value(n)))
			answer, err := sendFor(ctx, http.MethodGet, w.base+"/scim/v2/Users?filter="+query, w.bearer, "", http.StatusOK)
			if err == nil && !strings.Contains(string(answer), memberID(n)) {
				return fmt.Errorf("%s did not find number %d: %.300s", filter, n, answer)
			}
			return err
		}
	}
}

// offAndOn deactivates a person and then activates the same one, so that every request changes something.
func offAndOn(w *world) func(context.Context) error {
	path, active := "", true
	return func(ctx context.Context) error {
		if active {
			path = w.somebody()
		}
		active = !active
		return send(ctx, http.MethodPatch, path, w.bearer, activeBody(active), http.StatusOK)
	}
}

func growth() measurement {
	return measurement{
		report: report{
			title: "Growth: one client, median / p99; wanted: p99 within 1.5 of its value at 1,000 users. The sizes take turns.",
			header: []string{
				"engine", "operation", "users", "median / p99", "median to 1,000", "p99 to 1,000",
			},
		},
		measure: measureGrowth,
	}
}

// sizes are 1,000 and every hundredfold or wanted size up to largest.
func sizes(largest int) []int {
	list := []int{1000}
	for _, size := range []int{100_000, largest} {
		if size <= largest && size > list[len(list)-1] {
			list = append(list, size)
		}
	}
	return list
}

func measureGrowth(ctx context.Context, o options, e engine, r *report) error {
	var worlds []*world
	for _, size := range sizes(o.usersOr(100_000)) {
		w, done, err := openWorld(ctx, o, e, size)
		if err != nil {
			return err
		}
		defer done()
		worlds = append(worlds, w)
	}
	for _, c := range growthCases() {
		log.Printf("%s, growth: %s", e.name, c.name)
		took, err := takeTurns(ctx, worlds, c, o.requests)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		for i, w := range worlds {
			r.add(e.name, c.name, thousands(w.users), took[i].both()+fewer(len(took[i]), o.requests),
				ratio(took[i].median(), took[0].median()), ratio(took[i].p99(), took[0].p99()))
		}
	}
	return nil
}

// fewer says so where patience ended before all requests were sent.
func fewer(n, requests int) string {
	if n >= requests/rounds*rounds {
		return ""
	}
	return fmt.Sprintf(" (%d requests)", n)
}

// takeTurns measures one case in every world, a part of the requests at a time.
func takeTurns(ctx context.Context, worlds []*world, c growthCase, requests int) ([]times, error) {
	took := make([]times, len(worlds))
	send := make([]func(context.Context) error, len(worlds))
	for i, w := range worlds {
		send[i] = c.request(w)
		// The first requests prepare statements and open connections.
		if _, err := sampleFor(ctx, patience, 50, send[i]); err != nil {
			return nil, err
		}
	}
	for range rounds {
		for i := range worlds {
			part, err := sampleFor(ctx, patience, max(requests/rounds, 1), send[i])
			if err != nil {
				return nil, err
			}
			took[i] = took[i].and(part)
		}
	}
	return took, nil
}
