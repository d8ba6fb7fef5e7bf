package domain

import (
	"context"
	"maps"
	"slices"
)

// This file is R21: people of a workspace bring others into it, and with it into the organization.

// Invited is what became of one address: a pending invite, or a member who is in the workspace now.
type Invited struct {
	Invite *Invite
	Member *MemberView
}

// InviteToWorkspace brings people into a workspace, all or none (R21): active members at once, everybody else as pending members.
// A request without workspaces means this one; others may be named where the caller manages the members too.
func (s *Service) InviteToWorkspace(ctx context.Context, scope OrgScope, workspace WorkspaceID, requests []InviteRequest) ([]Invited, error) {
	var invited []Invited
	err := s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		w := workspaceInviting{
			inviting: inviting{Service: s, tx: tx, org: org, scope: scope, operation: "add_members_to_workspace_batch"},
			views:    map[WorkspaceID]WorkspaceView{},
		}
		if _, err := w.mine(workspace); err != nil {
			return err
		}
		var err error
		invited, err = w.run(workspace, requests)
		return err
	})
	return invited, err
}

// workspaceInviting is inviting by the right of workspaces.
type workspaceInviting struct {
	inviting

	// views are the workspaces whose members the caller manages, as far as they were asked for.
	views map[WorkspaceID]WorkspaceView
}

// mine returns a workspace whose members the caller manages.
func (w *workspaceInviting) mine(id WorkspaceID) (WorkspaceView, error) {
	if view, ok := w.views[id]; ok {
		return view, nil
	}
	view, err := mayManagePeopleIn(w.org, w.scope, id)
	if err == nil {
		w.views[id] = view
	}
	return view, err
}

func (w *workspaceInviting) run(workspace WorkspaceID, requests []InviteRequest) ([]Invited, error) {
	if err := w.prepare(requests); err != nil {
		return nil, err
	}
	for row := range w.rows {
		if len(w.rows[row].Workspaces) == 0 {
			w.rows[row].Workspaces = []WorkspaceID{workspace}
		}
		w.problems.add(row, w.checkRow(&w.rows[row]))
	}
	if err := w.problems.err(); err != nil {
		return nil, err
	}
	var invited []Invited
	for _, row := range w.rows {
		one, err := w.bring(row)
		if err != nil {
			return nil, err
		}
		invited = append(invited, one)
	}
	return invited, nil
}

// checkRow refuses what goes beyond the caller's own workspaces and roles.
func (w *workspaceInviting) checkRow(row *inviteRow) error {
	if err := w.checkPlaces(row); err != nil {
		return err
	}
	if row.Role != RoleOrgUser {
		return Errorf(Forbidden, "an invite from a workspace makes people Organization Users; leave out role_id, or ask an Organization Admin")
	}
	for _, id := range row.Workspaces {
		view, err := w.mine(id)
		if IsKind(err, NotFound) {
			return Invalidf("workspace_ids", "there is no workspace %q in this organization", id)
		}
		if err != nil {
			return err
		}
		if err := mayGiveIn(w.org, w.scope, view, row.WorkspaceRole); err != nil {
			return err
		}
	}
	member, known := w.members[row.key]
	switch {
	case known && member.Status == Active:
		return w.checkMember(member, row)
	case known:
		return Errorf(Forbidden, "%s was disabled in this organization; only an Organization Admin may invite them again", row.Email)
	default:
		return w.mayBring(row.key)
	}
}

// checkMember refuses to change a role that somebody has already: that is another request.
func (w *workspaceInviting) checkMember(member MemberView, row *inviteRow) error {
	for _, held := range member.Workspaces {
		if slices.Contains(row.Workspaces, held.Workspace) && held.Role != row.WorkspaceRole {
			return Conflictf("email", "%s is in the workspace %s already, as %s; change the role instead", row.Email, quote(held.Name), w.roles.Name(held.Role))
		}
	}
	return nil
}

// mayBring is the switch of R21, and what keeps out who was deprovisioned (R30).
func (w *workspaceInviting) mayBring(key string) error {
	if err := w.mayInvite(); err != nil {
		return err
	}
	if w.scope.Has(PermOrgManage) {
		return nil
	}
	if !w.policy.WorkspaceInvitesEnabled && !w.settings.Settings.WorkspaceAdminCanInvite {
		return Errorf(Forbidden, "bringing new people into the organization is switched off for workspaces; an Organization Admin can switch it on (workspace_admin_can_invite_to_org) or invite them")
	}
	gone, err := w.org.Tombstones().Any(marksOf(key))
	if err == nil && gone {
		return Errorf(Forbidden, "this person was removed by the identity provider; only an Organization Admin may invite them again")
	}
	return err
}

// bring does what checkRow has let through.
func (w *workspaceInviting) bring(row inviteRow) (Invited, error) {
	if member, ok := w.members[row.key]; ok {
		return w.enter(member, row)
	}
	invite := w.merge(row)
	return Invited{Invite: &invite}, w.put(invite)
}

// merge adds the workspaces with their role, and leaves to the organization what it decided (R21, R22).
func (w *workspaceInviting) merge(row inviteRow) Invite {
	earlier, ok := w.pending[row.key]
	if !ok {
		invite := w.fresh(row)
		invite.FromWorkspace = true
		return invite
	}
	own := map[WorkspaceID]RoleID{}
	maps.Copy(own, earlier.OwnRoles)
	for _, id := range row.Workspaces {
		own[id] = row.WorkspaceRole
	}
	fresh := w.fresh(row)
	earlier.OwnRoles, earlier.ExpiresAt, earlier.InvitedBy = own, fresh.ExpiresAt, fresh.InvitedBy
	earlier.Workspaces = unique(slices.Concat(earlier.Workspaces, row.Workspaces))
	return earlier
}

// enter makes an active member a member of the workspaces at once.
func (w *workspaceInviting) enter(member MemberView, row inviteRow) (Invited, error) {
	open := slices.DeleteFunc(slices.Clone(row.Workspaces), func(id WorkspaceID) bool {
		return slices.ContainsFunc(member.Workspaces, func(held WorkspaceHeld) bool { return held.Workspace == id })
	})
	grant := manualGrant(w.tx, w.scope, row.WorkspaceRole)
	if err := w.org.Members().Lock([]MemberID{member.ID}); err != nil {
		return Invited{}, err
	}
	if _, err := enterWorkspaces(w.org, member.ID, open, grant); err != nil {
		return Invited{}, err
	}
	for _, id := range open {
		member.Workspaces = append(member.Workspaces, WorkspaceHeld{Workspace: id, Name: w.living[id].DisplayName, Held: Held{Grant: grant}})
	}
	after := map[string]any{"workspace_role": w.roles.Name(row.WorkspaceRole), "workspaces": row.Workspaces}
	return Invited{Member: &member}, record(w.tx, w.scope, w.operation, memberTarget(member), nil, after)
}

// manualGrant is a role given by hand.
func manualGrant(tx Tx, scope OrgScope, role RoleID) Grant {
	return Grant{Kind: GrantManual, Role: role, Source: string(scope.member), SourceName: scope.actor.Name, At: tx.Now()}
}

// WorkspaceInvites lists those who are invited to a workspace.
func (s *Service) WorkspaceInvites(ctx context.Context, scope OrgScope, id WorkspaceID, query MemberQuery) ([]Invite, error) {
	invites := []Invite{}
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		if err := mayReadPeopleIn(org, scope, id); err != nil {
			return err
		}
		query.Workspace = id
		found, err := org.Invites().List(query)
		invites = append(invites[:0], found...)
		return err
	})
	return invites, err
}

// WithdrawWorkspaceInvite takes a workspace out of an invite; one that only workspaces had made ends with its last workspace (R23).
func (s *Service) WithdrawWorkspaceInvite(ctx context.Context, scope OrgScope, workspace WorkspaceID, id InviteID) error {
	return s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		if _, err := mayManagePeopleIn(org, scope, workspace); err != nil {
			return err
		}
		invite, err := inviteByID(org, id)
		if err != nil {
			return err
		}
		if !slices.Contains(invite.Workspaces, workspace) {
			return unknownResource("pending member", string(id))
		}
		return leaveOut(tx, org, scope, invite, workspace, "delete_workspace_pending_member")
	})
}

// leaveOut takes one workspace out of an invite.
func leaveOut(tx Tx, org OrgTx, scope OrgScope, invite Invite, workspace WorkspaceID, operation string) error {
	if invite.FromWorkspace && len(invite.Workspaces) == 1 {
		return endInvite(tx, org, scope, invite, operation)
	}
	before := invite
	invite.Workspaces = without(slices.Clone(invite.Workspaces), []WorkspaceID{workspace})
	invite.OwnRoles = maps.Clone(invite.OwnRoles)
	delete(invite.OwnRoles, workspace)
	if err := org.Invites().Put(invite); err != nil {
		return err
	}
	roles, err := rolesNamed(org, before.roles()...)
	if err != nil {
		return err
	}
	return record(tx, scope, operation, Target{"invite", string(invite.ID), invite.Email}, inviteFacts(before, roles), inviteFacts(invite, roles))
}
