package db

import (
	"errors"
	"strconv"
	"strings"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// mostQueued is how many writes become one statement at most.
const mostQueued = 12

// queued is a write whose result nobody waits for.
type queued struct {
	table, query string
	args         []any
	// one says that it must concern a row.
	one bool
}

// later writes at the latest when the transaction ends; a row that it does not concern is no error.
// What is queued goes out as one statement, before anything is read and before the commit.
// A statement that PostgreSQL then refuses makes the transaction run again carefully, with every write at once and
// answered by itself, so that an error is as precise as if nothing had been queued.
func (h handle) later(table, query string, args ...any) error {
	if !h.combines() {
		_, err := h.exec(query, args...)
		return err
	}
	return h.queue(queued{table: table, query: query, args: args})
}

// mustLater is later for a row that the transaction has seen: that it is gone by now is found out when the queue is written.
func (h handle) mustLater(what, table, query string, args ...any) error {
	if !h.combines() {
		return h.must(what, query, args...)
	}
	return h.queue(queued{table: table, query: query, args: args, one: true})
}

// presume is insert for a row that is hardly ever there already; where it is queued it reports true.
func (h handle) presume(table, query string, args ...any) (bool, error) {
	if !h.combines() {
		return h.insert(query, args...)
	}
	return true, h.queue(queued{table: table, query: query, args: args})
}

func (h handle) combines() bool { return h.dialect.combines && !h.careful }

// queue keeps at most one write for each table, because the parts of one statement neither see each other nor run in order.
func (h handle) queue(q queued) error {
	if err := h.writable(); err != nil {
		return err
	}
	full := len(h.waiting) == mostQueued
	for _, other := range h.waiting {
		full = full || other.table == q.table
	}
	if full {
		if err := h.flush(); err != nil {
			return err
		}
	}
	h.waiting = append(h.waiting, q)
	return nil
}

// flush writes what is queued, in the transaction.
func (h handle) flush() error {
	if len(h.waiting) == 0 {
		return nil
	}
	if err := h.begin(); err != nil {
		return err
	}
	query, args := h.combined()
	_, err := h.q.ExecContext(h.ctx, query, args...)
	if err != nil {
		h.misjudged = h.misjudged || presumption(err)
	}
	return h.failed("", err)
}

// combined empties the queue into one statement, which does everything or fails.
func (t *tx) combined() (query string, args []any) {
	var text, checks strings.Builder
	last := len(t.waiting) - 1
	for i, q := range t.waiting {
		args = append(args, q.args...)
		if i == last && checks.Len() == 0 && !q.one {
			text.WriteString(q.query)
			break
		}
		text.WriteString(separator(i, "WITH ", ", "))
		part := "w" + strconv.Itoa(i)
		text.WriteString(part + " AS (" + q.query)
		if q.one {
			text.WriteString(" RETURNING 1")
			// Nothing but an error keeps PostgreSQL from committing the other parts.
			checks.WriteString(separator(checks.Len(), "", ", ") + "1 / (SELECT COUNT(*) FROM " + part + ")")
		}
		text.WriteString(") ")
	}
	if checks.Len() > 0 {
		text.WriteString("SELECT " + checks.String())
	}
	t.waiting = t.waiting[:0]
	return t.dialect.rebind(text.String()), args
}

func separator(n int, first, other string) string {
	if n == 0 {
		return first
	}
	return other
}

// presumption reports whether a combined statement failed for what its parts took for granted.
func presumption(err error) bool {
	e, ok := errors.AsType[*pq.Error](err)
	return ok && (e.Code.Class() == "23" || e.Code == pqerror.DivisionByZero)
}
