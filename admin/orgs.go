package admin

import (
	"context"
	"time"

	"muster/domain"
)

// OrgSlim is an organization in a list; what has no meaning here is a constant.
// It is exported because only exported structs are embedded in answers.
type OrgSlim struct {
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
	RestrictBrowserSecrets  *bool   `json:"restrict_browser_secrets"`
}

func org(view domain.OrgView) OrgSlim {
	s := view.Settings
	return OrgSlim{
		ID: view.ID, DisplayName: view.DisplayName, CreatedAt: view.CreatedAt, CreatedBy: nullable(view.CreatedBy),
		CreatedByLS: nullable(view.CreatedBy), ModifiedAt: view.ModifiedAt, IsPersonal: view.Personal, DefaultSSO: view.Default,
		SSOOnly: s.SSOOnly, JITEnabled: s.JITEnabled, InvitesEnabled: s.InvitesEnabled, PublicSharingDisabled: s.PublicSharingDisabled,
		PATCreationDisabled: s.PATCreationDisabled, WorkspaceAdminCanInvite: s.WorkspaceAdminCanInvite,
		MaxAPIKeyExpiryDays: s.MaxAPIKeyExpiryDays, MaxPATExpiryDays: s.MaxPATExpiryDays, MaxServiceKeyExpiryDays: s.MaxServiceKeyExpiryDays,
		SecurityContact: nullable(s.SecurityContact), GroupSeparator: s.GroupSeparator,
	}
}

type orgsQuery struct {
	SkipCreate bool `query:"skip_create" doc:"Do not make the caller's personal organization, where such are allowed."`
}

func (a *api) listOrgs(ctx context.Context, c caller, in *orgsQuery) (*out[[]OrgSlim], error) {
	if !in.SkipCreate {
		made, err := a.Service.EnsurePersonalOrganization(ctx, c.principal)
		if err != nil {
			return nil, err
		}
		if made {
			if c.principal, err = c.again(ctx); err != nil {
				return nil, err
			}
		}
	}
	views, err := a.Service.Organizations(ctx, c.principal)
	if err != nil {
		return nil, err
	}
	return found(list(views, org))
}

type orgCreation struct {
	Body struct {
		DisplayName string  `json:"display_name"`
		IsPersonal  bool    `json:"is_personal"`
		Contact     *string `json:"security_contact,omitempty" nullable:"true"`
	} `nameHint:"OrgCreate"`
}

func (a *api) createOrg(ctx context.Context, c caller, in *orgCreation) (*out[OrgSlim], error) {
	contact := ""
	assign(&contact, in.Body.Contact)
	id, err := c.service.CreateOrganization(ctx, c.principal, in.Body.DisplayName, in.Body.IsPersonal, contact)
	if err != nil {
		return nil, err
	}
	// The principal was read before the organization was made, so it is read again to see the new membership.
	principal, err := c.again(ctx)
	if err != nil {
		return nil, err
	}
	scope, err := principal.In(id)
	if err != nil {
		return nil, err
	}
	view, err := a.Service.Organization(ctx, scope)
	if err != nil {
		return nil, err
	}
	return found(org(view))
}

// orgConfig is the configuration of an organization on an installation that sells nothing; -1 is no limit.
type orgConfig struct {
	MaxIdentities         int  `json:"max_identities"`
	MaxWorkspaces         int  `json:"max_workspaces"`
	CanUseRBAC            bool `json:"can_use_rbac"`
	CanUseABAC            bool `json:"can_use_abac"`
	CanUseAuditLogs       bool `json:"can_use_audit_logs"`
	CanUseSAMLSSO         bool `json:"can_use_saml_sso"`
	CanAddSeats           bool `json:"can_add_seats"`
	CanSetAPIKeyMaxExpiry bool `json:"can_set_api_key_max_expiry"`
}

func unlimited() orgConfig {
	return orgConfig{
		MaxIdentities: -1, MaxWorkspaces: -1, CanUseRBAC: true, CanUseAuditLogs: true, CanAddSeats: true, CanSetAPIKeyMaxExpiry: true,
	}
}

// organization is the older form of what an organization is; nothing is billed here.
type organization struct {
	ID                        domain.OrgID        `json:"id"`
	DisplayName               string              `json:"display_name"`
	Config                    orgConfig           `json:"config"`
	ConnectedToStripe         bool                `json:"connected_to_stripe"`
	ConnectedToMetronome      bool                `json:"connected_to_metronome"`
	IsPersonal                bool                `json:"is_personal"`
	Tier                      *string             `json:"tier"`
	PaymentMethod             *string             `json:"payment_method"`
	HasCancelled              bool                `json:"has_cancelled"`
	EndOfBillingPeriod        *time.Time          `json:"end_of_billing_period"`
	CurrentPlan               *string             `json:"current_plan"`
	UpcomingPlan              *string             `json:"upcoming_plan"`
	ReachedMaxWorkspaces      bool                `json:"reached_max_workspaces"`
	Permissions               []domain.Permission `json:"permissions" nullable:"false"`
	MarketplacePayoutsEnabled bool                `json:"marketplace_payouts_enabled"`
	DefaultSSO                bool                `json:"default_sso_provision"`
	SecurityContact           *string             `json:"security_contact"`
	GroupSeparator            string              `json:"scim_group_name_separator"`
	CreatedAt                 time.Time           `json:"created_at"`
	Disabled                  bool                `json:"disabled"`
}

func (a *api) getOrg(ctx context.Context, c caller, _ *none) (*out[organization], error) {
	view, err := a.Service.Organization(ctx, c.scope)
	if err != nil {
		return nil, err
	}
	return found(organization{
		ID: view.ID, DisplayName: view.DisplayName, Config: unlimited(), IsPersonal: view.Personal,
		Permissions: permissions(c.scope.Permissions()), DefaultSSO: view.Default,
		SecurityContact: nullable(view.Settings.SecurityContact), GroupSeparator: view.Settings.GroupSeparator,
		CreatedAt: view.CreatedAt,
	})
}

// organizationInfo is an organization with its settings.
type organizationInfo struct {
	OrgSlim

	Config                 orgConfig           `json:"config"`
	ReachedMaxWorkspaces   bool                `json:"reached_max_workspaces"`
	Permissions            []domain.Permission `json:"permissions" nullable:"false" doc:"The caller's, in the organization."`
	MemberDisabled         bool                `json:"member_disabled"`
	IPAllowlistEnabled     bool                `json:"ip_allowlist_enabled"`
	CanExportUsageBackfill bool                `json:"can_export_usage_backfill"`
	GroupTwinsAllowed      bool                `json:"scim_group_twins_allowed"`
}

func orgInfo(view domain.OrgView, c caller) organizationInfo {
	return organizationInfo{
		OrgSlim: org(view), Config: unlimited(), Permissions: permissions(c.scope.Permissions()), GroupTwinsAllowed: view.Settings.GroupTwinsAllowed,
	}
}

func (a *api) getOrgInfo(ctx context.Context, c caller, _ *none) (*out[organizationInfo], error) {
	view, err := a.Service.Organization(ctx, c.scope)
	if err != nil {
		return nil, err
	}
	return found(orgInfo(view, c))
}

// organizationUpdate changes settings; every field is optional, and null takes a limit away.
type organizationUpdate struct {
	DisplayName             *string          `json:"display_name,omitempty" nullable:"true"`
	JITEnabled              *bool            `json:"jit_provisioning_enabled,omitempty" nullable:"true"`
	InvitesEnabled          *bool            `json:"invites_enabled,omitempty" nullable:"true"`
	PublicSharingDisabled   *bool            `json:"public_sharing_disabled,omitempty" nullable:"true"`
	PATCreationDisabled     *bool            `json:"pat_creation_disabled,omitempty" nullable:"true"`
	WorkspaceAdminCanInvite *bool            `json:"workspace_admin_can_invite_to_org,omitempty" nullable:"true"`
	MaxAPIKeyExpiryDays     optional[int]    `json:"max_api_key_expiry_days,omitempty"`
	MaxPATExpiryDays        optional[int]    `json:"max_pat_expiry_days,omitempty"`
	MaxServiceKeyExpiryDays optional[int]    `json:"max_service_key_expiry_days,omitempty"`
	SecurityContact         optional[string] `json:"security_contact,omitempty"`
	GroupSeparator          *string          `json:"scim_group_name_separator,omitempty" nullable:"true"`
	GroupTwinsAllowed       *bool            `json:"scim_group_twins_allowed,omitempty" nullable:"true" doc:"Lets pushed groups share a name; by default a name is unique, because names grant roles."`
}

func (u *organizationUpdate) apply(s *domain.OrgSettings) {
	assign(&s.JITEnabled, u.JITEnabled)
	assign(&s.InvitesEnabled, u.InvitesEnabled)
	assign(&s.PublicSharingDisabled, u.PublicSharingDisabled)
	assign(&s.PATCreationDisabled, u.PATCreationDisabled)
	assign(&s.WorkspaceAdminCanInvite, u.WorkspaceAdminCanInvite)
	assign(&s.GroupSeparator, u.GroupSeparator)
	assign(&s.GroupTwinsAllowed, u.GroupTwinsAllowed)
	u.MaxAPIKeyExpiryDays.apply(&s.MaxAPIKeyExpiryDays)
	u.MaxPATExpiryDays.apply(&s.MaxPATExpiryDays)
	u.MaxServiceKeyExpiryDays.apply(&s.MaxServiceKeyExpiryDays)
	if u.SecurityContact.set {
		s.SecurityContact = ""
		assign(&s.SecurityContact, u.SecurityContact.value)
	}
}

type orgInfoUpdate struct{ Body *organizationUpdate }

func (a *api) updateOrgInfo(ctx context.Context, c caller, in *orgInfoUpdate) (*out[organizationInfo], error) {
	if in.Body == nil {
		in.Body = &organizationUpdate{}
	}
	view, err := a.Service.UpdateOrganization(ctx, c.scope, domain.OrgUpdate{DisplayName: in.Body.DisplayName, Settings: in.Body.apply})
	if err != nil {
		return nil, err
	}
	return found(orgInfo(view, c))
}

type defaultOrg struct {
	OrganizationID domain.OrgID `json:"organization_id"`
	DefaultSSO     bool         `json:"default_sso_provision"`
}

// setDefaultOrg is R19; the principal must be Admin here and in the present default organization.
func (a *api) setDefaultOrg(ctx context.Context, c caller, _ *none) (*out[defaultOrg], error) {
	if err := c.service.SetDefaultOrganization(ctx, c.principal, c.scope.Org()); err != nil {
		return nil, err
	}
	return found(defaultOrg{c.scope.Org(), true})
}
