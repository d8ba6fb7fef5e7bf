package schema_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"muster/domain"
	"muster/scim/schema"
	"muster/scim/scimerr"
)

const custom = "urn:example:params:custom:2.0:User"

// user is the User type with an extension of every data type.
func user() schema.Resource {
	return schema.User().With(schema.Extension{Schema: schema.Schema{URN: custom, Attributes: []schema.Attribute{
		{Name: "badge", Type: schema.Integer, Mutability: schema.Immutable},
		{Name: "height", Type: schema.Decimal},
		{Name: "hired", Type: schema.DateTime},
		{Name: "fingerprint", Type: schema.Binary},
		{Name: "page", Type: schema.Reference},
		{Name: "tags", Type: schema.String, MultiValued: true},
		{Name: "cost", Type: schema.Complex, Sub: []schema.Attribute{{Name: "center", Required: true, Type: schema.String}}},
	}}})
}

func decode(t testing.TB, text string) map[string]any {
	t.Helper()
	object, err := schema.Decode([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return object
}

// S3, B34: the definitions with what elimity has wrong put right.
func TestDefinitions(t *testing.T) {
	type facts struct {
		caseExact, multiValued, required bool
		mutability                       schema.Mutability
		returned                         schema.Returned
		uniqueness                       schema.Uniqueness
	}
	of := func(resource schema.Resource, path string) facts {
		t.Helper()
		resolved, err := resource.Resolve(path)
		if err != nil {
			t.Fatal(err)
		}
		a := resolved.Leaf()
		return facts{a.CaseExact, a.MultiValued, a.Required, a.Mutability, a.Returned, a.Uniqueness}
	}
	const rw, def, none = schema.ReadWrite, schema.Default, schema.None
	for path, want := range map[string]facts{
		"userName":                              {false, false, true, rw, def, schema.Server},
		"id":                                    {true, false, true, schema.ReadOnly, schema.Always, schema.Server},
		"externalId":                            {true, false, false, rw, def, schema.Server},
		"meta.version":                          {true, false, false, schema.ReadOnly, def, none},
		"password":                              {false, false, false, schema.WriteOnly, schema.Never, none},
		"groups":                                {false, true, false, schema.ReadOnly, def, none},
		"groups.value":                          {true, false, false, schema.ReadOnly, def, none},
		"groups.$ref":                           {true, false, false, schema.ReadOnly, def, none},
		"emails.value":                          {false, false, false, rw, def, none},
		schema.EnterpriseURN + ":manager.value": {true, false, false, rw, def, none},
	} {
		if got := of(schema.User(), path); got != want {
			t.Errorf("%s: got %+v", path, got)
		}
	}
	if got, want := of(schema.Group(), "members.value"), (facts{true, false, true, schema.Immutable, def, none}); got != want {
		t.Errorf("members.value: got %+v", got)
	}
	if got, want := of(schema.Group(), "displayName"), (facts{false, false, true, rw, def, schema.Server}); got != want {
		t.Errorf("displayName: got %+v", got)
	}
}

// R63: of two known URNs, one the beginning of the other, the longer one wins.
func TestLongestURN(t *testing.T) {
	longer := schema.UserURN + ":extra-1.0/x_y"
	resource := schema.User().With(schema.Extension{Schema: schema.Schema{
		URN: longer, Attributes: []schema.Attribute{{Name: "title", Type: schema.String}},
	}})
	for path, want := range map[string]string{
		strings.ToUpper(longer) + ":TITLE": longer + ":title",
		schema.UserURN + ":title":          "title",
		longer:                             longer,
	} {
		if got, err := resource.Resolve(path); err != nil || got.String() != want {
			t.Errorf("%s: got %v, %v", path, got, err)
		}
	}
	if len(schema.User().Extensions) != 1 {
		t.Error("With changed its receiver")
	}
}

func TestNormalize(t *testing.T) {
	for _, c := range []struct{ item, body, want, unknown string }{
		{
			"O11, S3, S11", `{"schemas":["` + schema.UserURN + `"],"userName":"ann@x.test","name":{"givenName":"Ann","familyName":"Lee"},
			"emails":[{"primary":true,"value":"ann@x.test","type":"work"}],"groups":[],"password":"s3cret","active":true,"id":"x","meta":{"a":1}}`,
			`{"schemas":["` + schema.UserURN + `"],"userName":"ann@x.test","name":{"givenName":"Ann","familyName":"Lee"},
			"emails":[{"primary":true,"value":"ann@x.test","type":"work"}],"active":true}`, ``,
		},
		{
			"E10, S7", `{"schemas":["` + schema.UserURN + `","` + schema.EnterpriseURN + `","urn:other"],"userName":"u","roles":[]}`,
			`{"schemas":["` + schema.UserURN + `"],"userName":"u"}`, `urn:other`,
		},
		{
			"S10, B15, S13", `{"SCHEMAS":["` + strings.ToUpper(schema.UserURN) + `"],"USERNAME":" u ","Active":"False","NAME":{"GIVENNAME":"g"},
			"` + strings.ToUpper(schema.EnterpriseURN) + `":{"DEPARTMENT":"d","manager":"m1"}}`,
			`{"schemas":["` + schema.UserURN + `","` + schema.EnterpriseURN + `"],"userName":" u ","active":false,"name":{"givenName":"g"},
			"` + schema.EnterpriseURN + `":{"department":"d","manager":{"value":"m1"}}}`, ``,
		},
		{
			"B13, S12, S14", `{"schemas":["` + schema.UserURN + `"],"userName":"u","emails":{"value":"a","x":1},"nope":1,
			"phoneNumbers":[{"value":"1","type":"work"},{"value":"1","type":"Work","primary":"True"},{"value":"1","type":"home"}]}`,
			`{"schemas":["` + schema.UserURN + `"],"userName":"u","emails":[{"value":"a"}],
			"phoneNumbers":[{"value":"1","type":"work","primary":true},{"value":"1","type":"home"}]}`, `emails.x nope`,
		},
		{
			"S11, E20", `{"schemas":["` + schema.UserURN + `"],"userName":"u","title":null,"nickName":"","emails":[],"name":{"formatted":null},
			"ims":[{"value":""}],"` + custom + `":{"tags":[""]},"` + schema.EnterpriseURN + `":{"manager":""}}`,
			`{"schemas":["` + schema.UserURN + `"],"userName":"u"}`, ``,
		},
		{
			"S17, R6, B16, B17", `{"schemas":["` + schema.UserURN + `"],"userName":"u","` + custom + `":{"badge":9007199254740993,"height":1.10,
			"hired":"2020-01-01T24:00:00Z","fingerprint":"_-8","page":"../x","tags":["a","A","b"],"x":1}}`,
			`{"schemas":["` + schema.UserURN + `","` + custom + `"],"userName":"u","` + custom + `":{"badge":9007199254740993,"height":1.10,
			"hired":"2020-01-01T24:00:00Z","fingerprint":"_-8","page":"../x","tags":["a","b"]}}`, custom + `:x`,
		},
		{
			"S35", `{"schemas":["` + schema.UserURN + `"],"userName":"u","__proto__":{"a":1},"":1,"a.b.c":1}`,
			`{"schemas":["` + schema.UserURN + `"],"userName":"u"}`, ` __proto__ a.b.c`,
		},
	} {
		doc, unknown, err := user().Normalize(decode(t, c.body), schema.Profile{})
		if err != nil || !reflect.DeepEqual(doc, decode(t, c.want)) || strings.Join(paths(unknown), " ") != c.unknown {
			t.Errorf("%s: got %v, %q, %v", c.item, doc, unknown, err)
		}
	}
}

func TestNormalizeRefuses(t *testing.T) {
	const head = `{"schemas":["` + schema.UserURN + `"],"userName":"u",`
	for _, c := range []struct {
		item, body string
		want       scimerr.Type
		field      string
	}{
		{"S7", `{"userName":"u"}`, scimerr.InvalidSyntax, "schemas"},
		{"S7", `{"schemas":"x","userName":"u"}`, scimerr.InvalidSyntax, "schemas"},
		{"S10", head + `"USERNAME":"v"}`, scimerr.InvalidSyntax, ""},
		{"S10", head + `"name":{"givenName":"a","GivenName":"b"}}`, scimerr.InvalidSyntax, "name"},
		{"B12", `{"schemas":["` + schema.UserURN + `"],"userName":""}`, scimerr.InvalidValue, "userName"},
		{"R41", `{"schemas":["` + schema.UserURN + `"]}`, scimerr.InvalidValue, "userName"},
		{"R8", head + `"emails":[{"value":"a","primary":true},{"value":"b","primary":"True"}]}`, scimerr.InvalidValue, "emails"},
		{"S13", head + `"active":"yes"}`, scimerr.InvalidValue, "active"},
		{"S13", head + `"active":1}`, scimerr.InvalidValue, "active"},
		{"R41", head + `"title":5}`, scimerr.InvalidValue, "title"},
		{"R41", head + `"name":"x"}`, scimerr.InvalidValue, "name"},
		{"R41", head + `"emails":["x"]}`, scimerr.InvalidValue, "emails"},
		{"R41", head + `"emails":"x"}`, scimerr.InvalidValue, "emails"},
		{"R41", head + `"emails":[{"value":5}]}`, scimerr.InvalidValue, "emails.value"},
		{"R41", head + `"title":["x"]}`, scimerr.InvalidValue, "title"},
		{"R74", head + `"title":"a\u0000"}`, scimerr.InvalidValue, "title"},
		{"R6", head + `"` + custom + `":{"badge":1.0}}`, scimerr.InvalidValue, custom + ":badge"},
		{"R6", head + `"` + custom + `":{"badge":1e2}}`, scimerr.InvalidValue, custom + ":badge"},
		{"R6", head + `"` + custom + `":{"badge":"1"}}`, scimerr.InvalidValue, custom + ":badge"},
		{"R6", head + `"` + custom + `":{"hired":"2020-01-01"}}`, scimerr.InvalidValue, custom + ":hired"},
		{"R6", head + `"` + custom + `":{"fingerprint":"?"}}`, scimerr.InvalidValue, custom + ":fingerprint"},
		{"R6", head + `"` + custom + `":{"page":"%zz"}}`, scimerr.InvalidValue, custom + ":page"},
		{"R41", head + `"` + custom + `":[]}`, scimerr.InvalidValue, custom},
	} {
		_, _, err := user().Normalize(decode(t, c.body), schema.Profile{})
		if scimerr.TypeOf(err) != c.want || domain.AsError(err).Field != c.field {
			t.Errorf("%s: %s: got %v", c.item, c.body, err)
		}
	}
	for _, body := range []string{ // K2, K3
		head + `"nope":1}`, head + `"emails":[{"value":"a","x":1}]}`, `{"schemas":["` + schema.UserURN + `","urn:x"],"userName":"u"}`,
	} {
		if _, _, err := user().Normalize(decode(t, body), schema.Profile{Strict: true}); !scimerr.Is(err, scimerr.InvalidSyntax) {
			t.Errorf("strict %s: got %v", body, err)
		}
	}
}

// R20: a required extension must be there with its required attributes, and so must required sub-attributes.
func TestRequired(t *testing.T) {
	resource := schema.User().With(schema.Extension{Required: true, Schema: schema.Schema{
		URN: custom, Attributes: []schema.Attribute{{Name: "team", Type: schema.String, Required: true}},
	}})
	got := resource.Missing(domain.Document{"userName": "u"})
	if want := []string{custom + ":team", custom}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	got = user().Missing(domain.Document{"userName": "u", custom: map[string]any{"cost": map[string]any{}}})
	if want := []string{custom + ":cost.center"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	got = schema.Group().Missing(domain.Document{"displayName": "g", "members": []any{map[string]any{"display": "x"}}})
	if want := []string{"members.value"}; !reflect.DeepEqual(got, want) { // S16
		t.Errorf("got %v", got)
	}
}

// S20: an immutable attribute may be set once.
func TestOverwritten(t *testing.T) {
	with := func(badge string) domain.Document {
		return domain.Document{custom: map[string]any{"badge": json.Number(badge)}}
	}
	for _, c := range []struct {
		before, after domain.Document
		want          []string
	}{
		{domain.Document{}, with("1"), nil},
		{with("1"), with("1"), nil},
		{with("1"), with("2"), []string{custom + ":badge"}},
		{with("1"), domain.Document{}, []string{custom + ":badge"}},
	} {
		if got := user().Overwritten(c.before, c.after); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v to %v: got %v", c.before, c.after, got)
		}
	}
}

func TestDecode(t *testing.T) {
	got, err := schema.Decode([]byte(` {"a:\"{":[1.50,{"b":null}]} `))
	want := map[string]any{`a:"{`: []any{json.Number("1.50"), map[string]any{"b": nil}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, body := range []string{ // R41, B18, S10, S35
		``, `[]`, `"x"`, `null`, `{`, `{}{}`, `{} x`, `{"a":1,"a":2}`, `{"a":{"b":1,"\u0062":2}}`, "{\"a\":\"\xff\"}",
		`{"a":` + strings.Repeat("[", 100_000), strings.Repeat(`{"a":`, 33) + "1" + strings.Repeat("}", 33),
	} {
		if _, err := schema.Decode([]byte(body)); !scimerr.Is(err, scimerr.InvalidSyntax) {
			t.Errorf("%.40s: got %v", body, err)
		}
	}
}

func paths(unknown []schema.Unknown) []string {
	var all []string
	for _, u := range unknown {
		all = append(all, u.Path)
	}
	return all
}
