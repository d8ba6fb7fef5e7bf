package scim

import (
	"net/http"
	"slices"

	elimity "github.com/elimity-com/scim"
	"github.com/elimity-com/scim/optional"
	library "github.com/elimity-com/scim/schema"

	"muster/internal/httpx"
	"muster/scim/schema"
)

// URNs of the resources that discovery answers with (RFC 7643 sections 5 to 7).
const (
	configURN       = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	resourceTypeURN = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	schemaURN       = "urn:ietf:params:scim:schemas:core:2.0:Schema"
)

// discovery is what the server says about itself (RFC 7644 section 4), made once.
type discovery struct {
	config        map[string]any
	resourceTypes catalogue
	schemas       catalogue
}

// catalogue is an ordered set of documents by id.
type catalogue struct {
	ids  []string
	docs []map[string]any
}

func (s *Server) newDiscovery(types []collection) discovery {
	d := discovery{config: s.describeConfig()}
	for _, in := range types {
		t := in.kind()
		d.resourceTypes.add(s.root, t.Name, "ResourceType", "/ResourceTypes/", describeType(t.Resource))
		d.addSchema(s.root, t.Core)
		for _, extension := range t.Extensions {
			d.addSchema(s.root, extension.Schema)
		}
	}
	for _, own := range []library.Schema{configSchema(), library.ResourceTypeSchema(), library.Definition()} {
		d.schemas.add(s.root, own.ID, "Schema", "/Schemas/", tidy(own.ToMap()))
	}
	return d
}

// addSchema adds a schema once, however many types have it.
func (d *discovery) addSchema(root string, s schema.Schema) {
	if !slices.Contains(d.schemas.ids, s.URN) {
		d.schemas.add(root, s.URN, "Schema", "/Schemas/", describeSchema(s))
	}
}

func (c *catalogue) add(root, id, kind, endpoint string, doc map[string]any) {
	doc["meta"] = map[string]any{"resourceType": kind, "location": root + endpoint + id}
	c.ids, c.docs = append(c.ids, id), append(c.docs, doc)
}

// describeConfig says what this server can do, and nothing that it cannot (S2).
func (s *Server) describeConfig() map[string]any {
	config := elimity.ServiceProviderConfig{
		SupportPatch: true, SupportFiltering: true, MaxResults: s.limits.MaxResults,
		AuthenticationSchemes: []elimity.AuthenticationScheme{
			{
				Type: elimity.AuthenticationTypeOauthBearerToken, Name: "OAuth Bearer Token", Primary: true,
				Description: "A SCIM token of the organization, sent as Authorization: Bearer.",
				SpecURI:     optional.NewString("https://www.rfc-editor.org/rfc/rfc6750"),
			},
			{
				Type: elimity.AuthenticationTypeOauth2, Name: "OAuth 2.0 Client Credentials",
				Description: "The id and the secret of a SCIM token, exchanged at /oauth/token for an access token that lasts an hour.",
				SpecURI:     optional.NewString("https://www.rfc-editor.org/rfc/rfc6749#section-4.4"),
			},
		},
	}
	var schemes []any
	for _, scheme := range config.AuthenticationSchemes {
		schemes = append(schemes, map[string]any{
			"type": scheme.Type, "name": scheme.Name, "description": scheme.Description,
			"specUri": scheme.SpecURI.Value(), "primary": scheme.Primary,
		})
	}
	return map[string]any{
		"schemas": []string{configURN}, "authenticationSchemes": schemes, "documentationUri": s.about,
		"patch":          map[string]any{"supported": config.SupportPatch},
		"filter":         map[string]any{"supported": config.SupportFiltering, "maxResults": config.MaxResults},
		"bulk":           map[string]any{"supported": true, "maxOperations": s.limits.BulkOperations, "maxPayloadSize": s.limits.BulkBody},
		"changePassword": map[string]any{"supported": false},
		"sort":           map[string]any{"supported": true},
		"etag":           map[string]any{"supported": true},
		"pagination": map[string]any{
			"cursor": true, "index": true, "defaultPaginationMethod": "index",
			"defaultPageSize": s.limits.PageSize, "maxPageSize": s.limits.MaxResults, "cursorTimeout": int(cursorLifetime.Seconds()),
		},
		"meta": map[string]any{"resourceType": "ServiceProviderConfig", "location": s.root + "/ServiceProviderConfig"},
	}
}

func describeType(t schema.Resource) map[string]any {
	extensions := make([]any, 0, len(t.Extensions))
	for _, extension := range t.Extensions {
		extensions = append(extensions, map[string]any{"schema": extension.URN, "required": extension.Required})
	}
	described := map[string]any{
		"schemas": []string{resourceTypeURN}, "id": t.Name, "name": t.Name,
		"endpoint": t.Endpoint, "schema": t.Core.URN, "schemaExtensions": extensions,
	}
	if t.Description != "" {
		described["description"] = t.Description
	}
	return described
}

// attribute is an attribute's definition with every characteristic (RFC 7643 section 7).
type attribute struct {
	Name          string            `json:"name"`
	Type          schema.Type       `json:"type"`
	SubAttributes []attribute       `json:"subAttributes,omitempty"`
	MultiValued   bool              `json:"multiValued"`
	Description   string            `json:"description,omitempty"`
	Required      bool              `json:"required"`
	Canonical     []string          `json:"canonicalValues,omitempty"`
	CaseExact     bool              `json:"caseExact"`
	Mutability    schema.Mutability `json:"mutability"`
	Returned      schema.Returned   `json:"returned"`
	Uniqueness    schema.Uniqueness `json:"uniqueness"`
	References    []string          `json:"referenceTypes,omitempty"`
}

// describeSchema renders a schema as it is enforced, which the library's own rendering does not know.
func describeSchema(s schema.Schema) map[string]any {
	doc := map[string]any{"schemas": []string{schemaURN}, "id": s.URN, "attributes": describeAttributes(s.Attributes)}
	if s.Name != "" {
		doc["name"] = s.Name
	}
	if s.Description != "" {
		doc["description"] = s.Description
	}
	return doc
}

func describeAttributes(attributes []schema.Attribute) []attribute {
	var described []attribute
	for _, a := range attributes {
		described = append(described, attribute{
			Name: a.Name, Type: a.Type, SubAttributes: describeAttributes(a.Sub), MultiValued: a.MultiValued,
			Description: a.Description, Required: a.Required, Canonical: a.Canonical, CaseExact: a.CaseExact,
			Mutability: a.Mutability, Returned: a.Returned, Uniqueness: a.Uniqueness, References: a.References,
		})
	}
	return described
}

// serveConfig is GET /ServiceProviderConfig; its query parameters are ignored (S1).
func (s *Server) serveConfig(w http.ResponseWriter, r *request) error {
	if !r.reads() {
		return wrongMethod(http.MethodGet)
	}
	return httpx.WriteJSON(w, http.StatusOK, mediaType, r.catalog.discovery.config)
}

func (s *Server) serveResourceTypes(w http.ResponseWriter, r *request) error {
	return r.catalog.discovery.resourceTypes.serve(w, r)
}

func (s *Server) serveSchemas(w http.ResponseWriter, r *request) error {
	return r.catalog.discovery.schemas.serve(w, r)
}

// serve answers with the list, or with the one document that the path names.
func (c catalogue) serve(w http.ResponseWriter, r *request) error {
	if !r.reads() {
		return wrongMethod(http.MethodGet)
	}
	if r.PathValue("id") == "" {
		return c.list(w, r.Request)
	}
	return c.get(w, r.Request)
}

// list answers with everything, whatever page was asked for; a filter is refused (RFC 7644 section 4).
func (c catalogue) list(w http.ResponseWriter, r *http.Request) error {
	if err := unfiltered(r); err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, mediaType, map[string]any{
		"schemas": []string{listURN}, "totalResults": len(c.docs), "startIndex": 1, "itemsPerPage": len(c.docs), "Resources": c.docs,
	})
}

// get answers with one document; URNs match in any case.
func (c catalogue) get(w http.ResponseWriter, r *http.Request) error {
	if err := unfiltered(r); err != nil {
		return err
	}
	for i, id := range c.ids {
		if schema.EqualNames(id, r.PathValue("id")) {
			return httpx.WriteJSON(w, http.StatusOK, mediaType, c.docs[i])
		}
	}
	return nowhere()
}

func unfiltered(r *http.Request) error {
	if r.URL.Query().Has("filter") {
		return &protocolError{status: http.StatusForbidden, text: "discovery cannot be filtered"}
	}
	return nil
}
