//go:build soak

package ha_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"muster/internal/testkit"
)

// bed is the machines of README.md, each a directory and an address of the loopback network:
// three with PostgreSQL, and two for Muster, one with a list of hosts and one behind HAProxy.
// The commands of README.md are run as they stand there, with addresses and directories exchanged.
type bed struct {
	*testing.T

	dir string
	// network stands for the "10.0.0." of the files.
	network string
	guide   map[string][]string
	// server is the user whom PostgreSQL, Patroni and etcd run as; nil for the test's own.
	server *syscall.Credential
	units  map[string]*unit
}

// The machines' names; the last digit of an address says which.
var (
	nodes     = []string{"node1", "node2", "node3"}
	listing   = "app1"
	balancing = "app2"
)

// unit is a running service of a machine.
type unit struct {
	cmd    *exec.Cmd
	exited chan struct{}
}

// newBed follows README.md until the database of Muster is there.
func newBed(t *testing.T) *bed {
	t.Helper()
	if os.Getenv("MUSTER_TEST_HA") == "" {
		t.Fatal("this test needs Patroni, etcd and HAProxy: run make soak")
	}
	// On a disk, and with a short path, because PostgreSQL's socket lies below it.
	dir, err := os.MkdirTemp("/var/tmp", "muster-ha")
	if err != nil {
		t.Fatal(err)
	}
	b := &bed{
		T: t, dir: dir, network: fmt.Sprintf("127.%d.%d.", 1+rand.IntN(250), rand.IntN(250)),
		guide: readGuide(t), units: map[string]*unit{},
	}
	b.becomeServer()
	t.Cleanup(b.tearDown)
	b.outlive()
	b.shims()
	b.pack()
	b.follow("Once: passwords", "desk")
	for i, node := range nodes {
		b.furnish(node)
		b.follow("On each of the three machines", node, fmt.Sprint("N=", i+1))
	}
	b.settle()
	b.follow("Once: the database", nodes[0])
	b.furnish(listing)
	b.follow("Muster, with a list of hosts", listing)
	b.furnish(balancing)
	b.follow("Muster, behind HAProxy", balancing)
	return b
}

// readGuide returns README.md's shell commands by heading.
func readGuide(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	guide := map[string][]string{}
	for _, section := range strings.Split(string(text), "\n## ")[1:] {
		heading, rest, _ := strings.Cut(section, "\n")
		for _, block := range regexp.MustCompile("(?s)```sh norun [^\n]*\n(.*?)```").FindAllStringSubmatch(rest, -1) {
			guide[heading] = append(guide[heading], block[1])
		}
	}
	return guide
}

// becomeServer chooses PostgreSQL's user, who is not root.
func (b *bed) becomeServer() {
	if os.Getuid() != 0 {
		return
	}
	postgres, err := user.Lookup("postgres")
	if err != nil {
		b.Fatal(err)
	}
	uid, _ := strconv.ParseUint(postgres.Uid, 10, 32)
	gid, _ := strconv.ParseUint(postgres.Gid, 10, 32)
	b.server = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	b.must(os.Chmod(b.dir, 0o755))
}

// shims are the two commands of README.md that a test must not run: what is installed is looked up, and services are the bed's own.
func (b *bed) shims() {
	b.must(os.Mkdir(filepath.Join(b.dir, "bin"), 0o755))
	for name, text := range map[string]string{
		"apt-get": `for package; do case $package in install|-*) ;; *) dpkg-query -W -f '${Status}\n' "$package" | grep -q 'ok installed' || exit 1;; esac; done`,
		// What is asked of services is done when the block has ended.
		"systemctl": `echo "$*" >> "$MACHINE/systemctl"`,
	} {
		b.must(os.WriteFile(filepath.Join(b.dir, "bin", name), []byte("#!/bin/sh\n"+text+"\n"), 0o755))
	}
}

// pack puts this directory on the desk, where it is made ready.
func (b *bed) pack() {
	b.must(os.CopyFS(filepath.Join(b.dir, "desk", "copy"), os.DirFS(".")))
}

// furnish makes a machine with the directories that Debian's packages make, and the desk's copy on it.
func (b *bed) furnish(machine string) {
	b.Helper()
	root := filepath.Join(b.dir, machine)
	for _, dir := range []string{"etc/default", "etc/patroni", "etc/haproxy", "etc/muster", "var/lib/postgresql", "var/lib/etcd", "var/run/postgresql"} {
		b.must(os.MkdirAll(filepath.Join(root, dir), 0o755))
		if b.server != nil {
			b.must(os.Chown(filepath.Join(root, dir), int(b.server.Uid), int(b.server.Gid)))
		}
	}
	b.must(os.CopyFS(filepath.Join(root, "copy"), os.DirFS(filepath.Join(b.dir, "desk", "copy"))))
	files, err := filepath.Glob(filepath.Join(root, "copy", "*"))
	b.must(err)
	for _, name := range files {
		text, err := os.ReadFile(name)
		b.must(err)
		b.must(os.WriteFile(name, []byte(b.here(string(text), machine)), 0o644))
	}
}

// here exchanges the addresses and directories of a text for a machine's.
func (b *bed) here(text, machine string) string {
	root := filepath.Join(b.dir, machine)
	text = strings.NewReplacer(
		// Whoever connects comes from 127.0.0.1.
		"10.0.0.0/24", "127.0.0.0/8", "10.0.0.", b.network, "127.0.0.1:5000", b.network+"20:5000", " /etc/", " "+root+"/etc/", " /var/", " "+root+"/var/",
	).Replace(text)
	if os.Getuid() != 0 {
		text = regexp.MustCompile(`(?m)^    (user|group) haproxy$`).ReplaceAllString(text, "")
	}
	return text
}

// follow runs the commands below a heading of README.md on a machine, then starts and stops the services that they name.
func (b *bed) follow(heading, machine string, environment ...string) {
	b.Helper()
	if len(b.guide[heading]) == 0 {
		b.Fatalf("README.md has no commands below %q", heading)
	}
	for i, block := range b.guide[heading] {
		if heading == "On each of the three machines" && i > 0 {
			continue // what is to be looked at when all three run
		}
		b.run(machine, block, environment...)
		b.services(machine)
	}
}

// run runs shell commands on a machine and returns what they printed.
func (b *bed) run(machine, commands string, environment ...string) string {
	b.Helper()
	root := filepath.Join(b.dir, machine)
	shell := exec.Command("bash", "-euc", b.here(commands, machine))
	shell.Dir = filepath.Join(root, "copy")
	shell.Env = append([]string{"PATH=" + filepath.Join(b.dir, "bin") + ":" + os.Getenv("PATH") + ":/usr/sbin", "HOME=" + root, "MACHINE=" + root}, environment...)
	var stderr bytes.Buffer
	shell.Stderr = &stderr
	out, err := shell.Output()
	if err != nil {
		b.Fatalf("on %s: %v\n%s\n%s%s", machine, err, commands, out, stderr.String())
	}
	return string(out)
}

// services does what was asked of systemctl.
func (b *bed) services(machine string) {
	b.Helper()
	asked := filepath.Join(b.dir, machine, "systemctl")
	text, err := os.ReadFile(asked)
	if os.IsNotExist(err) {
		return
	}
	b.must(err)
	b.must(os.Remove(asked))
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		for _, name := range words[1:] {
			if words[0] == "restart" && !strings.HasPrefix(name, "-") {
				b.start(machine, name)
			}
		}
	}
}

// start starts a service as Debian's unit does.
func (b *bed) start(machine, name string) {
	b.Helper()
	etc := filepath.Join(b.dir, machine, "etc")
	var cmd *exec.Cmd
	settings, credential := "", b.server
	switch name {
	case "etcd":
		cmd, settings = exec.Command("etcd"), filepath.Join(etc, "default/etcd")
	case "patroni":
		cmd, settings = exec.Command("patroni", filepath.Join(etc, "patroni/config.yml")), filepath.Join(etc, "patroni_env.conf")
	case "haproxy":
		cmd, credential = exec.Command("/usr/sbin/haproxy", "-db", "-f", filepath.Join(etc, "haproxy/haproxy.cfg")), nil
	default:
		b.Fatalf("there is no service %q", name)
	}
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8"}
	if settings != "" {
		text, err := os.ReadFile(settings)
		b.must(err)
		for line := range strings.Lines(b.here(string(text), machine)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				cmd.Env = append(cmd.Env, strings.ReplaceAll(line, "=/var/", "="+filepath.Join(b.dir, machine)+"/var/"))
			}
		}
	}
	log, err := os.OpenFile(filepath.Join(b.dir, machine, name+".log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	b.must(err)
	defer func() { _ = log.Close() }()
	cmd.Dir, cmd.Stdout, cmd.Stderr = filepath.Join(b.dir, machine), log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
	b.must(cmd.Start())
	u := &unit{cmd: cmd, exited: make(chan struct{})}
	go func() { _ = cmd.Wait(); close(u.exited) }()
	b.units[machine+"/"+name] = u
}

// signal sends a signal to everything that runs on a machine, PostgreSQL's processes included.
func (b *bed) signal(machine string, signal syscall.Signal) {
	b.Helper()
	var roots []int
	if text, err := os.ReadFile(filepath.Join(b.dir, machine, "var/lib/postgresql/15/muster/postmaster.pid")); err == nil {
		line, _, _ := strings.Cut(string(text), "\n")
		if pid, err := strconv.Atoi(line); err == nil && b.ours(pid, machine) {
			roots = append(roots, pid)
		}
	}
	for name, u := range b.units {
		select {
		case <-u.exited:
		default:
			if strings.HasPrefix(name, machine+"/") {
				roots = append(roots, u.cmd.Process.Pid)
			}
		}
	}
	for _, pid := range descendants(roots) {
		_ = syscall.Kill(pid, signal) // it may have ended by itself
	}
}

// ours reports whether a process works in the machine's directory, so that a number that was given to another one is left alone.
func (b *bed) ours(pid int, machine string) bool {
	cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	return err == nil && strings.HasPrefix(cwd, filepath.Join(b.dir, machine)+"/")
}

// descendants returns processes and all that they have started.
func descendants(roots []int) []int {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	children := map[int][]int{}
	for _, name := range stats {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		// The name stands in brackets and may hold anything.
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		parent, _ := strconv.Atoi(fields[1])
		children[parent] = append(children[parent], pid)
	}
	all := roots
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// kill takes a machine's power away.
func (b *bed) kill(machine string) {
	b.Helper()
	b.signal(machine, syscall.SIGKILL)
	for name, u := range b.units {
		if strings.HasPrefix(name, machine+"/") {
			<-u.exited
			delete(b.units, name)
		}
	}
}

// boot gives it back.
func (b *bed) boot(machine string) {
	b.Helper()
	b.start(machine, "etcd")
	b.start(machine, "patroni")
}

// outlive lets a shell end PostgreSQL's servers when the test is cut off, for they are nobody's children.
func (b *bed) outlive() {
	const watch = `while kill -0 "$1" 2>/dev/null; do sleep 2; done
for file in "$2"/node*/var/lib/postgresql/15/muster/postmaster.pid; do kill -QUIT "$(head -n 1 "$file")"; done`
	shell := exec.Command("sh", "-c", watch, "sh", strconv.Itoa(os.Getpid()), b.dir)
	shell.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	b.must(shell.Start())
	b.Cleanup(func() { _ = shell.Process.Kill(); _ = shell.Wait() })
}

func (b *bed) tearDown() {
	for _, machine := range append([]string{listing, balancing}, nodes...) {
		b.signal(machine, syscall.SIGCONT)
		b.kill(machine)
	}
	if b.Failed() {
		b.Logf("the logs of the machines are kept in %s", b.dir)
		return
	}
	if err := os.RemoveAll(b.dir); err != nil {
		b.Log(err)
	}
}

// muster starts a server with the settings that README.md has left on the machine.
func (b *bed) muster(machine, binary, key string) *testkit.Process {
	b.Helper()
	settings, err := os.ReadFile(filepath.Join(b.dir, machine, "etc/muster/muster.env"))
	b.must(err)
	env := append(strings.Fields(string(settings)), "ENCRYPTION_KEY="+key, "LOG_FORMAT=json", "LOG_LEVEL=warn")
	return testkit.Start(b, testkit.Program{Path: binary, Args: []string{"serve"}, Env: env})
}

func (b *bed) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// eventually waits until a condition holds.
func (b *bed) eventually(what string, patience time.Duration, holds func() bool) {
	b.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatalf("after %s it is not so that %s", patience, what)
		}
	}
}
