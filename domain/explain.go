package domain

import (
	"slices"
)

// Lost is a grant that is not in force, and why.
type Lost struct {
	Grant
	// As is the grant's role; Service.Explain fills it in.
	As Role
	// Workspace is empty for the org role.
	Workspace WorkspaceID
	Why       string
}

// Why is a role in one place with the grants that stood against it (R37).
type Why struct {
	// Workspace and Name are empty for the org role.
	Workspace WorkspaceID
	Name      string
	Grant
	// As is the grant's role; Service.Explain fills it in.
	As Role
	// Implied is true when the role follows from Organization Admin without a row of its own (R3).
	Implied bool
	Lost    []Lost
}

// Explanation says, for the org role and every workspace, what a member holds and why (R37).
type Explanation struct {
	Org        Why
	Workspaces []Why
}

// Explain reads the same inputs as Resolve and says how it came to its answer.
// The workspaces given are those that live; only those the member is in appear in the answer.
func Explain(held Holding, groups []GroupGrants, workspaces []Workspace) Explanation {
	explanation := Explanation{Org: explainOrg(held.Org, groups)}
	admin := held.Org.Role == RoleOrgAdmin
	for _, workspace := range workspaces {
		have, ok := held.Workspaces[workspace.ID]
		if !ok && !admin {
			continue
		}
		why := Why{Workspace: workspace.ID, Name: workspace.DisplayName, Grant: have.Grant}
		why.Lost = lostIn(workspace.ID, have, groups)
		if admin {
			why = impliedByAdmin(why, have, ok, held.Org)
		}
		explanation.Workspaces = append(explanation.Workspaces, why)
	}
	return explanation
}

// impliedByAdmin puts Organization Admin before whatever row there is (R3).
func impliedByAdmin(why Why, have Held, found bool, org Held) Why {
	if found {
		why.Lost = append(why.Lost, Lost{
			Grant: have.Grant, Workspace: why.Workspace,
			Why: "an Organization Admin is Admin of every workspace; this role counts again when that ends",
		})
	}
	why.Grant = org.Grant
	why.Role = RoleWorkAdmin
	why.Implied = true
	return why
}

// RoleName is how people call the role.
func (w Why) RoleName() string { return w.As.nameOr(w.Role) }

// RoleName is how people call the role.
func (l Lost) RoleName() string { return l.As.nameOr(l.Role) }

// roles are all roles that the explanation is about.
func (e *Explanation) roles() []RoleID {
	var ids []RoleID
	for _, why := range append([]Why{e.Org}, e.Workspaces...) {
		ids = append(ids, why.Role)
		for _, lost := range why.Lost {
			ids = append(ids, lost.Role)
		}
	}
	return ids
}

// name fills in the roles that the grants are about.
func (e *Explanation) name(roles Roles) {
	e.Org.name(roles)
	for i := range e.Workspaces {
		e.Workspaces[i].name(roles)
	}
}

func (w *Why) name(roles Roles) {
	w.As, _ = roles.Get(w.Role)
	for i := range w.Lost {
		w.Lost[i].As, _ = roles.Get(w.Lost[i].Role)
	}
}

func explainOrg(have Held, groups []GroupGrants) Why {
	why := Why{Grant: have.Grant, Lost: replaced("", have)}
	for _, group := range sortedGroups(groups) {
		if group.OrgRole == "" || string(group.ID) == have.Source && have.Kind == GrantGroup {
			continue
		}
		why.Lost = append(why.Lost, Lost{Grant: groupGrant(group, group.OrgRole), Why: whyOrgLost(have, group)})
	}
	return why
}

func whyOrgLost(have Held, group GroupGrants) string {
	switch {
	case have.Kind == GrantBootstrap:
		return "the installation's first Admin is never changed by a group"
	case orgPower(group.OrgRole) < orgPower(have.Role):
		return "the group " + quote(have.SourceName) + " grants a more powerful role"
	default:
		return "the group " + quote(have.SourceName) + " grants the same role and is newer"
	}
}

func lostIn(workspace WorkspaceID, have Held, groups []GroupGrants) []Lost {
	lost := replaced(workspace, have)
	for _, group := range sortedGroups(groups) {
		role, speaks := group.Workspaces[workspace]
		if !speaks || string(group.ID) == have.Source {
			continue
		}
		lost = append(lost, Lost{
			Grant: groupGrant(group, role), Workspace: workspace,
			Why: "the group " + quote(have.SourceName) + " was created later and decides in this workspace",
		})
	}
	return lost
}

func replaced(workspace WorkspaceID, have Held) []Lost {
	if have.Replaced == nil {
		return nil
	}
	return []Lost{{
		Grant: *have.Replaced, Workspace: workspace,
		Why: "replaced by the group " + quote(have.SourceName) + "; it does not come back when the group is left",
	}}
}

func groupGrant(group GroupGrants, role RoleID) Grant {
	return Grant{Kind: GrantGroup, Role: role, Source: string(group.ID), SourceName: group.Name, At: group.Created}
}

func sortedGroups(groups []GroupGrants) []GroupGrants {
	return slices.SortedFunc(slices.Values(groups), byCreation)
}

func quote(name string) string { return "“" + name + "”" }
