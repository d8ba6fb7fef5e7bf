package filter

import (
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
	"time"

	"muster/domain"
)

// Render writes a filter in the grammar of RFC 7644, with no more parentheses than needed, for logs and tests.
// Parse reads it back as the same filter.
func Render(f domain.Filter) string {
	var b strings.Builder
	render(&b, f)
	return b.String()
}

func render(b *strings.Builder, f domain.Filter) {
	switch f := f.(type) {
	case domain.Or:
		render(b, f.Left)
		b.WriteString(" or ")
		operand(b, f.Right, isOr(f.Right))
	case domain.And:
		operand(b, f.Left, isOr(f.Left))
		b.WriteString(" and ")
		operand(b, f.Right, isOr(f.Right) || isAnd(f.Right))
	case domain.Not:
		b.WriteString("not ")
		operand(b, f.Operand, true)
	case domain.Present:
		b.WriteString(f.Attr.Path() + " pr")
	case domain.Compare:
		b.WriteString(f.Attr.Path() + " " + string(f.Op) + " " + literalText(f.Value))
	case domain.ValuePath:
		b.WriteString(f.Attr.Path() + "[")
		render(b, f.Inner)
		b.WriteString("]")
	}
}

func operand(b *strings.Builder, f domain.Filter, grouped bool) {
	if !grouped {
		render(b, f)
		return
	}
	b.WriteByte('(')
	render(b, f)
	b.WriteByte(')')
}

func isOr(f domain.Filter) bool {
	_, ok := f.(domain.Or)
	return ok
}

func isAnd(f domain.Filter) bool {
	_, ok := f.(domain.And)
	return ok
}

func literalText(value any) string {
	switch v := value.(type) {
	case string:
		return quote(v)
	case bool:
		return strconv.FormatBool(v)
	case *big.Rat:
		return decimal(v)
	case time.Time:
		return quote(v.Format(time.RFC3339Nano))
	default:
		return "null"
	}
}

// decimal writes a number exactly: a literal is a decimal number, so its denominator divides a power of ten.
func decimal(number *big.Rat) string {
	if digits, exact := number.FloatPrec(); exact {
		return number.FloatString(digits)
	}
	return number.RatString()
}

func quote(text string) string {
	literal, err := json.Marshal(text)
	if err != nil {
		return `""`
	}
	return string(literal)
}
