package scim_test

import (
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"muster/scim/schema"
)

// R58, S43: sorting by each kind of attribute; whoever has no value is last in ascending order and first in descending.
func TestSort(t *testing.T) {
	onEngines(t, func(w *world) {
		boss := w.made(`"userName":"d","title":"b","active":false,"externalId":"b","name":{"familyName":"Zed"},
			"emails":[{"value":"z@x.test"},{"value":"a@x.test","primary":true}],"` + schema.EnterpriseURN + `":{"department":"2","manager":{"value":"m"}}`)
		w.made(`"userName":"B","title":"A","externalId":"a","name":{"familyName":"adams"},"emails":[{"value":"c@x.test"},{"value":"0@x.test"}]`)
		w.made(`"userName":"a","title":"C","externalId":"B","name":{"familyName":"Bee"},"` + schema.EnterpriseURN + `":{"department":"10"}`)
		w.made(`"userName":"c","name":{"familyName":"éclair"},"emails":[{"value":"B@x.test"}]`)
		w.createGroup("G", boss)
		for _, c := range []struct {
			item, sortBy string
			want         []string
		}{
			{"no case", "userName", []string{"a", "B", "c", "d"}},
			{"the name in any case", "USERNAME", []string{"a", "B", "c", "d"}},
			{"a URN", schema.UserURN + ":userName", []string{"a", "B", "c", "d"}},
			{"no value is last", "title", []string{"B", "d", "a", "c"}},
			{"by the letters' own order when case-exact", "externalId", []string{"a", "B", "d", "c"}},
			{"a sub-attribute", "name.familyName", []string{"B", "a", "d", "c"}},
			{"the primary value, else the first", "emails", []string{"d", "c", "B", "a"}},
			{"a sub-attribute of many", "emails.value", []string{"d", "c", "B", "a"}},
			{"an extension", schema.EnterpriseURN + ":department", []string{"a", "d", "B", "c"}},
			{"below an extension", schema.EnterpriseURN + ":manager.value", []string{"d", "B", "a", "c"}},
			{"instants", "meta.created", []string{"d", "B", "a", "c"}},
			{"instants of changes", "meta.lastModified", []string{"d", "B", "a", "c"}},
			{"computed", "groups.display", []string{"d", "B", "a", "c"}},
		} {
			got := userNames(w.ok(http.StatusOK, "GET", "/Users?sortBy="+c.sortBy, ""))
			if !reflect.DeepEqual(got, c.want) {
				w.Errorf("%s: %s: %v, want %v", c.item, c.sortBy, got, c.want)
			}
			if searched := userNames(w.ok(http.StatusOK, "POST", "/Users/.search", searchRequest(`,"sortBy":"`+c.sortBy+`","sortOrder":"ascending"`))); !reflect.DeepEqual(searched, got) {
				w.Errorf("%s: .search: %v", c.item, searched)
			}
		}
	})
}

// R58, R55: the other direction, and pages of a sorted list, with a filter and a projection.
func TestSortOrder(t *testing.T) {
	onEngines(t, func(w *world) {
		for _, attributes := range []string{`"userName":"one","title":"B"`, `"userName":"two"`, `"userName":"three","title":"a"`, `"userName":"four","title":"C"`} {
			w.made(attributes)
		}
		for query, want := range map[string][]string{
			"sortBy=title":                                           {"three", "one", "four", "two"},
			"sortBy=title&sortOrder=ascending":                       {"three", "one", "four", "two"},
			"sortBy=title&sortOrder=descending":                      {"two", "four", "one", "three"},
			"sortBy=title&sortOrder=DESCENDING":                      {"two", "four", "one", "three"},
			"sortBy=title&startIndex=2&count=2":                      {"one", "four"},
			"sortBy=title&sortOrder=descending&startIndex=2&count=2": {"four", "one"},
			"sortBy=title&filter=title pr&count=2":                   {"three", "one"},
			"sortBy=title&attributes=userName":                       {"three", "one", "four", "two"},
			"sortBy=userName&sortOrder=descending&count=1":           {"two"},
		} {
			if got := userNames(w.ok(http.StatusOK, "GET", "/Users?"+query, "")); !reflect.DeepEqual(got, want) {
				w.Errorf("%s: %v, want %v", query, got, want)
			}
		}
		w.refused(http.StatusBadRequest, "invalidValue", "GET", "/Users?sortBy=title&sortOrder=upwards", "")
		w.refused(http.StatusBadRequest, "invalidValue", "POST", "/Users/.search", searchRequest(`,"sortBy":"title","sortOrder":5`))
		// An unknown attribute sorts nothing, or is refused; it never fails (R58).
		for _, name := range []string{"nope", "name.nope", "urn:x:y:z", "..", "title'--", "password", "active", "name", "emails.primary"} {
			if got := w.send("GET", "/Users?sortBy="+name, ""); got.status != http.StatusOK && got.status != http.StatusBadRequest {
				w.Errorf("sortBy=%s: %d %s", name, got.status, got.text)
			}
		}
	})
}

// R55, S43: equal keys keep one order over all pages, in both directions.
func TestSortIsStable(t *testing.T) {
	onEngines(t, func(w *world) {
		const people = 9
		for i := range people {
			w.made(`"userName":"u` + strconv.Itoa(i) + `","title":"` + strconv.Itoa(i%2) + `"`)
		}
		for _, order := range []string{"ascending", "descending"} {
			whole := userNames(w.ok(http.StatusOK, "GET", "/Users?sortBy=title&sortOrder="+order, ""))
			var paged []string
			for start := 1; start <= people; start += 2 {
				paged = append(paged, userNames(w.ok(http.StatusOK, "GET", "/Users?sortBy=title&count=2&sortOrder="+order+"&startIndex="+strconv.Itoa(start), ""))...)
			}
			if !reflect.DeepEqual(paged, whole) || len(slices.Compact(slices.Sorted(slices.Values(paged)))) != people {
				w.Errorf("%s: whole %v, pages %v", order, whole, paged)
			}
		}
	})
}

// R58: groups sort too, by what they have.
func TestSortGroups(t *testing.T) {
	onEngines(t, func(w *world) {
		for _, name := range []string{"b", "C", "a"} {
			w.createGroup(name)
		}
		for query, want := range map[string][]string{
			"sortBy=displayName": {"a", "b", "C"}, "sortBy=displayName&sortOrder=descending": {"C", "b", "a"}, "sortBy=meta.created&sortOrder=descending": {"a", "C", "b"},
			"sortBy=displayName&excludedAttributes=members": {"a", "b", "C"}, "sortBy=id": {"b", "C", "a"},
		} {
			if got := userNames(w.ok(http.StatusOK, "GET", "/Groups?"+query, "")); !reflect.DeepEqual(got, want) {
				w.Errorf("%s: %v, want %v", query, got, want)
			}
		}
	})
}
