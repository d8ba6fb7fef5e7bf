package scim_test

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"muster/scim/schema"
)

// O23-O25, E35, E36, L2, L3, L5, L6, C1, R19, S16, S29-S31: members, in the shapes that providers send.
func TestPatchMembers(t *testing.T) {
	onEngines(t, func(w *world) {
		a, b, c := w.create("a@x.test"), w.create("b@x.test"), w.create("c@x.test")
		for i, test := range []struct {
			item, operations string
			want             []string
		}{
			{"L3: add is a union", `{"op":"add","path":"members","value":[` + values(b, c) + `]}`, []string{a, b, c}},
			{"an object, not a list", `{"op":"add","path":"members","value":{"value":"` + c + `"}}`, []string{a, b, c}},
			{"pathless add", `{"op":"add","value":{"members":[` + values(c) + `]}}`, []string{a, b, c}},
			{"L6: again", `{"op":"add","path":"members","value":[` + values(a, a) + `]}`, []string{a, b}},
			{"O23: remove by filter", `{"op":"remove","path":"members[value eq \"` + a + `\"]"}`, []string{b}},
			{"S30: or", `{"op":"remove","path":"members[value eq \"` + a + `\" or value eq \"` + b + `\"]"}`, []string{}},
			{"O23: not a member", `{"op":"remove","path":"members[value eq \"` + c + `\"]"}`, []string{a, b}},
			{"E36: only those listed", `{"op":"Remove","path":"members","value":[{"$ref":null,"value":"` + a + `"}]}`, []string{b}},
			{"S29: bare strings", `{"op":"Remove","path":"members","value":["` + b + `"]}`, []string{a}},
			{"S29: an empty list removes nothing", `{"op":"Remove","path":"members","value":[]}`, []string{a, b}},
			{"R105: all", `{"op":"remove","path":"members"}`, []string{}},
			{"by display", `{"op":"remove","path":"members[display eq \"ann lee\"]"}`, []string{}},
			{"O24: replace", `{"op":"replace","path":"members","value":[` + values(c, b) + `]}`, []string{b, c}},
			{"O25: empty", `{"op":"replace","path":"members","value":[]}`, []string{}},
			{"pathless replace", `{"op":"replace","value":{"members":[` + values(c) + `]}}`, []string{c}},
			{"L2: pathless replace without members", `{"op":"replace","value":{"displayName":"L2"}}`, []string{a, b}},
			{"C1: the whole group", `{"op":"replace","value":{"schemas":["` + schema.GroupURN + `"],"displayName":"C1","externalId":"c1"}}`, []string{a, b}},
			{"one request, in order", `{"op":"add","path":"members","value":[` + values(c) + `]},{"op":"remove","path":"members[value eq \"` + a + `\"]"},{"op":"replace","path":"displayName","value":"order"}`, []string{b, c}},
		} {
			id := w.createGroup("Group "+strconv.Itoa(i), a, b)
			got := w.ok(http.StatusNoContent, "PATCH", "/Groups/"+id, patch(test.operations))
			slices.Sort(test.want)
			if members := w.members(id); !reflect.DeepEqual(members, test.want) {
				w.Errorf("%s: got %v, want %v", test.item, members, test.want)
			}
			// S93: once more changes nothing.
			if again := w.ok(http.StatusNoContent, "PATCH", "/Groups/"+id, patch(test.operations)); again.header.Get("ETag") != got.header.Get("ETag") &&
				!strings.Contains(test.item, "in order") {
				w.Errorf("%s: %s, then %s", test.item, got.header.Get("ETag"), again.header.Get("ETag"))
			}
		}
	})
}

// S20, O26, R41, K12: POST, PUT and DELETE of groups.
func TestGroups(t *testing.T) {
	onEngines(t, func(w *world) {
		a, b := w.create("a@x.test"), w.create("b@x.test")
		id := w.createGroup("Team", a, a)
		if members := w.members(id); !reflect.DeepEqual(members, []string{a}) {
			w.Errorf("twice the same: %v", members)
		}
		put := w.ok(http.StatusOK, "PUT", "/Groups/"+id, group("Team", b))
		if !reflect.DeepEqual(idsOf(put.body["members"]), []string{b}) {
			w.Errorf("PUT: %s", put.text)
		}
		if again := w.ok(http.StatusOK, "PUT", "/Groups/"+id, group("Team", b)); again.text != put.text {
			w.Errorf("the same PUT again: %s", again.text)
		}
		w.ok(http.StatusOK, "PUT", "/Groups/"+id, `{"schemas":["`+schema.GroupURN+`"],"displayName":"Team"}`)
		if members := w.members(id); len(members) != 0 {
			w.Errorf("a PUT without members left %v", members)
		}
		got := w.ok(http.StatusOK, "PATCH", "/Groups/"+id, patch(`{"op":"add","path":"members","value":[`+values(a)+`]}`), "Prefer", "return=representation")
		if !reflect.DeepEqual(idsOf(got.body["members"]), []string{a}) {
			w.Errorf("representation: %s", got.text)
		}
		for _, c := range []struct{ method, path, body string }{
			{"POST", "/Groups", group("TEAM")},
			{"PUT", "/Groups/" + w.createGroup("Other"), group("team")},
		} {
			got := w.refused(http.StatusConflict, "uniqueness", c.method, c.path, c.body)
			if !strings.Contains(got.text, "displayName") {
				w.Error(got.text)
			}
		}
		// R115: a person's deletion cleans the groups, a group's deletion the people.
		w.ok(http.StatusNoContent, "DELETE", "/Users/"+a, "")
		if members := w.members(id); len(members) != 0 {
			w.Errorf("a deleted User is still a member: %v", members)
		}
		w.ok(http.StatusOK, "PUT", "/Groups/"+id, group("Team", b))
		w.ok(http.StatusNoContent, "DELETE", "/Groups/"+id, "")
		if groups := w.ok(http.StatusOK, "GET", "/Users/"+b, "").body["groups"]; groups != nil {
			w.Errorf("a deleted group is still there: %v", groups)
		}
		w.createGroup("Team")
	})
}

// L1, R139, S47: PATCHes at once all apply.
func TestConcurrentMembers(t *testing.T) {
	onEngines(t, func(w *world) {
		const people = 12
		ids := make([]string, people)
		for i := range ids {
			ids[i] = w.create("p" + strconv.Itoa(i) + "@x.test")
		}
		team := w.createGroup("LS:Organization User:Workspace 1:Viewer", ids[0])
		var running sync.WaitGroup
		statuses := make([]int, people)
		for i := 1; i < people; i++ {
			running.Go(func() {
				r := httptest.NewRequestWithContext(t.Context(), "PATCH", "/scim/v2/Groups/"+team,
					strings.NewReader(patch(`{"op":"add","path":"members","value":[`+values(ids[i])+`]}`)))
				r.Header.Set("Authorization", "Bearer "+w.secret)
				recorder := httptest.NewRecorder()
				w.handler.ServeHTTP(recorder, r)
				statuses[i] = recorder.Code
			})
		}
		running.Wait()
		slices.Sort(ids)
		if want := append([]int{0}, slices.Repeat([]int{http.StatusNoContent}, people-1)...); !reflect.DeepEqual(statuses, want) {
			w.Errorf("statuses %v", statuses)
		}
		if members := w.members(team); !reflect.DeepEqual(members, ids) {
			w.Errorf("%d of %d members", len(members), people)
		}
	})
}

// A group of thousands is written and read whole, and its members can be left out (S46, S44).
func TestLargeGroup(t *testing.T) {
	w := onSQLite(t)
	ids := w.people(3000)
	team := w.createGroup("Everybody", ids...)
	slices.Sort(ids)
	if members := w.members(team); !reflect.DeepEqual(members, ids) {
		t.Errorf("%d members", len(members))
	}
	short := w.ok(http.StatusOK, "GET", "/Groups/"+team+"?excludedAttributes=members", "")
	if len(short.text) > 1000 || short.body["members"] != nil {
		t.Error(short.text)
	}
}
