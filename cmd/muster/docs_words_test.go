package main_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"muster/cmd/internal/config"
	main "muster/cmd/muster"
)

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// TestLinks follows every link within the repository, to the heading.
func TestLinks(t *testing.T) {
	all := pages(t)
	anchors := map[string]map[string]bool{}
	for _, p := range all {
		anchors[p.name] = p.anchors()
	}
	for _, p := range all {
		for i, line := range p.prose {
			for _, found := range link.FindAllStringSubmatch(codeSpan.ReplaceAllString(line, ""), -1) {
				target, err := url.Parse(found[1])
				if err != nil || target.Scheme != "" {
					continue
				}
				file := p.name
				if target.Path != "" {
					file = filepath.Join(filepath.Dir(p.name), target.Path)
				}
				if _, err := os.Stat(repository + file); err != nil {
					t.Errorf("%s:%d leads to %s, which is not there", p.name, i+1, found[1])
				} else if target.Fragment != "" && !anchors[file][target.Fragment] {
					t.Errorf("%s:%d leads to %s, which has no such heading", p.name, i+1, found[1])
				}
			}
		}
	}
}

// TestEveryPageIsReachable reads the index and what it leads to.
func TestEveryPageIsReachable(t *testing.T) {
	all := pages(t)
	reached := map[string]bool{"README.md": true}
	for grew := true; grew; {
		grew = false
		for _, p := range all {
			if !reached[p.name] {
				continue
			}
			for _, line := range p.prose {
				for _, found := range link.FindAllStringSubmatch(line, -1) {
					target, _, _ := strings.Cut(found[1], "#")
					file := filepath.Join(filepath.Dir(p.name), target)
					grew = grew || !reached[file]
					reached[file] = true
				}
			}
		}
	}
	for _, p := range all {
		if !reached[p.name] {
			t.Errorf("no page leads to %s", p.name)
		}
	}
}

// TestCommandsInDocumentation parses every command line of ours, also where it is not run.
func TestCommandsInDocumentation(t *testing.T) {
	model, err := main.Model()
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if b.language != "sh" && b.language != "" {
				continue
			}
			for _, words := range commandLines(b.text) {
				args, ours := ourArguments(words)
				if !ours || b.language == "" && !isCommand(model, args) {
					continue
				}
				lines++
				if err := main.Parse(args); err != nil {
					t.Errorf("%s:%d: muster %s: %v", p.name, b.line, strings.Join(args, " "), err)
				}
			}
			if _, marked := b.reason(); marked {
				checkFiles(t, p, b)
			}
		}
		p.spans(func(line int, code string) {
			for _, words := range commandLines(code) {
				if args, ours := ourArguments(words); ours {
					lines++
					if wrong := mentioned(model.Node, model.Flags, args); wrong != "" {
						t.Errorf("%s:%d: `%s`: %s", p.name, line, code, wrong)
					}
				}
			}
		})
	}
	if lines < 20 {
		t.Errorf("only %d command lines were found", lines)
	}
}

// isCommand reports whether what follows "muster" names a command, where it might be prose.
func isCommand(model *kong.Application, args []string) bool {
	return len(args) > 0 && slices.ContainsFunc(model.Children, func(n *kong.Node) bool { return n.Name == args[0] })
}

// mentioned checks the names of commands and flags where a line is only spoken of, not given whole.
func mentioned(node *kong.Node, flags []*kong.Flag, args []string) string {
	for i := 0; i < len(args); i++ {
		word := args[i]
		if word == "…" || word == "" {
			continue
		}
		if name, isFlag := strings.CutPrefix(word, "--"); isFlag {
			name, _, hasValue := strings.Cut(name, "=")
			at := slices.IndexFunc(flags, func(f *kong.Flag) bool { return f.Name == name })
			if at < 0 {
				return "there is no flag --" + name
			}
			if !hasValue && !flags[at].IsBool() {
				i++
			}
			continue
		}
		if len(node.Children) == 0 {
			continue
		}
		at := slices.IndexFunc(node.Children, func(n *kong.Node) bool { return n.Name == word })
		if at < 0 {
			return fmt.Sprintf("there is no command %q", word)
		}
		node = node.Children[at]
		flags = append(slices.Clone(flags), node.Flags...)
	}
	return ""
}

// ourArguments returns the arguments of a command line of ours.
func ourArguments(words []string) ([]string, bool) {
	// In a container or pod the program is named by its path.
	if at := slices.Index(words, "/muster"); at >= 0 {
		return words[at+1:], true
	}
	if at := slices.Index(words, "--"); at >= 0 && words[0] == "kubectl" {
		words = words[at+1:]
	}
	for len(words) > 0 {
		switch word := words[0]; {
		case slices.Contains([]string{"muster", "/muster", "bin/muster", "muster-run", "/usr/bin/muster", "/usr/local/bin/muster"}, word):
			return words[1:], true
		case word == "sudo" || word == "exec" || word == "time" || word == "env" || assignment.MatchString(word) || strings.HasPrefix(word, "-"):
			if word == "-u" {
				words = words[1:]
			}
			words = words[1:]
		default:
			return nil, false
		}
	}
	return nil, false
}

var assignment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)

// commandLines cuts a script into its simple commands, and each into words, as a shell does in the simple cases that pages have.
func commandLines(text string) [][]string {
	text = strings.ReplaceAll(text, "\\\n", " ")
	var lines [][]string
	var words []string
	word, inWord, quote := "", false, rune(0)
	endWord := func() {
		if inWord {
			words = append(words, word)
		}
		word, inWord = "", false
	}
	endLine := func() {
		endWord()
		if len(words) > 0 {
			lines = append(lines, words)
		}
		words = nil
	}
	comment, redirected := false, false
	for _, r := range text {
		switch {
		case comment && r != '\n':
		case quote != 0:
			if r == quote {
				quote = 0
			} else {
				word += string(r)
			}
		case r == '\'' || r == '"':
			quote, inWord = r, true
		case r == '#' && !inWord:
			comment = true
		case strings.ContainsRune("\n;|&()", r):
			comment, redirected = false, false
			endLine()
		case r == '>' || r == '<':
			endWord()
			redirected = true
		case r == ' ' || r == '\t':
			if redirected {
				if inWord {
					word, inWord, redirected = "", false, false
				}
				continue
			}
			endWord()
		default:
			if r == '$' && word == "" {
				inWord = true
			}
			word += string(r)
			inWord = true
		}
		if redirected && comment {
			redirected = false
		}
	}
	if redirected {
		word, inWord = "", false
	}
	endLine()
	return lines
}

var ownFile = regexp.MustCompile(`(?:^|[\s=@])\.?/?((?:deploy|docs|scim|cmd|internal|bench)/[\w./-]+)`)

// checkFiles wants the files of this repository that an unrun block names, and its make targets.
func checkFiles(t *testing.T, p page, b block) {
	t.Helper()
	for _, found := range ownFile.FindAllStringSubmatch(b.text, -1) {
		if _, err := os.Stat(repository + found[1]); err != nil {
			t.Errorf("%s:%d names %s, which is not there", p.name, b.line, found[1])
		}
	}
	makefile, err := os.ReadFile(repository + "Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range commandLines(b.text) {
		if words[0] != "make" || len(words) < 2 || strings.HasPrefix(words[1], "-") {
			continue
		}
		if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(words[1]) + `:`).Match(makefile) {
			t.Errorf("%s:%d: there is no make %s", p.name, b.line, words[1])
		}
	}
}

var (
	environmentName  = regexp.MustCompile(`\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b`)
	configurationKey = regexp.MustCompile(`^config(?:\.[A-Za-z]+)+$`)
)

// foreignNames are words of that shape that name something else, a pattern each.
var foreignNames = regexp.MustCompile(`^(?:(?:ORGANIZATION|WORKSPACE)_(?:ADMIN|OPERATOR|USER|VIEWER|READER)|MUSTER_(?:TEST|DEMO)_\w+|POSTGRES_(?:USER|PASSWORD|DB)|SCIM_TOKEN|NAME_FILE|AUTH_TYPE|PATRONI_[A-Z_]+|ON_ERROR_STOP)$`)

// TestSettingsInDocumentation knows every setting that is spoken of, by its name in the environment or its key.
func TestSettingsInDocumentation(t *testing.T) {
	names, keys := map[string]bool{}, map[string]bool{}
	for _, s := range config.Reference() {
		for _, name := range s.Environment {
			names[name], names[name+"_FILE"] = true, true
		}
		for key := s.Key; key != ""; key = key[:max(strings.LastIndexByte(key, '.'), 0)] {
			keys[key] = true
		}
	}
	for _, p := range pages(t) {
		check := func(line int, text string) {
			for _, name := range environmentName.FindAllString(text, -1) {
				if !names[name] && !foreignNames.MatchString(name) {
					t.Errorf("%s:%d: there is no setting %s", p.name, line, name)
				}
			}
		}
		for i, line := range p.prose {
			check(i+1, line)
		}
		for _, b := range p.blocks {
			if b.language != "python" && b.language != "output" {
				check(b.line, b.text)
			}
		}
		p.spans(func(line int, code string) {
			if configurationKey.MatchString(code) && !keys[code] && p.name != "docs/kubernetes.md" && !strings.HasPrefix(p.name, "deploy/helm/") {
				t.Errorf("%s:%d: there is no setting %s", p.name, line, code)
			}
		})
	}
}

// TestReadingOfPages shows what the checks above see, and that they find what is wrong.
func TestReadingOfPages(t *testing.T) {
	p := readPage("x.md", "# One `two`, three\n\n- a\n  ```sh norun no cluster\n  ls \\\n    x\n  ```\n\n```output\n…\n```\n# One `two`, three\n")
	if reason, marked := p.blocks[0].reason(); !marked || reason != "no cluster" || p.blocks[0].text != "ls \\\n  x\n" || p.blocks[0].line != 4 || p.blocks[1].language != "output" {
		t.Errorf("the blocks are %+v", p.blocks)
	}
	if anchors := p.anchors(); len(anchors) != 2 || !anchors["one-two-three"] || !anchors["one-two-three-1"] {
		t.Errorf("the anchors are %v", anchors)
	}
	got := fmt.Sprintf("%q", commandLines("A=1 b 'c d' >x 2>&1 | e \"f\" # g\nh\\\n i\n"))
	if want := `[["A=1" "b" "c d" "2"] ["1"] ["e" "f"] ["h" "i"]]`; got != want {
		t.Errorf("the commands are %s, want %s", got, want)
	}
	if !patternOf("a …\n…\nlast\n").MatchString("a b\nc\nd\n\nlast\n") || patternOf("a\n").MatchString("ab\n") || patternOf("a\n").MatchString("a\nb\n") {
		t.Error("output is compared wrongly")
	}
	if ellipsis("a # …\n") != "" || ellipsis("a …\n") == "" {
		t.Error("what is left out is not seen")
	}
	for line, harm := range map[string]bool{"sudo apt-get install x": true, "cat a >/etc/x": true, "systemctl start muster": true, "cat here/etc/muster/x": false, "muster mapping list": false} {
		if harmful.MatchString(line) != harm {
			t.Errorf("%q is found harmful: %t", line, !harm)
		}
	}
	model, err := main.Model()
	if err != nil {
		t.Fatal(err)
	}
	for line, wrong := range map[string]bool{
		"muster token create --org …": false, "sudo -u muster muster admin add": false, "kubectl exec x -- muster doctor": false, "docker exec muster /muster doctors": true, "systemctl restart muster": false,
		"muster tokens create": true, "muster token create --organization x": true, "A=1 muster token made": true,
	} {
		args, ours := ourArguments(commandLines(line)[0])
		if got := ours && mentioned(model.Node, model.Flags, args) != ""; got != wrong {
			t.Errorf("%q is found wrong: %t", line, got)
		}
	}
}
