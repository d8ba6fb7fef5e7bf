package domain

// DocumentChange turns a resource's document into the changed one without touching its argument.
// It may be called more than once, because a transaction may run again.
type DocumentChange func(Document) (Document, error)

// UserChange is the meaning of a PUT or PATCH of a SCIM user.
type UserChange struct {
	Apply DocumentChange
	// IfMatch is the version the client wants to change; zero means whichever is current.
	IfMatch int64
}

// GroupChange is the meaning of a PUT or PATCH of a SCIM group.
// The members are a delta, never a list to be read and written back: two changes at once both apply.
type GroupChange struct {
	// Apply changes the attributes other than members; nil leaves them.
	Apply   DocumentChange
	Members []MembersChange
	IfMatch int64
}

// MembersOp is what happens to a group's members.
type MembersOp int

// The operations on members.
const (
	// MembersAdd adds those that are not members yet.
	MembersAdd MembersOp = iota
	// MembersRemove removes just those named; naming a non-member is no error.
	MembersRemove
	// MembersReplace makes the named ones the whole membership, by difference.
	MembersReplace
	// MembersRemoveWhere removes the members that fulfil Where.
	MembersRemoveWhere
)

// MembersChange is one operation on a group's members; operations apply in order.
type MembersChange struct {
	Op      MembersOp
	Members []MemberID
	// Where is a filter over a member's value, display and type.
	Where Filter
}
