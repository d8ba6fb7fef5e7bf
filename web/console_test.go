package web

import (
	"slices"
	"strings"
	"testing"
	"time"

	"muster/domain"
)

func TestAddresses(t *testing.T) {
	for text, want := range map[string][]string{
		"":            nil,
		"a@x.example": {"a@x.example"},
		"a@x.example, b@x.example;c@x.example\nd@x.example\r\n\te@x.example": {"a@x.example", "b@x.example", "c@x.example", "d@x.example", "e@x.example"},
		"Ada Lee <a@x.example>, <b@x.example>":                               {"a@x.example", "b@x.example"},
		"nonsense":                                                           {"nonsense"},
	} {
		if got := addresses(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// No cell of a table begins as a formula does, in whatever way a spreadsheet recognizes one.
func TestCells(t *testing.T) {
	for text, want := range map[string]string{
		//nolint:gocritic // the space is what is tested
		"": "", "plain": "plain", "a=b": "a=b", "=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "\t=1": "'\t=1", " =1": "' =1", "＝1": "'＝1", "\rx": "'\rx",
	} {
		if got := cells(text)[0]; got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestChart(t *testing.T) {
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	c := chartOf([]domain.ActivityCount{{From: at}, {From: at.Add(time.Hour), Changes: 1, Others: 1000, Refused: 1}}, time.Hour)
	if c.Top != 1002 || c.Empty() || len(c.Bars) != 2 {
		t.Errorf("the chart is %+v", c)
	}
	// What is not nothing is seen, and the parts stand on each other within the chart.
	b := c.Bars[1]
	if b.ChangesHeight < 2 || b.RefusedHeight < 2 || b.OthersY != b.ChangesY+b.ChangesHeight || b.ChangesY != b.RefusedY+b.RefusedHeight {
		t.Errorf("the bar is %+v", b)
	}
	if !chartOf([]domain.ActivityCount{{From: at}}, time.Hour).Empty() {
		t.Error("nothing is something")
	}
}

// What a row meant for one person: groups entered and left, roles gained, lost and changed; other people's are left out.
func TestEffects(t *testing.T) {
	after := map[string]any{
		"removed": []any{"me", "other"},
		"access": []any{
			map[string]any{"member_id": "other", "org_role": map[string]any{"before": "A", "after": "B"}},
			map[string]any{"member_id": "me", "org_role": map[string]any{"before": "Organization Admin", "after": "Organization User"}, "workspaces": map[string]any{
				"w1": map[string]any{"before": "Editor", "after": ""}, "w2": map[string]any{"before": "", "after": "Viewer"}, "w3": map[string]any{"before": "Viewer", "after": "Admin"},
			}},
		},
	}
	want := []string{
		"Taken out of the group", "Organization Admin became Organization User",
		"Lost Editor in “Lab”", "Became Viewer in “a workspace”", "In “Shop”, Viewer became Admin",
	}
	if got := effectsOn("me", after, map[string]string{"w1": "Lab", "w3": "Shop"}); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := effectsOn("", after, nil); len(got) != 0 {
		t.Errorf("a list about nobody says %q", got)
	}
}

// R12: the eight cases, in words, for the settings that lead to each.
func TestJoinCases(t *testing.T) {
	for _, c := range []struct {
		jit, invites, allowed bool
		invited, other        string
	}{
		{true, true, true, "joins with what the invite says, and nothing else.", "joins with the default workspaces and role below."},
		{false, true, true, "joins with what the invite says, and nothing else.", "is refused: nobody invited them, and joining at first sign-in is off."},
		{true, false, true, "joins with the default workspaces and role below: invites are off, so theirs does not count.", "joins with the default workspaces and role below."},
		{false, false, true, "is refused: invites are off, and so is joining at first sign-in.", "is refused: nobody invited them, and joining at first sign-in is off."},
		{true, true, false, "joins with what the invite says, and nothing else.", "is refused: nobody invited them, and joining at first sign-in is off."},
	} {
		org := domain.OrgView{Default: true}
		org.Settings.JITEnabled, org.Settings.InvitesEnabled = c.jit, c.invites
		cases := joinCases(org, c.allowed)
		if got := cases[len(cases)-2].Then; got != c.invited {
			t.Errorf("%+v, invited: %s", c, got)
		}
		if got := cases[len(cases)-1].Then; got != c.other {
			t.Errorf("%+v, not invited: %s", c, got)
		}
	}
}

// The people whom a change names by id are named once each, and not repeated as ids among the facts.
func TestConcerned(t *testing.T) {
	one, two := "01890000-0000-7000-8000-000000000001", "01890000-0000-7000-8000-000000000002"
	after := map[string]any{
		"added": []any{one}, "access": []any{map[string]any{"member_id": two}, map[string]any{"member_id": one}}, "display_name": "Lab", "removed": nil,
	}
	if got := concerned(after); len(got) != 2 {
		t.Errorf("the change concerns %v", got)
	}
	if facts := factsOf(nil, after); len(facts) != 1 || facts[0].Name != "display name" {
		t.Errorf("the facts are %v", facts)
	}
	if facts := factsOf(nil, map[string]any{"added": "no list of people"}); len(facts) != 1 {
		t.Errorf("the facts are %v", facts)
	}
}

// A page ends before it grows too large, and never before its first row.
func TestFitting(t *testing.T) {
	large := func(int) []factRow { return []factRow{{After: strings.Repeat("x", 10_000)}} }
	if got := fitting(50, rowsBytes, large); got != 3 {
		t.Errorf("%d rows", got)
	}
	if got := fitting(1, 10, large); got != 1 {
		t.Errorf("%d rows", got)
	}
	if got := fitting(50, rowsBytes, func(int) []factRow { return nil }); got != 50 {
		t.Errorf("%d rows", got)
	}
}

// What lasts through a day ends on that day; another moment stays what it is.
func TestLastMoment(t *testing.T) {
	noon := time.Date(2026, 12, 31, 12, 0, 0, 0, time.UTC)
	if got := lastMoment(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)); got.Format(time.DateOnly) != "2026-12-31" || lastMoment(noon) != noon {
		t.Errorf("the last moment is %v", got)
	}
}

// Every operation is offered once, under words that no other one has.
func TestOperations(t *testing.T) {
	names, words := map[string]bool{}, map[string]bool{}
	for _, one := range operations() {
		if names[one.name] || words[one.words] {
			t.Errorf("%s, %q is there twice", one.name, one.words)
		}
		names[one.name], words[one.words] = true, true
	}
	if got := operationWords("update_something_new"); got != "Update something new" {
		t.Errorf("%q", got)
	}
}
