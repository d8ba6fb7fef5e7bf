package admin

import (
	"net/http"

	"muster/domain"
)

// ssoBody is how first-time users join (SSOProvider).
type ssoBody struct {
	ID                   string               `json:"id"`
	OrganizationID       domain.OrgID         `json:"organization_id"`
	ProviderID           string               `json:"provider_id"`
	DefaultWorkspaceRole domain.RoleID        `json:"default_workspace_role_id"`
	DefaultWorkspaces    []domain.WorkspaceID `json:"default_workspace_ids"`
	MetadataURL          *string              `json:"metadata_url"`
	MetadataXML          *string              `json:"metadata_xml"`
	GroupsEnabled        bool                 `json:"sso_groups_enabled"`
	GroupsClaim          string               `json:"sso_groups_claim_field"`
	GroupsRequired       bool                 `json:"sso_groups_required"`
	GroupsRoleSync       bool                 `json:"sso_groups_role_sync_enabled"`
	AttributeMapping     *string              `json:"attribute_mapping"`
	MappingError         *string              `json:"attribute_mapping_load_error"`
}

func sso(s domain.SSOSettings, c caller) ssoBody {
	return ssoBody{
		ID: s.ID, OrganizationID: c.scope.Org(), ProviderID: s.ProviderID, DefaultWorkspaceRole: s.DefaultWorkspaceRole,
		DefaultWorkspaces: append([]domain.WorkspaceID{}, s.DefaultWorkspaces...), GroupsEnabled: s.GroupsEnabled,
		GroupsClaim: s.GroupsClaim, GroupsRequired: s.GroupsRequired, GroupsRoleSync: s.GroupsRoleSync,
	}
}

func (a *api) listSSOSettings(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	settings, err := a.Service.SSOSettings(r.Context(), c.scope)
	if err != nil {
		return result{}, err
	}
	return found([]ssoBody{sso(settings, c)})
}

// updateSSOSettings changes how people join from now on (R15).
func (a *api) updateSSOSettings(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	var body struct {
		DefaultWorkspaceRole *domain.RoleID        `json:"default_workspace_role_id"`
		DefaultWorkspaces    *[]domain.WorkspaceID `json:"default_workspace_ids"`
	}
	if err := decode(r, &body); err != nil {
		return result{}, err
	}
	settings, err := a.Service.SetSSODefaults(r.Context(), c.scope, r.PathValue("id"), func(s *domain.SSOSettings) {
		assign(&s.DefaultWorkspaceRole, body.DefaultWorkspaceRole)
		assign(&s.DefaultWorkspaces, body.DefaultWorkspaces)
	})
	if err != nil {
		return result{}, err
	}
	return found(sso(settings, c))
}
