//go:build soak

package ha_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// member is what Patroni's API says of a node.
type member struct {
	Name  string `json:"name"`
	Role  string `json:"role"`
	State string `json:"state"`
	Lag   any    `json:"lag"`
}

// client asks Patroni; a machine that does not answer at once is one that does not answer.
var client = http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// api is the address of a node's Patroni.
func (b *bed) api(node string) string {
	return "http://" + b.network + "1" + node[len(node)-1:] + ":8008"
}

// isPrimary asks a node whether it is the primary.
func (b *bed) isPrimary(node string) bool {
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, b.api(node)+"/primary", nil)
	if err != nil {
		return false
	}
	answer, err := client.Do(request)
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// primary returns the node that says so; empty when none or several do.
func (b *bed) primary() string {
	found := ""
	for _, node := range nodes {
		if b.isPrimary(node) {
			if found != "" {
				return ""
			}
			found = node
		}
	}
	return found
}

// settle waits until the cluster is whole: a leader, its synchronous standby and a replica, in step, seen alike by all three.
func (b *bed) settle() {
	b.Helper()
	b.eventually("the cluster is whole", 4*time.Minute, func() bool {
		return b.primary() != "" && !slices.ContainsFunc(nodes, func(node string) bool { return !b.whole(node) })
	})
}

func (b *bed) whole(node string) bool {
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, b.api(node)+"/cluster", nil)
	if err != nil {
		return false
	}
	answer, err := client.Do(request)
	if err != nil {
		return false
	}
	defer func() { _ = answer.Body.Close() }()
	var cluster struct {
		Members []member `json:"members"`
	}
	if json.NewDecoder(answer.Body).Decode(&cluster) != nil {
		return false
	}
	roles := map[string]int{}
	for _, m := range cluster.Members {
		lag, known := m.Lag.(float64)
		if m.Role != "leader" && (!known || lag > 1<<20) || m.State != "running" && m.State != "streaming" {
			return false
		}
		roles[m.Role]++
	}
	return roles["leader"] == 1 && roles["sync_standby"] == 1 && roles["replica"] == 1
}

// promotion is which node took over, and when PostgreSQL there said that it takes connections that write.
type promotion struct {
	node string
	at   time.Time
}

// watchPromotion waits until a node other than the old primary has taken over.
func (b *bed) watchPromotion(old string, since time.Time, patience time.Duration) (promotion, error) {
	for deadline := since.Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		for _, node := range nodes {
			if node == old {
				continue
			}
			if at := b.tookOver(node, since); !at.IsZero() {
				return promotion{node, at}, nil
			}
		}
	}
	return promotion{}, fmt.Errorf("nobody has taken over from %s after %s", old, patience)
}

// tookOver reads from a node's log when it last became a primary; zero for not since then.
func (b *bed) tookOver(node string, since time.Time) (at time.Time) {
	text, err := os.ReadFile(filepath.Join(b.dir, node, "patroni.log"))
	if err != nil {
		return at
	}
	text = text[max(0, len(text)-1<<20):]
	for line := range strings.Lines(string(text)) {
		if !strings.Contains(line, "database system is ready to accept connections") {
			continue
		}
		const layout = "2006-01-02 15:04:05.000 MST"
		if ready, err := time.Parse(layout, line[:min(len(layout), len(line))]); err == nil && ready.After(since) {
			at = ready
		}
	}
	return at
}
