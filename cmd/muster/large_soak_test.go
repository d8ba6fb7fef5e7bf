//go:build soak

package main_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"muster/internal/testkit"
)

// The size of an installation that is large for us.
const (
	manyGroups = 101
	groupSize  = 999 // one Bulk holds them and the group
)

// F28 with 100,000 members in 100 groups: backed up while people are written, restored in less than a minute,
// and moved to the other engine by a command that is killed and run again.
func TestSoakLargeInstallation(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, databaseURL string) {
		env := []string{"DATABASE_URL=" + databaseURL, "LOG_FORMAT=json", "SCIM_TOKEN_RATE=0"}
		process := testkit.Start(t, testkit.Program{Path: testkit.Build(t, "./cmd/muster"), Args: []string{"serve"}, Env: env})
		client := scimClient{base: process.URL, token: muster(t, env, "token", "create")}
		timed(t, "provisioning", func() { provisionMany(t, client) })

		ctx, stop := context.WithCancel(t.Context())
		traffic := &traffic{base: process.URL, token: client.token}
		var running sync.WaitGroup
		running.Go(func() { traffic.provision(ctx) })
		backup := t.TempDir() + "/backup"
		timed(t, "backup under load", func() { muster(t, env, "backup", "-q", backup) })
		stop()
		running.Wait()
		for _, failure := range traffic.failures {
			t.Error(failure)
		}
		process.Stop()
		if info, err := os.Stat(backup); err == nil {
			t.Logf("the backup has %d MB", info.Size()>>20)
		}

		here, other := testkit.SQLite, testkit.Postgres
		if !strings.HasPrefix(databaseURL, "sqlite") {
			here, other = other, here
		}
		for name, empty := range map[string]func(testing.TB) string{"the same engine": here, "the other engine": other} {
			target := empty(t)
			took := timed(t, "restore on "+name, func() { muster(t, []string{"DATABASE_URL=" + target}, "restore", backup) })
			if took > time.Minute {
				t.Errorf("restoring took %s", took)
			}
			soundDatabase(t, target)
			if text := muster(t, []string{"DATABASE_URL=" + target}, "audit", "verify"); !strings.Contains(text, "in order") {
				t.Errorf("audit verify: %s", text)
			}
		}

		target := other(t)
		killed := exec.CommandContext(t.Context(), testkit.Build(t, "./cmd/muster"), "migrate-data", databaseURL, target)
		if err := killed.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "a part is there", func() error {
			if n, err := numberIn(t, target, "SELECT COUNT(*) FROM users"); err != nil || n == 0 {
				return errors.Join(err, fmt.Errorf("%d people are there", n))
			}
			return nil
		})
		_ = killed.Process.Signal(syscall.SIGKILL)
		_ = killed.Wait()
		refused(t, []string{"DATABASE_URL=" + target}, 4, "filled only in part", "migrate")
		timed(t, "the rest of moving", func() { t.Log(muster(t, nil, "migrate-data", databaseURL, target)) })
		soundDatabase(t, target)
		whole := other(t)
		timed(t, "moving", func() { muster(t, nil, "migrate-data", "-q", databaseURL, whole) })
		testkit.Start(t, testkit.Program{Path: testkit.Build(t, "./cmd/muster"), Args: []string{"serve"}, Env: append(env, "DATABASE_URL="+target)})
	})
}

func timed(t *testing.T, what string, do func()) time.Duration {
	t.Helper()
	began := time.Now()
	do()
	took := time.Since(began)
	t.Logf("%s: %s", what, took.Round(100*time.Millisecond))
	return took
}

// provisionMany creates the members by Bulk, each of which makes a group and whoever is in it.
func provisionMany(t *testing.T, client scimClient) {
	t.Helper()
	var wait sync.WaitGroup
	for worker := range 2 {
		wait.Go(func() {
			for group := worker; group < manyGroups; group += 2 {
				var operations, refs []string
				for n := range groupSize {
					operations = append(operations, fmt.Sprintf(`{"method":"POST","path":"/Users","bulkId":"p%d","data":%s}`, n, userBody(fmt.Sprintf("g%d-n%d@example.com", group, n))))
					refs = append(refs, fmt.Sprintf(`{"value":"bulkId:p%d"}`, n))
				}
				data := strings.Replace(groupBody(fmt.Sprintf("Team %d", group)), `"members":[]`, `"members":[`+strings.Join(refs, ",")+`]`, 1)
				operations = append(operations, `{"method":"POST","path":"/Groups","bulkId":"g","data":`+data+`}`)
				body := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[` + strings.Join(operations, ",") + `]}`
				status, answer, err := client.do(t.Context(), http.MethodPost, "/Bulk", body)
				if err != nil || status != http.StatusOK || strings.Contains(fmt.Sprint(answer), "status:4") {
					t.Errorf("Bulk: %d %v %.300v", status, err, answer)
				}
			}
		})
	}
	wait.Wait()
}

// provision creates people until ctx ends.
func (l *traffic) provision(ctx context.Context) {
	for n := 0; ctx.Err() == nil; n += 5 {
		l.send(context.WithoutCancel(ctx), n)
	}
}
