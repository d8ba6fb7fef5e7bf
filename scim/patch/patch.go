// Package patch is SCIM's PATCH (RFC 7644 section 3.5.2) as pure functions: Parse turns a request into typed operations,
// Apply turns a document into the changed one.
//
// A group's members never stand in a document: operations on them become a list of deltas, in order,
// so that two requests at once both apply (L1).
// The library's own PATCH only validates, and refuses much of what Okta and Entra send, so it is gone around.
package patch

import (
	"fmt"

	"muster/domain"
	"muster/scim/filter"
	"muster/scim/schema"
	"muster/scim/scimerr"
)

// URN names the PATCH request's schema.
const URN = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

// Limits of a request (S35); the body's size is bounded before.
const (
	// MaxOperations is the number of operations, also after values without a path were taken apart.
	MaxOperations = 10_000
	// maxVisits bounds how often one request may look at an element of a multi-valued attribute:
	// half a second's work in the worst case.
	maxVisits = 500_000
)

// Op is what an operation does.
type Op string

// The operations.
const (
	Add     Op = "add"
	Remove  Op = "remove"
	Replace Op = "replace"
)

// Operation is one change of one attribute in the document.
type Operation struct {
	// Index is the operation's place in the request, for errors.
	Index int
	Op    Op
	Path  filter.Path
	// Value is normalised; nil unassigns.
	Value any
	// Listed is true for a remove that names the values to be removed (K10).
	Listed bool
	// Creates is true when an element that Path.Filter describes and does not find is made (K6).
	Creates bool
}

// Member is one member of a group as a request names it.
type Member struct {
	Value   string
	Display string
	// Type is "User", "Group" or empty.
	Type string
}

// MemberOp is one operation on a group's members.
type MemberOp struct {
	Kind   domain.MembersOp
	Values []Member
	// Filter is over value, display and type; only for domain.MembersRemoveWhere.
	Filter domain.Filter
}

// Request is a PATCH, read and checked.
type Request struct {
	// Operations change the document, in order.
	Operations []Operation
	// Members change the membership, in order; adding members that are there and removing others is no error.
	Members []MemberOp
	// ID is the id that a value without a path carried (O22); a different one than the resource's is "mutability" (S6).
	ID string
	// Unknown are the attributes in values that no schema declares; they were dropped (K2).
	Unknown []schema.Unknown

	resource schema.Resource
	strict   bool
}

// Paths are the attributes that the request changes.
func (r Request) Paths() []schema.Path {
	paths := make([]schema.Path, len(r.Operations))
	for i, op := range r.Operations {
		paths[i] = op.Path.Path
	}
	return paths
}

// MembersChanges returns the operations on members as the domain takes them.
func (r Request) MembersChanges() []domain.MembersChange {
	changes := make([]domain.MembersChange, 0, len(r.Members))
	for _, op := range r.Members {
		changes = append(changes, domain.MembersChange{Op: op.Kind, Where: op.Filter, Members: MemberIDs(op.Values)})
	}
	return changes
}

// Apply returns the document after all operations, or an error and no document: all or nothing (R101).
// It never touches its argument, and what it returns shares nothing with it.
//
// It returns noTarget for a filter that finds nothing, mutability for an immutable attribute that had another value,
// invalidValue for a required attribute that the request leaves without one, and TooLarge for too much work.
func (r Request) Apply(doc domain.Document) (domain.Document, error) {
	changed, _ := clone(doc).(map[string]any)
	if changed == nil {
		changed = domain.Document{}
	}
	a := application{doc: changed, strict: r.strict}
	for _, op := range r.Operations {
		if err := a.apply(op); err != nil {
			return nil, scimerr.At(err, place(op.Index))
		}
	}
	r.resource.SetSchemas(changed)
	if paths := r.resource.Overwritten(doc, changed); len(paths) > 0 {
		return nil, scimerr.New(scimerr.Mutability, paths[0], "%s cannot be changed once it is set", paths[0])
	}
	if path, ok := r.lost(doc, changed); ok {
		return nil, scimerr.New(scimerr.InvalidValue, path, "%s is required and must not be empty", path)
	}
	return changed, nil
}

// lost returns a required attribute that the request itself left without a value.
// What was missing before is no reason to refuse, or nobody could be deactivated after a schema gained a requirement.
func (r Request) lost(before, after domain.Document) (string, bool) {
	missing := r.resource.Missing(after)
	if len(missing) == 0 {
		return "", false
	}
	already := make(map[string]bool)
	for _, path := range r.resource.Missing(before) {
		already[path] = true
	}
	for _, path := range missing {
		if !already[path] {
			return path, true
		}
	}
	return "", false
}

func place(index int) string { return fmt.Sprintf("Operations[%d]", index) }

// clone copies a JSON value.
func clone(value any) any {
	switch v := value.(type) {
	case map[string]any:
		copied := make(map[string]any, len(v))
		for key, member := range v {
			copied[key] = clone(member)
		}
		return copied
	case []any:
		copied := make([]any, len(v))
		for i, element := range v {
			copied[i] = clone(element)
		}
		return copied
	default:
		return value
	}
}
