package scim

import (
	"context"

	"muster/domain"
)

// collection is a resource type with the use cases behind its endpoint.
type collection interface {
	kind() resourceType
	// bodyLimit is the largest body in bytes.
	bodyLimit() int64
	create(ctx context.Context, scope domain.OrgScope, doc domain.Document) (resource, error)
	// get returns a resource; members says whether a group's are wanted.
	get(ctx context.Context, scope domain.OrgScope, id string, members bool) (resource, error)
	query(ctx context.Context, scope domain.OrgScope, q domain.Query, members bool) (page, error)
	// change applies a PUT or PATCH; a group is returned without its members.
	change(ctx context.Context, scope domain.OrgScope, id string, c change) (resource, error)
	remove(ctx context.Context, scope domain.OrgScope, id string, ifMatch int64) error
}

// page is one page of a list.
type page = domain.Result[resource]

// change is the meaning of a PUT or PATCH.
type change struct {
	// apply is nil when nothing but members changes.
	apply   domain.DocumentChange
	members []domain.MembersChange
	// ifMatch is the version to be changed; zero is whichever is current.
	ifMatch int64
}

// pageOf turns what the rules found into what is answered.
func pageOf[T any](found domain.Result[T], as func(T) resource) page {
	items := make([]resource, len(found.Items))
	for i, one := range found.Items {
		items[i] = as(one)
	}
	return page{Total: found.Total, Items: items, At: found.At, More: found.More, Scanned: found.Scanned}
}
