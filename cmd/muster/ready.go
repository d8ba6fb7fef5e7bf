package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"muster/domain"
)

// readyPatience is longer than the server's own checks may take.
const readyPatience = 4 * time.Second

type readyCommand struct{}

// Run asks the server that this configuration describes, on the same machine, for containers that hold nothing else to ask with.
func (readyCommand) Run(env environment) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	if err := askReady(env, reachable(cfg.Listen)); err != nil {
		return err
	}
	_, err = fmt.Fprintln(env.stdout, "ready")
	return err
}

// reachable turns an address that is listened on into one that can be asked: all of a machine's addresses include its loopback.
func reachable(listen string) string {
	host, port, _ := net.SplitHostPort(listen) // the configuration was checked
	if address := net.ParseIP(host); host == "" || address.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// askReady is domain.Unavailable, with what the server said, when it is not ready; readiness has no base path.
func askReady(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, readyPatience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", nil)
	if err != nil {
		return err
	}
	// Not the default transport, which would ask a proxy from the environment.
	answer, err := new(http.Transport).RoundTrip(request)
	if err != nil {
		return domain.Wrap(domain.Unavailable, err, "no server answers at %s", address)
	}
	defer func() { _ = answer.Body.Close() }()
	body, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<10)) // the status says enough without it
	if answer.StatusCode != http.StatusOK {
		return domain.Errorf(domain.Unavailable, "the server is not ready: %s %s", answer.Status, strings.TrimSpace(string(body)))
	}
	return nil
}
