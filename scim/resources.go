package scim

import (
	"context"

	"muster/domain"
)

// resources is the endpoint of a declared resource type (S17).
type resources struct {
	*Server
	resourceType
}

func (t resources) kind() resourceType { return t.resourceType }

func (t resources) bodyLimit() int64 { return t.limits.UserBody }

func (t resources) create(ctx context.Context, scope domain.OrgScope, doc domain.Document) (resource, error) {
	made, err := t.service.CreateResource(ctx, scope, t.Name, doc)
	return t.resource(made), err
}

func (t resources) get(ctx context.Context, scope domain.OrgScope, id string, _ bool) (resource, error) {
	found, err := t.service.GetResource(ctx, scope, t.Name, domain.ResourceID(id))
	return t.resource(found), err
}

func (t resources) query(ctx context.Context, scope domain.OrgScope, q domain.Query, _ bool) (page, error) {
	found, err := t.service.QueryResources(ctx, scope, t.Name, q)
	return pageOf(found, t.resource), err
}

func (t resources) change(ctx context.Context, scope domain.OrgScope, id string, c change) (resource, error) {
	changed, err := t.service.ChangeResource(ctx, scope, t.Name, domain.ResourceID(id), domain.UserChange{Apply: c.apply, IfMatch: c.ifMatch})
	return t.resource(changed), err
}

func (t resources) remove(ctx context.Context, scope domain.OrgScope, id string, ifMatch int64) error {
	return t.service.DeleteResource(ctx, scope, t.Name, domain.ResourceID(id), ifMatch)
}

func (t resources) resource(r domain.Resource) resource {
	return resource{
		kind: t.resourceType, id: string(r.ID), version: r.Version, created: r.CreatedAt, modified: r.UpdatedAt,
		doc: copied(r.Attributes), unchanged: r.Unchanged,
	}
}
