package web

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
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
}

// factRow is one thing with what it was and what it is.
type factRow struct{ Name, Before, After string }

// auditRows puts rows into words; about is the person whom the list is about, or empty.
func (v *visit) auditRows(events []domain.AuditEvent, about string) ([]auditRow, error) {
	names := map[string]string{}
	workspaces, err := v.Rules.Workspaces(v.ctx(), v.scope, true)
	if err != nil {
		return nil, err
	}
	for _, workspace := range workspaces {
		names[string(workspace.ID)] = workspace.DisplayName
	}
	rows := make([]auditRow, len(events))
	for i, event := range events {
		rows[i] = auditRow{
			AuditEvent: event, What: operationWords(event.Operation), Who: actorWords(event.Actor), Changes: factsOf(event.Before, event.After),
			Effects: effectsOn(cmp.Or(about, event.Target.ID), event.After, names),
		}
		if event.Target.Kind == "user" {
			rows[i].Person = domain.MemberID(event.Target.ID)
		}
	}
	return rows, v.whom(rows)
}

// whom names the people of rows that do not.
func (v *visit) whom(rows []auditRow) error {
	var nameless []domain.MemberID
	for _, row := range rows {
		if row.Person != "" && row.Target.Name == "" && !slices.Contains(nameless, row.Person) {
			nameless = append(nameless, row.Person)
		}
	}
	if len(nameless) == 0 {
		return nil
	}
	members, err := v.Rules.Members(v.ctx(), v.scope, domain.MemberQuery{IDs: nameless, Window: domain.Window{Limit: len(nameless)}})
	for _, member := range members {
		for i := range rows {
			if rows[i].Person == member.ID {
				rows[i].Whom = name(member)
			}
		}
	}
	return err
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

// What the rows of a page may hold, in bytes; a page with more ends earlier.
const (
	rowsBytes    = 40 << 10
	historyBytes = 16 << 10
	// rowBytes is a row but for its facts.
	rowBytes = 500
)

// fitting is how many of n rows fit into so many bytes, at least one of them.
func fitting(n, bytes int, facts func(i int) []factRow) int {
	for i := range n {
		bytes -= rowBytes
		for _, fact := range facts(i) {
			bytes -= len(fact.Name) + len(fact.Before) + len(fact.After) + 90
		}
		if bytes < 0 && i > 0 {
			return i
		}
	}
	return n
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
