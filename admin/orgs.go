package admin

import (
	"net/http"
	"time"

	"muster/domain"
)

// orgBody is an organization in a list (OrgSlim); what has no meaning here is a constant.
type orgBody struct {
	ID            domain.OrgID   `json:"id"`
	DisplayName   string         `json:"display_name"`
	Tier          *string        `json:"tier"`
	CreatedAt     time.Time      `json:"created_at"`
	CreatedBy     *domain.UserID `json:"created_by_user_id"`
	CreatedByLS   *domain.UserID `json:"created_by_ls_user_id"`
	ModifiedAt    time.Time      `json:"modified_at"`
	IsPersonal    bool           `json:"is_personal"`
	Disabled      bool           `json:"disabled"`
	SSOLoginSlug  *string        `json:"sso_login_slug"`
	DefaultSSO    bool           `json:"default_sso_provision"`
	IPAllowlist   *string        `json:"ip_allowlist"`
	EngineEnabled bool           `json:"engine_enabled"`
	settingsBody
}

// settingsBody are the settings in the API's names.
type settingsBody struct {
	SSOOnly                 bool    `json:"sso_only"`
	JITEnabled              bool    `json:"jit_provisioning_enabled"`
	InvitesEnabled          bool    `json:"invites_enabled"`
	PublicSharingDisabled   bool    `json:"public_sharing_disabled"`
	PATCreationDisabled     bool    `json:"pat_creation_disabled"`
	WorkspaceAdminCanInvite bool    `json:"workspace_admin_can_invite_to_org"`
	MaxAPIKeyExpiryDays     *int    `json:"max_api_key_expiry_days"`
	MaxPATExpiryDays        *int    `json:"max_pat_expiry_days"`
	MaxServiceKeyExpiryDays *int    `json:"max_service_key_expiry_days"`
	SecurityContact         *string `json:"security_contact"`
	GroupSeparator          string  `json:"scim_group_name_separator"`
}

func settings(s domain.OrgSettings) settingsBody {
	return settingsBody{
		s.SSOOnly, s.JITEnabled, s.InvitesEnabled, s.PublicSharingDisabled, s.PATCreationDisabled, s.WorkspaceAdminCanInvite,
		s.MaxAPIKeyExpiryDays, s.MaxPATExpiryDays, s.MaxServiceKeyExpiryDays, nullable(s.SecurityContact), s.GroupSeparator,
	}
}

func org(view domain.OrgView) orgBody {
	return orgBody{
		ID: view.ID, DisplayName: view.DisplayName, CreatedAt: view.CreatedAt, CreatedBy: nullable(view.CreatedBy),
		CreatedByLS: nullable(view.CreatedBy), ModifiedAt: view.ModifiedAt, IsPersonal: view.Personal, DefaultSSO: view.Default,
		settingsBody: settings(view.Settings),
	}
}

func (a *api) listOrgs(r *http.Request, principal domain.Principal) (result, error) {
	views, err := a.Service.Organizations(r.Context(), principal)
	if err != nil {
		return result{}, err
	}
	bodies := make([]orgBody, len(views))
	for i, view := range views {
		bodies[i] = org(view)
	}
	return found(bodies)
}

func (a *api) createOrg(r *http.Request, principal domain.Principal) (result, error) {
	var body struct {
		DisplayName *string `json:"display_name"`
		IsPersonal  *bool   `json:"is_personal"`
	}
	if err := decode(r, &body); err != nil {
		return result{}, err
	}
	if err := need(map[string]bool{"display_name": body.DisplayName != nil, "is_personal": body.IsPersonal != nil}); err != nil {
		return result{}, err
	}
	id, err := a.Service.CreateOrganization(r.Context(), principal, *body.DisplayName, *body.IsPersonal)
	if err != nil {
		return result{}, err
	}
	// The principal was read before the organization was made, so it is read again to see the new membership.
	principal, err = a.principal(r)
	if err != nil {
		return result{}, err
	}
	scope, err := principal.In(id)
	if err != nil {
		return result{}, err
	}
	view, err := a.Service.Organization(r.Context(), scope)
	if err != nil {
		return result{}, err
	}
	return found(org(view))
}

// unlimited is the configuration of an organization on an installation that sells nothing.
func unlimited() map[string]any {
	return map[string]any{
		"max_identities": -1, "max_workspaces": -1, "can_use_rbac": true, "can_use_abac": false, "can_use_audit_logs": true,
		"can_use_saml_sso": false, "can_add_seats": true, "can_set_api_key_max_expiry": true,
	}
}

func (a *api) getOrg(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	view, err := a.Service.Organization(r.Context(), c.scope)
	if err != nil {
		return result{}, err
	}
	return found(map[string]any{
		"id": view.ID, "display_name": view.DisplayName, "config": unlimited(), "is_personal": view.Personal,
		"connected_to_stripe": false, "connected_to_metronome": false, "tier": nil, "payment_method": nil, "has_cancelled": false,
		"end_of_billing_period": nil, "current_plan": nil, "upcoming_plan": nil, "reached_max_workspaces": false,
		"permissions": c.scope.Permissions(), "marketplace_payouts_enabled": false, "default_sso_provision": view.Default,
		"security_contact": nullable(view.Settings.SecurityContact), "scim_group_name_separator": view.Settings.GroupSeparator,
		"created_at": view.CreatedAt, "disabled": false,
	})
}

// infoBody is OrganizationInfo.
type infoBody struct {
	orgBody

	Config                 map[string]any      `json:"config"`
	ReachedMaxWorkspaces   bool                `json:"reached_max_workspaces"`
	Permissions            []domain.Permission `json:"permissions"`
	MemberDisabled         bool                `json:"member_disabled"`
	IPAllowlistEnabled     bool                `json:"ip_allowlist_enabled"`
	CanExportUsageBackfill bool                `json:"can_export_usage_backfill"`
	RestrictBrowserSecrets *bool               `json:"restrict_browser_secrets"`
}

func orgInfo(view domain.OrgView, c caller) infoBody {
	return infoBody{orgBody: org(view), Config: unlimited(), Permissions: c.scope.Permissions()}
}

func (a *api) getOrgInfo(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	view, err := a.Service.Organization(r.Context(), c.scope)
	if err != nil {
		return result{}, err
	}
	return found(orgInfo(view, c))
}

// optional tells a field that is null from one that is absent.
type optional[T any] struct {
	set   bool
	value *T
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *optional[T]) UnmarshalJSON(raw []byte) error {
	o.set = true
	return unmarshal(raw, &o.value)
}

// orgUpdate is OrganizationUpdate; every field is optional.
type orgUpdate struct {
	DisplayName             *string          `json:"display_name"`
	JITEnabled              *bool            `json:"jit_provisioning_enabled"`
	InvitesEnabled          *bool            `json:"invites_enabled"`
	PublicSharingDisabled   *bool            `json:"public_sharing_disabled"`
	PATCreationDisabled     *bool            `json:"pat_creation_disabled"`
	WorkspaceAdminCanInvite *bool            `json:"workspace_admin_can_invite_to_org"`
	MaxAPIKeyExpiryDays     optional[int]    `json:"max_api_key_expiry_days"`
	MaxPATExpiryDays        optional[int]    `json:"max_pat_expiry_days"`
	MaxServiceKeyExpiryDays optional[int]    `json:"max_service_key_expiry_days"`
	SecurityContact         optional[string] `json:"security_contact"`
	GroupSeparator          *string          `json:"scim_group_name_separator"`
}

func (u orgUpdate) apply(s *domain.OrgSettings) {
	assign(&s.JITEnabled, u.JITEnabled)
	assign(&s.InvitesEnabled, u.InvitesEnabled)
	assign(&s.PublicSharingDisabled, u.PublicSharingDisabled)
	assign(&s.PATCreationDisabled, u.PATCreationDisabled)
	assign(&s.WorkspaceAdminCanInvite, u.WorkspaceAdminCanInvite)
	assign(&s.GroupSeparator, u.GroupSeparator)
	for field, days := range map[**int]optional[int]{
		&s.MaxAPIKeyExpiryDays: u.MaxAPIKeyExpiryDays, &s.MaxPATExpiryDays: u.MaxPATExpiryDays, &s.MaxServiceKeyExpiryDays: u.MaxServiceKeyExpiryDays,
	} {
		if days.set {
			*field = days.value
		}
	}
	if u.SecurityContact.set {
		s.SecurityContact = ""
		assign(&s.SecurityContact, u.SecurityContact.value)
	}
}

// assign takes a value over when there is one.
func assign[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

func (a *api) updateOrgInfo(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	var body orgUpdate
	if err := decode(r, &body); err != nil {
		return result{}, err
	}
	view, err := a.Service.UpdateOrganization(r.Context(), c.scope, domain.OrgUpdate{DisplayName: body.DisplayName, Settings: body.apply})
	if err != nil {
		return result{}, err
	}
	return found(orgInfo(view, c))
}

// setDefaultOrg is R19; the principal must be Admin here and in the present default organization.
func (a *api) setDefaultOrg(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	if err := a.Service.SetDefaultOrganization(r.Context(), c.principal, c.scope.Org()); err != nil {
		return result{}, err
	}
	return found(map[string]any{"organization_id": c.scope.Org(), "default_sso_provision": true})
}
