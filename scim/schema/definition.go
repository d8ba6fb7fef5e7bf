package schema

import "muster/domain"

// Declared returns a schema that an organization or the installation declared (S17).
func Declared(d domain.SchemaDefinition) Schema {
	return Schema{URN: d.ID, Name: d.Name, Description: d.Description, Attributes: declaredAttributes(d.Attributes)}
}

func declaredAttributes(definitions []domain.AttributeDefinition) []Attribute {
	attributes := make([]Attribute, 0, len(definitions))
	for _, d := range definitions {
		a := Attribute{
			Name: d.Name, Description: d.Description, Type: Type(d.Type), MultiValued: d.MultiValued, Required: d.Required,
			CaseExact: d.CaseExact, Mutability: Mutability(d.Mutability), Returned: Returned(d.Returned), Uniqueness: Uniqueness(d.Uniqueness),
			Canonical: d.CanonicalValues, References: d.ReferenceTypes, Sub: declaredAttributes(d.SubAttributes),
		}
		if a.Type == Binary || a.Type == Reference {
			a.CaseExact = true // RFC 7643 sections 2.3.6 and 2.3.7
		}
		if len(a.Sub) == 0 {
			a.Sub = nil
		}
		attributes = append(attributes, a)
	}
	return attributes
}
