package web

import (
	"slices"
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
