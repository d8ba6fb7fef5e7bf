package db

import "muster/domain"

type resourceStore struct{ handle }

type resourceRow struct {
	ID         domain.ResourceID `db:"id"`
	Type       string            `db:"type"`
	ExternalID string            `db:"external_id"`
	Data       string            `db:"data"`
	Version    int64             `db:"version"`
	CreatedAt  int64             `db:"created_at"`
	UpdatedAt  int64             `db:"updated_at"`
}

const resourceColumns = "id, type, external_id, data, version, created_at, updated_at"

func (r resourceRow) resource() (domain.Resource, error) {
	found := domain.Resource{
		ID: r.ID, Type: r.Type, ExternalID: r.ExternalID, Version: r.Version, CreatedAt: moment(r.CreatedAt), UpdatedAt: moment(r.UpdatedAt),
	}
	return found, decode(r.Data, &found.Attributes)
}

// Get implements domain.ResourceStore.
func (s resourceStore) Get(resourceType string, id domain.ResourceID) (domain.Resource, error) {
	var row resourceRow
	err := s.get(resourceType, &row, "SELECT "+resourceColumns+" FROM scim_resources WHERE org_id = ? AND type = ? AND id = ?", s.org, resourceType, id)
	if err != nil {
		return domain.Resource{}, err
	}
	return row.resource()
}

// Lock implements domain.ResourceStore.
func (s resourceStore) Lock(resourceType string, id domain.ResourceID) (domain.Resource, error) {
	var row resourceRow
	err := s.change(resourceType, &row, "UPDATE scim_resources SET lock_rev = lock_rev + 1 WHERE org_id = ? AND type = ? AND id = ? RETURNING "+resourceColumns,
		s.org, resourceType, id)
	if err != nil {
		return domain.Resource{}, err
	}
	return row.resource()
}

// Query implements domain.ResourceStore.
func (s resourceStore) Query(resourceType string, q domain.Query) (domain.Result[domain.Resource], error) {
	return run(s.handle, q, found[domain.Resource]{
		table: "scim_resources", columns: resourceColumns, fields: filterable{
			dialect: s.dialect, org: s.org, id: "id", resourceType: resourceType, only: "type = ?",
			columns: map[string]column{"id": {name: "id", canonical: true}, "externalId": {name: "external_id", optional: true}},
			times:   map[string]string{"meta.created": "created_at", "meta.lastModified": "updated_at"},
		},
		read: func(_ bool, query string, args ...any) ([]row[domain.Resource], error) {
			var rows []struct {
				resourceRow

				Key string `db:"sort_key"`
			}
			if err := s.all(&rows, query, args...); err != nil {
				return nil, err
			}
			found := make([]row[domain.Resource], len(rows))
			for i, r := range rows {
				one, err := r.resource()
				if err != nil {
					return nil, err
				}
				found[i] = row[domain.Resource]{item: one, id: string(r.ID), key: r.Key}
			}
			return found, nil
		},
		complete: func([]row[domain.Resource]) error { return nil },
		document: func(r domain.Resource) domain.Document {
			return withLocation(q, document(r.Attributes, r.Type, string(r.ID), r.Version, r.CreatedAt, r.UpdatedAt), r.Type, string(r.ID))
		},
	})
}

// Insert implements domain.ResourceStore.
func (s resourceStore) Insert(r domain.Resource) error {
	externalID, data, err := resourceKeys(r)
	if err != nil {
		return err
	}
	created, err := s.insert("INSERT INTO scim_resources (org_id, "+resourceColumns+") VALUES ("+places(8)+")",
		s.org, r.ID, r.Type, externalID, data, r.Version, micros(r.CreatedAt), micros(r.UpdatedAt))
	if err == nil && !created {
		return taken("externalId")
	}
	return err
}

// Update implements domain.ResourceStore.
func (s resourceStore) Update(r domain.Resource) error {
	externalID, data, err := resourceKeys(r)
	if err != nil {
		return err
	}
	err = s.must(r.Type, "UPDATE scim_resources SET external_id = ?, data = ?, version = ?, updated_at = ? WHERE org_id = ? AND type = ? AND id = ?",
		externalID, data, r.Version, micros(r.UpdatedAt), s.org, r.Type, r.ID)
	if _, clash := conflict(err); clash {
		return taken("externalId")
	}
	return err
}

func resourceKeys(r domain.Resource) (externalID, data string, err error) {
	if externalID, err = exactKey("externalId", r.ExternalID); err != nil {
		return "", "", err
	}
	data, err = encode(r.Attributes)
	return externalID, data, err
}

// Delete implements domain.ResourceStore.
func (s resourceStore) Delete(resourceType string, id domain.ResourceID) error {
	return s.must(resourceType, "DELETE FROM scim_resources WHERE org_id = ? AND type = ? AND id = ?", s.org, resourceType, id)
}
