package scim_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"muster/domain"
	"muster/scim/schema"
)

// without returns a resource without what the server adds, as JSON for comparing whole.
func (w *world) without(got reply) string {
	w.Helper()
	left := maps.Clone(got.body)
	for _, name := range []string{"id", "meta", "schemas"} {
		delete(left, name)
	}
	text, err := json.Marshal(left)
	w.must(err)
	return string(text)
}

// same compares JSON texts.
func (w *world) same(what, got, want string) {
	w.Helper()
	var a, b any
	w.must(json.Unmarshal([]byte(got), &a))
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		w.Fatalf("%s: %v", what, err)
	}
	if !reflect.DeepEqual(a, b) {
		w.Errorf("%s:\ngot  %s\nwant %s", what, got, want)
	}
}

// What a POST makes of what clients send.
func TestCreateUser(t *testing.T) {
	onEngines(t, func(w *world) {
		const core, both = `"schemas":["` + schema.UserURN + `"]`, `"schemas":["` + schema.UserURN + `","` + schema.EnterpriseURN + `"]`
		for _, c := range []struct{ item, body, want string }{
			{"O11, R16: password and groups", `{` + core + `,"userName":"a","password":"x","groups":[{"value":"g"}],"active":true}`, `{"userName":"a","active":true}`},
			{"S6, S8: the client's id and meta", `{` + core + `,"userName":"b","id":"mine","meta":{"version":"x"}}`, `{"userName":"b","active":true}`},
			{"S9, K21: as sent", `{` + core + `,"userName":" Ünï.Cødé@X "}`, `{"userName":" Ünï.Cødé@X ","active":true}`},
			{"S10: names in any case", `{"SCHEMAS":["` + strings.ToUpper(schema.UserURN) + `"],"USERNAME":"c","NAME":{"GIVENNAME":"x"}}`, `{"userName":"c","active":true,"name":{"givenName":"x"}}`},
			{"S11, R11, B14: unassigned", `{` + core + `,"userName":"d","title":null,"nickName":"","emails":[],"roles":null,"name":{}}`, `{"userName":"d","active":true}`},
			{"S12, R9: repeats", `{` + core + `,"userName":"e","emails":[{"value":"e@x","type":"work"},{"value":"E@X","type":"Work"},{"value":"e@x","type":"home"}]}`, `{"userName":"e","active":true,"emails":[{"value":"e@x","type":"work"},{"value":"e@x","type":"home"}]}`},
			{"S13, B27: booleans in strings", `{` + core + `,"userName":"f","active":"False","emails":[{"value":"f@x.test","primary":"True"}]}`, `{"userName":"f","active":false,"emails":[{"value":"f@x.test","primary":true}]}`},
			{"S14, R23: unknown attributes", `{` + core + `,"userName":"g","companyName":"x","name":{"nope":1},"urn:x:y":{"a":1}}`, `{"userName":"g","active":true}`},
			{"E10, S7: an extension listed and absent", `{` + both + `,"userName":"h"}`, `{"userName":"h","active":true}`},
			{"B15: an extension in another case", `{` + core + `,"userName":"i","` + strings.ToUpper(schema.EnterpriseURN) + `":{"Department":"R"}}`, `{"userName":"i","active":true,"` + schema.EnterpriseURN + `":{"department":"R"}}`},
			{"K17: country names", `{` + core + `,"userName":"j","addresses":[{"type":"work","country":"Germany"}]}`, `{"userName":"j","active":true,"addresses":[{"type":"work","country":"Germany"}]}`},
			{"B16: base64url without padding", `{` + core + `,"userName":"k","x509Certificates":[{"value":"_-8"}]}`, `{"userName":"k","active":true,"x509Certificates":[{"value":"_-8"}]}`},
			{"S15, K9: an unknown manager is kept", `{` + core + `,"userName":"l","` + schema.EnterpriseURN + `":{"manager":"nobody"}}`, `{"userName":"l","active":true,"` + schema.EnterpriseURN + `":{"manager":{"value":"nobody"}}}`},
		} {
			got := w.ok(http.StatusCreated, "POST", "/Users", c.body)
			w.same(c.item, w.without(got), c.want)
			id, _ := got.body["id"].(string)
			if location := got.header.Get("Location"); location != publicURL+"/scim/v2/Users/"+id || !domain.ValidID(domain.MemberID(id)) {
				w.Errorf("%s: Location %q", c.item, location)
			}
			// S77: both show the values at once.
			w.same(c.item, w.ok(http.StatusOK, "GET", "/Users/"+id, "").text, got.text)
			found := w.ok(http.StatusOK, "GET", `/Users?filter=id eq "`+id+`"`, "").body["Resources"].([]any)
			if !reflect.DeepEqual(found, []any{any(got.body)}) {
				w.Errorf("%s: found %v", c.item, found)
			}
			want := []any{schema.UserURN}
			if got.body[schema.EnterpriseURN] != nil {
				want = append(want, schema.EnterpriseURN)
			}
			if !reflect.DeepEqual(got.body["schemas"], any(want)) { // S7, B11
				w.Errorf("%s: schemas %v", c.item, got.body["schemas"])
			}
		}
	})
}

// S3, R16: a password is taken and kept nowhere.
func TestPasswordIsDropped(t *testing.T) {
	onEngines(t, func(w *world) {
		id := w.create("ann@x.test")
		answers := w.ok(http.StatusOK, "PATCH", "/Users/"+id, patch(`{"op":"replace","value":{"password":"n3w-Pa55"}}`)).text
		answers += w.ok(http.StatusOK, "PATCH", "/Users/"+id, patch(`{"op":"Replace","path":"password","value":"n3w-Pa55"}`)).text
		answers += w.ok(http.StatusOK, "PUT", "/Users/"+id, person("ann@x.test")).text
		answers += w.ok(http.StatusOK, "GET", "/Users/"+id+"?attributes=password,userName", "").text
		scope, err := w.service.SCIMToken(t.Context(), w.secret, domain.Client{})
		w.must(err)
		user, err := w.service.GetUser(t.Context(), scope, domain.MemberID(id))
		w.must(err)
		stored, err := json.Marshal(user)
		w.must(err)
		if all := answers + string(stored) + w.log.String(); strings.Contains(all, "Pa55") || strings.Contains(all, "password\":") {
			w.Errorf("the password is still there: %s", all)
		}
	})
}

// S12-S18 of the conflicts: R26, R41, K20.
func TestUserConflicts(t *testing.T) {
	onEngines(t, func(w *world) {
		id := w.create("ann@x.test")
		other := w.create("bob@x.test")
		for _, c := range []struct{ method, path, body, names string }{
			{"POST", "/Users", person("ANN@X.TEST"), "userName"},
			{"POST", "/Users", strings.Replace(person("new@x.test"), "00u-new", "00u-ann", 1), "externalId"},
			{"POST", "/Users", strings.Replace(person("new2"), `"value":"new2"`, `"value":"ann@x.test"`, 1), "e-mail"},
			{"PUT", "/Users/" + other, person("ann@x.test"), "e-mail"}, // the address is taken too
			{"PUT", "/Users/" + other, strings.Replace(person("ann@x.test"), `"value":"ann@x.test"`, `"value":"bob@x.test"`, 1), "userName"},
			{"PATCH", "/Users/" + other, patch(`{"op":"replace","path":"userName","value":"Ann@x.test"}`), "userName"},
			{"PATCH", "/Users/" + other, patch(`{"op":"replace","path":"externalId","value":"00u-ann@x.test"}`), "externalId"},
		} {
			got := w.refused(http.StatusConflict, "uniqueness", c.method, c.path, c.body)
			if detail, _ := got.body["detail"].(string); !strings.Contains(detail, c.names) {
				w.Errorf("%s %s: %s", c.method, c.path, got.text)
			}
		}
		w.ok(http.StatusNoContent, "DELETE", "/Users/"+id, "")
		w.create("ann@x.test")
	})
}

// S20, R90, O14: PUT.
func TestReplaceUser(t *testing.T) {
	onEngines(t, func(w *world) {
		id := w.create("ann@x.test")
		const head = `{"schemas":["` + schema.UserURN + `"],"userName":"ann@x.test"`
		w.ok(http.StatusOK, "PUT", "/Users/"+id, head+`,"active":false,"title":"x","`+schema.EnterpriseURN+`":{"department":"R"}}`)
		got := w.ok(http.StatusOK, "PUT", "/Users/"+id, head+`,"id":"`+id+`","meta":{},"groups":[],"nickName":"A"}`)
		w.same("what is absent is cleared, but for active", w.without(got), `{"userName":"ann@x.test","active":false,"nickName":"A"}`)
		again := w.ok(http.StatusOK, "PUT", "/Users/"+id, head+`,"nickName":"A","active":false}`)
		if got.text != again.text { // S93
			w.Errorf("the same PUT again: %s", again.text)
		}
		const unknown = "/Users/01890a5d-0000-7000-8000-000000000000"
		w.refused(http.StatusNotFound, "", "PUT", unknown, head+"}")
		w.refused(http.StatusNotFound, "", "GET", unknown, "")
	})
}

// S21, R84, R111: what a PATCH answers.
func TestPatchUserAnswers(t *testing.T) {
	w := onSQLite(t)
	id := w.create("ann@x.test")
	path, title := "/Users/"+id, patch(`{"op":"replace","path":"title","value":"x"}`)
	first := w.ok(http.StatusOK, "PATCH", path, title)
	second := w.ok(http.StatusOK, "PATCH", path, title)
	if first.text != second.text || first.header.Get("ETag") != `W/"2"` {
		t.Errorf("no change: %s, then %s", first.text, second.text)
	}
	got := w.ok(http.StatusNoContent, "PATCH", path, title, "Prefer", "respond-async, return=minimal; x=y")
	if got.text != "" || got.header.Get("ETag") != `W/"2"` || got.header.Get("Preference-Applied") != "return=minimal" {
		t.Errorf("minimal: %v %s", got.header, got.text)
	}
	got = w.ok(http.StatusOK, "PATCH", path+"?attributes=title", title, "Prefer", "return=minimal")
	w.same("attributes", got.text, `{"id":"`+id+`","schemas":["`+schema.UserURN+`"],"title":"x"}`)
}

// E18-E20, L4, B22, B23, C10, V27: PATCH in the shapes that providers send.
func TestPatchUserShapes(t *testing.T) {
	w := onSQLite(t)
	const enterprise = schema.EnterpriseURN
	for i, c := range []struct{ item, body, want string }{
		{"L4: the other e-mails stay", patch(
			`{"op":"Add","path":"emails","value":[{"type":"home","value":"h@x.test"}]}`,
			`{"op":"Replace","path":"emails[type eq \"work\"].value","value":"w@x.test"}`,
		), `{"emails":[{"type":"work","value":"w@x.test","primary":true},{"type":"home","value":"h@x.test"}]}`},
		{"E18: Replace of what is not there", patch(`{"op":"Replace","path":"phoneNumbers[type eq \"fax\"].value","value":"1"}`), `{"phoneNumbers":[{"type":"fax","value":"1"}]}`},
		{"E18: capital sub-attribute", patch(`{"op":"Add","path":"addresses[type eq \"other\"].Formatted","value":"x"}`), `{"addresses":[{"type":"other","formatted":"x"}]}`},
		{"E20: cleared by an empty string", patch(`{"op":"Replace","path":"displayName","value":""}`), `{}`},
		{"B22: the extension as a whole", patch(`{"op":"add","path":"` + enterprise + `","value":{"department":"R"}}`), `{"` + enterprise + `":{"department":"R"}}`},
		{"E19: manager.value", patch(`{"op":"Add","path":"` + enterprise + `:manager.value","value":"m"}`), `{"` + enterprise + `":{"manager":{"value":"m"}}}`},
		{"V6: pathless with a filtered key", patch(`{"op":"replace","value":{"emails[type eq \"work\"].value":"w@x.test"}}`), `{"emails":[{"type":"work","value":"w@x.test","primary":true}]}`},
		{"V27: in order", patch(`{"op":"replace","path":"title","value":"1"}`, `{"op":"replace","path":"title","value":"2"}`), `{"title":"2"}`},
		{"R106: a new primary", patch(`{"op":"add","path":"emails","value":[{"value":"n@x.test","primary":true}]}`), `{"emails":[{"type":"work","value":"ann@x.test","primary":false},{"value":"n@x.test","primary":true}]}`},
		{"S25: lower-case operations", strings.Replace(patch(`{"op":"ADD","path":"title","value":"x"}`), "Operations", "operations", 1), `{"title":"x"}`},
	} {
		name := "p" + strconv.Itoa(i)
		id, _ := w.ok(http.StatusCreated, "POST", "/Users", `{"schemas":["`+schema.UserURN+`"],"userName":"`+name+
			`","displayName":"D","emails":[{"type":"work","value":"ann@x.test","primary":true}]}`).body["id"].(string)
		got := w.ok(http.StatusOK, "PATCH", "/Users/"+id, c.body)
		var want map[string]any
		w.must(json.Unmarshal([]byte(c.want), &want))
		for key, value := range want {
			if !reflect.DeepEqual(got.body[key], value) {
				t.Errorf("%s: got %s, want %s", c.item, got.text, c.want)
			}
		}
		if len(want) == 0 && got.body["displayName"] != nil {
			t.Errorf("%s: %s", c.item, got.text)
		}
		w.ok(http.StatusNoContent, "DELETE", "/Users/"+id, "")
	}
}

// S47, R110, R134, K15: versions.
func TestVersions(t *testing.T) {
	onEngines(t, func(w *world) {
		ann, team := w.create("ann@x.test"), w.createGroup("Team")
		for path, change := range map[string]string{
			"/Users/" + ann:   patch(`{"op":"replace","path":"nickName","value":"N"}`),
			"/Groups/" + team: patch(`{"op":"replace","path":"displayName","value":"N"}`),
		} {
			stale := func(tag string) {
				w.Helper()
				for _, method := range []string{"PUT", "PATCH", "DELETE"} {
					body := change
					if method == "PUT" {
						body = map[bool]string{true: person("ann@x.test"), false: group("Team")}[strings.HasPrefix(path, "/Users")]
					}
					w.refused(http.StatusPreconditionFailed, "", method, path, body, "If-Match", tag)
				}
			}
			for _, tag := range []string{`W/"7"`, `"x"`, `W/"2", "3"`, `W/"0"`} {
				stale(tag)
			}
			for _, tag := range []string{`1`, `W/1`, `"1`, `"1", `} {
				w.refused(http.StatusBadRequest, "invalidValue", "PATCH", path, change, "If-Match", tag)
			}
			if got := w.send("PATCH", path, change, "If-Match", `"9", W/"1"`); got.header.Get("ETag") != `W/"2"` {
				w.Errorf("%s: %d %v %s", path, got.status, got.header, got.text)
			}
			if got := w.send("PATCH", path, change, "If-Match", `*`); got.header.Get("ETag") != `W/"2"` {
				w.Errorf("%s: %d %v", path, got.status, got.header)
			}
			stale(`W/"1"`)
			for _, tag := range []string{`W/"2"`, `"2"`, `*`, `"1", "2"`} {
				if got := w.ok(http.StatusNotModified, "GET", path, "", "If-None-Match", tag); got.text != "" || got.header.Get("ETag") != `W/"2"` {
					w.Errorf("%s: %v", tag, got)
				}
			}
			got := w.ok(http.StatusOK, "GET", path, "", "If-None-Match", `W/"1"`)
			if meta, _ := got.body["meta"].(map[string]any); meta["version"] != got.header.Get("ETag") {
				w.Errorf("version %v", meta)
			}
			w.refused(http.StatusNotFound, "", "DELETE", path[:len(path)-1]+"x", "", "If-Match", `W/"2", W/"3"`)
			w.ok(http.StatusNoContent, "DELETE", path, "", "If-Match", `W/"2"`)
		}
	})
}
