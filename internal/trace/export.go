package trace

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// Config says where spans go.
type Config struct {
	// Endpoint is the whole address that takes them, such as http://localhost:4318/v1/traces.
	Endpoint string
	// Headers go with every request to it.
	Headers map[string]string
	// Resource describes this server, service.name and service.version among it.
	Resource map[string]string
	Sampler  Sampler
	// Log gets a line when spans are not taken, at most one a minute.
	Log *slog.Logger
	// Every is how often spans are sent, five seconds when it is zero.
	Every time.Duration
}

// The bounds of the exporter; queue and batch are OpenTelemetry's own defaults.
const (
	maxQueue      = 2048
	maxBatch      = 512
	exportTimeout = 5 * time.Second
	exportTries   = 3
	longestPause  = 5 * time.Second
	// finishWithin is how long the last spans may take when the server stops.
	finishWithin = 5 * time.Second
	complainOnce = time.Minute
)

// exporter sends spans from a queue.
type exporter struct {
	Config

	client  *http.Client
	queue   chan *Span
	sent    atomic.Int64
	dropped atomic.Int64
	// complained is when the log last heard of a failure; only Run uses it.
	complained time.Time
}

// New makes a Tracer; nothing is sent before Run.
func New(config Config) *Tracer {
	if config.Every == 0 {
		config.Every = 5 * time.Second
	}
	return &Tracer{exporter{
		Config: config, queue: make(chan *Span, maxQueue),
		// A redirect would carry the headers elsewhere.
		client: &http.Client{Timeout: exportTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}, config.Sampler}
}

// Counts returns how many spans were taken by the collector, and how many were not or did not fit into the queue.
func (t *Tracer) Counts() (sent, dropped int64) { return t.sent.Load(), t.dropped.Load() }

// offer never waits.
func (e *exporter) offer(span *Span) {
	select {
	case e.queue <- span:
	default:
		e.dropped.Add(1)
	}
}

// Run sends spans until ctx ends, and then what is left, within a bounded time.
func (t *Tracer) Run(ctx context.Context) {
	ticker := time.NewTicker(t.Every)
	defer ticker.Stop()
	batch := make([]*Span, 0, maxBatch)
	for {
		select {
		case span := <-t.queue:
			if batch = append(batch, span); len(batch) < maxBatch {
				continue
			}
		case <-ticker.C:
		case <-ctx.Done():
			t.finish(context.WithoutCancel(ctx), batch)
			return
		}
		t.send(ctx, batch)
		batch = batch[:0]
	}
}

// finish sends what the queue holds.
func (e *exporter) finish(ctx context.Context, batch []*Span) {
	// The first pause is too long for a server that stops: each batch has one try.
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	until := time.Now().Add(finishWithin)
	for {
		select {
		case span := <-e.queue:
			if batch = append(batch, span); len(batch) < maxBatch {
				continue
			}
		default:
			e.send(ctx, batch)
			return
		}
		if e.send(ctx, batch); time.Now().After(until) {
			e.dropped.Add(int64(len(e.queue)))
			return
		}
		batch = batch[:0]
	}
}

// send sends a batch, more than once where the collector asks for that; what it does not take is dropped.
func (e *exporter) send(ctx context.Context, batch []*Span) {
	if len(batch) == 0 {
		return
	}
	body, err := encode(e.Resource, e.Resource["service.version"], batch)
	var rejected int64
	if err == nil {
		rejected, err = e.deliver(ctx, body)
	}
	if err != nil {
		rejected = int64(len(batch))
	}
	e.sent.Add(int64(len(batch)) - rejected)
	e.dropped.Add(rejected)
	if rejected > 0 && time.Since(e.complained) > complainOnce {
		e.complained = time.Now()
		e.Log.WarnContext(ctx, "traces were not taken by the collector", "spans", rejected, "dropped_since_start", e.dropped.Load(), "error", err)
	}
}

// deliver tries again what may succeed, unless the server is stopping; the try under way may end in any case.
func (e *exporter) deliver(ctx context.Context, body []byte) (rejected int64, err error) {
	for try := 1; ; try++ {
		rejected, err = e.post(context.WithoutCancel(ctx), body)
		again, ok := errors.AsType[*retryError](err)
		if !ok || try == exportTries || !pause(ctx, again.after(try)) {
			return rejected, err
		}
	}
}

// pause reports false when ctx ended first.
func pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// retryError is a failure that may pass.
type retryError struct {
	cause error
	wait  time.Duration
}

func (r *retryError) Error() string { return r.cause.Error() }
func (r *retryError) Unwrap() error { return r.cause }

func (r *retryError) after(try int) time.Duration {
	if r.wait > 0 {
		return min(r.wait, longestPause)
	}
	return time.Duration(try) * time.Second
}

// post returns how many spans the collector has rejected of those that it understood.
func (e *exporter) post(ctx context.Context, body []byte) (rejected int64, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.Endpoint, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Muster")
	for name, value := range e.Headers {
		request.Header.Set(name, value)
	}
	response, err := e.client.Do(request)
	if err != nil {
		return 0, &retryError{cause: err}
	}
	defer func() { _ = response.Body.Close() }()
	answer, _ := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
		return 0, &retryError{answered(response.StatusCode), time.Duration(seconds) * time.Second}
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return 0, answered(response.StatusCode)
	}
	return rejectedIn(answer), nil
}

func answered(status int) error { return fmt.Errorf("the collector answered %d", status) }

// rejectedIn reads a partial success.
func rejectedIn(answer []byte) int64 {
	var read struct {
		PartialSuccess struct {
			RejectedSpans json.RawMessage `json:"rejectedSpans"`
		} `json:"partialSuccess"`
	}
	if json.Unmarshal(answer, &read) != nil {
		return 0
	}
	n, _ := strconv.ParseInt(string(bytes.Trim(read.PartialSuccess.RejectedSpans, `"`)), 10, 64)
	return max(0, n)
}
