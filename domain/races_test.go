package domain_test

import (
	"errors"
	"sync"
	"testing"

	"muster/domain"
)

// atOnce runs a change beside sign-ins, and fails the test for an answer to a sign-in that is neither a session nor a refusal.
func (w *world) atOnce(rule string, signIns []domain.Claims, change func() error) {
	w.Helper()
	var wait sync.WaitGroup
	for _, c := range signIns {
		wait.Go(func() {
			_, err := w.service.SignIn(w.Context(), c, domain.Client{})
			if _, refused := errors.AsType[*domain.Refusal](err); err != nil && !refused {
				w.Errorf("%s: a sign-in was answered with %v", rule, err)
			}
		})
	}
	wait.Go(func() {
		if err := change(); err != nil {
			w.Errorf("%s: the change was answered with %v", rule, err)
		}
	})
	wait.Wait()
}

// R17, A46: a sign-in that races the person's removal by an admin is let in or refused, by identity as by address, and is no error.
func TestSignInsDuringARemoval(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		cli := w.commandLine("")
		for range 15 {
			known, err := w.trySignIn(claims("alice@example.com"))
			w.must(err)
			four := []domain.Claims{claims("alice@example.com"), claims("alice@example.com"), claims("alice@example.com"), claims("alice@example.com")}
			w.atOnce("R17", four, func() error { return w.service.RemoveMember(w.Context(), cli, w.memberOf(known, cli.Org())) })
		}
	})
}

// R28, R30, A46: a sign-in that races SCIM's delete is let in before or refused after, and when both are done nothing of the person is left,
// whether they had signed in before or are found by externalId or address.
func TestSignInsDuringADelete(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		scim := w.scim("")
		for round := range 15 {
			pushed := w.push(scim, "alice@example.com")
			if round%3 == 0 {
				w.signIn("alice@example.com")
			}
			byAddress := claims("alice@example.com")
			byAddress.Subject = "not the externalId"
			if round%3 == 1 {
				byAddress = claims("alice@example.com")
			}
			w.atOnce("R30", []domain.Claims{byAddress, byAddress, byAddress, byAddress}, func() error {
				return w.service.DeleteUser(w.Context(), scim, pushed.ID, 0)
			})
			if members := w.facts(""); len(members) > 0 || len(w.sessionsOf(pushed.User)) > 0 {
				w.Fatalf("A46: after the delete there are the members %q", members)
			}
		}
	})
}

// R17: a sign-in whose token lists groups and an admin's removal of the person wait for each other in one order, never crosswise.
func TestGroupSignInsDuringARemoval(t *testing.T) {
	onGroups(t, func(w *world, scope domain.OrgScope) {
		signIns := []domain.Claims{}
		for i := range 8 {
			names := [...]string{"Organization User:Lab:Editor", "Organization Viewer:Lab:Viewer"}
			signIns = append(signIns, inGroups("alice@example.com", names[i%2]))
		}
		for range 8 {
			known := w.memberOf(w.principal(w.enter(inGroups("alice@example.com"))), scope.Org())
			w.atOnce("R17", signIns, func() error { return w.service.RemoveMember(w.Context(), scope, known) })
		}
	})
}
