package scim_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"muster/scim"
	"muster/scim/schema"
)

// R131, R132, R137, R138, S51, S52: each status and each scimType, in one and the same form.
func TestRFC7644Errors(t *testing.T) {
	w := onSQLite(t)
	ann := w.create("ann@x.test")
	for _, c := range []struct {
		exchange

		header []string
	}{
		{exchange{"R137 invalidFilter", "GET", "/Users?filter=x", "", 400, "invalidFilter"}, nil},
		{exchange{"R137 invalidFilter in a path", "PATCH", "/Users/" + ann, patch(`{"op":"remove","path":"emails[x]"}`), 400, "invalidFilter"}, nil},
		{exchange{"R137 uniqueness", "POST", "/Users", person("ann@x.test"), 409, "uniqueness"}, nil},
		{exchange{"R137 mutability", "PATCH", "/Users/" + ann, patch(`{"op":"remove","path":"id"}`), 400, "mutability"}, nil},
		{exchange{"R137 invalidSyntax", "PUT", "/Users/" + ann, "{", 400, "invalidSyntax"}, nil},
		{exchange{"R137 invalidPath", "PATCH", "/Users/" + ann, patch(`{"op":"remove","path":"x"}`), 400, "invalidPath"}, nil},
		{exchange{"R137 noTarget", "PATCH", "/Users/" + ann, patch(`{"op":"remove"}`), 400, "noTarget"}, nil},
		{exchange{"R137 invalidValue", "GET", "/Users?count=x", "", 400, "invalidValue"}, nil},
		{exchange{"R132 no token", "GET", "/Users", "", 401, ""}, []string{"Authorization", ""}},
		{exchange{"R138 not found", "GET", "/Users/x", "", 404, ""}, nil},
		{exchange{"R131 no such path", "GET", "/Devices", "", 404, ""}, nil},
		{exchange{"R131 no such path below a resource", "GET", "/Users/" + ann + "/name", "", 404, ""}, nil},
		{exchange{"R133 another version", "GET", "/v1/Users", "", 404, ""}, nil},
		{exchange{"R131 no such method", "DELETE", "/Users", "", 405, ""}, nil},
		{exchange{"R131 not acceptable", "GET", "/Users", "", 406, ""}, []string{"Accept", "text/html"}},
		{exchange{"R138 precondition", "DELETE", "/Users/" + ann, "", 412, ""}, []string{"If-Match", `W/"0"`}},
		{exchange{"R131 too large", "POST", "/Users", strings.Repeat(" ", 2<<20), 413, ""}, nil},
		{exchange{"R131 media type", "POST", "/Users", person("new@x.test"), 415, ""}, []string{"Content-Type", "text/xml"}},
		{exchange{"R135 no person", "GET", "/Me", "", 501, ""}, nil},
	} {
		got := w.refused(c.status, c.want, c.method, c.path, c.body, c.header...)
		if strings.Contains(got.text, "<") || got.header.Get("ETag") != "" || (c.status == 401) != (got.header.Get("WWW-Authenticate") != "") ||
			(c.status == 405) != (got.header.Get("Allow") != "") {
			t.Errorf("%s: %v %s", c.item, got.header, got.text)
		}
		if detail, _ := got.body["detail"].(string); strings.Contains(detail, "ann@x.test") != (c.status == 409) {
			t.Errorf("%s: %s", c.item, detail)
		}
	}
	// A HEAD has the status and headers of the GET, and no body (R136).
	for _, path := range []string{"/Users/" + ann, "/Users", "/Groups", "/Users/x", "/ServiceProviderConfig"} {
		get, head := w.send("GET", path, ""), w.send("HEAD", path, "")
		if head.status != get.status || head.header.Get("ETag") != get.header.Get("ETag") || head.header.Get("Content-Type") != get.header.Get("Content-Type") {
			t.Errorf("%s: HEAD %d %v, GET %d %v", path, head.status, head.header, get.status, get.header)
		}
	}
}

// R135, S23: a SCIM token is no person, whatever is done with /Me.
func TestRFC7644Me(t *testing.T) {
	w := onSQLite(t)
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		w.refused(http.StatusNotImplemented, "", method, "/Me", "")
	}
}

// R135, S4, S19, S23, S24: a person's token answers /Me with the person's own User, as the User's own place would, and nothing else.
func TestRFC7644MeOfAPerson(t *testing.T) {
	onEngines(t, func(w *world) {
		ann := w.create("ann@x.test")
		own := w.ok(http.StatusOK, "GET", "/Users/"+ann, "")
		_, personal, err := w.service.CreatePersonalTokenFor(t.Context(), w.commandLine(""), "ann@x.test", false, "mine")
		w.must(err)
		_, other, err := w.service.CreatePersonalTokenFor(t.Context(), w.commandLine(""), "ada@x.test", true, "of somebody whom SCIM did not bring")
		w.must(err)
		bearer := []string{"Authorization", "Bearer " + string(personal)}
		got := w.ok(http.StatusOK, "GET", "/Me", "", bearer...)
		if !reflect.DeepEqual(got.body, own.body) || got.header.Get("Location") != publicURL+"/scim/v2/Users/"+ann || got.header.Get("ETag") != own.header.Get("ETag") {
			w.Errorf("%v %s", got.header, got.text)
		}
		w.same("attributes", w.without(w.ok(http.StatusOK, "GET", "/Me?attributes=userName", "", bearer...)), `{"userName":"ann@x.test"}`)
		w.refused(http.StatusBadRequest, "invalidValue", "GET", "/Me?attributes=userName&excludedAttributes=name", "", bearer...)
		for _, c := range []struct {
			method, header, value string
			status                int
		}{
			{"HEAD", "Accept", "*/*", http.StatusOK},
			{"GET", "If-None-Match", own.header.Get("ETag"), http.StatusNotModified},
			{"GET", "Accept", "text/html", http.StatusNotAcceptable},
		} {
			if got := w.send(c.method, "/Me", "", append(slices.Clone(bearer), c.header, c.value)...); got.status != c.status {
				w.Errorf("%s /Me with %s: %s: %d %s, want %d", c.method, c.header, c.value, got.status, got.text, c.status)
			}
		}
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
			if got := w.send(method, "/Me", person("ann@x.test"), bearer...); got.status != http.StatusNotImplemented && got.status != http.StatusMethodNotAllowed {
				w.Errorf("%s /Me: %d %s", method, got.status, got.text)
			}
		}
		w.refused(http.StatusUnauthorized, "", "GET", "/Users/"+ann, "", bearer...)
		w.refused(http.StatusNotFound, "", "GET", "/Me", "", "Authorization", "Bearer "+string(other))
		w.ok(http.StatusOK, "PATCH", "/Users/"+ann, patch(`{"op":"replace","path":"active","value":false}`))
		w.refused(http.StatusUnauthorized, "", "GET", "/Me", "", bearer...)
	})
}

// R30, S1: discovery may be open to everybody, and nothing else is; a wrong token is wrong there too.
func TestRFC7644OpenDiscovery(t *testing.T) {
	w := onSQLite(t)
	w.handler = scim.New(scim.Config{Service: w.service, PublicURL: publicURL, OpenDiscovery: true})
	for _, path := range []string{"/ServiceProviderConfig", "/ResourceTypes", "/ResourceTypes/User", "/Schemas", "/Schemas/" + schema.UserURN} {
		w.ok(http.StatusOK, "GET", path, "", "Authorization", "")
		w.refused(http.StatusUnauthorized, "", "GET", path, "", "Authorization", "Bearer x")
		w.refused(http.StatusForbidden, "", "GET", strings.Replace(path, "/ServiceProviderConfig", "/Schemas", 1)+"?filter=id pr", "", "Authorization", "")
		if got := w.send("POST", path, "{}", "Authorization", ""); got.status != http.StatusMethodNotAllowed && got.status != http.StatusUnauthorized {
			t.Errorf("POST %s: %d %s", path, got.status, got.text)
		}
	}
	for _, path := range []string{"/Users", "/Groups", "/", "/Me", "/nowhere", "/Users/x"} {
		w.refused(http.StatusUnauthorized, "", "GET", path, "", "Authorization", "")
	}
}

// R134, R14, R110, S47: entity tags on every answer that has one resource, and the conditions on them.
func TestRFC7644EntityTags(t *testing.T) {
	onEngines(t, func(w *world) {
		ann := w.create("ann@x.test")
		for path, bodies := range map[string][2]string{
			"/Users/" + ann:                   {person("ann@x.test"), patch(`{"op":"replace","path":"title","value":"<n>"}`)},
			"/Groups/" + w.createGroup("One"): {group("One"), patch(`{"op":"replace","path":"externalId","value":"<n>"}`)},
		} {
			change := func(n int) string { return strings.ReplaceAll(bodies[1], "<n>", strconv.Itoa(n)) }
			tag := w.ok(200, "GET", path, "").header.Get("ETag")
			for i, ask := range []func() reply{
				func() reply { return w.send("PATCH", path, change(1), "If-Match", tag) },
				func() reply { return w.send("PATCH", path+"?attributes=meta", change(2), "If-Match", "*") },
				func() reply { return w.send("PATCH", path, change(3)) },
				func() reply { return w.send("PUT", path, bodies[0], "If-Match", tag) },
			} {
				got := ask()
				next := w.ok(200, "GET", path, "").header.Get("ETag")
				if got.status >= 300 || next == tag || next != got.header.Get("ETag") {
					w.Errorf("%s %d: %d, ETag %s after %s, then %s", path, i, got.status, got.header.Get("ETag"), tag, next)
				}
				if version := dig(got.body, "meta", "version"); version != nil && version != next {
					w.Errorf("%s %d: version %v, ETag %s", path, i, version, next)
				}
				tag = next
			}
			for method, body := range map[string]string{"PUT": bodies[0], "PATCH": change(9), "DELETE": ""} {
				w.refused(412, "", method, path, body, "If-Match", `W/"1"`)
				w.refused(412, "", method, path, body, "If-Match", `"nonsense", W/"1"`)
				w.refused(400, "invalidValue", method, path, body, "If-Match", `nonsense`)
			}
			if got := w.ok(200, "GET", path, ""); got.header.Get("ETag") != tag {
				w.Errorf("a refused change changed the version: %s, %s", got.header.Get("ETag"), tag)
			}
			w.ok(304, "GET", path, "", "If-None-Match", `"x", `+tag)
			w.ok(304, "HEAD", path, "", "If-None-Match", tag)
			w.ok(200, "GET", path, "", "If-None-Match", `"x"`)
			w.ok(304, "GET", path+"?attributes=id", "", "If-None-Match", tag)
		}
	})
}

// R111, S8, S21, S93, L6: what changes nothing, in whatever words, changes neither version nor lastModified.
func TestRFC7644NoChange(t *testing.T) {
	onEngines(t, func(w *world) {
		bob := w.made(`"userName":"bob"`)
		ann := w.made(libraryUser)
		team := w.createGroup("Team", ann, bob)
		for _, c := range []struct{ path, operation string }{
			{"/Users/" + ann, `{"op":"Replace","path":"active","value":"True"}`},
			{"/Users/" + ann, `{"op":"replace","value":{"userName":"ann","externalId":"e1"}}`},
			{"/Users/" + ann, `{"op":"add","path":"emails","value":[{"type":"home","value":"H@x.test"}]}`},
			{"/Users/" + ann, `{"op":"add","path":"emails","value":[{"value":"ann@x.test","type":"work","primary":true}]}`},
			{"/Users/" + ann, `{"op":"replace","path":"emails[type eq \"work\"].primary","value":true}`},
			{"/Users/" + ann, `{"op":"replace","path":"name","value":{"familyName":"Lee"}}`},
			{"/Users/" + ann, `{"op":"remove","path":"nickName"},{"op":"remove","path":"emails[type eq \"other\"]"}`},
			{"/Users/" + ann, `{"op":"replace","path":"nickName","value":null}`},
			{"/Users/" + ann, `{"op":"add","path":"nickName","value":"x"},{"op":"remove","path":"nickName"}`},
			{"/Users/" + ann, `{"op":"replace","path":"password","value":"x"}`},
			{"/Users/" + ann, `{"op":"replace","path":"` + enterprise + `","value":{"department":"D"}}`},
			{"/Users/" + ann, `{"op":"replace","value":{"companyName":"unknown"}}`},
			{"/Groups/" + team, `{"op":"replace","value":{"id":"` + team + `","displayName":"Team"}}`},
			{"/Groups/" + team, `{"op":"add","path":"members","value":[` + values(bob) + `]}`},
			{"/Groups/" + team, `{"op":"replace","path":"members","value":[` + values(bob, ann, bob) + `]}`},
			{"/Groups/" + team, `{"op":"remove","path":"members[value eq \"nobody\"]"},{"op":"remove","path":"externalId"}`},
			{"/Groups/" + team, `{"op":"Remove","path":"members","value":[]}`},
			{"/Groups/" + team, `{"op":"add","path":"members","value":[]}`},
		} {
			before := w.ok(200, "GET", c.path, "")
			w.ok(200, "PATCH", c.path+"?attributes=id", patch(c.operation))
			if after := w.ok(200, "GET", c.path, ""); after.text != before.text || after.header.Get("ETag") != before.header.Get("ETag") {
				w.Errorf("%s: before %s\nafter %s", c.operation, before.text, after.text)
			}
		}
		for path, body := range map[string]string{"/Users/" + ann: userWith(libraryUser), "/Groups/" + team: group("Team", bob, ann)} {
			before := w.ok(200, "GET", path, "")
			if after := w.ok(200, "PUT", path, body); !reflect.DeepEqual(after.body, before.body) {
				w.Errorf("PUT: before %s\nafter %s", before.text, after.text)
			}
		}
	})
}

// R14, R115, R134: a group that loses a member because the member is deleted is another version of the group.
func TestRFC7644VersionOfGroups(t *testing.T) {
	onEngines(t, func(w *world) {
		ann, bob := w.create("ann@x.test"), w.create("bob@x.test")
		team := w.createGroup("Team", ann, bob)
		for _, change := range []func(){
			func() { w.ok(204, "DELETE", "/Users/"+ann, "") },
			func() { w.ok(204, "PATCH", "/Groups/"+team, patch(`{"op":"remove","path":"members"}`)) },
			func() {
				w.ok(204, "PATCH", "/Groups/"+team, patch(`{"op":"add","path":"members","value":[`+values(bob)+`]}`))
			},
			func() { w.ok(200, "PUT", "/Groups/"+team, group("Team")) },
		} {
			before := w.ok(200, "GET", "/Groups/"+team, "")
			change()
			after := w.ok(200, "GET", "/Groups/"+team, "", "If-None-Match", before.header.Get("ETag"))
			if dig(after.body, "meta", "lastModified") == dig(before.body, "meta", "lastModified") {
				w.Errorf("before %s\nafter %s", before.text, after.text)
			}
		}
	})
}

// R71, R130, K21: text of any kind comes back as it was sent, from every kind of answer.
func TestRFC7644TextOfAnyKind(t *testing.T) {
	onEngines(t, func(w *world) {
		for i, text := range []string{
			`<b>&amp;</b>`, "line\nand\ttab\r", "\u2028\u2029", `back\slash "quote" 'single'`, "😀 e\u0301 \ufeff", " spaces ", "\x01\x1f\x7f", `</script>`, `{"a":[1]}`, `%25 %s %d`, `$1 \1 ?`, "null", "\ufffd",
		} {
			attributes := `"userName":` + quote(w, "u"+strconv.Itoa(i)+text) + `,"title":` + quote(w, text) + `,"emails":[{"value":"x","display":` + quote(w, text) + `}],"` + enterprise + `":{"department":` + quote(w, text) + `}`
			created := w.ok(201, "POST", "/Users", userWith(attributes))
			id, _ := created.body["id"].(string)
			team := w.createGroup(strconv.Itoa(i), id)
			w.ok(200, "PATCH", "/Groups/"+team+"?attributes=id", patch(`{"op":"replace","path":"displayName","value":`+quote(w, "g"+text)+`}`))
			read := w.ok(200, "GET", "/Users/"+id, "")
			if read.body["title"] != text || dig(read.body, enterprise, "department") != text || dig(read.body["groups"].([]any)[0], "display") != "g"+text {
				w.Errorf("%q: %s", text, read.text)
			}
			list := w.ok(200, "POST", "/Users/.search", searchRequest(`,"filter":`+quote(w, "title eq "+quote(w, text)))).body["Resources"].([]any)
			byCursor := w.ok(200, "GET", "/Users?count=100&cursor=&filter="+url.QueryEscape(`userName eq `+quote(w, "u"+strconv.Itoa(i)+text)), "").body["Resources"].([]any)
			put := w.ok(200, "PUT", "/Users/"+id, userWith(attributes)).body
			if len(list) != 1 || len(byCursor) != 1 || !reflect.DeepEqual(list[0], any(read.body)) || !reflect.DeepEqual(byCursor[0], any(read.body)) || !reflect.DeepEqual(put, read.body) {
				w.Errorf("%q: read %s, listed %v, by cursor %v, put %v", text, read.text, list, byCursor, put)
			}
			if got := w.ok(200, "GET", "/Groups?attributes=displayName,members&filter="+url.QueryEscape("displayName eq "+quote(w, "g"+text)), ""); !slices.Equal(userNames(got), []string{"g" + text}) {
				w.Errorf("%q: %s", text, got.text)
			}
		}
	})
}

// R139, L1, S21: PATCHes of one User at once all apply, one after the other.
func TestRFC7644Concurrency(t *testing.T) {
	onEngines(t, func(w *world) {
		ann := w.create("ann@x.test")
		attributes := []string{"title", "nickName", "userType", "locale", "timezone", "preferredLanguage", "profileUrl", "displayName"}
		statuses := make([]int, len(attributes))
		var running sync.WaitGroup
		for i, name := range attributes {
			running.Go(func() {
				r := httptest.NewRequestWithContext(t.Context(), "PATCH", "/scim/v2/Users/"+ann, strings.NewReader(patch(`{"op":"add","path":"`+name+`","value":"`+name+`"}`)))
				r.Header.Set("Authorization", "Bearer "+w.secret)
				recorder := httptest.NewRecorder()
				w.handler.ServeHTTP(recorder, r)
				statuses[i] = recorder.Code
			})
		}
		running.Wait()
		got := w.ok(200, "GET", "/Users/"+ann, "")
		for _, name := range attributes {
			if got.body[name] != name {
				w.Errorf("%s is lost: %v", name, statuses)
			}
		}
		if slices.Max(statuses) != 200 || got.header.Get("ETag") != `W/"`+strconv.Itoa(1+len(attributes))+`"` {
			w.Errorf("%v, ETag %s", statuses, got.header.Get("ETag"))
		}
	})
}

// R41, S93: of creates of one name at once exactly one wins, and the others learn that it is there.
func TestRFC7644ConcurrentCreates(t *testing.T) {
	onEngines(t, func(w *world) {
		for endpoint, body := range map[string]string{"/Users": person("ann@x.test"), "/Groups": group("Team")} {
			codes := make([]int, 8)
			var running sync.WaitGroup
			for i := range codes {
				running.Go(func() {
					r := httptest.NewRequestWithContext(t.Context(), "POST", "/scim/v2"+endpoint, strings.NewReader(body))
					r.Header.Set("Authorization", "Bearer "+w.secret)
					recorder := httptest.NewRecorder()
					w.handler.ServeHTTP(recorder, r)
					codes[i] = recorder.Code
				})
			}
			running.Wait()
			slices.Sort(codes)
			if want := append([]int{http.StatusCreated}, slices.Repeat([]int{http.StatusConflict}, len(codes)-1)...); !slices.Equal(codes, want) {
				w.Errorf("%s: %v", endpoint, codes)
			}
			if total := w.ok(200, "GET", endpoint, "").body["totalResults"]; total != 1.0 {
				w.Errorf("%s: %v", endpoint, total)
			}
		}
	})
}

// R140, R13, R15, R44: two organizations may hold the same things, and see nothing of each other.
func TestRFC7644Tenants(t *testing.T) {
	onEngines(t, func(w *world) {
		_, err := w.service.CreateOrganizationByHand(t.Context(), "Elsewhere")
		w.must(err)
		home, other := w.secret, w.token("Elsewhere")
		ids := map[string]string{}
		for _, secret := range []string{home, other} {
			w.secret = secret
			ids[secret] = w.made(`"userName":"same","externalId":"same","title":"` + map[bool]string{true: "home", false: "away"}[secret == home] + `"`)
			w.createGroup("Same", ids[secret])
		}
		if ids[home] == ids[other] {
			t.Error("one id in two organizations")
		}
		for secret, id := range ids {
			w.secret = secret
			for _, filter := range []string{`userName eq "same"`, `externalId eq "same"`, `userName pr`, `not (userName eq "x")`, `groups.display eq "Same"`, `title ne "x"`} {
				got := w.ok(200, "GET", "/Users?filter="+filter, "")
				list, _ := got.body["Resources"].([]any)
				if got.body["totalResults"] != 1.0 || len(list) != 1 || dig(list[0], "id") != id {
					w.Errorf("%s: %s", filter, got.text)
				}
			}
			if got := userNames(w.ok(200, "GET", "/Groups?filter=members pr", "")); !reflect.DeepEqual(got, []string{"Same"}) {
				w.Errorf("groups %v", got)
			}
		}
		// What one does, the other does not see; not even its next number of anything.
		w.secret = other
		before := w.ok(200, "GET", "/Users", "").text + w.ok(200, "GET", "/Groups", "").text
		w.secret = home
		w.refused(404, "", "DELETE", "/Users/"+ids[other], "")
		w.refused(400, "invalidValue", "POST", "/Groups", group("Theirs", ids[other]))
		w.ok(201, "POST", "/Users", userWith(`"userName":"x","`+schema.EnterpriseURN+`":{"manager":{"value":"`+ids[other]+`"}}`))
		w.ok(204, "DELETE", "/Users/"+ids[home], "")
		if got := w.ok(200, "GET", `/Users?filter=userName eq "x"`, "").text; strings.Contains(got, "displayName") {
			w.Errorf("a manager of another organization is named: %s", got)
		}
		w.secret = other
		if after := w.ok(200, "GET", "/Users", "").text + w.ok(200, "GET", "/Groups", "").text; after != before {
			w.Errorf("before %s\nafter %s", before, after)
		}
	})
}
