package patch_test

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/domain"
	"muster/scim/patch"
	"muster/scim/schema"
	"muster/scim/scimerr"
)

// pool holds operations of every form; those marked with "!" fail, or do on some documents.
func pool() []string {
	return []string{
		`{"op":"add","path":"emails","value":[{"value":"a","type":"work","primary":true}]}`,
		`{"op":"add","path":"emails","value":[{"value":"b","type":"home"},{"value":"B","type":"HOME","display":"d"}]}`,
		`{"op":"Add","path":"emails[type eq \"work\"].value","value":"c"}`,
		`{"op":"Replace","path":"emails[type eq \"home\"].primary","value":"True"}`,
		`{"op":"Replace","path":"emails[type eq \"home\"].value","value":""}`,
		`{"op":"replace","path":"emails[type eq \"other\"].value","value":"!"}`,
		`{"op":"remove","path":"emails[value sw \"a\"]"}`,
		`{"op":"Remove","path":"emails","value":[{"value":"b"}]}`,
		`{"op":"remove","path":"emails"}`,
		`{"op":"replace","value":{"active":"False","name.givenName":"g","nope":1}}`,
		`{"op":"replace","path":"name","value":{"familyName":"f","givenName":null}}`,
		`{"op":"add","path":"` + enterprise + `:manager","value":"m"}`,
		`{"op":"Replace","path":"` + enterprise + `:manager","value":""}`,
		`{"op":"add","path":"` + custom + `:badge","value":1}`,
		`{"op":"replace","path":"` + custom + `:badge","value":2}`,
		`{"op":"add","path":"` + custom + `:tags","value":["x","y"]}`,
		`{"op":"remove","path":"` + custom + `:tags"}`,
		`{"op":"replace","path":"userName","value":"v"}`,
		`{"op":"Add","path":"photos[value eq \"%zz\"].type","value":"photo"}`,
		`{"op":"remove","path":"id"}`,
	}
}

func anyRequest(t *rapid.T, name string) string {
	operations := rapid.SliceOfN(rapid.SampledFrom(pool()), 1, 6).Draw(t, name)
	return `{"schemas":["` + patch.URN + `"],"Operations":[` + strings.Join(operations, ",") + `]}`
}

// apply parses and applies a request; nil is for one that was refused.
func apply(t rapid.TB, text string, doc domain.Document) domain.Document {
	t.Helper()
	body, err := schema.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := patch.Parse(body, user(), schema.Profile{})
	if err != nil {
		return refused(t, err)
	}
	kept, err := parsed.Apply(doc)
	if err != nil {
		return refused(t, err)
	}
	again, err := parsed.Apply(doc)
	if err != nil || !reflect.DeepEqual(kept, again) {
		t.Fatalf("the second application gave %v, %v", again, err)
	}
	return kept
}

func refused(t rapid.TB, err error) domain.Document {
	t.Helper()
	if scimerr.TypeOf(err) == "" && !domain.IsKind(err, domain.TooLarge) {
		t.Fatalf("no keyword in %v", err)
	}
	return nil
}

// R101, S21: the argument stays whole, whatever happens; what comes out is normal: Normalize changes nothing of it.
func TestPureAndNormal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := domain.Document{"userName": "u"}
		for range 3 {
			before := text(doc)
			changed := apply(t, anyRequest(t, "request"), doc)
			if text(doc) != before {
				t.Fatalf("%s became %s", before, text(doc))
			}
			if changed == nil {
				continue
			}
			normal, unknown, err := user().Normalize(changed, schema.Profile{Strict: true})
			if err != nil || len(unknown) > 0 || !reflect.DeepEqual(normal, changed) {
				t.Fatalf("%s is not normal: %v, %s", text(changed), err, text(normal))
			}
			doc = changed
		}
	})
}

// S93: a request of adds and removes of one kind, sent twice, changes nothing the second time.
func TestIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := apply(t, anyRequest(t, "before"), domain.Document{"userName": "u"})
		operation := rapid.SampledFrom(pool()).Draw(t, "operation")
		request := `{"schemas":["` + patch.URN + `"],"Operations":[` + operation + `]}`
		once := apply(t, request, doc)
		if doc == nil || once == nil {
			return
		}
		if twice := apply(t, request, once); !reflect.DeepEqual(once, twice) {
			t.Fatalf("once %s\ntwice %s", text(once), text(twice))
		}
	})
}

func FuzzPatch(f *testing.F) {
	for _, operation := range pool() {
		f.Add([]byte(`{"schemas":["` + patch.URN + `"],"Operations":[` + operation + `]}`))
	}
	f.Add([]byte(`{"Operations":[{"op":"Remove","path":"members[value eq \"a\" or type pr]"}]}`))
	f.Add([]byte(`{"Operations":[{"op":"add","value":{"__proto__":{},"":[],"` + enterprise + `":{"manager":[{"value":"x"}]}}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		body, err := schema.Decode(data)
		if err != nil {
			refused(t, err)
			return
		}
		for _, resource := range []schema.Resource{user(), schema.Group()} {
			parsed, err := patch.Parse(body, resource, schema.Profile{Lenient: true, Entra: true})
			if err != nil {
				refused(t, err)
				continue
			}
			doc := domain.Document{
				"userName": "u", "displayName": "g", "schemas": []any{resource.Core.URN},
				"emails": []any{map[string]any{"type": "work", "value": "w", "primary": true}},
			}
			before := text(doc)
			changed, err := parsed.Apply(doc)
			if err != nil {
				refused(t, err)
			} else if _, _, err := resource.Normalize(changed, schema.Profile{}); err != nil {
				t.Fatalf("%s is not normal: %v", text(changed), err)
			}
			if text(doc) != before {
				t.Fatalf("%s became %s", before, text(doc))
			}
		}
	})
}
