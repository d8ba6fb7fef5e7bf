package scim_test

import (
	"net/http"
	"reflect"
	"testing"

	"muster/domain"
)

// K12: a group's name is unique, unless the organization allows twins; then both are found, the older one first.
func TestTwins(t *testing.T) {
	onEngines(t, func(w *world) {
		twins := func(allowed bool) {
			_, err := w.service.UpdateOrganization(t.Context(), w.commandLine(""), domain.OrgUpdate{Settings: func(s *domain.OrgSettings) { s.GroupTwinsAllowed = allowed }})
			w.must(err)
		}
		first := w.createGroup("Team")
		w.refused(http.StatusConflict, "uniqueness", "POST", "/Groups", group("TEAM"))
		twins(true)
		second := w.createGroup("TEAM")
		third := w.createGroup("Other")
		w.ok(http.StatusNoContent, "PATCH", "/Groups/"+third, patch(`{"op":"replace","path":"displayName","value":"team"}`))
		if got := idList(w.ok(http.StatusOK, "GET", `/Groups?filter=displayName eq "team"`, "")); !reflect.DeepEqual(got, []string{first, second, third}) {
			w.Errorf("%v", got)
		}
		twins(false)
		w.refused(http.StatusConflict, "uniqueness", "POST", "/Groups", group("Team"))
		w.ok(http.StatusNoContent, "DELETE", "/Groups/"+first, "")
		w.refused(http.StatusConflict, "uniqueness", "POST", "/Groups", group("Team"))
		w.ok(http.StatusNoContent, "PATCH", "/Groups/"+third, patch(`{"op":"replace","path":"displayName","value":"Third"}`))
		w.ok(http.StatusNoContent, "PATCH", "/Groups/"+second, patch(`{"op":"add","path":"externalId","value":"x"}`))
		w.ok(http.StatusNoContent, "DELETE", "/Groups/"+second, "")
		w.createGroup("Team")
		w.refused(http.StatusConflict, "uniqueness", "PATCH", "/Groups/"+third, patch(`{"op":"replace","path":"displayName","value":"tEAM"}`))
	})
}
