package domain_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"muster/domain"
)

// entraClaims is what an application at Entra says: the subject differs from application to application, the object does not.
func entraClaims(email, subject, object string) domain.Claims {
	c := claims(email)
	c.Subject, c.Object = subject, object
	return c
}

// Section 7, item 59: a new client id changes every subject, and tenant and object id find the person again, with their roles and in the audit log.
func TestANewClientIDLocksNobodyOut(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		operator := w.commandLine("")
		before := w.principal(w.enter(entraClaims("alice@example.com", "app-1", "tenant/alice")))
		member := w.memberOf(before, operator.Org())
		_, err := w.service.SetMemberRole(w.Context(), operator, member, domain.RoleOrgOperator)
		w.must(err)
		held := w.access(operator, member)
		w.clock.Advance(time.Second)
		unverified := entraClaims("renamed@example.com", "app-2", "tenant/alice")
		unverified.EmailTrusted = false
		after := w.principal(w.enter(unverified))
		if after.User() != before.User() {
			w.Fatalf("the new subject found %+v, want %+v", after.User(), before.User())
		}
		if got := w.access(operator, member); !slices.Equal(got, held) {
			w.Errorf("the roles are %q, want %q", got, held)
		}
		if got, want := w.identitiesOf(before.User().ID), []string{"custom-oidc app-1", "custom-oidc app-2"}; !slices.Equal(got, want) {
			w.Errorf("identities %q, want %q", got, want)
		}
		w.enter(unverified)
		rows := w.audit("", "link_identity")
		if len(rows) != 1 {
			w.Fatalf("R43: %d audit rows, want 1", len(rows))
		}
		want := domain.AuditEvent{
			ID: rows[0].ID, At: w.clock.Now(), Operation: "link_identity", Outcome: domain.Success,
			Actor:  domain.Actor{Kind: domain.ActorUser, ID: string(before.User().ID), Name: "alice@example.com"},
			Target: domain.Target{Kind: "user", ID: string(before.User().ID), Name: "alice@example.com"},
			After:  map[string]any{"issuer": issuer, "provider": domain.ProviderOIDC, "by": "object id"},
		}
		if !reflect.DeepEqual(rows[0], want) {
			w.Errorf("R43: audit row\n%+v, want\n%+v", rows[0], want)
		}
	})
}

// Section 7: an object counts at its own provider, when it is there, and when it names one person.
func TestWhenAnObjectFindsNobody(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		server := w.under(func(p *domain.Policy) {
			p.Providers["second"] = domain.ProviderPolicy{Issuer: "https://second.example"}
		})
		server.enter(entraClaims("alice@example.com", "alice-1", "tenant/alice"))
		server.enter(entraClaims("empty@example.com", "empty-1", ""))
		server.enter(entraClaims("one@example.com", "one-1", "tenant/shared"))
		// Two people can only come to share an object by what is done here: the second one's row is written by hand.
		two := server.signIn("two@example.com").User()
		w.link(domain.Identity{User: two.ID, Provider: domain.ProviderOIDC, Issuer: issuer, Subject: "two-1", Object: "tenant/shared"})
		elsewhere := entraClaims("alice@example.com", "alice-2", "tenant/alice")
		elsewhere.Provider, elsewhere.Issuer, elsewhere.EmailTrusted = "second", "https://second.example", false
		for name, c := range map[string]struct {
			claims domain.Claims
			want   domain.Reason
		}{
			"another provider":       {elsewhere, domain.ReasonEmailUnverified},
			"no object":              {entraClaims("empty@example.com", "empty-2", ""), domain.ReasonEmailTaken},
			"another object":         {entraClaims("alice@example.com", "alice-3", "tenant/bob"), domain.ReasonEmailTaken},
			"another tenant":         {entraClaims("alice@example.com", "alice-4", "other/alice"), domain.ReasonEmailTaken},
			"two people, one object": {entraClaims("one@example.com", "one-2", "tenant/shared"), domain.ReasonEmailTaken},
		} {
			if got := server.reasonFor(c.claims); got != c.want {
				w.Errorf("%s: refused for %q, want %q", name, got, c.want)
			}
		}
		if rows := w.audit("", "link_identity"); len(rows) > 0 {
			w.Errorf("linked after all: %+v", rows)
		}
	})
}

// link writes an identity as it stands.
func (w *world) link(identity domain.Identity) {
	w.Helper()
	_, scope := domain.TestScopes(w, "")
	w.must(w.store.Write(w.Context(), func(tx domain.Tx) error {
		identity.ID, identity.CreatedAt = domain.IdentityID("00000000-0000-4000-8000-0000000000aa"), tx.Now()
		_, err := tx.System(scope).Identities().Insert(identity)
		return err
	}))
}

// Section 7, item 69: a new client id lets nobody in again who was shut out.
func TestANewClientIDForSomebodyShutOut(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		scope := w.scim("")
		pushed := w.push(scope, "alice@example.com")
		w.enter(entraClaims("alice@example.com", "sub-alice@example.com", "tenant/alice"))
		w.active(scope, pushed.ID, false)
		if got := w.reasonFor(entraClaims("alice@example.com", "app-2", "tenant/alice")); got != domain.ReasonDisabled {
			w.Errorf("refused for %q, want %q", got, domain.ReasonDisabled)
		}
		if got, want := w.identitiesOf(pushed.User), []string{"custom-oidc sub-alice@example.com"}; !slices.Equal(got, want) {
			w.Errorf("a refused sign-in left the identities %q, want %q", got, want)
		}
	})
}
