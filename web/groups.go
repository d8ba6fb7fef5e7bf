package web

import (
	"muster/domain"
)

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
