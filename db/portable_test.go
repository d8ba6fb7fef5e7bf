package db_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What keeps distributed engines open that speak PostgreSQL's protocol: rule 9 of the transactions in docs/scaling.md.

// forbidden are what such engines lack, or do slowly.
var forbidden = map[string]*regexp.Regexp{
	"a sequence":                  regexp.MustCompile(`(?i)\b((big|small)?serial|nextval|currval|lastval|autoincrement|create\s+sequence|as\s+identity)\b`),
	"LISTEN or NOTIFY":            regexp.MustCompile(`(?i)\b(un)?listen\s+\w|\bnotify\s+\w|\bpg_notify\b`),
	"an advisory lock":            regexp.MustCompile(`(?i)\bpg_(try_)?advisory`),
	"a deferrable constraint":     regexp.MustCompile(`(?i)\bdeferrable\b|\binitially\s+deferred\b|\bset\s+constraints\b`),
	"citext":                      regexp.MustCompile(`(?i)\bcitext\b`),
	"a generated column":          regexp.MustCompile(`(?i)\bgenerated\s+(always|by\s+default)\b`),
	"an ENUM or another type":     regexp.MustCompile(`(?i)\benum\b|\bcreate\s+(type|domain)\b`),
	"a trigger or a function":     regexp.MustCompile(`(?i)\b(create|drop)\s+(or\s+replace\s+)?(constraint\s+)?(trigger|function|procedure|rule)\b`),
	"an extension":                regexp.MustCompile(`(?i)\bcreate\s+extension\b`),
	"columns that are not listed": regexp.MustCompile(`(?i)(\bselect|\breturning|,)\s+(\w+\.)?\*`),
	"a row lock":                  regexp.MustCompile(`(?i)\bfor\s+(no\s+key\s+)?update\b|\bfor\s+(key\s+)?share\b|\block\s+table\b`),
	"OFFSET":                      regexp.MustCompile(`(?i)\boffset\s+[?0-9]`),
	"a temporary table":           regexp.MustCompile(`(?i)\bcreate\s+(local\s+)?temp`),
}

// exceptions are the files that may, by what is forbidden, and why they may.
var exceptions = map[string]map[string]string{
	"columns that are not listed": {
		"copy_rows.go": "asks a table for the names of its columns, with LIMIT 0, to copy it whole",
	},
	"a row lock": {
		"dialect.go": "the only place: distributed engines have it too, and SQLite's writer holds everything anyway",
	},
	"OFFSET": {
		"group_query.go":  "a page of the groups of one organization by number; the console and scripts ask for the first ones",
		"invites.go":      "invites are few",
		"people.go":       "invites are few",
		"member_list.go":  "a page of a filtered list; deep pages of the whole list go by member_marks.go",
		"members.go":      "whether there are more than 20,000 members: so many keys of an index at most",
		"member_marks.go": "at most 5,000 rows behind a key that is remembered",
		"query.go":        "startIndex without a bookmark; with one, and with a cursor, a page begins at its key",
	},
}

// sqlLike tells SQL from prose: keywords are written in capitals.
var sqlLike = regexp.MustCompile(`\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|FROM|WHERE|ORDER BY|LIMIT|CREATE|ALTER|DROP|BEGIN|RETURNING|ON CONFLICT|FOR|SET|VALUES|LOCK|LISTEN|NOTIFY)\b`)

// faultsOf returns what is forbidden in a text of SQL.
func faultsOf(text string) []string {
	var found []string
	for fault, pattern := range forbidden {
		if pattern.MatchString(text) {
			found = append(found, fault)
		}
	}
	slices.Sort(found)
	return found
}

// statementsOf returns the texts of SQL in a Go file: each concatenation is one, with ? for what is not written out.
func statementsOf(t *testing.T, name string, source any) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, source, 0)
	must(t, err)
	var texts []string
	ast.Inspect(file, func(node ast.Node) bool {
		expression, ok := node.(ast.Expr)
		if !ok {
			return true
		}
		text, literal := textOf(expression)
		if literal && sqlLike.MatchString(text) {
			texts = append(texts, text)
		}
		return !literal
	})
	return texts
}

// textOf joins a concatenation; literal says that there is a string in it.
func textOf(expression ast.Expr) (text string, literal bool) {
	switch e := expression.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return "?", false
		}
		text, err := strconv.Unquote(e.Value)
		return text, err == nil
	case *ast.BinaryExpr:
		if e.Op != token.ADD {
			return "?", false
		}
		left, one := textOf(e.X)
		right, two := textOf(e.Y)
		return left + right, one || two
	case *ast.ParenExpr:
		return textOf(e.X)
	default:
		return "?", false
	}
}

// Rule 9: no statement needs what only one machine can do; what does is named above with its reason, and nothing is named in vain.
func TestStatementsArePortable(t *testing.T) {
	files, err := filepath.Glob("*.go")
	must(t, err)
	statements, used := 0, map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, text := range statementsOf(t, name, nil) {
			statements++
			for _, fault := range faultsOf(text) {
				if exceptions[fault][name] == "" {
					t.Errorf("%s has %s: %s", name, fault, text)
				}
				used[fault+name] = true
			}
		}
	}
	if statements < 200 {
		t.Errorf("only %d statements were found: the test does not see them", statements)
	}
	for fault, named := range exceptions {
		for name := range named {
			if !used[fault+name] {
				t.Errorf("%s is named as having %s and has none", name, fault)
			}
		}
	}
}

// mixed are the migrations that change the schema and rows in one transaction, which some engines refuse or run apart.
// They are older than the rule: on a new database there are no rows to change. There will be no more.
var mixed = []string{"00002_scim.sql", "00003_signin.sql", "00005_console.sql"}

var (
	comment    = regexp.MustCompile(`--[^\n]*`)
	definition = regexp.MustCompile(`(?i)^(create\s+(unique\s+)?(table|index)|alter\s+table|drop\s+(table|index))\b`)
	change     = regexp.MustCompile(`(?i)^(insert|update|delete)\b`)
	column     = regexp.MustCompile(`(?im)^\s+(\w+)\s+([A-Z]+)\b.*$|\badd\s+column\s+(\w+)\s+([A-Z]+)\b`)
	computed   = regexp.MustCompile(`(?i)\bdefault\s+(\w+\s*\(|current_|now)`)
)

// migrationFaults returns what is wrong with the statements of a migration.
func migrationFaults(text string) []string {
	faults := faultsOf(comment.ReplaceAllString(text, ""))
	definitions, changes := 0, 0
	for statement := range strings.SplitSeq(comment.ReplaceAllString(text, ""), ";") {
		statement = strings.TrimSpace(statement)
		switch {
		case statement == "":
		case definition.MatchString(statement):
			definitions++
			faults = append(faults, columnFaults(statement)...)
		case change.MatchString(statement):
			changes++
		default:
			faults = append(faults, "neither schema nor rows: "+statement)
		}
	}
	if definitions > 0 && changes > 0 {
		faults = append(faults, "schema and rows together")
	}
	return faults
}

// columnFaults allows the three types that every engine has, and no default that the database computes: ids and times are made in Go.
func columnFaults(statement string) []string {
	var faults []string
	for _, found := range column.FindAllStringSubmatch(statement, -1) {
		name, kind := found[1]+found[3], strings.ToUpper(found[2]+found[4])
		if name == "PRIMARY" || name == "FOREIGN" || name == "UNIQUE" || name == "CHECK" {
			continue
		}
		if !slices.Contains([]string{"TEXT", "BIGINT", "BOOLEAN"}, kind) {
			faults = append(faults, name+" is "+kind)
		}
	}
	if computed.MatchString(statement) {
		faults = append(faults, "a default that the database computes")
	}
	return faults
}

// Rule 9 for the schema.
func TestMigrationsArePortable(t *testing.T) {
	files, err := filepath.Glob("migrations/*.sql")
	must(t, err)
	var together []string
	for _, name := range files {
		text, err := os.ReadFile(name)
		must(t, err)
		for _, fault := range migrationFaults(string(text)) {
			if fault == "schema and rows together" {
				together = append(together, filepath.Base(name))
				continue
			}
			t.Errorf("%s: %s", name, fault)
		}
	}
	if !slices.Equal(together, mixed) {
		t.Errorf("schema and rows are changed together in %v, want %v only", together, mixed)
	}
}

// The checks see what they are for.
func TestPortabilityChecks(t *testing.T) {
	for text, fault := range map[string]string{
		"SELECT nextval('ids')":                                 "a sequence",
		"LISTEN changes":                                        "LISTEN or NOTIFY",
		"SELECT pg_notify('changes', ?)":                        "LISTEN or NOTIFY",
		"SELECT pg_try_advisory_lock(1)":                        "an advisory lock",
		"SET CONSTRAINTS ALL DEFERRED":                          "a deferrable constraint",
		"SELECT CAST(? AS citext)":                              "citext",
		"SELECT * FROM users":                                   "columns that are not listed",
		"SELECT u.id, u.* FROM users u":                         "columns that are not listed",
		"INSERT INTO users (id) VALUES (?) RETURNING *":         "columns that are not listed",
		"SELECT id FROM users WHERE id = ? FOR UPDATE":          "a row lock",
		"SELECT id FROM users WHERE id = ? FOR NO KEY UPDATE":   "a row lock",
		"SELECT id FROM users ORDER BY id LIMIT ? OFFSET ?":     "OFFSET",
		"CREATE TEMP TABLE t (id TEXT)":                         "a temporary table",
		"SELECT COUNT(*) FROM users":                            "",
		"UPDATE users SET email = ? WHERE id = ? RETURNING id":  "",
		"SELECT id FROM users WHERE id > ? ORDER BY id LIMIT ?": "",
	} {
		source := fmt.Sprintf("package db\nfunc f(s, t string) string { return s + %q + t }", text)
		found := statementsOf(t, "sample.go", source)
		if len(found) != 1 {
			t.Errorf("%q was not seen as SQL", text)
			continue
		}
		if faults := strings.Join(faultsOf(found[0]), ", "); faults != fault {
			t.Errorf("%q: found %q, want %q", text, faults, fault)
		}
	}
	for text, fault := range map[string]string{
		"CREATE TABLE t (\n    id BIGSERIAL PRIMARY KEY\n);":                               "a sequence",
		"CREATE TABLE t (\n    id UUID NOT NULL PRIMARY KEY\n);":                           "id is UUID",
		"ALTER TABLE t ADD COLUMN at TIMESTAMPTZ NOT NULL;":                                "at is TIMESTAMPTZ",
		"ALTER TABLE t ADD COLUMN id TEXT NOT NULL DEFAULT gen_random_uuid();":             "a default that the database computes",
		"CREATE TABLE t (\n    n BIGINT GENERATED ALWAYS AS (1) STORED\n);":                "a generated column",
		"CREATE TYPE role AS ENUM ('a');":                                                  "an ENUM or another type",
		"CREATE TRIGGER x AFTER INSERT ON t EXECUTE FUNCTION f();":                         "a trigger or a function",
		"CREATE TABLE t (\n    a TEXT REFERENCES u (id) DEFERRABLE INITIALLY DEFERRED\n);": "a deferrable constraint",
		"CREATE EXTENSION citext;":                                                         "citext",
		"ALTER TABLE t ADD COLUMN a TEXT;\nUPDATE t SET a = b;":                            "schema and rows together",
		"VACUUM;": "neither schema nor rows: VACUUM",
	} {
		if faults := migrationFaults(text); !slices.Contains(faults, fault) {
			t.Errorf("%q: found %q, want %q among them", text, faults, fault)
		}
	}
}
