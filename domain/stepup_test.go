package domain_test

import (
	"slices"
	"testing"
	"time"

	"muster/domain"
)

// onStepUp runs a test where sensitive changes ask for a sign-in of the last ten minutes, with an Admin who signed in just now.
func onStepUp(t *testing.T, test func(w *world, session string)) {
	t.Helper()
	onEngines(t, func(p *domain.Policy) {
		p.StepUpMaxAge = 10 * time.Minute
	}, func(w *world) {
		_, err := w.service.AddAdmin(w.Context(), w.commandLine(""), "ada@example.com")
		w.must(err)
		test(w, w.enter(w.proved("ada@example.com")))
	})
}

// proved makes claims of somebody who has proved who they are this moment.
func (w *world) proved(email string) domain.Claims {
	c := claims(email)
	c.AuthTime = w.clock.Now()
	return c
}

// stepUp proves a session in the browser that holds it.
func (w *world) stepUp(c domain.Claims, session string) (domain.SignedIn, error) {
	digest := domain.DigestOf(session)
	return w.service.StepUp(w.Context(), c, digest, domain.Client{Session: digest})
}

// Items 85, 110: a step-up gives a new session with the new time of proof, and the old one is dead.
func TestAStepUpReplacesTheSession(t *testing.T) {
	onStepUp(t, func(w *world, session string) {
		w.clock.Advance(time.Hour)
		before := w.principal(session)
		proved, err := w.stepUp(w.proved("ada@example.com"), session)
		w.must(err)
		if got := w.allAlive(session, proved.Session); !slices.Equal(got, []bool{false, true}) {
			w.Errorf("item 85: old and new session are alive: %v", got)
		}
		after := w.principal(proved.Session)
		if after.User() != before.User() || after.CurrentSession() == before.CurrentSession() || len(w.sessionsOf(after.User().ID)) != 1 {
			w.Errorf("item 85: before %s, after %s", before.CurrentSession(), after.CurrentSession())
		}
		if got := []bool{w.service.NeedsStepUp(before, w.clock.Now()), w.service.NeedsStepUp(after, w.clock.Now())}; !slices.Equal(got, []bool{true, false}) {
			w.Errorf("item 110: asked to prove once more: %v", got)
		}
		row := w.audit("", "login")[0]
		if row.After["step_up"] != true || row.Actor.Credential != string(after.CurrentSession()) {
			w.Errorf("R43: audit row %+v", row)
		}
	})
}

// Item 111, A8: a step-up for another person, by another provider, in another browser or of a session that is over is refused and recorded,
// and signs nobody in.
func TestAStepUpBySomebodyElse(t *testing.T) {
	onStepUp(t, func(w *world, session string) {
		server := w.under(func(p *domain.Policy) {
			p.Providers["second"] = domain.ProviderPolicy{Issuer: "https://second.example"}
		})
		server.enter(claims("mallory@example.com"))
		over := server.enter(claims("ada@example.com"))
		_, err := server.service.SignOut(w.Context(), over, domain.Client{})
		w.must(err)
		elsewhere, twin := w.proved("ada@example.com"), w.proved("ada@example.com")
		elsewhere.Provider, elsewhere.Issuer = "second", "https://second.example"
		twin.Provider = "second"
		digest := domain.DigestOf(session)
		for _, c := range []struct {
			name    string
			claims  domain.Claims
			proving string
			browser domain.Digest
			want    domain.Reason
		}{
			{"item 111: another person", w.proved("mallory@example.com"), session, digest, domain.ReasonAnotherPerson},
			{"item 111: somebody new", w.proved("new@example.com"), session, digest, domain.ReasonAnotherPerson},
			{"item 111: the same person by another provider", elsewhere, session, digest, domain.ReasonAnotherPerson},
			{"item 111: another provider of the same issuer", twin, session, digest, domain.ReasonAnotherPerson},
			{"A8: in a browser without the session", w.proved("ada@example.com"), session, "", domain.ReasonFlowLost},
			{"A8: in a browser with another session", w.proved("ada@example.com"), session, domain.DigestOf("other"), domain.ReasonFlowLost},
			{"a session that is over", w.proved("ada@example.com"), over, domain.DigestOf(over), domain.ReasonFlowLost},
		} {
			w.clock.Advance(time.Second)
			_, err := server.service.StepUp(w.Context(), c.claims, domain.DigestOf(c.proving), domain.Client{Session: c.browser})
			if got := reasonOf(err); got != c.want {
				w.Errorf("%s: refused for %q, want %q", c.name, got, c.want)
			}
			if row := w.audit("", "login")[0]; row.Outcome != domain.Failure || row.After["reason"] != string(c.want) || row.Target.Name != c.claims.Email {
				w.Errorf("%s: R43: audit row %+v", c.name, row)
			}
		}
		if !w.alive(session) || len(w.sessionsOf(w.principal(session).User().ID)) != 1 {
			w.Error("item 111: the refused attempts changed the sessions")
		}
		if members := w.facts(""); len(members) != 2 {
			w.Errorf("item 111: a refused attempt made a member: %q", members)
		}
	})
}

// Item 110: what asks for a recent sign-in asks every session that is too old, and no younger one.
func TestWhatAsksForAStepUp(t *testing.T) {
	sensitive := map[string]func(w *world, scope domain.OrgScope) error{
		"a SCIM token": func(w *world, scope domain.OrgScope) error {
			_, _, err := w.service.CreateSCIMToken(w.Context(), scope, domain.NewSCIMToken{Description: "test"})
			return err
		},
		"sign-in settings": func(w *world, scope domain.OrgScope) error {
			settings, err := w.service.SSOSettings(w.Context(), scope)
			w.must(err)
			_, err = w.service.SetSSODefaults(w.Context(), scope, settings.ID, func(s *domain.SSOSettings) { s.GroupsEnabled = !s.GroupsEnabled })
			return err
		},
		"a new Admin": func(w *world, scope domain.OrgScope) error {
			bob := w.memberOf(w.signIn("bob@example.com"), scope.Org())
			_, err := w.service.SetMemberRole(w.Context(), scope, bob, domain.RoleOrgAdmin)
			return err
		},
		"an invite of an Admin": func(w *world, scope domain.OrgScope) error {
			_, err := w.service.Invite(w.Context(), scope, domain.InviteRequest{Email: "new@example.com", Role: domain.RoleOrgAdmin})
			return err
		},
	}
	onStepUp(t, func(w *world, session string) {
		org := w.commandLine("").Org()
		silent, err := w.trySignIn(claims("ada@example.com"))
		w.must(err)
		for name, change := range sensitive {
			recent, err := w.stepUp(w.proved("ada@example.com"), session)
			w.must(err)
			session = recent.Session
			w.clock.Advance(10 * time.Minute)
			if err := change(w, w.scopeOf(session, org)); err != nil {
				w.Errorf("item 110: %s ten minutes after the proof: %v", name, err)
			}
			w.clock.Advance(time.Second)
			rows := len(w.audit(""))
			unsaid, err := silent.In(org)
			w.must(err)
			for kind, scope := range map[string]domain.OrgScope{"an old proof": w.scopeOf(session, org), "no time of proof": unsaid} {
				err := change(w, scope)
				if !domain.IsKind(err, domain.StepUpNeeded) || domain.AsError(err).Provider != domain.ProviderOIDC {
					w.Errorf("item 110: %s with %s: %v", name, kind, err)
				}
			}
			changed := len(w.audit("")) - rows
			if name == "a new Admin" {
				changed -= 2 // Bob's own sign-ins
			}
			if changed != 0 {
				w.Errorf("item 110: %s left %d audit rows though it was refused", name, changed)
			}
			if err := change(w, w.commandLine("")); err != nil && !domain.IsKind(err, domain.Conflict) {
				w.Errorf("%s from the command line: %v", name, err)
			}
		}
	})
}

// Item 110: what is not sensitive asks for nothing, and neither does anything where no age is configured.
func TestWhatAsksForNoStepUp(t *testing.T) {
	onStepUp(t, func(w *world, session string) {
		w.clock.Advance(time.Hour)
		scope := w.scopeOf(session, w.commandLine("").Org())
		bob := w.memberOf(w.signIn("bob@example.com"), scope.Org())
		_, err := w.service.SetMemberRole(w.Context(), scope, bob, domain.RoleOrgViewer)
		w.must(err)
		_, err = w.service.Invite(w.Context(), scope, domain.InviteRequest{Email: "new@example.com", Role: domain.RoleOrgOperator})
		w.must(err)
		off := w.under(func(p *domain.Policy) { p.StepUpMaxAge = 0 })
		_, _, err = off.service.CreateSCIMToken(w.Context(), scope, domain.NewSCIMToken{Description: "test"})
		w.must(err)
		if off.service.NeedsStepUp(w.principal(session), w.clock.Now()) {
			w.Error("asked to prove who they are where nothing asks for it")
		}
	})
}

// Item 110: a session that is too old cannot make itself a credential that is asked for nothing, and do by it what it may not do itself.
func TestNoWayRoundTheStepUp(t *testing.T) {
	onStepUp(t, func(w *world, session string) {
		w.clock.Advance(time.Hour)
		scope := w.scopeOf(session, w.commandLine("").Org())
		_, personal, personalErr := w.service.CreatePersonalToken(w.Context(), scope, domain.KeyRequest{Description: "round"})
		_, service, serviceErr := w.service.CreateServiceKey(w.Context(), scope, domain.KeyRequest{Description: "round", OrgRole: domain.RoleOrgAdmin})
		for name, made := range map[string]struct {
			secret domain.Secret
			err    error
		}{"a personal access token": {personal, personalErr}, "a service key": {service, serviceErr}} {
			if domain.IsKind(made.err, domain.StepUpNeeded) {
				continue
			}
			w.must(made.err)
			principal, err := w.service.Key(w.Context(), string(made.secret), domain.Client{})
			w.must(err)
			by, err := principal.In(scope.Org())
			w.must(err)
			if _, _, err := w.service.CreateSCIMToken(w.Context(), by, domain.NewSCIMToken{Description: "round"}); err == nil {
				w.Errorf("item 110: an hour after the proof the session made %s, and that made a SCIM token", name)
			}
		}
	})
}
