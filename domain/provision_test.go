package domain_test

import (
	"slices"
	"testing"
	"time"

	"muster/domain"
)

// R26, R27, R30: adopted after JIT, disabled with sessions and tokens in one commit, back only through SCIM or a new invite.
func TestDisableAndReturn(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		signedIn, err := w.service.SignIn(w.Context(), claims("alice@example.com"), domain.Client{})
		w.must(err)
		alice, err := w.service.Session(w.Context(), signedIn.Session, domain.Client{})
		w.must(err)
		own, err := alice.In(alice.Memberships()[0].Org)
		w.must(err)
		_, key, err := w.service.CreatePersonalToken(w.Context(), own, domain.KeyRequest{Description: "script"})
		w.must(err)

		scope := w.scim("")
		pushed := w.push(scope, "alice@example.com")
		if pushed.ID != own.Member() {
			w.Fatal("R26: the person who came by JIT was not adopted")
		}
		w.active(scope, pushed.ID, false)
		if _, err := w.service.Session(w.Context(), signedIn.Session, domain.Client{}); !domain.IsKind(err, domain.Unauthenticated) {
			w.Errorf("R27: the session lives on: %v", err)
		}
		if _, err := w.service.Key(w.Context(), string(key), domain.Client{}); !domain.IsKind(err, domain.Unauthenticated) {
			w.Errorf("R27: the token lives on: %v", err)
		}
		if _, err := w.trySignIn(claims("alice@example.com")); reasonOf(err) != domain.ReasonDisabled {
			w.Errorf("R12: a disabled person got %v", err)
		}
		viewer := domain.InviteRequest{Email: "alice@example.com", Role: domain.RoleOrgViewer}
		_, err = w.service.Invite(w.Context(), w.commandLine(""), viewer)
		w.must(err)
		w.signIn("alice@example.com")
		if got, want := w.access(scope, pushed.ID)[0], "Organization Viewer (invite)"; got != want {
			w.Errorf("R30: a new invite gives %q, want %q", got, want)
		}
		w.active(scope, pushed.ID, true)
		w.active(scope, pushed.ID, false)
		w.active(scope, pushed.ID, true)
		w.signIn("alice@example.com")
		if got, want := w.access(scope, pushed.ID), []string{"Organization Viewer (invite)", "Workspace 1: Editor (jit)"}; !slices.Equal(got, want) {
			w.Errorf("R27: after re-enabling %q, want %q", got, want)
		}
	})
}

// R28, R30: a deleted person does not come back by JIT or an old invite, but by a new invite or SCIM.
func TestDeletedPersonStaysAway(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		scope, operator := w.scim(""), w.commandLine("")
		alice := w.push(scope, "alice@example.com")
		w.signIn("alice@example.com")
		w.must(w.service.DeleteUser(w.Context(), scope, alice.ID, 0))
		if _, err := w.service.GetUser(w.Context(), scope, alice.ID); !domain.IsKind(err, domain.NotFound) {
			w.Errorf("R28: the resource is still there: %v", err)
		}
		if err := w.service.DeleteUser(w.Context(), scope, alice.ID, 0); !domain.IsKind(err, domain.NotFound) {
			w.Errorf("S22: the second delete: %v", err)
		}
		if _, err := w.trySignIn(claims("alice@example.com")); reasonOf(err) != domain.ReasonDeprovisioned {
			w.Errorf("R30: a deleted person got %v", err)
		}
		renamed := claims("other@example.com")
		renamed.Subject = "sub-alice@example.com"
		if _, err := w.trySignIn(renamed); reasonOf(err) != domain.ReasonDeprovisioned {
			w.Errorf("R30: the same identity under another address got %v", err)
		}
		_, err := w.service.Invite(w.Context(), operator, domain.InviteRequest{Email: "alice@example.com"})
		w.must(err)
		w.signIn("alice@example.com")

		bob := w.push(scope, "bob@example.com")
		w.must(w.service.DeleteUser(w.Context(), scope, bob.ID, 0))
		again := w.push(scope, "bob@example.com")
		if again.ID == bob.ID {
			w.Error("S6: an id was used again")
		}
		w.signIn("bob@example.com")
	})
}

// R27: disabling in one organization leaves the session for another one, unless it is the default organization.
func TestDisableInOneOrganization(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		_, err := w.service.CreateOrganizationByHand(w.Context(), "Acme")
		w.must(err)
		signedIn, err := w.service.SignIn(w.Context(), claims("alice@example.com"), domain.Client{})
		w.must(err)
		acme := w.scim("Acme")
		pushed := w.push(acme, "alice@example.com")
		w.active(acme, pushed.ID, false)
		alice, err := w.service.Session(w.Context(), signedIn.Session, domain.Client{})
		w.must(err)
		if _, err := alice.In(acme.Org()); !domain.IsKind(err, domain.NotFound) {
			w.Errorf("the session still acts in Acme: %v", err)
		}
		w.active(acme, pushed.ID, true)
		standard := w.scim("Default")
		inDefault := w.push(standard, "alice@example.com")
		w.active(standard, inDefault.ID, false)
		if _, err := w.service.Session(w.Context(), signedIn.Session, domain.Client{}); !domain.IsKind(err, domain.Unauthenticated) {
			w.Errorf("shut out of the default organization, the session lives: %v", err)
		}
	})
}

// R25, R26, R29, A31, items 65, 66: conflicts name the attribute; one organization's token cannot re-key another's member.
func TestAddressesAndConflicts(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		_, err := w.service.CreateOrganizationByHand(w.Context(), "Acme")
		w.must(err)
		standard, acme := w.scim("Default"), w.scim("Acme")
		alice := w.push(standard, "alice@example.com")
		w.push(standard, "bob@example.com")
		for field, doc := range map[string]domain.Document{
			"userName":   person("ALICE@example.com"),
			"externalId": {"userName": "x", "externalId": "sub-alice@example.com"},
			"emails":     {"userName": "y", "emails": []any{map[string]any{"value": "alice@example.com"}}},
		} {
			_, err := w.service.CreateUser(w.Context(), standard, doc)
			if !domain.IsKind(err, domain.Conflict) || domain.AsError(err).Field != field {
				w.Errorf("a taken %s: %v on %q", field, err, domain.AsError(err).Field)
			}
		}
		_, err = w.service.ChangeUser(w.Context(), standard, alice.ID, domain.UserChange{Apply: edited(func(doc domain.Document) {
			doc["emails"] = []any{map[string]any{"value": "bob@example.com"}}
		})})
		if !domain.IsKind(err, domain.Conflict) {
			w.Errorf("R29: an address of another user: %v", err)
		}
		adopted := w.push(acme, "alice@example.com")
		w.change(acme, adopted.ID, func(doc domain.Document) {
			doc["emails"] = []any{map[string]any{"value": "mallory@evil.example"}}
			doc["externalId"] = "sub-mallory@evil.example"
		})
		mallory := w.signIn("mallory@evil.example")
		if mallory.User().ID == alice.User {
			w.Error("A31: a token of Acme handed Default's member to a stranger")
		}
		if _, err := w.service.GetUser(w.Context(), acme, alice.ID); alice.ID != adopted.ID && !domain.IsKind(err, domain.NotFound) {
			w.Errorf("R44: a foreign id answers %v", err)
		}
	})
}

// R29: where one organization holds the person, a new address reaches the user record and the next sign-in.
func TestAddressReachesTheUser(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		scope := w.scim("")
		alice := w.push(scope, "alice@example.com")
		w.change(scope, alice.ID, func(doc domain.Document) {
			doc["userName"], doc["displayName"] = "alice@new.example", "Alice New"
			doc["emails"] = []any{map[string]any{"value": "alice@new.example"}}
		})
		view, err := w.service.Member(w.Context(), w.commandLine(""), alice.ID)
		w.must(err)
		if view.Email != "alice@new.example" || view.FullName != "Alice New" {
			w.Errorf("the user record says %q, %q", view.Email, view.FullName)
		}
	})
}

// R31-R36: groups give, replace, end and rename access; a manual edit of what a group grants is refused.
func TestGroupsDecideAccess(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		scope, operator := w.scim(""), w.commandLine("")
		alice := w.signIn("alice@example.com")
		pushed := w.push(scope, "alice@example.com")
		expect := func(step string, want ...string) {
			w.Helper()
			if got := w.access(scope, pushed.ID); !slices.Equal(got, want) {
				w.Errorf("%s: %q, want %q", step, got, want)
			}
		}
		editors := w.pushGroup(scope, "Organization User:Lab:Editor", pushed.ID)
		if editors.Unmapped == "" {
			w.Error("R33: a group for a workspace that is not there must be unmapped")
		}
		expect("R33 unmapped", "Organization User (jit)", "Workspace 1: Editor (jit)")
		lab := w.workspace(scope, "Lab")
		expect("R33 it starts to work", "Organization User (group)", "Lab: Editor (group)", "Workspace 1: Editor (jit)")
		viewers := w.pushGroup(scope, "Organization Viewer:Workspace 1:Viewer", pushed.ID)
		expect("R36 replaced", "Organization User (group)", "Lab: Editor (group)", "Workspace 1: Viewer (group)")
		if _, err := w.service.SetMemberRole(w.Context(), operator, pushed.ID, domain.RoleOrgOperator); !domain.IsKind(err, domain.Conflict) {
			w.Errorf("R36: editing what a group grants: %v", err)
		}
		w.renameGroup(scope, viewers.ID, "Organization Viewer:Lab:Viewer")
		expect("R35 renamed: newest wins in Lab, Workspace 1 is gone", "Organization User (group)", "Lab: Viewer (group)")
		w.must(w.service.DeleteGroup(w.Context(), scope, viewers.ID, 0))
		expect("R35 deleted", "Organization User (group)", "Lab: Editor (group)")
		admins := w.pushGroup(scope, "LS:Organization Admins", pushed.ID)
		expect("R34 Admin everywhere", "Organization Admin (group)", "Lab: Admin (group)", "Workspace 1: Admin (group)")
		w.members(scope, admins.ID, domain.MembersChange{Op: domain.MembersReplace})
		expect("R35 emptied", "Organization User (group)", "Lab: Editor (group)")
		w.members(scope, editors.ID, domain.MembersChange{Op: domain.MembersRemove, Members: []domain.MemberID{pushed.ID}})
		expect("R36 nothing comes back", "Organization User (scim)")
		w.must(w.service.DeleteWorkspace(w.Context(), operator, lab.ID))
		group, err := w.service.GetGroup(w.Context(), scope, editors.ID, true)
		w.must(err)
		if group.Unmapped == "" || len(group.Members) != 0 {
			w.Errorf("after the workspace was deleted: %+v", group)
		}
		_ = alice
	})
}

func (w *world) renameGroup(scope domain.OrgScope, id domain.GroupID, name string) {
	w.Helper()
	_, err := w.service.ChangeGroup(w.Context(), scope, id, domain.GroupChange{
		Apply: edited(func(doc domain.Document) { doc["displayName"] = name }),
	})
	w.must(err)
}

func (w *world) members(scope domain.OrgScope, id domain.GroupID, changes ...domain.MembersChange) domain.Group {
	w.Helper()
	group, err := w.service.ChangeGroup(w.Context(), scope, id, domain.GroupChange{Members: changes})
	w.must(err)
	return group
}

// S16, S21, L6: unknown members are named, repeats change nothing, not even the version.
func TestGroupMembership(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		scope := w.scim("")
		a, b := w.push(scope, "a@example.com"), w.push(scope, "b@example.com")
		group := w.pushGroup(scope, "Team", a.ID)
		_, err := w.service.ChangeGroup(w.Context(), scope, group.ID, domain.GroupChange{Members: []domain.MembersChange{
			{Op: domain.MembersAdd, Members: []domain.MemberID{b.ID, "nobody"}},
		}})
		if !domain.IsKind(err, domain.Invalid) || domain.AsError(err).Field != "members" {
			w.Errorf("S16: an unknown member: %v", err)
		}
		same := w.members(scope, group.ID, domain.MembersChange{Op: domain.MembersAdd, Members: []domain.MemberID{a.ID, a.ID}})
		if same.Version != group.Version || !same.UpdatedAt.Equal(group.UpdatedAt) {
			w.Errorf("L6: adding a member again made version %d at %s", same.Version, same.UpdatedAt)
		}
		w.members(scope, group.ID, domain.MembersChange{Op: domain.MembersRemove, Members: []domain.MemberID{b.ID}}) // O23
		inAndOut := w.members(scope, group.ID,                                                                       // S21
			domain.MembersChange{Op: domain.MembersAdd, Members: []domain.MemberID{b.ID}},
			domain.MembersChange{Op: domain.MembersRemove, Members: []domain.MemberID{b.ID}},
			domain.MembersChange{Op: domain.MembersReplace},
			domain.MembersChange{Op: domain.MembersAdd, Members: []domain.MemberID{a.ID}},
		)
		if inAndOut.Version != group.Version {
			w.Errorf("S21: members who come and go in one request made version %d", inAndOut.Version)
		}
		for _, odd := range []struct { // V27: in order, also when somebody moves several times
			ops  []domain.MembersOp
			want []domain.MemberID
		}{
			{[]domain.MembersOp{domain.MembersRemove, domain.MembersAdd, domain.MembersRemove}, nil},
			{[]domain.MembersOp{domain.MembersAdd, domain.MembersRemove, domain.MembersAdd}, []domain.MemberID{a.ID}},
		} {
			var changes []domain.MembersChange
			for _, op := range odd.ops {
				changes = append(changes, domain.MembersChange{Op: op, Members: []domain.MemberID{a.ID}})
			}
			group = w.members(scope, group.ID, changes...)
			now, err := w.service.GetGroup(w.Context(), scope, group.ID, true)
			w.must(err)
			var left []domain.MemberID
			for _, member := range now.Members {
				left = append(left, member.Member)
			}
			if !slices.Equal(left, odd.want) {
				w.Errorf("after %v: %v, want %v", odd.ops, left, odd.want)
			}
		}
		w.clock.Advance(time.Minute)
		changed := w.members(scope, group.ID, domain.MembersChange{Op: domain.MembersReplace, Members: []domain.MemberID{b.ID}})
		if changed.Version != group.Version+1 {
			w.Errorf("version %d after one change", changed.Version)
		}
		got, err := w.service.GetGroup(w.Context(), scope, group.ID, true)
		w.must(err)
		if len(got.Members) != 1 || got.Members[0].Member != b.ID {
			w.Errorf("members %+v", got.Members)
		}
		if _, err := w.service.ChangeGroup(w.Context(), scope, group.ID, domain.GroupChange{
			IfMatch: group.Version, Members: []domain.MembersChange{{Op: domain.MembersReplace}},
		}); !domain.IsKind(err, domain.Stale) {
			w.Errorf("S47: a stale version: %v", err)
		}
		w.must(w.service.DeleteUser(w.Context(), scope, b.ID, 0))
		after, err := w.service.GetGroup(w.Context(), scope, group.ID, true)
		w.must(err)
		if len(after.Members) != 0 || after.Version <= changed.Version {
			w.Errorf("R28: after the member was deleted: %+v", after)
		}
	})
}

// R36: the first Admin is never lowered by a group.
func TestBootstrapAdminIsNotLowered(t *testing.T) {
	onEngines(t, func(p *domain.Policy) { p.InitialAdminEmail = "ada@example.com" }, func(w *world) {
		w.signIn("ada@example.com")
		scope := w.scim("")
		ada := w.push(scope, "ada@example.com")
		w.pushGroup(scope, "Organization Viewer:Workspace 1:Viewer", ada.ID)
		if got := w.access(scope, ada.ID)[0]; got != "Organization Admin (bootstrap)" {
			w.Errorf("the first Admin is %s", got)
		}
	})
}
