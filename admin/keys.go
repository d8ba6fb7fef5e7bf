package admin

import (
	"net/http"
	"time"

	"muster/domain"
)

// keyBody is a key without its secret, but for the answer to its creation (KeyGet, KeyCreated).
type keyBody struct {
	ID               domain.KeyID         `json:"id"`
	ShortKey         string               `json:"short_key"`
	Description      string               `json:"description"`
	ReadOnly         bool                 `json:"read_only"`
	CreatedAt        time.Time            `json:"created_at"`
	LastUsedAt       *time.Time           `json:"last_used_at"`
	ExpiresAt        *time.Time           `json:"expires_at"`
	Workspaces       []domain.WorkspaceID `json:"workspaces"`
	DefaultWorkspace *domain.WorkspaceID  `json:"default_workspace_id"`
	RoleID           *domain.RoleID       `json:"role_id"`
	OrgRoleID        *domain.RoleID       `json:"org_role_id"`
	CreatedBy        *string              `json:"created_by"`
	Key              *string              `json:"key,omitempty"`
}

func key(k domain.Key) keyBody {
	return keyBody{
		ID: k.ID, ShortKey: k.Short, Description: k.Description, ReadOnly: k.Role == domain.RoleWorkViewer, CreatedAt: k.CreatedAt,
		LastUsedAt: moment(k.LastUsedAt), ExpiresAt: moment(k.ExpiresAt), Workspaces: append([]domain.WorkspaceID{}, k.Workspaces...),
		DefaultWorkspace: nullable(k.DefaultWorkspace), RoleID: nullable(k.Role), OrgRoleID: nullable(k.OrgRole), CreatedBy: nullable(k.CreatedBy),
	}
}

// keyRequest reads KeyCreate; every field has a default.
func keyRequest(r *http.Request) (domain.KeyRequest, error) {
	var body struct {
		Description      *string              `json:"description"`
		ExpiresAt        *time.Time           `json:"expires_at"`
		Workspaces       []domain.WorkspaceID `json:"workspaces"`
		RoleID           *domain.RoleID       `json:"role_id"`
		OrgRoleID        *domain.RoleID       `json:"org_role_id"`
		DefaultWorkspace *domain.WorkspaceID  `json:"default_workspace_id"`
	}
	if err := decode(r, &body); err != nil {
		return domain.KeyRequest{}, err
	}
	request := domain.KeyRequest{Description: "Default API key", Workspaces: body.Workspaces}
	assign(&request.Description, body.Description)
	assign(&request.ExpiresAt, body.ExpiresAt)
	assign(&request.Role, body.RoleID)
	assign(&request.OrgRole, body.OrgRoleID)
	assign(&request.DefaultWorkspace, body.DefaultWorkspace)
	return request, nil
}

func keys(list []domain.Key, err error) (result, error) {
	if err != nil {
		return result{}, err
	}
	bodies := make([]keyBody, len(list))
	for i, one := range list {
		bodies[i] = key(one)
	}
	return found(bodies)
}

// created shows the secret, this once.
func created(made domain.Key, secret domain.Secret, err error) (result, error) {
	if err != nil {
		return result{}, err
	}
	body := key(made)
	body.Key = nullable(string(secret))
	return found(body)
}

func deleted(gone domain.Key, err error) (result, error) {
	if err != nil {
		return result{}, err
	}
	return found(key(gone))
}

func (a *api) listPersonalTokens(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	return keys(a.Service.PersonalTokens(r.Context(), c.scope))
}

func (a *api) createPersonalToken(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	request, err := keyRequest(r)
	if err != nil {
		return result{}, err
	}
	return created(a.Service.CreatePersonalToken(r.Context(), c.scope, request))
}

func (a *api) deletePersonalToken(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	return deleted(a.Service.DeletePersonalToken(r.Context(), c.scope, domain.KeyID(r.PathValue("id"))))
}

func (a *api) listServiceKeys(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	return keys(a.Service.ServiceKeys(r.Context(), c.scope))
}

func (a *api) createServiceKey(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	request, err := keyRequest(r)
	if err != nil {
		return result{}, err
	}
	return created(a.Service.CreateServiceKey(r.Context(), c.scope, request))
}

func (a *api) deleteServiceKey(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	return deleted(a.Service.DeleteServiceKey(r.Context(), c.scope, domain.KeyID(r.PathValue("id"))))
}
