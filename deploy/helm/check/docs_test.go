package check_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
)

const page = root + "/docs/kubernetes.md"

// marker begins what is generated.
const marker = "<!-- The table is made from values.yaml: make docs -->\n"

func readPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestReference compares the table of values with values.yaml; MUSTER_WRITE_DOCS=1 writes it.
func TestReference(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(chartDir, "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	table := marker + "\n| Value | Default | Meaning |\n|---|---|---|\n" + rows(t, "", document.Content[0])
	before, got, found := strings.Cut(readPage(t), marker)
	if !found {
		t.Fatalf("%s has no %q", page, marker)
	}
	if os.Getenv("MUSTER_WRITE_DOCS") != "" {
		if err := os.WriteFile(page, []byte(before+table), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if marker+got != table {
		t.Errorf("the table in %s is not what values.yaml has; run make docs", page)
	}
}

// rows are the lines of the table for a mapping: what has a comment of its own, or nothing below it.
func rows(t *testing.T, prefix string, node *yaml.Node) string {
	t.Helper()
	var out strings.Builder
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		name := prefix + key.Value
		if name == "config" {
			continue
		}
		text := meaning(key)
		below := value.Kind == yaml.MappingNode && len(value.Content) > 0
		if text != "" || !below {
			fmt.Fprintf(&out, "| `%s` | %s | %s |\n", name, shown(t, value), text)
		}
		if below {
			out.WriteString(rows(t, name+".", value))
		}
	}
	return out.String()
}

func meaning(key *yaml.Node) string {
	_, text, found := strings.Cut(key.HeadComment, "# -- ")
	if !found {
		return ""
	}
	text = regexp.MustCompile(`\s*\n#\s*`).ReplaceAllString(text, " ")
	return strings.ReplaceAll(strings.ReplaceAll(text, "|", "\\|"), "<", "&lt;")
}

// shown is a default in one line; what is longer is in the file.
func shown(t *testing.T, value *yaml.Node) string {
	t.Helper()
	switch {
	case value.Kind == yaml.ScalarNode && value.Value != "":
		return "`" + value.Value + "`"
	case value.Kind == yaml.SequenceNode && value.Style == yaml.FlowStyle && len(value.Content) > 0:
		var items []string
		for _, item := range value.Content {
			items = append(items, item.Value)
		}
		return "`" + strings.Join(items, ", ") + "`"
	case len(value.Content) > 0 && value.Kind == yaml.SequenceNode:
		return "in the file"
	default:
		return "–"
	}
}

var valuesBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// TestValuesInDocumentation: whatever the page says to put into values.yaml works.
func TestValuesInDocumentation(t *testing.T) {
	blocks := valuesBlock.FindAllStringSubmatch(readPage(t), -1)
	if len(blocks) < 4 {
		t.Fatalf("only %d blocks of values", len(blocks))
	}
	for _, block := range blocks {
		text := strings.ReplaceAll(block[1], "muster-secrets", "muster")
		r := render(t, parse(t, text))
		if has[*core.ConfigMap](r) {
			load(t, r)
		}
	}
}

// TestSecretsInDocumentation: the table of secrets is that of the chart, and what is created has these keys.
func TestSecretsInDocumentation(t *testing.T) {
	text := readPage(t)
	container := one[*apps.Deployment](t, render(t, parse(t, "config: {existingSecretName: muster}"))).Spec.Template.Spec.Containers[0]
	var known []string
	for _, variable := range container.Env {
		if variable.ValueFrom == nil {
			continue
		}
		key := variable.ValueFrom.SecretKeyRef.Key
		known = append(known, key)
		if !regexp.MustCompile("(?m)^\\| `" + key + "` \\| `config\\.[.\\w]+` \\| `" + variable.Name + "` \\|$").MatchString(text) {
			t.Errorf("the table of secrets lacks %s", key)
		}
	}
	created := regexp.MustCompile(`--from-literal=(\w+)=`).FindAllStringSubmatch(text, -1)
	if len(created) < 3 || len(known) < 8 {
		t.Fatalf("created are %v, known are %v", created, known)
	}
	for _, key := range created {
		if !slices.Contains(known, key[1]) {
			t.Errorf("the chart reads no %s", key[1])
		}
	}
}

func packChart(t *testing.T, version, dir string) *chart.Chart {
	t.Helper()
	if out, err := exec.Command("../package", version, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	archives, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(archives) != 1 {
		t.Fatalf("packed are %v: %v", archives, err)
	}
	packed, err := loader.Load(archives[0])
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

// TestPackage: what is released is this chart with the program's version.
func TestPackage(t *testing.T) {
	for version, want := range map[string]string{"v1.2.3": "1.2.3", "v1.2.3-4-gabcdef0": "1.2.3-4-gabcdef0", "0123456": "0.0.0-build-0123456", "dev": "0.0.0-build-dev"} {
		archive := filepath.Join(t.TempDir(), "muster-"+want+".tgz")
		packed := packChart(t, version, filepath.Dir(archive))
		first, err := os.ReadFile(archive)
		if err != nil {
			t.Fatal(err)
		}
		if packed.Metadata.Version != want || packed.Metadata.AppVersion != version {
			t.Errorf("%s is packed as %s of %s", version, packed.Metadata.Version, packed.Metadata.AppVersion)
		}
		packChart(t, version, filepath.Dir(archive))
		if again, _ := os.ReadFile(archive); !bytes.Equal(first, again) {
			t.Errorf("%s is not packed the same twice", version)
		}
	}
}
