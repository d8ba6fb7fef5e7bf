package web

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"muster/domain"
)

// factRow is one thing with what it was and what it is.
type factRow struct{ Name, Before, After string }

// effectsOn says what a row meant for one of the people whom it concerned.
func effectsOn(about string, after map[string]any, workspaces map[string]string) []string {
	var effects []string
	for _, moved := range [][2]string{{"added", "Put into the group"}, {"removed", "Taken out of the group"}} {
		if ids, _ := after[moved[0]].([]any); about != "" && slices.Contains(ids, any(about)) {
			effects = append(effects, moved[1])
		}
	}
	facts, _ := after["access"].([]any)
	for _, one := range facts {
		fact, _ := one.(map[string]any)
		if fact == nil || fact["member_id"] != about {
			continue
		}
		if role, ok := fact["org_role"].(map[string]any); ok {
			effects = append(effects, fmt.Sprintf("%v became %v", role["before"], role["after"]))
		}
		places, _ := fact["workspaces"].(map[string]any)
		for _, id := range slices.Sorted(maps.Keys(places)) {
			if role, ok := places[id].(map[string]any); ok {
				effects = append(effects, placeEffect(cmp.Or(workspaces[id], "a workspace"), fmt.Sprint(role["before"]), fmt.Sprint(role["after"])))
			}
		}
	}
	return effects
}

func placeEffect(workspace, before, after string) string {
	switch {
	case before == "":
		return "Became " + after + " in “" + workspace + "”"
	case after == "":
		return "Lost " + before + " in “" + workspace + "”"
	default:
		return "In “" + workspace + "”, " + before + " became " + after
	}
}

// maxConcerned is how many of the people whom a change concerned a page names.
const maxConcerned = 5

// concerned are the members whom a change names by id: those who came to a group or left it, and whose access changed.
func concerned(after map[string]any) []domain.MemberID {
	var found []domain.MemberID
	add := func(value any) {
		if id, ok := value.(string); ok && domain.ValidID(domain.MemberID(id)) && !slices.Contains(found, domain.MemberID(id)) {
			found = append(found, domain.MemberID(id))
		}
	}
	for _, name := range []string{"access", "added", "removed"} {
		ids, _ := after[name].([]any)
		for _, one := range ids {
			if fact, ok := one.(map[string]any); ok {
				one = fact["member_id"]
			}
			add(one)
		}
	}
	return found
}

// peopleFacts says for each change what it meant for the people whom it concerned; known are the names of these and of others asked for.
func (v *visit) peopleFacts(afters []map[string]any, workspaces map[string]string, others []domain.MemberID) (known map[domain.MemberID]string, changes [][]factRow, err error) {
	known, changes = map[domain.MemberID]string{}, make([][]factRow, len(afters))
	ids := slices.Clone(others)
	for _, after := range afters {
		all := concerned(after)
		ids = append(ids, all[:min(len(all), maxConcerned)]...)
	}
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) == 0 {
		return known, changes, nil
	}
	members, err := v.Rules.Members(v.ctx(), v.scope, domain.MemberQuery{IDs: ids, Window: domain.Window{Limit: domain.MaxLimit}})
	for _, member := range members {
		known[member.ID] = name(member)
	}
	for i, after := range afters {
		all := concerned(after)
		for _, id := range all[:min(len(all), maxConcerned)] {
			effects := strings.Join(effectsOn(string(id), after, workspaces), "; ")
			changes[i] = append(changes[i], factRow{Name: cmp.Or(known[id], "Somebody who is gone"), After: effects})
		}
		if more := len(all) - maxConcerned; more > 0 {
			changes[i] = append(changes[i], factRow{Name: "and " + peopleWord(more) + " more"})
		}
	}
	return known, changes, err
}

// What the rows of a page may hold, in bytes; a page with more ends earlier.
const (
	rowsBytes    = 40 << 10
	historyBytes = 16 << 10
	// rowBytes is a row but for its facts.
	rowBytes = 500
)

// fitting is how many of n rows fit into so many bytes, at least one of them.
func fitting(n, bytes int, facts func(i int) []factRow) int {
	for i := range n {
		bytes -= rowBytes
		for _, fact := range facts(i) {
			bytes -= len(fact.Name) + len(fact.Before) + len(fact.After) + 90
		}
		if bytes < 0 && i > 0 {
			return i
		}
	}
	return n
}

const (
	maxFacts = 30
	maxFact  = 400 // characters
)

// factsOf lists what two sets of facts differ in.
func factsOf(before, after map[string]any) []factRow {
	names := map[string]bool{}
	for name := range before {
		names[name] = true
	}
	for name := range after {
		names[name] = true
	}
	if len(concerned(after)) > 0 {
		// Whom these name by id has rows of their own.
		for _, name := range []string{"added", "removed", "access"} {
			delete(names, name)
		}
	}
	var rows []factRow
	for _, name := range slices.Sorted(maps.Keys(names)) {
		was, is := factText(before[name]), factText(after[name])
		if was == is && before != nil && after != nil {
			continue
		}
		if len(rows) == maxFacts {
			return append(rows, factRow{Name: "and more"})
		}
		rows = append(rows, factRow{strings.ReplaceAll(name, "_", " "), was, is})
	}
	return rows
}

// factText writes a value as people read it.
func factText(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return clipped(v)
	case bool:
		if v {
			return "yes"
		}
		return "no"
	default:
		raw, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return clipped(string(raw))
	}
}

func clipped(text string) string {
	if runes := []rune(text); len(runes) > maxFact {
		return string(runes[:maxFact]) + "…"
	}
	return text
}
