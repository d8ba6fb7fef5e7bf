package domain

import (
	"context"
	"slices"
)

// SSOSettings returns how first-time users join the organization.
func (s *Service) SSOSettings(ctx context.Context, scope OrgScope) (SSOSettings, error) {
	if err := scope.require(PermOrgRead); err != nil {
		return SSOSettings{}, err
	}
	var settings SSOSettings
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		var err error
		settings, err = org.Settings().SSO()
		return err
	})
	return settings, err
}

// SetSSODefaults changes how people join from now on; who joined before keeps what they have (R15).
func (s *Service) SetSSODefaults(ctx context.Context, scope OrgScope, id string, change func(*SSOSettings)) (SSOSettings, error) {
	return s.replaceSSO(ctx, scope, "update_sso_settings", func(_ Tx, org OrgTx, current SSOSettings) (SSOSettings, error) {
		if current.ID != id || current.Removed {
			return current, noSuchSSO()
		}
		next := current
		next.DefaultWorkspaces = slices.Clone(current.DefaultWorkspaces)
		change(&next)
		return next, checkSSO(org, current, &next)
	})
}

// Face is the whole record, for Seen.
func (s SSOSettings) Face() any { return ssoFacts(s) }

func noSuchSSO() error { return Errorf(NotFound, "there are no such SSO settings") }

// RestoreSSO makes the record of how people join anew, where it was removed; one that is there is Conflict.
func (s *Service) RestoreSSO(ctx context.Context, scope OrgScope, change func(*SSOSettings)) (SSOSettings, error) {
	return s.replaceSSO(ctx, scope, "create_sso_settings", func(_ Tx, org OrgTx, current SSOSettings) (SSOSettings, error) {
		if !current.Removed {
			return current, Conflictf("id", "this organization has SSO settings already (%s); change them instead", current.ID)
		}
		next := SSOSettings{
			ID: current.ID, ProviderID: current.ProviderID, DefaultWorkspaceRole: RoleWorkEditor, GroupsClaim: "groups", GroupsRoleSync: true,
		}
		change(&next)
		return next, checkSSO(org, SSOSettings{}, &next)
	})
}

// RemoveSSO gives up the record of how people join; the default organization's is Conflict, because nobody could sign in any more.
func (s *Service) RemoveSSO(ctx context.Context, scope OrgScope, id string) (SSOSettings, error) {
	return s.replaceSSO(ctx, scope, "delete_sso_settings", func(tx Tx, _ OrgTx, current SSOSettings) (SSOSettings, error) {
		if current.ID != id || current.Removed {
			return current, noSuchSSO()
		}
		installation, err := tx.System(systemScope()).Installation().Get()
		if err == nil && installation.DefaultOrg == scope.org {
			err = Conflictf("id", "these are the default organization's SSO settings; without them nobody could sign in")
		}
		current.Removed, current.GroupsEnabled = true, false
		return current, err
	})
}

// replaceSSO writes what fn makes of the present record, for an Organization Admin who has signed in recently.
func (s *Service) replaceSSO(ctx context.Context, scope OrgScope, operation string, fn func(Tx, OrgTx, SSOSettings) (SSOSettings, error)) (SSOSettings, error) {
	if err := scope.require(PermOrgManage); err != nil {
		return SSOSettings{}, err
	}
	if err := scope.requireAdmin("change the sign-in settings"); err != nil {
		return SSOSettings{}, err
	}
	var next SSOSettings
	err := s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		if err := s.requireRecent(tx, scope); err != nil {
			return err
		}
		if _, err := org.Settings().Lock(); err != nil {
			return err
		}
		current, err := org.Settings().SSO()
		if err != nil {
			return err
		}
		if err := s.seen.check(current.Face()); err != nil {
			return err
		}
		if next, err = fn(tx, org, current); err != nil {
			return err
		}
		if err := org.Settings().UpdateSSO(next); err != nil {
			return err
		}
		return record(tx, scope, operation, Target{Kind: "sso_settings", ID: current.ID}, ssoFacts(current), ssoFacts(next))
	})
	return next, err
}

// checkSSO refuses roles of the wrong scope and workspaces that do not live in the organization.
// A workspace that was deleted after it became a default may stay in the list: sign-in skips it (R18).
func checkSSO(org OrgTx, current SSOSettings, next *SSOSettings) error {
	if err := checkRole(org, "default_workspace_role_id", next.DefaultWorkspaceRole, ScopeWorkspace); err != nil {
		return err
	}
	next.DefaultWorkspaces = unique(next.DefaultWorkspaces)
	for _, id := range next.DefaultWorkspaces {
		if slices.Contains(current.DefaultWorkspaces, id) {
			continue
		}
		workspace, err := org.Workspaces().Get(id)
		if IsKind(err, NotFound) || err == nil && workspace.Deleted() {
			return Invalidf("default_workspace_ids", "there is no workspace %q in this organization", id)
		}
		if err != nil {
			return err
		}
	}
	if next.GroupsClaim == "" {
		return Invalidf("sso_groups_claim_field", "the claim's name must not be empty")
	}
	return nil
}

func ssoFacts(s SSOSettings) map[string]any {
	return map[string]any{
		"default_workspace_role_id": s.DefaultWorkspaceRole, "default_workspace_ids": s.DefaultWorkspaces,
		"sso_groups_enabled": s.GroupsEnabled, "sso_groups_claim_field": s.GroupsClaim,
		"sso_groups_required": s.GroupsRequired, "sso_groups_role_sync_enabled": s.GroupsRoleSync,
	}
}
