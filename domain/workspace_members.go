package domain

import (
	"context"
)

// WorkspaceMembers lists who is in a workspace by a membership of their own.
// An Organization Admin is Admin of every workspace without one (R3) and is then not in the list.
// A workspace that the scope may not see is NotFound (R44).
func (s *Service) WorkspaceMembers(ctx context.Context, scope OrgScope, id WorkspaceID, query MemberQuery) ([]MemberView, error) {
	members := []MemberView{}
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		if err := mayReadPeopleIn(org, scope, id); err != nil {
			return err
		}
		query.Workspace = id
		found, err := listMembers(org, query)
		members = append(members[:0], found...)
		return err
	})
	return members, err
}

// mayReadPeopleIn is for those who may read the workspace, and those who manage the organization.
func mayReadPeopleIn(org OrgTx, scope OrgScope, id WorkspaceID) error {
	view, err := visibleWorkspace(org, scope, id)
	if err == nil && !scope.Has(PermOrgManage) && !view.may(PermWorkRead) {
		err = lacks(PermWorkRead)
	}
	return err
}

// mayManagePeopleIn is for those who manage the workspace's members, and those who manage the organization.
func mayManagePeopleIn(org OrgTx, scope OrgScope, id WorkspaceID) (WorkspaceView, error) {
	view, err := visibleWorkspace(org, scope, id)
	if err == nil && !scope.Has(PermOrgManage) && !view.may(PermWorkPeople) {
		err = lacks(PermWorkPeople)
	}
	return view, err
}

// mayGiveIn lets nobody give a role with permissions that they do not have in the workspace themselves (R21).
// A workspace's Admin may give every role, also one with permissions that only applications know.
func mayGiveIn(org OrgTx, scope OrgScope, view WorkspaceView, id RoleID) error {
	roles, err := rolesNamed(org, id)
	if err != nil {
		return err
	}
	if err := roles.check("workspace_role_id", id, ScopeWorkspace); err != nil {
		return err
	}
	if scope.Has(PermOrgManage) || view.Role.ID == RoleWorkAdmin {
		return nil
	}
	role, _ := roles.Get(id)
	for _, permission := range role.Permissions {
		if !view.may(permission) {
			return Errorf(Forbidden, "the role %s goes beyond your own in this workspace (%s); ask one of its Admins", role.DisplayName, permission)
		}
	}
	return nil
}

// NewWorkspaceMember names a member of the organization by one of the ids, and a workspace role.
type NewWorkspaceMember struct {
	Member MemberID
	User   UserID
	Role   RoleID
	// Workspaces are those to enter; empty means the one that the request is about.
	Workspaces []WorkspaceID
}

// AddWorkspaceMember puts an active member of the organization into a workspace at once.
func (s *Service) AddWorkspaceMember(ctx context.Context, scope OrgScope, workspace WorkspaceID, request NewWorkspaceMember) (MemberView, error) {
	if request.Role == "" {
		return MemberView{}, Invalidf("role_id", "name the role: role_id or workspace_role_id")
	}
	var view MemberView
	err := s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		if len(request.Workspaces) == 0 {
			request.Workspaces = []WorkspaceID{workspace}
		}
		for _, id := range unique(append([]WorkspaceID{workspace}, request.Workspaces...)) {
			place, err := mayManagePeopleIn(org, scope, id)
			if err != nil {
				return err
			}
			if err := mayGiveIn(org, scope, place, request.Role); err != nil {
				return err
			}
		}
		member, err := request.find(org)
		if err != nil {
			return err
		}
		if member.Status != Active {
			return Conflictf("user_id", "the member is disabled; enable them first")
		}
		for _, id := range unique(request.Workspaces) {
			if err := s.addTo(tx, org, scope, id, member, request.Role); err != nil {
				return err
			}
		}
		view, err = oneMember(org, member.ID)
		return err
	})
	return view, err
}

// find accepts a membership's or a person's id in either field: clients confuse the two.
func (r NewWorkspaceMember) find(org OrgTx) (Member, error) {
	if id := MemberID(orElse(string(r.Member), string(r.User))); ValidID(id) {
		member, err := org.Members().Get(id)
		if !IsKind(err, NotFound) {
			return member, err
		}
		member, err = org.Members().ByUser(UserID(id))
		if !IsKind(err, NotFound) {
			return member, err
		}
	}
	return Member{}, Errorf(NotFound, "there is no such member in this organization; invite them first, or use a member's id from the list of members")
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

func (s *Service) addTo(tx Tx, org OrgTx, scope OrgScope, workspace WorkspaceID, member Member, role RoleID) error {
	change, err := placeOf(org, workspace, member.ID)
	if err != nil {
		return err
	}
	if change.found {
		return Conflictf("user_id", "this person is in the workspace already, as %s; change the role instead", change.roles.Name(change.held.Role))
	}
	return change.put(tx, org, scope, "add_member_to_workspace", role)
}

// SetWorkspaceRole changes a member's role in a workspace by hand; a role that a group grants is Conflict (R36).
func (s *Service) SetWorkspaceRole(ctx context.Context, scope OrgScope, workspace WorkspaceID, id MemberID, role RoleID) (MemberView, error) {
	var view MemberView
	err := s.changePlace(ctx, scope, workspace, id, func(tx Tx, org OrgTx, place WorkspaceView, change placeChange) error {
		if err := mayGiveIn(org, scope, place, role); err != nil {
			return err
		}
		if change.held.Role != role {
			if err := change.put(tx, org, scope, "update_workspace_member", role); err != nil {
				return err
			}
		}
		var err error
		view, err = oneMember(org, id)
		return err
	})
	return view, err
}

// RemoveWorkspaceMember takes a member out of a workspace; one whom a group puts there is Conflict (R36).
func (s *Service) RemoveWorkspaceMember(ctx context.Context, scope OrgScope, workspace WorkspaceID, id MemberID) error {
	return s.changePlace(ctx, scope, workspace, id, func(tx Tx, org OrgTx, _ WorkspaceView, change placeChange) error {
		if err := org.Access().Save([]AccessChange{{Member: id, Drop: []WorkspaceID{workspace}}}); err != nil {
			return err
		}
		return change.record(tx, scope, "delete_workspace_member", "")
	})
}

// changePlace runs fn on a membership of a workspace that the scope may change.
func (s *Service) changePlace(ctx context.Context, scope OrgScope, workspace WorkspaceID, id MemberID, fn func(Tx, OrgTx, WorkspaceView, placeChange) error) error {
	return s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		place, err := mayManagePeopleIn(org, scope, workspace)
		if err != nil {
			return err
		}
		if !ValidID(id) {
			return unknownResource("member", string(id))
		}
		change, err := placeOf(org, workspace, id)
		if err != nil {
			return err
		}
		if !change.found {
			return unknownResource("member", string(id))
		}
		if err := mayGiveIn(org, scope, place, change.held.Role); err != nil {
			return err
		}
		if change.held.Kind == GrantGroup {
			return grantedByGroup(change.held)
		}
		if err := s.seen.check(change.held.Face()); err != nil {
			return err
		}
		return fn(tx, org, place, change)
	})
}

// Face is the role held, for Seen.
func (h Held) Face() any { return h.Role }

// placeChange is one member's membership of one workspace, about to be changed.
type placeChange struct {
	member    Member
	workspace WorkspaceID
	held      Held
	// found is false for somebody who has no membership there.
	found bool
	roles Roles
}

// placeOf reads a membership with the member's row held, so that no group decides about them meanwhile.
func placeOf(org OrgTx, workspace WorkspaceID, id MemberID) (placeChange, error) {
	change := placeChange{workspace: workspace}
	if err := org.Members().Lock([]MemberID{id}); err != nil {
		return change, err
	}
	var err error
	if change.member, err = org.Members().Get(id); err != nil {
		return change, renameNotFound(err, "member", string(id))
	}
	holdings, err := org.Access().Load([]MemberID{id})
	if err != nil {
		return change, err
	}
	change.held, change.found = holdings[id].Workspaces[workspace]
	change.roles, err = rolesOf(org)
	return change, err
}

func (c placeChange) put(tx Tx, org OrgTx, scope OrgScope, operation string, role RoleID) error {
	held := Held{Grant: manualGrant(tx, scope, role)}
	if err := org.Access().Save([]AccessChange{{Member: c.member.ID, Put: map[WorkspaceID]Held{c.workspace: held}}}); err != nil {
		return err
	}
	return c.record(tx, scope, operation, role)
}

func (c placeChange) record(tx Tx, scope OrgScope, operation string, role RoleID) error {
	facts := func(id RoleID) map[string]any {
		if id == "" {
			return nil
		}
		return map[string]any{"workspace": c.workspace, "role": c.roles.Name(id)}
	}
	return record(tx, scope, operation, Target{Kind: "user", ID: string(c.member.ID)}, facts(c.held.Role), facts(role))
}
