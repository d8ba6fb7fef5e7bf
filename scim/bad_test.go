package scim_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"muster/scim"
	"muster/scim/schema"
)

// nested is JSON that nests deep.
func nested(levels int) string {
	return `{"a":` + strings.Repeat("[", levels) + strings.Repeat("]", levels) + "}"
}

// R41, S10, S13, S33, S35, S38, S90, B13, B18, F12: what is wrong is said, and the server lives on.
func TestBadInput(t *testing.T) {
	w := onSQLite(t)
	ann := w.create("ann@x.test")
	team := w.createGroup("Team", ann)
	const user = `{"schemas":["` + schema.UserURN + `"],"userName":"x",`
	set := func(path, value string) string {
		return patch(`{"op":"replace","path":"` + path + `","value":` + value + `}`)
	}
	for _, c := range []struct {
		method, path, body string
		status             int
		scimType           string
	}{
		{"POST", "/Users", "", 400, "invalidSyntax"},
		{"POST", "/Users", "{", 400, "invalidSyntax"},
		{"POST", "/Users", "[]", 400, "invalidSyntax"},
		{"POST", "/Users", "null", 400, "invalidSyntax"},
		{"POST", "/Users", user + `"active":true} x`, 400, "invalidSyntax"},
		{"POST", "/Users", user + `"active":true,"Active":true}`, 400, "invalidSyntax"},
		{"POST", "/Users", user + `"title":"a","title":"b"}`, 400, "invalidSyntax"},
		{"POST", "/Users", "{\"a\":\"\xff\"}", 400, "invalidSyntax"},
		{"POST", "/Users", `{"userName":"x"}`, 400, "invalidSyntax"},
		{"POST", "/Users", `{"schemas":[],"userName":"x"}`, 400, "invalidSyntax"},
		{"POST", "/Users", nested(100_000), 400, "invalidSyntax"},
		{"POST", "/Users", strings.Repeat("[", 1<<20), 400, "invalidSyntax"},
		{"POST", "/Users", user + `"title":"` + strings.Repeat("x", 10<<20) + `"}`, 413, ""},
		{"POST", "/Groups", `{"displayName":"` + strings.Repeat("x", 10<<20) + `"}`, 413, ""},
		{"POST", "/Users", `{"schemas":["` + schema.UserURN + `"]}`, 400, "invalidValue"},
		{"POST", "/Users", `{"schemas":["` + schema.UserURN + `"],"userName":""}`, 400, "invalidValue"},
		{"POST", "/Users", `{"schemas":["` + schema.UserURN + `"],"userName":null}`, 400, "invalidValue"},
		{"POST", "/Users", `{"schemas":["` + schema.UserURN + `"],"userName":5}`, 400, "invalidValue"},
		{"POST", "/Users", user + `"active":"maybe"}`, 400, "invalidValue"},
		{"POST", "/Users", user + `"emails":["x@x.test"]}`, 400, "invalidValue"},
		{"POST", "/Users", user + `"emails":[{"value":"a@x.test","primary":true},{"value":"b@x.test","primary":true}]}`, 400, "invalidValue"},
		{"POST", "/Users", user + `"title":"a\u0000b"}`, 400, "invalidValue"},
		{"POST", "/Users", `{"schemas":["` + schema.UserURN + `"],"userName":"` + strings.Repeat("x", 2000) + `"}`, 400, "invalidValue"},
		{"POST", "/Groups", `{"schemas":["` + schema.GroupURN + `"]}`, 400, "invalidValue"},
		{"POST", "/Groups", group("g", "nobody"), 400, "invalidValue"},
		{"POST", "/Groups", `{"schemas":["` + schema.GroupURN + `"],"displayName":"g","members":[{"display":"x"}]}`, 400, "invalidValue"},
		{"PUT", "/Users/" + ann, "{", 400, "invalidSyntax"},
		{"PATCH", "/Users/" + ann, "{", 400, "invalidSyntax"},
		{"PATCH", "/Users/" + ann, `{"schemas":["` + patchURN + `"]}`, 400, "invalidSyntax"},
		{"PATCH", "/Users/" + ann, `{"Operations":[{"op":"replace","value":{"active":true}}]}`, 400, "invalidSyntax"},
		{"PATCH", "/Users/" + ann, patch(`{"op":"move","path":"title","value":"x"}`), 400, "invalidSyntax"},
		{"PATCH", "/Users/" + ann, patch(`{"op":"remove"}`), 400, "noTarget"},
		{"PATCH", "/Users/" + ann, set("emails[", `"x"`), 400, "invalidFilter"},
		{"PATCH", "/Users/" + ann, set("a..b", `"x"`), 400, "invalidPath"},
		{"PATCH", "/Users/" + ann, set("__proto__", `"x"`), 400, "invalidPath"},
		{"PATCH", "/Users/" + ann, set(strings.Repeat("a", 600), `"x"`), 400, "invalidPath"},
		{"PATCH", "/Users/" + ann, set(`emails[type eq \"none\"].value`, `"x"`), 400, "noTarget"},
		{"PATCH", "/Users/" + ann, set("active", `"maybe"`), 400, "invalidValue"},
		{"PATCH", "/Users/" + ann, set("userName", `""`), 400, "invalidValue"},
		{"PATCH", "/Users/" + ann, set("id", `"x"`), 400, "mutability"},
		{"PATCH", "/Users/" + ann, set("groups", `[]`), 400, "mutability"},
		{"PATCH", "/Users/" + ann, set("meta.version", `"x"`), 400, "mutability"},
		{"PATCH", "/Users/" + ann, patch(`{"op":"replace","value":{"id":"` + team + `"}}`), 400, "mutability"},
		{"PATCH", "/Groups/" + team, patch(`{"op":"replace","value":{"id":"` + ann + `","displayName":"x"}}`), 400, "mutability"},
		{"PATCH", "/Groups/" + team, patch(strings.Repeat(`{"op":"replace","path":"displayName","value":"x"},`, 10_000) + `{"op":"remove","path":"externalId"}`), 413, ""},
		{"PUT", "/Users/" + ann, strings.Replace(person("ann@x.test"), `"active"`, `"id":"`+team+`","active"`, 1), 400, "mutability"},
		{"GET", "/Users?filter=" + strings.Repeat("(", 120_000) + "title" + "%20pr" + strings.Repeat(")", 120_000), "", 400, "invalidFilter"},
		{"GET", "/Users?filter=" + strings.Repeat("(", 9) + "title%20pr" + strings.Repeat(")", 9), "", 400, "invalidFilter"},
		{"GET", "/Users?filter=title pr" + strings.Repeat(" or title pr", 20), "", 400, "invalidFilter"},
		{"GET", "/Users?filter=", "", 400, "invalidFilter"},
		{"GET", "/Users?filter=userName", "", 400, "invalidFilter"},
		{"GET", `/Users?filter=userName eq "x`, "", 400, "invalidFilter"},
		{"GET", `/Users?filter=nope eq "x"`, "", 400, "invalidFilter"},
		{"GET", `/Users?filter=password eq "x"`, "", 400, "invalidFilter"},
		{"GET", `/Users?filter=active gt true`, "", 400, "invalidFilter"},
		{"GET", `/Users?filter=userName gt 5`, "", 400, "invalidFilter"},
		{"GET", `/Users?filter=name eq "x"`, "", 400, "invalidFilter"},
		{"GET", `/Users?filter=title pr&filter=title pr`, "", 400, "invalidFilter"},
		{"GET", `/Users?filter=%zz`, "", 400, "invalidValue"},
		{"GET", `/Users?filter=title%20pr;count=1`, "", 400, "invalidValue"},
		{"GET", "/Users?count=ten", "", 400, "invalidValue"},
		{"GET", "/Users?startIndex=1.5", "", 400, "invalidValue"},
		{"GET", "/Users?attributes=" + strings.Repeat("a,", 5000), "", 400, "invalidValue"},
		{"GET", "/Users?attributes=title&excludedAttributes=title", "", 400, "invalidValue"},
		{"POST", "/Users/.search", `{"filter":"title pr"}`, 400, "invalidSyntax"},
		{"POST", "/Users/.search", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":5}`, 400, "invalidFilter"},
		{"POST", "/Users/.search", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":true}`, 400, "invalidValue"},
		{"GET", "/Users/" + strings.Repeat("x", 20_000), "", 404, ""},
	} {
		got := w.refused(c.status, c.scimType, c.method, c.path, c.body)
		if len(got.text) > 2000 {
			t.Errorf("%.100s: an answer of %d bytes", c.path, len(got.text))
		}
	}
	w.ok(http.StatusOK, "GET", "/Users/"+ann, "")
}

// R101: one bad operation and nothing happened.
func TestAtomic(t *testing.T) {
	onEngines(t, func(w *world) {
		ann := w.create("ann@x.test")
		team := w.createGroup("Team", ann)
		before := w.ok(http.StatusOK, "GET", "/Users/"+ann, "").text + w.ok(http.StatusOK, "GET", "/Groups/"+team, "").text
		w.refused(400, "noTarget", "PATCH", "/Users/"+ann, patch(
			`{"op":"replace","path":"title","value":"new"}`, `{"op":"replace","path":"active","value":false}`,
			`{"op":"replace","path":"emails[type eq \"none\"].value","value":"x"}`,
		))
		w.refused(400, "invalidValue", "PATCH", "/Groups/"+team, patch(
			`{"op":"replace","path":"displayName","value":"LS:Organization Admins"}`, `{"op":"replace","path":"members","value":[]}`,
			`{"op":"add","path":"members","value":[{"value":"01890a5d-0000-7000-8000-000000000000"}]}`,
		))
		after := w.ok(http.StatusOK, "GET", "/Users/"+ann, "").text + w.ok(http.StatusOK, "GET", "/Groups/"+team, "").text
		if before != after {
			w.Errorf("before %s\nafter %s", before, after)
		}
	})
}

// A client over a real connection that sends more than it may still gets its answer.
func TestLargeBodyOverTheWire(t *testing.T) {
	w := onSQLite(t)
	site := httptest.NewServer(w.handler)
	defer site.Close()
	for _, chunked := range []bool{false, true} {
		body := strings.NewReader(`{"title":"` + strings.Repeat("x", 10<<20) + `"}`)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, site.URL+"/scim/v2/Users", body)
		w.must(err)
		if chunked {
			request.ContentLength = -1
		}
		request.Header.Set("Authorization", "Bearer "+w.secret)
		response, err := site.Client().Do(request)
		w.must(err)
		w.isError(w.read(response), http.StatusRequestEntityTooLarge, "", "10 MB")
		w.must(response.Body.Close())
	}
}

// S90: the limits are settings.
func TestLimits(t *testing.T) {
	w := onSQLite(t)
	w.handler = w.server(scim.Limits{UserBody: 100, GroupBody: 200, PageSize: 1, MaxResults: 2})
	got := w.refused(http.StatusRequestEntityTooLarge, "", "POST", "/Users", person("ann@x.test"))
	if !strings.Contains(got.text, "100 bytes") {
		t.Error(got.text)
	}
	for i := range 3 {
		w.createGroup(fmt.Sprint("g", i))
	}
	if n := len(w.ok(http.StatusOK, "GET", "/Groups", "").body["Resources"].([]any)); n != 1 {
		t.Errorf("%d groups on a page", n)
	}
	if n := len(w.ok(http.StatusOK, "GET", "/Groups?count=50", "").body["Resources"].([]any)); n != 2 {
		t.Errorf("%d groups at most", n)
	}
}

// FuzzCreateUser sends any body: the answer is one that RFC 7644 knows, and never our own failure.
func FuzzCreateUser(f *testing.F) {
	f.Add([]byte(person("ann@x.test")))
	f.Add([]byte(`{"schemas":["` + schema.UserURN + `"],"userName":"x","active":"True","` + schema.EnterpriseURN + `":{"manager":"x"}}`))
	f.Add([]byte(`{"schemas":["` + schema.UserURN + `"],"userName":"x","emails":[{"value":"a","primary":true}],"x509Certificates":[{"value":"_-8"}]}`))
	f.Add([]byte(`{"a":1e400,"":[[]]}`))
	w := onSQLite(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		w.TB = t
		got := w.send("POST", "/Users", string(body))
		switch got.status {
		case http.StatusCreated, http.StatusBadRequest, http.StatusConflict:
		default:
			t.Errorf("%d %s", got.status, got.text)
		}
		// The library's validation comes second and finds nothing that ours did not.
		if strings.Contains(got.text, "A required value was missing") {
			t.Errorf("only the library refuses %s", body)
		}
	})
}
