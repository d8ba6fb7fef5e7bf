package web

import (
	"net/url"

	"muster/domain"
)

// workspacesPage lists the workspaces that the person sees.
type workspacesPage struct {
	common

	Workspaces []domain.WorkspaceView
	Search     string
	Pager      pager
}

func (v *visit) workspaces() error {
	page := workspacesPage{common: v.common(), Search: v.value("q")}
	all, err := v.Rules.Workspaces(v.ctx(), v.scope, false)
	if err != nil {
		return err
	}
	window := v.window()
	for _, workspace := range all {
		if page.Search == "" || domain.Like(workspace.DisplayName, []string{"*" + page.Search + "*"}) {
			page.Workspaces = append(page.Workspaces, workspace)
		}
	}
	page.Workspaces = page.Workspaces[min(window.Offset, len(page.Workspaces)):]
	page.Workspaces, page.Pager = paged(v, page.Workspaces)
	return v.render("workspaces", "Workspaces", "/workspaces", page)
}

func (v *visit) createWorkspace() error {
	workspace, err := v.Rules.CreateWorkspace(v.ctx(), v.scope, domain.NewWorkspace{Name: v.value("display_name")})
	if err != nil {
		return v.retry("create", err, (*visit).workspaces)
	}
	return v.finish(v.at("/workspaces/"+url.PathEscape(string(workspace.ID))), "created")
}

// workspacePage is one workspace with its people.
type workspacePage struct {
	common

	Workspace domain.WorkspaceView
	Seen      domain.Seen
	// MayPeople and MayChange are what the reader may do in it.
	MayPeople, MayChange bool
	// BringNew says whether people from outside the organization can be brought (R21).
	BringNew bool
	Search   string
	Members  []workspaceMember
	Pager    pager
	Pending  []inviteRow
	Roles    []option
	RowRoles rowRoles
	Mail     bool
	Link     string
}

// workspaceMember is somebody in a workspace.
type workspaceMember struct {
	domain.MemberView

	Here domain.WorkspaceHeld
	Seen domain.Seen
	// ByGroup says that a group gives the role (R36).
	ByGroup bool
}

func (v *visit) workspaceID() domain.WorkspaceID {
	return domain.WorkspaceID(v.r.PathValue("workspace"))
}

func (v *visit) workspaceAt() string {
	return v.at("/workspaces/" + url.PathEscape(string(v.workspaceID())))
}

func (v *visit) workspace() error {
	id := v.workspaceID()
	page := workspacePage{common: v.common(), Search: v.value("q"), Mail: v.Rules.Policy().MailEnabled, Link: v.Rules.InviteLink()}
	var err error
	if page.Workspace, err = v.Rules.Workspace(v.ctx(), v.scope, id); err != nil {
		return err
	}
	page.Seen = domain.SeenOf(page.Workspace.Face())
	page.MayPeople = page.Manage || holds(page.Workspace.Role, domain.PermWorkPeople)
	page.MayChange = page.Manage || holds(page.Workspace.Role, domain.PermWorkManage)
	page.BringNew = (page.Manage || v.Rules.Policy().WorkspaceInvitesEnabled || v.org.Settings.WorkspaceAdminCanInvite) &&
		(!v.org.Default || v.org.Settings.InvitesEnabled) && !v.org.Personal
	members, err := v.Rules.WorkspaceMembers(v.ctx(), v.scope, id, domain.MemberQuery{Window: v.window(), Find: page.Search})
	if err != nil {
		return err
	}
	members, page.Pager = paged(v, members)
	for _, member := range members {
		page.Members = append(page.Members, here(member, id))
	}
	if page.MayPeople {
		if err := v.pendingHere(&page); err != nil {
			return err
		}
	}
	return v.render("workspace", page.Workspace.DisplayName, "/workspaces", page)
}

func here(member domain.MemberView, id domain.WorkspaceID) workspaceMember {
	found := workspaceMember{MemberView: member}
	for _, held := range member.Workspaces {
		if held.Workspace == id {
			found.Here, found.Seen, found.ByGroup = held, domain.SeenOf(held.Face()), held.Kind == domain.GrantGroup
		}
	}
	return found
}

func (v *visit) pendingHere(page *workspacePage) error {
	roles, err := v.Rules.Roles(v.ctx(), v.scope)
	if err != nil {
		return err
	}
	page.Roles = roleOptions(roles, domain.ScopeWorkspace)
	page.RowRoles = rowRolesOf(page.Roles, len(page.Members))
	invites, err := v.Rules.WorkspaceInvites(v.ctx(), v.scope, v.workspaceID(), domain.MemberQuery{Window: domain.Window{Limit: pageSize}})
	if err != nil {
		return err
	}
	page.Pending, err = v.inviteRows(invites)
	return err
}

func holds(role domain.Role, permission domain.Permission) bool {
	for _, one := range role.Permissions {
		if one == permission {
			return true
		}
	}
	return false
}

// bring brings people into the workspace: members at once, others as pending members where that is allowed (R21).
func (v *visit) bring() error {
	var requests []domain.InviteRequest
	for _, address := range addresses(v.value("addresses")) {
		requests = append(requests, domain.InviteRequest{Email: address, WorkspaceRole: domain.RoleID(v.value("workspace_role_id"))})
	}
	if _, err := v.Rules.InviteToWorkspace(v.ctx(), v.scope, v.workspaceID(), requests); err != nil {
		return v.retry("bring", err, (*visit).workspace)
	}
	return v.finish(v.workspaceAt(), "invited")
}

func (v *visit) withdrawHere() error {
	if err := v.Rules.WithdrawWorkspaceInvite(v.ctx(), v.scope, v.workspaceID(), domain.InviteID(v.r.PathValue("invite"))); err != nil {
		return v.retry("withdraw", err, (*visit).workspace)
	}
	return v.finish(v.workspaceAt(), "withdrawn")
}

func (v *visit) renameWorkspace() error {
	before, err := v.Rules.Workspace(v.ctx(), v.scope, v.workspaceID())
	if err != nil {
		return err
	}
	if _, err := v.seen().RenameWorkspace(v.ctx(), v.scope, v.workspaceID(), v.value("display_name")); err != nil {
		return v.retry("rename", err, (*visit).workspace)
	}
	return v.finishWith(v.workspaceAt(), "renamed", v.workspaceAt()+"/rename", url.Values{"display_name": {before.DisplayName}})
}

func (v *visit) setHandle() error {
	if _, err := v.seen().SetHandle(v.ctx(), v.scope, v.workspaceID(), v.value("tenant_handle")); err != nil {
		return v.retry("handle", err, (*visit).workspace)
	}
	return v.finish(v.workspaceAt(), "saved")
}

func (v *visit) askDeleteWorkspace() error {
	workspace, err := v.Rules.Workspace(v.ctx(), v.scope, v.workspaceID())
	if err != nil {
		return err
	}
	members, err := v.Rules.WorkspaceMembers(v.ctx(), v.scope, v.workspaceID(), domain.MemberQuery{Window: domain.Window{Limit: domain.MaxLimit}})
	if err != nil {
		return err
	}
	people := peopleWord(len(members))
	if len(members) == domain.MaxLimit {
		people = "500 people or more"
	}
	return v.confirm("/workspaces", confirmation{
		Title: "Delete the workspace “" + workspace.DisplayName + "”?",
		Effects: []string{
			"Everybody in it loses access to it: " + people + ".",
			"Groups whose names speak of it, and mappings to it, give nothing there any more.",
			"First-time users do not join it any more.",
			"This cannot be taken back.",
		},
		Action: v.workspaceAt() + "/delete", Button: "Delete the workspace", Back: v.workspaceAt(), Typed: workspace.DisplayName,
		Fields: url.Values{"seen": {string(domain.SeenOf(workspace.Face()))}},
	})
}

func (v *visit) deleteWorkspace() error {
	workspace, err := v.Rules.Workspace(v.ctx(), v.scope, v.workspaceID())
	if err != nil {
		return err
	}
	if domain.Fold(v.value("typed")) != domain.Fold(workspace.DisplayName) {
		return v.retry("confirm", domain.Invalidf("typed", "type the workspace’s name to delete it: %s", workspace.DisplayName), (*visit).askDeleteWorkspace)
	}
	if err := v.seen().DeleteWorkspace(v.ctx(), v.scope, v.workspaceID()); err != nil {
		return v.retry("confirm", err, (*visit).askDeleteWorkspace)
	}
	return v.finish(v.at("/workspaces"), "deleted")
}
