package patch

import (
	"encoding/json"
	"maps"
	"math/big"
	"time"

	"muster/domain"
	"muster/scim/schema"
	"muster/scim/scimerr"
)

// changeElements changes the elements that a path selects, or a sub-attribute of them; without a filter it selects all.
// The elements it does not select stay as they are (L4).
func changeElements(op Operation, list []any) ([]any, error) {
	var kept []any
	first := -1
	found := false
	for _, element := range list {
		object, ok := element.(map[string]any)
		if !ok || op.Path.Filter != nil && !op.Path.Filter.Match(object) {
			kept = append(kept, element)
			continue
		}
		found = true
		changed := changeElement(op, object)
		if changed == nil {
			continue
		}
		if first < 0 && schema.IsPrimary(changed) {
			first = len(kept)
		}
		kept = append(kept, changed)
	}
	if !found && op.Op != Remove {
		created, err := create(op)
		if err != nil {
			return nil, err
		}
		first = len(kept)
		kept = append(kept, created)
	}
	if first >= 0 {
		onePrimary(kept, first)
	}
	return kept, nil
}

// changeElement returns the element changed; nil when nothing of it is left.
func changeElement(op Operation, object map[string]any) map[string]any {
	if op.Path.HasSub() {
		object = withSub(object, op)
		if op.Op == Remove && hollow(op.Path.Attribute, op.Path.Sub.Name, object) {
			return nil
		}
		return object
	}
	if op.Op == Remove {
		return nil
	}
	given, _ := clone(op.Value).(map[string]any)
	if op.Op == Add {
		return merged(object, given)
	}
	// The element is replaced whole, but stays what the filter found it by unless the value says otherwise.
	replaced := make(map[string]any)
	if !termsOf(op.Path.Filter, replaced) {
		clear(replaced)
	}
	maps.Copy(replaced, given)
	return replaced
}

// hollow reports whether an element lost what it is for: its value, or everything but its labels.
func hollow(attribute schema.Attribute, removed string, object map[string]any) bool {
	if removed == "value" && attribute.HasValue() {
		return true
	}
	for name := range object {
		if name != "type" && name != "primary" {
			return false
		}
	}
	return true
}

// create makes the element that the path's filter describes by eq terms (E18); otherwise the answer is noTarget (S28).
// The filter's literals are checked like any value, for a filter may compare with what cannot be stored.
func create(op Operation) (map[string]any, error) {
	element := make(map[string]any)
	if op.Path.Filter != nil && (!op.Creates || !termsOf(op.Path.Filter, element)) {
		return nil, scimerr.New(scimerr.NoTarget, op.Path.String(), "no value of %s matches the path's filter", op.Path.Attribute.Name)
	}
	if op.Path.HasSub() {
		withSub(element, op)
	} else {
		given, _ := clone(op.Value).(map[string]any)
		maps.Copy(element, given)
	}
	var values schema.Values
	read, err := values.Single(op.Path.Attribute, op.Path.Attribute.Name, element)
	if err != nil {
		return nil, err
	}
	created, _ := read.(map[string]any)
	return created, nil
}

// termsOf reads a filter of "eq" and "and" as an element's sub-attributes; it reports whether the filter is one.
func termsOf(f domain.Filter, element map[string]any) bool {
	switch f := f.(type) {
	case domain.And:
		return termsOf(f.Left, element) && termsOf(f.Right, element)
	case domain.Compare:
		if _, twice := element[f.Attr.Name]; twice || f.Op != domain.OpEqual {
			return false
		}
		element[f.Attr.Name] = jsonOf(f.Value)
		return true
	default:
		return false
	}
}

// jsonOf returns a filter's literal as a document keeps it.
func jsonOf(literal any) any {
	switch v := literal.(type) {
	case *big.Rat:
		if v.IsInt() {
			return json.Number(v.Num().String())
		}
		digits, _ := v.FloatPrec()
		return json.Number(v.FloatString(digits))
	case time.Time:
		return v.Format(time.RFC3339Nano)
	default:
		return literal
	}
}

// onePrimary makes the element at a place the only primary one, if it says it is primary (R106).
func onePrimary(list []any, at int) {
	if !schema.IsPrimary(list[at]) {
		return
	}
	for i, element := range list {
		if object, ok := element.(map[string]any); ok && i != at && schema.IsPrimary(element) {
			object["primary"] = false
		}
	}
}
