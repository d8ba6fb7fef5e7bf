package trace

import (
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// The request of OTLP/HTTP in JSON (opentelemetry-proto, trace service): ids are hexadecimal, 64-bit numbers are strings, enums are numbers.
type exportRequest struct {
	ResourceSpans []resourceSpans `json:"resourceSpans"`
}

type resourceSpans struct {
	Resource   resource     `json:"resource"`
	ScopeSpans []scopeSpans `json:"scopeSpans"`
}

type resource struct {
	Attributes []attribute `json:"attributes"`
}

type scopeSpans struct {
	Scope instrumentation `json:"scope"`
	Spans []spanJSON      `json:"spans"`
}

type instrumentation struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

type spanJSON struct {
	TraceID    string      `json:"traceId"`
	SpanID     string      `json:"spanId"`
	ParentID   string      `json:"parentSpanId,omitempty"`
	Flags      uint32      `json:"flags"`
	Name       string      `json:"name"`
	Kind       Kind        `json:"kind"`
	Start      int64       `json:"startTimeUnixNano,string"`
	End        int64       `json:"endTimeUnixNano,string"`
	Attributes []attribute `json:"attributes,omitempty"`
	Status     *status     `json:"status,omitempty"`
}

type attribute struct {
	Key   string         `json:"key"`
	Value attributeValue `json:"value"`
}

type attributeValue struct {
	Text   *string `json:"stringValue,omitempty"`
	Number string  `json:"intValue,omitempty"`
}

type status struct {
	Code int `json:"code"`
}

const (
	// statusError is STATUS_CODE_ERROR; what went well has no status.
	statusError = 2
	// The flags are those of the trace context, and whether the parent is another process.
	flagSampled   = 0x001
	flagHasRemote = 0x100
	flagRemote    = 0x200
)

func (a Attr) encode() attribute {
	if a.isN {
		return attribute{a.Key, attributeValue{Number: strconv.FormatInt(a.n, 10)}}
	}
	return attribute{a.Key, attributeValue{Text: &a.text}}
}

// encode is called after the span's end, when nobody changes it any more but by mistake.
func (s *Span) encode() spanJSON {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	out := spanJSON{
		TraceID: hex.EncodeToString(s.trace[:]), SpanID: hex.EncodeToString(s.id[:]), Flags: flagSampled | flagHasRemote, Name: s.name, Kind: s.kind,
		// The end by the clock that cannot be set, so that no span ends before its beginning.
		Start: s.begun.UnixNano(), End: s.begun.UnixNano() + s.ended.Sub(s.begun).Nanoseconds(),
	}
	if s.parent != (spanID{}) {
		out.ParentID = hex.EncodeToString(s.parent[:])
	}
	if s.remote {
		out.Flags |= flagRemote
	}
	for _, attr := range s.attrs {
		out.Attributes = append(out.Attributes, attr.encode())
	}
	if s.failure != "" {
		out.Status = &status{statusError}
	}
	return out
}

func encode(about map[string]string, version string, spans []*Span) ([]byte, error) {
	var described resource
	for _, key := range slices.Sorted(maps.Keys(about)) {
		described.Attributes = append(described.Attributes, String(key, about[key]).encode())
	}
	encoded := make([]spanJSON, len(spans))
	for i, span := range spans {
		encoded[i] = span.encode()
	}
	return json.Marshal(exportRequest{[]resourceSpans{{described, []scopeSpans{{instrumentation{"muster", version}, encoded}}}}})
}
