package patch_test

import (
	"fmt"
	"strings"
	"testing"

	"muster/domain"
	"muster/scim/patch"
	"muster/scim/schema"
	"muster/scim/scimerr"
)

func TestRefuses(t *testing.T) {
	for _, c := range []struct {
		item, operations string
		want             scimerr.Type
		field            string
	}{
		{"R100", `{"op":"move","path":"title","value":"x"}`, scimerr.InvalidSyntax, "op"},
		{"R100", `{"path":"title","value":"x"}`, scimerr.InvalidSyntax, "op"},
		{"R100", `7`, scimerr.InvalidSyntax, "Operations"},
		{"R100", `{"op":"add","OP":"add","path":"title","value":"x"}`, scimerr.InvalidSyntax, "op"},
		{"S26", `{"op":"add","path":7,"value":"x"}`, scimerr.InvalidPath, "path"},
		{"S14", `{"op":"add","path":"nope","value":"x"}`, scimerr.InvalidPath, "path"},
		{"C10", `{"op":"add","path":"address.streetAddress","value":"x"}`, scimerr.InvalidPath, "path"},
		{"S35", `{"op":"add","path":"__proto__","value":"x"}`, scimerr.InvalidPath, "path"},
		{"S35", `{"op":"add","path":"a` + strings.Repeat(".a", 200) + `","value":"x"}`, scimerr.InvalidPath, "path"},
		{"R102", `{"op":"add","path":"emails[type eq","value":"x"}`, scimerr.InvalidFilter, "filter"},
		{"R102", `{"op":"add","value":{"emails[type eq \"work\"].nope":"x"}}`, scimerr.InvalidPath, "path"},
		{"R103", `{"op":"add","path":"title"}`, scimerr.InvalidValue, "value"},
		{"R103", `{"op":"replace"}`, scimerr.InvalidValue, "value"},
		{"R103", `{"op":"add","value":"x"}`, scimerr.InvalidValue, "value"},
		{"B26", `{"op":"remove"}`, scimerr.NoTarget, "path"},
		{"B26", `{"op":"remove","value":{"title":"x"}}`, scimerr.NoTarget, "path"},
		{"S34", `{"op":"replace","path":"id","value":"x"}`, scimerr.Mutability, "id"},
		{"S34", `{"op":"replace","path":"meta.version","value":"x"}`, scimerr.Mutability, "meta.version"},
		{"R18", `{"op":"add","path":"groups","value":[{"value":"x"}]}`, scimerr.Mutability, "groups"},
		{"R18", `{"op":"add","value":{"groups":[{"value":"x"}]}}`, scimerr.Mutability, "groups"},
		{"R107", `{"op":"add","path":"manager.displayName","value":"x"}`, scimerr.Mutability, enterprise + ":manager.displayName"},
		{"B26", `{"op":"remove","path":"userName"}`, scimerr.Mutability, "userName"},
		{"B26", `{"op":"replace","path":"userName","value":""}`, scimerr.InvalidValue, "userName"},
		{"S33", `{"op":"replace","path":"active","value":"maybe"}`, scimerr.InvalidValue, "active"},
		{"S33", `{"op":"replace","path":"title","value":{"a":1}}`, scimerr.InvalidValue, "title"},
		{"S33", `{"op":"replace","path":"emails","value":"x"}`, scimerr.InvalidValue, "emails"},
		{"S33", `{"op":"replace","path":"emails[type eq \"work\"].value","value":5}`, scimerr.InvalidValue, "emails.value"},
		{"S33", `{"op":"replace","path":"` + enterprise + `","value":"x"}`, scimerr.InvalidValue, enterprise},
		{"S12", `{"op":"add","path":"emails","value":[{"value":"a","primary":true},{"value":"b","primary":true}]}`, scimerr.InvalidValue, "emails"},
		{"S10", `{"op":"add","value":{"title":"a","TITLE":"b"}}`, scimerr.InvalidSyntax, "value"},
		{"S28", `{"op":"replace","path":"emails[type eq \"other\"].value","value":"x"}`, scimerr.NoTarget, "emails.value"},
		{"S28", `{"op":"Replace","path":"emails[type sw \"oth\"].value","value":"x"}`, scimerr.NoTarget, "emails.value"},
		{"S28", `{"op":"add","path":"emails[not (type eq \"work\")].value","value":"x"}`, scimerr.NoTarget, "emails.value"},
		{"R107", `{"op":"replace","path":"` + custom + `:badge","value":8}`, scimerr.Mutability, custom + ":badge"},
		{"R107", `{"op":"remove","path":"` + custom + `:badge"}`, scimerr.Mutability, custom + ":badge"},
	} {
		parsed, err := patch.Parse(request(t, `{"op":"add","path":"title","value":"first"},`+c.operations), user(), schema.Profile{})
		if err == nil {
			_, err = parsed.Apply(document(t, `"emails":[{"type":"work","value":"w"}],"`+custom+`":{"badge":7}`))
		}
		if scimerr.TypeOf(err) != c.want || domain.AsError(err).Field != c.field {
			t.Errorf("%s: %s: got %v, want %s of %q", c.item, c.operations, err, c.want, c.field)
		}
	}
}

// S33: an error names the operation and the attribute.
func TestErrorText(t *testing.T) {
	_, err := patch.Parse(request(t, `{"op":"add","path":"title","value":"a"},{"op":"replace","path":"active","value":"maybe"}`), user(), schema.Profile{})
	if got, want := domain.AsError(err).Text, "Operations[1]: active must be true or false"; got != want {
		t.Errorf("got %q", got)
	}
}

// S25, R100.
func TestRefusesEnvelope(t *testing.T) {
	for _, body := range []string{
		`{}`, `{"schemas":["` + patch.URN + `"]}`, `{"schemas":["` + patch.URN + `"],"Operations":[]}`,
		`{"schemas":["` + patch.URN + `"],"Operations":{}}`, `{"Operations":[{"op":"add","path":"title","value":"a"}]}`,
		`{"schemas":["urn:x"],"Operations":[{"op":"add","path":"title","value":"a"}]}`,
		`{"schemas":["` + patch.URN + `"],"Operations":[{"op":"add","path":"title","value":"a"}],"operations":[]}`,
	} {
		if _, err := patch.Parse(decode(t, body), user(), schema.Profile{}); !scimerr.Is(err, scimerr.InvalidSyntax) {
			t.Errorf("%s: got %v", body, err)
		}
	}
}

// K2, K4, K6, V5.
func TestStrictRefuses(t *testing.T) {
	for operation, want := range map[string]scimerr.Type{
		`{"op":"replace","value":{"active":false}}`:                                     scimerr.InvalidPath,
		`{"op":"replace","path":"name","value":{"nope":"x"}}`:                           scimerr.InvalidSyntax,
		`{"op":"replace","path":"emails","value":{"value":"x"}}`:                        scimerr.InvalidValue,
		`{"op":"Replace","path":"emails[type eq \"work\"].value","value":"x"}`:          scimerr.NoTarget,
		`{"op":"replace","path":"manager","value":"x"}`:                                 scimerr.InvalidPath,
		`{"op":"replace","path":"` + enterprise + `","value":{"department":"d","x":1}}`: scimerr.InvalidSyntax,
	} {
		parsed, err := patch.Parse(request(t, operation), user(), schema.Profile{Strict: true})
		if err == nil {
			_, err = parsed.Apply(document(t, `"title":"a"`))
		}
		if scimerr.TypeOf(err) != want {
			t.Errorf("%s: got %v, want %s", operation, err, want)
		}
	}
}

// emails lists as many different addresses.
func emails(count int) string {
	list := make([]string, count)
	for i := range list {
		list[i] = fmt.Sprintf(`{"value":"%d"}`, i)
	}
	return strings.Join(list, ",")
}

// S35: ten thousand operations are answered, one more is refused, and so is work without end.
func TestBounds(t *testing.T) {
	many := func(count int, operation func(int) string) map[string]any {
		operations := make([]string, count)
		for i := range operations {
			operations[i] = operation(i)
		}
		return request(t, strings.Join(operations, ","))
	}
	title := func(int) string { return `{"op":"add","path":"title","value":"a"}` }
	parsed, err := patch.Parse(many(patch.MaxOperations, title), user(), schema.Profile{})
	if err == nil {
		_, err = parsed.Apply(document(t, `"active":true`))
	}
	if err != nil {
		t.Error(err)
	}
	if _, err := patch.Parse(many(patch.MaxOperations+1, title), user(), schema.Profile{}); !domain.IsKind(err, domain.TooLarge) {
		t.Errorf("got %v", err)
	}
	far := `{"op":"remove","path":"emails[` + strings.Repeat(`type eq \"É\" or `, 19) + `type eq \"x\"]"}`
	parsed, err = patch.Parse(request(t, `{"op":"add","path":"emails","value":[`+emails(schema.MaxElements)+`]},`+
		strings.Repeat(far+",", 400)+far), user(), schema.Profile{})
	if err == nil {
		_, err = parsed.Apply(document(t, `"active":true`))
	}
	if !domain.IsKind(err, domain.TooLarge) {
		t.Errorf("got %v", err)
	}
	email := func(i int) string { return fmt.Sprintf(`{"op":"add","path":"emails","value":[{"value":"%d"}]}`, i) }
	parsed, err = patch.Parse(many(schema.MaxElements+1, email), user(), schema.Profile{})
	if err == nil {
		_, err = parsed.Apply(document(t, `"active":true`))
	}
	if !domain.IsKind(err, domain.TooLarge) && !scimerr.Is(err, scimerr.InvalidValue) {
		t.Errorf("got %v", err)
	}
}
