package scim_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// update writes what the server answers into the conversations: go test ./scim -run Conversations -update.
var update = flag.Bool("update", false, "rewrite testdata/*/*.txtar with what the server answers")

// TestConversations plays what SCIM clients send, whole: each request in order, each answer compared whole,
// and who has which role where after each step (S84).
//
// A file is a txtar archive. A section "METHOD path [as name]" is a request; "as" gives the answer's id a name,
// which stands for the id everywhere as <name>. The section after it is the answer: its status, and the headers ETag and
// Location when there are any, then the body. "access" is what everybody may do. <time> stands for any time.
// A line "profile: x" of the comment is the profile of the token (section 14), a line "header: Name: value" a header of every request.
func TestConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no conversations", err)
	}
	for _, file := range files {
		t.Run(strings.ReplaceAll(strings.TrimPrefix(file, "testdata/"), "/", " "), func(t *testing.T) {
			onEngines(t, func(w *world) { w.play(file) })
		})
	}
}

// section is one part of a txtar archive.
type section struct{ name, text string }

// readArchive reads a txtar archive; what stands before the first section is the comment.
func readArchive(text string) (comment string, sections []section) {
	for line := range strings.Lines(text) {
		name, isMarker := strings.CutPrefix(strings.TrimSpace(line), "-- ")
		name, ends := strings.CutSuffix(name, " --")
		switch {
		case isMarker && ends:
			sections = append(sections, section{name: name})
		case len(sections) == 0:
			comment += line
		default:
			sections[len(sections)-1].text += line
		}
	}
	return comment, sections
}

func (w *world) play(file string) {
	w.Helper()
	text, err := os.ReadFile(file)
	w.must(err)
	comment, sections := readArchive(string(text))
	if profile := settings(comment, "profile"); len(profile) == 1 {
		w.secret = w.tokenWith(profile[0])
	}
	headers := splitHeaders(settings(comment, "header"))
	known := &names{}
	written := comment
	var last reply
	for _, part := range sections {
		verb, rest, _ := strings.Cut(part.name, " ")
		got := part
		switch {
		case verb == "access":
			got.text = w.access()
		case '1' <= verb[0] && verb[0] <= '9':
			got.name, got.text = known.render(last)
		case !slices.Contains([]string{"GET", "POST", "PUT", "PATCH", "DELETE"}, verb):
			w.Fatalf("%s: what is %q?", file, part.name)
		default:
			path, name, _ := strings.Cut(rest, " as ")
			last = w.send(verb, known.ids(path), known.ids(strings.TrimSpace(part.text)), headers...)
			known.add(name, last)
		}
		if got != part && !*update {
			w.Errorf("got\n-- %s --\n%swant\n-- %s --\n%s", got.name, got.text, part.name, part.text)
		}
		written += "-- " + got.name + " --\n" + got.text
	}
	if *update {
		w.must(os.WriteFile(file, []byte(written), 0o600))
	}
}

// settings are the values that the lines "name: value" of a comment give.
func settings(comment, name string) (values []string) {
	for line := range strings.Lines(comment) {
		if value, found := strings.CutPrefix(line, name+": "); found {
			values = append(values, strings.TrimSpace(value))
		}
	}
	return values
}

// splitHeaders gives names and values in turn, as send takes them.
func splitHeaders(lines []string) (pairs []string) {
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		pairs = append(pairs, name, value)
	}
	return pairs
}

// names are the ids of a conversation, in the order in which they appeared.
type names struct{ pairs []string }

func (n *names) add(name string, got reply) {
	if id, ok := got.body["id"].(string); ok && name != "" {
		n.pairs = append(n.pairs, "<"+name+">", id)
	}
}

// ids puts ids for names.
func (n *names) ids(text string) string { return strings.NewReplacer(n.pairs...).Replace(text) }

var anyTime = regexp.MustCompile(`"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"`)

// render returns an answer as a conversation shows it.
func (n *names) render(got reply) (header, body string) {
	reversed := make([]string, 0, len(n.pairs))
	for i := 0; i+1 < len(n.pairs); i += 2 {
		reversed = append(reversed, n.pairs[i+1], n.pairs[i])
	}
	header = strconv.Itoa(got.status)
	for _, name := range []string{"ETag", "Location", "WWW-Authenticate"} {
		if value := got.header.Get(name); value != "" {
			header += " " + name + ": " + value
		}
	}
	if got.body != nil {
		text, err := json.MarshalIndent(got.body, "", "  ")
		if err != nil {
			return header, err.Error()
		}
		body = string(text) + "\n"
		body = strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(body)
	}
	shown := strings.NewReplacer(reversed...)
	return shown.Replace(header), anyTime.ReplaceAllString(shown.Replace(body), `"<time>"`)
}
