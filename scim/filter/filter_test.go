package filter_test

import (
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"muster/domain"
	"muster/scim/filter"
	"muster/scim/schema"
	"muster/scim/scimerr"
)

const (
	enterprise = schema.EnterpriseURN
	custom     = "urn:okta:custom_app-1/x.y:2.0:User"
)

// user is the User type with an extension that has every data type and a URN full of odd characters (F3, S36).
func user() schema.Resource {
	return schema.User().With(schema.Extension{Schema: schema.Schema{URN: custom, Attributes: []schema.Attribute{
		{Name: "badge", Type: schema.Integer},
		{Name: "height", Type: schema.Decimal},
		{Name: "hired", Type: schema.DateTime},
		{Name: "contractor", Type: schema.Boolean},
		{Name: "fingerprint", Type: schema.Binary, CaseExact: true},
		{Name: "tags", Type: schema.String, MultiValued: true},
		{Name: "tag-set_2", Type: schema.String},
	}}})
}

func document(t testing.TB, text string) domain.Document {
	t.Helper()
	doc, err := schema.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// bjensen is a user that every filter of RFC 7644 Figure 2 selects, but for those noted in the test.
const bjensen = `{
	"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","` + enterprise + `","` + custom + `"],
	"id":"2819c223-7f76-453a-919d-413861904646","externalId":"ABC","userName":"bJensen","title":"Vice President",
	"userType":"Employee","active":true,"name":{"familyName":"O'Malley","givenName":"Barbara"},
	"emails":[{"type":"work","value":"bjensen@example.com","primary":true},{"type":"home","value":"babs@example.org"}],
	"ims":[{"type":"xmpp","value":"babs@foo.com"}],
	"meta":{"resourceType":"User","lastModified":"2011-05-13T04:42:34Z","version":"W/\"3\""},
	"` + enterprise + `":{"department":"Tours","manager":{"value":"M1"}},
	"` + custom + `":{"badge":9007199254740993,"height":1.75,"hired":"2020-02-01T00:00:00+02:00","contractor":false,
		"fingerprint":"QUJD","tags":["red","Blue"],"tag-set_2":"a"}
}`

// R64, S36: every filter of RFC 7644 Figure 2 parses and selects.
func TestFigure2(t *testing.T) {
	doc := document(t, bjensen)
	for _, text := range []string{
		`userName eq "bjensen"`,
		`name.familyName co "O'Malley"`,
		`userName sw "J"`,
		`urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"`,
		`title pr`,
		`meta.lastModified gt "2011-05-13T04:42:34Z"`,
		`meta.lastModified ge "2011-05-13T04:42:34Z"`,
		`meta.lastModified lt "2011-05-13T04:42:34Z"`,
		`meta.lastModified le "2011-05-13T04:42:34Z"`,
		`title pr and userType eq "Employee"`,
		`title pr or userType eq "Intern"`,
		`schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`,
		`userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")`,
		`userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")`,
		`userType eq "Employee" and (emails.type eq "work")`,
		`userType eq "Employee" and emails[type eq "work" and value co "@example.com"]`,
		`emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]`,
	} {
		want := !strings.Contains(text, `sw "J"`) && !strings.Contains(text, " gt ") &&
			!strings.Contains(text, " lt ") && !strings.Contains(text, " ne ")
		if got := parse(t, text).Match(doc); got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
}

func parse(t testing.TB, text string) domain.Filter {
	t.Helper()
	f, err := filter.Parse(text, user(), filter.Options{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return f
}

func TestSelects(t *testing.T) {
	for _, c := range []struct {
		item, text string
		want       bool
	}{
		{"E12", `emails[type eq "work"].value eq "bjensen@example.com"`, true},
		{"E12", `emails[type eq "home"].value eq "bjensen@example.com"`, false},
		{"E12", `emails[type eq "home"].value ne "bjensen@example.com"`, true},
		{"E12", `emails[type eq "home"].primary pr`, false},
		{"E12", `emails[type eq "home"].primary eq null`, true},
		{"B27", `emails[primary eq "True"].value sw "bj"`, true},
		{"K8", `active eq "True"`, true},
		{"K8", `active eq "false"`, false},
		{"B1", `externalId eq "ABC"`, true},
		{"R69", `externalId eq "abc"`, false},
		{"R69", `meta.version eq "w/\"3\""`, false},
		{"R71", `meta.version eq "W\/\u0022\u0033\""`, true},
		{"B1", `id eq "2819c223-7f76-453a-919d-413861904646"`, true},
		{"B1", `meta.resourceType eq "User"`, true},
		{"B2", `emails co "babs"`, true},
		{"B3", `emails.value eq "BABS@example.org"`, true},
		{"B5", `userName eq "BJENSEN" and ` + strings.ToUpper(enterprise) + `:DEPARTMENT eq "tours"`, true},
		{"B6", `nickName eq null`, true},
		{"B6", `title ne null`, true},
		{"R66", `nickName ne "x"`, true},
		{"R66", `emails.type ne "home"`, false},
		{"R67", `name pr and emails pr and not (addresses pr)`, true},
		{"R70", `userName sw "" and not (nickName sw "")`, true},
		{"R61", `title pr or title pr and nickName pr`, true},
		{"R61", `(title pr or title pr) and nickName pr`, false},
		{"R61", `not(title pr) or title pr`, true},
		{"R62", `USERNAME Eq "bjensen" AND NOT (NickName PR)`, true},
		{"F1", `emails[type eq "work" and value co "@" and primary eq true]`, true},
		{"F1", `emails[not (type eq "work") and (value co "babs" or value co "x")]`, true},
		{"F3", strings.ToUpper(custom) + `:tag-set_2 eq "A"`, true},
		{"F5", `name.familyName eq "O\u0027M\u0061lley"`, true},
		{"F6", " \tuserName  eq\t\"bjensen\" ", true},
		{"F7", custom + `:badge eq 9007199254740992`, false},
		{"F7", custom + `:badge eq 9007199254740993`, true},
		{"F7", custom + `:badge gt 9.007199254740992E15`, true},
		{"R68", custom + `:height ge 1.750`, true},
		{"R68", custom + `:hired eq "2020-01-31T22:00:00Z"`, true},
		{"R68", custom + `:hired eq "2020-01-30T24:00:00+02:00" or ` + custom + `:hired eq "2020-01-31T24:00:00+02:00"`, true},
		{"R68", custom + `:hired lt "2020-01-31T22:00:00.1Z"`, true},
		{"R68", custom + `:contractor ne true`, true},
		{"R65", custom + `:tags eq "blue"`, true},
		{"R65", custom + `:fingerprint eq "qujd"`, false},
		{"E33", enterprise + `:manager.value eq "M1"`, true},
		{"S36", `schemas eq "` + strings.ToUpper(custom) + `"`, true},
	} {
		if got := parse(t, c.text).Match(document(t, bjensen)); got != c.want {
			t.Errorf("%s: %s: got %v, want %v", c.item, c.text, got, c.want)
		}
	}
}

// E33: a group is found by a member, whichever way it is asked for.
func TestMembers(t *testing.T) {
	doc := document(t, `{"id":"g","members":[{"value":"U1","type":"User"}]}`)
	for text, want := range map[string]bool{
		`id eq "g" and members eq "U1"`: true, `members.value eq "U1"`: true, `members[value eq "U1"]`: true,
		`members eq "u1"`: false, // B34
	} {
		f, err := filter.Parse(text, schema.Group(), filter.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Match(doc); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}

func TestRefuses(t *testing.T) {
	for _, c := range []struct{ item, text string }{
		{"R62", ``},
		{"R62", ` `},
		{"R62", `userName`},
		{"R62", `userName eq`},
		{"R62", `userName eq "a`},
		{"R62", `userName eq "a" and`},
		{"R62", `userName like "a"`},
		{"R62", `(userName pr`},
		{"R62", `userName pr)`},
		{"R62", `emails[type eq "work"`},
		{"R62", `emails[type eq "work")`},
		{"R62", `userName pr title pr`},
		{"R62", `not userName pr`},
		{"R62", `"a" eq userName`},
		{"R62", `userName.x.y eq "a"`},
		{"R62", `()`},
		{"F8", `userName eq "a"and title pr`},
		{"F9", `active eq TRUE`},
		{"F9", `title eq NULL`},
		{"R70", `active co true`},
		{"R70", `meta.lastModified sw "2011"`},
		{"R70", custom + `:badge co 1`},
		{"R68", `active gt true`},
		{"R68", custom + `:fingerprint gt "QQ=="`},
		{"R68", `title gt null`},
		{"R71", `userName gt 5`},
		{"R71", `userName eq true`},
		{"R71", `active eq "yes"`},
		{"R71", custom + `:badge eq "1"`},
		{"R71", custom + `:badge eq 1e99999`},
		{"R71", custom + `:badge eq 01`},
		{"R71", `meta.created gt "yesterday"`},
		{"R71", `userName eq "\x"`},
		{"R74", `userName eq "\u0000"`},
		{"R74", "userName eq \"\xff\""},
		{"R65", `name eq "x"`},
		{"R65", `addresses eq "x"`},
		{"K14", `nope eq "x"`},
		{"K14", `emails.nope eq "x"`},
		{"K14", `emails[nope eq "x"]`},
		{"K14", `urn:nope:User:userName eq "x"`},
		{"K14", `department eq "x"`},
		{"K7", `userName eq jyoung`},
		{"R16", `password eq "x"`},
		{"S36", `emails[type[value eq "x"]]`},
		{"S36", `emails[ims[type eq "x"]]`},
		{"S36", `emails.value[type eq "x"]`},
		{"S36", `userName[type eq "x"]`},
		{"S36", `emails[emails.type eq "x"]`},
		{"S36", enterprise + ` pr`},
		{"S38", `userName eq "` + strings.Repeat("x", filter.MaxLength) + `"`},
		{"S38", strings.Repeat("(", 9) + "title pr" + strings.Repeat(")", 9)},
		{"F12", strings.Repeat("(", 2000)},
		{"F12", strings.Repeat("not(", 500)},
		{"S38", strings.Repeat("title pr or ", 20) + "title pr"},
	} {
		_, err := filter.Parse(c.text, user(), filter.Options{})
		if !scimerr.Is(err, scimerr.InvalidFilter) || domain.AsError(err).Field != "filter" {
			t.Errorf("%s: %.60s: got %v, want invalidFilter", c.item, c.text, err)
		}
	}
}

// S38: what is just inside the limits is read.
func TestLimits(t *testing.T) {
	parse(t, strings.Repeat("(", 8)+"title pr"+strings.Repeat(")", 8))
	parse(t, strings.Repeat("title pr or ", 19)+"title pr")
	parse(t, `userName eq "`+strings.Repeat("x", filter.MaxLength-14)+`"`)
}

// S36: what the parser makes of each form.
func TestTree(t *testing.T) {
	value := domain.Attr{Name: "value"}
	kind := domain.Attr{Name: "type"}
	for text, want := range map[string]domain.Filter{
		`EMAILS[TYPE eq "work"].VALUE eq "x"`: domain.ValuePath{
			Attr: domain.Attr{Name: "emails", Type: domain.TypeComplex},
			Inner: domain.And{
				Left:  domain.Compare{Attr: kind, Op: domain.OpEqual, Value: "work"},
				Right: domain.Compare{Attr: value, Op: domain.OpEqual, Value: "x"},
			},
		},
		`emails eq "x"`: domain.Compare{Attr: domain.Attr{Name: "emails", Sub: "value"}, Op: domain.OpEqual, Value: "x"},
		`title eq null`: domain.Not{Operand: domain.Present{Attr: domain.Attr{Name: "title"}}},
		`meta.created gt "2026-01-31T10:30:00+01:00"`: domain.Compare{
			Attr: domain.Attr{Name: "meta", Sub: "created", Type: domain.TypeDateTime}, Op: domain.OpGreater,
			Value: time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC),
		},
		custom + ":height lt -1.5e1": domain.Compare{
			Attr: domain.Attr{URN: custom, Name: "height", Type: domain.TypeNumber}, Op: domain.OpLess, Value: big.NewRat(-15, 1),
		},
	} {
		if got := parse(t, text); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %#v\nwant %#v", text, got, want)
		}
	}
}

// K14, R53: over several resource types an attribute of another type has no value.
func TestUnknownAllowed(t *testing.T) {
	doc := document(t, bjensen)
	for text, want := range map[string]bool{
		`nope eq "x"`: false, `nope ne "x"`: true, `nope pr`: false, `nope eq null`: true, `nope[a eq "b"].c eq 1`: false,
		`members eq "x" or userName eq "bjensen"`: true, `emails[nope eq true]`: false, `urn:x:y:z eq 5`: false,
	} {
		f, err := filter.Parse(text, user(), filter.Options{AllowUnknown: true})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got := f.Match(doc); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
	if _, err := filter.Parse(`a..b eq "x"`, user(), filter.Options{AllowUnknown: true}); err == nil {
		t.Error("a malformed name must not pass as an unknown one")
	}
}

// K7, E5, C11.
func TestBareWords(t *testing.T) {
	for text, want := range map[string]string{
		`externalId eq jyoung`: `externalId eq "jyoung"`,
		`active eq True`:       `active eq true`,
		`emails[type eq work]`: `emails[type eq "work"]`,
	} {
		f, err := filter.Parse(text, user(), filter.Options{BareWords: true})
		if err != nil || filter.Render(f) != want {
			t.Errorf("%s: got %v, %v", text, f, err)
		}
	}
}

func TestPath(t *testing.T) {
	for text, want := range map[string]string{
		"userName":                               "userName",
		"NAME.familyname":                        "name.familyName",
		schema.UserURN + ":name.givenName":       "name.givenName",
		strings.ToLower(enterprise):              enterprise,
		enterprise + ":manager.value":            enterprise + ":manager.value",
		"manager":                                enterprise + ":manager",
		custom + ":tags":                         custom + ":tags",
		`emails[type eq "work"]`:                 `emails`,
		`addresses[type eq "other"].Formatted`:   `addresses.formatted`,
		schema.UserURN + `:emails[value co "x"]`: `emails`,
	} {
		got, err := filter.ParsePath(text, user(), filter.Options{})
		if err != nil || got.String() != want || (got.Filter != nil) != strings.Contains(text, "[") {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
	}
	for text, want := range map[string]scimerr.Type{ // S26, R102
		"": scimerr.InvalidPath, "nope": scimerr.InvalidPath, "name.": scimerr.InvalidPath, "a.b.c": scimerr.InvalidPath,
		"__proto__": scimerr.InvalidPath, "urn:x:y": scimerr.InvalidPath, "emails ": scimerr.InvalidPath,
		`userName[value eq "x"]`: scimerr.InvalidPath, `name[familyName eq "x"]`: scimerr.InvalidPath,
		`emails[type eq "work"].nope`: scimerr.InvalidPath, `emails[type eq "work"]x`: scimerr.InvalidPath,
		`emails[type eq "work"`: scimerr.InvalidFilter, `emails[]`: scimerr.InvalidFilter, `emails[nope pr]`: scimerr.InvalidFilter,
		strings.Repeat("x", 513): scimerr.InvalidPath,
	} {
		if _, err := filter.ParsePath(text, user(), filter.Options{}); scimerr.TypeOf(err) != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	resource := user()
	for b.Loop() {
		if _, err := filter.Parse(`userName eq "bjensen@example.com"`, resource, filter.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWorst(b *testing.B) {
	resource := user()
	text := strings.Repeat(custom+`:badge eq 1`+strings.Repeat("0", 40)+" or ", 19) + "title pr"
	for b.Loop() {
		if _, err := filter.Parse(text, resource, filter.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
