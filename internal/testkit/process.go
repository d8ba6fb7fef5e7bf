package testkit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a program may take to be ready or to end; it is for machines that are busy, and no measure of speed.
const patience = 60 * time.Second

// Program is a built program and how to run it as a server.
type Program struct {
	// Path is the binary's; Build returns one.
	Path string
	Args []string
	// Env is added to a nearly empty environment with LISTEN_ADDRESS in it.
	Env []string
	// Address is where the program listens; empty for any free address.
	Address string
	// Ready is the path that answers 200 when the server is ready; "/readyz" when empty.
	Ready string
}

// Process is a running Program; it is killed when its test ends.
type Process struct {
	// Address is where it listens, host and port, and URL the same with a scheme; a restart keeps both.
	Address string
	URL     string

	t       testing.TB
	program Program
	stdout  buffer
	stderr  buffer
	cmd     *exec.Cmd
	exited  chan struct{}
}

// Build builds a main package of this module, such as "./cmd/muster", as it is released, and returns the binary's path.
// It does so once in a test process; the go command does nothing when the binary is up to date already.
func Build(t testing.TB, mainPackage string) string {
	t.Helper()
	return built(t, mainPackage)
}

// BuildRace is Build with the race detector, where the test has it: for programs that many ask at once.
// It makes a program several times as slow.
func BuildRace(t testing.TB, mainPackage string) string {
	t.Helper()
	return built(t, mainPackage, raceFlags()...)
}

// builds are the binaries that this test process has built.
var builds = struct { //nolint:gochecknoglobals // what is built stays built as long as the process runs
	sync.Mutex

	done map[string]bool
}{done: map[string]bool{}}

func built(t testing.TB, mainPackage string, flags ...string) string {
	t.Helper()
	root := moduleRoot(t)
	folder := "test"
	if len(flags) > 0 {
		folder += "-race"
	}
	binary := filepath.Join(root, "bin", folder, path.Base(mainPackage))
	builds.Lock()
	defer builds.Unlock()
	if builds.done[binary] {
		return binary
	}
	if err := goBuild(root, binary, mainPackage, flags...); err != nil {
		t.Fatal(err)
	}
	builds.done[binary] = true
	return binary
}

// goBuild puts a new binary in place of an old one, which may be running.
// Without the race detector it compiles as "make build" does, so that either finds the work of the other done.
func goBuild(root, binary, mainPackage string, flags ...string) error {
	environment := os.Environ()
	if len(flags) == 0 {
		flags, environment = []string{"-trimpath", "-buildvcs=false"}, append(environment, "CGO_ENABLED=0")
	}
	args := append([]string{"build", "-o", binary}, flags...)
	build := exec.CommandContext(context.Background(), "go", append(args, mainPackage)...)
	build.Dir, build.Env = root, environment
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s in %s: %w\n%s", mainPackage, root, err, output)
	}
	return nil
}

// Start runs the program on a free port of 127.0.0.1 and waits until it is ready.
// When the test fails, what the program wrote is logged.
func Start(t testing.TB, program Program) *Process {
	t.Helper()
	p := Launch(t, program)
	p.WaitReady()
	return p
}

// Launch is Start without the wait.
func Launch(t testing.TB, program Program) *Process {
	t.Helper()
	address := program.Address
	if address == "" {
		address = FreeAddress(t)
	}
	p := &Process{t: t, program: program, Address: address, URL: "http://" + address}
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("%s wrote:\n%s%s", program.Path, p.Stdout(), p.Stderr())
		}
	})
	p.launch()
	return p
}

// WaitReady waits until the program is ready and fails the test when it ends instead.
func (p *Process) WaitReady() {
	p.t.Helper()
	ready := p.program.Ready
	if ready == "" {
		ready = "/readyz"
	}
	deadline := time.Now().Add(patience)
	for !answersOK(p.URL + ready) {
		select {
		case <-p.exited:
			p.t.Fatalf("%s ended before it was ready: %s", p.program.Path, p.cmd.ProcessState)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%s was not ready after %s", p.program.Path, patience)
		}
	}
}

// Kill ends the program with SIGKILL, as a crash of the machine would, and returns when it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.exited
}

// Stop asks the program to end with SIGTERM and returns its exit code.
func (p *Process) Stop() int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatalf("SIGTERM: %v", err)
	}
	return p.Wait()
}

// Wait waits until the program ends by itself and returns its exit code.
func (p *Process) Wait() int {
	p.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.t.Fatalf("%s has not ended after %s", p.program.Path, patience)
	}
	return p.cmd.ProcessState.ExitCode()
}

// Restart kills the program if it runs, starts it again on the same address with the same environment, and waits until it is ready.
func (p *Process) Restart() {
	p.t.Helper()
	p.Kill()
	p.launch()
	p.WaitReady()
}

// PID returns the operating system's id of the program.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Stdout returns what the program has written to standard output so far, restarts included.
func (p *Process) Stdout() string { return p.stdout.String() }

// Stderr returns what the program has written to standard error so far, restarts included.
func (p *Process) Stderr() string { return p.stderr.String() }

// launch starts the program; the test's context does not end it, so that clean-up decides when.
func (p *Process) launch() {
	p.t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(p.t.Context()), p.program.Path, p.program.Args...)
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + p.t.TempDir(), "LISTEN_ADDRESS=" + p.Address,
	}, p.program.Env...)
	cmd.Stdout, cmd.Stderr = &p.stdout, &p.stderr
	if err := cmd.Start(); err != nil {
		p.t.Fatalf("%s: %v", p.program.Path, err)
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait() // ProcessState says how it ended
		close(exited)
	}()
	p.cmd, p.exited = cmd, exited
}

// FreeAddress returns an address of 127.0.0.1 on which nobody listens.
func FreeAddress(t testing.TB) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// answersOK asks once, on a connection of its own.
func answersOK(address string) bool {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(address)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// moduleRoot finds the directory of go.mod above the test's own.
func moduleRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test's directory")
		}
		dir = parent
	}
}

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu    sync.Mutex
	bytes bytes.Buffer
}

// Write implements io.Writer.
func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes.Write(p)
}

// String returns what was written so far.
func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes.String()
}
