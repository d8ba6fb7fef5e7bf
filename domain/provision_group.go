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
	definitions, err := s.definitionsOf(ctx, scope)
	if err != nil {
		return Group{}, err
	}
	var created Group
	err = s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		c := groupChange{tx: tx, org: org, scope: scope, definitions: definitions}
		var err error
		created, err = c.create(doc, unique(members))
		return err
	})
	return created, err
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
	definitions, err := s.definitionsOf(ctx, scope)
	if err != nil {
		return Group{}, err
	}
	var changed Group
	err = s.writeGuarded(ctx, scope, "update_scim_group", groupTarget(id), func(tx Tx, org OrgTx) error {
		c := groupChange{tx: tx, org: org, scope: scope, definitions: definitions}
		var err error
		changed, err = c.change(id, change)
		return err
	})
	if same, ok := err.(*unchangedError); ok { //nolint:errorlint // made by change and passed on unwrapped
		same.group.Unchanged = true
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
	definitions, err := s.definitionsOf(ctx, scope)
	if err != nil {
		return err
	}
	return s.writeGuarded(ctx, scope, "delete_scim_group", groupTarget(id), func(tx Tx, org OrgTx) error {
		c := groupChange{tx: tx, org: org, scope: scope, definitions: definitions}
		return c.delete(id, ifMatch)
	})
}

func groupTarget(id GroupID) Target { return Target{Kind: "group", ID: string(id)} }

// groupChange is one SCIM operation on a group inside its transaction.
type groupChange struct {
	tx    Tx
	org   OrgTx
	scope OrgScope
	// definitions are what is declared beside the standard schemas.
	definitions Definitions
}

func (c groupChange) create(doc Document, members []MemberID) (Group, error) {
	// Nobody may add a workspace while this name is read, or the group would stay unmapped for ever.
	org, err := c.org.Settings().Lock()
	if err != nil {
		return Group{}, err
	}
	group := Group{ID: newID[GroupID](c.tx.Now()), Version: 1, CreatedAt: c.tx.Now(), UpdatedAt: c.tx.Now()}
	if err := c.describe(&group, doc); err != nil {
		return Group{}, err
	}
	if err := c.slot(&group, org.Settings.GroupTwinsAllowed); err != nil {
		return Group{}, err
	}
	if err := c.org.Groups().Insert(group); err != nil {
		return Group{}, groupTaken(err, group)
	}
	if err := keepUnique(c.org, c.definitions, TypeGroup, string(group.ID), nil, doc); err != nil {
		return Group{}, err
	}
	added, err := c.add(group.ID, members)
	if err != nil {
		return Group{}, err
	}
	access, err := c.decide(group, nil, added.people)
	if err != nil {
		return Group{}, err
	}
	if group.Members, group.MoreMembers, err = membersBehind(c.org, group.ID, ""); err != nil {
		return Group{}, err
	}
	return group, c.record("create_scim_group", group, nil, added, moved{}, access)
}

// slot says whether the group may share its name (K12); the caller holds the organization's lock.
func (c groupChange) slot(group *Group, twins bool) error {
	if group.Twin = twins; twins {
		return nil
	}
	taken, err := c.org.Groups().Named(Fold(group.DisplayName), group.ID)
	if err == nil && taken {
		return groupNameTaken(group.DisplayName)
	}
	return err
}

// groupTaken says how to find the Group that has the name or the externalId.
func groupTaken(err error, group Group) error {
	if !IsKind(err, Conflict) {
		return err
	}
	switch AsError(err).Field {
	case "displayName":
		return groupNameTaken(group.DisplayName)
	case "externalId":
		return externalIDTaken(TypeGroup, group.ExternalID)
	default:
		return err
	}
}

func groupNameTaken(name string) error {
	return Conflictf("displayName", "a Group with the displayName %q exists already; find it with the filter displayName eq", name)
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
	if reflect.DeepEqual(before.Attributes, after.Attributes) && added.none() && removed.none() {
		return Group{}, &unchangedError{before}
	}
	after.Version, after.UpdatedAt = before.Version+1, c.tx.Now()
	if err := c.org.Groups().Update(after); err != nil {
		return Group{}, groupTaken(err, after)
	}
	if err := keepUnique(c.org, c.definitions, TypeGroup, string(id), before.Attributes, after.Attributes); err != nil {
		return Group{}, err
	}
	access, err := c.decide(after, &before, slices.Concat(added.people, removed.people))
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
	renamed := text(doc["displayName"]) != group.DisplayName
	if !renamed {
		return group, c.describe(&group, doc)
	}
	org, err := c.org.Settings().Lock()
	if err != nil {
		return Group{}, err
	}
	if err := c.describe(&group, doc); err != nil {
		return Group{}, err
	}
	return group, c.slot(&group, org.Settings.GroupTwinsAllowed)
}

// decide recomputes the people who came or went and, when the group's meaning or name changed, all of its members.
// A group that gives nothing, and gave nothing, concerns nobody.
func (c groupChange) decide(after Group, before *Group, moved []MemberID) (recomputed, error) {
	if after.Mapping.Empty() && (before == nil || before.Mapping.Empty()) {
		return recomputed{}, nil
	}
	if before == nil || sameMapping(before.Mapping, after.Mapping) && before.DisplayName == after.DisplayName {
		return c.guarded(recompute(c.tx, c.org, moved))
	}
	members, err := c.org.GroupMembers().List(after.ID, "", 0)
	if err != nil {
		return recomputed{}, err
	}
	return c.guarded(recompute(c.tx, c.org, append(memberIDs(members), moved...)))
}

// guarded lets the deprovision guard count those who lost something (R39).
func (c groupChange) guarded(access recomputed, err error) (recomputed, error) {
	if err == nil {
		err = deprovision(c.tx, c.org, c.scope, access.losers)
	}
	return access, err
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
	if err := c.bumpParents(id); err != nil {
		return err
	}
	if err := c.org.Groups().Delete(id); err != nil {
		return err
	}
	if !c.definitions.Empty() {
		if err := c.org.UniqueValues().Delete(string(id)); err != nil {
			return err
		}
	}
	removed := memberIDs(members)
	var access recomputed
	if !group.Mapping.Empty() {
		if access, err = c.guarded(recompute(c.tx, c.org, removed)); err != nil {
			return err
		}
	}
	return c.record("delete_scim_group", group, &group, moved{}, moved{people: removed}, access)
}

// bumpParents raises version and time of the groups that lose this one, because their members are part of them.
func (c groupChange) bumpParents(id GroupID) error {
	parents, err := c.org.NestedGroups().Parents(id)
	if err != nil {
		return err
	}
	return bumpGroups(c.org, parents, c.tx.Now())
}

// record writes the group's audit row: what changed about it, who came and went, and whose access that changed.
func (c groupChange) record(operation string, group Group, before *Group, added, removed moved, access recomputed) error {
	was := map[string]any{}
	if before != nil {
		was["displayName"] = before.DisplayName
	}
	now := map[string]any{"displayName": group.DisplayName}
	if group.Unmapped != "" {
		now["unmapped"] = group.Unmapped
	}
	for key, value := range map[string][]MemberID{"added": added.ids(), "removed": removed.ids()} {
		if len(value) > 0 {
			now[key] = value
		}
	}
	if len(access.facts) > 0 {
		now["access"] = access.facts
	}
	return record(c.tx, c.scope, operation, Target{Kind: "group", ID: string(group.ID), Name: group.DisplayName}, was, now)
}
