package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// measured is what one cell of the table came to.
type measured struct {
	perSecond float64
	p99       time.Duration
}

// load sends requests from so many clients for a while.
func load(ctx context.Context, clients int, length time.Duration, request func(context.Context) error) (measured, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		mutex sync.Mutex
		took  []time.Duration
	)
	begun := time.Now()
	parallel(clients, func() {
		var own []time.Duration
		for time.Since(begun) < length && ctx.Err() == nil {
			at := time.Now()
			if err := request(ctx); err != nil {
				cancel(err)
				return
			}
			own = append(own, time.Since(at))
		}
		mutex.Lock()
		defer mutex.Unlock()
		took = append(took, own...)
	})
	total := time.Since(begun)
	if err := context.Cause(ctx); err != nil {
		return measured{}, err
	}
	slices.Sort(took)
	return measured{perSecond: float64(len(took)) / total.Seconds(), p99: took[len(took)*99/100]}, nil
}

// parallel runs do so many times at once and waits for all.
func parallel(clients int, do func()) {
	var wait sync.WaitGroup
	for range clients {
		wait.Go(do)
	}
	wait.Wait()
}

// benchCase is one row of the table.
type benchCase struct {
	name string
	// write compares with the limit's INSERT, otherwise with its SELECT.
	write bool
	// wanted is the ratio that quality asks for; zero where it asks for none.
	wanted  float64
	request func(*target) func(context.Context) error
}

func cases() []benchCase {
	return []benchCase{
		{"POST /Users", true, 0.5, func(t *target) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := t.createUser(ctx)
				return err
			}
		}},
		{"GET /Users/{id}", false, 0.7, func(t *target) func(context.Context) error {
			return func(ctx context.Context) error {
				return send(ctx, http.MethodGet, t.base+"/scim/v2/Users/"+t.ids[pick(len(t.ids))], t.bearer, "", http.StatusOK)
			}
		}},
		{"GET /Users?filter=userName eq", false, 0.7, func(t *target) func(context.Context) error {
			return func(ctx context.Context) error {
				filter := fmt.Sprintf(`userName eq "user%09d@example.com"`, 1+pick(len(t.ids)))
				return send(ctx, http.MethodGet, t.base+"/scim/v2/Users?filter="+url.QueryEscape(filter), t.bearer, "", http.StatusOK)
			}
		}},
		{"PATCH active", true, 0.4, patchActive},
		{"member into group of 10", true, 0, func(t *target) func(context.Context) error { return t.member(&t.small) }},
		{"member into group of 10,000", true, 0, func(t *target) func(context.Context) error { return t.member(&t.large) }},
		{"session check (GET /api/v1/auth/public)", false, 0.8, func(t *target) func(context.Context) error {
			return func(ctx context.Context) error {
				return send(ctx, http.MethodGet, t.base+"/api/v1/auth/public", t.session, "", http.StatusOK)
			}
		}},
	}
}

func patchActive(t *target) func(context.Context) error {
	return func(ctx context.Context) error {
		return send(ctx, http.MethodPatch, t.base+"/scim/v2/Users/"+t.ids[pick(len(t.ids))], t.bearer, activeBody(t.next.Add(1)%2 == 0), http.StatusOK)
	}
}

func activeBody(active bool) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","value":{"active":%t}}]}`, active)
}

// member adds the last person to the group and, the next time, takes them out again.
func (t *target) member(g *group) func(context.Context) error {
	return func(ctx context.Context) error {
		n := g.in.Add(1)
		id := t.ids[len(t.ids)-1]
		body := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"members","value":[{"value":"` + id + `"}]}]}`
		if n%2 == 0 {
			body = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"remove","path":"members[value eq \"` + id + `\"]"}]}`
		}
		return send(ctx, http.MethodPatch, t.base+"/scim/v2/Groups/"+g.id, t.bearer, body, http.StatusNoContent)
	}
}

// table collects the cells in the order in which they are measured.
type table struct {
	levels []int
	rows   []string
	cells  map[string]map[int]string
	wanted map[string]float64
}

func newTable(levels []int) *table {
	return &table{levels: levels, cells: map[string]map[int]string{}, wanted: map[string]float64{}}
}

func (t *table) add(engine string, c benchCase, level int, got, limit measured) {
	row := engine + "\t" + c.name
	if t.cells[row] == nil {
		t.cells[row] = map[int]string{}
		t.rows = append(t.rows, row)
		t.wanted[row] = c.wanted
	}
	t.cells[row][level] = fmt.Sprintf("%.2f (%.0f of %.0f/s, p99 %s)", got.perSecond/limit.perSecond, got.perSecond, limit.perSecond, got.p99.Round(100*time.Microsecond))
}

func (t *table) print(to io.Writer) {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprint(w, "engine\toperation\twanted")
	for _, level := range t.levels {
		_, _ = fmt.Fprintf(w, "\t%d clients", level)
	}
	_, _ = fmt.Fprintln(w)
	for _, row := range t.rows {
		wanted := "-"
		if t.wanted[row] > 0 {
			wanted = fmt.Sprintf("%.1f", t.wanted[row])
		}
		_, _ = fmt.Fprintf(w, "%s\t%s", row, wanted)
		for _, level := range t.levels {
			_, _ = fmt.Fprintf(w, "\t%s", t.cells[row][level])
		}
		_, _ = fmt.Fprintln(w)
	}
	_ = w.Flush()
}

// client keeps enough connections for the largest number of clients.
var client = &http.Client{ //nolint:gochecknoglobals // one pool of connections for the whole run
	Timeout:   2 * time.Minute,
	Transport: &http.Transport{MaxIdleConns: 256, MaxIdleConnsPerHost: 128},
}

func send(ctx context.Context, method, address string, header http.Header, body string, want int) error {
	_, err := sendFor(ctx, method, address, header, body, want)
	return err
}

// sendFor sends a request and returns the body of the wanted answer.
func sendFor(ctx context.Context, method, address string, header http.Header, body string, want int) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		request.Header[name] = values
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	got, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != want {
		err = fmt.Errorf("%s %s: status %d, want %d: %.300s", method, request.URL.Path, answer.StatusCode, want, got)
	}
	return got, err
}

// waitFor asks until the wanted status comes, at most half a minute.
func waitFor(ctx context.Context, address string, want int) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		err := send(ctx, http.MethodGet, address, nil, "", want)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w", address, err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func freeAddress(ctx context.Context) (string, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String(), nil
}

func pick(n int) int { return rand.IntN(n) }

func userBody(name string) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q,"name":{"givenName":"Ann","familyName":"Lee"},`+
		`"emails":[{"primary":true,"value":%q,"type":"work"}],"displayName":"Ann Lee","locale":"en-US","externalId":"x-%s","groups":[],"active":true}`, name, name, name)
}
