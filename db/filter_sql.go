package db

import (
	"strings"
	"time"

	"muster/domain"
)

// condition is a filter as SQL.
// When it is not exact it holds for more resources than the filter does, never for fewer, and Match decides in Go.
type condition struct {
	sql   string
	args  []any
	exact bool
}

// column is an attribute that stands in a column of its own.
type column struct {
	name string
	// folded columns hold domain.Fold of the value; others hold the value itself.
	folded bool
	// canonical columns hold values that are their own keys, as ids are.
	canonical bool
	// optional columns are empty where the attribute is absent, so that an empty text says nothing.
	optional bool
}

// equals says of an optional column that it is not empty, because SQLite uses an index over those that are not for nothing less.
func (c column) equals() string {
	if c.optional {
		return "(" + c.name + " = ? AND " + c.name + " <> '')"
	}
	return c.name + " = ?"
}

// set is a multi-valued attribute that stands in a table of its own: "id IN (SELECT ...)".
type set struct {
	// query selects the ids of resources by org_id and a condition on value.
	query string
	value column
}

// filterable says how the attributes of a resource type are found in SQL.
type filterable struct {
	dialect dialect
	org     domain.OrgID
	id      string
	columns map[string]column
	times   map[string]string
	sets    map[string]set
	active  string
	// resourceType is what meta.resourceType says of all of them.
	resourceType string
	// only is a condition with one placeholder, for resourceType, where the table holds several types; empty for none.
	only string
}

// everything is the condition of whatever SQL cannot decide.
func everything() condition { return condition{sql: "TRUE"} }

func nothing() condition { return condition{sql: "FALSE", exact: true} }

// where is compile within the resource type, and while a token is there.
func (f filterable) where(q domain.Query) condition {
	compiled := f.compile(q.Filter)
	if q.Holding != "" {
		compiled.sql, compiled.args = whileHolding+" AND "+compiled.sql, append([]any{f.org, q.Holding}, compiled.args...)
	}
	if f.only != "" {
		compiled.sql, compiled.args = f.only+" AND "+compiled.sql, append([]any{f.resourceType}, compiled.args...)
	}
	return compiled
}

// compile turns a filter into a condition; nil means all resources.
func (f filterable) compile(filter domain.Filter) condition {
	switch v := filter.(type) {
	case nil:
		return condition{sql: "TRUE", exact: true}
	case domain.And:
		return both(" AND ", f.compile(v.Left), f.compile(v.Right))
	case domain.Or:
		return both(" OR ", f.compile(v.Left), f.compile(v.Right))
	case domain.Not:
		return negate(f.compile(v.Operand))
	case domain.Present:
		return f.present(v.Attr)
	case domain.Compare:
		return f.compare(v)
	case domain.ValuePath:
		return f.valuePath(v)
	default:
		return everything()
	}
}

// both joins two conditions; the result holds for too many when either does.
func both(operator string, left, right condition) condition {
	return condition{
		sql:  "(" + left.sql + operator + right.sql + ")",
		args: append(append([]any{}, left.args...), right.args...), exact: left.exact && right.exact,
	}
}

// negate gives up on a condition that holds for too many: its negation would hold for too few.
func negate(c condition) condition {
	if !c.exact {
		return everything()
	}
	return condition{sql: "NOT (" + c.sql + ")", args: c.args, exact: true}
}

// present knows that the required attributes always are, and that optional ones are when their column is not empty.
func (f filterable) present(attr domain.Attr) condition {
	if attr.Unknown {
		return nothing()
	}
	if attr.URN != "" {
		return everything()
	}
	if col, ok := f.columns[attr.Path()]; ok {
		if col.optional {
			return condition{sql: col.name + " <> ''", exact: true}
		}
		return condition{sql: "TRUE", exact: true}
	}
	if _, ok := f.times[attr.Path()]; ok {
		return condition{sql: "TRUE", exact: true}
	}
	return everything()
}

func (f filterable) compare(c domain.Compare) condition {
	switch {
	case c.Op == domain.OpNotEqual:
		return negate(f.compare(domain.Compare{Attr: c.Attr, Op: domain.OpEqual, Value: c.Value}))
	case c.Attr.Unknown:
		return nothing()
	case c.Attr.URN != "":
		return everything()
	}
	path := c.Attr.Path()
	if path == "meta.resourceType" {
		return f.constant(c)
	}
	if col, ok := f.columns[path]; ok && c.Attr.Type == domain.TypeString {
		return f.compareText(col, c)
	}
	if column, ok := f.times[path]; ok && c.Attr.Type == domain.TypeDateTime {
		return compareTime(column, c)
	}
	if path == "active" && f.active != "" {
		return f.compareActive(c)
	}
	if set, ok := f.sets[path]; ok && c.Attr.Type == domain.TypeString {
		return f.inSet(set, c)
	}
	return everything()
}

// constant decides once for all resources.
func (f filterable) constant(c domain.Compare) condition {
	if c.Match(domain.Document{"meta": map[string]any{"resourceType": f.resourceType}}) {
		return condition{sql: "TRUE", exact: true}
	}
	return nothing()
}

func (f filterable) compareActive(c domain.Compare) condition {
	want, ok := c.Value.(bool)
	if !ok || c.Op != domain.OpEqual {
		return nothing()
	}
	if want {
		return condition{sql: f.active + " = TRUE", exact: true}
	}
	return condition{sql: f.active + " = FALSE", exact: true}
}

// compareText compares as Match does: folded unless the attribute is case-exact, and by code point.
func (f filterable) compareText(col column, c domain.Compare) condition {
	want, ok := c.Value.(string)
	if !ok {
		return nothing()
	}
	if col.folded || col.canonical && !c.Attr.CaseExact {
		want = domain.Fold(want)
	}
	// A folded column finds too much for a case-exact "eq"; an exact column finds too little for a folded comparison,
	// and so does a folded one for a part of the text, because folding may join a character with the next.
	exact := col.canonical || col.folded != c.Attr.CaseExact
	if !exact && (!col.folded || c.Op != domain.OpEqual) {
		return everything()
	}
	if want == "" && (col.optional || c.Op != domain.OpEqual) {
		return everything()
	}
	if strings.ContainsRune(want, 0) {
		return everything()
	}
	switch c.Op {
	case domain.OpEqual:
		return condition{sql: col.equals(), args: []any{want}, exact: exact}
	case domain.OpStartsWith:
		return f.startsWith(col.name, want, exact)
	case domain.OpContains:
		return condition{sql: f.dialect.contains(col.name), args: []any{want}, exact: exact}
	case domain.OpEndsWith:
		return condition{sql: f.dialect.contains(col.name), args: []any{want}}
	case domain.OpGreater, domain.OpGreaterOrEqual, domain.OpLess, domain.OpLessOrEqual:
		return f.ordered(col, c.Op, want, exact)
	case domain.OpNotEqual:
		return everything() // taken apart before
	default:
		return everything()
	}
}

// ordered leaves a case-exact comparison to Match, because folding changes the order, and so an absent value that sorts first.
func (f filterable) ordered(col column, op domain.FilterOp, want string, exact bool) condition {
	lower := op == domain.OpLess || op == domain.OpLessOrEqual
	if !exact || col.optional && lower {
		return everything()
	}
	return condition{sql: col.name + " " + comparison(op) + " ?", args: []any{want}, exact: true}
}

// startsWith is a range, which an index serves.
func (f filterable) startsWith(name, prefix string, exact bool) condition {
	end, ok := after(prefix)
	if !ok {
		return condition{sql: name + " >= ?", args: []any{prefix}}
	}
	return condition{sql: "(" + name + " >= ? AND " + name + " < ?)", args: []any{prefix, end}, exact: exact}
}

// after returns the least text that is greater than every text with the prefix, in the order of bytes.
func after(prefix string) (string, bool) {
	runes := []rune(prefix)
	for i := len(runes) - 1; i >= 0; i-- {
		switch next := runes[i] + 1; {
		case next == 0xD800: // surrogates are no characters
			return string(runes[:i]) + "\uE000", true
		case next <= 0x10FFFF:
			return string(runes[:i]) + string(next), true
		}
	}
	return "", false
}

func comparison(op domain.FilterOp) string {
	switch op { //nolint:exhaustive // the others do not order
	case domain.OpGreater:
		return ">"
	case domain.OpGreaterOrEqual:
		return ">="
	case domain.OpLess:
		return "<"
	case domain.OpLessOrEqual:
		return "<="
	default:
		return "="
	}
}

// compareTime compares microseconds; a finer literal falls between two of them.
func compareTime(name string, c domain.Compare) condition {
	want, ok := c.Value.(time.Time)
	if !ok {
		return nothing()
	}
	floor := want.UnixMicro()
	between := want.Nanosecond()%1000 != 0
	op := c.Op
	switch {
	case op == domain.OpContains || op == domain.OpStartsWith || op == domain.OpEndsWith:
		return nothing()
	case op == domain.OpEqual && between:
		return nothing()
	case op == domain.OpGreaterOrEqual && between:
		op = domain.OpGreater
	case op == domain.OpLess && between:
		op = domain.OpLessOrEqual
	}
	return condition{sql: name + " " + comparison(op) + " ?", args: []any{floor}, exact: true}
}

// inSet holds when one of the values does; operators that an absent or empty value could fulfil are left to Match.
func (f filterable) inSet(s set, c domain.Compare) condition {
	switch c.Op { //nolint:exhaustive // the others are left to Match
	case domain.OpEqual, domain.OpStartsWith, domain.OpContains, domain.OpEndsWith:
	default:
		return everything()
	}
	inner := f.compareText(s.value, c)
	if inner.sql == "TRUE" {
		return everything()
	}
	return condition{
		sql: f.id + " IN (" + s.query + " AND " + inner.sql + ")", args: append([]any{f.org}, inner.args...), exact: inner.exact,
	}
}

// valuePath narrows down by the conditions on the element's value that must hold; the rest is left to Match.
func (f filterable) valuePath(p domain.ValuePath) condition {
	if p.Attr.Unknown {
		return nothing()
	}
	if p.Attr.URN != "" {
		return everything()
	}
	set, ok := f.sets[p.Attr.Name+".value"]
	if !ok {
		return everything()
	}
	narrowed := everything()
	for _, part := range conjuncts(p.Inner) {
		compare, ok := part.(domain.Compare)
		if ok && compare.Attr.Name == "value" && compare.Attr.Sub == "" && compare.Attr.Type == domain.TypeString && !compare.Attr.Unknown {
			narrowed = both(" AND ", narrowed, f.inSet(set, compare))
		}
	}
	narrowed.exact = false
	if compare, ok := p.Inner.(domain.Compare); ok && compare.Attr.Name == "value" && compare.Attr.Sub == "" && compare.Attr.Type == domain.TypeString {
		return f.inSet(set, compare)
	}
	return narrowed
}

// conjuncts are the conditions that all must hold.
func conjuncts(filter domain.Filter) []domain.Filter {
	if and, ok := filter.(domain.And); ok {
		return append(conjuncts(and.Left), conjuncts(and.Right)...)
	}
	return []domain.Filter{filter}
}

// mentions reports whether the filter asks about an attribute.
func mentions(filter domain.Filter, urn, name string) bool {
	asks := func(a domain.Attr) bool { return a.URN == urn && a.Name == name }
	switch v := filter.(type) {
	case domain.And:
		return mentions(v.Left, urn, name) || mentions(v.Right, urn, name)
	case domain.Or:
		return mentions(v.Left, urn, name) || mentions(v.Right, urn, name)
	case domain.Not:
		return mentions(v.Operand, urn, name)
	case domain.Present:
		return asks(v.Attr)
	case domain.Compare:
		return asks(v.Attr)
	case domain.ValuePath:
		return asks(v.Attr)
	default:
		return false
	}
}
