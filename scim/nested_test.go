package scim_test

import (
	"net/http"
	"reflect"
	"testing"

	"muster/scim/schema"
)

// R18, R19, R115, S15, S16: groups inside groups, each side of them, circles, and what goes when one of them goes.
func TestNestedGroups(t *testing.T) {
	onEngines(t, func(w *world) {
		root := publicURL + "/scim/v2"
		ann := w.made(`"userName":"ann"`)
		team := w.createGroup("Team", ann)
		outer := w.createGroup("Outer", team, ann)
		expect := func(item, id string, want ...any) {
			w.Helper()
			if got, _ := w.ok(http.StatusOK, "GET", "/Groups/"+id, "").body["members"].([]any); len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
				w.Errorf("%s: %v, want %v", item, got, want)
			}
		}
		annAsMember := map[string]any{"value": ann, "$ref": root + "/Users/" + ann, "type": "User", "display": "ann"}
		teamAsMember := map[string]any{"value": team, "$ref": root + "/Groups/" + team, "type": "Group", "display": "Team"}
		outerAsMember := map[string]any{"value": outer, "$ref": root + "/Groups/" + outer, "type": "Group", "display": "Outer"}
		expect("a User and a Group", outer, annAsMember, teamAsMember)
		for _, c := range []struct {
			filter string
			want   []string
		}{
			{`members.value eq "` + team + `"`, []string{"Outer"}},
			{`members.type eq "Group"`, []string{"Outer"}},
			{`members[type eq "Group" and display eq "team"]`, []string{"Outer"}},
			{`members[type eq "User" and display eq "team"]`, []string{}},
			{`members.$ref eq "` + root + "/Groups/" + team + `"`, []string{"Outer"}},
			{`members[type eq "User"]`, []string{"Outer", "Team"}},
			{`not (members.type eq "Group")`, []string{"Team"}},
		} {
			if got := w.found("/Groups", c.filter); !reflect.DeepEqual(got, c.want) {
				w.Errorf("%s: %v, want %v", c.filter, got, c.want)
			}
		}
		change := func(id, operation string) {
			w.Helper()
			w.ok(http.StatusNoContent, "PATCH", "/Groups/"+id, patch(operation))
		}
		change(team, `{"op":"add","path":"members","value":[`+values(outer)+`]}`)
		expect("a circle", team, annAsMember, outerAsMember)
		change(team, `{"op":"Remove","path":"members","value":[{"$ref":null,"value":"`+outer+`"}]}`)
		expect("E36", team, annAsMember)
		w.refused(http.StatusBadRequest, "invalidValue", "PATCH", "/Groups/"+team, patch(`{"op":"add","path":"members","value":[`+values(team)+`]}`))
		w.refused(http.StatusBadRequest, "invalidValue", "PUT", "/Groups/"+team, group("Team", team))
		change(outer, `{"op":"remove","path":"members[type eq \"User\"]"}`)
		expect("by type", outer, teamAsMember)
		change(team, `{"op":"replace","path":"displayName","value":"Renamed"}`)
		teamAsMember["display"] = "Renamed"
		expect("renamed", outer, teamAsMember)
		before := w.ok(http.StatusOK, "GET", "/Groups/"+outer, "").header.Get("ETag")
		w.ok(http.StatusNoContent, "DELETE", "/Groups/"+team, "")
		expect("deleted", outer)
		if after := w.ok(http.StatusOK, "GET", "/Groups/"+outer, "").header.Get("ETag"); after == before {
			w.Errorf("a group that lost a member has the version %s still", after)
		}
		w.ok(http.StatusOK, "PUT", "/Groups/"+outer, `{"schemas":["`+schema.GroupURN+`"],"displayName":"Outer","members":[{"value":"`+ann+`","type":"User"}]}`)
		expect("PUT", outer, annAsMember)
	})
}

// R140, R44: a group of another organization is no member.
func TestNestedGroupsOfOthers(t *testing.T) {
	w := onSQLite(t)
	_, err := w.service.CreateOrganizationByHand(t.Context(), "Elsewhere")
	w.must(err)
	home := w.secret
	w.secret = w.token("Elsewhere")
	foreign := w.createGroup("Theirs")
	w.secret = home
	w.refused(http.StatusBadRequest, "invalidValue", "POST", "/Groups", group("Ours", foreign))
	ours := w.createGroup("Ours")
	w.refused(http.StatusBadRequest, "invalidValue", "PATCH", "/Groups/"+ours, patch(`{"op":"add","path":"members","value":[`+values(foreign)+`]}`))
	if got := w.members(ours); len(got) != 0 {
		t.Errorf("members %v", got)
	}
}
