package domain_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"muster/domain"
)

// Item 64, S79: where Entra signs people in and SCIM's externalIds are no object ids, sign-in cannot match them, and somebody is told.
func TestExternalIDsThatMatchNobody(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		warned := func() string {
			findings, err := w.service.ExamineOrg(w.Context(), w.commandLine(""))
			w.must(err)
			for _, finding := range findings {
				if finding.Check == "externalId" && finding.Level == domain.FindingWarning {
					return finding.Detail
				}
			}
			return ""
		}
		scope := w.scim("")
		w.push(scope, "alice@example.com")
		if got := warned(); got != "" {
			w.Errorf("without Entra: %s", got)
		}
		w.policy.Providers = map[string]domain.ProviderPolicy{domain.ProviderOIDC: {Issuer: "https://login.microsoftonline.com/tenant/v2.0"}}
		w.service = domain.New(w.store, w.policy)
		if got := warned(); !strings.Contains(got, "1 of 1") || !strings.Contains(got, "objectId") {
			w.Errorf("with mailNickname: %q", got)
		}
		w.must(w.service.DeleteUser(w.Context(), scope, w.found(scope, "alice@example.com"), 0))
		document := person("bob@example.com")
		document["externalId"] = "0F8FAD5B-D9CB-469F-A165-70867728950E"
		_, err := w.service.CreateUser(w.Context(), scope, document)
		w.must(err)
		if got := warned(); got != "" {
			w.Errorf("with an object id: %s", got)
		}
	})
}

// found is the SCIM user with a userName (item 67: who stands against a create can be found).
func (w *world) found(scope domain.OrgScope, userName string) domain.MemberID {
	w.Helper()
	if _, err := w.service.CreateUser(w.Context(), scope, person(userName)); !domain.IsKind(err, domain.Conflict) {
		w.Errorf("a second %s: %v", userName, err)
	}
	result, err := w.service.QueryUsers(w.Context(), scope, domain.Query{Count: 100})
	w.must(err)
	for _, user := range result.Items {
		if user.UserName == userName {
			return user.ID
		}
	}
	w.Fatalf("%s is not found", userName)
	return ""
}

// Item 72, R15: another address or name at the provider changes nothing here and stops nobody, not even an address that is somebody else's.
func TestAnotherAddressAtTheProvider(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		alice, bob := w.signIn("alice@example.com"), w.signIn("bob@example.com")
		for i, email := range []string{"alice@married.example", "bob@example.com"} {
			w.clock.Advance(time.Second)
			c := claims("alice@example.com")
			c.Email, c.FullName = email, fmt.Sprint("Name ", i)
			got, err := w.trySignIn(c)
			w.must(err)
			if got.User().ID != alice.User().ID || got.User().Email != "alice@example.com" || got.User().ID == bob.User().ID {
				w.Errorf("with %s she is %+v", email, got.User())
			}
		}
	})
}
