package domain_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"muster/domain"
)

// A change by somebody who saw something else than what is there now is refused, and changes nothing; without a word of what was seen it is made.
func TestSeen(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		cli := w.commandLine("")
		lab := w.workspace(cli, "Lab")
		seen := domain.SeenOf(lab.Face())
		if _, err := w.service.Having(seen).RenameWorkspace(w.Context(), cli, lab.ID, "Lab 2"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.service.Having(seen).RenameWorkspace(w.Context(), cli, lab.ID, "Lab 3"); !domain.IsKind(err, domain.Stale) {
			t.Errorf("an old view of a workspace: %v", err)
		}
		view, err := w.service.Workspace(w.Context(), cli, lab.ID)
		w.must(err)
		if view.DisplayName != "Lab 2" {
			t.Errorf("the workspace is called %q", view.DisplayName)
		}
		_, err = w.service.RenameWorkspace(w.Context(), cli, lab.ID, "Lab 3")
		w.must(err)

		w.push(w.scim(""), "bob@example.com")
		found, err := w.service.Members(w.Context(), cli, domain.MemberQuery{Find: "bob@"})
		w.must(err)
		member, disabled := found[0], true
		_, err = w.service.UpdateMember(w.Context(), cli, member.ID, domain.MemberUpdate{Disabled: &disabled})
		w.must(err)
		if _, err := w.service.Having(domain.SeenOf(member.Face())).UpdateMember(w.Context(), cli, member.ID, domain.MemberUpdate{Disabled: &disabled}); !domain.IsKind(err, domain.Stale) {
			t.Errorf("an old view of a member: %v", err)
		}
		org, err := w.service.Organization(w.Context(), cli)
		w.must(err)
		name := "Renamed"
		_, err = w.service.UpdateOrganization(w.Context(), cli, domain.OrgUpdate{DisplayName: &name})
		w.must(err)
		if _, err := w.service.Having(domain.SeenOf(org.Face())).UpdateOrganization(w.Context(), cli, domain.OrgUpdate{}); !domain.IsKind(err, domain.Stale) {
			t.Errorf("an old view of an organization: %v", err)
		}
	})
}

// Members are found by how their name or address begins, else by any part of it; and by role, reason and status.
func TestFindMembers(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		cli, scim := w.commandLine(""), w.scim("")
		for _, email := range []string{"bob@example.com", "bobby@example.com", "Ünal@example.com", "alice@example.com"} {
			w.push(scim, email)
		}
		w.signIn("joined@example.com")
		whole, err := w.service.SearchedWhole(w.Context(), cli)
		if w.must(err); !whole {
			t.Error("a few members are too many to look through")
		}
		off := w.push(scim, "off@example.com")
		w.active(scim, off.ID, false)
		for name, c := range map[string]struct {
			query domain.MemberQuery
			want  string
		}{
			"beginning": {domain.MemberQuery{Find: "BOB"}, "bob@example.com bobby@example.com"},
			"folded":    {domain.MemberQuery{Find: "ünal@"}, "Ünal@example.com"},
			"any part":  {domain.MemberQuery{Find: "lice@"}, "alice@example.com"},
			"nobody":    {domain.MemberQuery{Find: "zoe"}, ""},
			"disabled":  {domain.MemberQuery{Status: domain.Disabled}, "off@example.com"},
			"reason":    {domain.MemberQuery{Grant: domain.GrantJIT}, "joined@example.com"},
			"role":      {domain.MemberQuery{Role: domain.RoleOrgViewer}, ""},
			"both":      {domain.MemberQuery{Find: "b", Grant: domain.GrantSCIM, Role: domain.RoleOrgUser, Status: domain.Active}, "bob@example.com bobby@example.com"},
		} {
			found, err := w.service.Members(w.Context(), cli, c.query)
			w.must(err)
			var emails []string
			for _, one := range found {
				emails = append(emails, one.Email)
			}
			slices.Sort(emails)
			if got := strings.Join(emails, " "); got != c.want {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
		}
	})
}

// R20, R22, R30: the preview says of each row what inviting would do, and changes nothing.
func TestPreviewInvites(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		cli, scim := w.commandLine(""), w.scim("")
		w.push(scim, "member@example.com")
		w.active(scim, w.push(scim, "off@example.com").ID, false)
		w.invite("", domain.InviteRequest{Email: "pending@example.com"})
		requests := []domain.InviteRequest{{Email: "new@example.com"}, {Email: "member@example.com"}, {Email: "off@example.com"}, {Email: "pending@example.com"}, {Email: "nonsense"}, {Email: "NEW@example.com"}}
		previews, err := w.service.PreviewInvites(w.Context(), cli, requests)
		w.must(err)
		var got []string
		for _, one := range previews {
			got = append(got, strings.Join([]string{one.Email, word(one.Problem != "", "refused"), word(one.Member != nil, "disabled"), word(one.Earlier != nil, "pending")}, ""))
		}
		want := []string{"new@example.com", "member@example.comrefused", "off@example.comdisabled", "pending@example.compending", "nonsenserefused", "NEW@example.comrefused"}
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		invites, err := w.service.Invites(w.Context(), cli, domain.MemberQuery{})
		w.must(err)
		if len(invites) != 1 {
			t.Errorf("looking made %d invites", len(invites)-1)
		}
		if _, err := w.service.InviteAll(w.Context(), cli, requests); len(domain.AsError(err).Rows) != 3 {
			t.Errorf("sending refuses other rows than the preview: %v", err)
		}
	})
}

func word(yes bool, text string) string {
	if yes {
		return text
	}
	return ""
}

// R43: what was done to somebody is found by their membership, also what was done to a group that they were in, and by their address when they are gone.
func TestAuditAboutSomebody(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		cli, scim := w.commandLine(""), w.scim("")
		bob, other := w.push(scim, "bob@example.com"), w.push(scim, "other@example.com")
		group := w.pushGroup(scim, "Organization User:Workspace 1:Viewer", bob.ID, other.ID)
		w.members(scim, group.ID, domain.MembersChange{Op: domain.MembersRemove, Members: []domain.MemberID{bob.ID}})
		w.members(scim, group.ID, domain.MembersChange{Op: domain.MembersRemove, Members: []domain.MemberID{other.ID}})
		w.must(w.service.DeleteUser(w.Context(), scim, bob.ID, 0))
		operations := func(about string) []string {
			rows, err := w.service.AuditLog(w.Context(), cli, domain.AuditQuery{About: about, Limit: 50})
			w.must(err)
			var names []string
			for _, row := range rows {
				names = append(names, row.Operation)
			}
			return names
		}
		if got, want := operations(string(bob.ID)), []string{"delete_scim_user", "update_scim_group", "create_scim_group", "create_scim_user"}; !slices.Equal(got, want) {
			t.Errorf("about Bob: %q, want %q", got, want)
		}
		if got, want := operations("BOB@example.com"), []string{"delete_scim_user", "create_scim_user"}; !slices.Equal(got, want) {
			t.Errorf("about Bob's address: %q, want %q", got, want)
		}
		if got := operations("nobody@example.com"); len(got) != 0 {
			t.Errorf("about nobody: %q", got)
		}
	})
}

// The chart's numbers are the changes, the other requests and the refusals of each hour.
func TestActivityCounts(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		cli, scim := w.commandLine(""), w.scim("")
		before, err := w.service.ActivityCounts(w.Context(), cli, time.Hour, 3)
		w.must(err)
		now := before[2].From
		w.push(scim, "bob@example.com")
		w.must(w.service.RecordActivity(w.Context(), scim, []domain.Activity{
			{At: now.Add(time.Minute), Status: 200, Requests: 5}, {At: now.Add(time.Minute), Status: 404, Requests: 2}, {At: now.Add(-time.Minute), Status: 200, Requests: 7},
		}, nil))
		counts, err := w.service.ActivityCounts(w.Context(), cli, time.Hour, 3)
		w.must(err)
		if got := counts[2]; len(counts) != 3 || got.Others != 5 || got.Refused != 2 || got.Changes != before[2].Changes+1 || counts[1].Others != 7 {
			t.Errorf("the counts are %+v, before %+v", counts, before)
		}
	})
}
