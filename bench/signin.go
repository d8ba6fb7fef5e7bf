package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// storedSessions is how many sessions are in the store while sign-in is measured.
const storedSessions = 50_000

// doorway is a running server with a provider whose work is done beforehand.
type doorway struct {
	base     string
	process  *process
	provider *provider
	client   *http.Client
}

// signIn measures what every request of a browser costs, and what a sign-in costs without the provider's part.
func signIn(ctx context.Context, o options, engines []engine) error {
	levels, err := parseLevels(o.concurrency)
	if err != nil {
		return err
	}
	table := newTable(levels)
	for _, e := range engines {
		if err := signInOn(ctx, o, e, levels, table); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	table.print(os.Stdout)
	return nil
}

func signInOn(ctx context.Context, o options, e engine, levels []int, table *table) error {
	database, drop, err := e.newDatabase(ctx)
	if err != nil {
		return err
	}
	defer drop()
	limitDB, dropLimit, err := e.newDatabase(ctx)
	if err != nil {
		return err
	}
	defer dropLimit()
	bare, stopBare, err := startLimit(ctx, limitDB)
	if err != nil {
		return err
	}
	defer stopBare()
	if err := bare.fill(ctx, 2000); err != nil {
		return err
	}
	d, stop, err := openDoorway(ctx, o, e, database)
	if err != nil {
		return err
	}
	defer stop()
	length := time.Duration(o.seconds * float64(time.Second))
	for _, level := range levels {
		log.Printf("%s, %d clients: sign-in", e.name, level)
		if err := d.measure(ctx, e, level, length, bare, table); err != nil {
			return err
		}
	}
	return nil
}

func (d *doorway) measure(ctx context.Context, e engine, level int, length time.Duration, bare *bare, table *table) error {
	insert, err := load(ctx, level, length, bare.insert)
	if err != nil {
		return err
	}
	selects, err := load(ctx, level, length, bare.lookup)
	if err != nil {
		return err
	}
	check, err := load(ctx, level, length, d.check)
	if err != nil {
		return err
	}
	table.add(e.name, benchCase{name: "session check, 50,000 sessions", wanted: 0.8}, level, check, selects)
	// As many sign-ins are begun as could end in the time, by the limit's speed.
	begun, err := d.begin(ctx, int(insert.perSecond*length.Seconds())+10*level)
	if err != nil {
		return err
	}
	callback, err := d.finish(ctx, level, length, begun)
	if err != nil {
		return err
	}
	table.add(e.name, benchCase{name: "callback, 50,000 sessions", wanted: 0.25}, level, callback, insert)
	return nil
}

// openDoorway starts a server, signs somebody in and stores the other sessions as copies of theirs.
func openDoorway(ctx context.Context, o options, e engine, database string) (*doorway, func(), error) {
	provider, err := newProvider(ctx)
	if err != nil {
		return nil, nil, err
	}
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, nil, err
	}
	base := "http://" + address
	d := &doorway{base: base, provider: provider, client: &http.Client{
		Timeout: time.Minute, Transport: client.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	d.process = &process{program: o.muster, base: base, environment: append(os.Environ(),
		"LISTEN_ADDRESS="+address, "HOSTNAME_URL="+base, "DATABASE_URL="+database, "LOG_LEVEL=error", "SIGN_IN_RATE=0",
		"OAUTH_ISSUER_URL="+provider.issuer, "OAUTH_CLIENT_ID=bench", "OAUTH_OVERRIDE_TOKEN_EXPIRY=true",
	)}
	stop := func() {
		d.process.stop()
		_ = provider.server.Close()
	}
	if err := d.prepare(ctx, e, database); err != nil {
		stop()
		return nil, nil, err
	}
	return d, stop, nil
}

func (d *doorway) prepare(ctx context.Context, e engine, database string) error {
	if _, err := d.process.start(ctx); err != nil {
		return err
	}
	// Everybody who signs in later has done so before.
	flows, err := d.begin(ctx, people)
	if err != nil {
		return err
	}
	for _, flow := range flows {
		if err := d.callback(ctx, flow); err != nil {
			return err
		}
	}
	d.process.stop()
	if err := storeSessions(ctx, e, database); err != nil {
		return fmt.Errorf("storing sessions: %w", err)
	}
	if _, err := d.process.start(ctx); err != nil {
		return err
	}
	answer, err := sendFor(ctx, http.MethodGet, d.base+"/api/v1/auth/public", http.Header{"Cookie": {"muster=" + cookieOf(1)}}, "", http.StatusOK)
	if err == nil && !strings.Contains(string(answer), "@example.com") {
		err = fmt.Errorf("a stored session answers %.200s", answer)
	}
	return err
}

// people is how many persons sign in.
const people = 5000

// cookieOf is the cookie of the n-th stored session.
func cookieOf(n int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "session %d", n))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func digestOf(cookie string) string {
	sum := sha256.Sum256([]byte(cookie))
	return hex.EncodeToString(sum[:])
}

// storeSessions copies the sessions that there are under new ids and digests, whatever columns they have.
func storeSessions(ctx context.Context, e engine, database string) error {
	pool, err := sql.Open(e.driver(), e.fillDSN(database))
	if err != nil {
		return err
	}
	defer func() { _ = pool.Close() }()
	names, err := columnsOf(ctx, pool)
	if err != nil {
		return err
	}
	values := make([]string, len(names))
	for i, name := range names {
		values[i] = "s." + name
		switch name {
		case "id", "digest":
			values[i] = "v." + name
		}
	}
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	const step = 500
	for from := 1; from <= storedSessions; from += step {
		var copies []string
		for n := from; n < from+step; n++ {
			// The ids are old, so that it is they who go when somebody has too many.
			copies = append(copies, fmt.Sprintf("('01800000-0000-7000-8000-%012d', '%s', %d)", n, digestOf(cookieOf(n)), n%people))
		}
		statement := "WITH v(id, digest, person) AS (VALUES " + strings.Join(copies, ", ") + "), " +
			"s AS (SELECT sessions.*, ROW_NUMBER() OVER (ORDER BY id) - 1 AS person FROM sessions WHERE id > '0190') " +
			"INSERT INTO sessions (" + strings.Join(names, ", ") + ") SELECT " + strings.Join(values, ", ") + " FROM v JOIN s ON s.person = v.person"
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil || e.name != postgresName {
		return err
	}
	_, err = pool.ExecContext(ctx, "VACUUM ANALYZE sessions")
	return err
}

func columnsOf(ctx context.Context, pool *sql.DB) ([]string, error) {
	rows, err := pool.QueryContext(ctx, "SELECT * FROM sessions WHERE 1 = 0")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	return names, errors.Join(err, rows.Err())
}

// check is a request that nothing but the session stands behind.
// It picks among the last sessions of everybody, which sign-ins while measuring leave alone.
func (d *doorway) check(ctx context.Context) error {
	header := http.Header{"Cookie": {"muster=" + cookieOf(storedSessions-pick(people))}}
	return send(ctx, http.MethodGet, d.base+"/api/v1/auth/public", header, "", http.StatusOK)
}

// flow is a sign-in that waits for its callback.
type flow struct{ callback, cookie string }

// begin begins so many sign-ins and has the provider do its part of each.
func (d *doorway) begin(ctx context.Context, count int) ([]flow, error) {
	flows := make([]flow, count)
	work := make(chan int, count)
	for i := range count {
		work <- i
	}
	close(work)
	var mutex sync.Mutex
	var failed error
	parallel(8, func() {
		for i := range work {
			one, err := d.beginOne(ctx, fmt.Sprintf("person%d@example.com", i%people))
			if err != nil {
				mutex.Lock()
				failed = err
				mutex.Unlock()
				return
			}
			flows[i] = one
		}
	})
	return flows, failed
}

func (d *doorway) beginOne(ctx context.Context, email string) (flow, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.base+"/api/v1/oauth/custom-oidc", nil)
	if err != nil {
		return flow{}, err
	}
	answer, err := d.client.Do(request)
	if err != nil {
		return flow{}, err
	}
	_ = answer.Body.Close()
	target, err := url.Parse(answer.Header.Get("Location"))
	if err != nil || answer.StatusCode != http.StatusSeeOther || len(answer.Cookies()) != 1 {
		return flow{}, fmt.Errorf("the start of a sign-in: status %d, %d cookies, to %s: %w", answer.StatusCode, len(answer.Cookies()), target, err)
	}
	code, err := d.provider.authorize("bench", target.Query().Get("nonce"), email)
	query := url.Values{"code": {code}, "state": {target.Query().Get("state")}}
	return flow{d.base + "/api/v1/oauth/custom-oidc/callback?" + query.Encode(), answer.Cookies()[0].String()}, err
}

// callback comes back from the provider; it must end with a session.
func (d *doorway) callback(ctx context.Context, f flow) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.callback, nil)
	if err != nil {
		return err
	}
	name, _, _ := strings.Cut(f.cookie, ";")
	request.Header.Set("Cookie", name)
	answer, err := d.client.Do(request)
	if err != nil {
		return err
	}
	_ = answer.Body.Close()
	for _, cookie := range answer.Cookies() {
		if cookie.Name == "muster" && answer.StatusCode == http.StatusSeeOther {
			return nil
		}
	}
	return fmt.Errorf("a callback: status %d and no session", answer.StatusCode)
}

// finish ends sign-ins that were begun, from so many clients, for a while.
func (d *doorway) finish(ctx context.Context, level int, length time.Duration, begun []flow) (measured, error) {
	waiting := make(chan flow, len(begun))
	for _, f := range begun {
		waiting <- f
	}
	close(waiting)
	return load(ctx, level, length, func(ctx context.Context) error {
		f, ok := <-waiting
		if !ok {
			return errOut
		}
		return d.callback(ctx, f)
	})
}

// errOut is that fewer sign-ins were begun than could be ended.
var errOut = errors.New("the sign-ins that were begun are used up before the time is")
