package filter

import (
	"strings"
	"unicode/utf8"

	"muster/domain"
	"muster/scim/schema"
	"muster/scim/scimerr"
)

// Path is a resolved PATCH path (RFC 7644 section 3.5.2, Figure 7).
type Path struct {
	schema.Path
	// Filter selects elements, whose sub-attributes its attributes are; nil selects the attribute as a whole.
	Filter domain.Filter
}

// ParsePath reads "attr", "attr.sub", "attr[filter]" and "attr[filter].sub", each behind a URN or not,
// and a bare URN, which names a whole schema.
// It returns invalidPath, with Field "path", and invalidFilter for what stands in the brackets (R102).
func ParsePath(text string, resource schema.Resource, options Options) (Path, error) {
	if len(text) > MaxPath {
		return Path{}, invalidPath("the path is longer than %d bytes", MaxPath)
	}
	if !utf8.ValidString(text) {
		return Path{}, invalidPath("the path is not UTF-8")
	}
	name, _, bracketed := strings.Cut(text, "[")
	resolved, err := resource.ResolveLoose(name)
	if err != nil {
		return Path{}, invalidPath("%s", err.Error())
	}
	if !bracketed {
		return Path{Path: resolved}, nil
	}
	return selected(text, len(name), resolved, resource, options)
}

func selected(text string, bracket int, resolved schema.Path, resource schema.Resource, options Options) (Path, error) {
	if resolved.Whole() || resolved.HasSub() || resolved.Attribute.Type != schema.Complex || !resolved.Attribute.MultiValued {
		return Path{}, invalidPath("%s has no values to choose among", scimerr.Quote(text[:bracket]))
	}
	options.AllowUnknown = false
	p := parser{text: text, at: bracket + 1, resource: &resource, options: options}
	inner, err := p.bracket(resolved, true)
	if err != nil {
		return Path{}, err
	}
	path := Path{Path: resolved, Filter: inner}
	rest := text[p.at:]
	if rest == "" {
		return path, nil
	}
	sub, dotted := strings.CutPrefix(rest, ".")
	found, known := resolved.Attribute.SubAttribute(sub)
	if !dotted || !known {
		return Path{}, invalidPath("%s does not name a sub-attribute of %s", scimerr.Quote(rest), resolved)
	}
	path.Sub = found
	return path, nil
}

func invalidPath(format string, args ...any) error {
	return scimerr.New(scimerr.InvalidPath, "path", format, args...)
}
