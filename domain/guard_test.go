package domain_test

import (
	"fmt"
	"testing"
	"time"

	"muster/domain"
)

func (w *world) guardOn(people, percent int) {
	w.Helper()
	_, err := w.service.SetGuard(w.Context(), w.commandLine(""), func(g *domain.Guard) { g.Enabled, g.MaxPeople, g.MaxPercent = true, people, percent })
	w.must(err)
}

func (w *world) tryActive(scope domain.OrgScope, id domain.MemberID, active bool) error {
	_, err := w.service.ChangeUser(w.Context(), scope, id, domain.UserChange{Apply: edited(func(doc domain.Document) { doc["active"] = active })})
	return err
}

// R39, F1: exactly as many pass as may; the rest waits and loses nothing; released, the rest passes.
func TestGuard(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		scim := w.scim("")
		var people []domain.SCIMUser
		for i := range 20 {
			people = append(people, w.push(scim, fmt.Sprintf("p%d@example.com", i)))
		}
		staying := w.signIn("p19@example.com")
		w.guardOn(2, 25) // of 20 active members: 5
		scim = w.scim("")
		passed, held := 0, 0
		for _, one := range people {
			switch err := w.tryActive(scim, one.ID, false); {
			case err == nil:
				passed++
			case domain.IsKind(err, domain.Guarded):
				held++
				if domain.AsError(err).RetryAfter == 0 {
					w.Error("no Retry-After")
				}
			default:
				w.Fatal(err)
			}
		}
		if passed != 5 || held != 15 {
			w.Errorf("%d passed and %d were held, want 5 and 15", passed, held)
		}
		if _, err := w.service.Me(w.Context(), staying); err != nil {
			w.Errorf("somebody who was held lost their session: %v", err)
		}
		if err := w.service.DeleteUser(w.Context(), scim, people[7].ID, 0); !domain.IsKind(err, domain.Guarded) {
			w.Errorf("a delete past the limit: %v", err)
		}
		view, err := w.service.Guard(w.Context(), w.commandLine(""))
		w.must(err)
		if view.State != domain.GuardHolding || view.Limit != 5 || view.Spent != 5 || view.HeldCount != 16 || view.Held[0].Target.Name == "" {
			w.Errorf("%+v", view)
		}
		// What gives access is never held.
		w.must(w.tryActive(scim, people[0].ID, true))

		_, err = w.service.ReleaseGuard(w.Context(), w.commandLine(""))
		w.must(err)
		for _, one := range people {
			w.must(w.tryActive(scim, one.ID, false))
		}
		w.clock.Advance(2 * time.Hour)
		if view, err := w.service.Guard(w.Context(), w.commandLine("")); err != nil || view.State != domain.GuardOpen || view.HeldCount != 0 {
			w.Errorf("after its window: %+v, %v", view, err)
		}
	})
}

// R39: refused means refused, for one window; and a group that is emptied counts those who lose something.
func TestGuardRefusesAndCountsGroups(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		scim := w.scim("")
		var ids []domain.MemberID
		for i := range 6 {
			ids = append(ids, w.push(scim, fmt.Sprintf("p%d@example.com", i)).ID)
		}
		group := w.pushGroup(scim, "Organization User:Workspace 1:Editor", ids...)
		silent := w.pushGroup(scim, "Canteen", ids...)
		w.guardOn(3, 0)
		scim = w.scim("")
		remove := func(id domain.GroupID, members ...domain.MemberID) error {
			_, err := w.service.ChangeGroup(w.Context(), scim, id, domain.GroupChange{Members: []domain.MembersChange{{Op: domain.MembersRemove, Members: members}}})
			return err
		}
		w.must(remove(silent.ID, ids...))
		wantKind(w.T, remove(group.ID, ids...), domain.Guarded, "guard")
		w.must(remove(group.ID, ids[:3]...))
		wantKind(w.T, w.service.DeleteGroup(w.Context(), scim, group.ID, 0), domain.Guarded, "guard")
		_, err := w.service.RefuseGuard(w.Context(), w.commandLine(""))
		w.must(err)
		wantKind(w.T, w.tryActive(scim, ids[5], false), domain.Forbidden, "refused")
		w.clock.Advance(2 * time.Hour)
		w.must(w.tryActive(scim, ids[5], false))
	})
}

// R39: only an Organization Admin decides, and a guard that is off holds nothing.
func TestGuardIsTheAdmins(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		cli := w.commandLine("")
		olga := w.signIn("olga@example.com")
		_, err := w.service.SetMemberRole(w.Context(), cli, w.memberOf(olga, cli.Org()), domain.RoleOrgOperator)
		w.must(err)
		operator, err := w.signIn("olga@example.com").In(cli.Org())
		w.must(err)
		_, err = w.service.ReleaseGuard(w.Context(), operator)
		wantKind(w.T, err, domain.Forbidden, "Organization Admin")
		_, err = w.service.ReleaseGuard(w.Context(), cli)
		wantKind(w.T, err, domain.Conflict, "switched off")
		_, err = w.service.SetGuard(w.Context(), cli, func(g *domain.Guard) { g.Window = time.Second })
		wantKind(w.T, err, domain.Invalid, "window")
	})
}
