package idpcheck

import (
	"fmt"
	"mime"
	"net/http"
	"time"
)

// frame watches over all answers for what no single step is about, and reports it once.
type frame struct {
	slow time.Duration
	// The first of each, empty for none.
	foreign, notSCIM, large, unclear, refused string
	slowest                                   time.Duration
	slowestAt                                 string
}

// see looks at an answer; scimOnly says that the provider asks for application/scim+json alone.
func (f *frame) see(r request, got answer, took time.Duration, scimOnly bool) {
	if took > f.slowest {
		f.slowest, f.slowestAt = took, r.line()
	}
	if len(got.raw) == 0 {
		return
	}
	media, _, err := mime.ParseMediaType(got.header.Get("Content-Type"))
	first := func(place *string, format string, args ...any) {
		if *place == "" {
			*place = fmt.Sprintf(format, args...)
		}
	}
	switch {
	case err != nil || media != "application/scim+json" && media != "application/json":
		first(&f.foreign, "%q from %s", got.header.Get("Content-Type"), r.line())
	case media == "application/json" && scimOnly:
		first(&f.notSCIM, "application/json from %s", r.line())
	}
	if got.body == nil {
		first(&f.foreign, "%q without JSON in it from %s", got.header.Get("Content-Type"), r.line())
	}
}

func (f *frame) tooLarge(r request) {
	if f.large == "" {
		f.large = errTooLarge.Error() + " from " + r.line()
	}
}

// limited notes that the server said to come back later, and whether it said when.
func (f *frame) limited(r request, status int, told bool) {
	came := fmt.Sprintf("%d %s from %s", status, http.StatusText(status), r.line())
	if f.refused == "" {
		f.refused = came
	}
	if !told && f.unclear == "" {
		f.unclear = came + " without Retry-After in seconds"
	}
}

// report says what was seen of all answers together.
func (f *frame) report(add func(Result)) {
	line := func(level Level, item, tries, expected, came, meaning string) {
		if came == "" {
			add(Result{Level: Passed, Item: item, Tries: tries})
			return
		}
		add(Result{Level: level, Item: item, Tries: tries, Expected: expected, Came: came, Meaning: meaning})
	}
	const media = "answers are JSON of the right media type"
	if f.foreign == "" && f.notSCIM != "" {
		line(Warning, "answers.media", media, "application/scim+json", f.notSCIM, "RFC 7644 and the provider ask for application/scim+json; application/json is understood")
	} else {
		line(Failed, "answers.media", media, "application/scim+json", f.foreign, "what is no JSON is no answer to the provider; often a proxy or a sign-in page stands in front of the server: let /scim/ pass")
	}
	line(Failed, "answers.size", "answers are of a bounded size", fmt.Sprintf("at most %d MiB", mostBytes>>20), f.large, "a page holds what \"count\" asked for and no more")
	slow := ""
	if f.slowest > f.slow {
		slow = fmt.Sprintf("%s for %s", f.slowest.Round(time.Millisecond), f.slowestAt)
	}
	line(Warning, "answers.time", "answers come soon", fmt.Sprintf("each within %s", f.slow), slow, "a sync of thousands takes as much longer; Okta gives up after 60 s")
	if f.unclear != "" {
		line(Warning, "answers.rate", "answers are not put off", "Retry-After in whole seconds", f.unclear, "the provider waits for minutes instead, ever longer")
	} else {
		line(Warning, "answers.rate", "answers are not put off", "no 429 and no 503", f.refused, "the provider waits as it is told and goes on, so that a sync takes longer; Entra asks for 25 requests a second")
	}
}
