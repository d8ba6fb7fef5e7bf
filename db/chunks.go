package db

import "slices"

// inChunks runs a set statement over ids in their order and returns those it concerned, in that order.
func inChunks[T ~string](h handle, ids []T, statement func([]T) ([]T, error)) ([]T, error) {
	sorted := slices.Compact(slices.Sorted(slices.Values(ids)))
	var concerned []T
	for some := range slices.Chunk(sorted, chunk) {
		found, err := statement(some)
		if err != nil {
			return nil, err
		}
		concerned = append(concerned, found...)
	}
	slices.Sort(concerned)
	return concerned, h.writable()
}

// missing returns the ids that no row of the organization in the table has, in the order given.
func missing[T ~string](h handle, table string, ids []T) ([]T, error) {
	found := make(map[T]bool, len(ids))
	for some := range slices.Chunk(ids, chunk) {
		var present []T
		if err := h.all(&present, "SELECT id FROM "+table+" WHERE org_id = ? AND id "+h.dialect.in(len(some)), h.org, texts(some)); err != nil {
			return nil, err
		}
		for _, id := range present {
			found[id] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id T) bool { return found[id] }), h.refused
}
