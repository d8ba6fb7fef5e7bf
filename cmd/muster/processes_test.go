package main_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/testkit"
)

// pair is two server processes on one PostgreSQL; everything is asked in turns.
type pair struct {
	*testing.T

	bases []string
	env   []string
	// token is a SCIM token, and key one of an Admin.
	token, key string
	n          int
}

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{T: t, env: []string{
		"DATABASE_URL=" + testkit.Postgres(t), "INITIAL_ORG_ADMIN_EMAIL=ada@example.com", "ENCRYPTION_KEY=" + strings.Repeat("2b", 32), "LOG_FORMAT=json",
	}}
	program := testkit.Program{Path: testkit.BuildRace(t, "./cmd/muster"), Args: []string{"serve"}, Env: p.env}
	// Both start at once on an empty database, so that one of them migrates.
	processes := []*testkit.Process{testkit.Launch(t, program), testkit.Launch(t, program)}
	for _, process := range processes {
		process.WaitReady()
		p.bases = append(p.bases, process.URL)
	}
	p.token = muster(t, p.env, "token", "create")
	p.key = muster(t, p.env, "key", "create", "--email", "ada@example.com", "--admin")
	return p
}

// at sends a request to one of the processes and returns status, body and header.
func (p *pair) at(process int, method, path, body string, header http.Header) (int, string, http.Header) {
	p.Helper()
	request, err := http.NewRequestWithContext(p.Context(), method, p.bases[process%2]+path, strings.NewReader(body))
	if err != nil {
		p.Fatal(err)
	}
	request.Header = header
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		p.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		p.Fatal(err)
	}
	return answer.StatusCode, string(text), answer.Header
}

// next sends a request to the other process than the last one and returns its body, which must be a success.
func (p *pair) next(method, path, body string) map[string]any {
	p.Helper()
	p.n++
	header := http.Header{"X-Api-Key": {p.key}, "Content-Type": {"application/json"}}
	if strings.HasPrefix(path, "/scim/") {
		header = p.bearer(p.token)
	}
	status, text, _ := p.at(p.n, method, path, body, header)
	if status >= http.StatusBadRequest {
		p.Fatalf("%s %s: %d %s", method, path, status, text)
	}
	var answer map[string]any
	if text != "" {
		if err := json.Unmarshal([]byte(text), &answer); err != nil {
			p.Fatal(err)
		}
	}
	return answer
}

func (p *pair) bearer(token string) http.Header {
	return http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/scim+json"}}
}

// What docs/scaling.md says of several processes: whatever one of them keeps in memory, it does not matter which one is asked.
func TestNothingInMemory(t *testing.T) {
	p := newPair(t)
	for i := range 25 {
		p.next(http.MethodPost, "/scim/v2/Users", userBody(fmt.Sprintf("user-%02d", i)))
	}
	p.sub("a list by startIndex, each page from another process", func(t *testing.T) { p.walk(t, "startIndex") })
	p.sub("a list by cursor", func(t *testing.T) { p.walk(t, "cursor") })
	p.sub("a deleted token", p.deletedToken)
	p.sub("an access token", p.accessToken)
	p.sub("an ended key", p.endedKey)
	p.sub("an idempotency key", p.idempotencyKey)
	p.sub("a declared schema", p.declaredSchema)
	p.sub("events", p.events)
}

// sub runs a part whose failures are its own.
func (p *pair) sub(name string, part func(t *testing.T)) {
	whole := p.T
	whole.Run(name, func(t *testing.T) {
		p.T = t
		part(t)
	})
	p.T = whole
}

// walk lists everybody by pages of four, and finds each once.
func (p *pair) walk(t *testing.T, by string) {
	seen, from := map[string]int{}, ""
	for page := 0; page < 20; page++ {
		query := url.Values{"count": {"4"}, by: {from}}
		if by == "startIndex" {
			query.Set(by, fmt.Sprint(1+4*page))
		}
		answer := p.next(http.MethodGet, "/scim/v2/Users?"+query.Encode(), "")
		found, _ := answer["Resources"].([]any)
		for _, one := range found {
			seen[fmt.Sprint(one.(map[string]any)["userName"])]++
		}
		from, _ = answer["nextCursor"].(string)
		if len(found) < 4 {
			break
		}
	}
	if len(seen) != 25 {
		t.Errorf("%d people of 25", len(seen))
	}
	for name, times := range seen {
		if times != 1 {
			t.Errorf("%s is listed %d times", name, times)
		}
	}
}

// A process that knew the token a moment ago refuses it as soon as the other one has deleted it.
func (p *pair) deletedToken(t *testing.T) {
	made := p.next(http.MethodPost, "/api/v1/orgs/current/scim/tokens", `{"description":"short-lived"}`)
	secret := fmt.Sprint(made["token"])
	for range 4 {
		if status, text, _ := p.at(0, http.MethodGet, "/scim/v2/Users?count=1", "", p.bearer(secret)); status != http.StatusOK {
			t.Fatalf("before: %d %s", status, text)
		}
	}
	admin := http.Header{"X-Api-Key": {p.key}}
	if status, text, _ := p.at(1, http.MethodDelete, "/api/v1/orgs/current/scim/tokens/"+fmt.Sprint(made["id"]), "", admin); status != http.StatusNoContent {
		t.Fatalf("deleting: %d %s", status, text)
	}
	if status, _, _ := p.at(0, http.MethodGet, "/scim/v2/Users?count=1", "", p.bearer(secret)); status != http.StatusUnauthorized {
		t.Errorf("afterwards: %d", status)
	}
}

// What one process issues, the other takes.
func (p *pair) accessToken(t *testing.T) {
	made := p.next(http.MethodPost, "/api/v1/orgs/current/scim/tokens", `{"description":"client credentials"}`)
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {fmt.Sprint(made["id"])}, "client_secret": {fmt.Sprint(made["token"])}}
	_, text, _ := p.at(0, http.MethodPost, "/oauth/token", form.Encode(), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
	var issued struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(text), &issued); err != nil || issued.Token == "" {
		t.Fatalf("%v in %s", err, text)
	}
	if status, text, _ := p.at(1, http.MethodGet, "/scim/v2/Users?count=1", "", p.bearer(issued.Token)); status != http.StatusOK {
		t.Errorf("%d %s", status, text)
	}
}

func (p *pair) endedKey(t *testing.T) {
	made := p.next(http.MethodPost, "/api/v1/orgs/current/personal-access-tokens", `{"description":"short-lived"}`)
	header := http.Header{"X-Api-Key": {fmt.Sprint(made["key"])}}
	if status, text, _ := p.at(0, http.MethodGet, "/api/v1/me", "", header); status != http.StatusOK {
		t.Fatalf("before: %d %s", status, text)
	}
	if status, text, _ := p.at(1, http.MethodDelete, "/api/v1/orgs/current/personal-access-tokens/"+fmt.Sprint(made["id"]), "", http.Header{"X-Api-Key": {p.key}}); status >= 300 {
		t.Fatalf("ending: %d %s", status, text)
	}
	if status, _, _ := p.at(0, http.MethodGet, "/api/v1/me", "", header); status != http.StatusUnauthorized {
		t.Errorf("afterwards: %d", status)
	}
}

// The same request at both processes is done once, and both give the same answer.
func (p *pair) idempotencyKey(t *testing.T) {
	header := http.Header{"X-Api-Key": {p.key}, "Idempotency-Key": {"k1"}, "Content-Type": {"application/json"}}
	const body = `{"display_name":"Once"}`
	_, first, _ := p.at(0, http.MethodPost, "/api/v1/workspaces", body, header)
	status, second, replayed := p.at(1, http.MethodPost, "/api/v1/workspaces", body, header)
	if status != http.StatusOK || first != second || replayed.Get("Idempotent-Replayed") != "true" {
		t.Errorf("%s, then %d %s", first, status, second)
	}
}

// A schema declared at one process counts for the other's next write, and for what it reads within five seconds.
func (p *pair) declaredSchema(t *testing.T) {
	declare := func(attributes string) {
		body := `{"schemas":[{"id":"urn:acme:badge","attributes":[` + attributes + `]}],"resourceTypes":[{"name":"User","schemaExtensions":[{"schema":"urn:acme:badge"}]}]}`
		header := http.Header{"X-Api-Key": {p.key}, "Content-Type": {"application/json"}}
		if status, text, _ := p.at(1, http.MethodPut, "/api/v1/orgs/current/scim/schemas", body, header); status != http.StatusOK {
			t.Fatalf("%d %s", status, text)
		}
	}
	read := func(filter string) (int, string) {
		status, text, _ := p.at(0, http.MethodGet, "/scim/v2/Users?count=1&filter="+url.QueryEscape(filter), "", p.bearer(p.token))
		return status, text
	}
	read(`userName eq "user-01"`) // from now on this process takes the token for known
	declare(`{"name":"number"}`)
	body := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:acme:badge"],"userName":"badged","urn:acme:badge":{"number":"7"}}`
	if status, text, _ := p.at(0, http.MethodPost, "/scim/v2/Users", body, p.bearer(p.token)); status != http.StatusCreated || !strings.Contains(text, `"number":"7"`) {
		t.Errorf("a write at the other process: %d %s", status, text)
	}
	read(`urn:acme:badge:number eq "7"`)
	declare(`{"name":"number"},{"name":"color"}`)
	for deadline := time.Now().Add(6 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		status, text := read(`urn:acme:badge:number eq "7" and not (urn:acme:badge:color pr)`)
		if status == http.StatusOK && strings.Contains(text, `"badged"`) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("a read at the other process: %d %s", status, text)
		}
	}
}

// Of what both processes write, each event is sent by one of them.
func (p *pair) events(t *testing.T) {
	var mutex sync.Mutex
	received := map[string]int{}
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mutex.Lock()
		defer mutex.Unlock()
		received[r.Header.Get("Webhook-Id")]++
	}))
	defer receiver.Close()
	p.next(http.MethodPost, "/api/v1/orgs/current/event-hooks", `{"url":"`+receiver.URL+`","types":["member.created"]}`)
	const people = 30
	for i := range people {
		p.next(http.MethodPost, "/scim/v2/Users", userBody(fmt.Sprintf("event-%d", i)))
	}
	count := func() (events, twice int) {
		mutex.Lock()
		defer mutex.Unlock()
		for _, times := range received {
			if times > 1 {
				twice++
			}
		}
		return len(received), twice
	}
	eventually(t, "every event arrives", func() error {
		if events, _ := count(); events < people {
			return fmt.Errorf("%d of %d", events, people)
		}
		return nil
	})
	if _, twice := count(); twice > 0 {
		t.Errorf("%d events were sent twice", twice)
	}
}
