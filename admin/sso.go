package admin

import (
	"context"

	"muster/domain"
)

// ssoProvider is how first-time users join.
type ssoProvider struct {
	ID                   string               `json:"id"`
	OrganizationID       domain.OrgID         `json:"organization_id"`
	ProviderID           string               `json:"provider_id"`
	DefaultWorkspaceRole domain.RoleID        `json:"default_workspace_role_id"`
	DefaultWorkspaces    []domain.WorkspaceID `json:"default_workspace_ids" nullable:"false"`
	MetadataURL          *string              `json:"metadata_url"`
	MetadataXML          *string              `json:"metadata_xml"`
	GroupsEnabled        bool                 `json:"sso_groups_enabled"`
	GroupsClaim          string               `json:"sso_groups_claim_field"`
	GroupsRequired       bool                 `json:"sso_groups_required"`
	GroupsRoleSync       bool                 `json:"sso_groups_role_sync_enabled"`
	AttributeMapping     *string              `json:"attribute_mapping"`
	MappingError         *string              `json:"attribute_mapping_load_error"`
}

func sso(s domain.SSOSettings, c caller) ssoProvider {
	return ssoProvider{
		ID: s.ID, OrganizationID: c.scope.Org(), ProviderID: s.ProviderID, DefaultWorkspaceRole: s.DefaultWorkspaceRole,
		DefaultWorkspaces: append([]domain.WorkspaceID{}, s.DefaultWorkspaces...), GroupsEnabled: s.GroupsEnabled,
		GroupsClaim: s.GroupsClaim, GroupsRequired: s.GroupsRequired, GroupsRoleSync: s.GroupsRoleSync,
	}
}

func (a *api) listSSOSettings(ctx context.Context, c caller, _ *none) (*out[[]ssoProvider], error) {
	settings, err := a.Service.SSOSettings(ctx, c.scope)
	if err != nil {
		return nil, err
	}
	if settings.Removed {
		return found([]ssoProvider{})
	}
	return found([]ssoProvider{sso(settings, c)})
}

type ssoCreation struct {
	Body ssoCreate
}

// ssoCreate has what a record must have; the rest has defaults.
type ssoCreate struct {
	DefaultWorkspaceRole domain.RoleID        `json:"default_workspace_role_id"`
	DefaultWorkspaces    []domain.WorkspaceID `json:"default_workspace_ids" nullable:"false"`
	GroupsEnabled        *bool                `json:"sso_groups_enabled,omitempty" nullable:"true"`
	GroupsClaim          *string              `json:"sso_groups_claim_field,omitempty" nullable:"true" maxLength:"200"`
	GroupsRequired       *bool                `json:"sso_groups_required,omitempty" nullable:"true"`
	GroupsRoleSync       *bool                `json:"sso_groups_role_sync_enabled,omitempty" nullable:"true"`
	MetadataURL          *string              `json:"metadata_url,omitempty" nullable:"true" doc:"SAML is not spoken here."`
	MetadataXML          *string              `json:"metadata_xml,omitempty" nullable:"true" doc:"SAML is not spoken here."`
}

func (a *api) createSSOSettings(ctx context.Context, c caller, in *ssoCreation) (*out[ssoProvider], error) {
	if in.Body.MetadataURL != nil || in.Body.MetadataXML != nil {
		return nil, invalid("body", "metadata_url", "SAML is not spoken here; identity providers are OpenID Connect, and configured on the server")
	}
	update := ssoUpdate{
		&in.Body.DefaultWorkspaceRole, &in.Body.DefaultWorkspaces, in.Body.GroupsEnabled, in.Body.GroupsClaim, in.Body.GroupsRequired, in.Body.GroupsRoleSync,
	}
	return ssoOr(c)(c.service.RestoreSSO(ctx, c.scope, update.apply))
}

type ssoPath struct {
	ID string `path:"id"`
}

func (a *api) deleteSSOSettings(ctx context.Context, c caller, in *ssoPath) (*out[ssoProvider], error) {
	return ssoOr(c)(a.Service.RemoveSSO(ctx, c.scope, in.ID))
}

func ssoOr(c caller) func(domain.SSOSettings, error) (*out[ssoProvider], error) {
	return func(settings domain.SSOSettings, err error) (*out[ssoProvider], error) {
		if err != nil {
			return nil, err
		}
		return found(sso(settings, c))
	}
}

type loginMethodsUpdate struct {
	Body struct {
		SSOOnly *bool `json:"sso_only,omitempty" nullable:"true"`
	} `nameHint:"LoginMethodsUpdate"`
}

type loginMethodsBody struct {
	SSOOnly bool `json:"sso_only"`
}

// updateLoginMethods keeps the switch of the model's API; there is no other way in than single sign-on.
func (a *api) updateLoginMethods(ctx context.Context, c caller, in *loginMethodsUpdate) (*out[loginMethodsBody], error) {
	view, err := c.service.SetLoginMethods(ctx, c.scope, in.Body.SSOOnly)
	if err != nil {
		return nil, err
	}
	return found(loginMethodsBody{view.Settings.SSOOnly})
}

type ssoUpdate struct {
	DefaultWorkspaceRole *domain.RoleID        `json:"default_workspace_role_id,omitempty" nullable:"true"`
	DefaultWorkspaces    *[]domain.WorkspaceID `json:"default_workspace_ids,omitempty" nullable:"true" doc:"May be empty: then people join the organization only (R14)."`
	GroupsEnabled        *bool                 `json:"sso_groups_enabled,omitempty" nullable:"true" doc:"Give roles by the group names in ID tokens."`
	GroupsClaim          *string               `json:"sso_groups_claim_field,omitempty" nullable:"true" doc:"The claim that holds them." maxLength:"200"`
	GroupsRequired       *bool                 `json:"sso_groups_required,omitempty" nullable:"true" doc:"Refuse a sign-in whose groups give nothing."`
	GroupsRoleSync       *bool                 `json:"sso_groups_role_sync_enabled,omitempty" nullable:"true" doc:"Bring roles up to date at every sign-in, not only at the first."`
}

type ssoUpdateRequest struct {
	ID   string `path:"id"`
	Body *ssoUpdate
}

// updateSSOSettings changes how people join from now on (R15).
func (a *api) updateSSOSettings(ctx context.Context, c caller, in *ssoUpdateRequest) (*out[ssoProvider], error) {
	if in.Body == nil {
		in.Body = &ssoUpdate{}
	}
	return ssoOr(c)(c.service.SetSSODefaults(ctx, c.scope, in.ID, in.Body.apply))
}

func (u *ssoUpdate) apply(s *domain.SSOSettings) {
	assign(&s.DefaultWorkspaceRole, u.DefaultWorkspaceRole)
	assign(&s.DefaultWorkspaces, u.DefaultWorkspaces)
	assign(&s.GroupsEnabled, u.GroupsEnabled)
	assign(&s.GroupsClaim, u.GroupsClaim)
	assign(&s.GroupsRequired, u.GroupsRequired)
	assign(&s.GroupsRoleSync, u.GroupsRoleSync)
}
