package web

import (
	"net/http"

	"muster/domain"
)

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
	if page.Entries, err = v.activityRows(entries, page.Tokens); err != nil {
		return err
	}
	rows := fitting(min(len(entries), pageSize), rowsBytes, func(i int) []factRow { return page.Entries[i].Changes })
	if page.Entries = page.Entries[:rows]; rows < len(entries) {
		query.Set("before", string(entries[rows-1].ID))
		query.Del("done")
		page.Next = v.config.BasePath + v.at("/provisioning/activity?"+query.Encode())
	}
	if page.Sent, err = v.Rules.UndeclaredAttributes(v.ctx(), v.scope); err != nil {
		return err
	}
	return v.render("activity", "Activity", "/provisioning/activity", page)
}

// activityRows puts what each request changed into words.
func (v *visit) activityRows(entries []domain.ActivityEntry, tokens map[domain.TokenID]string) ([]activityRow, error) {
	names, err := v.workspaceNames()
	if err != nil {
		return nil, err
	}
	afters := make([]map[string]any, len(entries))
	for i, entry := range entries {
		afters[i] = entry.After
	}
	_, changes, err := v.peopleFacts(afters, names, nil)
	rows := make([]activityRow, len(entries))
	for i, entry := range entries {
		rows[i] = activityRow{entry, append(changes[i], factsOf(entry.Before, entry.After)...), tokens[entry.Token]}
	}
	return rows, err
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
