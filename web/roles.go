package web

import (
	"net/url"
	"slices"
	"strings"

	"muster/domain"
)

// rolesPage lists the system's and the organization's own roles.
type rolesPage struct {
	common

	Groups []roleGroup
}

// roleGroup are roles under one heading.
type roleGroup struct {
	Name  string
	Roles []domain.Role
}

func (v *visit) roles() error {
	all, err := v.Rules.Roles(v.ctx(), v.scope)
	if err != nil {
		return err
	}
	groups := []roleGroup{{Name: "In the organization"}, {Name: "In workspaces"}, {Name: "Your own, in workspaces"}}
	for _, role := range all {
		at := 0
		switch {
		case role.Custom():
			at = 2
		case role.Scope == domain.ScopeWorkspace:
			at = 1
		}
		groups[at].Roles = append(groups[at].Roles, role)
	}
	page := rolesPage{v.common(), groups}
	return v.render("roles", "Roles", "/roles", page)
}

// rolePage is one role, or a new one.
type rolePage struct {
	common

	Role domain.Role
	New  bool
	Seen domain.Seen
	// Grid has the permissions this server knows, by what they are about; Others are what applications defined.
	Actions []string
	Grid    []permissionRow
	Others  string
}

// permissionRow is what can be done with one thing.
type permissionRow struct {
	Resource string
	Cells    []permissionCell
	// More are actions without a column.
	More []permissionCell
}

type permissionCell struct {
	Permission domain.Permission
	Action     string
	Text       string
	Known      bool
	Held       bool
}

// shownCell is a cell that can be ticked, or is only shown.
type shownCell struct {
	Cell permissionCell
	Edit bool
}

func cellOf(cell permissionCell, edit bool) shownCell { return shownCell{cell, edit} }

func (v *visit) role() error {
	role, err := v.roleHere()
	if err != nil {
		return err
	}
	return v.showRole(rolePage{common: v.common(), Role: role, Seen: v.face(role.Face(), "role")}, role.DisplayName)
}

// roleHere is the role in the address.
func (v *visit) roleHere() (domain.Role, error) {
	all, err := v.Rules.Roles(v.ctx(), v.scope)
	if err != nil {
		return domain.Role{}, err
	}
	id := domain.RoleID(v.r.PathValue("role"))
	at := slices.IndexFunc(all, func(r domain.Role) bool { return r.ID == id })
	if at < 0 {
		return domain.Role{}, domain.Errorf(domain.NotFound, "there is no such role in this organization")
	}
	return all[at], nil
}

// newRole begins with what another role has, where the address names one.
func (v *visit) newRole() error {
	page := rolePage{common: v.common(), New: true, Role: domain.Role{Scope: domain.ScopeWorkspace}}
	if from := domain.RoleID(v.r.URL.Query().Get("like")); from != "" {
		all, err := v.Rules.Roles(v.ctx(), v.scope)
		if err != nil {
			return err
		}
		for _, role := range all {
			if role.ID == from && role.Scope == domain.ScopeWorkspace {
				page.Role.Permissions = role.Permissions
			}
		}
	}
	return v.showRole(page, "New role")
}

func (v *visit) showRole(page rolePage, title string) error {
	f := page.Form("role")
	held := func(p domain.Permission) bool {
		return f.Ticked("permissions", string(p), slices.Contains(page.Role.Permissions, p))
	}
	known := map[domain.Permission]bool{}
	page.Actions = []string{"create", "read", "update", "delete"}
	rows := map[string]*permissionRow{}
	var order []string
	for _, info := range domain.Permissions() {
		known[info.Name] = true
		if info.Scope != page.Role.Scope {
			continue
		}
		resource, action, _ := strings.Cut(string(info.Name), ":")
		row := rows[resource]
		if row == nil {
			row = &permissionRow{Resource: resource, Cells: make([]permissionCell, len(page.Actions))}
			rows[resource] = row
			order = append(order, resource)
		}
		cell := permissionCell{Permission: info.Name, Action: action, Text: info.Description, Known: true, Held: held(info.Name)}
		if column := slices.Index(page.Actions, action); column >= 0 {
			row.Cells[column] = cell
		} else {
			row.More = append(row.More, cell)
		}
	}
	for _, resource := range order {
		page.Grid = append(page.Grid, *rows[resource])
	}
	var others []string
	for _, permission := range page.Role.Permissions {
		if !known[permission] {
			others = append(others, string(permission))
		}
	}
	page.Others = strings.Join(others, "\n")
	return v.render("role", title, "/roles", page)
}

// roleChange reads the form: ticked boxes, and further permissions one a line.
func (v *visit) roleChange() domain.RoleChange {
	name, description := v.value("display_name"), v.value("description")
	permissions := checked[domain.Permission](v, "permissions")
	for _, line := range strings.Fields(v.value("others")) {
		permissions = append(permissions, domain.Permission(line))
	}
	return domain.RoleChange{DisplayName: &name, Description: &description, Permissions: &permissions}
}

func (v *visit) createRole() error {
	role, err := v.Rules.CreateRole(v.ctx(), v.scope, v.roleChange())
	if err != nil {
		return v.retry("role", err, (*visit).newRole)
	}
	return v.finish(v.roleAt(role.ID), "created")
}

func (v *visit) roleAt(id domain.RoleID) string { return v.at("/roles/" + url.PathEscape(string(id))) }

func (v *visit) updateRole() error {
	id := domain.RoleID(v.r.PathValue("role"))
	if _, err := v.seen().UpdateRole(v.ctx(), v.scope, id, v.roleChange()); err != nil {
		return v.retry("role", err, (*visit).role)
	}
	return v.finish(v.roleAt(id), "saved")
}

func (v *visit) askDeleteRole() error {
	role, err := v.roleHere()
	if err != nil {
		return err
	}
	return v.confirm("/roles", confirmation{
		Title:   "Delete the role “" + role.DisplayName + "”?",
		Effects: []string{"Nobody loses anything: a role that somebody holds, or that an invite, a key or a mapping gives, is not deleted.", "Groups whose names speak of it give nothing there any more.", "You can take it back for ten minutes."},
		Action:  v.roleAt(role.ID) + "/delete", Button: "Delete the role", Back: v.roleAt(role.ID),
	})
}

// deleteRole deletes a role that nobody holds, and offers to make one like it.
func (v *visit) deleteRole() error {
	role, err := v.Rules.DeleteRole(v.ctx(), v.scope, domain.RoleID(v.r.PathValue("role")))
	if err != nil {
		return v.retry("confirm", err, (*visit).askDeleteRole)
	}
	var permissions []string
	for _, permission := range role.Permissions {
		permissions = append(permissions, string(permission))
	}
	return v.finishWith(v.at("/roles"), "deleted", v.at("/roles/new"), url.Values{
		"display_name": {role.DisplayName}, "description": {role.Description}, "others": {strings.Join(permissions, " ")},
	})
}
