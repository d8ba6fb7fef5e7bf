package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"

	"muster/internal/demoidp"
)

// target is the real server as a client sees it.
type target struct {
	// database is the address of its database.
	database string
	base     string
	bearer   http.Header
	session  http.Header
	ids      []string
	next     atomic.Int64
	small    group
	large    group
	process  *process
	// ready is how long the first start took.
	ready time.Duration
}

// group is a group whose last member comes and goes.
type group struct {
	id string
	in atomic.Int64
}

// startServer runs the server's binary with a demo identity provider beside it, and signs a person in.
func startServer(ctx context.Context, o options, database string) (*target, func(), error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, nil, err
	}
	base := "http://" + address
	idp, issuer, err := startProvider(ctx, base)
	if err != nil {
		return nil, nil, err
	}
	server := &process{program: o.muster, base: base, environment: append(os.Environ(),
		"LISTEN_ADDRESS="+address, "HOSTNAME_URL="+base, "DATABASE_URL="+database, "LOG_LEVEL=error",
		"OAUTH_ISSUER_URL="+issuer, "OAUTH_CLIENT_ID=bench", "OAUTH_CLIENT_SECRET=bench", "OAUTH_OVERRIDE_TOKEN_EXPIRY=true", "ADMIN_RATE=0",
	)}
	stop := func() {
		server.stop()
		_ = idp.Close()
	}
	t := &target{base: base, process: server, database: database}
	if t.ready, err = server.start(ctx); err == nil {
		err = t.authenticate(ctx, o, database)
	}
	if err != nil {
		stop()
		return nil, nil, err
	}
	return t, stop, nil
}

func startProvider(ctx context.Context, base string) (*http.Server, string, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	issuer := "http://" + listener.Addr().String()
	provider, err := demoidp.New(demoidp.Config{
		Issuer: issuer, ClientID: "bench", ClientSecret: "bench", People: demoidp.DefaultPeople(),
		RedirectURIs: []string{base + "/api/v1/oauth/custom-oidc/callback"},
	})
	if err != nil {
		return nil, "", err
	}
	server := &http.Server{Handler: provider.Handler(), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(listener) }()
	return server, issuer, nil
}

// authenticate gets a SCIM token from the command line and a session from a sign-in.
func (t *target) authenticate(ctx context.Context, o options, database string) error {
	command := exec.CommandContext(ctx, o.muster, "token", "create")
	command.Env = append(os.Environ(), "DATABASE_URL="+database)
	command.Stderr = os.Stderr
	token, err := command.Output()
	if err != nil {
		return fmt.Errorf("muster token create: %w", err)
	}
	t.bearer = http.Header{
		"Authorization": {"Bearer " + string(bytes.TrimSpace(token))}, "Content-Type": {"application/scim+json"},
	}
	cookie, err := t.signIn(ctx)
	if err != nil {
		return err
	}
	t.session = http.Header{"Cookie": {cookie}}
	answer, err := sendFor(ctx, http.MethodGet, t.base+"/api/v1/orgs/current", t.session, "", http.StatusOK)
	if err != nil {
		return err
	}
	var org struct{ ID string }
	err = json.Unmarshal(answer, &org)
	t.session.Set("X-Organization-Id", org.ID)
	return err
}

// signIn walks the authorization-code flow as Alice and returns the session cookie.
func (t *target) signIn(ctx context.Context) (string, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return "", err
	}
	client := &http.Client{Jar: jar, Timeout: 10 * time.Second}
	page, err := get(ctx, client, t.base+"/api/v1/oauth/custom-oidc")
	if err != nil {
		return "", err
	}
	form := url.Values{"subject": {"alice"}}
	for name, values := range page.Query() {
		form[name] = values
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, page.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", page.Scheme+"://"+page.Host)
	answer, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	home, err := url.Parse(t.base)
	if err != nil {
		return "", err
	}
	for _, cookie := range jar.Cookies(home) {
		if cookie.Name == "muster" {
			return cookie.Name + "=" + cookie.Value, nil
		}
	}
	return "", fmt.Errorf("the sign-in ended at %s with status %d and no session", answer.Request.URL.Path, answer.StatusCode)
}

func get(ctx context.Context, client *http.Client, address string) (*url.URL, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	return answer.Request.URL, nil
}

// fill makes the people and the two groups.
func (t *target) fill(ctx context.Context, users int) error {
	for range max(users, 10_001) {
		id, err := t.createUser(ctx)
		if err != nil {
			return err
		}
		t.ids = append(t.ids, id)
	}
	var err error
	if t.small.id, err = t.createGroup(ctx, "small", t.ids[:10]); err != nil {
		return err
	}
	t.large.id, err = t.createGroup(ctx, "large", t.ids[:10_000])
	return err
}

func (t *target) createUser(ctx context.Context) (string, error) {
	name := fmt.Sprintf("user%09d@example.com", t.next.Add(1))
	return t.create(ctx, "/scim/v2/Users", userBody(name))
}

func (t *target) createGroup(ctx context.Context, name string, members []string) (string, error) {
	body, err := groupBody(name, members)
	if err != nil {
		return "", err
	}
	return t.create(ctx, "/scim/v2/Groups", body)
}

func groupBody(name string, members []string) (string, error) {
	list := make([]map[string]string, len(members))
	for i, id := range members {
		list[i] = map[string]string{"value": id}
	}
	body, err := json.Marshal(map[string]any{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Group"}, "displayName": name, "members": list,
	})
	return string(body), err
}

// create posts a resource and returns its id.
func (t *target) create(ctx context.Context, path, body string) (string, error) {
	answer, err := sendFor(ctx, http.MethodPost, t.base+path, t.bearer, body, http.StatusCreated)
	if err != nil {
		return "", err
	}
	var made struct{ ID string }
	return made.ID, json.Unmarshal(answer, &made)
}
