package web

import (
	"muster/domain"
)

// placeNames are the names of an organization's roles and workspaces.
type placeNames struct {
	roles      []domain.Role
	workspaces map[domain.WorkspaceID]string
	ordered    []domain.WorkspaceView
}

func (v *visit) names() (placeNames, error) {
	roles, err := v.Rules.Roles(v.ctx(), v.scope)
	if err != nil {
		return placeNames{}, err
	}
	all, err := v.Rules.Workspaces(v.ctx(), v.scope, false)
	names := placeNames{roles: roles, workspaces: map[domain.WorkspaceID]string{}, ordered: all}
	for _, workspace := range all {
		names.workspaces[workspace.ID] = workspace.DisplayName
	}
	return names, err
}

func (n placeNames) workspace(id domain.WorkspaceID) string {
	if name, ok := n.workspaces[id]; ok {
		return name
	}
	return "a workspace that is gone or not yours to see"
}

// gives says what a mapping gives, in words.
func (n placeNames) gives(m domain.Mapping) []string {
	var gives []string
	if m.OrgRole != "" {
		gives = append(gives, roleName(n.roles, m.OrgRole))
	}
	for _, workspace := range n.ordered {
		if role, ok := m.Workspaces[workspace.ID]; ok {
			gives = append(gives, roleName(n.roles, role)+" in "+workspace.DisplayName)
		}
	}
	return gives
}

func (n placeNames) rows(groups []domain.GroupView) []groupRow {
	rows := make([]groupRow, len(groups))
	for i, group := range groups {
		rows[i] = groupRow{group, n.gives(group.Mapping)}
	}
	return rows
}
