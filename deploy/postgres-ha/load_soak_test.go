//go:build soak

package ha_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"muster/internal/testkit"
)

// rate is how many writes begin in a second, at the servers in turns, whether or not the ones before are answered.
const rate = 50

// load creates people and notes what came of it. A write that was not acknowledged is sent again until it is.
type load struct {
	b       *bed
	servers []*testkit.Process
	token   string
	http    http.Client

	mutex sync.Mutex
	// begun is how many writes there are.
	begun int
	acks  [][]time.Time
	names []string
	// refused are 503 with Retry-After, unsure those of them that did not know, and found writes that an unsure one had made.
	refused, unsure, found int
	// wrong is what must not happen.
	wrong []string
	// slowest is the longest that a request was not answered.
	slowest time.Duration

	stop func()
	done sync.WaitGroup
}

// startLoad begins to write.
func startLoad(b *bed, token string, servers ...*testkit.Process) *load {
	ctx, cancel := context.WithCancel(b.Context())
	l := &load{
		b: b, servers: servers, token: token, acks: make([][]time.Time, len(servers)), stop: cancel,
		http: http.Client{Timeout: 90 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 200}},
	}
	l.done.Go(func() {
		ticker := time.NewTicker(time.Second / rate)
		defer ticker.Stop()
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				l.done.Go(func() { l.write(n) })
			}
		}
	})
	return l
}

// end stops beginning writes and waits until each is acknowledged.
func (l *load) end() {
	l.stop()
	l.done.Wait()
}

// reply is an answer, as far as the load looks at it.
type reply struct {
	status int
	wait   time.Duration
	unsure bool
	text   string
}

// write creates one person, however often it has to be asked for.
func (l *load) write(n int) {
	name := fmt.Sprintf("person-%d@example.com", n)
	server, doubtful := n%len(l.servers), false
	l.note(func() { l.begun++ })
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); {
		sent := time.Now()
		got, err := l.post(server, name)
		took := time.Since(sent)
		switch {
		case err != nil:
			l.note(func() { l.wrong = append(l.wrong, fmt.Sprintf("%s: no answer: %v", name, err)) })
			return
		case got.status == http.StatusCreated, got.status == http.StatusConflict && doubtful:
			l.note(func() {
				l.slowest = max(l.slowest, took)
				l.acks[server], l.names = append(l.acks[server], time.Now()), append(l.names, name)
				if got.status == http.StatusConflict {
					l.found++
				}
			})
			return
		case got.status == http.StatusServiceUnavailable && got.wait > 0:
			l.note(func() {
				l.slowest = max(l.slowest, took)
				l.refused++
				if got.unsure {
					l.unsure++
				}
			})
			doubtful = doubtful || got.unsure
			time.Sleep(got.wait)
		default:
			l.note(func() { l.wrong = append(l.wrong, fmt.Sprintf("%s: %d %s", name, got.status, got.text)) })
			return
		}
	}
	l.note(func() { l.wrong = append(l.wrong, name+": not acknowledged in three minutes") })
}

func (l *load) note(what func()) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	what()
}

func (l *load) post(server int, name string) (reply, error) {
	body := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"` + name + `","active":true}`
	request, err := http.NewRequestWithContext(context.WithoutCancel(l.b.Context()), http.MethodPost, l.servers[server].URL+"/scim/v2/Users", strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	request.Header = http.Header{"Authorization": {"Bearer " + l.token}, "Content-Type": {"application/scim+json"}}
	answer, err := l.http.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return reply{}, err
	}
	seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
	var failure struct {
		Detail string `json:"detail"`
	}
	_ = json.Unmarshal(text, &failure)
	return reply{
		status: answer.StatusCode, wait: time.Duration(seconds) * time.Second,
		unsure: strings.Contains(failure.Detail, "did not say whether"), text: string(bytes.TrimSpace(text)),
	}, nil
}

// gap returns the longest time within a span in which no write was acknowledged at a server.
func (l *load) gap(server int, from, until time.Time) time.Duration {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	longest, last := time.Duration(0), from
	for _, at := range l.acks[server] {
		if at.After(from) && at.Before(until) {
			longest, last = max(longest, at.Sub(last)), at
		}
	}
	return max(longest, until.Sub(last))
}

// firstAfter returns how long after a time the first write was acknowledged at a server.
func (l *load) firstAfter(server int, at time.Time) time.Duration {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for _, ack := range l.acks[server] {
		if ack.After(at) {
			return ack.Sub(at)
		}
	}
	return time.Hour
}

// snapshot returns the counters.
func (l *load) snapshot() (refused, unsure, found int) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.refused, l.unsure, l.found
}

// check compares what was acknowledged with what is in the database: everything once, and nothing else.
func (l *load) check() {
	l.b.Helper()
	if len(l.wrong) > 0 {
		l.b.Errorf("%d answers must not be, the first: %s", len(l.wrong), l.wrong[0])
	}
	kept := strings.Fields(l.b.query("SELECT user_name_key FROM scim_users"))
	slices.Sort(kept)
	slices.Sort(l.names)
	lost := 0
	for _, name := range l.names {
		if _, found := slices.BinarySearch(kept, name); !found {
			lost++
		}
	}
	twice := len(kept) - len(slices.Compact(kept))
	audited := l.b.query("SELECT COUNT(*) || '/' || COUNT(DISTINCT target_id) FROM audit_log WHERE operation = 'create_scim_user'")
	l.b.Logf("writes %d, acknowledged %d, lost %d, twice %d, audit rows/people %s; 503 %d, of them unsure %d, of those done %d; slowest answer %s",
		l.begun, len(l.names), lost, twice, audited, l.refused, l.unsure, l.found, l.slowest.Round(time.Millisecond))
	if want := fmt.Sprintf("%[1]d/%[1]d", l.begun); lost > 0 || twice > 0 || len(kept) != l.begun || len(l.names) != l.begun || audited != want {
		l.b.Errorf("%d people in the database and %s audit rows/people for %d writes", len(kept), audited, l.begun)
	}
}

// query asks the primary, as README.md reaches it.
func (b *bed) query(statement string) string {
	b.Helper()
	return strings.TrimSpace(b.run(nodes[0], `. /etc/patroni_env.conf
PGPASSWORD=$PATRONI_SUPERUSER_PASSWORD psql -AtX -v ON_ERROR_STOP=1 \
    "host=10.0.0.11,10.0.0.12,10.0.0.13 user=postgres dbname=muster target_session_attrs=read-write" -c "`+statement+`"`))
}
