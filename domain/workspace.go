package domain

import (
	"context"
	"slices"
)

// WorkspaceView is a workspace as a principal sees it, with the role they have there.
type WorkspaceView struct {
	Workspace
	// Role is empty when the principal may see the workspace without being in it (an Operator).
	Role        RoleID
	Permissions []Permission
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
			views = append(views, WorkspaceView{Workspace: workspace, Role: role, Permissions: permissionsOf(role)})
		}
		return nil
	})
	return views, err
}

// rolesIn returns the scope's role in each workspace it is in (R3 for Organization Admins).
func rolesIn(org OrgTx, scope OrgScope, all []Workspace) (map[WorkspaceID]RoleID, error) {
	roles := map[WorkspaceID]RoleID{}
	for _, workspace := range all {
		switch {
		case scope.role == RoleOrgAdmin:
			roles[workspace.ID] = RoleWorkAdmin
		case scope.workspaceRole != "" && (len(scope.workspaces) == 0 || slices.Contains(scope.workspaces, workspace.ID)):
			roles[workspace.ID] = scope.workspaceRole
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
	return WorkspaceView{Workspace: workspace, Role: role, Permissions: permissionsOf(role)}, nil
}

// CreateWorkspace makes a workspace; an Operator who makes one becomes its Admin, because they are in none otherwise (R4).
func (s *Service) CreateWorkspace(ctx context.Context, scope OrgScope, name string) (Workspace, error) {
	if err := scope.require(PermOrgManage); err != nil {
		return Workspace{}, err
	}
	name, err := checkName(name)
	if err != nil {
		return Workspace{}, err
	}
	var workspace Workspace
	err = s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		if err := refuseInPersonal(org); err != nil {
			return err
		}
		workspace = Workspace{ID: newID[WorkspaceID](tx.Now()), DisplayName: name, CreatedAt: tx.Now()}
		if err := org.Workspaces().Insert(workspace); err != nil {
			return err
		}
		if scope.member != "" && scope.role != RoleOrgAdmin {
			grant := Grant{Kind: GrantManual, Role: RoleWorkAdmin, Source: string(scope.member), SourceName: scope.actor.Name, At: tx.Now()}
			if _, err := enterWorkspaces(org, scope.member, []WorkspaceID{workspace.ID}, grant); err != nil {
				return err
			}
		}
		if err := remapGroups(tx, org); err != nil {
			return err
		}
		return record(tx, scope, "create_workspace", workspaceTarget(workspace), nil, map[string]any{"display_name": name})
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
	name, err := checkName(name)
	if err != nil {
		return WorkspaceView{}, err
	}
	var view WorkspaceView
	err = s.changeWorkspace(ctx, scope, id, func(tx Tx, org OrgTx, current WorkspaceView) error {
		view = current
		before := current.DisplayName
		view.DisplayName = name
		if err := org.Workspaces().Update(view.Workspace); err != nil {
			return err
		}
		if err := remapGroups(tx, org); err != nil {
			return err
		}
		return record(tx, scope, "update_workspace", workspaceTarget(view.Workspace),
			map[string]any{"display_name": before}, map[string]any{"display_name": name})
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
		if err := remapGroups(tx, org); err != nil {
			return err
		}
		return record(tx, scope, "delete_workspace", workspaceTarget(current.Workspace), map[string]any{"display_name": current.DisplayName}, nil)
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
		if !scope.Has(PermOrgManage) && !slices.Contains(view.Permissions, PermWorkManage) {
			return Errorf(Forbidden, "this needs the permission %q in the workspace; ask one of its Admins", PermWorkManage)
		}
		return fn(tx, org, view)
	})
}
