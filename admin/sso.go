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
	return found([]ssoProvider{sso(settings, c)})
}

type ssoUpdate struct {
	DefaultWorkspaceRole *domain.RoleID        `json:"default_workspace_role_id,omitempty"`
	DefaultWorkspaces    *[]domain.WorkspaceID `json:"default_workspace_ids,omitempty" doc:"May be empty: then people join the organization only (R14)."`
	GroupsEnabled        *bool                 `json:"sso_groups_enabled,omitempty" doc:"Give roles by the group names in ID tokens."`
	GroupsClaim          *string               `json:"sso_groups_claim_field,omitempty" doc:"The claim that holds them." maxLength:"200"`
	GroupsRequired       *bool                 `json:"sso_groups_required,omitempty" doc:"Refuse a sign-in whose groups give nothing."`
	GroupsRoleSync       *bool                 `json:"sso_groups_role_sync_enabled,omitempty" doc:"Bring roles up to date at every sign-in, not only at the first."`
}

type ssoUpdateRequest struct {
	ID   string `path:"id"`
	Body *ssoUpdate
}

// updateSSOSettings changes how people join from now on (R15).
func (a *api) updateSSOSettings(ctx context.Context, c caller, in *ssoUpdateRequest) (*out[ssoProvider], error) {
	settings, err := a.Service.SetSSODefaults(ctx, c.scope, in.ID, func(s *domain.SSOSettings) {
		if in.Body != nil {
			assign(&s.DefaultWorkspaceRole, in.Body.DefaultWorkspaceRole)
			assign(&s.DefaultWorkspaces, in.Body.DefaultWorkspaces)
			assign(&s.GroupsEnabled, in.Body.GroupsEnabled)
			assign(&s.GroupsClaim, in.Body.GroupsClaim)
			assign(&s.GroupsRequired, in.Body.GroupsRequired)
			assign(&s.GroupsRoleSync, in.Body.GroupsRoleSync)
		}
	})
	if err != nil {
		return nil, err
	}
	return found(sso(settings, c))
}
