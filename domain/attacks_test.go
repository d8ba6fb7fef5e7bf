package domain_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"muster/domain"
)

// A1, A2, R9, R10: what somebody's address is worth in a stranger's token.
func TestWhatAnAddressIsWorth(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		server := w.under(func(p *domain.Policy) {
			p.Providers["second"] = domain.ProviderPolicy{Issuer: "https://second.example"}
		})
		alice := server.signIn("alice@example.com")
		stranger := claims("alice@example.com")
		stranger.Subject = "s2"
		unverified := claims("alice@example.com")
		unverified.Subject, unverified.EmailTrusted = "s3", false
		unverifiedNew := claims("new@example.com")
		unverifiedNew.EmailTrusted = false
		unverifiedElsewhere := unverified
		unverifiedElsewhere.Provider, unverifiedElsewhere.Issuer = "second", "https://second.example"
		for _, c := range []struct {
			name   string
			claims domain.Claims
			want   domain.Reason
		}{
			{"A1: another subject at the same issuer", stranger, domain.ReasonEmailTaken},
			{"A2: unverified", unverified, domain.ReasonEmailUnverified},
			{"A2: unverified at another issuer", unverifiedElsewhere, domain.ReasonEmailUnverified},
			{"R10: unverified and new", unverifiedNew, domain.ReasonEmailUnverified},
		} {
			w.clock.Advance(time.Second)
			if got := server.reasonFor(c.claims); got != c.want {
				w.Errorf("%s: refused for %q, want %q", c.name, got, c.want)
			}
			row := w.audit("", "login")[0]
			if row.Outcome != domain.Failure || row.After["reason"] != string(c.want) || row.Target.Name != c.claims.Email {
				w.Errorf("%s: R43: audit row %+v", c.name, row)
			}
		}
		if got, want := w.identitiesOf(alice.User().ID), []string{"custom-oidc sub-alice@example.com"}; !slices.Equal(got, want) {
			w.Errorf("A1, A2: identities %q, want %q", got, want)
		}
	})
}

// Items 59, 77, R43: an identity that is linked to somebody known is in the audit log, by whatever it was found.
func TestLinkingIsAudited(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		server := w.under(func(p *domain.Policy) {
			p.Providers["second"] = domain.ProviderPolicy{Issuer: "https://second.example"}
		})
		server.signIn("alice@example.com")
		byEmail := claims("alice@example.com")
		byEmail.Provider, byEmail.Issuer = "second", "https://second.example"
		w.push(w.scim(""), "bob@example.com")
		byExternalID := claims("bob@elsewhere.example")
		byExternalID.Subject = "sub-bob@example.com"
		for name, c := range map[string]domain.Claims{"address": byEmail, "externalId": byExternalID} {
			before := len(w.audit("", "link_identity"))
			server.enter(c)
			if got := len(w.audit("", "link_identity")); got != before+1 {
				w.Errorf("a link by %s left %d rows", name, got-before)
			}
			server.enter(c)
			if got := len(w.audit("", "link_identity")); got > before+1 {
				w.Errorf("the second sign-in after a link by %s left another row", name)
			}
		}
	})
}

// A6, A31: who gets a victim's address through SCIM gets nothing of the victim's, and the victim nothing of theirs.
func TestAnAddressTakenBySCIM(t *testing.T) {
	onDoors(t, nil, func(w *world, acme domain.OrgID) {
		scim := w.scim("Acme")
		mallory := w.push(scim, "mallory@acme.example")
		c := acmeClaims("mallory@acme.example")
		c.Subject = "sub-mallory@acme.example"
		session := w.enter(c)
		key := w.pat(session, acme)
		w.change(scim, mallory.ID, func(doc domain.Document) {
			doc["emails"] = []any{map[string]any{"value": "victim@example.com", "type": "work", "primary": true}}
		})
		victim, err := w.service.SignIn(w.Context(), claims("victim@example.com"), domain.Client{})
		w.must(err)
		if got := orgNames(w.principal(session)); !slices.Equal(got, []string{"Acme"}) {
			w.Errorf("A6: Mallory's session reaches %q", got)
		}
		token, err := w.service.Key(w.Context(), key, domain.Client{})
		if err == nil && !slices.Equal(orgNames(token), []string{"Acme"}) {
			w.Errorf("A6: Mallory's token reaches %q", orgNames(token))
		}
		if got := orgNames(w.principal(w.enter(c))); !slices.Equal(got, []string{"Acme"}) {
			w.Errorf("A6: Mallory's next session reaches %q", got)
		}
		if !w.alive(victim.Session) {
			w.Error("the victim's session is dead")
		}

		home := w.scim("")
		eve := w.push(home, "eve@example.com")
		w.enter(claims("eve@example.com"))
		w.change(home, eve.ID, func(doc domain.Document) {
			doc["emails"] = []any{map[string]any{"value": "late@example.com", "type": "work", "primary": true}}
		})
		if got := w.reasonFor(claims("late@example.com")); got != domain.ReasonEmailTaken {
			w.Errorf("A6, A31: a first sign-in whose address somebody else has at the issuer: refused for %q", got)
		}
	})
}

// A33, A35, R27, R30, item 69: whoever was shut out is refused by every way of being found, once each, and nothing is added and taken again.
func TestShutOutByEveryWay(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		server := w.under(func(p *domain.Policy) {
			p.Providers["second"] = domain.ProviderPolicy{Issuer: "https://second.example"}
		})
		for _, deleted := range []bool{false, true} {
			scope, email, want := w.scim(""), "alice@example.com", domain.ReasonDisabled
			if deleted {
				email, want = "bob@example.com", domain.ReasonDeprovisioned
			}
			pushed := w.push(scope, email)
			entra := claims(email)
			entra.Subject, entra.Object = "first-"+email, "tenant/"+email
			server.enter(entra)
			if deleted {
				w.must(w.service.DeleteUser(w.Context(), scope, pushed.ID, 0))
			} else {
				w.active(scope, pushed.ID, false)
			}
			byObject, byEmail, byExternalID := entra, claims(email), claims("else-"+email)
			byObject.Subject = "second-" + email
			byEmail.Provider, byEmail.Issuer, byEmail.Subject = "second", "https://second.example", "x"
			byExternalID.Subject = "sub-" + email
			for name, c := range map[string]domain.Claims{"identity": entra, "object": byObject, "address": byEmail, "externalId": byExternalID} {
				if name == "object" && deleted {
					continue // the object goes with the person; the address refuses
				}
				rows := len(w.audit(""))
				if got := server.reasonFor(c); got != want {
					w.Errorf("A33: %s by %s: refused for %q, want %q", email, name, got, want)
				}
				if got := len(w.audit("")) - rows; got != 1 {
					w.Errorf("A35: %s by %s: %d audit rows, want 1", email, name, got)
				}
			}
		}
	})
}

// A34, item 78: the identity of somebody deleted leads to nothing of theirs when another organization makes the same person anew.
func TestDeletedHereMadeThere(t *testing.T) {
	onDoors(t, nil, func(w *world, acme domain.OrgID) {
		scope := w.scim("Acme")
		first := w.push(scope, "alice@example.com")
		c := acmeClaims("alice@example.com")
		c.Subject = "sub-alice@example.com"
		session := w.enter(c)
		key := w.pat(session, acme)
		w.must(w.service.DeleteUser(w.Context(), scope, first.ID, 0))
		second := w.push(w.scim(""), "alice@example.com")
		if second.User == first.User || second.ID == first.ID {
			w.Error("A34: an id was used again")
		}
		if w.alive(session) || w.keyWorks(key) {
			w.Error("A34: a credential of the deleted person works")
		}
		if got := w.reasonFor(c); got != domain.ReasonEmailTaken {
			w.Errorf("A34: the old identity at Acme's provider: refused for %q", got)
		}
		if got := orgNames(w.signIn("alice@example.com")); !slices.Equal(got, []string{"Default"}) {
			w.Errorf("A34: the new person reaches %q", got)
		}
	})
}

// R17, A44, item 71: a hundred first sign-ins of one subject make one person, one membership and a hundred sessions.
func TestAHundredFirstSignInsOfOnePerson(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		sessions := make([]string, 100)
		var wait sync.WaitGroup
		for i := range sessions {
			wait.Go(func() {
				signedIn, err := w.service.SignIn(w.Context(), claims("alice@example.com"), domain.Client{})
				if err != nil {
					w.Errorf("a first sign-in among many: %v", err)
				}
				sessions[i] = signedIn.Session
			})
		}
		wait.Wait()
		members, err := w.service.Members(w.Context(), w.commandLine(""), domain.MemberQuery{})
		w.must(err)
		if len(members) != 1 || len(members[0].Identities) != 1 || len(w.audit("", "jit_join_organization")) != 1 {
			w.Fatalf("members %+v", members)
		}
		if slices.Contains(w.allAlive(sessions...), false) || len(w.sessionsOf(members[0].User)) != 100 {
			w.Error("A44: a session among many is dead")
		}
	})
}

// A44, A1: of a hundred subjects with one address one is linked and all others are refused, whether the person is new or known.
func TestAHundredSubjectsWithOneAddress(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		known := w.push(w.scim(""), "known@example.com")
		for _, email := range []string{"new@example.com", "known@example.com"} {
			reasons := make([]domain.Reason, 100)
			var wait sync.WaitGroup
			for i := range reasons {
				wait.Go(func() {
					c := claims(email)
					c.Subject = email + string(rune('a'+i%26)) + string(rune('a'+i/26))
					_, err := w.service.SignIn(w.Context(), c, domain.Client{})
					reasons[i] = reasonOf(err)
				})
			}
			wait.Wait()
			counts := map[domain.Reason]int{}
			for _, reason := range reasons {
				counts[reason]++
			}
			if counts[""] != 1 || counts[domain.ReasonEmailTaken] != 99 {
				w.Errorf("A44: %s: answers %v, want one signed in and 99 refused", email, counts)
			}
		}
		if got := len(w.identitiesOf(known.User)); got != 1 {
			w.Errorf("A44: the known person has %d identities at one issuer", got)
		}
	})
}

// Item 72, R15, R9 (1): an address that changed at the provider lets the person in as before, also when somebody else has it.
func TestAnAddressThatChangedAtTheProvider(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		alice, bob := w.signIn("alice@example.com").User(), w.signIn("bob@example.com").User()
		renamed := claims("bob@example.com")
		renamed.Subject = "sub-alice@example.com"
		if got := w.principal(w.enter(renamed)).User(); got != alice {
			w.Errorf("item 72: signed in as %+v, want %+v", got, alice)
		}
		if got := w.signIn("bob@example.com").User(); got != bob {
			w.Errorf("item 58: signed in as %+v, want %+v", got, bob)
		}
	})
}

// A9, A10, item 32: a flow is taken once, by one of fifty at once, and not after its time.
func TestAFlowIsTakenOnce(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		begin := func(state string) {
			w.must(w.service.BeginFlow(w.Context(), domain.Flow{
				State: domain.DigestOf(state), Provider: domain.ProviderOIDC, Purpose: domain.PurposeStepUp,
				CreatedAt: w.clock.Now(), ExpiresAt: w.clock.Now().Add(10 * time.Minute),
			}))
		}
		begin("state")
		kinds := make(chan domain.Kind, 50)
		var wait sync.WaitGroup
		for range 50 {
			wait.Go(func() {
				flow, err := w.service.ConsumeFlow(w.Context(), domain.DigestOf("state"))
				switch {
				case err != nil:
					kinds <- domain.AsError(err).Kind
				case flow.Purpose != domain.PurposeStepUp:
					kinds <- domain.Internal
				}
			})
		}
		wait.Wait()
		close(kinds)
		counts := map[domain.Kind]int{}
		for kind := range kinds {
			counts[kind]++
		}
		if len(counts) != 1 || counts[domain.NotFound] != 49 {
			w.Errorf("A9: answers %v, want one flow and 49 times not found", counts)
		}
		begin("late")
		w.clock.Advance(10 * time.Minute)
		if _, err := w.service.ConsumeFlow(w.Context(), domain.DigestOf("late")); !domain.IsKind(err, domain.NotFound) {
			w.Errorf("item 35: a flow after its time: %v", err)
		}
	})
}
