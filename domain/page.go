package domain

import (
	"cmp"
	"strings"
)

// Window is an offset page of a list: Limit rows after the first Offset ones.
type Window struct {
	Limit  int
	Offset int
}

// The admin API's page sizes.
const (
	DefaultLimit = 50
	MaxLimit     = 500
)

// Clamp returns the window with the default and the maximum applied.
func (w Window) Clamp() Window {
	if w.Limit <= 0 {
		w.Limit = DefaultLimit
	}
	return Window{Limit: min(w.Limit, MaxLimit), Offset: max(w.Offset, 0)}
}

// Query is a SCIM list request (RFC 7644 section 3.4.2) after parsing.
type Query struct {
	// Filter is nil for all resources.
	Filter Filter
	// Sort is nil for the order of creation.
	Sort *Sort
	// Offset is the number of matches to leave out: startIndex - 1.
	Offset int
	// Count is the largest number of resources to return; zero asks for the total only.
	Count int
	// From continues at a position of an earlier page (RFC 9865); Offset is zero then.
	From *Position
	// Backward takes the resources before From instead of those behind it.
	Backward bool
	// Total is the number of all matches where an earlier page counted them already, which spares counting again; nil counts.
	Total *int
	// Raw leaves the documents as the text that is stored, for callers that only pass it on.
	Raw bool
	// Holding is a SCIM token without which nothing is found; empty for none.
	Holding TokenID
	// Location returns where a resource is, which meta.location and $ref of a filter or a sort are compared with; it may be nil.
	Location func(resourceType, id string) string
}

// Sort is the order of a list (RFC 7644 section 3.4.2.3).
type Sort struct {
	Attr Attr
	// Descending is the exact reverse of ascending: resources without a value come first instead of last.
	Descending bool
}

// Position is the place of a resource in an order: its sort key, then its id.
type Position struct {
	Key SortKey
	ID  string
}

// Compare orders two positions of an ascending list.
func (p Position) Compare(q Position) int {
	return cmp.Or(p.Key.compare(q.Key), strings.Compare(p.ID, q.ID))
}

// Result is one page of a SCIM list.
type Result[T any] struct {
	// Total is the number of all matches, not of the page (S40).
	Total int
	Items []T
	// At are where the items lie in the order.
	At []Position
	// More is true when further resources follow in the direction of the query.
	More bool
	// Scanned is true when finding and counting the matches meant looking at each of them.
	Scanned bool
}
