package scim

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	elimity "github.com/elimity-com/scim"
	"github.com/elimity-com/scim/optional"
	library "github.com/elimity-com/scim/schema"

	"muster/domain"
	"muster/scim/schema"
	"muster/scim/scimerr"
)

// resourceType is a resource type as we read and write it; the standard ones also in the library's terms.
type resourceType struct {
	schema.Resource

	library elimity.ResourceType
	// plain is true when whatever is stored is answered by default, so that stored text can be passed on as it is.
	plain bool
}

func userType() resourceType {
	return standardType(schema.User(), library.CoreUserSchema(), library.ExtensionEnterpriseUser())
}

func groupType() resourceType {
	return standardType(schema.Group(), library.CoreGroupSchema())
}

func standardType(resource schema.Resource, core library.Schema, extensions ...library.Schema) resourceType {
	t := resourceType{Resource: resource, plain: true, library: elimity.ResourceType{
		ID: optional.NewString(resource.Name), Name: resource.Name, Description: optional.NewString(resource.Description),
		Endpoint: resource.Endpoint, Schema: core,
	}}
	for i, extension := range extensions {
		t.library.SchemaExtensions = append(t.library.SchemaExtensions, elimity.SchemaExtension{
			Schema: extension, Required: resource.Extensions[i].Required,
		})
	}
	return t
}

// with returns the resource type with declared extensions.
func (t resourceType) with(extensions ...schema.Extension) resourceType {
	if len(extensions) > 0 {
		t.Resource, t.plain = t.With(extensions...), false
	}
	return t
}

// delta returns the attribute whose values are stored apart: a group's members.
func (t resourceType) delta() (schema.Attribute, bool) {
	for _, attribute := range t.Core.Attributes {
		if attribute.Delta {
			return attribute, true
		}
	}
	return schema.Attribute{}, false
}

// validate lets the library look at the standard part of a normalised document.
// It does not get the attributes that it would refuse wrongly: those that hold binary values.
func (t resourceType) validate(doc domain.Document) error {
	if t.library.Name == "" {
		return nil
	}
	view := maps.Clone(doc)
	for _, attribute := range t.Core.Attributes {
		if attribute.Delta || holdsBinary(attribute) {
			delete(view, attribute.Name)
		}
	}
	if _, err := t.library.Schema.Validate(view); err != nil {
		return scimerr.New(scimerr.Type(err.ScimType), "", "%s", err.Detail)
	}
	for _, extension := range t.library.SchemaExtensions {
		data, ok := doc[extension.Schema.ID].(map[string]any)
		if !ok {
			continue
		}
		if _, err := extension.Schema.Validate(data); err != nil {
			return scimerr.New(scimerr.Type(err.ScimType), extension.Schema.ID, "%s", err.Detail)
		}
	}
	return nil
}

func holdsBinary(a schema.Attribute) bool {
	return a.Type == schema.Binary || slices.ContainsFunc(a.Sub, holdsBinary)
}

// replacement is the meaning of a PUT: what is absent is cleared, but for active, which stays as it is (S20).
func (t resourceType) replacement(next domain.Document) domain.DocumentChange {
	return func(current domain.Document) (domain.Document, error) {
		doc := maps.Clone(next)
		if active, had := current["active"]; had && doc["active"] == nil && t.Name == domain.TypeUser {
			doc["active"] = active
		}
		if changed := t.Overwritten(current, doc); len(changed) > 0 {
			return nil, scimerr.New(scimerr.Mutability, changed[0], "%s cannot be changed once it is set", changed[0])
		}
		return doc, nil
	}
}

// resource is one resource about to be answered.
type resource struct {
	kind              resourceType
	id                string
	version           int64
	created, modified time.Time
	// doc is what was sent; it is nil while the stored text does.
	doc  domain.Document
	text string
	// groups are a User's.
	groups []domain.GroupRef
	// members are a group's; they are written one by one, because there may be many, and moreMembers reads on.
	members     []domain.GroupMember
	moreMembers func(ctx context.Context, after domain.MemberID) ([]domain.GroupMember, bool, error)
	// unchanged is true in the answer to a change that changed nothing.
	unchanged bool
}

// decode makes the document out of the stored text.
func (r *resource) decode() error {
	if r.doc != nil {
		return nil
	}
	decoder := json.NewDecoder(strings.NewReader(r.text))
	decoder.UseNumber()
	if err := decoder.Decode(&r.doc); err != nil {
		return domain.Wrap(domain.Internal, err, "a stored resource is not JSON")
	}
	if r.kind.Name == domain.TypeUser && r.doc["active"] == nil {
		r.doc["active"] = true // who says nothing is active
	}
	return nil
}

// passable reports whether the stored text is all that is answered of the document:
// it begins with "active", which a document may leave out, and has no extension that is not declared any more.
func (r *resource) passable() bool {
	if r.doc != nil || !r.kind.plain || !strings.HasPrefix(r.text, `{"active":`) {
		return false
	}
	urns := strings.Count(r.text, `"urn:`)
	return urns == 1 || urns == 3 && strings.Count(r.text, `"`+domain.EnterpriseURN+`"`) == 2
}

// computed is what the server knows about a resource besides its document.
type computed struct {
	Groups []member `json:"groups,omitempty"`
	ID     string   `json:"id"`
	Meta   meta     `json:"meta"`
}

// meta is what the server knows about every resource (RFC 7643 section 3.1).
type meta struct {
	ResourceType string `json:"resourceType"`
	Created      string `json:"created"`
	LastModified string `json:"lastModified"`
	Version      string `json:"version"`
	Location     string `json:"location"`
}

func (s *Server) computed(r resource) computed {
	c := computed{ID: r.id, Meta: meta{
		ResourceType: r.kind.Name, Version: etag(r.version), Location: s.location(r.kind, r.id),
		Created: r.created.UTC().Format(time.RFC3339Nano), LastModified: r.modified.UTC().Format(time.RFC3339Nano),
	}}
	for _, group := range r.groups {
		c.Groups = append(c.Groups, member{
			Value: string(group.ID), Ref: s.root + "/Groups/" + string(group.ID), Type: "direct", Display: group.Name,
		})
	}
	return c
}

// full is the document with what is computed, for a projection to choose from.
func (s *Server) full(r resource) domain.Document {
	c := s.computed(r)
	doc := r.doc
	doc["id"] = c.ID
	doc["meta"] = map[string]any{
		"resourceType": c.Meta.ResourceType, "created": c.Meta.Created, "lastModified": c.Meta.LastModified,
		"version": c.Meta.Version, "location": c.Meta.Location,
	}
	groups := make([]any, len(c.Groups))
	for i, g := range c.Groups {
		groups[i] = map[string]any{"value": g.Value, "$ref": g.Ref, "type": g.Type, "display": g.Display}
	}
	if len(groups) > 0 {
		doc["groups"] = groups
	}
	return doc
}

func (s *Server) location(t resourceType, id string) string { return s.root + t.Endpoint + "/" + id }

// copied is maps.Clone that makes a map of nothing.
func copied(doc map[string]any) map[string]any {
	if doc == nil {
		return map[string]any{}
	}
	return maps.Clone(doc)
}
