package scim

import (
	"context"

	"muster/domain"
)

// Tokens checks an identity provider's credential.
type Tokens interface {
	SCIMToken(ctx context.Context, secret string, client domain.Client) (domain.OrgScope, error)
	PresumeSCIMToken(secret string, client domain.Client) (domain.OrgScope, bool)
	IssueAccessToken(ctx context.Context, clientID, clientSecret string) (domain.Secret, error)
	OwnUser(ctx context.Context, secret string, client domain.Client) (domain.OrgScope, domain.SCIMUser, error)
	SigningKey(ctx context.Context) (string, error)
}

// Users are the use cases behind /Users.
type Users interface {
	CreateUser(ctx context.Context, scope domain.OrgScope, doc domain.Document) (domain.SCIMUser, error)
	GetUser(ctx context.Context, scope domain.OrgScope, id domain.MemberID) (domain.SCIMUser, error)
	QueryUsers(ctx context.Context, scope domain.OrgScope, query domain.Query) (domain.Result[domain.SCIMUser], error)
	ChangeUser(ctx context.Context, scope domain.OrgScope, id domain.MemberID, change domain.UserChange) (domain.SCIMUser, error)
	DeleteUser(ctx context.Context, scope domain.OrgScope, id domain.MemberID, ifMatch int64) error
	People(ctx context.Context, scope domain.OrgScope, references []string) (map[string]domain.Person, error)
}

// Groups are the use cases behind /Groups.
type Groups interface {
	CreateGroup(ctx context.Context, scope domain.OrgScope, doc domain.Document, members []domain.MemberID) (domain.Group, error)
	GetGroup(ctx context.Context, scope domain.OrgScope, id domain.GroupID, withMembers bool) (domain.Group, error)
	QueryGroups(ctx context.Context, scope domain.OrgScope, query domain.Query, withMembers bool) (domain.Result[domain.Group], error)
	ChangeGroup(ctx context.Context, scope domain.OrgScope, id domain.GroupID, change domain.GroupChange) (domain.Group, error)
	DeleteGroup(ctx context.Context, scope domain.OrgScope, id domain.GroupID, ifMatch int64) error
	MembersBehind(ctx context.Context, scope domain.OrgScope, id domain.GroupID, after domain.MemberID) ([]domain.GroupMember, bool, error)
}

// Resources are the use cases behind the endpoints of declared resource types.
type Resources interface {
	Definitions(ctx context.Context, scope domain.OrgScope) (domain.Definitions, error)
	CreateResource(ctx context.Context, scope domain.OrgScope, resourceType string, doc domain.Document) (domain.Resource, error)
	GetResource(ctx context.Context, scope domain.OrgScope, resourceType string, id domain.ResourceID) (domain.Resource, error)
	QueryResources(ctx context.Context, scope domain.OrgScope, resourceType string, query domain.Query) (domain.Result[domain.Resource], error)
	ChangeResource(ctx context.Context, scope domain.OrgScope, resourceType string, id domain.ResourceID, change domain.UserChange) (domain.Resource, error)
	DeleteResource(ctx context.Context, scope domain.OrgScope, resourceType string, id domain.ResourceID, ifMatch int64) error
}

// Activities keeps what identity providers asked for.
type Activities interface {
	// RecordStrangers keeps requests that no token's organization can be found for.
	RecordStrangers(ctx context.Context, activity []domain.Activity) error
	RecordActivity(ctx context.Context, scope domain.OrgScope, activity []domain.Activity, undeclared []domain.UndeclaredAttribute) error
}

// Service is what this package needs of the rules; *domain.Service has it.
type Service interface {
	Tokens
	Users
	Groups
	Resources
	Activities
}
