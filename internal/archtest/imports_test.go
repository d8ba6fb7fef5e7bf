package archtest_test

import (
	"slices"
	"strings"
	"testing"
)

// layer is a folder and what of this module its code may import besides itself; nil means everything.
type layer struct {
	folder string
	may    []string
}

// layers are looked through in order; a folder with Go code and no layer is an error.
var layers = []layer{
	{"domain", []string{}},
	{"db", []string{"domain"}},
	{"scim", []string{"domain", "internal/httpx"}},
	{"oidc", []string{"domain", "internal/httpx"}},
	{"admin", []string{"domain", "internal/httpx"}},
	{"web", []string{"domain", "internal/httpx"}},
	{"internal/trace", []string{}},
	{"internal/httpx", []string{"domain", "internal/trace"}},
	{"internal/demoidp", []string{"domain", "internal/httpx"}},
	{"internal/deliver", []string{"domain", "internal/trace"}},
	{"internal/mail", []string{"domain", "internal/trace"}},
	{"internal/idpcheck", []string{}},
	{"internal/testkit", []string{"domain"}},
	{"internal/archtest", []string{}},
	{"deploy", []string{}},
	{"cmd", nil},
	{"bench", nil},
}

// forTests is what test code may import anywhere: a test of a front end runs it on a real store.
var forTests = []string{"db", "internal/testkit", "internal/demoidp", "internal/httpx"}

// owners are the packages that only some folders may import; a name that ends in "_test" stands for all test code.
var owners = map[string][]string{
	"github.com/elimity-com/scim":         {"scim"},
	"github.com/coreos/go-oidc":           {"oidc"},
	"golang.org/x/oauth2":                 {"oidc"},
	"github.com/jmoiron/sqlx":             {"db", "bench"},
	"modernc.org/sqlite":                  {"db", "bench"},
	"github.com/pressly/goose":            {"db"},
	"github.com/lib/pq":                   {"db", "bench", "internal/testkit", "_test"},
	"database/sql":                        {"db", "bench", "internal/testkit", "_test"},
	"github.com/danielgtaylor/huma":       {"admin"},
	"github.com/prometheus/client_golang": {"internal/httpx", "cmd"},
	"github.com/alecthomas/kong":          {"cmd"},
	"go.yaml.in/yaml":                     {"cmd"},
	"github.com/chromedp":                 {"internal/testkit", "_test"},
	"pgregory.net/rapid":                  {"_test"},
}

func TestImports(t *testing.T) {
	for _, s := range sources(t) {
		for _, imported := range s.imports {
			if reason := refused(s, imported); reason != "" {
				t.Errorf("%s imports %s: %s", s.name, imported, reason)
			}
		}
	}
}

// The rules themselves: each of these imports must be refused, or allowed.
func TestImportRules(t *testing.T) {
	for _, test := range []struct {
		file, imported string
		refused        bool
	}{
		{"domain/x.go", "net/http", true},
		{"domain/x.go", "net/http/httptest", true},
		{"domain/x.go", "database/sql", true},
		{"domain/x.go", "github.com/google/uuid", true},
		{"domain/x.go", "muster/internal/httpx", true},
		{"domain/x.go", "golang.org/x/text/cases", false},
		{"domain/x.go", "strings", false},
		{"domain/x_test.go", "pgregory.net/rapid", false},
		{"db/x.go", "muster/scim", true},
		{"db/dbtest/x.go", "muster/db", false},
		{"scim/x.go", "muster/db", true},
		{"scim/x.go", "muster/oidc", true},
		{"scim/x_test.go", "muster/oidc", true},
		{"scim/x_test.go", "muster/db", false},
		{"scim/patch/x.go", "muster/scim/filter", false},
		{"web/x.go", "muster/admin", true},
		{"web/x.go", "muster/internal/httpx", false},
		{"web/x.go", "muster/internal/testkit", true},
		{"admin/x.go", "github.com/elimity-com/scim/schema", true},
		{"scim/x.go", "github.com/elimity-com/scim/schema", false},
		{"cmd/muster/x.go", "github.com/coreos/go-oidc/v3/oidc", true},
		{"cmd/muster/x.go", "muster/web", false},
		{"domain/x.go", "pgregory.net/rapid", true},
		{"surprise/x.go", "strings", true},
	} {
		folder, name, _ := cutLast(test.file)
		s := source{name: test.file, folder: folder, test: strings.HasSuffix(name, "_test.go")}
		if reason := refused(s, test.imported); (reason != "") != test.refused {
			t.Errorf("%s imports %s: %q", test.file, test.imported, reason)
		}
	}
}

// The production binary cannot reach the demo identity provider or anything made for tests.
func TestProductionBinaryHasNoDemo(t *testing.T) {
	imports := map[string][]string{}
	for _, s := range sources(t) {
		if !s.test {
			imports[s.folder] = append(imports[s.folder], s.imports...)
		}
	}
	seen := map[string]bool{}
	next := []string{"cmd/muster"}
	for len(next) > 0 {
		folder := next[0]
		next = next[1:]
		if seen[folder] {
			continue
		}
		seen[folder] = true
		if below(folder, "internal/demoidp", "internal/testkit", "cmd/demo") {
			t.Errorf("cmd/muster reaches %s", folder)
		}
		for _, imported := range imports[folder] {
			if own, ok := strings.CutPrefix(imported, "muster/"); ok {
				next = append(next, own)
			}
		}
	}
}

// refused returns why s may not import a package, or "".
func refused(s source, imported string) string {
	at := slices.IndexFunc(layers, func(l layer) bool { return below(s.folder, l.folder) })
	if at < 0 {
		return "its folder has no layer in internal/archtest"
	}
	from := layers[at]
	if own, ok := strings.CutPrefix(imported, "muster/"); ok {
		if from.may == nil || below(own, from.folder) || below(own, from.may...) || s.test && below(own, forTests...) {
			return ""
		}
		return from.folder + " may import of this module only: " + strings.Join(from.may, ", ")
	}
	if from.folder == "domain" && !s.test {
		return refusedInDomain(imported)
	}
	for owned, folders := range owners {
		allowed := below(s.folder, folders...) || s.test && slices.Contains(folders, "_test")
		if below(imported, owned) && !allowed {
			return "only for " + strings.Join(folders, ", ")
		}
	}
	return ""
}

// refusedInDomain is stricter: the rules know neither protocols nor storage nor anybody's library.
func refusedInDomain(imported string) string {
	first, _, _ := strings.Cut(imported, "/")
	foreign := strings.Contains(first, ".") && !below(imported, "golang.org/x/text")
	if foreign || below(imported, "net/http", "database/sql") {
		return "domain imports the standard library without net/http and database/sql, and golang.org/x/text"
	}
	return ""
}

func cutLast(name string) (folder, file string, found bool) {
	i := strings.LastIndexByte(name, '/')
	if i < 0 {
		return "", name, false
	}
	return name[:i], name[i+1:], true
}
