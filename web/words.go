package web

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"muster/domain"
)

// reason says why a role is held.
// The name in its middle is somebody's choice and may run from right to left, so a page isolates it from the words around.
type reason struct{ Before, Name, After string }

// reasonOf has words for every kind of grant.
func reasonOf(grant domain.Grant) reason {
	name := grant.SourceName
	switch grant.Kind {
	case domain.GrantGroup:
		return reason{"from the group “", name, "”"}
	case domain.GrantSSOGroup:
		return reason{"from the group “", name, "” at sign-in"}
	case domain.GrantJIT:
		return reason{Before: "joined at first sign-in"}
	case domain.GrantInvite:
		return by("invited by ", name, "by invite")
	case domain.GrantManual:
		return by("set by ", name, "set by an administrator")
	case domain.GrantBootstrap:
		return reason{Before: "set by the operator of this server"}
	case domain.GrantSCIM:
		return provisioned(grant)
	default:
		return reason{Before: string(grant.Kind)}
	}
}

// by names who did something, or says it without a name.
func by(before, name, otherwise string) reason {
	if name == "" {
		return reason{Before: otherwise}
	}
	return reason{Before: before, Name: name}
}

// provisioned tells a person whom an identity provider created from one who has left the last group that gave a role.
func provisioned(grant domain.Grant) reason {
	switch {
	case grant.Source == "":
		return reason{Before: "because no group grants another role"}
	case grant.SourceName == "":
		return reason{Before: "added by your identity provider"}
	default:
		return reason{"added by your identity provider (“", grant.SourceName, "”)"}
	}
}

// counted is a number with its noun, such as "1 workspace" and "2 workspaces".
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// sentence gives a text of the rules a capital letter and a full stop.
func sentence(text string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(text)
	if first != utf8.RuneError {
		text = string(unicode.ToUpper(first)) + text[size:]
	}
	if last, _ := utf8.DecodeLastRuneInString(text); !strings.ContainsRune(".!?", last) {
		text += "."
	}
	return text
}

// moment is a time as a page writes it: in UTC, until the script puts it into the reader's zone.
type moment struct{ ISO, Day, Full string }

// shortDate is a day for a field of a form; empty for the zero time.
func shortDate(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

// days is a number for a field; empty for no limit.
func days(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

func minutes(d time.Duration) string { return strconv.Itoa(int(d / time.Minute)) }

func deref(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}

// noneOf puts the choice of none before others.
func noneOf(label string, options []option) []option {
	return append([]option{{Label: label}}, options...)
}

// changedRows are people with the address of the pages that they are on.
type changedRows struct {
	In   string
	Rows []accessRow
}

func rowsIn(in string, rows []accessRow) changedRows { return changedRows{in, rows} }

// orderedFields are a form's hidden fields in a fixed order.
func orderedFields(values url.Values) []option {
	var fields []option
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range values[name] {
			fields = append(fields, option{Value: value, Label: name})
		}
	}
	return fields
}

// peopleWord is a number of people.
func peopleWord(n int) string {
	if n == 1 {
		return "1 person"
	}
	return strconv.Itoa(n) + " people"
}

// lastMoment is the end of something that lasts through a day: a second before midnight says which day that is.
func lastMoment(end time.Time) time.Time {
	if end.UTC().Equal(end.UTC().Truncate(24 * time.Hour)) {
		return end.Add(-time.Second)
	}
	return end
}

// date returns nil for the zero time, so that a page leaves it out.
func date(t time.Time) *moment {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &moment{t.Format(time.RFC3339), t.Format("2 Jan 2006"), t.Format("2 January 2006, 15:04 UTC")}
}
