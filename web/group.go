package web

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"muster/domain"
)

// groupPage is one group with its mapping, and a preview of another one.
type groupPage struct {
	common

	Group    groupRow
	Seen     domain.Seen
	OrgRoles []option
	// Pairs are what the mapping gives, and what was added to it a moment ago; the boxes of those that stay are ticked.
	Pairs []mappingRow
	// Kept is how many pairs are not listed; they stay as they are.
	Kept                  int
	Workspaces, WorkRoles []option
	Preview               *groupPreview
	People                []domain.GroupMember
	MorePeople            bool
	History               []auditRow
}

// mappingRow is a role in a workspace that the group gives, or will no longer give.
type mappingRow struct {
	Workspace domain.WorkspaceID
	Pair      string
	Text      string
	Ticked    bool
}

// maxPairs is how many roles in workspaces the form of a mapping lists.
const maxPairs = 100

// groupPreview says who would gain and who would lose.
type groupPreview struct {
	Gives             []string
	People, Concerned int
	Gaining, Losing   []accessRow
	Others            []accessRow
	Listed            int
	Clear             bool
}

// accessRow is one person whose access would change.
type accessRow struct {
	ID      domain.MemberID
	Name    string
	Changes []string
}

func (v *visit) groupID() domain.GroupID { return domain.GroupID(v.r.PathValue("group")) }

func (v *visit) groupAt() string {
	return v.at("/provisioning/groups/" + url.PathEscape(string(v.groupID())))
}

func (v *visit) group() error { return v.showGroup(nil) }

func (v *visit) showGroup(preview *groupPreview) error {
	view, err := v.Rules.SCIMGroup(v.ctx(), v.scope, v.groupID())
	if err != nil {
		return err
	}
	names, err := v.names()
	if err != nil {
		return err
	}
	page := groupPage{common: v.common(), Group: groupRow{view, names.gives(view.Mapping)}, Seen: domain.SeenOf(view.Face()), Preview: preview}
	page.mappingForm(names)
	if page.People, err = v.Rules.GroupPeople(v.ctx(), v.scope, view.ID, pageSize+1); err != nil {
		return err
	}
	if len(page.People) > pageSize {
		page.People, page.MorePeople = page.People[:pageSize], true
	}
	if page.Manage {
		if page.History, err = v.history(string(view.ID)); err != nil {
			return err
		}
	}
	return v.render("group", view.DisplayName, "/provisioning/groups", page)
}

// mappingForm fills the form with the mapping there is, or with what was sent.
func (p *groupPage) mappingForm(names placeNames) {
	f := p.Form("mapping")
	stored := p.Group.Mapping
	p.OrgRoles = append([]option{{Value: "", Label: "says nothing about it"}}, roleOptions(names.roles, domain.ScopeOrganization)...)
	p.OrgRoles = chosen(p.OrgRoles, f.Value("org_role_id", string(stored.OrgRole)))
	p.Workspaces, p.WorkRoles = workspaceOptions(names.ordered), roleOptions(names.roles, domain.ScopeWorkspace)
	for _, workspace := range names.ordered {
		pairs := map[string]bool{}
		if role, ok := stored.Workspaces[workspace.ID]; ok {
			pairs[pairOf(workspace.ID, role)] = f.Ticked("pair", pairOf(workspace.ID, role), true)
		}
		for _, pair := range f.Sent("pair") {
			if id, _ := splitPair(pair); id == workspace.ID {
				pairs[pair] = true
			}
		}
		for _, pair := range slices.Sorted(maps.Keys(pairs)) {
			if len(p.Pairs) == maxPairs {
				p.Kept++
				continue
			}
			_, role := splitPair(pair)
			p.Pairs = append(p.Pairs, mappingRow{workspace.ID, pair, roleName(names.roles, role) + " in " + workspace.DisplayName, pairs[pair]})
		}
	}
}

// pairOf is a role in a workspace as a box of the form sends it.
func pairOf(workspace domain.WorkspaceID, role domain.RoleID) string {
	return string(workspace) + " " + string(role)
}

func splitPair(pair string) (domain.WorkspaceID, domain.RoleID) {
	workspace, role, _ := strings.Cut(pair, " ")
	return domain.WorkspaceID(workspace), domain.RoleID(role)
}

// mapping reads the form: what the group gives already, without what was listed and not ticked, and with what was added.
func (v *visit) mapping() (domain.Mapping, error) {
	group, err := v.Rules.SCIMGroup(v.ctx(), v.scope, v.groupID())
	if err != nil {
		return domain.Mapping{}, err
	}
	names, err := v.names()
	if err != nil {
		return domain.Mapping{}, err
	}
	mapping := domain.Mapping{OrgRole: domain.RoleID(v.value("org_role_id")), Workspaces: map[domain.WorkspaceID]domain.RoleID{}}
	listed := checked[domain.WorkspaceID](v, "listed")
	for workspace, role := range group.Mapping.Workspaces {
		if _, there := names.workspaces[workspace]; there && group.Explicit && !slices.Contains(listed, workspace) {
			mapping.Workspaces[workspace] = role
		}
	}
	for _, pair := range checked[string](v, "pair") {
		workspace, role := splitPair(pair)
		mapping.Workspaces[workspace] = role
	}
	added, err := v.picked("add_workspace")
	if err != nil {
		return mapping, err
	}
	if added != "" {
		mapping.Workspaces[added] = domain.RoleID(v.value("add_role_id"))
	}
	return mapping, nil
}

// sendMapping is a form that puts a mapping in place of another one, or lets the name decide.
func (v *visit) sendMapping(from, to domain.GroupView) (string, url.Values) {
	fields := url.Values{"do": {"save"}}
	if !to.Explicit {
		return v.groupAt() + "/clear", fields
	}
	fields.Set("org_role_id", string(to.Mapping.OrgRole))
	for workspace := range from.Mapping.Workspaces {
		fields.Add("listed", string(workspace))
	}
	for workspace, role := range to.Mapping.Workspaces {
		fields.Add("pair", pairOf(workspace, role))
	}
	return v.groupAt(), fields
}

// maxUndone is how many roles in workspaces an offer to undo a mapping holds, so that it fits into an address.
const maxUndone = 20

// mapped says that another mapping is in force, and offers the one before.
func (v *visit) mapped(words string, before, now domain.GroupView) error {
	if len(before.Mapping.Workspaces)+len(now.Mapping.Workspaces) > maxUndone {
		return v.finish(v.groupAt(), words)
	}
	action, fields := v.sendMapping(now, before)
	return v.finishWith(v.groupAt(), words, action, fields)
}

// saveMapping looks first: only the button under the preview saves (R38).
func (v *visit) saveMapping() error {
	mapping, err := v.mapping()
	if err != nil {
		return v.retry("mapping", err, (*visit).group)
	}
	if v.value("do") != "save" {
		return v.preview(domain.Proposal{Group: v.groupID(), Mapping: &mapping}, false)
	}
	before, err := v.Rules.SCIMGroup(v.ctx(), v.scope, v.groupID())
	if err != nil {
		return err
	}
	now, err := v.seen().SetGroupMapping(v.ctx(), v.scope, v.groupID(), mapping)
	if err != nil {
		return v.retry("mapping", err, (*visit).group)
	}
	return v.mapped("mapped", before, now)
}

// clearMapping lets the name decide again, after a look.
func (v *visit) clearMapping() error {
	if v.value("do") != "save" {
		return v.preview(domain.Proposal{Group: v.groupID()}, true)
	}
	before, err := v.Rules.SCIMGroup(v.ctx(), v.scope, v.groupID())
	if err != nil {
		return err
	}
	now, err := v.seen().ClearGroupMapping(v.ctx(), v.scope, v.groupID())
	if err != nil {
		return v.retry("mapping", err, (*visit).group)
	}
	return v.mapped("unmapped", before, now)
}

func (v *visit) preview(proposal domain.Proposal, byName bool) error {
	preview, err := v.Rules.Preview(v.ctx(), v.scope, proposal)
	if err != nil {
		return v.retry("mapping", err, (*visit).group)
	}
	names, err := v.names()
	if err != nil {
		return err
	}
	shown := &groupPreview{Gives: names.gives(preview.Mapping), People: preview.People, Concerned: preview.Concerned, Clear: byName}
	for _, change := range preview.Changes {
		if shown.Listed == 2*pageSize {
			break
		}
		shown.Listed++
		shown.add(names, change)
	}
	// The form keeps what was chosen, which is no refusal; what was added is one of the boxes now.
	if proposal.Mapping != nil {
		v.r.PostForm.Del("pair")
		for workspace, role := range proposal.Mapping.Workspaces {
			v.r.PostForm.Add("pair", pairOf(workspace, role))
		}
		v.r.PostForm.Del("add_workspace")
	}
	v.refused = &refusedForm{name: "mapping", err: &domain.Error{}, values: v.r.PostForm}
	defer func() { v.refused = nil }()
	return v.showGroup(shown)
}

// add puts one person among those who gain, who lose, or both at once.
func (p *groupPreview) add(names placeNames, change domain.AccessPreview) {
	row := accessRow{ID: change.AccessChange.Member, Name: name(change.Member)}
	gains, loses := false, false
	if change.Org != nil && change.Org.Role != change.Before.Org.Role {
		row.Changes = append(row.Changes, roleName(names.roles, change.Before.Org.Role)+" becomes "+roleName(names.roles, change.Org.Role))
		gains, loses = true, true
	}
	for _, workspace := range names.ordered {
		before, was := change.Before.Workspaces[workspace.ID]
		after, put := change.Put[workspace.ID]
		switch {
		case put && !was:
			row.Changes = append(row.Changes, "enters “"+workspace.DisplayName+"” as "+roleName(names.roles, after.Role))
			gains = true
		case put && before.Role != after.Role:
			row.Changes = append(row.Changes, roleName(names.roles, before.Role)+" in “"+workspace.DisplayName+"” becomes "+roleName(names.roles, after.Role))
			gains, loses = true, true
		}
		for _, dropped := range change.Drop {
			if dropped == workspace.ID {
				row.Changes = append(row.Changes, "leaves “"+workspace.DisplayName+"” ("+roleName(names.roles, before.Role)+")")
				loses = true
			}
		}
	}
	switch {
	case gains && !loses:
		p.Gaining = append(p.Gaining, row)
	case loses && !gains:
		p.Losing = append(p.Losing, row)
	default:
		p.Others = append(p.Others, row)
	}
}
