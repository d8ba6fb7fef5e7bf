package domain_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/domain"
)

// model is R34-R36 written the slow, obvious way: a base grant per place, a set of groups, and the words of the rules.
type model struct {
	bootstrap bool
	org       domain.RoleID
	base      map[domain.WorkspaceID]domain.RoleID
	groups    map[domain.GroupID]domain.GroupGrants
}

// settle lets every group that speaks replace what it speaks about (R36).
func (m *model) settle() {
	for _, group := range m.groups {
		if group.OrgRole != "" && !m.bootstrap {
			m.org = ""
		}
		for workspace := range group.Workspaces {
			delete(m.base, workspace)
		}
	}
}

func (m *model) orgRole() domain.RoleID {
	if m.bootstrap {
		return domain.RoleOrgAdmin
	}
	for _, role := range []domain.RoleID{domain.RoleOrgAdmin, domain.RoleOrgOperator, domain.RoleOrgUser, domain.RoleOrgViewer} {
		for _, group := range m.groups {
			if group.OrgRole == role {
				return role
			}
		}
	}
	if m.org != "" {
		return m.org
	}
	return domain.RoleOrgUser
}

func (m *model) workspaceRoles() map[domain.WorkspaceID]domain.RoleID {
	roles := maps.Clone(m.base)
	newest := map[domain.WorkspaceID]time.Time{}
	for _, group := range m.groups {
		for workspace, role := range group.Workspaces {
			if group.Created.After(newest[workspace]) {
				roles[workspace], newest[workspace] = role, group.Created
			}
		}
	}
	return roles
}

// R34, R35, R36: on random histories Resolve and the model agree after every step.
func TestResolveAgreesWithTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		bootstrap := rapid.Bool().Draw(t, "bootstrap")
		held := startingHolding(bootstrap, now)
		m := &model{
			bootstrap: bootstrap, org: held.Org.Role,
			base: map[domain.WorkspaceID]domain.RoleID{}, groups: map[domain.GroupID]domain.GroupGrants{},
		}
		for step := range rapid.IntRange(1, 30).Draw(t, "steps") {
			now = now.Add(time.Minute)
			held = act(t, m, held, step, now)
			m.settle()
			held = domain.Resolve(held, slices.Collect(maps.Values(m.groups)), now)
			requireAgreement(t, m, held)
		}
	})
}

func startingHolding(bootstrap bool, now time.Time) domain.Holding {
	grant := domain.Grant{Kind: domain.GrantJIT, Role: domain.RoleOrgUser, At: now}
	if bootstrap {
		grant = domain.Grant{Kind: domain.GrantBootstrap, Role: domain.RoleOrgAdmin, At: now}
	}
	return domain.Holding{Org: domain.Held{Grant: grant}, Workspaces: map[domain.WorkspaceID]domain.Held{}}
}

// act does one random thing to the model and, where it is a manual edit, to the holding.
func act(t *rapid.T, m *model, held domain.Holding, step int, now time.Time) domain.Holding {
	workspace := domain.WorkspaceID(rapid.SampledFrom([]string{"w1", "w2", "w3"}).Draw(t, "workspace"))
	role := rapid.SampledFrom([]domain.RoleID{domain.RoleWorkAdmin, domain.RoleWorkEditor, domain.RoleWorkViewer}).Draw(t, "role")
	switch rapid.SampledFrom([]string{"join", "leave", "remap", "edit", "edit org"}).Draw(t, "action") {
	case "join":
		id := domain.GroupID(fmt.Sprintf("g%02d", step))
		m.groups[id] = domain.GroupGrants{ID: id, Name: string(id), Created: now, Mapping: drawMapping(t, workspace, role)}
	case "leave":
		if len(m.groups) > 0 {
			delete(m.groups, rapid.SampledFrom(slices.Sorted(maps.Keys(m.groups))).Draw(t, "left"))
		}
	case "remap":
		if len(m.groups) > 0 {
			id := rapid.SampledFrom(slices.Sorted(maps.Keys(m.groups))).Draw(t, "remapped")
			group := m.groups[id]
			group.Mapping = drawMapping(t, workspace, role)
			m.groups[id] = group
		}
	case "edit":
		// A manual edit of what a group grants is refused (R36), so it happens only elsewhere.
		if held.Workspaces[workspace].Kind != domain.GrantGroup {
			m.base[workspace] = role
			held.Workspaces[workspace] = domain.Held{Grant: domain.Grant{Kind: domain.GrantManual, Role: role, At: now}}
		}
	case "edit org":
		if held.Org.Kind != domain.GrantGroup && !m.bootstrap {
			m.org = domain.RoleOrgViewer
			held.Org = domain.Held{Grant: domain.Grant{Kind: domain.GrantManual, Role: m.org, At: now}}
		}
	}
	return held
}

func drawMapping(t *rapid.T, workspace domain.WorkspaceID, role domain.RoleID) domain.Mapping {
	orgRole := rapid.SampledFrom([]domain.RoleID{
		"", domain.RoleOrgAdmin, domain.RoleOrgOperator, domain.RoleOrgUser, domain.RoleOrgViewer,
	}).Draw(t, "org role")
	if rapid.Bool().Draw(t, "speaks about a workspace") {
		return domain.Mapping{OrgRole: orgRole, Workspaces: map[domain.WorkspaceID]domain.RoleID{workspace: role}}
	}
	return domain.Mapping{OrgRole: orgRole}
}

func requireAgreement(t *rapid.T, m *model, held domain.Holding) {
	t.Helper()
	if want := m.orgRole(); held.Org.Role != want {
		t.Fatalf("org role %s, the model says %s", domain.RoleName(held.Org.Role), domain.RoleName(want))
	}
	got := map[domain.WorkspaceID]domain.RoleID{}
	for workspace, have := range held.Workspaces {
		got[workspace] = have.Role
	}
	if want := m.workspaceRoles(); !maps.Equal(got, want) {
		t.Fatalf("workspace roles %v, the model says %v", got, want)
	}
	if again := domain.Resolve(held, slices.Collect(maps.Values(m.groups)), time.Time{}); !domain.Difference("m", held, again).Empty() {
		t.Fatalf("resolving twice changes %+v", domain.Difference("m", held, again))
	}
}

// R37: the explanation names the role that Resolve decided, the group that replaced a grant, and why others lost.
func TestExplain(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	work := domain.Workspace{ID: "w1", DisplayName: "Workspace 1"}
	jit := domain.Grant{Kind: domain.GrantJIT, Role: domain.RoleWorkEditor, At: at}
	older := domain.GroupGrants{ID: "g1", Name: "Readers", Created: at, Mapping: domain.Mapping{Workspaces: map[domain.WorkspaceID]domain.RoleID{"w1": domain.RoleWorkViewer}}}
	newer := domain.GroupGrants{ID: "g2", Name: "Owners", Created: at.Add(time.Hour), Mapping: domain.Mapping{OrgRole: domain.RoleOrgViewer, Workspaces: map[domain.WorkspaceID]domain.RoleID{"w1": domain.RoleWorkAdmin}}}
	before := domain.Holding{
		Org:        domain.Held{Grant: domain.Grant{Kind: domain.GrantManual, Role: domain.RoleOrgOperator, SourceName: "ada@example.com", At: at}},
		Workspaces: map[domain.WorkspaceID]domain.Held{"w1": {Grant: jit}},
	}
	groups := []domain.GroupGrants{newer, older}
	held := domain.Resolve(before, groups, at.Add(2*time.Hour))
	got := domain.Explain(held, groups, []domain.Workspace{work})

	if got.Org.Role != domain.RoleOrgViewer || got.Org.SourceName != "Owners" || len(got.Org.Lost) != 1 || got.Org.Lost[0].Kind != domain.GrantManual {
		t.Errorf("org role explained as %+v", got.Org)
	}
	if len(got.Workspaces) != 1 {
		t.Fatalf("%d workspaces explained, want 1", len(got.Workspaces))
	}
	why := got.Workspaces[0]
	if why.Role != domain.RoleWorkAdmin || why.SourceName != "Owners" || why.Implied {
		t.Errorf("workspace explained as %+v", why)
	}
	var lost []string
	for _, l := range why.Lost {
		lost = append(lost, string(l.Kind)+" "+l.SourceName)
	}
	if want := []string{"jit ", "group Readers"}; !slices.Equal(lost, want) {
		t.Errorf("lost grants %q, want %q", lost, want)
	}
}

// R3: an Organization Admin is Admin of every workspace without a row, and a row of their own is shown as waiting.
func TestExplainAdmin(t *testing.T) {
	held := domain.Holding{
		Org:        domain.Held{Grant: domain.Grant{Kind: domain.GrantBootstrap, Role: domain.RoleOrgAdmin}},
		Workspaces: map[domain.WorkspaceID]domain.Held{"w1": {Grant: domain.Grant{Kind: domain.GrantJIT, Role: domain.RoleWorkViewer}}},
	}
	got := domain.Explain(held, nil, []domain.Workspace{{ID: "w1"}, {ID: "w2"}})
	for _, why := range got.Workspaces {
		if why.Role != domain.RoleWorkAdmin || !why.Implied {
			t.Errorf("workspace %s: %+v, want Admin by implication", why.Workspace, why)
		}
	}
	if len(got.Workspaces) != 2 || len(got.Workspaces[0].Lost) != 1 || len(got.Workspaces[1].Lost) != 0 {
		t.Errorf("explained as %+v", got.Workspaces)
	}
}
