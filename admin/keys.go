package admin

import (
	"context"
	"time"

	"muster/domain"
)

// APIKey is a key without its secret, but for the answer to its creation (KeyGet, KeyCreated).
// It is exported because only exported structs are embedded in answers.
type APIKey struct {
	ID                   domain.KeyID         `json:"id"`
	ShortKey             string               `json:"short_key"`
	Description          string               `json:"description"`
	ReadOnly             bool                 `json:"read_only"`
	CreatedAt            time.Time            `json:"created_at"`
	LastUsedAt           *time.Time           `json:"last_used_at"`
	ExpiresAt            *time.Time           `json:"expires_at"`
	Workspaces           []domain.WorkspaceID `json:"workspaces" nullable:"false"`
	DefaultWorkspace     *domain.WorkspaceID  `json:"default_workspace_id"`
	RoleID               *domain.RoleID       `json:"role_id"`
	OrgRoleID            *domain.RoleID       `json:"org_role_id"`
	CreatedBy            *string              `json:"created_by"`
	WorkspaceNames       []string             `json:"workspace_names" nullable:"false"`
	DefaultWorkspaceName *string              `json:"default_workspace_name"`
	AccessScope          *domain.AccessScope  `json:"access_scope" doc:"organization for a key that reaches all of it."`
	ServiceAccount       *domain.AccountID    `json:"service_account_id"`
	RevokedAt            *time.Time           `json:"revoked_at" doc:"When an Admin switched the key off."`
	Key                  *string              `json:"key,omitempty" doc:"The secret: in the answer to its creation only."`
}

type apiKey = APIKey

func key(k domain.Key) apiKey {
	return apiKey{
		ID: k.ID, ShortKey: k.Short, Description: k.Description, ReadOnly: k.Role == domain.RoleWorkViewer, CreatedAt: k.CreatedAt,
		LastUsedAt: moment(k.LastUsedAt), ExpiresAt: moment(k.ExpiresAt), Workspaces: append([]domain.WorkspaceID{}, k.Workspaces...),
		DefaultWorkspace: nullable(k.DefaultWorkspace), RoleID: nullable(k.Role), OrgRoleID: nullable(k.OrgRole), CreatedBy: nullable(k.CreatedBy),
		WorkspaceNames: []string{}, AccessScope: scopeOf(k), ServiceAccount: nullable(k.Account), RevokedAt: moment(k.RevokedAt),
	}
}

func scopeOf(k domain.Key) *domain.AccessScope {
	switch {
	case k.Kind != domain.ServiceKey:
		return nil
	case len(k.Workspaces) == 0 && k.Account == "":
		return nullable(domain.ScopeOrganization)
	default:
		return nullable(domain.ScopeWorkspace)
	}
}

// keyCreate describes a key to be made; every field has a default.
type keyCreate struct {
	Description      *string              `json:"description,omitempty" nullable:"true" doc:"\"Default API key\" when absent."`
	ReadOnly         bool                 `json:"read_only,omitempty" nullable:"true" doc:"Deprecated: the role Viewer."`
	ExpiresAt        *time.Time           `json:"expires_at,omitempty" nullable:"true"`
	Workspaces       []domain.WorkspaceID `json:"workspaces,omitempty" nullable:"true" doc:"Where a service key reaches; the whole organization when absent."`
	RoleID           *domain.RoleID       `json:"role_id,omitempty" nullable:"true"`
	OrgRoleID        *domain.RoleID       `json:"org_role_id,omitempty" nullable:"true"`
	DefaultWorkspace *domain.WorkspaceID  `json:"default_workspace_id,omitempty" nullable:"true"`
	ServiceAccount   *domain.AccountID    `json:"service_account_id,omitempty" nullable:"true" doc:"The service account that the key acts for; it then reaches where the account does."`
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
	if in.Body.ReadOnly && in.Body.RoleID == nil {
		request.Role = domain.RoleWorkViewer
	}
	assign(&request.Account, in.Body.ServiceAccount)
	assign(&request.DefaultWorkspace, in.Body.DefaultWorkspace)
	return request
}

// withNames fills in the names of the keys' workspaces, as far as the caller may see them.
func (a *api) withNames(ctx context.Context, c caller, keys ...apiKey) ([]apiKey, error) {
	views, err := a.Service.Workspaces(ctx, c.scope, true)
	if err != nil {
		return nil, err
	}
	names := map[domain.WorkspaceID]string{}
	for _, view := range views {
		names[view.ID] = view.DisplayName
	}
	for i := range keys {
		key := &keys[i]
		for _, id := range key.Workspaces {
			key.WorkspaceNames = append(key.WorkspaceNames, names[id])
		}
		if key.DefaultWorkspace != nil {
			key.DefaultWorkspaceName = nullable(names[*key.DefaultWorkspace])
		}
	}
	return keys, nil
}

func (a *api) keys(ctx context.Context, c caller, all []domain.Key, err error) (*out[[]apiKey], error) {
	if err != nil {
		return nil, err
	}
	bodies, err := a.withNames(ctx, c, list(all, key)...)
	if err != nil {
		return nil, err
	}
	return found(bodies)
}

// one is a key; right after it was made its secret is shown, this once.
func (a *api) one(ctx context.Context, c caller, k domain.Key, secret domain.Secret, err error) (*out[apiKey], error) {
	if err != nil {
		return nil, err
	}
	bodies, err := a.withNames(ctx, c, key(k))
	if err != nil {
		return nil, err
	}
	bodies[0].Key = nullable(string(secret))
	return found(bodies[0])
}

type patPath struct {
	ID domain.KeyID `path:"pat_id"`
}

func (a *api) listPersonalTokens(ctx context.Context, c caller, _ *none) (*out[[]apiKey], error) {
	all, err := a.Service.PersonalTokens(ctx, c.scope)
	return a.keys(ctx, c, all, err)
}

func (a *api) createPersonalToken(ctx context.Context, c caller, in *keyCreation) (*out[apiKey], error) {
	made, secret, err := c.service.CreatePersonalToken(ctx, c.scope, in.request())
	return a.one(ctx, c, made, secret, err)
}

// createTokenHere is the older form, in which a token stands for the workspace in which it was made.
func (a *api) createTokenHere(ctx context.Context, c caller, in *keyCreation) (*out[apiKey], error) {
	request := in.request()
	if request.DefaultWorkspace == "" {
		request.DefaultWorkspace = c.named
	}
	made, secret, err := c.service.CreatePersonalToken(ctx, c.scope, request)
	return a.one(ctx, c, made, secret, err)
}

func (a *api) deletePersonalToken(ctx context.Context, c caller, in *patPath) (*out[apiKey], error) {
	gone, err := a.Service.DeletePersonalToken(ctx, c.scope, in.ID)
	return a.one(ctx, c, gone, "", err)
}

// memberToken is a member's token as an Admin sees it.
type memberToken struct {
	APIKey

	UserID    domain.UserID `json:"user_id"`
	LSUserID  domain.UserID `json:"ls_user_id"`
	UserEmail *string       `json:"user_email"`
}

func (a *api) listMembersTokens(ctx context.Context, c caller, _ *none) (*out[[]memberToken], error) {
	all, err := a.Service.AllPersonalTokens(ctx, c.scope)
	if err != nil {
		return nil, err
	}
	bodies, err := a.withNames(ctx, c, list(all, func(k domain.OwnedKey) apiKey { return key(k.Key) })...)
	if err != nil {
		return nil, err
	}
	tokens := make([]memberToken, len(all))
	for i, owned := range all {
		tokens[i] = memberToken{bodies[i], owned.User, owned.User, nullable(owned.Owner.Email)}
	}
	return found(tokens)
}

func (a *api) revokeToken(ctx context.Context, c caller, in *patPath) (*out[apiKey], error) {
	changed, err := c.service.RevokePersonalToken(ctx, c.scope, in.ID, true)
	return a.one(ctx, c, changed, "", err)
}

func (a *api) restoreToken(ctx context.Context, c caller, in *patPath) (*out[apiKey], error) {
	changed, err := c.service.RevokePersonalToken(ctx, c.scope, in.ID, false)
	return a.one(ctx, c, changed, "", err)
}

type serviceKeyPath struct {
	ID domain.KeyID `path:"id"`
}

func (a *api) listServiceKeys(ctx context.Context, c caller, _ *none) (*out[[]apiKey], error) {
	all, err := a.Service.ServiceKeys(ctx, c.scope)
	return a.keys(ctx, c, all, err)
}

func (a *api) createServiceKey(ctx context.Context, c caller, in *keyCreation) (*out[apiKey], error) {
	made, secret, err := c.service.CreateServiceKey(ctx, c.scope, in.request())
	return a.one(ctx, c, made, secret, err)
}

type serviceKeyUpdate struct {
	ID   domain.KeyID `path:"id"`
	Body struct {
		RoleID    *domain.RoleID `json:"role_id,omitempty" nullable:"true"`
		OrgRoleID *domain.RoleID `json:"org_role_id,omitempty" nullable:"true" doc:"Only of a key that reaches the whole organization."`
	} `nameHint:"ServiceKeyUpdate"`
}

func (a *api) updateServiceKey(ctx context.Context, c caller, in *serviceKeyUpdate) (*out[apiKey], error) {
	changed, err := a.Service.UpdateServiceKey(ctx, c.scope, in.ID, domain.KeyUpdate{Role: in.Body.RoleID, OrgRole: in.Body.OrgRoleID})
	return a.one(ctx, c, changed, "", err)
}

func (a *api) deleteServiceKey(ctx context.Context, c caller, in *serviceKeyPath) (*out[apiKey], error) {
	gone, err := a.Service.DeleteServiceKey(ctx, c.scope, in.ID)
	return a.one(ctx, c, gone, "", err)
}

func (a *api) listWorkspaceKeys(ctx context.Context, c caller, _ *none) (*out[[]apiKey], error) {
	all, err := a.Service.WorkspaceKeys(ctx, c.scope, c.workspace)
	return a.keys(ctx, c, all, err)
}

func (a *api) createWorkspaceKey(ctx context.Context, c caller, in *keyCreation) (*out[apiKey], error) {
	made, secret, err := c.service.CreateWorkspaceKey(ctx, c.scope, c.workspace, in.request())
	return a.one(ctx, c, made, secret, err)
}

func (a *api) deleteWorkspaceKey(ctx context.Context, c caller, in *serviceKeyPath) (*out[apiKey], error) {
	gone, err := a.Service.DeleteWorkspaceKey(ctx, c.scope, c.workspace, in.ID)
	return a.one(ctx, c, gone, "", err)
}
