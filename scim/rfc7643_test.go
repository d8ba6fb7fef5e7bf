package scim_test

import (
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/scim/schema"
)

// R1, R2, R20: every answer names its schemas, each once, the resource's own first.
func TestRFC7643SchemasOfAnswers(t *testing.T) {
	w := onSQLite(t)
	ann := w.made(`"userName":"ann","` + schema.EnterpriseURN + `":{"department":"R"}`)
	bob := w.made(`"userName":"bob"`)
	team := w.createGroup("Team", ann)
	const core = "urn:ietf:params:scim:schemas:core:2.0:"
	for _, c := range []struct {
		method, path string
		want         []any
	}{
		{"GET", "/Users/" + ann, []any{schema.UserURN, schema.EnterpriseURN}},
		{"GET", "/Users/" + bob, []any{schema.UserURN}},
		{"GET", "/Users/" + ann + "?attributes=userName", []any{schema.UserURN}},
		{"GET", "/Users/" + ann + "?excludedAttributes=schemas", []any{schema.UserURN, schema.EnterpriseURN}},
		{"GET", "/Groups/" + team, []any{schema.GroupURN}},
		{"GET", "/Users", []any{listURN}},
		{"GET", "/Schemas", []any{listURN}},
		{"GET", "/ResourceTypes", []any{listURN}},
		{"GET", "/ServiceProviderConfig", []any{core + "ServiceProviderConfig"}},
		{"GET", "/Schemas/" + schema.UserURN, []any{core + "Schema"}},
		{"GET", "/ResourceTypes/User", []any{core + "ResourceType"}},
		{"GET", "/nowhere", []any{errorURN}},
	} {
		if got := w.send(c.method, c.path, "").body["schemas"]; !reflect.DeepEqual(got, any(c.want)) {
			t.Errorf("%s %s: %v", c.method, c.path, got)
		}
	}
	for _, path := range []string{
		`{"op":"add","path":"` + schema.EnterpriseURN + `:division","value":"D"}`,
		`{"op":"remove","path":"` + schema.EnterpriseURN + `:division"}`,
	} {
		want := []any{schema.UserURN}
		if strings.Contains(path, `"add"`) {
			want = append(want, schema.EnterpriseURN)
		}
		if got := w.ok(http.StatusOK, "PATCH", "/Users/"+bob, patch(path)).body["schemas"]; !reflect.DeepEqual(got, any(want)) {
			t.Errorf("%s: %v", path, got)
		}
	}
}

// RFC 7643 sections 8.2 and 8.3: the full User and the Enterprise User come back as they were sent,
// but for id, meta, groups and password (R6, R12, R14, R16-R18, R20, K17, K21, E22).
func TestRFC7643Examples(t *testing.T) {
	onEngines(t, func(w *world) {
		for _, name := range []string{"full-user", "enterprise-user", "minimal-user"} {
			sent, err := os.ReadFile("testdata/rfc7643/" + name + ".json")
			w.must(err)
			want, err := os.ReadFile("testdata/rfc7643/" + name + ".answer.json")
			w.must(err)
			got := w.ok(http.StatusCreated, "POST", "/Users", string(sent))
			w.same(name, w.without(got), string(want))
			id, _ := got.body["id"].(string)
			if id == "2819c223-7f76-453a-919d-413861904646" {
				w.Error("the client chose the id")
			}
			w.same(name+" by PUT", w.without(w.ok(http.StatusOK, "PUT", "/Users/"+id, strings.ReplaceAll(string(sent), "2819c223-7f76-453a-919d-413861904646", id))), string(want))
			w.same(name+" by GET", w.without(w.ok(http.StatusOK, "GET", "/Users/"+id, "")), string(want))
			w.ok(http.StatusNoContent, "DELETE", "/Users/"+id, "")
		}
	})
}

// R3, R4, R6, R8, R41, S10, S12, S13: what a schema does not allow is refused in POST, PUT and PATCH alike.
func TestRFC7643WrongValues(t *testing.T) {
	w := onSQLite(t)
	id := w.made(`"userName":"there"`)
	const enterprise = `"` + schema.EnterpriseURN + `":`
	for _, c := range []struct{ item, attributes, scimType, names string }{
		{"R3 two spellings of a sub-attribute", `"name":{"givenName":"a","GIVENNAME":"b"}`, "invalidSyntax", "GIVENNAME"},
		{"R3 two spellings in a list", `"emails":[{"value":"a@x.test","Value":"b@x.test"}]`, "invalidSyntax", "alue"},
		{"R3 two spellings in an extension", enterprise + `{"department":"a","Department":"b"}`, "invalidSyntax", "epartment"},
		{"R3 two spellings of an extension", enterprise + `{"department":"a"},"` + strings.ToUpper(schema.EnterpriseURN) + `":{"division":"b"}`, "invalidSyntax", ""},
		{"R6 a number as boolean", `"active":1`, "invalidValue", "active"},
		{"S13 another word as boolean", `"active":"TRUE"`, "invalidValue", "active"},
		{"R6 an empty object as boolean", `"active":{}`, "invalidValue", "active"},
		{"R6 a list as boolean", `"active":[true]`, "invalidValue", "active"},
		{"R6 a number as string", `"title":5`, "invalidValue", "title"},
		{"R6 a boolean as string", `"title":true`, "invalidValue", "title"},
		{"R6 an object as string", `"title":{"value":"x"}`, "invalidValue", "title"},
		{"R6 a list as string", `"title":["x"]`, "invalidValue", "title"},
		{"R6 a string as complex", `"name":"Ann Lee"`, "invalidValue", "name"},
		{"R6 a complex in a complex", `"name":{"givenName":{"value":"x"}}`, "invalidValue", "name.givenName"},
		{"R6 a list in a list", `"emails":[[{"value":"a@x.test"}]]`, "invalidValue", "emails"},
		{"R6 a string in a list of objects", `"phoneNumbers":["1"]`, "invalidValue", "phoneNumbers"},
		{"R6 primary is no boolean", `"emails":[{"value":"a@x.test","primary":"yes"}]`, "invalidValue", "emails.primary"},
		{"R6 no base64", `"x509Certificates":[{"value":"not base64!"}]`, "invalidValue", "x509Certificates.value"},
		{"R6 no URI", `"profileUrl":"http://[::1"`, "invalidValue", "profileUrl"},
		{"R8 two primaries", `"roles":[{"value":"a","primary":true},{"value":"b","primary":"True"}]`, "invalidValue", "roles"},
		{"R20 an extension is an object", enterprise + `"x"`, "invalidValue", "enterprise"},
		{"R20 an extension's types", enterprise + `{"department":5}`, "invalidValue", "department"},
		{"S15 the manager's types", enterprise + `{"manager":{"value":5}}`, "invalidValue", "manager"},
	} {
		before := w.ok(http.StatusOK, "GET", "/Users/"+id, "").text
		for _, got := range []reply{
			w.refused(400, c.scimType, "POST", "/Users", userWith(`"userName":"new",`+c.attributes)),
			w.refused(400, c.scimType, "PUT", "/Users/"+id, userWith(`"userName":"there",`+c.attributes)),
			w.refused(400, c.scimType, "PATCH", "/Users/"+id, patch(`{"op":"replace","value":{`+c.attributes+`}}`)),
		} {
			if !strings.Contains(strings.ToLower(got.text), strings.ToLower(c.names)) {
				t.Errorf("%s: %s does not name %s", c.item, got.text, c.names)
			}
		}
		if after := w.ok(http.StatusOK, "GET", "/Users/"+id, "").text; after != before {
			t.Errorf("%s: changed to %s", c.item, after)
		}
	}
}

// R11, R21, S11: null, [] and absence are one state, in which nothing is present.
func TestRFC7643Unassigned(t *testing.T) {
	onEngines(t, func(w *world) {
		full := `"userName":"ann","title":"T","name":{"givenName":"G"},"emails":[{"value":"ann@x.test"}],"` + schema.EnterpriseURN + `":{"department":"D"}`
		for i, clear := range []func(id string) reply{
			func(id string) reply { return w.ok(200, "PUT", "/Users/"+id, userWith(`"userName":"ann"`)) },
			func(id string) reply {
				return w.ok(200, "PUT", "/Users/"+id, userWith(`"userName":"ann","title":null,"name":null,"emails":[],"`+schema.EnterpriseURN+`":null`))
			},
			func(id string) reply {
				return w.ok(200, "PUT", "/Users/"+id, userWith(`"userName":"ann","title":null,"name":{"givenName":null},"emails":null,"`+schema.EnterpriseURN+`":{"department":null}`))
			},
			func(id string) reply {
				return w.ok(200, "PATCH", "/Users/"+id, patch(`{"op":"replace","value":{"title":null,"name":null,"emails":[],"`+schema.EnterpriseURN+`":null}}`))
			},
			func(id string) reply {
				return w.ok(200, "PATCH", "/Users/"+id, patch(`{"op":"replace","path":"title","value":null}`, `{"op":"replace","path":"name.givenName","value":null}`,
					`{"op":"replace","path":"emails","value":[]}`, `{"op":"replace","path":"`+schema.EnterpriseURN+`:department","value":null}`))
			},
		} {
			id := w.made(full)
			got := clear(id)
			if got.body["id"] != id || !reflect.DeepEqual(got.body["schemas"], any([]any{schema.UserURN})) {
				w.Errorf("%d: %s", i, got.text)
			}
			w.same("cleared", w.without(got), `{"userName":"ann","active":true}`)
			for _, filter := range []string{"title pr", "name pr", "emails pr", schema.EnterpriseURN + ":department pr", "title ne null"} {
				if found := userNames(w.ok(200, "GET", "/Users?filter="+filter, "")); len(found) != 0 {
					w.Errorf("%d: %s found %v", i, filter, found)
				}
			}
			w.ok(204, "DELETE", "/Users/"+id, "")
		}
	})
}

// R12, S6: ids are the server's own, over all resources, case-exact, never used again.
func TestRFC7643Ids(t *testing.T) {
	onEngines(t, func(w *world) {
		ann := w.create("ann@x.test")
		team := w.createGroup("Team")
		w.refused(404, "", "GET", "/Groups/"+ann, "")
		w.refused(404, "", "GET", "/Users/"+team, "")
		if upper := strings.ToUpper(ann); upper != ann {
			w.refused(404, "", "GET", "/Users/"+upper, "")
			if found := userNames(w.ok(200, "GET", `/Users?filter=id eq "`+upper+`"`, "")); len(found) != 0 {
				w.Errorf("found %v", found)
			}
		}
		if got := w.ok(200, "PUT", "/Users/"+ann, person("ann@x.test")); got.body["id"] != ann {
			w.Errorf("PUT changed the id: %s", got.text)
		}
		w.ok(204, "DELETE", "/Users/"+ann, "")
		if again := w.create("ann@x.test"); again == ann || strings.Contains(strings.ToLower(again), "bulkid") {
			w.Errorf("the id %s is used again", again)
		}
	})
}

// R13, R15, R41, S6, S9, K20: keys are compared as their attributes say.
func TestRFC7643Keys(t *testing.T) {
	onEngines(t, func(w *world) {
		w.made(`"userName":"Straße","externalId":"abc"`)
		w.made(`"userName":"renée","externalId":"É"`)
		ann := w.made(`"userName":"Ann"`)
		w.exchanges([]exchange{
			{"R15 case", "POST", "/Users", userWith(`"userName":"aNN"`), 409, "uniqueness"},
			{"R15 full case folding", "POST", "/Users", userWith(`"userName":"STRASSE"`), 409, "uniqueness"},
			{"R15 composition", "POST", "/Users", userWith(`"userName":"RENE\u0301E"`), 409, "uniqueness"},
			{"R15 width", "POST", "/Users", userWith(`"userName":"\uff21nn"`), 409, "uniqueness"},
			{"R13 twice", "POST", "/Users", userWith(`"userName":"b","externalId":"abc"`), 409, "uniqueness"},
			{"R13 case-exact", "POST", "/Users", userWith(`"userName":"b","externalId":"ABC"`), 201, ""},
			{"R13 another resource type", "POST", "/Groups", `{"schemas":["` + schema.GroupURN + `"],"displayName":"g","externalId":"abc"}`, 201, ""},
			{"R13 groups too", "POST", "/Groups", `{"schemas":["` + schema.GroupURN + `"],"displayName":"h","externalId":"abc"}`, 409, "uniqueness"},
			{"R13 opaque", "POST", "/Users", userWith(`"userName":"c","externalId":"E\u0301"`), 201, `{"userName":"c","externalId":"E\u0301","active":true}`},
			{"R15 one's own name in another case", "PATCH", "/Users/<ann>", patch(`{"op":"replace","path":"userName","value":"ANN"}`), 200, `{"userName":"ANN","active":true}`},
			{"K20 a name that was given up", "PATCH", "/Users/<ann>", patch(`{"op":"replace","path":"userName","value":"other"}`), 200, `{"userName":"other","active":true}`},
			{"K20 is free", "POST", "/Users", userWith(`"userName":"ann"`), 201, `{"userName":"ann","active":true}`},
			{"K20 and taken again", "PATCH", "/Users/<ann>", patch(`{"op":"replace","path":"userName","value":"Ann"}`), 409, "uniqueness"},
			{"S11 spaces count", "POST", "/Users", userWith(`"userName":"d","externalId":" abc "`), 201, `{"userName":"d","externalId":" abc ","active":true}`},
		}, "<ann>", ann)
		for filter, want := range map[string][]string{
			`userName eq "strasse"`: {"Straße"}, `userName eq "RENÉE"`: {"renée"}, `externalId eq "ABC"`: {"b"}, `userName sw "STRASS"`: {"Straße"},
		} {
			if found := userNames(w.ok(200, "POST", "/Users/.search", searchRequest(`,"filter":`+quote(w, filter)))); !reflect.DeepEqual(found, want) {
				w.Errorf("%s found %v", filter, found)
			}
		}
	})
}

// R14, R111, S8, B33: meta is the server's alone, and changes with the resource only.
func TestRFC7643Meta(t *testing.T) {
	onEngines(t, func(w *world) {
		w.clock.Advance(123 * time.Millisecond)
		for _, c := range []struct{ endpoint, kind, body, change string }{
			{"/Users", "User", userWith(`"userName":"a","meta":{"created":"2001-01-01T00:00:00Z","version":"W/\"9\"","location":"http://x/","resourceType":"Device"}`), `{"op":"replace","path":"nickName","value":"N"}`},
			{"/Groups", "Group", `{"schemas":["` + schema.GroupURN + `"],"displayName":"g","meta":{"created":"2001-01-01T00:00:00Z"}}`, `{"op":"replace","path":"displayName","value":"N"}`},
		} {
			got := w.ok(201, "POST", c.endpoint, c.body)
			id, _ := got.body["id"].(string)
			created, _ := dig(got.body, "meta", "created").(string)
			want := map[string]any{
				"resourceType": c.kind, "created": created, "lastModified": created, "version": got.header.Get("ETag"),
				"location": publicURL + "/scim/v2" + c.endpoint + "/" + id,
			}
			if !reflect.DeepEqual(got.body["meta"], any(want)) || !strings.Contains(created, ".123") {
				w.Errorf("%v, want %v", got.body["meta"], want)
			}
			if location := got.header.Get("Content-Location"); location != "" && location != want["location"] {
				w.Errorf("Content-Location %s", location)
			}
			w.ok(got.status-1, "PATCH", c.endpoint+"/"+id+"?attributes=meta", patch(c.change))
			changed := w.ok(200, "GET", c.endpoint+"/"+id, "")
			if dig(changed.body, "meta", "created") != created || dig(changed.body, "meta", "lastModified") == created ||
				dig(changed.body, "meta", "version") == got.header.Get("ETag") {
				w.Errorf("changed: %v", changed.body["meta"])
			}
			w.ok(200, "PATCH", c.endpoint+"/"+id+"?attributes=meta", patch(c.change))
			if same := w.ok(200, "GET", c.endpoint+"/"+id, ""); same.text != changed.text {
				w.Errorf("without a change: %s, before %s", same.text, changed.text)
			}
		}
	})
}

// R18, R19, S15, S16: groups and members say the same thing from both sides, and only Groups change it.
func TestRFC7643Membership(t *testing.T) {
	onEngines(t, func(w *world) {
		ann, bob := w.create("ann@x.test"), w.create("bob@x.test")
		team := w.createGroup("Team", ann)
		root := publicURL + "/scim/v2"
		groups := func(id string) any { return w.ok(200, "GET", "/Users/"+id, "").body["groups"] }
		want := any([]any{map[string]any{"value": team, "$ref": root + "/Groups/" + team, "display": "Team", "type": "direct"}})
		if got := groups(ann); !reflect.DeepEqual(got, want) {
			w.Errorf("groups %v", got)
		}
		members := any([]any{map[string]any{"value": ann, "$ref": root + "/Users/" + ann, "type": "User", "display": "Ann Lee"}})
		if got := w.ok(200, "GET", "/Groups/"+team, "").body["members"]; !reflect.DeepEqual(got, members) {
			w.Errorf("members %v", got)
		}
		claim := `"groups":[{"value":"` + team + `"}]`
		w.ok(200, "PUT", "/Users/"+bob, userWith(`"userName":"bob@x.test",`+claim))
		w.refused(400, "mutability", "PATCH", "/Users/"+bob, patch(`{"op":"add","path":"groups","value":[{"value":"`+team+`"}]}`))
		w.refused(400, "mutability", "PATCH", "/Users/"+ann, patch(`{"op":"remove","path":"groups[value eq \"`+team+`\"]"}`))
		w.refused(400, "mutability", "PATCH", "/Users/"+ann, patch(`{"op":"replace","path":"groups.display","value":"x"}`))
		if got := groups(bob); got != nil {
			w.Errorf("a User put itself into %v", got)
		}
		w.refused(400, "mutability", "PATCH", "/Groups/"+team, patch(`{"op":"replace","path":"members[value eq \"`+ann+`\"].value","value":"`+bob+`"}`))
		for _, unknown := range []string{"nobody", "01890a5d-0000-7000-8000-000000000000"} {
			if got := w.refused(400, "invalidValue", "POST", "/Groups", group("New", ann, unknown)); !strings.Contains(got.text, unknown) {
				w.Errorf("does not name %s: %s", unknown, got.text)
			}
		}
		for _, nobody := range []string{`{"value":""}`, `{"value":null}`, `{"value":"` + ann + `"},{}`, `""`, `{"display":"Ann"}`} { // S16: never silently dropped
			w.refused(400, "invalidValue", "POST", "/Groups", `{"schemas":["`+schema.GroupURN+`"],"displayName":"New","members":[`+nobody+`]}`)
			w.refused(400, "invalidValue", "PATCH", "/Groups/"+team, patch(`{"op":"add","path":"members","value":[`+nobody+`]}`))
		}
		w.ok(200, "PATCH", "/Groups/"+team+"?attributes=id", patch(`{"op":"replace","path":"displayName","value":"Renamed"}`))
		if got, _ := groups(ann).([]any); dig(got[0], "display") != "Renamed" {
			w.Errorf("display %v", got)
		}
		w.ok(204, "DELETE", "/Groups/"+team, "")
		if got := groups(ann); got != nil {
			w.Errorf("groups %v", got)
		}
	})
}

// R31, R34, S3, S81: the schemas declare the attributes of RFC 7643 sections 4.1 to 4.3, and no others.
func TestRFC7643DeclaredAttributes(t *testing.T) {
	w := onSQLite(t)
	const plural = "value display type primary"
	for urn, want := range map[string]map[string]string{
		schema.UserURN: {
			"userName": "", "displayName": "", "nickName": "", "profileUrl": "", "title": "", "userType": "", "preferredLanguage": "",
			"locale": "", "timezone": "", "active": "", "password": "", "name": "formatted familyName givenName middleName honorificPrefix honorificSuffix",
			"emails": plural, "phoneNumbers": plural, "ims": plural, "photos": plural, "entitlements": plural, "roles": plural, "x509Certificates": plural,
			"addresses": "formatted streetAddress locality region postalCode country type", "groups": "value $ref display type",
		},
		schema.GroupURN: {"displayName": "", "members": "value $ref type"},
		schema.EnterpriseURN: {
			"employeeNumber": "", "costCenter": "", "organization": "", "division": "", "department": "", "manager": "value $ref displayName",
		},
	} {
		attributes, _ := w.ok(200, "GET", "/Schemas/"+urn, "").body["attributes"].([]any)
		declared := map[string][]string{}
		for _, attribute := range attributes {
			subs := []string{}
			list, _ := dig(attribute, "subAttributes").([]any)
			for _, sub := range list {
				name, _ := dig(sub, "name").(string)
				subs = append(subs, name)
			}
			name, _ := dig(attribute, "name").(string)
			declared[name] = subs
		}
		for name, subs := range want {
			for sub := range strings.FieldsSeq(subs) {
				if !slices.Contains(declared[name], sub) {
					t.Errorf("%s:%s.%s is not declared", urn, name, sub)
				}
			}
			if _, ok := declared[name]; !ok {
				t.Errorf("%s:%s is not declared", urn, name)
			}
			delete(declared, name)
		}
		if len(declared) != 0 {
			t.Errorf("%s declares %v", urn, declared)
		}
	}
	if got := w.ok(200, "GET", "/Schemas", "").text; strings.Contains(got, `"id":"urn:ietf:params:scim:api:messages`) {
		t.Error("a message's URN is among the schemas")
	}
}

// R31, R34, S3, S81: canonical values, reference types and mutability are those of RFC 7643 section 8.7.1, and of what the server does.
func TestRFC7643DeclaredCharacteristics(t *testing.T) {
	w := onSQLite(t)
	strs := func(names ...any) []any { return names }
	for path, want := range map[string]map[string]any{
		schema.UserURN + " emails type":            {"canonicalValues": strs("work", "home", "other"), "mutability": "readWrite"},
		schema.UserURN + " phoneNumbers type":      {"canonicalValues": strs("work", "home", "mobile", "fax", "pager", "other")},
		schema.UserURN + " ims type":               {"canonicalValues": strs("aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo")},
		schema.UserURN + " photos type":            {"canonicalValues": strs("photo", "thumbnail")},
		schema.UserURN + " photos value":           {"type": "reference", "referenceTypes": strs("external")},
		schema.UserURN + " addresses type":         {"canonicalValues": strs("work", "home", "other")},
		schema.UserURN + " groups type":            {"canonicalValues": strs("direct", "indirect"), "mutability": "readOnly"},
		schema.UserURN + " groups $ref":            {"type": "reference", "referenceTypes": strs("User", "Group"), "mutability": "readOnly", "caseExact": true},
		schema.UserURN + " groups value":           {"mutability": "readOnly", "caseExact": true},
		schema.UserURN + " groups display":         {"mutability": "readOnly"},
		schema.UserURN + " profileUrl":             {"type": "reference", "referenceTypes": strs("external"), "caseExact": true},
		schema.UserURN + " x509Certificates value": {"type": "binary", "caseExact": true},
		schema.UserURN + " emails primary":         {"type": "boolean", "multiValued": false, "required": false},
		schema.UserURN + " password":               {"mutability": "writeOnly", "returned": "never"},
		schema.GroupURN + " members $ref":          {"type": "reference", "referenceTypes": strs("User", "Group"), "mutability": "immutable", "caseExact": true},
		schema.GroupURN + " members type":          {"canonicalValues": strs("User", "Group"), "mutability": "immutable"},
		schema.GroupURN + " members":               {"type": "complex", "multiValued": true, "mutability": "readWrite"},
		enterprise + " manager $ref":               {"type": "reference", "referenceTypes": strs("User"), "caseExact": true},
		enterprise + " manager displayName":        {"mutability": "readOnly"},
		enterprise + " employeeNumber":             {"type": "string", "multiValued": false, "required": false, "uniqueness": "none"},
	} {
		urn, names, _ := strings.Cut(path, " ")
		declared := any(map[string]any{"subAttributes": w.ok(200, "GET", "/Schemas/"+urn, "").body["attributes"]})
		for name := range strings.FieldsSeq(names) {
			list, _ := dig(declared, "subAttributes").([]any)
			declared = nil
			if i := slices.IndexFunc(list, func(a any) bool { return dig(a, "name") == name }); i >= 0 {
				declared = list[i]
			}
		}
		for characteristic, value := range want {
			if got := dig(declared, characteristic); !reflect.DeepEqual(got, value) {
				t.Errorf("%s: %s is %v, want %v", path, characteristic, got, value)
			}
		}
	}
}
