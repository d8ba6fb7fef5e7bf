package scim

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	elimity "github.com/elimity-com/scim/errors"

	"muster/domain"
	"muster/internal/httpx"
	"muster/scim/schema"
	"muster/scim/scimerr"
)

// URNs of the messages of a Bulk (RFC 7644 section 3.7).
const (
	bulkRequestURN  = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
	bulkResponseURN = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
)

// bulkOperation is one operation of a Bulk, and what became of it.
type bulkOperation struct {
	index  int
	method string
	// path is as the client wrote it, in which a bulkId may stand for an id.
	path    string
	bulkID  string
	version string
	data    any
	// refs are the bulkIds that data and path name.
	refs []string

	in collection
	// id is the resource's, once it is known.
	id     string
	result *bulkResult
	// err is why it failed.
	err error
	// incomplete is true for a resource that was created without its references, because they go in a circle.
	incomplete bool
}

// bulkResult is one operation's part of the answer.
type bulkResult struct {
	Method   string `json:"method,omitempty"`
	BulkID   string `json:"bulkId,omitempty"`
	Version  string `json:"version,omitempty"`
	Location string `json:"location,omitempty"`
	Status   string `json:"status"`
	// Response is the error of an operation that failed, or the resource where the client asked for attributes.
	Response any `json:"response,omitempty"`

	failed bool
}

// serveBulk is POST /Bulk: the operations one after the other, each in a transaction of its own (S48-S50).
func (s *Server) serveBulk(w http.ResponseWriter, r *request) error {
	if r.Method != http.MethodPost {
		return wrongMethod(http.MethodPost)
	}
	body, err := bodyOf(r.Request)(s.limits.BulkBody)
	if err != nil {
		return err
	}
	b := &bulk{Server: s, request: r}
	if err := b.read(body); err != nil {
		return err
	}
	b.process(r.Context())
	r.entry.resource, r.entry.target = "Bulk", ""
	results := []*bulkResult{}
	for _, op := range b.operations {
		if op.result != nil {
			results = append(results, op.result)
			b.observeInBulk(r.Context(), op)
		}
	}
	return httpx.WriteJSON(w, http.StatusOK, mediaType, map[string]any{"schemas": []string{bulkResponseURN}, "Operations": results})
}

// bulk is a Bulk under way.
type bulk struct {
	*Server

	request    *request
	operations []*bulkOperation
	// byID are the creates by bulkId.
	byID map[string]*bulkOperation
	// most is failOnErrors; zero means that all are tried.
	most   int
	errors int
}

// read checks the message around the operations; what is wrong with one of them is that operation's own failure.
// It returns TooLarge for too many, and invalidSyntax for what is no BulkRequest or uses a bulkId twice.
func (b *bulk) read(body map[string]any) error {
	var operations []any
	known := false
	for key, value := range body {
		switch {
		case schema.EqualNames(key, "schemas"):
			known = holds(value, bulkRequestURN)
		case schema.EqualNames(key, "Operations"):
			operations, _ = value.([]any)
		case schema.EqualNames(key, "failOnErrors") && value != nil:
			most, err := positive(value)
			if err != nil {
				return err
			}
			b.most = most
		}
	}
	switch {
	case !known && !b.request.profile.Lenient:
		return scimerr.New(scimerr.InvalidSyntax, "schemas", "schemas must hold %s", bulkRequestURN)
	case len(operations) == 0:
		return scimerr.New(scimerr.InvalidSyntax, "Operations", "Operations must be an array of at least one operation")
	case len(operations) > b.limits.BulkOperations:
		return domain.Errorf(domain.TooLarge, "a Bulk may have at most %d operations; this one has %d", b.limits.BulkOperations, len(operations))
	}
	b.byID = make(map[string]*bulkOperation, len(operations))
	for i, raw := range operations {
		op, err := readBulkOperation(i, raw)
		if err != nil {
			return err
		}
		b.operations = append(b.operations, op)
		if op.method != http.MethodPost || op.bulkID == "" {
			continue
		}
		if b.byID[op.bulkID] != nil {
			return scimerr.New(scimerr.InvalidSyntax, "bulkId", "Operations[%d]: the bulkId %s is there twice", i, scimerr.Quote(op.bulkID))
		}
		b.byID[op.bulkID] = op
	}
	return nil
}

func holds(schemas any, urn string) bool {
	list, _ := schemas.([]any)
	for _, element := range list {
		if text, ok := element.(string); ok && schema.EqualNames(text, urn) {
			return true
		}
	}
	return false
}

func positive(value any) (int, error) {
	number, _ := value.(json.Number)
	n, err := strconv.Atoi(number.String())
	if err != nil || n < 0 {
		return 0, scimerr.New(scimerr.InvalidValue, "failOnErrors", "failOnErrors must be a whole number of at least 1")
	}
	return n, nil
}

func readBulkOperation(index int, raw any) (*bulkOperation, error) {
	object, ok := raw.(map[string]any)
	if !ok {
		return nil, scimerr.New(scimerr.InvalidSyntax, "Operations", "Operations[%d] must be an object", index)
	}
	op := &bulkOperation{index: index}
	for key, value := range object {
		text, isText := value.(string)
		var target *string
		switch {
		case schema.EqualNames(key, "method"):
			target = &op.method
		case schema.EqualNames(key, "path"):
			target = &op.path
		case schema.EqualNames(key, "bulkId"):
			target = &op.bulkID
		case schema.EqualNames(key, "version"):
			target = &op.version
		case schema.EqualNames(key, "data"):
			op.data = value
		}
		if target == nil || value == nil {
			continue
		}
		if !isText {
			return nil, scimerr.New(scimerr.InvalidSyntax, key, "Operations[%d]: %s must be a string", index, key)
		}
		*target = text
	}
	op.method = strings.ToUpper(op.method)
	op.refs = referencesIn(op.data, op.path)
	return op, nil
}

// fail ends an operation with an error, which names its place.
func (b *bulk) fail(op *bulkOperation, err error) {
	b.errors++
	op.err = err
	rendered := toSCIM(scimerr.At(err, "Operations["+strconv.Itoa(op.index)+"]"))
	op.result = &bulkResult{
		Method: op.method, BulkID: op.bulkID, Status: strconv.Itoa(rendered.Status), Response: rendered, failed: true,
	}
	if op.method != http.MethodPost && op.in != nil && op.id != "" {
		op.result.Location = b.location(op.in.kind(), op.id)
	}
	b.request.entry.refused(op, rendered)
}

// run runs one operation whose references are known.
func (b *bulk) run(ctx context.Context, op *bulkOperation, data any) {
	result, shown, err := b.call(ctx, op, data)
	b.settle(ctx, op, result, shown, err)
}

// settle writes down what became of an operation.
func (b *bulk) settle(ctx context.Context, op *bulkOperation, result outcome, shown bool, err error) {
	if err != nil {
		b.fail(op, err)
		return
	}
	if op.method == http.MethodPost {
		op.id = result.res.id
	}
	op.result = &bulkResult{
		Method: op.method, BulkID: op.bulkID, Status: strconv.Itoa(result.status), Location: b.location(op.in.kind(), op.id),
	}
	if result.res.version > 0 {
		op.result.Version = etag(result.res.version)
	}
	if shown && result.status != http.StatusNoContent {
		op.result.Response = b.rendered(ctx, result)
	}
}

// rendered is the resource as the operation's answer shows it.
func (b *bulk) rendered(ctx context.Context, result outcome) any {
	var text strings.Builder
	w := &textWriter{&text}
	if err := b.answer(ctx, w, outcome{status: http.StatusOK, res: result.res, shown: result.shown}); err != nil {
		return nil
	}
	return json.RawMessage(text.String())
}

// textWriter is an http.ResponseWriter that keeps the body.
type textWriter struct{ *strings.Builder }

func (*textWriter) Header() http.Header { return http.Header{} }
func (*textWriter) WriteHeader(int)     {}

// call makes a call of the operation: the same that a request of its own would be.
// shown is true when the client asked for attributes, in the operation's path or in the Bulk's.
func (b *bulk) call(ctx context.Context, op *bulkOperation, data any) (result outcome, shown bool, err error) {
	run, values, err := b.target(op)
	if err != nil {
		return outcome{}, false, err
	}
	c := &call{
		scope: b.request.scope, profile: b.request.profile, in: op.in, id: op.id, values: values, header: http.Header{},
		body: func(int64) (map[string]any, error) {
			object, ok := data.(map[string]any)
			if !ok {
				return nil, scimerr.New(scimerr.InvalidSyntax, "data", "%s needs data, an object", op.method)
			}
			return object, nil
		},
	}
	if op.version != "" {
		c.header.Set("If-Match", op.version)
	}
	result, err = run(ctx, c)
	b.request.entry.add(op.in, c, result, err)
	return result, values.Has("attributes") || values.Has("excludedAttributes"), err
}

// target finds out what the operation is about; it must be a collection or a resource of this server.
func (b *bulk) target(op *bulkOperation) (operation, url.Values, error) {
	path, query, _ := strings.Cut(op.path, "?")
	segments := strings.Split(strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/"), "/")
	switch op.method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return nil, nil, scimerr.New(scimerr.InvalidSyntax, "method", "method must be POST, PUT, PATCH or DELETE")
	}
	if path == "" {
		return nil, nil, scimerr.New(scimerr.InvalidSyntax, "path", "an operation needs a path, such as /Users or /Users/{id}")
	}
	in, ok := b.request.catalog.at(segments[0])
	if !ok || !strings.HasPrefix(path, "/") || len(segments) > 2 || strings.HasPrefix(segments[len(segments)-1], ".") {
		return nil, nil, domain.Errorf(domain.NotFound, "%s is no collection and no resource, such as /Users or /Users/{id}; a Bulk cannot go anywhere else", scimerr.Quote(path))
	}
	op.in = in
	if op.method == http.MethodPost && op.bulkID == "" {
		return nil, nil, scimerr.New(scimerr.InvalidSyntax, "bulkId", "POST needs a bulkId")
	}
	run, ok := b.operationOf(op.method, len(segments) == 1)
	if !ok {
		return nil, nil, scimerr.New(scimerr.InvalidValue, "path", "%s does not go with the path %s", op.method, scimerr.Quote(path))
	}
	if len(segments) == 2 {
		op.id = b.resolvedPath(segments[1])
	}
	values, err := parameters(query)
	if err == nil && !values.Has("attributes") && !values.Has("excludedAttributes") {
		for _, name := range []string{"attributes", "excludedAttributes"} {
			if asked, ok := b.request.values[name]; ok {
				values[name] = asked
			}
		}
	}
	return run, values, err
}

// failure returns the error of an operation that failed.
func (r *bulkResult) failure() elimity.ScimError {
	failure, _ := r.Response.(elimity.ScimError)
	return failure
}
