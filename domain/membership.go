package domain

import (
	"context"
	"maps"
)

// Members lists the members of the organization with the people behind them.
func (s *Service) Members(ctx context.Context, scope OrgScope, query MemberQuery) ([]MemberView, error) {
	if err := scope.require(PermOrgRead); err != nil {
		return nil, err
	}
	members := []MemberView{}
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		found, err := listMembers(org, query)
		members = append(members[:0], found...)
		return err
	})
	return members, err
}

// SearchedWhole reports whether MemberQuery.Find looks anywhere in names and addresses when nobody's begins with the text.
func (s *Service) SearchedWhole(ctx context.Context, scope OrgScope) (bool, error) {
	if err := scope.require(PermOrgRead); err != nil {
		return false, err
	}
	many := false
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		var err error
		many, err = org.Members().More(MaxSearched)
		return err
	})
	return !many, err
}

// listMembers lists members with the names of what they hold.
func listMembers(org OrgTx, query MemberQuery) ([]MemberView, error) {
	members, err := org.Members().List(query)
	if err != nil {
		return nil, err
	}
	var named []RoleID
	for _, member := range members {
		for _, held := range member.Workspaces {
			named = append(named, held.Role)
		}
	}
	roles, err := rolesNamed(org, named...)
	for _, member := range members {
		for i := range member.Workspaces {
			member.Workspaces[i].As, _ = roles.Get(member.Workspaces[i].Role)
		}
	}
	return members, err
}

// oneMember returns one member, or NotFound.
func oneMember(org OrgTx, id MemberID) (MemberView, error) {
	if !ValidID(id) {
		return MemberView{}, unknownResource("member", string(id))
	}
	found, err := listMembers(org, MemberQuery{IDs: []MemberID{id}, Window: Window{Limit: 1}})
	if err == nil && len(found) == 0 {
		err = unknownResource("member", string(id))
	}
	if err != nil {
		return MemberView{}, err
	}
	return found[0], nil
}

func memberTarget(m MemberView) Target { return Target{"user", string(m.ID), m.Email} }

// Member returns one member, or NotFound.
func (s *Service) Member(ctx context.Context, scope OrgScope, id MemberID) (MemberView, error) {
	if err := scope.require(PermOrgRead); err != nil {
		return MemberView{}, err
	}
	var view MemberView
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		var err error
		view, err = oneMember(org, id)
		return err
	})
	return view, err
}

// MemberUpdate changes a member; what is nil stays.
type MemberUpdate struct {
	// Role is the org role.
	Role *RoleID
	// Disabled ends the member's access or gives it back; roles and memberships are kept (R27).
	Disabled *bool
}

// Face is what a MemberUpdate can change, for Seen.
func (m Member) Face() any { return []string{string(m.Role.Role), string(m.Status)} }

// UpdateMember changes a member's org role and whether they are let in, by hand.
// It is refused when a group grants the role (R36), when an Operator may not (R4), and when no Admin would be left (R8).
func (s *Service) UpdateMember(ctx context.Context, scope OrgScope, id MemberID, update MemberUpdate) (MemberView, error) {
	if err := scope.require(PermOrgManage); err != nil {
		return MemberView{}, err
	}
	if update.Role != nil {
		if err := (Roles{}).check("role_id", *update.Role, ScopeOrganization); err != nil {
			return MemberView{}, err
		}
	}
	var view MemberView
	err := s.changeMember(ctx, scope, id, func(tx Tx, org OrgTx, member Member) error {
		if err := s.seen.check(member.Face()); err != nil {
			return err
		}
		if update.Role != nil {
			if err := s.setRole(tx, org, scope, &member, *update.Role); err != nil {
				return err
			}
		}
		if update.Disabled != nil {
			if err := setDisabled(tx, org, scope, member, *update.Disabled); err != nil {
				return err
			}
		}
		var err error
		view, err = oneMember(org, id)
		return err
	})
	return view, err
}

// SetMemberRole changes a member's org role.
func (s *Service) SetMemberRole(ctx context.Context, scope OrgScope, id MemberID, role RoleID) (MemberView, error) {
	return s.UpdateMember(ctx, scope, id, MemberUpdate{Role: &role})
}

func (s *Service) setRole(tx Tx, org OrgTx, scope OrgScope, member *Member, role RoleID) error {
	if err := mayGive(scope, role); err != nil {
		return err
	}
	if role == RoleOrgAdmin {
		if err := s.requireRecent(tx, scope); err != nil {
			return err
		}
	}
	if member.Role.Kind == GrantGroup {
		return grantedByGroup(member.Role)
	}
	if member.Role.Role == role {
		return nil
	}
	if err := adminRemains(org, *member, role); err != nil {
		return err
	}
	before := member.Role.Role
	member.Role = Held{Grant: manualGrant(tx, scope, role)}
	if err := org.Access().Save([]AccessChange{{Member: member.ID, Org: &member.Role}}); err != nil {
		return err
	}
	return record(tx, scope, "update_org_member", Target{Kind: "user", ID: string(member.ID)},
		map[string]any{"org_role": RoleName(before)}, map[string]any{"org_role": RoleName(role)})
}

// grantedByGroup names what stands against an edit by hand (R36).
func grantedByGroup(held Held) error {
	return Conflictf("role_id", "the group %s grants this role; change the person's groups at the identity provider, or the group's mapping", quote(held.SourceName))
}

// setDisabled disables a member with their sessions, keys and older invites, or enables them (R27, R30).
// What an identity provider pushed says so too, so that it sees what is in force.
func setDisabled(tx Tx, org OrgTx, scope OrgScope, member Member, disabled bool) error {
	if disabled == (member.Status == Disabled) {
		return nil
	}
	user, err := tx.System(systemScope()).Users().Lock(member.User)
	if err != nil {
		return err
	}
	status, operation := Active, "enable_member"
	if disabled {
		status, operation = Disabled, "disable_member"
		if err := adminRemains(org, member, ""); err != nil {
			return err
		}
		p := provisioning{tx: tx, org: org, scope: scope}
		if err := p.withdrawInvites(Profile{}, user); err != nil {
			return err
		}
		memberships, err := tx.System(systemScope()).Users().Memberships(user.ID)
		if err != nil {
			return err
		}
		if err := revokeAll(tx, scope, user.ID, memberships); err != nil {
			return err
		}
	}
	if err := org.Members().SetStatus(member.ID, status); err != nil {
		return err
	}
	if err := sayActive(tx, org, member.ID, !disabled); err != nil {
		return err
	}
	return record(tx, scope, operation, Target{"user", string(member.ID), user.Email},
		map[string]any{"status": member.Status}, map[string]any{"status": status})
}

// sayActive brings the SCIM resource in line with the membership.
func sayActive(tx Tx, org OrgTx, id MemberID, active bool) error {
	pushed, err := org.SCIMUsers().Lock(id)
	if IsKind(err, NotFound) || err == nil && pushed.Active == active {
		return nil
	}
	if err != nil {
		return err
	}
	attributes := maps.Clone(pushed.Attributes)
	attributes["active"] = active
	pushed.Attributes, pushed.Active = attributes, active
	pushed.Version, pushed.UpdatedAt = pushed.Version+1, tx.Now()
	return org.SCIMUsers().Update(pushed)
}

// RemoveMember ends a membership with its sessions and keys (R8 applies).
func (s *Service) RemoveMember(ctx context.Context, scope OrgScope, id MemberID) error {
	if err := scope.require(PermOrgManage); err != nil {
		return err
	}
	return s.changeMember(ctx, scope, id, func(tx Tx, org OrgTx, member Member) error {
		if err := adminRemains(org, member, ""); err != nil {
			return err
		}
		user, err := tx.System(systemScope()).Users().Lock(member.User)
		if err != nil {
			return err
		}
		if err := removeMember(tx, scope, member); err != nil {
			return err
		}
		before := map[string]any{"email": user.Email, "org_role": RoleName(member.Role.Role)}
		return record(tx, scope, "delete_org_member", Target{"user", string(id), user.Email}, before, nil)
	})
}

// changeMember runs fn on a member whom the scope may touch, with the organization locked so that two Admins cannot remove each other.
func (s *Service) changeMember(ctx context.Context, scope OrgScope, id MemberID, fn func(Tx, OrgTx, Member) error) error {
	if !ValidID(id) {
		return unknownResource("member", string(id))
	}
	return s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		// What SCIM pushed, then the person, then the organization, as everybody does: in another order two would wait for each other.
		if _, err := org.SCIMUsers().Lock(id); err != nil && !IsKind(err, NotFound) {
			return err
		}
		if known, err := org.Members().Get(id); err == nil {
			if _, err := tx.System(systemScope()).Users().Lock(known.User); err != nil {
				return renameNotFound(err, "member", string(id))
			}
		}
		if _, err := org.Settings().Lock(); err != nil {
			return err
		}
		if err := org.Members().Lock([]MemberID{id}); err != nil {
			return err
		}
		member, err := org.Members().Get(id)
		if err != nil {
			return renameNotFound(err, "member", string(id))
		}
		if err := mayGive(scope, member.Role.Role); err != nil {
			return Errorf(Forbidden, "only an Organization Admin may change a member with the role %s", RoleName(member.Role.Role))
		}
		return fn(tx, org, member)
	})
}

// adminRemains refuses to leave the organization without an active Organization Admin (R8); the caller holds its lock.
func adminRemains(org OrgTx, member Member, role RoleID) error {
	if member.Role.Role != RoleOrgAdmin || role == RoleOrgAdmin || member.Status != Active {
		return nil
	}
	admins, err := org.Members().CountAdmins()
	if err != nil {
		return err
	}
	if admins <= 1 {
		return Conflictf("role_id", "this is the last active Organization Admin; make somebody else Admin first")
	}
	return nil
}
