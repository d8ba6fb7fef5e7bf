package domain

import (
	"context"
	"slices"
)

// Invitation is an invite as its addressee sees it.
type Invitation struct {
	Org OrgView
	Invite
	// In are the invite's living workspaces.
	In []Workspace
}

// errNoInvite is the answer for an organization that did not invite the person, and for one that does not exist (R44).
func errNoInvite() error { return Errorf(NotFound, "there is no invite for you here") }

// OwnInvites lists the open invites for the person's address (R23); there are none for an address that nobody vouched for (R10).
func (s *Service) OwnInvites(ctx context.Context, principal Principal) ([]Invitation, error) {
	own := []Invitation{}
	err := s.store.Read(ctx, func(tx Tx) error {
		own = own[:0]
		user, err := tx.System(systemScope()).Users().Get(principal.user.ID)
		if err != nil || !user.EmailProved || user.Email == "" {
			return err
		}
		orgs, err := tx.System(systemScope()).Users().InvitedTo(Fold(user.Email))
		if err != nil {
			return err
		}
		for _, id := range orgs {
			invitation, err := s.invitation(tx, principal, user, id)
			if IsKind(err, NotFound) || IsKind(err, Forbidden) {
				continue
			}
			if err != nil {
				return err
			}
			own = append(own, invitation)
		}
		return nil
	})
	return own, err
}

// invitation returns the person's open invite of an organization.
// Forbidden is one that cannot be taken at present: invites are off, or the person came by a provider that does not serve the organization.
func (s *Service) invitation(tx Tx, principal Principal, user User, id OrgID) (Invitation, error) {
	if !ValidID(id) || !user.EmailProved || user.Email == "" {
		return Invitation{}, errNoInvite()
	}
	org := tx.Org(within(id, principal.actor))
	invite, err := org.Invites().ByEmail(Fold(user.Email))
	if IsKind(err, NotFound) || err == nil && !invite.Open(tx.Now()) {
		return Invitation{}, errNoInvite()
	}
	if err != nil {
		return Invitation{}, err
	}
	if !s.reaches(principal, id) {
		return Invitation{}, errNoInvite()
	}
	view, err := orgView(tx, org)
	if err != nil {
		return Invitation{}, err
	}
	if view.Default && !view.Settings.InvitesEnabled {
		return Invitation{}, Errorf(Forbidden, "invites are switched off in this organization; ask one of its Admins")
	}
	all, err := org.Workspaces().List(false)
	in := slices.DeleteFunc(all, func(w Workspace) bool { return !slices.Contains(invite.Workspaces, w.ID) })
	return Invitation{view, invite, in}, err
}

// reaches reports whether the principal may join an organization: the provider by which they came serves it (item 79).
func (s *Service) reaches(principal Principal, org OrgID) bool {
	if provider := principal.SessionProvider(); provider != "" {
		return s.policy.serves(provider, org)
	}
	home := principal.HomeOrg()
	return home == org || home == "" || len(s.policy.ownProviders(home)) == 0
}

// ClaimInvite makes the person a member of an organization that invited them (R23).
func (s *Service) ClaimInvite(ctx context.Context, principal Principal, id OrgID) (MemberView, error) {
	return s.claimOwn(ctx, principal, id, "claim_pending_organization_invite")
}

func (s *Service) claimOwn(ctx context.Context, principal Principal, id OrgID, operation string) (MemberView, error) {
	var view MemberView
	err := s.takeOwn(ctx, principal, id, func(tx Tx, org OrgTx, user User, invitation Invitation) error {
		member, err := claimInvite(tx, org, invitation.Invite, user.ID)
		if err != nil {
			return err
		}
		if view, err = oneMember(org, member.ID); err != nil {
			return err
		}
		roles, err := rolesNamed(org, invitation.roles()...)
		if err != nil {
			return err
		}
		return record(tx, within(id, principal.actor), operation, Target{"user", string(user.ID), user.Email}, nil, inviteFacts(invitation.Invite, roles))
	})
	return view, err
}

// takeOwn runs fn on the person's own invite, with the person's row held.
func (s *Service) takeOwn(ctx context.Context, principal Principal, id OrgID, fn func(Tx, OrgTx, User, Invitation) error) error {
	return s.store.Write(ctx, func(tx Tx) error {
		user, err := tx.System(systemScope()).Users().Lock(principal.user.ID)
		if err != nil {
			return err
		}
		invitation, err := s.invitation(tx, principal, user, id)
		if err != nil {
			return err
		}
		return fn(tx, tx.Org(within(id, principal.actor)), user, invitation)
	})
}

// DeclineInvite ends the person's own invite; it lets nobody in any more (R23).
func (s *Service) DeclineInvite(ctx context.Context, principal Principal, id OrgID) error {
	return s.takeOwn(ctx, principal, id, func(tx Tx, org OrgTx, _ User, invitation Invitation) error {
		return endInvite(tx, org, within(id, principal.actor), invitation.Invite, "delete_pending_organization_invite")
	})
}

// ClaimWorkspaceInvite takes the invite that a workspace is part of, whole: nobody is in a workspace and not in its organization.
func (s *Service) ClaimWorkspaceInvite(ctx context.Context, principal Principal, id WorkspaceID) (MemberView, error) {
	invitation, err := s.ownInviteTo(ctx, principal, id)
	if err != nil {
		return MemberView{}, err
	}
	return s.claimOwn(ctx, principal, invitation.Org.ID, "claim_pending_workspace_invite")
}

// DeclineWorkspaceInvite takes a workspace out of the person's own invite.
func (s *Service) DeclineWorkspaceInvite(ctx context.Context, principal Principal, id WorkspaceID) error {
	found, err := s.ownInviteTo(ctx, principal, id)
	if err != nil {
		return err
	}
	return s.takeOwn(ctx, principal, found.Org.ID, func(tx Tx, org OrgTx, _ User, invitation Invitation) error {
		if !slices.Contains(invitation.Workspaces, id) {
			return errNoInvite()
		}
		return leaveOut(tx, org, within(found.Org.ID, principal.actor), invitation.Invite, id, "delete_pending_workspace_invite")
	})
}

func (s *Service) ownInviteTo(ctx context.Context, principal Principal, id WorkspaceID) (Invitation, error) {
	own, err := s.OwnInvites(ctx, principal)
	if err != nil {
		return Invitation{}, err
	}
	for _, invitation := range own {
		if slices.ContainsFunc(invitation.In, func(w Workspace) bool { return w.ID == id }) {
			return invitation, nil
		}
	}
	return Invitation{}, errNoInvite()
}
