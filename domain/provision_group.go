package domain

import (
	"context"
	"reflect"
	"slices"
)

// CreateGroup stores a group, reads what its name means (R31) and gives it to the members (R34).
// The name is unique in the organization because names grant roles; a member that does not exist is Invalid.
func (s *Service) CreateGroup(ctx context.Context, scope OrgScope, doc Document, members []MemberID) (Group, error) {
	if err := scope.requireSCIM(); err != nil {
		return Group{}, err
	}
	var created Group
	err := s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		c := groupChange{tx: tx, org: org, scope: scope}
		var err error
		created, err = c.create(doc, unique(members))
		return err
	})
	return created, err
}

// GetGroup returns a group, with its members when asked, or NotFound.
func (s *Service) GetGroup(ctx context.Context, scope OrgScope, id GroupID, withMembers bool) (Group, error) {
	if err := scope.requireSCIM(); err != nil {
		return Group{}, err
	}
	if !ValidID(id) {
		return Group{}, unknownResource("Group", string(id))
	}
	var group Group
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		var err error
		if group, err = org.Groups().Get(id); err != nil || !withMembers {
			return renameNotFound(err, "Group", string(id))
		}
		group.Members, err = org.GroupMembers().List(id, "", 0)
		return err
	})
	return group, err
}

// QueryGroups returns one page of groups in order of creation, with their members when asked.
func (s *Service) QueryGroups(ctx context.Context, scope OrgScope, query Query, withMembers bool) (Result[Group], error) {
	if err := scope.requireSCIM(); err != nil {
		return Result[Group]{}, err
	}
	var result Result[Group]
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		var err error
		result, err = org.Groups().Query(query, withMembers)
		return err
	})
	return result, err
}

// ChangeGroup applies a PUT or PATCH to a group, atomically, and decides anew about the people it concerns (R35).
// The group is returned without its members; a change that changes nothing leaves version and times alone.
func (s *Service) ChangeGroup(ctx context.Context, scope OrgScope, id GroupID, change GroupChange) (Group, error) {
	if err := scope.requireSCIM(); err != nil {
		return Group{}, err
	}
	if !ValidID(id) {
		return Group{}, unknownResource("Group", string(id))
	}
	var changed Group
	err := s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		c := groupChange{tx: tx, org: org, scope: scope}
		var err error
		changed, err = c.change(id, change)
		return err
	})
	if same, ok := err.(*unchangedError); ok { //nolint:errorlint // made by change and passed on unwrapped
		return same.group, nil
	}
	return changed, err
}

// unchangedError rolls the version bump back when a change turned out to change nothing (S21).
type unchangedError struct{ group Group }

func (*unchangedError) Error() string { return "the group did not change" }

// DeleteGroup removes a group and takes from its members what only this group gave (R35).
func (s *Service) DeleteGroup(ctx context.Context, scope OrgScope, id GroupID, ifMatch int64) error {
	if err := scope.requireSCIM(); err != nil {
		return err
	}
	if !ValidID(id) {
		return unknownResource("Group", string(id))
	}
	return s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		c := groupChange{tx: tx, org: org, scope: scope}
		return c.delete(id, ifMatch)
	})
}

// groupChange is one SCIM operation on a group inside its transaction.
type groupChange struct {
	tx    Tx
	org   OrgTx
	scope OrgScope
}

func (c groupChange) create(doc Document, members []MemberID) (Group, error) {
	// Nobody may add a workspace while this name is read, or the group would stay unmapped for ever.
	if _, err := c.org.Settings().Lock(); err != nil {
		return Group{}, err
	}
	group := Group{ID: newID[GroupID](c.tx.Now()), Version: 1, CreatedAt: c.tx.Now(), UpdatedAt: c.tx.Now()}
	if err := c.describe(&group, doc); err != nil {
		return Group{}, err
	}
	if err := c.org.Groups().Insert(group); err != nil {
		return Group{}, err
	}
	added, err := c.add(group.ID, members)
	if err != nil {
		return Group{}, err
	}
	access, err := c.decide(group, nil, added)
	if err != nil {
		return Group{}, err
	}
	if group.Members, err = c.org.GroupMembers().List(group.ID, "", 0); err != nil {
		return Group{}, err
	}
	return group, c.record("create_scim_group", group, nil, added, nil, access)
}

// describe reads a group's document and, unless an admin mapped it, what its name means.
func (c groupChange) describe(group *Group, doc Document) error {
	name := text(doc["displayName"])
	if name == "" {
		return Invalidf("displayName", "displayName is required and must not be empty")
	}
	if len(name) > maxKey || len(text(doc["externalId"])) > maxKey {
		return Invalidf("displayName", "displayName and externalId may have at most %d bytes", maxKey)
	}
	renamed := name != group.DisplayName
	group.DisplayName, group.ExternalID, group.Attributes = name, text(doc["externalId"]), doc
	if !renamed || group.Explicit {
		return nil
	}
	names, err := readNames(c.org)
	if err != nil {
		return err
	}
	group.Mapping, group.Unmapped = names.Read(name)
	return nil
}

// change is the body of ChangeGroup. The bump comes first: it is the row lock that makes concurrent deltas take turns.
func (c groupChange) change(id GroupID, change GroupChange) (Group, error) {
	before, err := c.org.Groups().Bump(id)
	if err != nil {
		return Group{}, renameNotFound(err, "Group", string(id))
	}
	if change.IfMatch != 0 && change.IfMatch != before.Version {
		return Group{}, stale()
	}
	after, err := c.apply(before, change.Apply)
	if err != nil {
		return Group{}, err
	}
	added, removed, err := c.changeMembers(id, change.Members)
	if err != nil {
		return Group{}, err
	}
	if reflect.DeepEqual(before.Attributes, after.Attributes) && len(added) == 0 && len(removed) == 0 {
		return Group{}, &unchangedError{before}
	}
	after.Version, after.UpdatedAt = before.Version+1, c.tx.Now()
	if err := c.org.Groups().Update(after); err != nil {
		return Group{}, err
	}
	access, err := c.decide(after, &before, slices.Concat(added, removed))
	if err != nil {
		return Group{}, err
	}
	return after, c.record("update_scim_group", after, &before, added, removed, access)
}

// apply changes the attributes other than members.
func (c groupChange) apply(group Group, change DocumentChange) (Group, error) {
	if change == nil {
		return group, nil
	}
	doc, err := change(group.Attributes)
	if err != nil {
		return Group{}, err
	}
	if text(doc["displayName"]) != group.DisplayName {
		if _, err := c.org.Settings().Lock(); err != nil {
			return Group{}, err
		}
	}
	return group, c.describe(&group, doc)
}

// changeMembers applies the operations in order and returns what came of them.
func (c groupChange) changeMembers(id GroupID, changes []MembersChange) (added, removed []MemberID, err error) {
	for _, change := range changes {
		in, out, err := c.changeMembersOnce(id, change)
		if err != nil {
			return nil, nil, err
		}
		added, removed = append(added, in...), append(removed, out...)
	}
	// Whoever came and went, or went and came back, within one request is where they were.
	return without(unique(added), removed), without(unique(removed), added), nil
}

// without returns the ids that are not among the others.
func without(ids, others []MemberID) []MemberID {
	if len(others) == 0 {
		return ids
	}
	among := make(map[MemberID]bool, len(others))
	for _, id := range others {
		among[id] = true
	}
	return slices.DeleteFunc(ids, func(id MemberID) bool { return among[id] })
}

func (c groupChange) changeMembersOnce(id GroupID, change MembersChange) (added, removed []MemberID, err error) {
	switch change.Op {
	case MembersAdd:
		added, err = c.add(id, unique(change.Members))
		return added, nil, err
	case MembersRemove:
		removed, err = c.org.GroupMembers().Remove(id, unique(change.Members))
		return nil, removed, err
	case MembersReplace:
		return c.replace(id, unique(change.Members))
	case MembersRemoveWhere:
		return c.removeWhere(id, change.Where)
	default:
		return nil, nil, Errorf(Internal, "unknown operation on members: %d", change.Op)
	}
}

// add refuses a member that does not exist, naming it (S16), and adds the others in set statements.
func (c groupChange) add(id GroupID, members []MemberID) ([]MemberID, error) {
	if len(members) == 0 {
		return nil, nil
	}
	for _, member := range members {
		if !ValidID(member) {
			return nil, unknownMember(member)
		}
	}
	missing, err := c.org.SCIMUsers().Missing(members)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		return nil, unknownMember(missing[0])
	}
	return c.org.GroupMembers().Add(id, members)
}

func unknownMember(id MemberID) error {
	return Invalidf("members", "the member %q is not a User of this organization; create the User first", id)
}

// replace makes the named members the whole membership, by difference.
func (c groupChange) replace(id GroupID, members []MemberID) (added, removed []MemberID, err error) {
	current, err := c.org.GroupMembers().List(id, "", 0)
	if err != nil {
		return nil, nil, err
	}
	stay := make(map[MemberID]bool, len(members))
	for _, member := range members {
		stay[member] = true
	}
	leave := slices.DeleteFunc(memberIDs(current), func(m MemberID) bool { return stay[m] })
	if removed, err = c.org.GroupMembers().Remove(id, leave); err != nil {
		return nil, nil, err
	}
	added, err = c.add(id, members)
	return added, removed, err
}

func (c groupChange) removeWhere(id GroupID, where Filter) (added, removed []MemberID, err error) {
	current, err := c.org.GroupMembers().List(id, "", 0)
	if err != nil {
		return nil, nil, err
	}
	var leave []MemberID
	for _, member := range current {
		element := map[string]any{"value": string(member.Member), "display": member.Display, "type": "User"}
		if where.Match(element) {
			leave = append(leave, member.Member)
		}
	}
	removed, err = c.org.GroupMembers().Remove(id, leave)
	return nil, removed, err
}

// decide recomputes the people who came or went and, when the group's meaning or name changed, all of its members.
// A group that gives nothing, and gave nothing, concerns nobody.
func (c groupChange) decide(after Group, before *Group, moved []MemberID) ([]any, error) {
	if after.Mapping.Empty() && (before == nil || before.Mapping.Empty()) {
		return nil, nil
	}
	if before == nil || sameMapping(before.Mapping, after.Mapping) && before.DisplayName == after.DisplayName {
		return recompute(c.tx, c.org, moved)
	}
	members, err := c.org.GroupMembers().List(after.ID, "", 0)
	if err != nil {
		return nil, err
	}
	return recompute(c.tx, c.org, append(memberIDs(members), moved...))
}

func (c groupChange) delete(id GroupID, ifMatch int64) error {
	group, err := c.org.Groups().Bump(id)
	if err != nil {
		return renameNotFound(err, "Group", string(id))
	}
	if ifMatch != 0 && ifMatch != group.Version {
		return stale()
	}
	members, err := c.org.GroupMembers().List(id, "", 0)
	if err != nil {
		return err
	}
	if err := c.org.Groups().Delete(id); err != nil {
		return err
	}
	removed := memberIDs(members)
	var access []any
	if !group.Mapping.Empty() {
		if access, err = recompute(c.tx, c.org, removed); err != nil {
			return err
		}
	}
	return c.record("delete_scim_group", group, &group, nil, removed, access)
}

// record writes the group's audit row: what changed about it, who came and went, and whose access that changed.
func (c groupChange) record(operation string, group Group, before *Group, added, removed []MemberID, access []any) error {
	was := map[string]any{}
	if before != nil {
		was["displayName"] = before.DisplayName
	}
	now := map[string]any{"displayName": group.DisplayName}
	if group.Unmapped != "" {
		now["unmapped"] = group.Unmapped
	}
	for key, value := range map[string][]MemberID{"added": added, "removed": removed} {
		if len(value) > 0 {
			now[key] = value
		}
	}
	if len(access) > 0 {
		now["access"] = access
	}
	return record(c.tx, c.scope, operation, Target{Kind: "group", ID: string(group.ID), Name: group.DisplayName}, was, now)
}
