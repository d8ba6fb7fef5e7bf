package scim_test

import (
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"muster/scim/schema"
)

// R53, R57, R72, S45, K14: queries over all resource types, by GET on the root and by POST /.search.
func TestRootQuery(t *testing.T) {
	onEngines(t, func(w *world) {
		ann := w.made(`"userName":"ann","displayName":"Ann","externalId":"x","title":"T"`)
		w.made(`"userName":"bob","` + schema.EnterpriseURN + `":{"department":"D"}`)
		team := w.createGroup("Team", ann)
		w.ok(200, "PATCH", "/Groups/"+team+"?attributes=id", patch(`{"op":"add","path":"externalId","value":"x"}`))
		for _, c := range []struct {
			filter string
			want   []string
		}{
			{`meta.resourceType eq "User"`, []string{"ann", "bob"}},
			{`meta.resourceType eq "Group"`, []string{"Team"}},
			{`meta.resourceType eq "Device"`, []string{}},
			{`(meta.resourceType eq "User") or (meta.resourceType eq "Group")`, []string{"Team", "ann", "bob"}},
			{`meta.resourceType eq "User" and userName sw "a"`, []string{"ann"}},
			{`externalId eq "x"`, []string{"Team", "ann"}},
			{`id eq "` + team + `"`, []string{"Team"}},
			{`displayName co "a"`, []string{"Team", "ann"}},
			{`userName pr`, []string{"ann", "bob"}},
			{`not (userName pr)`, []string{"Team"}},
			{`members.value eq "` + ann + `"`, []string{"Team"}},
			{`members.value eq "` + ann + `" or title eq "T"`, []string{"Team", "ann"}},
			{schema.EnterpriseURN + `:department eq "d"`, []string{"bob"}},
			{schema.GroupURN + `:displayName pr`, []string{"Team"}},
			{`schemas eq "` + schema.GroupURN + `"`, []string{"Team"}},
			{`nope eq "x"`, []string{}},
			{`nope.nope pr`, []string{}},
			{`nope ne "x"`, []string{"Team", "ann", "bob"}},
			{`nope eq "x" or userName eq "bob"`, []string{"bob"}},
			{`urn:x:y:z pr`, []string{}},
			{`meta.lastModified gt "2026-01-01T00:00:00Z"`, []string{"Team", "ann", "bob"}},
		} {
			got := w.ok(http.StatusOK, "GET", "/?filter="+url.QueryEscape(c.filter), "")
			names := slices.Sorted(slices.Values(userNames(got)))
			count := float64(len(c.want))
			want := map[string]any{"schemas": []any{listURN}, "totalResults": count, "startIndex": 1.0, "itemsPerPage": count, "Resources": got.body["Resources"]}
			if !slices.Equal(names, c.want) || !reflect.DeepEqual(got.body, want) {
				w.Errorf("%s: got %s, want %v", c.filter, got.text, c.want)
			}
			found := w.ok(http.StatusOK, "POST", "/.search", searchRequest(`,"filter":`+quote(w, c.filter)))
			if found.text != got.text {
				w.Errorf("%s: .search found %s, GET %s", c.filter, found.text, got.text)
			}
		}
		// A resource at the root is what it is at its own endpoint.
		for name, path := range map[string]string{"ann": "/Users/" + ann, "Team": "/Groups/" + team} {
			list, _ := w.ok(http.StatusOK, "GET", `/?filter=displayName eq "`+name+`"`, "").body["Resources"].([]any)
			if want := w.ok(http.StatusOK, "GET", path, ""); len(list) != 1 || !reflect.DeepEqual(list[0], any(want.body)) {
				w.Errorf("%s: %v, at its endpoint %s", name, list, want.text)
			}
		}
	})
}

// R53, R54, R55, R58, R80, S45: pages, order and projection of mixed results.
func TestRootPages(t *testing.T) {
	onEngines(t, func(w *world) {
		var all []string
		for i := range 5 {
			w.made(`"userName":"u` + strconv.Itoa(i) + `"`)
			w.createGroup("g" + strconv.Itoa(i))
			all = append(all, "u"+strconv.Itoa(i), "g"+strconv.Itoa(i))
		}
		slices.Sort(all)
		var paged []string
		for start := 1; start <= 10; start += 3 {
			got := w.ok(http.StatusOK, "GET", "/?count=3&startIndex="+strconv.Itoa(start), "")
			if got.body["totalResults"] != 10.0 || got.body["startIndex"] != float64(start) || got.body["itemsPerPage"] != float64(len(userNames(got))) {
				w.Errorf("page at %d: %s", start, got.text)
			}
			paged = append(paged, userNames(got)...)
		}
		slices.Sort(paged)
		if !slices.Equal(paged, all) {
			w.Errorf("pages %v", paged)
		}
		for _, path := range []string{"", "/"} {
			if got := w.ok(http.StatusOK, "GET", path+"?count=0", ""); got.body["totalResults"] != 10.0 || len(userNames(got)) != 0 {
				w.Errorf("count=0: %s", got.text)
			}
		}
		if got := w.ok(http.StatusOK, "GET", "/?startIndex=11", ""); len(userNames(got)) != 0 || got.body["totalResults"] != 10.0 {
			w.Errorf("past the end: %s", got.text)
		}
		pages := w.walkCursor("/?count=4", nil) // P6
		if got := slices.Sorted(slices.Values(slices.Concat(pages...))); !slices.Equal(got, all) {
			w.Errorf("by cursor: %v", pages)
		}
		if got := slices.Concat(w.walkCursor("/?count=4&sortBy=meta.created&sortOrder=descending", nil)...); len(got) != 10 || got[0] != "g4" || got[9] != "u0" {
			w.Errorf("sorted: %v", got)
		}
		list, _ := w.ok(http.StatusOK, "GET", "/?attributes=userName,members.value&count=100", "").body["Resources"].([]any)
		for _, resource := range list {
			object, _ := resource.(map[string]any)
			if object["id"] == nil || object["schemas"] == nil || object["meta"] != nil || object["displayName"] != nil {
				w.Errorf("projection: %v", object)
			}
		}
		w.exchanges([]exchange{
			{"R62 no filter", "GET", "/?filter=x", "", 400, "invalidFilter"},
			{"R62 a malformed name", "GET", `/?filter=a..b eq "x"`, "", 400, "invalidFilter"},
			{"R80 both", "GET", `/?attributes=id&excludedAttributes=meta`, "", 400, "invalidValue"},
			{"R57 another schema", "POST", `/.search`, `{"schemas":["` + listURN + `"]}`, 400, "invalidSyntax"},
			{"R57 no body", "POST", `/.search`, ``, 400, "invalidSyntax"},
			{"R131 another method", "GET", `/.search`, ``, 405, ""},
			{"R131 another method", "POST", `/`, `{}`, 405, ""},
		})
	})
}

// R140, R44: a root query sees one organization.
func TestRootTenants(t *testing.T) {
	w := onSQLite(t)
	_, err := w.service.CreateOrganizationByHand(t.Context(), "Elsewhere")
	w.must(err)
	w.createGroup("Here", w.create("here@x.test"))
	w.secret = w.token("Elsewhere")
	w.create("away@x.test")
	if got := w.ok(http.StatusOK, "GET", "/", ""); !reflect.DeepEqual(userNames(got), []string{"away@x.test"}) {
		t.Errorf("%s", got.text)
	}
}
