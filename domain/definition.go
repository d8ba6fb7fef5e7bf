package domain

import (
	"context"
	"slices"
	"strings"
)

// Definitions are the schemas and resource types that an organization, or the installation, declared beside the standard ones (S17).
type Definitions struct {
	Schemas       []SchemaDefinition       `json:"schemas" yaml:"schemas"`
	ResourceTypes []ResourceTypeDefinition `json:"resourceTypes" yaml:"resourceTypes"`
	// Revision counts the changes; it is 0 when nothing was ever declared.
	Revision int64 `json:"-" yaml:"-"`
}

// SchemaDefinition is a schema as RFC 7643 section 7 writes it.
type SchemaDefinition struct {
	ID          string                `json:"id" yaml:"id" doc:"The schema's URN."`
	Name        string                `json:"name,omitempty" yaml:"name"`
	Description string                `json:"description,omitempty" yaml:"description"`
	Attributes  []AttributeDefinition `json:"attributes" yaml:"attributes"`
}

// AttributeDefinition is an attribute with its characteristics (RFC 7643 section 7); what is left out has the RFC's default (section 2.2).
type AttributeDefinition struct {
	Name            string                `json:"name" yaml:"name"`
	Type            string                `json:"type,omitempty" yaml:"type" doc:"string, boolean, decimal, integer, dateTime, binary, reference or complex; default string."`
	SubAttributes   []AttributeDefinition `json:"subAttributes,omitempty" yaml:"subAttributes"`
	MultiValued     bool                  `json:"multiValued,omitempty" yaml:"multiValued"`
	Description     string                `json:"description,omitempty" yaml:"description"`
	Required        bool                  `json:"required,omitempty" yaml:"required"`
	CanonicalValues []string              `json:"canonicalValues,omitempty" yaml:"canonicalValues"`
	CaseExact       bool                  `json:"caseExact,omitempty" yaml:"caseExact"`
	Mutability      string                `json:"mutability,omitempty" yaml:"mutability" doc:"readWrite, readOnly, immutable or writeOnly; default readWrite."`
	Returned        string                `json:"returned,omitempty" yaml:"returned" doc:"always, never, default or request; default default."`
	Uniqueness      string                `json:"uniqueness,omitempty" yaml:"uniqueness" doc:"none, server or global; default none. server and global both mean: in this organization."`
	ReferenceTypes  []string              `json:"referenceTypes,omitempty" yaml:"referenceTypes"`
}

// ResourceTypeDefinition is a resource type as RFC 7643 section 6 writes it.
// One called User or Group adds its extensions to the standard type of that name and says nothing else.
type ResourceTypeDefinition struct {
	Name             string                `json:"name" yaml:"name"`
	Description      string                `json:"description,omitempty" yaml:"description"`
	Endpoint         string                `json:"endpoint,omitempty" yaml:"endpoint" doc:"Where the resources are, as /Devices; left out for User and Group."`
	Schema           string                `json:"schema,omitempty" yaml:"schema" doc:"The URN of the type's own schema; left out for User and Group."`
	SchemaExtensions []ExtensionDefinition `json:"schemaExtensions,omitempty" yaml:"schemaExtensions"`
}

// ExtensionDefinition says that a schema extends a resource type.
type ExtensionDefinition struct {
	Schema   string `json:"schema" yaml:"schema"`
	Required bool   `json:"required,omitempty" yaml:"required"`
}

// Standard resource types.
const (
	TypeUser  = "User"
	TypeGroup = "Group"
)

// UniqueValue is a value of a declared attribute that only one resource of its type may have.
type UniqueValue struct{ Path, Key string }

// Empty reports whether nothing is declared.
func (d Definitions) Empty() bool { return len(d.Schemas) == 0 && len(d.ResourceTypes) == 0 }

// Schema returns the schema with that URN in any case.
func (d Definitions) Schema(urn string) (SchemaDefinition, bool) {
	at := slices.IndexFunc(d.Schemas, func(s SchemaDefinition) bool { return strings.EqualFold(s.ID, urn) })
	if at < 0 {
		return SchemaDefinition{}, false
	}
	return d.Schemas[at], true
}

// ResourceType returns the resource type of that name.
func (d Definitions) ResourceType(name string) (ResourceTypeDefinition, bool) {
	at := slices.IndexFunc(d.ResourceTypes, func(t ResourceTypeDefinition) bool { return t.Name == name })
	if at < 0 {
		return ResourceTypeDefinition{}, false
	}
	return d.ResourceTypes[at], true
}

// with returns both declarations; the receiver's come first, and a type that both extend has the extensions of both.
func (d Definitions) with(other Definitions) Definitions {
	both := Definitions{Schemas: slices.Concat(d.Schemas, other.Schemas), ResourceTypes: slices.Clone(d.ResourceTypes), Revision: other.Revision}
	for _, t := range other.ResourceTypes {
		at := slices.IndexFunc(both.ResourceTypes, func(have ResourceTypeDefinition) bool { return have.Name == t.Name })
		if at < 0 {
			both.ResourceTypes = append(both.ResourceTypes, t)
			continue
		}
		both.ResourceTypes[at].SchemaExtensions = slices.Concat(both.ResourceTypes[at].SchemaExtensions, t.SchemaExtensions)
	}
	return both
}

// uniqueValues returns what of a document no other resource of the type may have.
func (d Definitions) uniqueValues(resourceType string, doc Document) []UniqueValue {
	t, ok := d.ResourceType(resourceType)
	if !ok {
		return nil
	}
	var values []UniqueValue
	if own, ok := d.Schema(t.Schema); ok {
		values = own.uniqueValues("", doc)
	}
	for _, extension := range t.SchemaExtensions {
		if schema, ok := d.Schema(extension.Schema); ok {
			data, _ := doc[schema.ID].(map[string]any)
			values = append(values, schema.uniqueValues(schema.ID+":", data)...)
		}
	}
	return values
}

func (s SchemaDefinition) uniqueValues(prefix string, data map[string]any) []UniqueValue {
	var values []UniqueValue
	for _, a := range s.Attributes {
		if a.Uniqueness == "" || a.Uniqueness == "none" {
			continue
		}
		for _, value := range elements(data[a.Name]) {
			if key := a.uniqueKey(value); key != "" {
				values = append(values, UniqueValue{Path: prefix + a.Name, Key: key})
			}
		}
	}
	return values
}

// uniqueKey is what two values must not share: their text as the attribute compares it; of a complex value its "value".
func (a AttributeDefinition) uniqueKey(value any) string {
	if object, ok := value.(map[string]any); ok {
		value = object["value"]
	}
	switch v := value.(type) {
	case string:
		if a.CaseExact || a.Type == "reference" || a.Type == "binary" {
			return v
		}
		return Fold(v)
	case nil, bool:
		return ""
	default:
		if number, ok := Number(v); ok {
			return number.RatString()
		}
		return ""
	}
}

// definitionsOf returns what is declared for the scope's organization.
// What was read last is kept until the revision, which comes with every credential, says that it changed.
func (s *Service) definitionsOf(ctx context.Context, scope OrgScope) (Definitions, error) {
	if scope.definitions == 0 {
		return s.policy.Definitions, nil
	}
	if known, ok := s.definitions.Load(scope.org); ok {
		if kept, ok := known.(Definitions); ok && kept.Revision >= scope.definitions {
			return kept, nil
		}
	}
	var own Definitions
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		var err error
		own, err = org.Definitions().Get()
		return err
	})
	if err != nil {
		return Definitions{}, err
	}
	all := s.policy.Definitions.with(own)
	s.definitions.Store(scope.org, all)
	return all, nil
}

// Definitions returns all that is declared for a SCIM client or a member, the installation's declarations among it.
func (s *Service) Definitions(ctx context.Context, scope OrgScope) (Definitions, error) {
	if err := scope.requireSCIM(); err != nil && scope.member == "" {
		return Definitions{}, err
	}
	return s.definitionsOf(ctx, scope)
}

// SCIMDefinitions returns what the organization declared itself.
func (s *Service) SCIMDefinitions(ctx context.Context, scope OrgScope) (Definitions, error) {
	if err := scope.require(PermOrgRead); err != nil {
		return Definitions{}, err
	}
	var own Definitions
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		var err error
		own, err = org.Definitions().Get()
		return err
	})
	return own, err
}

// SetSCIMDefinitions replaces what the organization declares.
// It returns Invalid, naming the place, for a declaration that makes no sense, and Conflict for a resource type
// that is left out while there are resources of it.
func (s *Service) SetSCIMDefinitions(ctx context.Context, scope OrgScope, next Definitions) (Definitions, error) {
	if err := mayManageTokens(scope); err != nil {
		return Definitions{}, err
	}
	next.normalize()
	if err := s.policy.Definitions.with(next).Validate(); err != nil {
		return Definitions{}, err
	}
	defer s.presumed.forget()
	err := s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		before, err := org.Definitions().Get()
		if err != nil {
			return err
		}
		if err := stillUsed(org, before, next); err != nil {
			return err
		}
		next.Revision = before.Revision
		if err := org.Definitions().Put(next, tx.Now()); err != nil {
			return err
		}
		next.Revision++
		return record(tx, scope, "update_scim_definitions", Target{Kind: "scim_definitions", ID: string(scope.org)}, before.facts(), next.facts())
	})
	return next, err
}

// stillUsed refuses to forget a resource type of which there are resources.
func stillUsed(org OrgTx, before, next Definitions) error {
	for _, t := range before.ResourceTypes {
		if kept, ok := next.ResourceType(t.Name); ok && kept.Schema == t.Schema || t.Schema == "" {
			continue
		}
		result, err := org.Resources().Query(t.Name, Query{})
		if err != nil {
			return err
		}
		if result.Total > 0 {
			return Conflictf("resourceTypes", "there are %d resources of the type %s; delete them first", result.Total, t.Name)
		}
	}
	return nil
}

func (d Definitions) facts() map[string]any {
	schemas, types := []string{}, []string{}
	for _, schema := range d.Schemas {
		schemas = append(schemas, schema.ID)
	}
	for _, t := range d.ResourceTypes {
		types = append(types, t.Name)
	}
	return map[string]any{"schemas": schemas, "resourceTypes": types}
}
