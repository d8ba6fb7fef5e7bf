package db

import (
	"time"

	"muster/domain"
)

type definitionStore struct{ handle }

// Get implements domain.DefinitionStore.
func (s definitionStore) Get() (domain.Definitions, error) {
	var row struct {
		Data     string `db:"data"`
		Revision int64  `db:"revision"`
	}
	err := s.get("definitions", &row, "SELECT data, revision FROM scim_definitions WHERE org_id = ?", s.org)
	if domain.IsKind(err, domain.NotFound) {
		return domain.Definitions{}, nil
	}
	if err != nil {
		return domain.Definitions{}, err
	}
	var found domain.Definitions
	err = decode(row.Data, &found)
	found.Revision = row.Revision
	return found, err
}

// Put implements domain.DefinitionStore; of two changes at once one is Stale.
func (s definitionStore) Put(d domain.Definitions, at time.Time) error {
	data, err := encode(d)
	if err != nil {
		return err
	}
	changed, err := s.exec(`INSERT INTO scim_definitions (org_id, revision, data, updated_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (org_id) DO UPDATE SET revision = excluded.revision, data = excluded.data, updated_at = excluded.updated_at
		WHERE scim_definitions.revision = excluded.revision - 1`, s.org, d.Revision+1, data, micros(at))
	if err == nil && changed == 0 {
		return domain.Errorf(domain.Stale, "somebody else changed the schemas at the same time; read them again")
	}
	return err
}

type uniqueValueStore struct{ handle }

// Put implements domain.UniqueValueStore.
func (s uniqueValueStore) Put(resourceType, id string, values []domain.UniqueValue) error {
	if err := s.Delete(id); err != nil {
		return err
	}
	for _, value := range values {
		valueKey, err := exactKey(value.Path, value.Key)
		if err != nil {
			return err
		}
		kept, err := s.insert("INSERT INTO scim_unique_values (org_id, type, path, value_key, resource_id) VALUES (?, ?, ?, ?, ?)",
			s.org, resourceType, value.Path, valueKey, id)
		if err != nil {
			return err
		}
		if !kept {
			return domain.Conflictf(value.Path, "another %s has this value of %s already; find it with a filter on the attribute", resourceType, value.Path)
		}
	}
	return nil
}

// Delete implements domain.UniqueValueStore.
func (s uniqueValueStore) Delete(id string) error {
	_, err := s.exec("DELETE FROM scim_unique_values WHERE org_id = ? AND resource_id = ?", s.org, id)
	return err
}
