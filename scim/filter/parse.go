package filter

import (
	"errors"
	"strings"

	"muster/domain"
	"muster/scim/schema"
	"muster/scim/scimerr"
)

// parser reads one filter; at is where it stands.
type parser struct {
	text     string
	at       int
	resource *schema.Resource
	// element is the attribute whose sub-attributes are named, inside brackets; nil outside.
	element *schema.Attribute
	options Options
	depth   int
	terms   int
}

// or reads FILTER: "and" binds closer than "or", and both group from the left (R61).
func (p *parser) or() (domain.Filter, error) {
	left, err := p.and()
	for err == nil && p.connective("or") {
		var right domain.Filter
		right, err = p.and()
		left = domain.Or{Left: left, Right: right}
	}
	return left, err
}

func (p *parser) and() (domain.Filter, error) {
	left, err := p.term()
	for err == nil && p.connective("and") {
		var right domain.Filter
		right, err = p.term()
		left = domain.And{Left: left, Right: right}
	}
	return left, err
}

// connective steps over " and " or " or "; where there is neither it stays.
func (p *parser) connective(word string) bool {
	start := p.at
	if p.spaces() && strings.EqualFold(p.word(), word) && p.spaces() {
		return true
	}
	p.at = start
	return false
}

// term reads a comparison, a value path, or a group with or without "not".
func (p *parser) term() (domain.Filter, error) {
	if p.next('(') {
		return p.group(')')
	}
	name := p.word()
	if name == "" {
		return nil, p.unexpected()
	}
	if strings.EqualFold(name, "not") {
		start := p.at
		p.spaces()
		if p.next('(') {
			inner, err := p.group(')')
			return domain.Not{Operand: inner}, err
		}
		p.at = start
	}
	path, known, err := p.resolve(name)
	if err != nil {
		return nil, err
	}
	if p.next('[') {
		return p.valuePath(path, known)
	}
	return p.comparison(path, known, name)
}

// group reads up to the closing bracket; the opening one is behind.
func (p *parser) group(closing byte) (domain.Filter, error) {
	if p.depth++; p.depth > MaxDepth {
		return nil, invalid("the filter nests deeper than %d brackets", MaxDepth)
	}
	p.spaces()
	f, err := p.or()
	if err != nil {
		return nil, err
	}
	p.spaces()
	if !p.next(closing) {
		return nil, p.unexpected()
	}
	p.depth--
	return f, nil
}

// valuePath reads what follows "attr[", with Entra's comparison after the bracket (E12).
func (p *parser) valuePath(path schema.Path, known bool) (domain.Filter, error) {
	inner, err := p.bracket(path, known)
	if err != nil {
		return nil, err
	}
	attr := path.Attr()
	attr.Unknown = !known
	if !p.next('.') {
		return domain.ValuePath{Attr: attr, Inner: inner}, nil
	}
	p.element = &path.Attribute
	defer func() { p.element = nil }()
	name := p.word()
	sub, subKnown, err := p.resolve(name)
	if err != nil {
		return nil, err
	}
	compared, err := p.comparison(sub, subKnown, name)
	if err != nil {
		return nil, err
	}
	return within(attr, inner, compared), nil
}

// bracket reads the filter of "attr[filter]" up to its closing bracket.
func (p *parser) bracket(path schema.Path, known bool) (domain.Filter, error) {
	if p.element != nil {
		return nil, invalid("brackets may not stand inside brackets")
	}
	if known && (path.Attribute.Type != schema.Complex || path.HasSub()) {
		return nil, invalid("%s is not complex, so it has no sub-attributes to filter by", path)
	}
	p.element = &path.Attribute
	defer func() { p.element = nil }()
	return p.group(']')
}

// within makes "attr[inner].sub op value" one value path: some element fulfils both.
// A negated comparison stays the negation of its positive form (S37).
func within(attr domain.Attr, inner, compared domain.Filter) domain.Filter {
	switch f := compared.(type) {
	case domain.Not:
		return domain.Not{Operand: domain.ValuePath{Attr: attr, Inner: domain.And{Left: inner, Right: f.Operand}}}
	case domain.Compare:
		if f.Op == domain.OpNotEqual {
			f.Op = domain.OpEqual
			return domain.Not{Operand: domain.ValuePath{Attr: attr, Inner: domain.And{Left: inner, Right: f}}}
		}
	}
	return domain.ValuePath{Attr: attr, Inner: domain.And{Left: inner, Right: compared}}
}

// resolve finds the attribute that a word names; known is false for an unknown one that the options allow.
func (p *parser) resolve(name string) (path schema.Path, known bool, err error) {
	if p.element != nil {
		return p.resolveSub(name)
	}
	path, err = p.resource.Resolve(name)
	if err == nil && path.Whole() {
		return path, false, invalid("%s is a schema, not an attribute", scimerr.Quote(name))
	}
	if err == nil && path.Leaf().Returned == schema.Never {
		return path, false, invalid("%s cannot be filtered by", path)
	}
	if err != nil {
		return p.unknown(name, err)
	}
	return path, true, nil
}

func (p *parser) resolveSub(name string) (path schema.Path, known bool, err error) {
	if sub, ok := p.element.SubAttribute(name); ok {
		return schema.Path{Attribute: sub}, true, nil
	}
	cause := &schema.PathError{Path: p.element.Name + "." + name, Malformed: strings.ContainsAny(name, ".:")}
	return p.unknown(name, cause)
}

func (p *parser) unknown(name string, cause error) (path schema.Path, known bool, err error) {
	if e, ok := errors.AsType[*schema.PathError](cause); ok && !e.Malformed && p.options.AllowUnknown {
		return schema.Path{Attribute: schema.Attribute{Name: name}}, false, nil
	}
	return schema.Path{}, false, invalid("%s", cause.Error())
}
