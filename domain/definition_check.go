package domain

import (
	"fmt"
	"slices"
	"strings"
)

// The limits of what may be declared; they keep discovery and validation small.
const (
	maxSchemas    = 50
	maxAttributes = 200
)

// WithDefaults returns the declarations with the RFC's defaults where a characteristic is left out.
func (d Definitions) WithDefaults() Definitions {
	d.normalize()
	return d
}

// normalize puts the RFC's defaults where a characteristic is left out (RFC 7643 section 2.2).
func (d *Definitions) normalize() {
	for i := range d.Schemas {
		normalizeAttributes(d.Schemas[i].Attributes)
	}
}

func normalizeAttributes(attributes []AttributeDefinition) {
	for i := range attributes {
		a := &attributes[i]
		for _, field := range []struct {
			value    *string
			fallback string
		}{{&a.Type, "string"}, {&a.Mutability, "readWrite"}, {&a.Returned, "default"}, {&a.Uniqueness, "none"}} {
			if *field.value == "" {
				*field.value = field.fallback
			}
		}
		if a.Mutability == "writeOnly" {
			a.Returned = "never" // RFC 7643 section 7
		}
		normalizeAttributes(a.SubAttributes)
	}
}

// Validate returns Invalid, with the place at fault, for a declaration that RFC 7643 does not allow or that stands in the way of the standard ones.
func (d Definitions) Validate() error {
	if len(d.Schemas) > maxSchemas || len(d.ResourceTypes) > maxSchemas {
		return Invalidf("schemas", "at most %d schemas and as many resource types can be declared", maxSchemas)
	}
	seen := map[string]bool{}
	for i, schema := range d.Schemas {
		place := fmt.Sprintf("schemas[%d]", i)
		if err := schema.validate(place); err != nil {
			return err
		}
		if key := strings.ToLower(schema.ID); seen[key] {
			return Invalidf(place+".id", "the schema %s is declared twice", schema.ID)
		}
		seen[strings.ToLower(schema.ID)] = true
	}
	return d.validateTypes()
}

func (s SchemaDefinition) validate(place string) error {
	lower := strings.ToLower(s.ID)
	switch {
	case !strings.HasPrefix(lower, "urn:") || len(s.ID) > 256 || !urnText(s.ID):
		return Invalidf(place+".id", "a schema's id is a URN of at most 256 characters, such as urn:example:params:scim:schemas:extension:acme:2.0:User")
	case strings.HasPrefix(lower, "urn:ietf:params:scim:"):
		return Invalidf(place+".id", "%s is the standard's own; declare a URN of your own", s.ID)
	case len(s.Attributes) == 0 || len(s.Attributes) > maxAttributes:
		return Invalidf(place+".attributes", "a schema has 1 to %d attributes", maxAttributes)
	}
	return validateAttributes(place+".attributes", s.Attributes, false)
}

// urnText reports whether a URN can be told apart in a path: no spaces, brackets or quotation marks.
func urnText(urn string) bool {
	return !strings.ContainsFunc(urn, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"()[]{}<>\^`, r) })
}

func validateAttributes(place string, attributes []AttributeDefinition, sub bool) error {
	seen := map[string]bool{}
	for i, a := range attributes {
		at := fmt.Sprintf("%s[%d]", place, i)
		if key := strings.ToLower(a.Name); seen[key] {
			return Invalidf(at+".name", "the attribute %s is declared twice", a.Name)
		}
		seen[strings.ToLower(a.Name)] = true
		if err := a.validate(at, sub); err != nil {
			return err
		}
	}
	return nil
}

func (a AttributeDefinition) validate(place string, sub bool) error {
	for _, field := range []struct {
		name, value string
		allowed     []string
	}{
		{"type", a.Type, []string{"string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"}},
		{"mutability", a.Mutability, []string{"readWrite", "readOnly", "immutable", "writeOnly"}},
		{"returned", a.Returned, []string{"always", "never", "default", "request"}},
		{"uniqueness", a.Uniqueness, []string{"none", "server", "global"}},
	} {
		if !slices.Contains(field.allowed, field.value) {
			return Invalidf(place+"."+field.name, "%q is not allowed; use one of %s", field.value, strings.Join(field.allowed, ", "))
		}
	}
	reserved := []string{"schemas", "id", "externalid", "meta"}
	switch {
	case !attributeName(a.Name):
		return Invalidf(place+".name", "an attribute's name begins with a letter and has letters, digits, - and _ only")
	case !sub && slices.Contains(reserved, strings.ToLower(a.Name)):
		return Invalidf(place+".name", "every resource has %s; choose another name", a.Name)
	case a.Type == "complex" && (sub || len(a.SubAttributes) == 0):
		return Invalidf(place+".subAttributes", "a complex attribute has sub-attributes, which are not complex themselves (RFC 7643 section 2.3.8)")
	case a.Type != "complex" && len(a.SubAttributes) > 0:
		return Invalidf(place+".type", "only complex attributes have sub-attributes")
	case a.Required && a.Mutability == "readOnly":
		return Invalidf(place+".required", "a read-only attribute cannot be required: nobody could send it")
	case sub && a.Uniqueness != "none":
		return Invalidf(place+".uniqueness", "a sub-attribute cannot be unique; declare it on the attribute, whose value it is of")
	case a.Uniqueness != "none" && (a.Type == "boolean" || a.Type == "complex" && !hasValue(a)):
		return Invalidf(place+".uniqueness", "%s has no value to be unique by", a.Name)
	}
	return validateAttributes(place+".subAttributes", a.SubAttributes, true)
}

func hasValue(a AttributeDefinition) bool {
	return slices.ContainsFunc(a.SubAttributes, func(s AttributeDefinition) bool { return s.Name == "value" })
}

// attributeName checks ATTRNAME of RFC 7643 section 2.1; "$ref" is the one name that begins otherwise.
func attributeName(name string) bool {
	if name == "$ref" {
		return true
	}
	for i := range len(name) {
		c := name[i] | 0x20
		switch {
		case 'a' <= c && c <= 'z':
		case i > 0 && ('0' <= name[i] && name[i] <= '9' || name[i] == '-' || name[i] == '_'):
		default:
			return false
		}
	}
	return name != "" && len(name) <= 128
}

// validateTypes checks the resource types against the schemas and against each other.
func (d Definitions) validateTypes() error {
	endpoints := map[string]bool{}
	for _, taken := range []string{"users", "groups", "me", "bulk", "schemas", "resourcetypes", "serviceproviderconfig", "v2"} {
		endpoints["/"+taken] = true
	}
	names := map[string]bool{}
	for i, t := range d.ResourceTypes {
		place := fmt.Sprintf("resourceTypes[%d]", i)
		if names[strings.ToLower(t.Name)] || !attributeName(t.Name) {
			return Invalidf(place+".name", "a resource type has a name of letters and digits of its own")
		}
		names[strings.ToLower(t.Name)] = true
		if err := d.validateExtensions(place, t); err != nil {
			return err
		}
		if t.Name == TypeUser || t.Name == TypeGroup {
			if t.Endpoint != "" || t.Schema != "" {
				return Invalidf(place+".schema", "%s has its standard schema and endpoint; declare extensions only", t.Name)
			}
			continue
		}
		if _, ok := d.Schema(t.Schema); !ok {
			return Invalidf(place+".schema", "no schema with the id %q is declared", t.Schema)
		}
		name, slash := strings.CutPrefix(t.Endpoint, "/")
		if key := strings.ToLower(t.Endpoint); !slash || !attributeName(name) || endpoints[key] {
			return Invalidf(place+".endpoint", "an endpoint is one path segment of its own, such as /Devices")
		}
		endpoints[strings.ToLower(t.Endpoint)] = true
	}
	return nil
}

func (d Definitions) validateExtensions(place string, t ResourceTypeDefinition) error {
	seen := map[string]bool{strings.ToLower(t.Schema): true}
	for i, extension := range t.SchemaExtensions {
		at := fmt.Sprintf("%s.schemaExtensions[%d].schema", place, i)
		if _, ok := d.Schema(extension.Schema); !ok {
			return Invalidf(at, "no schema with the id %q is declared", extension.Schema)
		}
		if seen[strings.ToLower(extension.Schema)] {
			return Invalidf(at, "%s is part of this resource type already", extension.Schema)
		}
		seen[strings.ToLower(extension.Schema)] = true
	}
	return nil
}
