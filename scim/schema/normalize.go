package schema

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"muster/domain"
	"muster/scim/scimerr"
)

// Normalize reads the body of a POST or PUT and returns the document it means:
// attributes as the schemas spell them, extensions under their URN, values checked, unassigned ones left out,
// and "schemas" listing exactly the schemas that have data (S7).
// Read-only attributes are ignored, and so is a client's id and meta (S6, S8).
// unknown are the attributes and URNs that no schema declares; a strict profile refuses them.
//
// It returns invalidSyntax for a body without schemas and for a key in two spellings,
// and invalidValue for a wrong type and for a required attribute without a value.
func (r Resource) Normalize(body map[string]any, profile Profile) (doc domain.Document, unknown []Unknown, err error) {
	values := Values{Profile: profile}
	if err := DistinctKeys("", body); err != nil {
		return nil, nil, err
	}
	if err := r.checkSchemas(&values, body); err != nil {
		return nil, nil, err
	}
	doc, err = r.read(&values, body)
	if err != nil {
		return nil, nil, err
	}
	r.SetSchemas(doc)
	if missing := r.Missing(doc); len(missing) > 0 {
		return nil, nil, invalid(missing[0], "%s is required and must not be empty", missing[0])
	}
	slices.SortFunc(values.Unknown, func(a, b Unknown) int { return strings.Compare(a.Path, b.Path) })
	return doc, values.Unknown, nil
}

// read reads the attributes in the order of their names, so that the same body always has the same first error.
func (r Resource) read(values *Values, body map[string]any) (domain.Document, error) {
	doc := make(domain.Document, len(body))
	for _, key := range slices.Sorted(maps.Keys(body)) {
		if EqualNames(key, "schemas") {
			continue
		}
		if extension, ok := r.Extension(key); ok {
			data, err := readExtension(values, extension, body[key])
			if err != nil {
				return nil, err
			}
			if len(data) > 0 {
				doc[extension.URN] = data
			}
			continue
		}
		attribute, ok := r.Attribute(key)
		if !ok {
			if err := values.Note(key, body[key]); err != nil {
				return nil, err
			}
			continue
		}
		if err := readInto(values, doc, attribute, attribute.Name, body[key]); err != nil {
			return nil, err
		}
	}
	return doc, nil
}

func readExtension(values *Values, extension Extension, value any) (map[string]any, error) {
	if value == nil {
		return nil, nil
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, invalid(extension.URN, "%s must be an object", extension.URN)
	}
	if err := DistinctKeys(extension.URN, object); err != nil {
		return nil, err
	}
	data := make(map[string]any, len(object))
	for _, key := range slices.Sorted(maps.Keys(object)) {
		attribute, ok := extension.Attribute(key)
		if !ok {
			if err := values.Note(extension.URN+":"+key, object[key]); err != nil {
				return nil, err
			}
			continue
		}
		if err := readInto(values, data, attribute, extension.URN+":"+attribute.Name, object[key]); err != nil {
			return nil, err
		}
	}
	return data, nil
}

func readInto(values *Values, target map[string]any, a Attribute, label string, value any) error {
	if a.Mutability == ReadOnly {
		return nil
	}
	read, err := values.Attribute(a, label, value)
	if err != nil {
		return err
	}
	if read != nil && !a.Dropped {
		target[a.Name] = read
	}
	return nil
}

// checkSchemas wants at least one URN and notes those that the resource type does not have (S7, K3).
func (r Resource) checkSchemas(values *Values, body map[string]any) error {
	var list []any
	for key, value := range body {
		if EqualNames(key, "schemas") {
			list, _ = value.([]any)
		}
	}
	if len(list) == 0 && !values.Profile.Lenient {
		return scimerr.New(scimerr.InvalidSyntax, "schemas", "schemas must list the resource's schemas, such as %s", r.Core.URN)
	}
	for _, value := range list {
		urn, ok := value.(string)
		if !ok {
			return scimerr.New(scimerr.InvalidSyntax, "schemas", "schemas must be a list of URNs")
		}
		_, known := r.Extension(urn)
		if known || EqualNames(urn, r.Core.URN) {
			continue
		}
		if err := values.Note(urn, nil); err != nil {
			return err
		}
	}
	return nil
}

// SetSchemas makes the document's "schemas" list the core schema and those extensions that have data (S7).
func (r Resource) SetSchemas(doc domain.Document) {
	urns := []any{r.Core.URN}
	for _, extension := range r.Extensions {
		if data, ok := doc[extension.URN].(map[string]any); ok && len(data) > 0 {
			urns = append(urns, extension.URN)
		}
	}
	doc["schemas"] = urns
}

// Missing returns the paths of required attributes that the document gives no value, in the schemas' order.
// Attributes that the server computes or stores apart do not count; their elements' sub-attributes do.
func (r Resource) Missing(doc domain.Document) []string {
	missing := missingIn("", r.Core.Attributes, doc)
	for _, extension := range r.Extensions {
		data, present := doc[extension.URN].(map[string]any)
		if present || extension.Required {
			missing = append(missing, missingIn(extension.URN+":", extension.Attributes, data)...)
		}
		if !present && extension.Required {
			missing = append(missing, extension.URN)
		}
	}
	return missing
}

func missingIn(prefix string, attributes []Attribute, data map[string]any) []string {
	var missing []string
	for _, a := range attributes {
		value, present := data[a.Name]
		if a.Required && !present && a.Mutability != ReadOnly && !a.Dropped {
			missing = append(missing, prefix+a.Name)
		}
		if !present || a.Type != Complex {
			continue
		}
		elements, ok := value.([]any)
		if !ok {
			elements = []any{value}
		}
		for _, element := range elements {
			object, _ := element.(map[string]any)
			if absent := missingIn(prefix+a.Name+".", a.Sub, object); len(absent) > 0 {
				missing = append(missing, absent[0])
				break
			}
		}
	}
	return missing
}

// Overwritten returns the paths of immutable attributes that had a value before and have another one, or none, after.
func (r Resource) Overwritten(before, after domain.Document) []string {
	paths := overwrittenIn("", r.Core.Attributes, before, after)
	for _, extension := range r.Extensions {
		old, _ := before[extension.URN].(map[string]any)
		changed, _ := after[extension.URN].(map[string]any)
		paths = append(paths, overwrittenIn(extension.URN+":", extension.Attributes, old, changed)...)
	}
	return paths
}

func overwrittenIn(prefix string, attributes []Attribute, before, after map[string]any) []string {
	var paths []string
	for _, a := range attributes {
		old, had := before[a.Name]
		if had && a.Mutability == Immutable && !reflect.DeepEqual(old, after[a.Name]) {
			paths = append(paths, prefix+a.Name)
		}
		if object, ok := old.(map[string]any); ok {
			changed, _ := after[a.Name].(map[string]any)
			paths = append(paths, overwrittenIn(prefix+a.Name+".", a.Sub, object, changed)...)
		}
	}
	return paths
}
