package domain

import "slices"

// This file changes who is in a group, by difference (S16, S29-S31).

// moved are those who came to a group, or left it.
type moved struct {
	people []MemberID
	groups []GroupID
}

func (m moved) none() bool { return len(m.people) == 0 && len(m.groups) == 0 }

func (m moved) and(o moved) moved {
	return moved{slices.Concat(m.people, o.people), slices.Concat(m.groups, o.groups)}
}

// beyond leaves those who moved this way more often than back: nobody comes twice without having gone in between.
func (m moved) beyond(o moved) moved {
	return moved{more(m.people, o.people), more(m.groups, o.groups)}
}

// more returns the ids that are more often among the first than among the others.
func more[T ~string](ids, others []T) []T {
	if len(others) == 0 {
		return ids
	}
	balance := make(map[T]int, len(ids))
	for _, id := range ids {
		balance[id]++
	}
	for _, id := range others {
		balance[id]--
	}
	return slices.DeleteFunc(unique(ids), func(id T) bool { return balance[id] <= 0 })
}

// ids are all of them, for the audit log.
func (m moved) ids() []MemberID {
	ids := slices.Clone(m.people)
	for _, group := range m.groups {
		ids = append(ids, MemberID(group))
	}
	return ids
}

// changeMembers applies the operations in order and returns what came of them.
func (c groupChange) changeMembers(id GroupID, changes []MembersChange) (added, removed moved, err error) {
	for _, change := range changes {
		in, out, err := c.changeMembersOnce(id, change)
		if err != nil {
			return moved{}, moved{}, err
		}
		added, removed = added.and(in), removed.and(out)
	}
	// Whoever came and went, or went and came back, within one request is where they were.
	return added.beyond(removed), removed.beyond(added), nil
}

// without returns the ids that are not among the others.
func without[T ~string](ids, others []T) []T {
	if len(others) == 0 {
		return ids
	}
	among := make(map[T]bool, len(others))
	for _, id := range others {
		among[id] = true
	}
	return slices.DeleteFunc(ids, func(id T) bool { return among[id] })
}

func (c groupChange) changeMembersOnce(id GroupID, change MembersChange) (added, removed moved, err error) {
	switch change.Op {
	case MembersAdd:
		added, err = c.add(id, unique(change.Members))
		return added, moved{}, err
	case MembersRemove:
		removed, err = c.remove(id, unique(change.Members))
		return moved{}, removed, err
	case MembersReplace:
		return c.replace(id, unique(change.Members))
	case MembersRemoveWhere:
		return c.removeWhere(id, change.Where)
	default:
		return moved{}, moved{}, Errorf(Internal, "unknown operation on members: %d", change.Op)
	}
}

// add refuses a member that does not exist, naming it (S16), and adds the others in set statements.
func (c groupChange) add(id GroupID, members []MemberID) (moved, error) {
	if len(members) == 0 {
		return moved{}, nil
	}
	for _, member := range members {
		if !ValidID(member) {
			return moved{}, unknownMember(member)
		}
	}
	var added moved
	var err error
	if added.people, err = c.org.GroupMembers().Add(id, members); err != nil || len(added.people) == len(members) {
		return added, err
	}
	strangers, err := c.org.SCIMUsers().Missing(without(slices.Clone(members), added.people))
	if err != nil {
		return moved{}, err
	}
	groups, err := c.groupsAmong(id, strangers)
	if err != nil {
		return moved{}, err
	}
	if len(groups) > 0 {
		added.groups, err = c.org.NestedGroups().Add(id, groups)
	}
	return added, err
}

// groupsAmong returns the members that are no Users as groups; one that is neither is named, and so is the group itself.
func (c groupChange) groupsAmong(id GroupID, strangers []MemberID) ([]GroupID, error) {
	if len(strangers) == 0 {
		return nil, nil
	}
	groups := make([]GroupID, len(strangers))
	for i, stranger := range strangers {
		groups[i] = GroupID(stranger)
		if groups[i] == id {
			return nil, Invalidf("members", "a Group cannot be a member of itself")
		}
	}
	unknown, err := c.org.NestedGroups().Missing(groups)
	if err == nil && len(unknown) > 0 {
		return nil, unknownMember(MemberID(unknown[0]))
	}
	return groups, err
}

func unknownMember(id MemberID) error {
	return Invalidf("members", "the member %q is no User and no Group of this organization; create it first", id)
}

// remove takes out those named; naming somebody who is not in the group is no error.
func (c groupChange) remove(id GroupID, members []MemberID) (removed moved, err error) {
	if removed.people, err = c.org.GroupMembers().Remove(id, members); err != nil || len(removed.people) == len(members) {
		return removed, err
	}
	groups := make([]GroupID, len(members))
	for i, member := range members {
		groups[i] = GroupID(member)
	}
	removed.groups, err = c.org.NestedGroups().Remove(id, groups)
	return removed, err
}

// everybody are all members, people and groups.
func (c groupChange) everybody(id GroupID) ([]GroupMember, error) {
	people, err := c.org.GroupMembers().List(id, "", 0)
	if err != nil {
		return nil, err
	}
	groups, err := c.org.NestedGroups().List(id)
	return append(people, groups...), err
}

// replace makes the named members the whole membership, by difference.
func (c groupChange) replace(id GroupID, members []MemberID) (added, removed moved, err error) {
	current, err := c.everybody(id)
	if err != nil {
		return moved{}, moved{}, err
	}
	stay := make(map[MemberID]bool, len(members))
	for _, member := range members {
		stay[member] = true
	}
	leave := slices.DeleteFunc(memberIDs(current), func(m MemberID) bool { return stay[m] })
	if len(leave) > 0 {
		if removed, err = c.remove(id, leave); err != nil {
			return moved{}, moved{}, err
		}
	}
	added, err = c.add(id, members)
	return added, removed, err
}

func (c groupChange) removeWhere(id GroupID, where Filter) (added, removed moved, err error) {
	current, err := c.everybody(id)
	if err != nil {
		return moved{}, moved{}, err
	}
	var leave []MemberID
	for _, member := range current {
		if where.Match(member.Element()) {
			leave = append(leave, member.Member)
		}
	}
	removed, err = c.remove(id, leave)
	return moved{}, removed, err
}
