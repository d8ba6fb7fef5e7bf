package domain

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
	// Offset is the number of matches to leave out: startIndex - 1.
	Offset int
	// Count is the largest number of resources to return; zero asks for the total only.
	Count int
}

// Result is one page of a SCIM list.
type Result[T any] struct {
	// Total is the number of all matches, not of the page (S40).
	Total int
	Items []T
}
