package web

import (
	"net/http"

	"muster/domain"
)

// home sends people to themselves, or to the door.
func (w *Web) home(rw http.ResponseWriter, r *http.Request) error {
	if _, err := w.principal(r); domain.IsKind(err, domain.Unauthenticated) {
		return w.goTo(rw, r, "/sign-in")
	} else if err != nil {
		return err
	}
	return w.goTo(rw, r, "/you")
}

// maxWorkspaces is how many workspaces of one organization the page lists; an Organization Admin is in all of them.
const maxWorkspaces = 100

// youPage is the person with every role they have, and why (R37).
type youPage struct {
	User          domain.User
	Organizations []myOrg
}

// myOrg is one organization; More is the number of workspaces left out.
type myOrg struct {
	domain.MyOrg

	More int
}

// you shows who somebody is, where they belong, every role they have, and why.
func (w *Web) you(rw http.ResponseWriter, r *http.Request) error {
	principal, err := w.principal(r)
	if domain.IsKind(err, domain.Unauthenticated) {
		return w.goTo(rw, r, "/sign-in?next=%2Fyou")
	}
	if err != nil {
		return err
	}
	me, err := w.config.Service.Me(r.Context(), principal)
	if err != nil {
		return err
	}
	page := youPage{User: me.User}
	for _, org := range me.Organizations {
		more := max(0, len(org.Workspaces)-maxWorkspaces)
		org.Workspaces = org.Workspaces[:len(org.Workspaces)-more]
		page.Organizations = append(page.Organizations, myOrg{org, more})
	}
	return w.show(rw, http.StatusOK, "you", inside("You", "/you", me, page))
}
