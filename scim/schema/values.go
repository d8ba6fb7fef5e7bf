package schema

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"muster/domain"
	"muster/scim/scimerr"
)

// MaxElements bounds the values of one multi-valued attribute that is kept in the document.
const MaxElements = 1000

// Values reads JSON values by their attributes' definitions and notes what no schema declares.
type Values struct {
	// Profile says how strictly.
	Profile Profile
	// Unknown are the paths that were dropped, each once, at most 100.
	Unknown []Unknown
}

// Unknown is an attribute that a client sent and no schema declares.
type Unknown struct {
	Path string
	// Example is the value as JSON, shortened; it is empty for a URN.
	Example string
}

// Attribute returns the value as the document keeps it: names as the schema spells them, types checked,
// lists free of repeats (S12).
// The result is nil when the value is unassigned: null, [], "" and an object without any value are all the same (S11, E20).
// A single value for a multi-valued attribute counts as a list of one.
// The label names the attribute in errors, which are invalidValue, and invalidSyntax for a key in two spellings.
func (v *Values) Attribute(a Attribute, label string, value any) (any, error) {
	if !a.MultiValued {
		return v.Single(a, label, value)
	}
	list, ok := value.([]any)
	switch {
	case value == nil || value == "":
		return nil, nil // unassigned
	case !ok && v.Profile.Strict:
		return nil, invalid(label, "%s has several values, so it must be an array", label)
	case !ok:
		list = []any{value}
	}
	elements := make([]any, 0, len(list))
	for _, item := range list {
		element, err := v.Single(a, label, item)
		if err != nil {
			return nil, err
		}
		if a.Delta && !hasValue(element) {
			return nil, invalid(label+".value", "every value of %s must have a value, the id of a resource", label)
		}
		if element != nil {
			elements = append(elements, element)
		}
	}
	return v.list(a, label, elements)
}

// hasValue reports whether an element says what it stands for; a member that does not cannot be told from a mistake (S16).
func hasValue(element any) bool {
	object, _ := element.(map[string]any)
	value, _ := object["value"].(string)
	return value != ""
}

// list drops repeats and checks what holds for the elements together.
func (v *Values) list(a Attribute, label string, elements []any) (any, error) {
	elements = Distinct(a, elements)
	if !a.Delta && len(elements) > MaxElements {
		return nil, invalid(label, "%s has more than %d values", label, MaxElements)
	}
	primaries := 0
	for _, element := range elements {
		if IsPrimary(element) {
			primaries++
		}
	}
	if primaries > 1 {
		return nil, invalid(label, "%s has more than one primary value", label)
	}
	if len(elements) == 0 {
		return nil, nil // unassigned
	}
	return elements, nil
}

// Single is Attribute for one value of a multi-valued attribute, or for the value of a single-valued one.
func (v *Values) Single(a Attribute, label string, value any) (any, error) {
	if value == nil || value == "" {
		return nil, nil // unassigned
	}
	if a.Type == Complex {
		return v.complexValue(a, label, value)
	}
	if value, ok := simple(a.Type, value); ok {
		return value, nil
	}
	return nil, invalid(label, "%s must be %s", label, describe(a.Type))
}

func (v *Values) complexValue(a Attribute, label string, value any) (any, error) {
	object, err := asObject(a, label, value)
	if err != nil {
		return nil, err
	}
	if err := DistinctKeys(label, object); err != nil {
		return nil, err
	}
	kept := make(map[string]any, len(object))
	for key, item := range object {
		sub, ok := a.SubAttribute(key)
		if !ok {
			if err := v.Note(label+"."+key, item); err != nil {
				return nil, err
			}
			continue
		}
		if sub.Mutability == ReadOnly {
			continue
		}
		read, err := v.Attribute(sub, label+"."+sub.Name, item)
		if err != nil {
			return nil, err
		}
		if read != nil {
			kept[sub.Name] = read
		}
	}
	if len(kept) == 0 {
		return nil, nil // unassigned
	}
	return kept, nil
}

// asObject takes the forms in which clients send a complex value: an object;
// a bare string for "value", for a manager or a member (K9, E19); and a list of one for a single-valued attribute (E19).
func asObject(a Attribute, label string, value any) (map[string]any, error) {
	if list, ok := value.([]any); ok && !a.MultiValued && len(list) == 1 {
		value = list[0]
	}
	switch v := value.(type) {
	case map[string]any:
		return v, nil
	case string:
		if (!a.MultiValued || a.Delta) && a.HasValue() {
			return map[string]any{"value": v}, nil
		}
	case []any:
		if !a.MultiValued && len(v) == 0 {
			return nil, nil
		}
	}
	return nil, invalid(label, "%s must be an object with sub-attributes", label)
}

// Note records a path that no schema declares; a strict profile refuses it instead (K2).
func (v *Values) Note(path string, value any) error {
	if v.Profile.Strict {
		return scimerr.New(scimerr.InvalidSyntax, "", "no schema of this resource type declares %s", scimerr.Quote(path))
	}
	const most, longest = 100, 128
	path = shortened(path, longest)
	if len(v.Unknown) >= most || slices.ContainsFunc(v.Unknown, func(u Unknown) bool { return u.Path == path }) {
		return nil
	}
	v.Unknown = append(v.Unknown, Unknown{path, example(path, value)})
	return nil
}

// example shows what a value looks like; of what may be a secret only that it was there (S91).
func example(path string, value any) string {
	if value == nil {
		return ""
	}
	name := strings.ToLower(path)
	for _, word := range []string{"password", "secret", "token", "credential", "key"} {
		if strings.Contains(name, word) {
			return "(not shown)"
		}
	}
	const longest = 80
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return shortened(string(text), longest)
}

func shortened(text string, longest int) string {
	if len(text) <= longest {
		return text
	}
	return strings.ToValidUTF8(text[:longest], "") + "..."
}

// simple checks a value's type; booleans are also taken as strings (S13).
func simple(t Type, value any) (any, bool) {
	switch t {
	case Boolean:
		return boolean(value)
	case Integer, Decimal:
		number, ok := value.(json.Number)
		if !ok || t == Integer && strings.ContainsAny(number.String(), ".eE") {
			return nil, false
		}
		_, ok = domain.Number(number)
		return number, ok
	case String, DateTime, Binary, Reference, Complex:
		text, ok := value.(string)
		return text, ok && validText(t, text)
	default:
		return nil, false
	}
}

// validText refuses the NUL character everywhere, because PostgreSQL cannot keep it.
func validText(t Type, text string) bool {
	if strings.IndexByte(text, 0) >= 0 {
		return false
	}
	var err error
	switch t { //nolint:exhaustive // the rest is any text
	case DateTime:
		_, err = domain.ParseDateTime(text)
	case Reference:
		_, err = url.Parse(text)
	case Binary:
		err = checkBase64(text)
	}
	return err == nil
}

// checkBase64 takes base64 and base64url, padded or not (RFC 7643 section 2.3.6).
func checkBase64(text string) error {
	text = strings.TrimRight(text, "=")
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(text, "-_") {
		encoding = base64.RawURLEncoding
	}
	_, err := encoding.DecodeString(text)
	return err
}

func boolean(value any) (any, bool) {
	switch value {
	case true, "True", "true":
		return true, true
	case false, "False", "false":
		return false, true
	default:
		return nil, false
	}
}

func describe(t Type) string {
	switch t {
	case Boolean:
		return "true or false"
	case Integer:
		return "a whole number"
	case Decimal:
		return "a number"
	case DateTime:
		return "a date and time such as 2026-01-31T09:30:00Z"
	case Binary:
		return "base64 text"
	case Reference:
		return "a URI"
	case Complex:
		return "an object"
	case String:
		return "a string without NUL characters"
	default:
		return "a value"
	}
}

// IsPrimary reports whether an element says that it is the primary one.
func IsPrimary(element any) bool {
	object, _ := element.(map[string]any)
	primary, _ := object["primary"].(bool)
	return primary
}

// Key returns what makes an element of a multi-valued attribute the same as another: its value and type (S12),
// a member's value alone, a simple value itself, and for an element without a value everything it has.
func Key(a Attribute, element any) string {
	if text, ok := element.(string); ok {
		return foldUnless(a.CaseExact, text)
	}
	object, _ := element.(map[string]any)
	value, _ := object["value"].(string)
	if value == "" {
		return printed(element)
	}
	sub, _ := a.SubAttribute("value")
	key := foldUnless(sub.CaseExact, value)
	if kind, _ := object["type"].(string); kind != "" && !a.Delta {
		key += "\x00" + domain.Fold(kind)
	}
	return key
}

func foldUnless(exact bool, text string) string {
	if exact {
		return text
	}
	return domain.Fold(text)
}

// Distinct keeps the first of equal elements; it becomes primary when a later one was.
// It uses the list that it is given.
func Distinct(a Attribute, elements []any) []any {
	seen := make(map[string]int, len(elements))
	kept := elements[:0]
	for _, element := range elements {
		key := Key(a, element)
		first, repeated := seen[key]
		switch {
		case !repeated:
			seen[key] = len(kept)
			kept = append(kept, element)
		case IsPrimary(element):
			if object, ok := kept[first].(map[string]any); ok {
				object["primary"] = true
			}
		}
	}
	return kept
}

// printed is a key for an element without a value: its JSON text, whose keys are sorted.
// It begins as no other key does.
func printed(element any) string {
	text, err := json.Marshal(element)
	if err != nil {
		return ""
	}
	return "\x00" + string(text)
}

// DistinctKeys refuses an object that spells one key in two cases with invalidSyntax (S10).
func DistinctKeys(label string, object map[string]any) error {
	seen := make(map[string]bool, len(object))
	for key := range object {
		name := lowerName(key)
		if seen[name] {
			return scimerr.New(scimerr.InvalidSyntax, label, "%s is there twice, in two spellings", scimerr.Quote(key))
		}
		seen[name] = true
	}
	return nil
}

func invalid(label, format string, args ...any) error {
	return scimerr.New(scimerr.InvalidValue, label, format, args...)
}
