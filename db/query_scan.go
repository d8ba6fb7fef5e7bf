package db

import (
	"container/heap"
	"slices"

	"muster/domain"
)

// scan reads what SQL found, chunk by chunk in order of id, and lets the filter and the order decide.
// It holds one chunk and, for an order, no more resources than the page and what lies before it.
func scan[T any](q domain.Query, of found[T], where condition) (domain.Result[T], error) {
	s := scanning[T]{query: q, of: of, want: q.Offset + q.Count + 1, downward: q.Backward}
	if q.Sort != nil {
		s.downward = q.Backward != q.Sort.Descending
	}
	err := s.chunks(where)
	if err != nil {
		return domain.Result[T]{}, err
	}
	if q.Sort != nil {
		slices.SortFunc(s.kept, func(a, b placed[T]) int { return s.compare(a.at, b.at) })
	}
	rows := make([]row[T], 0, len(s.kept))
	places := make(map[string]domain.Position, len(s.kept))
	for _, kept := range s.kept[min(q.Offset, len(s.kept)):] {
		rows = append(rows, kept.row)
		places[kept.row.id] = kept.at
	}
	result := domain.Result[T]{}
	if q.Count > 0 {
		result = page(q, rows, func(r row[T]) domain.Position { return places[r.id] })
	}
	result.Total, result.Scanned = s.total, true
	if q.Total != nil {
		result.Total = *q.Total
	}
	return result, nil
}

// scanning is a scan under way.
type scanning[T any] struct {
	query domain.Query
	of    found[T]
	// kept are the best matches behind the position, want at most: in order of id, or a heap whose root is the worst.
	kept []placed[T]
	want int
	// total counts all matches, also those before the position.
	total    int
	downward bool
}

type placed[T any] struct {
	row row[T]
	at  domain.Position
}

// chunks reads until everything is decided.
func (s *scanning[T]) chunks(where condition) error {
	byID := s.query.Sort == nil
	query := "SELECT " + s.of.columns + ", '' AS sort_key FROM " + s.of.table + " WHERE org_id = ? AND " + where.sql
	first := append([]any{s.of.fields.org}, where.args...)
	behind, reverse := " AND id > ?", ""
	if byID && s.downward {
		behind, reverse = " AND id < ?", " DESC"
	}
	last := ""
	if byID && s.query.From != nil && s.query.Total != nil {
		last = s.query.From.ID // what lies before need not even be counted
	}
	for {
		text, args := query, first
		if last != "" {
			text, args = query+behind, append(slices.Clip(first), last)
		}
		rows, err := s.of.read(false, text+" ORDER BY id"+reverse+" LIMIT ?", append(slices.Clip(args), chunk)...)
		if err != nil {
			return err
		}
		if err := s.of.complete(rows); err != nil {
			return err
		}
		for _, row := range rows {
			s.take(row)
		}
		enough := byID && s.query.Total != nil && len(s.kept) >= s.want
		if len(rows) < chunk || enough {
			return nil
		}
		last = rows[len(rows)-1].id
	}
}

// take decides about one resource.
func (s *scanning[T]) take(r row[T]) {
	doc := s.of.document(r.item)
	if s.query.Filter != nil && !s.query.Filter.Match(doc) {
		return
	}
	s.total++
	at := domain.Position{ID: r.id}
	if s.query.Sort != nil {
		at.Key = s.query.Sort.KeyOf(doc)
	}
	if from := s.query.From; from != nil && s.compare(at, *from) <= 0 {
		return
	}
	if s.query.Sort == nil {
		if len(s.kept) < s.want {
			s.kept = append(s.kept, placed[T]{r, at})
		}
		return
	}
	switch {
	case len(s.kept) < s.want:
		heap.Push(s, placed[T]{r, at})
	case s.compare(at, s.kept[0].at) < 0:
		s.kept[0] = placed[T]{r, at}
		heap.Fix(s, 0)
	}
}

// compare orders positions in the direction of the scan.
func (s *scanning[T]) compare(a, b domain.Position) int {
	if s.downward {
		return b.Compare(a)
	}
	return a.Compare(b)
}

// Len implements heap.Interface.
func (s *scanning[T]) Len() int { return len(s.kept) }

// Less implements heap.Interface: the worst comes first.
func (s *scanning[T]) Less(i, j int) bool { return s.compare(s.kept[i].at, s.kept[j].at) > 0 }

// Swap implements heap.Interface.
func (s *scanning[T]) Swap(i, j int) { s.kept[i], s.kept[j] = s.kept[j], s.kept[i] }

// Push implements heap.Interface.
func (s *scanning[T]) Push(x any) {
	if one, ok := x.(placed[T]); ok {
		s.kept = append(s.kept, one)
	}
}

// Pop implements heap.Interface.
func (s *scanning[T]) Pop() any {
	last := s.kept[len(s.kept)-1]
	s.kept = s.kept[:len(s.kept)-1]
	return last
}
