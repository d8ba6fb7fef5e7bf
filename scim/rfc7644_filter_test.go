package scim_test

import (
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"muster/scim/schema"
)

// found asks for a filter by GET and by .search, which must agree (R57, S45), and returns the names, sorted.
func (w *world) found(endpoint, filter string) []string {
	w.Helper()
	got := w.ok(http.StatusOK, "GET", endpoint+"?filter="+url.QueryEscape(filter), "")
	searched := w.ok(http.StatusOK, "POST", endpoint+"/.search", searchRequest(`,"filter":`+quote(w, filter)))
	names := userNames(got)
	if searched.text != got.text || got.body["totalResults"] != float64(len(names)) {
		w.Errorf("%s: GET found %s, .search %s", filter, got.text, searched.text)
	}
	slices.Sort(names)
	return names
}

// figure2 makes three Users for whom every filter of RFC 7644 Figure 2 has somebody to select or to leave out.
func (w *world) figure2() {
	w.Helper()
	for _, attributes := range []string{
		`"userName":"bjensen","title":"Vice President","userType":"Employee","name":{"familyName":"O'Malley"},
			"emails":[{"type":"work","value":"bjensen@example.com"},{"type":"home","value":"babs@example.org"}],
			"` + schema.EnterpriseURN + `":{"department":"Tours"}`,
		`"userName":"Jsmith","userType":"Intern","emails":[{"type":"home","value":"j@example.com"},{"type":"work","value":"j@other.test"}],
			"ims":[{"type":"xmpp","value":"j@foo.com"}]`,
		`"userName":"kim","title":"Boss","userType":"Contractor","ims":[{"type":"aim","value":"k@foo.com"}]`,
	} {
		w.made(attributes)
	}
}

// R60, R64: all 17 filters of RFC 7644 Figure 2 select whom they should.
func TestRFC7644Figure2(t *testing.T) {
	onEngines(t, func(w *world) {
		w.figure2()
		modified, _ := dig(w.ok(200, "GET", `/Users?filter=userName eq "Jsmith"`, "").body["Resources"].([]any)[0], "meta", "lastModified").(string)
		all := []string{"Jsmith", "bjensen", "kim"}
		for _, c := range []struct {
			filter string
			want   []string
		}{
			{`userName eq "bjensen"`, []string{"bjensen"}},
			{`name.familyName co "O'Malley"`, []string{"bjensen"}},
			{`userName sw "J"`, []string{"Jsmith"}},
			{`urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"`, []string{"Jsmith"}},
			{`title pr`, []string{"bjensen", "kim"}},
			{`meta.lastModified gt "` + modified + `"`, []string{"kim"}},
			{`meta.lastModified ge "` + modified + `"`, []string{"Jsmith", "kim"}},
			{`meta.lastModified lt "` + modified + `"`, []string{"bjensen"}},
			{`meta.lastModified le "` + modified + `"`, []string{"Jsmith", "bjensen"}},
			{`title pr and userType eq "Employee"`, []string{"bjensen"}},
			{`title pr or userType eq "Intern"`, all},
			{`schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`, []string{"bjensen"}},
			{`userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")`, []string{"bjensen"}},
			{`userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")`, []string{"kim"}},
			{`userType eq "Employee" and (emails.type eq "work")`, []string{"bjensen"}},
			{`userType eq "Employee" and emails[type eq "work" and value co "@example.com"]`, []string{"bjensen"}},
			{`emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]`, []string{"Jsmith", "bjensen"}},
		} {
			if got := w.found("/Users", c.filter); !reflect.DeepEqual(got, c.want) {
				w.Errorf("%s: got %v, want %v", c.filter, got, c.want)
			}
		}
	})
}

// R61-R74, S36, S37: what filters mean, asked through the database.
func TestRFC7644FilterMeaning(t *testing.T) {
	onEngines(t, func(w *world) {
		w.figure2()
		w.made(`"userName":"50%_off\\","nickName":"Émile \"Q\"","active":"False","roles":[{"value":"admin","primary":true},{"value":"user"}],
			"addresses":[{"type":"work","country":"DE"}],"locale":"İstanbul","x509Certificates":[{"value":"QUJD"}],"profileUrl":"https://x.test/A"`)
		const odd, e = `50%_off\`, schema.EnterpriseURN
		all := []string{odd, "Jsmith", "bjensen", "kim"}
		for _, c := range []struct {
			item, filter string
			want         []string
		}{
			{"R61 and before or", `title eq "Boss" or title pr and userType eq "Employee"`, []string{"bjensen", "kim"}},
			{"R61 parentheses", `(title eq "Boss" or title pr) and userType eq "Employee"`, []string{"bjensen"}},
			{"R61 not before and", `not (title pr) and userType pr`, []string{"Jsmith"}},
			{"R61 left to right", `title pr and userType pr and name pr or userName eq "kim"`, []string{"bjensen", "kim"}},
			{"R61 not twice", `not (not (title pr))`, []string{"bjensen", "kim"}},
			{"R61 not without a space", `not(title pr) and userType pr`, []string{"Jsmith"}},
			{"R62 any case", `TITLE Pr AND UserType EQ "Employee"`, []string{"bjensen"}},
			{"R62 not in any case", `NOT (title PR) And userType pR`, []string{"Jsmith"}},
			{"R63 the core URN in any case", strings.ToUpper(schema.UserURN) + `:EMAILS.VALUE sw "babs"`, []string{"bjensen"}},
			{"R63 an extension's URN in any case", strings.ToUpper(e) + `:DEPARTMENT eq "tours"`, []string{"bjensen"}},
			{"R63 a URN before a value path", schema.UserURN + `:emails[type eq "work"]`, []string{"Jsmith", "bjensen"}},
			{"R64 meta.resourceType", `meta.resourceType eq "User"`, all},
			{"R64 meta.resourceType of others", `meta.resourceType eq "Group"`, []string{}},
			{"R64 meta.created", `meta.created pr and meta.created ge "2026-03-01T00:00:00Z"`, all},
			{"R64 meta.version", `meta.version eq "W/\"1\""`, all},
			{"R64 meta.version is exact", `meta.version eq "w/\"1\""`, []string{}},
			{"R64 meta.location", `meta.location sw "https://muster.example/base/scim/v2/Users/"`, all},
			{"R64 id and externalId", `id pr and not (externalId pr)`, all},
			{"R64 the core schema", `schemas eq "urn:ietf:params:scim:schemas:core:2.0:User"`, all},
			{"R64 another schema", `not (schemas co "enterprise")`, []string{odd, "Jsmith", "kim"}},
			{"R65 any element", `emails.type eq "home"`, []string{"Jsmith", "bjensen"}},
			{"R65 the same element", `emails[type eq "home" and value co "org"]`, []string{"bjensen"}},
			{"R65 two elements", `emails.type eq "home" and emails.value co "other"`, []string{"Jsmith"}},
			{"R65 the value stands for the whole", `emails sw "BABS"`, []string{"bjensen"}},
			{"R65 not within an element", `emails[not (type eq "home")]`, []string{"Jsmith", "bjensen"}},
			{"R66 ne is true for the absent", `title ne "Boss"`, []string{odd, "Jsmith", "bjensen"}},
			{"R66 ne of several", `emails.type ne "home"`, []string{odd, "kim"}},
			{"R66 eq null", `title eq null`, []string{odd, "Jsmith"}},
			{"R66 ne null", `title ne null`, []string{"bjensen", "kim"}},
			{"R66 eq null of several", `emails eq null`, []string{odd, "kim"}},
			{"R67 pr of a complex", `name pr`, []string{"bjensen"}},
			{"R67 pr of several", `ims pr`, []string{"Jsmith", "kim"}},
			{"R67 pr of a sub-attribute", `roles.primary pr`, []string{odd}},
			{"R67 pr in an extension", e + `:department pr`, []string{"bjensen"}},
			{"R68 strings", `userType gt "Contractor" and userType le "Employee"`, []string{"bjensen"}},
			{"R68 strings without case", `userName gt "JSMITH" and userName lt "L"`, []string{"kim"}},
			{"R68 instants with an offset", `meta.lastModified ge "2026-03-01T10:00:00+01:00"`, all},
			{"R69 no case", `emails.value eq "BABS@EXAMPLE.ORG"`, []string{"bjensen"}},
			{"R69 binary is exact", `x509Certificates.value eq "qujd"`, []string{}},
			{"R69 binary", `x509Certificates.value eq "QUJD"`, []string{odd}},
			{"R69 references are exact", `profileUrl eq "https://x.test/a"`, []string{}},
			{"R69 references", `profileUrl eq "https://x.test/A"`, []string{odd}},
			{"R70 sw nothing", `title sw ""`, []string{"bjensen", "kim"}},
			{"R70 ew", `userName ew "\\"`, []string{odd}},
			{"R71 escapes", `nickName co "\u00c9mile \"q\""`, []string{odd}},
			{"R71 escaped slash", `profileUrl co "\/\/x.test"`, []string{odd}},
			{"K8 booleans in strings", `active eq "False"`, []string{odd}},
			{"K8 in a value path", `roles[primary eq "True"].value eq "admin"`, []string{odd}},
			{"K8 not the primary one", `roles[primary eq "True"].value eq "user"`, []string{}},
			{"R8 no primary is false", `roles[value eq "user" and primary eq false]`, []string{odd}},
			{"R74 percent is a letter", `userName co "%"`, []string{odd}},
			{"R74 underscore is a letter", `userName co "_"`, []string{odd}},
			{"R74 backslash is a letter", `userName co "\\"`, []string{odd}},
			{"R74 percent at the end", `userName sw "50%_"`, []string{odd}},
			{"R74 quotes are letters", `name.familyName eq "O'Malley"`, []string{"bjensen"}},
			{"R74 folding is our own", `locale eq "i\u0307stanbul"`, []string{odd}},
			{"R74 folding beyond ASCII", `nickName sw "éMILE"`, []string{odd}},
			{"E12 value path and sub-attribute", `emails[type eq "work"].value eq "bjensen@example.com"`, []string{"bjensen"}},
			{"E12 of another element", `emails[type eq "home"].value eq "bjensen@example.com"`, []string{}},
			{"spaces around", ` title  pr `, []string{"bjensen", "kim"}},
		} {
			want := slices.Sorted(slices.Values(c.want))
			if got := w.found("/Users", c.filter); !slices.Equal(got, want) {
				w.Errorf("%s: %s: got %v, want %v", c.item, c.filter, got, want)
			}
		}
	})
}

// R64, R65, R69, E33: groups by their members, and people by their groups, by id, reference and name.
func TestRFC7644FilterMembers(t *testing.T) {
	onEngines(t, func(w *world) {
		ann, bob := w.create("ann@x.test"), w.create("bob@x.test")
		one, two := w.createGroup("One", ann), w.createGroup("Two", ann, bob)
		w.createGroup("None")
		root := publicURL + "/scim/v2"
		for _, c := range []struct {
			endpoint, filter string
			want             []string
		}{
			{"/Groups", `members eq "` + bob + `"`, []string{"Two"}},
			{"/Groups", `members.value eq "` + ann + `"`, []string{"One", "Two"}},
			{"/Groups", `members[value eq "` + ann + `"]`, []string{"One", "Two"}},
			{"/Groups", `members[value eq "` + ann + `" and type eq "User"] and displayName sw "t"`, []string{"Two"}},
			{"/Groups", `members.value eq "` + ann + `" and members.value eq "` + bob + `"`, []string{"Two"}},
			{"/Groups", `not (members.value eq "` + bob + `")`, []string{"None", "One"}},
			{"/Groups", `members.value ne "` + bob + `"`, []string{"None", "One"}},
			{"/Groups", `members pr`, []string{"One", "Two"}},
			{"/Groups", `not (members pr)`, []string{"None"}},
			{"/Groups", `members eq null`, []string{"None"}},
			{"/Groups", `members.value eq "` + strings.ToUpper(ann) + `"`, []string{}},
			{"/Groups", `members.type eq "user"`, []string{"One", "Two"}},
			{"/Groups", `members.type eq "Group"`, []string{}},
			{"/Groups", `members.display co "lee"`, []string{"One", "Two"}},
			{"/Groups", `members.$ref eq "` + root + "/Users/" + bob + `"`, []string{"Two"}},
			{"/Users", `groups eq "` + one + `"`, []string{"ann@x.test"}},
			{"/Users", `groups.value eq "` + two + `"`, []string{"ann@x.test", "bob@x.test"}},
			{"/Users", `groups.display eq "two" and not (groups.display eq "one")`, []string{"bob@x.test"}},
			{"/Users", `groups[display eq "One"]`, []string{"ann@x.test"}},
			{"/Users", `groups.$ref eq "` + root + "/Groups/" + one + `"`, []string{"ann@x.test"}},
			{"/Users", `groups.type eq "direct"`, []string{"ann@x.test", "bob@x.test"}},
		} {
			if got := w.found(c.endpoint, c.filter); !reflect.DeepEqual(got, c.want) {
				w.Errorf("%s: got %v, want %v", c.filter, got, c.want)
			}
		}
	})
}

// R62-R72, R74: groups have no fewer filters than Users.
func TestRFC7644FilterGroups(t *testing.T) {
	onEngines(t, func(w *world) {
		ann, bob := w.made(`"userName":"ann","displayName":"Ann Lee"`), w.made(`"userName":"bob","displayName":"50%"`)
		alpha := w.createGroup("Alpha", ann)
		w.ok(200, "PATCH", "/Groups/"+alpha+"?attributes=id", patch(`{"op":"add","path":"externalId","value":"E1"}`))
		w.createGroup("Straße", ann, bob)
		w.createGroup("50%_off")
		all := []string{"50%_off", "Alpha", "Straße"}
		for _, c := range []struct {
			filter string
			want   []string
		}{
			{`displayName sw "AL"`, []string{"Alpha"}},
			{`displayName eq "STRASSE"`, []string{"Straße"}},
			{`displayName co "%"`, []string{"50%_off"}},
			{`displayName co "_"`, []string{"50%_off"}},
			{`displayName ew "A"`, []string{"Alpha"}},
			{`displayName gt "alpha"`, []string{"Straße"}},
			{`displayName ge "alpha" and displayName lt "z"`, []string{"Alpha", "Straße"}},
			{`displayName ne "alpha"`, []string{"50%_off", "Straße"}},
			{`not (displayName eq "alpha" or displayName sw "5")`, []string{"Straße"}},
			{schema.GroupURN + `:displayName pr`, all},
			{`externalId pr`, []string{"Alpha"}},
			{`externalId eq null`, []string{"50%_off", "Straße"}},
			{`externalId ne "E1"`, []string{"50%_off", "Straße"}},
			{`externalId eq "e1"`, []string{}},
			{`id eq "` + alpha + `"`, []string{"Alpha"}},
			{`id ne "` + alpha + `"`, []string{"50%_off", "Straße"}},
			{`meta.resourceType eq "group"`, []string{}},
			{`meta.resourceType eq "Group"`, all},
			{`meta.version eq "W/\"2\""`, []string{"Alpha"}},
			{`meta.lastModified gt meta.created`, nil},
			{`meta.created le "2026-03-02T00:00:00Z"`, all},
			{`schemas eq "` + schema.GroupURN + `"`, all},
			{`schemas eq "` + schema.UserURN + `"`, []string{}},
			{`members.display eq "ann lee"`, []string{"Alpha", "Straße"}},
			{`members.display co "%"`, []string{"Straße"}},
			{`members[display sw "ann" and value eq "` + bob + `"]`, []string{}},
			{`members[display sw "ann" or value eq "` + bob + `"]`, []string{"Alpha", "Straße"}},
			{`members[not (value eq "` + ann + `")]`, []string{"Straße"}},
			{`members.value co "-"`, []string{"Alpha", "Straße"}},
			{`members.value eq null`, []string{"50%_off"}},
			{`members.value eq "` + ann + `" and not (members.value eq "` + bob + `")`, []string{"Alpha"}},
			{`members eq "` + bob + `" or externalId eq "E1"`, []string{"Alpha", "Straße"}},
		} {
			if c.want == nil {
				w.refused(400, "invalidFilter", "GET", "/Groups?filter="+url.QueryEscape(c.filter), "")
				continue
			}
			if got := w.found("/Groups", c.filter); !reflect.DeepEqual(got, c.want) {
				w.Errorf("%s: got %v, want %v", c.filter, got, c.want)
			}
		}
		for _, filter := range []string{`userName pr`, `active eq true`, `members[nope pr]`, `members gt "a" and nope pr`, schema.UserURN + `:userName pr`, `members[value.x eq "a"]`} {
			w.refused(400, "invalidFilter", "GET", "/Groups?filter="+url.QueryEscape(filter), "")
		}
	})
}

// R61, R62, R65, R68, R70, R71, R73, R74, S38: what is no filter of the RFC is invalidFilter, and finds nobody.
func TestRFC7644FilterErrors(t *testing.T) {
	w := onSQLite(t)
	w.figure2()
	for _, filter := range []string{
		" ", "pr", "title", "title is", `title eq`, `title eq "a" title pr`, `title pr and`, `and title pr`, `or`, `not title pr`, `(title pr`, `title pr)`, `()`,
		`title eq 'a'`, `title eq “a”`, `title eq "a`, `title eq "a" && title pr`, `title = "a"`, `title eq {"a":1}`, `title eq ["a"]`, `title eq userName`,
		`"title" eq "a"`, `1 eq 1`, `title.x eq "a"`, `name.givenName.x eq "a"`, `emails[`, `emails[]`, `emails[type]`, `emails[type eq "work"`, `emails]`,
		`emails[type eq "work"]x`, `emails[type eq "work"].`, `emails[type eq "work"] eq "x"`, `title[value eq "x"]`, `emails[emails.type eq "work"]`,
		`name eq "x"`, `addresses co "x"`, `name gt "x"`, `meta eq "x"`, `active gt true`, `active co "t"`, `active sw true`, `x509Certificates.value gt "QQ=="`,
		`title gt null`, `title co null`, `title sw 5`, `title eq 5`, `title eq true`, `active eq "yes"`, `active eq 1`, `meta.created eq "yesterday"`,
		`meta.created co "2026"`, `meta.created gt 5`, `password eq "x"`, `password pr`, `password sw "a"`, `nope pr`, `emails.nope pr`, `department pr`,
		`urn:nope:title pr`, schema.EnterpriseURN + ` pr`, schema.EnterpriseURN + `:nope pr`, schema.GroupURN + `:displayName pr`,
		`title eq "\u00"`, `title eq "\q"`, `title eq "` + "\x00" + `"`,
		strings.Repeat("(", 200) + "title pr" + strings.Repeat(")", 200), strings.Repeat("not(", 200) + "title pr" + strings.Repeat(")", 200),
		"title pr" + strings.Repeat(" and title pr", 500), `title eq "` + strings.Repeat("a", 100_000) + `"`,
	} {
		got := w.send("GET", "/Users?filter="+url.QueryEscape(filter), "")
		w.isError(got, 400, "invalidFilter", filter)
		if strings.ContainsRune(filter, 0) {
			continue
		}
		w.isError(w.send("POST", "/Users/.search", searchRequest(`,"filter":`+quote(t, filter))), 400, "invalidFilter", ".search "+filter)
	}
}
