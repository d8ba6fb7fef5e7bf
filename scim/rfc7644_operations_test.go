package scim_test

import (
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"muster/scim/schema"
)

// R40-R43, S6, S7, S18: POST.
func TestRFC7644Create(t *testing.T) {
	onEngines(t, func(w *world) {
		for endpoint, body := range map[string]string{"/Users": person("ann@x.test"), "/Groups": group("Team")} {
			got := w.ok(http.StatusCreated, "POST", endpoint, body, "Content-Type", "application/json")
			id, _ := got.body["id"].(string)
			location := publicURL + "/scim/v2" + endpoint + "/" + id
			if got.header.Get("Location") != location || dig(got.body, "meta", "location") != location ||
				got.header.Get("ETag") == "" || dig(got.body, "meta", "version") != got.header.Get("ETag") {
				w.Errorf("%v %s", got.header, got.text)
			}
			again := w.refused(http.StatusConflict, "uniqueness", "POST", endpoint, body)
			if again.header.Get("Location") != "" {
				w.Errorf("a conflict has a Location: %v", again.header)
			}
			if total := w.ok(200, "GET", endpoint, "").body["totalResults"]; total != 1.0 {
				w.Errorf("%s: %v resources", endpoint, total)
			}
		}
		w.exchanges([]exchange{
			{"R41 no JSON", "POST", "/Users", "userName=x", 400, "invalidSyntax"},
			{"R41 trailing text", "POST", "/Users", userWith(`"userName":"x"`) + "{}", 400, "invalidSyntax"},
			{"R41 a string", "POST", "/Users", `"x"`, 400, "invalidSyntax"},
			{"R41 a number", "POST", "/Groups", `1`, 400, "invalidSyntax"},
			{"R43 nothing", "POST", "/Groups", ``, 400, "invalidSyntax"},
			{"R2 schemas is a string", "POST", "/Users", `{"schemas":"` + schema.UserURN + `","userName":"x"}`, 400, "invalidSyntax"},
			{"R2 schemas is null", "POST", "/Users", `{"schemas":null,"userName":"x"}`, 400, "invalidSyntax"},
			{"R2 schemas holds a number", "POST", "/Users", `{"schemas":[1],"userName":"x"}`, 400, "invalidSyntax"},
			{"R41 required is missing", "POST", "/Users", userWith(`"displayName":"x"`), 400, "invalidValue"},
			{"R19 displayName is missing", "POST", "/Groups", `{"schemas":["` + schema.GroupURN + `"],"members":[]}`, 400, "invalidValue"},
			{"R19 displayName is empty", "POST", "/Groups", group(""), 400, "invalidValue"},
			{"R40 the id is ignored", "POST", "/Users", userWith(`"id":"bulkId:1","userName":"i"`), 201, `{"userName":"i","active":true}`},
			{"R23 an attribute outside of its extension", "POST", "/Users", userWith(`"userName":"j","department":"D","employeeNumber":"1"`), 201, `{"userName":"j","active":true}`},
		})
	})
}

// S18, S62, R41: what is in the way of a create or a change is found by the filter that the refusal names.
func TestRFC7644ConflictsAreFindable(t *testing.T) {
	onEngines(t, func(w *world) {
		named := regexp.MustCompile(`filter (emails\.value|userName|externalId|displayName) eq`)
		for _, c := range []struct{ item, endpoint, first, change, second, value string }{
			{"userName", "/Users", userWith(`"userName":"a1"`), "", userWith(`"userName":"A1"`), "A1"},
			{"externalId", "/Users", userWith(`"userName":"b1","externalId":"b"`), "", userWith(`"userName":"b2","externalId":"b"`), "b"},
			{"e-mail", "/Users", userWith(`"userName":"c1","emails":[{"value":"c@x.test"}]`), "", userWith(`"userName":"c2","emails":[{"value":"C@x.test"}]`), "C@x.test"},
			{"the userName is the address", "/Users", userWith(`"userName":"d@x.test"`), "", userWith(`"userName":"d2","emails":[{"value":"d@x.test"}]`), "d@x.test"},
			{"the address that was cleared", "/Users", userWith(`"userName":"e1","emails":[{"value":"e@x.test"}]`), `{"op":"remove","path":"emails"}`, userWith(`"userName":"e2","emails":[{"value":"e@x.test"}]`), "e1"},
			{"disabled", "/Users", userWith(`"userName":"f1"`), `{"op":"replace","path":"active","value":false}`, userWith(`"userName":"f1"`), "f1"},
			{"displayName", "/Groups", group("G1"), "", group("g1"), "g1"},
			{"a group's externalId", "/Groups", `{"schemas":["` + schema.GroupURN + `"],"displayName":"H1","externalId":"h"}`, "", `{"schemas":["` + schema.GroupURN + `"],"displayName":"H2","externalId":"h"}`, "h"},
		} {
			id, _ := w.ok(201, "POST", c.endpoint, c.first).body["id"].(string)
			if c.change != "" {
				w.ok(200, "PATCH", c.endpoint+"/"+id, patch(c.change))
			}
			got := w.send("POST", c.endpoint, c.second)
			if got.status == http.StatusCreated {
				if c.change == "" {
					w.Errorf("%s: no conflict", c.item)
				}
				continue
			}
			w.isError(got, http.StatusConflict, "uniqueness", c.item)
			detail, _ := got.body["detail"].(string)
			found := w.ok(200, "GET", c.endpoint+`?filter=`+strings.TrimPrefix(named.FindString(detail), "filter ")+` "`+c.value+`"`, "").body["Resources"].([]any)
			if len(found) != 1 || dig(found[0], "id") != id {
				w.Errorf("%s: %s: found %v", c.item, detail, found)
			}
		}
	})
}

// R50-R56, S40: GET of one and of many.
func TestRFC7644Lists(t *testing.T) {
	onEngines(t, func(w *world) {
		empty := map[string]any{"schemas": []any{listURN}, "totalResults": 0.0, "startIndex": 1.0, "itemsPerPage": 0.0, "Resources": []any{}}
		for _, path := range []string{"/Users", "/Groups", `/Users?filter=userName eq "x"`, `/Groups?filter=displayName pr&startIndex=1&count=10`} {
			if got := w.ok(200, "GET", path, ""); !reflect.DeepEqual(got.body, empty) {
				w.Errorf("%s: %s", path, got.text)
			}
		}
		var names []string
		for i := range 7 {
			names = append(names, "u"+strconv.Itoa(i))
			w.made(`"userName":"` + names[i] + `","title":"same"`)
		}
		for _, c := range []struct {
			query       string
			start, want int
		}{
			{"", 1, 7},
			{"count=3", 1, 3},
			{"startIndex=4&count=3", 4, 3},
			{"startIndex=7&count=3", 7, 1},
			{"startIndex=8&count=3", 8, 0},
			{"startIndex=0", 1, 7},
			{"startIndex=-1&count=2", 1, 2},
			{"count=0", 1, 0},
			{"count=-5", 1, 0},
			{"count=1000000", 1, 7},
			{"startIndex=2&count=0&filter=title eq \"same\"", 2, 0},
			{"nonsense=1&aadOptscim062020&count=2", 1, 2},
		} {
			got := w.ok(200, "GET", "/Users?"+c.query, "")
			resources, _ := got.body["Resources"].([]any)
			if len(resources) != c.want || got.body["totalResults"] != 7.0 || got.body["startIndex"] != float64(c.start) || got.body["itemsPerPage"] != float64(c.want) {
				w.Errorf("%s: %.200s", c.query, got.text)
			}
		}
		// R55: pages of equal keys neither repeat nor lose anybody.
		var seen []string
		for start := 1; start <= 7; start += 2 {
			seen = append(seen, userNames(w.ok(200, "GET", `/Users?filter=title eq "same"&count=2&startIndex=`+strconv.Itoa(start), ""))...)
		}
		slices.Sort(seen)
		if !reflect.DeepEqual(seen, names) {
			w.Errorf("pages: %v", seen)
		}
		for _, query := range []string{"count=x", "count=1.5", "count=1e3", "startIndex=x", "startIndex=0x1", "startIndex=1%20", "count=true"} {
			w.refused(400, "invalidValue", "GET", "/Users?"+query, "")
		}
		w.exchanges([]exchange{
			{"R57 another schema", "POST", "/Users/.search", `{"schemas":["` + listURN + `"]}`, 400, "invalidSyntax"},
			{"R57 no schema", "POST", "/Users/.search", `{"count":1}`, 400, "invalidSyntax"},
			{"R57 no body", "POST", "/Users/.search", ``, 400, "invalidSyntax"},
			{"R57 both projections", "POST", "/Users/.search", searchRequest(`,"attributes":["title"],"excludedAttributes":["title"]`), 400, "invalidValue"},
			{"R57 count is no number", "POST", "/Users/.search", searchRequest(`,"count":"x"`), 400, "invalidValue"},
			{"R57 attributes is no list", "POST", "/Users/.search", searchRequest(`,"attributes":[1]`), 400, "invalidValue"},
		})
		// R11: null is absence, in a message too; R3: its names are in any case; other schemas beside the right one do no harm (S25).
		for _, body := range []string{
			searchRequest(`,"count":null,"filter":null,"attributes":null,"startIndex":null,"sortBy":null`), searchRequest(`,"COUNT":100,"unknown":{}`),
			strings.Replace(searchRequest(""), `["`, `["urn:x:y","`, 1),
		} {
			if got := w.send("POST", "/Users/.search", body); got.body["itemsPerPage"] != 7.0 {
				w.Errorf("%s: %d %.300s", body, got.status, got.text)
			}
		}
		got := w.ok(200, "POST", "/Users/.search", searchRequest(`,"filter":"title pr","startIndex":3,"count":2,"attributes":["userName"]`))
		if !reflect.DeepEqual(userNames(got), names[2:4]) || got.body["totalResults"] != 7.0 || strings.Contains(got.text, "title") {
			w.Errorf(".search: %s", got.text)
		}
	})
}

// R80-R85, R42, R84, S44: each projection on each kind of answer.
func TestRFC7644Projection(t *testing.T) {
	w := onSQLite(t)
	const e = schema.EnterpriseURN
	body := userWith(`"userName":"u","name":{"givenName":"G","familyName":"F"},"emails":[{"value":"a@x.test","type":"work"}],"` + e + `":{"department":"D","division":"V"}`)
	for _, c := range []struct{ item, query, want string }{
		{"R81 id and schemas stay", "attributes=nickName", `{}`},
		{"R81 id cannot be left out", "excludedAttributes=id,schemas,meta,userName,name,emails,active," + e, `{}`},
		{"R82 one sub-attribute", "attributes=name.familyName", `{"name":{"familyName":"F"}}`},
		{"R82 all of them", "attributes=NAME", `{"name":{"givenName":"G","familyName":"F"}}`},
		{"R82 both", "attributes=name,name.familyName", `{"name":{"givenName":"G","familyName":"F"}}`},
		{"R82 qualified", "attributes=" + schema.UserURN + ":name.givenName", `{"name":{"givenName":"G"}}`},
		{"R82 an extension's", "attributes=" + e + ":division", `{"` + e + `":{"division":"V"}}`},
		{"R82 an extension", "attributes=" + strings.ToUpper(e), `{"` + e + `":{"department":"D","division":"V"}}`},
		{"R82 the core schema", "attributes=" + schema.UserURN, `{"userName":"u","active":true,"name":{"givenName":"G","familyName":"F"},"emails":[{"value":"a@x.test","type":"work"}]}`},
		{"R82 without an extension's attribute", "excludedAttributes=meta,userName,name,emails,active," + e + ":division", `{"` + e + `":{"department":"D"}}`},
		{"R83 never", "attributes=password,urn:ietf:params:scim:schemas:core:2.0:User:password", `{}`},
		{"R84 unknown names", "attributes=nope,name.nope,urn:x:y,,userName", `{"userName":"u"}`},
		{"R85 within elements", "attributes=emails.value", `{"emails":[{"value":"a@x.test"}]}`},
		{"R85 without a sub-attribute", "excludedAttributes=meta,userName,name,active,emails.value," + e, `{"emails":[{"type":"work"}]}`},
		{"R82 spaces", "attributes=userName, name.givenName", `{"userName":"u","name":{"givenName":"G"}}`},
	} {
		made := w.ok(http.StatusCreated, "POST", "/Users?"+c.query, body)
		w.same(c.item+" POST", w.bare(made.body), c.want)
		id, _ := made.body["id"].(string)
		w.same(c.item+" GET", w.bare(w.ok(200, "GET", "/Users/"+id+"?"+c.query, "").body), c.want)
		w.same(c.item+" PATCH", w.bare(w.ok(200, "PATCH", "/Users/"+id+"?"+c.query, patch(`{"op":"add","path":"name.familyName","value":"F"}`)).body), c.want)
		list := w.ok(200, "GET", `/Users?filter=userName eq "u"&`+c.query, "").body["Resources"].([]any)
		w.same(c.item+" list", w.bare(list[0]), c.want)
		name, value, _ := strings.Cut(c.query, "=")
		found := w.ok(200, "POST", "/Users/.search", searchRequest(`,"filter":"userName eq \"u\"","`+name+`":[`+strings.Join(quoted(value), ",")+`]`)).body["Resources"].([]any)
		w.same(c.item+" .search", w.bare(found[0]), c.want)
		w.ok(204, "DELETE", "/Users/"+id, "")
		put := w.made(`"userName":"v"`)
		w.same(c.item+" PUT", w.bare(w.ok(200, "PUT", "/Users/"+put+"?"+c.query, body).body), c.want)
		w.ok(204, "DELETE", "/Users/"+put, "")
	}
	put := w.made(`"userName":"v"`)
	for _, c := range [][2]string{{"GET", "/Users"}, {"GET", "/Users/" + put}, {"POST", "/Users"}, {"PUT", "/Users/" + put}, {"PATCH", "/Users/" + put}} { // R80
		w.refused(400, "invalidValue", c[0], c[1]+"?attributes=title&excludedAttributes=name", body)
	}
	if total := w.ok(200, "GET", "/Users", "").body["totalResults"]; total != 1.0 {
		t.Errorf("a refused POST made a User: %v", total)
	}
}

// bare is a resource without what every one has, checked: id and schemas.
func (w *world) bare(resource any) string {
	w.Helper()
	object, _ := resource.(map[string]any)
	if id, _ := object["id"].(string); id == "" || object["schemas"] == nil {
		w.Errorf("no id or schemas: %v", object)
	}
	return w.without(reply{body: object})
}

func quoted(list string) []string {
	names := strings.Split(list, ",")
	for i := range names {
		names[i] = `"` + names[i] + `"`
	}
	return names
}

// R90, S20: PUT.
func TestRFC7644Replace(t *testing.T) {
	onEngines(t, func(w *world) {
		id := w.made(`"userName":"ann","externalId":"e","title":"T","active":false,"emails":[{"value":"ann@x.test"}],"` + schema.EnterpriseURN + `":{"department":"D"}`)
		w.made(`"userName":"taken"`)
		team := w.createGroup("Team", id)
		path := "/Users/" + id
		w.exchanges([]exchange{
			{"R90 the same", "PUT", path, userWith(`"userName":"ann","externalId":"e","title":"T","active":false,"emails":[{"value":"ann@x.test"}],"` + schema.EnterpriseURN + `":{"department":"D"}`), 200, ""},
			{"R90 read-only is ignored", "PUT", path, userWith(`"userName":"ann","id":"` + id + `","meta":{"version":"x"},"groups":[]`), 200, `{"userName":"ann","active":false,"groups":[{"value":"` + team + `","$ref":"` + publicURL + `/scim/v2/Groups/` + team + `","display":"Team","type":"direct"}]}`},
			{"S6 another id", "PUT", path, userWith(`"userName":"ann","id":"` + team + `"`), 400, "mutability"},
			{"R90 required is absent", "PUT", path, userWith(`"title":"x"`), 400, "invalidValue"},
			{"R90 required is null", "PUT", path, userWith(`"userName":null`), 400, "invalidValue"},
			{"R90 schemas is absent", "PUT", path, `{"userName":"ann"}`, 400, "invalidSyntax"},
			{"R90 the name is taken", "PUT", path, userWith(`"userName":"TAKEN"`), 409, "uniqueness"},
			{"R90 no body", "PUT", path, "", 400, "invalidSyntax"},
			{"R90 never creates", "PUT", "/Users/01890a5d-0000-7000-8000-000000000000", userWith(`"userName":"new"`), 404, ""},
			{"R90 never creates groups", "PUT", "/Groups/01890a5d-0000-7000-8000-000000000000", group("New"), 404, ""},
			{"R90 groups want a name", "PUT", "/Groups/" + team, `{"schemas":["` + schema.GroupURN + `"]}`, 400, "invalidValue"},
			{"R19 unknown members", "PUT", "/Groups/" + team, group("Team", id, "nobody"), 400, "invalidValue"},
		})
		if got := w.members(team); !reflect.DeepEqual(got, []string{id}) {
			w.Errorf("members %v", got)
		}
		w.ok(204, "DELETE", path, "")
		w.refused(404, "", "PUT", path, userWith(`"userName":"ann"`))
	})
}

// R115, S22, S76, K19, K20, V28-V32: DELETE is real, for everything and everybody.
func TestRFC7644Delete(t *testing.T) {
	onEngines(t, func(w *world) {
		ann := w.create("ann@x.test")
		team := w.createGroup("Team", ann)
		for _, path := range []string{"/Users/" + ann, "/Groups/" + team} {
			w.refused(412, "", "DELETE", path, "", "If-Match", `W/"99"`)
			if got := w.ok(204, "DELETE", path, ""); got.text != "" {
				w.Errorf("%s: %s", path, got.text)
			}
			put := map[bool]string{true: person("ann@x.test"), false: group("Team")}[strings.HasPrefix(path, "/Users")]
			w.exchanges([]exchange{
				{"R115", "GET", path, "", 404, ""},
				{"R115", "PUT", path, put, 404, ""},
				{"R115", "PATCH", path, patch(`{"op":"replace","path":"displayName","value":"x"}`), 404, ""},
				{"R115", "DELETE", path, "", 404, ""},
			})
			endpoint := path[:strings.LastIndexByte(path, '/')]
			for _, list := range []string{endpoint, endpoint + `?filter=id eq "` + path[len(endpoint)+1:] + `"`, endpoint + "?filter=externalId pr"} {
				if got := w.ok(200, "GET", list, ""); got.body["totalResults"] != 0.0 {
					w.Errorf("%s: %s", list, got.text)
				}
			}
		}
		w.create("ann@x.test")
		w.createGroup("Team")
	})
}
