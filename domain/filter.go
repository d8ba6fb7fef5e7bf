package domain

import (
	"cmp"
	"math/big"
	"slices"
	"strings"
	"time"
)

// A Filter is a condition on a SCIM resource (RFC 7644 section 3.4.2.2), already resolved against the schemas:
// every attribute is known, spelled as its schema spells it, and compared by its declared type.
// The store turns what it can into SQL; Match decides the rest, and the two agree.
type Filter interface {
	// Match reports whether a resource's document fulfils the condition.
	Match(doc Document) bool
}

// Document is a SCIM resource's attributes as JSON values: string, bool, json numbers as *big.Rat-compatible
// text, []any and map[string]any; extension attributes stand below their schema's URN.
type Document = map[string]any

// FilterOp is a comparison operator of RFC 7644, Table 3.
type FilterOp string

// The comparison operators; "pr" is the type Present.
const (
	OpEqual          FilterOp = "eq"
	OpNotEqual       FilterOp = "ne"
	OpContains       FilterOp = "co"
	OpStartsWith     FilterOp = "sw"
	OpEndsWith       FilterOp = "ew"
	OpGreater        FilterOp = "gt"
	OpGreaterOrEqual FilterOp = "ge"
	OpLess           FilterOp = "lt"
	OpLessOrEqual    FilterOp = "le"
)

// AttrType is an attribute's data type as comparisons need it (RFC 7643 section 2.3).
type AttrType int

// The data types; binary and reference compare as exact strings.
const (
	TypeString AttrType = iota
	TypeBoolean
	TypeNumber
	TypeDateTime
	TypeComplex
)

// Attr is an attribute as a filter names it.
type Attr struct {
	// URN is the extension schema's URN; empty for the core schema and the common attributes.
	URN string
	// Name is the attribute's name as its schema spells it.
	Name string
	// Sub is the sub-attribute's name; empty for none.
	// For a multi-valued complex attribute that is compared without one, the resolver puts "value".
	Sub string
	// Type is the type of what is compared: of the sub-attribute when there is one.
	Type AttrType
	// CaseExact is false when strings compare folded.
	CaseExact bool
	// Unknown marks an attribute that no schema declares: a root query takes it as having no value.
	Unknown bool
}

// Path returns the attribute in dotted form, qualified by its URN when it has one.
func (a Attr) Path() string {
	path := a.Name
	if a.Sub != "" {
		path += "." + a.Sub
	}
	if a.URN != "" {
		path = a.URN + ":" + path
	}
	return path
}

// And holds when both sides do.
type And struct{ Left, Right Filter }

// Or holds when at least one side does.
type Or struct{ Left, Right Filter }

// Not holds when its operand does not.
type Not struct{ Operand Filter }

// Present holds when the attribute has a non-empty value ("pr").
type Present struct{ Attr Attr }

// Compare compares an attribute with a literal; for a multi-valued attribute any value may match.
type Compare struct {
	Attr Attr
	Op   FilterOp
	// Value is a string, bool, *big.Rat, time.Time; null literals are resolved to Present by the parser.
	Value any
}

// ValuePath holds when one element of a multi-valued complex attribute fulfils the inner filter whole,
// whose attributes are the element's sub-attributes (RFC 7644: "emails[type eq "work" and value co "@x"]").
type ValuePath struct {
	Attr  Attr
	Inner Filter
}

// Match implements Filter.
func (f And) Match(doc Document) bool { return f.Left.Match(doc) && f.Right.Match(doc) }

// Match implements Filter.
func (f Or) Match(doc Document) bool { return f.Left.Match(doc) || f.Right.Match(doc) }

// Match implements Filter.
func (f Not) Match(doc Document) bool { return !f.Operand.Match(doc) }

// Match implements Filter.
func (f Present) Match(doc Document) bool {
	return slices.ContainsFunc(f.Attr.values(doc), nonEmpty)
}

// Match implements Filter; "ne" is the negation of "eq", so it is true for an absent value.
func (f Compare) Match(doc Document) bool {
	values := f.Attr.values(doc)
	if f.Attr.Type == TypeBoolean && (f.Attr.Name == "primary" || f.Attr.Sub == "primary") {
		values = f.Attr.primaries(doc, values)
	}
	if f.Op == OpNotEqual {
		equal := Compare{Attr: f.Attr, Op: OpEqual, Value: f.Value}
		return !slices.ContainsFunc(values, equal.holds)
	}
	return slices.ContainsFunc(values, f.holds)
}

// Match implements Filter.
func (f ValuePath) Match(doc Document) bool {
	for _, element := range f.Attr.values(doc) {
		if member, ok := element.(map[string]any); ok && f.Inner.Match(member) {
			return true
		}
	}
	return false
}

// values returns every value the attribute has in the document, multi-valued ones element by element.
func (a Attr) values(doc Document) []any {
	if a.Unknown {
		return nil
	}
	if a.URN != "" {
		extension, ok := doc[a.URN].(map[string]any)
		if !ok {
			return nil
		}
		doc = extension
	}
	values := elements(doc[a.Name])
	if a.Sub == "" {
		return values
	}
	var subs []any
	for _, value := range values {
		if complexValue, ok := value.(map[string]any); ok {
			subs = append(subs, elements(complexValue[a.Sub])...)
		}
	}
	return subs
}

// primaries adds a false for every element that does not say whether it is primary (RFC 7643 section 2.4).
func (a Attr) primaries(doc Document, values []any) []any {
	silent := 1 - len(values)
	if a.Sub != "" {
		silent = len(Attr{URN: a.URN, Name: a.Name}.values(doc)) - len(values)
	}
	if silent <= 0 {
		return values
	}
	return append(values[:len(values):len(values)], false)
}

func elements(value any) []any {
	switch v := value.(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

func nonEmpty(value any) bool {
	switch v := value.(type) {
	case nil:
		return false
	case string:
		return v != ""
	case []any:
		return slices.ContainsFunc(v, nonEmpty)
	case map[string]any:
		for _, sub := range v {
			if nonEmpty(sub) {
				return true
			}
		}
		return false
	default:
		return true
	}
}

// holds compares one value with the literal by the attribute's type; values of another type never match.
func (f Compare) holds(value any) bool {
	switch f.Attr.Type {
	case TypeString:
		return f.holdsString(value)
	case TypeBoolean:
		have, ok := value.(bool)
		want, wantOK := f.Value.(bool)
		return ok && wantOK && f.Op == OpEqual && have == want
	case TypeNumber:
		have, ok := Number(value)
		want, wantOK := f.Value.(*big.Rat)
		return ok && wantOK && f.ordered(have.Cmp(want))
	case TypeDateTime:
		text, ok := value.(string)
		have, err := ParseDateTime(text)
		want, wantOK := f.Value.(time.Time)
		return ok && err == nil && wantOK && f.ordered(have.Compare(want))
	case TypeComplex:
		return false
	default:
		return false
	}
}

func (f Compare) holdsString(value any) bool {
	have, ok := value.(string)
	want, wantOK := f.Value.(string)
	if !ok || !wantOK {
		return false
	}
	if !f.Attr.CaseExact {
		have, want = Fold(have), Fold(want)
	}
	switch f.Op { //nolint:exhaustive // the rest is ordering
	case OpContains:
		return strings.Contains(have, want)
	case OpStartsWith:
		return strings.HasPrefix(have, want)
	case OpEndsWith:
		return strings.HasSuffix(have, want)
	default:
		return f.ordered(cmp.Compare(have, want))
	}
}

func (f Compare) ordered(c int) bool {
	switch f.Op { //nolint:exhaustive // the rest never orders
	case OpEqual:
		return c == 0
	case OpGreater:
		return c > 0
	case OpGreaterOrEqual:
		return c >= 0
	case OpLess:
		return c < 0
	case OpLessOrEqual:
		return c <= 0
	default:
		return false
	}
}

// Number returns a JSON number as an exact rational; it takes json.Number, float64 and the integer types.
func Number(value any) (*big.Rat, bool) {
	switch v := value.(type) {
	case interface{ String() string }: // json.Number, without importing encoding/json
		return parseRat(v.String())
	case float64:
		rat := new(big.Rat).SetFloat64(v)
		return rat, rat != nil
	case int:
		return new(big.Rat).SetInt64(int64(v)), true
	case int64:
		return new(big.Rat).SetInt64(v), true
	default:
		return nil, false
	}
}

// parseRat refuses exponents that would make a rational of unbounded size.
func parseRat(text string) (*big.Rat, bool) {
	if mantissa, exponent, found := strings.Cut(strings.ToLower(text), "e"); found && (len(exponent) > 4 || mantissa == "") {
		return nil, false
	}
	if len(text) > 128 {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// ParseDateTime reads an xsd:dateTime; a value without a zone is taken as UTC (RFC 7643 section 2.3.5).
// It takes 24:00:00, which is the next day's midnight (XML Schema part 2, section 3.2.7).
func ParseDateTime(text string) (time.Time, error) {
	if day, zone, found := strings.Cut(text, "T24:00:00"); found && len(text) < 64 {
		midnight, err := ParseDateTime(day + "T00:00:00" + zone)
		return midnight.Add(24 * time.Hour), err
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, Errorf(Invalid, "%q is not a date and time such as 2026-01-31T09:30:00Z", text)
}
