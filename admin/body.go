package admin

import (
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// optional tells a field of a body that is null from one that is absent.
type optional[T any] struct {
	set   bool
	value *T
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *optional[T]) UnmarshalJSON(raw []byte) error {
	o.set = true
	return json.Unmarshal(raw, &o.value)
}

// apply takes the value over, null included, when the field was there.
func (o optional[T]) apply(field **T) {
	if o.set {
		*field = o.value
	}
}

// Schema implements huma.SchemaProvider.
func (optional[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[*T](), true, "")
}

// assign takes a value over when there is one.
func assign[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

// nullable is a text, or null for none.
func nullable[T ~string](text T) *T {
	if text == "" {
		return nil
	}
	return &text
}

// list is never null (checklist, item 6).
func list[A, B any](from []A, one func(A) B) []B {
	bodies := make([]B, len(from))
	for i, element := range from {
		bodies[i] = one(element)
	}
	return bodies
}
