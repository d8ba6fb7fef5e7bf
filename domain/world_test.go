package domain_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"muster/db"
	"muster/domain"
	"muster/internal/testkit"
)

// world is a service on a fresh database, with the words that the tests of the rules are told in.
type world struct {
	*testing.T

	service *domain.Service
	clock   *testkit.Clock
	store   domain.Store
	policy  domain.Policy
}

const issuer = "https://idp.example"

func policy() domain.Policy {
	return domain.Policy{
		InitialOrgName: "Default", DefaultWorkspaceName: "Workspace 1", OrgCreationDisabled: true,
		PersonalOrgsDisabled: true, JITEnabled: true, Providers: map[string]domain.ProviderPolicy{domain.ProviderOIDC: {Issuer: issuer}},
	}
}

// onEngines runs a test of the rules on every engine.
func onEngines(t *testing.T, change func(*domain.Policy), test func(w *world)) {
	t.Helper()
	p := policy()
	if change != nil {
		change(&p)
	}
	prepared.Engines(t, func(t *testing.T, databaseURL string) {
		clock := testkit.NewClock(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC))
		store, err := db.Open(t.Context(), databaseURL, db.Options{Clock: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		if err := store.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		w := &world{T: t, service: domain.New(store, p), clock: clock, store: store, policy: p}
		w.must(w.service.Bootstrap(t.Context()))
		test(w)
	})
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// commandLine is the scope of an organization's operator.
func (w *world) commandLine(org string) domain.OrgScope {
	w.Helper()
	scope, err := w.service.CommandLine(w.Context(), org)
	w.must(err)
	return scope
}

func claims(email string) domain.Claims {
	return domain.Claims{
		Provider: domain.ProviderOIDC, Issuer: issuer, Subject: "sub-" + email, Email: email, EmailTrusted: true,
		FullName: "Name of " + email, SessionMax: 24 * time.Hour, OverrideExpiry: true,
	}
}

// signIn signs a person in and returns their principal.
func (w *world) signIn(email string) domain.Principal {
	w.Helper()
	principal, err := w.trySignIn(claims(email))
	w.must(err)
	return principal
}

func (w *world) trySignIn(c domain.Claims) (domain.Principal, error) {
	w.Helper()
	signedIn, err := w.service.SignIn(w.Context(), c, domain.Client{IP: "192.0.2.1"})
	if err != nil {
		return domain.Principal{}, err
	}
	return w.service.Session(w.Context(), signedIn.Session, domain.Client{})
}

// scim returns the scope of a fresh SCIM token of the organization.
func (w *world) scim(org string) domain.OrgScope {
	w.Helper()
	_, secret, err := w.service.CreateSCIMToken(w.Context(), w.commandLine(org), domain.NewSCIMToken{Description: "test"})
	w.must(err)
	scope, err := w.service.SCIMToken(w.Context(), string(secret), domain.Client{})
	w.must(err)
	return scope
}

func person(email string) domain.Document {
	return domain.Document{
		"userName": email, "externalId": "sub-" + email, "active": true,
		"emails": []any{map[string]any{"value": email, "type": "work", "primary": true}},
	}
}

// push makes a person through SCIM.
func (w *world) push(scope domain.OrgScope, email string) domain.SCIMUser {
	w.Helper()
	user, err := w.service.CreateUser(w.Context(), scope, person(email))
	w.must(err)
	return user
}

// pushGroup makes a group through SCIM; groups are a second apart, so that "most recently created" is plain.
func (w *world) pushGroup(scope domain.OrgScope, name string, members ...domain.MemberID) domain.Group {
	w.Helper()
	w.clock.Advance(time.Second)
	group, err := w.service.CreateGroup(w.Context(), scope, domain.Document{"displayName": name}, members)
	w.must(err)
	return group
}

// active sets a pushed person's active attribute.
func (w *world) active(scope domain.OrgScope, id domain.MemberID, active bool) {
	w.Helper()
	w.change(scope, id, func(doc domain.Document) { doc["active"] = active })
}

func (w *world) change(scope domain.OrgScope, id domain.MemberID, edit func(domain.Document)) {
	w.Helper()
	_, err := w.service.ChangeUser(w.Context(), scope, id, domain.UserChange{Apply: edited(edit)})
	w.must(err)
}

// edited makes a change of an edit in place.
func edited(edit func(domain.Document)) domain.DocumentChange {
	return func(doc domain.Document) (domain.Document, error) {
		next := domain.Document{}
		for key, value := range doc {
			next[key] = value
		}
		edit(next)
		return next, nil
	}
}

// access is what a member holds, in words: "Organization User" and "Workspace 1: Editor (jit)".
func (w *world) access(scope domain.OrgScope, id domain.MemberID) []string {
	w.Helper()
	explanation, err := w.service.Explain(w.Context(), w.admin(scope), id)
	w.must(err)
	words := []string{domain.RoleName(explanation.Org.Role) + " (" + string(explanation.Org.Kind) + ")"}
	for _, why := range explanation.Workspaces {
		words = append(words, why.Name+": "+domain.RoleName(why.Role)+" ("+string(why.Kind)+")")
	}
	return words
}

// admin turns any scope into the command line's of the same organization.
func (w *world) admin(scope domain.OrgScope) domain.OrgScope {
	return w.commandLine(string(scope.Org()))
}

// memberOf returns a principal's membership in an organization.
func (w *world) memberOf(principal domain.Principal, org domain.OrgID) domain.MemberID {
	w.Helper()
	for _, membership := range principal.Memberships() {
		if membership.Org == org {
			return membership.Member.ID
		}
	}
	w.Fatalf("%s is not in %s", principal.User().Email, org)
	return ""
}

// workspace makes a workspace from the command line.
func (w *world) workspace(scope domain.OrgScope, name string) domain.Workspace {
	w.Helper()
	workspace, err := w.service.CreateWorkspace(w.Context(), w.admin(scope), domain.NewWorkspace{Name: name})
	w.must(err)
	return workspace
}

// prepared are databases with the schema and nothing in them; migrated makes them.
var prepared = testkit.NewPrepared(migrated)

func TestMain(m *testing.M) { os.Exit(prepared.Main(m)) }

func migrated(ctx context.Context, databaseURL string) error {
	store, err := db.Open(ctx, databaseURL, db.Options{})
	if err != nil {
		return err
	}
	return errors.Join(store.Migrate(ctx), store.Close())
}
