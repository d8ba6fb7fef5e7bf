package domain

import (
	"context"
	"slices"
)

// OrgView is an organization as one of its members sees it.
type OrgView struct {
	Org
	// Default is true for the organization that first-time users join.
	Default bool
}

// Organization returns the scope's organization.
func (s *Service) Organization(ctx context.Context, scope OrgScope) (OrgView, error) {
	if err := scope.require(PermOrgRead); err != nil {
		return OrgView{}, err
	}
	var view OrgView
	err := s.readOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		var err error
		view, err = orgView(tx, org)
		return err
	})
	return view, err
}

func orgView(tx Tx, org OrgTx) (OrgView, error) {
	settings, err := org.Settings().Get()
	if err != nil {
		return OrgView{}, err
	}
	installation, err := tx.System(systemScope()).Installation().Get()
	return OrgView{Org: settings, Default: installation.DefaultOrg == settings.ID}, err
}

// Organizations returns every organization in which the principal is active.
func (s *Service) Organizations(ctx context.Context, principal Principal) ([]OrgView, error) {
	views := []OrgView{}
	for _, membership := range principal.memberships {
		scope, err := principal.In(membership.Org)
		if err != nil {
			return nil, err
		}
		view, err := s.Organization(ctx, scope)
		if err != nil {
			return nil, err
		}
		views = append(views, view)
	}
	return views, nil
}

// CurrentOrganization is the organization meant by a request that names none:
// the one a key belongs to, the default one where the person is in it, or else the first of theirs by name.
func (s *Service) CurrentOrganization(ctx context.Context, principal Principal) (OrgID, error) {
	if home := principal.HomeOrg(); home != "" || len(principal.memberships) == 0 {
		return home, nil
	}
	current := principal.memberships[0].Org
	if len(principal.memberships) == 1 {
		return current, nil
	}
	err := s.store.Read(ctx, func(tx Tx) error {
		installation, err := tx.System(systemScope()).Installation().Get()
		if _, in := principal.In(installation.DefaultOrg); in == nil {
			current = installation.DefaultOrg
		}
		return err
	})
	return current, err
}

// OrgUpdate changes an organization; what is nil stays.
type OrgUpdate struct {
	DisplayName *string
	// Settings changes a copy of the settings, which are then validated.
	Settings func(*OrgSettings)
}

// UpdateOrganization changes the organization's name and settings.
func (s *Service) UpdateOrganization(ctx context.Context, scope OrgScope, update OrgUpdate) (OrgView, error) {
	return s.updateOrganization(ctx, scope, "update_organization_info", update)
}

func (s *Service) updateOrganization(ctx context.Context, scope OrgScope, operation string, update OrgUpdate) (OrgView, error) {
	if err := scope.require(PermOrgManage); err != nil {
		return OrgView{}, err
	}
	var view OrgView
	err := s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		current, err := org.Settings().Lock()
		if err != nil {
			return err
		}
		if err := s.seen.check(current.Face()); err != nil {
			return err
		}
		next, err := update.apply(current)
		if err != nil {
			return err
		}
		next.ModifiedAt = tx.Now()
		if err := org.Settings().Update(next); err != nil {
			return err
		}
		access := recomputed{}
		if next.Settings.GroupSeparator != current.Settings.GroupSeparator {
			if access, err = remapGroups(tx, org); err != nil {
				return err
			}
		}
		if view, err = orgView(tx, org); err != nil {
			return err
		}
		return record(tx, scope, operation, Target{"organization", string(next.ID), next.DisplayName}, orgFacts(current), access.tell(orgFacts(next)))
	})
	return view, err
}

func (u OrgUpdate) apply(org Org) (Org, error) {
	if u.DisplayName != nil {
		name, err := checkOrgName(*u.DisplayName)
		if err != nil {
			return Org{}, err
		}
		org.DisplayName = name
	}
	if u.Settings != nil {
		u.Settings(&org.Settings)
	}
	return org, org.Settings.Validate()
}

// Face is what an organization decides for itself, for Seen.
func (o Org) Face() any { return orgFacts(o) }

func orgFacts(org Org) map[string]any {
	return map[string]any{"display_name": org.DisplayName, "settings": org.Settings}
}

// CreateOrganization makes an organization whose Admin is the person who asks (R5, R6).
func (s *Service) CreateOrganization(ctx context.Context, principal Principal, name string, personal bool, contact string) (OrgID, error) {
	if principal.user.ID == "" {
		return "", Errorf(Forbidden, "only a person can create an organization")
	}
	if s.policy.OrgCreationDisabled && !personal {
		return "", Errorf(Forbidden, "creating organizations is switched off on this installation (userOrgCreationDisabled)")
	}
	if s.policy.PersonalOrgsDisabled && personal {
		return "", Errorf(Forbidden, "personal organizations are switched off on this installation (personalOrgsDisabled)")
	}
	name, err := checkOrgName(name)
	if err != nil {
		return "", err
	}
	if contact != "" && !IsEmail(contact) {
		return "", Invalidf("security_contact", "%q is not an e-mail address", contact)
	}
	var id OrgID
	err = s.store.Write(ctx, func(tx Tx) error {
		if personal {
			if err := noPersonalYet(tx, principal.user.ID); err != nil {
				return err
			}
		}
		id = newID[OrgID](tx.Now())
		org := Org{ID: id, DisplayName: name, Personal: personal, CreatedBy: principal.user.ID, Settings: OrgSettings{SecurityContact: contact}}
		return s.insertOwnedOrg(tx, org, principal.actor, principal.user.ID)
	})
	return id, err
}

// CreateOrganizationByHand makes an organization from the command line, where R5 does not apply; it has no member yet.
func (s *Service) CreateOrganizationByHand(ctx context.Context, name string) (OrgID, error) {
	name, err := checkName(name)
	if err != nil {
		return "", err
	}
	var id OrgID
	err = s.store.Write(ctx, func(tx Tx) error {
		if _, err := findOrg(tx, name); !IsKind(err, NotFound) {
			return Conflictf("name", "there is an organization %q already", name)
		}
		id = newID[OrgID](tx.Now())
		return s.insertOrg(tx, Org{ID: id, DisplayName: name}, s.policy.DefaultWorkspaceName, commandLine())
	})
	return id, err
}

// SetLoginMethods says whether single sign-on is the only way in, for an Organization Admin who came that way themselves.
func (s *Service) SetLoginMethods(ctx context.Context, scope OrgScope, ssoOnly *bool) (OrgView, error) {
	if err := scope.requireAdmin("change how people sign in"); err != nil {
		return OrgView{}, err
	}
	if scope.member == "" {
		return OrgView{}, Errorf(Forbidden, "only a person who signed in may change this")
	}
	return s.updateOrganization(ctx, scope, "update_login_methods", OrgUpdate{Settings: func(settings *OrgSettings) {
		if ssoOnly != nil {
			settings.SSOOnly = *ssoOnly
		}
	}})
}

// noPersonalYet refuses a second personal organization of one person, whose row it holds (R6).
func noPersonalYet(tx Tx, user UserID) error {
	if _, err := tx.System(systemScope()).Users().Lock(user); err != nil {
		return err
	}
	memberships, err := tx.System(systemScope()).Users().Memberships(user)
	if err == nil && slices.ContainsFunc(memberships, func(m Membership) bool { return m.Personal }) {
		err = Conflictf("is_personal", "you have a personal organization already")
	}
	return err
}

// EnsurePersonalOrganization makes the person's own organization where there may be one and is none yet (R6).
func (s *Service) EnsurePersonalOrganization(ctx context.Context, principal Principal) (made bool, err error) {
	if s.policy.PersonalOrgsDisabled || principal.user.ID == "" || s.policy.limited(principal.SessionProvider()) || principal.HomeOrg() != "" {
		return false, nil
	}
	if slices.ContainsFunc(principal.memberships, func(m Membership) bool { return m.Personal }) {
		return false, nil
	}
	_, err = s.CreateOrganization(ctx, principal, "Personal of "+principal.user.Email, true, "")
	if IsKind(err, Conflict) {
		return false, nil
	}
	return err == nil, err
}

// SetDefaultOrganization makes the scope's organization the one that first-time users join (R19).
// The actor must be Organization Admin of both, which is why it takes the principal.
func (s *Service) SetDefaultOrganization(ctx context.Context, principal Principal, org OrgID) error {
	scope, err := principal.In(org)
	if err != nil {
		return err
	}
	if err := scope.requireAdmin("make this the default organization"); err != nil {
		return err
	}
	return s.writeOrg(ctx, scope, func(tx Tx, orgTx OrgTx) error {
		installations := tx.System(systemScope()).Installation()
		installation, err := installations.Get()
		if err != nil {
			return err
		}
		if installation.DefaultOrg == org {
			return nil
		}
		if present, err := principal.In(installation.DefaultOrg); err != nil || present.role != RoleOrgAdmin {
			return Errorf(Forbidden, "an Organization Admin of the present default organization must do this: be Admin of both")
		}
		settings, err := orgTx.Settings().Get()
		if err != nil {
			return err
		}
		if settings.Personal {
			return Conflictf("organization", "a personal organization cannot be the default one")
		}
		changed, err := installations.SetDefaultOrg(installation.DefaultOrg, org)
		if err != nil {
			return err
		}
		if !changed {
			return Conflictf("organization", "somebody else changed the default organization just now; look again")
		}
		return record(tx, scope, "update_default_sso_provision_organization", Target{"organization", string(org), settings.DisplayName},
			map[string]any{"default_organization": installation.DefaultOrg}, map[string]any{"default_organization": org})
	})
}
