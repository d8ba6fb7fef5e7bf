package scim_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"muster/scim"
)

// Every request, and every operation of a Bulk, is told of with names of our own and the status that the client got.
func TestObserve(t *testing.T) {
	w := onSQLite(t)
	var seen []string
	w.handler = scim.New(scim.Config{
		Service: w.service, PublicURL: publicURL, Clock: w.clock.Now,
		Observe: func(_ context.Context, op scim.Operation) {
			in := ""
			if op.InBulk {
				in = " in bulk"
			}
			if op.Took <= 0 != op.InBulk || (op.Status >= 400) != (op.Err != nil) {
				t.Errorf("%+v", op)
			}
			seen = append(seen, fmt.Sprintf("%s %s %d%s", op.Resource, op.Name, op.Status, in))
		},
	})
	id := w.ok(201, "POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}`).body["id"].(string)
	for _, c := range []struct{ method, path, body, want string }{
		{"GET", "/Users/" + id, "", "User get 200"},
		{"GET", "/users?count=1", "", "User list 200"},
		{"HEAD", "/Groups", "", "Group list 200"},
		{"POST", "/Users/.search", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}`, "User search 200"},
		{"POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}`, "User create 409"},
		{"PATCH", "/Users/" + id, `{"schemas":["` + patchURN + `"],"Operations":[{"op":"replace","path":"title","value":"x"}]}`, "User patch 200"},
		{"PUT", "/Users/nobody", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"x"}`, "User replace 404"},
		{"DELETE", "/Users/" + id, "", "User delete 204"},
		{"GET", "/Schemas", "", "Discovery list 200"},
		{"GET", "/somebodys-words/7", "", "Other get 404"},
		{"BREW", "/Users", "", "User other 405"},
		{"GET", "/Me", "", "Me get 501"},
		{"GET", "/", "", "All list 200"},
	} {
		seen = nil
		w.send(c.method, c.path, c.body)
		if !slices.Equal(seen, []string{c.want}) {
			t.Errorf("%s %s: %q, want %q", c.method, c.path, seen, c.want)
		}
	}
	seen = nil
	w.send("GET", "/Users", "", "Authorization", "Bearer wrong")
	w.ok(200, "POST", "/Bulk", bulkRequest("",
		bulkOp("POST", "/Users", "a", userWith(`"userName":"bob"`)), bulkOp("DELETE", "/Groups/nothing", "", "null"), bulkOp("POST", "/Nowhere", "b", "{}")))
	want := []string{"User list 401", "User create 201 in bulk", "Group delete 404 in bulk", "Other create 404 in bulk", "Bulk bulk 200"}
	if !slices.Equal(seen, want) {
		t.Errorf("%q, want %q", seen, want)
	}
}
