package metrics_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// monitoring is where the alerts and the dashboard stand.
const monitoring = "../../../deploy/monitoring/"

// alert is one rule.
type alert struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	Annotations map[string]string `yaml:"annotations"`
	Labels      map[string]string `yaml:"labels"`
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func alerts(t *testing.T) []alert {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []alert `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.Unmarshal(read(t, monitoring+"alerts.yaml"), &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Groups) != 1 || len(file.Groups[0].Rules) == 0 {
		t.Fatal("there are no alerts")
	}
	return file.Groups[0].Rules
}

// queries are the dashboard's, by panel.
func queries(t *testing.T) map[string][]string {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			Type, Title string
			Targets     []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(read(t, monitoring+"dashboard.json"), &dashboard); err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			found[panel.Title] = append(found[panel.Title], target.Expr)
		}
		if panel.Type != "row" && len(panel.Targets) == 0 {
			t.Errorf("the panel %q shows nothing", panel.Title)
		}
	}
	return found
}

// Prometheus itself reads the rules, and of every alert a case in which it fires and one in which it does not.
func TestAlerts(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatal("this test needs promtool: make test installs Debian's package prometheus, which has it")
	}
	for _, args := range [][]string{{"check", "rules", "alerts.yaml"}, {"test", "rules", "alerts_test.yaml", "alerts_slow_test.yaml"}} {
		command := exec.Command(promtool, args...)
		command.Dir = monitoring
		if out, err := command.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	cases := string(read(t, monitoring+"alerts_test.yaml")) + string(read(t, monitoring+"alerts_slow_test.yaml"))
	page := string(read(t, "../../../docs/monitoring.md"))
	for _, a := range alerts(t) {
		for _, want := range []string{"- name: " + a.Alert + " fires\n", "- name: " + a.Alert + " does not fire\n"} {
			if !strings.Contains(cases, want) {
				t.Errorf("the cases lack %s", want)
			}
		}
		if a.Annotations["summary"] == "" || a.Annotations["description"] == "" || a.Annotations["runbook_url"] != "docs/monitoring.md#"+strings.ToLower(a.Alert) {
			t.Errorf("%s: %v", a.Alert, a.Annotations)
		}
		if !strings.Contains(page, "\n### "+a.Alert+"\n") {
			t.Errorf("docs/monitoring.md has nothing about %s", a.Alert)
		}
		if !slices.Contains([]string{"critical", "warning", "info"}, a.Labels["severity"]) {
			t.Errorf("%s has the severity %q", a.Alert, a.Labels["severity"])
		}
	}
}

// What the alerts and the dashboard ask for is there.
func TestMonitoredMetricsExist(t *testing.T) {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	m := watched(newStore(now), &now)
	scrape(t, m)
	families, err := m.HTTP.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, family := range families {
		known[family.GetName()] = true
		if strings.EqualFold(family.GetType().String(), "histogram") {
			for _, part := range []string{"_bucket", "_sum", "_count"} {
				known[family.GetName()+part] = true
			}
		}
	}
	asked := queries(t)
	for _, a := range alerts(t) {
		asked[a.Alert] = append(asked[a.Alert], a.Expr)
	}
	name := regexp.MustCompile(`\b(muster|go|process)_[a-z0-9_]+`)
	used := map[string]bool{}
	for title, expressions := range asked {
		for _, expression := range expressions {
			for _, found := range name.FindAllString(expression, -1) {
				used[found] = true
				if !known[found] {
					t.Errorf("%s asks for %s, which there is not", title, found)
				}
			}
		}
	}
	if len(used) < 30 {
		t.Errorf("only %d metrics are looked at", len(used))
	}
}
