package domain

import (
	"context"
	"time"
)

// PeopleQuery selects members and pending members together; every list of globs that is not empty must have one that matches.
type PeopleQuery struct {
	Window
	// Active selects members who are let in, or those who are disabled; Pending pending members, or none of them; nil is both.
	Active  *bool
	Pending *bool
	// The globs are compared folded; "*" stands for any text.
	Names, Emails, Workspaces, OrgRoles, WorkspaceRoles []string
}

// GroupName is a pushed group that somebody is in.
type GroupName struct {
	Name      string
	CreatedAt time.Time
}

// PersonView is a member with their groups, or an invite with its workspaces.
type PersonView struct {
	Member *MemberView
	Groups []GroupName
	Invite *Invite
	In     []WorkspaceHeld
}

// Everyone lists members, then pending members, with everything that a page of people shows.
func (s *Service) Everyone(ctx context.Context, scope OrgScope, query PeopleQuery) ([]PersonView, error) {
	if err := scope.require(PermOrgRead); err != nil {
		return nil, err
	}
	var people []PersonView
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		p := peoplePage{org: org, query: query, left: query.Clamp()}
		if err := p.read(); err != nil {
			return err
		}
		people = p.people
		return nil
	})
	return people, err
}

// peoplePage is one page of people as it is read.
type peoplePage struct {
	org    OrgTx
	query  PeopleQuery
	roles  Roles
	left   Window
	people []PersonView
}

func (p *peoplePage) read() error {
	p.people = []PersonView{}
	var err error
	if p.roles, err = rolesOf(p.org); err != nil {
		return err
	}
	match := PeopleMatch{PeopleQuery: p.query, OrgRoleIDs: p.roles.like(p.query.OrgRoles, ScopeOrganization), WorkspaceRoleIDs: p.roles.like(p.query.WorkspaceRoles, ScopeWorkspace)}
	if p.query.Pending == nil || !*p.query.Pending {
		if err := p.addMembers(match); err != nil {
			return err
		}
	}
	if p.left.Limit == 0 || p.query.Pending != nil && !*p.query.Pending || p.query.Active != nil {
		return nil
	}
	return p.addInvites(match)
}

// like returns the roles of a scope whose display name matches a glob; nil for no globs.
func (r Roles) like(globs []string, scope AccessScope) []RoleID {
	if len(globs) == 0 {
		return nil
	}
	ids := []RoleID{}
	for _, role := range r.All() {
		if role.Scope == scope && (Like(role.DisplayName, globs) || Like(role.Name, globs)) {
			ids = append(ids, role.ID)
		}
	}
	return ids
}

// PeopleMatch is a PeopleQuery whose role globs have become roles; nil is any role.
type PeopleMatch struct {
	PeopleQuery

	OrgRoleIDs, WorkspaceRoleIDs []RoleID
}

func (p *peoplePage) addMembers(match PeopleMatch) error {
	match.Window = p.left
	members, err := p.org.Members().Like(match)
	if err != nil {
		return err
	}
	ids := make([]MemberID, len(members))
	for i, member := range members {
		ids[i] = member.ID
	}
	groups, err := p.org.Groups().Of(ids)
	if err != nil {
		return err
	}
	for _, member := range members {
		for i := range member.Workspaces {
			member.Workspaces[i].As, _ = p.roles.Get(member.Workspaces[i].Role)
		}
		p.people = append(p.people, PersonView{Member: &member, Groups: groups[member.ID]})
	}
	if p.left.Limit -= len(members); p.left.Limit == 0 {
		return nil
	}
	before, err := p.org.Members().CountLike(match)
	p.left.Offset = max(0, p.left.Offset-before)
	return err
}

func (p *peoplePage) addInvites(match PeopleMatch) error {
	match.Window = p.left
	invites, err := p.org.Invites().Like(match)
	if err != nil {
		return err
	}
	workspaces, err := p.org.Workspaces().List(false)
	if err != nil {
		return err
	}
	names := map[WorkspaceID]string{}
	for _, workspace := range workspaces {
		names[workspace.ID] = workspace.DisplayName
	}
	for _, invite := range invites {
		view := PersonView{Invite: &invite}
		for _, id := range invite.Workspaces {
			role, _ := p.roles.Get(invite.RoleIn(id))
			view.In = append(view.In, WorkspaceHeld{Workspace: id, Name: names[id], Held: Held{Grant: Grant{Role: role.ID}}, As: role})
		}
		p.people = append(p.people, view)
	}
	return nil
}
