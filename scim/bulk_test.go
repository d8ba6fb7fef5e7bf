package scim_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"muster/scim/schema"
)

const (
	bulkURN         = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
	bulkResponseURN = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
)

// bulkRequest is a BulkRequest of operations; fields come before them, as `"failOnErrors":1,`.
func bulkRequest(fields string, operations ...string) string {
	return `{"schemas":["` + bulkURN + `"],` + fields + `"Operations":[` + strings.Join(operations, ",") + `]}`
}

// bulkOp is one operation; a bulkId, a version and data may be empty.
func bulkOp(method, path, bulkID, data string) string {
	text := `{"method":"` + method + `","path":"` + path + `"`
	if bulkID != "" {
		text += `,"bulkId":"` + bulkID + `"`
	}
	if data != "" {
		text += `,"data":` + data
	}
	return text + "}"
}

// outcome is one operation of a BulkResponse.
type outcome struct {
	Method, BulkID, Version, Location, Status string

	Response json.RawMessage
}

// bulk sends a BulkRequest.
func (w *world) bulk(body string) []outcome {
	w.Helper()
	return w.outcomes(w.ok(http.StatusOK, "POST", "/Bulk", body))
}

// outcomes reads a BulkResponse and checks its form (R120).
func (w *world) outcomes(got reply) []outcome {
	w.Helper()
	var read struct {
		Schemas    []string
		Operations []outcome
	}
	w.must(json.Unmarshal([]byte(got.text), &read))
	if !reflect.DeepEqual(read.Schemas, []string{bulkResponseURN}) || got.body["Operations"] == nil || len(got.body) != 2 {
		w.Errorf("BulkResponse: %.500s", got.text)
	}
	return read.Operations
}

// statuses are the outcomes' statuses, in order.
func statuses(outcomes []outcome) string {
	var list []string
	for _, o := range outcomes {
		list = append(list, o.Status)
	}
	return strings.Join(list, " ")
}

// idAt is the id at the end of an outcome's location.
func idAt(o outcome) string { return o.Location[strings.LastIndexByte(o.Location, '/')+1:] }

// scimTypeOf reads an outcome's error, which must be a whole one (R131).
func (w *world) scimTypeOf(o outcome) string {
	w.Helper()
	var failure struct {
		Schemas                  []string
		Status, ScimType, Detail string
	}
	w.must(json.Unmarshal(o.Response, &failure))
	if !reflect.DeepEqual(failure.Schemas, []string{errorURN}) || failure.Status != o.Status || len(failure.Detail) < 10 {
		w.Errorf("the error of %+v: %s", o, o.Response)
	}
	return failure.ScimType
}

// R120, R125, S48, S49: RFC 7644 section 3.7.3, one operation of each method, answered in order.
func TestBulkMethods(t *testing.T) {
	onEngines(t, func(w *world) {
		put, change, gone := w.made(`"userName":"put"`), w.made(`"userName":"change"`), w.made(`"userName":"gone"`)
		got := w.bulk(bulkRequest(`"failOnErrors":1,`,
			bulkOp("POST", "/Users", "qwerty", userWith(`"userName":"Alice"`)),
			bulkOp("PUT", "/Users/"+put, "", userWith(`"userName":"put","title":"T"`)),
			bulkOp("PATCH", "/Users/"+change, "", patch(`{"op":"add","path":"nickName","value":"Babs"}`)),
			bulkOp("DELETE", "/Users/"+gone, "", ""),
			bulkOp("POST", "/Groups", "team", group("Team", put)),
			bulkOp("PATCH", "/Groups/"+"bulkId:team", "", patch(`{"op":"add","path":"externalId","value":"e"}`)),
		))
		users, groups := publicURL+"/scim/v2/Users/", publicURL+"/scim/v2/Groups/"
		if len(got) != 6 {
			w.Fatalf("%+v", got)
		}
		alice, team := idAt(got[0]), idAt(got[4])
		want := []outcome{
			{Method: "POST", BulkID: "qwerty", Version: `W/"1"`, Location: users + alice, Status: "201"},
			{Method: "PUT", Version: `W/"2"`, Location: users + put, Status: "200"},
			{Method: "PATCH", Version: `W/"2"`, Location: users + change, Status: "200"},
			{Method: "DELETE", Location: users + gone, Status: "204"},
			{Method: "POST", BulkID: "team", Version: got[4].Version, Location: groups + team, Status: "201"},
			{Method: "PATCH", Version: got[5].Version, Location: groups + team, Status: got[5].Status},
		}
		for i := range got {
			got[i].Response = nil // optional on success
		}
		if !reflect.DeepEqual(got, want) || !slices.Contains([]string{"200", "204"}, got[5].Status) {
			w.Errorf("got %+v\nwant %+v", got, want)
		}
		for path, want := range map[string]string{"/Users/" + alice: "Alice", "/Users/" + put: "put", "/Users/" + change: "change"} {
			if name := w.ok(http.StatusOK, "GET", path, "").body["userName"]; name != want {
				w.Errorf("%s: %v", path, name)
			}
		}
		read := w.ok(http.StatusOK, "GET", "/Groups/"+team, "")
		if read.header.Get("ETag") != got[5].Version || read.body["externalId"] != "e" {
			w.Errorf("%v %s", read.header, read.text)
		}
		w.refused(http.StatusNotFound, "", "GET", "/Users/"+gone, "")
	})
}

// R122, S48: bulkId references: backward, forward, circular, within paths and within values of any kind.
func TestBulkReferences(t *testing.T) {
	onEngines(t, func(w *world) {
		member := func(id string) string { return `{"type":"User","value":"bulkId:` + id + `"}` }
		team := func(name, members string) string {
			return `{"schemas":["` + schema.GroupURN + `"],"displayName":"` + name + `","members":[` + members + `]}`
		}
		managed := func(name, manager string) string {
			return userWith(`"userName":"` + name + `","` + enterprise + `":{"manager":{"value":"bulkId:` + manager + `"}}`)
		}
		for _, c := range []struct {
			item       string
			operations []string
			statuses   string
			// members are who is in the group named Team afterwards.
			members []string
		}{
			{"backward", []string{bulkOp("POST", "/Users", "u", userWith(`"userName":"u"`)), bulkOp("POST", "/Groups", "g", team("Team", member("u")))}, "201 201", []string{"u"}},
			{"forward", []string{bulkOp("POST", "/Groups", "g", team("Team", member("u"))), bulkOp("POST", "/Users", "u", userWith(`"userName":"u"`))}, "201 201", []string{"u"}},
			{"both", []string{
				bulkOp("POST", "/Users", "a", userWith(`"userName":"a"`)), bulkOp("POST", "/Groups", "g", team("Team", member("a")+","+member("b"))), bulkOp("POST", "/Users", "b", userWith(`"userName":"b"`)),
			}, "201 201 201", []string{"a", "b"}},
			{"in a PATCH's value", []string{
				bulkOp("POST", "/Groups", "g", team("Team", "")), bulkOp("PATCH", "/Groups/bulkId:g", "", patch(`{"op":"add","path":"members","value":[`+member("u")+`]}`)), bulkOp("POST", "/Users", "u", userWith(`"userName":"u"`)),
			}, "201 20x 201", []string{"u"}},
			{"in a PATCH's path", []string{
				bulkOp("POST", "/Users", "u", userWith(`"userName":"u"`)), bulkOp("POST", "/Users", "v", userWith(`"userName":"v"`)), bulkOp("POST", "/Groups", "g", team("Team", member("u")+","+member("v"))),
				bulkOp("PATCH", "/Groups/bulkId:g", "", patch(`{"op":"remove","path":"members[value eq \"bulkId:u\"]"}`)),
			}, "201 201 201 20x", []string{"v"}},
			{"in a PUT", []string{
				bulkOp("POST", "/Groups", "g", team("Team", "")), bulkOp("POST", "/Users", "u", userWith(`"userName":"u"`)), bulkOp("PUT", "/Groups/bulkId:g", "", team("Team", member("u"))),
			}, "201 201 200", []string{"u"}},
			{"in a path before it is made", []string{
				bulkOp("PATCH", "/Groups/bulkId:g", "", patch(`{"op":"add","path":"members","value":[`+member("u")+`]}`)), bulkOp("POST", "/Groups", "g", team("Team", "")), bulkOp("POST", "/Users", "u", userWith(`"userName":"u"`)),
			}, "20x 201 201", []string{"u"}},
			{"a DELETE of what was made", []string{
				bulkOp("POST", "/Users", "u", userWith(`"userName":"u"`)), bulkOp("POST", "/Groups", "g", team("Team", member("u"))), bulkOp("DELETE", "/Users/bulkId:u", "", ""),
			}, "201 201 204", []string{}},
			{"a manager, forward", []string{
				bulkOp("POST", "/Users", "u", managed("u", "m")), bulkOp("POST", "/Users", "m", userWith(`"userName":"m"`)), bulkOp("POST", "/Groups", "g", team("Team", member("u")+","+member("m"))),
			}, "201 201 201", []string{"m", "u"}},
			{"each other's manager", []string{
				bulkOp("POST", "/Users", "u", managed("u", "v")), bulkOp("POST", "/Users", "v", managed("v", "u")), bulkOp("POST", "/Groups", "g", team("Team", member("u")+","+member("v"))),
			}, "201 201 201", []string{"u", "v"}},
			{"one's own manager", []string{
				bulkOp("POST", "/Users", "u", managed("u", "u")), bulkOp("POST", "/Groups", "g", team("Team", member("u"))),
			}, "201 201", []string{"u"}},
		} {
			got := w.bulk(bulkRequest("", c.operations...))
			if said := statuses(got); !matches(c.statuses, said) {
				w.Errorf("%s: %s, want %s: %s", c.item, said, c.statuses, got[0].Response)
			}
			list, _ := w.ok(http.StatusOK, "GET", `/Groups?filter=displayName eq "Team"`, "").body["Resources"].([]any)
			names := []string{}
			for _, resource := range list {
				for _, id := range idsOf(dig(resource, "members")) {
					name, _ := w.ok(http.StatusOK, "GET", "/Users/"+id, "").body["userName"].(string)
					names = append(names, name)
				}
			}
			slices.Sort(names)
			if !reflect.DeepEqual(names, c.members) || len(list) != 1 {
				w.Errorf("%s: members %v, want %v", c.item, names, c.members)
			}
			if text := w.ok(http.StatusOK, "GET", "/Users", "").text; strings.Contains(strings.ToLower(text), "bulkid") {
				w.Errorf("%s: a reference was kept: %s", c.item, text)
			}
			w.empty()
		}
	})
}

// matches compares statuses; x stands for any digit.
func matches(pattern, text string) bool {
	if len(pattern) != len(text) {
		return false
	}
	for i := range len(pattern) {
		if pattern[i] != 'x' && pattern[i] != text[i] {
			return false
		}
	}
	return true
}

// R122, S48: circular references between a User and a Group, and between two Groups, end; what cannot be resolved fails alone.
func TestBulkCircularAndUnresolved(t *testing.T) {
	onEngines(t, func(w *world) {
		team := func(name, member string) string {
			return `{"schemas":["` + schema.GroupURN + `"],"displayName":"` + name + `","members":[{"value":"bulkId:` + member + `"}]}`
		}
		// A User cannot hold a group, so a circle of both is a User whose read-only groups name it: those are ignored.
		got := w.bulk(bulkRequest("",
			bulkOp("POST", "/Users", "u", userWith(`"userName":"u","groups":[{"value":"bulkId:g"}]`)), bulkOp("POST", "/Groups", "g", team("G", "u")),
		))
		if statuses(got) != "201 201" || !reflect.DeepEqual(w.members(idAt(got[1])), []string{idAt(got[0])}) {
			w.Errorf("a User and a Group: %+v", got)
		}
		got = w.bulk(bulkRequest("", bulkOp("POST", "/Groups", "a", team("A", "b")), bulkOp("POST", "/Groups", "b", team("B", "a"))))
		if a, b := idAt(got[0]), idAt(got[1]); statuses(got) != "201 201" || !reflect.DeepEqual(w.members(a), []string{b}) || !reflect.DeepEqual(w.members(b), []string{a}) {
			w.Errorf("two Groups: %+v", got)
		}
		got = w.bulk(bulkRequest("", bulkOp("POST", "/Groups", "c", team("C", "d")), bulkOp("POST", "/Groups", "d", team("D", "e")), bulkOp("POST", "/Groups", "e", team("E", "c"))))
		for i, o := range got {
			read := w.ok(200, "GET", "/Groups/"+idAt(o), "")
			if o.Status != "201" || !reflect.DeepEqual(idsOf(read.body["members"]), []string{idAt(got[(i+1)%3])}) || o.Version != read.header.Get("ETag") {
				w.Errorf("three Groups: %+v %s", o, read.text)
			}
		}
		got = w.bulk(bulkRequest("", bulkOp("POST", "/Groups", "f", team("F", "g")), bulkOp("POST", "/Groups", "g", team("A", "f")), bulkOp("POST", "/Groups", "h", team("H", "h"))))
		if !matches("4xx 409 4xx", statuses(got)) { // A is there already, and nobody is a member of itself
			w.Errorf("a circle with a conflict: %+v", got)
		}
		for _, name := range []string{"F", "H"} {
			if total := w.ok(200, "GET", `/Groups?filter=displayName eq "`+name+`"`, "").body["totalResults"]; total != 0.0 {
				w.Errorf("%s was refused, and is there", name)
			}
		}
		for _, c := range []struct{ item, operation string }{
			{"of nobody", bulkOp("POST", "/Groups", "g", team("New", "nobody"))},
			{"of what failed", bulkOp("POST", "/Groups", "g", team("New", "bad"))},
			{"in the path", bulkOp("PATCH", "/Users/bulkId:nobody", "", patch(`{"op":"add","path":"title","value":"T"}`))},
			{"without a name", bulkOp("POST", "/Groups", "g", team("New", ""))},
		} {
			got := w.bulk(bulkRequest("", bulkOp("POST", "/Users", "bad", userWith(`"title":"no userName"`)), c.operation, bulkOp("POST", "/Users", "good", userWith(`"userName":"good"`))))
			if !matches("400 4xx 201", statuses(got)) {
				w.Errorf("%s: %s", c.item, statuses(got))
				continue
			}
			if scimType := w.scimTypeOf(got[1]); got[1].Status != "409" && (got[1].Status != "400" || scimType != "invalidValue") && (got[1].Status != "404" || c.item != "in the path") {
				w.Errorf("%s: %+v", c.item, got[1])
			}
			if total := w.ok(200, "GET", `/Groups?filter=displayName eq "New"`, "").body["totalResults"]; total != 0.0 {
				w.Errorf("%s: the group was made in part", c.item)
			}
			w.ok(204, "DELETE", "/Users/"+idAt(got[2]), "")
		}
	})
}

// R123, R125, S49: failOnErrors; each operation is whole or nothing, and the others are not its concern.
func TestBulkFailures(t *testing.T) {
	onEngines(t, func(w *world) {
		for _, c := range []struct{ fields, want string }{
			{``, "201 400 409 400 201"},
			{`"failOnErrors":1,`, "201 400"},
			{`"failOnErrors":2,`, "201 400 409"},
			{`"failOnErrors":3,`, "201 400 409 400"},
			{`"failOnErrors":4,`, "201 400 409 400 201"},
			{`"failonerrors":1,`, "201 400"},
			{`"failOnErrors":null,`, "201 400 409 400 201"},
		} {
			got := w.bulk(bulkRequest(c.fields,
				bulkOp("POST", "/Users", "1", userWith(`"userName":"one"`)),
				bulkOp("POST", "/Users", "2", userWith(`"title":"x"`)),
				bulkOp("POST", "/Users", "3", userWith(`"userName":"ONE"`)),
				bulkOp("PATCH", "/Users/bulkId:1", "", patch(`{"op":"add","path":"title","value":"T"}`, `{"op":"add","path":"nope","value":"x"}`)),
				bulkOp("POST", "/Users", "5", userWith(`"userName":"five"`)),
			))
			if statuses(got) != c.want {
				w.Errorf("%s: %s, want %s", c.fields, statuses(got), c.want)
			}
			for i, scimType := range []string{"", "invalidValue", "uniqueness", "invalidPath"} {
				if i >= len(got) || scimType == "" {
					continue
				}
				if said := w.scimTypeOf(got[i]); said != scimType || i < 3 && (got[i].Location != "" || got[i].BulkID != strconv.Itoa(i+1)) || i == 3 && got[i].Location == "" {
					w.Errorf("%d: %s: %+v", i, said, got[i])
				}
			}
			one, _ := w.ok(200, "GET", `/Users?filter=userName eq "one"`, "").body["Resources"].([]any)
			if len(one) != 1 || dig(one[0], "title") != nil {
				w.Errorf("%s: a part of an operation happened: %v", c.fields, one)
			}
			w.empty()
		}
	})
}

// R122, K21: a text that only speaks of a bulkId is no reference, and comes back as it was sent.
func TestBulkTextIsNoReference(t *testing.T) {
	w := onSQLite(t)
	for _, text := range []string{`he wrote "bulkId:x" there`, `a bulkId:x inside`, `["bulkId:1"]`} {
		got := w.bulk(bulkRequest("", bulkOp("POST", "/Users", "1", userWith(`"userName":"u","title":`+quote(t, text)))))
		if statuses(got) != "201" {
			t.Errorf("%s: %s", text, got[0].Response)
			continue
		}
		if title := w.ok(http.StatusOK, "GET", "/Users/"+idAt(got[0]), "").body["title"]; title != text {
			t.Errorf("%s came back as %v", text, title)
		}
		w.empty()
	}
}

// R122, R123, R125: where failOnErrors ends a Bulk in the middle of a circle, nothing is left half made and called whole.
func TestBulkStopsInACircle(t *testing.T) {
	onEngines(t, func(w *world) {
		managed := func(name, manager, more string) string {
			return userWith(`"userName":"` + name + `","` + enterprise + `":{"manager":{"value":"bulkId:` + manager + `"}}` + more)
		}
		for _, failing := range []string{
			bulkOp("POST", "/Users", "d", managed("d", "a", `,"active":"maybe"`)),
			bulkOp("PATCH", "/Users/bulkId:c", "", patch(`{"op":"add","path":"nope","value":"bulkId:a"}`)),
			bulkOp("POST", "/Groups", "d", `{"schemas":["`+schema.GroupURN+`"],"members":[{"value":"bulkId:a"}]}`),
		} {
			got := w.bulk(bulkRequest(`"failOnErrors":1,`,
				bulkOp("POST", "/Users", "a", managed("a", "b", "")), bulkOp("POST", "/Users", "b", managed("b", "c", "")), failing, bulkOp("POST", "/Users", "c", managed("c", "a", "")),
			))
			for _, o := range got {
				if o.Status != "201" {
					continue
				}
				user := w.ok(http.StatusOK, "GET", "/Users/"+idAt(o), "").body
				manager, _ := dig(user, enterprise, "manager", "value").(string)
				if got := w.send("GET", "/Users/"+manager, ""); manager == "" || got.status != http.StatusOK {
					w.Errorf("%s: 201 for %v, whose manager is %q: %s", failing, user["userName"], manager, statuses([]outcome{o}))
				}
			}
			created := 0
			for _, o := range got {
				if o.Status == "201" {
					created++
				}
			}
			if total := w.ok(http.StatusOK, "GET", "/Users", "").body["totalResults"]; total != float64(created) {
				w.Errorf("%s: %v Users are there, %d are reported: %s", failing, total, created, statuses(got))
			}
			w.empty()
		}
	})
}

// R121, R125, R137, S48-S50: operations that are refused one by one.
func TestBulkOperationErrors(t *testing.T) {
	onEngines(t, func(w *world) {
		_, err := w.service.CreateOrganizationByHand(t.Context(), "Elsewhere")
		w.must(err)
		home := w.secret
		w.secret = w.token("Elsewhere")
		foreign := w.create("away@x.test")
		w.secret = home
		ann := w.create("ann@x.test")
		title := patch(`{"op":"add","path":"title","value":"T"}`)
		versioned := func(method, version, data string) string {
			return strings.TrimSuffix(bulkOp(method, "/Users/"+ann, "", data), "}") + `,"version":` + quote(w, version) + `}`
		}
		for _, c := range []struct{ item, operation, status, scimType string }{
			{"R121 no bulkId", bulkOp("POST", "/Users", "", userWith(`"userName":"x"`)), "400", "invalidSyntax"},
			{"R121 no method", `{"path":"/Users","bulkId":"1","data":{}}`, "400", "invalidSyntax"},
			{"R121 another method", bulkOp("GET", "/Users/"+ann, "", ""), "4xx", ""},
			{"R121 no path", `{"method":"POST","bulkId":"1","data":{}}`, "400", ""},
			{"R121 no data", bulkOp("POST", "/Users", "1", ""), "400", "invalidSyntax"},
			{"R121 data is no object", bulkOp("POST", "/Users", "1", `"x"`), "400", "invalidSyntax"},
			{"S50 an unknown endpoint", bulkOp("POST", "/Devices", "1", userWith(`"userName":"x"`)), "4xx", ""},
			{"S50 within a resource", bulkOp("DELETE", "/Users/"+ann+"/name", "", ""), "4xx", ""},
			{"S50 a whole URL", bulkOp("DELETE", "https://elsewhere.test/scim/v2/Users/"+ann, "", ""), "4xx", ""},
			{"S50 upwards", bulkOp("DELETE", "/Groups/../Users/"+ann, "", ""), "4xx", ""},
			{"S50 bulk in bulk", bulkOp("POST", "/Bulk", "1", bulkRequest("", bulkOp("DELETE", "/Users/"+ann, "", ""))), "4xx", ""},
			{"S50 a search", bulkOp("POST", "/Users/.search", "1", searchRequest("")), "4xx", ""},
			{"S50 discovery", bulkOp("DELETE", "/Schemas/"+schema.UserURN, "", ""), "4xx", ""},
			{"a collection cannot be deleted", bulkOp("DELETE", "/Users", "", ""), "4xx", ""},
			{"a POST to a resource", bulkOp("POST", "/Users/"+ann, "1", userWith(`"userName":"x"`)), "4xx", ""},
			{"R140 another organization", bulkOp("DELETE", "/Users/"+foreign, "", ""), "404", ""},
			{"R125 a stale version", versioned("PATCH", `W/"99"`, title), "412", ""},
			{"R125 a stale version, PUT", versioned("PUT", `W/"99"`, userWith(`"userName":"ann@x.test"`)), "412", ""},
			{"R125 a stale version, DELETE", versioned("DELETE", `W/"99"`, ""), "412", ""},
			{"R125 no version", versioned("DELETE", `nonsense`, ""), "4xx", ""},
			{"R137 mutability", bulkOp("PATCH", "/Users/"+ann, "", patch(`{"op":"remove","path":"id"}`)), "400", "mutability"},
			{"R137 noTarget", bulkOp("PATCH", "/Users/"+ann, "", patch(`{"op":"remove"}`)), "400", "noTarget"},
			{"R137 uniqueness", bulkOp("POST", "/Users", "1", userWith(`"userName":"ANN@x.test"`)), "409", "uniqueness"},
			{"S7 schemas are wanted", bulkOp("POST", "/Users", "1", `{"userName":"x"}`), "400", "invalidSyntax"},
		} {
			body := bulkRequest("", c.operation, bulkOp("POST", "/Groups", "g", group("After")))
			answer := w.send("POST", "/Bulk", body)
			if answer.status != http.StatusOK {
				if w.isError(answer, 400, "invalidSyntax", c.item); !strings.HasPrefix(c.item, "R121") { // what is no message may be refused whole
					w.Errorf("%s: the whole request is refused: %s", c.item, answer.text)
				}
				continue
			}
			got := w.outcomes(answer)
			if len(got) != 2 || !matches(c.status, got[0].Status) || got[1].Status != "201" {
				w.Errorf("%s: %+v", c.item, got)
				continue
			}
			if said := w.scimTypeOf(got[0]); c.scimType != "" && said != c.scimType {
				w.Errorf("%s: %s: %s", c.item, said, got[0].Response)
			}
			w.ok(204, "DELETE", "/Groups/"+idAt(got[1]), "")
		}
		if got := w.ok(200, "GET", "/Users", ""); got.body["totalResults"] != 1.0 || strings.Contains(got.text, `"T"`) {
			w.Errorf("something was done: %s", got.text)
		}
		version := w.ok(200, "GET", "/Users/"+ann, "").header.Get("ETag")
		if got := w.bulk(bulkRequest("", versioned("PATCH", version, title), versioned("DELETE", "*", ""))); statuses(got) != "200 204" {
			w.Errorf("the right version: %+v", got)
		}
	})
}

// R121, R124, R137, S48-S50: requests that are refused as a whole, before anything is done.
func TestBulkRequestErrors(t *testing.T) {
	w := onSQLite(t)
	create := bulkOp("POST", "/Users", "1", userWith(`"userName":"x"`))
	many := make([]string, 1001)
	for i := range many {
		many[i] = bulkOp("POST", "/Users", "b"+strconv.Itoa(i), userWith(`"userName":"u`+strconv.Itoa(i)+`"`))
	}
	large := bulkOp("POST", "/Users", "2", userWith(`"userName":"y","title":"`+strings.Repeat("x", 4<<20)+`"`))
	for _, c := range []struct {
		item, body string
		status     int
		scimType   string
		names      string
	}{
		{"no body", "", 400, "invalidSyntax", ""},
		{"no JSON", "{", 400, "invalidSyntax", ""},
		{"no object", "[]", 400, "invalidSyntax", ""},
		{"no schemas", `{"Operations":[` + create + `]}`, 400, "invalidSyntax", "BulkRequest"},
		{"other schemas", `{"schemas":["` + patchURN + `"],"Operations":[` + create + `]}`, 400, "invalidSyntax", "BulkRequest"},
		{"no operations", `{"schemas":["` + bulkURN + `"]}`, 400, "invalidSyntax", "Operations"},
		{"operations are no list", `{"schemas":["` + bulkURN + `"],"Operations":{}}`, 400, "invalidSyntax", "Operations"},
		{"failOnErrors is no number", bulkRequest(`"failOnErrors":"x",`, create), 400, "", "failOnErrors"},
		{"R124 too many", bulkRequest("", many...), 413, "", "1000"},
		{"R124 too large", bulkRequest("", create, large), 413, "", strconv.Itoa(4 << 20)},
	} {
		got := w.send("POST", "/Bulk", c.body)
		if c.scimType == "" && got.status == 400 {
			c.scimType, _ = got.body["scimType"].(string)
		}
		w.isError(got, c.status, c.scimType, c.item)
		if !strings.Contains(got.text, c.names) {
			t.Errorf("%s: %s does not name %s", c.item, got.text, c.names)
		}
	}
	// R121: a bulkId twice is refused, as a whole or at the second operation.
	got := w.send("POST", "/Bulk", bulkRequest("", create, bulkOp("POST", "/Users", "1", userWith(`"userName":"y"`))))
	if twice := got.status == 400 || strings.Contains(got.text, `"status":"400"`); !twice {
		t.Errorf("a bulkId twice: %s", got.text)
	}
	w.empty()
	w.refused(http.StatusMethodNotAllowed, "", "GET", "/Bulk", "")
	w.refused(http.StatusUnauthorized, "", "POST", "/Bulk", bulkRequest("", create), "Authorization", "Bearer x")
	if total := w.ok(200, "GET", "/Users", "").body["totalResults"]; total != 0.0 {
		t.Errorf("%v Users were made", total)
	}
	if got := w.bulk(bulkRequest("", many[:1000]...)); len(got) != 1000 || strings.Trim(statuses(got), "201 ") != "" {
		t.Errorf("%d operations: %.100s", len(got), statuses(got))
	}
}
