package admin

import (
	"context"
	"time"

	"muster/domain"
)

// orgMember is a member; its id is the membership's, not the user's.
type orgMember struct {
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
	LoginMethods   []providerUser       `json:"linked_login_methods" nullable:"false"`
	OrgRoleID      domain.RoleID        `json:"org_role_id"`
	OrgRoleName    string               `json:"org_role_name"`
	TenantIDs      []domain.WorkspaceID `json:"tenant_ids" nullable:"false"`
	Grant          grantBody            `json:"grant"`
}

// providerUser is one way a person signs in.
type providerUser struct {
	ID                 domain.IdentityID `json:"id"`
	Provider           string            `json:"provider"`
	LSUserID           domain.UserID     `json:"ls_user_id"`
	SAMLProviderID     *string           `json:"saml_provider_id"`
	ProviderUserID     *string           `json:"provider_user_id"`
	CreatedAt          time.Time         `json:"created_at"`
	UpdatedAt          time.Time         `json:"updated_at"`
	Email              *string           `json:"email"`
	FullName           *string           `json:"full_name"`
	FirstName          *string           `json:"first_name"`
	LastName           *string           `json:"last_name"`
	Username           *string           `json:"username"`
	IsDisabled         bool              `json:"is_disabled"`
	ProvisioningMethod *string           `json:"provisioning_method"`
	EmailConfirmedAt   *time.Time        `json:"email_confirmed_at"`
}

func member(view domain.MemberView, c caller) orgMember { return memberIn(view, c.scope.Org()) }

func memberIn(view domain.MemberView, org domain.OrgID) orgMember {
	body := orgMember{
		ID: view.ID, OrganizationID: org, CreatedAt: view.CreatedAt, UserID: view.User, LSUserID: view.User,
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

func loginMethods(view domain.MemberView) []providerUser {
	method := provisioning(view)
	bodies := []providerUser{}
	for _, identity := range view.Identities {
		bodies = append(bodies, providerUser{
			ID: identity.ID, Provider: identity.Provider, LSUserID: view.User, ProviderUserID: nullable(identity.Subject),
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

type memberPath struct {
	ID domain.MemberID `path:"identity_id"`
}

type memberLists struct {
	OrganizationID domain.OrgID `json:"organization_id"`
	Members        []orgMember  `json:"members" nullable:"false"`
	Pending        []orgPending `json:"pending" nullable:"false"`
}

// listAllMembers is the older form of the list, in one piece.
func (a *api) listAllMembers(ctx context.Context, c caller, _ *none) (*out[memberLists], error) {
	members, err := every(func(window domain.Window) ([]domain.MemberView, error) {
		return a.Service.Members(ctx, c.scope, domain.MemberQuery{Window: window})
	})
	if err != nil {
		return nil, err
	}
	invites, err := a.everyInvite(ctx, c)
	if err != nil {
		return nil, err
	}
	return found(memberLists{c.scope.Org(), c.members(members), c.pending(invites)})
}

// every reads page after page; the pages are in order of creation, so that nobody is missed.
func every[T any](page func(domain.Window) ([]T, error)) ([]T, error) {
	var all []T
	for {
		more, err := page(domain.Window{Limit: domain.MaxLimit, Offset: len(all)})
		all = append(all, more...)
		if err != nil || len(more) < domain.MaxLimit {
			return all, err
		}
	}
}

func (c caller) members(views []domain.MemberView) []orgMember {
	return list(views, func(view domain.MemberView) orgMember { return member(view, c) })
}

func (a *api) listActiveMembers(ctx context.Context, c caller, in *activeQuery) (*out[[]orgMember], error) {
	views, err := a.Service.Members(ctx, c.scope, in.query())
	if err != nil {
		return nil, err
	}
	return found(c.members(views))
}

type memberUpdate struct {
	ID   domain.MemberID `path:"identity_id"`
	Body *struct {
		RoleID     *domain.RoleID `json:"role_id,omitempty" nullable:"true"`
		IsDisabled *bool          `json:"is_disabled,omitempty" nullable:"true" doc:"Ends the member's access, with sessions and tokens, or gives it back."`
		Password   *string        `json:"password,omitempty" nullable:"true" doc:"There are no passwords here; people sign in at the identity provider."`
	} `nameHint:"OrgMemberUpdate"`
}

func (a *api) updateMember(ctx context.Context, c caller, in *memberUpdate) (*out[orgMember], error) {
	update := domain.MemberUpdate{}
	if in.Body != nil {
		if in.Body.Password != nil {
			return nil, errNoPasswords()
		}
		update.Role, update.Disabled = in.Body.RoleID, in.Body.IsDisabled
	}
	view, err := a.Service.UpdateMember(ctx, c.scope, in.ID, update)
	if err != nil {
		return nil, err
	}
	return found(member(view, c))
}

type memberGone struct {
	ID domain.MemberID `json:"id"`
}

func (a *api) removeMember(ctx context.Context, c caller, in *memberPath) (*out[memberGone], error) {
	if err := a.Service.RemoveMember(ctx, c.scope, in.ID); err != nil {
		return nil, err
	}
	return found(memberGone{in.ID})
}

// listLoginMethods are the caller's own ways to sign in.
func (a *api) listLoginMethods(ctx context.Context, c caller, _ *none) (*out[[]providerUser], error) {
	if c.scope.Member() == "" {
		return found([]providerUser{})
	}
	view, err := a.Service.Member(ctx, c.scope, c.scope.Member())
	if err != nil {
		return nil, err
	}
	return found(loginMethods(view))
}
