package domain

// admit applies R12 to the default organization: member, deprovisioned, invited, JIT, or refused.
func (a *signIn) admit() error {
	if !a.serves(a.installation.DefaultOrg) {
		return a.admitElsewhere("the provider does not serve the default organization")
	}
	org := a.tx.Org(within(a.installation.DefaultOrg, a.actor()))
	first, err := a.firstAdmin(org)
	if err != nil || first {
		return err
	}
	member, err := a.memberHere(org)
	if err != nil && !IsKind(err, NotFound) {
		return err
	}
	if err := a.requireGroup(a.installation.DefaultOrg, err == nil && member.Status == Active); err != nil {
		return err
	}
	switch {
	case err == nil && member.Status == Active:
		return nil
	case err == nil:
		return a.readmit(org)
	default:
		return a.join(org)
	}
}

// memberHere is the person's membership in the default organization.
func (a *signIn) memberHere(org OrgTx) (Member, error) {
	switch {
	case a.door == nil:
		return org.Members().ByUser(a.user.ID)
	case a.door.Member == nil:
		return Member{}, Errorf(NotFound, "no membership")
	default:
		return *a.door.Member, nil
	}
}

// readmit lets a disabled member in who was invited since: disabling withdraws older invites (R30).
func (a *signIn) readmit(org OrgTx) error {
	settings, err := org.Settings().Get()
	if err != nil {
		return err
	}
	if claimed, err := a.claim(org, settings); err != nil || claimed {
		return err
	}
	return a.refuse(ReasonDisabled, "the membership is disabled")
}

// join is for somebody who is not a member of the default organization yet.
func (a *signIn) join(org OrgTx) error {
	gone, err := org.Tombstones().Any(a.marks())
	if err != nil {
		return err
	}
	if gone {
		return a.refuse(ReasonDeprovisioned, "a tombstone names this person (R30)")
	}
	settings, err := org.Settings().Get()
	if err != nil {
		return err
	}
	if claimed, err := a.claim(org, settings); err != nil || claimed {
		return err
	}
	if s := settings.Settings; s.JITEnabled && a.policy.JITEnabled {
		return a.joinByJIT(org)
	}
	return a.admitElsewhere("no invite, and joining at first sign-in is off")
}

func (a *signIn) marks() []Digest {
	marks := []Digest{identityMark(a.claims.Issuer, a.claims.Subject), subjectMark(a.claims.Subject)}
	if a.claims.EmailTrusted {
		marks = append(marks, marksOf(a.emailKey)...)
	}
	return marks
}

// admitElsewhere lets a member of another organization in; whoever is in none is refused.
// An organization's own provider is the only door its invited people have, so their invites are claimed at it.
func (a *signIn) admitElsewhere(why string) error {
	for _, id := range a.policy.Providers[a.claims.Provider].Orgs {
		if err := a.claimAt(id); err != nil {
			return err
		}
	}
	memberships, err := a.system.Users().Memberships(a.user.ID)
	if err != nil {
		return err
	}
	for _, membership := range memberships {
		if membership.Member.Status == Active && a.serves(membership.Org) {
			return nil
		}
	}
	return a.refuse(ReasonNotInvited, why)
}

// claimAt claims a pending invite of an organization that the provider was made for, unless that organization asks for a group
// that the person is not in.
func (a *signIn) claimAt(id OrgID) error {
	if id == a.installation.DefaultOrg {
		return nil
	}
	org := a.tx.Org(within(id, a.actor()))
	settings, err := org.Settings().Get()
	if IsKind(err, NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	member, err := org.Members().ByUser(a.user.ID)
	if err != nil && !IsKind(err, NotFound) {
		return err
	}
	if err == nil && member.Status == Active {
		return a.requireGroup(id, true)
	}
	if invite, err := org.Invites().ByEmail(a.emailKey); IsKind(err, NotFound) || err == nil && !invite.Open(a.tx.Now()) {
		return nil
	} else if err != nil {
		return err
	}
	if err := a.requireGroup(id, false); err != nil {
		return err
	}
	_, err = a.claim(org, settings)
	return err
}

// syncAll brings the roles that the token's groups give up to date: in the default organization,
// or in those that the provider was made for.
func (a *signIn) syncAll() error {
	orgs := a.policy.Providers[a.claims.Provider].Orgs
	if orgs == nil {
		orgs = []OrgID{a.installation.DefaultOrg}
	}
	for _, id := range orgs {
		scope := within(id, a.actor())
		sso, err := a.ssoSettings(id)
		if IsKind(err, NotFound) || err == nil && (!sso.GroupsEnabled || !sso.GroupsRoleSync && !a.joinedAt[id]) {
			continue
		}
		if err != nil {
			return err
		}
		member, err := a.tx.Org(scope).Members().ByUser(a.user.ID)
		if IsKind(err, NotFound) || err == nil && member.Status != Active {
			continue
		}
		if err != nil {
			return err
		}
		if err := a.syncGroups(scope, sso, member.ID); err != nil {
			return err
		}
	}
	return nil
}

// claim takes a pending invite, where invites are on: its roles and workspaces and nothing else (R12).
func (a *signIn) claim(org OrgTx, settings Org) (bool, error) {
	if !settings.Settings.InvitesEnabled || !a.claims.EmailTrusted {
		return false, nil
	}
	invite, err := org.Invites().ByEmail(a.emailKey)
	if IsKind(err, NotFound) || err == nil && !invite.Open(a.tx.Now()) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if _, err := claimInvite(a.tx, org, invite, a.user.ID); err != nil {
		return false, err
	}
	a.joined, a.joinedAt[settings.ID] = true, true
	scope := within(settings.ID, a.actor())
	roles, err := rolesNamed(org, invite.roles()...)
	if err != nil {
		return false, err
	}
	facts := inviteFacts(invite, roles)
	return true, record(a.tx, scope, "claim_pending_organization_invite", a.target(), nil, facts)
}

// claimInvite makes the membership an invite promises and removes the invite.
// A membership that was disabled is enabled with it; what a group grants stays the group's (R36).
func claimInvite(tx Tx, org OrgTx, invite Invite, user UserID) (Member, error) {
	grant := Grant{Kind: GrantInvite, Source: string(invite.ID), SourceName: invite.InvitedBy, At: tx.Now()}
	role := grant
	role.Role = invite.Role
	member, created, err := ensureMember(tx, org, user, role)
	if err != nil {
		return Member{}, err
	}
	if !created && member.Status != Active {
		if member, err = enable(org, member, role); err != nil {
			return Member{}, err
		}
	}
	if err := enterByInvite(org, member.ID, invite, grant); err != nil {
		return Member{}, err
	}
	return member, org.Invites().Delete(invite.ID)
}

// enable lets a disabled member in again, with the role given unless a group or start-up grants theirs.
func enable(org OrgTx, member Member, role Grant) (Member, error) {
	if err := org.Members().SetStatus(member.ID, Active); err != nil {
		return Member{}, err
	}
	member.Status = Active
	if member.Role.Kind == GrantGroup || member.Role.Kind == GrantBootstrap {
		return member, nil
	}
	member.Role = Held{Grant: role}
	return member, org.Access().Save([]AccessChange{{Member: member.ID, Org: &member.Role}})
}

// enterByInvite leaves out the workspaces in which a group grants the role already.
func enterByInvite(org OrgTx, member MemberID, invite Invite, grant Grant) error {
	if len(invite.Workspaces) == 0 {
		return nil
	}
	holdings, err := org.Access().Load([]MemberID{member})
	if err != nil {
		return err
	}
	for _, id := range invite.Workspaces {
		if holdings[member].Workspaces[id].Kind == GrantGroup {
			continue
		}
		grant.Role = invite.RoleIn(id)
		if _, err := enterWorkspaces(org, member, []WorkspaceID{id}, grant); err != nil {
			return err
		}
	}
	return nil
}

// enterWorkspaces gives the grant in every workspace that still lives, and returns those that do not (R18).
func enterWorkspaces(org OrgTx, member MemberID, workspaces []WorkspaceID, grant Grant) (skipped []WorkspaceID, err error) {
	change := AccessChange{Member: member, Put: map[WorkspaceID]Held{}}
	for _, id := range workspaces {
		workspace, err := org.Workspaces().Get(id)
		if IsKind(err, NotFound) || err == nil && workspace.Deleted() {
			skipped = append(skipped, id)
			continue
		}
		if err != nil {
			return nil, err
		}
		change.Put[id] = Held{Grant: grant}
	}
	if change.Empty() {
		return skipped, nil
	}
	return skipped, org.Access().Save([]AccessChange{change})
}

// joinByJIT makes the person Organization User with the configured role in the configured workspaces (R14).
func (a *signIn) joinByJIT(org OrgTx) error {
	sso, err := a.ssoSettings(a.installation.DefaultOrg)
	if err != nil {
		return err
	}
	grant := Grant{Kind: GrantJIT, SourceName: a.claims.Provider, At: a.tx.Now()}
	role := grant
	role.Role = RoleOrgUser
	member, created, err := ensureMember(a.tx, org, a.user.ID, role)
	if err != nil || !created {
		return a.raced(member, err)
	}
	grant.Role = sso.DefaultWorkspaceRole
	skipped, err := enterWorkspaces(org, member.ID, sso.DefaultWorkspaces, grant)
	if err != nil {
		return err
	}
	a.joined, a.joinedAt[a.installation.DefaultOrg] = true, true
	roles, err := rolesNamed(org, grant.Role)
	if err != nil {
		return err
	}
	after := map[string]any{"org_role": RoleName(RoleOrgUser), "workspace_role": roles.Name(grant.Role), "workspaces": sso.DefaultWorkspaces}
	if len(skipped) > 0 {
		after["skipped_deleted_workspaces"] = skipped
	}
	return record(a.tx, within(a.installation.DefaultOrg, a.actor()), "jit_join_organization", a.target(), nil, after)
}

// raced is for a person whom SCIM made a member between our look and our insert (R17).
func (a *signIn) raced(member Member, err error) error {
	if err == nil && member.Status != Active {
		return a.refuse(ReasonDisabled, "the membership is disabled")
	}
	return err
}

// firstAdmin makes the person with start-up's address Organization Admin of the initial organization, once (R7).
func (a *signIn) firstAdmin(org OrgTx) (bool, error) {
	if wanted, err := a.isFirstAdmin(org); err != nil || !wanted {
		return false, err
	}
	if left, err := a.deprovisioned(org); err != nil || left {
		return false, err
	}
	claimed, err := a.system.Installation().ClaimAdmin(a.user.ID)
	if err != nil || !claimed {
		return false, err
	}
	role := Grant{Kind: GrantBootstrap, Role: RoleOrgAdmin, SourceName: "start-up", At: a.tx.Now()}
	member, created, err := ensureMember(a.tx, org, a.user.ID, role)
	if err != nil {
		return false, err
	}
	if !created {
		if err := raise(org, member, role, true); err != nil {
			return false, err
		}
	}
	a.joined, a.joinedAt[a.installation.DefaultOrg] = created, created
	after := map[string]any{"org_role": RoleName(RoleOrgAdmin), "grant": GrantBootstrap}
	return true, record(a.tx, within(a.installation.DefaultOrg, a.actor()), "update_org_member", a.target(), nil, after)
}

// isFirstAdmin reports whether the person has start-up's address, or came by the set-up link while there is no Admin.
func (a *signIn) isFirstAdmin(org OrgTx) (bool, error) {
	if a.claims.SetUp {
		return a.bySetUpLink(org)
	}
	if a.installation.Admin != "" || !a.claims.EmailTrusted || a.installation.InitialOrg != a.installation.DefaultOrg {
		return false, nil
	}
	wanted := a.policy.InitialAdminEmail
	return wanted != "" && Fold(wanted) == a.emailKey, nil
}

// bySetUpLink refuses whoever comes second with the link: they can sign in without it.
func (a *signIn) bySetUpLink(org OrgTx) (bool, error) {
	if _, err := org.Settings().Lock(); err != nil {
		return false, err
	}
	open, err := a.setUpOpen(org, a.installation)
	if err == nil && (!open || !a.claims.EmailTrusted) {
		err = a.refuse(ReasonSetUpOver, "somebody is Organization Admin already")
	}
	return err == nil, err
}

// deprovisioned reports whether the person was disabled, or deleted through SCIM (R30).
func (a *signIn) deprovisioned(org OrgTx) (bool, error) {
	member, err := org.Members().ByUser(a.user.ID)
	if err == nil {
		return member.Status != Active, nil
	}
	if !IsKind(err, NotFound) {
		return false, err
	}
	return org.Tombstones().Any(a.marks())
}

// personalOrg makes a first-time person's own organization where the operator allows them (R6).
func (a *signIn) personalOrg() error {
	if a.policy.PersonalOrgsDisabled || !a.joined || a.policy.limited(a.claims.Provider) {
		return nil
	}
	memberships, err := a.system.Users().Memberships(a.user.ID)
	if err != nil {
		return err
	}
	for _, membership := range memberships {
		if membership.Personal {
			return nil
		}
	}
	name, err := checkName("Personal of " + a.user.Email)
	if err != nil {
		name = "Personal"
	}
	org := Org{ID: newID[OrgID](a.tx.Now()), DisplayName: name, Personal: true, CreatedBy: a.user.ID}
	return a.insertOwnedOrg(a.tx, org, a.actor(), a.user.ID)
}

// insertOwnedOrg creates an organization whose first Admin is the person who made it.
func (s *Service) insertOwnedOrg(tx Tx, org Org, actor Actor, owner UserID) error {
	if err := s.insertOrg(tx, org, s.policy.DefaultWorkspaceName, actor); err != nil {
		return err
	}
	role := Grant{Kind: GrantManual, Role: RoleOrgAdmin, Source: string(owner), SourceName: actor.Name, At: tx.Now()}
	_, _, err := ensureMember(tx, tx.Org(within(org.ID, actor)), owner, role)
	return err
}
