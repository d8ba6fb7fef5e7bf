package idpcheck

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed okta.txt entra.txt
var scripts embed.FS

// script is one provider's conversation.
type script struct {
	accept, agent string
	// chunked says that bodies come without a length.
	chunked bool
	steps   []step
}

// step is something the provider wants done; it may take several requests.
type step struct {
	item, tries, meaning string
	// needs is a name without which the step tells nothing, although no request holds it; mostly empty.
	needs     string
	exchanges []exchange
}

// exchange is one request and what its answer must show.
type exchange struct {
	method, path, body string
	// as is the name under which a POST's id is kept.
	as string
	// header is one in place of the usual one, as "Name: value"; keep is "name = path"; both may be empty.
	header, keep string
	expected     []expectation
}

// expectation is a line of what an answer must show.
type expectation struct {
	text string
	// advice is what the provider copes without.
	advice bool
}

// load reads a provider's conversation.
func load(provider string) (script, error) {
	if provider != "okta" && provider != "entra" {
		return script{}, refusedf("there is no conversation of %q; there are okta and entra", provider)
	}
	text, err := scripts.ReadFile(provider + ".txt")
	if err != nil {
		return script{}, err
	}
	var s script
	for i, line := range strings.Split(string(text), "\n") {
		if !s.read(line) {
			return script{}, fmt.Errorf("%s.txt:%d: %q says nothing here", provider, i+1, line)
		}
	}
	return s, nil
}

// read takes one line; it reports false for one that has no meaning where it stands.
func (s *script) read(line string) bool {
	first, rest, _ := strings.Cut(line, " ")
	switch {
	case first == "" || first == "#":
		return true
	case first == "##":
		item, tries, found := strings.Cut(rest, ": ")
		s.steps = append(s.steps, step{item: item, tries: tries})
		return found
	case len(s.steps) == 0:
		return s.setting(first, rest)
	}
	return s.steps[len(s.steps)-1].read(first, rest, line)
}

func (s *script) setting(name, value string) bool {
	switch name {
	case "accept":
		s.accept = value
	case "agent":
		s.agent = value
	case "chunked":
		s.chunked = true
	default:
		return false
	}
	return true
}

func (s *step) read(first, rest, line string) bool {
	switch first {
	case "GET", "POST", "PUT", "PATCH", "DELETE":
		path, as, _ := strings.Cut(rest, " as ")
		s.exchanges = append(s.exchanges, exchange{method: first, path: path, as: as})
		return true
	case "!":
		s.meaning = rest
		return true
	case "needs":
		s.needs = rest
		return true
	}
	if len(s.exchanges) == 0 {
		return false
	}
	current := &s.exchanges[len(s.exchanges)-1]
	switch first {
	case ">":
		current.header = rest
	case "<", "<?":
		current.expected = append(current.expected, expectation{text: rest, advice: first == "<?"})
	case "keep":
		current.keep = rest
	default:
		current.body += line
		return strings.HasPrefix(current.body, "{")
	}
	return true
}
