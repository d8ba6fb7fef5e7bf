package db_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"muster/db"
	"muster/domain"
	"muster/internal/testkit"
)

// capture is a store that keeps the plan of every statement of the use case that runs on it.
type capture struct {
	store *db.DB
	seen  []db.Explained
}

func (c *capture) Read(ctx context.Context, fn func(domain.Tx) error) error { return c.Write(ctx, fn) }

func (c *capture) Write(ctx context.Context, fn func(domain.Tx) error) error {
	seen, err := c.store.Explain(ctx, fn)
	c.seen = append(c.seen, seen...)
	return err
}

// The hot use cases read by an index among many people, and with a known number of statements.
func TestPlans(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, url string) {
		store := open(t, url, db.Options{})
		service := newService(t, store)
		scope, secret := scimScope(t, service)
		// SQLite's plans do not depend on how many there are, and filling it takes the race detector long.
		many := map[db.Engine]int{db.SQLite: 1_000, db.PostgreSQL: 10_000}[store.Engine()]
		users := manyPeople(t, store, scope, many)
		group, err := service.CreateGroup(t.Context(), scope, domain.Document{"displayName": "Organization User:Workspace 1:Editor"}, membersOf(users[many/2+1:]))
		must(t, err)
		signedIn, err := service.SignIn(t.Context(), claims("somebody@example.com"), domain.Client{})
		must(t, err)
		must(t, store.Write(t.Context(), func(tx domain.Tx) error { return db.Exec(tx, "ANALYZE") }))
		user := users[many/2]
		text := func(name, sub, value string) domain.Filter {
			return domain.Compare{Attr: domain.Attr{Name: name, Sub: sub, CaseExact: name == "externalId" || name == "id"}, Op: domain.OpEqual, Value: value}
		}
		prefix := func(name, sub, value string) domain.Filter {
			return domain.Compare{Attr: domain.Attr{Name: name, Sub: sub}, Op: domain.OpStartsWith, Value: value}
		}
		query := func(filter domain.Filter) func(*domain.Service) error {
			return func(s *domain.Service) error {
				result, err := s.QueryUsers(t.Context(), scope, domain.Query{Filter: filter, Count: 10})
				if err == nil && result.Total == 0 {
					return fmt.Errorf("nothing found")
				}
				return err
			}
		}
		operator, err := newServiceOn(store).CommandLine(t.Context(), string(scope.Org()))
		must(t, err)
		for name, c := range map[string]struct {
			// statements is how many there are at most; combined, where it is not zero, how many where writes combine.
			statements, combined int
			run                  func(*domain.Service) error
		}{
			"get":        {1, 0, func(s *domain.Service) error { _, err := s.GetUser(t.Context(), scope, user.ID); return err }},
			"SCIM token": {1, 0, func(s *domain.Service) error { _, err := s.SCIMToken(t.Context(), secret, domain.Client{}); return err }},
			"session": {1, 0, func(s *domain.Service) error {
				_, err := s.Session(t.Context(), signedIn.Session, domain.Client{})
				return err
			}},
			"userName eq":      {2, 0, query(text("userName", "", user.UserName))},
			"externalId eq":    {2, 0, query(text("externalId", "", user.ExternalID))},
			"emails.value eq":  {2, 0, query(text("emails", "value", user.Email))},
			"emails[]":         {2, 0, query(domain.ValuePath{Attr: domain.Attr{Name: "emails"}, Inner: domain.And{Left: text("type", "", "work"), Right: text("value", "", user.Email)}})},
			"displayName eq":   {2, 0, query(text("displayName", "", user.DisplayName))},
			"id eq":            {2, 0, query(text("id", "", string(user.ID)))},
			"active eq false":  {3, 0, query(domain.Compare{Attr: domain.Attr{Name: "active", Type: domain.TypeBoolean}, Op: domain.OpEqual, Value: false})},
			"userName sw":      {2, 0, query(prefix("userName", "", fmt.Sprintf("user%d@", many/2)))},
			"emails.value sw":  {2, 0, query(prefix("emails", "value", fmt.Sprintf("user%d@", many/2)))},
			"userName or mail": {2, 0, query(domain.Or{Left: text("userName", "", user.UserName), Right: text("emails", "value", user.Email)})},
			"change a title": {3, 2, func(s *domain.Service) error {
				_, err := s.ChangeUser(t.Context(), scope, user.ID, set("title", "x"))
				return err
			}},
			"deactivate": {9, 5, func(s *domain.Service) error {
				_, err := s.ChangeUser(t.Context(), scope, user.ID, set("active", false))
				return err
			}},
			"delete": {16, 14, func(s *domain.Service) error { return s.DeleteUser(t.Context(), scope, user.ID, 0) }},
			"create": {8, 2, func(s *domain.Service) error { _, err := s.CreateUser(t.Context(), scope, person(20_000)); return err }},
			"first sign-in": {19, 17, func(s *domain.Service) error {
				_, err := s.SignIn(t.Context(), claims("new@example.com"), domain.Client{})
				return err
			}},
			"sign-in": {4, 3, func(s *domain.Service) error {
				_, err := s.SignIn(t.Context(), claims("somebody@example.com"), domain.Client{})
				return err
			}},
			"members by address": {5, 0, func(s *domain.Service) error {
				_, err := s.Members(t.Context(), operator, domain.MemberQuery{Emails: []string{"somebody@example.com", user.Email}})
				return err
			}},
			"a deep page of members": {12, 0, func(s *domain.Service) error {
				_, err := s.Members(t.Context(), operator, domain.MemberQuery{Descending: true, Window: domain.Window{Limit: 50, Offset: many * 6 / 10}})
				return err
			}},
			"invite": {12, 0, func(s *domain.Service) error {
				_, err := s.Invite(t.Context(), operator, domain.InviteRequest{Email: "invited@example.com"})
				return err
			}},
			"back-channel logout": {4, 4, func(s *domain.Service) error {
				return s.EndProviderSessions(t.Context(), domain.ProviderLogout{
					Provider: domain.ProviderOIDC, Issuer: "https://idp.example.com", SID: "sid", Subject: "sub", TokenID: "jti", Expires: time.Now().Add(time.Minute),
				}, domain.Client{})
			}},
			"session check": {1, 1, func(s *domain.Service) error {
				_, err := s.Session(t.Context(), domain.NewOpaque(), domain.Client{})
				if domain.IsKind(err, domain.Unauthenticated) {
					return nil
				}
				return err
			}},
			"add a member": {10, 9, func(s *domain.Service) error { return addMember(t, s, scope, group.ID, user.ID) }},
			"groups with a member": {2, 0, func(s *domain.Service) error {
				_, err := s.QueryGroups(t.Context(), scope, domain.Query{Filter: text("members", "value", string(users[many*6/10].ID)), Count: 10}, false)
				return err
			}},
		} {
			t.Run(name, func(t *testing.T) {
				watched := &capture{store: store}
				if err := c.run(newServiceOn(watched)); err != nil {
					t.Fatal(err)
				}
				most := c.statements
				if c.combined > 0 && store.Engine() == db.PostgreSQL {
					most = c.combined
				}
				if len(watched.seen) > most {
					t.Errorf("%d statements, want at most %d", len(watched.seen), most)
				}
				t.Logf("%d statements", len(watched.seen))
				for _, one := range watched.seen {
					if scans(one.Plan) {
						t.Errorf("%s\n%s", one.Statement, strings.Join(one.Plan, "\n"))
					}
				}
			})
		}
	})
}

func membersOf(users []domain.SCIMUser) []domain.MemberID {
	ids := make([]domain.MemberID, len(users))
	for i, user := range users {
		ids[i] = user.ID
	}
	return ids
}

// scans reports whether a plan reads a table that grows from end to end.
func scans(plan []string) bool {
	for _, line := range plan {
		for _, table := range []string{"scim_users", "scim_emails", "users", "members", "identities", "sessions", "audit_log", "group_members"} {
			for _, scan := range []string{"Seq Scan on " + table + " ", "SCAN " + table} {
				if strings.Contains(line+" ", scan) {
					return true
				}
			}
			// A search by the organization alone reads all of it, but for the index over those who are not active.
			if strings.Contains(line, "SEARCH "+table+" ") && strings.HasSuffix(line, "(org_id=?)") && !strings.Contains(line, "inactive") {
				return true
			}
		}
	}
	return false
}
