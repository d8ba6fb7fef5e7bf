package main_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// page is a Markdown file of this repository.
type page struct {
	// name is its path from the root of the repository.
	name   string
	blocks []block
	// prose is what stands outside of blocks, a line each; lines of blocks are empty.
	prose []string
}

// block is a fenced piece of a page.
type block struct {
	// line is the number of the line that opens it.
	line int
	// language is the first word after the fence, and note what follows it, which no renderer shows.
	language, note string
	text           string
}

// reason returns why a block of commands is not run, and whether that is so.
func (b block) reason() (string, bool) {
	reason, marked := strings.CutPrefix(b.note, "norun ")
	return strings.TrimSpace(reason), marked
}

const repository = "../../"

// pages reads every Markdown file of the repository.
func pages(t *testing.T) []page {
	t.Helper()
	var found []page
	err := filepath.WalkDir(repository, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && slices.Contains([]string{".git", ".tools", ".data", "bin", "dist", "testdata", "node_modules", "screenshots"}, entry.Name()) {
			return filepath.SkipDir
		}
		if entry.IsDir() || filepath.Ext(path) != ".md" {
			return nil
		}
		text, err := os.ReadFile(path)
		found = append(found, readPage(strings.TrimPrefix(path, repository), string(text)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 10 {
		t.Fatalf("only %d pages were found", len(found))
	}
	return found
}

var fence = regexp.MustCompile("^(\\s*)```(\\S*)\\s*(.*)$")

// readPage cuts a page into its blocks and its prose.
func readPage(name, text string) page {
	p := page{name: name}
	var open *block
	indent := ""
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		found := fence.FindStringSubmatch(line)
		switch {
		case open != nil && found != nil:
			p.blocks = append(p.blocks, *open)
			open = nil
			line = ""
		case open != nil:
			open.text += strings.TrimPrefix(line, indent) + "\n"
			line = ""
		case found != nil:
			indent = found[1]
			open = &block{line: i + 1, language: found[2], note: found[3]}
			line = ""
		}
		p.prose = append(p.prose, line)
	}
	return p
}

var codeSpan = regexp.MustCompile("`([^`]+)`")

// spans returns the code inside of the prose, with its line.
func (p page) spans(each func(line int, code string)) {
	for i, line := range p.prose {
		for _, found := range codeSpan.FindAllStringSubmatch(line, -1) {
			each(i+1, found[1])
		}
	}
}

var (
	heading    = regexp.MustCompile(`^#{1,6} +(.*?) *#*$`)
	namedPlace = regexp.MustCompile(`<a (?:id|name)="([^"]+)"`)
	linkText   = regexp.MustCompile(`!?\[([^\]]*)\]\([^)]*\)`)
)

// anchors returns what a link to this page may name after "#".
func (p page) anchors() map[string]bool {
	anchors := map[string]bool{}
	for _, line := range p.prose {
		if found := heading.FindStringSubmatch(line); found != nil {
			slug := slugOf(found[1])
			for n := 1; anchors[slug]; n++ {
				slug = slugOf(found[1]) + "-" + string(rune('0'+n))
			}
			anchors[slug] = true
		}
		for _, found := range namedPlace.FindAllStringSubmatch(line, -1) {
			anchors[found[1]] = true
		}
	}
	return anchors
}

// slugOf is the anchor that GitHub and its kind make of a heading.
func slugOf(title string) string {
	title = linkText.ReplaceAllString(title, "$1")
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		default:
			return -1
		}
	}, title)
}
