package filter

import (
	"encoding/json"

	"muster/scim/scimerr"
)

// spaces steps over spaces and tabs and reports whether there were any.
func (p *parser) spaces() bool {
	start := p.at
	for p.at < len(p.text) && (p.text[p.at] == ' ' || p.text[p.at] == '\t') {
		p.at++
	}
	return p.at > start
}

// next steps over one character when it is the wanted one.
func (p *parser) next(wanted byte) bool {
	if p.at < len(p.text) && p.text[p.at] == wanted {
		p.at++
		return true
	}
	return false
}

// word reads up to a space, a bracket or a quotation mark: a name, a URN, an operator, a number or a keyword.
func (p *parser) word() string {
	start := p.at
	for p.at < len(p.text) {
		switch c := p.text[p.at]; c {
		case '(', ')', '[', ']', '"':
			return p.text[start:p.at]
		default:
			if c <= ' ' {
				return p.text[start:p.at]
			}
		}
		p.at++
	}
	return p.text[start:]
}

// quoted reads a JSON string, whose opening quotation mark is behind.
func (p *parser) quoted() (string, error) {
	start, escaped := p.at, false
	for ; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == '"':
			text := p.text[start:p.at]
			p.at++
			if !escaped {
				return text, nil
			}
			return unescape(p.text[start-1 : p.at])
		case c == '\\':
			escaped = true
			p.at++
		case c < ' ':
			return "", invalid("a control character in a string must be escaped")
		}
	}
	return "", invalid("a string does not end")
}

// unescape decodes a JSON string with its quotation marks (R71).
func unescape(literal string) (string, error) {
	var text string
	if err := json.Unmarshal([]byte(literal), &text); err != nil {
		return "", invalid("%s is not a JSON string", scimerr.Quote(literal))
	}
	for i := range len(text) {
		if text[i] == 0 {
			return "", invalid("a string may not hold a NUL character")
		}
	}
	return text, nil
}

// unexpected says where the filter stops making sense.
func (p *parser) unexpected() error {
	if p.at >= len(p.text) {
		return invalid("the filter ends too early")
	}
	return invalid("%s was not expected at position %d of the filter", scimerr.Quote(p.text[p.at:]), p.at+1)
}
