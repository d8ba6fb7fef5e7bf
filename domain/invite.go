package domain

import (
	"context"
)

// InviteRequest is one address to invite (R20).
type InviteRequest struct {
	Email string
	// Role is the org role; empty means Organization User.
	Role RoleID
	// Workspaces and WorkspaceRole say where the person will be; an empty role means Editor.
	Workspaces    []WorkspaceID
	WorkspaceRole RoleID
}

// Invite makes somebody a pending member; inviting an address again adds workspaces and replaces roles (R20, R22).
func (s *Service) Invite(ctx context.Context, scope OrgScope, request InviteRequest) (Invite, error) {
	if err := scope.require(PermOrgManage); err != nil {
		return Invite{}, err
	}
	key, err := request.check(scope)
	if err != nil {
		return Invite{}, err
	}
	var invite Invite
	err = s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		if request.Role == RoleOrgAdmin {
			if err := s.requireRecent(tx, scope); err != nil {
				return err
			}
		}
		if err := mayInvite(tx, org); err != nil {
			return err
		}
		if err := notActive(tx, org, key); err != nil {
			return err
		}
		if err := livingWorkspaces(org, request.Workspaces); err != nil {
			return err
		}
		if invite, err = s.mergeInvite(tx, org, scope, key, request); err != nil {
			return err
		}
		if err := org.Invites().Put(invite); err != nil {
			return err
		}
		// A new invite lets a person in again who was deleted through SCIM (R30).
		if err := org.Tombstones().Clear(marksOf(key)); err != nil {
			return err
		}
		return record(tx, scope, "invite_user_to_org", Target{"invite", string(invite.ID), invite.Email}, nil, inviteFacts(invite))
	})
	return invite, err
}

// check fills the defaults and refuses what an Operator may not give (R4).
func (r *InviteRequest) check(scope OrgScope) (key string, err error) {
	if key, err = EmailKey("email", r.Email); err != nil {
		return "", err
	}
	if r.Role == "" {
		r.Role = RoleOrgUser
	}
	if r.WorkspaceRole == "" {
		r.WorkspaceRole = RoleWorkEditor
	}
	if err := checkRole("role_id", r.Role, ScopeOrganization); err != nil {
		return "", err
	}
	if err := checkRole("workspace_role_id", r.WorkspaceRole, ScopeWorkspace); err != nil {
		return "", err
	}
	r.Workspaces = unique(r.Workspaces)
	return key, mayGive(scope, r.Role)
}

// mayGive is R4: an Operator gives User and Viewer only.
func mayGive(scope OrgScope, role RoleID) error {
	if scope.role == RoleOrgAdmin || orgPower(role) <= orgPower(RoleOrgUser) {
		return nil
	}
	return Errorf(Forbidden, "only an Organization Admin may give the role %s", RoleName(role))
}

// mayInvite refuses where invites are off: in the default organization by its setting, in a personal one always.
func mayInvite(tx Tx, org OrgTx) error {
	view, err := orgView(tx, org)
	if err != nil {
		return err
	}
	if view.Personal {
		return Errorf(Forbidden, "a personal organization has no other members")
	}
	if view.Default && !view.Settings.InvitesEnabled {
		return Errorf(Forbidden, "invites are switched off in the default organization; an Admin can switch them on (invites_enabled)")
	}
	return nil
}

// notActive refuses to invite somebody who is in already (R22).
func notActive(tx Tx, org OrgTx, key string) error {
	user, err := tx.System(systemScope()).Users().ByEmail(key)
	if IsKind(err, NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	member, err := org.Members().ByUser(user.ID)
	switch {
	case err == nil && member.Status != Active:
		return nil // R30: a new invite is how an admin lets them in again
	case err == nil:
		return Conflictf("email", "%s is a member of this organization already", user.Email)
	case IsKind(err, NotFound):
		return nil
	default:
		return err
	}
}

func livingWorkspaces(org OrgTx, ids []WorkspaceID) error {
	for _, id := range ids {
		workspace, err := org.Workspaces().Get(id)
		if IsKind(err, NotFound) || err == nil && workspace.Deleted() {
			return Invalidf("workspace_ids", "there is no workspace %q in this organization", id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) mergeInvite(tx Tx, org OrgTx, scope OrgScope, key string, request InviteRequest) (Invite, error) {
	invite := Invite{
		ID: newID[InviteID](tx.Now()), Email: request.Email, Role: request.Role,
		Workspaces: request.Workspaces, WorkspaceRole: request.WorkspaceRole,
		InvitedBy: scope.actor.Name, CreatedAt: tx.Now(),
	}
	if s.policy.InviteExpiry > 0 {
		invite.ExpiresAt = tx.Now().Add(s.policy.InviteExpiry)
	}
	earlier, err := org.Invites().ByEmail(key)
	if IsKind(err, NotFound) || err == nil && !earlier.Open(tx.Now()) {
		return invite, nil
	}
	if err != nil {
		return Invite{}, err
	}
	invite.ID, invite.CreatedAt = earlier.ID, earlier.CreatedAt
	invite.Workspaces = unique(append(earlier.Workspaces, request.Workspaces...))
	return invite, nil
}

// Invites lists the pending members.
func (s *Service) Invites(ctx context.Context, scope OrgScope, query MemberQuery) ([]Invite, error) {
	if err := scope.require(PermOrgRead); err != nil {
		return nil, err
	}
	invites := []Invite{}
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		found, err := org.Invites().List(query)
		invites = append(invites[:0], found...)
		return err
	})
	return invites, err
}

// WithdrawInvite ends a pending invite, so that it lets nobody in (R23).
func (s *Service) WithdrawInvite(ctx context.Context, scope OrgScope, id InviteID) error {
	if err := scope.require(PermOrgManage); err != nil {
		return err
	}
	return s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		invite, err := org.Invites().Get(id)
		if err != nil {
			return renameNotFound(err, "pending member", string(id))
		}
		if err := mayGive(scope, invite.Role); err != nil {
			return err
		}
		if err := org.Invites().Delete(id); err != nil {
			return err
		}
		return record(tx, scope, "delete_org_pending_member", Target{"invite", string(id), invite.Email}, inviteFacts(invite), nil)
	})
}

func inviteFacts(i Invite) map[string]any {
	return map[string]any{
		"email": i.Email, "org_role": RoleName(i.Role), "workspace_role": RoleName(i.WorkspaceRole), "workspaces": i.Workspaces,
	}
}
