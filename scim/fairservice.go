package scim

import (
	"context"

	"muster/domain"
)

// fair is a Service whose organizations take turns when there is more to do than can be done at once.
type fair struct {
	Service

	turns *turns
}

func newFair(service Service, n int) fair { return fair{service, newTurns(n)} }

// inTurn runs fn when the organization's turn comes.
func inTurn[T any](ctx context.Context, f fair, scope domain.OrgScope, fn func() (T, error)) (T, error) {
	if err := f.turns.take(ctx, scope.Org()); err != nil {
		var none T
		return none, err
	}
	defer f.turns.give()
	return fn()
}

func (f fair) CreateUser(ctx context.Context, scope domain.OrgScope, doc domain.Document) (domain.SCIMUser, error) {
	return inTurn(ctx, f, scope, func() (domain.SCIMUser, error) { return f.Service.CreateUser(ctx, scope, doc) })
}

func (f fair) GetUser(ctx context.Context, scope domain.OrgScope, id domain.MemberID) (domain.SCIMUser, error) {
	return inTurn(ctx, f, scope, func() (domain.SCIMUser, error) { return f.Service.GetUser(ctx, scope, id) })
}

func (f fair) QueryUsers(ctx context.Context, scope domain.OrgScope, q domain.Query) (domain.Result[domain.SCIMUser], error) {
	return inTurn(ctx, f, scope, func() (domain.Result[domain.SCIMUser], error) { return f.Service.QueryUsers(ctx, scope, q) })
}

func (f fair) ChangeUser(ctx context.Context, scope domain.OrgScope, id domain.MemberID, c domain.UserChange) (domain.SCIMUser, error) {
	return inTurn(ctx, f, scope, func() (domain.SCIMUser, error) { return f.Service.ChangeUser(ctx, scope, id, c) })
}

func (f fair) DeleteUser(ctx context.Context, scope domain.OrgScope, id domain.MemberID, ifMatch int64) error {
	_, err := inTurn(ctx, f, scope, func() (none, error) { return none{}, f.Service.DeleteUser(ctx, scope, id, ifMatch) })
	return err
}

func (f fair) CreateGroup(ctx context.Context, scope domain.OrgScope, doc domain.Document, members []domain.MemberID) (domain.Group, error) {
	return inTurn(ctx, f, scope, func() (domain.Group, error) { return f.Service.CreateGroup(ctx, scope, doc, members) })
}

func (f fair) GetGroup(ctx context.Context, scope domain.OrgScope, id domain.GroupID, withMembers bool) (domain.Group, error) {
	return inTurn(ctx, f, scope, func() (domain.Group, error) { return f.Service.GetGroup(ctx, scope, id, withMembers) })
}

func (f fair) QueryGroups(ctx context.Context, scope domain.OrgScope, q domain.Query, withMembers bool) (domain.Result[domain.Group], error) {
	return inTurn(ctx, f, scope, func() (domain.Result[domain.Group], error) { return f.Service.QueryGroups(ctx, scope, q, withMembers) })
}

func (f fair) ChangeGroup(ctx context.Context, scope domain.OrgScope, id domain.GroupID, c domain.GroupChange) (domain.Group, error) {
	return inTurn(ctx, f, scope, func() (domain.Group, error) { return f.Service.ChangeGroup(ctx, scope, id, c) })
}

func (f fair) DeleteGroup(ctx context.Context, scope domain.OrgScope, id domain.GroupID, ifMatch int64) error {
	_, err := inTurn(ctx, f, scope, func() (none, error) { return none{}, f.Service.DeleteGroup(ctx, scope, id, ifMatch) })
	return err
}

func (f fair) QueryResources(ctx context.Context, scope domain.OrgScope, resourceType string, q domain.Query) (domain.Result[domain.Resource], error) {
	return inTurn(ctx, f, scope, func() (domain.Result[domain.Resource], error) {
		return f.Service.QueryResources(ctx, scope, resourceType, q)
	})
}

func (f fair) CreateResource(ctx context.Context, scope domain.OrgScope, resourceType string, doc domain.Document) (domain.Resource, error) {
	return inTurn(ctx, f, scope, func() (domain.Resource, error) { return f.Service.CreateResource(ctx, scope, resourceType, doc) })
}

func (f fair) ChangeResource(ctx context.Context, scope domain.OrgScope, resourceType string, id domain.ResourceID, c domain.UserChange) (domain.Resource, error) {
	return inTurn(ctx, f, scope, func() (domain.Resource, error) { return f.Service.ChangeResource(ctx, scope, resourceType, id, c) })
}

// none is the result of what has none.
type none struct{}
