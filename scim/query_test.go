package scim_test

import (
	"context"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"muster/domain"
	"muster/scim"
	"muster/scim/schema"
)

// userNames returns the userNames (or displayNames) of a list, in order.
func userNames(got reply) []string {
	names := []string{}
	resources, _ := got.body["Resources"].([]any)
	for _, element := range resources {
		object, _ := element.(map[string]any)
		name, _ := object["userName"].(string)
		if name == "" {
			name, _ = object["displayName"].(string)
		}
		names = append(names, name)
	}
	return names
}

func searchRequest(fields string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]` + fields + `}`
}

// S36-S38, R60-R72, E12, E33, B1-B6, O18: filters, by GET and by .search.
func TestFilters(t *testing.T) {
	onEngines(t, func(w *world) {
		ann := w.create("ann@x.test")
		w.ok(http.StatusCreated, "POST", "/Users", `{"schemas":["`+schema.UserURN+`"],"userName":"Bob","active":false,"title":"Boss",
			"emails":[{"value":"bob@home.test","type":"home"},{"value":"bob@work.test","type":"work"}],"`+schema.EnterpriseURN+`":{"department":"R"}}`)
		team := w.createGroup("Team", ann)
		users, groups := []string{"ann@x.test"}, []string{"Team"}
		bob, both, none := []string{"Bob"}, []string{"ann@x.test", "Bob"}, []string{}
		for _, c := range []struct {
			endpoint, filter string
			want             []string
		}{
			{"/Users", `userName eq "ANN@x.test"`, users},
			{"/Users", `USERNAME Eq "bob"`, bob},
			{"/Users", schema.UserURN + `:userName sw "a"`, users},
			{"/Users", `externalId eq "00u-ann@x.test"`, users},
			{"/Users", `externalId eq "00U-ANN@X.TEST"`, none},
			{"/Users", `id eq "` + ann + `"`, users},
			{"/Users", `emails co "HOME"`, bob},
			{"/Users", `emails.value eq "bob@work.test"`, bob},
			{"/Users", `emails[type eq "work"].value eq "bob@work.test"`, bob},
			{"/Users", `emails[type eq "work" and value co "home"]`, none},
			{"/Users", `emails[primary eq true]`, users},
			{"/Users", `emails[primary eq "True"].value eq "ann@x.test"`, users},
			{"/Users", `title pr`, bob},
			{"/Users", `not (title pr)`, users},
			{"/Users", `title eq null`, users},
			{"/Users", `title ne "x"`, both},
			{"/Users", `active eq false`, bob},
			{"/Users", `active eq "True"`, users},
			{"/Users", `name.familyName co "e" or title eq "boss"`, both},
			{"/Users", `title pr and active eq true or userName eq "bob"`, bob},
			{"/Users", schema.EnterpriseURN + `:department eq "r" and userName sw "B"`, bob},
			{"/Users", `schemas eq "` + schema.EnterpriseURN + `"`, bob},
			{"/Users", `meta.resourceType eq "User"`, both},
			{"/Users", `meta.lastModified gt "2026-03-01T00:00:00Z"`, both},
			{"/Users", `meta.lastModified lt "2026-03-01T00:00:00+00:00"`, none},
			{"/Users", `groups.value eq "` + team + `"`, users},
			{"/Users", `groups pr`, users},
			{"/Users", `userName eq "x' OR 1=1 --"`, none},
			{"/Users", `userName co "%"`, none},
			{"/Users", `userName co "_"`, none},
			{"/Users", `userName eq "a\u006en@x.test"`, users},
			{"/Groups", `displayName eq "TEAM"`, groups},
			{"/Groups", `id eq "` + team + `" and members eq "` + ann + `"`, groups},
			{"/Groups", `members[value eq "` + ann + `"]`, groups},
			{"/Groups", `members.value eq "nobody"`, none},
			{"/Groups", `externalId pr`, none},
		} {
			got := w.ok(http.StatusOK, "GET", c.endpoint+"?filter="+url.QueryEscape(c.filter), "")
			if names := userNames(got); !reflect.DeepEqual(names, c.want) || got.body["totalResults"] != float64(len(c.want)) {
				w.Errorf("%s: got %v, want %v", c.filter, got.text, c.want)
			}
			quoted := strings.ReplaceAll(strings.ReplaceAll(c.filter, `\`, `\\`), `"`, `\"`)
			found := w.ok(http.StatusOK, "POST", c.endpoint+"/.search", searchRequest(`,"filter":"`+quoted+`"`))
			if found.text != got.text { // S45
				w.Errorf("%s: .search found %s", c.filter, found.text)
			}
		}
	})
}

// S40, O17, R51, R54, E39, B9.
func TestPaging(t *testing.T) {
	onEngines(t, func(w *world) {
		all := []string{"a", "b", "c", "d", "e"}
		for _, name := range all {
			w.createGroup(name)
		}
		for _, c := range []struct {
			query string
			start int
			want  []string
		}{
			{"", 1, all},
			{"startIndex=1&count=2", 1, all[:2]},
			{"startIndex=3&count=2", 3, all[2:4]},
			{"startIndex=5&count=2", 5, all[4:]},
			{"startIndex=6&count=2", 6, []string{}},
			{"startIndex=99999999999999999999", 9223372036854775807, []string{}},
			{"startIndex=0&count=1", 1, all[:1]},
			{"startIndex=-3&count=1", 1, all[:1]},
			{"count=0", 1, []string{}},
			{"count=-1", 1, []string{}},
			{"count=99999999999999999999", 1, all},
			{"count=", 1, all},
			{"sortOrder=descending&aadOptscim062020&x=y", 1, all},
			{"count=1&startIndex=2&filter=displayName pr", 2, all[1:2]},
		} {
			got := w.ok(http.StatusOK, "GET", "/Groups?"+c.query, "")
			want := map[string]any{
				"schemas": []any{listURN}, "totalResults": 5.0, "startIndex": float64(c.start), "itemsPerPage": float64(len(c.want)),
				"Resources": got.body["Resources"],
			}
			if !reflect.DeepEqual(got.body, want) || !reflect.DeepEqual(userNames(got), c.want) {
				w.Errorf("%s: %s", c.query, got.text)
			}
		}
		got := w.ok(http.StatusOK, "POST", "/Groups/.search", searchRequest(`,"StartIndex":2,"count":2,"attributes":["displayName"]`))
		if !reflect.DeepEqual(userNames(got), all[1:3]) || strings.Contains(got.text, "meta") {
			w.Error(got.text)
		}
	})
}

// S44, R80-R85: attributes and excludedAttributes, on every answer.
func TestProjection(t *testing.T) {
	w := onSQLite(t)
	const core, enterprise = schema.UserURN, schema.EnterpriseURN
	body := `{"schemas":["` + core + `"],"userName":"u","name":{"givenName":"G","familyName":"F"},"title":"T",
		"emails":[{"value":"a@x.test","type":"work"},{"value":"b@x.test"},{"display":"x"}],"` + enterprise + `":{"department":"D","manager":{"value":"m"}}}`
	id, _ := w.ok(http.StatusCreated, "POST", "/Users", body).body["id"].(string)
	one, two := `"schemas":["`+core+`"],"id":"`+id+`"`, `"schemas":["`+core+`","`+enterprise+`"],"id":"`+id+`"`
	const ext = `"` + enterprise + `":`
	for query, want := range map[string]string{
		"attributes=userName":                   `{` + one + `,"userName":"u"}`,
		"attributes=USERNAME, Title":            `{` + one + `,"userName":"u","title":"T"}`,
		"attributes=nope":                       `{` + one + `}`,
		"attributes=name":                       `{` + one + `,"name":{"givenName":"G","familyName":"F"}}`,
		"attributes=name.givenName":             `{` + one + `,"name":{"givenName":"G"}}`,
		"attributes=emails.value":               `{` + one + `,"emails":[{"value":"a@x.test"},{"value":"b@x.test"}]}`,
		`attributes=emails[type eq "work"]`:     `{` + one + `,"emails":[{"value":"a@x.test","type":"work"},{"value":"b@x.test"},{"display":"x"}]}`,
		"attributes=" + core + ":title":         `{` + one + `,"title":"T"}`,
		"attributes=" + enterprise:              `{` + two + `,` + ext + `{"department":"D","manager":{"value":"m"}}}`,
		"attributes=" + enterprise + ":manager": `{` + two + `,` + ext + `{"manager":{"value":"m"}}}`,
		"attributes=manager.value":              `{` + two + `,` + ext + `{"manager":{"value":"m"}}}`,
		"attributes=meta.resourceType":          `{` + one + `,"meta":{"resourceType":"User"}}`,
		"attributes=password":                   `{` + one + `}`,
		"excludedAttributes=id,schemas,meta,emails,name,active," + enterprise + ":manager": `{` + two + `,"userName":"u","title":"T",` + ext + `{"department":"D"}}`,
		"excludedAttributes=meta,emails.type,emails.display,name.givenName,active,title," + enterprise: `{` + one +
			`,"userName":"u","emails":[{"value":"a@x.test"},{"value":"b@x.test"}],"name":{"familyName":"F"}}`,
	} {
		w.same(query, w.ok(http.StatusOK, "GET", "/Users/"+id+"?"+query, "").text, want)
		w.same("PUT "+query, w.ok(http.StatusOK, "PUT", "/Users/"+id+"?"+query, body).text, want)
		w.same("PATCH "+query, w.ok(http.StatusOK, "PATCH", "/Users/"+id+"?"+query, patch(`{"op":"replace","path":"title","value":"T"}`)).text, want)
		list := w.ok(http.StatusOK, "GET", "/Users?"+query, "").text
		_, list, _ = strings.Cut(list, `"Resources":[`)
		w.same("list "+query, strings.TrimSuffix(list, "]}"), want)
	}
	got := w.ok(http.StatusCreated, "POST", "/Users?attributes=userName", `{"schemas":["`+core+`"],"userName":"v"}`) // R42
	if len(got.body) != 3 || got.header.Get("Location") == "" {
		t.Error(got.text)
	}
}

// watching notes whether members were read.
type watching struct {
	scim.Service

	withMembers *bool
}

func (s watching) GetGroup(ctx context.Context, scope domain.OrgScope, id domain.GroupID, withMembers bool) (domain.Group, error) {
	*s.withMembers = withMembers
	return s.Service.GetGroup(ctx, scope, id, withMembers)
}

func (s watching) QueryGroups(ctx context.Context, scope domain.OrgScope, query domain.Query, withMembers bool) (domain.Result[domain.Group], error) {
	*s.withMembers = withMembers
	return s.Service.QueryGroups(ctx, scope, query, withMembers)
}

// S44, E31: members that are not shown are not read from the database.
func TestMembersAreReadOnlyWhenShown(t *testing.T) {
	w := onSQLite(t)
	ann := w.create("ann@x.test")
	id := w.createGroup("Team", ann)
	var read bool
	w.handler = scim.New(scim.Config{Service: watching{w.service, &read}, PublicURL: publicURL})
	for query, want := range map[string]string{
		"":                                       `[{"value":"` + ann + `","$ref":"` + publicURL + `/scim/v2/Users/` + ann + `","type":"User","display":"Ann Lee"}]`,
		"?attributes=members":                    `[{"value":"` + ann + `","$ref":"` + publicURL + `/scim/v2/Users/` + ann + `","type":"User","display":"Ann Lee"}]`,
		"?attributes=members.value":              `[{"value":"` + ann + `"}]`,
		"?excludedAttributes=members.$ref":       `[{"value":"` + ann + `","type":"User","display":"Ann Lee"}]`,
		"?excludedAttributes=displayName":        `[{"value":"` + ann + `","$ref":"` + publicURL + `/scim/v2/Users/` + ann + `","type":"User","display":"Ann Lee"}]`,
		"?excludedAttributes=members":            ``,
		"?excludedAttributes=MEMBERS,meta":       ``,
		"?attributes=displayName":                ``,
		"?attributes=id":                         ``,
		"?excludedAttributes=" + schema.GroupURN: ``,
	} {
		for _, path := range []string{"/Groups/" + id + query, "/Groups" + query} {
			got := w.ok(http.StatusOK, "GET", path, "")
			_, members, shown := strings.Cut(got.text, `"members":`)
			if shown != (want != "") || read != shown {
				t.Errorf("%s: shown %t, read %t", path, shown, read)
			}
			if shown {
				w.same(path, members[:strings.Index(members, "]")+1], want)
			}
		}
	}
}
