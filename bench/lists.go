package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"slices"
	"time"
)

func lists() measurement {
	return measurement{
		report: report{
			title: "Whole list of Users: one client, the time of the requests alone; memory is the most above what the server held before.\n" +
				"Wanted at 100,000 users: 5 s by cursor, 10 s by startIndex, at most 64 MB more; a late page costs what an early one costs.",
			header: []string{"engine", "users", "paging", "whole list", "first pages", "last pages", "each user once", "memory"},
		},
		measure: measureLists,
	}
}

// walk is a way through the whole list; next is the query of the page after one, or empty.
type walk struct {
	name, first string
	next        func(page, int) string
}

// page is what a walk needs of an answer.
type page struct {
	Resources    []struct{ ID string }
	TotalResults int
	NextCursor   string
}

func walks() []walk {
	byCursor := func(got page, _ int) string {
		if got.NextCursor == "" {
			return ""
		}
		return "count=1000&cursor=" + url.QueryEscape(got.NextCursor)
	}
	byIndex := func(count int) func(page, int) string {
		return func(got page, seen int) string {
			if len(got.Resources) == 0 || seen >= got.TotalResults {
				return ""
			}
			return fmt.Sprintf("startIndex=%d&count=%d", seen+1, count)
		}
	}
	return []walk{
		{"cursor, count 1,000", "count=1000&cursor=", byCursor},
		{"startIndex, count 1,000", "startIndex=1&count=1000", byIndex(1000)},
		{"startIndex, count 100", "startIndex=1&count=100", byIndex(100)},
	}
}

func measureLists(ctx context.Context, o options, e engine, r *report) error {
	w, done, err := openWorld(ctx, o, e, o.usersOr(100_000))
	if err != nil {
		return err
	}
	defer done()
	for _, way := range walks() {
		log.Printf("%s, lists: %s", e.name, way.name)
		var got walked
		rise, err := w.process.rise(ctx, func() error {
			var err error
			got, err = w.walk(ctx, way)
			return err
		})
		cells := []string{e.name, thousands(w.users), way.name}
		switch {
		case err != nil:
			r.add(append(cells, "FAILED: "+err.Error())...)
		case len(got.pages) == 1 && w.users > len(got.seen):
			r.add(append(cells, "not supported")...)
		default:
			r.add(append(cells, got.total().Round(time.Millisecond).String(), ms(got.first()), ms(got.last()), got.verdict(w.users), mb(rise))...)
		}
	}
	return ctx.Err()
}

// walked is what came of a walk: the time of every page and how often each id came.
type walked struct {
	pages times
	seen  map[string]int
}

func (w *world) walk(ctx context.Context, way walk) (walked, error) {
	result := walked{seen: make(map[string]int, w.users)}
	count := 0
	for query := way.first; query != ""; {
		begun := time.Now()
		answer, err := sendFor(ctx, http.MethodGet, w.base+"/scim/v2/Users?"+query, w.bearer, "", http.StatusOK)
		if err != nil {
			return result, err
		}
		result.pages = append(result.pages, time.Since(begun))
		var got page
		if err := json.Unmarshal(answer, &got); err != nil {
			return result, err
		}
		for _, user := range got.Resources {
			result.seen[user.ID]++
		}
		count += len(got.Resources)
		if count > 2*got.TotalResults {
			return result, fmt.Errorf("%d users came, and there are %d", count, got.TotalResults)
		}
		query = way.next(got, count)
	}
	return result, nil
}

func (w walked) total() (sum time.Duration) {
	for _, page := range w.pages {
		sum += page
	}
	return sum
}

// first is the median of the first tenth of the pages, last that of the last tenth.
func (w walked) first() time.Duration { return w.part(0, w.tenth()) }

func (w walked) last() time.Duration { return w.part(len(w.pages)-w.tenth(), len(w.pages)) }

func (w walked) tenth() int { return max(len(w.pages)/10, 1) }

func (w walked) part(from, to int) time.Duration {
	return times(slices.Sorted(slices.Values(w.pages[from:to]))).median()
}

// verdict says whether each of the people came exactly once.
func (w walked) verdict(users int) string {
	repeated := 0
	for _, n := range w.seen {
		if n > 1 {
			repeated++
		}
	}
	if len(w.seen) == users && repeated == 0 {
		return "yes"
	}
	return fmt.Sprintf("NO: %d different of %d, %d more than once", len(w.seen), users, repeated)
}
