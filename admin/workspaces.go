package admin

import (
	"net/http"
	"time"

	"muster/domain"
)

// workspaceBody is a workspace with the caller's role there (TenantForUser).
type workspaceBody struct {
	ID             domain.WorkspaceID  `json:"id"`
	OrganizationID domain.OrgID        `json:"organization_id"`
	CreatedAt      time.Time           `json:"created_at"`
	DisplayName    string              `json:"display_name"`
	IsPersonal     bool                `json:"is_personal"`
	IsDeleted      bool                `json:"is_deleted"`
	Handle         *string             `json:"tenant_handle"`
	DataPlaneURL   *string             `json:"data_plane_url"`
	ReadOnly       bool                `json:"read_only"`
	RoleID         *domain.RoleID      `json:"role_id"`
	RoleName       *string             `json:"role_name"`
	Permissions    []domain.Permission `json:"permissions"`
}

func workspace(view domain.WorkspaceView, c caller) workspaceBody {
	body := workspaceBody{
		ID: view.ID, OrganizationID: c.scope.Org(), CreatedAt: view.CreatedAt, DisplayName: view.DisplayName,
		IsDeleted: view.Deleted(), RoleID: nullable(view.Role), Permissions: view.Permissions,
		ReadOnly: view.Role == domain.RoleWorkViewer,
	}
	if view.Role != "" {
		body.RoleName = nullable(domain.RoleName(view.Role))
	}
	if body.Permissions == nil {
		body.Permissions = []domain.Permission{}
	}
	return body
}

func (a *api) listWorkspaces(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	includeDeleted, err := flagOf(r, "include_deleted")
	if err != nil {
		return result{}, err
	}
	views, err := a.Service.Workspaces(r.Context(), c.scope, includeDeleted)
	if err != nil {
		return result{}, err
	}
	bodies := make([]workspaceBody, len(views))
	for i, view := range views {
		bodies[i] = workspace(view, c)
	}
	return found(bodies)
}

// nameOf reads the one field that makes and renames a workspace.
func nameOf(r *http.Request) (string, error) {
	var body struct {
		DisplayName *string `json:"display_name"`
	}
	if err := decode(r, &body); err != nil {
		return "", err
	}
	if err := need(map[string]bool{"display_name": body.DisplayName != nil}); err != nil {
		return "", err
	}
	return *body.DisplayName, nil
}

func (a *api) createWorkspace(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	name, err := nameOf(r)
	if err != nil {
		return result{}, err
	}
	made, err := a.Service.CreateWorkspace(r.Context(), c.scope, name)
	if err != nil {
		return result{}, err
	}
	view, err := a.Service.Workspace(r.Context(), c.scope, made.ID)
	if err != nil {
		return result{}, err
	}
	return found(workspace(view, c))
}

func (a *api) getWorkspace(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	view, err := a.Service.Workspace(r.Context(), c.scope, domain.WorkspaceID(r.PathValue("id")))
	if err != nil {
		return result{}, err
	}
	return found(workspace(view, c))
}

func (a *api) renameWorkspace(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	name, err := nameOf(r)
	if err != nil {
		return result{}, err
	}
	view, err := a.Service.RenameWorkspace(r.Context(), c.scope, domain.WorkspaceID(r.PathValue("id")), name)
	if err != nil {
		return result{}, err
	}
	return found(workspace(view, c))
}

func (a *api) deleteWorkspace(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	id := domain.WorkspaceID(r.PathValue("id"))
	if err := a.Service.DeleteWorkspace(r.Context(), c.scope, id); err != nil {
		return result{}, err
	}
	return found(map[string]any{"id": id, "is_deleted": true})
}
