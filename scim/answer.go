package scim

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"muster/domain"
	"muster/scim/schema"
)

// listURN names the answer to a query (RFC 7644 section 3.4.2).
const listURN = "urn:ietf:params:scim:api:messages:2.0:ListResponse"

// member is a group's member, or a User's group, as it is answered (S15, S16).
type member struct {
	Value   string `json:"value,omitempty"`
	Ref     string `json:"$ref,omitempty"`
	Type    string `json:"type,omitempty"`
	Display string `json:"display,omitempty"`
}

// answer writes the outcome of a call: one resource with its entity tag (S47), with its Location when it is new (S18), or nothing.
func (s *Server) answer(ctx context.Context, w http.ResponseWriter, o outcome) error {
	if o.res.version > 0 {
		w.Header().Set("ETag", etag(o.res.version))
	}
	if o.minimal {
		w.Header().Set("Preference-Applied", "return=minimal")
	}
	switch o.status {
	case http.StatusNoContent, http.StatusNotModified:
		w.WriteHeader(o.status)
		return nil
	case http.StatusCreated:
		w.Header().Set("Location", s.location(o.res.kind, o.res.id))
	}
	out := s.begin(w, o.status)
	out.resource(ctx, s, o.res, o.shown)
	return s.end(out)
}

// answerList writes one page.
func (s *Server) answerList(ctx context.Context, w http.ResponseWriter, list listRequest, found page, links links) error {
	out := s.begin(w, http.StatusOK)
	out.printf(`{"schemas":[%q],"totalResults":%d,`, listURN, found.Total)
	if !list.byCursor {
		out.printf(`"startIndex":%d,`, list.startIndex)
	}
	for _, link := range []struct{ name, cursor string }{{"nextCursor", links.next}, {"previousCursor", links.previous}} {
		if link.cursor != "" {
			out.printf("%q:%q,", link.name, link.cursor)
		}
	}
	out.printf(`"itemsPerPage":%d,"Resources":[`, len(found.Items))
	for i, res := range found.Items {
		if i > 0 {
			out.printf(",")
		}
		out.resource(ctx, s, res, list.projectionOf(res.kind))
	}
	out.printf("]}")
	return s.end(out)
}

// output writes JSON piece by piece, so that a large group is never there twice.
// It keeps its first error.
type output struct {
	w      *bufio.Writer
	buffer bytes.Buffer
	err    error
}

// begin begins an answer; its buffers are used again after end.
func (s *Server) begin(w http.ResponseWriter, status int) *output {
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	if used, ok := s.outputs.Get().(*output); ok {
		used.w.Reset(w)
		used.err = nil
		return used
	}
	return &output{w: bufio.NewWriterSize(w, 4<<10)}
}

func (o *output) printf(format string, args ...any) {
	if o.err == nil {
		_, o.err = fmt.Fprintf(o.w, format, args...)
	}
}

func (o *output) text(text string) {
	if o.err == nil {
		_, o.err = o.w.WriteString(text)
	}
}

// json writes a value without its first skip and its last cut bytes.
func (o *output) json(value any, skip, cut int) {
	if o.err != nil {
		return
	}
	o.buffer.Reset()
	encoder := json.NewEncoder(&o.buffer)
	encoder.SetEscapeHTML(false)
	if o.err = encoder.Encode(value); o.err != nil {
		return
	}
	const newline = 1
	_, o.err = o.w.Write(o.buffer.Bytes()[skip : o.buffer.Len()-newline-cut])
}

// resource writes what the projection leaves of a resource, a group's members last.
func (o *output) resource(ctx context.Context, s *Server, res resource, p projection) {
	if !p.given() && res.passable() {
		o.text(res.text[:len(res.text)-len("}")])
		o.text(",")
		o.json(s.computed(res), len("{"), 0)
		return
	}
	if err := res.decode(); err != nil {
		o.err = err
		return
	}
	doc := p.apply(res.kind.Resource, s.full(res))
	attribute, keep := membersAttribute(res.kind, p)
	if !keep {
		o.json(doc, 0, 0)
		return
	}
	o.json(doc, 0, len("}"))
	o.printf(`,%q:[`, attribute.Name)
	o.members(ctx, s, res, p.subAttributes("", attribute))
	o.text("]}")
}

// members writes a group's members, reading on where there are more than came with the group (S46).
func (o *output) members(ctx context.Context, s *Server, res resource, subs []string) {
	members, more, first := res.members, res.moreMembers != nil, true
	var last domain.MemberID
	for {
		for _, m := range members {
			if !first {
				o.text(",")
			}
			first, last = false, m.Member
			o.json(s.memberOf(m, subs), 0, 0)
		}
		if !more || o.err != nil {
			return
		}
		members, more, o.err = res.moreMembers(ctx, last)
	}
}

func (s *Server) memberOf(m domain.GroupMember, subs []string) member {
	shown := func(name string) bool { return subs == nil || slices.Contains(subs, name) }
	kind, endpoint := domain.TypeUser, "/Users/"
	if m.Group {
		kind, endpoint = domain.TypeGroup, "/Groups/"
	}
	var answered member
	if shown("value") {
		answered.Value = string(m.Member)
	}
	if shown("$ref") {
		answered.Ref = s.root + endpoint + string(m.Member)
	}
	if shown("type") {
		answered.Type = kind
	}
	if shown("display") {
		answered.Display = m.Display
	}
	return answered
}

// membersAttribute returns the attribute whose values are stored apart, and whether the projection keeps it.
func membersAttribute(t resourceType, p projection) (schema.Attribute, bool) {
	attribute, ok := t.delta()
	return attribute, ok && p.keeps(attribute)
}

// showsMembers reports whether an answer has members; where it has none they are not read (S44).
func showsMembers(t resourceType, p projection) bool {
	_, keep := membersAttribute(t, p)
	return keep
}

func (s *Server) end(o *output) error {
	if o.err != nil {
		return fmt.Errorf("writing the answer: %w", o.err)
	}
	err := o.w.Flush()
	const largest = 64 << 10
	if err == nil && o.buffer.Cap() <= largest {
		o.w.Reset(nil)
		s.outputs.Put(o)
	}
	return err
}
