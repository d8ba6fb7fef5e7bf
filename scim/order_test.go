package scim_test

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"muster/domain"
	"muster/scim/schema"
)

// R68, R69, R74, S37, S39: text has one order, whatever the database's own is: that of its folded form, or its own when case-exact.
func TestTextOrder(t *testing.T) {
	onEngines(t, func(w *world) {
		texts := []string{"a b", "a-b", "ab", "A_c", "aB c", "z", "Zz", "é", "É2", "ß", "st", "ä", "_", "~", "10", "9", "ﬀ", "ж", "日", "😀", "\uffdc"}
		for _, text := range texts {
			w.made(`"userName":` + quote(w, text) + `,"title":` + quote(w, text) + `,"externalId":` + quote(w, text))
		}
		itself := func(text string) string { return text }
		for attribute, key := range map[string]func(string) string{"userName": domain.Fold, "title": domain.Fold, "externalId": itself} {
			for _, pivot := range []string{"a-b", "ab", "z", "é", "10", "ß", "😀", ""} {
				for operator, keeps := range map[string]func(int) bool{
					"gt": func(n int) bool { return n > 0 }, "ge": func(n int) bool { return n >= 0 }, "lt": func(n int) bool { return n < 0 }, "le": func(n int) bool { return n <= 0 },
				} {
					want := []string{}
					for _, text := range texts {
						if keeps(cmp.Compare(key(text), key(pivot))) {
							want = append(want, text)
						}
					}
					slices.Sort(want)
					filter := attribute + " " + operator + " " + quote(w, pivot)
					got := userNames(w.ok(http.StatusOK, "GET", "/Users?attributes=userName&filter="+url.QueryEscape(filter), ""))
					slices.Sort(got)
					if !slices.Equal(got, want) {
						w.Errorf("%s: got %q, want %q", filter, got, want)
					}
				}
			}
			sorted := slices.SortedStableFunc(slices.Values(texts), func(a, b string) int { return cmp.Compare(key(a), key(b)) })
			if got := userNames(w.ok(http.StatusOK, "GET", "/Users?attributes=userName&sortBy="+attribute, "")); !slices.Equal(got, sorted) { // R58
				w.Errorf("sortBy=%s: got %q, want %q", attribute, got, sorted)
			}
		}
	})
}

// S3, R34, R20: whatever an answer holds is declared by a schema that it names.
func TestAnswersAreDeclared(t *testing.T) {
	w := onSQLite(t)
	boss := w.made(`"userName":"boss","displayName":"B"`)
	ann := w.made(libraryUser + `,"addresses":[{"type":"work","country":"DE","primary":true}],"ims":[{"value":"i","display":"d"}]`)
	w.ok(200, "PATCH", "/Users/"+ann, patch(`{"op":"add","path":"`+enterprise+`:manager","value":"`+boss+`"}`))
	team := w.createGroup("Team", ann)
	declared := map[string][]any{}
	for _, resource := range w.ok(200, "GET", "/Schemas", "").body["Resources"].([]any) {
		id, _ := dig(resource, "id").(string)
		declared[id], _ = dig(resource, "attributes").([]any)
	}
	for _, path := range []string{"/Users/" + ann, "/Groups/" + team, "/ServiceProviderConfig", "/ResourceTypes/User", "/Schemas/" + schema.UserURN, "/Schemas/" + schema.GroupURN} {
		got := w.ok(200, "GET", path, "").body
		schemas, _ := got["schemas"].([]any)
		core, _ := schemas[0].(string)
		for key, value := range got {
			if attributes, ok := declared[key]; ok {
				undeclared(t, path+" "+key, attributes, value)
				delete(got, key)
			}
		}
		for _, common := range []string{"schemas", "id", "meta", "externalId"} {
			delete(got, common)
		}
		undeclared(t, path, declared[core], got)
	}
}

// undeclared reports the keys of a value that no definition has, at any depth.
func undeclared(t *testing.T, path string, attributes []any, value any) {
	t.Helper()
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			undeclared(t, path, attributes, element)
		}
	case map[string]any:
		for key, below := range v {
			i := slices.IndexFunc(attributes, func(a any) bool { return dig(a, "name") == key })
			if i < 0 {
				t.Errorf("%s: %s is not declared", path, key)
				continue
			}
			subs, _ := dig(attributes[i], "subAttributes").([]any)
			if dig(attributes[i], "multiValued") != (below != nil && isList(below)) {
				t.Errorf("%s: %s is multi-valued, or is not: %v", path, key, below)
			}
			undeclared(t, path+"."+key, subs, below)
		}
	}
}

func isList(value any) bool {
	_, ok := value.([]any)
	return ok
}
