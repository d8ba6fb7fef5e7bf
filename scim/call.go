package scim

import (
	"context"
	"net/http"
	"net/url"

	"muster/domain"
	"muster/scim/patch"
	"muster/scim/schema"
	"muster/scim/scimerr"
)

// call is one operation on a resource: a request of its own, or one of those inside a Bulk.
type call struct {
	scope   domain.OrgScope
	profile schema.Profile
	in      collection
	// id is the resource's; empty for a create.
	id     string
	values url.Values
	header http.Header
	// body reads the body as a JSON object of at most so many bytes.
	body func(limit int64) (map[string]any, error)
	// undeclared are attributes that were dropped because no schema declares them.
	undeclared []schema.Unknown
}

// outcome is what became of a call.
type outcome struct {
	status int
	res    resource
	shown  projection
	// minimal says that the client preferred an answer without the resource (RFC 7240).
	minimal bool
}

// operation is one of create, get, replace, patch and remove.
type operation func(ctx context.Context, c *call) (outcome, error)

// operationOf returns the operation that a method means; collections know POST, and resources the rest.
func (s *Server) operationOf(method string, collection bool) (operation, bool) {
	if collection {
		return s.create, method == http.MethodPost
	}
	found, ok := map[string]operation{
		http.MethodGet: s.get, http.MethodPut: s.replace, http.MethodPatch: s.patch, http.MethodDelete: s.remove,
	}[method]
	return found, ok
}

// create is POST (S18).
func (s *Server) create(ctx context.Context, c *call) (outcome, error) {
	shown, err := readProjection(c.values, c.in.kind())
	if err != nil {
		return outcome{}, err
	}
	doc, _, err := c.read()
	if err != nil {
		return outcome{}, err
	}
	made, err := c.in.create(ctx, c.scope, doc)
	return outcome{status: http.StatusCreated, res: made, shown: shown.withWritten(c.in.kind(), doc)}, err
}

// get is GET (S19).
func (s *Server) get(ctx context.Context, c *call) (outcome, error) {
	shown, err := readProjection(c.values, c.in.kind())
	if err != nil {
		return outcome{}, err
	}
	found, err := c.in.get(ctx, c.scope, c.id, showsMembers(c.in.kind(), shown))
	if err != nil {
		return outcome{}, err
	}
	return unlessKnown(c.header, found, shown)
}

// unlessKnown answers 304 to a client that has this version already (S19).
func unlessKnown(header http.Header, found resource, shown projection) (outcome, error) {
	known, err := notModified(header, found.version)
	if known {
		return outcome{status: http.StatusNotModified, res: found}, err
	}
	return outcome{status: http.StatusOK, res: found, shown: shown}, err
}

// replace is PUT (S20): members that are not named leave a group.
func (s *Server) replace(ctx context.Context, c *call) (outcome, error) {
	shown, err := readProjection(c.values, c.in.kind())
	if err != nil {
		return outcome{}, err
	}
	doc, sent, err := c.read()
	if err != nil {
		return outcome{}, err
	}
	if err := sameID(sent, c.id); err != nil {
		return outcome{}, err
	}
	kind := c.in.kind()
	var next change
	if _, ok := kind.delta(); ok {
		rest, named, _ := patch.TakeMembers(doc)
		doc, next.members = rest, []domain.MembersChange{{Op: domain.MembersReplace, Members: patch.MemberIDs(named)}}
	}
	next.apply = kind.replacement(doc)
	changed, err := c.change(ctx, next, showsMembers(kind, shown))
	return outcome{status: http.StatusOK, res: changed, shown: shown.withWritten(kind, doc)}, err
}

// patch is PATCH: 200 with the resource; 204 for groups, which may be large, unless the client asks for attributes,
// and for whoever prefers it (S21).
func (s *Server) patch(ctx context.Context, c *call) (outcome, error) {
	kind := c.in.kind()
	shown, err := readProjection(c.values, kind)
	if err != nil {
		return outcome{}, err
	}
	body, err := c.body(c.in.bodyLimit())
	if err != nil {
		return outcome{}, err
	}
	request, err := patch.Parse(body, kind.Resource, c.profile)
	if err != nil {
		return outcome{}, err
	}
	c.undeclared = request.Unknown
	if err := sameID(request.ID, c.id); err != nil {
		return outcome{}, err
	}
	next := change{members: request.MembersChanges()}
	if len(request.Operations) > 0 || len(next.members) == 0 {
		next.apply = request.Apply
	}
	_, large := kind.delta()
	preferred := preference(c.header)
	answered := shown.given() || preferred != "minimal" && (!large || preferred == "representation")
	changed, err := c.change(ctx, next, answered && showsMembers(kind, shown))
	if !answered {
		return outcome{status: http.StatusNoContent, res: changed, minimal: preferred == "minimal"}, err
	}
	return outcome{status: http.StatusOK, res: changed, shown: shown.withNames(kind, request.Paths())}, err
}

// remove is DELETE (S22).
func (s *Server) remove(ctx context.Context, c *call) (outcome, error) {
	version, err := c.ifMatch(ctx)
	if err != nil {
		return outcome{}, err
	}
	return outcome{status: http.StatusNoContent}, c.in.remove(ctx, c.scope, c.id, version)
}

// change applies a change under If-Match; a group whose members are answered is read again.
func (c *call) change(ctx context.Context, next change, members bool) (resource, error) {
	var err error
	if next.ifMatch, err = c.ifMatch(ctx); err != nil {
		return resource{}, err
	}
	changed, err := c.in.change(ctx, c.scope, c.id, next)
	if err != nil || !members {
		return changed, err
	}
	again, err := c.in.get(ctx, c.scope, c.id, true)
	again.unchanged = changed.unchanged
	return again, err
}

// ifMatch returns the version that the client wants to change: zero for whichever is current (S47).
// Of several it is the current one, which is asked for only then.
func (c *call) ifMatch(ctx context.Context) (int64, error) {
	return ifMatch(c.header, func() (int64, error) {
		found, err := c.in.get(ctx, c.scope, c.id, false)
		return found.version, err
	})
}

// read turns the body of a POST or PUT into the document it means, and returns it with the id that the body names.
func (c *call) read() (doc domain.Document, id string, err error) {
	body, err := c.body(c.in.bodyLimit())
	if err != nil {
		return nil, "", err
	}
	kind := c.in.kind()
	doc, c.undeclared, err = kind.Normalize(body, c.profile)
	if err != nil {
		return nil, "", err
	}
	return doc, idOf(body), kind.validate(doc)
}

// idOf returns the id that a body names, under whichever spelling of the key.
func idOf(body map[string]any) string {
	for key, value := range body {
		if id, ok := value.(string); ok && schema.EqualNames(key, "id") {
			return id
		}
	}
	return ""
}

// sameID refuses to give a resource another id (S6); a body need not name one.
func sameID(sent, id string) error {
	if sent == "" || sent == id {
		return nil
	}
	return scimerr.New(scimerr.Mutability, "id", "id cannot be changed")
}
