package scim_test

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"muster/scim/schema"
)

// patched is a PATCH of a document: what it holds before, the operations, and what it holds after.
type patched struct{ item, before, operations, after string }

const (
	babsEmails = `"emails":[{"value":"bjensen@example.com","type":"work","primary":true}]`
	homeEmail  = `{"value":"babs@jensen.org","type":"home"}`
	oldAddress = `{"type":"work","streetAddress":"1 Old Road","region":"XX"}`
	newAddress = `{"type":"work","streetAddress":"911 Universal City Plaza","locality":"Hollywood","region":"CA","postalCode":"91608",
		"country":"US","formatted":"911 Universal City Plaza\nHollywood, CA 91608 US","primary":true}`
	enterprise = schema.EnterpriseURN
)

// The examples of RFC 7644 section 3.5.2 that change Users, each with what was there and what is there after (R100-R106).
func TestRFC7644PatchExamples(t *testing.T) {
	onEngines(t, func(w *world) {
		w.patches([]patched{
			{
				"3.5.2.1 add without a path", babsEmails, `{"op":"add","value":{"emails":[` + homeEmail + `],"nickname":"Babs"}}`,
				`"emails":[{"value":"bjensen@example.com","type":"work","primary":true},` + homeEmail + `],"nickName":"Babs"`,
			},
			{
				"3.5.2.2 remove by a filter of two terms", `"emails":[{"value":"bjensen@example.com","type":"work"},{"value":"x@other.test","type":"work"},` + homeEmail + `]`,
				`{"op":"remove","path":"emails[type eq \"work\" and value ew \"example.com\"]"}`,
				`"emails":[{"value":"x@other.test","type":"work"},` + homeEmail + `]`,
			},
			{
				"3.5.2.3 replace an element", `"addresses":[{"type":"home","streetAddress":"2 Elsewhere"},` + oldAddress + `]`,
				`{"op":"replace","path":"addresses[type eq \"work\"]","value":` + newAddress + `}`,
				`"addresses":[{"type":"home","streetAddress":"2 Elsewhere"},` + newAddress + `]`,
			},
			{
				"3.5.2.3 replace a sub-attribute of an element", `"addresses":[{"type":"home","streetAddress":"2 Elsewhere"},` + oldAddress + `]`,
				`{"op":"replace","path":"addresses[type eq \"work\"].streetAddress","value":"1010 Broadway Ave"}`,
				`"addresses":[{"type":"home","streetAddress":"2 Elsewhere"},{"type":"work","streetAddress":"1010 Broadway Ave","region":"XX"}]`,
			},
			{
				"3.5.2.3 replace without a path", `"nickName":"B","emails":[{"value":"old@x.test","type":"other"}]`,
				`{"op":"replace","value":{"emails":[{"value":"bjensen@example.com","type":"work","primary":true},` + homeEmail + `],"nickname":"Babs"}}`,
				`"nickName":"Babs","emails":[{"value":"bjensen@example.com","type":"work","primary":true},` + homeEmail + `]`,
			},
		})
	})
}

// patches applies each PATCH to a new User, and once more, which must not change it unless the item says so.
func (w *world) patches(rows []patched) {
	w.Helper()
	for _, row := range rows {
		id := w.made(joined(`"userName":"p"`, row.before))
		got := w.send("PATCH", "/Users/"+id, patch(row.operations))
		if got.status != http.StatusOK {
			w.Errorf("%s: %s", row.item, got.text)
		} else {
			w.same(row.item, w.without(got), `{"userName":"p",`+joined(`"active":true`, row.after)+`}`)
			if read := w.ok(http.StatusOK, "GET", "/Users/"+id, ""); !reflect.DeepEqual(read.body, got.body) {
				w.Errorf("%s: read %s, answered %s", row.item, read.text, got.text)
			}
		}
		w.ok(http.StatusNoContent, "DELETE", "/Users/"+id, "")
	}
}

// joined joins attributes with a comma; either may be empty.
func joined(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "," + b
}

// The examples of RFC 7644 section 3.5.2 that change Groups (R103-R105).
func TestRFC7644PatchMembersExamples(t *testing.T) {
	onEngines(t, func(w *world) {
		babs, james, ann := w.create("babs@x.test"), w.create("james@x.test"), w.create("ann@x.test")
		member := func(id string) string {
			return `{"display":"Somebody Else","$ref":"https://example.com/v2/Users/` + id + `","value":"` + id + `"}`
		}
		for _, c := range []struct {
			item       string
			before     []string
			operations string
			after      []string
		}{
			{"3.5.2.1 add a member", []string{ann}, `{"op":"add","path":"members","value":[` + member(babs) + `]}`, []string{ann, babs}},
			{"3.5.2.1 add a member who is there", []string{babs}, `{"op":"add","path":"members","value":[` + member(babs) + `]}`, []string{babs}},
			{"3.5.2.2 remove a member", []string{ann, babs}, `{"op":"remove","path":"members[value eq \"` + babs + `\"]"}`, []string{ann}},
			{"3.5.2.2 remove all members", []string{ann, babs}, `{"op":"remove","path":"members"}`, []string{}},
			{"3.5.2.2 remove one, add one", []string{ann, babs}, `{"op":"remove","path":"members[value eq \"` + babs + `\"]"},{"op":"add","path":"members","value":[` + member(james) + `]}`, []string{ann, james}},
			{"3.5.2.2 remove all, add two", []string{ann}, `{"op":"remove","path":"members"},{"op":"add","path":"members","value":[` + member(babs) + `,` + member(james) + `]}`, []string{babs, james}},
			{"3.5.2.3 replace all members", []string{ann}, `{"op":"replace","path":"members","value":[` + member(babs) + `,` + member(james) + `]}`, []string{babs, james}},
		} {
			id := w.createGroup("Tour Guides", c.before...)
			w.ok(http.StatusNoContent, "PATCH", "/Groups/"+id, patch(c.operations))
			slices.Sort(c.after)
			if got := w.members(id); !reflect.DeepEqual(got, c.after) {
				w.Errorf("%s: got %v, want %v", c.item, got, c.after)
			}
			w.ok(http.StatusNoContent, "DELETE", "/Groups/"+id, "")
		}
	})
}

// R102-R108, S26-S34: what each operation makes of each kind of target.
func TestRFC7644PatchMeaning(t *testing.T) {
	w := onSQLite(t)
	two := `"emails":[{"value":"w@x.test","type":"work","primary":true},{"value":"h@x.test","type":"home"}]`
	const withE = `"` + enterprise + `":`
	w.patches([]patched{
		{"R103 add replaces a single value", `"title":"a"`, `{"op":"add","path":"title","value":"b"}`, `"title":"b"`},
		{"R103 add merges a complex value", `"name":{"givenName":"G","familyName":"F"}`, `{"op":"add","path":"name","value":{"familyName":"N"}}`, `"name":{"givenName":"G","familyName":"N"}`},
		{"R103 add to a sub-attribute", ``, `{"op":"add","path":"name.familyName","value":"N"}`, `"name":{"familyName":"N"}`},
		{
			"R103 add appends without repeats", two, `{"op":"add","path":"emails","value":[{"value":"h@x.test","type":"home"},{"value":"o@x.test","type":"other"}]}`,
			strings.TrimSuffix(two, "]") + `,{"value":"o@x.test","type":"other"}]`,
		},
		{"R103 add to matching elements", two, `{"op":"add","path":"emails[type eq \"home\"].display","value":"H"}`, `"emails":[{"value":"w@x.test","type":"work","primary":true},{"value":"h@x.test","type":"home","display":"H"}]`},
		{"R103 add creates the element", `"title":"a"`, `{"op":"add","path":"phoneNumbers[type eq \"mobile\" and primary eq true].value","value":"1"}`, `"title":"a","phoneNumbers":[{"type":"mobile","primary":true,"value":"1"}]`},
		{"R104 replace of the absent adds", ``, `{"op":"replace","path":"title","value":"a"}`, `"title":"a"`},
		{"R104 replace of a complex merges", `"name":{"givenName":"G","familyName":"F"}`, `{"op":"replace","path":"name","value":{"familyName":"N"}}`, `"name":{"givenName":"G","familyName":"N"}`},
		{"R104 null clears the sub-attribute it names", `"name":{"givenName":"G","familyName":"F"}`, `{"op":"replace","path":"name","value":{"givenName":null}}`, `"name":{"familyName":"F"}`},
		{"R104 null beside a value", `"name":{"givenName":"G","familyName":"F"}`, `{"op":"replace","path":"name","value":{"givenName":null,"middleName":"M"}}`, `"name":{"familyName":"F","middleName":"M"}`},
		{"E20 an empty string beside a value", `"name":{"givenName":"G","familyName":"F"}`, `{"op":"replace","value":{"name":{"givenName":"","middleName":"M"}}}`, `"name":{"familyName":"F","middleName":"M"}`},
		{"K2, S14 what nobody declares changes nothing", `"name":{"givenName":"G","familyName":"F"}`, `{"op":"replace","value":{"name":{"nope":"x"}}}`, `"name":{"givenName":"G","familyName":"F"}`},
		{"R107 what is read-only within a value changes nothing", withE + `{"manager":{"value":"m"}}`, `{"op":"replace","path":"` + enterprise + `:manager","value":{"displayName":"x"}}`, withE + `{"manager":{"value":"m"}}`},
		{"R104 replace of several replaces all", two, `{"op":"replace","path":"emails","value":[{"value":"n@x.test"}]}`, `"emails":[{"value":"n@x.test"}]`},
		{"R104 replace of the matching, whole", two, `{"op":"replace","path":"emails[type eq \"home\"]","value":{"value":"n@x.test","type":"other"}}`, `"emails":[{"value":"w@x.test","type":"work","primary":true},{"value":"n@x.test","type":"other"}]`},
		{"R104 the element's other sub-attributes go", `"emails":[{"value":"h@x.test","type":"home","display":"Old"}]`, `{"op":"replace","path":"emails[type eq \"home\"]","value":{"value":"n@x.test","type":"home"}}`, `"emails":[{"value":"n@x.test","type":"home"}]`},
		{"R104 replace a sub-attribute of all", `"ims":[{"value":"1","type":"a"},{"value":"2","type":"b"}]`, `{"op":"replace","path":"ims[value pr].display","value":"D"}`, `"ims":[{"value":"1","type":"a","display":"D"},{"value":"2","type":"b","display":"D"}]`},
		{"R105 remove what is not there", two, `{"op":"remove","path":"emails[type eq \"none\"]"},{"op":"remove","path":"title"},{"op":"remove","path":"name.givenName"}`, two},
		{"R105 remove a sub-attribute", `"name":{"givenName":"G","familyName":"F"}`, `{"op":"remove","path":"name.givenName"}`, `"name":{"familyName":"F"}`},
		{"R105 remove the last one", `"name":{"givenName":"G"},"ims":[{"value":"1"}]`, `{"op":"remove","path":"name.givenName"},{"op":"remove","path":"ims[value eq \"1\"]"}`, ``},
		{"R105 remove of matching sub-attributes", two, `{"op":"remove","path":"emails[type eq \"work\"].primary"}`, `"emails":[{"value":"w@x.test","type":"work"},{"value":"h@x.test","type":"home"}]`},
		{"S30 remove active means active", `"active":false`, `{"op":"remove","path":"active"}`, ``},
		{"R106 a new primary clears the old", two, `{"op":"replace","path":"emails[type eq \"home\"].primary","value":true}`, `"emails":[{"value":"w@x.test","type":"work","primary":false},{"value":"h@x.test","type":"home","primary":true}]`},
		{"R107 schemas is lenient", ``, `{"op":"add","path":"schemas","value":["` + enterprise + `"]}`, ``},
		{"R108 an extension's attribute", ``, `{"op":"add","path":"` + enterprise + `:costCenter","value":"C"}`, withE + `{"costCenter":"C"}`},
		{"R108 an extension's sub-attribute", ``, `{"op":"add","path":"` + enterprise + `:manager.value","value":"m"}`, withE + `{"manager":{"value":"m"}}`},
		{"R108 a URN in another case", ``, `{"op":"add","path":"` + strings.ToUpper(enterprise) + `:COSTCENTER","value":"C"}`, withE + `{"costCenter":"C"}`},
		{"R108 the core URN", ``, `{"op":"add","path":"` + schema.UserURN + `:name.givenName","value":"G"}`, `"name":{"givenName":"G"}`},
		{"R108 a whole extension by path", withE + `{"division":"D"}`, `{"op":"replace","path":"` + enterprise + `","value":{"costCenter":"C"}}`, withE + `{"division":"D","costCenter":"C"}`},
		{"R108 a whole extension by key", ``, `{"op":"add","value":{` + withE + `{"costCenter":"C"}}}`, withE + `{"costCenter":"C"}`},
		{"R108 the last attribute", withE + `{"division":"D"}`, `{"op":"remove","path":"` + enterprise + `:division"}`, ``},
		{"R108 remove a whole extension", withE + `{"division":"D","costCenter":"C"}`, `{"op":"remove","path":"` + enterprise + `"}`, ``},
		{
			"S27 keys are paths", two, `{"op":"add","value":{"name.givenName":"G","emails[type eq \"home\"].display":"H","` + enterprise + `:division":"D","` + schema.UserURN + `:title":"T"}}`,
			`"name":{"givenName":"G"},"title":"T","emails":[{"value":"w@x.test","type":"work","primary":true},{"value":"h@x.test","type":"home","display":"H"}],` + withE + `{"division":"D"}`,
		},
		{"R101 in order", ``, `{"op":"add","path":"title","value":"a"},{"op":"remove","path":"title"},{"op":"add","path":"nickName","value":"n"},{"op":"replace","path":"nickName","value":"m"}`, `"nickName":"m"`},
		{"R61 a filter's own logic", `"ims":[{"value":"1","type":"a"},{"value":"2","type":"b"},{"value":"3","type":"c"}]`, `{"op":"remove","path":"ims[type eq \"a\" or not (value lt \"3\")]"}`, `"ims":[{"value":"2","type":"b"}]`},
		{"R71 brackets in a filter's string", `"ims":[{"value":"]\"x","type":"a"},{"value":"2"}]`, `{"op":"remove","path":"ims[value eq \"]\\\"x\"]"}`, `"ims":[{"value":"2"}]`},
	})
}

// R100-R102, R105, R107, R109, S33-S35: what is refused, with which scimType, and that nothing of the request happened.
func TestRFC7644PatchErrors(t *testing.T) {
	w := onSQLite(t)
	id := w.made(`"userName":"p","title":"a","emails":[{"value":"w@x.test","type":"work"}],"` + enterprise + `":{"manager":{"value":"m"}}`)
	w.made(`"userName":"taken","externalId":"taken"`)
	before := w.ok(http.StatusOK, "GET", "/Users/"+id, "").text
	for _, c := range []struct {
		item, operation string
		status          int
		scimType        string
	}{
		{"R100 no op", `{"path":"title","value":"x"}`, 400, "invalidSyntax"},
		{"R100 another op", `{"op":"set","path":"title","value":"x"}`, 400, "invalidSyntax"},
		{"R100 op is no string", `{"op":1,"path":"title","value":"x"}`, 400, "invalidSyntax"},
		{"R100 no object", `"add"`, 400, "invalidSyntax"},
		{"R102 no such attribute", `{"op":"add","path":"nope","value":"x"}`, 400, "invalidPath"},
		{"R102 no such sub-attribute", `{"op":"add","path":"name.nope","value":"x"}`, 400, "invalidPath"},
		{"R102 no such URN", `{"op":"add","path":"urn:x:y:title","value":"x"}`, 400, "invalidPath"},
		{"R102 too deep", `{"op":"add","path":"name.givenName.x","value":"x"}`, 400, "invalidPath"},
		{"R102 a filter on one value", `{"op":"add","path":"title[value eq \"x\"]","value":"x"}`, 400, "invalidPath"},
		{"R102 behind a filter", `{"op":"add","path":"emails[type eq \"work\"]value","value":"x"}`, 400, "invalidPath"},
		{"R102 no filter", `{"op":"add","path":"emails[type]","value":"x"}`, 400, "invalidFilter"},
		{"R102 an open filter", `{"op":"add","path":"emails[type eq \"work\"","value":"x"}`, 400, "invalidFilter"},
		{"R102 an unknown name in a filter", `{"op":"remove","path":"emails[nope eq \"x\"]"}`, 400, "invalidFilter"},
		{"R102 a path of spaces", `{"op":"add","path":" ","value":"x"}`, 400, "invalidPath"},
		{"R103 add without a value", `{"op":"add","path":"title"}`, 400, "invalidValue"},
		{"R103 add of nothing", `{"op":"add"}`, 400, "invalidValue"},
		{"R103 add of no object", `{"op":"add","value":"x"}`, 400, "invalidValue"},
		{"R104 replace without a value", `{"op":"replace","path":"title"}`, 400, "invalidValue"},
		{"R104 replace finds nothing", `{"op":"replace","path":"emails[type eq \"home\"].value","value":"x"}`, 400, "noTarget"},
		{"R104 replace finds no element", `{"op":"replace","path":"emails[value eq \"none\"]","value":{"value":"x"}}`, 400, "noTarget"},
		{"R105 remove without a path", `{"op":"remove"}`, 400, "noTarget"},
		{"R105 remove with a value only", `{"op":"remove","value":{"title":"a"}}`, 400, "noTarget"},
		{"R105 remove of what is required", `{"op":"remove","path":"userName"}`, 400, "mutability"},
		{"R107 id", `{"op":"replace","path":"id","value":"x"}`, 400, "mutability"},
		{"R107 id removed", `{"op":"remove","path":"id"}`, 400, "mutability"},
		{"R107 meta", `{"op":"replace","path":"meta","value":{"created":"2001-01-01T00:00:00Z"}}`, 400, "mutability"},
		{"R107 meta.location", `{"op":"add","path":"meta.location","value":"http://x/"}`, 400, "mutability"},
		{"R107 groups", `{"op":"remove","path":"groups"}`, 400, "mutability"},
		{"R107 read-only sub-attribute", `{"op":"replace","path":"` + enterprise + `:manager.displayName","value":"x"}`, 400, "mutability"},
		{"R109 wrong type", `{"op":"add","path":"title","value":5}`, 400, "invalidValue"},
		{"R109 wrong type in a list", `{"op":"add","path":"emails","value":["x"]}`, 400, "invalidValue"},
		{"R109 required is empty", `{"op":"replace","path":"userName","value":""}`, 400, "invalidValue"},
		{"R109 required is null", `{"op":"replace","path":"userName","value":null}`, 400, "invalidValue"},
		{"R109 two primaries", `{"op":"add","path":"roles","value":[{"value":"a","primary":true},{"value":"b","primary":true}]}`, 400, "invalidValue"},
		{"R109 userName is taken", `{"op":"replace","path":"userName","value":"TAKEN"}`, 409, "uniqueness"},
		{"R109 externalId is taken", `{"op":"add","path":"externalId","value":"taken"}`, 409, "uniqueness"},
		{"S35 a prototype", `{"op":"add","path":"__proto__.x","value":"x"}`, 400, "invalidPath"},
		{"S35 a long path", `{"op":"add","path":"` + strings.Repeat("a.", 5000) + `a","value":"x"}`, 400, "invalidPath"},
		{"S35 a deep filter", `{"op":"remove","path":"emails[` + strings.Repeat("(", 100) + `type pr` + strings.Repeat(")", 100) + `]"}`, 400, "invalidFilter"},
	} {
		got := w.refused(c.status, c.scimType, "PATCH", "/Users/"+id, patch(`{"op":"replace","path":"title","value":"changed"}`, c.operation))
		if detail, _ := got.body["detail"].(string); c.status == 400 && !strings.Contains(detail, "Operations[1]") { // S33
			t.Errorf("%s: which operation? %s", c.item, detail)
		}
		if after := w.ok(http.StatusOK, "GET", "/Users/"+id, "").text; after != before {
			t.Fatalf("%s: R101: something happened: %s", c.item, after)
		}
	}
	for _, body := range []string{
		`{}`, `[]`, `{"schemas":["` + patchURN + `"]}`, `{"schemas":["` + patchURN + `"],"Operations":[]}`, `{"schemas":["` + patchURN + `"],"Operations":{}}`,
		`{"schemas":["` + schema.UserURN + `"],"Operations":[{"op":"add","path":"title","value":"x"}]}`,
		`{"schemas":"` + patchURN + `","Operations":[{"op":"add","path":"title","value":"x"}]}`,
	} {
		w.refused(400, "invalidSyntax", "PATCH", "/Users/"+id, body)
	}
	w.refused(404, "", "PATCH", "/Users/nobody", patch(`{"op":"add","path":"title","value":"x"}`))
}
