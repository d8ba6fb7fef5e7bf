package domain

import (
	"context"
	"maps"
	"slices"
)

// GroupView is a pushed group with how many people are in it.
type GroupView struct {
	Group
	// People are the users directly in the group.
	People int
}

// GroupQuery selects groups for a list, by name.
type GroupQuery struct {
	Window
	// Search is a part of the name; Unmapped selects those that give nothing.
	Search   string
	Unmapped bool
}

// SCIMGroups lists the pushed groups with what each gives, or why it gives nothing (R33).
func (s *Service) SCIMGroups(ctx context.Context, scope OrgScope, query GroupQuery) ([]GroupView, error) {
	if err := scope.require(PermOrgRead); err != nil {
		return nil, err
	}
	groups := []GroupView{}
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		found, err := org.Groups().List(query)
		groups = append(groups[:0], found...)
		return err
	})
	return groups, err
}

// SCIMGroup returns one pushed group.
func (s *Service) SCIMGroup(ctx context.Context, scope OrgScope, id GroupID) (GroupView, error) {
	if err := scope.require(PermOrgRead); err != nil {
		return GroupView{}, err
	}
	var view GroupView
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		var err error
		view, err = groupView(org, id)
		return err
	})
	return view, err
}

func groupView(org OrgTx, id GroupID) (GroupView, error) {
	if !ValidID(id) {
		return GroupView{}, unknownResource("group", string(id))
	}
	group, err := org.Groups().Get(id)
	if err != nil {
		return GroupView{}, renameNotFound(err, "group", string(id))
	}
	people, err := org.GroupMembers().Count(id)
	return GroupView{group, people}, err
}

// GroupPeople lists the first members of a group, with the groups inside it, for people who look.
func (s *Service) GroupPeople(ctx context.Context, scope OrgScope, id GroupID, limit int) ([]GroupMember, error) {
	if err := scope.require(PermOrgRead); err != nil {
		return nil, err
	}
	people := []GroupMember{}
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		nested, err := org.NestedGroups().List(id)
		if err != nil {
			return err
		}
		found, err := org.GroupMembers().List(id, "", limit)
		people = append(append(people[:0], nested...), found...)
		return err
	})
	return people[:min(len(people), limit)], err
}

// SetGroupMapping says what a group gives, in place of its name (R32); its members are decided about in the same commit (R35).
func (s *Service) SetGroupMapping(ctx context.Context, scope OrgScope, id GroupID, mapping Mapping) (GroupView, error) {
	return s.remap(ctx, scope, id, func(tx Tx, org OrgTx, group *Group) error {
		if err := checkMapping(org, scope, mapping); err != nil {
			return err
		}
		if orgPower(mapping.OrgRole) > orgPower(RoleOrgUser) {
			if err := s.requireRecent(tx, scope); err != nil {
				return err
			}
		}
		group.Mapping, group.Unmapped, group.Explicit = mapping, "", true
		if mapping.Empty() {
			group.Unmapped = "an admin decided that this group gives nothing"
		}
		return nil
	})
}

// ClearGroupMapping lets the group's name decide again (R31).
func (s *Service) ClearGroupMapping(ctx context.Context, scope OrgScope, id GroupID) (GroupView, error) {
	return s.remap(ctx, scope, id, func(_ Tx, org OrgTx, group *Group) error {
		names, err := readNames(org)
		if err != nil {
			return err
		}
		group.Mapping, group.Unmapped = names.Read(group.DisplayName)
		group.Explicit = false
		return nil
	})
}

// checkMapping refuses roles and workspaces that are not there, and what an Operator may not give (R4).
func checkMapping(org OrgTx, scope OrgScope, mapping Mapping) error {
	if mapping.OrgRole != "" {
		if err := (Roles{}).check("org_role_id", mapping.OrgRole, ScopeOrganization); err != nil {
			return err
		}
		if err := mayGive(scope, mapping.OrgRole); err != nil {
			return err
		}
	}
	roles, err := rolesNamed(org, slices.Collect(maps.Values(mapping.Workspaces))...)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(mapping.Workspaces)) {
		if err := roles.check("workspaces", mapping.Workspaces[id], ScopeWorkspace); err != nil {
			return err
		}
	}
	return livingWorkspaces(org, "workspaces", slices.Sorted(maps.Keys(mapping.Workspaces)))
}

// remap runs fn on a group whose meaning is about to change, and decides anew about its members.
func (s *Service) remap(ctx context.Context, scope OrgScope, id GroupID, fn func(Tx, OrgTx, *Group) error) (GroupView, error) {
	if err := scope.require(PermOrgManage); err != nil {
		return GroupView{}, err
	}
	var view GroupView
	err := s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		if _, err := org.Settings().Lock(); err != nil {
			return err
		}
		before, err := groupView(org, id)
		if err != nil {
			return err
		}
		if err := mayGive(scope, before.Mapping.OrgRole); err != nil {
			return err
		}
		if err := s.seen.check(before.Face()); err != nil {
			return err
		}
		view = before
		if err := fn(tx, org, &view.Group); err != nil {
			return err
		}
		if err := org.Groups().SetMapping(id, view.Mapping, view.Unmapped, view.Explicit); err != nil {
			return err
		}
		access, err := recomputeGroup(tx, org, id)
		if err != nil {
			return err
		}
		after := mappingFacts(view.Group)
		if len(access.facts) > 0 {
			after["access"] = access.facts
		}
		return record(tx, scope, "update_scim_group_mapping", Target{"group", string(id), view.DisplayName}, mappingFacts(before.Group), after)
	})
	return view, err
}

// Face is what a group is called and gives, for Seen.
func (g Group) Face() any { return []any{g.DisplayName, mappingFacts(g)} }

func mappingFacts(g Group) map[string]any {
	return map[string]any{"mapping": g.Mapping, "explicit": g.Explicit, "unmapped": g.Unmapped}
}

// Proposal is a change of what a group gives, to be looked at before it acts (R38).
type Proposal struct {
	// Group is an existing group; empty for a name that is only thought of.
	Group GroupID
	// Name is the name that is to be read by the convention; it is not looked at when there is a Mapping.
	Name string
	// Mapping is an explicit one.
	Mapping *Mapping
}

// AccessPreview is whose access would change, and how.
type AccessPreview struct {
	Member MemberView
	AccessChange
	// Before is what the member holds now.
	Before Holding
}

// Preview is what a proposal would do; nothing was changed.
type Preview struct {
	Group    *GroupView
	Mapping  Mapping
	Unmapped string
	// People is how many are in the group, Concerned how many of them would hold something else; Changes are the first of these.
	People    int
	Concerned int
	Changes   []AccessPreview
	Roles     Roles
}

// maxPreviewed is how many changes a preview lists.
const maxPreviewed = 500

// Preview says what a group's name or mapping would grant and whose access would change (R38).
// It asks the very function that decides, with the group's grants exchanged.
func (s *Service) Preview(ctx context.Context, scope OrgScope, proposal Proposal) (Preview, error) {
	if err := scope.require(PermOrgManage); err != nil {
		return Preview{}, err
	}
	var preview Preview
	err := s.readOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		var err error
		preview, err = previewOf(tx, org, scope, proposal)
		return err
	})
	return preview, err
}

func previewOf(tx Tx, org OrgTx, scope OrgScope, proposal Proposal) (Preview, error) {
	preview := Preview{Changes: []AccessPreview{}}
	var err error
	if preview.Roles, err = rolesOf(org); err != nil {
		return preview, err
	}
	if preview.Group, err = proposal.find(org); err != nil {
		return preview, err
	}
	if err := preview.read(org, scope, proposal); err != nil || preview.Group == nil {
		return preview, err
	}
	preview.People = preview.Group.People
	return preview, preview.eachChange(tx, org, proposal)
}

// find returns the group that the proposal is about; nil when there is none yet.
func (p Proposal) find(org OrgTx) (*GroupView, error) {
	id := p.Group
	if id == "" {
		found, err := org.Groups().List(GroupQuery{Search: p.Name, Window: Window{Limit: MaxLimit}})
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(found, func(g GroupView) bool { return Fold(g.DisplayName) == Fold(p.Name) })
		if at < 0 {
			return nil, nil //nolint:nilnil // a name that is only thought of
		}
		id = found[at].ID
	}
	view, err := groupView(org, id)
	return &view, err
}

// read finds out what the proposal means; without a name or a mapping it is the group's own name.
func (p *Preview) read(org OrgTx, scope OrgScope, proposal Proposal) error {
	if proposal.Mapping != nil {
		p.Mapping = *proposal.Mapping
		return checkMapping(org, scope, p.Mapping)
	}
	names, err := readNames(org)
	if err != nil {
		return err
	}
	name := proposal.Name
	if name == "" && p.Group != nil {
		name = p.Group.DisplayName
	}
	p.Mapping, p.Unmapped = names.Read(name)
	return nil
}

// eachChange walks the group's members in steps and keeps the first changes.
func (p *Preview) eachChange(tx Tx, org OrgTx, proposal Proposal) error {
	proposed := GroupGrants{ID: p.Group.ID, Name: orElse(proposal.Name, p.Group.DisplayName), Created: p.Group.CreatedAt, Mapping: p.Mapping}
	for after := MemberID(""); ; {
		members, err := org.GroupMembers().List(p.Group.ID, after, recomputeStep)
		if err != nil || len(members) == 0 {
			return err
		}
		if err := p.addChanges(tx, org, memberIDs(members), proposed); err != nil {
			return err
		}
		after = members[len(members)-1].Member
	}
}

func (p *Preview) addChanges(tx Tx, org OrgTx, ids []MemberID, proposed GroupGrants) error {
	holdings, err := org.Access().Load(ids)
	if err != nil {
		return err
	}
	groups, err := org.Access().Groups(ids)
	if err != nil {
		return err
	}
	var changed []AccessPreview
	for _, id := range ids {
		others := slices.DeleteFunc(groups[id], func(g GroupGrants) bool { return g.ID == proposed.ID })
		if !proposed.Empty() {
			others = append(others, proposed)
		}
		change := Difference(id, holdings[id], Resolve(holdings[id], others, tx.Now()))
		if accessFact(change, holdings[id], p.Roles) == nil {
			continue
		}
		p.Concerned++
		if len(p.Changes)+len(changed) < maxPreviewed {
			changed = append(changed, AccessPreview{AccessChange: change, Before: holdings[id]})
		}
	}
	return p.keep(org, changed)
}

// keep adds the people behind the changes.
func (p *Preview) keep(org OrgTx, changed []AccessPreview) error {
	if len(changed) == 0 {
		return nil
	}
	query := MemberQuery{Window: Window{Limit: MaxLimit}}
	for _, change := range changed {
		query.IDs = append(query.IDs, change.AccessChange.Member)
	}
	views, err := org.Members().List(query)
	byID := map[MemberID]MemberView{}
	for _, view := range views {
		byID[view.ID] = view
	}
	for _, change := range changed {
		change.Member = byID[change.AccessChange.Member]
		p.Changes = append(p.Changes, change)
	}
	return err
}
