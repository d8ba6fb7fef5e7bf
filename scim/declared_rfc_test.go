package scim_test

import (
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"muster/domain"
	"muster/scim/schema"
)

const (
	gadgetURN = "urn:example:custom_app-1/x.y:2.0:Device"
	leaseURN  = "urn:example:lease:2.0:Device"
	extraURN  = "urn:okta:custom_app_1:2.0:User"
)

// declared are a resource type with an attribute of every type and characteristic, one required extension, and an extension of User.
func declared() domain.Definitions {
	attribute := func(name, kind string) domain.AttributeDefinition {
		return domain.AttributeDefinition{Name: name, Type: kind}
	}
	with := func(a domain.AttributeDefinition, change func(*domain.AttributeDefinition)) domain.AttributeDefinition {
		change(&a)
		return a
	}
	type def = domain.AttributeDefinition
	return domain.Definitions{
		Schemas: []domain.SchemaDefinition{
			{ID: gadgetURN, Name: "Device", Attributes: []def{
				with(attribute("serial", "string"), func(a *def) { a.Required, a.Uniqueness, a.CaseExact, a.Mutability = true, "server", true, "immutable" }),
				with(attribute("label", ""), func(a *def) { a.Uniqueness = "server" }),
				with(attribute("secretWord", "string"), func(a *def) { a.Mutability = "writeOnly" }),
				with(attribute("note", "string"), func(a *def) { a.Returned = "request" }),
				with(attribute("mark", "string"), func(a *def) { a.Returned = "always" }),
				with(attribute("hidden", "string"), func(a *def) { a.Returned = "never" }),
				with(attribute("assigned", "string"), func(a *def) { a.Mutability = "readOnly" }),
				attribute("weight", "decimal"), attribute("number", "integer"), attribute("on", "boolean"), attribute("bought", "dateTime"),
				attribute("key", "binary"), with(attribute("link", "reference"), func(a *def) { a.ReferenceTypes = []string{"uri"} }),
				with(attribute("tags", "string"), func(a *def) { a.MultiValued = true }),
				with(attribute("ports", "complex"), func(a *def) {
					a.MultiValued, a.SubAttributes = true, []def{attribute("value", "integer"), attribute("type", "string"), attribute("primary", "boolean")}
				}),
				with(attribute("place", "complex"), func(a *def) {
					a.SubAttributes = []def{with(attribute("room", "string"), func(a *def) { a.Required = true }), attribute("floor", "integer")}
				}),
			}},
			{ID: leaseURN, Name: "Lease", Attributes: []def{with(attribute("until", "dateTime"), func(a *def) { a.Required = true })}},
			{ID: extraURN, Name: "Badge", Attributes: []def{attribute("badge", "integer"), with(attribute("tag-set_2", "string"), func(a *def) { a.MultiValued = true })}},
		},
		ResourceTypes: []domain.ResourceTypeDefinition{
			{Name: "Device", Endpoint: "/Devices", Schema: gadgetURN, SchemaExtensions: []domain.ExtensionDefinition{{Schema: leaseURN, Required: true}}},
			{Name: "User", SchemaExtensions: []domain.ExtensionDefinition{{Schema: extraURN}}},
		},
	}
}

// declare gives the default organization the declarations.
func (w *world) declareAll() {
	w.Helper()
	_, err := w.service.SetSCIMDefinitions(w.Context(), w.commandLine(""), declared())
	w.must(err)
}

const lease = `"` + leaseURN + `":{"until":"2027-01-01T00:00:00Z"}`

// device is a Device's body.
func gadget(attributes string) string {
	return `{"schemas":["` + gadgetURN + `","` + leaseURN + `"],` + lease + `,` + attributes + `}`
}

// R5, R6, R20-R22, R40, S17: what is created of a declared type is checked, kept and shown as it was declared.
func TestDeclaredCreate(t *testing.T) {
	onEngines(t, func(w *world) {
		w.declareAll()
		full := `"serial":"S1","label":"L","mark":"M","weight":1.50,"number":9007199254740993,"on":true,"bought":"2020-02-29T23:59:59.5+14:00",
			"key":"_-8","link":"../Users/x","tags":["b","a"],"ports":[{"value":80,"type":"t","primary":true},{"value":443}],"place":{"room":"R","floor":-1}`
		got := w.ok(http.StatusCreated, "POST", "/Devices", gadget(full+`,"secretWord":"s","note":"N","hidden":"h","assigned":"a","id":"mine"`))
		w.same("POST", w.without(got), `{`+full+`,"note":"N",`+lease+`}`) // R21: request is shown where it was written
		id, _ := got.body["id"].(string)
		for _, exact := range []string{`"number":9007199254740993`, `"weight":1.50`} {
			if !strings.Contains(got.text, exact) {
				w.Errorf("%s is not in %s", exact, got.text)
			}
		}
		if location := publicURL + "/scim/v2/Devices/" + id; got.header.Get("Location") != location || dig(got.body, "meta", "resourceType") != "Device" ||
			!reflect.DeepEqual(got.body["schemas"], any([]any{gadgetURN, leaseURN})) || id == "mine" {
			w.Errorf("%v %s", got.header, got.text)
		}
		w.same("GET", w.without(w.ok(http.StatusOK, "GET", "/Devices/"+id, "")), `{`+full+`,`+lease+`}`)
		for query, want := range map[string]string{
			"attributes=note": `{"mark":"M","note":"N"}`, "attributes=secretWord,hidden": `{"mark":"M"}`, "attributes=place.floor": `{"mark":"M","place":{"floor":-1}}`,
			"attributes=" + gadgetURN + ":on": `{"mark":"M","on":true}`,
			"attributes=" + leaseURN:          `{"mark":"M",` + lease + `}`,
			"excludedAttributes=mark,meta,serial,label,weight,number,on,bought,key,link,tags,ports,place": `{"mark":"M",` + lease + `}`,
		} {
			w.same(query, w.without(w.ok(http.StatusOK, "GET", "/Devices/"+id+"?"+query, "")), want)
		}
		for _, c := range []exchange{
			{"required", "POST", "/Devices", gadget(`"label":"x"`), 400, "invalidValue"},
			{"required below", "POST", "/Devices", gadget(`"serial":"x","place":{"floor":1}`), 400, "invalidValue"},
			{"required extension", "POST", "/Devices", `{"schemas":["` + gadgetURN + `"],"serial":"x"}`, 400, "invalidValue"},
			{"required in the extension", "POST", "/Devices", `{"schemas":["` + gadgetURN + `"],"serial":"x","` + leaseURN + `":{}}`, 400, "invalidValue"},
			{"integer with a fraction", "POST", "/Devices", gadget(`"serial":"x","number":1.0`), 400, "invalidValue"},
			{"integer with an exponent", "POST", "/Devices", gadget(`"serial":"x","number":1e2`), 400, "invalidValue"},
			{"integer in a string", "POST", "/Devices", gadget(`"serial":"x","number":"1"`), 400, "invalidValue"},
			{"decimal in a string", "POST", "/Devices", gadget(`"serial":"x","weight":"1"`), 400, "invalidValue"},
			{"a date without a time", "POST", "/Devices", gadget(`"serial":"x","bought":"2020-02-01"`), 400, "invalidValue"},
			{"no such day", "POST", "/Devices", gadget(`"serial":"x","bought":"2020-02-30T00:00:00Z"`), 400, "invalidValue"},
			{"no base64", "POST", "/Devices", gadget(`"serial":"x","key":"!"`), 400, "invalidValue"},
			{"one for many", "POST", "/Devices", gadget(`"serial":"x","place":[{"room":"a"},{"room":"b"}]`), 400, "invalidValue"},
			{"two primaries", "POST", "/Devices", gadget(`"serial":"x","ports":[{"value":1,"primary":true},{"value":2,"primary":true}]`), 400, "invalidValue"},
			{"unique, case-exact", "POST", "/Devices", gadget(`"serial":"S1"`), 409, "uniqueness"},
			{"unique in any case", "POST", "/Devices", gadget(`"serial":"x","label":"l"`), 409, "uniqueness"},
			{"case-exact", "POST", "/Devices", gadget(`"serial":"s1"`), 201, ""},
			{"no schemas", "POST", "/Devices", `{"serial":"x",` + lease + `}`, 400, "invalidSyntax"},
			{"24:00", "POST", "/Devices", gadget(`"serial":"y","bought":"2020-02-01T24:00:00Z"`), 201, ""},
			{"another type's place", "GET", "/Users/" + id, "", 404, ""},
		} {
			w.exchange(c, strings.NewReplacer().Replace)
		}
		w.ok(http.StatusNoContent, "DELETE", "/Devices/"+id, "")
		w.refused(http.StatusNotFound, "", "GET", "/Devices/"+id, "")
		w.ok(http.StatusCreated, "POST", "/Devices", gadget(`"serial":"S1","label":"L"`))
	})
}

// R21, R90, R107, R108: PUT and PATCH of declared attributes.
func TestDeclaredChanges(t *testing.T) {
	onEngines(t, func(w *world) {
		w.declareAll()
		id, _ := w.ok(http.StatusCreated, "POST", "/Devices", gadget(`"serial":"S","on":true,"mark":"M","ports":[{"value":1,"type":"a"},{"value":2,"type":"b"}]`)).body["id"].(string)
		path := "/Devices/" + id
		op := func(text string) string { return patch(text) }
		w.exchanges([]exchange{
			{"R90 immutable", "PUT", path, gadget(`"serial":"T"`), 400, "mutability"},
			{"R107 immutable", "PATCH", path, op(`{"op":"replace","path":"serial","value":"T"}`), 400, "mutability"},
			{"R107 immutable removed", "PATCH", path, op(`{"op":"remove","path":"serial"}`), 400, "mutability"},
			{"R107 the same value", "PATCH", path, op(`{"op":"replace","path":"` + gadgetURN + `:serial","value":"S"}`), 200, ""},
			{"R107 read-only", "PATCH", path, op(`{"op":"add","path":"assigned","value":"x"}`), 400, "mutability"},
			{"R105 a required extension", "PATCH", path, op(`{"op":"remove","path":"` + leaseURN + `"}`), 400, "mutability"},
			{"R105 what it requires", "PATCH", path, op(`{"op":"remove","path":"` + leaseURN + `:until"}`), 400, "mutability"},
			{"R109 required below", "PATCH", path, op(`{"op":"add","path":"place.floor","value":1}`), 400, "invalidValue"},
			{"R109 type", "PATCH", path, op(`{"op":"add","path":"number","value":1.5}`), 400, "invalidValue"},
			{"by a filter of numbers", "PATCH", path, op(`{"op":"replace","path":"ports[value gt 1].type","value":"c"}`), 200, `{"serial":"S","on":true,"mark":"M","ports":[{"value":1,"type":"a"},{"value":2,"type":"c"}],` + lease + `}`},
			{"values of a list", "PATCH", path, op(`{"op":"add","path":"tags","value":["x","y","X"]}`), 200, `{"serial":"S","on":true,"mark":"M","tags":["x","y"],"ports":[{"value":1,"type":"a"},{"value":2,"type":"c"}],` + lease + `}`},
			{"written only", "PATCH", path, op(`{"op":"replace","path":"secretWord","value":"w"}`), 200, `{"serial":"S","on":true,"mark":"M","tags":["x","y"],"ports":[{"value":1,"type":"a"},{"value":2,"type":"c"}],` + lease + `}`},
			{"R108 the extension", "PATCH", path, op(`{"op":"replace","path":"` + leaseURN + `:until","value":"2028-01-01T00:00:00Z"}`), 200, ""},
			{"PUT clears", "PUT", path, gadget(`"serial":"S"`), 200, `{"serial":"S",` + lease + `}`},
		})
	})
}

// R7, R58, R63, R64, R68, R69, S37, S43: filters and orders over declared attributes of every type.
func TestDeclaredQueries(t *testing.T) {
	onEngines(t, func(w *world) {
		w.declareAll()
		for _, attributes := range []string{
			`"serial":"a","label":"a","weight":10,"number":9007199254740993,"on":true,"bought":"2020-01-01T00:00:00+02:00","key":"QQ==","tags":["x","y"],"ports":[{"value":80,"primary":true},{"value":9}]`,
			`"serial":"B","label":"B","weight":9.5,"number":9007199254740992,"on":false,"bought":"2019-12-31T23:00:00Z","tags":["Z"],"ports":[{"value":443}],"place":{"room":"R","floor":10}`,
			`"serial":"c","label":"c","weight":-1e1,"number":-3,"hidden":"h","secretWord":"s","place":{"room":"r","floor":9}`,
		} {
			w.ok(http.StatusCreated, "POST", "/Devices", gadget(attributes))
		}
		serials := func(query string) []string {
			list, _ := w.ok(http.StatusOK, "GET", "/Devices?"+query, "").body["Resources"].([]any)
			found := []string{}
			for _, resource := range list {
				serial, _ := dig(resource, "serial").(string)
				found = append(found, serial)
			}
			return found
		}
		for filter, want := range map[string][]string{
			`number eq 9007199254740992`: {"B"}, `number gt 9007199254740992`: {"a"}, `number lt 0`: {"c"}, `weight ge 9.50`: {"B", "a"}, `weight eq -10.0`: {"c"},
			`on eq true`: {"a"}, `on ne true`: {"B", "c"}, `on pr`: {"B", "a"}, `bought lt "2019-12-31T22:30:00Z"`: {"a"}, `bought eq "2020-01-01T01:00:00+02:00"`: {"B"},
			`tags eq "z"`: {"B"}, `tags co "y"`: {"a"}, `ports eq 9`: {"a"}, `ports[value gt 79 and primary eq true]`: {"a"}, `ports.value ge 80`: {"B", "a"},
			`place.floor gt 9`: {"B"}, `serial eq "b"`: {}, `label eq "b"`: {"B"}, `key eq "QQ=="`: {"a"}, `place[room eq "R"]`: {"B", "c"}, gadgetURN + `:label sw "A"`: {"a"},
			leaseURN + `:until gt "2026-12-31T00:00:00Z" and ` + strings.ToUpper(gadgetURN) + `:ON eq false`: {"B"}, `schemas eq "` + leaseURN + `"`: {"B", "a", "c"},
			`secretWord eq "s"`: nil, `hidden pr`: nil, `on gt true`: nil, `number eq "1"`: nil, `number eq true`: nil, `key gt "QQ=="`: nil, `bought gt "2020"`: nil, `userName pr`: nil,
			`meta.resourceType eq "Device"`: {"B", "a", "c"},
		} {
			if want == nil {
				w.refused(http.StatusBadRequest, "invalidFilter", "GET", "/Devices?filter="+url.QueryEscape(filter), "")
				continue
			}
			got := serials("filter=" + url.QueryEscape(filter))
			if slices.Sort(got); !slices.Equal(got, want) {
				w.Errorf("%s: %v, want %v", filter, got, want)
			}
		}
		for sort, want := range map[string][]string{
			"weight": {"c", "B", "a"}, "number": {"c", "B", "a"}, "bought": {"a", "B", "c"}, "serial": {"B", "a", "c"}, "label": {"a", "B", "c"},
			"place.floor": {"c", "B", "a"}, "ports": {"a", "B", "c"}, "tags": {"a", "B", "c"}, leaseURN + ":until": {"a", "B", "c"},
		} {
			if got := serials("sortBy=" + sort); !slices.Equal(got, want) {
				w.Errorf("sortBy=%s: %v, want %v", sort, got, want)
			}
			slices.Reverse(want)
			if got := serials("sortOrder=descending&sortBy=" + sort); sort != leaseURN+":until" && !slices.Equal(got, want) {
				w.Errorf("sortBy=%s downward: %v, want %v", sort, got, want)
			}
			var paged []string
			for cursor, more := "", true; more; {
				page := w.ok(http.StatusOK, "GET", "/Devices?count=1&sortOrder=descending&sortBy="+sort+"&cursor="+cursor, "")
				serial, _ := dig(page.body["Resources"].([]any)[0], "serial").(string)
				paged = append(paged, serial)
				cursor, more = page.body["nextCursor"].(string)
			}
			if whole := serials("sortOrder=descending&sortBy=" + sort); !slices.Equal(paged, whole) {
				w.Errorf("sortBy=%s by cursor: %v, want %v", sort, paged, whole)
			}
		}
	})
}

// R22, R31, R32, R53, R120, R140, S17: declared types are in discovery, in the root query and in Bulk, and in one organization only.
func TestDeclaredElsewhere(t *testing.T) {
	onEngines(t, func(w *world) {
		_, err := w.service.CreateOrganizationByHand(t.Context(), "Elsewhere")
		w.must(err)
		w.declareAll()
		resourceType := w.ok(http.StatusOK, "GET", "/ResourceTypes/Device", "").body
		if !reflect.DeepEqual(resourceType["schemaExtensions"], any([]any{map[string]any{"schema": leaseURN, "required": true}})) ||
			resourceType["endpoint"] != "/Devices" || resourceType["schema"] != gadgetURN || dig(resourceType, "meta", "location") != publicURL+"/scim/v2/ResourceTypes/Device" {
			w.Errorf("%v", resourceType)
		}
		attributes, _ := w.ok(http.StatusOK, "GET", "/Schemas/"+strings.ReplaceAll(gadgetURN, "/", "%2F"), "").body["attributes"].([]any)
		want := map[string]any{
			"name": "label", "type": "string", "multiValued": false, "required": false, "caseExact": false, "mutability": "readWrite", "returned": "default", "uniqueness": "server",
		}
		if len(attributes) != 16 || !reflect.DeepEqual(attributes[1], any(want)) { // R5
			w.Errorf("%d attributes: %v", len(attributes), attributes)
		}
		extensions, _ := w.ok(http.StatusOK, "GET", "/ResourceTypes/User", "").body["schemaExtensions"].([]any)
		if !reflect.DeepEqual(extensions, []any{map[string]any{"schema": schema.EnterpriseURN, "required": false}, map[string]any{"schema": extraURN, "required": false}}) {
			w.Errorf("%v", extensions)
		}
		got := w.bulk(bulkRequest("", bulkOp("POST", "/Devices", "1", gadget(`"serial":"bulk"`)), bulkOp("PATCH", "/Devices/bulkId:1", "", patch(`{"op":"add","path":"on","value":true}`))))
		if statuses(got) != "201 200" {
			w.Errorf("%+v", got)
		}
		if list := w.ok(http.StatusOK, "GET", `/?filter=serial eq "bulk" or meta.resourceType eq "User"`, ""); list.body["totalResults"] != 1.0 {
			w.Errorf("%s", list.text)
		}
		id := w.made(`"userName":"ann","` + extraURN + `":{"badge":7,"tag-set_2":["x"]}`)
		changed := w.ok(http.StatusOK, "PATCH", "/Users/"+id, patch(`{"op":"Add","value":{"`+extraURN+`:tag-set_2":["y"]}}`, `{"op":"replace","path":"`+extraURN+`:badge","value":8}`))
		w.same("an extension of User", w.without(changed), `{"userName":"ann","active":true,"`+extraURN+`":{"badge":8,"tag-set_2":["x","y"]}}`)
		if found := w.found("/Users", strings.ToUpper(extraURN)+`:tag-set_2 eq "Y" and `+extraURN+`:badge ge 8`); !slices.Equal(found, []string{"ann"}) {
			w.Errorf("%v", found)
		}
		w.secret = w.token("Elsewhere")
		w.refused(http.StatusNotFound, "", "GET", "/Devices", "")
		w.refused(http.StatusNotFound, "", "GET", "/ResourceTypes/Device", "")
		w.same("not declared there", w.without(w.ok(http.StatusCreated, "POST", "/Users", userWith(`"userName":"bob","`+extraURN+`":{"badge":7}`))), `{"userName":"bob","active":true}`)
		w.refused(http.StatusBadRequest, "invalidFilter", "GET", "/Users?filter="+extraURN+":badge pr", "")
	})
}
