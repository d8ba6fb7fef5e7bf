package domain

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// customRoleName is the name of every custom role; they are told apart by their display names (R2).
const customRoleName = "CUSTOM"

// Roles are the roles that can be held in one organization: the system's and its own. The zero value has the system's only.
type Roles struct{ custom map[RoleID]Role }

// rolesOf returns the organization's roles.
func rolesOf(org OrgTx) (Roles, error) {
	own, err := org.Roles().List()
	if err != nil {
		return Roles{}, err
	}
	roles := Roles{custom: make(map[RoleID]Role, len(own))}
	for _, role := range own {
		roles.custom[role.ID] = role
	}
	return roles, nil
}

// rolesNamed returns roles that know these ids; only where one is no system role is the database asked.
func rolesNamed(org OrgTx, ids ...RoleID) (Roles, error) {
	own := slices.ContainsFunc(ids, func(id RoleID) bool {
		_, system := SystemRole(id)
		return id != "" && !system
	})
	if !own {
		return Roles{}, nil
	}
	return rolesOf(org)
}

// Get returns a role; false is an id that no role here has.
func (r Roles) Get(id RoleID) (Role, bool) {
	if role, ok := SystemRole(id); ok {
		return role, true
	}
	role, ok := r.custom[id]
	return role, ok
}

// Name returns a role's display name, or its id where no role here has it.
func (r Roles) Name(id RoleID) string {
	if role, ok := r.Get(id); ok {
		return role.DisplayName
	}
	return string(id)
}

// All returns the system roles, then the organization's own by display name.
func (r Roles) All() []Role {
	own := []Role{}
	for _, role := range r.custom {
		own = append(own, role)
	}
	slices.SortFunc(own, func(a, b Role) int { return strings.Compare(Fold(a.DisplayName), Fold(b.DisplayName)) })
	return append(SystemRoles(), own...)
}

// check refuses an id that is not a role of the scope.
func (r Roles) check(field string, id RoleID, scope AccessScope) error {
	role, ok := r.Get(id)
	if ok && role.Scope == scope {
		return nil
	}
	return Invalidf(field, "%q is not a role of the %s scope; list the roles to find its id", id, scope)
}

// checkRole is check for a role whose organization is at hand.
func checkRole(org OrgTx, field string, id RoleID, scope AccessScope) error {
	roles, err := rolesNamed(org, id)
	if err != nil {
		return err
	}
	return roles.check(field, id, scope)
}

// RoleUse is how often a custom role is in use, by what it is used for.
type RoleUse struct {
	Members, Invites, Keys, Accounts, Groups int
	// Default is true when people who join get the role.
	Default bool
}

// words says what stands against deleting the role; it is empty when nothing does.
func (u RoleUse) words() string {
	var parts []string
	for _, use := range []struct {
		n    int
		noun string
	}{
		{u.Members, "workspace membership"}, {u.Invites, "invite"}, {u.Keys, "service key"}, {u.Accounts, "service account"}, {u.Groups, "group mapping"},
	} {
		if use.n > 0 {
			parts = append(parts, fmt.Sprintf("%d × %s", use.n, use.noun))
		}
	}
	if u.Default {
		parts = append(parts, "the role of people who join")
	}
	return strings.Join(parts, ", ")
}

// Roles lists the roles that can be held in the organization: the system's, then its own.
func (s *Service) Roles(ctx context.Context, scope OrgScope) ([]Role, error) {
	if err := scope.require(PermOrgRead); err != nil {
		return nil, err
	}
	var all []Role
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		roles, err := rolesOf(org)
		all = roles.All()
		return err
	})
	return all, err
}

// RoleChange is what a custom role is to be; what is nil stays, or is empty for a new role.
type RoleChange struct {
	DisplayName *string
	Description *string
	Permissions *[]Permission
}

// Face is what a RoleChange can change, for Seen.
func (r Role) Face() any { return roleFacts(r) }

// apply returns the changed role, or Invalid naming the field.
func (c RoleChange) apply(role Role) (Role, error) {
	if c.DisplayName != nil {
		role.DisplayName = *c.DisplayName
	}
	if c.Description != nil {
		role.Description = *c.Description
	}
	if c.Permissions != nil {
		role.Permissions = unique(*c.Permissions)
	}
	name, err := checkName(role.DisplayName)
	if err != nil {
		return Role{}, err
	}
	role.DisplayName = name
	if len(role.Description) > maxDescription {
		return Role{}, Invalidf("description", "a description has at most %d bytes", maxDescription)
	}
	slices.Sort(role.Permissions)
	return role, checkPermissions(role.Permissions)
}

const (
	maxDescription = 2000 // bytes
	maxPermissions = 500
	maxPermission  = 100 // bytes
)

// permissionShape is "resource:action", with further parts where applications want them (R2).
var permissionShape = regexp.MustCompile(`^[A-Za-z0-9_.-]+(:[A-Za-z0-9_.-]+)+$`)

// checkPermissions lets through what R2 allows in a custom role: any mix of workspace permissions and what applications define themselves.
func checkPermissions(permissions []Permission) error {
	if len(permissions) > maxPermissions {
		return Invalidf("permissions", "a role has at most %d permissions", maxPermissions)
	}
	for _, permission := range permissions {
		switch {
		case strings.HasPrefix(string(permission), "organization:"):
			return Invalidf("permissions", "%q is an organization permission; a custom role is held in workspaces", permission)
		case len(permission) > maxPermission || !permissionShape.MatchString(string(permission)):
			return Invalidf("permissions", "%q is no permission; one reads resource:action, such as projects:read", permission)
		}
	}
	return nil
}

// CreateRole makes a custom role (R2).
func (s *Service) CreateRole(ctx context.Context, scope OrgScope, change RoleChange) (Role, error) {
	var role Role
	err := s.changeRoles(ctx, scope, func(tx Tx, org OrgTx) error {
		var err error
		if role, err = change.apply(Role{Name: customRoleName, Scope: ScopeWorkspace, Permissions: []Permission{}}); err != nil {
			return err
		}
		if err := nameIsFree(role.DisplayName); err != nil {
			return err
		}
		role.ID = newID[RoleID](tx.Now())
		if err := org.Roles().Insert(role); err != nil {
			return roleTaken(err, role)
		}
		return recordRole(tx, org, scope, "create_role", role, nil, roleFacts(role))
	})
	return role, err
}

// UpdateRole changes a custom role; who holds it has its permissions from the next request on.
func (s *Service) UpdateRole(ctx context.Context, scope OrgScope, id RoleID, change RoleChange) (Role, error) {
	var role Role
	err := s.changeRoles(ctx, scope, func(tx Tx, org OrgTx) error {
		current, err := ownRole(org, id, "changed")
		if err != nil {
			return err
		}
		if err := s.seen.check(current.Face()); err != nil {
			return err
		}
		if role, err = change.apply(current); err != nil {
			return err
		}
		if err := nameIsFree(role.DisplayName); err != nil {
			return err
		}
		if err := org.Roles().Update(role); err != nil {
			return roleTaken(err, role)
		}
		return recordRole(tx, org, scope, "update_role", role, roleFacts(current), roleFacts(role))
	})
	return role, err
}

// DeleteRole removes a custom role that nothing uses; otherwise it is Conflict and says what does (R2).
func (s *Service) DeleteRole(ctx context.Context, scope OrgScope, id RoleID) (Role, error) {
	var role Role
	err := s.changeRoles(ctx, scope, func(tx Tx, org OrgTx) error {
		var err error
		if role, err = ownRole(org, id, "deleted"); err != nil {
			return err
		}
		use, err := org.Roles().Use(id)
		if err != nil {
			return err
		}
		if words := use.words(); words != "" {
			return Conflictf("role_id", "the role %s is in use: %s; give these another role first", quote(role.DisplayName), words)
		}
		if err := org.Roles().Delete(id); err != nil {
			return err
		}
		return recordRole(tx, org, scope, "delete_role", role, roleFacts(role), map[string]any{})
	})
	return role, err
}

// changeRoles runs fn for an Organization Admin with the organization's row locked.
func (s *Service) changeRoles(ctx context.Context, scope OrgScope, fn func(Tx, OrgTx) error) error {
	if err := scope.require(PermOrgManage); err != nil {
		return err
	}
	if err := scope.requireAdmin("change roles"); err != nil {
		return err
	}
	return s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		if _, err := org.Settings().Lock(); err != nil {
			return err
		}
		return fn(tx, org)
	})
}

// recordRole reads group names anew, which the roles' names are part of (R33), and writes the audit row with what came of it.
func recordRole(tx Tx, org OrgTx, scope OrgScope, operation string, role Role, before, after map[string]any) error {
	access, err := remapGroups(tx, org)
	if err != nil {
		return err
	}
	return record(tx, scope, operation, Target{Kind: "role", ID: string(role.ID), Name: role.DisplayName}, before, access.tell(after))
}

// ownRole returns a custom role; a system role cannot be changed, and one of another organization is not there (R1, R44).
func ownRole(org OrgTx, id RoleID, done string) (Role, error) {
	if system, ok := SystemRole(id); ok {
		return Role{}, Errorf(Forbidden, "%s is a system role, which cannot be %s; create a custom role instead", system.DisplayName, done)
	}
	if !ValidID(id) {
		return Role{}, unknownResource("role", string(id))
	}
	role, err := org.Roles().Get(id)
	return role, renameNotFound(err, "role", string(id))
}

// nameIsFree keeps the system roles' names: a group's name must not mean two roles (R31).
func nameIsFree(name string) error {
	for _, role := range SystemRoles() {
		if Fold(role.DisplayName) == Fold(name) {
			return Conflictf("display_name", "there is a system role %s; choose another name", quote(role.DisplayName))
		}
	}
	return nil
}

func roleTaken(err error, role Role) error {
	if IsKind(err, Conflict) {
		return Conflictf("display_name", "there is a role %s already; choose another name", quote(role.DisplayName))
	}
	return err
}

func roleFacts(role Role) map[string]any {
	return map[string]any{"display_name": role.DisplayName, "description": role.Description, "permissions": role.Permissions}
}
