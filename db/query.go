package db

import (
	"fmt"
	"maps"
	"time"

	"muster/domain"
)

// found is a resource that a query is about.
type found[T any] struct {
	// table names the table with its alias, columns what is read of it, and id the column that orders the pages.
	table, columns string
	fields         filterable
	// read runs a statement and returns the resources and their ids.
	read func(query string, args ...any) ([]T, error)
	id   func(T) string
	// document is what Match decides over; it is asked for when SQL alone cannot decide.
	document func(T) domain.Document
	// complete adds what the filter needs and the row does not hold.
	complete func([]T) error
}

// run answers a query in order of id, which is the order of creation.
func run[T any](h handle, q domain.Query, of found[T]) (domain.Result[T], error) {
	where := of.fields.compile(q.Filter)
	if !where.exact {
		return scan(q, of, where)
	}
	result := domain.Result[T]{}
	args := append([]any{h.org}, where.args...)
	if q.Count > 0 {
		var err error
		result.Items, err = of.read("SELECT "+of.columns+" FROM "+of.table+" WHERE org_id = ? AND "+where.sql+" ORDER BY id LIMIT ? OFFSET ?",
			append(args, q.Count, q.Offset)...)
		if err != nil {
			return result, err
		}
		// A page that is not full is the last one and tells the total, unless it lies behind the end.
		if n := len(result.Items); n < q.Count && (n > 0 || q.Offset == 0) {
			result.Total = q.Offset + n
			return result, nil
		}
	}
	err := h.get("", &result.Total, "SELECT COUNT(*) FROM "+of.table+" WHERE org_id = ? AND "+where.sql, args...)
	return result, err
}

// scan reads what SQL found, chunk by chunk in order of id, and lets the filter decide.
func scan[T any](q domain.Query, of found[T], where condition) (domain.Result[T], error) {
	result := domain.Result[T]{}
	query := "SELECT " + of.columns + " FROM " + of.table + " WHERE org_id = ? AND id > ? AND " + where.sql + " ORDER BY id LIMIT ?"
	for last := ""; ; {
		args := append([]any{of.fields.org, last}, where.args...)
		rows, err := of.read(query, append(args, chunk)...)
		if err != nil {
			return result, err
		}
		if err := of.complete(rows); err != nil {
			return result, err
		}
		for _, row := range rows {
			if !q.Filter.Match(of.document(row)) {
				continue
			}
			if result.Total++; result.Total > q.Offset && len(result.Items) < q.Count {
				result.Items = append(result.Items, row)
			}
		}
		if len(rows) < chunk {
			return result, nil
		}
		last = of.id(rows[len(rows)-1])
	}
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
