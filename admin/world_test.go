package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"muster/admin"
	"muster/db"
	"muster/domain"
	"muster/internal/httpx"
	"muster/internal/testkit"
)

// world is the API over a fresh database, with an Admin whose key every request carries unless it says otherwise.
type world struct {
	*testing.T

	service *domain.Service
	handler http.Handler
	key     string
	// contract is the served OpenAPI document; every answer in these tests is held against it.
	contract contract
}

func onEngines(t *testing.T, edit func(*domain.Policy, *admin.Config), test func(w *world)) {
	t.Helper()
	prepared.Engines(t, func(t *testing.T, databaseURL string) {
		store, err := db.Open(t.Context(), databaseURL, db.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		if err := store.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		policy := domain.Policy{
			InitialOrgName: "Default", DefaultWorkspaceName: "Workspace 1", OrgCreationDisabled: true,
			PersonalOrgsDisabled: true, JITEnabled: true, Keyring: keyring(t), Providers: map[string]domain.ProviderPolicy{domain.ProviderOIDC: {Issuer: "https://idp.example"}},
		}
		publicURL := &url.URL{Scheme: "https", Host: "muster.example"}
		sameOrigin, err := httpx.NewSameOrigin(publicURL)
		if err != nil {
			t.Fatal(err)
		}
		config := admin.Config{Version: "1.2.3", Session: httpx.Cookies{Secure: true}.Session, SameOrigin: sameOrigin, Providers: providers{}, Events: events{}}
		if edit != nil {
			edit(&policy, &config)
		}
		config.Service = domain.New(store, policy)
		if err := config.Service.Bootstrap(t.Context()); err != nil {
			t.Fatal(err)
		}
		w := &world{T: t, service: config.Service, handler: httpx.Observer{}.Wrap(admin.New(config))}
		w.contract = contractOf(w.T, w.handler)
		w.key = w.keyFor("", "ada@example.com", true)
		test(w)
	})
}

func keyring(t *testing.T) domain.Keyring {
	t.Helper()
	ring, err := domain.NewKeyring(make([]byte, domain.KeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// events takes what is sent to hooks and fails for one whose address says so.
type events struct{}

func (events) SendBody(_ context.Context, hook domain.EventHook, _ string, _ []byte) error {
	if strings.Contains(hook.URL, "broken") {
		return errors.New("the receiver answered 500")
	}
	return nil
}

// providers is one provider that works and is somewhat unusual.
type providers struct{}

func (providers) List() []domain.ProviderStatus {
	return []domain.ProviderStatus{{ID: domain.ProviderOIDC, Name: "Okta", Issuer: "https://idp.example", ClientID: "muster", Ready: true}}
}

func (providers) Test(_ context.Context, id string) ([]domain.Finding, error) {
	if id != domain.ProviderOIDC {
		return nil, domain.Errorf(domain.NotFound, "there is no provider %q", id)
	}
	return []domain.Finding{{Check: "discovery", Level: domain.FindingOK, Detail: "answers"}, {Check: "PKCE", Level: domain.FindingWarning, Detail: "odd"}}, nil
}

// keyFor makes a person in an organization and returns their token.
func (w *world) keyFor(org, email string, isAdmin bool) string {
	w.Helper()
	scope, err := w.service.CommandLine(w.Context(), org)
	if err != nil {
		w.Fatal(err)
	}
	_, secret, err := w.service.CreatePersonalTokenFor(w.Context(), scope, email, isAdmin, "test")
	if err != nil {
		w.Fatal(err)
	}
	return string(secret)
}

// session signs a person in and returns the cookie's value.
func (w *world) session(email string) string {
	w.Helper()
	signedIn, err := w.service.SignIn(w.Context(), domain.Claims{
		Provider: domain.ProviderOIDC, Issuer: "https://idp.example", Subject: email, Email: email, EmailTrusted: true,
		SessionMax: time.Hour, OverrideExpiry: true,
	}, domain.Client{})
	if err != nil {
		w.Fatal(err)
	}
	return signedIn.Session
}

// answer is a status, the headers and the decoded body.
type answer struct {
	status int
	header http.Header
	raw    string
	body   any
}

// object is the body as an object.
func (a answer) object() map[string]any {
	object, _ := a.body.(map[string]any)
	return object
}

// list is the body as a list of objects.
func (a answer) list() []map[string]any {
	elements, _ := a.body.([]any)
	objects := make([]map[string]any, len(elements))
	for i, element := range elements {
		objects[i], _ = element.(map[string]any)
	}
	return objects
}

// call sends a request with the Admin's key.
func (w *world) call(method, path, body string) answer {
	w.Helper()
	return w.send(method, path, body, http.Header{"X-Api-Key": {w.key}})
}

func (w *world) send(method, path, body string, header http.Header) answer {
	w.Helper()
	r := httptest.NewRequestWithContext(w.Context(), method, path, strings.NewReader(body))
	for name, values := range header {
		r.Header[name] = values
	}
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, r)
	got := recorder.Result()
	defer func() { _ = got.Body.Close() }()
	raw, err := io.ReadAll(got.Body)
	if err != nil {
		w.Fatal(err)
	}
	a := answer{status: got.StatusCode, header: got.Header, raw: string(raw)}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &a.body); err != nil {
			w.Fatalf("%s %s: %v in %s", method, path, err, raw)
		}
	}
	w.contract.check(w.T, method, path, a)
	return a
}

// ok is a call that must succeed.
func (w *world) ok(method, path, body string) answer {
	w.Helper()
	a := w.call(method, path, body)
	if a.status >= http.StatusBadRequest {
		w.Fatalf("%s %s: %d %s", method, path, a.status, a.raw)
	}
	return a
}

// role finds a role's id by its display name within a scope.
func (w *world) role(scope, name string) string {
	w.Helper()
	for _, role := range w.ok(http.MethodGet, "/api/v1/orgs/current/roles", "").list() {
		if role["access_scope"] == scope && role["display_name"] == name {
			id, _ := role["id"].(string)
			return id
		}
	}
	w.Fatalf("there is no role %q", name)
	return ""
}

// keys are the names in an object, to compare shapes.
func keys(object map[string]any) map[string]bool {
	names := map[string]bool{}
	for name := range object {
		names[name] = true
	}
	return names
}

// prepared are databases with the schema and nothing in them; migrated makes them.
var prepared = testkit.NewPrepared(migrated)

func TestMain(m *testing.M) { os.Exit(prepared.Main(m)) }

func migrated(ctx context.Context, databaseURL string) error {
	store, err := db.Open(ctx, databaseURL, db.Options{})
	if err != nil {
		return err
	}
	return errors.Join(store.Migrate(ctx), store.Close())
}
