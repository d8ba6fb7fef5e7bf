//go:build soak

// Package ha_test runs README.md beside it and takes the primary away under load.
package ha_test

import (
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"muster/internal/testkit"
)

// scenario takes the primary away and says when it is whole again.
type scenario struct {
	name string
	// most is the longest gap that is wanted at each server; bound, which fails the test, leaves room for a machine that is busy with other work.
	most, bound time.Duration
	// strike takes the primary away, and heal, run after somebody else took over, brings it back.
	strike, heal func(b *bed, primary string)
	// before is README.md's heading that is followed once before the first round.
	before string
}

func scenarios() []scenario {
	lose := func(b *bed, primary string) { b.kill(primary) }
	boot := func(b *bed, primary string) { b.boot(primary) }
	return []scenario{
		{
			name: "planned switchover", most: 3 * time.Second, bound: 10 * time.Second,
			strike: func(b *bed, primary string) { b.follow("Take a machine out", primary) },
		},
		{name: "node lost, Patroni's defaults", most: 25 * time.Second, bound: 45 * time.Second, strike: lose, heal: boot},
		{name: "node lost, tuned", most: 18 * time.Second, bound: 35 * time.Second, strike: lose, heal: boot, before: "Fail over sooner"},
		{
			// The old primary wakes up when another one is there: whatever it answers then must not count.
			name: "node frozen and thawed, tuned", most: 18 * time.Second, bound: 35 * time.Second,
			strike: func(b *bed, primary string) { b.signal(primary, syscall.SIGSTOP) },
			heal: func(b *bed, primary string) {
				time.Sleep(3 * time.Second)
				b.signal(primary, syscall.SIGCONT)
			},
		},
	}
}

// F7: whoever takes the primary away under load, nothing acknowledged is lost, nothing is done twice, and what the servers were unsure of is resolved.
// MUSTER_SOAK_ROUNDS is how often each scenario is run, 10 without it.
func TestSoakFailover(t *testing.T) {
	rounds := 10
	if text := os.Getenv("MUSTER_SOAK_ROUNDS"); text != "" {
		var err error
		if rounds, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	b := newBed(t)
	var raw [32]byte
	_, _ = rand.Read(raw[:])
	binary := testkit.Build(t, "./cmd/muster")
	one := b.muster(listing, binary, fmt.Sprintf("%x", raw))
	two := b.muster(balancing, binary, fmt.Sprintf("%x", raw))
	load := startLoad(b, b.command(binary, "token", "create"), one, two)
	var table strings.Builder
	_, _ = fmt.Fprintln(&table, "scenario | round | another primary after | gap, list of hosts | gap, HAProxy | first success after that, list / HAProxy | 503 | unsure | of them done")
	for _, s := range scenarios() {
		if s.before != "" {
			b.follow(s.before, nodes[0])
			time.Sleep(12 * time.Second) // every node has read the settings
		}
		for round := range rounds {
			_, _ = fmt.Fprintln(&table, b.round(s, round+1, load))
		}
	}
	load.end()
	average, _ := os.ReadFile("/proc/loadavg")
	t.Logf("%d cores, load average at the end %s", runtime.NumCPU(), average)
	t.Log("\n" + table.String())
	load.check()
	if report := b.command(binary, "audit", "verify"); !strings.Contains(report, "in order") {
		t.Errorf("the audit log: %s", report)
	}
}

// round runs a scenario once and returns a line of the table.
func (b *bed) round(s scenario, round int, l *load) string {
	b.Helper()
	b.settle()
	time.Sleep(2 * time.Second)
	old, from := b.primary(), time.Now()
	refused, unsure, found := l.snapshot()
	b.Logf("%s %d: %s goes", s.name, round, old)
	s.strike(b, old)
	taken, err := b.watchPromotion(old, from, time.Minute)
	b.must(err)
	at := taken.at
	if s.heal != nil {
		s.heal(b, old)
	}
	for server := range l.servers {
		b.eventually("writes are acknowledged again", time.Minute, func() bool { return l.firstAfter(server, at) < time.Hour })
	}
	time.Sleep(5 * time.Second) // what comes late belongs to this round
	gaps, first := [2]time.Duration{}, [2]time.Duration{}
	for server := range gaps {
		gaps[server], first[server] = l.gap(server, from, time.Now()), l.firstAfter(server, at)
	}
	if longest := max(gaps[0], gaps[1]); longest > s.bound {
		b.Errorf("%s: no write for %s; wanted is %s, and more than %s is more than a busy machine explains", s.name, longest, s.most, s.bound)
	}
	refusedNow, unsureNow, foundNow := l.snapshot()
	line := fmt.Sprintf("%s | %d | %.1f s | %.1f s | %.1f s | %.2f s / %.2f s | %d | %d | %d", s.name, round, at.Sub(from).Seconds(),
		gaps[0].Seconds(), gaps[1].Seconds(), first[0].Seconds(), first[1].Seconds(), refusedNow-refused, unsureNow-unsure, foundNow-found)
	b.Log(line)
	return line
}

// command runs Muster's command line on the first of its machines.
func (b *bed) command(binary string, args ...string) string {
	b.Helper()
	settings, err := os.ReadFile(filepath.Join(b.dir, listing, "etc/muster/muster.env"))
	b.must(err)
	command := exec.CommandContext(b.Context(), binary, args...)
	command.Env = strings.Fields(string(settings))
	out, err := command.CombinedOutput()
	if err != nil {
		b.Fatalf("muster %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}
