package web

import (
	"net/url"

	"muster/domain"
)

// orgsPage is where one chooses an organization.
type orgsPage struct {
	Organizations []orgRow
	// Invites is how many organizations wait for an answer.
	Invites int
	// MayCreate says that people may make organizations (R5); MayPersonal that they may make one of their own (R6).
	MayCreate, MayPersonal bool
	refused                *refusedForm
}

// orgRow is one of the person's organizations.
type orgRow struct {
	domain.OrgView

	RoleName string
	// MayDefault says that the person is Admin of this and of the present default organization (R19).
	MayDefault bool
	In         string
}

// Form returns what was sent in vain.
func (p orgsPage) Form(name string) form { return formOf(p.refused, name) }

func (v *visit) orgs() error {
	views, err := v.Rules.Organizations(v.ctx(), v.principal)
	if err != nil {
		return err
	}
	page := orgsPage{refused: v.refused, MayCreate: !v.Rules.Policy().OrgCreationDisabled, MayPersonal: !v.Rules.Policy().PersonalOrgsDisabled}
	adminOfDefault := false
	for _, view := range views {
		scope, err := v.principal.In(view.ID)
		if err != nil {
			return err
		}
		admin := scope.Role() == domain.RoleOrgAdmin
		adminOfDefault = adminOfDefault || view.Default && admin
		page.MayPersonal = page.MayPersonal && !view.Personal
		page.Organizations = append(page.Organizations, orgRow{
			OrgView: view, RoleName: domain.RoleName(scope.Role()), MayDefault: admin && !view.Default && !view.Personal,
			In: v.config.BasePath + "/orgs/" + string(view.ID),
		})
	}
	for i := range page.Organizations {
		page.Organizations[i].MayDefault = page.Organizations[i].MayDefault && adminOfDefault
	}
	invites, err := v.Rules.OwnInvites(v.ctx(), v.principal)
	page.Invites = len(invites)
	if err != nil {
		return err
	}
	return v.render("orgs", "Organizations", "/orgs", page)
}

func (v *visit) createOrg() error {
	id, err := v.Rules.CreateOrganization(v.ctx(), v.principal, v.value("display_name"), v.value("is_personal") == "true", "")
	if err != nil {
		return v.retry("create", err, (*visit).orgs)
	}
	return v.finish("/orgs/"+string(id)+"/members", "organization-added")
}

// orgHome is the page on which an organization opens.
func (v *visit) orgHome() error { return v.goTo(v.rw, v.r, v.at("/members")) }

func (v *visit) askDefault() error {
	settings, err := v.Rules.SSOSettings(v.ctx(), v.scope)
	if err != nil {
		return err
	}
	where, err := v.joinWords(settings)
	if err != nil {
		return err
	}
	return v.confirm("/settings", confirmation{
		Title: "Make “" + v.org.DisplayName + "” the default organization?",
		Effects: []string{
			"People who sign in for the first time join this organization from now on: " + where,
			"Members of the present default organization stay as they are, and nobody new joins it by signing in.",
			"An Organization Admin of both can change it back.",
		},
		Action: v.at("/default"), Button: "Set as default organization", Back: "/orgs",
	})
}

func (v *visit) setDefault() error {
	if err := v.Rules.SetDefaultOrganization(v.ctx(), v.principal, v.org.ID); err != nil {
		return v.retry("confirm", err, (*visit).askDefault)
	}
	return v.finish("/orgs", "default")
}

// settingsPage is what the organization decides for itself.
type settingsPage struct {
	common

	Org  domain.OrgView
	Seen domain.Seen
	// Separators are the characters that may stand in group names.
	Separators []option
}

func (v *visit) settings() error {
	seen := v.face(v.org.Face(), "settings")
	page := settingsPage{common: v.common(), Org: v.org, Seen: seen}
	names := map[rune]string{':': "colon", '-': "hyphen", '_': "underscore", ' ': "space", '&': "ampersand"}
	for _, one := range domain.GroupSeparators {
		page.Separators = append(page.Separators, option{Value: string(one), Label: names[one] + " " + string(one)})
	}
	return v.render("settings", "Settings", "/settings", page)
}

func (v *visit) saveSettings() error {
	var caps [3]*int
	for i, name := range []string{"max_pat_expiry_days", "max_service_key_expiry_days", "max_api_key_expiry_days"} {
		n, err := v.number(name, "a number of days")
		if err != nil {
			return v.retry("settings", err, (*visit).settings)
		}
		caps[i] = n
	}
	display := v.value("display_name")
	view, err := v.seen().UpdateOrganization(v.ctx(), v.scope, domain.OrgUpdate{DisplayName: &display, Settings: func(s *domain.OrgSettings) {
		s.SecurityContact = v.value("security_contact")
		s.PATCreationDisabled = v.value("pat_creation_disabled") == "true"
		s.MaxPATExpiryDays, s.MaxServiceKeyExpiryDays, s.MaxAPIKeyExpiryDays = caps[0], caps[1], caps[2]
		s.GroupSeparator = v.r.PostForm.Get("scim_group_name_separator")
		s.GroupTwinsAllowed = v.value("scim_group_twins_allowed") == "true"
		s.WorkspaceAdminCanInvite = v.value("workspace_admin_can_invite_to_org") == "true"
	}})
	if err != nil {
		return v.retry("settings", err, (*visit).settings)
	}
	v.org = view
	return v.finish(v.at("/settings"), "saved")
}

// ownInvitesPage lists the organizations that wait for the person.
type ownInvitesPage struct {
	Invitations []invitationRow
	refused     *refusedForm
}

type invitationRow struct {
	domain.Invitation

	RoleName string
}

// Form returns what was sent in vain.
func (p ownInvitesPage) Form(name string) form { return formOf(p.refused, name) }

func (v *visit) ownInvites() error {
	found, err := v.Rules.OwnInvites(v.ctx(), v.principal)
	if err != nil {
		return err
	}
	page := ownInvitesPage{refused: v.refused}
	for _, one := range found {
		page.Invitations = append(page.Invitations, invitationRow{one, domain.RoleName(one.Role)})
	}
	return v.render("own-invites", "Your invites", "/you/invites", page)
}

func (v *visit) acceptInvite() error {
	id := domain.OrgID(v.r.PathValue("org"))
	if _, err := v.Rules.ClaimInvite(v.ctx(), v.principal, id); err != nil {
		return v.retry("invites", err, (*visit).ownInvites)
	}
	return v.finish("/orgs/"+url.PathEscape(string(id))+"/members", "joined")
}

func (v *visit) askDecline() error {
	found, err := v.Rules.OwnInvites(v.ctx(), v.principal)
	if err != nil {
		return err
	}
	for _, one := range found {
		if id := string(one.Org.ID); id == v.r.PathValue("org") {
			return v.confirm("/you/invites", confirmation{
				Title: "Decline the invite of “" + one.Org.DisplayName + "”?", Effects: []string{"It lets you in no more. Only a new invite does."},
				Action: "/you/invites/" + url.PathEscape(id) + "/decline", Button: "Decline", Back: "/you/invites",
			})
		}
	}
	return domain.Errorf(domain.NotFound, "there is no such invite; it was withdrawn, has expired, or was answered")
}

func (v *visit) declineInvite() error {
	if err := v.Rules.DeclineInvite(v.ctx(), v.principal, domain.OrgID(v.r.PathValue("org"))); err != nil {
		return v.retry("invites", err, (*visit).ownInvites)
	}
	return v.finish("/you/invites", "declined")
}
