package domain

import (
	"maps"
	"slices"
)

// recomputeStep is how many people are decided about at once: it bounds memory, not correctness.
const recomputeStep = 500

// recomputed is what came of deciding anew.
type recomputed struct {
	// facts are for the audit row of whatever caused it.
	facts []any
	// losers is how many people lost a workspace or power in the organization.
	losers int
}

// tell adds whose access changed to the facts of an audit row.
func (r recomputed) tell(after map[string]any) map[string]any {
	if len(r.facts) > 0 {
		after["access"] = r.facts
	}
	return after
}

func (r *recomputed) add(other recomputed) {
	r.facts, r.losers = append(r.facts, other.facts...), r.losers+other.losers
}

// recompute decides anew what exactly these members hold, and nobody else (R35, R40).
func recompute(tx Tx, org OrgTx, members []MemberID) (recomputed, error) {
	members = slices.Compact(slices.Sorted(slices.Values(members)))
	result := recomputed{facts: []any{}}
	for chunk := range slices.Chunk(members, recomputeStep) {
		// The lock comes before the reading: two groups that speak about one person take turns.
		if err := org.Members().Lock(chunk); err != nil {
			return recomputed{}, err
		}
		holdings, err := org.Access().Load(chunk)
		if err != nil {
			return recomputed{}, err
		}
		groups, err := org.Access().Groups(chunk)
		if err != nil {
			return recomputed{}, err
		}
		var changes []AccessChange
		for _, id := range chunk {
			holding, ok := holdings[id]
			if !ok {
				continue
			}
			change := Difference(id, holding, Resolve(holding, groups[id], tx.Now()))
			if change.Empty() {
				continue
			}
			changes = append(changes, change)
		}
		told, err := accessFacts(org, changes, holdings)
		if err != nil {
			return recomputed{}, err
		}
		result.add(recomputed{told, losersAmong(changes, holdings)})
		if err := org.Access().Save(changes); err != nil {
			return recomputed{}, err
		}
	}
	return result, nil
}

// losersAmong counts those whom a change takes something from.
func losersAmong(changes []AccessChange, before map[MemberID]Holding) int {
	losers := 0
	for _, change := range changes {
		if len(change.Drop) > 0 || change.Org != nil && orgPower(change.Org.Role) < orgPower(before[change.Member].Org.Role) {
			losers++
		}
	}
	return losers
}

// accessFacts says what changes mean in words, but for those of which only the reason is another.
func accessFacts(org OrgTx, changes []AccessChange, before map[MemberID]Holding) ([]any, error) {
	var named []RoleID
	for _, change := range changes {
		for _, held := range change.Put {
			named = append(named, held.Role)
		}
		for _, held := range before[change.Member].Workspaces {
			named = append(named, held.Role)
		}
	}
	roles, err := rolesNamed(org, named...)
	if err != nil {
		return nil, err
	}
	facts := []any{}
	for _, change := range changes {
		if fact := accessFact(change, before[change.Member], roles); fact != nil {
			facts = append(facts, fact)
		}
	}
	return facts, nil
}

// accessFact is nil when the roles are the same and only the reason is another.
func accessFact(change AccessChange, before Holding, roles Roles) map[string]any {
	fact := map[string]any{"member_id": change.Member}
	if change.Org != nil && change.Org.Role != before.Org.Role {
		fact["org_role"] = map[string]any{"before": RoleName(before.Org.Role), "after": RoleName(change.Org.Role)}
	}
	workspaces := map[string]any{}
	for _, id := range slices.Sorted(maps.Keys(change.Put)) {
		if have := before.Workspaces[id]; have.Role != change.Put[id].Role {
			workspaces[string(id)] = map[string]any{"before": roles.Name(have.Role), "after": roles.Name(change.Put[id].Role)}
		}
	}
	for _, id := range change.Drop {
		workspaces[string(id)] = map[string]any{"before": roles.Name(before.Workspaces[id].Role), "after": ""}
	}
	if len(workspaces) > 0 {
		fact["workspaces"] = workspaces
	}
	if len(fact) == 1 {
		return nil
	}
	return fact
}

// readNames reads what group names are resolved against.
func readNames(org OrgTx) (Names, error) {
	settings, err := org.Settings().Get()
	if err != nil {
		return Names{}, err
	}
	workspaces, err := org.Workspaces().List(false)
	if err != nil {
		return Names{}, err
	}
	roles, err := rolesOf(org)
	return NewNames(settings.Settings.GroupSeparator, workspaces, roles), err
}

// remapGroups reads every group's name again after the workspaces or the separator changed, and decides anew
// about the members of those groups whose meaning changed (R33, R35).
// The caller holds the organization's lock.
func remapGroups(tx Tx, org OrgTx) (recomputed, error) {
	all := recomputed{}
	names, err := readNames(org)
	if err != nil {
		return all, err
	}
	var changed []Group
	err = org.Groups().Each(func(group Group) error {
		mapping, reason := names.Read(group.DisplayName)
		if group.Explicit {
			mapping, reason = group.Mapping.living(names), group.Unmapped
		}
		if !sameMapping(mapping, group.Mapping) || reason != group.Unmapped {
			group.Mapping, group.Unmapped = mapping, reason
			changed = append(changed, group)
		}
		return nil
	})
	if err != nil {
		return all, err
	}
	for _, group := range changed {
		if err := org.Groups().SetMapping(group.ID, group.Mapping, group.Unmapped, group.Explicit); err != nil {
			return all, err
		}
		one, err := recomputeGroup(tx, org, group.ID)
		if err != nil {
			return all, err
		}
		all.add(one)
	}
	return all, nil
}

// recomputeGroup decides anew about all members of a group, in steps.
func recomputeGroup(tx Tx, org OrgTx, id GroupID) (recomputed, error) {
	all := recomputed{}
	for after := MemberID(""); ; {
		members, err := org.GroupMembers().List(id, after, recomputeStep)
		if err != nil || len(members) == 0 {
			return all, err
		}
		step, err := recompute(tx, org, memberIDs(members))
		if err != nil {
			return all, err
		}
		all.add(step)
		after = members[len(members)-1].Member
	}
}

func memberIDs(members []GroupMember) []MemberID {
	ids := make([]MemberID, len(members))
	for i, member := range members {
		ids[i] = member.Member
	}
	return ids
}

func sameMapping(a, b Mapping) bool {
	return a.OrgRole == b.OrgRole && maps.Equal(a.Workspaces, b.Workspaces)
}

// living leaves out workspaces that were deleted.
func (m Mapping) living(names Names) Mapping {
	kept := Mapping{OrgRole: m.OrgRole}
	alive := map[WorkspaceID]bool{}
	for _, id := range names.workspaces {
		alive[id] = true
	}
	for id, role := range m.Workspaces {
		if alive[id] {
			if kept.Workspaces == nil {
				kept.Workspaces = map[WorkspaceID]RoleID{}
			}
			kept.Workspaces[id] = role
		}
	}
	return kept
}
