package db

import (
	"slices"
	"sync"
	"time"

	"muster/domain"
)

// A page deep in the list of a million members would read everybody before it.
// Members are listed in order of their ids, which are made in order of time, so that every so many members one can be remembered
// by which a page is found; what is remembered holds until a member is removed.

const (
	// markStep is how many members lie between two that are remembered, and about how many are read in vain for a page.
	markStep = 5000
	// settled is how old a member must be to be remembered: by then nobody comes before them any more.
	settled = time.Minute
	// maxMarked is how many organizations are remembered at most.
	maxMarked = 100
)

// listMarks are what a process has learned about long lists of members.
type listMarks struct {
	mutex sync.Mutex
	known map[domain.OrgID]markedList
}

// markedList is every markStep-th member of an organization in order.
type markedList struct {
	// removed is how many members had been removed when this was learned.
	removed int64
	ids     []domain.MemberID
}

func (p *listMarks) get(org domain.OrgID, removed int64) markedList {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if known, ok := p.known[org]; ok && known.removed == removed {
		return known
	}
	return markedList{removed: removed}
}

func (p *listMarks) put(org domain.OrgID, learned markedList) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.known == nil || len(p.known) >= maxMarked {
		p.known = map[domain.OrgID]markedList{}
	}
	p.known[org] = learned
}

// unfiltered reports whether a query selects every member, in order of creation.
func unfiltered(q domain.MemberQuery) bool {
	return len(q.Emails)+len(q.IDs)+len(q.UserIDs) == 0 && q.Search == "" && q.Find == "" && q.Role == "" && q.Grant == "" && q.Status == "" && q.Workspace == "" &&
		(q.SortBy == "" || q.SortBy == "created_at")
}

// deepPage lists a page that lies deep in the whole list.
func (s memberStore) deepPage(q domain.MemberQuery) ([]domain.MemberView, error) {
	window := q.Clamp()
	known, err := s.learn()
	if err != nil {
		return nil, err
	}
	from, limit := window.Offset, window.Limit
	if q.Descending {
		total, err := s.totalBehind(known)
		if err != nil {
			return nil, err
		}
		// The page from the end, counted from the beginning.
		until := total - window.Offset
		from = max(0, until-window.Limit)
		limit = until - from
	}
	if limit <= 0 {
		return []domain.MemberView{}, nil
	}
	mark, rest := domain.MemberID(""), from
	if n := min(from/markStep, len(known.ids)); n > 0 {
		// The n-th one remembered is the last of the first n * markStep members.
		mark, rest = known.ids[n-1], from-n*markStep
	}
	ids := "SELECT d.id FROM members d WHERE d.org_id = ? AND d.id > ? ORDER BY d.id LIMIT ? OFFSET ?"
	views, err := s.views("m.org_id = ? AND m.id IN ("+ids+")", "m.id", []any{s.org, s.org, mark, limit, rest}, domain.Window{Limit: limit})
	if q.Descending {
		slices.Reverse(views)
	}
	return views, err
}

// learn returns what is known about the organization's list, up to date.
func (s memberStore) learn() (markedList, error) {
	var removed int64
	if err := s.get("", &removed, "SELECT COALESCE(SUM(removed), 0) FROM scim_counts WHERE org_id = ?", s.org); err != nil {
		return markedList{}, err
	}
	known := s.marked.get(s.org, removed)
	last := domain.MemberID("")
	if len(known.ids) > 0 {
		last = known.ids[len(known.ids)-1]
	}
	more, err := s.markFrom(last)
	if err != nil || len(more) == 0 {
		return known, err
	}
	known.ids = append(slices.Clone(known.ids), more...)
	s.marked.put(s.org, known)
	return known, nil
}

// markFrom returns every markStep-th member behind one, each by a step along the index.
func (s memberStore) markFrom(last domain.MemberID) ([]domain.MemberID, error) {
	var ids []domain.MemberID
	until := domain.FirstID(s.now.Add(-settled))
	for {
		err := s.get("member", &last, "SELECT id FROM members WHERE org_id = ? AND id > ? AND id < ? ORDER BY id LIMIT 1 OFFSET ?", s.org, last, until, markStep-1)
		if domain.IsKind(err, domain.NotFound) {
			return ids, nil
		}
		if err != nil {
			return nil, err
		}
		ids = append(ids, last)
	}
}

// totalBehind is the number of all members.
func (s memberStore) totalBehind(known markedList) (int, error) {
	last := domain.MemberID("")
	if len(known.ids) > 0 {
		last = known.ids[len(known.ids)-1]
	}
	var rest int
	err := s.get("", &rest, "SELECT COUNT(*) FROM members WHERE org_id = ? AND id > ?", s.org, last)
	return len(known.ids)*markStep + rest, err
}
