package web

import (
	"net/url"

	"muster/domain"
)

// groupPage is one group with its mapping, and a preview of another one.
type groupPage struct {
	common

	Group      groupRow
	Seen       domain.Seen
	OrgRoles   []option
	Places     []mappingRow
	Preview    *groupPreview
	People     []domain.GroupMember
	MorePeople bool
	History    []auditRow
}

// mappingRow is a workspace with the role that the group gives there; empty for none.
type mappingRow struct {
	Workspace domain.WorkspaceID
	Name      string
	Roles     []option
}

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
	f := page.Form("mapping")
	page.OrgRoles = append([]option{{Value: "", Label: "says nothing about the organization role"}}, roleOptions(names.roles, domain.ScopeOrganization)...)
	page.OrgRoles = chosen(page.OrgRoles, f.Value("org_role_id", string(view.Mapping.OrgRole)))
	for _, workspace := range names.ordered {
		options := append([]option{{Value: "", Label: "no role"}}, roleOptions(names.roles, domain.ScopeWorkspace)...)
		stored := f.Value("workspace-"+string(workspace.ID), string(view.Mapping.Workspaces[workspace.ID]))
		page.Places = append(page.Places, mappingRow{workspace.ID, workspace.DisplayName, chosen(options, stored)})
	}
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

// mapping reads the form.
func (v *visit) mapping() (domain.Mapping, error) {
	mapping := domain.Mapping{OrgRole: domain.RoleID(v.value("org_role_id"))}
	workspaces, err := v.Rules.Workspaces(v.ctx(), v.scope, false)
	for _, workspace := range workspaces {
		if role := v.value("workspace-" + string(workspace.ID)); role != "" {
			if mapping.Workspaces == nil {
				mapping.Workspaces = map[domain.WorkspaceID]domain.RoleID{}
			}
			mapping.Workspaces[workspace.ID] = domain.RoleID(role)
		}
	}
	return mapping, err
}

// saveMapping looks first: only the button under the preview saves (R38).
func (v *visit) saveMapping() error {
	mapping, err := v.mapping()
	if err != nil {
		return err
	}
	if v.value("do") != "save" {
		return v.preview(domain.Proposal{Group: v.groupID(), Mapping: &mapping}, false)
	}
	if _, err := v.seen().SetGroupMapping(v.ctx(), v.scope, v.groupID(), mapping); err != nil {
		return v.retry("mapping", err, (*visit).group)
	}
	return v.finish(v.groupAt(), "mapped")
}

// clearMapping lets the name decide again, after a look.
func (v *visit) clearMapping() error {
	if v.value("do") != "save" {
		return v.preview(domain.Proposal{Group: v.groupID()}, true)
	}
	if _, err := v.seen().ClearGroupMapping(v.ctx(), v.scope, v.groupID()); err != nil {
		return v.retry("mapping", err, (*visit).group)
	}
	return v.finish(v.groupAt(), "unmapped")
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
	// The form keeps what was chosen, which is no refusal.
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
