package domain

import (
	"context"
	"slices"
)

// WorkspaceMembers lists who is in a workspace by a membership of their own.
// An Organization Admin is Admin of every workspace without one (R3) and is then not in the list.
// A workspace that the scope may not see is NotFound (R44).
func (s *Service) WorkspaceMembers(ctx context.Context, scope OrgScope, id WorkspaceID, query MemberQuery) ([]MemberView, error) {
	members := []MemberView{}
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		view, err := visibleWorkspace(org, scope, id)
		if err != nil {
			return err
		}
		if !scope.Has(PermOrgManage) && !slices.Contains(view.Permissions, PermWorkRead) {
			return Errorf(Forbidden, "this needs the permission %q in the workspace; ask one of its Admins", PermWorkRead)
		}
		query.Workspace = id
		found, err := org.Members().List(query)
		members = append(members[:0], found...)
		return err
	})
	return members, err
}
