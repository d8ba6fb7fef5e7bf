package config_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"muster/cmd/internal/config"
)

const chart = "../../../deploy/helm/muster/"

// schema is as much of values.schema.json as says which names there are.
type schema struct {
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
}

// keys are the whole names of what the schema describes, down to the settings.
func (s schema) keys(prefix string) []string {
	if len(s.Properties) == 0 {
		return []string{strings.TrimSuffix(prefix, ".")}
	}
	var keys []string
	for name, below := range s.Properties {
		keys = append(keys, below.keys(prefix+name+".")...)
	}
	return keys
}

// TestChartKnowsEveryKey: the Helm chart takes exactly the keys of the file, and each further provider's are those of the first.
// The tests beside the chart load what it makes of them.
func TestChartKnowsEveryKey(t *testing.T) {
	raw, err := os.ReadFile(filepath.FromSlash(chart + "values.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var described schema
	if err := json.Unmarshal(raw, &described); err != nil {
		t.Fatal(err)
	}
	taken := append(described.Properties["config"].keys("config."), "listen")
	var known []string
	for _, s := range config.Reference() {
		known = append(known, s.Key)
		if !slices.Contains(taken, s.Key) {
			t.Errorf("values.schema.json lacks %s", s.Key)
		}
	}
	for _, key := range taken {
		if !slices.Contains(known, key) && key != "config.existingSecretName" {
			t.Errorf("values.schema.json has %s, which no server knows", key)
		}
	}
	first := described.Properties["config"].Properties["oauth"].Properties
	further := described.Properties["config"].Properties["providers"].Items.Properties
	for name := range first {
		if _, ok := further[name]; !ok {
			t.Errorf("values.schema.json lacks %s for further providers", name)
		}
	}
	for name := range further {
		list := []map[string]any{{"id": "acme", "oauthIssuerUrl": "https://acme.example.com", "oauthClientId": "a", name: nil}}
		text, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		_, err = config.Load(config.Sources{Getenv: environment(map[string]string{"OAUTH_PROVIDERS": string(text)})})
		if err != nil && strings.Contains(err.Error(), "unknown field") {
			t.Errorf("values.schema.json has %s for further providers: %v", name, err)
		}
	}
}

// TestChartHasTheDefaults: values.yaml shows every key, with the server's own default or nothing.
func TestChartHasTheDefaults(t *testing.T) {
	raw, err := os.ReadFile(filepath.FromSlash(chart + "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]any
	if err := yaml.Unmarshal(raw, &values); err != nil {
		t.Fatal(err)
	}
	// In a pod there is no terminal, and nobody else to listen for.
	different := map[string]string{"listen": ":8080", "config.logFormat": "json"}
	for _, s := range config.Reference() {
		var value any = values
		for name := range strings.SplitSeq(s.Key, ".") {
			mapping, _ := value.(map[string]any)
			below, shown := mapping[name]
			if !shown {
				t.Errorf("values.yaml does not show %s", s.Key)
			}
			value = below
		}
		text := strings.Trim(yamlText(t, value), `"'`)
		want := s.Default
		if other, ok := different[s.Key]; ok {
			want = other
		}
		if text != want && text != "" && text != "[]" && text != "{}" {
			t.Errorf("%s is %q in values.yaml, and the server's default is %q", s.Key, text, want)
		}
	}
}

func yamlText(t *testing.T, value any) string {
	t.Helper()
	text, err := yaml.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}
