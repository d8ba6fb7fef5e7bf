package patch_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"muster/domain"
	"muster/scim/patch"
	"muster/scim/schema"
)

const (
	enterprise = schema.EnterpriseURN
	custom     = "urn:okta:custom_app-1/x.y:2.0:User"
)

// user is the User type with an extension whose URN would confuse a careless parser (S26).
func user() schema.Resource {
	return schema.User().With(schema.Extension{Schema: schema.Schema{URN: custom, Attributes: []schema.Attribute{
		{Name: "badge", Type: schema.Integer, Mutability: schema.Immutable},
		{Name: "tags", Type: schema.String, MultiValued: true},
		{Name: "level", Type: schema.Decimal},
		{Name: "id", Type: schema.String},
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

// request wraps operations in a PATCH body.
func request(t testing.TB, operations string) map[string]any {
	t.Helper()
	return decode(t, `{"schemas":["`+patch.URN+`"],"Operations":[`+operations+`]}`)
}

// document makes a whole User document of the attributes of interest, written as a JSON object's inside.
func document(t testing.TB, attributes string) domain.Document {
	t.Helper()
	doc := decode(t, `{`+attributes+`}`)
	if doc["userName"] == nil {
		doc["userName"] = "u"
	}
	user().SetSchemas(doc)
	return doc
}

// change is a case of a table: operations that make one document of another.
type change struct{ item, before, operations, after string }

func run(t *testing.T, profile schema.Profile, cases []change) {
	t.Helper()
	for _, c := range cases {
		before := document(t, c.before)
		kept := document(t, c.before)
		parsed, err := patch.Parse(request(t, c.operations), user(), profile)
		if err != nil {
			t.Errorf("%s: %s: %v", c.item, c.operations, err)
			continue
		}
		got, err := parsed.Apply(before)
		if want := document(t, c.after); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %s:\n got %s, %v\nwant %s", c.item, c.operations, text(got), err, text(want))
		}
		if !reflect.DeepEqual(before, kept) {
			t.Errorf("%s: %s changed its argument", c.item, c.operations)
		}
	}
}

func text(value any) string {
	encoded, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(encoded)
}

const twoEmails = `"emails":[{"type":"work","value":"w","primary":true},{"type":"home","value":"h"}]`

// S27, R103.
func TestAdd(t *testing.T) {
	run(t, schema.Profile{}, []change{
		{"S27", `"title":"a"`, `{"op":"add","path":"title","value":"b"}`, `"title":"b"`},
		{"S27", `"name":{"givenName":"g"}`, `{"op":"add","path":"name","value":{"familyName":"f"}}`, `"name":{"givenName":"g","familyName":"f"}`},
		{"S27", `"name":{"givenName":"g"}`, `{"op":"add","path":"name.familyName","value":"f"}`, `"name":{"givenName":"g","familyName":"f"}`},
		{"S27", `"title":"a"`, `{"op":"add","path":"emails","value":[{"value":"x"}]}`, `"title":"a","emails":[{"value":"x"}]`},
		{"R103", twoEmails, `{"op":"add","path":"emails","value":[{"value":"H","type":"Home"},{"value":"h","type":"other"}]}`, `"emails":[{"type":"work","value":"w","primary":true},{"type":"home","value":"h"},{"value":"h","type":"other"}]`},
		{"L6", twoEmails, `{"op":"add","path":"emails","value":{"value":"w","type":"work"}}`, twoEmails},
		{"R103", twoEmails, `{"op":"add","path":"emails","value":[{"value":"h","type":"home","display":"d"}]}`, `"emails":[{"type":"work","value":"w","primary":true},{"type":"home","value":"h","display":"d"}]`},
		{"R106", twoEmails, `{"op":"add","path":"emails","value":[{"value":"n","primary":true}]}`, `"emails":[{"type":"work","value":"w","primary":false},{"type":"home","value":"h"},{"value":"n","primary":true}]`},
		{"R106", twoEmails, `{"op":"add","path":"emails[type eq \"home\"].primary","value":"True"}`, `"emails":[{"type":"work","value":"w","primary":false},{"type":"home","value":"h","primary":true}]`},
		{"S27", `"title":"a"`, `{"op":"add","value":{"name.givenName":"g","` + enterprise + `:department":"d","emails[type eq \"work\"].value":"x","nickName":"n"}}`, `"title":"a","name":{"givenName":"g"},"` + enterprise + `":{"department":"d"},"emails":[{"type":"work","value":"x"}],"nickName":"n"`},
		{"E16", `"title":"a"`, `{"op":"Add","path":"nickName","value":"Babs"}`, `"title":"a","nickName":"Babs"`},
		{"E18", twoEmails, `{"op":"Add","path":"emails[type eq \"other\"].value","value":"o"}`, `"emails":[{"type":"work","value":"w","primary":true},{"type":"home","value":"h"},{"type":"other","value":"o"}]`},
		{"E18", `"title":"a"`, `{"op":"Add","path":"addresses[type eq \"other\"].Formatted","value":"street"}`, `"title":"a","addresses":[{"type":"other","formatted":"street"}]`},
		{"E18, V7", `"title":"a"`, `{"op":"Add","path":"roles[primary eq \"True\"].display","value":"d"},{"op":"Add","path":"roles[primary eq \"True\"].value","value":"v"},{"op":"Add","path":"roles[primary eq \"True\"].type","value":"t"}`, `"title":"a","roles":[{"primary":true,"display":"d","value":"v","type":"t"}]`},
		{"E18", `"title":"a"`, `{"op":"add","path":"emails[type eq \"work\" and primary eq true]","value":{"value":"x"}}`, `"title":"a","emails":[{"type":"work","primary":true,"value":"x"}]`},
		{"S11", `"title":"a"`, `{"op":"add","path":"title","value":null},{"op":"add","path":"emails","value":[]}`, `"title":"a"`},
		{"R108", `"title":"a"`, `{"op":"add","path":"` + strings.ToUpper(custom) + `:TAGS","value":["x","X","y"]}`, `"title":"a","` + custom + `":{"tags":["x","y"]}`},
		{"R107", `"title":"a"`, `{"op":"add","path":"` + custom + `:badge","value":7}`, `"title":"a","` + custom + `":{"badge":7}`},
		{"R107", `"` + custom + `":{"badge":7}`, `{"op":"add","path":"` + custom + `:badge","value":7}`, `"` + custom + `":{"badge":7}`},
		{"V27", `"title":"a"`, `{"op":"add","path":"title","value":"b"},{"op":"add","path":"title","value":"c"}`, `"title":"c"`},
		{"R103", `"title":"a"`, `{"op":"add","path":"emails.value","value":"x"}`, `"title":"a","emails":[{"value":"x"}]`},
	})
}

// S28, R104.
func TestReplace(t *testing.T) {
	run(t, schema.Profile{}, []change{
		{"O15", `"active":true`, `{"op":"replace","value":{"active":false}}`, `"active":false`},
		{"O15, S3", `"active":true`, `{"op":"replace","value":{"password":"s3cret"}}`, `"active":true`},
		{"O22, C1", `"title":"a"`, `{"op":"replace","value":{"id":"x","schemas":["y"],"meta":{},"title":"b"}}`, `"title":"b"`},
		{"E13, L4", twoEmails + `,"name":{"givenName":"g"}`, `{"op":"Replace","path":"emails[type eq \"work\"].value","value":"n"},{"op":"Replace","path":"name.familyName","value":"Nf"}`, `"emails":[{"type":"work","value":"n","primary":true},{"type":"home","value":"h"}],"name":{"givenName":"g","familyName":"Nf"}`},
		{"E14", `"title":"a"`, `{"op":"Replace","path":"userName","value":"n"}`, `"title":"a","userName":"n"`},
		{"E15, K8", `"active":true`, `{"op":"Replace","path":"active","value":"False"}`, `"active":false`},
		{"E15", `"active":true`, `{"op":"replace","path":"active","value":false}`, `"active":false`},
		{"E15", `"active":true`, `{"op":"Replace","value":{"active":"False"}}`, `"active":false`},
		{"E17", twoEmails, `{"op":"replace","path":"emails[type eq \"work\"].value","value":"t"},{"op":"replace","value":{"displayName":"D","name.givenName":"G","name.familyName":"F","externalId":"E","` + enterprise + `:employeeNumber":"847"}}`, `"emails":[{"type":"work","value":"t","primary":true},{"type":"home","value":"h"}],"displayName":"D","name":{"givenName":"G","familyName":"F"},"externalId":"E","` + enterprise + `":{"employeeNumber":"847"}`},
		{"E18, K6", `"title":"a"`, `{"op":"Replace","path":"emails[type eq \"work\"].value","value":"x"}`, `"title":"a","emails":[{"type":"work","value":"x"}]`},
		{"E19, K9", `"title":"a"`, `{"op":"Add","path":"` + enterprise + `:manager","value":"m"}`, `"title":"a","` + enterprise + `":{"manager":{"value":"m"}}`},
		{"E19", `"title":"a"`, `{"op":"Replace","path":"` + enterprise + `:manager","value":{"value":"m"}}`, `"title":"a","` + enterprise + `":{"manager":{"value":"m"}}`},
		{"E19", `"title":"a"`, `{"op":"Replace","path":"` + enterprise + `:manager.value","value":"m"}`, `"title":"a","` + enterprise + `":{"manager":{"value":"m"}}`},
		{"E19", `"title":"a"`, `{"op":"Add","path":"manager","value":[{"$ref":null,"value":"m"}]}`, `"title":"a","` + enterprise + `":{"manager":{"value":"m"}}`},
		{"S32", `"` + enterprise + `":{"manager":{"value":"old","$ref":"../Users/old"}}`, `{"op":"replace","path":"manager","value":"new"}`, `"` + enterprise + `":{"manager":{"value":"new"}}`},
		{"K9, V12", `"title":"a","` + enterprise + `":{"manager":{"value":"m"}}`, `{"op":"Replace","path":"` + enterprise + `:manager","value":""}`, `"title":"a"`},
		{"E20", `"phoneNumbers":[{"type":"work","value":"1"},{"type":"fax","value":"2"}]`, `{"op":"Replace","path":"phoneNumbers[type eq \"work\"].value","value":""}`, `"phoneNumbers":[{"type":"fax","value":"2"}]`},
		{"E20", `"title":"a","addresses":[{"type":"work","locality":"x","region":"y"}]`, `{"op":"Replace","path":"addresses[type eq \"work\"].locality","value":""},{"op":"Remove","path":"addresses[type eq \"work\"].region"}`, `"title":"a"`},
		{"E20", `"title":"a"`, `{"op":"Replace","path":"phoneNumbers[type eq \"work\"].value","value":""}`, `"title":"a"`},
		{"R11", `"title":"a","nickName":"n","ims":[{"value":"i"}]`, `{"op":"replace","path":"nickName","value":null},{"op":"replace","value":{"ims":[]}}`, `"title":"a"`},
		{"R104", twoEmails, `{"op":"replace","path":"emails","value":[{"value":"n","type":"other"}]}`, `"emails":[{"value":"n","type":"other"}]`},
		{"B13", twoEmails, `{"op":"replace","path":"emails","value":{"value":"n"}}`, `"emails":[{"value":"n"}]`},
		{"R104", twoEmails, `{"op":"replace","path":"emails[type eq \"work\"]","value":{"value":"n","display":"d"}}`, `"emails":[{"type":"work","value":"n","display":"d"},{"type":"home","value":"h"}]`},
		{"R104", `"ims":[{"type":"a","value":"1"},{"type":"a","value":"2"}]`, `{"op":"replace","path":"ims[type eq \"a\"].display","value":"d"}`, `"ims":[{"type":"a","value":"1","display":"d"},{"type":"a","value":"2","display":"d"}]`},
		{"R9", `"ims":[{"type":"a","value":"1"},{"type":"a","value":"2"}]`, `{"op":"replace","path":"ims[type eq \"a\"].value","value":"3"}`, `"ims":[{"type":"a","value":"3"}]`},
		{"K11", `"name":{"givenName":"g","familyName":"f"}`, `{"op":"replace","path":"name","value":{"givenName":"n"}}`, `"name":{"givenName":"n","familyName":"f"}`},
		{"R108", `"` + enterprise + `":{"division":"v"}`, `{"op":"replace","path":"` + strings.ToLower(enterprise) + `","value":{"department":"d","manager.value":"m"}}`, `"` + enterprise + `":{"division":"v","department":"d","manager":{"value":"m"}}`},
		{"B22", `"title":"a"`, `{"op":"replace","value":{"` + enterprise + `":{"department":"d"},"` + custom + `":{"id":"i","level":1.50}}}`, `"title":"a","` + enterprise + `":{"department":"d"},"` + custom + `":{"id":"i","level":1.50}`},
		{"R108", `"title":"a","` + enterprise + `":{"department":"d"}`, `{"op":"replace","value":{"` + enterprise + `":null}}`, `"title":"a"`},
		{"S26", `"title":"a"`, `{"op":"replace","path":"` + schema.UserURN + `:name.givenName","value":"g"},{"op":"replace","value":{"` + schema.UserURN + `":{"id":"x","title":"b"}}}`, `"title":"b","name":{"givenName":"g"}`},
		{"S34", `"title":"a"`, `{"op":"add","path":"schemas","value":["urn:x"]}`, `"title":"a"`},
		{"C10, K2", `"title":"a"`, `{"op":"replace","value":{"companyName":"x","address.streetAddress":"y","title":"b"}}`, `"title":"b"`},
		{"S35", `"title":"a"`, `{"op":"replace","value":{"__proto__":{"x":1},"":1,"a.b.c.d.e":1,"` + enterprise + `:":1}}`, `"title":"a"`},
		{"V26", `"title":"a"`, `{"op":"replace","path":"title","value":"b"},{"op":"add","path":"nickName","value":"n"},{"op":"remove","path":"title"}`, `"nickName":"n"`},
	})
}

// S29, R105.
func TestRemove(t *testing.T) {
	run(t, schema.Profile{}, []change{
		{"S29", `"title":"a","nickName":"n"`, `{"op":"remove","path":"title"}`, `"nickName":"n"`},
		{"S29", `"name":{"givenName":"g","familyName":"f"}`, `{"op":"remove","path":"name.givenName"}`, `"name":{"familyName":"f"}`},
		{"S29", `"title":"a","name":{"givenName":"g"}`, `{"op":"remove","path":"name.givenName"}`, `"title":"a"`},
		{"S29", `"title":"a",` + twoEmails, `{"op":"remove","path":"emails"}`, `"title":"a"`},
		{"S29", twoEmails, `{"op":"remove","path":"emails[type eq \"work\"]"}`, `"emails":[{"type":"home","value":"h"}]`},
		{"R105", twoEmails, `{"op":"remove","path":"emails[type eq \"other\"]"},{"op":"remove","path":"nickName"}`, twoEmails},
		{"R105", twoEmails, `{"op":"remove","path":"emails[type eq \"work\"].primary"}`, `"emails":[{"type":"work","value":"w"},{"type":"home","value":"h"}]`},
		{"R105", `"title":"a",` + twoEmails, `{"op":"remove","path":"emails[value pr]"}`, `"title":"a"`},
		{"S30", `"title":"a","active":false`, `{"op":"remove","path":"active"}`, `"title":"a"`},
		{"K10", twoEmails, `{"op":"Remove","path":"emails","value":[{"value":"W"}]}`, `"emails":[{"type":"home","value":"h"}]`},
		{"K10", twoEmails, `{"op":"Remove","path":"emails","value":[{"value":"w","type":"home"}]}`, twoEmails},
		{"K10", twoEmails, `{"op":"Remove","path":"emails","value":[]}`, twoEmails},
		{"V12", `"title":"a","` + enterprise + `":{"manager":{"value":"m"}}`, `{"op":"Remove","path":"` + enterprise + `:manager","value":""}`, `"title":"a"`},
		{"R108", `"title":"a","` + enterprise + `":{"department":"d"}`, `{"op":"remove","path":"` + enterprise + `:department"}`, `"title":"a"`},
		{"R108", `"title":"a","` + enterprise + `":{"department":"d"}`, `{"op":"remove","path":"` + enterprise + `"}`, `"title":"a"`},
		{"S30", `"title":"a","` + custom + `":{"tags":["x","y"]}`, `{"op":"Remove","path":"` + custom + `:tags","value":["X"]}`, `"title":"a","` + custom + `":{"tags":["y"]}`},
	})
}

// K6: the profile and the flag on the tenant URL create elements with a small "replace" too.
func TestEntra(t *testing.T) {
	run(t, schema.Profile{Entra: true}, []change{
		{"K6", `"title":"a"`, `{"op":"replace","path":"emails[type eq \"work\"].value","value":"x"}`, `"title":"a","emails":[{"type":"work","value":"x"}]`},
	})
}

// K4, K11.
func TestStrict(t *testing.T) {
	run(t, schema.Profile{Strict: true}, []change{
		{"K11", `"name":{"givenName":"g","familyName":"f"}`, `{"op":"replace","path":"name","value":{"givenName":"n"}}`, `"name":{"givenName":"n"}`},
		{"V5", `"name":{"givenName":"g"}`, `{"op":"add","path":"name","value":{"familyName":"f"}}`, `"name":{"givenName":"g","familyName":"f"}`},
	})
}

// S25: the message's own names in any case, and other schemas besides.
func TestEnvelope(t *testing.T) {
	for _, body := range []string{
		`{"SCHEMAS":["` + strings.ToUpper(patch.URN) + `"],"operations":[{"OP":"ADD","PATH":"TITLE","VALUE":"t"}]}`,
		`{"schemas":["urn:x","` + patch.URN + `"],"Operations":[{"op":"add","path":"title","value":"t"}],"x":1}`,
		`{"Operations":[{"op":"add","path":null,"value":{"title":"t"},"id":7}]}`, // K5, C10
	} {
		parsed, err := patch.Parse(decode(t, body), user(), schema.Profile{Lenient: true})
		if err != nil || len(parsed.Operations) != 1 || parsed.Operations[0].Path.String() != "title" {
			t.Errorf("%s: got %v, %v", body, parsed.Operations, err)
		}
	}
}

// K2, S6: what was dropped is reported, and the id a value carried.
func TestReport(t *testing.T) {
	parsed, err := patch.Parse(request(t, `{"op":"replace","value":{"ID":"x","companyName":1,"name":{"nick":"y"},"`+enterprise+`":{"z":1}}}`), user(), schema.Profile{})
	slices.SortFunc(parsed.Unknown, func(a, b schema.Unknown) int { return strings.Compare(a.Path, b.Path) })
	want := []schema.Unknown{{Path: "companyName", Example: "1"}, {Path: "name.nick", Example: `"y"`}, {Path: enterprise + ":z", Example: "1"}}
	if err != nil || !reflect.DeepEqual(parsed.Unknown, want) || parsed.ID != "x" {
		t.Errorf("got %q, %q, %v", parsed.Unknown, parsed.ID, err)
	}
}

// R109: a requirement that was not met before does not keep anybody from being deactivated.
func TestNewRequirement(t *testing.T) {
	resource := schema.User().With(schema.Extension{Required: true, Schema: schema.Schema{URN: custom}})
	parsed, err := patch.Parse(request(t, `{"op":"replace","value":{"active":false}}`), resource, schema.Profile{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := parsed.Apply(document(t, `"active":true`))
	if want := document(t, `"active":false`); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
}
