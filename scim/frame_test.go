package scim_test

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"muster/domain"
	"muster/internal/httpx"
	"muster/scim"
)

// R25, S52, O3, R131, R132: whatever is wrong with a credential, the body is the same.
func TestUnauthenticated(t *testing.T) {
	onEngines(t, func(w *world) {
		scope := w.commandLine("")
		deleted, gone, err := w.service.CreateSCIMToken(t.Context(), scope, domain.NewSCIMToken{Description: "deleted"})
		w.must(err)
		w.must(w.service.DeleteSCIMToken(t.Context(), scope, deleted.ID))
		_, personal, err := w.service.CreatePersonalTokenFor(t.Context(), scope, "ada@x.test", true, "of another kind")
		w.must(err)
		good := "Bearer " + w.secret
		const bare, invalid = `Bearer realm="SCIM"`, `Bearer realm="SCIM", error="invalid_token"`
		bodies := map[string]bool{}
		for _, c := range []struct{ name, path, header, challenge string }{
			{"missing", "/Users", "", bare},
			{"unknown", "/Users", "Bearer " + strings.Repeat("x", 43), invalid},
			{"deleted", "/Users", "Bearer " + string(gone), invalid},
			{"personal access token", "/Users", "Bearer " + string(personal), invalid},
			{"O3: raw value", "/Users", "non-token", invalid},
			{"no token", "/Users", "Bearer ", invalid},
			{"another scheme", "/Users", "Basic dTpw", invalid},
			{"one byte more", "/Users", good + "x", invalid},
			{"unknown path", "/nowhere", "", bare},
			{"discovery (S1)", "/ServiceProviderConfig", "Bearer x", invalid},
			{"in the query", "/Users?access_token=" + w.secret, "", bare + `, error="invalid_request", error_description="the token belongs into the Authorization header"`},
			{"in the query too", "/Users?access_token=" + w.secret, good, bare + `, error="invalid_request", error_description="the token belongs into the Authorization header"`},
		} {
			got := w.refused(http.StatusUnauthorized, "", "GET", c.path, "", "Authorization", c.header)
			if challenge := got.header.Get("WWW-Authenticate"); challenge != c.challenge {
				w.Errorf("%s: %s", c.name, challenge)
			}
			bodies[got.text] = true
		}
		if len(bodies) != 1 {
			w.Errorf("the bodies differ: %v", bodies)
		}
		w.ok(http.StatusOK, "GET", "/Users", "", "Authorization", "bEaReR "+w.secret)
	})
}

// The bearer is checked before anything is parsed.
func TestBearerComesFirst(t *testing.T) {
	w := onSQLite(t)
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/Users", "{"},
		{"GET", "/Users?filter=" + strings.Repeat("(", 5000), ""},
		{"PATCH", "/Groups/x", strings.Repeat("[", 100_000)},
		{"BREW", "/Users", ""},
	} {
		w.refused(http.StatusUnauthorized, "", c.method, c.path, c.body, "Authorization", "Bearer x", "Accept", "text/html")
	}
}

// S1, S5, S23, S24, R131, R133, R135, R136.
func TestPathsAndMethods(t *testing.T) {
	w := onSQLite(t)
	id := w.create("ann@x.test")
	const collection, resource, reading, searching = "GET, HEAD, POST", "GET, HEAD, PUT, PATCH, DELETE", "GET, HEAD", "POST"
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"DELETE", "/Users", http.StatusMethodNotAllowed, collection},
		{"PUT", "/Groups/", http.StatusMethodNotAllowed, collection},
		{"OPTIONS", "/Users", http.StatusMethodNotAllowed, collection},
		{"BREW", "/Users/" + id, http.StatusMethodNotAllowed, resource},
		{"POST", "/Users/" + id, http.StatusMethodNotAllowed, resource},
		{"GET", "/Users/.search", http.StatusMethodNotAllowed, searching},
		{"POST", "/Schemas", http.StatusMethodNotAllowed, reading},
		{"PATCH", "/ServiceProviderConfig", http.StatusMethodNotAllowed, reading},
		{"DELETE", "/ResourceTypes/User", http.StatusMethodNotAllowed, reading},
		{"GET", "/nowhere", http.StatusNotFound, ""},
		{"GET", "/v2/Users", http.StatusNotFound, ""},
		{"GET", "/Users/" + id + "/groups", http.StatusNotFound, ""},
		{"GET", "//Users", http.StatusNotFound, ""},
		{"GET", "/./Users", http.StatusNotFound, ""},
		{"GET", "/x/../Users", http.StatusNotFound, ""},
		{"GET", "/Schemas/urn:nothing", http.StatusNotFound, ""},
		{"GET", "/ResourceTypes/Device", http.StatusNotFound, ""},
		{"GET", "/Me", http.StatusNotImplemented, ""},
		{"GET", "/Bulk", http.StatusMethodNotAllowed, searching},
		{"GET", "/.search", http.StatusMethodNotAllowed, searching},
		{"POST", "/", http.StatusMethodNotAllowed, reading},
	} {
		got := w.refused(c.status, "", c.method, c.path, "")
		if allow := got.header.Get("Allow"); allow != c.allow {
			w.Errorf("%s %s: Allow %q", c.method, c.path, allow)
		}
	}
	for _, path := range []string{"/Users/", "/Groups/", "/Schemas/", "/ResourceTypes/", "/ServiceProviderConfig/"} {
		w.ok(http.StatusOK, "GET", path, "")
	}
	got := w.ok(http.StatusOK, "GET", "/Users/"+id, "", "X-HTTP-Method-Override", "DELETE")
	if w.ok(http.StatusOK, "HEAD", "/Users/"+id, "").header.Get("ETag") != got.header.Get("ETag") {
		t.Error("HEAD and GET differ")
	}
}

// S4, K16, O4, R43, R130.
func TestMediaTypes(t *testing.T) {
	w := onSQLite(t)
	for i, c := range []struct {
		name, value string
		status      int
	}{
		{"Content-Type", "application/scim+json", http.StatusCreated},
		{"Content-Type", "application/json", http.StatusCreated},
		{"Content-Type", "application/scim+json; charset=utf-8", http.StatusCreated},
		{"Content-Type", `Application/JSON; charset="UTF-8"`, http.StatusCreated},
		{"Content-Type", "", http.StatusCreated},
		{"Content-Type", "text/plain", http.StatusUnsupportedMediaType},
		{"Content-Type", "application/x-www-form-urlencoded", http.StatusUnsupportedMediaType},
		{"Content-Type", "application/json; charset=latin1", http.StatusUnsupportedMediaType},
		{"Content-Type", "nonsense;;", http.StatusUnsupportedMediaType},
		{"Content-Encoding", "gzip", http.StatusUnsupportedMediaType},
		{"Accept", "application/scim+json; charset=utf-8", http.StatusCreated},
		{"Accept", "application/json", http.StatusCreated},
		{"Accept", "text/html, application/*;q=0.5", http.StatusCreated},
		{"Accept", "*/*", http.StatusCreated},
		{"Accept", "text/html", http.StatusNotAcceptable},
		{"Accept", "application/scim+json;q=0", http.StatusNotAcceptable},
		{"Accept", "application/xml, text/*", http.StatusNotAcceptable},
	} {
		got := w.send("POST", "/Users", person("p"+strconv.Itoa(i)+"@x.test"), c.name, c.value)
		if got.status != c.status {
			t.Errorf("%s: %s: %d %s", c.name, c.value, got.status, got.text)
		}
		if got.status >= 400 {
			w.isError(got, c.status, "", c.name+": "+c.value)
		}
	}
}

// R44, R140, K19: another organization's ids answer as ids that never existed, byte for byte but for the id itself.
func TestForeignIDs(t *testing.T) {
	onEngines(t, func(w *world) {
		_, err := w.service.CreateOrganizationByHand(t.Context(), "Elsewhere")
		w.must(err)
		home := w.secret
		w.secret = w.token("Elsewhere")
		user := w.create("ann@x.test")
		team := w.createGroup("Team", user)
		w.secret = home
		mine := w.createGroup("Mine")
		const unknown = "01890a5d-0000-7000-8000-000000000000"
		active := patch(`{"op":"replace","path":"active","value":false}`)
		for _, c := range []struct{ method, path, body string }{
			{"GET", "/Users/<id>", ""},
			{"GET", "/Users/<id>?attributes=userName", ""},
			{"PUT", "/Users/<id>", person("ann@x.test")},
			{"PATCH", "/Users/<id>", active},
			{"DELETE", "/Users/<id>", ""},
			{"GET", "/Groups/<id>", ""},
			{"PUT", "/Groups/<id>", group("Team")},
			{"PATCH", "/Groups/<id>", patch(`{"op":"replace","path":"displayName","value":"x"}`)},
			{"DELETE", "/Groups/<id>", ""},
			{"PATCH", "/Groups/" + mine, patch(`{"op":"add","path":"members","value":[{"value":"<id>"}]}`)},
			{"POST", "/Groups", group("New", "<id>")},
			{"GET", `/Users?filter=id eq "<id>"`, ""},
			{"GET", `/Groups?filter=members eq "<id>"`, ""},
		} {
			foreign := user
			if strings.HasPrefix(c.path, "/Groups/<id>") {
				foreign = team
			}
			ask := func(id string) string {
				got := w.send(c.method, strings.ReplaceAll(c.path, "<id>", id), strings.ReplaceAll(c.body, "<id>", id))
				return strconv.Itoa(got.status) + strings.ReplaceAll(got.text, id, "<id>")
			}
			if got, want := ask(foreign), ask(unknown); got != want || strings.HasPrefix(want, "200") != strings.Contains(c.path, "filter") {
				w.Errorf("%s %s: %s, but for an unknown id %s", c.method, c.path, got, want)
			}
		}
		// The same names are free here (R140).
		w.create("ann@x.test")
		w.createGroup("Team")
	})
}

// What a client does wrong is no error in our log, and no person's data is in it (S94).
func TestLog(t *testing.T) {
	w := onSQLite(t)
	log := &strings.Builder{}
	w.handler = httpx.Observer{Log: slog.New(slog.NewTextHandler(log, nil))}.Wrap(w.handler)
	id := w.create("ann@x.test")
	w.refused(http.StatusNotFound, "", "GET", "/nowhere", "")
	w.refused(http.StatusMethodNotAllowed, "", "PUT", "/Users", "")
	w.refused(http.StatusUnsupportedMediaType, "", "POST", "/Users", "x", "Content-Type", "text/plain")
	w.refused(http.StatusConflict, "uniqueness", "POST", "/Users", person("ann@x.test"))
	w.ok(http.StatusOK, "GET", `/Users?filter=userName eq "ann@x.test"`, "")
	w.ok(http.StatusOK, "GET", "/Users/"+id, "")
	if text := log.String(); strings.Contains(text, "level=ERROR") || strings.Contains(text, "ann@") || strings.Contains(text, id) ||
		!strings.Contains(text, "route=/scim/v2/Users/{id} status=200") || !strings.Contains(text, "status=404") {
		t.Error(text)
	}
}

// failing answers every GetUser with an error.
type failing struct {
	scim.Service

	err error
}

func (f failing) GetUser(context.Context, domain.OrgScope, domain.MemberID) (domain.SCIMUser, error) {
	if f.err == nil {
		panic("a defect with a secret in it")
	}
	return domain.SCIMUser{}, f.err
}

// Every kind of failure in SCIM's words; the text of our own defects stays here (S51, S52, B31).
func TestErrorKinds(t *testing.T) {
	w := onSQLite(t)
	const secret = "the secret cause"
	for _, c := range []struct {
		err      error
		status   int
		scimType string
		retry    string
	}{
		{domain.Invalidf("title", "the title is wrong"), 400, "invalidValue", ""},
		{domain.Errorf(domain.NotFound, "there is no such thing"), 404, "", ""},
		{domain.Conflictf("userName", "the userName is taken"), 409, "uniqueness", ""},
		{domain.Errorf(domain.Stale, "read it again please"), 412, "", ""},
		{domain.Errorf(domain.Unauthenticated, "who are you then"), 401, "", ""},
		{domain.Errorf(domain.Forbidden, "this is not allowed"), 403, "", ""},
		{domain.Errorf(domain.Guarded, "too many would lose access"), 429, "", "300"},
		{domain.Errorf(domain.TooLarge, "this is far too large"), 413, "", ""},
		{domain.Errorf(domain.Limited, "this is too often").After(1500 * time.Millisecond), 429, "", "2"},
		{domain.Errorf(domain.Unavailable, "the database is away"), 503, "", "1"},
		{domain.Errorf(domain.Unknown, "nobody knows whether it happened"), 503, "", "1"},
		{domain.Errorf(domain.Internal, secret), 500, "", ""},
		{context.DeadlineExceeded, 503, "", "1"},
		{http.ErrBodyNotAllowed, 500, "", ""},
		{nil, 500, "", ""},
	} {
		w.handler = scim.New(scim.Config{Service: failing{w.service, c.err}, PublicURL: publicURL})
		got := w.refused(c.status, c.scimType, "GET", "/Users/x", "")
		if retry := got.header.Get("Retry-After"); retry != c.retry {
			t.Errorf("%v: Retry-After %q", c.err, retry)
		}
		if strings.Contains(got.text, "secret") {
			t.Errorf("%v: %s", c.err, got.text)
		}
	}
}
