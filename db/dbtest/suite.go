// Package dbtest is the suite that every store passes: what domain.Store promises, called method by method.
package dbtest

import (
	"errors"
	"fmt"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"muster/domain"
)

// Start is the time of the suite's clock; a store under test is opened with it.
var Start = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC) //nolint:gochecknoglobals // a constant

// Run runs the suite against an empty store whose clock stands at Start.
func Run(t *testing.T, store domain.Store) {
	t.Helper()
	_, system := domain.TestScopes(t, "")
	s := &suite{store: store, system: system}
	t.Run("Installation", s.installation)
	t.Run("Users", s.users)
	t.Run("Identities", s.identities)
	t.Run("Sessions", s.sessions)
	t.Run("Flows", s.flows)
	t.Run("Settings", s.settings)
	t.Run("Workspaces", s.workspaces)
	t.Run("Members", s.members)
	t.Run("MemberList", s.memberList)
	t.Run("Access", s.access)
	t.Run("Invites", s.invites)
	t.Run("SCIMUsers", s.scimUsers)
	t.Run("Groups", s.groups)
	t.Run("GroupMembers", s.groupMembers)
	t.Run("Credentials", s.credentials)
	t.Run("Tombstones", s.tombstones)
	t.Run("Audit", s.audit)
	t.Run("Roles", s.roles)
	t.Run("Guard", s.guard)
	t.Run("Chain", s.chain)
	t.Run("Feeds", s.feeds)
	t.Run("Like", s.like)
	t.Run("Folding", s.folding)
	t.Run("Paging", s.paging)
	t.Run("Filters", s.filters)
	t.Run("Tenancy", s.tenancy)
	t.Run("Scopes", s.scopes)
	t.Run("Transactions", s.transactions)
	t.Run("Races", s.races)
}

// want fails the test when two values differ.
func want[T any](t *testing.T, what string, got, expected T) {
	t.Helper()
	if !reflect.DeepEqual(got, expected) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, expected)
	}
}

// wantKind fails the test when the error is not of the kind, or does not name the field.
func wantKind(t *testing.T, what string, err error, kind domain.Kind, field string) {
	t.Helper()
	e, ok := errors.AsType[*domain.Error](err)
	if !ok || e.Kind != kind || e.Field != field {
		t.Errorf("%s: got the error %v, want %s on %q", what, err, kind, field)
	}
}

type suite struct {
	store  domain.Store
	system domain.SystemScope
}

// counter makes ids that are unique in the process and sort in the order in which they were made.
var counter atomic.Int64 //nolint:gochecknoglobals // ids differ between the tests of a process

func id[T ~string]() T {
	return T(fmt.Sprintf("00000000-0000-7000-8000-%012x", counter.Add(1)))
}

// unique returns text that no other test uses.
func unique(prefix string) string { return fmt.Sprintf("%s%d", prefix, counter.Add(1)) }

// read runs fn and fails the test when it returns an error.
func (s *suite) read(t *testing.T, fn func(domain.Tx) error) {
	t.Helper()
	if err := s.store.Read(t.Context(), fn); err != nil {
		t.Fatalf("Read: %v", err)
	}
}

// write runs fn and fails the test when it or the commit returns an error.
func (s *suite) write(t *testing.T, fn func(domain.Tx) error) {
	t.Helper()
	if err := s.store.Write(t.Context(), fn); err != nil {
		t.Fatalf("Write: %v", err)
	}
}

// org makes an organization and returns its scope.
func (s *suite) org(t *testing.T) domain.OrgScope {
	t.Helper()
	org := domain.Org{ID: id[domain.OrgID](), DisplayName: unique("Org "), CreatedAt: Start, ModifiedAt: Start, Settings: domain.DefaultSettings()}
	s.write(t, func(tx domain.Tx) error {
		return tx.System(s.system).Orgs().Insert(org, domain.SSOSettings{ID: id[string](), GroupsClaim: "groups"})
	})
	scope, _ := domain.TestScopes(t, org.ID)
	return scope
}

// user makes a person with an address of their own.
func (s *suite) user(t *testing.T) domain.User {
	t.Helper()
	user := domain.User{ID: id[domain.UserID](), Email: unique("person") + "@example.com", FullName: unique("Person "), CreatedAt: Start}
	s.write(t, func(tx domain.Tx) error {
		created, err := tx.System(s.system).Users().Insert(user)
		if err == nil && !created {
			t.Errorf("the address %s is taken", user.Email)
		}
		return err
	})
	return user
}

// member makes a person and their membership.
func (s *suite) member(t *testing.T, scope domain.OrgScope) domain.Member {
	t.Helper()
	member := domain.Member{
		ID: id[domain.MemberID](), User: s.user(t).ID, Status: domain.Active, CreatedAt: Start,
		Role: domain.Held{Grant: domain.Grant{Kind: domain.GrantManual, Role: domain.RoleOrgUser, At: Start}},
	}
	s.write(t, func(tx domain.Tx) error {
		created, err := tx.Org(scope).Members().Insert(member)
		if err == nil && !created {
			t.Error("the new user is a member already")
		}
		return err
	})
	return member
}

// scimUser makes a member with a SCIM resource; attributes go beside its userName.
func (s *suite) scimUser(t *testing.T, scope domain.OrgScope, attributes domain.Document) domain.SCIMUser {
	t.Helper()
	member := s.member(t, scope)
	user := resource(t, member, attributes)
	s.write(t, func(tx domain.Tx) error { return tx.Org(scope).SCIMUsers().Insert(user) })
	return user
}

// resource is a member's SCIM resource, not yet stored.
func resource(t *testing.T, member domain.Member, attributes domain.Document) domain.SCIMUser {
	t.Helper()
	doc := domain.Document{"userName": unique("user")}
	for name, value := range attributes {
		doc[name] = value
	}
	profile, err := domain.ReadProfile(doc)
	if err != nil {
		t.Fatal(err)
	}
	return domain.SCIMUser{ID: member.ID, User: member.User, Attributes: doc, Profile: profile, Version: 1, CreatedAt: Start, UpdatedAt: Start}
}

// group makes a group that gives nothing.
func (s *suite) group(t *testing.T, scope domain.OrgScope) domain.Group {
	t.Helper()
	name := unique("Group ")
	group := domain.Group{
		ID: id[domain.GroupID](), DisplayName: name, Attributes: domain.Document{"displayName": name},
		Version: 1, CreatedAt: Start, UpdatedAt: Start,
	}
	s.write(t, func(tx domain.Tx) error { return tx.Org(scope).Groups().Insert(group) })
	return group
}
