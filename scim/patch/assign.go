package patch

import (
	"maps"
	"slices"
	"strings"

	"muster/scim/filter"
	"muster/scim/schema"
	"muster/scim/scimerr"
)

// expand takes a value without a path apart: its keys are paths, dotted, behind a URN or with a filter (S27, E17).
// The prefix is a URN with a colon, or empty.
// Attributes no schema declares are dropped and noted (K2), and so are id, schemas and meta (O22, C1).
func (p *parser) expand(s step, prefix string, object map[string]any) error {
	if err := schema.DistinctKeys("value", object); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if p.common(prefix, key, object[key]) {
			continue
		}
		path, err := p.path(prefix + key)
		switch {
		case err != nil && strings.Contains(key, "["):
			return err
		case err != nil || path.Whole() && prefix != "":
			err = p.values.Note(prefix+key, object[key])
		case path.Whole():
			err = p.whole(s, path, key, object[key])
		default:
			err = p.assign(s, path, object[key])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// common reports whether a key is one of the common attributes that a client repeats without meaning to change them.
func (p *parser) common(prefix, key string, value any) bool {
	if prefix != "" && !schema.EqualNames(prefix, p.resource.Core.URN+":") {
		return false
	}
	if schema.EqualNames(key, "id") {
		p.request.ID, _ = value.(string)
		return true
	}
	return schema.EqualNames(key, "schemas") || schema.EqualNames(key, "meta")
}

// assign checks one change of one attribute and adds it to the request.
func (p *parser) assign(s step, path filter.Path, value any) error {
	if path.Attribute.Name == "schemas" {
		return nil
	}
	if path.Attribute.Mutability == schema.ReadOnly || path.Sub.Mutability == schema.ReadOnly {
		return scimerr.New(scimerr.Mutability, path.String(), "%s is read-only", path)
	}
	if path.Attribute.Delta {
		return p.memberOp(s, path, value)
	}
	op := Operation{Index: s.index, Op: s.op, Path: path, Creates: s.creates}
	if s.op == Remove {
		return p.assignRemove(op, value)
	}
	read, err := p.read(path, value)
	if err != nil || path.Attribute.Dropped {
		return err
	}
	whole := p.profile.Strict && s.op == Replace // K11
	if object, ok := value.(map[string]any); ok && path.Leaf().Type == schema.Complex && !path.Attribute.MultiValued && !whole {
		return p.mergeComplex(op, object, read)
	}
	if read == nil {
		return p.unassign(op)
	}
	op.Value = read
	return p.keep(op)
}

// mergeComplex changes the sub-attributes that an object names and no others (R104): those that it names as unassigned are cleared.
func (p *parser) mergeComplex(op Operation, object map[string]any, read any) error {
	for _, key := range slices.Sorted(maps.Keys(object)) {
		sub, ok := op.Path.Attribute.SubAttribute(key)
		if !ok || sub.Mutability == schema.ReadOnly || op.Op == Add || !unassigned(object[key]) {
			continue
		}
		cleared := op
		cleared.Path.Sub = sub
		if err := p.unassign(cleared); err != nil {
			return err
		}
	}
	if read == nil {
		return nil
	}
	op.Value = read
	return p.keep(op)
}

// unassigned reports whether a JSON value means that there is none (S11, E20).
func unassigned(value any) bool {
	list, isList := value.([]any)
	return value == nil || value == "" || isList && len(list) == 0
}

// assignRemove reads the list of values that Entra puts beside a path (K10); an empty list removes nothing.
func (p *parser) assignRemove(op Operation, value any) error {
	if err := removable(op.Path); err != nil || op.Path.Attribute.Dropped {
		return err
	}
	attribute := op.Path.Attribute
	if value == nil || !attribute.MultiValued || op.Path.Filter != nil || op.Path.HasSub() {
		return p.keep(op)
	}
	read, err := p.values.Attribute(attribute, op.Path.String(), value)
	if err != nil {
		return err
	}
	op.Value, op.Listed = read, value != ""
	return p.keep(op)
}

// removable refuses to leave a required attribute without a value (R105).
func removable(path filter.Path) error {
	if path.Filter == nil && path.Leaf().Required || path.HasSub() && path.Sub.Required {
		return scimerr.New(scimerr.Mutability, path.String(), "%s is required and cannot be removed", path)
	}
	return nil
}

// unassign makes a replace by nothing a removal (S11, E20); adding nothing changes nothing.
func (p *parser) unassign(op Operation) error {
	if op.Op == Add {
		return nil
	}
	if removable(op.Path) != nil {
		return scimerr.New(scimerr.InvalidValue, op.Path.String(), "%s is required and must not be empty", op.Path)
	}
	op.Op = Remove
	return p.keep(op)
}

// read normalises a value by what the path points at.
func (p *parser) read(path filter.Path, value any) (any, error) {
	label := path.String()
	switch {
	case path.HasSub():
		return p.values.Attribute(path.Sub, label, value)
	case path.Filter == nil:
		return p.values.Attribute(path.Attribute, label, value)
	default:
		if list, ok := value.([]any); ok && len(list) == 1 {
			value = list[0]
		}
		return p.values.Single(path.Attribute, label, value)
	}
}
