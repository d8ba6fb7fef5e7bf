package schema

import (
	elimity "github.com/elimity-com/scim/schema"
)

// URNs of the schemas that every installation has.
const (
	UserURN       = elimity.UserSchema
	GroupURN      = elimity.GroupSchema
	EnterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
)

// User returns the resource type User with the Enterprise User extension (RFC 7643 sections 4.1 and 4.3).
func User() Resource {
	return Resource{
		Name: "User", Description: "User Account", Endpoint: "/Users",
		Common:     Common(),
		Core:       convert(elimity.CoreUserSchema()),
		Extensions: []Extension{{Schema: convert(elimity.ExtensionEnterpriseUser())}},
	}
}

// Group returns the resource type Group (RFC 7643 section 4.2).
func Group() Resource {
	return Resource{
		Name: "Group", Description: "Group", Endpoint: "/Groups",
		Common: Common(),
		Core:   convert(elimity.CoreGroupSchema()),
	}
}

// Common returns the attributes that every resource has (RFC 7643 section 3.1).
func Common() []Attribute {
	attributes := convertAll(elimity.CommonAttributes(), "", correctionsOf(""))
	for i := range attributes {
		attributes[i].Required = attributes[i].Name == "id"
	}
	return attributes
}

// correction puts right what elimity declares otherwise than we enforce it.
type correction func(*Attribute)

// correctionsOf returns a schema's corrections by attribute path.
func correctionsOf(urn string) map[string]correction {
	switch urn {
	case UserURN:
		return map[string]correction{
			"password":     func(a *Attribute) { a.Dropped = true },
			"groups.value": caseExact,
		}
	case GroupURN:
		return map[string]correction{
			// A name grants a role, so there is one of each (K12).
			"displayName":   func(a *Attribute) { a.Uniqueness = Server },
			"members":       func(a *Attribute) { a.Delta = true },
			"members.value": func(a *Attribute) { a.CaseExact, a.Required = true, true },
		}
	case EnterpriseURN:
		return map[string]correction{"manager.value": caseExact}
	default:
		return map[string]correction{"externalId": func(a *Attribute) { a.Uniqueness = Server }}
	}
}

// caseExact is for attributes that hold an id, which is case-exact itself (RFC 7643 section 3.1).
func caseExact(a *Attribute) { a.CaseExact = true }

func convert(s elimity.Schema) Schema {
	return Schema{
		URN: s.ID, Name: s.Name.Value(), Description: s.Description.Value(),
		Attributes: convertAll(s.Attributes, "", correctionsOf(s.ID)),
	}
}

func convertAll(attributes elimity.Attributes, parent string, corrections map[string]correction) []Attribute {
	var converted []Attribute
	for _, a := range attributes {
		path := parent + a.Name()
		attribute := Attribute{
			Name: a.Name(), Description: a.Description(), Type: Type(a.AttributeType()),
			MultiValued: a.MultiValued(), Required: a.Required(), CaseExact: a.CaseExact(),
			Mutability: Mutability(a.Mutability()), Returned: Returned(a.Returned()), Uniqueness: Uniqueness(a.Uniqueness()),
			Canonical: a.CanonicalValues(),
			Sub:       convertAll(a.SubAttributes(), path+".", corrections),
		}
		for _, reference := range a.ReferenceTypes() {
			attribute.References = append(attribute.References, string(reference))
		}
		if correct := corrections[path]; correct != nil {
			correct(&attribute)
		}
		converted = append(converted, attribute)
	}
	return converted
}
