package domain

import (
	"context"
)

// Bootstrap creates the initial organization and its workspace, once, as the default organization (R7).
// Running it again, or in several processes at once, changes nothing.
func (s *Service) Bootstrap(ctx context.Context) error {
	return s.store.Write(ctx, func(tx Tx) error {
		system := tx.System(systemScope())
		if _, err := system.Installation().Get(); err == nil || !IsKind(err, NotFound) {
			return err
		}
		// The id is fixed before the row is claimed, so that a starter that loses the race creates nothing.
		org := newID[OrgID](tx.Now())
		claimed, err := system.Installation().Insert(Installation{DefaultOrg: org, InitialOrg: org})
		if err != nil || !claimed {
			return err
		}
		return s.insertOrg(tx, Org{ID: org, DisplayName: s.policy.InitialOrgName}, s.policy.DefaultWorkspaceName, systemActor())
	})
}

func systemActor() Actor { return Actor{Kind: ActorSystem, Name: "start-up"} }

// insertOrg creates an organization with one workspace that its first-time users join as Editor (R14).
func (s *Service) insertOrg(tx Tx, org Org, workspaceName string, actor Actor) error {
	contact := org.Settings.SecurityContact
	org.CreatedAt, org.ModifiedAt, org.Settings = tx.Now(), tx.Now(), DefaultSettings()
	org.Settings.SecurityContact = contact
	workspace := Workspace{ID: newID[WorkspaceID](tx.Now()), DisplayName: workspaceName, CreatedAt: tx.Now()}
	sso := SSOSettings{
		ID: newID[string](tx.Now()), ProviderID: ProviderOIDC,
		DefaultWorkspaceRole: RoleWorkEditor, DefaultWorkspaces: []WorkspaceID{workspace.ID},
		GroupsClaim: "groups", GroupsRoleSync: true,
	}
	if org.Personal {
		org.Settings.InvitesEnabled = false
	}
	if err := tx.System(systemScope()).Orgs().Insert(org, sso); err != nil {
		return err
	}
	scope := within(org.ID, actor)
	if err := tx.Org(scope).Workspaces().Insert(workspace); err != nil {
		return err
	}
	after := map[string]any{"display_name": org.DisplayName, "workspace": workspaceName}
	return record(tx, scope, "create_organization", Target{Kind: "organization", ID: string(org.ID), Name: org.DisplayName}, nil, after)
}

// CommandLine returns the scope of somebody at the server's own command line, who may do anything in the named organization.
// An empty name means the default organization; an unknown one is NotFound, an ambiguous one Conflict.
func (s *Service) CommandLine(ctx context.Context, orgName string) (OrgScope, error) {
	var org OrgID
	err := s.store.Read(ctx, func(tx Tx) error {
		var err error
		org, err = findOrg(tx, orgName)
		return err
	})
	if err != nil {
		return OrgScope{}, err
	}
	scope := within(org, commandLine())
	scope.role, scope.permissions = RoleOrgAdmin, []Permission{PermOrgManage, PermOrgRead, PermPATCreate}
	return scope, nil
}

func commandLine() Actor { return Actor{Kind: ActorCommandLine, Name: "command line"} }

// findOrg finds an organization by id or by folded name.
func findOrg(tx Tx, name string) (OrgID, error) {
	system := tx.System(systemScope())
	if name == "" {
		installation, err := system.Installation().Get()
		return installation.DefaultOrg, err
	}
	orgs, err := system.Orgs().List()
	if err != nil {
		return "", err
	}
	var found []OrgID
	for _, org := range orgs {
		if string(org.ID) == name || Fold(org.DisplayName) == Fold(name) {
			found = append(found, org.ID)
		}
	}
	switch len(found) {
	case 0:
		return "", Errorf(NotFound, "there is no organization %q", name)
	case 1:
		return found[0], nil
	default:
		return "", Conflictf("org", "%d organizations are called %q; name it by its id", len(found), name)
	}
}

// AddAdmin makes the person with the address an active Organization Admin by hand, creating the person where needed (R8).
// It is how an operator gets back in when nobody else can let them.
func (s *Service) AddAdmin(ctx context.Context, scope OrgScope, email string) (MemberID, error) {
	return s.addByHand(ctx, scope, email, true)
}

// addByHand makes the person an active member, as Organization Admin when asked.
func (s *Service) addByHand(ctx context.Context, scope OrgScope, email string, admin bool) (MemberID, error) {
	key, err := EmailKey("email", email)
	if err != nil {
		return "", err
	}
	var id MemberID
	err = s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		user, err := userByEmail(tx, email, key, "")
		if err != nil {
			return err
		}
		if !user.EmailProved {
			user.EmailProved = true
			if err := tx.System(systemScope()).Users().Update(user); err != nil {
				return err
			}
		}
		role := Grant{Kind: GrantManual, Role: RoleOrgUser, SourceName: scope.actor.Name, At: tx.Now()}
		if admin {
			role.Kind, role.Role = GrantBootstrap, RoleOrgAdmin
		}
		member, created, err := ensureMember(tx, org, user.ID, role)
		if err != nil {
			return err
		}
		id = member.ID
		if err := org.Tombstones().Clear(marksOf(key)); err != nil {
			return err
		}
		if !created {
			if err := raise(org, member, role, admin); err != nil {
				return err
			}
		}
		after := map[string]any{"org_role": RoleName(role.Role), "grant": role.Kind}
		return record(tx, scope, "update_org_member", Target{"user", string(user.ID), user.Email}, nil, after)
	})
	return id, err
}

// raise lets an existing member in again and, when asked, makes them Admin.
func raise(org OrgTx, member Member, role Grant, admin bool) error {
	if member.Status != Active {
		if err := org.Members().SetStatus(member.ID, Active); err != nil {
			return err
		}
	}
	if !admin {
		return nil
	}
	return org.Access().Save([]AccessChange{{Member: member.ID, Org: &Held{Grant: role}}})
}

// userByEmail finds or makes the person with an address; of two callers at once one makes it and both get it (R17).
func userByEmail(tx Tx, email, key, fullName string) (User, error) {
	users := tx.System(systemScope()).Users()
	user, err := users.ByEmail(key)
	if err == nil || !IsKind(err, NotFound) {
		return user, err
	}
	return makeUser(tx, email, key, fullName)
}

// makeUser makes a person unless somebody else made one with the same address in this moment.
func makeUser(tx Tx, email, key, fullName string) (User, error) {
	users := tx.System(systemScope()).Users()
	user := User{ID: newID[UserID](tx.Now()), Email: email, FullName: fullName, CreatedAt: tx.Now()}
	created, err := users.Insert(user)
	if err != nil || created {
		return user, err
	}
	return users.ByEmail(key)
}

// ensureMember finds or makes a user's membership; a new one has the role given and is active (R17).
func ensureMember(tx Tx, org OrgTx, user UserID, role Grant) (Member, bool, error) {
	member, err := org.Members().ByUser(user)
	if err == nil || !IsKind(err, NotFound) {
		return member, false, err
	}
	member = Member{ID: newID[MemberID](tx.Now()), User: user, Status: Active, Role: Held{Grant: role}, CreatedAt: tx.Now()}
	created, err := org.Members().Insert(member)
	if err != nil || created {
		return member, created, err
	}
	member, err = org.Members().ByUser(user)
	return member, false, err
}
