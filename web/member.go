package web

import (
	"errors"
	"net/url"

	"muster/domain"
)

// memberPage is one person: what they may do, why, and what happened to them.
type memberPage struct {
	common

	Member domain.MemberView
	Self   bool
	Seen   domain.Seen
	// Org and Places are the roles with their reasons.
	Org    domain.Why
	Places []place
	Pager  pager
	// Others are the workspaces that the person is not in.
	Others    []option
	OrgRoles  []option
	WorkRoles []option
	RowRoles  rowRoles
	Sessions  []domain.Session
	// SessionsNote says why there is no list.
	SessionsNote string
	History      []auditRow
	// Gone is true for somebody who is no member any more.
	Gone bool
	ID   domain.MemberID
}

// place is a workspace that a person is in.
type place struct {
	domain.Why

	Seen domain.Seen
	// ByGroup says that a group gives the role, so that nobody changes it by hand (R36).
	ByGroup bool
}

// placesPage is how many workspaces a person's page shows at once.
const placesPage = 25

// historyRows is how many rows of the audit log a person's page shows.
const historyRows = 15

func (v *visit) memberID() domain.MemberID { return domain.MemberID(v.r.PathValue("member")) }

func (v *visit) member() error {
	id := v.memberID()
	page := memberPage{common: v.common(), ID: id, Self: id == v.scope.Member()}
	var err error
	page.Member, err = v.Rules.Member(v.ctx(), v.scope, id)
	if domain.IsKind(err, domain.NotFound) && page.Manage {
		return v.gone(page, err)
	}
	if err != nil {
		return err
	}
	page.Seen = domain.SeenOf(page.Member.Face())
	if err := v.explain(&page); err != nil {
		return err
	}
	if page.Manage {
		if err := v.managing(&page); err != nil {
			return err
		}
	}
	return v.render("member", name(page.Member), "/members", page)
}

// gone shows what happened to somebody who is no member any more.
func (v *visit) gone(page memberPage, missing error) error {
	var err error
	if page.History, err = v.history(string(page.ID)); err != nil {
		return err
	}
	if len(page.History) == 0 {
		return missing
	}
	page.Gone = true
	return v.render("member", "No longer a member", "/members", page)
}

func (v *visit) explain(page *memberPage) error {
	explanation, err := v.Rules.Explain(v.ctx(), v.scope, page.ID)
	if err != nil {
		return err
	}
	workspaces, err := v.Rules.Workspaces(v.ctx(), v.scope, false)
	if err != nil {
		return err
	}
	in := map[domain.WorkspaceID]bool{}
	page.Org = explanation.Org
	for _, why := range explanation.Workspaces {
		in[why.Workspace] = true
		page.Places = append(page.Places, place{Why: why, Seen: domain.SeenOf(why.Role), ByGroup: why.Kind == domain.GrantGroup})
	}
	page.Places, page.Pager = pageOf(v, page.Places, placesPage)
	for _, workspace := range workspaces {
		if !in[workspace.ID] {
			page.Others = append(page.Others, option{Value: string(workspace.ID), Label: workspace.DisplayName})
		}
	}
	return nil
}

// managing reads what only those who manage the organization see.
func (v *visit) managing(page *memberPage) error {
	roles, err := v.Rules.Roles(v.ctx(), v.scope)
	if err != nil {
		return err
	}
	page.OrgRoles, page.WorkRoles = roleOptions(roles, domain.ScopeOrganization), roleOptions(roles, domain.ScopeWorkspace)
	page.RowRoles = rowRolesOf(page.WorkRoles, len(page.Places))
	page.Sessions, err = v.Rules.MemberSessions(v.ctx(), v.scope, page.ID)
	if domain.IsKind(err, domain.Forbidden) {
		page.SessionsNote, err = sentence(domain.AsError(err).Text), nil
	}
	if err != nil {
		return err
	}
	page.History, err = v.history(string(page.ID))
	return err
}

// history is what was done to somebody, the newest first.
func (v *visit) history(about string) ([]auditRow, error) {
	events, err := v.Rules.AuditLog(v.ctx(), v.scope, domain.AuditQuery{About: about, Limit: historyRows})
	if err != nil {
		return nil, err
	}
	rows, err := v.auditRows(events, about)
	return rows[:fitting(len(rows), historyBytes, func(i int) []factRow { return rows[i].Changes })], err
}

// name is how people call somebody.
func name(m domain.MemberView) string {
	if m.FullName != "" {
		return m.FullName
	}
	return m.Email
}

func (v *visit) memberAt() string { return v.at("/members/" + url.PathEscape(string(v.memberID()))) }

// setRole changes the org role, and offers to change it back.
func (v *visit) setRole() error {
	before, err := v.Rules.Member(v.ctx(), v.scope, v.memberID())
	if err != nil {
		return err
	}
	role := domain.RoleID(v.value("role_id"))
	if _, err := v.seen().UpdateMember(v.ctx(), v.scope, v.memberID(), domain.MemberUpdate{Role: &role}); err != nil {
		return v.retry("role", err, (*visit).member)
	}
	if before.Role.Role == role {
		return v.finish(v.memberAt(), "saved")
	}
	return v.finishWith(v.memberAt(), "role", v.memberAt()+"/role", url.Values{"role_id": {string(before.Role.Role)}})
}

// setStatus disables somebody or lets them in again.
func (v *visit) setStatus() error {
	disabled := v.value("disabled") == "true"
	if _, err := v.seen().UpdateMember(v.ctx(), v.scope, v.memberID(), domain.MemberUpdate{Disabled: &disabled}); err != nil {
		return v.retry("status", err, (*visit).member)
	}
	if disabled {
		return v.finish(v.memberAt(), "disabled")
	}
	return v.finish(v.memberAt(), "enabled")
}

func (v *visit) askDisable() error {
	member, err := v.Rules.Member(v.ctx(), v.scope, v.memberID())
	if err != nil {
		return err
	}
	return v.confirm("/members", confirmation{
		Title: "Disable " + name(member) + "?",
		Effects: []string{
			"Every session and personal access token of this person in “" + v.org.DisplayName + "” ends at once.",
			"Roles and workspaces are kept, and come back when you enable the person again.",
			"The identity provider sees the person as inactive.",
		},
		Action: v.memberAt() + "/status", Fields: url.Values{"disabled": {"true"}, "seen": {string(domain.SeenOf(member.Face()))}},
		Button: "Disable", Back: v.memberAt(),
	})
}

func (v *visit) askRemove() error {
	member, err := v.Rules.Member(v.ctx(), v.scope, v.memberID())
	if err != nil {
		return err
	}
	effects := []string{
		"The membership of “" + v.org.DisplayName + "” ends, with every role and " + counted(len(member.Workspaces), "workspace") + ".",
		"Every session and personal access token of this person in it ends at once.",
		"This cannot be taken back here. An invite lets the person in again, with the roles that it gives.",
	}
	if member.SCIM {
		effects = append(effects, "The identity provider pushed this person and may push them again at its next synchronization. Take the assignment away there too.")
	}
	if v.org.Default && v.org.Settings.JITEnabled && v.Rules.Policy().JITEnabled {
		effects = append(effects, "Joining at first sign-in is on: unless the person is also stopped at the identity provider, signing in makes them a new member. To keep somebody out, disable them instead.")
	}
	return v.confirm("/members", confirmation{
		Title: "Remove " + name(member) + "?", Effects: effects, Action: v.memberAt() + "/remove", Button: "Remove", Back: v.memberAt(),
	})
}

func (v *visit) removeMember() error {
	if err := v.Rules.RemoveMember(v.ctx(), v.scope, v.memberID()); err != nil {
		return v.retry("status", err, (*visit).member)
	}
	return v.finish(v.at("/members"), "removed")
}

func (v *visit) endSessions() error {
	if _, err := v.Rules.EndMemberSessions(v.ctx(), v.scope, v.memberID()); err != nil {
		return v.retry("sessions", err, (*visit).member)
	}
	return v.finish(v.memberAt(), "sessions")
}

// enterWorkspace puts a member into a workspace, from either's page.
func (v *visit) enterWorkspace() error {
	workspace, err := v.picked("workspace_id")
	if err == nil && workspace == "" {
		err = domain.Invalidf("workspace_id", "choose a workspace")
	}
	if err != nil {
		return v.retry("enter", err, (*visit).member)
	}
	_, err = v.Rules.AddWorkspaceMember(v.ctx(), v.scope, workspace, domain.NewWorkspaceMember{Member: v.memberID(), Role: domain.RoleID(v.value("role_id"))})
	if err != nil {
		return v.retry("enter", err, (*visit).member)
	}
	return v.finishWith(v.memberAt(), "in-workspace", v.at("/workspaces/"+url.PathEscape(string(workspace))+"/members/"+url.PathEscape(string(v.memberID()))+"/remove"), url.Values{"back": {"member"}})
}

// placeRole changes somebody's role in a workspace, or takes them out, and offers to take it back.
func (v *visit) placeRole() error { return v.changePlace(false) }

func (v *visit) leaveWorkspace() error { return v.changePlace(true) }

func (v *visit) changePlace(leave bool) error {
	workspace, member := v.workspaceID(), v.memberID()
	before, err := v.Rules.WorkspaceMembers(v.ctx(), v.scope, workspace, domain.MemberQuery{IDs: []domain.MemberID{member}})
	if err != nil {
		return err
	}
	var role domain.RoleID
	if leave {
		err = v.seen().RemoveWorkspaceMember(v.ctx(), v.scope, workspace, member)
	} else if role, err = v.workRole("role_id"); err == nil {
		_, err = v.seen().SetWorkspaceRole(v.ctx(), v.scope, workspace, member, role)
	}
	page, back := (*visit).workspace, v.workspaceAt()
	if v.value("back") == "member" {
		page, back = (*visit).member, v.memberAt()
	}
	if err != nil {
		return v.retry("place-"+string(workspace)+"-"+string(member), err, page)
	}
	held, err := roleIn(before, workspace)
	if err != nil {
		return v.finish(back, "saved")
	}
	fields := url.Values{"role_id": {string(held)}, "back": {v.value("back")}}
	if leave {
		fields.Set("workspace_id", string(workspace))
		return v.finishWith(back, "left-workspace", v.memberAt()+"/workspaces", fields)
	}
	return v.finishWith(back, "role", v.at("/workspaces/"+url.PathEscape(string(workspace))+"/members/"+url.PathEscape(string(member))+"/role"), fields)
}

func roleIn(members []domain.MemberView, workspace domain.WorkspaceID) (domain.RoleID, error) {
	for _, member := range members {
		for _, held := range member.Workspaces {
			if held.Workspace == workspace {
				return held.Role, nil
			}
		}
	}
	return "", errors.New("not there")
}
