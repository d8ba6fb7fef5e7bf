package admin

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"muster/domain"
)

// credentialBody is what a credential stands for.
type credentialBody struct {
	UserID         *domain.UserID      `json:"user_id"`
	LSUserID       *domain.UserID      `json:"ls_user_id"`
	UserEmail      *string             `json:"user_email"`
	OrganizationID domain.OrgID        `json:"organization_id"`
	TenantID       *domain.WorkspaceID `json:"tenant_id"`
}

// authPublic says which user, organization and workspace a credential stands for.
func authPublic(_ context.Context, c caller, _ *none) (*out[credentialBody], error) {
	user := c.principal.User()
	return found(credentialBody{nullable(user.ID), nullable(user.ID), nullable(user.Email), c.scope.Org(), nullable(c.workspace)})
}

type checkQuery struct {
	Workspace domain.WorkspaceID  `query:"workspace_id" doc:"The workspace; X-Tenant-Id means the same."`
	Require   []domain.Permission `query:"require,explode" doc:"Permissions, one a parameter, that the caller must have in the organization or the workspace."`
}

// checkAnswer says who asks, twice: headers are for proxies, the body is for applications.
type checkAnswer struct {
	User          string `header:"X-Muster-User"`
	Email         string `header:"X-Muster-Email" doc:"What is not printable ASCII is percent-encoded."`
	Org           string `header:"X-Muster-Org"`
	OrgRole       string `header:"X-Muster-Org-Role"`
	Workspace     string `header:"X-Muster-Workspace"`
	WorkspaceRole string `header:"X-Muster-Workspace-Role"`
	Permissions   string `header:"X-Muster-Permissions" doc:"Those in the organization and in the workspace, with commas between."`

	Body checkBody
}

type checkBody struct {
	UserID         *domain.UserID      `json:"user_id"`
	Email          *string             `json:"email"`
	OrganizationID domain.OrgID        `json:"organization_id"`
	OrgRole        string              `json:"org_role"`
	Permissions    []domain.Permission `json:"permissions" nullable:"false"`
	Workspace      *checkedWorkspace   `json:"workspace"`
}

// TransformSchema implements huma.SchemaTransformer: without a workspace in the request there is none in the answer.
func (checkBody) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return orNull(s, "workspace")
}

type checkedWorkspace struct {
	ID          domain.WorkspaceID  `json:"id"`
	DisplayName string              `json:"display_name"`
	Role        string              `json:"role"`
	RoleName    string              `json:"role_name"`
	Permissions []domain.Permission `json:"permissions" nullable:"false"`
}

// authCheck is what a reverse proxy asks before it lets a request through.
// Without a workspace it answers for the organization only; with one that the caller is not in it is Forbidden.
func (a *api) authCheck(ctx context.Context, c caller, in *checkQuery) (*checkAnswer, error) {
	user := c.principal.User()
	orgRole, _ := domain.SystemRole(c.scope.Role())
	answer := &checkAnswer{
		User: string(user.ID), Email: headerText(user.Email), Org: string(c.scope.Org()), OrgRole: orgRole.Name,
		Permissions: joined(orgRole.Permissions),
		Body: checkBody{
			UserID: nullable(user.ID), Email: nullable(user.Email), OrganizationID: c.scope.Org(),
			OrgRole: orgRole.Name, Permissions: permissions(orgRole.Permissions),
		},
	}
	if in.Workspace != "" {
		c.workspace = in.Workspace
	}
	if c.workspace == "" {
		return answer, in.allow(answer)
	}
	view, err := a.Service.Workspace(ctx, c.scope, c.workspace)
	if domain.IsKind(err, domain.NotFound) || err == nil && view.Role.ID == "" {
		return nil, domain.Errorf(domain.Forbidden, "not a member of this workspace")
	}
	if err != nil {
		return nil, err
	}
	answer.Workspace, answer.WorkspaceRole = string(view.ID), view.Role.Name
	answer.Permissions = joined(append(orgRole.Permissions, view.Role.Permissions...))
	answer.Body.Workspace = &checkedWorkspace{view.ID, view.DisplayName, view.Role.Name, view.Role.DisplayName, permissions(view.Role.Permissions)}
	return answer, in.allow(answer)
}

// allow is Forbidden when the caller lacks a permission that the proxy asks for.
func (in *checkQuery) allow(answer *checkAnswer) error {
	held := answer.Body.Permissions
	if answer.Body.Workspace != nil {
		held = append(held[:len(held):len(held)], answer.Body.Workspace.Permissions...)
	}
	for _, permission := range in.Require {
		if !slices.Contains(held, permission) {
			return domain.Errorf(domain.Forbidden, "this needs the permission %q", permission)
		}
	}
	return nil
}

// headerText is text that may stand in a header: what is not printable ASCII is percent-encoded (RFC 3986).
func headerText(text string) string {
	if strings.IndexFunc(text, func(r rune) bool { return r <= ' ' || r > '~' || r == '%' }) < 0 {
		return text
	}
	return url.PathEscape(text)
}

func joined(held []domain.Permission) string {
	return strings.Join(list(held, func(p domain.Permission) string { return string(p) }), ",")
}
