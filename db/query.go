package db

import (
	"fmt"
	"maps"
	"strconv"
	"time"

	"muster/domain"
)

// found is a resource that a query is about.
type found[T any] struct {
	// table names the table, and columns what is read of it.
	table, columns string
	fields         filterable
	// read runs a statement whose rows are columns and then sort_key; exact says that nothing looks into the documents it finds.
	read func(exact bool, query string, args ...any) ([]row[T], error)
	// document is what Match decides over; it is asked for when SQL alone cannot decide.
	document func(T) domain.Document
	// complete adds what the filter or the order needs and the row does not hold.
	complete func([]row[T]) error
	// count returns the number of all resources where that is known without counting; nil where it is not.
	count func() (int, error)
}

// row is a resource as a query found it.
type row[T any] struct {
	item T
	id   string
	// key is the column that the list is sorted by, as text.
	key string
}

// run answers a query in its order, by default that of id, which is the order of creation.
func run[T any](h handle, q domain.Query, of found[T]) (domain.Result[T], error) {
	if h.refused != nil {
		return domain.Result[T]{}, h.refused
	}
	where := of.fields.where(q)
	order, sortable := of.fields.order(q)
	if !where.exact || !sortable {
		return scan(q, of, where)
	}
	result := domain.Result[T]{}
	args := append([]any{h.org}, where.args...)
	if q.Count > 0 {
		rows, err := of.read(true, "SELECT "+of.columns+", "+order.key+" AS sort_key FROM "+of.table+" WHERE org_id = ? AND "+where.sql+order.behind+
			" ORDER BY "+order.by+" LIMIT ? OFFSET ?", append(append(args[:len(args):len(args)], order.args...), q.Count+1, q.Offset)...)
		if err != nil {
			return result, err
		}
		result = page(q, rows, func(r row[T]) domain.Position { return positionOf(order, r) })
	}
	var err error
	result.Total, err = total(h, q, of, where, args, result)
	return result, err
}

// page cuts off the row that was read to see whether there are more, and puts a page that was read backward in order.
func page[T any](q domain.Query, rows []row[T], position func(row[T]) domain.Position) domain.Result[T] {
	var result domain.Result[T]
	if result.More = len(rows) > q.Count; result.More {
		rows = rows[:q.Count]
	}
	if len(rows) == 0 {
		return result
	}
	result.Items, result.At = make([]T, len(rows)), make([]domain.Position, len(rows))
	for i, row := range rows {
		at := i
		if q.Backward {
			at = len(rows) - 1 - i
		}
		result.Items[at], result.At[at] = row.item, position(row)
	}
	return result
}

// total counts all matches, unless the page or an earlier one tells.
func total[T any](h handle, q domain.Query, of found[T], where condition, args []any, page domain.Result[T]) (int, error) {
	switch n := len(page.Items); {
	case q.Total != nil:
		return *q.Total, nil
	case q.Count > 0 && q.From == nil && !page.More && (n > 0 || q.Offset == 0):
		return q.Offset + n, nil // the last page tells, unless it lies behind the end
	case q.Filter == nil && of.count != nil:
		return of.count()
	}
	var n int
	err := h.get("", &n, "SELECT COUNT(*) FROM "+of.table+" WHERE org_id = ? AND "+where.sql, args...)
	return n, err
}

// ordering is an order as SQL.
type ordering struct {
	// by is the ORDER BY list, behind the condition that a row lies behind the query's position, with its arguments,
	// and key the sort column as text.
	by, behind, key string
	args            []any
	column          *column
	time            bool
}

// order turns a query's order into SQL; false when no column holds what it sorts by.
func (f filterable) order(q domain.Query) (ordering, bool) {
	descending := q.Backward
	if q.Sort == nil {
		return orderByID(q, descending), true
	}
	descending = descending != q.Sort.Descending
	if q.Sort.Attr.URN != "" || q.Sort.Attr.Unknown {
		return ordering{}, false
	}
	path := q.Sort.Attr.Path()
	if path == "id" {
		return orderByID(q, descending), true
	}
	if name, ok := f.times[path]; ok {
		return ordering{time: true}.along(name, q, descending), true
	}
	col, ok := f.columns[path]
	if !ok || !col.canonical && col.folded == q.Sort.Attr.CaseExact {
		return ordering{}, false
	}
	return ordering{column: &col}.along(col.name, q, descending), true
}

func orderByID(q domain.Query, descending bool) ordering {
	o := ordering{by: "id" + downward(descending), key: "''"}
	if q.From != nil {
		o.behind, o.args = " AND id "+than(descending)+" ?", []any{q.From.ID}
	}
	return o
}

// along orders by a column and then by id; resources without a value come last, or first in the reverse.
func (o ordering) along(name string, q domain.Query, descending bool) ordering {
	o.key = "CAST(" + name + " AS TEXT)"
	o.by = name + downward(descending) + ", id" + downward(descending)
	optional := o.column != nil && o.column.optional
	if optional {
		o.by = "(" + name + " = '')" + downward(descending) + ", " + o.by
	}
	if q.From == nil {
		return o
	}
	if q.From.Key.Absent {
		o.behind, o.args = " AND ("+name+" = '' AND id "+than(descending)+" ?)", []any{q.From.ID}
		if descending {
			o.behind = " AND (" + name + " <> '' OR id < ?)"
		}
		return o
	}
	o.behind, o.args = "("+name+", id) "+than(descending)+" (?, ?)", []any{o.literal(q.From.Key), q.From.ID}
	switch {
	case optional && descending:
		o.behind = " AND (" + name + " <> '' AND " + o.behind + ")"
	case optional:
		o.behind = " AND (" + name + " = '' OR " + o.behind + ")"
	default:
		o.behind = " AND " + o.behind
	}
	return o
}

// literal is a key as its column holds it.
func (o ordering) literal(key domain.SortKey) any {
	if !o.time {
		return key.Text
	}
	micros, _ := strconv.ParseInt(key.Text, 10, 64)
	return micros
}

// positionOf is where a row lies in the order.
func positionOf[T any](o ordering, r row[T]) domain.Position {
	at := domain.Position{ID: r.id, Key: domain.SortKey{Text: r.key}}
	switch {
	case o.time:
		micros, _ := strconv.ParseInt(r.key, 10, 64)
		at.Key.Text = domain.TimeKey(time.UnixMicro(micros))
	case o.column != nil && o.column.optional && r.key == "":
		at.Key.Absent = true
	}
	return at
}

func downward(descending bool) string {
	if descending {
		return " DESC"
	}
	return ""
}

func than(descending bool) string {
	if descending {
		return "<"
	}
	return ">"
}

// withLocation adds where the resource is, for filters and orders that ask.
func withLocation(q domain.Query, doc domain.Document, resourceType, id string) domain.Document {
	if meta, ok := doc["meta"].(map[string]any); ok && q.Location != nil {
		meta["location"] = q.Location(resourceType, id)
	}
	return doc
}

// document adds the common attributes (RFC 7643 section 3.1) to a resource's own.
func document(attributes domain.Document, resourceType, id string, version int64, created, updated time.Time) domain.Document {
	doc := maps.Clone(attributes)
	if doc == nil {
		doc = domain.Document{}
	}
	doc["id"] = id
	doc["meta"] = map[string]any{
		"resourceType": resourceType, "version": fmt.Sprintf(`W/"%d"`, version),
		"created": created.Format(time.RFC3339Nano), "lastModified": updated.Format(time.RFC3339Nano),
	}
	return doc
}

// refersTo reports whether the filter or the order asks about an attribute, given without its sub-attribute.
func refersTo(q domain.Query, urn, name string) bool {
	return mentions(q.Filter, urn, name) || q.Sort != nil && q.Sort.Attr.URN == urn && q.Sort.Attr.Name == name
}
