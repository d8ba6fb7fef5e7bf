package domain

import "context"

// GetUser returns a SCIM user with its groups and its document as text, or NotFound.
func (s *Service) GetUser(ctx context.Context, scope OrgScope, id MemberID) (SCIMUser, error) {
	if err := scope.requireSCIM(); err != nil {
		return SCIMUser{}, err
	}
	if !ValidID(id) {
		return SCIMUser{}, unknownResource("User", string(id))
	}
	var user SCIMUser
	err := s.readPresumed(ctx, scope, func(org OrgTx) (bool, error) {
		var err error
		user, err = org.SCIMUsers().Fetch(id, scope.presumed)
		return true, renameNotFound(err, TypeUser, string(id))
	})
	return user, err
}

// People finds the Users that references mean, by id or by externalId, because some providers name a manager before they create them (S15).
func (s *Service) People(ctx context.Context, scope OrgScope, references []string) (map[string]Person, error) {
	if err := scope.requireSCIM(); err != nil {
		return nil, err
	}
	var people map[string]Person
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		var err error
		people, err = org.SCIMUsers().People(unique(references))
		return err
	})
	return people, err
}

// QueryUsers returns one page of SCIM users.
func (s *Service) QueryUsers(ctx context.Context, scope OrgScope, query Query) (Result[SCIMUser], error) {
	if err := scope.requireSCIM(); err != nil {
		return Result[SCIMUser]{}, err
	}
	var result Result[SCIMUser]
	query.Holding = scope.presumed
	err := s.readPresumed(ctx, scope, func(org OrgTx) (bool, error) {
		var err error
		result, err = org.SCIMUsers().Query(query)
		return len(result.Items) > 0, err
	})
	return result, err
}
