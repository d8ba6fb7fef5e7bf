package scim_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"muster/domain"
	"muster/scim"
)

// turnstile is a Service that lets one GetUser through at a time and writes down whose it was.
type turnstile struct {
	scim.Service

	scopes map[string]domain.OrgScope
	gate   chan struct{}
	mutex  sync.Mutex
	order  []string
}

func (s *turnstile) PresumeSCIMToken(secret string, _ domain.Client) (domain.OrgScope, bool) {
	return s.scopes[secret], true
}

func (s *turnstile) GetUser(_ context.Context, scope domain.OrgScope, id domain.MemberID) (domain.SCIMUser, error) {
	<-s.gate
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.order = append(s.order, string(id))
	return domain.SCIMUser{ID: id, Version: 1, Attributes: domain.Document{}, User: domain.UserID(scope.Org())}, nil
}

// S92, F25: where not everything can be done at once, organizations take turns:
// the one request of a small one does not wait for all that a large one sent before.
func TestOrganizationsTakeTurns(t *testing.T) {
	w := onSQLite(t)
	_, err := w.service.CreateOrganizationByHand(t.Context(), "Small")
	w.must(err)
	scopes := map[string]domain.OrgScope{}
	for name, secret := range map[string]string{"large": w.secret, "small": w.token("Small")} {
		scopes[name], err = w.service.SCIMToken(t.Context(), secret, domain.Client{})
		w.must(err)
	}
	synctest.Test(t, func(t *testing.T) {
		service := &turnstile{scopes: scopes, gate: make(chan struct{})}
		server := scim.New(scim.Config{Service: service, PublicURL: publicURL, Limits: scim.Limits{Concurrency: 1}})
		ask := func(name, id string) {
			go func() {
				r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/scim/v2/Users/"+id, nil)
				r.Header.Set("Authorization", "Bearer "+name)
				server.ServeHTTP(httptest.NewRecorder(), r)
			}()
			synctest.Wait()
		}
		for _, id := range []string{"l1", "l2", "l3", "l4"} {
			ask("large", id)
		}
		ask("small", "s1")
		for range 5 {
			service.gate <- struct{}{}
			synctest.Wait()
		}
		if want := []string{"l1", "l2", "s1", "l3", "l4"}; !slices.Equal(service.order, want) {
			t.Errorf("%q, want %q", service.order, want)
		}
	})
}
