package trace

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
)

// position is a place in a trace; the zero position is none.
type position struct {
	trace   traceID
	span    spanID
	sampled bool
	// remote says that another process said so.
	remote bool
	known  bool
}

// parseTraceparent reads the header (W3C Trace Context section 3.2); what is not well-formed is as if it were not there.
func parseTraceparent(text string) position {
	const length = len("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	// Later versions may add to the end, behind a dash.
	if len(text) < length || len(text) > length && (text[:2] == "00" || text[length] != '-') {
		return position{}
	}
	text = text[:length]
	parts := strings.Split(text, "-")
	if len(parts) != 4 || len(parts[0]) != 2 || len(parts[1]) != 32 || len(parts[2]) != 16 || parts[0] == "ff" || text != strings.ToLower(text) {
		return position{}
	}
	at := position{remote: true, known: true}
	var version, flags [1]byte
	for i, to := range [][]byte{version[:], at.trace[:], at.span[:], flags[:]} {
		if _, err := hex.Decode(to, []byte(parts[i])); err != nil {
			return position{}
		}
	}
	if at.trace == (traceID{}) || at.span == (spanID{}) {
		return position{}
	}
	at.sampled = flags[0]&1 == 1
	return at
}

// Traceparent is the header for a request that is part of ctx's span; empty when there is none.
func Traceparent(ctx context.Context) string {
	span := From(ctx)
	if span == nil {
		return ""
	}
	flags := 0
	if span.sampled {
		flags = 1
	}
	return fmt.Sprintf("00-%x-%x-%02x", span.trace, span.id, flags)
}
