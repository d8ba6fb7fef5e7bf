package domain

import (
	"context"
	"maps"
	"slices"
	"time"
)

// ServiceAccount is a machine's identity: several keys can act for it at once, and all end with it (R42).
type ServiceAccount struct {
	ID   AccountID
	Name string
	// Workspaces are where its keys act, and as what.
	Workspaces map[WorkspaceID]RoleID
	// DefaultWorkspace is the one meant by a request that names none; empty without workspaces.
	DefaultWorkspace WorkspaceID
	CreatedAt        time.Time
	UpdatedAt        time.Time
}

// Place is a workspace with a role there.
type Place struct {
	Workspace WorkspaceID
	Role      RoleID
}

// ServiceAccounts lists the organization's service accounts by name.
func (s *Service) ServiceAccounts(ctx context.Context, scope OrgScope) ([]ServiceAccount, error) {
	if err := mayManageAccounts(scope); err != nil {
		return nil, err
	}
	accounts := []ServiceAccount{}
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		found, err := org.Accounts().List()
		accounts = append(accounts[:0], found...)
		return err
	})
	return accounts, err
}

// CreateServiceAccount makes a service account; a place without a role is Editor.
func (s *Service) CreateServiceAccount(ctx context.Context, scope OrgScope, name string, places []Place) (ServiceAccount, error) {
	if err := mayManageAccounts(scope); err != nil {
		return ServiceAccount{}, err
	}
	name, err := checkName(name)
	if err != nil {
		return ServiceAccount{}, Invalidf("name", "%s", AsError(err).Text)
	}
	var account ServiceAccount
	err = s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		if err := s.requireRecent(tx, scope); err != nil {
			return err
		}
		account = ServiceAccount{ID: newID[AccountID](tx.Now()), Name: name, Workspaces: map[WorkspaceID]RoleID{}, CreatedAt: tx.Now(), UpdatedAt: tx.Now()}
		for _, place := range places {
			if place.Role == "" {
				place.Role = RoleWorkEditor
			}
			if err := checkRole(org, "role_id", place.Role, ScopeWorkspace); err != nil {
				return err
			}
			account.Workspaces[place.Workspace] = place.Role
		}
		if len(places) > 0 {
			account.DefaultWorkspace = places[0].Workspace
		}
		if err := livingWorkspaces(org, "workspaces", slices.Sorted(maps.Keys(account.Workspaces))); err != nil {
			return err
		}
		if err := org.Accounts().Insert(account); err != nil {
			return accountTaken(err, name)
		}
		return record(tx, scope, "create_service_account", accountTarget(account), nil, accountFacts(account))
	})
	return account, err
}

func accountTaken(err error, name string) error {
	if IsKind(err, Conflict) {
		return Conflictf("name", "there is a service account %s already", quote(name))
	}
	return err
}

// DeleteServiceAccount ends a service account and all of its keys in one commit.
func (s *Service) DeleteServiceAccount(ctx context.Context, scope OrgScope, id AccountID) (ServiceAccount, error) {
	if err := mayManageAccounts(scope); err != nil {
		return ServiceAccount{}, err
	}
	if !ValidID(id) {
		return ServiceAccount{}, unknownResource("service account", string(id))
	}
	var account ServiceAccount
	err := s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		var err error
		if account, err = org.Accounts().Get(id); err != nil {
			return renameNotFound(err, "service account", string(id))
		}
		if err := org.Keys().DeleteOfAccount(id); err != nil {
			return err
		}
		if err := org.Accounts().Delete(id); err != nil {
			return err
		}
		return record(tx, scope, "delete_service_account", accountTarget(account), accountFacts(account), nil)
	})
	return account, err
}

// keyAccount ties a key to its service account.
func keyAccount(org OrgTx, key *Key) error {
	if key.Account == "" {
		return nil
	}
	unknown := Invalidf("service_account_id", "there is no service account %q in this organization", key.Account)
	if !ValidID(key.Account) {
		return unknown
	}
	account, err := org.Accounts().Get(key.Account)
	if IsKind(err, NotFound) {
		return unknown
	}
	key.AccountRoles = account.Workspaces
	if key.DefaultWorkspace == "" {
		key.DefaultWorkspace = account.DefaultWorkspace
	}
	return err
}

// mayManageAccounts is R4: what keys of the organization act for is the Admins' alone.
func mayManageAccounts(scope OrgScope) error {
	if err := scope.require(PermOrgManage); err != nil {
		return err
	}
	return scope.requireAdmin("manage service accounts")
}

func accountTarget(a ServiceAccount) Target {
	return Target{Kind: "service_account", ID: string(a.ID), Name: a.Name}
}

func accountFacts(a ServiceAccount) map[string]any {
	return map[string]any{"name": a.Name, "workspaces": a.Workspaces}
}
