package idpcheck

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	// mostBytes is how much of an answer is read; a page of 100 people is far smaller.
	mostBytes = 8 << 20
	// mostTries is how often a request is sent when the server says to come back later.
	mostTries = 5
)

// errTooLarge is an answer that was not read to its end.
var errTooLarge = fmt.Errorf("an answer of more than %d MiB", mostBytes>>20)

// request is one that is filled in.
type request struct{ method, path, body, header string }

// line names it in the report.
func (r request) line() string { return r.method + " " + r.path }

// answer is what came.
type answer struct {
	status int
	header http.Header
	// body is the JSON value, nil for none; raw is the text as it came.
	body any
	raw  []byte
}

// client sends the requests as the provider would.
type client struct {
	http     *http.Client
	target   *url.URL
	token    string
	script   script
	timeout  time.Duration
	patience time.Duration
	frame    *frame
}

func newClient(config Config, target *url.URL, play script, watch *frame) *client {
	return &client{
		// No redirect is followed: the token would go along.
		http:   &http.Client{Transport: config.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		target: target, token: config.Token, script: play, frame: watch,
		timeout: orElse(config.Timeout, 30*time.Second), patience: orElse(config.Patience, time.Minute),
	}
}

// send sends a request, again where the server says when to come back.
// A POST that is on its way is waited for even when ctx ends, so that it is known what it made.
func (c *client) send(ctx context.Context, r request) (answer, error) {
	for try := 1; ; try++ {
		sending := ctx
		if r.method == http.MethodPost {
			sending = context.WithoutCancel(ctx)
		}
		got, err := c.once(sending, r)
		if err != nil || got.status != http.StatusTooManyRequests && got.status != http.StatusServiceUnavailable {
			return got, err
		}
		wait, told := retryAfter(got.header)
		c.frame.limited(r, got.status, told)
		if try == mostTries || wait > c.patience {
			return got, nil
		}
		select {
		case <-ctx.Done():
			return got, nil
		case <-time.After(wait):
		}
	}
}

// retryAfter returns how long the server asks to wait, which providers read as whole seconds, and whether it does.
func retryAfter(header http.Header) (time.Duration, bool) {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return time.Second, false
	}
	return time.Duration(seconds) * time.Second, true
}

func (c *client) once(ctx context.Context, r request) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	sent, err := c.compose(ctx, r)
	if err != nil {
		return answer{}, err
	}
	began := time.Now()
	res, err := c.http.Do(sent)
	if err != nil {
		return answer{}, c.unanswered(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, mostBytes+1))
	if err != nil {
		return answer{}, c.unanswered(err)
	}
	got := answer{status: res.StatusCode, header: res.Header, raw: raw}
	if len(raw) > mostBytes {
		c.frame.tooLarge(r)
		return got, errTooLarge
	}
	got.body = decode(raw)
	c.frame.see(r, got, time.Since(began), c.script.accept == "application/scim+json")
	return got, nil
}

func (c *client) compose(ctx context.Context, r request) (*http.Request, error) {
	var body io.Reader
	if r.body != "" {
		body = bytes.NewReader([]byte(r.body))
	}
	sent, err := http.NewRequestWithContext(ctx, r.method, c.address(r.path), body)
	if err != nil {
		return nil, err
	}
	sent.Header.Set("Authorization", "Bearer "+c.token)
	sent.Header.Set("Accept", c.script.accept)
	sent.Header.Set("User-Agent", c.script.agent) // an empty one is not sent
	if r.body != "" {
		sent.Header.Set("Content-Type", "application/scim+json; charset=utf-8")
		if c.script.chunked {
			sent.ContentLength = -1
		}
	}
	if name, value, found := strings.Cut(r.header, ": "); found {
		sent.Header.Set(name, value)
	}
	return sent, nil
}

// address escapes a path with its query as providers do: spaces as %20.
func (c *client) address(path string) string {
	path, query, _ := strings.Cut(path, "?")
	var parameters []string
	if query != "" {
		for _, parameter := range strings.Split(query, "&") {
			name, value, found := strings.Cut(parameter, "=")
			if found {
				name += "=" + strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
			}
			parameters = append(parameters, name)
		}
	}
	if c.target.RawQuery != "" {
		parameters = append(parameters, c.target.RawQuery)
	}
	address := c.target.Scheme + "://" + c.target.Host + c.target.EscapedPath() + path
	if len(parameters) > 0 {
		address += "?" + strings.Join(parameters, "&")
	}
	return address
}

// unanswered says why there is no answer, without the address, which the report names already.
func (c *client) unanswered(err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		if failed.Timeout() {
			return fmt.Errorf("no answer within %s", c.timeout)
		}
		return failed.Err
	}
	return err
}

// printable makes a text that came from a server fit for one line of a terminal, without the token, which a server may repeat.
func (c *client) printable(text string) string {
	text = strings.ReplaceAll(text, c.token, "[token]")
	text = strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > 300 {
		text = string(runes[:300]) + "…"
	}
	return strings.Join(strings.Fields(text), " ")
}

// decode reads one JSON value and nothing behind it; nil stands for none.
func decode(raw []byte) any {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil || decoder.More() {
		return nil
	}
	return value
}
