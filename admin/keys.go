package admin

import (
	"context"
	"time"

	"muster/domain"
)

// apiKey is a key without its secret, but for the answer to its creation (KeyGet, KeyCreated).
type apiKey struct {
	ID               domain.KeyID         `json:"id"`
	ShortKey         string               `json:"short_key"`
	Description      string               `json:"description"`
	ReadOnly         bool                 `json:"read_only"`
	CreatedAt        time.Time            `json:"created_at"`
	LastUsedAt       *time.Time           `json:"last_used_at"`
	ExpiresAt        *time.Time           `json:"expires_at"`
	Workspaces       []domain.WorkspaceID `json:"workspaces" nullable:"false"`
	DefaultWorkspace *domain.WorkspaceID  `json:"default_workspace_id"`
	RoleID           *domain.RoleID       `json:"role_id"`
	OrgRoleID        *domain.RoleID       `json:"org_role_id"`
	CreatedBy        *string              `json:"created_by"`
	Key              *string              `json:"key,omitempty" doc:"The secret: in the answer to its creation only."`
}

func key(k domain.Key) apiKey {
	return apiKey{
		ID: k.ID, ShortKey: k.Short, Description: k.Description, ReadOnly: k.Role == domain.RoleWorkViewer, CreatedAt: k.CreatedAt,
		LastUsedAt: moment(k.LastUsedAt), ExpiresAt: moment(k.ExpiresAt), Workspaces: append([]domain.WorkspaceID{}, k.Workspaces...),
		DefaultWorkspace: nullable(k.DefaultWorkspace), RoleID: nullable(k.Role), OrgRoleID: nullable(k.OrgRole), CreatedBy: nullable(k.CreatedBy),
	}
}

// keyCreate describes a key to be made; every field has a default.
type keyCreate struct {
	Description      *string              `json:"description,omitempty" doc:"\"Default API key\" when absent."`
	ExpiresAt        *time.Time           `json:"expires_at,omitempty"`
	Workspaces       []domain.WorkspaceID `json:"workspaces,omitempty" doc:"Where a service key reaches; the whole organization when absent."`
	RoleID           *domain.RoleID       `json:"role_id,omitempty"`
	OrgRoleID        *domain.RoleID       `json:"org_role_id,omitempty"`
	DefaultWorkspace *domain.WorkspaceID  `json:"default_workspace_id,omitempty"`
}

type keyCreation struct{ Body *keyCreate }

func (in *keyCreation) request() domain.KeyRequest {
	request := domain.KeyRequest{Description: "Default API key"}
	if in.Body == nil {
		return request
	}
	request.Workspaces = in.Body.Workspaces
	assign(&request.Description, in.Body.Description)
	assign(&request.ExpiresAt, in.Body.ExpiresAt)
	assign(&request.Role, in.Body.RoleID)
	assign(&request.OrgRole, in.Body.OrgRoleID)
	assign(&request.DefaultWorkspace, in.Body.DefaultWorkspace)
	return request
}

func keys(all []domain.Key, err error) (*out[[]apiKey], error) {
	if err != nil {
		return nil, err
	}
	return found(list(all, key))
}

// created shows the secret, this once.
func created(made domain.Key, secret domain.Secret, err error) (*out[apiKey], error) {
	if err != nil {
		return nil, err
	}
	body := key(made)
	body.Key = nullable(string(secret))
	return found(body)
}

func deleted(gone domain.Key, err error) (*out[apiKey], error) {
	if err != nil {
		return nil, err
	}
	return found(key(gone))
}

type patPath struct {
	ID domain.KeyID `path:"pat_id"`
}

func (a *api) listPersonalTokens(ctx context.Context, c caller, _ *none) (*out[[]apiKey], error) {
	return keys(a.Service.PersonalTokens(ctx, c.scope))
}

func (a *api) createPersonalToken(ctx context.Context, c caller, in *keyCreation) (*out[apiKey], error) {
	return created(a.Service.CreatePersonalToken(ctx, c.scope, in.request()))
}

func (a *api) deletePersonalToken(ctx context.Context, c caller, in *patPath) (*out[apiKey], error) {
	return deleted(a.Service.DeletePersonalToken(ctx, c.scope, in.ID))
}

type serviceKeyPath struct {
	ID domain.KeyID `path:"id"`
}

func (a *api) listServiceKeys(ctx context.Context, c caller, _ *none) (*out[[]apiKey], error) {
	return keys(a.Service.ServiceKeys(ctx, c.scope))
}

func (a *api) createServiceKey(ctx context.Context, c caller, in *keyCreation) (*out[apiKey], error) {
	return created(a.Service.CreateServiceKey(ctx, c.scope, in.request()))
}

func (a *api) deleteServiceKey(ctx context.Context, c caller, in *serviceKeyPath) (*out[apiKey], error) {
	return deleted(a.Service.DeleteServiceKey(ctx, c.scope, in.ID))
}
