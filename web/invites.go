package web

import (
	"net/http"
	"net/url"
	"strings"

	"muster/domain"
)

// invitesPage lists the pending members.
type invitesPage struct {
	common

	Search  string
	Invites []inviteRow
	Pager   pager
	// Link is what to hand over where no mail is sent (R24).
	Link string
	Mail bool
}

// inviteRow is a pending member with names for what they will have.
type inviteRow struct {
	domain.Invite

	RoleName string
	Places   []string
	Expired  bool
}

func (v *visit) invites() error {
	page := invitesPage{common: v.common(), Search: v.value("q"), Link: v.Rules.InviteLink(), Mail: v.Rules.Policy().MailEnabled}
	found, err := v.Rules.Invites(v.ctx(), v.scope, domain.MemberQuery{Window: v.window(), Search: page.Search})
	if err != nil {
		return err
	}
	found, page.Pager = paged(v, found)
	if page.Invites, err = v.inviteRows(found); err != nil {
		return err
	}
	return v.render("invites", "Pending invites", "/members", page)
}

func (v *visit) inviteRows(invites []domain.Invite) ([]inviteRow, error) {
	roles, err := v.Rules.Roles(v.ctx(), v.scope)
	if err != nil {
		return nil, err
	}
	workspaces, err := v.Rules.Workspaces(v.ctx(), v.scope, false)
	if err != nil {
		return nil, err
	}
	rows := make([]inviteRow, len(invites))
	for i, invite := range invites {
		rows[i] = inviteRow{Invite: invite, RoleName: roleName(roles, invite.Role), Expired: !invite.Open(v.now())}
		for _, workspace := range workspaces {
			for _, id := range invite.Workspaces {
				if id == workspace.ID {
					rows[i].Places = append(rows[i].Places, workspace.DisplayName+" ("+roleName(roles, invite.RoleIn(id))+")")
				}
			}
		}
	}
	return rows, nil
}

func roleName(roles []domain.Role, id domain.RoleID) string {
	for _, role := range roles {
		if role.ID == id {
			return role.DisplayName
		}
	}
	return domain.RoleName(id)
}

// withdraw ends an invite, and offers to send another one like it.
func (v *visit) withdraw() error {
	id := domain.InviteID(v.r.PathValue("invite"))
	found, err := v.Rules.Invites(v.ctx(), v.scope, domain.MemberQuery{Search: v.value("email"), Window: domain.Window{Limit: pageSize}})
	if err != nil {
		return err
	}
	if err := v.Rules.WithdrawInvite(v.ctx(), v.scope, id); err != nil {
		return v.retry("withdraw", err, (*visit).invites)
	}
	for _, invite := range found {
		if invite.ID == id && len(invite.OwnRoles) == 0 && len(invite.Workspaces) <= maxUndone {
			return v.finishWith(v.at("/invites"), "withdrawn", v.at("/invites"), again(invite))
		}
	}
	return v.finish(v.at("/invites"), "withdrawn")
}

// again is the form that invites somebody like before.
func again(invite domain.Invite) url.Values {
	fields := url.Values{"addresses": {invite.Email}, "role_id": {string(invite.Role)}, "workspace_role_id": {string(invite.WorkspaceRole)}}
	for _, workspace := range invite.Workspaces {
		fields.Add("workspace_ids", string(workspace))
	}
	return fields
}

// invitePage invites many people after a look at what each row will do.
type invitePage struct {
	common

	OrgRoles, WorkRoles, Workspaces []option
	Addresses                       string
	Preview                         []invitePreview
	// Good is how many rows can be sent.
	Good int
	Mail bool
	Max  int
	// Off says why nobody can be invited.
	Off string
}

// invitePreview is a row in words.
type invitePreview struct {
	domain.InvitePreview

	What string
}

func (v *visit) invite() error {
	if !v.scope.Has(domain.PermOrgManage) {
		return domain.Errorf(domain.Forbidden, "only those who manage the organization invite people")
	}
	page := invitePage{common: v.common(), Mail: v.Rules.Policy().MailEnabled, Max: domain.MaxBatch}
	if v.org.Default && !v.org.Settings.InvitesEnabled {
		page.Off = "Invites are switched off in this organization. An Organization Admin can switch them on in the sign-in settings."
	}
	roles, err := v.Rules.Roles(v.ctx(), v.scope)
	if err != nil {
		return err
	}
	workspaces, err := v.Rules.Workspaces(v.ctx(), v.scope, false)
	if err != nil {
		return err
	}
	page.OrgRoles, page.WorkRoles = roleOptions(roles, domain.ScopeOrganization), roleOptions(roles, domain.ScopeWorkspace)
	page.Workspaces = workspaceOptions(workspaces)
	if v.r.Method == http.MethodPost && v.refused == nil {
		v.refused = &refusedForm{name: "invite", err: &domain.Error{}, values: v.r.PostForm}
		page.common = v.common()
		requests, err := v.inviteRequests()
		var previews []domain.InvitePreview
		if err == nil {
			previews, err = v.Rules.PreviewInvites(v.ctx(), v.scope, requests)
		}
		if err != nil {
			v.refused = nil
			return v.retry("invite", err, (*visit).invite)
		}
		for _, preview := range previews {
			page.Preview = append(page.Preview, invitePreview{preview, inviteEffect(preview)})
			page.Good += boolInt(preview.Problem == "")
		}
		v.refused = nil
	}
	return v.render("invite", "Invite people", "/members", page)
}

// inviteRequests reads pasted addresses: one a line, or parted by commas and semicolons, with names before them or not.
func (v *visit) inviteRequests() ([]domain.InviteRequest, error) {
	workspaces, err := v.pickedAll("workspace_ids")
	if err != nil {
		return nil, err
	}
	var requests []domain.InviteRequest
	for _, address := range addresses(v.value("addresses")) {
		requests = append(requests, domain.InviteRequest{
			Email: address, Role: domain.RoleID(v.value("role_id")), Workspaces: workspaces,
			WorkspaceRole: domain.RoleID(v.value("workspace_role_id")),
		})
	}
	return requests, nil
}

// addresses reads what people paste from a mail program or a table.
func addresses(text string) []string {
	var found []string
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' || r == ',' || r == ';' || r == '\t' }) {
		part = strings.TrimSpace(part)
		if start, end := strings.LastIndexByte(part, '<'), strings.LastIndexByte(part, '>'); start >= 0 && end > start {
			part = strings.TrimSpace(part[start+1 : end])
		}
		if part != "" {
			found = append(found, part)
		}
	}
	return found
}

func inviteEffect(p domain.InvitePreview) string {
	switch {
	case p.Problem != "":
		return sentence(p.Problem)
	case p.Member != nil:
		return "Was disabled here; signing in with this invite lets them in again."
	case p.Earlier != nil:
		return "Is invited already: workspaces are added and the roles replaced."
	default:
		return "Becomes a pending member until they sign in."
	}
}

func (v *visit) sendInvites() error {
	requests, err := v.inviteRequests()
	if err == nil {
		_, err = v.Rules.InviteAll(v.ctx(), v.scope, requests)
	}
	if known := domain.AsError(err); err != nil && len(known.Rows) > 0 {
		// Every bad row shows in the preview.
		return v.invite()
	}
	if err != nil {
		return v.retry("invite", err, (*visit).invite)
	}
	return v.finish(v.at("/invites"), "invited")
}
