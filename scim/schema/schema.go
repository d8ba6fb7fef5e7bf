// Package schema is what the SCIM protocol needs to know of resource types, schemas and attributes
// (RFC 7643 sections 3, 6 and 7), and the reading of JSON values by it.
//
// The core schemas come from elimity's definitions, with the characteristics that they have wrong put right.
// Everything else is built from data: a Resource is a value, so a tenant may have one of its own.
// elimity's validation is gone around, because it keeps process-wide switches, loses extensions whose URN is written
// in another case, stores a list as an object, and says of most mistakes only that there is one.
package schema

import "muster/domain"

// Type is an attribute's data type (RFC 7643 section 2.3).
type Type string

// The data types.
const (
	String    Type = "string"
	Boolean   Type = "boolean"
	Decimal   Type = "decimal"
	Integer   Type = "integer"
	DateTime  Type = "dateTime"
	Binary    Type = "binary"
	Reference Type = "reference"
	Complex   Type = "complex"
)

// Mutability says when a value may be defined (RFC 7643 section 7).
type Mutability string

// The mutabilities.
const (
	ReadWrite Mutability = "readWrite"
	ReadOnly  Mutability = "readOnly"
	Immutable Mutability = "immutable"
	WriteOnly Mutability = "writeOnly"
)

// Returned says when a value is answered (RFC 7643 section 7).
type Returned string

// The kinds of returning.
const (
	Always  Returned = "always"
	Never   Returned = "never"
	Default Returned = "default"
	Request Returned = "request"
)

// Uniqueness says among what a value is unique (RFC 7643 section 7).
type Uniqueness string

// The kinds of uniqueness; "server" means within the organization.
const (
	None   Uniqueness = "none"
	Server Uniqueness = "server"
	Global Uniqueness = "global"
)

// Attribute is one attribute's definition with every characteristic of RFC 7643 section 7.
type Attribute struct {
	Name        string
	Description string
	Type        Type
	MultiValued bool
	Required    bool
	CaseExact   bool
	Mutability  Mutability
	Returned    Returned
	Uniqueness  Uniqueness
	// Canonical values are advice; others are accepted (S12).
	Canonical []string
	// References are the resource types, or "external" and "uri", that a reference may point to.
	References []string
	// Sub are a complex attribute's sub-attributes, which are never complex themselves.
	Sub []Attribute
	// Dropped marks an attribute that is accepted and never kept, such as password (S3).
	Dropped bool
	// Delta marks an attribute whose values are stored apart and changed by difference, such as a group's members:
	// a document never holds them, so two changes at once both apply.
	Delta bool
}

// SubAttribute returns the sub-attribute of that name in any case.
func (a Attribute) SubAttribute(name string) (Attribute, bool) { return find(a.Sub, name) }

// HasValue reports whether a complex attribute has the sub-attribute "value", which stands for the whole in comparisons.
func (a Attribute) HasValue() bool {
	_, ok := a.SubAttribute("value")
	return ok
}

// FilterType returns the data type as comparisons need it.
func (a Attribute) FilterType() domain.AttrType {
	switch a.Type {
	case Boolean:
		return domain.TypeBoolean
	case Decimal, Integer:
		return domain.TypeNumber
	case DateTime:
		return domain.TypeDateTime
	case Complex:
		return domain.TypeComplex
	case String, Binary, Reference:
		return domain.TypeString
	default:
		return domain.TypeString
	}
}

// Schema is a set of attributes under a URN.
type Schema struct {
	URN         string
	Name        string
	Description string
	Attributes  []Attribute
}

// Attribute returns the schema's attribute of that name in any case.
func (s Schema) Attribute(name string) (Attribute, bool) { return find(s.Attributes, name) }

// Extension is a schema that adds to a resource type's own.
type Extension struct {
	Schema
	// Required extensions must be present in every resource.
	Required bool
}

// Resource is a resource type: where it lives and which attributes it has (RFC 7643 section 6).
type Resource struct {
	// Name is the resource type's name, as in meta.resourceType.
	Name        string
	Description string
	// Endpoint is relative to the base URL, as "/Users".
	Endpoint string
	// Common are the attributes every resource has (RFC 7643 section 3.1): schemas, id, externalId and meta.
	Common     []Attribute
	Core       Schema
	Extensions []Extension
}

// With returns the resource type with more extensions; the receiver stays as it is.
func (r Resource) With(extensions ...Extension) Resource {
	all := make([]Extension, 0, len(r.Extensions)+len(extensions))
	r.Extensions = append(append(all, r.Extensions...), extensions...)
	return r
}

// Attribute returns the core or common attribute of that name in any case.
func (r Resource) Attribute(name string) (Attribute, bool) {
	if attribute, ok := r.Core.Attribute(name); ok {
		return attribute, true
	}
	return find(r.Common, name)
}

// Extension returns the extension with that URN in any case.
func (r Resource) Extension(urn string) (Extension, bool) {
	for _, extension := range r.Extensions {
		if EqualNames(extension.URN, urn) {
			return extension, true
		}
	}
	return Extension{}, false
}

// EqualNames compares two attribute names or URNs without regard to the case of ASCII letters (RFC 7643 section 2.1).
// Other letters have no place in a name, so a Kelvin sign is no "k".
func EqualNames(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// lowerName returns the key under which names are equal.
func lowerName(name string) string {
	for i := range len(name) {
		if name[i] != lower(name[i]) {
			key := []byte(name)
			for j, c := range key {
				key[j] = lower(c)
			}
			return string(key)
		}
	}
	return name
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

func find(attributes []Attribute, name string) (Attribute, bool) {
	for i := range attributes {
		if EqualNames(attributes[i].Name, name) {
			return attributes[i], true
		}
	}
	return Attribute{}, false
}
