package idpcheck

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Config is whom to play, and against which server.
type Config struct {
	// Provider is "okta" or "entra".
	Provider string
	// URL is the SCIM base URL as it is entered at the provider; it is https, or http on this machine.
	// A query, such as Entra's "?aadOptscim062020", goes with every request.
	URL   string
	Token string
	// Domain is that of the test people's addresses; "example.com" when empty.
	Domain string
	// Timeout is how long an answer may take; 30 s when zero. Slow is what is worth a warning; 5 s when zero.
	Timeout, Slow time.Duration
	// Patience is how long a "Retry-After" is waited for, each time; a minute when zero.
	Patience time.Duration
	// Transport is http.DefaultTransport when nil.
	Transport http.RoundTripper
}

// Level is how a step ended.
type Level string

// The levels.
const (
	Passed Level = "passed"
	// Warning is what the provider copes with.
	Warning Level = "warning"
	Failed  Level = "failed"
	// Skipped is a step that needs what an earlier one did not get.
	Skipped Level = "skipped"
)

// Result is one line of the report.
type Result struct {
	Level Level `json:"level"`
	// Item names the step, such as "users.create", and Tries says what it does.
	Item  string `json:"item"`
	Tries string `json:"tries"`
	// Expected and Came are empty for what passed.
	Expected string `json:"expected,omitempty"`
	Came     string `json:"came,omitempty"`
	// Meaning is what it means at the provider, and the cure; empty for what passed.
	Meaning string `json:"meaning,omitempty"`
}

// Summary is what a run came to.
type Summary struct {
	Passed   int `json:"passed"`
	Warnings int `json:"warnings"`
	Failed   int `json:"failed"`
	Skipped  int `json:"skipped"`
	// Left names what was made and could not be removed, or may have been made.
	Left []string `json:"left"`
}

// ErrUnreachable is a server of which nothing can be said.
var ErrUnreachable = errors.New("the server does not answer")

// RefusedError is a configuration that cannot be used; its text says why.
type RefusedError struct{ text string }

func (e *RefusedError) Error() string { return e.text }

// Run plays the conversation and reports each line as it comes, then removes what it made, also when ctx has ended.
// The error is a *RefusedError, ErrUnreachable, or ctx's; a server that fails a step is no error.
func Run(ctx context.Context, config Config, report func(Result)) (Summary, error) {
	target, err := config.target()
	if err != nil {
		return Summary{}, err
	}
	play, err := load(config.Provider)
	if err != nil {
		return Summary{}, err
	}
	r := newRun(config, target, play, report)
	err = r.play(ctx)
	r.cleanUp(context.WithoutCancel(ctx))
	return r.summary, err
}

// target checks what was configured before anything, the token above all, goes over the network.
func (c Config) target() (*url.URL, error) {
	target, err := url.Parse(c.URL)
	switch {
	case err != nil || target.Host == "" || target.Scheme != "https" && target.Scheme != "http":
		return nil, refusedf("the URL is not an address such as https://muster.example.com/scim/v2")
	case target.User != nil:
		return nil, refusedf("the URL holds a user name or a password; the check sends its token only")
	case target.Scheme == "http" && !loopback(target.Hostname()):
		return nil, refusedf("the URL is plain http, by which the token could be read on the way: give the https address; http is for this machine only")
	case c.Token == "":
		return nil, refusedf("there is no token; give the one that the provider is to have")
	case strings.ContainsAny(c.Token, " \t\r\n"):
		return nil, refusedf("the token holds white space, which no token has")
	case strings.ContainsAny(c.Domain, "@\" \\/{}"):
		return nil, refusedf("the domain is not one, such as example.com")
	}
	target.Path = strings.TrimRight(target.Path, "/")
	return target, nil
}

func refusedf(format string, args ...any) error { return &RefusedError{fmt.Sprintf(format, args...)} }

func loopback(host string) bool {
	address := net.ParseIP(host)
	return host == "localhost" || address != nil && address.IsLoopback()
}
