package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"muster/domain"
)

type mappingCommands struct {
	List    mappingListCommand    `cmd:"" help:"List the pushed groups and what each gives, or why it gives nothing."`
	Preview mappingPreviewCommand `cmd:"" help:"Say what a group name or a mapping would grant, and whose access would change, without changing anything."`
	Set     mappingSetCommand     `cmd:"" help:"Say what a group gives, in place of its name."`
	Clear   mappingClearCommand   `cmd:"" help:"Let a group's name decide again."`
}

type mappingListCommand struct {
	Org      string `help:"Name or id of the organization; the default organization without it." placeholder:"NAME"`
	Unmapped bool   `help:"Only groups that give nothing."`
}

// Run prints a line for every group.
func (c mappingListCommand) Run(env environment) error {
	return env.withScope(c.Org, func(service *domain.Service, scope domain.OrgScope) (string, error) {
		var lines []string
		for {
			groups, err := service.SCIMGroups(env, scope, domain.GroupQuery{Unmapped: c.Unmapped, Window: domain.Window{Limit: domain.MaxLimit, Offset: len(lines)}})
			if err != nil {
				return "", err
			}
			for _, group := range groups {
				gives, err := mappingWords(env, service, scope, group.Mapping)
				if err != nil {
					return "", err
				}
				how := "by name"
				switch {
				case group.Explicit:
					how = "explicit"
				case group.Mapping.Empty():
					gives, how = group.Unmapped, "unmapped"
				}
				lines = append(lines, fmt.Sprintf("%s  %s  %d people  %s: %s", group.ID, group.DisplayName, group.People, how, gives))
			}
			if len(groups) < domain.MaxLimit {
				return strings.Join(lines, "\n"), nil
			}
		}
	})
}

// mappingWords is a mapping as people read it.
func mappingWords(env environment, service *domain.Service, scope domain.OrgScope, mapping domain.Mapping) (string, error) {
	roles, err := service.Roles(env, scope)
	if err != nil {
		return "", err
	}
	workspaces, err := service.Workspaces(env, scope, true)
	if err != nil {
		return "", err
	}
	var parts []string
	if mapping.OrgRole != "" {
		parts = append(parts, domain.RoleName(mapping.OrgRole))
	}
	for _, id := range slices.Sorted(maps.Keys(mapping.Workspaces)) {
		workspace, role := string(id), string(mapping.Workspaces[id])
		for _, view := range workspaces {
			if view.ID == id {
				workspace = view.DisplayName
			}
		}
		for _, known := range roles {
			if known.ID == mapping.Workspaces[id] {
				role = known.DisplayName
			}
		}
		parts = append(parts, workspace+" as "+role)
	}
	if len(parts) == 0 {
		return "nothing", nil
	}
	return strings.Join(parts, ", "), nil
}

// proposed are the flags by which a mapping is given.
type proposed struct {
	OrgRole   string   `help:"An org role, by its name." placeholder:"ROLE"`
	Workspace []string `help:"A workspace with a role there, by their names; may be repeated." placeholder:"NAME=ROLE"`
}

// mapping finds the roles and workspaces that are named.
func (p proposed) mapping(env environment, service *domain.Service, scope domain.OrgScope) (domain.Mapping, error) {
	mapping := domain.Mapping{}
	roles, err := service.Roles(env, scope)
	if err != nil {
		return mapping, err
	}
	if p.OrgRole != "" {
		if mapping.OrgRole, err = roleNamed(roles, p.OrgRole, domain.ScopeOrganization); err != nil {
			return mapping, err
		}
	}
	workspaces, err := service.Workspaces(env, scope, false)
	if err != nil {
		return mapping, err
	}
	for _, pair := range p.Workspace {
		name, role, _ := strings.Cut(pair, "=")
		at := slices.IndexFunc(workspaces, func(w domain.WorkspaceView) bool {
			return domain.Fold(w.DisplayName) == domain.Fold(name) || string(w.ID) == name
		})
		if at < 0 {
			return mapping, domain.Errorf(domain.Invalid, "there is no workspace %q; write --workspace NAME=ROLE", name)
		}
		id, err := roleNamed(roles, role, domain.ScopeWorkspace)
		if err != nil {
			return mapping, err
		}
		if mapping.Workspaces == nil {
			mapping.Workspaces = map[domain.WorkspaceID]domain.RoleID{}
		}
		mapping.Workspaces[workspaces[at].ID] = id
	}
	return mapping, nil
}

func roleNamed(roles []domain.Role, name string, scope domain.AccessScope) (domain.RoleID, error) {
	var known []string
	for _, role := range roles {
		if role.Scope != scope {
			continue
		}
		if domain.Fold(role.DisplayName) == domain.Fold(name) || string(role.ID) == name || role.Name == name && !role.Custom() {
			return role.ID, nil
		}
		known = append(known, role.DisplayName)
	}
	return "", domain.Errorf(domain.Invalid, "there is no %s role %q; there are %s", scope, name, strings.Join(known, ", "))
}

// groupNamed finds a group by id or name.
func groupNamed(env environment, service *domain.Service, scope domain.OrgScope, name string) (domain.GroupID, error) {
	groups, err := service.SCIMGroups(env, scope, domain.GroupQuery{Search: name, Window: domain.Window{Limit: domain.MaxLimit}})
	if err != nil {
		return "", err
	}
	for _, group := range groups {
		if domain.Fold(group.DisplayName) == domain.Fold(name) {
			return group.ID, nil
		}
	}
	if domain.ValidID(domain.GroupID(name)) {
		return domain.GroupID(name), nil
	}
	return "", domain.Errorf(domain.NotFound, "there is no group %q", name)
}

type mappingSetCommand struct {
	proposed

	Group string `arg:"" help:"The group's name or id."`
	Org   string `help:"Name or id of the organization; the default organization without it." placeholder:"NAME"`
}

// Run sets the mapping and prints what the group gives now.
func (c mappingSetCommand) Run(env environment) error {
	return env.withScope(c.Org, func(service *domain.Service, scope domain.OrgScope) (string, error) {
		id, err := groupNamed(env, service, scope, c.Group)
		if err != nil {
			return "", err
		}
		mapping, err := c.mapping(env, service, scope)
		if err != nil {
			return "", err
		}
		view, err := service.SetGroupMapping(env, scope, id, mapping)
		if err != nil {
			return "", err
		}
		return mappingWords(env, service, scope, view.Mapping)
	})
}

type mappingClearCommand struct {
	Group string `arg:"" help:"The group's name or id."`
	Org   string `help:"Name or id of the organization; the default organization without it." placeholder:"NAME"`
}

// Run clears the mapping and prints what the group's name gives.
func (c mappingClearCommand) Run(env environment) error {
	return env.withScope(c.Org, func(service *domain.Service, scope domain.OrgScope) (string, error) {
		id, err := groupNamed(env, service, scope, c.Group)
		if err != nil {
			return "", err
		}
		view, err := service.ClearGroupMapping(env, scope, id)
		if err != nil {
			return "", err
		}
		if view.Mapping.Empty() {
			return "nothing: " + view.Unmapped, nil
		}
		return mappingWords(env, service, scope, view.Mapping)
	})
}

type mappingPreviewCommand struct {
	proposed

	Group string `arg:"" help:"A group's name or id, or a name that no group has yet."`
	Name  string `help:"Another name for the group." placeholder:"NAME"`
	Org   string `help:"Name or id of the organization; the default organization without it." placeholder:"NAME"`
}

// Run prints what would be granted, and a line for everybody whose access would change (R38).
func (c mappingPreviewCommand) Run(env environment) error {
	return env.withScope(c.Org, func(service *domain.Service, scope domain.OrgScope) (string, error) {
		proposal := domain.Proposal{Name: c.Name}
		id, err := groupNamed(env, service, scope, c.Group)
		switch {
		case domain.IsKind(err, domain.NotFound) && c.Name == "":
			proposal.Name = c.Group
		case err != nil:
			return "", err
		default:
			proposal.Group = id
		}
		if c.OrgRole != "" || len(c.Workspace) > 0 {
			mapping, err := c.mapping(env, service, scope)
			if err != nil {
				return "", err
			}
			proposal.Mapping = &mapping
		}
		preview, err := service.Preview(env, scope, proposal)
		if err != nil {
			return "", err
		}
		return previewWords(env, service, scope, preview)
	})
}

func previewWords(env environment, service *domain.Service, scope domain.OrgScope, p domain.Preview) (string, error) {
	gives, err := mappingWords(env, service, scope, p.Mapping)
	if err != nil {
		return "", err
	}
	if p.Unmapped != "" {
		gives += ": " + p.Unmapped
	}
	lines := []string{"gives " + gives, fmt.Sprintf("%d of %d people in the group would hold something else", p.Concerned, p.People)}
	for _, change := range p.Changes {
		to, err := mappingWords(env, service, scope, changed(change))
		if err != nil {
			return "", err
		}
		text := "  " + change.Member.Email + ": " + to
		if len(change.Drop) > 0 {
			left, err := json.Marshal(change.Drop)
			if err != nil {
				return "", err
			}
			text += "; leaves " + string(left)
		}
		lines = append(lines, text)
	}
	return strings.Join(lines, "\n"), nil
}

// changed is what somebody would get, in the form of a mapping.
func changed(p domain.AccessPreview) domain.Mapping {
	mapping := domain.Mapping{Workspaces: map[domain.WorkspaceID]domain.RoleID{}}
	if p.Org != nil {
		mapping.OrgRole = p.Org.Role
	}
	for id, held := range p.Put {
		mapping.Workspaces[id] = held.Role
	}
	return mapping
}
