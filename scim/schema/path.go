package schema

import (
	"strings"

	"muster/domain"
	"muster/scim/scimerr"
)

// Path is an attribute as a filter, a PATCH path or a parameter names it, resolved.
type Path struct {
	// URN is the extension's URN as its schema spells it; empty for the core schema and the common attributes.
	URN string
	// Attribute is the zero value when the path names a schema as a whole.
	Attribute Attribute
	// Sub is the zero value when the path names no sub-attribute.
	Sub Attribute
}

// Whole reports whether the path names a schema as a whole.
func (p Path) Whole() bool { return p.Attribute.Name == "" }

// HasSub reports whether the path names a sub-attribute.
func (p Path) HasSub() bool { return p.Sub.Name != "" }

// Leaf returns the definition of what the path names: the sub-attribute when there is one.
func (p Path) Leaf() Attribute {
	if p.HasSub() {
		return p.Sub
	}
	return p.Attribute
}

// Attr returns the path as a filter's attribute.
func (p Path) Attr() domain.Attr {
	leaf := p.Leaf()
	return domain.Attr{
		URN: p.URN, Name: p.Attribute.Name, Sub: p.Sub.Name,
		Type: leaf.FilterType(), CaseExact: leaf.CaseExact,
	}
}

// String returns the path as the schemas spell it.
func (p Path) String() string {
	if p.Whole() {
		return p.URN
	}
	return p.Attr().Path()
}

// PathError says why a path names nothing.
type PathError struct {
	Path string
	// Malformed is true when no schema could declare such an attribute.
	Malformed bool
}

// Error returns a sentence for the client.
func (e *PathError) Error() string {
	if e.Malformed {
		return scimerr.Quote(e.Path) + " is not an attribute path such as name.givenName"
	}
	return "no schema of this resource type declares " + scimerr.Quote(e.Path)
}

// Resolve finds what "attr", "attr.sub", "urn:...:attr" or "urn:...:attr.sub" names; a bare URN names a whole schema.
// Names and URNs match in any case, and the longest known URN wins, so that dots and colons in URNs never confuse (R63).
// It returns a *PathError.
func (r Resource) Resolve(path string) (Path, error) {
	attributes, urn, rest, ok := r.split(path)
	if !ok {
		return Path{}, &PathError{Path: path}
	}
	if rest == "" && path != "" {
		return Path{URN: urn}, nil
	}
	name, sub, dotted := strings.Cut(rest, ".")
	if !validName(name) || dotted && !validName(sub) {
		return Path{}, &PathError{Path: path, Malformed: true}
	}
	attribute, ok := find(attributes, name)
	if !ok && urn == "" {
		attribute, ok = find(r.Common, name)
	}
	if !ok {
		return Path{}, &PathError{Path: path}
	}
	resolved := Path{URN: urn, Attribute: attribute}
	if dotted {
		if resolved.Sub, ok = attribute.SubAttribute(sub); !ok {
			return Path{}, &PathError{Path: path}
		}
	}
	return resolved, nil
}

// ResolveLoose is Resolve, but takes an extension's attribute also without its URN, as Entra sends "manager" (E19).
func (r Resource) ResolveLoose(path string) (Path, error) {
	resolved, err := r.Resolve(path)
	if err == nil || strings.Contains(path, ":") {
		return resolved, err
	}
	for _, extension := range r.Extensions {
		if qualified, extensionErr := r.Resolve(extension.URN + ":" + path); extensionErr == nil && path != "" {
			return qualified, nil
		}
	}
	return Path{}, err
}

// split cuts a known URN off the front of a path and returns the attributes below it.
// The URN is empty for the core schema, whether the path spells it or not; ok is false for an unknown URN.
func (r Resource) split(path string) (attributes []Attribute, urn, rest string, ok bool) {
	if strings.IndexByte(path, ':') < 0 {
		return r.Core.Attributes, "", path, true
	}
	longest := 0
	if below, found := cutURN(path, r.Core.URN); found {
		attributes, urn, rest, longest = r.Core.Attributes, "", below, len(r.Core.URN)
	}
	for i := range r.Extensions {
		extension := &r.Extensions[i]
		if below, found := cutURN(path, extension.URN); found && len(extension.URN) > longest {
			attributes, urn, rest, longest = extension.Attributes, extension.URN, below, len(extension.URN)
		}
	}
	return attributes, urn, rest, longest > 0
}

func cutURN(path, urn string) (rest string, ok bool) {
	if len(path) < len(urn) || !EqualNames(path[:len(urn)], urn) {
		return "", false
	}
	if len(path) == len(urn) {
		return "", true
	}
	if path[len(urn)] != ':' || len(path) == len(urn)+1 {
		return "", false
	}
	return path[len(urn)+1:], true
}

// validName checks ATTRNAME of RFC 7643 section 2.1; "$ref" begins with a dollar sign all the same (R4).
func validName(name string) bool {
	for i := range len(name) {
		c := lower(name[i])
		switch {
		case 'a' <= c && c <= 'z', c == '$':
		case i > 0 && ('0' <= c && c <= '9' || c == '-' || c == '_'):
		default:
			return false
		}
	}
	return name != ""
}
