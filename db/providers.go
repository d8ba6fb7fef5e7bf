package db

import "muster/domain"

type providerStore struct{ handle }

// Disabled implements domain.ProviderStore.
func (s providerStore) Disabled() ([]domain.DisabledProvider, error) {
	var rows []struct {
		ID string `db:"id"`
		At int64  `db:"disabled_at"`
	}
	err := s.all(&rows, "SELECT id, disabled_at FROM disabled_providers ORDER BY id")
	disabled := make([]domain.DisabledProvider, len(rows))
	for i, row := range rows {
		disabled[i] = domain.DisabledProvider{ID: row.ID, At: moment(row.At)}
	}
	return disabled, err
}

// Disable implements domain.ProviderStore.
func (s providerStore) Disable(id string) (bool, error) {
	return s.insert("INSERT INTO disabled_providers (id, disabled_at) VALUES (?, ?)", id, micros(s.now))
}

// Enable implements domain.ProviderStore.
func (s providerStore) Enable(id string) (bool, error) {
	rows, err := s.exec("DELETE FROM disabled_providers WHERE id = ?", id)
	return rows > 0, err
}
