package web

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"muster/domain"
)

// auditPage is who did what.
type auditPage struct {
	common

	About, Operation string
	// Filtered says that something was asked for.
	Filtered   bool
	From, To   string
	Rows       []auditRow
	Operations []option
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
	// Person is the member's page, where the row is about somebody, and Whom their name where the row itself has none.
	Person domain.MemberID
	Whom   string
	// Where is the workspace in which it happened to them.
	Where string
}

// auditRows puts rows into words; about is the person whom the list is about, or empty.
func (v *visit) auditRows(events []domain.AuditEvent, about string) ([]auditRow, error) {
	names, err := v.workspaceNames()
	if err != nil {
		return nil, err
	}
	rows, afters := make([]auditRow, len(events)), make([]map[string]any, len(events))
	var people []domain.MemberID
	for i, event := range events {
		afters[i] = event.After
		rows[i] = auditRow{
			AuditEvent: event, What: operationWords(event.Operation), Who: actorWords(event.Actor), Changes: factsOf(event.Before, event.After),
			Effects: effectsOn(cmp.Or(about, event.Target.ID), event.After, names),
		}
		if event.Target.Kind == "user" {
			rows[i].Person, rows[i].Where = domain.MemberID(event.Target.ID), names[string(event.Workspace)]
			people = append(people, rows[i].Person)
		}
	}
	known, changes, err := v.peopleFacts(afters, names, people)
	for i := range rows {
		rows[i].Whom, rows[i].Changes = known[rows[i].Person], append(changes[i], rows[i].Changes...)
	}
	return rows, err
}

// workspaceNames are what all workspaces are called, deleted ones too.
func (v *visit) workspaceNames() (map[string]string, error) {
	workspaces, err := v.Rules.Workspaces(v.ctx(), v.scope, true)
	names := map[string]string{}
	for _, workspace := range workspaces {
		names[string(workspace.ID)] = workspace.DisplayName
	}
	return names, err
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

// auditQuery reads the filter; the days are whole ones in the zone whose distance from UTC the page's script adds, or else in UTC.
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
			*bound.at = day.AddDate(0, 0, bound.plus).Add(v.zone(bound.name))
		}
	}
	if query.To.IsZero() && !query.From.IsZero() {
		query.To = v.now()
	}
	return query, nil
}

// zone is how far behind UTC the reader's clock is on a day; what no clock on earth shows is nothing.
func (v *visit) zone(bound string) time.Duration {
	minutes, err := strconv.Atoi(v.value(bound + "_zone"))
	if distance := time.Duration(minutes) * time.Minute; err == nil && distance.Abs() <= 15*time.Hour {
		return distance
	}
	return 0
}

func (v *visit) audit() error {
	query, err := v.auditQuery()
	if err != nil {
		return err
	}
	values := v.r.URL.Query()
	page := auditPage{common: v.common(), About: query.About, Operation: v.value("operation"), From: v.value("from"), To: v.value("to")}
	for _, one := range operations() {
		page.Operations = append(page.Operations, option{Value: one.name, Label: one.words})
	}
	page.Filtered = page.About+page.Operation+page.From+page.To != ""
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
	if page.Rows, err = v.auditRows(events, query.About); err != nil {
		return err
	}
	rows := fitting(min(len(events), pageSize), rowsBytes, func(i int) []factRow { return page.Rows[i].Changes })
	if page.Rows = page.Rows[:rows]; rows < len(events) {
		values.Set("before", string(events[rows-1].ID))
		page.Next = v.config.BasePath + v.at("/audit?"+values.Encode())
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

// exported is one cell with everything that was recorded; nothing is shortened.
func exported(facts map[string]any) string {
	if facts == nil {
		return ""
	}
	raw, err := json.Marshal(facts)
	if err != nil {
		return ""
	}
	return string(raw)
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

// aboutPerson is the audit log's address for one person.
func aboutPerson(in string, about string) string {
	return in + "/audit?" + url.Values{"about": {about}}.Encode()
}
