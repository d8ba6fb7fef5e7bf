package scim_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"muster/scim/schema"
)

// What elimity's server and its filter parser do wrong (B1-B34, F1-F12), asked of ours: none of it may show through.
// B7 and B20 are TestLibraryAliasing, B8 the tests of sorting, cursors, projection, bulk and root queries, B17 is of no core attribute.
// B29, B30, B31 and B33 are TestPathsAndMethods, TestVersions, TestErrorKinds and TestDiscoveryLists besides.

// libraryUser is the person of the tables below.
const libraryUser = `"userName":"ann","externalId":"e1","title":"é \"q\" \\ /","active":true,"name":{"familyName":"Lee"},
	"emails":[{"type":"work","value":"ann@x.test","primary":true},{"type":"home","value":"h@x.test"}],
	"roles":[{"value":"r","primary":"True"}],"` + schema.EnterpriseURN + `":{"department":"D"}`

// B1-B6, B27, F1-F11: filters.
func TestLibraryFilterDefects(t *testing.T) {
	onEngines(t, func(w *world) {
		id := w.made(libraryUser)
		const found, none = true, false
		for _, c := range []struct {
			item, filter string
			want         bool
		}{
			{"B1 externalId", `externalId eq "e1"`, found},
			{"B1 id", `id eq "` + id + `"`, found},
			{"B1 meta", `meta.lastModified pr and meta.resourceType eq "User"`, found},
			{"B1 schemas", `schemas eq "` + schema.EnterpriseURN + `"`, found},
			{"B2 co on a complex attribute", `emails co "ann"`, found},
			{"B2 eq on a complex attribute", `emails eq "h@x.test"`, found},
			{"B3 value of several", `emails.value eq "h@x.test"`, found},
			{"B3 type of several", `emails.type eq "home"`, found},
			{"B4 value path and sub-attribute", `emails[type eq "work"].value eq "ann@x.test"`, found},
			{"B4 of another element", `emails[type eq "work"].value eq "h@x.test"`, none},
			{"B5 two schemas", `userName eq "ann" and ` + schema.EnterpriseURN + `:department eq "d"`, found},
			{"B5 a URN in another case", strings.ToLower(schema.EnterpriseURN) + `:department eq "d"`, found},
			{"B6 eq null", `nickName eq null`, found},
			{"B6 ne of the absent", `nickName ne "x"`, found},
			{"B6 a boolean in a string", `active eq "True"`, found},
			{"B27 in a value path", `roles[primary eq "True"]`, found},
			{"F1 three terms in brackets", `emails[type eq "work" and value sw "a" and primary eq true]`, found},
			{"F1 parentheses in brackets", `emails[(type eq "work" or type eq "x") and not (value sw "h")]`, found},
			{"F2 behind brackets", `emails[type eq "home"].value sw "h"`, found},
			{"F5 an escaped quote", `title co "\"q\""`, found},
			{"F5 an escaped backslash", `title co "\\ "`, found},
			{"F5 lower-case hex", `title sw "\u00e9"`, found},
			{"F5 upper-case hex", `title sw "\u00E9"`, found},
			{"F5 a quote at the end", `title ew "q\""`, none},
			{"F5 an escaped slash", `title ew "\/"`, found},
			{"F6 spaces around", " \t userName eq \"ann\" \t ", found},
			{"F10, F11 precedence", `nickName pr and userName eq "x" or userName eq "ann"`, found},
			{"F10, F11 parentheses", `nickName pr and (userName eq "x" or userName eq "ann")`, none},
			{"F11 not", `not (userName eq "x") and userName eq "ann"`, found},
		} {
			got := w.ok(http.StatusOK, "GET", "/Users?filter="+url.QueryEscape(c.filter), "")
			if (len(userNames(got)) == 1) != c.want || len(userNames(got)) > 1 {
				w.Errorf("%s: %s: %s", c.item, c.filter, got.text)
			}
		}
	})
}

// B2, B6, F3, F4, F7-F9, F12: what the library takes, or dies of, is refused.
func TestLibraryFilterRefusals(t *testing.T) {
	w := onSQLite(t)
	w.made(libraryUser)
	for item, filter := range map[string]string{
		"B2 a complex attribute without a value": `name eq "x"`,
		"B2 a complex attribute, co":             `name co "x"`,
		"B6 booleans have no order":              `active gt true`,
		"B6 a number for a string":               `userName gt 5`,
		"F3 an unknown URN with odd letters":     `urn:okta:custom_app-1/x:2.0:User:a eq "b"`,
		"F4 a URN alone":                         schema.EnterpriseURN + ` pr`,
		"F7 a number too large":                  `userName eq 99999999999999999999`,
		"F8 no space":                            `userName eq "x"and title pr`,
		"F9 True":                                `active eq True`,
		"F9 NULL":                                `title eq NULL`,
		"F12 parentheses":                        strings.Repeat("(", 100_000) + `title pr` + strings.Repeat(")", 100_000),
		"F12 open parentheses":                   strings.Repeat("(", 100_000),
		"F12 nots":                               strings.Repeat("not (", 50_000),
		"F12 brackets":                           strings.Repeat("emails[", 50_000),
		"F12 terms":                              `title pr` + strings.Repeat(" and title pr", 10_000),
		"F12 a long string":                      `title eq "` + strings.Repeat("x", 1<<20) + `"`,
	} {
		w.isError(w.send("POST", "/Users/.search", searchRequest(`,"filter":`+quote(t, filter))), map[bool]int{true: 413, false: 400}[len(filter) >= 1<<20],
			map[bool]string{true: "", false: "invalidFilter"}[len(filter) >= 1<<20], item)
		if len(filter) < 1<<20 {
			w.isError(w.send("GET", "/Users?filter="+url.QueryEscape(filter), ""), 400, "invalidFilter", item)
		}
		for _, path := range []string{"emails[" + filter + "].value", "emails[" + filter} {
			if got := w.send("PATCH", "/Users/x", patch(`{"op":"remove","path":`+quote(t, path)+`}`)); got.status != 400 && got.status != 413 {
				t.Errorf("%s in a path: %d %s", item, got.status, got.text)
			}
		}
	}
	if got := w.ok(http.StatusOK, "GET", "/Users", ""); got.body["totalResults"] != 1.0 {
		t.Error(got.text)
	}
}

// B10-B16, B18: what is created, and how it is answered.
func TestLibraryCreateDefects(t *testing.T) {
	onEngines(t, func(w *world) {
		const e = schema.EnterpriseURN
		core := func(attributes string) string {
			return `{"schemas":["` + schema.UserURN + `"],"userName":"u",` + attributes + `}`
		}
		for _, c := range []struct {
			item, body string
			status     int
			want       string
		}{
			{"B11 no schemas", `{"userName":"u"}`, 400, "invalidSyntax"},
			{"B12 no userName", `{"schemas":["` + schema.UserURN + `"],"userName":""}`, 400, "invalidValue"},
			{"B12 two primaries", core(`"emails":[{"value":"a@x.test","primary":true},{"value":"b@x.test","primary":true}]`), 400, "invalidValue"},
			{"B12 repeats", core(`"emails":[{"value":"a@x.test","type":"work"},{"value":"a@x.test","type":"work"}]`), 201, `{"userName":"u","active":true,"emails":[{"value":"a@x.test","type":"work"}]}`},
			{"B13 an object for a list", core(`"emails":{"value":"a@x.test"}`), 201, `{"userName":"u","active":true,"emails":[{"value":"a@x.test"}]}`},
			{"B14 an empty list", core(`"emails":[],"roles":[]`), 201, `{"userName":"u","active":true}`},
			{"B15 a URN in another case", core(`"` + strings.ToUpper(e) + `":{"department":"D"}`), 201, `{"userName":"u","active":true,"` + e + `":{"department":"D"}}`},
			{"B16 base64url", core(`"x509Certificates":[{"value":"-_-_"}]`), 201, `{"userName":"u","active":true,"x509Certificates":[{"value":"-_-_"}]}`},
			{"B16 no padding", core(`"x509Certificates":[{"value":"QQ"}]`), 201, `{"userName":"u","active":true,"x509Certificates":[{"value":"QQ"}]}`},
			{"B18 more after the JSON", core(`"title":"x"`) + ` {"userName":"v"}`, 400, "invalidSyntax"},
			{"B18 nothing but a brace", `{`, 400, "invalidSyntax"},
			{"B18 too large", core(`"title":"` + strings.Repeat("x", 1<<20) + `"`), 413, ""},
			{"B27 a boolean in a string", core(`"active":"False"`), 201, `{"userName":"u","active":false}`},
		} {
			w.exchange(exchange{c.item, "POST", "/Users", c.body, c.status, c.want}, strings.NewReplacer().Replace)
			w.empty()
		}
		got := w.ok(http.StatusCreated, "POST", "/Users", core(`"title":"x"`))
		id, _ := got.body["id"].(string)
		if want := publicURL + "/scim/v2/Users/" + id; got.header.Get("Location") != want || dig(got.body, "meta", "location") != want { // B10
			w.Errorf("B10: %v %s", got.header, got.text)
		}
		if schemas, _ := got.body["schemas"].([]any); len(schemas) != 1 { // B11
			w.Errorf("B11: %v", schemas)
		}
		w.refused(409, "uniqueness", "POST", "/Users", core(`"title":"x"`)) // B12
		if list := w.ok(200, "GET", "/Users?count=50", ""); list.body["itemsPerPage"] != 1.0 {
			w.Errorf("B9: %s", list.text)
		}
		if list := w.ok(200, "GET", "/Groups", ""); !strings.Contains(list.text, `"Resources":[]`) {
			w.Errorf("B9: %s", list.text)
		}
	})
}

// B21-B28: PATCH, as Entra and Okta send it.
func TestLibraryPatchDefects(t *testing.T) {
	w := onSQLite(t)
	const e = schema.EnterpriseURN
	w.patches([]patched{
		{"B21 dotted keys", "", `{"op":"Replace","value":{"name.givenName":"G"}}`, `"name":{"givenName":"G"}`},
		{"B21 URN keys", "", `{"op":"Add","value":{"` + e + `:department":"D"}}`, `"` + e + `":{"department":"D"}`},
		{"B21 filtered keys", "", `{"op":"Add","value":{"emails[type eq \"work\"].value":"w@x.test"}}`, `"emails":[{"type":"work","value":"w@x.test"}]`},
		{"B22 a URN as path", "", `{"op":"add","path":"` + e + `","value":{"department":"D"}}`, `"` + e + `":{"department":"D"}`},
		{"B22 a URN as key", "", `{"op":"add","value":{"` + e + `":{"department":"D"}}}`, `"` + e + `":{"department":"D"}`},
		{"B23 the manager as a string", "", `{"op":"Add","path":"` + e + `:manager","value":"m"}`, `"` + e + `":{"manager":{"value":"m"}}`},
		{"B23 no manager", `"` + e + `":{"manager":{"value":"m"}}`, `{"op":"Replace","path":"` + e + `:manager","value":""}`, ``},
		{"B24 null", `"title":"T"`, `{"op":"replace","path":"title","value":null}`, ``},
		{"B28 one value behind a filter", `"ims":[{"type":"a","value":"1"}]`, `{"op":"replace","path":"ims[type eq \"a\"].value","value":"2"}`, `"ims":[{"type":"a","value":"2"}]`},
		{"F3, F4 the core URN", "", `{"op":"add","path":"` + schema.UserURN + `:title","value":"T"}`, `"title":"T"`},
	})
	id := w.made(`"userName":"x"`)
	more := strings.Replace(patch(`{"op":"add","path":"title","value":"T"}`), `["`, `["urn:more","`, 1)
	w.ok(200, "PATCH", "/Users/"+id, more) // B25
	for _, c := range []struct{ item, operation, scimType string }{
		{"B26 remove without a path", `{"op":"remove"}`, "noTarget"},
		{"B26 id", `{"op":"replace","path":"id","value":"x"}`, "mutability"},
		{"B26 meta", `{"op":"replace","path":"meta.created","value":"2026-01-01T00:00:00Z"}`, "mutability"},
		{"B26 groups", `{"op":"add","path":"groups","value":[{"value":"x"}]}`, "mutability"},
		{"B26 a required attribute", `{"op":"remove","path":"userName"}`, "mutability"},
	} {
		w.refused(400, c.scimType, "PATCH", "/Users/"+id, patch(c.operation))
	}
}

// B29-B34: the frame and discovery.
func TestLibraryFrameDefects(t *testing.T) {
	w := onSQLite(t)
	id := w.create("ann@x.test")
	w.ok(200, "GET", "/Users/", "")
	w.ok(200, "GET", "/Groups/", "")
	w.exchanges([]exchange{
		{"B29 another method", "PUT", "/Users", "{}", 405, ""},
		{"B29 no endpoint", "GET", "/Usersx", "", 404, ""},
		{"B29 another version", "GET", "/v2/Users", "", 404, ""},
		{"B33 every schema", "GET", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig", "", 200, ""},
	})
	if got := w.refused(401, "", "GET", "/Users", "", "Authorization", "Bearer x"); got.header.Get("WWW-Authenticate") == "" {
		t.Error("B29: no WWW-Authenticate")
	}
	w.ok(304, "GET", "/Users/"+id, "", "If-None-Match", `W/"1"`)                                                    // B30
	w.refused(412, "", "PUT", "/Users/"+id, person("ann@x.test"), "If-Match", `W/"5"`)                              // B30
	w.ok(200, "POST", "/Users/.search", searchRequest(""))                                                          // B29
	w.refused(403, "", "GET", "/Schemas?filter=id pr", "")                                                          // B9
	for _, path := range []string{"/ServiceProviderConfig", "/ResourceTypes", "/ResourceTypes/Group", "/Schemas"} { // B32: read refuses empty strings
		got := w.ok(200, "GET", path, "")
		resources, isList := got.body["Resources"].([]any)
		if !isList {
			resources = []any{got.body}
		}
		for _, resource := range resources {
			if location, _ := dig(resource, "meta", "location").(string); !strings.HasPrefix(location, publicURL+"/scim/v2/") {
				t.Errorf("B32: %s: %v", path, dig(resource, "meta"))
			}
		}
	}
	team := w.createGroup("Team", id)
	if found := userNames(w.ok(200, "GET", `/Groups?filter=members.value eq "`+strings.ToUpper(id)+`"`, "")); len(found) != 0 { // B34
		t.Errorf("B34: %v in %s", found, team)
	}
	w.refused(409, "uniqueness", "POST", "/Groups", group("team")) // B34
}

// B7, B20: requests at once share nothing that one of them changes; run with the race detector.
func TestLibraryAliasing(t *testing.T) {
	w := onSQLite(t)
	id := w.made(libraryUser)
	var running sync.WaitGroup
	texts := make([]string, 8)
	for i := range texts {
		running.Go(func() {
			for range 5 {
				r := httptest.NewRequestWithContext(t.Context(), "GET", "/scim/v2/Users?attributes=emails,name,"+schema.EnterpriseURN+"&filter="+url.QueryEscape(`id eq "`+id+`"`), nil)
				r.Header.Set("Authorization", "Bearer "+w.secret)
				recorder := httptest.NewRecorder()
				w.handler.ServeHTTP(recorder, r)
				texts[i] = recorder.Body.String()
			}
		})
	}
	running.Wait()
	if different := slices.Compact(texts); len(different) != 1 || !strings.Contains(different[0], `"totalResults":1`) {
		t.Errorf("%v", different)
	}
}
