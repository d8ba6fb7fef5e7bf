package domain

import (
	"context"
)

// Me is what a principal sees of itself: every organization, workspace and role, and why.
type Me struct {
	User          User
	Organizations []MyOrg
}

// MyOrg is one organization of a person with their access explained.
type MyOrg struct {
	ID       OrgID
	Name     string
	Personal bool
	Default  bool
	Member   MemberID
	Explanation
}

// Me explains all of a person's access.
func (s *Service) Me(ctx context.Context, principal Principal) (Me, error) {
	me := Me{User: principal.user, Organizations: []MyOrg{}}
	err := s.store.Read(ctx, func(tx Tx) error {
		installation, err := tx.System(systemScope()).Installation().Get()
		if err != nil {
			return err
		}
		me.Organizations = me.Organizations[:0]
		for _, membership := range principal.memberships {
			scope, err := principal.In(membership.Org)
			if err != nil {
				return err
			}
			explanation, err := explainMember(tx.Org(scope), membership.Member.ID)
			if err != nil {
				return err
			}
			me.Organizations = append(me.Organizations, MyOrg{
				ID: membership.Org, Name: membership.OrgName, Personal: membership.Personal,
				Default: installation.DefaultOrg == membership.Org,
				Member:  membership.Member.ID, Explanation: explanation,
			})
		}
		return nil
	})
	return me, err
}

// Explain says what a member holds and why (R37); everybody may ask about themselves.
func (s *Service) Explain(ctx context.Context, scope OrgScope, id MemberID) (Explanation, error) {
	if scope.member != id {
		if err := scope.require(PermOrgRead); err != nil {
			return Explanation{}, err
		}
	}
	if !ValidID(id) {
		return Explanation{}, unknownResource("member", string(id))
	}
	var explanation Explanation
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		if _, err := org.Members().Get(id); err != nil {
			return renameNotFound(err, "member", string(id))
		}
		var err error
		explanation, err = explainMember(org, id)
		return err
	})
	return explanation, err
}

// explainMember reads what Resolve would read and explains it.
func explainMember(org OrgTx, id MemberID) (Explanation, error) {
	holdings, err := org.Access().Load([]MemberID{id})
	if err != nil {
		return Explanation{}, err
	}
	groups, err := org.Access().Groups([]MemberID{id})
	if err != nil {
		return Explanation{}, err
	}
	workspaces, err := org.Workspaces().List(false)
	if err != nil {
		return Explanation{}, err
	}
	explanation := Explain(holdings[id], groups[id], workspaces)
	roles, err := rolesNamed(org, explanation.roles()...)
	explanation.name(roles)
	return explanation, err
}
