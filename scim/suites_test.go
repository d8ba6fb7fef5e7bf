package scim_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	"muster/scim/schema"
)

// Okta's published SPEC test, from its description: S1-S12 of the evidence's part 1.5.
func TestOktaSpec(t *testing.T) {
	w := onSQLite(t)
	seeded := w.create("seed@x.test")
	full := func(item string, user any, id string) {
		t.Helper()
		object, _ := user.(map[string]any)
		name, _ := object["name"].(map[string]any)
		emails, _ := object["emails"].([]any)
		if object["id"] != id || name["familyName"] != "Lee" || name["givenName"] != "Ann" || object["userName"] == "" ||
			object["active"] != true || len(emails) == 0 {
			t.Errorf("%s: %v", item, user)
		}
	}
	list := func(item, query string, total int) []any {
		t.Helper()
		got := w.ok(http.StatusOK, "GET", "/Users"+query, "").body
		resources, ok := got["Resources"].([]any)
		if !ok || got["totalResults"] != float64(total) || !reflect.DeepEqual(got["schemas"], any([]any{listURN})) || got["startIndex"] != 1.0 {
			t.Errorf("%s: %v", item, got)
		}
		return resources
	}
	full("S1", list("S1", "?count=1&startIndex=1", 1)[0], seeded)
	full("S2", w.ok(http.StatusOK, "GET", "/Users/"+seeded, "").body, seeded)
	list("S3", `?filter=userName eq "abcdefgh@atko.com"`, 0)
	w.refused(http.StatusNotFound, "", "GET", "/Users/010101001010101011001010101011", "") // S4
	list("S5", `?filter=userName eq "Random@x.test"`, 0)
	json := []string{"Content-Type", "application/json", "Accept", "application/scim+json; charset=utf-8", "User-Agent", "OKTA SCIM Integration"}
	created := w.ok(http.StatusCreated, "POST", "/Users", person("Random@x.test"), json...).body // S6
	id, _ := created["id"].(string)
	full("S6", created, id)
	full("S7", w.ok(http.StatusOK, "GET", "/Users/"+id, "").body, id)
	w.refused(http.StatusConflict, "uniqueness", "POST", "/Users", person("Random@x.test"), json...) // S8
	full("S9", list("S9", `?filter=userName eq "RANDOM@X.TEST"`, 1)[0], id)
	if groups := w.ok(http.StatusOK, "GET", "/Groups", "").body; !reflect.DeepEqual(groups["Resources"], any([]any{})) { // S10
		t.Errorf("S10: %v", groups)
	}
	w.refused(http.StatusUnauthorized, "", "GET", "/Users", "", "Authorization", "non-token") // S11
	w.refused(http.StatusNotFound, "", "GET", "/Users/00919288221112222", "")                 // S12
}

// step is one request of a validator's case and what its answer must hold.
type step struct {
	method, path, body string
	status             int
	holds              []string
}

// Entra's SCIM Validator, from the description of its cases: users.
func TestValidatorUsers(t *testing.T) {
	const e = schema.EnterpriseURN
	minimal := `{"schemas":["` + schema.UserURN + `","` + e + `"],"userName":"U1@x.test","active":true}`
	var verbose []string
	for _, path := range []string{
		"displayName", "title", "preferredLanguage", "userType", "nickName", "locale", "timezone", "profileUrl",
		"name.givenName", "name.familyName", "name.formatted", "name.middleName", "name.honorificPrefix", "name.honorificSuffix",
		`emails[type eq \"work\"].value`, `addresses[type eq \"work\"].formatted`, `addresses[type eq \"work\"].streetAddress`,
		`addresses[type eq \"work\"].locality`, `addresses[type eq \"work\"].region`, `addresses[type eq \"work\"].postalCode`,
		`addresses[type eq \"work\"].country`, `addresses[type eq \"other\"].formatted`, `phoneNumbers[type eq \"work\"].value`,
		`phoneNumbers[type eq \"mobile\"].value`, `phoneNumbers[type eq \"fax\"].value`, "externalId",
		`roles[primary eq \"True\"].display`, `roles[primary eq \"True\"].value`, `roles[primary eq \"True\"].type`,
		e + ":employeeNumber", e + ":department", e + ":costCenter", e + ":organization", e + ":division",
	} {
		name := path[strings.LastIndexAny(path, ".:")+1:]
		verbose = append(verbose, `{"op":"Add","path":"`+path+`","value":"v-`+name+`"}`)
	}
	for name, steps := range map[string][]step{
		"V1 create, then find": {{"GET", `/Users?filter=userName eq "U1@x.test"`, "", 200, []string{`"userName":"U1@x.test"`, `"totalResults":1`}}},
		"V2 duplicate":         {{"POST", "/Users", minimal, 409, []string{"uniqueness"}}},
		"V3 filter existing":   {{"GET", `/Users?filter=userName eq "U1@x.test"`, "", 200, []string{`"totalResults":1`}}},
		"V4 filter unknown":    {{"GET", `/Users?filter=userName eq "nobody"`, "", 200, []string{`"totalResults":0`, `"Resources":[]`}}},
		"V5 another case":      {{"GET", `/Users?filter=userName eq "u1@X.TEST"`, "", 200, []string{`"totalResults":1`}}},
		"V6 replace, by path and without": {{"PATCH", "/Users/<id>", patch(
			`{"op":"replace","path":"title","value":"T"}`, `{"op":"replace","value":{"displayName":"D","name.givenName":"G","`+e+`:department":"R"}}`,
		), 200, []string{`"title":"T"`, `"displayName":"D"`, `"givenName":"G"`, `"department":"R"`}}},
		"V7 add, verbose": {
			{"PATCH", "/Users/<id>", patch(verbose...), 200, []string{
				`"roles":[{"display":"v-display","primary":true,"type":"v-type","value":"v-value"}]`,
				`"emails":[{"type":"work","value":"v-value"}]`, `"country":"v-country"`,
			}},
			{"GET", "/Users/<id>", "", 200, []string{`"honorificSuffix":"v-honorificSuffix"`, `"division":"v-division"`}},
		},
		"V8 userName": {{"PATCH", "/Users/<id>", patch(`{"op":"Replace","path":"userName","value":"U2"}`), 200, []string{`"userName":"U2"`}}},
		"V9 disable": {
			{"PATCH", "/Users/<id>", patch(`{"op":"Replace","path":"active","value":"False"}`), 200, []string{`"active":false`}},
			{"GET", "/Users/<id>", "", 200, []string{`"active":false`}},
		},
		"V10-V12 manager": {
			{"PATCH", "/Users/<id>", patch(`{"op":"Add","path":"` + e + `:manager","value":"m1"}`), 200, []string{`"manager":{"value":"m1"}`}},
			{"PATCH", "/Users/<id>", patch(`{"op":"Replace","path":"` + e + `:manager","value":"m2"}`), 200, []string{`"manager":{"value":"m2"}`}},
			{"PATCH", "/Users/<id>", patch(`{"op":"Replace","path":"` + e + `:manager","value":""}`), 200, []string{`"schemas":["` + schema.UserURN + `"]`}},
			{"PATCH", "/Users/<id>", patch(`{"op":"Remove","path":"` + e + `:manager"}`), 200, []string{`"schemas":["` + schema.UserURN + `"]`}},
		},
		"V13, V28, V29 delete": {
			{"DELETE", "/Users/<id>", "", 204, nil},
			{"GET", "/Users/<id>", "", 404, []string{"404"}},
			{"DELETE", "/Users/<id>", "", 404, []string{"404"}},
			{"PATCH", "/Users/<id>", patch(`{"op":"Replace","path":"title","value":"x"}`), 404, []string{"404"}},
			{"DELETE", "/Users/nobody", "", 404, []string{"404"}},
		},
		"V26, V27 several operations": {{"PATCH", "/Users/<id>", patch(
			`{"op":"Replace","path":"title","value":"1"}`, `{"op":"Replace","path":"nickName","value":"N"}`, `{"op":"Replace","path":"title","value":"2"}`,
		), 200, []string{`"title":"2"`, `"nickName":"N"`}}},
	} {
		t.Run(name, func(t *testing.T) {
			w := onSQLite(t)
			id, _ := w.ok(http.StatusCreated, "POST", "/Users", minimal).body["id"].(string)
			w.walk(id, steps)
		})
	}
}

// Entra's SCIM Validator: groups.
func TestValidatorGroups(t *testing.T) {
	const create = `{"schemas":["` + schema.GroupURN + `"],"displayName":"G1","externalId":"e1"}`
	for name, steps := range map[string][]step{
		"V14 without members": {{"GET", "/Groups/<id>?excludedAttributes=members", "", 200, []string{`"displayName":"G1"`}}},
		"V15-V18 filter": {
			{"GET", `/Groups?excludedAttributes=members&filter=displayName eq "G1"`, "", 200, []string{`"totalResults":1`}},
			{"GET", `/Groups?filter=displayName eq "G1"`, "", 200, []string{`"totalResults":1`, `"members":[]`}},
			{"GET", `/Groups?filter=displayName eq "nothing"`, "", 200, []string{`"totalResults":0`, `"Resources":[]`}},
			{"GET", `/Groups?filter=displayName eq "g1"`, "", 200, []string{`"totalResults":1`}},
		},
		"V19, V20 create, twice": {{"POST", "/Groups", create, 409, []string{"uniqueness"}}},
		"V21, V22, V30 attributes": {
			{"PATCH", "/Groups/<id>", patch(`{"op":"Replace","path":"displayName","value":"G2"}`, `{"op":"Replace","path":"externalId","value":"e2"}`, `{"op":"Replace","path":"displayName","value":"G3"}`), 204, nil},
			{"GET", "/Groups/<id>", "", 200, []string{`"displayName":"G3"`, `"externalId":"e2"`}},
		},
		"V23, V24 members": {
			{"PATCH", "/Groups/<id>", patch(`{"op":"Add","path":"members","value":[{"$ref":null,"value":"<user>"}]}`), 204, nil},
			{"GET", "/Groups/<id>", "", 200, []string{`"value":"<user>"`}},
			{"PATCH", "/Groups/<id>", patch(`{"op":"Remove","path":"members","value":[{"$ref":null,"value":"<user>"}]}`), 204, nil},
			{"GET", "/Groups/<id>", "", 200, []string{`"members":[]`}},
		},
		"V25, V31, V32 delete": {
			{"DELETE", "/Groups/<id>", "", 204, nil},
			{"GET", "/Groups/<id>", "", 404, []string{"404"}},
			{"DELETE", "/Groups/<id>", "", 404, []string{"404"}},
			{"DELETE", "/Groups/nothing", "", 404, []string{"404"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := onSQLite(t)
			user := w.create("u@x.test")
			id, _ := w.ok(http.StatusCreated, "POST", "/Groups", create).body["id"].(string)
			for i := range steps {
				steps[i].body = strings.ReplaceAll(steps[i].body, "<user>", user)
				for j := range steps[i].holds {
					steps[i].holds[j] = strings.ReplaceAll(steps[i].holds[j], "<user>", user)
				}
			}
			w.walk(id, steps)
		})
	}
}

func (w *world) walk(id string, steps []step) {
	w.Helper()
	for _, s := range steps {
		got := w.ok(s.status, s.method, strings.ReplaceAll(s.path, "<id>", id), s.body)
		for _, part := range s.holds {
			if !strings.Contains(got.text, part) {
				w.Errorf("%s %s: %s is not in %s", s.method, s.path, part, got.text)
			}
		}
	}
}
