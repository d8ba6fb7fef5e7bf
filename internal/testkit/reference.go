package testkit

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// generatedLine marks where a page's generated part begins; what stands before it is written by hand.
const generatedLine = "<!-- From here on this page is generated from the code: make docs -->\n"

// CompareReference holds the generated part of a page of the documentation against what the code says, or, under "make docs", writes it.
func CompareReference(t testing.TB, page, want string) {
	t.Helper()
	path := filepath.Join(moduleRoot(t), page)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, got, found := strings.Cut(string(raw), generatedLine)
	switch {
	case !found:
		t.Fatalf("%s lacks the line %s", page, generatedLine)
	case got == want:
	case os.Getenv("MUSTER_WRITE_DOCS") == "":
		t.Fatalf("%s is not what the code says; \"make docs\" writes it anew", page)
	default:
		if err := os.WriteFile(path, []byte(head+generatedLine+want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
