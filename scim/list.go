package scim

import (
	"context"
	"net/http"
	"slices"

	"muster/domain"
	"muster/scim/scimerr"
)

// maxRootOffset bounds how far a query over all types goes by index, because each type is read up to there; cursors go on.
const maxRootOffset = 10_000

// list answers a query over the types with one page (S40, S45).
func (s *Server) list(ctx context.Context, w http.ResponseWriter, scope domain.OrgScope, list listRequest) error {
	var found page
	var err error
	if len(list.parts) == 1 {
		found, err = list.parts[0].query(ctx, scope, list.Query)
	} else {
		found, err = list.merged(ctx, scope)
	}
	if err != nil {
		return err
	}
	if !list.byCursor {
		s.bookmarks.keep(list, scope, found)
		return s.answerList(ctx, w, list, found, links{})
	}
	return s.answerList(ctx, w, list, found, s.cursors.around(ctx, list, scope, found))
}

// query asks one type.
func (p listPart) query(ctx context.Context, scope domain.OrgScope, q domain.Query) (page, error) {
	q.Filter, q.Sort = p.filter, p.sort
	return p.in.query(ctx, scope, q, showsMembers(p.in.kind(), p.shown))
}

// merged asks every type for as much as the page could need, and takes the first of all in their common order.
func (l listRequest) merged(ctx context.Context, scope domain.OrgScope) (page, error) {
	if l.Offset > maxRootOffset {
		return page{}, scimerr.New(scimerr.TooMany, "startIndex", "over all resource types an index goes up to %d; use a cursor to read further", maxRootOffset)
	}
	all := page{}
	type placed struct {
		res resource
		at  domain.Position
	}
	var found []placed
	for _, part := range l.parts {
		q := l.Query
		q.Offset, q.Total = 0, nil
		if q.Count > 0 {
			q.Count += l.Offset
		}
		some, err := part.query(ctx, scope, q)
		if err != nil {
			return page{}, err
		}
		all.Total += some.Total
		all.More = all.More || some.More
		for i, res := range some.Items {
			found = append(found, placed{res, some.At[i]})
		}
	}
	sort := l.parts[0].sort
	downward := sort != nil && sort.Descending
	slices.SortStableFunc(found, func(a, b placed) int {
		if downward {
			return b.at.Compare(a.at)
		}
		return a.at.Compare(b.at)
	})
	if l.Total != nil {
		all.Total = *l.Total
	}
	low, high := min(l.Offset, len(found)), min(l.Offset+l.Count, len(found))
	if l.Backward {
		low, high = max(0, len(found)-l.Count), len(found)
	}
	all.More = all.More || high-low < len(found)-l.Offset
	for _, one := range found[low:high] {
		all.Items, all.At = append(all.Items, one.res), append(all.At, one.at)
	}
	return all, nil
}
