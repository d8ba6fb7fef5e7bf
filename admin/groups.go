package admin

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/domain"
)

// mappingBody is what a group gives.
type mappingBody struct {
	OrgRoleID  *domain.RoleID `json:"org_role_id,omitempty" nullable:"true" doc:"Absent or null: the group does not speak about the org role."`
	Workspaces []place        `json:"workspaces,omitempty" nullable:"true" doc:"Each with a role; Editor when absent."`
}

func (m mappingBody) mapping() domain.Mapping {
	mapping := domain.Mapping{}
	assign(&mapping.OrgRole, m.OrgRoleID)
	for _, p := range m.Workspaces {
		if mapping.Workspaces == nil {
			mapping.Workspaces = map[domain.WorkspaceID]domain.RoleID{}
		}
		role := domain.RoleWorkEditor
		assign(&role, p.RoleID)
		mapping.Workspaces[p.WorkspaceID] = role
	}
	return mapping
}

// mappedBody is what a group gives now.
type mappedBody struct {
	OrgRoleID  *domain.RoleID `json:"org_role_id"`
	Workspaces []place        `json:"workspaces" nullable:"false"`
}

func mapped(m domain.Mapping) mappedBody {
	return mappedBody{nullable(m.OrgRole), places(m.Workspaces)}
}

func places(roles map[domain.WorkspaceID]domain.RoleID) []place {
	return list(slices.Sorted(maps.Keys(roles)), func(id domain.WorkspaceID) place {
		role := roles[id]
		return place{id, &role}
	})
}

// scimGroup is a pushed group with what it gives.
type scimGroup struct {
	ID          domain.GroupID `json:"id"`
	DisplayName string         `json:"display_name"`
	ExternalID  *string        `json:"external_id"`
	MemberCount int            `json:"member_count"`
	Source      string         `json:"source" enum:"convention,explicit,unmapped" doc:"What decides: the group's name, a mapping, or nothing."`
	Mapping     mappedBody     `json:"mapping"`
	Unmapped    *string        `json:"unmapped_reason" doc:"Why the group gives nothing."`
	CreatedAt   time.Time      `json:"created_at"`
	UpdatedAt   time.Time      `json:"updated_at"`
}

func group(g domain.GroupView) scimGroup {
	source := "convention"
	switch {
	case g.Explicit:
		source = "explicit"
	case g.Mapping.Empty():
		source = "unmapped"
	}
	return scimGroup{
		ID: g.ID, DisplayName: g.DisplayName, ExternalID: nullable(g.ExternalID), MemberCount: g.People, Source: source,
		Mapping: mapped(g.Mapping), Unmapped: nullable(g.Unmapped), CreatedAt: g.CreatedAt, UpdatedAt: g.UpdatedAt,
	}
}

type groupQuery struct {
	Limit    int    `query:"limit" default:"50" minimum:"1" maximum:"500"`
	Offset   int    `query:"offset" minimum:"0" maximum:"2147483647"`
	Search   string `query:"q" doc:"A part of the name."`
	Unmapped bool   `query:"unmapped" doc:"Only groups that give nothing."`
}

func (a *api) listGroups(ctx context.Context, c caller, in *groupQuery) (*out[[]scimGroup], error) {
	groups, err := a.Service.SCIMGroups(ctx, c.scope, domain.GroupQuery{
		Window: domain.Window{Limit: in.Limit, Offset: in.Offset}, Search: in.Search, Unmapped: in.Unmapped,
	})
	if err != nil {
		return nil, err
	}
	return found(list(groups, group))
}

type groupPath struct {
	ID domain.GroupID `path:"group_id"`
}

func groupOr(view domain.GroupView, err error) (*out[scimGroup], error) {
	if err != nil {
		return nil, err
	}
	return found(group(view))
}

func (a *api) getGroup(ctx context.Context, c caller, in *groupPath) (*out[scimGroup], error) {
	return groupOr(a.Service.SCIMGroup(ctx, c.scope, in.ID))
}

type mappingUpdate struct {
	ID   domain.GroupID `path:"group_id"`
	Body mappingBody    `nameHint:"GroupMapping"`
}

// setMapping is R32.
func (a *api) setMapping(ctx context.Context, c caller, in *mappingUpdate) (*out[scimGroup], error) {
	return groupOr(c.service.SetGroupMapping(ctx, c.scope, in.ID, in.Body.mapping()))
}

func (a *api) clearMapping(ctx context.Context, c caller, in *groupPath) (*out[scimGroup], error) {
	return groupOr(a.Service.ClearGroupMapping(ctx, c.scope, in.ID))
}

type previewRequest struct{ Body proposal }

// proposal is what is to be looked at before it acts.
type proposal struct {
	GroupName string          `json:"group_name,omitempty" nullable:"true" doc:"A name to be read by the convention."`
	GroupID   *domain.GroupID `json:"group_id,omitempty" nullable:"true" doc:"A pushed group."`
	Mapping   *mappingBody    `json:"mapping,omitempty" doc:"What the group would give; without it and without a name the group's own name is read."`
}

// TransformSchema implements huma.SchemaTransformer.
func (proposal) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return orNull(s, "mapping")
}

// previewBody is what a proposal would do (R38).
type previewBody struct {
	Group     *scimGroup      `json:"group" doc:"Null for a name that no group has."`
	Mapping   mappedBody      `json:"mapping"`
	Unmapped  *string         `json:"unmapped_reason"`
	People    int             `json:"member_count"`
	Concerned int             `json:"concerned_count" doc:"How many members would hold something else."`
	Changes   []previewChange `json:"changes" nullable:"false" doc:"The first 500 of them."`
}

// TransformSchema implements huma.SchemaTransformer.
func (previewBody) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return orNull(s, "group")
}

type previewChange struct {
	IdentityID domain.MemberID `json:"identity_id"`
	UserID     domain.UserID   `json:"user_id"`
	Email      *string         `json:"email"`
	FullName   *string         `json:"full_name"`
	Org        *roleChange     `json:"org_role" doc:"Null when it stays."`
	Workspaces []placeChange   `json:"workspaces" nullable:"false"`
}

// TransformSchema implements huma.SchemaTransformer.
func (previewChange) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return orNull(s, "org_role")
}

type roleChange struct {
	Before *domain.RoleID `json:"before"`
	After  *domain.RoleID `json:"after"`
	Words  string         `json:"words"`
}

type placeChange struct {
	WorkspaceID domain.WorkspaceID `json:"workspace_id"`
	RoleChange
}

// RoleChange is roleChange; it is exported because only exported structs are embedded in answers.
type RoleChange = roleChange

func (a *api) preview(ctx context.Context, c caller, in *previewRequest) (*out[previewBody], error) {
	asked := domain.Proposal{Name: in.Body.GroupName}
	assign(&asked.Group, in.Body.GroupID)
	if in.Body.Mapping != nil {
		mapping := in.Body.Mapping.mapping()
		asked.Mapping = &mapping
	}
	if asked.Group == "" && asked.Name == "" {
		return nil, invalid("body", "group_name", "name a group: group_name or group_id")
	}
	p, err := a.Service.Preview(ctx, c.scope, asked)
	if err != nil {
		return nil, err
	}
	body := previewBody{
		Mapping: mapped(p.Mapping), Unmapped: nullable(p.Unmapped), People: p.People, Concerned: p.Concerned,
		Changes: list(p.Changes, func(change domain.AccessPreview) previewChange { return changeOf(change, p.Roles) }),
	}
	if p.Group != nil {
		known := group(*p.Group)
		body.Group = &known
	}
	return found(body)
}

func changeOf(p domain.AccessPreview, roles domain.Roles) previewChange {
	body := previewChange{
		IdentityID: p.Member.ID, UserID: p.Member.User, Email: nullable(p.Member.Email), FullName: nullable(p.Member.FullName),
		Workspaces: []placeChange{},
	}
	change := func(before, after domain.RoleID) roleChange {
		return roleChange{nullable(before), nullable(after), words(roles.Name(before), roles.Name(after))}
	}
	if p.Org != nil && p.Org.Role != p.Before.Org.Role {
		org := change(p.Before.Org.Role, p.Org.Role)
		body.Org = &org
	}
	for _, id := range slices.Sorted(maps.Keys(p.Put)) {
		if before := p.Before.Workspaces[id].Role; before != p.Put[id].Role {
			body.Workspaces = append(body.Workspaces, placeChange{id, change(before, p.Put[id].Role)})
		}
	}
	for _, id := range p.Drop {
		body.Workspaces = append(body.Workspaces, placeChange{id, change(p.Before.Workspaces[id].Role, "")})
	}
	return body
}

func words(before, after string) string {
	switch {
	case before == "":
		return "gets " + after
	case after == "":
		return "loses " + before
	default:
		return before + " becomes " + after
	}
}
