package patch

import (
	"maps"
	"reflect"

	"muster/domain"
	"muster/scim/schema"
	"muster/scim/scimerr"
)

// application is a document while operations change it; the document is its own, the operations' values are not.
type application struct {
	doc    domain.Document
	strict bool
	visits int
}

func (a *application) apply(op Operation) error {
	urn := op.Path.URN
	if op.Path.Whole() {
		delete(a.doc, urn)
		return nil
	}
	target := a.doc
	if urn != "" {
		target, _ = a.doc[urn].(map[string]any)
		if target == nil {
			target = make(map[string]any)
		}
	}
	if err := a.change(op, target); err != nil {
		return err
	}
	if urn != "" {
		put(a.doc, urn, target)
	}
	return nil
}

func (a *application) change(op Operation, target map[string]any) error {
	if op.Path.Attribute.MultiValued {
		return a.changeList(op, target)
	}
	name := op.Path.Attribute.Name
	if op.Path.HasSub() {
		object, _ := target[name].(map[string]any)
		put(target, name, withSub(object, op))
		return nil
	}
	value := clone(op.Value)
	if object, ok := value.(map[string]any); ok && (op.Op == Add || !a.strict) {
		value = merged(target[name], object)
	}
	put(target, name, value)
	return nil
}

// changeList changes a multi-valued attribute.
func (a *application) changeList(op Operation, target map[string]any) error {
	attribute := op.Path.Attribute
	list, _ := target[attribute.Name].([]any)
	values, _ := clone(op.Value).([]any)
	if a.visits += len(values) + 1 + len(list)*(1+comparisons(op.Path.Filter)); a.visits > maxVisits {
		return domain.Errorf(domain.TooLarge, "the operations look at too many values; send them in several requests")
	}
	var err error
	switch {
	case op.Path.Filter != nil || op.Path.HasSub():
		list, err = changeElements(op, list)
	case op.Op == Add:
		list = union(attribute, list, values)
	case op.Op == Remove && op.Listed:
		list = difference(attribute, list, values)
	default:
		list = values
	}
	if err != nil {
		return err
	}
	list = schema.Distinct(attribute, list)
	if len(list) > schema.MaxElements {
		return scimerr.New(scimerr.InvalidValue, op.Path.String(), "%s has more than %d values", op.Path, schema.MaxElements)
	}
	put(target, attribute.Name, list)
	return nil
}

// comparisons counts a filter's, each of which looks at every element.
func comparisons(f domain.Filter) int {
	switch f := f.(type) {
	case nil:
		return 0
	case domain.And:
		return comparisons(f.Left) + comparisons(f.Right)
	case domain.Or:
		return comparisons(f.Left) + comparisons(f.Right)
	case domain.Not:
		return comparisons(f.Operand)
	default:
		return 1
	}
}

// union appends the new elements; one that is there already gains what the new one says besides (L3, L6).
func union(attribute schema.Attribute, list, added []any) []any {
	places := make(map[string]int, len(list))
	for i, element := range list {
		places[schema.Key(attribute, element)] = i
	}
	for _, element := range added {
		key := schema.Key(attribute, element)
		at, found := places[key]
		object, isObject := element.(map[string]any)
		switch {
		case !found:
			at = len(list)
			places[key] = at
			list = append(list, element)
		case isObject:
			list[at] = mergedElement(list[at], object)
		}
		onePrimary(list, at)
	}
	return list
}

// mergedElement keeps the spelling of the value and type that made the two elements the same.
func mergedElement(old any, added map[string]any) any {
	object, _ := old.(map[string]any)
	for name, value := range added {
		if name != "value" && name != "type" {
			object[name] = value
		}
	}
	return object
}

// difference removes the elements that the listed ones name: by their value, and by their type where they give one.
func difference(attribute schema.Attribute, list, listed []any) []any {
	named := make(map[string]bool, len(listed))
	for _, element := range listed {
		named[schema.Key(attribute, element)] = true
	}
	var kept []any
	for _, element := range list {
		object, _ := element.(map[string]any)
		untyped := map[string]any{"value": object["value"]}
		if !named[schema.Key(attribute, element)] && (object == nil || !named[schema.Key(attribute, untyped)]) {
			kept = append(kept, element)
		}
	}
	return kept
}

// merged returns a complex value with the given sub-attributes changed and the others left (R104, K11).
func merged(old any, given map[string]any) map[string]any {
	object, _ := old.(map[string]any)
	if object == nil {
		return given
	}
	if value, ok := given["value"]; ok {
		repoint(object, value)
	}
	maps.Copy(object, given)
	return object
}

// repoint drops a reference that belongs to the value before.
func repoint(object map[string]any, value any) {
	if !reflect.DeepEqual(object["value"], value) {
		delete(object, "$ref")
	}
}

// withSub returns the complex value with the operation's sub-attribute set or removed.
func withSub(object map[string]any, op Operation) map[string]any {
	if object == nil {
		object = make(map[string]any)
	}
	sub, value := op.Path.Sub, clone(op.Value)
	if values, ok := value.([]any); ok && op.Op == Add {
		old, _ := object[sub.Name].([]any)
		value = schema.Distinct(sub, append(old, values...))
	}
	if sub.Name == "value" {
		repoint(object, value)
	}
	put(object, sub.Name, value)
	return object
}

// put sets a key, or removes it when the value is unassigned.
func put(target map[string]any, key string, value any) {
	empty := value == nil
	switch v := value.(type) {
	case map[string]any:
		empty = len(v) == 0
	case []any:
		empty = len(v) == 0
	}
	if empty {
		delete(target, key)
		return
	}
	target[key] = value
}
