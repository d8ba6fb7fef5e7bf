package oidc

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The most that is read of a claim with group names (item 54); a longer list counts as left out.
const (
	maxGroups    = 2000
	maxGroupName = 300
)

// groups returns the group names in the claims wanted, none for a claim that is not there;
// a claim that the provider left out for its length is left out here too.
// A list, one text, an object whose keys are the names, and null for none are all in use (item 74).
func (c claimSet) groups(wanted []string) map[string][]string {
	var lists map[string][]string
	elsewhere := c.overage()
	for _, claim := range wanted {
		names := groupNames(c[claim])
		if slices.Contains(elsewhere, claim) || len(names) > maxGroups {
			continue
		}
		if lists == nil {
			lists = map[string][]string{}
		}
		lists[claim] = names
	}
	return lists
}

// groupNames reads a claim in any of its forms; one that is none of them holds no groups.
func groupNames(raw json.RawMessage) []string {
	var list []json.RawMessage
	var object map[string]json.RawMessage
	var text string
	switch {
	case json.Unmarshal(raw, &list) == nil:
		names := []string{}
		for _, item := range list {
			var name string
			if json.Unmarshal(item, &name) == nil {
				names = append(names, name)
			}
		}
		return usableNames(names)
	case json.Unmarshal(raw, &object) == nil:
		return usableNames(slices.Sorted(maps.Keys(object)))
	case json.Unmarshal(raw, &text) == nil:
		return usableNames([]string{text})
	default:
		return []string{}
	}
}

// usableNames leaves out names that no group can have; none is cut, because a part of a name is another group.
func usableNames(names []string) []string {
	kept := []string{}
	for _, name := range names {
		name = strings.TrimSpace(name)
		if name != "" && utf8.RuneCountInString(name) <= maxGroupName && !strings.ContainsFunc(name, unicode.IsControl) {
			kept = append(kept, name)
		}
	}
	return kept
}

// overage names the claims that are elsewhere: Entra leaves groups out above 200 and points to its graph instead
// (distributed claims, OpenID Connect Core section 5.6.2), or says "hasgroups".
func (c claimSet) overage() []string {
	var elsewhere map[string]json.RawMessage
	_ = json.Unmarshal(c["_claim_names"], &elsewhere)
	unknown := slices.Sorted(maps.Keys(elsewhere))
	if c.saysTrue("hasgroups") && !slices.Contains(unknown, "groups") {
		unknown = append(unknown, "groups")
	}
	return unknown
}
