package web

import (
	"net/url"

	"muster/domain"
)

// membersPage finds people.
type membersPage struct {
	common

	Query                   url.Values
	Roles, Grants, Statuses []option
	Workspace               input
	Members                 []memberRow
	Pager                   pager
	// Filtered says that something was asked for, and Anywhere where to look anywhere in names and addresses, which takes a while.
	Filtered bool
	Anywhere string
}

// memberRow is one person in a list.
type memberRow struct {
	domain.MemberView

	// More is how many workspaces are left out.
	More int
	// All is for Organization Admins, who are Admin of every workspace (R3).
	All bool
}

// maxPlaces is how many workspaces a row of a list names.
const maxPlaces = 3

func memberRows(views []domain.MemberView) []memberRow {
	rows := make([]memberRow, len(views))
	for i, view := range views {
		rows[i] = memberRow{MemberView: view, All: view.Role.Role == domain.RoleOrgAdmin, More: max(0, len(view.Workspaces)-maxPlaces)}
		rows[i].Workspaces = view.Workspaces[:len(view.Workspaces)-rows[i].More]
	}
	return rows
}

// grantOptions are the reasons for which somebody can have a role, in words.
func grantOptions() []option {
	return []option{
		{Value: string(domain.GrantGroup), Label: "A pushed group"},
		{Value: string(domain.GrantSSOGroup), Label: "A group at sign-in"},
		{Value: string(domain.GrantSCIM), Label: "The identity provider"},
		{Value: string(domain.GrantJIT), Label: "First sign-in"},
		{Value: string(domain.GrantInvite), Label: "An invite"},
		{Value: string(domain.GrantManual), Label: "An administrator"},
		{Value: string(domain.GrantBootstrap), Label: "The operator"},
	}
}

func (v *visit) members() error {
	query := v.r.URL.Query()
	page := membersPage{common: v.common(), Query: query}
	roles, err := v.Rules.Roles(v.ctx(), v.scope)
	if err != nil {
		return err
	}
	workspaces, err := v.Rules.Workspaces(v.ctx(), v.scope, false)
	if err != nil {
		return err
	}
	page.Roles = chosen(roleOptions(roles, domain.ScopeOrganization), query.Get("role"))
	workspace, unknown := v.picked("workspace")
	page.Workspace = filterField(workspaceOptions(workspaces), query.Get("workspace"), unknown)
	page.Grants = chosen(grantOptions(), query.Get("grant"))
	page.Statuses = chosen([]option{{Value: string(domain.Active), Label: "Active"}, {Value: string(domain.Disabled), Label: "Disabled"}}, query.Get("status"))
	for _, name := range []string{"q", "role", "workspace", "grant", "status"} {
		page.Filtered = page.Filtered || query.Get(name) != ""
	}
	if unknown != nil {
		return v.render("members", "Members", "/members", page)
	}
	find, search := v.value("q"), ""
	if query.Get("anywhere") != "" {
		find, search = "", find
	}
	found, err := v.Rules.Members(v.ctx(), v.scope, domain.MemberQuery{
		Window: v.window(), Find: find, Search: search, Role: known[domain.RoleID](page.Roles), Workspace: workspace,
		Grant: known[domain.GrantKind](page.Grants), Status: known[domain.Status](page.Statuses),
	})
	if err != nil {
		return err
	}
	if len(found) == 0 && find != "" {
		if page.Anywhere, err = v.anywhere(); err != nil {
			return err
		}
	}
	found, page.Pager = paged(v, found)
	page.Members = memberRows(found)
	return v.render("members", "Members", "/members", page)
}

// anywhere is the address of the same search through everything; empty where that was done already.
func (v *visit) anywhere() (string, error) {
	whole, err := v.Rules.SearchedWhole(v.ctx(), v.scope)
	if err != nil || whole {
		return "", err
	}
	query := v.r.URL.Query()
	query.Set("anywhere", "1")
	return v.config.BasePath + v.at("/members?"+query.Encode()), nil
}

// filterField chooses a workspace to filter by; unknown says that what was asked for is none.
func filterField(workspaces []option, value string, unknown error) input {
	field := pickField(form{Name: "filter"}, "workspace", "Workspace", workspaces, "Any", "")
	field.Value, field.Hint = value, ""
	field.Options = chosen(field.Options, value)
	if unknown != nil {
		field.Wrong = sentence(domain.AsError(unknown).Text)
	}
	return field
}

// chosen marks one of several options.
func chosen(options []option, value string) []option {
	for i := range options {
		options[i].Chosen = options[i].Value == value
	}
	return options
}

// known is the option that was chosen; what is none of them is nothing.
func known[T ~string](options []option) T {
	for _, one := range options {
		if one.Chosen {
			return T(one.Value)
		}
	}
	return ""
}
