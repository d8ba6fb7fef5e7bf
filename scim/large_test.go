package scim_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"muster/domain"
)

// crowd makes many users through Bulk and returns their ids.
func (w *world) crowd(n int) []string {
	w.Helper()
	var ids []string
	for from := 0; from < n; from += 1000 {
		var operations []string
		for i := from; i < min(from+1000, n); i++ {
			operations = append(operations, bulkOp("POST", "/Users", strconv.Itoa(i), userWith(fmt.Sprintf(`"userName":"u%05d@x.test"`, i))))
		}
		for _, o := range w.bulk(bulkRequest("", operations...)) {
			if o.Status != "201" {
				w.Fatalf("%s", o.Response)
			}
			ids = append(ids, idAt(o))
		}
	}
	return ids
}

// holds checks a person's role in Workspace 1; empty for none.
func (w *world) holds(id, role string) {
	w.Helper()
	why, err := w.service.Explain(w.Context(), w.commandLine(""), domain.MemberID(id))
	w.must(err)
	got := ""
	for _, workspace := range why.Workspaces {
		got = strings.TrimPrefix(domain.RoleName(workspace.Role), "Workspace ")
	}
	if got != role {
		w.Errorf("%s holds %q, want %q", id, got, role)
	}
}

// S46, R40, S35: a group larger than what is read at once is created, read, listed, patched, renamed and deleted whole.
func TestGroupBeyondOneReading(t *testing.T) {
	onEngines(t, func(w *world) {
		ids := w.crowd(domain.MembersAtOnce + 1200)
		slices.Sort(ids)
		id := w.createGroup("Organization User:Workspace 1:Viewer", ids...)
		same := func(step string, got, want []string) {
			w.Helper()
			if !slices.Equal(got, want) {
				w.Errorf("%s: %d members, want %d", step, len(got), len(want))
			}
		}
		same("created", w.members(id), ids)
		w.createGroup("Small", ids[0])
		list := w.ok(http.StatusOK, "GET", "/Groups", "").body["Resources"].([]any)
		same("listed", idsOf(dig(list[0], "members")), ids)
		w.ok(http.StatusNoContent, "PATCH", "/Groups/"+id, patch(`{"op":"remove","path":"members[value eq \"`+ids[0]+`\"]"}`))
		same("one left", w.members(id), ids[1:])
		w.ok(http.StatusNoContent, "PATCH", "/Groups/"+id, patch(`{"op":"replace","path":"displayName","value":"Organization User:Workspace 1:Editor"}`))
		for _, member := range []string{ids[1], ids[len(ids)/2], ids[len(ids)-1]} {
			w.holds(member, "Editor")
		}
		w.holds(ids[0], "")
		without := w.ok(http.StatusOK, "GET", "/Groups/"+id+"?excludedAttributes=members", "")
		if without.body["members"] != nil {
			w.Error("members were not left out")
		}
		w.ok(http.StatusNoContent, "PATCH", "/Groups/"+id, patch(`{"op":"replace","path":"members","value":[`+values(ids[5:10]...)+`]}`))
		same("replaced", w.members(id), ids[5:10])
		w.ok(http.StatusNoContent, "DELETE", "/Groups/"+id, "")
		w.holds(ids[7], "")
	})
}
