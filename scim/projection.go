package scim

import (
	"net/url"
	"slices"
	"strings"

	"muster/domain"
	"muster/scim/schema"
	"muster/scim/scimerr"
)

// projection is which attributes an answer has (RFC 7644 section 3.9); the zero value is those returned by default.
type projection struct {
	mode mode
	// named are the attributes that the client named; "" for Sub means the attribute as a whole.
	named map[attributeName]bool
	// written are attributes returned on request that this very request wrote (RFC 7643 section 7).
	written map[attributeName]bool
}

// mode is what naming an attribute does.
type mode int

const (
	byDefault mode = iota
	onlyNamed
	allButNamed
)

// attributeName is an attribute as a schema spells it; an empty Name stands for all attributes of the schema.
type attributeName struct{ URN, Name, Sub string }

// readProjection reads attributes or excludedAttributes; both at once are invalidValue, unknown names are ignored (S44, R84).
func readProjection(values url.Values, t resourceType) (projection, error) {
	if len(values) == 0 {
		return projection{}, nil
	}
	only, err := parameter(values, "attributes")
	if err != nil {
		return projection{}, err
	}
	without, err := parameter(values, "excludedAttributes")
	if err != nil {
		return projection{}, err
	}
	switch {
	case only != "" && without != "":
		return projection{}, scimerr.New(scimerr.InvalidValue, "attributes", "attributes and excludedAttributes exclude each other")
	case only != "":
		return projection{mode: onlyNamed, named: resolveNames(only, t)}, nil
	case without != "":
		return projection{mode: allButNamed, named: resolveNames(without, t)}, nil
	default:
		return projection{}, nil
	}
}

func resolveNames(list string, t resourceType) map[attributeName]bool {
	named := make(map[attributeName]bool)
	for name := range strings.SplitSeq(list, ",") {
		name, _, _ = strings.Cut(name, "[") // some clients send emails[type eq "work"] (R82)
		path, err := t.ResolveLoose(strings.TrimSpace(name))
		if err == nil {
			named[attributeName{path.URN, path.Attribute.Name, path.Sub.Name}] = true
		}
	}
	return named
}

// withWritten notes which attributes that are returned on request only a body wrote.
func (p projection) withWritten(t resourceType, doc domain.Document) projection {
	if t.plain {
		return p
	}
	note := func(urn string, attributes []schema.Attribute, data map[string]any) {
		for _, a := range attributes {
			if _, sent := data[a.Name]; sent && a.Returned == schema.Request {
				p = p.wrote(attributeName{urn, a.Name, ""})
			}
		}
	}
	note("", t.Core.Attributes, doc)
	for _, extension := range t.Extensions {
		data, _ := doc[extension.URN].(map[string]any)
		note(extension.URN, extension.Attributes, data)
	}
	return p
}

// withNames is withWritten for the paths of a PATCH.
func (p projection) withNames(t resourceType, paths []schema.Path) projection {
	if t.plain {
		return p
	}
	for _, path := range paths {
		if path.Attribute.Returned == schema.Request {
			p = p.wrote(attributeName{path.URN, path.Attribute.Name, ""})
		}
	}
	return p
}

func (p projection) wrote(name attributeName) projection {
	if p.written == nil {
		p.written = map[attributeName]bool{}
	}
	p.written[name] = true
	return p
}

// given reports whether the client asked for anything in particular.
func (p projection) given() bool { return p.mode != byDefault }

// apply returns the document that the projection leaves; "schemas" lists those that still have data (S7).
func (p projection) apply(resource schema.Resource, doc domain.Document) domain.Document {
	left := make(domain.Document, len(doc))
	for key, value := range doc {
		if extension, ok := resource.Extension(key); ok {
			if data := p.extension(extension, value); len(data) > 0 {
				left[key] = data
			}
			continue
		}
		attribute, ok := resource.Attribute(key)
		if !ok {
			continue
		}
		if value, ok = p.attribute("", attribute, value); ok {
			left[key] = value
		}
	}
	resource.SetSchemas(left)
	return left
}

func (p projection) extension(extension schema.Extension, value any) map[string]any {
	data, _ := value.(map[string]any)
	left := make(map[string]any, len(data))
	for key, value := range data {
		attribute, ok := extension.Attribute(key)
		if !ok {
			continue
		}
		if value, ok = p.attribute(extension.URN, attribute, value); ok {
			left[key] = value
		}
	}
	return left
}

// attribute returns what is left of an attribute's value; false when nothing is.
func (p projection) attribute(urn string, a schema.Attribute, value any) (any, bool) {
	if !p.keepsIn(urn, a) {
		return nil, false
	}
	subs := p.subAttributes(urn, a)
	if subs == nil {
		return value, true
	}
	switch v := value.(type) {
	case map[string]any:
		left := pick(v, subs)
		return left, len(left) > 0
	case []any:
		elements := make([]any, 0, len(v))
		for _, element := range v {
			object, _ := element.(map[string]any)
			if left := pick(object, subs); len(left) > 0 {
				elements = append(elements, left)
			}
		}
		return elements, len(elements) > 0
	default:
		return value, true
	}
}

func pick(object map[string]any, names []string) map[string]any {
	left := make(map[string]any, len(names))
	for _, name := range names {
		if value, ok := object[name]; ok {
			left[name] = value
		}
	}
	return left
}

// keeps reports whether anything of a core attribute is answered.
func (p projection) keeps(a schema.Attribute) bool { return p.keepsIn("", a) }

func (p projection) keepsIn(urn string, a schema.Attribute) bool {
	switch {
	case a.Returned == schema.Always || a.Name == "id":
		return true
	case a.Returned == schema.Never:
		return false
	case p.mode == byDefault && p.written[attributeName{urn, a.Name, ""}]:
		return true
	}
	switch p.mode {
	case onlyNamed:
		return p.whole(urn, a) || p.someSub(urn, a)
	case allButNamed:
		return !p.whole(urn, a) && a.Returned != schema.Request
	case byDefault:
		return a.Returned != schema.Request
	default:
		return false
	}
}

// whole reports whether the client named an attribute or its schema.
func (p projection) whole(urn string, a schema.Attribute) bool {
	common := a.Name == "id" || a.Name == "externalId" || a.Name == "meta"
	return p.named[attributeName{urn, a.Name, ""}] || !common && p.named[attributeName{URN: urn}]
}

func (p projection) someSub(urn string, a schema.Attribute) bool {
	for _, sub := range a.Sub {
		if p.named[attributeName{urn, a.Name, sub.Name}] {
			return true
		}
	}
	return false
}

// subAttributes returns the sub-attributes that are answered of an attribute that is; nil means all.
func (p projection) subAttributes(urn string, a schema.Attribute) []string {
	some := p.someSub(urn, a) && !p.whole(urn, a) && a.Returned != schema.Always
	if !some && !slices.ContainsFunc(a.Sub, func(sub schema.Attribute) bool { return sub.Returned == schema.Never || sub.Returned == schema.Request }) {
		return nil
	}
	names := []string{}
	for _, sub := range a.Sub {
		named := p.named[attributeName{urn, a.Name, sub.Name}]
		chosen := !some || named == (p.mode == onlyNamed)
		switch sub.Returned {
		case schema.Always:
			chosen = true
		case schema.Never:
			chosen = false
		case schema.Request:
			chosen = named && p.mode == onlyNamed
		case schema.Default:
		}
		if chosen {
			names = append(names, sub.Name)
		}
	}
	return names
}
