package domain_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/domain"
)

// A11, A12, item 109: whatever ends somebody's access or sessions, the old cookie is worth nothing at the next request, at every server.
func TestEveryWayOut(t *testing.T) {
	type given struct {
		email   string
		session string
		own     domain.Principal
		scim    domain.OrgScope
		admin   domain.OrgScope
		member  domain.MemberID
	}
	expires := func(w *world) time.Time { return w.clock.Now().Add(time.Minute) }
	ways := []struct {
		name string
		// key says whether a personal access token works afterwards.
		key bool
		end func(w *world, g given) error
	}{
		{"SCIM active false", false, func(w *world, g given) error { w.active(g.scim, g.member, false); return nil }},
		{"SCIM delete", false, func(w *world, g given) error { return w.service.DeleteUser(w.Context(), g.scim, g.member, 0) }},
		{"removed by an admin", false, func(w *world, g given) error { return w.service.RemoveMember(w.Context(), g.admin, g.member) }},
		{"ended by an admin", true, func(w *world, g given) error {
			_, err := w.service.EndMemberSessions(w.Context(), g.admin, g.member)
			return err
		}},
		{"everybody signed out", true, func(w *world, g given) error {
			_, err := w.service.EndOrgSessions(w.Context(), g.admin, "")
			return err
		}},
		{"everybody of a provider signed out", true, func(w *world, g given) error {
			_, err := w.service.EndOrgSessions(w.Context(), g.admin, domain.ProviderOIDC)
			return err
		}},
		{"signed out everywhere", true, func(w *world, g given) error {
			_, err := w.service.EndMySessions(w.Context(), g.own, false)
			return err
		}},
		{"one of the own sessions", true, func(w *world, g given) error {
			return w.service.EndMySession(w.Context(), g.own, g.own.CurrentSession())
		}},
		{"signed out", true, func(w *world, g given) error {
			_, err := w.service.SignOut(w.Context(), g.session, domain.Client{})
			return err
		}},
		{"back-channel logout", true, func(w *world, g given) error {
			return w.service.EndProviderSessions(w.Context(), domain.ProviderLogout{
				Provider: domain.ProviderOIDC, Issuer: issuer, Subject: g.email, TokenID: g.email, Expires: expires(w), Channel: "back",
			}, domain.Client{})
		}},
		{"Universal Logout", false, func(w *world, g given) error {
			return w.service.RevokeSubject(w.Context(), domain.RevokedSubject{
				Provider: domain.ProviderOIDC, Issuer: issuer, Subject: "sub-" + g.email, TokenID: "revoke", Expires: expires(w),
			}, domain.Client{})
		}},
		{"by hand, the person's", true, func(w *world, g given) error {
			_, err := w.service.EndSessionsByHand(w.Context(), g.admin, strings.ToUpper(g.email), "")
			return err
		}},
		{"by hand, the provider's", true, func(w *world, g given) error {
			_, err := w.service.EndSessionsByHand(w.Context(), g.admin, "", domain.ProviderOIDC)
			return err
		}},
		{"by hand, the organization's", true, func(w *world, g given) error {
			_, err := w.service.EndSessionsByHand(w.Context(), g.admin, "", "")
			return err
		}},
	}
	onEngines(t, nil, func(w *world) {
		other := w.under(func(*domain.Policy) {})
		scim := w.scim("")
		for i, c := range ways {
			email := fmt.Sprintf("p%d@example.com", i)
			pushed := w.push(scim, email)
			signedIn := claims(email)
			signedIn.TokenSubject = email
			session := w.enter(signedIn)
			key := w.pat(session, scim.Org())
			if !w.alive(session) || !other.alive(session) || !w.keyWorks(key) {
				w.Fatalf("%s: the credentials do not work to begin with", c.name)
			}
			rows := len(w.audit(""))
			w.must(c.end(w, given{email, session, w.principal(session), scim, w.admin(scim), pushed.ID}))
			if w.alive(session) || other.alive(session) {
				w.Errorf("A11: %s: the cookie works", c.name)
			}
			if got := other.keyWorks(key); got != c.key {
				w.Errorf("A12: %s: the token works %v, want %v", c.name, got, c.key)
			}
			if got := len(w.audit("")) - rows; got != 1 {
				w.Errorf("R43: %s left %d audit rows", c.name, got)
			}
			w.comeBack(scim, pushed.ID, email)
			if w.alive(session) {
				w.Errorf("A11: %s: the cookie works when the person comes back", c.name)
			}
		}
	})
}

// comeBack makes sure that a person who was pushed is active, pushing them once more where they are gone.
func (w *world) comeBack(scope domain.OrgScope, id domain.MemberID, email string) {
	w.Helper()
	if _, err := w.service.GetUser(w.Context(), scope, id); domain.IsKind(err, domain.NotFound) {
		w.push(scope, email)
		return
	}
	w.active(scope, id, true)
}

// Item 92: an organization's own admin signs out those who are nowhere else; the default organization signs out everybody.
func TestWhoMaySignWhomOut(t *testing.T) {
	onDoors(t, nil, func(w *world, acme domain.OrgID) {
		both, here := w.enter(claims("both@example.com")), w.enter(claims("here@example.com"))
		w.invite("Acme", domain.InviteRequest{Email: "both@example.com"})
		w.invite("Acme", domain.InviteRequest{Email: "there@example.com"})
		w.push(w.scim("Acme"), "both@example.com")
		there := w.enter(acmeClaims("there@example.com"))
		ended, err := w.service.EndOrgSessions(w.Context(), w.commandLine("Acme"), "")
		w.must(err)
		if got := w.allAlive(both, here, there); ended != 1 || !slices.Equal(got, []bool{true, true, false}) {
			w.Errorf("item 92: Acme ended %d sessions, alive %v", ended, got)
		}
		member := w.memberOf(w.principal(both), acme)
		if _, err := w.service.EndMemberSessions(w.Context(), w.commandLine("Acme"), member); !domain.IsKind(err, domain.Forbidden) {
			w.Errorf("item 92: Acme ends the sessions of another organization's member: %v", err)
		}
		if _, err := w.service.MemberSessions(w.Context(), w.commandLine("Acme"), member); !domain.IsKind(err, domain.Forbidden) {
			w.Errorf("item 92: Acme lists them: %v", err)
		}
		if _, err := w.service.EndMemberSessions(w.Context(), w.commandLine(""), member); !domain.IsKind(err, domain.NotFound) {
			w.Errorf("R44: another organization's membership: %v", err)
		}
		again := w.enter(acmeClaims("there@example.com"))
		ended, err = w.service.EndOrgSessions(w.Context(), w.commandLine(""), "")
		w.must(err)
		if got := w.allAlive(both, here, again); ended != 2 || !slices.Equal(got, []bool{false, false, true}) {
			w.Errorf("item 92: the default organization ended %d sessions, alive %v", ended, got)
		}
	})
}

// R4: an Operator sees and ends the sessions of Users and Viewers, not of those above, and not everybody's at once.
func TestOperatorsAndSessions(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		cli := w.commandLine("")
		_, err := w.service.AddAdmin(w.Context(), cli, "ada@example.com")
		w.must(err)
		ada, olga, bob := w.enter(claims("ada@example.com")), w.enter(claims("olga@example.com")), w.enter(claims("bob@example.com"))
		_, err = w.service.SetMemberRole(w.Context(), cli, w.scopeOf(olga, cli.Org()).Member(), domain.RoleOrgOperator)
		w.must(err)
		operator := w.scopeOf(olga, cli.Org())
		for session, want := range map[string]bool{ada: false, bob: true} {
			member := w.scopeOf(session, cli.Org()).Member()
			found, err := w.service.MemberSessions(w.Context(), operator, member)
			if (err == nil) != want || (len(found) == 1) != want {
				w.Errorf("R4: listing: %d sessions, %v", len(found), err)
			}
			if _, err := w.service.EndMemberSessions(w.Context(), operator, member); domain.IsKind(err, domain.Forbidden) == want {
				w.Errorf("R4: ending: %v", err)
			}
			if w.alive(session) == want {
				w.Errorf("R4: afterwards the session is alive: %v", !want)
			}
		}
		if _, err := w.service.EndOrgSessions(w.Context(), operator, ""); !domain.IsKind(err, domain.Forbidden) {
			w.Errorf("R4: an Operator signs everybody out: %v", err)
		}
		viewer := w.scopeOf(w.enter(claims("bob@example.com")), cli.Org())
		if _, err := w.service.EndMemberSessions(w.Context(), viewer, operator.Member()); !domain.IsKind(err, domain.Forbidden) {
			w.Errorf("R2: a User ends another's sessions: %v", err)
		}
	})
}

// Item 92: one's own sessions, the newest first, without those that are over; other people's cannot be named.
func TestOwnSessions(t *testing.T) {
	onEngines(t, func(p *domain.Policy) { p.SessionIdle = time.Hour }, func(w *world) {
		bob := w.principal(w.enter(claims("bob@example.com")))
		unused := w.enter(claims("alice@example.com"))
		w.clock.Advance(time.Hour)
		var ids []domain.SessionID
		var sessions []string
		for range 3 {
			w.clock.Advance(time.Second)
			sessions = append(sessions, w.enter(claims("alice@example.com")))
			ids = slices.Insert(ids, 0, w.principal(sessions[len(sessions)-1]).CurrentSession())
		}
		alice := w.principal(sessions[2])
		list := func() []domain.SessionID {
			found, err := w.service.MySessions(w.Context(), alice)
			w.must(err)
			got := []domain.SessionID{}
			for _, session := range found {
				got = append(got, session.ID)
			}
			return got
		}
		if got := list(); !slices.Equal(got, ids) || w.alive(unused) {
			w.Errorf("item 92: listed %v, want %v", got, ids)
		}
		for _, id := range []domain.SessionID{bob.CurrentSession(), "", "no-id", domain.SessionID(alice.User().ID)} {
			if err := w.service.EndMySession(w.Context(), alice, id); !domain.IsKind(err, domain.NotFound) {
				w.Errorf("R44: ending the session %q: %v", id, err)
			}
		}
		w.must(w.service.EndMySession(w.Context(), alice, ids[2]))
		if err := w.service.EndMySession(w.Context(), alice, ids[2]); !domain.IsKind(err, domain.NotFound) {
			w.Errorf("ending a session twice: %v", err)
		}
		_, err := w.service.EndMySessions(w.Context(), alice, true)
		w.must(err)
		if got := w.allAlive(sessions...); !slices.Equal(got, []bool{false, false, true}) || !slices.Equal(list(), ids[:1]) {
			w.Errorf("item 92: signed out everywhere else, alive %v", got)
		}
	})
}

// A46, items 89, 109: deprovisioning that runs against a sign-in, a step-up and a renewal leaves no living session, in thirty rounds.
func TestDeprovisioningRaces(t *testing.T) {
	onRenewing(t, func(w *world, _ *rotating) {
		scope := w.scim("")
		pushed := w.push(scope, "alice@example.com")
		for range 30 {
			renewed := w.enter(w.renewable("alice@example.com"))
			proved := w.enter(claims("alice@example.com"))
			w.clock.Advance(time.Hour)
			var wait sync.WaitGroup
			var fresh [4]string
			for i := range fresh {
				wait.Go(func() {
					signedIn, err := w.service.SignIn(w.Context(), claims("alice@example.com"), domain.Client{})
					if reason := reasonOf(err); reason != "" && reason != domain.ReasonDisabled {
						w.Errorf("A46: a sign-in was answered with %v", err)
					}
					fresh[i] = signedIn.Session
				})
			}
			wait.Go(func() {
				_, err := w.service.Session(w.Context(), renewed, domain.Client{})
				if err != nil && !domain.IsKind(err, domain.Unauthenticated) {
					w.Errorf("A46: a renewal was answered with %v", err)
				}
			})
			wait.Go(func() {
				digest := domain.DigestOf(proved)
				_, err := w.service.StepUp(w.Context(), claims("alice@example.com"), digest, domain.Client{Session: digest})
				if reason := reasonOf(err); reason != "" && reason != domain.ReasonDisabled && reason != domain.ReasonFlowLost {
					w.Errorf("A46: a step-up was answered with %v", err)
				}
			})
			wait.Go(func() {
				off := edited(func(doc domain.Document) { doc["active"] = false })
				if _, err := w.service.ChangeUser(w.Context(), scope, pushed.ID, domain.UserChange{Apply: off}); err != nil {
					w.Errorf("A46: the deprovisioning was answered with %v", err)
				}
			})
			wait.Wait()
			if got := w.sessionsOf(pushed.User); len(got) > 0 {
				w.Fatalf("A46: %d sessions live on: %+v", len(got), got)
			}
			if slices.Contains(w.allAlive(append(fresh[:], renewed, proved)...), true) {
				w.Fatal("A46: a cookie works")
			}
			w.active(scope, pushed.ID, true)
		}
	})
}

// A46: a session that was ended while its provider was renewing it stays ended.
func TestEndedWhileBeingRenewed(t *testing.T) {
	onRenewing(t, func(w *world, provider *rotating) {
		session := w.enter(w.renewable("alice@example.com"))
		user := w.principal(session).User().ID
		w.clock.Advance(time.Hour)
		provider.meanwhile = func() error {
			_, err := w.service.SignOut(w.Context(), session, domain.Client{})
			return err
		}
		if w.alive(session) || len(w.sessionsOf(user)) > 0 {
			w.Error("A46: the renewal brought the session back")
		}
	})
}
