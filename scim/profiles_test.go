package scim_test

import (
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"muster/scim/schema"
)

// decision is one request where sources disagree, and what each profile answers.
type decision struct {
	item, method, path, body string
	// want is the status and scimType of every profile that except does not name, such as "400 invalidValue"; "400 ?" is any scimType.
	want   string
	except map[string]string
	// reads is what GET of path then holds, without id, meta and schemas; empty when nothing is to be read.
	reads string
}

const (
	annAttributes = `"userName":"ann","name":{"givenName":"G","familyName":"F"},"emails":[{"type":"home","value":"h@x.test"}]`
	// annAfter is Ann with more.
	annAfter = `{` + annAttributes + `,"active":true`
	adGroup  = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"
)

func decisions() []decision {
	strict := func(answer string) map[string]string { return map[string]string{"strict": answer} }
	const manager = enterprise + ":manager"
	without := `{"Operations":[{"op":"replace","path":"title","value":"T"}]}`
	return []decision{
		{"K1 Users", "PATCH", "/Users/<ann>", patch(`{"op":"add","path":"title","value":"T"}`), "200", nil, annAfter + `,"title":"T"}`},
		{"K1 Groups", "PATCH", "/Groups/<team>", patch(`{"op":"add","path":"externalId","value":"e"}`), "204", nil, ""},
		{"K1 asked for", "PATCH", "/Groups/<team>?attributes=displayName", patch(`{"op":"add","path":"externalId","value":"e"}`), "200", nil, ""},
		{"K2 POST", "POST", "/Users", userWith(`"userName":"new","companyName":"C"`), "201", strict("400 invalidSyntax"), ""},
		{"K2 POST, below", "POST", "/Users", userWith(`"userName":"new","name":{"nick":"C"}`), "201", strict("400 invalidSyntax"), ""},
		{"K2 POST, extension", "POST", "/Users", userWith(`"userName":"new","` + enterprise + `":{"nope":"C"}`), "201", strict("400 invalidSyntax"), ""},
		{"K2 POST, another URN", "POST", "/Users", userWith(`"userName":"new","urn:x:y:User":{"nope":"C"}`), "201", strict("400 invalidSyntax"), ""},
		{"K2 PUT", "PUT", "/Users/<ann>", userWith(annAttributes + `,"companyName":"C"`), "200", strict("400 invalidSyntax"), annAfter + `}`},
		{"K2 PATCH", "PATCH", "/Users/<ann>", patch(`{"op":"add","path":"name","value":{"nick":"x","middleName":"M"}}`), "200", strict("400 invalidSyntax"), ""},
		{"S14 PATCH path", "PATCH", "/Users/<ann>", patch(`{"op":"add","path":"companyName","value":"C"}`), "400 invalidPath", nil, annAfter + `}`},
		{"K3 Users", "POST", "/Users", strings.Replace(userWith(`"userName":"new"`), `["`, `["urn:x:y:User","`, 1), "201", strict("400 invalidSyntax"), ""},
		{"K3, E30 Groups", "POST", "/Groups", `{"schemas":["` + schema.GroupURN + `","` + adGroup + `"],"displayName":"New"}`, "201", strict("400 invalidSyntax"), ""},
		{"E10 listed and absent", "POST", "/Users", userWith(`"userName":"new"`), "201", nil, ""},
		{"K4 replace", "PATCH", "/Users/<ann>", patch(`{"op":"replace","value":{"title":"T"}}`), "200", strict("400 ?"), ""},
		{"K4 add", "PATCH", "/Users/<ann>", patch(`{"op":"add","value":{"title":"T"}}`), "200", strict("400 ?"), ""},
		{"K4 Groups", "PATCH", "/Groups/<team>", patch(`{"op":"replace","value":{"id":"<team>","displayName":"T"}}`), "204", strict("400 ?"), ""},
		{"K5", "PATCH", "/Users/<ann>", without, "400 invalidSyntax", map[string]string{"lenient": "200"}, ""},
		{"R2 POST", "POST", "/Users", `{"userName":"new"}`, "400 invalidSyntax", map[string]string{"lenient": "201"}, ""},
		{"R90 PUT", "PUT", "/Users/<ann>", `{` + annAttributes + `}`, "400 invalidSyntax", map[string]string{"lenient": "200"}, annAfter + `}`},
		{"K6 replace", "PATCH", "/Users/<ann>", patch(`{"op":"replace","path":"emails[type eq \"work\"].value","value":"w@x.test"}`), "400 noTarget", map[string]string{"entra": "200"}, ""},
		{"K6 Replace", "PATCH", "/Users/<ann>", patch(`{"op":"Replace","path":"emails[type eq \"work\"].value","value":"w@x.test"}`), "200", strict("400 noTarget"), ""},
		{"K6 add", "PATCH", "/Users/<ann>", patch(`{"op":"add","path":"phoneNumbers[type eq \"fax\"].value","value":"1"}`), "200", nil, annAfter + `,"phoneNumbers":[{"type":"fax","value":"1"}]}`},
		{"K6 no eq term", "PATCH", "/Users/<ann>", patch(`{"op":"Replace","path":"emails[type sw \"wor\"].value","value":"w@x.test"}`), "400 noTarget", nil, annAfter + `}`},
		{"K7 a word", "GET", "/Users?filter=userName eq ann", "", "400 invalidFilter", map[string]string{"lenient": "200"}, ""},
		{"K7 a word in a value path", "GET", "/Users?filter=emails[type eq home]", "", "400 invalidFilter", map[string]string{"lenient": "200"}, ""},
		{"K7 only after an operator", "GET", "/Users?filter=ann", "", "400 invalidFilter", nil, ""},
		{"K7 no words in place of operators", "GET", `/Users?filter=userName is ann`, "", "400 invalidFilter", nil, ""},
		{"K8 POST", "POST", "/Users", userWith(`"userName":"new","active":"False","roles":[{"value":"r","primary":"True"}]`), "201", nil, ""},
		{"K8 PATCH", "PATCH", "/Users/<ann>", patch(`{"op":"replace","path":"active","value":"False"}`), "200", nil, `{` + annAttributes + `,"active":false}`},
		{"K8 filter", "GET", `/Users?filter=active eq "True" and not (roles[primary eq "True"])`, "", "200", nil, ""},
		{"K9 a string", "PATCH", "/Users/<ann>", patch(`{"op":"add","path":"` + manager + `","value":"m"}`), "200", nil, annAfter + `,"` + enterprise + `":{"manager":{"value":"m"}}}`},
		{"K9 cleared", "PATCH", "/Users/<ann>", patch(`{"op":"add","path":"`+manager+`","value":"m"}`, `{"op":"replace","path":"`+manager+`","value":""}`), "200", nil, annAfter + `}`},
		{"K10", "PATCH", "/Groups/<team>", patch(`{"op":"remove","path":"members","value":[{"value":"<bob>"}]}`), "204", nil, ""},
		{"K11", "PATCH", "/Users/<ann>", patch(`{"op":"replace","path":"name","value":{"givenName":"N"}}`), "200", nil, ""},
		{"K12 POST", "POST", "/Groups", group("TEAM"), "409 uniqueness", nil, ""},
		{"K12 PATCH", "PATCH", "/Groups/<other>", patch(`{"op":"replace","path":"displayName","value":"team"}`), "409 uniqueness", nil, ""},
		{"K13 POST", "POST", "/Groups", group("New", "nobody"), "400 invalidValue", nil, ""},
		{"K13 PATCH", "PATCH", "/Groups/<team>", patch(`{"op":"add","path":"members","value":[{"value":"nobody"}]}`), "400 invalidValue", nil, ""},
		{"K14 on an endpoint", "GET", `/Users?filter=nope eq "x"`, "", "400 invalidFilter", nil, ""},
		{"K14 by .search", "POST", `/Users/.search`, searchRequest(`,"filter":"nope pr"`), "400 invalidFilter", nil, ""},
		{"K14 at the root", "GET", `/?filter=nope eq "x"`, "", "200", nil, ""},
		{"K17", "PATCH", "/Users/<ann>", patch(`{"op":"add","path":"addresses","value":[{"type":"work","country":"Deutschland"}]}`), "200", nil, annAfter + `,"addresses":[{"type":"work","country":"Deutschland"}]}`},
		{"K18 Schemas", "GET", `/Schemas?filter=id pr`, "", "403", nil, ""},
		{"K18 ResourceTypes", "GET", `/ResourceTypes?filter=id pr`, "", "403", nil, ""},
		{"K18 ServiceProviderConfig", "GET", `/ServiceProviderConfig?filter=id pr`, "", "200", nil, ""},
		{"K19", "GET", "/Users/nobody", "", "404", nil, ""},
		{"K20", "DELETE", "/Users/<bob>", "", "204", nil, ""},
		{"K21", "PATCH", "/Users/<ann>", patch(`{"op":"replace","path":"userName","value":"Änn@X.Test"}`), "200", nil, strings.Replace(annAfter, `"ann"`, `"Änn@X.Test"`, 1) + `}`},
		{"V5 a value that is no array", "POST", "/Users", userWith(`"userName":"new","emails":{"value":"n@x.test"}`), "201", strict("400 invalidValue"), ""},
		{"S64 Okta's deactivation", "PATCH", "/Users/<ann>", patch(`{"op":"replace","value":{"active":false}}`), "200", strict("400 ?"), ""},
		{"E17 keys are paths", "PATCH", "/Users/<ann>", patch(`{"op":"replace","value":{"name.givenName":"N"}}`), "200", strict("400 ?"), ""},
	}
}

// K1-K21, S25, S28, R2, R90: each decision in each profile.
func TestProfileDecisions(t *testing.T) {
	for _, profile := range []string{"auto", "okta", "entra", "lenient", "strict"} {
		t.Run(profile, func(t *testing.T) {
			w := onSQLite(t)
			w.secret = w.tokenWith(profile)
			for _, d := range decisions() {
				names := w.cast()
				want, ok := d.except[profile]
				if !ok {
					want = d.want
				}
				w.decide(d, want, strings.NewReplacer(names...).Replace)
				w.empty()
			}
		})
	}
}

// empty deletes every User and Group.
func (w *world) empty() {
	w.Helper()
	for _, endpoint := range []string{"/Users", "/Groups"} {
		resources, _ := w.ok(http.StatusOK, "GET", endpoint+"?attributes=id", "").body["Resources"].([]any)
		for _, resource := range resources {
			id, _ := dig(resource, "id").(string)
			w.ok(http.StatusNoContent, "DELETE", endpoint+"/"+id, "")
		}
	}
}

// cast makes the people and groups of the decisions, and returns what stands for their ids.
func (w *world) cast() []string {
	w.Helper()
	ann, bob := w.made(annAttributes), w.made(`"userName":"bob"`)
	return []string{"<ann>", ann, "<bob>", bob, "<team>", w.createGroup("Team", bob), "<other>", w.createGroup("Other")}
}

func (w *world) decide(d decision, want string, fill func(string) string) {
	w.Helper()
	got := w.send(d.method, fill(d.path), fill(d.body))
	status, scimType, _ := strings.Cut(want, " ")
	if scimType == "?" {
		scimType, _ = got.body["scimType"].(string)
	}
	code, err := strconv.Atoi(status)
	w.must(err)
	switch {
	case code >= http.StatusBadRequest:
		w.isError(got, code, scimType, d.item)
	case got.status != code:
		w.Errorf("%s: %d %s, want %s", d.item, got.status, got.text, want)
	}
	if d.reads != "" && (code < 300 || want == d.want) {
		w.same(d.item, w.without(w.ok(http.StatusOK, "GET", fill(d.path), "")), d.reads)
	}
}

// K11, K10, K6, K20: what is there afterwards where the answer's status alone does not say it.
func TestProfileOutcomes(t *testing.T) {
	for _, profile := range []string{"auto", "okta", "entra", "lenient", "strict"} {
		t.Run(profile, func(t *testing.T) {
			w := onSQLite(t)
			names := w.cast()
			ann, bob, team := names[1], names[3], names[5]
			w.secret = w.tokenWith(profile)
			w.ok(200, "PATCH", "/Users/"+ann, patch(`{"op":"replace","path":"name","value":{"givenName":"N"}}`))
			want := map[string]any{"givenName": "N", "familyName": "F"}
			if profile == "strict" {
				delete(want, "familyName")
			}
			if got := w.ok(200, "GET", "/Users/"+ann, "").body["name"]; !reflect.DeepEqual(got, any(want)) {
				t.Errorf("K11: %v, want %v", got, want)
			}
			w.ok(204, "PATCH", "/Groups/"+team, patch(`{"op":"add","path":"members","value":[{"value":"`+ann+`"}]}`))
			w.ok(204, "PATCH", "/Groups/"+team, patch(`{"op":"remove","path":"members","value":[{"value":"`+bob+`"}]}`))
			if got := w.members(team); !reflect.DeepEqual(got, []string{ann}) {
				t.Errorf("K10: %v", got)
			}
			w.ok(204, "PATCH", "/Groups/"+team, patch(`{"op":"remove","path":"members","value":[]}`))
			if got := w.members(team); !reflect.DeepEqual(got, []string{ann}) {
				t.Errorf("K10, an empty list: %v", got)
			}
			w.refused(412, "", "PATCH", "/Users/"+ann, patch(`{"op":"replace","path":"title","value":"x"}`), "If-Match", `W/"99"`) // K15
			w.ok(201, "POST", "/Users", userWith(`"userName":"k16"`), "Content-Type", "")
			w.refused(415, "", "POST", "/Users", userWith(`"userName":"k16 too"`), "Content-Type", "text/plain")
			w.ok(204, "DELETE", "/Users/"+ann, "")
			w.refused(404, "", "GET", "/Users/"+ann, "")
			w.ok(201, "POST", "/Users", userWith(`"userName":"ann"`))
			if got := w.ok(200, "GET", `/Users?filter=userName eq "ann"`, ""); got.body["totalResults"] != 1.0 { // K20
				t.Errorf("K20: %s", got.text)
			}
		})
	}
}

// K6, S74: Entra's flag on the tenant URL makes any profile's replace create, and changes nothing else.
func TestProfileFlag(t *testing.T) {
	for _, profile := range []string{"auto", "okta", "entra", "lenient"} {
		w := onSQLite(t)
		ann := w.cast()[1]
		w.secret = w.tokenWith(profile)
		got := w.ok(200, "PATCH", "/Users/"+ann+"?aadOptscim062020", patch(`{"op":"replace","path":"emails[type eq \"work\"].value","value":"w@x.test"}`))
		w.same(profile, w.without(got), `{"userName":"ann","name":{"givenName":"G","familyName":"F"},"active":true,
			"emails":[{"type":"home","value":"h@x.test"},{"type":"work","value":"w@x.test"}]}`)
		w.ok(200, "GET", "/Users?aadOptscim062020&filter=userName eq \"ann\"", "")
	}
}

// K12: twins of a group's name differ by organization only; the name is free again after a rename or a deletion.
func TestProfileGroupNames(t *testing.T) {
	onEngines(t, func(w *world) {
		team := w.createGroup("Team")
		w.refused(409, "uniqueness", "POST", "/Groups", group("team"))
		w.ok(204, "PATCH", "/Groups/"+team, patch(`{"op":"replace","path":"displayName","value":"TEAM"}`))
		w.ok(204, "PATCH", "/Groups/"+team, patch(`{"op":"replace","path":"displayName","value":"Renamed"}`))
		again := w.createGroup("Team")
		w.refused(409, "uniqueness", "PATCH", "/Groups/"+team, patch(`{"op":"replace","path":"displayName","value":"Team"}`))
		w.ok(204, "DELETE", "/Groups/"+again, "")
		w.ok(204, "PATCH", "/Groups/"+team, patch(`{"op":"replace","path":"displayName","value":"Team"}`))
	})
}
