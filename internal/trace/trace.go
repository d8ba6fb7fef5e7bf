package trace

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"sync"
	"time"
)

// Kind is what a span is to its neighbours, in OTLP's numbers.
type Kind int

// The kinds that this server has.
const (
	Internal Kind = 1
	Server   Kind = 2
	Client   Kind = 3
)

type (
	traceID [16]byte
	spanID  [8]byte
)

// Attr is an attribute of a span: a text or a number.
type Attr struct {
	Key  string
	text string
	n    int64
	isN  bool
}

// String is an attribute that is a text.
func String(key, value string) Attr { return Attr{Key: key, text: value} }

// Int is an attribute that is a number.
func Int(key string, value int) Attr { return Attr{Key: key, n: int64(value), isN: true} }

// Tracer makes spans; it is made by New, and a nil one makes none.
type Tracer struct {
	exporter

	sampler Sampler
}

// Span is one piece of work with a beginning and an end. A nil one does nothing.
type Span struct {
	tracer  *Tracer
	trace   traceID
	id      spanID
	parent  spanID
	remote  bool
	sampled bool
	kind    Kind
	begun   time.Time

	mutex   sync.Mutex
	name    string
	ended   time.Time
	attrs   []Attr
	failure string
}

// scopeKey is the only context key of this package; its value is a scope.
type scopeKey struct{}

// scope is where in a trace a piece of work stands; without a span it begins one of its own.
type scope struct {
	tracer *Tracer
	span   *Span
}

// Context lets what runs in ctx make spans of its own, such as work that no request asked for.
func (t *Tracer) Context(ctx context.Context) context.Context {
	if t == nil {
		return ctx
	}
	return context.WithValue(ctx, scopeKey{}, scope{tracer: t})
}

// Serve begins the span of a request; traceparent is the header of a peer that is believed, and empty otherwise (W3C Trace Context).
func (t *Tracer) Serve(ctx context.Context, traceparent string) (context.Context, *Span) {
	if t == nil {
		return ctx, nil
	}
	parent := parseTraceparent(traceparent)
	span := t.begin(parent, Server, "HTTP", nil)
	return context.WithValue(ctx, scopeKey{}, scope{t, span}), span
}

// Start begins a span below the one of ctx, or a trace where there is none.
func Start(ctx context.Context, kind Kind, name string, attrs ...Attr) (context.Context, *Span) {
	at, ok := ctx.Value(scopeKey{}).(scope)
	if !ok {
		return ctx, nil
	}
	span := at.tracer.begin(at.span.position(), kind, name, attrs)
	return context.WithValue(ctx, scopeKey{}, scope{at.tracer, span}), span
}

// Record writes down what has ended just now and took so long; failure is empty for what went well.
// It does nothing where there is no span that it could belong to.
func Record(ctx context.Context, kind Kind, name string, took time.Duration, failure string, attrs ...Attr) {
	parent := From(ctx)
	if parent == nil || !parent.sampled {
		return
	}
	span := parent.tracer.begin(parent.position(), kind, name, attrs)
	span.begun = span.begun.Add(-took)
	span.Fail(failure)
	span.End()
}

// From returns the span of ctx; nil when there is none.
func From(ctx context.Context) *Span {
	at, _ := ctx.Value(scopeKey{}).(scope)
	return at.span
}

// Trace returns the trace's id in hexadecimal, for logs; empty when there is none.
func (s *Span) Trace() string {
	if s == nil {
		return ""
	}
	return hex.EncodeToString(s.trace[:])
}

// Rename gives the span a name that was not known at its beginning.
func (s *Span) Rename(name string) {
	if s == nil {
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.name = name
}

// Set adds attributes.
func (s *Span) Set(attrs ...Attr) {
	if s == nil || !s.sampled {
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.attrs = append(s.attrs, attrs...)
}

// Fail says that the work failed, with a word for how; an empty one says nothing.
func (s *Span) Fail(kind string) {
	if s == nil || kind == "" {
		return
	}
	s.Set(String("error.type", kind))
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.failure = kind
}

// End ends the span and hands it over; what comes after the first End has no effect.
func (s *Span) End() {
	if s == nil {
		return
	}
	s.mutex.Lock()
	over := !s.ended.IsZero()
	if !over {
		s.ended = time.Now()
	}
	s.mutex.Unlock()
	if !over && s.sampled {
		s.tracer.offer(s)
	}
}

// position is where a span stands, for what begins below it.
func (s *Span) position() position {
	if s == nil {
		return position{}
	}
	return position{trace: s.trace, span: s.id, sampled: s.sampled, known: true}
}

func (t *Tracer) begin(parent position, kind Kind, name string, attrs []Attr) *Span {
	span := &Span{tracer: t, kind: kind, name: name, attrs: attrs, begun: time.Now(), trace: parent.trace, parent: parent.span, remote: parent.remote}
	binary.BigEndian.PutUint64(span.id[:], randomID())
	if !parent.known {
		binary.BigEndian.PutUint64(span.trace[:8], randomID())
		binary.BigEndian.PutUint64(span.trace[8:], randomID())
	}
	// Within this server the first span has decided.
	if span.sampled = parent.sampled; !parent.known || parent.remote {
		span.sampled = t.sampler(parent, span.trace)
	}
	return span
}

// randomID is never zero, which stands for none.
func randomID() uint64 {
	for {
		if id := rand.Uint64(); id != 0 { //nolint:gosec // names a span, hides nothing
			return id
		}
	}
}
