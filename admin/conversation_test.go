package admin_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Conversations are call sequences as clients of the model's API make them, in files under testdata: a line "METHOD path" with
// headers and a body below, then "-- status" and the whole answer.
// In an answer "$name" is any text the first time and the same text from then on, in requests too; "*" is anything.
func TestConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			onEngines(t, nil, func(w *world) {
				text, err := os.ReadFile(file)
				if err != nil {
					w.Fatal(err)
				}
				if _, err := w.service.CreateOrganizationByHand(w.Context(), "Acme"); err != nil {
					w.Fatal(err)
				}
				talk := conversation{world: w, bound: map[string]string{
					"eve": w.keyFor("Acme", "eve@acme.example", true),
					"ada": w.key, "alice": w.keyFor("", "alice@example.com", false), "unknown": unknownID,
				}}
				for _, step := range strings.Split(string(text), "\n=== ")[1:] {
					talk.step(step)
				}
			})
		})
	}
}

// conversation is what the names in a file stand for.
type conversation struct {
	*world

	bound map[string]string
}

// step sends one request and compares the answer.
func (c *conversation) step(text string) {
	c.Helper()
	title, text, _ := strings.Cut(text, "\n")
	request, want, _ := strings.Cut(text, "\n-- ")
	line, rest, _ := strings.Cut(c.fill(request), "\n")
	method, path, _ := strings.Cut(line, " ")
	header := map[string][]string{"X-Api-Key": {c.bound["ada"]}}
	for {
		name, value, ok := strings.Cut(firstLine(rest), ": ")
		if !ok || strings.HasPrefix(name, "{") || strings.HasPrefix(name, "[") {
			break
		}
		header[name] = []string{value}
		_, rest, _ = strings.Cut(rest, "\n")
	}
	got := c.send(method, path, strings.TrimSpace(rest), header)
	status, body, _ := strings.Cut(want, "\n")
	if fmt.Sprint(got.status) != strings.TrimSpace(status) {
		c.Fatalf("%s: %s %s: %d %s, want %s", title, method, path, got.status, got.raw, status)
	}
	if strings.TrimSpace(body) == "" {
		return
	}
	var expected any
	if err := json.Unmarshal([]byte(body), &expected); err != nil {
		c.Fatalf("%s: the file's answer is no JSON: %v", title, err)
	}
	if wrong := c.differs(expected, got.body); wrong != "" {
		c.Fatalf("%s: %s %s: %s\n%s", title, method, path, wrong, got.raw)
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// fill puts in what names stand for, the longest first.
func (c *conversation) fill(text string) string {
	names := slices.SortedFunc(maps.Keys(c.bound), func(a, b string) int { return len(b) - len(a) })
	for _, name := range names {
		text = strings.ReplaceAll(text, "$"+name, c.bound[name])
	}
	return text
}

// differs says where an answer is not what was expected; every key must be there, and no other.
func (c *conversation) differs(want, got any) string {
	switch want := want.(type) {
	case string:
		return c.textDiffers(want, got)
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return fmt.Sprintf("%v, want a list of %d", got, len(want))
		}
		for i := range want {
			if wrong := c.differs(want[i], list[i]); wrong != "" {
				return fmt.Sprintf("[%d] %s", i, wrong)
			}
		}
		return ""
	case map[string]any:
		fields, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("%v is no object", got)
		}
		for _, key := range slices.Sorted(maps.Keys(fields)) {
			if _, expected := want[key]; !expected {
				return "there is a key " + key + " that nobody expects"
			}
		}
		for _, key := range slices.Sorted(maps.Keys(want)) {
			value, there := fields[key]
			if !there {
				return key + " is missing"
			}
			if wrong := c.differs(want[key], value); wrong != "" {
				return key + ": " + wrong
			}
		}
		return ""
	default:
		if want != got {
			return fmt.Sprintf("%v, want %v", got, want)
		}
		return ""
	}
}

func (c *conversation) textDiffers(want string, got any) string {
	if want == "*" {
		return ""
	}
	text, ok := got.(string)
	name, isName := strings.CutPrefix(want, "$")
	if _, known := c.bound[name]; ok && isName && !known {
		c.bound[name] = text
		return ""
	}
	if !ok || text != c.fill(want) {
		return fmt.Sprintf("%v, want %s", got, c.fill(want))
	}
	return ""
}
