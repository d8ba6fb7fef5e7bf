package db

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"muster/domain"
)

// chunk is how many ids or rows one statement takes, which bounds its memory and its time.
const chunk = 1000

// longestKey is the longest text that goes into an index; PostgreSQL refuses index rows above a third of a page.
const longestKey = 2048 // bytes, after folding

// micros is a time as it is stored; 0 is no time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// moment is the inverse of micros.
func moment(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// key returns the folded form of text under which an index finds it.
// Text that one of the engines could not index is Invalid on both.
func key(field, text string) (string, error) {
	return exactKey(field, domain.Fold(text))
}

// exactKey is key for text that is compared as it is.
func exactKey(field, text string) (string, error) {
	if len(text) > longestKey {
		return "", domain.Invalidf(field, "%s is longer than %d bytes", field, longestKey)
	}
	if strings.ContainsRune(text, 0) {
		return "", domain.Invalidf(field, "%s holds a NUL character", field)
	}
	return text, nil
}

// encode writes a value as JSON text.
func encode(value any) (string, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", domain.Wrap(domain.Internal, err, "a value cannot be stored as JSON")
	}
	return strings.TrimSuffix(text.String(), "\n"), nil
}

// decode reads JSON text; numbers keep their digits.
func decode(text string, value any) error {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(value); err != nil {
		return domain.Wrap(domain.Internal, err, "a stored value is not JSON")
	}
	return nil
}

// texts is a list of ids for dialect.in.
func texts[T ~string](values []T) string {
	rows := make([][1]string, len(values))
	for i, value := range values {
		rows[i][0] = string(value)
	}
	text, _ := json.Marshal(rows) //nolint:errchkjson // text cannot fail
	return string(text)
}

// tuples is a list of rows for dialect.rows.
func tuples(rows [][]any) (string, error) { return encode(rows) }

// places returns "?, ?, ?".
func places(n int) string {
	if n == 0 {
		return ""
	}
	return "?" + strings.Repeat(", ?", n-1)
}

// heldRow is a grant in force as members and workspace_members keep it.
type heldRow struct {
	Role       domain.RoleID    `db:"role_id"`
	Kind       domain.GrantKind `db:"grant_kind"`
	Source     string           `db:"grant_source"`
	SourceName string           `db:"grant_source_name"`
	At         int64            `db:"granted_at"`
	Replaced   string           `db:"replaced"`
}

const heldColumns = "role_id, grant_kind, grant_source, grant_source_name, granted_at, replaced"

func (r heldRow) held() (domain.Held, error) {
	held := domain.Held{Grant: domain.Grant{
		Kind: r.Kind, Role: r.Role, Source: r.Source, SourceName: r.SourceName, At: moment(r.At),
	}}
	if r.Replaced == "" {
		return held, nil
	}
	held.Replaced = &domain.Grant{}
	return held, decode(r.Replaced, held.Replaced)
}

// heldArgs are the values of heldColumns.
func heldArgs(h domain.Held) ([]any, error) {
	replaced := ""
	if h.Replaced != nil {
		var err error
		if replaced, err = encode(h.Replaced); err != nil {
			return nil, err
		}
	}
	return []any{h.Role, h.Kind, h.Source, h.SourceName, micros(h.At), replaced}, nil
}
