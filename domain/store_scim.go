package domain

import "time"

// This file is what a store keeps of what identity providers push.

// Arrival is by what somebody new may be known already; what is empty is not looked for.
type Arrival struct {
	EmailKey string
	// Subject is at one of the issuers, the first of which counts.
	Subject string
	Issuers []string
}

// Newcomer is who is known by an Arrival; a zero User is nobody.
type Newcomer struct {
	ByIdentity User
	ByEmail    User
	// Invited says that there is an invite for the address, open or expired.
	Invited bool
}

// SCIMUserStore keeps the people as identity providers pushed them.
type SCIMUserStore interface {
	// Get returns the resource with its groups; Fetch leaves the document as text.
	Get(MemberID) (SCIMUser, error)
	// With a SCIM token it finds nothing when there is no such token.
	Fetch(id MemberID, holding TokenID) (SCIMUser, error)
	// Lock is Get that holds the resource's row until the transaction ends.
	Lock(MemberID) (SCIMUser, error)
	// Newcomer returns what is known about somebody whom an identity provider is about to create, in one query.
	Newcomer(Arrival) (Newcomer, error)
	// ByUserName finds a resource by the folded userName.
	ByUserName(key string) (SCIMUser, error)
	// Query returns resources with their groups.
	Query(Query) (Result[SCIMUser], error)
	// People finds those that are SCIM users, by id or else by externalId.
	People([]string) (map[string]Person, error)
	// Insert and Update return Conflict on "userName" or "externalId".
	Insert(SCIMUser) error
	Update(SCIMUser) error
	// Missing returns those ids that are no SCIM users, in the order given.
	Missing([]MemberID) ([]MemberID, error)
}

// GroupStore keeps the groups.
type GroupStore interface {
	// Get returns the group without its members.
	Get(GroupID) (Group, error)
	// Query returns groups without their members.
	Query(Query) (Result[Group], error)
	// List returns groups by name, each with how many people are in it.
	List(GroupQuery) ([]GroupView, error)
	// Of returns the groups that members are directly in, by name.
	Of([]MemberID) (map[MemberID][]GroupName, error)
	// Named reports whether another group has the folded name.
	Named(key string, except GroupID) (bool, error)
	// Explicit returns the groups with an explicit mapping whose folded name is among those given.
	Explicit(keys []string) ([]Group, error)
	// Each calls fn with every group's id, name and mapping; it is for when the meaning of names changes.
	Each(fn func(Group) error) error
	// Insert and Update return Conflict on "displayName" or "externalId"; Update writes all but the version.
	Insert(Group) error
	Update(Group) error
	// Bump raises the version, returns the group as it was before, and holds its row until the transaction ends.
	Bump(GroupID) (Group, error)
	// SetMapping writes what the group gives, without touching its version.
	SetMapping(id GroupID, mapping Mapping, unmapped string, explicit bool) error
	Delete(GroupID) error
}

// GroupMemberStore keeps who is in which group, by set statements only.
type GroupMemberStore interface {
	// Add returns those that were not members before; an id that is no SCIM user is left out.
	Add(GroupID, []MemberID) ([]MemberID, error)
	// Remove returns those that were members.
	Remove(GroupID, []MemberID) ([]MemberID, error)
	// List returns up to limit members whose id is greater than after, in order of id; limit 0 means all.
	List(group GroupID, after MemberID, limit int) ([]GroupMember, error)
	Count(GroupID) (int, error)
}

// NestedGroupStore keeps which groups are inside which, by set statements only.
type NestedGroupStore interface {
	// Add returns those that were not inside before; an id that is no group is NotFound.
	Add(GroupID, []GroupID) ([]GroupID, error)
	// Remove returns those that were inside.
	Remove(GroupID, []GroupID) ([]GroupID, error)
	// List returns the groups inside, in order of id.
	List(GroupID) ([]GroupMember, error)
	// Parents returns the groups that the group is inside of.
	Parents(GroupID) ([]GroupID, error)
	// Missing returns those ids that are no groups, in the order given.
	Missing([]GroupID) ([]GroupID, error)
}

// DefinitionStore keeps the schemas and resource types that the organization declared.
type DefinitionStore interface {
	// Get returns the declarations and their revision: nothing and 0 when there are none.
	Get() (Definitions, error)
	// Put replaces them if the revision is still the one given.
	Put(definitions Definitions, at time.Time) error
}

// ResourceStore keeps the resources of declared types.
type ResourceStore interface {
	Get(resourceType string, id ResourceID) (Resource, error)
	// Lock is Get that holds the row until the transaction ends.
	Lock(resourceType string, id ResourceID) (Resource, error)
	Query(resourceType string, q Query) (Result[Resource], error)
	// Insert and Update return Conflict on "externalId".
	Insert(Resource) error
	Update(Resource) error
	Delete(resourceType string, id ResourceID) error
}

// UniqueValueStore keeps the values of declared attributes that only one resource of a type may have.
type UniqueValueStore interface {
	// Put replaces all values of a resource; a value that another one has is Conflict on its path.
	Put(resourceType, id string, values []UniqueValue) error
	Delete(id string) error
}

// ActivityStore keeps what identity providers asked for.
type ActivityStore interface {
	Append([]Activity) error
	List(ActivityQuery) ([]Activity, error)
	// Counts counts requests and changes since a time, by the number of the span in which they fell.
	Counts(from time.Time, span time.Duration) (map[int]ActivityCount, error)
	// CountUndeclared adds to what is known about attributes that no schema declares.
	CountUndeclared([]UndeclaredAttribute) error
	Undeclared() ([]UndeclaredAttribute, error)
}
