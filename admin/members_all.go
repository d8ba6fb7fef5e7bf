package admin

import (
	"context"
	"time"

	"muster/domain"
)

// enrichedQuery is what the list of members and pending members together can be asked.
type enrichedQuery struct {
	Limit          int               `query:"limit" default:"50" minimum:"1" maximum:"500"`
	Offset         int               `query:"offset" minimum:"0" maximum:"2147483647"`
	Active         optionalParameter `query:"active_is" doc:"Only members who are let in, or only those who are disabled."`
	Pending        optionalParameter `query:"pending_is" doc:"Only pending members, or none of them."`
	Names          []string          `query:"name_like,explode" doc:"Globs, in which * stands for any text; one match is enough."`
	Emails         []string          `query:"email_like,explode"`
	Workspaces     []string          `query:"workspace_name_like,explode"`
	OrgRoles       []string          `query:"organization_role_like,explode"`
	WorkspaceRoles []string          `query:"workspace_role_like,explode"`
}

func (q *enrichedQuery) query() domain.PeopleQuery {
	query := domain.PeopleQuery{
		Window: domain.Window{Limit: q.Limit, Offset: q.Offset}, Names: q.Names, Emails: q.Emails,
		Workspaces: q.Workspaces, OrgRoles: q.OrgRoles, WorkspaceRoles: q.WorkspaceRoles,
	}
	if q.Active.set {
		query.Active = &q.Active.Value
	}
	if q.Pending.set {
		query.Pending = &q.Pending.Value
	}
	return query
}

// enrichedMember is a member, or a pending one, with everything that a page of people shows.
type enrichedMember struct {
	ID                   string              `json:"id"`
	Email                *string             `json:"email"`
	DisplayName          *string             `json:"display_name"`
	AvatarURL            *string             `json:"avatar_url"`
	CreatedAt            time.Time           `json:"created_at"`
	IsDisabled           bool                `json:"is_disabled"`
	IsPending            bool                `json:"is_pending"`
	LSUserID             *domain.UserID      `json:"ls_user_id"`
	RoleID               domain.RoleID       `json:"role_id"`
	RoleName             string              `json:"role_name"`
	LoginMethods         []enrichedLogin     `json:"linked_login_methods" nullable:"false"`
	SCIMGroups           []enrichedGroup     `json:"scim_groups" nullable:"false"`
	WorkspaceMemberships []enrichedWorkspace `json:"workspace_memberships" nullable:"false"`
}

type enrichedLogin struct {
	Provider     string  `json:"provider"`
	Provisioning *string `json:"provisioning"`
}

type enrichedGroup struct {
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
}

type enrichedWorkspace struct {
	ID       domain.WorkspaceID `json:"workspace_id"`
	Name     string             `json:"workspace_name"`
	RoleID   domain.RoleID      `json:"role_id"`
	RoleName string             `json:"role_name"`
}

func (a *api) listEveryone(ctx context.Context, c caller, in *enrichedQuery) (*out[[]enrichedMember], error) {
	people, err := a.Service.Everyone(ctx, c.scope, in.query())
	if err != nil {
		return nil, err
	}
	return found(list(people, func(p domain.PersonView) enrichedMember {
		if p.Invite != nil {
			return enrichedInvite(*p.Invite, p)
		}
		return enriched(*p.Member, p)
	}))
}

func enriched(m domain.MemberView, p domain.PersonView) enrichedMember {
	method := provisioning(m)
	return enrichedMember{
		ID: string(m.ID), Email: nullable(m.Email), DisplayName: nullable(m.FullName), CreatedAt: m.CreatedAt,
		IsDisabled: m.Status == domain.Disabled, LSUserID: &m.User, RoleID: m.Role.Role, RoleName: domain.RoleName(m.Role.Role),
		LoginMethods: list(m.Identities, func(i domain.Identity) enrichedLogin { return enrichedLogin{i.Provider, method} }),
		SCIMGroups:   list(p.Groups, func(g domain.GroupName) enrichedGroup { return enrichedGroup{g.Name, g.CreatedAt} }),
		WorkspaceMemberships: list(m.Workspaces, func(w domain.WorkspaceHeld) enrichedWorkspace {
			return enrichedWorkspace{w.Workspace, w.Name, w.Role, w.As.DisplayName}
		}),
	}
}

func enrichedInvite(i domain.Invite, p domain.PersonView) enrichedMember {
	return enrichedMember{
		ID: string(i.ID), Email: &i.Email, CreatedAt: i.CreatedAt, IsPending: true, RoleID: i.Role, RoleName: domain.RoleName(i.Role),
		LoginMethods: []enrichedLogin{}, SCIMGroups: []enrichedGroup{},
		WorkspaceMemberships: list(p.In, func(w domain.WorkspaceHeld) enrichedWorkspace {
			return enrichedWorkspace{w.Workspace, w.Name, w.Role, w.As.DisplayName}
		}),
	}
}
