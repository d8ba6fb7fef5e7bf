// Package filter reads SCIM filters (RFC 7644 section 3.4.2.2) and PATCH paths (section 3.5.2) and resolves them
// against a resource type: names as the schemas spell them, literals in the type of their attribute.
//
// The parser is its own, because the library's cannot read URNs with "-", "_" or "/", more than one "and" inside
// brackets, or escapes, and recurses without a bound.
// This one reads a filter once, from left to right; it recurses only into brackets, of which there are at most eight.
package filter

import (
	"unicode/utf8"

	"muster/domain"
	"muster/scim/schema"
	"muster/scim/scimerr"
)

// The limits of a filter (S38).
const (
	// MaxLength is a filter's length in bytes.
	MaxLength = 2048
	// MaxDepth is how deep parentheses and brackets nest.
	MaxDepth = 8
	// MaxTerms is the number of comparisons.
	MaxTerms = 20
	// MaxPath is a PATCH path's length in bytes.
	MaxPath = 512
)

// Options say how a filter is read.
type Options struct {
	// AllowUnknown takes an attribute that no schema declares as one without a value, for queries over several
	// resource types (RFC 7644 section 3.4.2.1); without it such a filter is refused (K14).
	AllowUnknown bool
	// BareWords takes an unquoted word after an operator as a string (K7).
	BareWords bool
}

// Parse reads a filter for a resource type.
// It returns invalidFilter, with Field "filter", for one that is not well-formed, that names an unknown attribute,
// that compares values of different types, or that is over a limit.
func Parse(text string, resource schema.Resource, options Options) (domain.Filter, error) {
	if len(text) > MaxLength {
		return nil, invalid("the filter is longer than %d bytes", MaxLength)
	}
	if !utf8.ValidString(text) {
		return nil, invalid("the filter is not UTF-8")
	}
	p := parser{text: text, resource: &resource, options: options}
	p.spaces()
	f, err := p.or()
	if err != nil {
		return nil, err
	}
	p.spaces()
	if p.at < len(p.text) {
		return nil, p.unexpected()
	}
	return f, nil
}

func invalid(format string, args ...any) error {
	return scimerr.New(scimerr.InvalidFilter, "filter", format, args...)
}
