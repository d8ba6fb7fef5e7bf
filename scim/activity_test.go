package scim_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"muster/domain"
)

// activity is what the provisioning log says, the oldest first, one line an entry.
func (w *world) activity(query domain.ActivityQuery) []string {
	w.Helper()
	if s, ok := w.handler.(interface{ Flush(context.Context) }); ok {
		s.Flush(w.Context())
	}
	query.Limit = 100
	entries, err := w.service.Activity(w.Context(), w.commandLine(""), query)
	w.must(err)
	var lines []string
	for i := len(entries) - 1; i >= 0; i-- {
		e := entries[i]
		line := strings.TrimSpace(strings.Join([]string{e.Method, e.Operation, e.Resource, http.StatusText(e.Status), e.SCIMType}, " "))
		if e.Requests > 1 {
			line += " and more"
		}
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return lines
}

// S91, S14: every request is there: changes, reads, refusals with their reason, what changed nothing, and the operations of a Bulk.
func TestActivity(t *testing.T) {
	onEngines(t, func(w *world) {
		ann := w.create("ann@x.test")
		w.ok(http.StatusOK, "GET", "/Users/"+ann, "")
		w.ok(http.StatusOK, "PATCH", "/Users/"+ann, patch(`{"op":"replace","path":"title","value":"T"}`))
		w.ok(http.StatusOK, "PATCH", "/Users/"+ann, patch(`{"op":"replace","path":"title","value":"T"}`))
		w.refused(http.StatusConflict, "uniqueness", "POST", "/Users", person("ann@x.test"))
		w.refused(http.StatusNotFound, "", "GET", "/Nowhere", "")
		w.ok(http.StatusOK, "POST", "/Bulk", bulkRequest("", bulkOp("DELETE", "/Users/nobody", "", "")))
		for range 30 {
			w.ok(http.StatusOK, "GET", "/Users?count=1", "")
		}
		got := w.activity(domain.ActivityQuery{})
		want := []string{
			"create_scim_user user", "GET User OK", "update_scim_user user", "PATCH User OK", "POST User Conflict uniqueness", "GET Nowhere Not Found",
			"DELETE Users Not Found", "POST Bulk OK",
		}
		if len(got) > 7 { // the Bulk and its operation are of one moment
			slices.Sort(got[6:8])
		}
		for i, line := range want {
			if i >= len(got) || got[i] != line {
				w.Fatalf("entry %d of %q, want %q", i, got, line)
			}
		}
		if reads := len(got) - len(want); reads != 20 || got[len(got)-1] != "GET Users OK and more" {
			w.Errorf("30 reads made %d entries: %q", reads, got[len(want):])
		}
		if refused := w.activity(domain.ActivityQuery{Refused: true}); len(refused) != 3 {
			w.Errorf("refused: %q", refused)
		}
		if about := w.activity(domain.ActivityQuery{Target: ann}); len(about) != 4 {
			w.Errorf("about one user: %q", about)
		}
	})
}

// S14, S91: what no schema declares is counted per token, with an example; what may be a secret is not shown.
func TestUndeclaredAttributes(t *testing.T) {
	onEngines(t, func(w *world) {
		ann := w.made(`"userName":"ann","shoeSize":42,"apiToken":"s3cret","name":{"nick":"A"}`)
		w.ok(http.StatusOK, "PATCH", "/Users/"+ann, patch(`{"op":"replace","value":{"shoeSize":43,"title":"T"}}`))
		w.activity(domain.ActivityQuery{})
		found, err := w.service.UndeclaredAttributes(t.Context(), w.commandLine(""))
		w.must(err)
		got := map[string]domain.UndeclaredAttribute{}
		for _, u := range found {
			got[u.Path] = u
		}
		if u := got["shoeSize"]; u.Requests != 2 || u.Example != "43" || u.Resource != "User" || len(got) != 3 {
			w.Errorf("%+v", found)
		}
		if got["apiToken"].Example != "(not shown)" || got["name.nick"].Example != `"A"` {
			w.Errorf("%+v", found)
		}
	})
}

// S91: a request that is refused for its token is in the default organization's log, with as much of the token as may be shown.
func TestWrongTokensInActivity(t *testing.T) {
	onEngines(t, func(w *world) {
		wrong := "muster_scim_" + strings.Repeat("x", 34) + "AbCd"
		for range 3 {
			w.refused(http.StatusUnauthorized, "", "GET", "/Users?count=1", "", "Authorization", "Bearer "+wrong)
		}
		w.refused(http.StatusUnauthorized, "", "POST", "/Groups", "{}", "Authorization", "")
		w.refused(http.StatusUnauthorized, "", "GET", "/Groups", "", "Authorization", "Basic c2VjcmV0OnNlY3JldA==")
		got := w.activity(domain.ActivityQuery{Refused: true})
		slices.Sort(got)
		if want := []string{"GET Groups Unauthorized", "GET Users Unauthorized and more", "POST Groups Unauthorized"}; !slices.Equal(got, want) {
			w.Errorf("%q, want %q", got, want)
		}
		entries, err := w.service.Activity(w.Context(), w.commandLine(""), domain.ActivityQuery{Refused: true, Limit: 100})
		w.must(err)
		for _, entry := range entries {
			if strings.Contains(entry.Detail, wrong) || strings.Contains(entry.Detail, "c2VjcmV0") || entry.Detail == "" {
				w.Errorf("the detail %q", entry.Detail)
			}
			if entry.Resource == "Users" && !strings.Contains(entry.Detail, "muster_scim_…AbCd") {
				w.Errorf("the detail %q does not say which token", entry.Detail)
			}
		}
	})
}
