package domain

import (
	"context"
)

// Members lists the members of the organization with the people behind them.
func (s *Service) Members(ctx context.Context, scope OrgScope, query MemberQuery) ([]MemberView, error) {
	if err := scope.require(PermOrgRead); err != nil {
		return nil, err
	}
	members := []MemberView{}
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		found, err := org.Members().List(query)
		members = append(members[:0], found...)
		return err
	})
	return members, err
}

// Member returns one member, or NotFound.
func (s *Service) Member(ctx context.Context, scope OrgScope, id MemberID) (MemberView, error) {
	if !ValidID(id) {
		return MemberView{}, unknownResource("member", string(id))
	}
	found, err := s.Members(ctx, scope, MemberQuery{IDs: []MemberID{id}, Window: Window{Limit: 1}})
	if err != nil {
		return MemberView{}, err
	}
	if len(found) == 0 {
		return MemberView{}, unknownResource("member", string(id))
	}
	return found[0], nil
}

// SetMemberRole changes a member's org role by hand.
// It is refused when a group grants the role (R36), when an Operator may not (R4), and when no Admin would be left (R8).
func (s *Service) SetMemberRole(ctx context.Context, scope OrgScope, id MemberID, role RoleID) (MemberView, error) {
	if err := scope.require(PermOrgManage); err != nil {
		return MemberView{}, err
	}
	if err := checkRole("role_id", role, ScopeOrganization); err != nil {
		return MemberView{}, err
	}
	err := s.changeMember(ctx, scope, id, func(tx Tx, org OrgTx, member Member) error {
		if err := mayGive(scope, role); err != nil {
			return err
		}
		if role == RoleOrgAdmin {
			if err := s.requireRecent(tx, scope); err != nil {
				return err
			}
		}
		if member.Role.Kind == GrantGroup {
			return Conflictf("role_id", "the group %s grants this role; change the person's groups at the identity provider, or the group's mapping", quote(member.Role.SourceName))
		}
		if member.Role.Role == role {
			return nil
		}
		if err := adminRemains(org, member, role); err != nil {
			return err
		}
		held := Held{Grant: Grant{Kind: GrantManual, Role: role, Source: string(scope.member), SourceName: scope.actor.Name, At: tx.Now()}}
		if err := org.Access().Save([]AccessChange{{Member: id, Org: &held}}); err != nil {
			return err
		}
		return record(tx, scope, "update_org_member", Target{Kind: "user", ID: string(id)},
			map[string]any{"org_role": RoleName(member.Role.Role)}, map[string]any{"org_role": RoleName(role)})
	})
	if err != nil {
		return MemberView{}, err
	}
	return s.Member(ctx, scope, id)
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
		// The person before the organization, as sign-in does it: in another order the two would wait for each other.
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
