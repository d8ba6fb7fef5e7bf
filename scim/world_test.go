package scim_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"muster/db"
	"muster/domain"
	"muster/internal/testkit"
	"muster/scim"
	"muster/scim/schema"
)

const (
	publicURL  = "https://muster.example/base"
	patchURN   = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	errorURN   = "urn:ietf:params:scim:api:messages:2.0:Error"
	listURN    = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	answerType = "application/scim+json; charset=utf-8"
)

// world is a SCIM server on a fresh database, and a client of it.
type world struct {
	testing.TB

	service *domain.Service
	handler http.Handler
	clock   *testkit.Clock
	// secret is the token that requests carry.
	secret string
	log    *strings.Builder
	store  *db.DB
}

// onEngines runs a test on every engine.
func onEngines(t *testing.T, test func(w *world)) {
	t.Helper()
	prepared.Engines(t, func(t *testing.T, databaseURL string) { test(newWorld(t, databaseURL)) })
}

// onSQLite is for what does not depend on the engine.
func onSQLite(t testing.TB) *world {
	t.Helper()
	return newWorld(t, prepared.SQLite(t))
}

func newWorld(t testing.TB, databaseURL string) *world {
	t.Helper()
	clock := testkit.NewClock(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC))
	store, err := db.Open(t.Context(), databaseURL, db.Options{Clock: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	w := &world{TB: t, clock: clock, log: &strings.Builder{}, store: store}
	w.service = w.serviceWith(domain.Policy{})
	w.must(store.Migrate(t.Context()))
	w.must(w.service.Bootstrap(t.Context()))
	w.handler = w.server(scim.Limits{})
	w.secret = w.token("")
	return w
}

// serviceWith are the rules with a policy on the world's database.
func (w *world) serviceWith(policy domain.Policy) *domain.Service {
	policy.InitialOrgName, policy.DefaultWorkspaceName, policy.JITEnabled = "Default", "Workspace 1", true
	return domain.New(w.store, policy)
}

func (w *world) server(limits scim.Limits) *scim.Server {
	return scim.New(scim.Config{
		Service: w.service, PublicURL: publicURL, Limits: limits, Clock: w.clock.Now, Definitions: w.service.Policy().Definitions,
		Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) commandLine(org string) domain.OrgScope {
	w.Helper()
	scope, err := w.service.CommandLine(w.Context(), org)
	w.must(err)
	return scope
}

// token makes a SCIM token of an organization, the default one when the name is empty.
func (w *world) token(org string) string {
	w.Helper()
	_, secret, err := w.service.CreateSCIMToken(w.Context(), w.commandLine(org), domain.NewSCIMToken{Description: "test"})
	w.must(err)
	return string(secret)
}

// tokenWith makes a SCIM token of the default organization with a profile.
func (w *world) tokenWith(profile string) string {
	w.Helper()
	_, secret, err := w.service.CreateSCIMToken(w.Context(), w.commandLine(""), domain.NewSCIMToken{Description: profile, Profile: domain.SCIMProfile(profile)})
	w.must(err)
	return string(secret)
}

// reply is an answer as a client has it.
type reply struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

// send sends a request with the world's token; a header without a value removes one.
func (w *world) send(method, path, body string, header ...string) reply {
	w.Helper()
	w.clock.Advance(time.Second)
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(w.Context(), method, "/scim/v2"+strings.ReplaceAll(path, " ", "%20"), reader)
	r.Header.Set("Authorization", "Bearer "+w.secret)
	r.Header.Set("Content-Type", "application/scim+json")
	for i := 0; i+1 < len(header); i += 2 {
		if header[i+1] == "" {
			r.Header.Del(header[i])
			continue
		}
		r.Header.Set(header[i], header[i+1])
	}
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, r)
	return w.read(recorder.Result())
}

// read checks what holds for every answer: what it says it is, and that it has no null (E6).
func (w *world) read(response *http.Response) reply {
	w.Helper()
	text, err := io.ReadAll(response.Body)
	w.must(err)
	got := reply{status: response.StatusCode, header: response.Header, text: string(text)}
	if len(text) == 0 {
		return got
	}
	if kind := response.Header.Get("Content-Type"); kind != answerType {
		w.Errorf("Content-Type %q", kind)
	}
	if err := json.Unmarshal(text, &got.body); err != nil {
		w.Fatalf("%v in %s", err, text)
	}
	if hasEmpty(got.body) {
		w.Errorf("the answer holds null or an empty string: %s", text)
	}
	return got
}

// hasEmpty reports whether a null or an empty string is anywhere in a JSON value.
func hasEmpty(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return slices.ContainsFunc(v, hasEmpty)
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(v)), hasEmpty)
	default:
		return false
	}
}

// ok is send for a request that must be answered with a status.
func (w *world) ok(status int, method, path, body string, header ...string) reply {
	w.Helper()
	got := w.send(method, path, body, header...)
	if got.status != status {
		w.Fatalf("%s %s: %d, want %d: %s", method, path, got.status, status, got.text)
	}
	return got
}

// refused is send for a request that must be answered with a SCIM error.
func (w *world) refused(status int, scimType, method, path, body string, header ...string) reply {
	w.Helper()
	got := w.send(method, path, body, header...)
	w.isError(got, status, scimType, method+" "+path+" "+body)
	return got
}

// isError checks the form of an error (S51).
func (w *world) isError(got reply, status int, scimType, what string) {
	w.Helper()
	if len(what) > 200 {
		what = what[:200]
	}
	want := map[string]any{"schemas": []any{errorURN}, "status": strconv.Itoa(status), "detail": got.body["detail"]}
	if scimType != "" {
		want["scimType"] = scimType
	}
	detail, _ := got.body["detail"].(string)
	if got.status != status || !reflect.DeepEqual(got.body, want) || len(detail) < 10 {
		w.Errorf("%s: %d %s, want %d %s", what, got.status, got.text, status, scimType)
	}
}

// person is Okta's create (O11).
func person(userName string) string {
	return `{"schemas":["` + schema.UserURN + `"],"userName":"` + userName + `","name":{"givenName":"Ann","familyName":"Lee"},
		"emails":[{"primary":true,"value":"` + userName + `","type":"work"}],"displayName":"Ann Lee","locale":"en-US",
		"externalId":"00u-` + userName + `","groups":[],"password":"s3cret-Pa55","active":true}`
}

// create makes a User and returns its id.
func (w *world) create(userName string) string {
	w.Helper()
	id, _ := w.ok(http.StatusCreated, "POST", "/Users", person(userName)).body["id"].(string)
	return id
}

// createGroup makes a Group and returns its id.
func (w *world) createGroup(name string, members ...string) string {
	w.Helper()
	id, _ := w.ok(http.StatusCreated, "POST", "/Groups", group(name, members...)).body["id"].(string)
	return id
}

func group(name string, members ...string) string {
	return `{"schemas":["` + schema.GroupURN + `"],"displayName":"` + name + `","members":[` + values(members...) + `]}`
}

// values are member objects.
func values(members ...string) string {
	objects := make([]string, len(members))
	for i, member := range members {
		objects[i] = `{"value":"` + member + `"}`
	}
	return strings.Join(objects, ",")
}

// patch is a PATCH of operations.
func patch(operations ...string) string {
	return `{"schemas":["` + patchURN + `"],"Operations":[` + strings.Join(operations, ",") + `]}`
}

// members returns the ids of a group's members, sorted.
func (w *world) members(id string) []string {
	w.Helper()
	return idsOf(w.ok(http.StatusOK, "GET", "/Groups/"+id, "").body["members"])
}

func idsOf(list any) []string {
	ids := []string{}
	elements, _ := list.([]any)
	for _, element := range elements {
		object, _ := element.(map[string]any)
		id, _ := object["value"].(string)
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// access says who has which role where, one line a person.
func (w *world) access() string {
	w.Helper()
	scope := w.commandLine("")
	members, err := w.service.Members(w.Context(), scope, domain.MemberQuery{})
	w.must(err)
	lines := map[string]string{}
	for _, member := range members {
		why, err := w.service.Explain(w.Context(), scope, member.ID)
		w.must(err)
		line := member.Email + ": " + domain.RoleName(why.Org.Role) + " by " + string(why.Org.Kind)
		if member.Status != domain.Active {
			line = member.Email + " (" + string(member.Status) + "): " + domain.RoleName(why.Org.Role) + " by " + string(why.Org.Kind)
		}
		for _, workspace := range why.Workspaces {
			line += "; " + workspace.Name + ": " + domain.RoleName(workspace.Role) + " by " + string(workspace.Kind)
		}
		lines[member.Email] = line
	}
	text := ""
	for _, email := range slices.Sorted(maps.Keys(lines)) {
		text += lines[email] + "\n"
	}
	return text
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
