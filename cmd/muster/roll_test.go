package main_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/testkit"
)

// F19: two servers behind HAProxy, set up as docs/upgrading.md shows, are replaced by the next release one after the other,
// and restarted, while fifty requests a second come in; none of them fails.
func TestLiveRoll(t *testing.T) {
	roll(t, 1, testkit.Previous(t).Path, testkit.Build(t, "./cmd/muster"))
}

// roll starts two servers of the first program, puts each of the others in their place, rounds times over, and restarts both in the end.
func roll(t *testing.T, rounds int, before string, programs ...string) {
	t.Helper()
	now := programs[len(programs)-1]
	front := freeAddress(t)
	i := newInstallation(t, testkit.Postgres(t), "HOSTNAME_URL=http://"+front, "SHUTDOWN_DELAY_SEC=2")
	servers := map[string]*testkit.Process{"a": i.serve(before, ""), "b": i.serve(before, "")}
	balancer := startHAProxy(t, front, servers["a"].Address, servers["b"].Address)
	traffic := &traffic{base: "http://" + front, token: i.run(before, "token", "create")}
	traffic.cookie = through(t, i.idp, traffic.base, "/api/v1/oauth/custom-oidc", "")
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { traffic.run(ctx) })
	defer running.Wait()
	defer stop()
	for range rounds {
		for _, program := range programs {
			for _, name := range []string{"a", "b"} {
				balancer.tell(t, "set server muster/"+name+" state drain")
				time.Sleep(300 * time.Millisecond) // what is on its way arrives
				servers[name].Stop()
				servers[name] = i.serve(program, servers[name].Address)
				balancer.tell(t, "set server muster/"+name+" state ready")
				balancer.waitUp(t, name)
			}
		}
	}
	// The present release needs nobody to tell the load balancer.
	for _, name := range []string{"a", "b"} {
		servers[name].Stop()
		servers[name] = i.serve(now, servers[name].Address)
		balancer.waitUp(t, name)
	}
	stop()
	running.Wait()
	traffic.check(t)
	if text := i.run(now, "audit", "verify"); !strings.Contains(text, "in order") {
		t.Errorf("the audit log: %s", text)
	}
}

// haproxy is a running load balancer.
type haproxy struct{ socket string }

func startHAProxy(t *testing.T, front, a, b string) haproxy {
	t.Helper()
	dir := t.TempDir()
	h := haproxy{socket: filepath.Join(dir, "admin.sock")}
	text := exchange(example(t, "upgrading.md", "haproxy"), map[string]string{
		"/run/haproxy/admin.sock": h.socket, "bind :8080": "bind " + front, "10.0.0.11:8080": a, "10.0.0.12:8080": b, "inter 1s": "inter 200ms",
	})
	file := filepath.Join(dir, "haproxy.cfg")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	program, err := exec.LookPath("haproxy")
	if err != nil {
		program = "/usr/sbin/haproxy"
	}
	startProxy(t, front, exec.CommandContext(t.Context(), program, "-db", "-f", file))
	h.waitUp(t, "a")
	h.waitUp(t, "b")
	return h
}

// tell sends a command to the socket for administration and returns the answer.
func (h haproxy) tell(t *testing.T, command string) string {
	t.Helper()
	connection, err := (&net.Dialer{}).DialContext(t.Context(), "unix", h.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	if _, err := io.WriteString(connection, command+"\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(connection)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// waitUp waits until the load balancer sends requests to a server.
func (h haproxy) waitUp(t *testing.T, name string) {
	t.Helper()
	eventually(t, name+" is up", func() error {
		lines := bufio.NewScanner(strings.NewReader(h.tell(t, "show stat")))
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "muster,"+name+",") && strings.Contains(lines.Text(), ",UP,") {
				return nil
			}
		}
		return fmt.Errorf("it is not")
	})
}

// traffic is what people and an identity provider do, fifty times a second.
type traffic struct {
	base, token, cookie string

	mu       sync.Mutex
	sent     int
	failures []string
	made     []string
}

func (l *traffic) run(ctx context.Context) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	var flying sync.WaitGroup
	defer flying.Wait()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			flying.Go(func() { l.send(context.WithoutCancel(ctx), n) })
		}
	}
}

// send is the n-th request.
func (l *traffic) send(ctx context.Context, n int) {
	var request *http.Request
	var err error
	name := fmt.Sprintf("person%d@example.com", n)
	provision := func(method, path, body string) {
		if request, err = http.NewRequestWithContext(ctx, method, l.base+"/scim/v2"+path, strings.NewReader(body)); err == nil {
			request.Header.Set("Authorization", "Bearer "+l.token)
			request.Header.Set("Content-Type", "application/scim+json")
		}
	}
	switch n % 5 {
	case 0, 1:
		provision(http.MethodPost, "/Users", userBody(name))
	case 2:
		provision(http.MethodGet, "/Users?filter="+url.QueryEscape(`userName eq "`+name+`"`), "")
	case 3:
		if request, err = http.NewRequestWithContext(ctx, http.MethodGet, l.base+"/api/v1/me", nil); err == nil {
			request.Header.Set("Cookie", l.cookie)
		}
	case 4:
		request, err = http.NewRequestWithContext(ctx, http.MethodGet, l.base+"/api/v1/oauth/custom-oidc", nil)
	}
	if err == nil {
		err = l.answered(request)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent++
	if err != nil {
		l.failures = append(l.failures, fmt.Sprintf("request %d: %v", n, err))
	} else if n%5 < 2 {
		l.made = append(l.made, name)
	}
}

// answered reports a request that failed.
func (l *traffic) answered(request *http.Request) error {
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: 30 * time.Second}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if body, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s %s %w", request.Method, request.URL.Path, answer.Status, body, err)
	}
	return nil
}

// check fails for every request that failed, and for everybody who was acknowledged and is not there.
func (l *traffic) check(t *testing.T) {
	t.Helper()
	t.Logf("%d requests", l.sent)
	if l.sent < 100 || len(l.made) < 20 {
		t.Errorf("only %d requests were sent", l.sent)
	}
	for _, failure := range l.failures {
		t.Error(failure)
	}
	client := scimClient{base: l.base, token: l.token}
	status, list, err := client.do(t.Context(), http.MethodGet, "/Users?count=1", "")
	if err != nil || status != http.StatusOK || list["totalResults"] != float64(len(l.made)) {
		t.Errorf("%d people were acknowledged; the list: %d %v %v", len(l.made), status, list["totalResults"], err)
	}
}
