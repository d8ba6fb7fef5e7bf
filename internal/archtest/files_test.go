package archtest_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// maxDependencies is how many modules our code may import, tests included.
const maxDependencies = 18

// A26: the protection against cross-site requests has no holes by pattern.
func TestNoInsecureBypass(t *testing.T) {
	for _, s := range sources(t) {
		if !s.test && strings.Contains(s.text, "AddInsecureBypassPattern") {
			t.Errorf("%s calls AddInsecureBypassPattern", s.name)
		}
	}
}

// A scope is what proves a right, so the maker for the stores' suite is called by tests only.
func TestScopesAreNotMadeUp(t *testing.T) {
	for _, s := range sources(t) {
		if !s.test && !strings.HasPrefix(s.name, "db/dbtest/") && strings.Contains(s.text, "domain."+"TestScopes(") {
			t.Errorf("%s makes a scope up", s.name)
		}
	}
}

// The project stands alone: no file of it names a place outside of it on the machine where it was written.
func TestNoPathsOutside(t *testing.T) {
	here := root(t)
	outside := []string{"../" + "shared"}
	// A tree right below a common folder, such as /src, has a name too short to mean only itself.
	if strings.Count(here, string(filepath.Separator)) > 1 {
		outside = append(outside, here)
	}
	for name, text := range files(t) {
		for _, place := range outside {
			if strings.Contains(text, place) {
				t.Errorf("%s names %s", name, place)
			}
		}
	}
}

func TestDependenciesHaveReasons(t *testing.T) {
	all := files(t)
	documented := columns(t, `(?m)^\| `+"`"+`([^`+"`"+`]+)`+"`"+` \| [^|]+ \| [^|]+ \| [^|]+ \|$`, all["docs/dependencies.md"])
	required := columns(t, `(?m)^(?:require)?\s+([a-z][^\s/]*\.[^\s]+) v\S+`, all["go.mod"])
	used := map[string]bool{}
	for _, s := range sources(t) {
		for _, imported := range s.imports {
			if module := moduleOf(imported, required); module != "" {
				used[module] = true
			}
		}
	}
	for module := range used {
		if !slices.Contains(documented, module) {
			t.Errorf("%s is imported, and docs/dependencies.md has no reason for it", module)
		}
	}
	for _, module := range documented {
		if !used[module] {
			t.Errorf("docs/dependencies.md has %s, which nothing imports", module)
		}
	}
	if len(used) > maxDependencies {
		t.Errorf("%d direct dependencies; at most %d", len(used), maxDependencies)
	}
}

// moduleOf returns the required module that a package belongs to, or "" for the standard library and our own.
func moduleOf(imported string, required []string) string {
	longest := ""
	for _, module := range required {
		if below(imported, module) && len(module) > len(longest) {
			longest = module
		}
	}
	return longest
}

// columns returns what the pattern's group matched in text.
func columns(t *testing.T, pattern, text string) []string {
	t.Helper()
	var found []string
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		found = append(found, match[1])
	}
	if len(found) == 0 {
		t.Fatalf("nothing matches %s", pattern)
	}
	return found
}
