package domain

import "context"

// GetGroup returns a group, with its first members when asked, or NotFound.
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
		if !withMembers {
			group, err = org.Groups().Get(id)
		} else {
			group, err = groupWithMembers(org, id)
		}
		return renameNotFound(err, "Group", string(id))
	})
	return group, err
}

// groupWithMembers reads a group and its first members, which a change may come between: then it reads them again, so that
// the version is the one these members had. One that changes all the time is answered as it was read last.
func groupWithMembers(org OrgTx, id GroupID) (Group, error) {
	const tries = 50 // a group would have to change within milliseconds, each time
	for try := 1; ; try++ {
		group, err := org.Groups().Get(id)
		if err != nil {
			return Group{}, err
		}
		group.Members, group.MoreMembers, err = membersBehind(org, id, "")
		if err != nil || group.MoreMembers || try == tries {
			return group, err
		}
		now, err := org.Groups().Get(id)
		if err != nil || now.Version == group.Version {
			return group, err
		}
	}
}

// MembersBehind returns the next MembersAtOnce members of a group in order of id, and whether there are more (S46).
// A group that was deleted meanwhile has none.
func (s *Service) MembersBehind(ctx context.Context, scope OrgScope, id GroupID, after MemberID) (members []GroupMember, more bool, err error) {
	if err := scope.requireSCIM(); err != nil {
		return nil, false, err
	}
	err = s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		var err error
		members, more, err = membersBehind(org, id, after)
		return err
	})
	return members, more, err
}

// membersBehind reads people first; the groups inside, of which there are few, come with the last of them.
func membersBehind(org OrgTx, id GroupID, after MemberID) (members []GroupMember, more bool, err error) {
	members, err = org.GroupMembers().List(id, after, MembersAtOnce+1)
	if err != nil || len(members) > MembersAtOnce {
		return members[:min(len(members), MembersAtOnce)], err == nil, err
	}
	nested, err := org.NestedGroups().List(id)
	return append(members, nested...), false, err
}

// QueryGroups returns one page of groups, with their first members when asked.
func (s *Service) QueryGroups(ctx context.Context, scope OrgScope, query Query, withMembers bool) (Result[Group], error) {
	if err := scope.requireSCIM(); err != nil {
		return Result[Group]{}, err
	}
	var result Result[Group]
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		var err error
		if result, err = org.Groups().Query(query); err != nil || !withMembers {
			return err
		}
		return firstMembers(org, result.Items)
	})
	return result, err
}

// firstMembers fills in the members of a page of groups until it has enough of them;
// what is missing is read while the page is written.
func firstMembers(org OrgTx, groups []Group) error {
	left := 4 * MembersAtOnce
	for i := range groups {
		group := &groups[i]
		if left <= 0 {
			group.MoreMembers = true
			continue
		}
		var err error
		if group.Members, group.MoreMembers, err = membersBehind(org, group.ID, ""); err != nil {
			return err
		}
		left -= len(group.Members)
	}
	return nil
}
