package filter

import (
	"encoding/json"
	"math/big"
	"strings"

	"muster/domain"
	"muster/scim/schema"
	"muster/scim/scimerr"
)

// bare is a word without quotation marks in a literal's place.
type bare string

// comparison reads what follows an attribute: "pr", or an operator and a literal.
func (p *parser) comparison(path schema.Path, known bool, name string) (domain.Filter, error) {
	if p.terms++; p.terms > MaxTerms {
		return nil, invalid("the filter has more than %d comparisons", MaxTerms)
	}
	if !p.spaces() {
		return nil, p.unexpected()
	}
	operator := p.word()
	attr := path.Attr()
	attr.Unknown = !known
	if strings.EqualFold(operator, "pr") {
		return domain.Present{Attr: attr}, nil
	}
	op, ok := operatorOf(operator)
	if !ok {
		return nil, invalid("%s is not an operator; use eq, ne, co, sw, ew, gt, ge, lt, le or pr", scimerr.Quote(operator))
	}
	if !p.spaces() {
		return nil, p.unexpected()
	}
	literal, err := p.literal()
	if err != nil {
		return nil, err
	}
	if literal == nil {
		return absent(attr, op)
	}
	if !known {
		return unknownCompare(attr, op, literal)
	}
	if attr.Type == domain.TypeComplex {
		if path, err = byValue(path, name); err != nil {
			return nil, err
		}
		attr = path.Attr()
	}
	return p.compare(path.Leaf(), attr, op, literal)
}

// byValue puts "value" for a multi-valued complex attribute that is compared as a whole (R65).
func byValue(path schema.Path, name string) (schema.Path, error) {
	value, ok := path.Attribute.SubAttribute("value")
	if !ok || !path.Attribute.MultiValued {
		return path, invalid("%s is complex: compare one of its sub-attributes", scimerr.Quote(name))
	}
	path.Sub = value
	return path, nil
}

// absent makes "eq null" and "ne null" what they mean (S37).
func absent(attr domain.Attr, op domain.FilterOp) (domain.Filter, error) {
	switch op { //nolint:exhaustive // the rest has no meaning
	case domain.OpEqual:
		return domain.Not{Operand: domain.Present{Attr: attr}}, nil
	case domain.OpNotEqual:
		return domain.Present{Attr: attr}, nil
	default:
		return nil, invalid("null can be compared with eq and ne only")
	}
}

// unknownCompare keeps the literal's own type: the attribute has no value to compare it with.
func unknownCompare(attr domain.Attr, op domain.FilterOp, literal any) (domain.Filter, error) {
	switch v := literal.(type) {
	case bool:
		attr.Type = domain.TypeBoolean
	case *big.Rat:
		attr.Type = domain.TypeNumber
	case bare:
		literal = string(v)
	}
	if err := allowed(attr.Path(), attr.Type, op); err != nil {
		return nil, err
	}
	return domain.Compare{Attr: attr, Op: op, Value: literal}, nil
}

func (p *parser) compare(leaf schema.Attribute, attr domain.Attr, op domain.FilterOp, literal any) (domain.Filter, error) {
	name := attr.Path()
	if leaf.Type == schema.Binary && op != domain.OpEqual && op != domain.OpNotEqual {
		return nil, invalid("%s is binary and can be compared with eq and ne only", name)
	}
	if err := allowed(name, attr.Type, op); err != nil {
		return nil, err
	}
	value, ok, err := typed(attr.Type, literal)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, invalid("%s is compared with a value of another type; it is of type %s", name, leaf.Type)
	}
	return domain.Compare{Attr: attr, Op: op, Value: value}, nil
}

// allowed refuses an order of booleans (R68) and parts of what is not text (R70).
func allowed(name string, t domain.AttrType, op domain.FilterOp) error {
	switch op {
	case domain.OpEqual, domain.OpNotEqual:
		return nil
	case domain.OpContains, domain.OpStartsWith, domain.OpEndsWith:
		if t != domain.TypeString {
			return invalid("%s is not a string, so %s does not apply to it", name, op)
		}
	case domain.OpGreater, domain.OpGreaterOrEqual, domain.OpLess, domain.OpLessOrEqual:
		if t == domain.TypeBoolean {
			return invalid("%s is true or false, so %s does not apply to it", name, op)
		}
	}
	return nil
}

// typed returns a literal in an attribute's type; booleans are also taken from strings, as Entra sends them (K8).
func typed(t domain.AttrType, literal any) (value any, ok bool, err error) {
	word, isBare := literal.(bare)
	if isBare {
		literal = string(word)
	}
	switch t {
	case domain.TypeString:
		text, ok := literal.(string)
		return text, ok, nil
	case domain.TypeBoolean:
		if text, isText := literal.(string); isText {
			return strings.EqualFold(text, "true"), strings.EqualFold(text, "true") || strings.EqualFold(text, "false"), nil
		}
		truth, ok := literal.(bool)
		return truth, ok, nil
	case domain.TypeNumber:
		number, ok := literal.(*big.Rat)
		return number, ok, nil
	case domain.TypeDateTime:
		text, ok := literal.(string)
		if !ok {
			return nil, false, nil
		}
		instant, err := domain.ParseDateTime(text)
		if err != nil {
			return nil, false, invalid("%s is not a date and time such as 2026-01-31T09:30:00Z", scimerr.Quote(text))
		}
		return instant, true, nil
	case domain.TypeComplex:
		return nil, false, nil
	default:
		return nil, false, nil
	}
}

// literal reads a JSON string, number, true, false or null (nil), or a bare word where the options allow one.
func (p *parser) literal() (any, error) {
	if p.next('"') {
		return p.quoted()
	}
	start := p.at
	word := p.word()
	switch word {
	case "":
		return nil, p.unexpected()
	case "null":
		return nil, nil
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	if isNumber(word) {
		number, ok := domain.Number(json.Number(word))
		if !ok {
			return nil, invalid("the number %s is too large", scimerr.Quote(word))
		}
		return number, nil
	}
	if p.options.BareWords {
		return bare(word), nil
	}
	p.at = start
	return nil, invalid("%s is not a value; put strings in quotation marks", scimerr.Quote(word))
}

// isNumber checks the number of JSON (RFC 8259 section 6).
func isNumber(word string) bool {
	if c := word[0]; c != '-' && (c < '0' || c > '9') {
		return false
	}
	return json.Valid([]byte(word))
}

func operatorOf(word string) (domain.FilterOp, bool) {
	op := domain.FilterOp(strings.ToLower(word))
	switch op {
	case domain.OpEqual, domain.OpNotEqual, domain.OpContains, domain.OpStartsWith, domain.OpEndsWith,
		domain.OpGreater, domain.OpGreaterOrEqual, domain.OpLess, domain.OpLessOrEqual:
		return op, true
	default:
		return "", false
	}
}
