package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

// settle is how long a server that has just started is left alone before its memory is read.
const settle = time.Second

// process is the server's, which can be stopped and started again at the same address.
type process struct {
	program, base string
	environment   []string
	command       *exec.Cmd
}

// start returns how long it took until the server was ready.
func (p *process) start(ctx context.Context) (time.Duration, error) {
	command := exec.CommandContext(ctx, p.program, "serve")
	command.Env = p.environment
	command.Stderr = os.Stderr
	begun := time.Now()
	if err := command.Start(); err != nil {
		return 0, err
	}
	p.command = command
	err := waitFor(ctx, p.base+"/readyz", http.StatusOK)
	return time.Since(begun), err
}

// stop ends the server and waits for it; a stopped one is left alone.
func (p *process) stop() {
	if p.command == nil {
		return
	}
	_ = p.command.Process.Signal(os.Interrupt)
	_ = p.command.Wait()
	p.command = nil
}

// memory is what a process occupies, in bytes; peak is the most since its start or the last forgetPeak.
type memory struct{ resident, peak int64 }

// memory reads it from the kernel (Linux only).
func (p *process) memory() (memory, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		return memory{}, err
	}
	var m memory
	for line := range strings.Lines(string(status)) {
		for name, value := range map[string]*int64{"VmRSS:": &m.resident, "VmHWM:": &m.peak} {
			if rest, ok := strings.CutPrefix(line, name); ok {
				if _, err := fmt.Sscan(rest, value); err != nil {
					return memory{}, fmt.Errorf("%q: %w", line, err)
				}
				*value *= 1024 // the kernel says kB
			}
		}
	}
	return m, nil
}

// forgetPeak makes the peak begin again at what is resident now.
func (p *process) forgetPeak() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.command.Process.Pid), []byte("5"), 0)
}

// rise is how much more memory the server held at most while do ran than before.
// It starts the server anew, because memory that an earlier request needed and the process keeps would hide some of it.
func (p *process) rise(ctx context.Context, do func() error) (int64, error) {
	p.stop()
	if _, err := p.start(ctx); err != nil {
		return 0, err
	}
	time.Sleep(settle)
	before, err := p.memory()
	if err != nil {
		return 0, err
	}
	if err := errors.Join(p.forgetPeak(), do()); err != nil {
		return 0, err
	}
	after, err := p.memory()
	return max(after.peak-before.resident, 0), err
}
