package scim_test

import (
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"muster/scim/schema"
)

// R30, S2, P7, B32: what ServiceProviderConfig says, whole.
func TestServiceProviderConfig(t *testing.T) {
	w := onSQLite(t)
	got := w.ok(http.StatusOK, "GET", "/ServiceProviderConfig", "").body
	yes := map[string]any{"supported": true}
	for name, want := range map[string]any{
		"patch": yes, "sort": yes, "etag": yes, "changePassword": map[string]any{"supported": false},
		"bulk":   map[string]any{"supported": true, "maxOperations": 1000.0, "maxPayloadSize": float64(4 << 20)},
		"filter": map[string]any{"supported": true, "maxResults": 1000.0},
		"meta":   map[string]any{"resourceType": "ServiceProviderConfig", "location": publicURL + "/scim/v2/ServiceProviderConfig"},
	} {
		if !reflect.DeepEqual(got[name], want) {
			t.Errorf("%s: %v, want %v", name, got[name], want)
		}
	}
	pagination, _ := got["pagination"].(map[string]any)
	timeout, _ := pagination["cursorTimeout"].(float64)
	want := map[string]any{
		"cursor": true, "index": true, "defaultPaginationMethod": "index", "defaultPageSize": 100.0, "maxPageSize": 1000.0, "cursorTimeout": timeout,
	}
	if !reflect.DeepEqual(pagination, want) || timeout < 1 {
		t.Errorf("pagination %v", pagination)
	}
	if uri, _ := got["documentationUri"].(string); !strings.HasPrefix(uri, "http") {
		t.Errorf("documentationUri %q", uri)
	}
	for _, scheme := range got["authenticationSchemes"].([]any) {
		for _, name := range []string{"type", "name", "description"} {
			if text, _ := dig(scheme, name).(string); text == "" {
				t.Errorf("no %s in %v", name, scheme)
			}
		}
	}
}

// S2, S3: what is advertised works, and every attribute that it has is declared.
func TestAdvertisedIsTrue(t *testing.T) {
	w := onSQLite(t)
	got := w.ok(http.StatusOK, "GET", "/ServiceProviderConfig", "").body
	declared := map[string][]string{}
	attributes, _ := w.ok(http.StatusOK, "GET", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig", "").body["attributes"].([]any)
	for _, attribute := range attributes {
		name, _ := dig(attribute, "name").(string)
		declared[name] = []string{}
		subs, _ := dig(attribute, "subAttributes").([]any)
		for _, sub := range subs {
			subName, _ := dig(sub, "name").(string)
			declared[name] = append(declared[name], subName)
		}
	}
	for name, value := range got {
		if name == "schemas" || name == "meta" {
			continue
		}
		subs, ok := declared[name]
		if !ok {
			t.Errorf("%s is not declared", name)
		}
		object, _ := value.(map[string]any)
		for sub := range object {
			if !strings.Contains(" "+strings.Join(subs, " ")+" ", " "+sub+" ") {
				t.Errorf("%s.%s is not declared: %v", name, sub, subs)
			}
		}
	}
	maxResults, _ := dig(got, "filter", "maxResults").(float64)
	if list := w.ok(http.StatusOK, "GET", "/Users?count="+strconv.Itoa(int(maxResults)+1), ""); list.body["itemsPerPage"] != 0.0 {
		t.Error(list.text)
	}
}

// S15, R14: manager.displayName is computed from the User that value names, now and later; an unknown one is kept.
func TestManager(t *testing.T) {
	onEngines(t, func(w *world) {
		const e = schema.EnterpriseURN
		boss := w.made(`"userName":"boss","displayName":"The Boss"`)
		manager := func(id string) map[string]any {
			w.Helper()
			object, _ := dig(w.ok(http.StatusOK, "GET", "/Users/"+id, "").body, e, "manager").(map[string]any)
			if ref := object["$ref"]; ref != nil && ref != any(publicURL+"/scim/v2/Users/"+object["value"].(string)) {
				w.Errorf("$ref %v", ref)
			}
			delete(object, "$ref")
			return object
		}
		expect := func(item, id string, want map[string]any) {
			w.Helper()
			if got := manager(id); !reflect.DeepEqual(got, want) {
				w.Errorf("%s: %v, want %v", item, got, want)
			}
		}
		named := map[string]any{"value": boss, "displayName": "The Boss"}
		ann := w.made(`"userName":"ann","` + e + `":{"manager":{"value":"` + boss + `","displayName":"Liar"}}`)
		expect("POST", ann, named)
		bob := w.made(`"userName":"bob"`)
		w.ok(200, "PATCH", "/Users/"+bob, patch(`{"op":"Add","path":"`+e+`:manager","value":"`+boss+`"}`))
		expect("PATCH", bob, named)
		found := userNames(w.ok(200, "GET", `/Users?filter=`+e+`:manager.displayName eq "the boss"`, ""))
		if !reflect.DeepEqual(found, []string{"ann", "bob"}) {
			w.Errorf("by the manager's name: %v", found)
		}
		w.ok(200, "PATCH", "/Users/"+boss, patch(`{"op":"replace","path":"displayName","value":"Renamed"}`))
		expect("renamed", ann, map[string]any{"value": boss, "displayName": "Renamed"})
		w.ok(204, "DELETE", "/Users/"+boss, "")
		expect("deleted", ann, map[string]any{"value": boss})
		// Entra sends managers before they exist, by the externalId that it knows.
		w.made(`"userName":"cy","` + e + `":{"manager":{"value":"ext-1"}}`)
		cy, _ := dig(w.ok(200, "GET", `/Users?filter=userName eq "cy"`, "").body["Resources"].([]any)[0], "id").(string)
		expect("unknown", cy, map[string]any{"value": "ext-1"})
		w.refused(400, "mutability", "PATCH", "/Users/"+ann, patch(`{"op":"replace","path":"`+e+`:manager.displayName","value":"x"}`))
		// Oneself and each other are no reason to fail.
		w.ok(200, "PATCH", "/Users/"+ann, patch(`{"op":"replace","path":"`+e+`:manager","value":"`+ann+`"}`))
		w.ok(200, "PATCH", "/Users/"+bob, patch(`{"op":"replace","path":"`+e+`:manager","value":"`+ann+`"}`))
		w.ok(200, "PATCH", "/Users/"+ann, patch(`{"op":"replace","path":"`+e+`:manager","value":"`+bob+`"}`))
		if got := w.ok(200, "GET", "/Users?attributes="+e+":manager", ""); got.body["totalResults"] != 3.0 {
			w.Errorf("%s", got.text)
		}
	})
}

// S15: a manager who was unknown is resolved when he appears under the externalId that was sent, in every answer.
func TestManagerAppearsLater(t *testing.T) {
	onEngines(t, func(w *world) {
		const e = schema.EnterpriseURN
		ann := w.made(`"userName":"ann","` + e + `":{"manager":{"value":"guid-of-the-boss"}}`)
		w.made(`"userName":"boss","externalId":"guid-of-the-boss","displayName":"The Boss"`)
		for _, got := range []any{
			any(w.ok(200, "GET", "/Users/"+ann, "").body),
			w.ok(200, "GET", `/Users?filter=userName eq "ann"`, "").body["Resources"].([]any)[0],
			any(w.ok(200, "PATCH", "/Users/"+ann, patch(`{"op":"add","path":"title","value":"T"}`)).body),
		} {
			if name := dig(got, e, "manager", "displayName"); name != "The Boss" {
				w.Errorf("displayName %v in %v", name, got)
			}
		}
	})
}
