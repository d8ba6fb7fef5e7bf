package db_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"muster/db"
	"muster/domain"
)

func newServiceOn(store domain.Store) *domain.Service {
	return domain.New(store, domain.Policy{
		InitialOrgName: "Default", DefaultWorkspaceName: "Workspace 1", JITEnabled: true, PersonalOrgsDisabled: true,
	})
}

// newService starts the use cases on an empty store.
func newService(t testing.TB, store domain.Store) *domain.Service {
	t.Helper()
	service := newServiceOn(store)
	must(t, service.Bootstrap(t.Context()))
	return service
}

func scimScope(t testing.TB, service *domain.Service) (domain.OrgScope, string) {
	t.Helper()
	admin, err := service.CommandLine(t.Context(), "")
	must(t, err)
	_, secret, err := service.CreateSCIMToken(t.Context(), admin, domain.NewSCIMToken{Description: "test"})
	must(t, err)
	scope, err := service.SCIMToken(t.Context(), string(secret), domain.Client{})
	must(t, err)
	return scope, string(secret)
}

// person is the document of the n-th person.
func person(n int) domain.Document {
	address := fmt.Sprintf("user%d@example.com", n)
	return domain.Document{
		"userName": address, "externalId": fmt.Sprintf("e%d", n), "displayName": fmt.Sprintf("User %d", n),
		"active": n%100 != 7, "emails": []any{map[string]any{"value": address, "type": "work", "primary": true}},
	}
}

func claims(email string) domain.Claims {
	return domain.Claims{
		Provider: domain.ProviderOIDC, Issuer: "https://idp.example.com", Subject: email, Email: email, EmailTrusted: true,
		OverrideExpiry: true, SessionMax: time.Hour,
	}
}

// set changes one attribute.
func set(name string, value any) domain.UserChange {
	return domain.UserChange{Apply: func(doc domain.Document) (domain.Document, error) {
		changed := maps.Clone(doc)
		changed[name] = value
		return changed, nil
	}}
}

// manyPeople fills the organization without the rules' statements, in few transactions.
func manyPeople(t testing.TB, store *db.DB, scope domain.OrgScope, n int) []domain.SCIMUser {
	t.Helper()
	_, system := domain.TestScopes(t, "")
	users := make([]domain.SCIMUser, n)
	const step = 100
	for first := 0; first < n; first += step {
		must(t, store.Write(t.Context(), func(tx domain.Tx) error { return somePeople(tx, scope, system, users, first, first+step) }))
	}
	return users
}

func somePeople(tx domain.Tx, scope domain.OrgScope, system domain.SystemScope, users []domain.SCIMUser, from, to int) error {
	for i := from; i < min(to, len(users)); i++ {
		doc := person(i)
		profile, err := domain.ReadProfile(doc)
		if err != nil {
			return err
		}
		user := domain.User{ID: domain.UserID(fmt.Sprintf("00000000-0000-7000-8000-%012x", i)), Email: profile.Email, CreatedAt: tx.Now()}
		if _, err := tx.System(system).Users().Insert(user); err != nil {
			return err
		}
		if err := signInOf(tx, system, user); err != nil {
			return err
		}
		member := domain.Member{
			ID: domain.MemberID(fmt.Sprintf("00000000-0000-7000-9000-%012x", i)), User: user.ID, Status: domain.Active, CreatedAt: tx.Now(),
			Role: domain.Held{Grant: domain.Grant{Kind: domain.GrantSCIM, Role: domain.RoleOrgUser, At: tx.Now()}},
		}
		if _, err := tx.Org(scope).Members().Insert(member); err != nil {
			return err
		}
		users[i] = domain.SCIMUser{ID: member.ID, User: user.ID, Attributes: doc, Profile: profile, Version: 1, CreatedAt: tx.Now(), UpdatedAt: tx.Now()}
		if err := tx.Org(scope).SCIMUsers().Insert(users[i]); err != nil {
			return err
		}
	}
	return nil
}

// signInOf gives a person an identity and a session.
func signInOf(tx domain.Tx, system domain.SystemScope, user domain.User) error {
	identity := domain.Identity{ID: domain.IdentityID(user.ID), User: user.ID, Issuer: "https://idp.example.com", Subject: string(user.ID), CreatedAt: tx.Now()}
	if _, err := tx.System(system).Identities().Insert(identity); err != nil {
		return err
	}
	return tx.System(system).Sessions().Insert(domain.Session{
		ID: domain.SessionID(user.ID), Digest: domain.DigestOf(string(user.ID)), User: user.ID, CreatedAt: tx.Now(), ExpiresAt: tx.Now().Add(time.Hour), EndsAt: tx.Now().Add(time.Hour),
	}, 0)
}

func addMember(t testing.TB, service *domain.Service, scope domain.OrgScope, group domain.GroupID, member domain.MemberID) error {
	t.Helper()
	_, err := service.ChangeGroup(t.Context(), scope, group, domain.GroupChange{
		Members: []domain.MembersChange{{Op: domain.MembersAdd, Members: []domain.MemberID{member}}},
	})
	return err
}

// with adds options to a database URL.
func with(url, options string) string {
	separator := "?"
	if strings.Contains(url, "?") {
		separator = "&"
	}
	return url + separator + options
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
