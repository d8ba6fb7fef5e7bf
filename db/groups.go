package db

import "muster/domain"

type groupStore struct{ handle }

type groupRow struct {
	ID          domain.GroupID `db:"id"`
	DisplayName string         `db:"display_name"`
	ExternalID  string         `db:"external_id"`
	Data        string         `db:"data"`
	Mapping     string         `db:"mapping"`
	Unmapped    string         `db:"unmapped"`
	Explicit    bool           `db:"explicit"`
	Slot        string         `db:"name_slot"`
	Version     int64          `db:"version"`
	CreatedAt   int64          `db:"created_at"`
	UpdatedAt   int64          `db:"updated_at"`
}

const groupColumns = "id, display_name, external_id, data, mapping, unmapped, explicit, name_slot, version, created_at, updated_at"

func (r groupRow) group() (domain.Group, error) {
	group := domain.Group{
		ID: r.ID, DisplayName: r.DisplayName, ExternalID: r.ExternalID, Unmapped: r.Unmapped, Explicit: r.Explicit, Twin: r.Slot != "",
		Version: r.Version, CreatedAt: moment(r.CreatedAt), UpdatedAt: moment(r.UpdatedAt),
	}
	if r.Data != "" {
		if err := decode(r.Data, &group.Attributes); err != nil {
			return group, err
		}
	}
	if r.Mapping == "" {
		return group, nil
	}
	return group, decode(r.Mapping, &group.Mapping)
}

// Get implements domain.GroupStore.
func (s groupStore) Get(id domain.GroupID) (domain.Group, error) {
	var row groupRow
	if err := s.get("Group", &row, "SELECT "+groupColumns+" FROM scim_groups WHERE org_id = ? AND id = ?", s.org, id); err != nil {
		return domain.Group{}, err
	}
	return row.group()
}

// Explicit implements domain.GroupStore.
func (s groupStore) Explicit(keys []string) ([]domain.Group, error) {
	if len(keys) == 0 {
		return nil, s.refused
	}
	var rows []groupRow
	err := s.all(&rows, "SELECT "+groupColumns+" FROM scim_groups WHERE org_id = ? AND explicit = TRUE AND display_name_key "+s.dialect.in(len(keys))+" ORDER BY id",
		s.org, texts(keys))
	if err != nil {
		return nil, err
	}
	return convert(rows, groupRow.group)
}

// Each implements domain.GroupStore; fn may use the transaction.
func (s groupStore) Each(fn func(domain.Group) error) error {
	var rows []groupRow
	err := s.all(&rows, `SELECT id, display_name, external_id, '' AS data, mapping, unmapped, explicit, name_slot, version, created_at, updated_at
		FROM scim_groups WHERE org_id = ? ORDER BY id`, s.org)
	if err != nil {
		return err
	}
	for _, row := range rows {
		group, err := row.group()
		if err != nil {
			return err
		}
		if err := fn(group); err != nil {
			return err
		}
	}
	return nil
}

// groupKeys is what of a group stands in columns, to be found by.
type groupKeys struct{ displayName, externalID, data, mapping string }

func groupKeysOf(g domain.Group) (k groupKeys, err error) {
	if k.displayName, err = key("displayName", g.DisplayName); err != nil {
		return k, err
	}
	if k.externalID, err = exactKey("externalId", g.ExternalID); err != nil {
		return k, err
	}
	if k.data, err = encode(g.Attributes); err != nil {
		return k, err
	}
	k.mapping, err = encodeMapping(g.Mapping)
	return k, err
}

// encodeMapping writes nothing for a group that gives nothing, so that such groups can be left out by SQL.
func encodeMapping(m domain.Mapping) (string, error) {
	if m.Empty() {
		return "", nil
	}
	return encode(m)
}

// slotOf is what lets twins share a name: groups that may not are all in one slot, of which each name has one.
func slotOf(g domain.Group) string {
	if g.Twin {
		return string(g.ID)
	}
	return ""
}

// Named implements domain.GroupStore.
func (s groupStore) Named(nameKey string, except domain.GroupID) (bool, error) {
	var n int
	err := s.get("", &n, "SELECT COUNT(*) FROM scim_groups WHERE org_id = ? AND display_name_key = ? AND id <> ?", s.org, nameKey, except)
	return n > 0, err
}

// Insert implements domain.GroupStore.
func (s groupStore) Insert(g domain.Group) error {
	k, err := groupKeysOf(g)
	if err != nil {
		return err
	}
	created, err := s.insert("INSERT INTO scim_groups (org_id, display_name_key, "+groupColumns+") VALUES ("+places(13)+")",
		s.org, k.displayName, g.ID, g.DisplayName, k.externalID, k.data, k.mapping, g.Unmapped, g.Explicit, slotOf(g), g.Version, micros(g.CreatedAt), micros(g.UpdatedAt))
	if err == nil && !created {
		return s.clash(k, g.ID)
	}
	return err
}

// Update implements domain.GroupStore.
func (s groupStore) Update(g domain.Group) error {
	k, err := groupKeysOf(g)
	if err != nil {
		return err
	}
	update := `UPDATE scim_groups SET display_name = ?, display_name_key = ?, external_id = ?, data = ?, mapping = ?, unmapped = ?,
		explicit = ?, name_slot = ?, updated_at = ? WHERE org_id = ? AND id = ?`
	args := []any{g.DisplayName, k.displayName, k.externalID, k.data, k.mapping, g.Unmapped, g.Explicit, slotOf(g), micros(g.UpdatedAt), s.org, g.ID}
	if s.seen[string(g.ID)] {
		err = s.mustLater("Group", "scim_groups", update, args...)
	} else {
		err = s.must("Group", update, args...)
	}
	if named, ok := conflict(err); ok && !named {
		return s.clash(k, g.ID)
	}
	return err
}

// clash finds out which unique attribute another group has.
func (s groupStore) clash(k groupKeys, id domain.GroupID) error {
	return s.whichIsTaken("scim_groups", string(id), [][3]string{
		{"displayName", "display_name_key", k.displayName}, {"externalId", "external_id", k.externalID},
	})
}

// Bump implements domain.GroupStore; the version returned is the one before.
func (s groupStore) Bump(id domain.GroupID) (domain.Group, error) {
	var row groupRow
	err := s.change("Group", &row, "UPDATE scim_groups SET version = version + 1 WHERE org_id = ? AND id = ? RETURNING "+groupColumns, s.org, id)
	if err != nil {
		return domain.Group{}, err
	}
	row.Version--
	s.seen[string(id)] = true
	return row.group()
}

// SetMapping implements domain.GroupStore.
func (s groupStore) SetMapping(id domain.GroupID, mapping domain.Mapping, unmapped string, explicit bool) error {
	text, err := encodeMapping(mapping)
	if err != nil {
		return err
	}
	return s.must("Group", "UPDATE scim_groups SET mapping = ?, unmapped = ?, explicit = ? WHERE org_id = ? AND id = ?", text, unmapped, explicit, s.org, id)
}

// Delete implements domain.GroupStore.
func (s groupStore) Delete(id domain.GroupID) error {
	return s.must("Group", "DELETE FROM scim_groups WHERE org_id = ? AND id = ?", s.org, id)
}
