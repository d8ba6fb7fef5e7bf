// Package scimerr says which of RFC 7644's error keywords a domain.Error carries.
//
// The keyword rides as the error's cause, so an error keeps its kind, field and text for every other front end,
// and only the SCIM one looks for the keyword.
package scimerr

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"muster/domain"
)

// Type is a scimType keyword (RFC 7644 Table 9, RFC 9865 section 2.2).
type Type string

// The keywords that this server answers.
const (
	InvalidFilter Type = "invalidFilter"
	TooMany       Type = "tooMany"
	Uniqueness    Type = "uniqueness"
	Mutability    Type = "mutability"
	InvalidSyntax Type = "invalidSyntax"
	InvalidPath   Type = "invalidPath"
	NoTarget      Type = "noTarget"
	InvalidValue  Type = "invalidValue"
	InvalidVers   Type = "invalidVers"
	Sensitive     Type = "sensitive"
	InvalidCursor Type = "invalidCursor"
	ExpiredCursor Type = "expiredCursor"
	InvalidCount  Type = "invalidCount"
)

// Error makes the keyword an error, so that it can be another error's cause.
func (t Type) Error() string { return string(t) }

// New makes an Invalid error with a keyword; field names the attribute or parameter at fault, and may be empty.
func New(scimType Type, field, format string, args ...any) error {
	e := domain.Wrap(domain.Invalid, scimType, format, args...)
	e.Field = field
	return e
}

// TypeOf returns the keyword an error carries; empty when it carries none.
func TypeOf(err error) Type {
	scimType, _ := errors.AsType[Type](err)
	return scimType
}

// Is reports whether the error carries the keyword.
func Is(err error, scimType Type) bool { return TypeOf(err) == scimType }

// At puts the place of the fault in front of an error's text, as in "Operations[2]: ...".
func At(err error, place string) error {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*domain.Error](err)
	if !ok {
		return fmt.Errorf("%s: %w", place, err)
	}
	placed := *e
	placed.Text = place + ": " + e.Text
	return &placed
}

// maxQuoted bounds what of a client's text an error repeats.
const maxQuoted = 80

// Quote returns a client's text for an error message: quoted, and cut when it is long.
func Quote(text string) string {
	if len(text) <= maxQuoted {
		return fmt.Sprintf("%q", text)
	}
	end := maxQuoted
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return fmt.Sprintf("%q...", text[:end])
}
