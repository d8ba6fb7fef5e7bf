package idpcheck

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// isStatus tells a line of statuses from one about the body.
func isStatus(text string) bool { return text != "" && strings.Trim(text, "0123456789 ") == "" }

// judge returns what came where it is not what the line of a conversation expects; empty when it is.
func (n names) judge(text string, got answer) string {
	if isStatus(text) {
		return judgeStatus(text, got)
	}
	words := strings.Fields(text)
	switch words[0] {
	case "list":
		return judgeList(got)
	case "paging":
		return judgePaging(got)
	case "error":
		return judgeError(got)
	case "schema":
		return judgeSchema(n.fill(words[1]), got)
	case "header":
		if got.header.Get(words[1]) == "" {
			return "no " + words[1]
		}
		return ""
	case "members":
		return n.judgeMembers(words[2:], got)
	}
	return n.judgeValue(text, got)
}

func judgeStatus(text string, got answer) string {
	if slices.Contains(strings.Fields(text), strconv.Itoa(got.status)) {
		return ""
	}
	came := fmt.Sprintf("%d %s", got.status, http.StatusText(got.status))
	if location := got.header.Get("Location"); got.status/100 == 3 {
		return came + " to " + location + ", which is not followed: give the address itself"
	}
	if detail, ok := lookUp(got.body, "detail").(string); ok {
		return came + ": " + detail
	}
	if len(got.raw) > 0 && got.status/100 != 2 {
		return came + ": " + string(got.raw[:min(len(got.raw), 200)])
	}
	return came
}

// judgeValue reads "path present", "path absent", "path integer", "path is not x" and "path = x".
func (n names) judgeValue(text string, got answer) string {
	if path, want, found := strings.Cut(text, " = "); found {
		return judgeEqual(n.fill(want), lookUp(got.body, n.fill(path)))
	}
	if path, unwanted, found := strings.Cut(text, " is not "); found {
		return judgeDifferent(n.fill(unwanted), lookUp(got.body, n.fill(path)))
	}
	path, wanted, _ := strings.Cut(n.fill(text), " ")
	value := lookUp(got.body, path)
	switch wanted {
	case "present":
		if !holds(value) {
			return "no " + path
		}
	case "absent":
		if holds(value) {
			return shown(value)
		}
	case "integer":
		if !isInteger(value) {
			return shown(value)
		}
	}
	return ""
}

func judgeEqual(want string, value any) string {
	if wanted := decode([]byte(want)); value != nil && reflect.DeepEqual(value, wanted) {
		return ""
	}
	// What begins with a plus or a digit may be text that looks like a number.
	if text, ok := value.(string); ok && text == want && want != "true" && want != "false" {
		return ""
	}
	return shown(value)
}

func judgeDifferent(unwanted string, value any) string {
	if text, ok := value.(string); !ok || text == unwanted {
		return shown(value)
	}
	return ""
}

// judgeList is what every list is: a ListResponse with a number of all that there is.
func judgeList(got answer) string {
	if came := judgeSchema(schemaList, got); came != "" {
		return came
	}
	if total := lookUp(got.body, "totalResults"); !isInteger(total) {
		return "totalResults " + shown(total)
	}
	return ""
}

func judgePaging(got answer) string {
	for _, name := range []string{"startIndex", "itemsPerPage"} {
		if value := lookUp(got.body, name); !isInteger(value) {
			return name + " " + shown(value)
		}
	}
	return ""
}

// judgeError is what every refusal is: an Error with its status as a string and words for a person.
func judgeError(got answer) string {
	if came := judgeSchema(schemaError, got); came != "" {
		return came
	}
	if status := lookUp(got.body, "status"); status != strconv.Itoa(got.status) {
		return "status " + shown(status)
	}
	if !holds(lookUp(got.body, "detail")) {
		return "no detail"
	}
	return ""
}

func judgeSchema(want string, got answer) string {
	if got.body == nil {
		return "no JSON body: " + string(got.raw[:min(len(got.raw), 80)])
	}
	schemas := lookUp(got.body, "schemas")
	list, _ := schemas.([]any)
	for _, one := range list {
		if text, ok := one.(string); ok && strings.EqualFold(text, want) {
			return ""
		}
	}
	return "schemas " + shown(schemas)
}

// judgeMembers compares the members with those who must be in the group, in any order.
func (n names) judgeMembers(wanted []string, got answer) string {
	members := lookUp(got.body, "members")
	list, ok := members.([]any)
	if members != nil && !ok {
		return shown(members)
	}
	found := []string{}
	for _, member := range list {
		found = append(found, fmt.Sprint(lookUp(member, "value")))
	}
	want := []string{}
	for _, name := range wanted {
		want = append(want, n.fill(name))
	}
	slices.Sort(found)
	slices.Sort(want)
	if slices.Equal(found, want) {
		return ""
	}
	return "members " + strings.Join(found, " ")
}

// lookUp returns the value at a path such as "emails/type=work/value" or "Resources/0/id"; nil for none.
// Attribute names are compared without regard to case.
func lookUp(value any, path string) any {
	for _, name := range strings.Split(path, "/") {
		switch held := value.(type) {
		case map[string]any:
			value = attribute(held, name)
		case []any:
			value = element(held, name)
		default:
			return nil
		}
	}
	return value
}

func attribute(object map[string]any, name string) any {
	for key, value := range object {
		if strings.EqualFold(key, name) {
			return value
		}
	}
	return nil
}

func element(list []any, name string) any {
	key, wanted, chosen := strings.Cut(name, "=")
	index, err := strconv.Atoi(name)
	for i, one := range list {
		if chosen && lookUp(one, key) == wanted || err == nil && i == index {
			return one
		}
	}
	return nil
}

// holds reports whether a value says something: null, "", [] and {} do not.
func holds(value any) bool {
	switch v := value.(type) {
	case nil:
		return false
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	}
	return true
}

func isInteger(value any) bool {
	number, ok := value.(json.Number)
	if !ok {
		return false
	}
	_, err := number.Int64()
	return err == nil
}

// shown writes a value for the report; of what may be about other people only how much it is.
func shown(value any) string {
	switch v := value.(type) {
	case nil:
		return "nothing"
	case []any:
		if len(v) > 0 && lookUp(v[0], "schemas") != nil {
			return fmt.Sprintf("a list of %d", len(v))
		}
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}
