package scim_test

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"muster/scim/schema"
)

// S1-S12 of Okta's SPEC test, assertion by assertion, where TestOktaSpec asks less; O10, O17, O18, O32, S60-S62.
func TestOktaSpecAssertions(t *testing.T) {
	onEngines(t, func(w *world) {
		seeded := w.create("seed@x.test")
		list := w.ok(200, "GET", "/Users?count=1&startIndex=1", "", "Content-Type", "", "Accept", "application/scim+json; charset=utf-8").body
		for _, name := range []string{"itemsPerPage", "startIndex", "totalResults"} { // S1
			if list[name] != 1.0 {
				w.Errorf("S1: %s is %v", name, list[name])
			}
		}
		user := list["Resources"].([]any)[0]
		if email, _ := dig(user, "emails").([]any); len(email) != 1 || dig(email[0], "value") != "seed@x.test" || dig(user, "id") != seeded ||
			dig(user, "name", "familyName") != "Lee" || dig(user, "name", "givenName") != "Ann" || dig(user, "userName") != "seed@x.test" || dig(user, "active") != true {
			w.Errorf("S1: %v", user)
		}
		created := w.ok(201, "POST", "/Users", person("Runscope300@atko.com"), "Content-Type", "application/json", "Accept", "application/scim+json; charset=utf-8").body
		if schemas := created["schemas"]; !reflect.DeepEqual(schemas, any([]any{schema.UserURN})) || created["active"] != true || created["userName"] != "Runscope300@atko.com" { // S6
			w.Errorf("S6: %v", created)
		}
		found := w.ok(200, "GET", "/Users?filter=userName%20eq%20%22RUNSCOPE300%40ATKO.COM%22&startIndex=1&count=100", "").body["Resources"].([]any) // S9
		if len(found) != 1 || !reflect.DeepEqual(found[0], any(created)) {
			w.Errorf("S9: %v", found)
		}
		w.createGroup("Team", seeded)
		if groups, ok := w.ok(200, "GET", "/Groups", "").body["Resources"].([]any); !ok || len(groups) != 1 { // S10
			w.Errorf("S10: %v", groups)
		}
		if got := w.ok(200, "GET", "/Groups?count=1&startIndex=1", "").body["itemsPerPage"]; got != 1.0 { // O32
			w.Errorf("O32: %v", got)
		}
		for path, status := range map[string]int{"/Users/010101001010101011001010101011": 404, "/Users/00919288221112222": 404} { // S4, S12
			got := w.refused(status, "", "GET", path, "")
			if got.body["status"] != "404" {
				w.Errorf("%s: %s", path, got.text)
			}
		}
	})
}

// The CRUD test's six reads: what Okta's actions leave behind (O14-O16, S63, S64).
func TestOktaCRUD(t *testing.T) {
	onEngines(t, func(w *world) {
		id := w.create("crud@x.test")
		read := func() any {
			return w.ok(200, "GET", `/Users?filter=userName eq "crud@x.test"&startIndex=1&count=100`, "").body["Resources"].([]any)[0]
		}
		whole := func(change func(map[string]any)) {
			w.Helper()
			resource, _ := read().(map[string]any)
			change(resource)
			w.ok(200, "PUT", "/Users/"+id, quote(w, resource))
		}
		whole(func(r map[string]any) { r["name"] = map[string]any{"givenName": "New", "familyName": "Lee"} })
		if got := dig(read(), "name", "givenName"); got != "New" {
			w.Errorf("profile push: %v", got)
		}
		for _, active := range []bool{false, true, false} {
			whole(func(r map[string]any) { r["active"] = active })
			if got := dig(read(), "active"); got != active {
				w.Errorf("active %v, want %v", got, active)
			}
		}
		w.ok(200, "PATCH", "/Users/"+id, patch(`{"op":"replace","value":{"active":true}}`))
		if got := dig(read(), "active"); got != true {
			w.Errorf("reactivated: %v", got)
		}
	})
}

// V1, S72, S77: all that was sent is in the answer, in the read and in what the filter finds.
func TestValidatorCreate(t *testing.T) {
	onEngines(t, func(w *world) {
		const values = `"externalId":"22fbc523-6032-4c5f-939d-5d4850cf3e52","userName":"Anna.B@x.test","active":true,"displayName":"Anna B","title":"T",
			"preferredLanguage":"de","nickName":"N","userType":"U","locale":"L","timezone":"Z","profileUrl":"P",
			"emails":[{"type":"work","value":"anna@x.test","primary":true},{"type":"home","value":"h@x.test"}],
			"addresses":[{"type":"work","formatted":"F","streetAddress":"S","locality":"L","region":"R","postalCode":"P","country":"Germany","primary":false}],
			"phoneNumbers":[{"type":"work","value":"1","primary":true},{"type":"mobile","value":"2"},{"type":"fax","value":"3"}],
			"name":{"formatted":"F","familyName":"B","givenName":"A","middleName":"M","honorificPrefix":"P","honorificSuffix":"S"},
			"` + enterprise + `":{"employeeNumber":"1","department":"D","costCenter":"C","organization":"O","division":"V"}`
		sent := userWith(values + `,"meta":{"resourceType":"User"},"roles":[{"value":"r","display":"R","type":"t","primary":"True"}]`)
		want := `{` + values + `,"roles":[{"value":"r","display":"R","type":"t","primary":true}]}`
		got := w.ok(201, "POST", "/Users", sent)
		w.same("POST", w.without(got), want)
		id, _ := got.body["id"].(string)
		for _, filter := range []string{
			`userName eq "ANNA.b@X.test"`, `externalId eq "22fbc523-6032-4c5f-939d-5d4850cf3e52"`, `emails[type eq "work"].value eq "anna@x.test"`, `id eq "` + id + `"`,
			`userName eq "Anna.B@x.test" and externalId eq "22fbc523-6032-4c5f-939d-5d4850cf3e52"`,
		} {
			list := w.ok(200, "GET", "/Users?filter="+url.QueryEscape(filter), "").body["Resources"].([]any)
			if len(list) != 1 || !reflect.DeepEqual(list[0], any(got.body)) {
				w.Errorf("%s: %v", filter, list)
			}
		}
		w.same("GET", w.ok(200, "GET", "/Users/"+id, "").text, got.text)
	})
}

// V6, V7, V26, V27, E13-E20: the validator's PATCHes, with the whole User that they leave.
func TestValidatorPatches(t *testing.T) {
	set := func(op, path, value string) string {
		return `{"op":"` + op + `","path":"` + strings.ReplaceAll(path, `"`, `\"`) + `","value":"` + value + `"}`
	}
	verbose := []string{
		set("Add", "displayName", "a"), set("Add", "title", "b"), set("Add", `emails[type eq "work"].value`, "c@x.test"), set("Add", `emails[type eq "home"].value`, "d@x.test"),
		set("Add", `emails[type eq "other"].value`, "e@x.test"), set("Add", "preferredLanguage", "f"), set("Add", "name.givenName", "g"), set("Add", "name.familyName", "h"),
		set("Add", "name.formatted", "i"), set("Add", "name.middleName", "j"), set("Add", "name.honorificPrefix", "k"), set("Add", "name.honorificSuffix", "l"),
		set("Add", `addresses[type eq "work"].formatted`, "m"), set("Add", `addresses[type eq "work"].streetAddress`, "n"), set("Add", `addresses[type eq "work"].locality`, "o"),
		set("Add", `addresses[type eq "work"].region`, "p"), set("Add", `addresses[type eq "work"].postalCode`, "q"), set("Add", `addresses[type eq "work"].country`, "r"),
		set("Add", `addresses[type eq "other"].Formatted`, "s"), set("Add", `phoneNumbers[type eq "work"].value`, "t"), set("Add", `phoneNumbers[type eq "mobile"].value`, "u"),
		set("Add", `phoneNumbers[type eq "fax"].value`, "v"), set("Add", "externalId", "w"), set("Add", enterprise+":employeeNumber", "x"), set("Add", enterprise+":department", "y"),
		set("Add", enterprise+":costCenter", "z"), set("Add", enterprise+":organization", "A"), set("Add", enterprise+":division", "B"), set("Add", "nickName", "C"),
		set("Add", "userType", "D"), set("Add", "locale", "E"), set("Add", "timezone", "F"), set("Add", "profileUrl", "G"),
		set("Add", `roles[primary eq "True"].display`, "H"), set("Add", `roles[primary eq "True"].value`, "I"), set("Add", `roles[primary eq "True"].type`, "J"),
	}
	if len(verbose) != 36 {
		t.Fatalf("%d operations", len(verbose))
	}
	onEngines(t, func(w *world) {
		w.patches([]patched{
			{"V7", "", strings.Join(verbose, ","), `"displayName":"a","title":"b","emails":[{"type":"work","value":"c@x.test"},{"type":"home","value":"d@x.test"},{"type":"other","value":"e@x.test"}],
				"preferredLanguage":"f","name":{"givenName":"g","familyName":"h","formatted":"i","middleName":"j","honorificPrefix":"k","honorificSuffix":"l"},
				"addresses":[{"type":"work","formatted":"m","streetAddress":"n","locality":"o","region":"p","postalCode":"q","country":"r"},{"type":"other","formatted":"s"}],
				"phoneNumbers":[{"type":"work","value":"t"},{"type":"mobile","value":"u"},{"type":"fax","value":"v"}],"externalId":"w",
				"` + enterprise + `":{"employeeNumber":"x","department":"y","costCenter":"z","organization":"A","division":"B"},
				"nickName":"C","userType":"D","locale":"E","timezone":"F","profileUrl":"G","roles":[{"primary":true,"display":"H","value":"I","type":"J"}]`},
			{
				"V6 by path and without one", `"displayName":"o","emails":[{"type":"work","value":"o@x.test","primary":true}],"roles":[{"value":"o","primary":true}]`,
				set("replace", `emails[type eq "work"].value`, "t@x.test") + "," + set("replace", `emails[primary eq true].display`, "E") + "," + set("replace", `roles[primary eq "True"].value`, "r") +
					`,{"op":"replace","value":{"displayName":"D","name.givenName":"G","name.familyName":"F","externalId":"E","` + enterprise + `:employeeNumber":"847"}}`,
				`"displayName":"D","emails":[{"type":"work","value":"t@x.test","primary":true,"display":"E"}],"roles":[{"value":"r","primary":true}],"name":{"givenName":"G","familyName":"F"},"externalId":"E","` + enterprise + `":{"employeeNumber":"847"}`,
			},
			{"V27 the same attribute twice", `"displayName":"o"`, set("Replace", "displayName", "a") + "," + `{"op":"Remove","path":"displayName"}` + "," + set("Add", "displayName", "b"), `"displayName":"b"`},
			{"E15 disabled, without a path", `"title":"T"`, `{"op":"Replace","value":{"active":"False"}},{"op":"Replace","path":"active","value":"True"}`, `"title":"T"`},
			{"E19 in the pathless form", "", `{"op":"Add","path":"manager","value":[{"$ref":null,"value":"m"}]}`, `"` + enterprise + `":{"manager":{"value":"m"}}`},
			{"E19 as an object", "", `{"op":"Replace","path":"` + enterprise + `:manager","value":{"value":"m"}}`, `"` + enterprise + `":{"manager":{"value":"m"}}`},
			{"E20 emptied", `"phoneNumbers":[{"type":"work","value":"1"},{"type":"fax","value":"2"}]`, set("Replace", `phoneNumbers[type eq "work"].value`, ""), `"phoneNumbers":[{"type":"fax","value":"2"}]`},
		})
	})
}

// V14-V25, V30, E30-E38: a group through its whole life, as the validator walks it, in any order of requests.
func TestValidatorGroupLife(t *testing.T) {
	onEngines(t, func(w *world) {
		ann, bob := w.create("ann@x.test"), w.create("bob@x.test")
		body := `{"schemas":["` + schema.GroupURN + `","` + adGroup + `"],"externalId":"8aa1a0c0-0000","displayName":"G1","meta":{"resourceType":"Group"},"members":[{"$ref":null,"value":"` + ann + `"}]}`
		created := w.ok(201, "POST", "/Groups", body) // V19
		id, _ := created.body["id"].(string)
		if !reflect.DeepEqual(created.body["schemas"], any([]any{schema.GroupURN})) || !reflect.DeepEqual(idsOf(created.body["members"]), []string{ann}) {
			w.Errorf("V19: %s", created.text)
		}
		w.refused(409, "uniqueness", "POST", "/Groups", body) // V20
		for _, filter := range []string{`displayName eq "G1"`, `displayName eq "g1"`, `externalId eq "8aa1a0c0-0000"`, `id eq "` + id + `"`} {
			for query, withMembers := range map[string]bool{"excludedAttributes=members&": false, "": true} { // V15-V18, E32
				list := w.ok(200, "GET", "/Groups?"+query+"filter="+filter, "").body["Resources"].([]any)
				if len(list) != 1 || (dig(list[0], "members") != nil) != withMembers || dig(list[0], "displayName") != "G1" {
					w.Errorf("%s%s: %v", query, filter, list)
				}
			}
		}
		if got := w.ok(200, "GET", `/Groups?attributes=id&filter=id eq "`+id+`" and members eq "`+ann+`"`, "").body["totalResults"]; got != 1.0 { // E33
			w.Errorf("E33: %v", got)
		}
		for _, operations := range []string{
			`{"op":"Add","path":"members","value":[{"$ref":null,"value":"` + bob + `"}]}`,                                                // V23
			`{"op":"Remove","path":"members","value":[{"$ref":null,"value":"` + ann + `"}]}`,                                             // V24
			`{"op":"Replace","path":"displayName","value":"G2"},{"op":"Replace","path":"externalId","value":"e2"}`,                       // V21, V22
			`{"op":"Replace","path":"displayName","value":"G3"},{"op":"Replace","path":"displayName","value":"G4"}`,                      // V30
			`{"op":"remove","path":"members[value eq \"` + bob + `\"]"},{"op":"add","path":"members","value":[{"value":"` + ann + `"}]}`, // E36
		} {
			w.ok(204, "PATCH", "/Groups/"+id, patch(operations))
		}
		got := w.ok(200, "GET", "/Groups/"+id, "")
		if got.body["displayName"] != "G4" || got.body["externalId"] != "e2" || !reflect.DeepEqual(idsOf(got.body["members"]), []string{ann}) {
			w.Errorf("%s", got.text)
		}
		w.ok(204, "DELETE", "/Groups/"+id, "")
		w.refused(http.StatusNotFound, "", "DELETE", "/Groups/"+id, "")
	})
}
