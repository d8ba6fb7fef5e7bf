package scim_test

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"muster/domain"
)

// BenchmarkRequests measures whole requests without the network, on SQLite.
func BenchmarkRequests(b *testing.B) {
	w := onSQLite(b)
	id := w.create("ann@x.test")
	run := func(name, method, path string, status int, body func(i int) string) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i++
				r := httptest.NewRequestWithContext(b.Context(), method, "/scim/v2"+path, strings.NewReader(body(i)))
				r.Header.Set("Authorization", "Bearer "+w.secret)
				recorder := httptest.NewRecorder()
				if w.handler.ServeHTTP(recorder, r); recorder.Code != status {
					b.Fatal(recorder.Code, recorder.Body)
				}
			}
		})
	}
	none := func(int) string { return "" }
	run("Get", "GET", "/Users/"+id, http.StatusOK, none)
	run("Filter", "GET", "/Users?filter=userName%20eq%20%22ann@x.test%22&startIndex=1&count=100", http.StatusOK, none)
	run("Unauthenticated", "GET", "/Users?access_token=x", http.StatusUnauthorized, none)
	run("PatchActive", "PATCH", "/Users/"+id, http.StatusOK, func(i int) string {
		return patch(`{"op":"Replace","path":"active","value":"` + map[bool]string{true: "True", false: "False"}[i%2 == 0] + `"}`)
	})
	run("Create", "POST", "/Users", http.StatusCreated, func(int) string { return person(rand.Text() + "@x.test") })
	team := w.createGroup("Everybody", w.people(10_000)...)
	run("GetGroupOf10000", "GET", "/Groups/"+team, http.StatusOK, none)
	run("GetGroupWithoutMembers", "GET", "/Groups/"+team+"?excludedAttributes=members", http.StatusOK, none)
	run("AddToGroupOf10000", "PATCH", "/Groups/"+team, http.StatusNoContent, func(i int) string {
		op := map[bool]string{true: "Add", false: "Remove"}[i%2 == 0]
		return patch(`{"op":"` + op + `","path":"members","value":[{"$ref":null,"value":"` + id + `"}]}`)
	})
}

// people makes people behind the protocol's back and returns their ids.
func (w *world) people(n int) []string {
	w.Helper()
	scope, err := w.service.SCIMToken(w.Context(), w.secret, domain.Client{})
	w.must(err)
	ids := make([]string, n)
	for i := range ids {
		name := "member" + strconv.Itoa(i)
		user, err := w.service.CreateUser(w.Context(), scope, domain.Document{"userName": name, "displayName": "Member " + name})
		w.must(err)
		ids[i] = string(user.ID)
	}
	return ids
}
