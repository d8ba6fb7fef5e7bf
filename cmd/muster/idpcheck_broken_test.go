package main_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/idpcheck"
	"muster/internal/testkit"
)

// checked is a server that is checked, or one in front of it that does something wrong.
type checked struct {
	url, token string
	// made are the ids that POST answered, changed those that later requests wrote to.
	mu            sync.Mutex
	made, changed []string
}

func newChecked(t *testing.T, databaseURL string) *checked {
	t.Helper()
	env := []string{"DATABASE_URL=" + databaseURL}
	server := testkit.Start(t, testkit.Program{Path: testkit.Build(t, "./cmd/muster"), Args: []string{"serve"}, Env: env})
	return &checked{url: server.URL + "/scim/v2", token: strings.TrimSpace(muster(t, env, "token", "create"))}
}

// empty fails unless nobody and nothing of a check is there any more.
func (s *checked) empty(t *testing.T) {
	t.Helper()
	client := scimClient{base: strings.TrimSuffix(s.url, "/scim/v2"), token: s.token}
	for _, path := range []string{"/Users", "/Groups"} {
		status, list, err := client.do(t.Context(), http.MethodGet, path, "")
		if text := mustJSON(t, list["Resources"]); err != nil || status != http.StatusOK || strings.Contains(text, "muster-idp-check") {
			t.Errorf("%s: %d %v %s", path, status, err, text)
		}
	}
}

// fault answers in place of the real server, which it may ask.
type fault func(w http.ResponseWriter, r *http.Request, sound http.Handler)

// broken is the server with a fault in front.
func (s *checked) broken(t *testing.T, wrong fault) *checked {
	t.Helper()
	target, err := url.Parse(strings.TrimSuffix(s.url, "/scim/v2"))
	if err != nil {
		t.Fatal(err)
	}
	front := &checked{token: s.token}
	sound := httputil.NewSingleHostReverseProxy(target)
	sound.ErrorLog = log.New(io.Discard, "", 0)
	sound.ModifyResponse = func(r *http.Response) error { return front.watch(r) }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { wrong(w, r, sound) }))
	t.Cleanup(server.Close)
	front.url = server.URL + "/scim/v2"
	return front
}

// watch notes what was made and what was written to.
func (s *checked) watch(r *http.Response) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, id, single := strings.Cut(strings.TrimPrefix(r.Request.URL.Path, "/scim/v2/"), "/")
	switch {
	case r.Request.Method == http.MethodPost && r.StatusCode == http.StatusCreated:
		body, err := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		var made struct{ ID string }
		if err != nil || json.Unmarshal(body, &made) != nil {
			return err
		}
		s.made = append(s.made, made.ID)
	case r.Request.Method != http.MethodGet && single && r.StatusCode < 300:
		s.changed = append(s.changed, id)
	}
	return nil
}

// when is a fault of the requests that a method and a part of their address or body choose.
func when(method, part string, wrong fault) fault {
	return func(w http.ResponseWriter, r *http.Request, sound http.Handler) {
		body, _ := io.ReadAll(r.Body)
		r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
		address, _ := url.QueryUnescape(r.URL.String())
		if strings.Contains(method, r.Method) && (strings.Contains(address, part) || bytes.Contains(body, []byte(part))) {
			wrong(w, r, sound)
			return
		}
		sound.ServeHTTP(w, r)
	}
}

// answering answers by itself.
func answering(status int, media, text string) fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", media)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

// changing lets the real server answer and changes that.
func changing(change func(*httptest.ResponseRecorder)) fault {
	return func(w http.ResponseWriter, r *http.Request, sound http.Handler) {
		recorder := httptest.NewRecorder()
		sound.ServeHTTP(recorder, r)
		change(recorder)
		recorder.Header().Del("Content-Length")
		for name, values := range recorder.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(recorder.Code)
		_, _ = w.Write(recorder.Body.Bytes())
	}
}

// rewriting changes what the real server is asked.
func rewriting(old, text string) fault {
	return func(w http.ResponseWriter, r *http.Request, sound http.Handler) {
		body, _ := io.ReadAll(r.Body)
		body = bytes.ReplaceAll(body, []byte(old), []byte(text))
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		sound.ServeHTTP(w, r)
	}
}

// editing changes the text of answers.
func editing(old, text string) fault {
	return changing(func(r *httptest.ResponseRecorder) {
		body := strings.ReplaceAll(r.Body.String(), old, text)
		r.Body.Reset()
		r.Body.WriteString(body)
	})
}

func withoutFilter(w http.ResponseWriter, r *http.Request, sound http.Handler) {
	query := r.URL.Query()
	query.Del("filter")
	r.URL.RawQuery = query.Encode()
	sound.ServeHTTP(w, r)
}

const anyMethod = "GET POST PUT PATCH DELETE"

// broken servers, each with the steps that must find the fault, and no others.
var brokenServers = []struct {
	name, provider string
	wrong          fault
	failed         string
	warned         string
	left           string
}{
	{"200 in place of 201", "okta", when("POST", "/", changing(func(r *httptest.ResponseRecorder) {
		if r.Code == http.StatusCreated {
			r.Code = http.StatusOK
		}
	})), "users.create users.second groups.create groups.create.empty", "", ""},
	{"no Location", "entra", when("POST", "/", changing(func(r *httptest.ResponseRecorder) { r.Header().Del("Location") })), "", "users.create groups.create", ""},
	{"active as a string is ignored", "entra", when("PATCH", `"False"`, answering(http.StatusNoContent, "", "")), "users.disable users.disable.find", "", ""},
	{"active answered as a string", "okta", when("GET", "/Users/", editing(`"active":false`, `"active":"false"`)), "users.deactivate", "", ""},
	{"capitals matter, Entra", "entra", when("GET", "MUSTER-IDP-CHECK", withFilter(`userName eq "nobody"`)), "users.find.case groups.find.case", "", ""},
	{"capitals matter, Okta", "okta", when("GET", "MUSTER-IDP-CHECK", withFilter(`userName eq "nobody"`)), "", "users.find.case", ""},
	{"add replaces the members", "okta", when("PATCH", `"op":"add","path":"members"`, rewriting(`"op":"add"`, `"op":"replace"`)), "groups.members.add groups.members.again", "", ""},
	{"a list empties the group", "entra", when("PATCH", `"op":"Remove","path":"members","value"`, rewriting(`"value":[`, `"ignored":[`)), "groups.members.remove groups.members.stranger groups.update", "", ""},
	{"members are not excluded", "entra", when("GET", "excludedAttributes", without("excludedAttributes")), "groups.read", "", ""},
	{"no totalResults", "okta", when("GET", "?", editing(`"totalResults"`, `"total"`)), "connect users.absent users.find import users.deactivate.find groups.list groups.absent groups.find", "users.find.case", ""},
	{"totalResults is a string", "okta", when("GET", "startIndex=1&count=2", editing(`"totalResults":1`, `"totalResults":"1"`)), "connect", "", ""},
	{"filters are ignored", "okta", when("GET", "filter=", withoutFilter), "users.absent users.find users.deactivate.find groups.find", "users.absent users.find.case", ""},
	{"404 where nobody is found", "entra", when("GET", "filter=", changing(func(r *httptest.ResponseRecorder) {
		if strings.Contains(r.Body.String(), `"totalResults":0`) {
			r.Code = http.StatusNotFound
		}
	})), "connect everything else", "", ""},
	{"no error body", "okta", when("GET", "0101010", answering(http.StatusNotFound, "application/json", "{}")), "users.unknown", "", ""},
	{"twins", "okta", when("POST", `"displayName":"Ann Check","active":true}`, answering(http.StatusCreated, "application/scim+json", `{"id":"x"}`)), "users.conflict", "", ""},
	{"the password comes back", "okta", when("POST", `"password"`, editing(`"userName"`, `"password":"x","userName"`)), "users.create", "", ""},
	{"any token is good", "okta", func(w http.ResponseWriter, r *http.Request, sound http.Handler) {
		if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer muster") {
			answering(http.StatusOK, "application/scim+json", `{"schemas":[]}`)(w, r, sound)
			return
		}
		sound.ServeHTTP(w, r)
	}, "token.wrong", "", ""},
	{"text/plain", "okta", when("GET", "count=2", changing(func(r *httptest.ResponseRecorder) { r.Header().Set("Content-Type", "text/plain") })), "answers.media", "", ""},
	{"application/json, Entra", "entra", when(anyMethod, "/", asPlainJSON), "", "answers.media", ""},
	{"application/json, Okta", "okta", when(anyMethod, "/", asPlainJSON), "", "", ""},
	{"a page for people", "okta", answering(http.StatusOK, "text/html", "<!doctype html><title>Sign in</title>"), "connect answers.media everything else", "", ""},
	{"500", "okta", when("PATCH", "active", answering(http.StatusInternalServerError, "text/html", "<h1>oh</h1>")), "users.deactivate users.deactivate.find users.reactivate answers.media", "", ""},
	{"huge", "okta", when("GET", "/Groups?startIndex", answering(http.StatusOK, "application/scim+json", strings.Repeat(" ", 9<<20))), "groups.list answers.size", "", ""},
	{"slow", "okta", when("GET", "0101010", late(300*time.Millisecond)), "", "answers.time", ""},
	{"too slow", "okta", when("GET", "0101010", late(1200*time.Millisecond)), "users.unknown", "", ""},
	{"always later", "okta", when("DELETE", "/Groups", retry("0")), "groups.delete", "answers.rate", "cannot be deleted"},
	{"later, not saying when", "okta", retryOnce(""), "", "answers.rate", ""},
	{"deleted and still there", "okta", when("DELETE", "/Groups", answering(http.StatusNoContent, "", "")), "groups.delete", "", "still answered"},
	{"nobody is deleted", "okta", when("DELETE", "/Users", answering(http.StatusMethodNotAllowed, "", "")), "", "", "deactivated"},
	{"the answer gets lost", "okta", when("POST", `"Ann Check","locale"`, lost), "users.create users.read *", "", ""},
}

// A server that does one thing wrong is caught by the steps that are about it; nothing is touched that the check did not make.
func TestIDPCheckFinds(t *testing.T) {
	s := newChecked(t, testkit.SQLite(t))
	client := scimClient{base: strings.TrimSuffix(s.url, "/scim/v2"), token: s.token}
	if code, _, err := client.do(t.Context(), http.MethodPost, "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"bystander@example.com","name":{"givenName":"B","familyName":"S"},"emails":[{"value":"bystander@example.com","primary":true}]}`); err != nil || code != http.StatusCreated {
		t.Fatal(code, err)
	}
	for _, test := range brokenServers {
		t.Run(test.name, func(t *testing.T) {
			front := s.broken(t, test.wrong)
			found := map[idpcheck.Level][]string{}
			var all []string
			summary, err := idpcheck.Run(t.Context(), idpcheck.Config{
				Provider: test.provider, URL: front.url, Token: front.token, Timeout: time.Second, Slow: 250 * time.Millisecond,
			}, func(r idpcheck.Result) {
				if !slices.Contains(found[r.Level], r.Item) {
					found[r.Level] = append(found[r.Level], r.Item)
				}
				if r.Level != idpcheck.Passed {
					all = append(all, string(r.Level)+" "+r.Item+": expected "+r.Expected+"; came "+r.Came+" — "+r.Meaning)
				}
			})
			failed := slices.Concat(found[idpcheck.Failed], found[idpcheck.Skipped])
			if err != nil || !fits(test.failed, failed) || !fits(test.warned, found[idpcheck.Warning]) {
				t.Errorf("%v, failed %q, warned %q:\n%s", err, failed, found[idpcheck.Warning], strings.Join(all, "\n"))
			}
			if left := strings.Join(summary.Left, "; "); (test.left == "") != (left == "") || !strings.Contains(left, test.left) {
				t.Errorf("left: %s", left)
			}
			for _, id := range front.changed {
				if !slices.Contains(front.made, id) {
					t.Errorf("%s was written to", id)
				}
			}
			if strings.Contains(strings.Join(all, ""), s.token) {
				t.Error("the token is in the report")
			}
		})
	}
}

// fits compares the steps that were found; "*" stands for any more.
func fits(want string, found []string) bool {
	if rest, open := strings.CutSuffix(want, "*"); open {
		return strings.HasPrefix(strings.Join(found, " ")+" ", rest) && len(found) > 0
	}
	return strings.Join(found, " ") == want
}

func withFilter(filter string) fault {
	return func(w http.ResponseWriter, r *http.Request, sound http.Handler) {
		if strings.Contains(r.URL.Path, "/Groups") {
			filter = `displayName eq "nobody"`
		}
		query := r.URL.Query()
		query.Set("filter", filter)
		r.URL.RawQuery = query.Encode()
		sound.ServeHTTP(w, r)
	}
}

func without(parameter string) fault {
	return func(w http.ResponseWriter, r *http.Request, sound http.Handler) {
		query := r.URL.Query()
		query.Del(parameter)
		r.URL.RawQuery = query.Encode()
		sound.ServeHTTP(w, r)
	}
}

func asPlainJSON(w http.ResponseWriter, r *http.Request, sound http.Handler) {
	changing(func(r *httptest.ResponseRecorder) {
		if r.Header().Get("Content-Type") != "" {
			r.Header().Set("Content-Type", "application/json")
		}
	})(w, r, sound)
}

func late(by time.Duration) fault {
	return func(w http.ResponseWriter, r *http.Request, sound http.Handler) {
		time.Sleep(by)
		sound.ServeHTTP(w, r)
	}
}

// retry says to come back later, in seconds.
func retry(seconds string) fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		if seconds != "" {
			w.Header().Set("Retry-After", seconds)
		}
		w.WriteHeader(http.StatusTooManyRequests)
	}
}

// retryOnce says so to the first request only.
func retryOnce(seconds string) fault {
	var once sync.Once
	return func(w http.ResponseWriter, r *http.Request, sound http.Handler) {
		first := false
		once.Do(func() { first = true })
		if first {
			retry(seconds)(w, r, sound)
			return
		}
		sound.ServeHTTP(w, r)
	}
}

// lost does what is asked and hangs up.
func lost(_ http.ResponseWriter, r *http.Request, sound http.Handler) {
	sound.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

// A redirect is not followed, so that the token stays with the server it was given for, and "Retry-After" is waited for.
func TestIDPCheckKeepsTheToken(t *testing.T) {
	s := newChecked(t, testkit.SQLite(t))
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	t.Cleanup(elsewhere.Close)
	front := s.broken(t, func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		http.Redirect(w, r, elsewhere.URL+"/"+s.token, http.StatusPermanentRedirect)
	})
	var came string
	summary, err := idpcheck.Run(t.Context(), idpcheck.Config{Provider: "okta", URL: front.url, Token: s.token}, func(r idpcheck.Result) { came += r.Came })
	if err != nil || summary.Failed == 0 || !strings.Contains(came, "not followed") || strings.Contains(came, s.token) {
		t.Errorf("%v %+v %s", err, summary, came)
	}
	front = s.broken(t, retryOnce("1"))
	began := time.Now()
	summary, err = idpcheck.Run(t.Context(), idpcheck.Config{Provider: "okta", URL: front.url, Token: s.token}, func(idpcheck.Result) {})
	if err != nil || summary.Failed > 0 || summary.Warnings != 1 || time.Since(began) < time.Second {
		t.Errorf("after 429: %v %+v", err, summary)
	}
}
