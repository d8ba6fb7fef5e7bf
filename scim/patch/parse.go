package patch

import (
	"strings"

	"muster/domain"
	"muster/scim/filter"
	"muster/scim/schema"
	"muster/scim/scimerr"
)

// Parse reads a decoded PATCH body (schema.Decode) for a resource type.
//
// It returns invalidSyntax for a body that is no PATCH, invalidPath and invalidFilter for paths,
// noTarget for a remove without a path, mutability for read-only attributes and for the removal of required ones,
// invalidValue for values of the wrong type, each with the operation's index and the attribute (S33),
// and TooLarge for more than MaxOperations.
func Parse(body map[string]any, resource schema.Resource, profile schema.Profile) (Request, error) {
	operations, err := envelope(body, profile)
	if err != nil {
		return Request{}, err
	}
	p := parser{
		resource: resource, profile: profile, values: schema.Values{Profile: profile},
		request: Request{resource: resource, strict: profile.Strict},
	}
	for i, raw := range operations {
		if err := p.operation(i, raw); err != nil {
			return Request{}, scimerr.At(err, place(i))
		}
	}
	p.request.Unknown = p.values.Unknown
	return p.request, nil
}

// envelope checks the message around the operations (S25, R100).
func envelope(body map[string]any, profile schema.Profile) ([]any, error) {
	fields, err := fieldsOf(body, "schemas", "operations")
	if err != nil {
		return nil, err
	}
	if !isPatch(fields["schemas"]) && (fields["schemas"] != nil || !profile.Lenient) {
		return nil, syntaxError("schemas", "schemas must hold %s", URN)
	}
	operations, ok := fields["operations"].([]any)
	if !ok || len(operations) == 0 {
		return nil, syntaxError("Operations", "Operations must be an array of at least one operation")
	}
	if len(operations) > MaxOperations {
		return nil, tooMany()
	}
	return operations, nil
}

func isPatch(schemas any) bool {
	list, _ := schemas.([]any)
	for _, element := range list {
		if urn, ok := element.(string); ok && schema.EqualNames(urn, URN) {
			return true
		}
	}
	return false
}

// parser gathers a request; values notes what no schema declares.
type parser struct {
	resource schema.Resource
	profile  schema.Profile
	values   schema.Values
	request  Request
	// members are the ids in the last of request.Members, so that operations of a kind join without repeats.
	members map[string]bool
}

// step is what all parts of one operation have in common.
type step struct {
	index   int
	op      Op
	creates bool
}

func (p *parser) operation(index int, raw any) error {
	object, ok := raw.(map[string]any)
	if !ok {
		return syntaxError("Operations", "an operation must be an object")
	}
	fields, err := fieldsOf(object, "op", "path", "value")
	if err != nil {
		return err
	}
	s, err := p.step(index, fields["op"])
	if err != nil {
		return err
	}
	path, ok := fields["path"].(string)
	if !ok && fields["path"] != nil {
		return scimerr.New(scimerr.InvalidPath, "path", "path must be a string")
	}
	value, given := fields["value"]
	if !given && s.op != Remove {
		return scimerr.New(scimerr.InvalidValue, "value", "%s needs a value", s.op)
	}
	if path == "" {
		return p.withoutPath(s, value)
	}
	return p.withPath(s, path, value)
}

// step reads the operation's name in any case; a capital one is Entra's classic form (S28).
func (p *parser) step(index int, name any) (step, error) {
	text, _ := name.(string)
	op := Op(strings.ToLower(text))
	switch op {
	case Add, Remove, Replace:
	default:
		return step{}, syntaxError("op", "op must be add, remove or replace")
	}
	classic := string(op) != text && !p.profile.Strict
	return step{index: index, op: op, creates: op == Add || p.profile.Entra || classic}, nil
}

func (p *parser) withoutPath(s step, value any) error {
	if s.op == Remove {
		return scimerr.New(scimerr.NoTarget, "path", "remove needs a path")
	}
	if p.profile.Strict {
		return scimerr.New(scimerr.InvalidPath, "path", "%s needs a path", s.op)
	}
	object, ok := value.(map[string]any)
	if !ok {
		return scimerr.New(scimerr.InvalidValue, "value", "without a path the value must be an object of attributes")
	}
	return p.expand(s, "", object)
}

func (p *parser) withPath(s step, text string, value any) error {
	path, err := p.path(text)
	if err != nil {
		return err
	}
	if path.Whole() {
		return p.whole(s, path, text, value)
	}
	return p.assign(s, path, value)
}

// path reads a path; a strict client must qualify an extension's attribute by its URN.
func (p *parser) path(text string) (filter.Path, error) {
	path, err := filter.ParsePath(text, p.resource, filter.Options{BareWords: p.profile.Lenient})
	if err == nil && p.profile.Strict && path.URN != "" && !strings.Contains(text, ":") {
		return path, scimerr.New(scimerr.InvalidPath, "path", "%s must be written as %s", scimerr.Quote(text), path)
	}
	return path, err
}

// whole changes an extension as a whole, or the core attributes behind their URN (R108).
func (p *parser) whole(s step, path filter.Path, urn string, value any) error {
	if value == nil || s.op == Remove {
		return p.drop(s, path)
	}
	object, ok := value.(map[string]any)
	if !ok {
		return scimerr.New(scimerr.InvalidValue, urn, "%s must be an object", urn)
	}
	return p.expand(s, urn+":", object)
}

// drop removes an extension with all its attributes; adding nothing changes nothing.
func (p *parser) drop(s step, path filter.Path) error {
	if s.op == Add {
		return nil
	}
	extension, ok := p.resource.Extension(path.URN)
	if !ok {
		return scimerr.New(scimerr.InvalidPath, "path", "the core schema cannot be removed")
	}
	if extension.Required {
		return scimerr.New(scimerr.Mutability, path.URN, "%s is required and cannot be removed", path.URN)
	}
	return p.keep(Operation{Index: s.index, Op: Remove, Path: path})
}

func (p *parser) keep(op Operation) error {
	if len(p.request.Operations) >= MaxOperations {
		return tooMany()
	}
	p.request.Operations = append(p.request.Operations, op)
	return nil
}

// fieldsOf returns the wanted fields of a message by their lower-case names, whichever case they have there.
func fieldsOf(object map[string]any, names ...string) (map[string]any, error) {
	fields := make(map[string]any, len(names))
	for key, value := range object {
		for _, name := range names {
			if !schema.EqualNames(key, name) {
				continue
			}
			if _, twice := fields[name]; twice {
				return nil, syntaxError(name, "%s is there twice, in two spellings", name)
			}
			fields[name] = value
		}
	}
	return fields, nil
}

func syntaxError(field, format string, args ...any) error {
	return scimerr.New(scimerr.InvalidSyntax, field, format, args...)
}

func tooMany() error {
	return domain.Errorf(domain.TooLarge, "a PATCH may have at most %d operations", MaxOperations)
}
