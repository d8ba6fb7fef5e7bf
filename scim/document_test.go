package scim_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"muster/scim/schema"
)

// exchange is one request of a table and what answers it.
type exchange struct {
	item, method, path, body string
	status                   int
	// want is an error's scimType, or the resource without id, meta and schemas.
	want string
}

// exchanges sends requests in order; <name> stands for what the pairs give it.
func (w *world) exchanges(rows []exchange, names ...string) {
	w.Helper()
	fill := strings.NewReplacer(names...).Replace
	for _, row := range rows {
		w.exchange(row, fill)
	}
}

func (w *world) exchange(row exchange, fill func(string) string) {
	w.Helper()
	got := w.send(row.method, fill(row.path), fill(row.body))
	what := row.item + ": " + row.method + " " + row.path + " " + row.body
	switch {
	case row.status >= http.StatusBadRequest:
		w.isError(got, row.status, row.want, what)
	case got.status != row.status:
		w.Errorf("%s: %d %s, want %d", what, got.status, got.text, row.status)
	case row.want != "":
		w.same(what, w.without(got), fill(row.want))
	}
}

// userWith is a User's body with attributes such as `"userName":"a"`.
func userWith(attributes string) string {
	return `{"schemas":["` + schema.UserURN + `","` + schema.EnterpriseURN + `"],` + attributes + `}`
}

// made creates a User and returns its id.
func (w *world) made(attributes string) string {
	w.Helper()
	id, _ := w.ok(http.StatusCreated, "POST", "/Users", userWith(attributes)).body["id"].(string)
	return id
}

// quote is a value as JSON.
func quote(t testing.TB, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// dig returns what lies at a path of keys in an answer; nil when nothing does.
func dig(value any, keys ...string) any {
	for _, key := range keys {
		object, _ := value.(map[string]any)
		value = object[key]
	}
	return value
}
