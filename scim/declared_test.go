package scim_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"muster/domain"
	"muster/scim"
)

const (
	badgeURN  = "urn:acme_1:params:scim:schemas:extension:badge-card:2.0:User"
	deviceURN = "urn:acme:params:scim:schemas:core:2.0:Device"
)

// everyKind is a schema with every type and characteristic (RFC 7643 section 7).
const everyKind = `[
	{"name":"serial","required":true,"uniqueness":"server","caseExact":true},
	{"name":"label","caseExact":true},
	{"name":"weight","type":"decimal"},{"name":"cores","type":"integer"},{"name":"shared","type":"boolean"},
	{"name":"bought","type":"dateTime"},{"name":"key","type":"binary"},{"name":"owner","type":"reference","referenceTypes":["User"]},
	{"name":"maker","mutability":"immutable"},{"name":"assetTag","mutability":"readOnly"},{"name":"pin","mutability":"writeOnly"},
	{"name":"badge","returned":"always"},{"name":"note","returned":"request"},{"name":"tags","multiValued":true},
	{"name":"ports","type":"complex","multiValued":true,"subAttributes":[
		{"name":"value","required":true},{"name":"type","canonicalValues":["usb","hdmi"]},{"name":"primary","type":"boolean"},{"name":"speed","type":"integer"}]},
	{"name":"place","type":"complex","subAttributes":[{"name":"room"},{"name":"code","returned":"never"}]}]`

// declare declares schemas and resource types for the default organization.
func (w *world) declare(text string) {
	w.Helper()
	var d domain.Definitions
	w.must(json.Unmarshal([]byte(text), &d))
	_, err := w.service.SetSCIMDefinitions(w.Context(), w.commandLine(""), d)
	w.must(err)
}

func (w *world) devices() {
	w.declare(`{"schemas":[{"id":"` + deviceURN + `","name":"Device","description":"A device.","attributes":` + everyKind + `},
		{"id":"` + badgeURN + `","attributes":[{"name":"number","uniqueness":"server"},{"name":"level","type":"integer"}]}],
		"resourceTypes":[{"name":"Device","description":"Device","endpoint":"/Devices","schema":"` + deviceURN + `","schemaExtensions":[{"schema":"` + badgeURN + `"}]},
		{"name":"User","schemaExtensions":[{"schema":"` + badgeURN + `","required":false}]}]}`)
}

func device(attributes string) string {
	return `{"schemas":["` + deviceURN + `"],` + attributes + `}`
}

// S17, R22: a declared resource type has the whole machinery.
func TestDeclaredResourceType(t *testing.T) {
	onEngines(t, func(w *world) {
		w.refused(http.StatusNotFound, "", "GET", "/Devices", "")
		w.devices()
		made := w.ok(http.StatusCreated, "POST", "/Devices", device(`"externalId":"d1","serial":"S1","label":"Alpha","weight":1.5,"cores":8,"shared":"True",
			"bought":"2026-01-31T09:30:00+01:00","key":"c2VjcmV0","owner":"https://x.test/u","maker":"M","assetTag":"ignored","pin":"1234","badge":"b","note":"n","tags":["a","b","a"],
			"ports":[{"value":"p1","type":"usb","primary":true,"speed":5},{"value":"p2","type":"hdmi"}],"place":{"room":"R","code":"C"},"unknown":1`))
		id, _ := made.body["id"].(string)
		want := `{"schemas":["` + deviceURN + `"],"externalId":"d1","serial":"S1","label":"Alpha","weight":1.5,"cores":8,"shared":true,
			"bought":"2026-01-31T09:30:00+01:00","key":"c2VjcmV0","owner":"https://x.test/u","maker":"M","badge":"b","tags":["a","b"],
			"ports":[{"value":"p1","type":"usb","primary":true,"speed":5},{"value":"p2","type":"hdmi"}],"place":{"room":"R"}`
		location := publicURL + "/scim/v2/Devices/" + id
		meta := `,"id":"` + id + `","meta":{"resourceType":"Device","created":"2026-03-01T09:00:02Z","lastModified":"2026-03-01T09:00:02Z","version":"W/\"1\"","location":"` + location + `"}}`
		w.same("created, with what is returned on request because it was written (R21)", made.text, want+`,"note":"n"`+meta)
		w.same("read", w.ok(http.StatusOK, "GET", "/Devices/"+id, "").text, want+meta)
		w.same("asked for", w.ok(http.StatusOK, "GET", "/Devices/"+id+"?attributes=note,pin,place.code", "").text,
			`{"schemas":["`+deviceURN+`"],"id":"`+id+`","note":"n","badge":"b"}`)
		other, _ := w.ok(http.StatusCreated, "POST", "/devices/", device(`"serial":"s1","label":"beta","weight":20,"cores":16`)).body["id"].(string)
		for filter, found := range map[string][]string{
			`serial eq "S1"`: {id}, `label sw "A"`: {id}, `label sw "a"`: {}, `weight gt 1.49 and weight lt 2`: {id}, `cores ge 16`: {other}, `shared eq true`: {id},
			`bought lt "2026-01-31T08:30:01Z"`: {id}, `key eq "c2VjcmV0"`: {id}, `owner sw "https"`: {id}, `tags eq "B"`: {id},
			`ports[type eq "usb" and speed gt 4]`: {id}, `ports[type eq "hdmi"].value eq "p2"`: {id}, `place.room eq "r"`: {id}, `not (ports pr)`: {other},
			deviceURN + `:serial eq "s1"`: {other}, `externalId eq "d1"`: {id}, `meta.resourceType eq "Device"`: {id, other}, `note pr`: {id}, `id eq "` + id + `"`: {id},
			`meta.location eq "` + location + `"`: {id},
		} {
			w.finds("/Devices", filter, found...)
		}
		for _, bad := range []string{`nothing eq 1`, `key gt "a"`, `shared gt true`, `pin eq "1234"`, `weight eq "1"`} {
			w.refused(http.StatusBadRequest, "invalidFilter", "GET", "/Devices?filter="+bad, "")
		}
		for order, sorted := range map[string][]string{
			"sortBy=weight": {id, other}, "sortBy=weight&sortOrder=descending": {other, id}, "sortBy=bought": {id, other}, "sortBy=label": {id, other}, "sortBy=ports": {id, other},
		} {
			if got := idList(w.ok(http.StatusOK, "GET", "/Devices?"+order, "")); !reflect.DeepEqual(got, sorted) {
				w.Errorf("%s: %v, want %v", order, got, sorted)
			}
		}
		patched := w.ok(http.StatusOK, "PATCH", "/Devices/"+id, patch(`{"op":"replace","path":"ports[type eq \"usb\"].speed","value":10}`, `{"op":"remove","path":"place"}`,
			`{"op":"add","path":"`+badgeURN+`:level","value":3}`))
		if patched.header.Get("ETag") != `W/"2"` || dig(patched.body, badgeURN, "level") != 3.0 || patched.body["place"] != nil {
			w.Errorf("patched: %s", patched.text)
		}
		for _, c := range []struct {
			status                       int
			scimType, method, path, body string
		}{
			{409, "uniqueness", "POST", "/Devices", device(`"serial":"S1"`)},
			{409, "uniqueness", "POST", "/Devices", device(`"serial":"S2","externalId":"d1"`)},
			{409, "uniqueness", "PATCH", "/Devices/" + other, patch(`{"op":"replace","path":"serial","value":"S1"}`)},
			{400, "invalidValue", "POST", "/Devices", device(`"label":"no serial"`)},
			{400, "invalidValue", "POST", "/Devices", device(`"serial":"x","cores":1.5`)},
			{400, "invalidValue", "POST", "/Devices", device(`"serial":"x","ports":[{"speed":1}]`)},
			{400, "invalidValue", "POST", "/Devices", device(`"serial":"x","bought":"yesterday"`)},
			{400, "invalidSyntax", "POST", "/Devices", `{"serial":"x"}`},
			{400, "mutability", "PATCH", "/Devices/" + id, patch(`{"op":"replace","path":"maker","value":"N"}`)},
			{400, "mutability", "PATCH", "/Devices/" + id, patch(`{"op":"replace","path":"assetTag","value":"N"}`)},
			{400, "mutability", "PUT", "/Devices/" + id, device(`"serial":"S1"`)},
			{412, "", "DELETE", "/Devices/" + id, ""},
		} {
			w.refused(c.status, c.scimType, c.method, c.path, c.body, "If-Match", map[bool]string{true: `W/"9"`}[c.status == 412])
		}
		w.ok(http.StatusOK, "PUT", "/Devices/"+id, device(`"serial":"S9","maker":"M"`))
		w.ok(http.StatusCreated, "POST", "/Devices", device(`"serial":"S1"`)) // the value is free again
		w.ok(http.StatusNoContent, "DELETE", "/Devices/"+id, "")
		w.refused(http.StatusNotFound, "", "GET", "/Devices/"+id, "")
		w.ok(http.StatusCreated, "POST", "/Devices", device(`"serial":"S9"`))
	})
}

// finds checks which resources a filter finds.
func (w *world) finds(endpoint, filter string, ids ...string) {
	w.Helper()
	got := w.ok(http.StatusOK, "GET", endpoint+"?filter="+filter, "")
	if found := idList(got); !reflect.DeepEqual(found, append([]string{}, ids...)) {
		w.Errorf("%s: %v, want %v", filter, found, ids)
	}
}

func idList(got reply) []string {
	ids := []string{}
	list, _ := got.body["Resources"].([]any)
	for _, element := range list {
		id, _ := dig(element, "id").(string)
		ids = append(ids, id)
	}
	return ids
}

// S17, S14, R20, R63: a declared extension of User, with what discovery says of it; a URN with "_" and "-" confuses nothing (O31, F3).
func TestDeclaredExtension(t *testing.T) {
	onEngines(t, func(w *world) {
		before := w.ok(http.StatusCreated, "POST", "/Users", userWith(`"userName":"early","`+badgeURN+`":{"number":"0"}`)) // dropped: nothing declares it
		w.devices()
		ann, _ := w.ok(http.StatusCreated, "POST", "/Users", userWith(`"userName":"ann","`+strings.ToUpper(badgeURN)+`":{"NUMBER":"7","level":1}`)).body["id"].(string)
		w.refused(http.StatusConflict, "uniqueness", "POST", "/Users", userWith(`"userName":"bob","`+badgeURN+`":{"number":"7"}`))
		bob, _ := w.ok(http.StatusCreated, "POST", "/Users", userWith(`"userName":"bob","`+badgeURN+`":{"number":"8"}`)).body["id"].(string)
		w.finds("/Users", badgeURN+`:number eq "7"`, ann)
		w.finds("/Users", badgeURN+`:level pr or userName eq "BOB"`, ann, bob)
		w.refused(http.StatusConflict, "uniqueness", "PATCH", "/Users/"+bob, patch(`{"op":"replace","path":"`+badgeURN+`:number","value":"7"}`))
		w.ok(http.StatusNoContent, "DELETE", "/Users/"+ann, "")
		w.ok(http.StatusOK, "PATCH", "/Users/"+bob, patch(`{"op":"replace","value":{"`+badgeURN+`:number":"7"}}`))
		id, _ := before.body["id"].(string)
		if got := w.ok(http.StatusOK, "GET", "/Users/"+id, ""); strings.Contains(got.text, badgeURN) {
			w.Errorf("what nothing declared was kept: %s", got.text)
		}
		types := w.ok(http.StatusOK, "GET", "/ResourceTypes", "")
		schemas := w.ok(http.StatusOK, "GET", "/Schemas/"+deviceURN, "")
		if types.body["totalResults"] != 3.0 || !strings.Contains(types.text, `"endpoint":"/Devices"`) || !strings.Contains(types.text, badgeURN) {
			w.Errorf("%s", types.text)
		}
		if attributes, _ := schemas.body["attributes"].([]any); len(attributes) != 16 || dig(attributes[10], "returned") != "never" || dig(attributes[0], "uniqueness") != "server" {
			w.Errorf("%s", schemas.text)
		}
		w.declare(`{}`) // what nothing declares any more is not shown
		if got := w.ok(http.StatusOK, "GET", "/Users/"+bob, ""); strings.Contains(got.text, badgeURN) {
			w.Errorf("%s", got.text)
		}
		w.refused(http.StatusNotFound, "", "GET", "/Devices", "")
	})
}

// S17, R20: an extension that every User must have; who was there before can still be deactivated.
func TestRequiredExtension(t *testing.T) {
	onEngines(t, func(w *world) {
		early := w.made(`"userName":"early"`)
		w.declare(`{"schemas":[{"id":"` + badgeURN + `","attributes":[{"name":"number","required":true}]}],
			"resourceTypes":[{"name":"User","schemaExtensions":[{"schema":"` + badgeURN + `","required":true}]}]}`)
		w.refused(http.StatusBadRequest, "invalidValue", "POST", "/Users", userWith(`"userName":"ann"`))
		ann := w.made(`"userName":"ann","` + badgeURN + `":{"number":"1"}`)
		w.refused(http.StatusBadRequest, "mutability", "PATCH", "/Users/"+ann, patch(`{"op":"remove","path":"`+badgeURN+`"}`))
		w.ok(http.StatusOK, "PATCH", "/Users/"+early, patch(`{"op":"replace","path":"active","value":false}`))
	})
}

// S17: declarations belong to one organization, and those of the installation to all.
func TestDeclarationsAndOrganizations(t *testing.T) {
	w := onSQLite(t)
	_, err := w.service.CreateOrganizationByHand(t.Context(), "Elsewhere")
	w.must(err)
	w.devices()
	w.made(`"userName":"ann","` + badgeURN + `":{"number":"1"}`)
	home := w.secret
	w.secret = w.token("Elsewhere")
	w.refused(http.StatusNotFound, "", "GET", "/Devices", "")
	w.refused(http.StatusBadRequest, "invalidFilter", "GET", "/Users?filter="+badgeURN+`:number eq "1"`, "")
	var all domain.Definitions
	w.must(json.Unmarshal([]byte(`{"schemas":[{"id":"urn:x:y","attributes":[{"name":"a"}]}],"resourceTypes":[{"name":"Thing","endpoint":"/Things","schema":"urn:x:y"}]}`), &all))
	w.service = w.serviceWith(domain.Policy{Definitions: all})
	w.handler = w.server(scim.Limits{})
	for _, secret := range []string{w.secret, home} {
		w.secret = secret
		w.ok(http.StatusCreated, "POST", "/Things", `{"schemas":["urn:x:y"],"a":"b"}`)
	}
	w.ok(http.StatusOK, "GET", "/Devices", "") // home, beside its own
}

// S17: what makes no sense is refused, naming the place.
func TestBadDeclarations(t *testing.T) {
	w := onSQLite(t)
	schema := func(attributes string) string {
		return `{"schemas":[{"id":"urn:x:y","attributes":[` + attributes + `]}]}`
	}
	for body, field := range map[string]string{
		`{"schemas":[{"id":"x","attributes":[{"name":"a"}]}]}`:                                                                     "schemas[0].id",
		`{"schemas":[{"id":"urn:ietf:params:scim:schemas:core:2.0:User","attributes":[{"name":"a"}]}]}`:                            "schemas[0].id",
		`{"schemas":[{"id":"urn:x:y"}]}`:                                                                                           "schemas[0].attributes",
		schema(`{"name":"1a"}`):                                                                                                    "schemas[0].attributes[0].name",
		schema(`{"name":"id"}`):                                                                                                    "schemas[0].attributes[0].name",
		schema(`{"name":"a"},{"name":"A"}`):                                                                                        "schemas[0].attributes[1].name",
		schema(`{"name":"a","type":"text"}`):                                                                                       "schemas[0].attributes[0].type",
		schema(`{"name":"a","mutability":"never"}`):                                                                                "schemas[0].attributes[0].mutability",
		schema(`{"name":"a","type":"complex"}`):                                                                                    "schemas[0].attributes[0].subAttributes",
		schema(`{"name":"a","type":"complex","subAttributes":[{"name":"b","type":"complex"}]}`):                                    "schemas[0].attributes[0].subAttributes[0].subAttributes",
		schema(`{"name":"a","required":true,"mutability":"readOnly"}`):                                                             "schemas[0].attributes[0].required",
		schema(`{"name":"a","type":"boolean","uniqueness":"server"}`):                                                              "schemas[0].attributes[0].uniqueness",
		`{"resourceTypes":[{"name":"Device","endpoint":"/Devices","schema":"urn:none"}]}`:                                          "resourceTypes[0].schema",
		`{"resourceTypes":[{"name":"User","endpoint":"/Persons"}]}`:                                                                "resourceTypes[0].schema",
		`{"resourceTypes":[{"name":"User","schemaExtensions":[{"schema":"urn:none"}]}]}`:                                           "resourceTypes[0].schemaExtensions[0].schema",
		strings.TrimSuffix(schema(`{"name":"a"}`), "}") + `,"resourceTypes":[{"name":"D","endpoint":"/Bulk","schema":"urn:x:y"}]}`: "resourceTypes[0].endpoint",
	} {
		var d domain.Definitions
		w.must(json.Unmarshal([]byte(body), &d))
		_, err := w.service.SetSCIMDefinitions(t.Context(), w.commandLine(""), d)
		if !domain.IsKind(err, domain.Invalid) || domain.AsError(err).Field != field {
			t.Errorf("%s: %v on %q, want %q", body, err, domain.AsError(err).Field, field)
		}
	}
	w.devices()
	w.ok(http.StatusCreated, "POST", "/Devices", device(`"serial":"1"`))
	if _, err := w.service.SetSCIMDefinitions(t.Context(), w.commandLine(""), domain.Definitions{}); !domain.IsKind(err, domain.Conflict) {
		t.Errorf("a type with resources was forgotten: %v", err)
	}
}
