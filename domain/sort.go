package domain

import (
	"cmp"
	"math/big"
	"strings"
	"time"
)

// SortKey is the value by which a resource is sorted; the zero value is the key of a resource in an order by id alone.
type SortKey struct {
	// Absent resources come last in ascending order (RFC 7644 section 3.4.2.3).
	Absent bool
	// Text is the value as text that sorts by bytes: folded unless case-exact, dates as microseconds.
	Text string
	// Number is set for numbers only.
	Number *big.Rat
}

func (k SortKey) compare(o SortKey) int {
	switch {
	case k.Absent != o.Absent:
		return cmp.Compare(truth(k.Absent), truth(o.Absent))
	case k.Number != nil && o.Number != nil:
		return k.Number.Cmp(o.Number)
	default:
		return strings.Compare(k.Text, o.Text)
	}
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// KeyOf returns the sort key of a document: of a multi-valued attribute the primary value, or else the first (S43).
func (s Sort) KeyOf(doc Document) SortKey {
	attr := s.Attr
	value := attr.sorting(doc)
	switch attr.Type {
	case TypeNumber:
		if number, ok := Number(value); ok {
			return SortKey{Number: number}
		}
	case TypeBoolean:
		if b, ok := value.(bool); ok {
			return SortKey{Text: string('0' + byte(truth(b)))} //nolint:gosec // a digit
		}
	case TypeDateTime:
		if t, err := ParseDateTime(text(value)); err == nil {
			return SortKey{Text: TimeKey(t)}
		}
	case TypeString:
		if v := text(value); v != "" && attr.CaseExact {
			return SortKey{Text: v}
		} else if v != "" {
			return SortKey{Text: Fold(v)}
		}
	case TypeComplex:
	}
	return SortKey{Absent: true}
}

// TimeKey is an instant as text that sorts by time; it has microseconds, as the store has.
func TimeKey(t time.Time) string {
	micros := t.UnixMicro()
	if micros < 0 {
		// Before 1970 the digits are complemented, so that earlier stays less.
		return "-" + padded(micros+1<<62)
	}
	return padded(micros)
}

func padded(n int64) string {
	var digits [19]byte
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = byte('0' + n%10)
		n /= 10
	}
	return string(digits[:])
}

// sorting returns the one value that a resource is sorted by.
func (a Attr) sorting(doc Document) any {
	if a.Unknown {
		return nil
	}
	if a.URN != "" {
		doc, _ = doc[a.URN].(map[string]any)
	}
	values := elements(doc[a.Name])
	if len(values) == 0 {
		return nil
	}
	chosen := values[0]
	for _, value := range values {
		if object, ok := value.(map[string]any); ok && object["primary"] == true {
			chosen = value
			break
		}
	}
	if a.Sub == "" {
		return chosen
	}
	object, _ := chosen.(map[string]any)
	if subs := elements(object[a.Sub]); len(subs) > 0 {
		return subs[0]
	}
	return nil
}
