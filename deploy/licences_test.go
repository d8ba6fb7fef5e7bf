package deploy_test

import (
	"debug/buildinfo"
	"strings"
	"testing"
)

// Every module that is in the program stands in docs/dependencies.md with its licence.
func TestDependenciesAreListed(t *testing.T) {
	info, err := buildinfo.ReadFile(static(t))
	if err != nil {
		t.Fatal(err)
	}
	documented := read(t, "../docs/dependencies.md")
	for _, module := range info.Deps {
		if !strings.Contains(documented, "`"+module.Path+"`") {
			t.Errorf("%s is in the program and not in docs/dependencies.md", module.Path)
		}
	}
	if len(info.Deps) < 20 {
		t.Errorf("the program says that it consists of %d modules", len(info.Deps))
	}
}
