package web

import (
	"net/http"
	"net/url"
	"time"

	"muster/domain"
)

// provisioningPage is the organization's SCIM endpoint: where it is, who may use it, and what it was asked.
type provisioningPage struct {
	common

	URL    string
	Tokens []domain.SCIMToken
	// Made is a token's secret, shown this once; Rotated the description of the one that it is to replace.
	Made     *madeSecret
	Chart    chart
	Unmapped int
	Guard    domain.GuardView
	Profiles []option
	Now      time.Time
	Sent     []domain.UndeclaredAttribute
}

// madeSecret is a secret on the only page that ever shows it.
type madeSecret struct {
	Name, Secret, ID string
	// Replaces is the short form of the token that goes on until it is deleted.
	Replaces string
	Expires  time.Time
}

// chartSpan and chartSpans are what the chart of requests covers: a day by the hour.
const (
	chartSpan  = time.Hour
	chartSpans = 24
)

func (v *visit) scimURL() string { return v.Rules.Policy().PublicURL + "/scim/v2" }

func (v *visit) provisioning() error { return v.showProvisioning(nil) }

func (v *visit) showProvisioning(made *madeSecret) error {
	page := provisioningPage{
		common: v.common(), URL: v.scimURL(), Made: made, Now: v.now(),
		Profiles: []option{
			{Value: string(domain.ProfileAuto), Label: "Any provider"}, {Value: string(domain.ProfileOkta), Label: "Okta"},
			{Value: string(domain.ProfileEntra), Label: "Entra ID"}, {Value: string(domain.ProfileLenient), Label: "Lenient: takes more mistakes"},
			{Value: string(domain.ProfileStrict), Label: "Strict: refuses what no schema declares"},
		},
	}
	var err error
	if page.Tokens, err = v.Rules.SCIMTokens(v.ctx(), v.scope); err != nil {
		return err
	}
	counts, err := v.Rules.ActivityCounts(v.ctx(), v.scope, chartSpan, chartSpans)
	if err != nil {
		return err
	}
	page.Chart = chartOf(counts, chartSpan)
	unmapped, err := v.Rules.SCIMGroups(v.ctx(), v.scope, domain.GroupQuery{Unmapped: true, Window: domain.Window{Limit: pageSize}})
	if err != nil {
		return err
	}
	page.Unmapped = len(unmapped)
	if page.Guard, err = v.Rules.Guard(v.ctx(), v.scope); err != nil {
		return err
	}
	if page.Sent, err = v.Rules.UndeclaredAttributes(v.ctx(), v.scope); err != nil {
		return err
	}
	return v.render("provisioning", "Provisioning", "/provisioning", page)
}

// expiry reads a day; the token lasts until it is over, in UTC.
func (v *visit) expiry() (time.Time, error) {
	text := v.value("expires_at")
	if text == "" {
		return time.Time{}, nil
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}, domain.Invalidf("expires_at", "%q is no day; write it as 2026-12-31, or leave it empty", text)
	}
	return day.AddDate(0, 0, 1), nil
}

func (v *visit) createToken() error {
	expires, err := v.expiry()
	if err != nil {
		return v.retry("token", err, (*visit).provisioning)
	}
	token, secret, err := v.Rules.CreateSCIMToken(v.ctx(), v.scope, domain.NewSCIMToken{
		Description: v.value("description"), Profile: domain.SCIMProfile(v.value("profile")), ExpiresAt: expires,
	})
	back := (*visit).provisioning
	if v.value("back") != "" {
		back = func(v *visit) error { return v.showConnect(v.value("back"), nil) }
	}
	if err != nil {
		return v.retry("token", err, back)
	}
	made := &madeSecret{Name: token.Description, Secret: string(secret), ID: string(token.ID), Expires: token.ExpiresAt}
	if to := v.value("back"); to != "" {
		return v.showConnect(to, made)
	}
	return v.showProvisioning(made)
}

// rotateToken makes a second token beside one, which goes on working until somebody deletes it.
func (v *visit) rotateToken() error {
	old, err := v.Rules.SCIMTokenByID(v.ctx(), v.scope, domain.TokenID(v.r.PathValue("token")))
	if err != nil {
		return err
	}
	token, secret, err := v.Rules.CreateSCIMToken(v.ctx(), v.scope, domain.NewSCIMToken{Description: old.Description, Profile: old.Profile})
	if err != nil {
		return v.retry("token", err, (*visit).provisioning)
	}
	return v.showProvisioning(&madeSecret{Name: token.Description, Secret: string(secret), ID: string(token.ID), Replaces: old.Short})
}

func (v *visit) askDeleteToken() error {
	token, err := v.Rules.SCIMTokenByID(v.ctx(), v.scope, domain.TokenID(v.r.PathValue("token")))
	if err != nil {
		return err
	}
	effects := []string{"The next request with it is refused with 401.", "People and groups stay as they are.", "This cannot be taken back; a new token can be made."}
	if !token.LastUsedAt.IsZero() {
		effects = append([]string{"It was last used on " + token.LastUsedAt.UTC().Format("2 January 2006, 15:04 UTC") + "."}, effects...)
	}
	return v.confirm("/provisioning", confirmation{
		Title: "Delete the token “" + token.Description + "” (" + token.Short + ")?", Effects: effects,
		Action: v.at("/provisioning/tokens/" + url.PathEscape(string(token.ID)) + "/delete"), Button: "Delete the token", Back: v.at("/provisioning"),
	})
}

func (v *visit) deleteToken() error {
	if err := v.Rules.DeleteSCIMToken(v.ctx(), v.scope, domain.TokenID(v.r.PathValue("token"))); err != nil {
		return v.retry("token", err, (*visit).provisioning)
	}
	return v.finish(v.at("/provisioning"), "token-deleted")
}

// connectPage leads through connecting one identity provider.
type connectPage struct {
	common

	// Provider is "okta" or "entra".
	Provider, ProviderName string
	URL                    string
	Made                   *madeSecret
	Tokens                 []domain.SCIMToken
	// Last is the newest request there was; Received says that it came just now.
	Last     *domain.ActivityEntry
	Received bool
	Mapping  []attributeRow
	// GroupName is what to call the first group.
	GroupName string
	Separator string
}

// attributeRow is one line to enter at the provider.
type attributeRow struct{ From, To, Note string }

func (v *visit) connect() error { return v.showConnect(v.r.PathValue("provider"), nil) }

func (v *visit) showConnect(provider string, made *madeSecret) error {
	page := connectPage{
		common: v.common(), Provider: provider, URL: v.scimURL(), Made: made, Separator: v.org.Settings.GroupSeparator,
	}
	switch provider {
	case "okta":
		page.ProviderName = "Okta"
		page.Mapping = []attributeRow{
			{"userName", "user.login", "Okta’s default"}, {"givenName", "user.firstName", "Okta’s default"}, {"familyName", "user.lastName", "Okta’s default"},
			{"email", "user.email", "Okta’s default"}, {"displayName", "user.displayName", "Okta’s default"},
		}
	case "entra":
		page.ProviderName = "Entra ID"
		page.Mapping = []attributeRow{
			{"userPrincipalName", "userName", "keep; matching precedence 2"},
			{"objectId", "externalId", "change: Entra’s default is mailNickname. Matching precedence 1"},
			{"Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")", "active", "keep"},
			{"mail", "emails[type eq \"work\"].value", "keep"},
			{"displayName", "displayName", "keep"}, {"givenName", "name.givenName", "keep"}, {"surname", "name.familyName", "keep"},
		}
	default:
		return domain.Errorf(domain.NotFound, "there is a guide for okta and for entra")
	}
	workspaces, err := v.Rules.Workspaces(v.ctx(), v.scope, false)
	if err != nil {
		return err
	}
	workspace := "Workspace 1"
	if len(workspaces) > 0 {
		workspace = workspaces[0].DisplayName
	}
	page.GroupName = "Muster" + page.Separator + "Organization User" + page.Separator + workspace + page.Separator + "Editor"
	if page.Tokens, err = v.Rules.SCIMTokens(v.ctx(), v.scope); err != nil {
		return err
	}
	if page.Last, page.Received, err = v.latestRequest(); err != nil {
		return err
	}
	return v.render("connect", "Connect "+page.ProviderName, "/provisioning", page)
}

// justNow is how old a request may be to count as the one that a guide waits for.
const justNow = 15 * time.Minute

// latestRequest is the newest request of an identity provider, and whether it came just now; nil before the first.
func (v *visit) latestRequest() (*domain.ActivityEntry, bool, error) {
	entries, err := v.Rules.Activity(v.ctx(), v.scope, domain.ActivityQuery{Limit: 1})
	if err != nil || len(entries) == 0 {
		return nil, false, err
	}
	return &entries[0], v.now().Sub(entries[0].At) < justNow, nil
}

// waiting is the piece of a guide that tells whether the provider has called; the page's script asks for it again and again.
func (v *visit) waiting() error {
	latest, received, err := v.latestRequest()
	if err != nil {
		return err
	}
	v.rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.rw.Header().Set("Cache-Control", "no-store")
	return v.pages["connect"].ExecuteTemplate(v.rw, "received", connectPage{common: v.common(), Last: latest, Received: received})
}

// groupsPage lists the pushed groups, those that give nothing first.
type groupsPage struct {
	common

	Search           string
	Unmapped, Groups []groupRow
	Pager            pager
}

// groupRow is a group with names for what it gives.
type groupRow struct {
	domain.GroupView

	Gives []string
}

func (v *visit) groups() error {
	page := groupsPage{common: v.common(), Search: v.value("q")}
	names, err := v.names()
	if err != nil {
		return err
	}
	if page.Search == "" && v.page() == 1 {
		unmapped, err := v.Rules.SCIMGroups(v.ctx(), v.scope, domain.GroupQuery{Unmapped: true, Window: domain.Window{Limit: pageSize}})
		if err != nil {
			return err
		}
		page.Unmapped = names.rows(unmapped)
	}
	found, err := v.Rules.SCIMGroups(v.ctx(), v.scope, domain.GroupQuery{Search: page.Search, Window: v.window()})
	if err != nil {
		return err
	}
	found, page.Pager = paged(v, found)
	page.Groups = names.rows(found)
	return v.render("groups", "Groups", "/provisioning/groups", page)
}

// placeNames are the names of an organization's roles and workspaces.
type placeNames struct {
	roles      []domain.Role
	workspaces map[domain.WorkspaceID]string
	ordered    []domain.WorkspaceView
}

func (v *visit) names() (placeNames, error) {
	roles, err := v.Rules.Roles(v.ctx(), v.scope)
	if err != nil {
		return placeNames{}, err
	}
	all, err := v.Rules.Workspaces(v.ctx(), v.scope, false)
	names := placeNames{roles: roles, workspaces: map[domain.WorkspaceID]string{}, ordered: all}
	for _, workspace := range all {
		names.workspaces[workspace.ID] = workspace.DisplayName
	}
	return names, err
}

func (n placeNames) workspace(id domain.WorkspaceID) string {
	if name, ok := n.workspaces[id]; ok {
		return name
	}
	return "a workspace that is gone or not yours to see"
}

// gives says what a mapping gives, in words.
func (n placeNames) gives(m domain.Mapping) []string {
	var gives []string
	if m.OrgRole != "" {
		gives = append(gives, roleName(n.roles, m.OrgRole))
	}
	for _, workspace := range n.ordered {
		if role, ok := m.Workspaces[workspace.ID]; ok {
			gives = append(gives, roleName(n.roles, role)+" in "+workspace.DisplayName)
		}
	}
	return gives
}

func (n placeNames) rows(groups []domain.GroupView) []groupRow {
	rows := make([]groupRow, len(groups))
	for i, group := range groups {
		rows[i] = groupRow{group, n.gives(group.Mapping)}
	}
	return rows
}

// groupPage is one group with its mapping, and a preview of another one.
type groupPage struct {
	common

	Group      groupRow
	Seen       domain.Seen
	OrgRoles   []option
	Places     []mappingRow
	Preview    *groupPreview
	People     []domain.GroupMember
	MorePeople bool
	History    []auditRow
}

// mappingRow is a workspace with the role that the group gives there; empty for none.
type mappingRow struct {
	Workspace domain.WorkspaceID
	Name      string
	Roles     []option
}

// groupPreview says who would gain and who would lose.
type groupPreview struct {
	Gives             []string
	People, Concerned int
	Gaining, Losing   []accessRow
	Others            []accessRow
	Listed            int
	Clear             bool
}

// accessRow is one person whose access would change.
type accessRow struct {
	ID      domain.MemberID
	Name    string
	Changes []string
}

func (v *visit) groupID() domain.GroupID { return domain.GroupID(v.r.PathValue("group")) }

func (v *visit) groupAt() string {
	return v.at("/provisioning/groups/" + url.PathEscape(string(v.groupID())))
}

func (v *visit) group() error { return v.showGroup(nil) }

func (v *visit) showGroup(preview *groupPreview) error {
	view, err := v.Rules.SCIMGroup(v.ctx(), v.scope, v.groupID())
	if err != nil {
		return err
	}
	names, err := v.names()
	if err != nil {
		return err
	}
	page := groupPage{common: v.common(), Group: groupRow{view, names.gives(view.Mapping)}, Seen: domain.SeenOf(view.Face()), Preview: preview}
	f := page.Form("mapping")
	page.OrgRoles = append([]option{{Value: "", Label: "says nothing about the organization role"}}, roleOptions(names.roles, domain.ScopeOrganization)...)
	page.OrgRoles = chosen(page.OrgRoles, f.Value("org_role_id", string(view.Mapping.OrgRole)))
	for _, workspace := range names.ordered {
		options := append([]option{{Value: "", Label: "no role"}}, roleOptions(names.roles, domain.ScopeWorkspace)...)
		stored := f.Value("workspace-"+string(workspace.ID), string(view.Mapping.Workspaces[workspace.ID]))
		page.Places = append(page.Places, mappingRow{workspace.ID, workspace.DisplayName, chosen(options, stored)})
	}
	if page.People, err = v.Rules.GroupPeople(v.ctx(), v.scope, view.ID, pageSize+1); err != nil {
		return err
	}
	if len(page.People) > pageSize {
		page.People, page.MorePeople = page.People[:pageSize], true
	}
	if page.Manage {
		if page.History, err = v.history(string(view.ID)); err != nil {
			return err
		}
	}
	return v.render("group", view.DisplayName, "/provisioning/groups", page)
}

// mapping reads the form.
func (v *visit) mapping() (domain.Mapping, error) {
	mapping := domain.Mapping{OrgRole: domain.RoleID(v.value("org_role_id"))}
	workspaces, err := v.Rules.Workspaces(v.ctx(), v.scope, false)
	for _, workspace := range workspaces {
		if role := v.value("workspace-" + string(workspace.ID)); role != "" {
			if mapping.Workspaces == nil {
				mapping.Workspaces = map[domain.WorkspaceID]domain.RoleID{}
			}
			mapping.Workspaces[workspace.ID] = domain.RoleID(role)
		}
	}
	return mapping, err
}

// saveMapping looks first: only the button under the preview saves (R38).
func (v *visit) saveMapping() error {
	mapping, err := v.mapping()
	if err != nil {
		return err
	}
	if v.value("do") != "save" {
		return v.preview(domain.Proposal{Group: v.groupID(), Mapping: &mapping}, false)
	}
	if _, err := v.seen().SetGroupMapping(v.ctx(), v.scope, v.groupID(), mapping); err != nil {
		return v.retry("mapping", err, (*visit).group)
	}
	return v.finish(v.groupAt(), "mapped")
}

// clearMapping lets the name decide again, after a look.
func (v *visit) clearMapping() error {
	if v.value("do") != "save" {
		return v.preview(domain.Proposal{Group: v.groupID()}, true)
	}
	if _, err := v.seen().ClearGroupMapping(v.ctx(), v.scope, v.groupID()); err != nil {
		return v.retry("mapping", err, (*visit).group)
	}
	return v.finish(v.groupAt(), "unmapped")
}

func (v *visit) preview(proposal domain.Proposal, clear bool) error {
	preview, err := v.Rules.Preview(v.ctx(), v.scope, proposal)
	if err != nil {
		return v.retry("mapping", err, (*visit).group)
	}
	names, err := v.names()
	if err != nil {
		return err
	}
	shown := &groupPreview{Gives: names.gives(preview.Mapping), People: preview.People, Concerned: preview.Concerned, Clear: clear}
	for _, change := range preview.Changes {
		if shown.Listed == 2*pageSize {
			break
		}
		shown.Listed++
		shown.add(names, change)
	}
	// The form keeps what was chosen, which is no refusal.
	v.refused = &refusedForm{name: "mapping", err: &domain.Error{}, values: v.r.PostForm}
	defer func() { v.refused = nil }()
	return v.showGroup(shown)
}

// add puts one person among those who gain, who lose, or both at once.
func (p *groupPreview) add(names placeNames, change domain.AccessPreview) {
	row := accessRow{ID: change.AccessChange.Member, Name: name(change.Member)}
	gains, loses := false, false
	if change.Org != nil && change.Org.Role != change.Before.Org.Role {
		row.Changes = append(row.Changes, roleName(names.roles, change.Before.Org.Role)+" becomes "+roleName(names.roles, change.Org.Role))
		gains, loses = true, true
	}
	for _, workspace := range names.ordered {
		before, was := change.Before.Workspaces[workspace.ID]
		after, put := change.Put[workspace.ID]
		switch {
		case put && !was:
			row.Changes = append(row.Changes, "enters “"+workspace.DisplayName+"” as "+roleName(names.roles, after.Role))
			gains = true
		case put && before.Role != after.Role:
			row.Changes = append(row.Changes, roleName(names.roles, before.Role)+" in “"+workspace.DisplayName+"” becomes "+roleName(names.roles, after.Role))
			gains, loses = true, true
		}
		for _, dropped := range change.Drop {
			if dropped == workspace.ID {
				row.Changes = append(row.Changes, "leaves “"+workspace.DisplayName+"” ("+roleName(names.roles, before.Role)+")")
				loses = true
			}
		}
	}
	switch {
	case gains && !loses:
		p.Gaining = append(p.Gaining, row)
	case loses && !gains:
		p.Losing = append(p.Losing, row)
	default:
		p.Others = append(p.Others, row)
	}
}

// activityPage is what identity providers asked for, and what became of it.
type activityPage struct {
	common

	Refused bool
	Target  string
	Entries []activityRow
	// Next continues the list; empty at its end.
	Next   string
	Tokens map[domain.TokenID]string
	Sent   []domain.UndeclaredAttribute
}

type activityRow struct {
	domain.ActivityEntry

	Changes []factRow
	Token   string
}

func (v *visit) activity() error {
	query := v.r.URL.Query()
	page := activityPage{common: v.common(), Refused: query.Get("outcome") == "refused", Target: v.value("resource"), Tokens: map[domain.TokenID]string{}}
	tokens, err := v.Rules.SCIMTokens(v.ctx(), v.scope)
	if err != nil {
		return err
	}
	for _, token := range tokens {
		page.Tokens[token.ID] = token.Description
	}
	before := domain.ActivityID(query.Get("before"))
	if before != "" && !domain.ValidID(before) {
		return domain.Invalidf("before", "this is no place in the list; begin at its start")
	}
	entries, err := v.Rules.Activity(v.ctx(), v.scope, domain.ActivityQuery{Before: before, Limit: pageSize + 1, Target: page.Target, Refused: page.Refused})
	if err != nil {
		return err
	}
	if len(entries) > pageSize {
		entries = entries[:pageSize]
		query.Set("before", string(entries[pageSize-1].ID))
		query.Del("done")
		page.Next = v.config.BasePath + v.at("/provisioning/activity?"+query.Encode())
	}
	for _, entry := range entries {
		page.Entries = append(page.Entries, activityRow{entry, factsOf(entry.Before, entry.After), page.Tokens[entry.Activity.Token]})
	}
	if page.Sent, err = v.Rules.UndeclaredAttributes(v.ctx(), v.scope); err != nil {
		return err
	}
	return v.render("activity", "Activity", "/provisioning/activity", page)
}

// guardPage is the guard against mass deprovisioning (R39).
type guardPage struct {
	common

	Guard domain.GuardView
	Seen  domain.Seen
	Hours int
}

func (v *visit) guard() error {
	page := guardPage{common: v.common()}
	var err error
	if page.Guard, err = v.Rules.Guard(v.ctx(), v.scope); err != nil {
		return err
	}
	page.Seen = domain.SeenOf(page.Guard.Face())
	return v.render("guard", "Deprovisioning guard", "/provisioning/guard", page)
}

func (v *visit) saveGuard() error {
	var numbers [3]int
	for i, name := range []string{"max_people", "max_percent", "window_minutes"} {
		n, err := v.number(name, "this")
		if err != nil {
			return v.retry("guard", err, (*visit).guard)
		}
		if n == nil {
			return v.retry("guard", domain.Invalidf(name, "enter a number"), (*visit).guard)
		}
		numbers[i] = *n
	}
	_, err := v.seen().SetGuard(v.ctx(), v.scope, func(g *domain.Guard) {
		g.Enabled = v.value("enabled") == "true"
		g.MaxPeople, g.MaxPercent, g.Window = numbers[0], numbers[1], time.Duration(numbers[2])*time.Minute
	})
	if err != nil {
		return v.retry("guard", err, (*visit).guard)
	}
	return v.finish(v.at("/provisioning/guard"), "saved")
}

func (v *visit) askRelease() error {
	guard, err := v.Rules.Guard(v.ctx(), v.scope)
	if err != nil {
		return err
	}
	return v.confirm("/provisioning/guard", confirmation{
		Title: "Release what the guard holds back?",
		Effects: []string{
			counted(guard.HeldCount, "request") + " to disable or remove people pass at the identity provider’s next try.",
			"For " + guard.Window.String() + " everything else passes too, however many people it concerns.",
			"Check at the identity provider first that this is what somebody wanted.",
		},
		Action: v.at("/provisioning/guard/release"), Button: "Release", Back: v.at("/provisioning/guard"),
		Fields: url.Values{"seen": {string(domain.SeenOf(guard.Face()))}},
	})
}

func (v *visit) release() error {
	if _, err := v.seen().ReleaseGuard(v.ctx(), v.scope); err != nil {
		return v.retry("guard", err, (*visit).guard)
	}
	return v.finish(v.at("/provisioning/guard"), "released")
}

func (v *visit) refuseHeld() error {
	if _, err := v.seen().RefuseGuard(v.ctx(), v.scope); err != nil {
		return v.retry("guard", err, (*visit).guard)
	}
	return v.finish(v.at("/provisioning/guard"), "refused")
}

// methodOf is a request's method, or what a change without one is called.
func methodOf(e domain.ActivityEntry) string {
	if e.Operation != "" {
		return operationWords(e.Operation)
	}
	if e.Method == http.MethodGet {
		return "Read " + e.Resource
	}
	return e.Method + " " + e.Resource
}
