package archtest_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// ignored are the folders that are no part of the project; .gitignore has the same.
var ignored = []string{".git", ".data", ".tools", "bin", "dist", "screenshots"}

// source is one Go file, named by its path from the module's root.
type source struct {
	name    string
	folder  string
	test    bool
	imports []string
	text    string
}

// root finds the directory of go.mod above this package's.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// files returns the contents of every file of the project by its path from the root.
func files(t *testing.T) map[string]string {
	t.Helper()
	contents := map[string]string{}
	tree := os.DirFS(root(t))
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && slices.Contains(ignored, name) {
			return fs.SkipDir
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		text, err := fs.ReadFile(tree, name)
		contents[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return contents
}

// sources parses every Go file of the module, whatever its build tags say; a module of its own inside of it has its own rules.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	tree := files(t)
	var nested []string
	for name := range tree {
		if path.Base(name) == "go.mod" && name != "go.mod" {
			nested = append(nested, path.Dir(name))
		}
	}
	for name, text := range tree {
		if !strings.HasSuffix(name, ".go") || below(name, nested...) {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		s := source{name: name, folder: path.Dir(name), test: strings.HasSuffix(name, "_test.go"), text: text}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			s.imports = append(s.imports, imported)
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		t.Fatal("no Go files found")
	}
	return all
}

// below says whether an import path or folder is one of roots or lies below one.
func below(name string, roots ...string) bool {
	return slices.ContainsFunc(roots, func(r string) bool { return name == r || strings.HasPrefix(name, r+"/") })
}
