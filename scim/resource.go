package scim

import (
	"maps"
	"net/http"
	"slices"
	"time"

	elimity "github.com/elimity-com/scim"
	"github.com/elimity-com/scim/optional"
	library "github.com/elimity-com/scim/schema"

	"muster/domain"
	"muster/scim/schema"
	"muster/scim/scimerr"
)

// resourceType is a resource type as we read and write it, and the same in the library's terms.
type resourceType struct {
	schema.Resource

	library elimity.ResourceType
}

func userType() resourceType {
	return newResourceType(schema.User(), library.CoreUserSchema(), library.ExtensionEnterpriseUser())
}

func groupType() resourceType {
	return newResourceType(schema.Group(), library.CoreGroupSchema())
}

func newResourceType(resource schema.Resource, core library.Schema, extensions ...library.Schema) resourceType {
	t := resourceType{Resource: resource, library: elimity.ResourceType{
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

// read turns the body of a POST or PUT into the document it means, and returns it with the id that the body names.
// Attributes that no schema declares are dropped and said in the log (S14).
func (s *server) read(r *http.Request, t resourceType, limit int64) (doc domain.Document, id string, err error) {
	body, err := decode(r, limit)
	if err != nil {
		return nil, "", err
	}
	doc, unknown, err := t.Normalize(body, profileOf(r))
	if err != nil {
		return nil, "", err
	}
	s.report(r, unknown)
	return doc, idOf(body), t.validate(doc)
}

// report names the attributes that were dropped; names only, because values may be anybody's data (S94).
func (s *server) report(r *http.Request, unknown []string) {
	if len(unknown) > 0 {
		s.log.DebugContext(r.Context(), "no schema declares these attributes; they were ignored", "attributes", unknown)
	}
}

// profileOf says how strictly a client is read.
func profileOf(r *http.Request) schema.Profile {
	return schema.Profile{Entra: r.URL.Query().Has("aadOptscim062020")}
}

// idOf returns the id that a body names, under whichever spelling of the key.
func idOf(body map[string]any) string {
	for key, value := range body {
		if id, ok := value.(string); ok && schema.EqualNames(key, "id") {
			return id
		}
	}
	return ""
}

// sameID refuses to give a resource another id (S6); a body need not name one.
func sameID(sent, id string) error {
	if sent == "" || sent == id {
		return nil
	}
	return scimerr.New(scimerr.Mutability, "id", "id cannot be changed")
}

// validate lets the library look at a normalised document.
// It does not get the attributes that it would refuse wrongly: those that hold binary values.
func (t resourceType) validate(doc domain.Document) error {
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
		if active, had := current["active"]; had && doc["active"] == nil {
			doc["active"] = active
		}
		if changed := t.Overwritten(current, doc); len(changed) > 0 {
			return nil, scimerr.New(scimerr.Mutability, changed[0], "%s cannot be changed once it is set", changed[0])
		}
		return doc, nil
	}
}

// meta is what the server knows about a resource (RFC 7643 section 3.1).
func (s *server) meta(t resourceType, id string, version int64, created, modified time.Time) map[string]any {
	return map[string]any{
		"resourceType": t.Name, "version": etag(version), "location": s.location(t, id),
		"created": created.UTC().Format(time.RFC3339Nano), "lastModified": modified.UTC().Format(time.RFC3339Nano),
	}
}

func (s *server) location(t resourceType, id string) string { return s.root + t.Endpoint + "/" + id }

// userResource is a User as it is answered: what was sent, and id, meta, active and groups.
func (s *server) userResource(u domain.SCIMUser) resource {
	doc := maps.Clone(u.Attributes)
	doc["id"] = string(u.ID)
	doc["active"] = u.Active
	doc["meta"] = s.meta(s.users, string(u.ID), u.Version, u.CreatedAt, u.UpdatedAt)
	groups := make([]any, len(u.Groups))
	for i, group := range u.Groups {
		groups[i] = map[string]any{
			"value": string(group.ID), "$ref": s.location(s.groups, string(group.ID)), "display": group.Name, "type": "direct",
		}
	}
	if len(groups) > 0 {
		doc["groups"] = groups
	}
	return resource{kind: s.users, id: string(u.ID), version: u.Version, doc: doc}
}

// groupResource is a Group as it is answered; its members stay what they are until they are written.
func (s *server) groupResource(g domain.Group) resource {
	doc := maps.Clone(g.Attributes)
	doc["id"] = string(g.ID)
	doc["meta"] = s.meta(s.groups, string(g.ID), g.Version, g.CreatedAt, g.UpdatedAt)
	return resource{kind: s.groups, id: string(g.ID), version: g.Version, doc: doc, members: g.Members}
}
