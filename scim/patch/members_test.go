package patch_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"muster/domain"
	"muster/scim/filter"
	"muster/scim/patch"
	"muster/scim/schema"
	"muster/scim/scimerr"
)

// shown writes the operations on members in one line: "+a,b -c =d" and "-[filter]".
func shown(ops []patch.MemberOp) string {
	var parts []string
	for _, op := range ops {
		var ids []string
		for _, member := range op.Values {
			ids = append(ids, member.Value)
		}
		sign := map[domain.MembersOp]string{domain.MembersAdd: "+", domain.MembersRemove: "-", domain.MembersReplace: "=", domain.MembersRemoveWhere: "-"}[op.Kind]
		if op.Filter != nil {
			ids = []string{"[" + filter.Render(op.Filter) + "]"}
		}
		parts = append(parts, sign+strings.Join(ids, ","))
	}
	return strings.Join(parts, " ")
}

func TestMembers(t *testing.T) {
	for _, c := range []struct{ item, operations, want string }{
		{"O23", `{"op":"remove","path":"members[value eq \"a\"]"},{"op":"add","path":"members","value":[{"value":"b","display":"ann"}]}`, `-a +b`},
		{"O24", `{"op":"replace","path":"members","value":[{"value":"a","display":"x"},{"value":"b"},{"value":"a"}]}`, `=a,b`},
		{"O25, S31", `{"op":"replace","path":"members","value":[]}`, `=`},
		{"O22, L2", `{"op":"replace","value":{"id":"g","displayName":"New"}}`, ``},
		{"C1", `{"op":"replace","value":{"schemas":["x"],"id":"g","displayName":"New","externalId":"e"}}`, ``},
		{"E34, E37", `{"op":"Replace","path":"displayName","value":"G2"},{"op":"Replace","path":"externalId","value":"e"}`, ``},
		{"E35", `{"op":"Add","path":"members","value":[{"$ref":null,"value":"a"},{"$ref":null,"value":"b"}]}`, `+a,b`},
		{"E36, K10", `{"op":"Remove","path":"members","value":[{"$ref":null,"value":"a"}]}`, `-a`},
		{"E36, K10", `{"op":"Remove","path":"members","value":["a","b"]}`, `-a,b`},
		{"K10", `{"op":"Remove","path":"members","value":{"value":"a"}}`, `-a`},
		{"K10", `{"op":"Remove","path":"members","value":"a"}`, `-a`},
		{"S29", `{"op":"Remove","path":"members","value":[]}`, ``},
		{"S29", `{"op":"Remove","path":"members","value":""}`, ``},
		{"R105", `{"op":"remove","path":"members"}`, `=`},
		{"S30", `{"op":"remove","path":"members[value eq \"a\" or value eq \"b\" or value eq \"c\"]"}`, `-a,b,c`},
		{"S30", `{"op":"remove","path":"members[type eq \"User\" and value ne \"a\"]"}`, `-[type eq "User" and value ne "a"]`},
		{"C1", `{"op":"add","path":"members","value":[{"value":"a"}]},{"op":"add","path":"members","value":[{"value":"b"}]},{"op":"add","path":"members","value":[{"value":"a"}]}`, `+a,b`},
		{"R101", `{"op":"add","path":"members","value":[{"value":"a"}]},{"op":"remove","path":"members","value":[{"value":"a"}]},{"op":"add","path":"members","value":[{"value":"a"}]}`, `+a -a +a`},
		{"R101", `{"op":"replace","path":"members","value":[{"value":"a"}]},{"op":"add","path":"members","value":[{"value":"b"}]}`, `=a +b`},
		{"S27", `{"op":"add","value":{"members":[{"value":"a"}],"displayName":"n"}}`, `+a`},
		{"S28", `{"op":"replace","value":{"members":[{"value":"a"}]}}`, `=a`},
		{"S11", `{"op":"replace","path":"members","value":null},{"op":"add","path":"members","value":null}`, `=`},
		{"S28", `{"op":"add","path":"members[value eq \"a\"]","value":{"type":"User"}}`, `+a`},
		{"S28", `{"op":"replace","path":"members[value eq \"a\"]","value":{"value":"b"}}`, `-a +b`},
		{"S10", `{"op":"add","path":"MEMBERS","value":[{"VALUE":"a"}]}`, `+a`},
	} {
		parsed, err := patch.Parse(request(t, c.operations), schema.Group(), schema.Profile{})
		if got := shown(parsed.Members); err != nil || got != c.want {
			t.Errorf("%s: %s: got %q, want %q, %v", c.item, c.operations, got, c.want, err)
		}
	}
}

// E34, O22, L2: the other attributes go their own way.
func TestGroupAttributes(t *testing.T) {
	parsed, err := patch.Parse(request(t, `{"op":"replace","value":{"id":"g","displayName":"New","members":[{"value":"a"}]}}`), schema.Group(), schema.Profile{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := parsed.Apply(domain.Document{"displayName": "Old", "externalId": "e"})
	want := domain.Document{"displayName": "New", "externalId": "e", "schemas": []any{schema.GroupURN}}
	if err != nil || !reflect.DeepEqual(got, want) || parsed.ID != "g" {
		t.Errorf("got %v, %v", got, err)
	}
	changes := []domain.MembersChange{{Op: domain.MembersReplace, Members: []domain.MemberID{"a"}}}
	if !reflect.DeepEqual(parsed.MembersChanges(), changes) {
		t.Errorf("got %v", parsed.MembersChanges())
	}
}

func TestMembersRefused(t *testing.T) {
	for operation, want := range map[string]scimerr.Type{
		`{"op":"add","path":"members","value":[{"display":"x"}]}`:                        scimerr.InvalidValue, // S16
		`{"op":"add","path":"members","value":[5]}`:                                      scimerr.InvalidValue,
		`{"op":"add","path":"members","value":[{"value":5}]}`:                            scimerr.InvalidValue,
		`{"op":"replace","path":"members","value":""}`:                                   scimerr.InvalidValue,
		`{"op":"replace","path":"members[value eq \"a\"].display","value":"x"}`:          scimerr.Mutability,
		`{"op":"remove","path":"members.value"}`:                                         scimerr.Mutability,
		`{"op":"add","path":"members[type eq \"User\"]","value":{}}`:                     scimerr.NoTarget,
		`{"op":"remove","path":"displayName"}`:                                           scimerr.Mutability,
		`{"op":"remove","path":"members[nope eq \"a\"]"}`:                                scimerr.InvalidFilter,
		`{"op":"add","path":"members","value":[{"value":"a"}]},{"op":"remove"}`:          scimerr.NoTarget,
		`{"op":"replace","path":"meta","value":{}},{"op":"remove","path":"displayName"}`: scimerr.Mutability,
	} {
		if _, err := patch.Parse(request(t, operation), schema.Group(), schema.Profile{}); scimerr.TypeOf(err) != want {
			t.Errorf("%s: got %v, want %s", operation, err, want)
		}
	}
}

// R19, S16: a POST's or PUT's members leave the document.
func TestTakeMembers(t *testing.T) {
	doc, _, err := schema.Group().Normalize(decode(t, `{"schemas":["`+schema.GroupURN+`"],"displayName":"g",
		"members":[{"value":"a","display":"x","type":"User"},{"value":"a"},"b"]}`), schema.Profile{})
	if err != nil {
		t.Fatal(err)
	}
	rest, members, given := patch.TakeMembers(doc)
	want := domain.Document{"schemas": []any{schema.GroupURN}, "displayName": "g"}
	if !reflect.DeepEqual(rest, want) || !given || !reflect.DeepEqual(members, []patch.Member{{Value: "a", Display: "x", Type: "User"}, {Value: "b"}}) {
		t.Errorf("got %v, %v, %v", rest, members, given)
	}
}

// S35: a hundred thousand members, in one operation and ten thousand in as many.
func TestManyMembers(t *testing.T) {
	var list, operations []string
	for i := range 100_000 {
		list = append(list, fmt.Sprintf(`{"value":"%d"}`, i))
	}
	for i := range patch.MaxOperations {
		operations = append(operations, fmt.Sprintf(`{"op":"add","path":"members","value":[{"value":"%d"}]}`, i))
	}
	for want, text := range map[int]string{
		100_000:             `{"op":"add","path":"members","value":[` + strings.Join(list, ",") + `]}`,
		patch.MaxOperations: strings.Join(operations, ","),
	} {
		parsed, err := patch.Parse(request(t, text), schema.Group(), schema.Profile{})
		if err != nil || len(parsed.Members) != 1 || len(parsed.Members[0].Values) != want {
			t.Errorf("want %d members, got %d operations, %v", want, len(parsed.Members), err)
		}
	}
}
