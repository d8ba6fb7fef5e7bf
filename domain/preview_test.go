package domain_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster/domain"
)

// R32: an explicit mapping stands in for the name, also across renames, until it is cleared; what it gave goes with it.
func TestExplicitMapping(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		cli, scim := w.commandLine(""), w.scim("")
		lab := w.workspace(cli, "Lab")
		bob := w.push(scim, "bob@example.com")
		group := w.pushGroup(scim, "Chemists", bob.ID)
		want := func(when string, roles ...string) {
			w.Helper()
			if got := w.access(cli, bob.ID); !slices.Equal(got, roles) {
				w.Errorf("%s: %q, want %q", when, got, roles)
			}
		}
		want("unmapped", "Organization User (scim)")
		view, err := w.service.SetGroupMapping(w.Context(), cli, group.ID, domain.Mapping{
			OrgRole: domain.RoleOrgViewer, Workspaces: map[domain.WorkspaceID]domain.RoleID{lab.ID: domain.RoleWorkAdmin},
		})
		w.must(err)
		if !view.Explicit || view.People != 1 {
			w.Errorf("%+v", view)
		}
		want("mapped", "Organization Viewer (group)", "Lab: Admin (group)")
		_, err = w.service.ChangeGroup(w.Context(), scim, group.ID, domain.GroupChange{Apply: edited(func(doc domain.Document) {
			doc["displayName"] = "Organization User:Workspace 1:Editor"
		})})
		w.must(err)
		want("renamed", "Organization Viewer (group)", "Lab: Admin (group)")
		_, err = w.service.ClearGroupMapping(w.Context(), cli, group.ID)
		w.must(err)
		want("cleared", "Organization User (group)", "Workspace 1: Editor (group)")
		_, err = w.service.SetGroupMapping(w.Context(), cli, group.ID, domain.Mapping{})
		w.must(err)
		want("mapped to nothing", "Organization User (scim)")

		for name, mapping := range map[string]domain.Mapping{
			"a workspace that is none": {Workspaces: map[domain.WorkspaceID]domain.RoleID{"01a20869-0000-7000-8000-000000000000": domain.RoleWorkAdmin}},
			"a role of the wrong kind": {OrgRole: domain.RoleWorkAdmin},
			"an org role in a place":   {Workspaces: map[domain.WorkspaceID]domain.RoleID{lab.ID: domain.RoleOrgAdmin}},
		} {
			if _, err := w.service.SetGroupMapping(w.Context(), cli, group.ID, mapping); !domain.IsKind(err, domain.Invalid) {
				w.Errorf("%s: %v", name, err)
			}
		}
		// R4: an Operator gives no Admin by a mapping either, and takes none away.
		olga := w.signIn("olga@example.com")
		_, err = w.service.SetMemberRole(w.Context(), cli, w.memberOf(olga, cli.Org()), domain.RoleOrgOperator)
		w.must(err)
		operator, err := w.signIn("olga@example.com").In(cli.Org())
		w.must(err)
		_, err = w.service.SetGroupMapping(w.Context(), operator, group.ID, domain.Mapping{OrgRole: domain.RoleOrgAdmin})
		wantKind(w.T, err, domain.Forbidden, "Organization Admin")
		_, err = w.service.SetGroupMapping(w.Context(), cli, group.ID, domain.Mapping{OrgRole: domain.RoleOrgAdmin})
		w.must(err)
		_, err = w.service.ClearGroupMapping(w.Context(), operator, group.ID)
		wantKind(w.T, err, domain.Forbidden, "Organization Admin")
	})
}

// R38: what a preview says is exactly what then happens, on random histories; and looking changes nothing.
func TestPreviewIsWhatHappens(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		cli, scim := w.commandLine(""), w.scim("")
		places := []domain.WorkspaceID{w.workspace(cli, "Lab").ID, w.workspace(cli, "Shop").ID}
		var people []domain.MemberID
		for i := range 5 {
			people = append(people, w.push(scim, fmt.Sprintf("p%d@example.com", i)).ID)
		}
		names := []string{
			"Organization Admins", "Organization Viewer:Lab:Editor", "Organization User:Shop:Admin", "Organization Operator:Lab:Viewer", "Canteen",
		}
		var groups []domain.Group
		for i := range 4 {
			groups = append(groups, w.pushGroup(scim, fmt.Sprint(i, " ", names[i])))
		}
		n := len(groups) // so that no new name is one that is there
		rapid.Check(w.T, func(rt *rapid.T) {
			n++
			group := rapid.SampledFrom(groups).Draw(rt, "group")
			members := rapid.SliceOfDistinct(rapid.SampledFrom(people), func(id domain.MemberID) domain.MemberID { return id }).Draw(rt, "members")
			_, err := w.service.ChangeGroup(w.Context(), scim, group.ID, domain.GroupChange{Members: []domain.MembersChange{{Op: domain.MembersReplace, Members: members}}})
			w.must(err)
			if rapid.Bool().Draw(rt, "by hand") {
				id := rapid.SampledFrom(people).Draw(rt, "whom")
				_, _ = w.service.AddWorkspaceMember(w.Context(), cli, places[0], domain.NewWorkspaceMember{Member: id, Role: domain.RoleWorkViewer})
			}
			target := rapid.SampledFrom(groups).Draw(rt, "target")
			before := w.roles(cli, people)
			var proposal domain.Proposal
			var act func() error
			switch rapid.SampledFrom([]string{"map", "rename", "clear"}).Draw(rt, "change") {
			case "map":
				mapping := domain.Mapping{OrgRole: rapid.SampledFrom([]domain.RoleID{"", domain.RoleOrgAdmin, domain.RoleOrgViewer}).Draw(rt, "org role")}
				for _, id := range rapid.SliceOfDistinct(rapid.SampledFrom(places), func(id domain.WorkspaceID) domain.WorkspaceID { return id }).Draw(rt, "places") {
					if mapping.Workspaces == nil {
						mapping.Workspaces = map[domain.WorkspaceID]domain.RoleID{}
					}
					mapping.Workspaces[id] = rapid.SampledFrom([]domain.RoleID{domain.RoleWorkAdmin, domain.RoleWorkViewer}).Draw(rt, "role")
				}
				proposal = domain.Proposal{Group: target.ID, Mapping: &mapping}
				act = func() error {
					_, err := w.service.SetGroupMapping(w.Context(), cli, target.ID, mapping)
					return err
				}
			case "rename":
				_, err := w.service.ClearGroupMapping(w.Context(), cli, target.ID)
				w.must(err)
				before = w.roles(cli, people)
				name := fmt.Sprint(n, " ", rapid.SampledFrom(names).Draw(rt, "name"))
				proposal = domain.Proposal{Group: target.ID, Name: name}
				act = func() error {
					_, err := w.service.ChangeGroup(w.Context(), scim, target.ID, domain.GroupChange{Apply: edited(func(doc domain.Document) { doc["displayName"] = name })})
					return err
				}
			case "clear":
				proposal = domain.Proposal{Group: target.ID}
				act = func() error { _, err := w.service.ClearGroupMapping(w.Context(), cli, target.ID); return err }
			}
			preview, err := w.service.Preview(w.Context(), cli, proposal)
			w.must(err)
			if looked := w.roles(cli, people); !reflect.DeepEqual(looked, before) {
				rt.Fatalf("looking changed %v to %v", before, looked)
			}
			w.clock.Advance(1)
			w.must(act())
			if got, want := foreseen(before, preview), w.roles(cli, people); !reflect.DeepEqual(got, want) || preview.Concerned != len(preview.Changes) {
				rt.Fatalf("foreseen %v, happened %v", got, want)
			}
		})
	})
}

// roles are everybody's org role, under "", and workspace roles.
func (w *world) roles(scope domain.OrgScope, people []domain.MemberID) map[domain.MemberID]map[domain.WorkspaceID]domain.RoleID {
	w.Helper()
	views, err := w.service.Members(w.Context(), scope, domain.MemberQuery{IDs: people})
	w.must(err)
	all := map[domain.MemberID]map[domain.WorkspaceID]domain.RoleID{}
	for _, view := range views {
		all[view.ID] = map[domain.WorkspaceID]domain.RoleID{"": view.Role.Role}
		for _, held := range view.Workspaces {
			all[view.ID][held.Workspace] = held.Role
		}
	}
	return all
}

// foreseen is what a preview says that people will hold.
func foreseen(before map[domain.MemberID]map[domain.WorkspaceID]domain.RoleID, preview domain.Preview) map[domain.MemberID]map[domain.WorkspaceID]domain.RoleID {
	after := map[domain.MemberID]map[domain.WorkspaceID]domain.RoleID{}
	for id, roles := range before {
		after[id] = maps.Clone(roles)
	}
	for _, change := range preview.Changes {
		roles := after[change.Member.ID]
		if change.Org != nil {
			roles[""] = change.Org.Role
		}
		for workspace, held := range change.Put {
			roles[workspace] = held.Role
		}
		for _, workspace := range change.Drop {
			delete(roles, workspace)
		}
	}
	return after
}
