package domain

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// GrantKind is why somebody has a role.
type GrantKind string

// The grants. GrantSCIM is the floor under a person whom an identity provider created and no group speaks about;
// GrantSSOGroup is a group named in an ID token.
const (
	GrantManual    GrantKind = "manual"
	GrantInvite    GrantKind = "invite"
	GrantJIT       GrantKind = "jit"
	GrantGroup     GrantKind = "group"
	GrantBootstrap GrantKind = "bootstrap"
	GrantSCIM      GrantKind = "scim"
	GrantSSOGroup  GrantKind = "sso_group"
)

// Grant is a role with the reason for which it is held.
type Grant struct {
	Kind GrantKind `json:"kind"`
	Role RoleID    `json:"role"`
	// Source is the id of the group, invite or person that gave it, and SourceName how a reader knows it.
	Source     string    `json:"source,omitempty"`
	SourceName string    `json:"source_name,omitempty"`
	At         time.Time `json:"at"`
}

// Held is the grant in force in one place, and the one that a group replaced there (R36), kept for the explanation only.
type Held struct {
	Grant
	Replaced *Grant
}

// Holding is all that one member holds: the org role and a row per workspace.
type Holding struct {
	Org        Held
	Workspaces map[WorkspaceID]Held
}

// GroupGrants is a group that a member is in, with what its mapping gives.
type GroupGrants struct {
	ID   GroupID
	Name string
	// Created decides which group wins in a workspace (R34).
	Created time.Time
	Mapping
}

// Resolve returns what a member holds when exactly these groups speak about them (R34-R36).
// It is the one place that decides: provisioning, preview and explanation all ask it.
func Resolve(held Holding, groups []GroupGrants, now time.Time) Holding {
	next := Holding{Org: resolveOrg(held.Org, groups, now), Workspaces: map[WorkspaceID]Held{}}
	for workspace, have := range held.Workspaces {
		if have.Kind != GrantGroup {
			next.Workspaces[workspace] = have
		}
	}
	for workspace, winner := range workspaceWinners(groups) {
		next.Workspaces[workspace] = grantedBy(winner, winner.Workspaces[workspace], held.Workspaces[workspace], now)
	}
	return next
}

// resolveOrg lets the most powerful group decide (R34); a bootstrap Admin is never lowered (R36).
func resolveOrg(have Held, groups []GroupGrants, now time.Time) Held {
	if have.Kind == GrantBootstrap {
		return have
	}
	speaking := slices.DeleteFunc(slices.Clone(groups), func(g GroupGrants) bool { return g.OrgRole == "" })
	if len(speaking) > 0 {
		winner := slices.MaxFunc(speaking, byOrgPower)
		return grantedBy(winner, winner.OrgRole, have, now)
	}
	if have.Kind == GrantGroup {
		return Held{Grant: Grant{Kind: GrantSCIM, Role: RoleOrgUser, At: now}}
	}
	return have
}

// workspaceWinners returns, per workspace that a group speaks about, the most recently created such group (R34).
func workspaceWinners(groups []GroupGrants) map[WorkspaceID]GroupGrants {
	winners := map[WorkspaceID]GroupGrants{}
	for _, group := range groups {
		for workspace := range group.Workspaces {
			best, found := winners[workspace]
			if !found || byCreation(group, best) > 0 {
				winners[workspace] = group
			}
		}
	}
	return winners
}

// grantedBy replaces what was held by the group's grant; the time stays when the group merely keeps it.
func grantedBy(group GroupGrants, role RoleID, have Held, now time.Time) Held {
	next := Held{Grant: Grant{Kind: GrantGroup, Role: role, Source: string(group.ID), SourceName: group.Name, At: now}}
	switch have.Kind {
	case GrantGroup:
		next.Replaced = have.Replaced
		if have.Source == next.Source && have.Role == role {
			next.At = have.At
		}
	case "":
	case GrantManual, GrantInvite, GrantJIT, GrantBootstrap, GrantSCIM, GrantSSOGroup:
		replaced := have.Grant
		next.Replaced = &replaced
	}
	return next
}

// byCreation orders groups by creation, the later the greater; the id decides between twins.
func byCreation(a, b GroupGrants) int {
	return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
}

func byOrgPower(a, b GroupGrants) int {
	return cmp.Or(cmp.Compare(orgPower(a.OrgRole), orgPower(b.OrgRole)), byCreation(a, b))
}

// AccessChange is what must be written so that a member holds what Resolve says.
type AccessChange struct {
	Member MemberID
	// Org is nil when the org role stays as it is.
	Org *Held
	// Put holds new and changed workspace rows, Drop the workspaces left.
	Put  map[WorkspaceID]Held
	Drop []WorkspaceID
}

// Empty reports whether nothing has to be written.
func (c AccessChange) Empty() bool { return c.Org == nil && len(c.Put) == 0 && len(c.Drop) == 0 }

// Difference returns what leads from one holding to another.
func Difference(member MemberID, from, to Holding) AccessChange {
	change := AccessChange{Member: member}
	if !sameHeld(from.Org, to.Org) {
		change.Org = &to.Org
	}
	for workspace, held := range to.Workspaces {
		if have, ok := from.Workspaces[workspace]; !ok || !sameHeld(have, held) {
			if change.Put == nil {
				change.Put = map[WorkspaceID]Held{}
			}
			change.Put[workspace] = held
		}
	}
	for _, workspace := range slices.Sorted(maps.Keys(from.Workspaces)) {
		if _, ok := to.Workspaces[workspace]; !ok {
			change.Drop = append(change.Drop, workspace)
		}
	}
	return change
}

func sameHeld(a, b Held) bool {
	return sameGrant(a.Grant, b.Grant) && (a.Replaced == nil) == (b.Replaced == nil) &&
		(a.Replaced == nil || sameGrant(*a.Replaced, *b.Replaced))
}

func sameGrant(a, b Grant) bool {
	return a.Kind == b.Kind && a.Role == b.Role && a.Source == b.Source && a.SourceName == b.SourceName && a.At.Equal(b.At)
}
