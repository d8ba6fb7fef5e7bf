package domain_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/domain"
)

// member is the scope of somebody who signed in and now has these workspace roles.
func (w *world) memberWith(email string, roles map[domain.WorkspaceID]domain.RoleID) domain.OrgScope {
	w.Helper()
	cli := w.commandLine("")
	principal := w.signIn(email)
	id := w.memberOf(principal, cli.Org())
	views, err := w.service.Members(w.Context(), cli, domain.MemberQuery{IDs: []domain.MemberID{id}})
	w.must(err)
	for _, held := range views[0].Workspaces {
		w.must(w.service.RemoveWorkspaceMember(w.Context(), cli, held.Workspace, id))
	}
	for workspace, role := range roles {
		_, err := w.service.AddWorkspaceMember(w.Context(), cli, workspace, domain.NewWorkspaceMember{Member: id, Role: role})
		w.must(err)
	}
	scope, err := principal.In(cli.Org())
	w.must(err)
	return scope
}

// R20, R22: up to 500 addresses at once, all or none, and the answer names every bad row.
func TestBatch(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		cli := w.commandLine("")
		w.signIn("alice@example.com")
		requests := make([]domain.InviteRequest, domain.MaxBatch)
		for i := range requests {
			requests[i].Email = fmt.Sprintf("p%d@example.com", i)
		}
		made, err := w.service.InviteAll(w.Context(), cli, requests)
		w.must(err)
		if len(made) != domain.MaxBatch || made[7].Email != "p7@example.com" || made[7].Role != domain.RoleOrgUser {
			w.Errorf("%d invites, the eighth is %+v", len(made), made[7])
		}
		_, err = w.service.InviteAll(w.Context(), cli, append(requests, domain.InviteRequest{Email: "more@example.com"}))
		wantKind(t, err, domain.Invalid, "500")
		_, err = w.service.InviteAll(w.Context(), cli, []domain.InviteRequest{
			{Email: "good@example.com"},
			{Email: "bad"},
			{Email: "ALICE@example.com"},
			{Email: "Good@example.com"},
			{Email: "x@example.com", Workspaces: []domain.WorkspaceID{"nowhere"}},
			{Email: "y@example.com", Role: domain.RoleWorkAdmin},
		})
		known := domain.AsError(err)
		var rows []string
		for _, row := range known.Rows {
			rows = append(rows, fmt.Sprint(row.Row, " ", row.Field))
		}
		if want := []string{"1 email", "3 email", "2 email", "4 workspace_ids", "5 role_id"}; known.Kind != domain.Invalid || !sameSet(rows, want) {
			w.Errorf("%v, rows %q, want %q", err, rows, want)
		}
		if left, err := w.service.Invites(w.Context(), cli, domain.MemberQuery{Emails: []string{"good@example.com"}}); err != nil || len(left) > 0 {
			w.Errorf("a refused batch left %v, %v", left, err)
		}
	})
}

func sameSet(a, b []string) bool {
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

func wantKind(t *testing.T, err error, kind domain.Kind, words string) {
	t.Helper()
	if !domain.IsKind(err, kind) || !strings.Contains(err.Error(), words) {
		t.Errorf("%v, want %s with %q", err, kind, words)
	}
}

// R21: the switch of the installation or of the organization; without either, a workspace brings members only.
func TestWorkspaceInviteSwitches(t *testing.T) {
	for _, installation := range []bool{false, true} {
		for _, organization := range []bool{false, true} {
			t.Run(fmt.Sprintf("installation %t, organization %t", installation, organization), func(t *testing.T) {
				onEngines(t, func(p *domain.Policy) { p.WorkspaceInvitesEnabled = installation }, func(w *world) {
					cli := w.commandLine("")
					_, err := w.service.UpdateOrganization(w.Context(), cli, domain.OrgUpdate{Settings: func(s *domain.OrgSettings) { s.WorkspaceAdminCanInvite = organization }})
					w.must(err)
					lab := w.workspace(cli, "Lab")
					inviter := w.memberWith("ian@example.com", map[domain.WorkspaceID]domain.RoleID{lab.ID: domain.RoleWorkAdmin})
					w.signIn("alice@example.com")
					_, err = w.service.InviteToWorkspace(w.Context(), inviter, lab.ID, []domain.InviteRequest{{Email: "new@example.com"}})
					if allowed := installation || organization; allowed != (err == nil) || !allowed && !domain.IsKind(err, domain.Forbidden) {
						w.Errorf("somebody new: %v", err)
					}
					invited, err := w.service.InviteToWorkspace(w.Context(), inviter, lab.ID, []domain.InviteRequest{{Email: "Alice@example.com"}})
					if err != nil || invited[0].Member == nil || invited[0].Invite != nil {
						w.Errorf("a member: %+v, %v", invited, err)
					}
				})
			})
		}
	}
}

// R21: active, pending and unknown addresses in one request.
func TestWorkspaceInvites(t *testing.T) {
	onEngines(t, func(p *domain.Policy) { p.WorkspaceInvitesEnabled = true }, func(w *world) {
		cli := w.commandLine("")
		lab, other := w.workspace(cli, "Lab"), w.workspace(cli, "Other")
		inviter := w.memberWith("ian@example.com", map[domain.WorkspaceID]domain.RoleID{lab.ID: domain.RoleWorkAdmin, other.ID: domain.RoleWorkEditor})
		alice := w.memberWith("alice@example.com", nil).Member()
		_, err := w.service.Invite(w.Context(), cli, domain.InviteRequest{
			Email: "pending@example.com", Role: domain.RoleOrgViewer, Workspaces: []domain.WorkspaceID{other.ID}, WorkspaceRole: domain.RoleWorkViewer,
		})
		w.must(err)
		rows := func(emails ...string) []domain.InviteRequest {
			var requests []domain.InviteRequest
			for _, email := range emails {
				requests = append(requests, domain.InviteRequest{Email: email, WorkspaceRole: domain.RoleWorkAdmin})
			}
			return requests
		}

		w.Run("one bad row refuses all and names all", func(t *testing.T) {
			requests := rows("alice@example.com", "nobody", "fresh@example.com", "two@example.com")
			requests[2].Workspaces = []domain.WorkspaceID{other.ID}
			requests[3].Role = domain.RoleOrgAdmin
			_, err := w.service.InviteToWorkspace(t.Context(), inviter, lab.ID, requests)
			known := domain.AsError(err)
			if len(known.Rows) != 3 || known.Rows[0].Row != 1 || known.Rows[1].Row != 2 || known.Rows[2].Row != 3 {
				t.Errorf("%v, rows %+v", err, known.Rows)
			}
			if got := w.access(cli, alice); len(got) != 1 {
				t.Errorf("alice is in %q", got)
			}
		})
		w.Run("mixed", func(t *testing.T) {
			invited, err := w.service.InviteToWorkspace(t.Context(), inviter, lab.ID, rows("alice@example.com", "pending@example.com", "unknown@example.com"))
			w.must(err)
			if invited[0].Member == nil || invited[1].Invite == nil || invited[2].Invite == nil {
				t.Fatalf("%+v", invited)
			}
			if got, want := w.access(cli, alice), []string{"Organization User (jit)", "Lab: Admin (manual)"}; !slices.Equal(got, want) {
				t.Errorf("alice: %q, want %q", got, want)
			}
			pending := *invited[1].Invite
			if pending.Role != domain.RoleOrgViewer || pending.RoleIn(other.ID) != domain.RoleWorkViewer || pending.RoleIn(lab.ID) != domain.RoleWorkAdmin || len(pending.Workspaces) != 2 {
				t.Errorf("what the organization decided has changed: %+v", pending)
			}
			if unknown := *invited[2].Invite; unknown.Role != domain.RoleOrgUser || !unknown.FromWorkspace || !slices.Equal(unknown.Workspaces, []domain.WorkspaceID{lab.ID}) {
				t.Errorf("%+v", unknown)
			}
			carol := w.signIn("pending@example.com")
			if got, want := w.access(cli, w.memberOf(carol, cli.Org())), []string{"Organization Viewer (invite)", "Lab: Admin (invite)", "Other: Viewer (invite)"}; !slices.Equal(got, want) {
				t.Errorf("after the claim: %q, want %q", got, want)
			}
		})
		w.Run("an Editor may not", func(t *testing.T) {
			_, err := w.service.InviteToWorkspace(t.Context(), inviter, other.ID, rows("x@example.com"))
			wantKind(t, err, domain.Forbidden, "workspaces:manage-members")
		})
		w.Run("withdrawn with its last workspace", func(t *testing.T) {
			invited, err := w.service.InviteToWorkspace(t.Context(), inviter, lab.ID, rows("gone@example.com"))
			w.must(err)
			w.must(w.service.WithdrawWorkspaceInvite(t.Context(), inviter, lab.ID, invited[0].Invite.ID))
			left, err := w.service.Invites(t.Context(), cli, domain.MemberQuery{Emails: []string{"gone@example.com"}})
			if err != nil || len(left) > 0 {
				t.Errorf("%+v, %v", left, err)
			}
		})
		w.Run("who was deprovisioned stays out (R30)", func(t *testing.T) {
			scim := w.scim("")
			pushed, removed := w.push(scim, "disabled@example.com"), w.push(scim, "removed@example.com")
			w.active(scim, pushed.ID, false)
			w.must(w.service.DeleteUser(t.Context(), scim, removed.ID, 0))
			for _, email := range []string{"disabled@example.com", "removed@example.com"} {
				_, err := w.service.InviteToWorkspace(t.Context(), inviter, lab.ID, rows(email))
				wantKind(t, err, domain.Forbidden, "only an Organization Admin")
			}
		})
	})
}

// R21: nobody gives a role that goes beyond their own.
func TestRolesNeverAboveTheInviter(t *testing.T) {
	onEngines(t, func(p *domain.Policy) { p.WorkspaceInvitesEnabled = true }, func(w *world) {
		cli := w.commandLine("")
		lab := w.workspace(cli, "Lab")
		hr, err := w.service.CreateRole(w.Context(), cli, roleOf("HR", "workspaces:read", "workspaces:manage-members", "projects:read"))
		w.must(err)
		reader, err := w.service.CreateRole(w.Context(), cli, roleOf("Project reader", "projects:read"))
		w.must(err)
		inviter := w.memberWith("hr@example.com", map[domain.WorkspaceID]domain.RoleID{lab.ID: hr.ID})
		victim := w.memberWith("admin@example.com", map[domain.WorkspaceID]domain.RoleID{lab.ID: domain.RoleWorkAdmin})
		for role, allowed := range map[domain.RoleID]bool{domain.RoleWorkAdmin: false, domain.RoleWorkEditor: false, hr.ID: true, reader.ID: true} {
			_, err := w.service.InviteToWorkspace(w.Context(), inviter, lab.ID, []domain.InviteRequest{{Email: "n-" + string(role) + "@example.com", WorkspaceRole: role}})
			if allowed != (err == nil) {
				w.Errorf("inviting as %s: %v", role, err)
			}
			if allowed {
				continue
			}
			if _, err = w.service.SetWorkspaceRole(w.Context(), inviter, lab.ID, inviter.Member(), role); !domain.IsKind(err, domain.Forbidden) {
				w.Errorf("giving oneself %s: %v", role, err)
			}
		}
		if err := w.service.RemoveWorkspaceMember(w.Context(), inviter, lab.ID, victim.Member()); !domain.IsKind(err, domain.Forbidden) {
			w.Errorf("removing an Admin: %v", err)
		}
	})
}

func roleOf(name string, permissions ...domain.Permission) domain.RoleChange {
	return domain.RoleChange{DisplayName: &name, Permissions: &permissions}
}

// R23: own invites are listed, claimed and declined by the addressee alone, and only by an address that somebody vouched for (R10).
func TestOwnInvites(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		for _, name := range []string{"Acme", "Beta"} {
			_, err := w.service.CreateOrganizationByHand(w.Context(), name)
			w.must(err)
		}
		acme, beta := w.commandLine("Acme"), w.commandLine("Beta")
		workspaces, err := w.service.Workspaces(w.Context(), acme, false)
		w.must(err)
		first := workspaces[0].ID
		second := w.workspace(acme, "Second")
		invite := func(scope domain.OrgScope, email string, in ...domain.WorkspaceID) {
			_, err := w.service.Invite(w.Context(), scope, domain.InviteRequest{Email: email, Workspaces: in})
			w.must(err)
		}
		alice := w.signIn("alice@example.com")
		invite(acme, "Alice@example.com", first, second.ID)
		invite(beta, "alice@example.com")
		invite(beta, "bob@example.com")

		own, err := w.service.OwnInvites(w.Context(), alice)
		if err != nil || len(own) != 2 || own[0].Org.DisplayName != "Acme" || len(own[0].In) != 2 {
			w.Fatalf("%+v, %v", own, err)
		}
		w.must(w.service.DeclineWorkspaceInvite(w.Context(), alice, second.ID))
		_, err = w.service.ClaimWorkspaceInvite(w.Context(), alice, second.ID)
		wantKind(w.T, err, domain.NotFound, "no invite")
		member, err := w.service.ClaimWorkspaceInvite(w.Context(), alice, first)
		w.must(err)
		if got, want := w.access(acme, member.ID), []string{"Organization User (invite)", "Workspace 1: Editor (invite)"}; !slices.Equal(got, want) {
			w.Errorf("%q, want %q", got, want)
		}
		w.must(w.service.DeclineInvite(w.Context(), alice, beta.Org()))
		_, err = w.service.ClaimInvite(w.Context(), alice, beta.Org())
		wantKind(w.T, err, domain.NotFound, "no invite")

		// SCIM can write any address into a record; that proves nothing about the person.
		scim := w.scim("")
		mallory := w.push(scim, "mallory@example.com")
		principal := w.signIn("mallory@example.com")
		w.change(scim, mallory.ID, func(doc domain.Document) {
			doc["emails"] = []any{map[string]any{"value": "bob@example.com", "primary": true}}
			doc["userName"] = "bob@example.com"
		})
		if own, err := w.service.OwnInvites(w.Context(), principal); err != nil || len(own) > 0 {
			w.Errorf("an address that SCIM set: %+v, %v", own, err)
		}
		_, err = w.service.ClaimInvite(w.Context(), principal, beta.Org())
		wantKind(w.T, err, domain.NotFound, "no invite")
	})
}

// R23: an expired invite lets nobody in, in either way.
func TestExpiredInvite(t *testing.T) {
	onEngines(t, func(p *domain.Policy) { p.InviteExpiry, p.JITEnabled = 24*time.Hour, false }, func(w *world) {
		_, err := w.service.CreateOrganizationByHand(w.Context(), "Acme")
		w.must(err)
		for _, org := range []string{"", "Acme"} {
			_, err := w.service.Invite(w.Context(), w.commandLine(org), domain.InviteRequest{Email: "alice@example.com"})
			w.must(err)
		}
		w.clock.Advance(25 * time.Hour)
		if _, err := w.trySignIn(claims("alice@example.com")); err == nil {
			w.Error("an expired invite was claimed at sign-in")
		}
		_, _, err = w.service.CreatePersonalTokenFor(w.Context(), w.commandLine(""), "alice@example.com", false, "t")
		w.must(err)
		if own, err := w.service.OwnInvites(w.Context(), w.signIn("alice@example.com")); err != nil || len(own) > 0 {
			w.Errorf("%+v, %v", own, err)
		}
	})
}
