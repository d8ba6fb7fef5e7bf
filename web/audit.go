package web

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"muster/domain"
)

// auditPage is who did what.
type auditPage struct {
	common

	About, Operation string
	From, To         string
	Rows             []auditRow
	Operations       []option
	// Next continues the list; Export is the same selection as a table.
	Next, Export string
}

// auditRow is one row in words.
type auditRow struct {
	domain.AuditEvent

	What    string
	Who     string
	Changes []factRow
	// Effects are what it meant for the person whom the list is about.
	Effects []string
	// Person is the member's page, where the row is about somebody.
	Person domain.MemberID
}

// factRow is one thing with what it was and what it is.
type factRow struct{ Name, Before, After string }

// auditRows puts rows into words; about is the person whom the list is about, or empty.
func (v *visit) auditRows(events []domain.AuditEvent, about string) ([]auditRow, error) {
	names := map[string]string{}
	if about != "" {
		workspaces, err := v.Rules.Workspaces(v.ctx(), v.scope, true)
		if err != nil {
			return nil, err
		}
		for _, workspace := range workspaces {
			names[string(workspace.ID)] = workspace.DisplayName
		}
	}
	rows := make([]auditRow, len(events))
	for i, event := range events {
		rows[i] = auditRow{
			AuditEvent: event, What: operationWords(event.Operation), Who: actorWords(event.Actor), Changes: factsOf(event.Before, event.After),
			Effects: effectsOn(about, event.After, names),
		}
		if event.Target.Kind == "user" {
			rows[i].Person = domain.MemberID(event.Target.ID)
		}
	}
	return rows, nil
}

// effectsOn says what a row meant for one of the people whom it concerned.
func effectsOn(about string, after map[string]any, workspaces map[string]string) []string {
	var effects []string
	for _, moved := range [][2]string{{"added", "Put into the group"}, {"removed", "Taken out of the group"}} {
		if ids, _ := after[moved[0]].([]any); about != "" && slices.Contains(ids, any(about)) {
			effects = append(effects, moved[1])
		}
	}
	facts, _ := after["access"].([]any)
	for _, one := range facts {
		fact, _ := one.(map[string]any)
		if fact == nil || fact["member_id"] != about {
			continue
		}
		if role, ok := fact["org_role"].(map[string]any); ok {
			effects = append(effects, fmt.Sprintf("%v became %v", role["before"], role["after"]))
		}
		places, _ := fact["workspaces"].(map[string]any)
		for _, id := range slices.Sorted(maps.Keys(places)) {
			if role, ok := places[id].(map[string]any); ok {
				effects = append(effects, placeEffect(cmp.Or(workspaces[id], "a workspace"), fmt.Sprint(role["before"]), fmt.Sprint(role["after"])))
			}
		}
	}
	return effects
}

func placeEffect(workspace, before, after string) string {
	switch {
	case before == "":
		return "Became " + after + " in “" + workspace + "”"
	case after == "":
		return "Lost " + before + " in “" + workspace + "”"
	default:
		return "In “" + workspace + "”, " + before + " became " + after
	}
}

// operationWords is the operation as a sentence begins: "update_org_member" is "Update org member".
func operationWords(operation string) string {
	words := strings.ReplaceAll(operation, "_", " ")
	for _, name := range [][2]string{{"scim", "SCIM"}, {"sso", "SSO"}, {"jit", "JIT"}} {
		words = strings.ReplaceAll(" "+words+" ", " "+name[0]+" ", " "+name[1]+" ")
		words = strings.TrimSpace(words)
	}
	if words == "" {
		return words
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

func actorWords(actor domain.Actor) string {
	switch actor.Kind {
	case domain.ActorUser:
		return actor.Name
	case domain.ActorSCIM:
		return "SCIM (" + actor.Name + ")"
	case domain.ActorServiceKey:
		return "key " + actor.Name
	case domain.ActorCommandLine:
		return "the command line"
	case domain.ActorProvider:
		return "the provider " + actor.Name
	case domain.ActorSystem:
		return "the server"
	default:
		return actor.Name
	}
}

const (
	maxFacts = 30
	maxFact  = 400 // characters
)

// factsOf lists what two sets of facts differ in.
func factsOf(before, after map[string]any) []factRow {
	names := map[string]bool{}
	for name := range before {
		names[name] = true
	}
	for name := range after {
		names[name] = true
	}
	var rows []factRow
	for _, name := range slices.Sorted(maps.Keys(names)) {
		was, is := factText(before[name]), factText(after[name])
		if was == is && before != nil && after != nil {
			continue
		}
		if len(rows) == maxFacts {
			return append(rows, factRow{Name: "and more"})
		}
		rows = append(rows, factRow{strings.ReplaceAll(name, "_", " "), was, is})
	}
	return rows
}

// factText writes a value as people read it.
func factText(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return clipped(v)
	case bool:
		if v {
			return "yes"
		}
		return "no"
	default:
		raw, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return clipped(string(raw))
	}
}

func clipped(text string) string {
	if runes := []rune(text); len(runes) > maxFact {
		return string(runes[:maxFact]) + "…"
	}
	return text
}

// auditQuery reads the filter; the days are whole ones in UTC.
func (v *visit) auditQuery() (domain.AuditQuery, error) {
	query := domain.AuditQuery{About: v.value("about")}
	if operation := v.value("operation"); operation != "" {
		query.Operations = []string{operation}
	}
	for _, bound := range []struct {
		name string
		at   *time.Time
		plus int
	}{{"from", &query.From, 0}, {"to", &query.To, 1}} {
		if text := v.value(bound.name); text != "" {
			day, err := time.Parse(time.DateOnly, text)
			if err != nil {
				return query, domain.Invalidf(bound.name, "%q is no day; write it as 2026-12-31", text)
			}
			*bound.at = day.AddDate(0, 0, bound.plus)
		}
	}
	if query.To.IsZero() && !query.From.IsZero() {
		query.To = v.now()
	}
	return query, nil
}

func (v *visit) audit() error {
	query, err := v.auditQuery()
	if err != nil {
		return err
	}
	values := v.r.URL.Query()
	page := auditPage{common: v.common(), About: query.About, Operation: v.value("operation"), From: v.value("from"), To: v.value("to")}
	for _, operation := range auditOperations() {
		page.Operations = append(page.Operations, option{Value: operation, Label: operationWords(operation)})
	}
	page.Operations = chosen(page.Operations, page.Operation)
	if query.Before = domain.AuditID(values.Get("before")); query.Before != "" && !domain.ValidID(query.Before) {
		return domain.Invalidf("before", "this is no place in the list; begin at its start")
	}
	query.Limit = pageSize + 1
	events, err := v.Rules.AuditLog(v.ctx(), v.scope, query)
	if err != nil {
		return err
	}
	values.Del("done")
	values.Del("before")
	page.Export = v.config.BasePath + v.at("/audit.csv?"+values.Encode())
	if len(events) > pageSize {
		events = events[:pageSize]
		values.Set("before", string(events[pageSize-1].ID))
		page.Next = v.config.BasePath + v.at("/audit?"+values.Encode())
	}
	if page.Rows, err = v.auditRows(events, query.About); err != nil {
		return err
	}
	return v.render("audit", "Audit log", "/audit", page)
}

// maxExport is how many rows one table has; "muster audit export" has no limit.
const maxExport = 50_000

// exportAudit sends the selection as a table; no cell begins as a formula does.
func (v *visit) exportAudit() error {
	query, err := v.auditQuery()
	if err != nil {
		return err
	}
	query.Limit = domain.MaxAuditPage
	events, err := v.Rules.AuditLog(v.ctx(), v.scope, query)
	if err != nil {
		return err
	}
	v.rw.Header().Set("Content-Type", "text/csv; charset=utf-8")
	v.rw.Header().Set("Content-Disposition", `attachment; filename="audit-log.csv"`)
	out := csv.NewWriter(v.rw)
	_ = out.Write([]string{"time", "operation", "outcome", "actor_kind", "actor", "target_kind", "target", "target_id", "before", "after", "detail", "ip", "request_id", "sequence"})
	for n := 0; len(events) > 0 && n < maxExport; n += len(events) {
		for _, e := range events {
			_ = out.Write(cells(
				e.At.Format(time.RFC3339Nano), e.Operation, string(e.Outcome), string(e.Actor.Kind), e.Actor.Name, e.Target.Kind, e.Target.Name, e.Target.ID,
				exported(e.Before), exported(e.After), e.Detail, e.Actor.Client.IP, e.Actor.Client.RequestID, fmt.Sprint(e.Seq),
			))
		}
		query.Before = events[len(events)-1].ID
		if events, err = v.Rules.AuditLog(v.ctx(), v.scope, query); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func exported(facts map[string]any) string {
	if facts == nil {
		return ""
	}
	return factText(any(facts))
}

// cells keeps spreadsheets from taking a text for a formula: whatever begins like one gets an apostrophe in front.
func cells(texts ...string) []string {
	for i, text := range texts {
		start := strings.TrimLeftFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) })
		if start != "" && strings.ContainsRune("=+-@|%＝＋－＠", []rune(start)[0]) || text != "" && strings.ContainsRune("\t\r\n", rune(text[0])) {
			texts[i] = "'" + text
		}
	}
	return texts
}

// auditOperations are what the log can be filtered by.
func auditOperations() []string {
	return []string{
		"login", "logout", "jit_join_organization", "claim_pending_organization_invite", "claim_pending_workspace_invite", "link_identity",
		"invite_user_to_org", "invite_users_to_org_batch", "delete_org_pending_member", "update_org_member", "disable_member", "enable_member", "delete_org_member",
		"create_workspace", "update_workspace", "delete_workspace", "add_member_to_workspace", "add_members_to_workspace_batch", "update_workspace_member", "delete_workspace_member",
		"create_role", "update_role", "delete_role", "create_scim_user", "update_scim_user", "delete_scim_user", "create_scim_group", "update_scim_group", "delete_scim_group",
		"update_scim_group_mapping", "sync_sso_groups", "create_scim_token", "update_scim_token", "delete_scim_token", "update_scim_definitions",
		"update_deprovision_guard", "hold_deprovisioning", "release_deprovisioning", "refuse_deprovisioning",
		"create_personal_access_token", "delete_personal_access_token", "revoke_personal_access_token", "create_service_key", "update_service_key", "delete_service_key",
		"create_service_account", "delete_service_account", "create_event_hook", "update_event_hook", "delete_event_hook",
		"update_organization_info", "update_sso_settings", "update_login_methods", "update_default_sso_provision_organization", "revoke_sessions",
	}
}

// aboutPerson is the audit log's address for one person.
func aboutPerson(in string, about string) string {
	return in + "/audit?" + url.Values{"about": {about}}.Encode()
}
