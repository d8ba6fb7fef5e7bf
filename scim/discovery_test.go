package scim_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	"muster/scim/schema"
)

const discoveryRoot = publicURL + "/scim/v2"

// S1, R31-R34, B32, B33.
func TestDiscoveryLists(t *testing.T) {
	w := onSQLite(t)
	const core = "urn:ietf:params:scim:schemas:core:2.0:"
	for endpoint, want := range map[string][]string{
		"/ResourceTypes": {"User", "Group"},
		"/Schemas":       {schema.UserURN, schema.EnterpriseURN, schema.GroupURN, core + "ServiceProviderConfig", core + "ResourceType", core + "Schema"},
	} {
		list := w.ok(http.StatusOK, "GET", endpoint+"?startIndex=5&count=1&sortBy=id&attributes=x", "").body
		resources, _ := list["Resources"].([]any)
		ids := []string{}
		for _, element := range resources {
			object, _ := element.(map[string]any)
			id, _ := object["id"].(string)
			ids = append(ids, id)
			single := w.ok(http.StatusOK, "GET", endpoint+"/"+strings.ToUpper(id), "").body
			if !reflect.DeepEqual(single, object) {
				t.Errorf("%s: the list has %v, alone it is %v", id, object, single)
			}
			kind := strings.TrimSuffix(strings.TrimPrefix(endpoint, "/"), "s")
			meta := map[string]any{"resourceType": kind, "location": discoveryRoot + endpoint + "/" + id}
			if !reflect.DeepEqual(object["meta"], any(meta)) || !reflect.DeepEqual(object["schemas"], any([]any{core + kind})) {
				t.Errorf("%s: meta %v, schemas %v", id, object["meta"], object["schemas"])
			}
		}
		if !reflect.DeepEqual(ids, want) || list["totalResults"] != float64(len(want)) || list["itemsPerPage"] != float64(len(want)) || list["startIndex"] != 1.0 {
			t.Errorf("%s: %v", endpoint, list)
		}
		w.refused(http.StatusForbidden, "", "GET", endpoint+`?filter=id eq "User"`, "") // K18
		w.refused(http.StatusForbidden, "", "GET", endpoint+"/"+want[0]+`?filter=x`, "")
	}
	w.ok(http.StatusOK, "GET", "/ServiceProviderConfig?filter=invalid&sortBy=id&startIndex=999", "")
}

// R32: resource types whole.
func TestResourceTypes(t *testing.T) {
	w := onSQLite(t)
	w.same("User", w.ok(http.StatusOK, "GET", "/ResourceTypes/User", "").text, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
		"id":"User","name":"User","description":"User Account","endpoint":"/Users","schema":"`+schema.UserURN+`",
		"schemaExtensions":[{"schema":"`+schema.EnterpriseURN+`","required":false}],
		"meta":{"resourceType":"ResourceType","location":"`+discoveryRoot+`/ResourceTypes/User"}}`)
	w.same("Group", w.ok(http.StatusOK, "GET", "/ResourceTypes/Group", "").text, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
		"id":"Group","name":"Group","description":"Group","endpoint":"/Groups","schema":"`+schema.GroupURN+`","schemaExtensions":[],
		"meta":{"resourceType":"ResourceType","location":"`+discoveryRoot+`/ResourceTypes/Group"}}`)
}

// S3, S81, B34: every attribute has every characteristic, and those on which providers depend are right.
func TestSchemas(t *testing.T) {
	w := onSQLite(t)
	list := w.ok(http.StatusOK, "GET", "/Schemas", "").body
	found := map[string]map[string]any{}
	var walk func(prefix string, attributes any)
	walk = func(prefix string, attributes any) {
		elements, _ := attributes.([]any)
		for _, element := range elements {
			a, _ := element.(map[string]any)
			name, _ := a["name"].(string)
			found[prefix+name] = a
			for _, key := range []string{"type", "multiValued", "required", "mutability", "returned"} {
				if a[key] == nil {
					t.Errorf("%s%s has no %s", prefix, name, key)
				}
			}
			walk(prefix+name+".", a["subAttributes"])
		}
	}
	for _, element := range list["Resources"].([]any) {
		object, _ := element.(map[string]any)
		id, _ := object["id"].(string)
		walk(id[strings.LastIndexByte(id, ':')+1:]+":", object["attributes"])
	}
	for path, want := range map[string][6]any{ // type, multiValued, required, mutability, returned, uniqueness
		"User:userName":                          {"string", false, true, "readWrite", "default", "server"},
		"User:password":                          {"string", false, false, "writeOnly", "never", "none"},
		"User:emails":                            {"complex", true, false, "readWrite", "default", "none"},
		"User:active":                            {"boolean", false, false, "readWrite", "default", "none"},
		"User:groups":                            {"complex", true, false, "readOnly", "default", "none"},
		"User:manager.value":                     {"string", false, false, "readWrite", "default", "none"},
		"Group:displayName":                      {"string", false, true, "readWrite", "default", "server"},
		"Group:members.value":                    {"string", false, true, "immutable", "default", "none"},
		"ServiceProviderConfig:filter.supported": {"boolean", false, true, "readOnly", "default", nil},
	} {
		a := found[path]
		got := [6]any{a["type"], a["multiValued"], a["required"], a["mutability"], a["returned"], a["uniqueness"]}
		if got != want {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
	if found["Group:members.value"]["caseExact"] != true || found["User:userName"]["caseExact"] != false {
		t.Error("caseExact is wrong")
	}
}
