package scim

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"slices"

	"muster/domain"
	"muster/scim/schema"
)

// listURN names the answer to a query (RFC 7644 section 3.4.2).
const listURN = "urn:ietf:params:scim:api:messages:2.0:ListResponse"

// resource is one resource about to be answered.
type resource struct {
	kind    resourceType
	id      string
	version int64
	doc     domain.Document
	// members are a group's; they are written one by one, because there may be many.
	members []domain.GroupMember
}

// member is a group's member as it is answered (S16).
type member struct {
	Value   string `json:"value,omitempty"`
	Ref     string `json:"$ref,omitempty"`
	Type    string `json:"type,omitempty"`
	Display string `json:"display,omitempty"`
}

// answer writes one resource with its entity tag (S47), and with its Location when it is new (S18).
func (s *server) answer(w http.ResponseWriter, status int, res resource, p projection) error {
	w.Header().Set("ETag", etag(res.version))
	if status == http.StatusCreated {
		w.Header().Set("Location", s.location(res.kind, res.id))
	}
	out := begin(w, status)
	out.resource(s, res, p)
	return out.end()
}

// noContent writes the 204 of a change whose resource nobody asked for.
func noContent(w http.ResponseWriter, version int64) error {
	w.Header().Set("ETag", etag(version))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// answerList writes one page; size is how many resources there will be.
func (s *server) answerList(w http.ResponseWriter, list listRequest, total, size int, resources iter.Seq[resource]) error {
	out := begin(w, http.StatusOK)
	out.printf(`{"schemas":[%q],"totalResults":%d,"startIndex":%d,"itemsPerPage":%d,"Resources":[`,
		listURN, total, list.startIndex, size)
	first := true
	for res := range resources {
		if !first {
			out.printf(",")
		}
		first = false
		out.resource(s, res, list.projection)
	}
	out.printf("]}")
	return out.end()
}

// output writes JSON piece by piece, so that a large group is never there twice.
// It keeps its first error, which can only be that of the connection.
type output struct {
	w      *bufio.Writer
	buffer bytes.Buffer
	err    error
}

func begin(w http.ResponseWriter, status int) *output {
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	return &output{w: bufio.NewWriterSize(w, 4<<10)}
}

func (o *output) printf(format string, args ...any) {
	if o.err == nil {
		_, o.err = fmt.Fprintf(o.w, format, args...)
	}
}

// json writes a value without its last cut bytes.
func (o *output) json(value any, cut int) {
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
	_, o.err = o.w.Write(o.buffer.Bytes()[:o.buffer.Len()-newline-cut])
}

// resource writes what the projection leaves of a resource, a group's members last.
func (o *output) resource(s *server, res resource, p projection) {
	doc := p.apply(res.kind.Resource, res.doc)
	attribute, keep := membersAttribute(res.kind, p)
	if !keep {
		o.json(doc, 0)
		return
	}
	o.json(doc, len("}"))
	o.printf(`,%q:[`, attribute.Name)
	subs := p.subAttributes("", attribute)
	users := s.location(s.users, "")
	for i, m := range res.members {
		if i > 0 {
			o.printf(",")
		}
		o.json(memberOf(m, users, subs), 0)
	}
	o.printf("]}")
}

func memberOf(m domain.GroupMember, users string, subs []string) member {
	shown := func(name string) bool { return subs == nil || slices.Contains(subs, name) }
	var answered member
	if shown("value") {
		answered.Value = string(m.Member)
	}
	if shown("$ref") {
		answered.Ref = users + string(m.Member)
	}
	if shown("type") {
		answered.Type = "User"
	}
	if shown("display") {
		answered.Display = m.Display
	}
	return answered
}

// membersAttribute returns the attribute whose values are stored apart, and whether the projection keeps it.
func membersAttribute(t resourceType, p projection) (schema.Attribute, bool) {
	for _, attribute := range t.Core.Attributes {
		if attribute.Delta {
			return attribute, p.keeps(attribute)
		}
	}
	return schema.Attribute{}, false
}

func (o *output) end() error {
	if o.err != nil {
		return fmt.Errorf("writing the answer: %w", o.err)
	}
	return o.w.Flush()
}
