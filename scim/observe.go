package scim

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"muster/domain"
	"muster/scim/schema"
)

// Operation is what a client asked for and what became of it, for whoever counts.
// Resource and Name are of small sets of our own, never a client's words.
type Operation struct {
	// Resource is User, Group, Bulk, Me, Discovery, All (a query over all types), or Other: a declared type, or nothing.
	Resource string
	// Name is create, get, list, search, replace, patch, delete, bulk, or other for methods that mean nothing here.
	Name   string
	Status int
	// Err is nil for what succeeded.
	Err  error
	Took time.Duration
	// InBulk marks one of the operations of a Bulk; it has no time of its own.
	InBulk bool
}

// observe tells of a request.
func (s *Server) observe(r *request, err error, took time.Duration) {
	if s.watch == nil {
		return
	}
	resource := resourceName(r.segment())
	done := Operation{Resource: resource, Name: operationName(r, resource), Status: r.entry.status, Err: err, Took: took}
	if err != nil {
		done.Status = toSCIM(err).Status
	}
	s.watch(r.Context(), done)
}

// observeInBulk tells of one of a Bulk's operations that has a result.
func (b *bulk) observeInBulk(ctx context.Context, op *bulkOperation) {
	if b.watch == nil {
		return
	}
	resource := "Other"
	if op.in != nil {
		resource = resourceName(op.in.kind().Endpoint[1:])
	}
	name := methodName(op.method)
	if op.method == http.MethodPost {
		name = "create"
	}
	status, _ := strconv.Atoi(op.result.Status)
	b.watch(ctx, Operation{Resource: resource, Name: name, Status: status, Err: op.err, InBulk: true})
}

// resourceName names what a path's first segment stands for.
func resourceName(segment string) string {
	for endpoint, name := range map[string]string{
		"Users": domain.TypeUser, "Groups": domain.TypeGroup, "Bulk": "Bulk", "Me": "Me", "": "All", ".search": "All",
		"ServiceProviderConfig": "Discovery", "ResourceTypes": "Discovery", "Schemas": "Discovery",
	} {
		if schema.EqualNames(segment, endpoint) {
			return name
		}
	}
	return "Other"
}

func operationName(r *request, resource string) string {
	id := r.PathValue("id")
	switch {
	case resource == "Bulk":
		return "bulk"
	case r.reads() && (id != "" || resource == "Me"):
		return "get"
	case r.reads():
		return "list"
	case r.Method == http.MethodPost && (id == ".search" || r.segment() == ".search"):
		return "search"
	case r.Method == http.MethodPost && id == "":
		return "create"
	default:
		return methodName(r.Method)
	}
}

func methodName(method string) string {
	switch method {
	case http.MethodPut:
		return "replace"
	case http.MethodPatch:
		return "patch"
	case http.MethodDelete:
		return "delete"
	default:
		return "other"
	}
}
