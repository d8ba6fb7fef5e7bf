// Package otlp is a collector of traces for tests. It reads what it is sent as the OTLP specification has it, and nothing else.
package otlp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"
)

// Span is one that has arrived.
type Span struct {
	Trace, ID, Parent, Name string
	Kind                    int
	Flags                   uint32
	Begun, Ended            time.Time
	Attributes              map[string]any
	Failed                  bool
	// Resource and Scope are whose span it is.
	Resource map[string]any
	Scope    string
}

// Collector takes spans.
type Collector struct {
	// URL is the whole address for traces.
	URL string

	t       testing.TB
	mutex   sync.Mutex
	spans   []Span
	raw     bytes.Buffer
	headers []http.Header
	answers []func(http.ResponseWriter)
}

// New starts a collector that ends with the test.
func New(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{t: t}
	server := httptest.NewServer(http.HandlerFunc(c.take))
	t.Cleanup(server.Close)
	c.URL = server.URL + "/v1/traces"
	return c
}

// Answer makes the collector answer the next requests otherwise, without taking what they bring.
func (c *Collector) Answer(with ...func(http.ResponseWriter)) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.answers = with
}

// Spans returns what has arrived, Headers what came with each request, and Raw all bodies as they were sent.
func (c *Collector) Spans() []Span {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return append([]Span(nil), c.spans...)
}

// Headers are the header fields of each request.
func (c *Collector) Headers() []http.Header {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return append([]http.Header(nil), c.headers...)
}

// Raw is everything that was sent.
func (c *Collector) Raw() string {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.raw.String()
}

func (c *Collector) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.headers = append(c.headers, r.Header)
	_, _ = c.raw.Write(body)
	if len(c.answers) > 0 {
		c.answers[0](w)
		c.answers = c.answers[1:]
		return
	}
	if err != nil || r.Method != http.MethodPost || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/json" {
		c.t.Errorf("OTLP: %s %s %q, %v", r.Method, r.URL.Path, r.Header.Get("Content-Type"), err)
	}
	spans, err := Decode(body)
	if err != nil {
		c.t.Errorf("OTLP: %v in %s", err, body)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.spans = append(c.spans, spans...)
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, "{}")
}

// The messages of opentelemetry-proto, as its JSON mapping has them: ids are hexadecimal, 64-bit numbers strings, enums numbers.
type message struct {
	ResourceSpans []struct {
		Resource struct {
			Attributes []keyValue `json:"attributes"`
		} `json:"resource"`
		ScopeSpans []struct {
			Scope struct {
				Name    string `json:"name"`
				Version string `json:"version"`
			} `json:"scope"`
			Spans []span `json:"spans"`
		} `json:"scopeSpans"`
	} `json:"resourceSpans"`
}

type span struct {
	TraceID      string     `json:"traceId"`
	SpanID       string     `json:"spanId"`
	ParentSpanID string     `json:"parentSpanId"`
	TraceState   string     `json:"traceState"`
	Flags        uint32     `json:"flags"`
	Name         string     `json:"name"`
	Kind         int        `json:"kind"`
	Start        string     `json:"startTimeUnixNano"`
	End          string     `json:"endTimeUnixNano"`
	Attributes   []keyValue `json:"attributes"`
	Status       struct {
		Message string `json:"message"`
		Code    int    `json:"code"`
	} `json:"status"`
}

type keyValue struct {
	Key   string `json:"key"`
	Value struct {
		StringValue *string `json:"stringValue"`
		IntValue    *string `json:"intValue"`
	} `json:"value"`
}

// Decode reads an ExportTraceServiceRequest; what the specification does not allow is an error.
func Decode(body []byte) ([]Span, error) {
	var read message
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&read); err != nil {
		return nil, err
	}
	var spans []Span
	for _, from := range read.ResourceSpans {
		resource, err := attributes(from.Resource.Attributes)
		if err != nil {
			return nil, err
		}
		for _, scope := range from.ScopeSpans {
			for _, one := range scope.Spans {
				made, err := one.span()
				if err != nil {
					return nil, err
				}
				made.Resource, made.Scope = resource, scope.Scope.Name
				spans = append(spans, made)
			}
		}
	}
	if len(spans) == 0 {
		return nil, fmt.Errorf("there are no spans")
	}
	return spans, nil
}

func (s span) span() (Span, error) {
	hex := func(text string, digits int) bool {
		return regexp.MustCompile(fmt.Sprintf("^[0-9a-f]{%d}$", digits)).MatchString(text) && !regexp.MustCompile("^0+$").MatchString(text)
	}
	if !hex(s.TraceID, 32) || !hex(s.SpanID, 16) || s.ParentSpanID != "" && !hex(s.ParentSpanID, 16) || s.Name == "" || s.Kind < 1 || s.Kind > 5 || s.Status.Code < 0 || s.Status.Code > 2 {
		return Span{}, fmt.Errorf("ids, name, kind or status of %+v", s)
	}
	begun, err := nanoseconds(s.Start)
	if err != nil {
		return Span{}, err
	}
	ended, err := nanoseconds(s.End)
	if err != nil {
		return Span{}, err
	}
	if ended.Before(begun) {
		return Span{}, fmt.Errorf("%s ends before it begins", s.Name)
	}
	found, err := attributes(s.Attributes)
	return Span{
		Trace: s.TraceID, ID: s.SpanID, Parent: s.ParentSpanID, Name: s.Name, Kind: s.Kind, Flags: s.Flags,
		Begun: begun, Ended: ended, Attributes: found, Failed: s.Status.Code == 2,
	}, err
}

func nanoseconds(text string) (time.Time, error) {
	n, err := strconv.ParseUint(text, 10, 63)
	return time.Unix(0, int64(n)), err
}

// attributes are texts and whole numbers here; a key is there once.
func attributes(list []keyValue) (map[string]any, error) {
	read := map[string]any{}
	for _, one := range list {
		_, twice := read[one.Key]
		switch {
		case one.Key == "" || twice || (one.Value.StringValue == nil) == (one.Value.IntValue == nil):
			return nil, fmt.Errorf("the attribute %q", one.Key)
		case one.Value.StringValue != nil:
			read[one.Key] = *one.Value.StringValue
		default:
			n, err := strconv.ParseInt(*one.Value.IntValue, 10, 64)
			if err != nil {
				return nil, err
			}
			read[one.Key] = int(n)
		}
	}
	return read, nil
}
