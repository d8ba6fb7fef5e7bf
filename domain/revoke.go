package domain

import (
	"slices"
	"time"
)

// revokeAll ends what lets a person act in the scope's organization: their tokens there and their sessions (R27).
// Every path that takes access away calls it in the transaction that does so.
// Sessions live on only for a person who is still active in another organization and was not shut out of the default one:
// such a session can no longer act here, and one organization cannot sign another's people out.
// The memberships are the person's, read since the caller holds their lock.
func revokeAll(tx Tx, scope OrgScope, user UserID, memberships []Membership) error {
	system := tx.System(systemScope())
	stays := false
	if activeElsewhere(memberships, scope.org) {
		installation, err := system.Installation().Get()
		if err != nil {
			return err
		}
		stays = installation.DefaultOrg != scope.org
	}
	if err := tx.Org(scope).Keys().DeleteOfUser(user); err != nil || stays {
		return err
	}
	return system.Sessions().DeleteOfUser(user)
}

func activeElsewhere(memberships []Membership, org OrgID) bool {
	return slices.ContainsFunc(memberships, func(m Membership) bool { return m.Org != org && m.Member.Status == Active })
}

// removeMember ends a membership; the person's record goes too when no organization holds them any more (R28).
// The caller holds the person's lock.
func removeMember(tx Tx, scope OrgScope, member Member) error {
	if err := bumpGroupsOf(tx.Org(scope), member.ID, tx.Now()); err != nil {
		return err
	}
	if err := tx.Org(scope).Members().Delete(member.ID); err != nil {
		return err
	}
	if err := tx.Org(scope).UniqueValues().Delete(string(member.ID)); err != nil {
		return err
	}
	system := tx.System(systemScope())
	memberships, err := system.Users().Memberships(member.User)
	if err != nil {
		return err
	}
	if err := revokeAll(tx, scope, member.User, memberships); err != nil || len(memberships) > 0 {
		return err
	}
	if err := system.Identities().DeleteOfUser(member.User); err != nil {
		return err
	}
	return system.Users().Delete(member.User)
}

// bumpGroupsOf raises version and time of the groups that are about to lose a member, because their members are part of them.
func bumpGroupsOf(org OrgTx, id MemberID, now time.Time) error {
	user, err := org.SCIMUsers().Get(id)
	if IsKind(err, NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	ids := make([]GroupID, len(user.Groups))
	for i, group := range user.Groups {
		ids[i] = group.ID
	}
	return bumpGroups(org, ids, now)
}

// bumpGroups raises version and time of groups.
func bumpGroups(org OrgTx, ids []GroupID, now time.Time) error {
	for _, id := range ids {
		bumped, err := org.Groups().Bump(id)
		if err != nil {
			return err
		}
		bumped.Version, bumped.UpdatedAt = bumped.Version+1, now
		if err := org.Groups().Update(bumped); err != nil {
			return err
		}
	}
	return nil
}
