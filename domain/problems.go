package domain

import (
	"fmt"
	"strings"
)

// RowError is what is wrong with one row of a batch.
type RowError struct {
	// Row counts from 0.
	Row   int
	Field string
	Text  string
}

// problems collects what is wrong with the rows of a batch, so that the answer names all of them (R21).
type problems struct {
	found []RowError
	kinds map[Kind]bool
	// failed is an error that is nobody's row, such as a database that does not answer.
	failed error
}

// add notes what is wrong with a row; of each row the first thing counts.
func (p *problems) add(row int, err error) {
	if err == nil || p.failed != nil || len(p.found) > 0 && p.found[len(p.found)-1].Row == row {
		return
	}
	known := AsError(err)
	switch known.Kind { //nolint:exhaustive // what is left is not about a row
	case Invalid, Conflict, Forbidden:
	default:
		p.failed = err
		return
	}
	if p.kinds == nil {
		p.kinds = map[Kind]bool{}
	}
	p.kinds[known.Kind] = true
	p.found = append(p.found, RowError{row, known.Field, known.Text})
}

// err returns all of them as one error: Invalid where a row is, else Forbidden, else Conflict.
func (p *problems) err() error {
	if p.failed != nil || len(p.found) == 0 {
		return p.failed
	}
	kind := Conflict
	for _, worse := range []Kind{Forbidden, Invalid} {
		if p.kinds[worse] {
			kind = worse
		}
	}
	var words []string
	for _, row := range p.found {
		words = append(words, fmt.Sprintf("row %d: %s", row.Row, row.Text))
	}
	return &Error{Kind: kind, Text: strings.Join(words, "; "), Rows: p.found}
}

// alone turns the error of a batch of one into the error of its row.
func alone(err error) error {
	known := AsError(err)
	if len(known.Rows) != 1 {
		return err
	}
	return &Error{Kind: known.Kind, Field: known.Rows[0].Field, Text: known.Rows[0].Text}
}
