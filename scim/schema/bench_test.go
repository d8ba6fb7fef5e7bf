package schema_test

import (
	"fmt"
	"strings"
	"testing"

	"muster/scim/schema"
)

// BenchmarkCreate reads Okta's create (O11), from bytes to document.
func BenchmarkCreate(b *testing.B) {
	body := []byte(`{"schemas":["` + schema.UserURN + `"],"userName":"ann@x.test","name":{"givenName":"Ann","familyName":"Lee"},
		"emails":[{"primary":true,"value":"ann@x.test","type":"work"}],"displayName":"Ann Lee","locale":"en-US",
		"externalId":"00u1abc","groups":[],"password":"s3cret","active":true}`)
	benchmarkNormalize(b, schema.User(), body)
}

// BenchmarkMembers reads a group of ten thousand.
func BenchmarkMembers(b *testing.B) {
	members := make([]string, 10_000)
	for i := range members {
		members[i] = fmt.Sprintf(`{"value":"0192f0c0-0000-7000-8000-%012d","display":"Person %d"}`, i, i)
	}
	benchmarkNormalize(b, schema.Group(), []byte(`{"schemas":["`+schema.GroupURN+`"],"displayName":"g","members":[`+strings.Join(members, ",")+`]}`))
}

func benchmarkNormalize(b *testing.B, resource schema.Resource, body []byte) {
	b.Helper()
	for b.Loop() {
		object, err := schema.Decode(body)
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err := resource.Normalize(object, schema.Profile{}); err != nil {
			b.Fatal(err)
		}
	}
}
