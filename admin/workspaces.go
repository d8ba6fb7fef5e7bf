package admin

import (
	"context"
	"time"

	"muster/domain"
)

// tenant is a workspace with the caller's role there (TenantForUser).
type tenant struct {
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
	Permissions    []domain.Permission `json:"permissions" nullable:"false"`
}

func workspace(view domain.WorkspaceView, c caller) tenant {
	body := tenant{
		ID: view.ID, OrganizationID: c.scope.Org(), CreatedAt: view.CreatedAt, DisplayName: view.DisplayName,
		IsDeleted: view.Deleted(), RoleID: nullable(view.Role), Permissions: permissions(view.Permissions),
		ReadOnly: view.Role == domain.RoleWorkViewer,
	}
	if view.Role != "" {
		body.RoleName = nullable(domain.RoleName(view.Role))
	}
	return body
}

type workspaceQuery struct {
	IncludeDeleted bool `query:"include_deleted"`
}

func (a *api) listWorkspaces(ctx context.Context, c caller, in *workspaceQuery) (*out[[]tenant], error) {
	views, err := a.Service.Workspaces(ctx, c.scope, in.IncludeDeleted)
	if err != nil {
		return nil, err
	}
	return found(list(views, func(view domain.WorkspaceView) tenant { return workspace(view, c) }))
}

type workspacePath struct {
	ID domain.WorkspaceID `path:"workspace_id"`
}

// workspaceName is the one field that makes and renames a workspace.
type workspaceName struct {
	DisplayName string `json:"display_name"`
}

type workspaceCreation struct{ Body workspaceName }

type workspaceUpdate struct {
	ID   domain.WorkspaceID `path:"workspace_id"`
	Body workspaceName
}

func (a *api) createWorkspace(ctx context.Context, c caller, in *workspaceCreation) (*out[tenant], error) {
	made, err := a.Service.CreateWorkspace(ctx, c.scope, in.Body.DisplayName)
	if err != nil {
		return nil, err
	}
	return a.getWorkspace(ctx, c, &workspacePath{made.ID})
}

func (a *api) getWorkspace(ctx context.Context, c caller, in *workspacePath) (*out[tenant], error) {
	view, err := a.Service.Workspace(ctx, c.scope, in.ID)
	if err != nil {
		return nil, err
	}
	return found(workspace(view, c))
}

func (a *api) renameWorkspace(ctx context.Context, c caller, in *workspaceUpdate) (*out[tenant], error) {
	view, err := a.Service.RenameWorkspace(ctx, c.scope, in.ID, in.Body.DisplayName)
	if err != nil {
		return nil, err
	}
	return found(workspace(view, c))
}

type workspaceGone struct {
	ID        domain.WorkspaceID `json:"id"`
	IsDeleted bool               `json:"is_deleted"`
}

func (a *api) deleteWorkspace(ctx context.Context, c caller, in *workspacePath) (*out[workspaceGone], error) {
	if err := a.Service.DeleteWorkspace(ctx, c.scope, in.ID); err != nil {
		return nil, err
	}
	return found(workspaceGone{in.ID, true})
}
