package patch

import (
	"muster/domain"
	"muster/scim/filter"
	"muster/scim/scimerr"
)

// TakeMembers takes the members out of a normalised group document, for POST and PUT.
// The document without them is a new one; given is false when the body had no members.
func TakeMembers(doc domain.Document) (rest domain.Document, members []Member, given bool) {
	rest = make(domain.Document, len(doc))
	for key, value := range doc {
		if key != "members" {
			rest[key] = value
		}
	}
	list, given := doc["members"].([]any)
	return rest, membersOf(list), given
}

// MemberIDs returns whom the members name, in their order.
func MemberIDs(members []Member) []domain.MemberID {
	var ids []domain.MemberID
	for _, member := range members {
		ids = append(ids, domain.MemberID(member.Value))
	}
	return ids
}

func membersOf(list []any) []Member {
	if len(list) == 0 {
		return nil
	}
	members := make([]Member, 0, len(list))
	for _, element := range list {
		object, _ := element.(map[string]any)
		var member Member
		member.Value, _ = object["value"].(string)
		member.Display, _ = object["display"].(string)
		member.Type, _ = object["type"].(string)
		members = append(members, member)
	}
	return members
}

// memberOp adds an operation on members to the request (S29-S31).
func (p *parser) memberOp(s step, path filter.Path, value any) error {
	if path.HasSub() {
		return scimerr.New(scimerr.Mutability, path.String(), "%s cannot be changed; remove the member and add another", path)
	}
	members, err := p.membersIn(s, path, value)
	if err != nil {
		return err
	}
	if path.Filter != nil {
		return p.membersWhere(s, path, members)
	}
	switch s.op {
	case Add:
		p.join(domain.MembersAdd, members)
	case Remove:
		if value == nil {
			p.members = nil
			p.request.Members = append(p.request.Members, MemberOp{Kind: domain.MembersReplace})
			return nil
		}
		p.join(domain.MembersRemove, members)
	case Replace:
		p.members = nil
		p.request.Members = append(p.request.Members, MemberOp{Kind: domain.MembersReplace, Values: members})
	}
	return nil
}

// membersIn reads a list of members: objects, or bare ids as Entra may send them (K10).
func (p *parser) membersIn(s step, path filter.Path, value any) ([]Member, error) {
	if path.Filter != nil && s.op != Replace {
		return nil, nil
	}
	if value == "" && s.op == Replace {
		return nil, scimerr.New(scimerr.InvalidValue, path.String(), "members must be an array")
	}
	read, err := p.values.Attribute(path.Attribute, path.String(), value)
	if err != nil {
		return nil, err
	}
	list, _ := read.([]any)
	members := membersOf(list)
	for _, member := range members {
		if member.Value == "" {
			return nil, scimerr.New(scimerr.InvalidValue, "members.value", "every member must have a value, the id of a user")
		}
	}
	return members, nil
}

// membersWhere handles "members[filter]": ids named by eq are known without reading, anything else is left to the store.
func (p *parser) membersWhere(s step, path filter.Path, members []Member) error {
	named, onlyIDs := idsIn(path.Filter, nil)
	if s.op == Add {
		if !onlyIDs {
			return scimerr.New(scimerr.NoTarget, path.String(), "members can be added by their value only")
		}
		p.join(domain.MembersAdd, named)
		return nil
	}
	if onlyIDs {
		p.join(domain.MembersRemove, named)
	} else {
		p.members = nil
		p.request.Members = append(p.request.Members, MemberOp{Kind: domain.MembersRemoveWhere, Filter: path.Filter})
	}
	if s.op == Replace {
		p.join(domain.MembersAdd, members)
	}
	return nil
}

// join adds members to the last operation when it is of the same kind, each once; no members are no operation.
// Thousands of operations with one member each, as some clients send (C1), so become one for the store.
func (p *parser) join(kind domain.MembersOp, members []Member) {
	if len(members) == 0 {
		return
	}
	last := len(p.request.Members) - 1
	if p.members == nil || last < 0 || p.request.Members[last].Kind != kind {
		p.members = make(map[string]bool, len(members))
		p.request.Members = append(p.request.Members, MemberOp{Kind: kind})
		last++
	}
	op := &p.request.Members[last]
	for _, member := range members {
		if !p.members[member.Value] {
			p.members[member.Value] = true
			op.Values = append(op.Values, member)
		}
	}
}

// idsIn returns the ids that a filter of "value eq" and "or" names; ok is false for any other filter.
func idsIn(f domain.Filter, ids []Member) (found []Member, ok bool) {
	switch f := f.(type) {
	case domain.Compare:
		id, isText := f.Value.(string)
		if f.Attr.Name != "value" || f.Op != domain.OpEqual || !isText {
			return nil, false
		}
		return append(ids, Member{Value: id}), true
	case domain.Or:
		if ids, ok = idsIn(f.Left, ids); !ok {
			return nil, false
		}
		return idsIn(f.Right, ids)
	default:
		return nil, false
	}
}
