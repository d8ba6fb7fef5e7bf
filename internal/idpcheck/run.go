package idpcheck

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// mostSilence is after how many requests without an answer the run stops: the rest would only take long.
const mostSilence = 3

// run is one playing of a conversation.
type run struct {
	client  *client
	script  script
	names   names
	report  func(Result)
	summary Summary
	traces  traces
	frame   frame
	// silent counts requests without an answer, one after the other; last is the last answer.
	silent int
	last   answer
}

func newRun(config Config, target *url.URL, play script, report func(Result)) *run {
	r := &run{script: play, report: report, names: newNames(config, target), frame: frame{slow: orElse(config.Slow, 5*time.Second)}}
	r.client = newClient(config, target, play, &r.frame)
	r.summary.Left = []string{}
	return r
}

func orElse(value, standard time.Duration) time.Duration {
	if value == 0 {
		return standard
	}
	return value
}

// play does every step in turn.
func (r *run) play(ctx context.Context) error {
	for i, step := range r.script.steps {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if name := r.names.missing(step); name != "" {
			r.add(Result{Level: Skipped, Item: step.item, Tries: step.tries, Meaning: "needs {" + name + "}, which an earlier step did not get"})
			continue
		}
		ended := r.step(ctx, step)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if i == 0 && r.silent > 0 || r.silent >= mostSilence {
			return fmt.Errorf("%w; nothing was tried after %s", ErrUnreachable, step.item)
		}
		if i == 0 && ended == Failed && (r.last.status != http.StatusOK || r.last.body == nil) {
			r.add(Result{Level: Skipped, Item: "everything else", Tries: "the rest of the conversation", Meaning: "tells nothing while this fails"})
			break
		}
	}
	r.frame.report(r.add)
	return nil
}

// step does one step and reports it: one line when it passed, else one for each thing that is not as expected.
func (r *run) step(ctx context.Context, s step) Level {
	var wrong []Result
	ended := Passed
	for _, e := range s.exchanges {
		for _, result := range r.exchange(ctx, e) {
			result.Item, result.Tries, result.Meaning = s.item, s.tries, s.meaning
			wrong = append(wrong, result)
			if ended != Failed {
				ended = result.Level
			}
		}
		if ended == Failed || ctx.Err() != nil {
			break
		}
	}
	if ctx.Err() != nil {
		return ended
	}
	if len(wrong) == 0 {
		wrong = []Result{{Level: Passed, Item: s.item, Tries: s.tries}}
	}
	for _, result := range wrong {
		r.add(result)
	}
	return ended
}

// exchange sends one request and returns what is not as expected in its answer.
func (r *run) exchange(ctx context.Context, e exchange) []Result {
	request := r.names.request(e)
	if e.method == "POST" {
		r.traces.intend(e.as, request)
	}
	got, err := r.client.send(ctx, request)
	if err != nil {
		r.silent++
		return []Result{{Level: Failed, Expected: "an answer to " + request.line(), Came: err.Error()}}
	}
	r.silent, r.last = 0, got
	if e.method == "POST" {
		r.traces.made(e.as, got)
	}
	if id, ours := r.traces.id(e.as); ours {
		r.names.values[e.as+".id"] = id
	}
	if name, path, found := strings.Cut(e.keep, " = "); found {
		if value, ok := lookUp(got.body, path).(string); ok {
			r.names.values[name] = value
		}
	}
	var wrong []Result
	for _, expected := range e.expected {
		if came := r.names.judge(expected.text, got); came != "" {
			level := Failed
			if expected.advice {
				level = Warning
			}
			wrong = append(wrong, Result{Level: level, Expected: r.names.fill(expected.text) + " from " + request.line(), Came: came})
			if isStatus(expected.text) || got.body == nil {
				break // what an answer of the wrong kind holds tells nothing more
			}
		}
	}
	return wrong
}

func (r *run) add(result Result) {
	switch result.Level {
	case Passed:
		r.summary.Passed++
	case Warning:
		r.summary.Warnings++
	case Failed:
		r.summary.Failed++
	case Skipped:
		r.summary.Skipped++
	}
	result.Expected, result.Came = r.client.printable(result.Expected), r.client.printable(result.Came)
	r.report(result)
}

// names are what stands in braces in a conversation.
type names struct{ values map[string]string }

const (
	schemaUser       = "urn:ietf:params:scim:schemas:core:2.0:User"
	schemaGroup      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	schemaEnterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	schemaPatch      = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	schemaList       = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	schemaError      = "urn:ietf:params:scim:api:messages:2.0:Error"
)

func newNames(config Config, target *url.URL) names {
	domain := config.Domain
	if domain == "" {
		domain = "example.com"
	}
	mark := "muster-idp-check-" + random(4)
	person := func(who string) string { return mark + "-" + who + "@" + domain }
	return names{map[string]string{
		"ann": person("ann"), "bob": person("bob"), "other": person("other"), "team": mark + " team", "empty": mark + " empty",
		"guid": guid(), "guid2": guid(), "guid3": guid(), "guid4": guid(), "password": "A1-" + random(12), "url": target.Scheme + "://" + target.Host + target.Path,
		"user": schemaUser, "group": schemaGroup, "enterprise": schemaEnterprise, "patch": schemaPatch,
	}}
}

// fill puts the values in place of their names; braces that hold no name stay.
func (n names) fill(text string) string {
	pairs := make([]string, 0, 4*len(n.values))
	for name, value := range n.values {
		pairs = append(pairs, "{"+name+"}", value, "{"+name+"^}", strings.ToUpper(value))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// missing returns a name that the step needs from outside and has no value; empty for none.
func (n names) missing(s step) string {
	made := map[string]bool{}
	if s.needs != "" && n.values[s.needs] == "" {
		return s.needs
	}
	for _, e := range s.exchanges {
		for _, text := range append([]string{e.path, e.body}, texts(e.expected)...) {
			for rest := text; ; {
				var name string
				var found bool
				if _, rest, found = strings.Cut(rest, "{"); !found {
					break
				}
				name, _, _ = strings.Cut(rest, "}")
				known := n.values[strings.TrimSuffix(name, "^")] != ""
				if !known && !made[name] && isName(name) {
					return name
				}
			}
		}
		made[e.as+".id"] = true
		kept, _, _ := strings.Cut(e.keep, " = ")
		made[kept] = true
	}
	return ""
}

func texts(expected []expectation) []string {
	all := make([]string, len(expected))
	for i, one := range expected {
		all[i] = one.text
	}
	return all
}

// isName tells a name from the braces of JSON.
func isName(text string) bool {
	return text != "" && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789.^") == ""
}

// request fills an exchange in; an id, which is the server's to choose, stays one segment of the path.
func (n names) request(e exchange) request {
	path, query, found := strings.Cut(e.path, "?")
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		segments[i] = url.PathEscape(n.fill(segment))
	}
	path = strings.Join(segments, "/")
	if found {
		path += "?" + n.fill(query)
	}
	return request{method: e.method, path: path, body: n.fill(e.body), header: n.fill(e.header)}
}

func random(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // it never fails
	return hex.EncodeToString(b)
}

func guid() string {
	text := random(16)
	return text[:8] + "-" + text[8:12] + "-4" + text[13:16] + "-a" + text[17:20] + "-" + text[20:]
}
