package scim

import (
	"context"

	"muster/domain"
	"muster/scim/patch"
)

// groups is /Groups.
type groups struct {
	*Server
	resourceType
}

func (g groups) kind() resourceType { return g.resourceType }

func (g groups) bodyLimit() int64 { return g.limits.GroupBody }

func (g groups) create(ctx context.Context, scope domain.OrgScope, doc domain.Document) (resource, error) {
	doc, members, _ := patch.TakeMembers(doc)
	group, err := g.service.CreateGroup(ctx, scope, doc, patch.MemberIDs(members))
	return g.resource(scope)(group), err
}

func (g groups) get(ctx context.Context, scope domain.OrgScope, id string, members bool) (resource, error) {
	group, err := g.service.GetGroup(ctx, scope, domain.GroupID(id), members)
	return g.resource(scope)(group), err
}

func (g groups) query(ctx context.Context, scope domain.OrgScope, q domain.Query, members bool) (page, error) {
	found, err := g.service.QueryGroups(ctx, scope, q, members)
	return pageOf(found, g.resource(scope)), err
}

func (g groups) change(ctx context.Context, scope domain.OrgScope, id string, c change) (resource, error) {
	group, err := g.service.ChangeGroup(ctx, scope, domain.GroupID(id), domain.GroupChange{Apply: c.apply, Members: c.members, IfMatch: c.ifMatch})
	return g.resource(scope)(group), err
}

func (g groups) remove(ctx context.Context, scope domain.OrgScope, id string, ifMatch int64) error {
	return g.service.DeleteGroup(ctx, scope, domain.GroupID(id), ifMatch)
}

// resource is a Group as it is answered; its members stay what they are until they are written,
// and those that were not read yet are read then.
func (g groups) resource(scope domain.OrgScope) func(domain.Group) resource {
	return func(group domain.Group) resource {
		r := resource{
			kind: g.resourceType, id: string(group.ID), version: group.Version, created: group.CreatedAt, modified: group.UpdatedAt,
			doc: copied(group.Attributes), unchanged: group.Unchanged, members: group.Members,
		}
		if group.MoreMembers {
			r.moreMembers = func(ctx context.Context, after domain.MemberID) ([]domain.GroupMember, bool, error) {
				return g.service.MembersBehind(ctx, scope, group.ID, after)
			}
		}
		return r
	}
}
