package scim

import (
	"github.com/elimity-com/scim/optional"
	library "github.com/elimity-com/scim/schema"
)

// configSchema defines ServiceProviderConfig (RFC 7643 section 5, RFC 9865 section 4), which the library does not.
func configSchema() library.Schema {
	return library.Schema{
		ID: configURN, Name: optional.NewString("Service Provider Configuration"),
		Description: optional.NewString("What the service provider can do."),
		Attributes: library.Attributes{
			library.SimpleCoreAttribute(library.SimpleReferenceParams(library.ReferenceParams{
				Name: "documentationUri", Description: optional.NewString("Where people read about this service provider."),
				Mutability: library.AttributeMutabilityReadOnly(), ReferenceTypes: []library.AttributeReferenceType{"external"},
			})),
			feature("patch", "PATCH", supported()),
			feature("bulk", "Bulk operations", supported(), count("maxOperations"), count("maxPayloadSize")),
			feature("filter", "Filters", supported(), count("maxResults")),
			feature("changePassword", "Changing a password", supported()),
			feature("sort", "Sorting", supported()),
			feature("etag", "Entity tags", supported()),
			pagination(),
			authenticationSchemes(),
		},
	}
}

func feature(name, what string, subs ...library.SimpleParams) library.CoreAttribute {
	return library.ComplexCoreAttribute(library.ComplexParams{
		Name: name, Description: optional.NewString(what + "."), Required: true,
		Mutability: library.AttributeMutabilityReadOnly(), SubAttributes: subs,
	})
}

func pagination() library.CoreAttribute {
	return library.ComplexCoreAttribute(library.ComplexParams{
		Name: "pagination", Description: optional.NewString("How lists are paged."),
		Mutability: library.AttributeMutabilityReadOnly(),
		SubAttributes: []library.SimpleParams{
			truth("cursor", "Whether lists are paged by cursor.", true), truth("index", "Whether lists are paged by index.", true),
			word("defaultPaginationMethod", "The method used when a client names none.", false),
			count("defaultPageSize"), count("maxPageSize"), count("cursorTimeout"),
		},
	})
}

func authenticationSchemes() library.CoreAttribute {
	return library.ComplexCoreAttribute(library.ComplexParams{
		Name: "authenticationSchemes", Description: optional.NewString("How clients authenticate."),
		MultiValued: true, Required: true, Mutability: library.AttributeMutabilityReadOnly(),
		SubAttributes: []library.SimpleParams{
			word("type", "The kind of the scheme.", true), word("name", "The scheme's common name.", true),
			word("description", "The scheme in a sentence.", true), link("specUri", "The scheme's specification."),
			link("documentationUri", "How the scheme is used here."),
			truth("primary", "Whether this is the preferred scheme.", false),
		},
	})
}

func supported() library.SimpleParams {
	return truth("supported", "Whether the service provider has it.", true)
}

func truth(name, description string, required bool) library.SimpleParams {
	return library.SimpleBooleanParams(library.BooleanParams{
		Name: name, Description: optional.NewString(description), Required: required, Mutability: library.AttributeMutabilityReadOnly(),
	})
}

func count(name string) library.SimpleParams {
	return library.SimpleNumberParams(library.NumberParams{
		Name: name, Description: optional.NewString("A limit."), Type: library.AttributeTypeInteger(),
		Mutability: library.AttributeMutabilityReadOnly(),
	})
}

func word(name, description string, required bool) library.SimpleParams {
	return library.SimpleStringParams(library.StringParams{
		Name: name, Description: optional.NewString(description), Required: required, Mutability: library.AttributeMutabilityReadOnly(),
	})
}

func link(name, description string) library.SimpleParams {
	return library.SimpleReferenceParams(library.ReferenceParams{
		Name: name, Description: optional.NewString(description), Mutability: library.AttributeMutabilityReadOnly(),
		ReferenceTypes: []library.AttributeReferenceType{"external"},
	})
}

// tidy removes the empty strings of the library's rendering, on which strict clients stumble (S1).
func tidy(doc map[string]any) map[string]any {
	for key, value := range doc {
		switch v := value.(type) {
		case string:
			if v == "" {
				delete(doc, key)
			}
		case []map[string]any:
			for _, element := range v {
				tidy(element)
			}
		}
	}
	return doc
}
