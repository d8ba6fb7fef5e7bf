package scim

import (
	"context"
	"strings"
	"sync"

	"muster/domain"
	"muster/scim/schema"
)

// catalog is what one organization's clients can reach: its resource types and what discovery says of them.
type catalog struct {
	// types are the standard ones first, then the declared ones.
	types     []collection
	discovery discovery
}

// at returns the resource type whose endpoint is a path's first segment; some clients write it in small letters (C11).
func (c *catalog) at(segment string) (collection, bool) {
	for _, t := range c.types {
		if schema.EqualNames(t.kind().Endpoint[1:], segment) {
			return t, true
		}
	}
	return nil, false
}

// catalogs keeps the catalog of each organization that declared something, until what it declared changes.
type catalogs struct {
	server *Server
	// standard is for everybody else.
	standard *catalog
	mutex    sync.Mutex
	byOrg    map[domain.OrgID]*kept
}

type kept struct {
	revision int64
	catalog  *catalog
}

// maxCatalogs bounds what is kept; one that is not there is made again.
const maxCatalogs = 1000

func newCatalogs(s *Server, standard domain.Definitions) *catalogs {
	return &catalogs{server: s, standard: s.newCatalog(standard), byOrg: map[domain.OrgID]*kept{}}
}

// of returns the catalog of the scope's organization.
func (c *catalogs) of(ctx context.Context, scope domain.OrgScope) (*catalog, error) {
	if scope.DefinitionsRevision() == 0 {
		return c.standard, nil
	}
	c.mutex.Lock()
	known := c.byOrg[scope.Org()]
	c.mutex.Unlock()
	if known != nil && known.revision == scope.DefinitionsRevision() {
		return known.catalog, nil
	}
	definitions, err := c.server.service.Definitions(ctx, scope)
	if err != nil {
		return nil, err
	}
	made := &kept{revision: definitions.Revision, catalog: c.server.newCatalog(definitions)}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if len(c.byOrg) >= maxCatalogs {
		clear(c.byOrg)
	}
	c.byOrg[scope.Org()] = made
	return made.catalog, nil
}

// newCatalog makes the standard resource types with their declared extensions, and the declared ones.
func (s *Server) newCatalog(d domain.Definitions) *catalog {
	user := userType().with(extensionsOf(d, domain.TypeUser)...)
	group := groupType().with(extensionsOf(d, domain.TypeGroup)...)
	c := &catalog{types: []collection{users{s, user}, groups{s, group}}}
	for _, t := range d.ResourceTypes {
		if own, ok := d.Schema(t.Schema); ok {
			c.types = append(c.types, resources{s, declaredType(t, own).with(extensionsOf(d, t.Name)...)})
		}
	}
	c.discovery = s.newDiscovery(c.types)
	return c
}

func extensionsOf(d domain.Definitions, resourceType string) []schema.Extension {
	t, _ := d.ResourceType(resourceType)
	var extensions []schema.Extension
	for _, e := range t.SchemaExtensions {
		if declared, ok := d.Schema(e.Schema); ok {
			extensions = append(extensions, schema.Extension{Schema: schema.Declared(declared), Required: e.Required})
		}
	}
	return extensions
}

func declaredType(t domain.ResourceTypeDefinition, own domain.SchemaDefinition) resourceType {
	return resourceType{Resource: schema.Resource{
		Name: t.Name, Description: t.Description, Endpoint: "/" + strings.TrimPrefix(t.Endpoint, "/"),
		Common: schema.Common(), Core: schema.Declared(own),
	}}
}
