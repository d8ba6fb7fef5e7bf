package patch_test

import (
	"testing"

	"muster/scim/patch"
	"muster/scim/schema"
)

// BenchmarkDeactivate is the commonest PATCH, from bytes to document.
func BenchmarkDeactivate(b *testing.B) {
	doc := document(b, `"active":true,`+twoEmails)
	resource := user()
	body := []byte(`{"schemas":["` + patch.URN + `"],"Operations":[{"op":"replace","value":{"active":false}}]}`)
	for b.Loop() {
		object, err := schema.Decode(body)
		if err != nil {
			b.Fatal(err)
		}
		parsed, err := patch.Parse(object, resource, schema.Profile{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := parsed.Apply(doc); err != nil {
			b.Fatal(err)
		}
	}
}
