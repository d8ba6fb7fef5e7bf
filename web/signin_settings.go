package web

import (
	"slices"
	"strings"
	"time"

	"muster/domain"
)

// signInSettingsPage is how people come into the organization.
type signInSettingsPage struct {
	common

	Org       domain.OrgView
	SSO       domain.SSOSettings
	OrgSeen   domain.Seen
	SSOSeen   domain.Seen
	Providers []domain.ProviderStatus
	// Disabled are the providers that the operator has switched off, with the time.
	Disabled  map[string]time.Time
	WorkRoles []option
	// Workspaces are those that people can join, the chosen ones ticked.
	Workspaces []option
	// Where is what first-time users get, in words.
	Where string
	// FlagOff says that the installation has switched joining at first sign-in off (R13).
	FlagOff bool
	Cases   []joinCase
	// Tested is the provider that was just tested, with what was found.
	Tested   string
	Findings []domain.Finding
}

// joinCase is one row of what becomes of somebody who signs in (R12).
type joinCase struct{ Who, Then string }

func (v *visit) signInSettings() error {
	page := signInSettingsPage{
		common: v.common(), Org: v.org, OrgSeen: v.face(v.org.Face(), "joining"), Providers: v.config.Providers.List(),
		FlagOff: !v.Rules.Policy().JITEnabled, Cases: joinCases(v.org, v.Rules.Policy().JITEnabled),
	}
	return v.showSignInSettings(page)
}

func (v *visit) showSignInSettings(page signInSettingsPage) error {
	var err error
	if page.SSO, err = v.Rules.SSOSettings(v.ctx(), v.scope); err != nil {
		return err
	}
	page.SSOSeen = v.face(page.SSO.Face(), "defaults", "claim")
	if page.SSO.GroupsEnabled && page.SSO.GroupsRequired {
		page.Cases = append([]joinCase{{"Whoever is in no group that gives something", "is refused, a member too."}}, page.Cases...)
	}
	if page.Disabled, err = v.Rules.DisabledProviders(v.ctx()); err != nil {
		return err
	}
	roles, err := v.Rules.Roles(v.ctx(), v.scope)
	if err != nil {
		return err
	}
	page.WorkRoles = roleOptions(roles, domain.ScopeWorkspace)
	workspaces, err := v.Rules.Workspaces(v.ctx(), v.scope, false)
	if err != nil {
		return err
	}
	page.Workspaces = workspaceOptions(workspaces, page.SSO.DefaultWorkspaces...)
	if page.Where, err = v.joinWords(page.SSO); err != nil {
		return err
	}
	return v.render("sign-in-settings", "Sign-in", "/sign-in-settings", page)
}

// joinWords say where first-time users come in, and as what (R14).
func (v *visit) joinWords(settings domain.SSOSettings) (string, error) {
	if settings.Removed {
		return "nowhere; this organization has given its sign-in settings up.", nil
	}
	roles, err := v.Rules.Roles(v.ctx(), v.scope)
	if err != nil {
		return "", err
	}
	workspaces, err := v.Rules.Workspaces(v.ctx(), v.scope, false)
	if err != nil {
		return "", err
	}
	var names []string
	for _, workspace := range workspaces {
		if slices.Contains(settings.DefaultWorkspaces, workspace.ID) {
			names = append(names, "“"+workspace.DisplayName+"”")
		}
	}
	if len(names) == 0 {
		return "as Organization User, and no workspace.", nil
	}
	return "as Organization User, and " + roleName(roles, settings.DefaultWorkspaceRole) + " in " + strings.Join(names, ", ") + ".", nil
}

// joinCases are R12 in words, for the settings as they are.
func joinCases(org domain.OrgView, jitAllowed bool) []joinCase {
	if !org.Default {
		return []joinCase{
			{"A member", "is signed in."},
			{"Somebody with an invite", "finds it under “Your invites” and joins by accepting it."},
			{"Anybody else", "does not join by signing in: this is not the default organization. Invite them, or push them through SCIM."},
		}
	}
	jit, invites := org.Settings.JITEnabled && jitAllowed, org.Settings.InvitesEnabled
	cases := []joinCase{
		{"A member", "is signed in."},
		{"A member who is disabled, or who was removed by SCIM", "is refused, with the reason."},
	}
	joins := "joins with the default workspaces and role below."
	refused := "is refused: nobody invited them, and joining at first sign-in is off."
	switch {
	case invites && jit:
		cases = append(cases, joinCase{"Somebody with an invite", "joins with what the invite says, and nothing else."}, joinCase{"Anybody else", joins})
	case invites:
		cases = append(cases, joinCase{"Somebody with an invite", "joins with what the invite says, and nothing else."}, joinCase{"Anybody else", refused})
	case jit:
		cases = append(cases, joinCase{"Somebody with an invite", "joins with the default workspaces and role below: invites are off, so theirs does not count."}, joinCase{"Anybody else", joins})
	default:
		cases = append(cases, joinCase{"Somebody with an invite", "is refused: invites are off, and so is joining at first sign-in."}, joinCase{"Anybody else", refused})
	}
	return cases
}

func (v *visit) saveJoining() error {
	view, err := v.seen().UpdateOrganization(v.ctx(), v.scope, domain.OrgUpdate{Settings: func(s *domain.OrgSettings) {
		s.JITEnabled = v.value("jit_provisioning_enabled") == "true"
		s.InvitesEnabled = v.value("invites_enabled") == "true"
	}})
	if err != nil {
		return v.retry("joining", err, (*visit).signInSettings)
	}
	v.org = view
	return v.finish(v.at("/sign-in-settings"), "saved")
}

func (v *visit) saveDefaults() error {
	workspaces, err := v.pickedAll("default_workspace_ids")
	if err == nil {
		_, err = v.seen().SetSSODefaults(v.ctx(), v.scope, v.value("id"), func(s *domain.SSOSettings) {
			s.DefaultWorkspaceRole, s.DefaultWorkspaces = domain.RoleID(v.value("default_workspace_role_id")), workspaces
		})
	}
	if err != nil {
		return v.retry("defaults", err, (*visit).signInSettings)
	}
	return v.finish(v.at("/sign-in-settings"), "saved")
}

func (v *visit) saveGroupsClaim() error {
	_, err := v.seen().SetSSODefaults(v.ctx(), v.scope, v.value("id"), func(s *domain.SSOSettings) {
		s.GroupsEnabled = v.value("sso_groups_enabled") == "true"
		s.GroupsClaim = v.value("sso_groups_claim_field")
		s.GroupsRequired = v.value("sso_groups_required") == "true"
		s.GroupsRoleSync = v.value("sso_groups_role_sync_enabled") == "true"
	})
	if err != nil {
		return v.retry("claim", err, (*visit).signInSettings)
	}
	return v.finish(v.at("/sign-in-settings"), "saved")
}

// testProvider asks a provider now; nothing is saved.
func (v *visit) testProvider() error {
	if !v.scope.Has(domain.PermOrgManage) {
		return domain.Errorf(domain.Forbidden, "only those who manage the organization may test a provider")
	}
	page := signInSettingsPage{
		common: v.common(), Org: v.org, OrgSeen: domain.SeenOf(v.org.Face()), Providers: v.config.Providers.List(),
		FlagOff: !v.Rules.Policy().JITEnabled, Cases: joinCases(v.org, v.Rules.Policy().JITEnabled), Tested: v.r.PathValue("provider"),
	}
	found, err := v.config.Providers.Test(v.ctx(), page.Tested)
	if err != nil {
		return err
	}
	matching, err := v.Rules.ExamineOrg(v.ctx(), v.scope)
	if err != nil {
		return err
	}
	page.Findings = slices.Concat(found, matching)
	return v.showSignInSettings(page)
}

func (v *visit) askEndAll() error {
	return v.confirm("/sign-in-settings", confirmation{
		Title:   "Sign everybody out?",
		Effects: []string{"Every member’s signed-in browsers end at once, yours too.", "Tokens and keys go on working.", "Everybody can sign in again."},
		Action:  v.at("/sessions/end"), Button: "Sign everybody out", Back: v.at("/sign-in-settings"),
	})
}

func (v *visit) endAll() error {
	if _, err := v.Rules.EndOrgSessions(v.ctx(), v.scope, ""); err != nil {
		return v.retry("confirm", err, (*visit).askEndAll)
	}
	return v.finish(v.at("/sign-in-settings"), "everybody-out")
}
