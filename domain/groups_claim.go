package domain

import (
	"context"
	"slices"
	"time"
)

// SSO groups sync: what the group names in an ID token give, by the names of R31 and the mappings of R32.
// It manages what it granted itself, and what joining by sign-in gave; what a person, an invite or a SCIM group gave stays.

// tokenGrants is what the groups of one token give in one organization.
type tokenGrants struct {
	// org is empty when no group speaks about the org role.
	org        Grant
	workspaces map[WorkspaceID]Grant
}

func (g tokenGrants) empty() bool { return g.org.Role == "" && len(g.workspaces) == 0 }

// readTokenGroups returns what the names give; where two speak about one place the more powerful role counts,
// because a token's groups have no order in time.
func readTokenGroups(names []string, read func(name string) Mapping, now time.Time) tokenGrants {
	grants := tokenGrants{workspaces: map[WorkspaceID]Grant{}}
	for _, name := range names {
		mapping := read(name)
		grant := Grant{Kind: GrantSSOGroup, SourceName: name, At: now}
		if mapping.OrgRole != "" && orgPower(mapping.OrgRole) > orgPower(grants.org.Role) {
			grants.org = grant
			grants.org.Role = mapping.OrgRole
		}
		for workspace, role := range mapping.Workspaces {
			if held, ok := grants.workspaces[workspace]; !ok || workspacePower(role) > workspacePower(held.Role) {
				grant.Role = role
				grants.workspaces[workspace] = grant
			}
		}
	}
	return grants
}

// resolveToken returns what a member holds after a sign-in whose token gives these grants.
func resolveToken(held Holding, grants tokenGrants, now time.Time) Holding {
	next := Holding{Org: held.Org, Workspaces: map[WorkspaceID]Held{}}
	switch {
	case !managedBySignIn(held.Org):
	case grants.org.Role != "":
		next.Org = keptSince(held.Org, grants.org)
	case held.Org.Kind == GrantSSOGroup:
		next.Org = Held{Grant: Grant{Kind: GrantJIT, Role: RoleOrgUser, At: now}}
	}
	for workspace, have := range held.Workspaces {
		if have.Kind != GrantSSOGroup {
			next.Workspaces[workspace] = have
		}
	}
	for workspace, grant := range grants.workspaces {
		if have := held.Workspaces[workspace]; managedBySignIn(have) {
			next.Workspaces[workspace] = keptSince(have, grant)
		}
	}
	return next
}

// managedBySignIn reports whether sign-in may replace what is held: nothing, its own, and the floor that SCIM puts under a person.
func managedBySignIn(held Held) bool {
	switch held.Kind {
	case "", GrantJIT, GrantSSOGroup, GrantSCIM:
		return true
	case GrantManual, GrantInvite, GrantGroup, GrantBootstrap:
		return false
	default:
		return false
	}
}

// keptSince keeps the time of a grant that stays the same.
func keptSince(have Held, grant Grant) Held {
	if have.Kind == GrantSSOGroup && have.Role == grant.Role && have.SourceName == grant.SourceName {
		return have
	}
	return Held{Grant: grant}
}

// workspacePower orders the workspace roles.
func workspacePower(role RoleID) int {
	return slices.Index([]RoleID{RoleWorkViewer, RoleWorkEditor, RoleWorkAdmin}, role)
}

// groupsOf is what the token says about groups: known is false when the provider left them out for their number,
// or was not asked for them, and then nothing may be concluded (item 74).
func (c Claims) groupsOf(claim string) (names []string, known bool) {
	names, known = c.Groups[claim]
	return names, known
}

// NeededClaims names the claims that the organizations a provider serves read group names from.
func (s *Service) NeededClaims(ctx context.Context, provider string) ([]string, error) {
	var claims []string
	err := s.store.Read(ctx, func(tx Tx) error {
		claims = nil
		orgs := s.policy.Providers[provider].Orgs
		if orgs == nil {
			installation, err := tx.System(systemScope()).Installation().Get()
			if err != nil {
				return err
			}
			orgs = []OrgID{installation.DefaultOrg}
		}
		for _, id := range orgs {
			sso, err := tx.Org(within(id, systemActor())).Settings().SSO()
			if err != nil && !IsKind(err, NotFound) {
				return err
			}
			if err == nil && sso.GroupsEnabled {
				claims = append(claims, sso.GroupsClaim)
			}
		}
		return nil
	})
	return unique(claims), err
}

// tokenGroups returns the grants of the token's groups in the organization; known is false when the token does not tell.
func (a *signIn) tokenGroups(org OrgTx, sso SSOSettings) (grants tokenGrants, known bool, err error) {
	names, known := a.claims.groupsOf(sso.GroupsClaim)
	if !known {
		return tokenGrants{}, false, nil
	}
	conventions, err := readNames(org)
	if err != nil {
		return tokenGrants{}, false, err
	}
	keys := make([]string, len(names))
	for i, name := range names {
		keys[i] = Fold(name)
	}
	mapped, err := org.Groups().Explicit(keys)
	if err != nil {
		return tokenGrants{}, false, err
	}
	explicit := map[string]Mapping{}
	for _, group := range mapped {
		explicit[Fold(group.DisplayName)] = group.Mapping
	}
	return readTokenGroups(names, func(name string) Mapping {
		if mapping, ok := explicit[Fold(name)]; ok {
			return mapping
		}
		mapping, _ := conventions.Read(name)
		return mapping
	}, a.tx.Now()), true, nil
}

// requireGroup refuses a sign-in without a matching group where the organization asks for one.
// When the groups are unknown a member may pass and a newcomer may not.
func (a *signIn) requireGroup(id OrgID, member bool) error {
	org := a.tx.Org(within(id, a.actor()))
	sso, err := a.ssoSettings(id)
	if err != nil || !sso.GroupsEnabled || !sso.GroupsRequired {
		return err
	}
	grants, known, err := a.tokenGroups(org, sso)
	switch {
	case err != nil:
		return err
	case !known && !member:
		return a.refuse(ReasonNoGroup, "the token does not list the groups: there are too many")
	case known && grants.empty():
		return a.refuse(ReasonNoGroup, "no group of the token maps to anything in claim "+sso.GroupsClaim)
	default:
		return nil
	}
}

// ssoSettings reads an organization's settings once in a sign-in.
func (a *signIn) ssoSettings(id OrgID) (SSOSettings, error) {
	if sso, ok := a.sso[id]; ok {
		return sso, nil
	}
	sso, err := a.tx.Org(within(id, a.actor())).Settings().SSO()
	if err == nil {
		a.sso[id] = sso
	}
	return sso, err
}

// syncGroups gives the member what the token's groups say, and takes back what an earlier token's groups gave.
func (a *signIn) syncGroups(scope OrgScope, sso SSOSettings, member MemberID) error {
	org := a.tx.Org(scope)
	grants, known, err := a.tokenGroups(org, sso)
	if err != nil || !known {
		return err
	}
	holdings, err := org.Access().Load([]MemberID{member})
	if err != nil || Difference(member, holdings[member], resolveToken(holdings[member], grants, a.tx.Now())).Empty() {
		return err
	}
	// The organization's lock keeps two Admins from losing their groups at once; what is held is read again behind it.
	if _, err := org.Settings().Lock(); err != nil {
		return err
	}
	if err := org.Members().Lock([]MemberID{member}); err != nil {
		return err
	}
	if holdings, err = org.Access().Load([]MemberID{member}); err != nil {
		return err
	}
	held := holdings[member]
	next := resolveToken(held, grants, a.tx.Now())
	if err := a.keepLastAdmin(org, held, &next); err != nil {
		return err
	}
	change := Difference(member, held, next)
	if change.Empty() {
		return nil
	}
	if err := org.Access().Save([]AccessChange{change}); err != nil {
		return err
	}
	facts, err := accessFacts(org, []AccessChange{change}, holdings)
	if err != nil || len(facts) == 0 {
		return err
	}
	names, _ := a.claims.groupsOf(sso.GroupsClaim)
	return record(a.tx, scope, "sync_sso_groups", a.target(), nil, map[string]any{"access": facts[0], "groups": names})
}

// keepLastAdmin leaves the last Organization Admin in office when a token no longer says so (R8, item 75).
func (a *signIn) keepLastAdmin(org OrgTx, held Holding, next *Holding) error {
	if held.Org.Role != RoleOrgAdmin || next.Org.Role == RoleOrgAdmin {
		return nil
	}
	admins, err := org.Members().CountAdmins()
	if err == nil && admins <= 1 {
		next.Org = held.Org
	}
	return err
}
