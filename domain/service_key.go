package domain

import (
	"context"
	"slices"
)

// KeyRoles is where a service key acts, and as what.
type KeyRoles struct {
	// everywhere is the role in every workspace; empty for a key that reaches some only.
	everywhere RoleID
	some       map[WorkspaceID]RoleID
}

// in returns the key's role in a workspace; false is a workspace that it does not reach.
func (k *KeyRoles) in(id WorkspaceID) (RoleID, bool) {
	if k.everywhere != "" {
		return k.everywhere, true
	}
	role, in := k.some[id]
	return role, in
}

// roles are where a service key acts: where its account does, or where it was made for.
func (k Key) roles() *KeyRoles {
	switch {
	case k.Account != "":
		return &KeyRoles{some: k.AccountRoles}
	case len(k.Workspaces) == 0:
		return &KeyRoles{everywhere: k.Role}
	}
	roles := KeyRoles{some: make(map[WorkspaceID]RoleID, len(k.Workspaces))}
	for _, id := range k.Workspaces {
		roles.some[id] = k.Role
	}
	return &roles
}

// ServiceKeys lists the organization's service keys, which are the Admins' alone (R4).
func (s *Service) ServiceKeys(ctx context.Context, scope OrgScope) ([]Key, error) {
	if err := mayManageServiceKeys(scope); err != nil {
		return nil, err
	}
	return s.keys(ctx, scope, ServiceKey, "")
}

// CreateServiceKey makes a key that acts as no person (R42).
func (s *Service) CreateServiceKey(ctx context.Context, scope OrgScope, request KeyRequest) (Key, Secret, error) {
	if err := mayManageServiceKeys(scope); err != nil {
		return Key{}, "", err
	}
	return s.createServiceKey(ctx, scope, request, "create_service_key")
}

func (s *Service) createServiceKey(ctx context.Context, scope OrgScope, request KeyRequest, operation string) (Key, Secret, error) {
	if request.Role == "" {
		request.Role = RoleWorkAdmin
	}
	if request.OrgRole == "" {
		request.OrgRole = RoleOrgUser
	}
	if request.OrgRole != RoleOrgUser && (len(request.Workspaces) > 0 || request.Account != "") {
		return Key{}, "", Invalidf("org_role_id", "only a key that reaches the whole organization has an org role; leave out workspaces, or this")
	}
	if request.Account != "" && len(request.Workspaces) > 0 {
		return Key{}, "", Invalidf("workspaces", "a key of a service account reaches where the account does; leave out workspaces")
	}
	key := Key{
		Kind: ServiceKey, Role: request.Role, OrgRole: request.OrgRole, Account: request.Account,
		Workspaces: unique(request.Workspaces), DefaultWorkspace: request.DefaultWorkspace,
	}
	return s.createKey(ctx, scope, key, request, operation)
}

// KeyUpdate changes what a service key may do; what is nil stays.
type KeyUpdate struct {
	Role    *RoleID
	OrgRole *RoleID
}

// UpdateServiceKey changes a service key's roles, from its next request on.
func (s *Service) UpdateServiceKey(ctx context.Context, scope OrgScope, id KeyID, update KeyUpdate) (Key, error) {
	if err := mayManageServiceKeys(scope); err != nil {
		return Key{}, err
	}
	var key Key
	err := s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		if err := s.requireRecent(tx, scope); err != nil {
			return err
		}
		before, err := ownKey(org, id, isServiceKey)
		if err != nil {
			return err
		}
		if key, err = update.apply(before); err != nil {
			return err
		}
		if err := keyRoles(org, key); err != nil {
			return err
		}
		if err := org.Keys().Update(key); err != nil {
			return err
		}
		return record(tx, scope, "update_service_key", keyTarget(key), keyFacts(before), keyFacts(key))
	})
	return key, err
}

func (u KeyUpdate) apply(key Key) (Key, error) {
	if u.OrgRole != nil {
		if *u.OrgRole != RoleOrgUser && (len(key.Workspaces) > 0 || key.Account != "") {
			return Key{}, Invalidf("org_role_id", "only a key that reaches the whole organization has an org role")
		}
		key.OrgRole = *u.OrgRole
	}
	if u.Role != nil {
		if key.Account != "" {
			return Key{}, Invalidf("role_id", "the key acts for a service account; change the account's roles")
		}
		key.Role = *u.Role
	}
	return key, nil
}

// keyRoles refuses roles that are none, or of the wrong scope.
func keyRoles(org OrgTx, key Key) error {
	if key.Kind != ServiceKey {
		return nil
	}
	if err := checkRole(org, "role_id", key.Role, ScopeWorkspace); err != nil {
		return err
	}
	return checkRole(org, "org_role_id", key.OrgRole, ScopeOrganization)
}

// DeleteServiceKey ends a service key.
func (s *Service) DeleteServiceKey(ctx context.Context, scope OrgScope, id KeyID) (Key, error) {
	if err := mayManageServiceKeys(scope); err != nil {
		return Key{}, err
	}
	return s.deleteKey(ctx, scope, id, "delete_service_key", isServiceKey)
}

func isServiceKey(key Key) bool { return key.Kind == ServiceKey }

// mayManageServiceKeys is R4: an Operator cannot touch keys that reach the whole organization.
func mayManageServiceKeys(scope OrgScope) error {
	if err := scope.require(PermOrgManage); err != nil {
		return err
	}
	return scope.requireAdmin("manage service keys of the organization")
}

// WorkspaceKeys lists the service keys that reach exactly one workspace, for those who manage its keys.
func (s *Service) WorkspaceKeys(ctx context.Context, scope OrgScope, id WorkspaceID) ([]Key, error) {
	keys := []Key{}
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		if _, err := mayManageKeysIn(org, scope, id); err != nil {
			return err
		}
		found, err := org.Keys().List(ServiceKey, "")
		keys = append(keys[:0], slices.DeleteFunc(found, func(key Key) bool { return !key.onlyIn(id) })...)
		return err
	})
	return keys, err
}

// onlyIn reports whether a service key reaches this workspace and no other.
func (k Key) onlyIn(id WorkspaceID) bool {
	return k.Kind == ServiceKey && k.Account == "" && len(k.Workspaces) == 1 && k.Workspaces[0] == id
}

// CreateWorkspaceKey makes a service key of one workspace; its role is at most the maker's own there.
func (s *Service) CreateWorkspaceKey(ctx context.Context, scope OrgScope, id WorkspaceID, request KeyRequest) (Key, Secret, error) {
	if request.Role == "" {
		request.Role = RoleWorkAdmin
	}
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		view, err := mayManageKeysIn(org, scope, id)
		if err != nil {
			return err
		}
		return mayGiveIn(org, scope, view, request.Role)
	})
	if err != nil {
		return Key{}, "", err
	}
	request.Workspaces, request.DefaultWorkspace, request.OrgRole, request.Account = []WorkspaceID{id}, id, RoleOrgUser, ""
	return s.createServiceKey(ctx, scope, request, "create_api_key")
}

// DeleteWorkspaceKey ends a service key of one workspace.
func (s *Service) DeleteWorkspaceKey(ctx context.Context, scope OrgScope, workspace WorkspaceID, id KeyID) (Key, error) {
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		_, err := mayManageKeysIn(org, scope, workspace)
		return err
	})
	if err != nil {
		return Key{}, err
	}
	return s.deleteKey(ctx, scope, id, "delete_api_key", func(key Key) bool { return key.onlyIn(workspace) })
}

// mayManageKeysIn is for Organization Admins and whoever has the permission in the workspace; an Operator has it where they are a member (R4).
func mayManageKeysIn(org OrgTx, scope OrgScope, id WorkspaceID) (WorkspaceView, error) {
	view, err := visibleWorkspace(org, scope, id)
	if err == nil && !view.may(PermWorkKeys) {
		err = lacks(PermWorkKeys)
	}
	return view, err
}

// lacks is the answer to whoever has no such permission in the workspace.
func lacks(permission Permission) error {
	return Errorf(Forbidden, "this needs the permission %q in the workspace; ask one of its Admins", permission)
}
