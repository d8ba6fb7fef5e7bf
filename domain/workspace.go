package domain

import (
	"context"
	"maps"
	"regexp"
	"slices"
)

// WorkspaceView is a workspace as a principal sees it, with the role they have there.
type WorkspaceView struct {
	Workspace
	// Role is zero when the principal may see the workspace without being in it (an Operator).
	Role Role
}

// may reports whether the principal has a permission in the workspace.
func (w WorkspaceView) may(permission Permission) bool {
	return slices.Contains(w.Role.Permissions, permission)
}

// Workspaces lists the workspaces that are visible to the scope: all for those who manage the organization, otherwise one's own.
func (s *Service) Workspaces(ctx context.Context, scope OrgScope, includeDeleted bool) ([]WorkspaceView, error) {
	if err := scope.require(PermOrgRead); err != nil {
		return nil, err
	}
	var views []WorkspaceView
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		all, err := org.Workspaces().List(includeDeleted)
		if err != nil {
			return err
		}
		roles, err := rolesIn(org, scope, all)
		if err != nil {
			return err
		}
		views = []WorkspaceView{}
		for _, workspace := range all {
			role, in := roles[workspace.ID]
			if !in && !scope.Has(PermOrgManage) {
				continue
			}
			views = append(views, WorkspaceView{Workspace: workspace, Role: role})
		}
		return nil
	})
	return views, err
}

// rolesIn returns the scope's role in each workspace it is in.
func rolesIn(org OrgTx, scope OrgScope, all []Workspace) (map[WorkspaceID]Role, error) {
	ids, err := roleIDsIn(org, scope, all)
	if err != nil {
		return nil, err
	}
	known, err := rolesNamed(org, slices.Collect(maps.Values(ids))...)
	if err != nil {
		return nil, err
	}
	roles := make(map[WorkspaceID]Role, len(ids))
	for workspace, id := range ids {
		roles[workspace], _ = known.Get(id)
	}
	return roles, nil
}

// roleIDsIn is R3 for Organization Admins, the key's own places for service keys, and rows for everybody else.
func roleIDsIn(org OrgTx, scope OrgScope, all []Workspace) (map[WorkspaceID]RoleID, error) {
	roles := map[WorkspaceID]RoleID{}
	for _, workspace := range all {
		switch {
		case scope.role == RoleOrgAdmin:
			roles[workspace.ID] = RoleWorkAdmin
		case scope.keyRoles != nil:
			if role, in := scope.keyRoles.in(workspace.ID); in {
				roles[workspace.ID] = role
			}
		}
	}
	if scope.member == "" || scope.role == RoleOrgAdmin {
		return roles, nil
	}
	holdings, err := org.Access().Load([]MemberID{scope.member})
	if err != nil {
		return nil, err
	}
	for workspace, held := range holdings[scope.member].Workspaces {
		roles[workspace] = held.Role
	}
	return roles, nil
}

// Workspace returns one living workspace that the scope may see, or NotFound.
func (s *Service) Workspace(ctx context.Context, scope OrgScope, id WorkspaceID) (WorkspaceView, error) {
	var view WorkspaceView
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		var err error
		view, err = visibleWorkspace(org, scope, id)
		return err
	})
	return view, err
}

// visibleWorkspace answers a workspace that the scope may not see exactly as one that does not exist.
func visibleWorkspace(org OrgTx, scope OrgScope, id WorkspaceID) (WorkspaceView, error) {
	unknown := Errorf(NotFound, "there is no such workspace")
	if !ValidID(id) {
		return WorkspaceView{}, unknown
	}
	workspace, err := org.Workspaces().Get(id)
	if IsKind(err, NotFound) || err == nil && workspace.Deleted() {
		return WorkspaceView{}, unknown
	}
	if err != nil {
		return WorkspaceView{}, err
	}
	roles, err := rolesIn(org, scope, []Workspace{workspace})
	if err != nil {
		return WorkspaceView{}, err
	}
	role, in := roles[id]
	if !in && !scope.Has(PermOrgManage) {
		return WorkspaceView{}, unknown
	}
	return WorkspaceView{Workspace: workspace, Role: role}, nil
}

// NewWorkspace describes a workspace to be made.
type NewWorkspace struct {
	Name string
	// ID is chosen by the client where it is not empty, and Handle is a short name for addresses.
	ID     WorkspaceID
	Handle string
}

func (n NewWorkspace) check() (name string, err error) {
	if n.ID != "" && !ValidID(n.ID) {
		return "", Invalidf("id", "%q is no UUID", n.ID)
	}
	if err := checkHandle(n.Handle); err != nil {
		return "", err
	}
	return checkWorkspaceName(n.Name)
}

// workspaceName are the characters that the model's API allows in a workspace's name.
var workspaceName = regexp.MustCompile(`^[\pL\pM\pN\-_ '@()&.,:/+]+$`)

func checkWorkspaceName(name string) (string, error) {
	name, err := checkName(name)
	if err == nil && !workspaceName.MatchString(name) {
		err = Invalidf("display_name", "a workspace's name has letters, digits, spaces and any of - _ ' @ ( ) & . , : / +")
	}
	return name, err
}

var handle = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// checkHandle lets through a short name that can stand in an address; empty is none.
func checkHandle(text string) error {
	if text != "" && !handle.MatchString(text) {
		return Invalidf("tenant_handle", "a handle has at most 63 small letters, digits and hyphens, and does not begin with a hyphen")
	}
	return nil
}

// workspaceTaken says what another workspace has.
func workspaceTaken(err error, w Workspace) error {
	if !IsKind(err, Conflict) {
		return err
	}
	switch field := AsError(err).Field; field {
	case "display_name":
		return Conflictf(field, "there is a workspace %s in this organization already", quote(w.DisplayName))
	case "tenant_handle":
		return Conflictf(field, "the handle %s belongs to another workspace of this organization", quote(w.Handle))
	default:
		return Conflictf("id", "there is a workspace with the id %q already", w.ID)
	}
}

// SetHandle gives a workspace its short name, or takes it away.
func (s *Service) SetHandle(ctx context.Context, scope OrgScope, id WorkspaceID, text string) (WorkspaceView, error) {
	if err := checkHandle(text); err != nil {
		return WorkspaceView{}, err
	}
	var view WorkspaceView
	err := s.changeWorkspace(ctx, scope, id, func(tx Tx, org OrgTx, current WorkspaceView) error {
		before := current.Handle
		view = current
		view.Handle = text
		if err := org.Workspaces().Update(view.Workspace); err != nil {
			return workspaceTaken(err, view.Workspace)
		}
		return record(tx, scope, "set_tenant_handle", workspaceTarget(view.Workspace), map[string]any{"tenant_handle": before}, map[string]any{"tenant_handle": text})
	})
	return view, err
}

// CreateWorkspace makes a workspace; an Operator who makes one becomes its Admin, because they are in none otherwise (R4).
func (s *Service) CreateWorkspace(ctx context.Context, scope OrgScope, request NewWorkspace) (Workspace, error) {
	if err := scope.require(PermOrgManage); err != nil {
		return Workspace{}, err
	}
	name, err := request.check()
	if err != nil {
		return Workspace{}, err
	}
	var workspace Workspace
	err = s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		if err := refuseInPersonal(org); err != nil {
			return err
		}
		workspace = Workspace{ID: request.ID, DisplayName: name, Handle: request.Handle, CreatedAt: tx.Now()}
		if workspace.ID == "" {
			workspace.ID = newID[WorkspaceID](tx.Now())
		}
		if err := org.Workspaces().Insert(workspace); err != nil {
			return workspaceTaken(err, workspace)
		}
		if scope.member != "" && scope.role != RoleOrgAdmin {
			grant := Grant{Kind: GrantManual, Role: RoleWorkAdmin, Source: string(scope.member), SourceName: scope.actor.Name, At: tx.Now()}
			if _, err := enterWorkspaces(org, scope.member, []WorkspaceID{workspace.ID}, grant); err != nil {
				return err
			}
		}
		access, err := remapGroups(tx, org)
		if err != nil {
			return err
		}
		return record(tx, scope, "create_workspace", workspaceTarget(workspace), nil, access.tell(map[string]any{"display_name": name}))
	})
	return workspace, err
}

func workspaceTarget(w Workspace) Target {
	return Target{Kind: "workspace", ID: string(w.ID), Name: w.DisplayName}
}

// refuseInPersonal keeps a personal organization at its one workspace (R6); it takes the organization's lock.
func refuseInPersonal(org OrgTx) error {
	settings, err := org.Settings().Lock()
	if err != nil {
		return err
	}
	if settings.Personal {
		return Conflictf("organization", "a personal organization has one workspace and one member")
	}
	return nil
}

// RenameWorkspace changes a workspace's name, and with it what group names mean.
func (s *Service) RenameWorkspace(ctx context.Context, scope OrgScope, id WorkspaceID, name string) (WorkspaceView, error) {
	name, err := checkWorkspaceName(name)
	if err != nil {
		return WorkspaceView{}, err
	}
	var view WorkspaceView
	err = s.changeWorkspace(ctx, scope, id, func(tx Tx, org OrgTx, current WorkspaceView) error {
		view = current
		before := current.DisplayName
		view.DisplayName = name
		if err := org.Workspaces().Update(view.Workspace); err != nil {
			return workspaceTaken(err, view.Workspace)
		}
		access, err := remapGroups(tx, org)
		if err != nil {
			return err
		}
		return record(tx, scope, "update_workspace", workspaceTarget(view.Workspace),
			map[string]any{"display_name": before}, access.tell(map[string]any{"display_name": name}))
	})
	return view, err
}

// DeleteWorkspace takes everybody out of a workspace and keeps its row, so that its name can be used again.
func (s *Service) DeleteWorkspace(ctx context.Context, scope OrgScope, id WorkspaceID) error {
	return s.changeWorkspace(ctx, scope, id, func(tx Tx, org OrgTx, current WorkspaceView) error {
		current.DeletedAt = tx.Now()
		if err := org.Workspaces().Update(current.Workspace); err != nil {
			return err
		}
		access, err := remapGroups(tx, org)
		if err != nil {
			return err
		}
		return record(tx, scope, "delete_workspace", workspaceTarget(current.Workspace), map[string]any{"display_name": current.DisplayName}, access.tell(map[string]any{}))
	})
}

// changeWorkspace runs fn on a workspace that the scope may manage, with the organization's row locked.
func (s *Service) changeWorkspace(ctx context.Context, scope OrgScope, id WorkspaceID, fn func(Tx, OrgTx, WorkspaceView) error) error {
	return s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		if _, err := org.Settings().Lock(); err != nil {
			return err
		}
		view, err := visibleWorkspace(org, scope, id)
		if err != nil {
			return err
		}
		if !scope.Has(PermOrgManage) && !view.may(PermWorkManage) {
			return Errorf(Forbidden, "this needs the permission %q in the workspace; ask one of its Admins", PermWorkManage)
		}
		if err := s.seen.check(view.Face()); err != nil {
			return err
		}
		return fn(tx, org, view)
	})
}

// Face is what people know a workspace by, for Seen.
func (w Workspace) Face() any { return []string{w.DisplayName, w.Handle} }
