package admin

import (
	"net/http"
	"time"

	"muster/domain"
)

// grantBody is why a role is held.
type grantBody struct {
	Kind       domain.GrantKind `json:"kind"`
	Source     *string          `json:"source"`
	SourceName *string          `json:"source_name"`
	At         *time.Time       `json:"at"`
}

// lostBody is a grant that does not count, and why.
type lostBody struct {
	RoleID   domain.RoleID `json:"role_id"`
	RoleName string        `json:"role_name"`
	Grant    grantBody     `json:"grant"`
	Why      string        `json:"why"`
}

// accessBody is a role in one place with its explanation (R37).
type accessBody struct {
	WorkspaceID   *domain.WorkspaceID `json:"workspace_id,omitempty"`
	WorkspaceName string              `json:"workspace_name,omitempty"`
	RoleID        domain.RoleID       `json:"role_id"`
	RoleName      string              `json:"role_name"`
	Role          string              `json:"role"`
	Permissions   []domain.Permission `json:"permissions"`
	Grant         grantBody           `json:"grant"`
	// Implied is true for the workspaces of an Organization Admin (R3).
	Implied bool       `json:"implied"`
	Lost    []lostBody `json:"lost"`
}

// myOrg is one organization of the caller.
type myOrg struct {
	ID         domain.OrgID    `json:"id"`
	Name       string          `json:"display_name"`
	IsPersonal bool            `json:"is_personal"`
	IsDefault  bool            `json:"default_sso_provision"`
	IdentityID domain.MemberID `json:"identity_id"`
	accessBody

	Workspaces []accessBody `json:"workspaces"`
}

// me names the caller, each organization and workspace with the role there, and by which grant.
func (a *api) me(r *http.Request, principal domain.Principal) (result, error) {
	me, err := a.Service.Me(r.Context(), principal)
	if err != nil {
		return result{}, err
	}
	orgs := make([]myOrg, len(me.Organizations))
	for i, org := range me.Organizations {
		orgs[i] = myOrg{
			ID: org.ID, Name: org.Name, IsPersonal: org.Personal, IsDefault: org.Default, IdentityID: org.Member,
			accessBody: access(org.Org), Workspaces: accesses(org.Workspaces),
		}
	}
	var user any
	if me.User.ID != "" {
		user = map[string]any{"id": me.User.ID, "email": nullable(me.User.Email), "full_name": nullable(me.User.FullName), "created_at": me.User.CreatedAt}
	}
	return found(map[string]any{"user": user, "organizations": orgs})
}

func accesses(whys []domain.Why) []accessBody {
	bodies := make([]accessBody, len(whys))
	for i, why := range whys {
		bodies[i] = access(why)
	}
	return bodies
}

func access(why domain.Why) accessBody {
	role, _ := domain.SystemRole(why.Role)
	body := accessBody{
		WorkspaceID: nullable(why.Workspace), WorkspaceName: why.Name, RoleID: why.Role, RoleName: role.DisplayName, Role: role.Name,
		Permissions: role.Permissions, Grant: grant(why.Grant), Implied: why.Implied, Lost: []lostBody{},
	}
	for _, lost := range why.Lost {
		body.Lost = append(body.Lost, lostBody{lost.Role, domain.RoleName(lost.Role), grant(lost.Grant), lost.Why})
	}
	return body
}

func grant(g domain.Grant) grantBody {
	return grantBody{Kind: g.Kind, Source: nullable(g.Source), SourceName: nullable(g.SourceName), At: moment(g.At)}
}

// moment is a time, or null for none.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// explainMember is R37 for any member; everybody may ask about themselves.
func (a *api) explainMember(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	explanation, err := a.Service.Explain(r.Context(), c.scope, domain.MemberID(r.PathValue("id")))
	if err != nil {
		return result{}, err
	}
	return found(map[string]any{"organization": access(explanation.Org), "workspaces": accesses(explanation.Workspaces)})
}

// authPublic says which user, organization and workspace a credential stands for.
func (a *api) authPublic(_ http.ResponseWriter, _ *http.Request, c caller) (result, error) {
	user := c.principal.User()
	return found(map[string]any{
		"user_id": nullable(user.ID), "ls_user_id": nullable(user.ID), "user_email": nullable(user.Email),
		"organization_id": c.scope.Org(), "tenant_id": nullable(c.workspace),
	})
}

// authCheck is what a reverse proxy asks before it lets a request through: 200 with who it is as headers and JSON.
// Without a workspace it answers for the organization only.
func (a *api) authCheck(w http.ResponseWriter, r *http.Request, c caller) (result, error) {
	user := c.principal.User()
	orgRole, _ := domain.SystemRole(c.scope.Role())
	body := map[string]any{
		"user_id": nullable(user.ID), "email": nullable(user.Email), "organization_id": c.scope.Org(),
		"org_role": orgRole.Name, "permissions": orgRole.Permissions, "workspace": nil,
	}
	w.Header().Set("X-Muster-User", string(user.ID))
	w.Header().Set("X-Muster-Email", user.Email)
	w.Header().Set("X-Muster-Organization", string(c.scope.Org()))
	w.Header().Set("X-Muster-Org-Role", orgRole.Name)
	if asked := domain.WorkspaceID(r.URL.Query().Get("workspace_id")); asked != "" {
		c.workspace = asked
	}
	if c.workspace == "" {
		return found(body)
	}
	view, err := a.Service.Workspace(r.Context(), c.scope, c.workspace)
	if err == nil && view.Role == "" {
		err = domain.Errorf(domain.Forbidden, "not a member of this workspace")
	}
	if domain.IsKind(err, domain.NotFound) {
		err = domain.Errorf(domain.Forbidden, "not a member of this workspace")
	}
	if err != nil {
		return result{}, err
	}
	role, _ := domain.SystemRole(view.Role)
	w.Header().Set("X-Muster-Workspace", string(view.ID))
	w.Header().Set("X-Muster-Workspace-Role", role.Name)
	body["workspace"] = map[string]any{"id": view.ID, "display_name": view.DisplayName, "role": role.Name, "role_name": role.DisplayName, "permissions": role.Permissions}
	return found(body)
}
