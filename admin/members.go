package admin

import (
	"net/http"
	"time"

	"muster/domain"
)

// memberBody is a member (OrgMember); its id is the membership's, not the user's.
type memberBody struct {
	ID             domain.MemberID      `json:"id"`
	OrganizationID domain.OrgID         `json:"organization_id"`
	TenantID       *domain.WorkspaceID  `json:"tenant_id"`
	CreatedAt      time.Time            `json:"created_at"`
	UserID         domain.UserID        `json:"user_id"`
	LSUserID       domain.UserID        `json:"ls_user_id"`
	ReadOnly       bool                 `json:"read_only"`
	RoleID         *domain.RoleID       `json:"role_id"`
	RoleName       *string              `json:"role_name"`
	AccessScope    domain.AccessScope   `json:"access_scope"`
	Email          *string              `json:"email"`
	FullName       *string              `json:"full_name"`
	AvatarURL      *string              `json:"avatar_url"`
	DisplayName    *string              `json:"display_name"`
	IsDisabled     bool                 `json:"is_disabled"`
	LoginMethods   []loginMethodBody    `json:"linked_login_methods"`
	OrgRoleID      domain.RoleID        `json:"org_role_id"`
	OrgRoleName    string               `json:"org_role_name"`
	TenantIDs      []domain.WorkspaceID `json:"tenant_ids"`
	Grant          grantBody            `json:"grant"`
}

// loginMethodBody is one way a person signs in (ProviderUser).
type loginMethodBody struct {
	ID                 string        `json:"id"`
	Provider           string        `json:"provider"`
	LSUserID           domain.UserID `json:"ls_user_id"`
	SAMLProviderID     *string       `json:"saml_provider_id"`
	ProviderUserID     *string       `json:"provider_user_id"`
	CreatedAt          time.Time     `json:"created_at"`
	UpdatedAt          time.Time     `json:"updated_at"`
	Email              *string       `json:"email"`
	FullName           *string       `json:"full_name"`
	IsDisabled         bool          `json:"is_disabled"`
	ProvisioningMethod *string       `json:"provisioning_method"`
}

func member(view domain.MemberView, c caller) memberBody {
	body := memberBody{
		ID: view.ID, OrganizationID: c.scope.Org(), CreatedAt: view.CreatedAt, UserID: view.User, LSUserID: view.User,
		ReadOnly: view.Role.Role == domain.RoleOrgViewer, RoleID: &view.Role.Role, RoleName: nullable(domain.RoleName(view.Role.Role)),
		AccessScope: domain.ScopeOrganization, Email: nullable(view.Email), FullName: nullable(view.FullName), DisplayName: nullable(view.FullName),
		IsDisabled: view.Status == domain.Disabled, LoginMethods: loginMethods(view), OrgRoleID: view.Role.Role,
		OrgRoleName: domain.RoleName(view.Role.Role), TenantIDs: []domain.WorkspaceID{}, Grant: grant(view.Role.Grant),
	}
	for _, held := range view.Workspaces {
		body.TenantIDs = append(body.TenantIDs, held.Workspace)
	}
	return body
}

func loginMethods(view domain.MemberView) []loginMethodBody {
	method := provisioning(view)
	bodies := []loginMethodBody{}
	for _, identity := range view.Identities {
		bodies = append(bodies, loginMethodBody{
			ID: string(identity.ID), Provider: identity.Provider, LSUserID: view.User, ProviderUserID: nullable(identity.Subject),
			CreatedAt: identity.CreatedAt, UpdatedAt: identity.CreatedAt, Email: nullable(identity.Email),
			FullName: nullable(view.FullName), IsDisabled: view.Status == domain.Disabled, ProvisioningMethod: method,
		})
	}
	return bodies
}

func provisioning(view domain.MemberView) *string {
	switch {
	case view.SCIM:
		return nullable("scim")
	case view.Role.Kind == domain.GrantBootstrap:
		return nullable("bootstrap")
	case view.Role.Kind == domain.GrantJIT:
		return nullable("saml:jit")
	default:
		return nil
	}
}

// inviteBody is a pending member (OrgPending).
type inviteBody struct {
	ID              domain.InviteID      `json:"id"`
	Email           string               `json:"email"`
	CreatedAt       time.Time            `json:"created_at"`
	ExpiresAt       *time.Time           `json:"expires_at"`
	ReadOnly        bool                 `json:"read_only"`
	RoleID          domain.RoleID        `json:"role_id"`
	RoleName        string               `json:"role_name"`
	OrgRoleID       domain.RoleID        `json:"org_role_id"`
	OrgRoleName     string               `json:"org_role_name"`
	WorkspaceIDs    []domain.WorkspaceID `json:"workspace_ids"`
	TenantIDs       []domain.WorkspaceID `json:"tenant_ids"`
	WorkspaceRoleID domain.RoleID        `json:"workspace_role_id"`
	AccessScope     domain.AccessScope   `json:"access_scope"`
	UserID          *domain.UserID       `json:"user_id"`
	TenantID        *domain.WorkspaceID  `json:"tenant_id"`
	OrganizationID  domain.OrgID         `json:"organization_id"`
	FullName        *string              `json:"full_name"`
	Password        *string              `json:"password"`
}

func invite(i domain.Invite, c caller) inviteBody {
	workspaces := append([]domain.WorkspaceID{}, i.Workspaces...)
	return inviteBody{
		ID: i.ID, Email: i.Email, CreatedAt: i.CreatedAt, ExpiresAt: moment(i.ExpiresAt), RoleID: i.Role, RoleName: domain.RoleName(i.Role),
		OrgRoleID: i.Role, OrgRoleName: domain.RoleName(i.Role), WorkspaceIDs: workspaces, TenantIDs: workspaces,
		WorkspaceRoleID: i.WorkspaceRole, AccessScope: domain.ScopeOrganization, OrganizationID: c.scope.Org(),
	}
}

// listAllMembers is the older form of the list, in one piece.
func (a *api) listAllMembers(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	members, err := a.everyMember(r, c)
	if err != nil {
		return result{}, err
	}
	pending, err := a.pending(r, c, domain.MemberQuery{Window: domain.Window{Limit: domain.MaxLimit}})
	if err != nil {
		return result{}, err
	}
	return found(map[string]any{"organization_id": c.scope.Org(), "members": members, "pending": pending})
}

// everyMember reads page after page; the pages are in order of creation, so that nobody is missed.
func (a *api) everyMember(r *http.Request, c caller) ([]memberBody, error) {
	bodies := []memberBody{}
	for {
		page, err := a.Service.Members(r.Context(), c.scope, domain.MemberQuery{Window: domain.Window{Limit: domain.MaxLimit, Offset: len(bodies)}})
		if err != nil {
			return nil, err
		}
		for _, view := range page {
			bodies = append(bodies, member(view, c))
		}
		if len(page) < domain.MaxLimit {
			return bodies, nil
		}
	}
}

func (a *api) listActiveMembers(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	query, err := memberQuery(r)
	if err != nil {
		return result{}, err
	}
	views, err := a.Service.Members(r.Context(), c.scope, query)
	if err != nil {
		return result{}, err
	}
	bodies := make([]memberBody, len(views))
	for i, view := range views {
		bodies[i] = member(view, c)
	}
	return found(bodies)
}

func (a *api) listPendingMembers(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	query, err := memberQuery(r)
	if err != nil {
		return result{}, err
	}
	bodies, err := a.pending(r, c, query)
	if err != nil {
		return result{}, err
	}
	return found(bodies)
}

func (a *api) pending(r *http.Request, c caller, query domain.MemberQuery) ([]inviteBody, error) {
	invites, err := a.Service.Invites(r.Context(), c.scope, query)
	if err != nil {
		return nil, err
	}
	bodies := make([]inviteBody, len(invites))
	for i, one := range invites {
		bodies[i] = invite(one, c)
	}
	return bodies, nil
}

func (a *api) inviteMember(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	var body struct {
		Email           *string              `json:"email"`
		RoleID          *domain.RoleID       `json:"role_id"`
		WorkspaceIDs    []domain.WorkspaceID `json:"workspace_ids"`
		WorkspaceRoleID *domain.RoleID       `json:"workspace_role_id"`
	}
	if err := decode(r, &body); err != nil {
		return result{}, err
	}
	if err := need(map[string]bool{"email": body.Email != nil}); err != nil {
		return result{}, err
	}
	request := domain.InviteRequest{Email: *body.Email, Workspaces: body.WorkspaceIDs}
	assign(&request.Role, body.RoleID)
	assign(&request.WorkspaceRole, body.WorkspaceRoleID)
	made, err := a.Service.Invite(r.Context(), c.scope, request)
	if err != nil {
		return result{}, err
	}
	return found(invite(made, c))
}

func (a *api) updateMember(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	var body struct {
		RoleID *domain.RoleID `json:"role_id"`
	}
	if err := decode(r, &body); err != nil {
		return result{}, err
	}
	id := domain.MemberID(r.PathValue("id"))
	view, err := a.Service.Member(r.Context(), c.scope, id)
	if err == nil && body.RoleID != nil {
		view, err = a.Service.SetMemberRole(r.Context(), c.scope, id, *body.RoleID)
	}
	if err != nil {
		return result{}, err
	}
	return found(member(view, c))
}

func (a *api) removeMember(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	id := domain.MemberID(r.PathValue("id"))
	if err := a.Service.RemoveMember(r.Context(), c.scope, id); err != nil {
		return result{}, err
	}
	return found(map[string]any{"id": id})
}

func (a *api) withdrawInvite(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	id := domain.InviteID(r.PathValue("id"))
	if err := a.Service.WithdrawInvite(r.Context(), c.scope, id); err != nil {
		return result{}, err
	}
	return found(map[string]any{"id": id})
}

// listLoginMethods are the caller's own ways to sign in.
func (a *api) listLoginMethods(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	if c.scope.Member() == "" {
		return found([]loginMethodBody{})
	}
	view, err := a.Service.Member(r.Context(), c.scope, c.scope.Member())
	if err != nil {
		return result{}, err
	}
	return found(loginMethods(view))
}
