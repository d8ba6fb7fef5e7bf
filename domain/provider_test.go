package domain_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"muster/domain"
)

// Item 14: the sessions of a provider that is gone are dead at once, are removed at start-up, and do not come back with it.
func TestSessionsOfARemovedProvider(t *testing.T) {
	onDoors(t, nil, func(w *world, _ domain.OrgID) {
		w.invite("Acme", domain.InviteRequest{Email: "bob@example.com"})
		alice, bob := w.enter(claims("alice@example.com")), w.enter(acmeClaims("bob@example.com"))
		without := w.under(func(p *domain.Policy) { delete(p.Providers, "acme") })
		if got := without.allAlive(alice, bob); !slices.Equal(got, []bool{true, false}) {
			w.Fatalf("item 14: while the provider is disabled, alive %v", got)
		}
		if got := w.allAlive(alice, bob); !slices.Equal(got, []bool{true, true}) {
			w.Fatalf("a request at the other server changed something: alive %v", got)
		}
		for _, want := range []int{1, 0} {
			ended, err := without.service.EndSessionsOfRemovedProviders(w.Context())
			w.must(err)
			if ended != want {
				w.Errorf("start-up ended %d sessions, want %d", ended, want)
			}
		}
		if got := w.allAlive(alice, bob); !slices.Equal(got, []bool{true, false}) {
			w.Errorf("item 14: after the provider came back, alive %v", got)
		}
		if rows := w.audit("", "revoke_sessions"); len(rows) != 1 || rows[0].Actor.Kind != domain.ActorSystem {
			w.Errorf("R43: audit rows %+v", rows)
		}
		none := w.under(func(p *domain.Policy) { p.Providers = map[string]domain.ProviderPolicy{} })
		if none.alive(alice) {
			w.Error("item 14: a session lives without any provider")
		}
	})
}

// Item 14: what is not configured signs nobody in, not even with an invite or as start-up's Admin.
func TestUnknownProviderSignsNobodyIn(t *testing.T) {
	onEngines(t, func(p *domain.Policy) { p.InitialAdminEmail = "ada@example.com" }, func(w *world) {
		w.signIn("alice@example.com")
		w.invite("", domain.InviteRequest{Email: "bob@example.com"})
		for _, email := range []string{"ada@example.com", "alice@example.com", "bob@example.com", "new@example.com"} {
			c := claims(email)
			c.Provider = "gone"
			if got := w.reasonFor(c); got == "" {
				w.Errorf("item 14: %s signed in by a provider that is not configured", email)
			}
		}
		if got := len(w.audit("", "jit_join_organization", "claim_pending_organization_invite", "update_org_member")); got != 1 {
			w.Errorf("%d changes of access, want alice's own joining only", got)
		}
	})
}

// R9, item 79, A4, A5: an organization's own provider finds nobody of another organization by address and lets nobody into the default one.
func TestAnOrganizationsOwnProviderStaysInside(t *testing.T) {
	onDoors(t, func(p *domain.Policy) { p.InitialAdminEmail = "first@example.com" }, func(w *world, acme domain.OrgID) {
		victim := w.signIn("victim@example.com")
		w.invite("", domain.InviteRequest{Email: "invited@example.com"})
		pushed := w.push(w.scim(""), "pushed@example.com")
		asPushed := acmeClaims("other@example.com")
		asPushed.Subject = "sub-pushed@example.com"
		asVictim := acmeClaims("other@example.com")
		asVictim.Subject = "sub-victim@example.com"
		for _, c := range []struct {
			name   string
			claims domain.Claims
			want   domain.Reason
		}{
			{"A4: a member of the default organization by address", acmeClaims("victim@example.com"), domain.ReasonEmailTaken},
			{"A4: the same address in another case", acmeClaims("VICTIM@Example.com"), domain.ReasonEmailTaken},
			{"A4: a SCIM user of the default organization by address", acmeClaims("pushed@example.com"), domain.ReasonEmailTaken},
			{"R9 (2): the externalId of another organization", asPushed, domain.ReasonNotInvited},
			{"R9 (1): the same subject at another issuer", asVictim, domain.ReasonNotInvited},
			{"item 79: an invite of the default organization", acmeClaims("invited@example.com"), domain.ReasonNotInvited},
			{"R7: start-up's address", acmeClaims("first@example.com"), domain.ReasonNotInvited},
			{"item 79: JIT of the default organization", acmeClaims("new@example.com"), domain.ReasonNotInvited},
		} {
			if got := w.reasonFor(c.claims); got != c.want {
				w.Errorf("%s: refused for %q, want %q", c.name, got, c.want)
			}
		}
		if got, want := w.identitiesOf(victim.User().ID), []string{"custom-oidc sub-victim@example.com"}; !slices.Equal(got, want) {
			w.Errorf("A4: the victim has the identities %q, want %q", got, want)
		}
		if got := w.identitiesOf(pushed.User); len(got) > 0 {
			w.Errorf("A4: the SCIM user has the identities %q", got)
		}
		members, err := w.service.Members(w.Context(), w.commandLine("Acme"), domain.MemberQuery{})
		w.must(err)
		if len(members) > 0 {
			w.Errorf("Acme has the members %+v", members)
		}
		outcomes := map[domain.Outcome]int{}
		for _, row := range w.audit("", "login") {
			outcomes[row.Outcome]++
		}
		if outcomes[domain.Success] != 1 || outcomes[domain.Failure] != 8 {
			w.Errorf("R43: sign-ins in the audit log: %v, want 8 refused and 1", outcomes)
		}
		w.invite("Acme", domain.InviteRequest{Email: "new@example.com", Role: domain.RoleOrgViewer})
		if got := orgNames(w.principal(w.enter(acmeClaims("new@example.com")))); !slices.Equal(got, []string{"Acme"}) {
			w.Errorf("item 79: an invite of Acme leads to %q", got)
		}
		if w.audit("Acme", "claim_pending_organization_invite")[0].Target.Name != "new@example.com" || acme == "" {
			w.Error("R43: the claim is not in Acme's log")
		}
	})
}

// R9, R23: an own provider's untrusted, expired or withdrawn invites let nobody in, and an invite elsewhere is not touched.
func TestInvitesAtAnOwnProvider(t *testing.T) {
	onDoors(t, func(p *domain.Policy) { p.InviteExpiry = time.Hour }, func(w *world, _ domain.OrgID) {
		for _, email := range []string{"both@example.com", "late@example.com", "untrusted@example.com"} {
			w.invite("Acme", domain.InviteRequest{Email: email})
			w.invite("", domain.InviteRequest{Email: email})
		}
		untrusted := acmeClaims("untrusted@example.com")
		untrusted.EmailTrusted = false
		if got := w.reasonFor(untrusted); got != domain.ReasonEmailUnverified {
			w.Errorf("R10: an untrusted address was refused for %q", got)
		}
		if got := orgNames(w.principal(w.enter(acmeClaims("both@example.com")))); !slices.Equal(got, []string{"Acme"}) {
			w.Errorf("item 79: a person invited twice reaches %q", got)
		}
		w.clock.Advance(2 * time.Hour)
		if got := w.reasonFor(acmeClaims("late@example.com")); got != domain.ReasonNotInvited {
			w.Errorf("R23: an expired invite was refused for %q", got)
		}
		for org, want := range map[string]int{"Acme": 2, "Default": 3} {
			left, err := w.service.Invites(w.Context(), w.commandLine(org), domain.MemberQuery{})
			w.must(err)
			if len(left) != want {
				w.Errorf("%s has %d invites left, want %d", org, len(left), want)
			}
		}
	})
}

// Items 77, 79: one person by two providers has two identities, and Acme's reaches Acme only, whatever else the person belongs to.
func TestOnePersonByTwoProviders(t *testing.T) {
	onDoors(t, nil, func(w *world, acme domain.OrgID) {
		w.invite("Acme", domain.InviteRequest{Email: "alice@example.com"})
		inside := w.enter(acmeClaims("alice@example.com"))
		whole := w.enter(claims("alice@example.com"))
		again := w.enter(acmeClaims("alice@example.com"))
		alice := w.principal(whole)
		if got, want := w.identitiesOf(alice.User().ID), []string{"acme acme-alice@example.com", "custom-oidc sub-alice@example.com"}; !slices.Equal(got, want) {
			w.Fatalf("item 77: identities %q, want %q", got, want)
		}
		for name, c := range map[string]struct {
			session string
			orgs    []string
			own     int
		}{"before": {inside, []string{"Acme"}, 2}, "after": {again, []string{"Acme"}, 2}, "main": {whole, []string{"Acme", "Default"}, 3}} {
			principal := w.principal(c.session)
			own, err := w.service.MySessions(w.Context(), principal)
			w.must(err)
			if got := orgNames(principal); !slices.Equal(got, c.orgs) || len(own) != c.own {
				w.Errorf("item 79: the session %q reaches %q and sees %d sessions, want %q and %d", name, got, len(own), c.orgs, c.own)
			}
		}
		home := w.commandLine("").Org()
		if _, err := w.principal(again).In(home); !domain.IsKind(err, domain.NotFound) {
			w.Errorf("item 79, R44: Acme's session in the default organization: %v", err)
		}
		if err := w.service.EndMySession(w.Context(), w.principal(inside), alice.CurrentSession()); !domain.IsKind(err, domain.NotFound) {
			w.Errorf("item 79: ending the main provider's session by Acme's: %v", err)
		}
		ended, err := w.service.EndMySessions(w.Context(), w.principal(inside), false)
		w.must(err)
		if got := w.allAlive(inside, again, whole); ended != 2 || !slices.Equal(got, []bool{false, false, true}) {
			w.Errorf("item 79: signing out everywhere by Acme's session ended %d, alive %v", ended, got)
		}
		w.must(w.service.RemoveMember(w.Context(), w.commandLine("Acme"), w.memberOf(alice, acme)))
		if got := w.reasonFor(acmeClaims("alice@example.com")); got != domain.ReasonNotInvited {
			w.Errorf("item 79: Acme's provider for a former member: refused for %q", got)
		}
	})
}

// Item 79: what a session of an organization's own provider may not do, a token made by it may not do either.
func TestATokenReachesNoFurtherThanItsSession(t *testing.T) {
	onDoors(t, nil, func(w *world, acme domain.OrgID) {
		w.invite("Acme", domain.InviteRequest{Email: "alice@example.com"})
		inside := w.enter(acmeClaims("alice@example.com"))
		whole := w.enter(claims("alice@example.com"))
		token, err := w.service.Key(w.Context(), w.pat(inside, acme), domain.Client{})
		w.must(err)
		if got := orgNames(token); !slices.Equal(got, []string{"Acme"}) {
			w.Errorf("R44: the token reaches %q", got)
		}
		seen, err := w.service.MySessions(w.Context(), token)
		w.must(err)
		for _, session := range seen {
			if session.Provider != "acme" {
				w.Errorf("item 79: the token sees a session of the provider %s", session.Provider)
			}
		}
		_, err = w.service.EndMySessions(w.Context(), token, false)
		w.must(err)
		if !w.alive(whole) {
			w.Error("item 79: the token ended the main provider's session")
		}
	})
}

// R6, item 79: an organization's own provider makes no other organization either.
func TestNoPersonalOrganizationByAnOwnProvider(t *testing.T) {
	onDoors(t, func(p *domain.Policy) { p.PersonalOrgsDisabled = false }, func(w *world, _ domain.OrgID) {
		w.invite("Acme", domain.InviteRequest{Email: "alice@example.com"})
		w.enter(acmeClaims("alice@example.com"))
		orgs, err := w.service.AllOrganizations(w.Context())
		w.must(err)
		var names []string
		for _, org := range orgs {
			names = append(names, org.DisplayName)
		}
		if !slices.Equal(names, []string{"Acme", "Default"}) {
			w.Errorf("item 79: after a sign-in by Acme's provider there are %q", names)
		}
	})
}

// R9 (2), item 65: an externalId finds the person where every organization that holds them says so, and nobody else.
func TestExternalIDOverOrganizations(t *testing.T) {
	onDoors(t, nil, func(w *world, acme domain.OrgID) {
		server := w.under(func(p *domain.Policy) {
			p.Providers["beta"] = domain.ProviderPolicy{Issuer: acmeIssuer, Orgs: []domain.OrgID{acme}}
		})
		home, inAcme := w.scim(""), w.scim("Acme")
		agreed := w.push(home, "agreed@example.com")
		w.push(inAcme, "agreed@example.com")
		victim := w.push(home, "victim@example.com")
		stolen := person("victim@example.com")
		stolen["externalId"] = "mallory"
		_, err := w.service.CreateUser(w.Context(), inAcme, stolen)
		w.must(err)
		only := w.push(inAcme, "only@example.com")
		by := func(provider, subject string) domain.Claims {
			c := acmeClaims("unknown-" + strings.TrimSuffix(subject, "@example.com") + "@example.com")
			c.Provider, c.Issuer, c.Subject, c.EmailTrusted = provider, "https://"+provider+".example", subject, false
			return c
		}
		for _, c := range []struct {
			name   string
			claims domain.Claims
			user   domain.UserID
		}{
			{"both organizations say so, by the main provider", by(domain.ProviderOIDC, "sub-agreed@example.com"), agreed.User},
			{"both say so, by Acme's provider", by("acme", "sub-agreed@example.com"), agreed.User},
			{"Acme's only member by Acme's provider", by("beta", "sub-only@example.com"), only.User},
			{"A4: Acme's word about the default organization's member", by("acme", "mallory"), ""},
			{"A4: the same by the main provider", by(domain.ProviderOIDC, "mallory"), ""},
			{"the default organization's word, by Acme's provider", by("acme", "sub-victim@example.com"), ""},
		} {
			signedIn, err := server.service.SignIn(w.Context(), c.claims, domain.Client{})
			if signedIn.User != c.user || (c.user == "") != (reasonOf(err) == domain.ReasonEmailUnverified) {
				w.Errorf("%s: signed in as %q with %v, want %q", c.name, signedIn.User, err, c.user)
			}
		}
		if got := w.identitiesOf(victim.User); len(got) > 0 {
			w.Errorf("A4: the victim has the identities %q", got)
		}
	})
}

// R26: SCIM adopts somebody by the subject of a provider that serves its organization, and by no other provider's.
func TestSCIMAdoptsByItsOwnProviders(t *testing.T) {
	onDoors(t, nil, func(w *world, _ domain.OrgID) {
		w.invite("Acme", domain.InviteRequest{Email: "alice@acme.example"})
		alice := w.principal(w.enter(acmeClaims("alice@acme.example"))).User()
		bob := w.signIn("bob@example.com").User()
		create := func(org, externalID, email string) domain.UserID {
			doc := person(email)
			doc["externalId"] = externalID
			user, err := w.service.CreateUser(w.Context(), w.scim(org), doc)
			w.must(err)
			return user.User
		}
		if got := create("", "acme-alice@acme.example", "stranger@example.com"); got == alice.ID {
			w.Error("R26, R9: the default organization adopted by a subject of Acme's provider")
		}
		if got := create("Acme", "acme-alice@acme.example", "alice@new.example"); got != alice.ID {
			w.Error("R26: Acme did not adopt by its own provider's subject")
		}
		if got := create("Acme", "sub-bob@example.com", "bob@new.example"); got != bob.ID {
			w.Error("R26: Acme did not adopt by the subject of the provider that serves everybody")
		}
		if again := w.principal(w.enter(claims("bob@example.com"))).User(); again.Email != "bob@example.com" {
			w.Errorf("R29: one organization's token changed another's member's address to %q", again.Email)
		}
	})
}
