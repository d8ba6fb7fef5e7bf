package db_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/db"
	"muster/domain"
	"muster/internal/testkit"
)

// longList is an organization with so many members, written straight into the schema.
func longList(t *testing.T, databaseURL string, people int) (*domain.Service, domain.OrgScope) {
	t.Helper()
	clock := testkit.NewClock(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC))
	store, err := db.Open(t.Context(), databaseURL, db.Options{Clock: clock.Now})
	must(t, err)
	t.Cleanup(func() { _ = store.Close() })
	must(t, store.Migrate(t.Context()))
	service := domain.New(store, domain.Policy{InitialOrgName: "Default", DefaultWorkspaceName: "Workspace 1"})
	must(t, service.Bootstrap(t.Context()))
	scope, err := service.CommandLine(t.Context(), "")
	must(t, err)
	const numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
	const person, address = "'u' || CAST(i AS TEXT)", "'p' || CAST(i AS TEXT) || '@example.com'"
	must(t, store.Write(t.Context(), func(tx domain.Tx) error {
		for _, statement := range []string{
			`INSERT INTO users (id, email, email_key, full_name, full_name_key, created_at) SELECT ` + person + `, ` + address + `, ` + address + `, '', '', 0 FROM n`,
			`INSERT INTO members (org_id, id, user_id, status, role_id, grant_kind, grant_source, grant_source_name, granted_at, replaced, created_at)
				SELECT '` + string(scope.Org()) + `', '01900000-0000-7000-8000-' || SUBSTR('000000000000' || CAST(i AS TEXT), LENGTH(CAST(i AS TEXT)) + 1), ` + person + `,
				'active', '` + string(domain.RoleOrgUser) + `', 'manual', '', '', 0, '', 0 FROM n`,
		} {
			if err := db.Exec(tx, fmt.Sprintf(numbers, people)+statement); err != nil {
				return err
			}
		}
		return nil
	}))
	return service, scope
}

// A page deep in the list of members is what the plain list has there, in both directions, also after somebody was removed or joined.
func TestDeepPages(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, databaseURL string) {
		service, scope := longList(t, databaseURL, 12_345)
		list := func(q domain.MemberQuery) []domain.MemberID {
			t.Helper()
			views, err := service.Members(t.Context(), scope, q)
			must(t, err)
			var ids []domain.MemberID
			for _, view := range views {
				ids = append(ids, view.ID)
			}
			return ids
		}
		var all []domain.MemberID
		for {
			// Sorted by address the list takes the plain way.
			page := list(domain.MemberQuery{SortBy: "email", Window: domain.Window{Limit: domain.MaxLimit, Offset: len(all)}})
			if all = append(all, page...); len(page) < domain.MaxLimit {
				break
			}
		}
		check := func(when string) {
			t.Helper()
			slices.Sort(all)
			for _, descending := range []bool{false, true} {
				want := slices.Clone(all)
				if descending {
					slices.Reverse(want)
				}
				for _, offset := range []int{0, 4_980, 5_000, 9_999, 10_001, len(all) - 51, len(all) - 7, len(all), len(all) + 100} {
					from := min(offset, len(want))
					got := list(domain.MemberQuery{Descending: descending, Window: domain.Window{Limit: 50, Offset: offset}})
					if !slices.Equal(got, want[from:min(from+50, len(want))]) {
						t.Errorf("%s, descending %t, offset %d: %d members, the first %v", when, descending, offset, len(got), got[:min(1, len(got))])
					}
				}
			}
		}
		check("at first")
		check("again")
		must(t, service.RemoveMember(t.Context(), scope, domain.MemberID(fmt.Sprintf("01900000-0000-7000-8000-%012d", 77))))
		all = slices.DeleteFunc(all, func(id domain.MemberID) bool { return strings.HasSuffix(string(id), fmt.Sprintf("-%012d", 77)) })
		check("after a removal")
		late, err := service.AddAdmin(t.Context(), scope, "late@example.com")
		must(t, err)
		all = append(all, late)
		check("after somebody joined")
	})
}
