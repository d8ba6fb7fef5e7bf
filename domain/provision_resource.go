package domain

import (
	"context"
	"reflect"
	"time"
)

// ResourceID names a resource of a declared type.
type ResourceID string

// Resource is a resource of a type that the organization or the installation declared (S17); it gives nobody anything.
type Resource struct {
	ID   ResourceID
	Type string
	// Attributes is the resource as sent, without id and meta.
	Attributes Document
	ExternalID string
	Unchanged  bool
	Version    int64
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// CreateResource stores a resource of a declared type; a value that must be unique and is taken is Conflict.
func (s *Service) CreateResource(ctx context.Context, scope OrgScope, resourceType string, doc Document) (Resource, error) {
	definitions, err := s.declared(ctx, scope, resourceType)
	if err != nil {
		return Resource{}, err
	}
	var created Resource
	err = s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		created = Resource{
			ID: newID[ResourceID](tx.Now()), Type: resourceType, Attributes: doc, ExternalID: text(doc["externalId"]),
			Version: 1, CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
		}
		if err := org.Resources().Insert(created); err != nil {
			return err
		}
		if err := keepUnique(org, definitions, resourceType, string(created.ID), nil, doc); err != nil {
			return err
		}
		return recordResource(tx, scope, "create_scim_resource", created)
	})
	return created, err
}

// GetResource returns a resource, or NotFound.
func (s *Service) GetResource(ctx context.Context, scope OrgScope, resourceType string, id ResourceID) (Resource, error) {
	if _, err := s.declared(ctx, scope, resourceType); err != nil {
		return Resource{}, err
	}
	if !ValidID(id) {
		return Resource{}, unknownResource(resourceType, string(id))
	}
	var found Resource
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		var err error
		found, err = org.Resources().Get(resourceType, id)
		return renameNotFound(err, resourceType, string(id))
	})
	return found, err
}

// QueryResources returns one page of resources of a type.
func (s *Service) QueryResources(ctx context.Context, scope OrgScope, resourceType string, query Query) (Result[Resource], error) {
	if _, err := s.declared(ctx, scope, resourceType); err != nil {
		return Result[Resource]{}, err
	}
	var result Result[Resource]
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		var err error
		result, err = org.Resources().Query(resourceType, query)
		return err
	})
	return result, err
}

// ChangeResource applies a PUT or PATCH to a resource, atomically; one that changes nothing leaves version and times alone.
func (s *Service) ChangeResource(ctx context.Context, scope OrgScope, resourceType string, id ResourceID, change UserChange) (Resource, error) {
	definitions, err := s.declared(ctx, scope, resourceType)
	if err != nil {
		return Resource{}, err
	}
	if !ValidID(id) {
		return Resource{}, unknownResource(resourceType, string(id))
	}
	var changed Resource
	err = s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		current, err := org.Resources().Lock(resourceType, id)
		if err != nil {
			return renameNotFound(err, resourceType, string(id))
		}
		if change.IfMatch != 0 && change.IfMatch != current.Version {
			return stale()
		}
		doc, err := change.Apply(current.Attributes)
		if err != nil {
			return err
		}
		changed = current
		if changed.Unchanged = reflect.DeepEqual(doc, current.Attributes); changed.Unchanged {
			return nil
		}
		changed.Attributes, changed.ExternalID = doc, text(doc["externalId"])
		changed.Version, changed.UpdatedAt = current.Version+1, tx.Now()
		if err := org.Resources().Update(changed); err != nil {
			return err
		}
		if err := keepUnique(org, definitions, resourceType, string(id), current.Attributes, doc); err != nil {
			return err
		}
		return recordResource(tx, scope, "update_scim_resource", changed)
	})
	return changed, err
}

// DeleteResource removes a resource.
func (s *Service) DeleteResource(ctx context.Context, scope OrgScope, resourceType string, id ResourceID, ifMatch int64) error {
	if _, err := s.declared(ctx, scope, resourceType); err != nil {
		return err
	}
	if !ValidID(id) {
		return unknownResource(resourceType, string(id))
	}
	return s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		current, err := org.Resources().Lock(resourceType, id)
		if err != nil {
			return renameNotFound(err, resourceType, string(id))
		}
		if ifMatch != 0 && ifMatch != current.Version {
			return stale()
		}
		if err := org.Resources().Delete(resourceType, id); err != nil {
			return err
		}
		if err := org.UniqueValues().Delete(string(id)); err != nil {
			return err
		}
		return recordResource(tx, scope, "delete_scim_resource", current)
	})
}

// declared returns the declarations in force, or NotFound when the type is not among them.
func (s *Service) declared(ctx context.Context, scope OrgScope, resourceType string) (Definitions, error) {
	if err := scope.requireSCIM(); err != nil {
		return Definitions{}, err
	}
	definitions, err := s.definitionsOf(ctx, scope)
	if err != nil {
		return Definitions{}, err
	}
	if t, ok := definitions.ResourceType(resourceType); !ok || t.Schema == "" {
		return Definitions{}, Errorf(NotFound, "there is no resource type %s", resourceType)
	}
	return definitions, nil
}

// keepUnique keeps the values that no other resource of the type may have; nothing is written when they are as before.
func keepUnique(org OrgTx, definitions Definitions, resourceType, id string, before, after Document) error {
	if definitions.Empty() {
		return nil
	}
	was, is := definitions.uniqueValues(resourceType, before), definitions.uniqueValues(resourceType, after)
	if reflect.DeepEqual(was, is) {
		return nil
	}
	return org.UniqueValues().Put(resourceType, id, is)
}

func recordResource(tx Tx, scope OrgScope, operation string, r Resource) error {
	return record(tx, scope, operation, Target{Kind: "scim_resource", ID: string(r.ID), Name: r.Type}, nil, map[string]any{"version": r.Version})
}
