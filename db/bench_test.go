package db_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"muster/db"
	"muster/domain"
	"muster/internal/testkit"
)

// BenchmarkUseCases runs the hot use cases with 16 callers on each engine; bench/ compares them over HTTP.
func BenchmarkUseCases(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{"SQLite": testkit.SQLite, "PostgreSQL": testkit.Postgres} {
		b.Run(name, func(b *testing.B) { useCases(b, url(b)) })
	}
}

func useCases(b *testing.B, url string) {
	service := newService(b, open(b, url, db.Options{}))
	ctx := b.Context()
	scope, secret := scimScope(b, service)
	var n atomic.Int64
	create := func() domain.SCIMUser {
		i := n.Add(1)
		user, err := service.CreateUser(ctx, scope, domain.Document{
			"userName": fmt.Sprintf("user%d@example.com", i), "externalId": fmt.Sprintf("e%d", i), "displayName": fmt.Sprintf("User %d", i),
			"emails": []any{map[string]any{"value": fmt.Sprintf("user%d@example.com", i), "type": "work", "primary": true}},
		})
		must(b, err)
		return user
	}
	users := make([]domain.SCIMUser, 2000)
	for i := range users {
		users[i] = create()
	}
	pick := func() domain.SCIMUser { return users[int(n.Add(1))%len(users)] }
	run := func(name string, step func()) {
		b.Run(name, func(b *testing.B) {
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					step()
				}
			})
		})
	}
	run("Create", func() { create() })
	run("Get", func() { _, err := service.GetUser(ctx, scope, pick().ID); must(b, err) })
	run("Token", func() { _, err := service.SCIMToken(ctx, string(secret), domain.Client{}); must(b, err) })
	run("FilterUserName", func() {
		_, err := service.QueryUsers(ctx, scope, domain.Query{Count: 100, Filter: domain.Compare{Attr: domain.Attr{Name: "userName"}, Op: domain.OpEqual, Value: pick().UserName}})
		must(b, err)
	})
	run("PatchTitle", func() {
		_, err := service.ChangeUser(ctx, scope, pick().ID, domain.UserChange{Apply: func(d domain.Document) (domain.Document, error) {
			next := domain.Document{"title": fmt.Sprint(n.Add(1))}
			for k, v := range d {
				if k != "title" {
					next[k] = v
				}
			}
			return next, nil
		}})
		must(b, err)
	})
	run("PatchActive", func() {
		_, err := service.ChangeUser(ctx, scope, pick().ID, domain.UserChange{Apply: func(d domain.Document) (domain.Document, error) {
			next := domain.Document{"active": n.Add(1)%2 == 0}
			for k, v := range d {
				if k != "active" {
					next[k] = v
				}
			}
			return next, nil
		}})
		must(b, err)
	})
	signedIn, err := service.SignIn(ctx, domain.Claims{Provider: "custom-oidc", Issuer: "https://idp", Subject: "s1", Email: "new@example.com", EmailTrusted: true, OverrideExpiry: true, SessionMax: 3600e9}, domain.Client{})
	must(b, err)
	run("Session", func() { _, err := service.Session(ctx, signedIn.Session, domain.Client{}); must(b, err) })
	group, err := service.CreateGroup(ctx, scope, domain.Document{"displayName": "Organization User:Workspace 1:Editor"}, nil)
	must(b, err)
	ids := make([]domain.MemberID, 1000)
	for i := range ids {
		ids[i] = users[i].ID
	}
	b.Run("Add1000Remove1000", func(b *testing.B) {
		for range b.N {
			for _, op := range []domain.MembersOp{domain.MembersAdd, domain.MembersRemove} {
				_, err := service.ChangeGroup(ctx, scope, group.ID, domain.GroupChange{Members: []domain.MembersChange{{Op: op, Members: ids}}})
				must(b, err)
			}
		}
	})
}
