package admin

import (
	"context"
	"time"

	"muster/domain"
)

// grantBody is why a role is held.
type grantBody struct {
	Kind domain.GrantKind `json:"kind" doc:"manual, invite, jit, group, sso_group, bootstrap or scim."`
	// Source is the id of the group, the invite or the member that gave it.
	Source     *string    `json:"source"`
	SourceName *string    `json:"source_name"`
	At         *time.Time `json:"at"`
}

// lostGrant is a grant that does not count, and why.
type lostGrant struct {
	RoleID   domain.RoleID `json:"role_id"`
	RoleName string        `json:"role_name"`
	Grant    grantBody     `json:"grant"`
	Why      string        `json:"why"`
}

// Access is a role in one place with its explanation (R37); it is exported because only exported structs are embedded in answers.
type Access struct {
	WorkspaceID   *domain.WorkspaceID `json:"workspace_id,omitempty" doc:"Absent for the org role."`
	WorkspaceName string              `json:"workspace_name,omitempty"`
	RoleID        domain.RoleID       `json:"role_id"`
	RoleName      string              `json:"role_name" doc:"The role as people read it: Editor."`
	Role          string              `json:"role" doc:"The role as programs read it: WORKSPACE_USER."`
	Permissions   []domain.Permission `json:"permissions" nullable:"false"`
	Grant         grantBody           `json:"grant"`
	Implied       bool                `json:"implied" doc:"True where an Organization Admin is Admin without a membership."`
	Lost          []lostGrant         `json:"lost" nullable:"false" doc:"The grants that do not count here, and why."`
}

// myOrganization is one organization of the caller.
type myOrganization struct {
	ID         domain.OrgID    `json:"id"`
	Name       string          `json:"display_name"`
	IsPersonal bool            `json:"is_personal"`
	IsDefault  bool            `json:"default_sso_provision" doc:"True for the organization that first-time users join."`
	IdentityID domain.MemberID `json:"identity_id"`
	Access

	Workspaces []Access `json:"workspaces" nullable:"false"`
}

// myUser is the caller.
type myUser struct {
	ID        domain.UserID `json:"id"`
	Email     *string       `json:"email"`
	FullName  *string       `json:"full_name"`
	CreatedAt time.Time     `json:"created_at"`
}

type meBody struct {
	User          myUser           `json:"user"`
	Organizations []myOrganization `json:"organizations" nullable:"false"`
}

// me names the caller, each organization and workspace with the role there, and by which grant.
func (a *api) me(ctx context.Context, c caller, _ *none) (*out[meBody], error) {
	me, err := a.Service.Me(ctx, c.principal)
	if err != nil {
		return nil, err
	}
	user := myUser{me.User.ID, nullable(me.User.Email), nullable(me.User.FullName), me.User.CreatedAt}
	return found(meBody{user, list(me.Organizations, mine)})
}

func mine(org domain.MyOrg) myOrganization {
	return myOrganization{
		ID: org.ID, Name: org.Name, IsPersonal: org.Personal, IsDefault: org.Default, IdentityID: org.Member,
		Access: access(org.Org), Workspaces: list(org.Workspaces, access),
	}
}

func access(why domain.Why) Access {
	return Access{
		WorkspaceID: nullable(why.Workspace), WorkspaceName: why.Name, RoleID: why.Role, RoleName: why.As.DisplayName, Role: why.As.Name,
		Permissions: permissions(why.As.Permissions), Grant: grant(why.Grant), Implied: why.Implied, Lost: list(why.Lost, lost),
	}
}

func lost(l domain.Lost) lostGrant {
	return lostGrant{l.Role, l.As.DisplayName, grant(l.Grant), l.Why}
}

func grant(g domain.Grant) grantBody {
	return grantBody{Kind: g.Kind, Source: nullable(g.Source), SourceName: nullable(g.SourceName), At: moment(g.At)}
}

// permissions is never null (checklist, item 6).
func permissions(held []domain.Permission) []domain.Permission {
	return append([]domain.Permission{}, held...)
}

// moment is a time, or null for none.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// memberAccess is what a member holds, and why (R37).
type memberAccess struct {
	Organization Access   `json:"organization"`
	Workspaces   []Access `json:"workspaces" nullable:"false"`
}

// explainMember is R37 for any member; everybody may ask about themselves.
func (a *api) explainMember(ctx context.Context, c caller, in *memberPath) (*out[memberAccess], error) {
	explanation, err := a.Service.Explain(ctx, c.scope, in.ID)
	if err != nil {
		return nil, err
	}
	return found(memberAccess{access(explanation.Org), list(explanation.Workspaces, access)})
}
