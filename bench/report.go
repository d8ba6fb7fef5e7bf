package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// report is a table that is printed when it is complete.
type report struct {
	title  string
	header []string
	rows   [][]string
}

func (r *report) add(cells ...string) { r.rows = append(r.rows, cells) }

func (r *report) print(to io.Writer) {
	_, _ = fmt.Fprintf(to, "\n%s\n", r.title)
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{r.header}, r.rows...) {
		_, _ = fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	_ = w.Flush()
}

// times are the lengths of equal requests, sorted.
type times []time.Duration

// sample sends n requests one after the other and keeps how long each took.
func sample(ctx context.Context, n int, request func(context.Context) error) (times, error) {
	return sampleFor(ctx, time.Hour, n, request)
}

// sampleFor is sample that sends no more after a while.
func sampleFor(ctx context.Context, while time.Duration, n int, request func(context.Context) error) (times, error) {
	took := make(times, 0, n)
	for start := time.Now(); len(took) < n && (len(took) == 0 || time.Since(start) < while); {
		begun := time.Now()
		if err := request(ctx); err != nil {
			return nil, err
		}
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	return took, nil
}

// at is the quantile q between 0 and 1.
func (t times) at(q float64) time.Duration { return t[min(int(q*float64(len(t))), len(t)-1)] }

func (t times) median() time.Duration { return t.at(0.5) }

func (t times) p99() time.Duration { return t.at(0.99) }

// and joins two samples.
func (t times) and(more times) times {
	t = append(t, more...)
	slices.Sort(t)
	return t
}

// both writes the median and the p99.
func (t times) both() string { return ms(t.median()) + " / " + ms(t.p99()) }

// ms writes a time in milliseconds.
func ms(d time.Duration) string {
	return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 2, 64) + " ms"
}

func ratio(a, b time.Duration) string { return fmt.Sprintf("%.2f", float64(a)/float64(b)) }

// mb writes bytes in millions.
func mb(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }

// thousands writes a number as people read it.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
