package main

import (
	"fmt"
	"net"
	"net/http"
	"time"

	"muster/domain"
)

type readyCommand struct{}

// Run asks the server that this configuration describes, on the same machine, for containers that hold nothing else to ask with.
func (readyCommand) Run(env environment) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return err
	}
	if address := net.ParseIP(host); host == "" || address.IsUnspecified() {
		host = "localhost"
	}
	request, err := http.NewRequestWithContext(env, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: 3 * time.Second}
	answer, err := client.Do(request)
	if err != nil {
		return domain.Wrap(domain.Unavailable, err, "no server listens there")
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return domain.Errorf(domain.Unavailable, "the server is not ready: %s", answer.Status)
	}
	_, err = fmt.Fprintln(env.stdout, "ready")
	return err
}
