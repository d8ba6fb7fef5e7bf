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

func workspace(view domain.WorkspaceView, c caller) tenant { return tenantOf(view, c.scope.Org()) }

func tenantOf(view domain.WorkspaceView, org domain.OrgID) tenant {
	return tenant{
		ID: view.ID, OrganizationID: org, CreatedAt: view.CreatedAt, DisplayName: view.DisplayName, Handle: nullable(view.Handle),
		IsDeleted: view.Deleted(), RoleID: nullable(view.Role.ID), RoleName: nullable(view.Role.DisplayName),
		Permissions: permissions(view.Role.Permissions), ReadOnly: view.Role.ID == domain.RoleWorkViewer,
	}
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

type workspaceCreation struct {
	Body struct {
		DisplayName string              `json:"display_name"`
		ID          *domain.WorkspaceID `json:"id,omitempty" nullable:"true" doc:"A UUID chosen by the client."`
		Handle      *string             `json:"tenant_handle,omitempty" nullable:"true" doc:"A short name for addresses."`
	} `nameHint:"WorkspaceCreate"`
}

type workspaceUpdate struct {
	ID   domain.WorkspaceID `path:"workspace_id"`
	Body workspaceName
}

func (a *api) createWorkspace(ctx context.Context, c caller, in *workspaceCreation) (*out[tenant], error) {
	request := domain.NewWorkspace{Name: in.Body.DisplayName}
	assign(&request.ID, in.Body.ID)
	assign(&request.Handle, in.Body.Handle)
	made, err := c.service.CreateWorkspace(ctx, c.scope, request)
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

// settings are what the model's API says of the current workspace.
type settings struct {
	ID          domain.WorkspaceID `json:"id"`
	DisplayName string             `json:"display_name"`
	CreatedAt   time.Time          `json:"created_at"`
	Handle      *string            `json:"tenant_handle"`
}

func (a *api) getSettings(ctx context.Context, c caller, _ *none) (*out[settings], error) {
	return settingsOr(a.Service.Workspace(ctx, c.scope, c.workspace))
}

func settingsOr(view domain.WorkspaceView, err error) (*out[settings], error) {
	if err != nil {
		return nil, err
	}
	return found(settings{view.ID, view.DisplayName, view.CreatedAt, nullable(view.Handle)})
}

type handleUpdate struct {
	Body struct {
		Handle string `json:"tenant_handle" doc:"Empty for none."`
	} `nameHint:"HandleUpdate"`
}

func (a *api) setHandle(ctx context.Context, c caller, in *handleUpdate) (*out[settings], error) {
	return settingsOr(c.service.SetHandle(ctx, c.scope, c.workspace, in.Body.Handle))
}
