package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"muster/scim/scimerr"
)

// maxDepth bounds the nesting of a body; no SCIM message needs more than five.
const maxDepth = 32

// Decode reads a request body: one JSON object in UTF-8, numbers kept as json.Number.
// It returns invalidSyntax for anything else, for a key sent twice in one object, and for nesting beyond 32.
// The size is the caller's to bound before.
func Decode(body []byte) (map[string]any, error) {
	if !utf8.Valid(body) {
		return nil, syntaxError("the body is not UTF-8")
	}
	keys, depth := survey(body)
	if depth > maxDepth {
		return nil, syntaxError("the body is nested deeper than 32 levels")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, syntaxError("the body is not JSON")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, syntaxError("something follows the JSON object")
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, syntaxError("the body is not a JSON object")
	}
	if countKeys(object) != keys {
		return nil, syntaxError("an object in the body has the same key twice")
	}
	return object, nil
}

func syntaxError(text string) error { return scimerr.New(scimerr.InvalidSyntax, "", "%s", text) }

// survey counts the keys a JSON text spells (its colons outside strings) and how deep it nests, without recursion.
// A map holds fewer keys than were spelled exactly when one was spelled twice.
func survey(body []byte) (keys, depth int) {
	level, inString := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == ':':
			keys++
		case c == '{', c == '[':
			level++
			depth = max(depth, level)
		case c == '}', c == ']':
			level--
		}
	}
	return keys, depth
}

// countKeys counts the keys of all objects in a value; its recursion is bounded by maxDepth.
func countKeys(value any) int {
	total := 0
	switch v := value.(type) {
	case map[string]any:
		total = len(v)
		for _, member := range v {
			total += countKeys(member)
		}
	case []any:
		for _, element := range v {
			total += countKeys(element)
		}
	}
	return total
}
