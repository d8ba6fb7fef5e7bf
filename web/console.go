package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"muster/domain"
	"muster/internal/httpx"
)

// This file is what all pages of the console have in common: who looks, in which organization, and what becomes of a form.

// visit is one request for a page by somebody who is signed in.
type visit struct {
	*Web

	rw        http.ResponseWriter
	r         *http.Request
	principal domain.Principal
	// scope and org are those of the organization in the address; zero on pages of no organization.
	scope domain.OrgScope
	org   domain.OrgView
	// refused is the form that was just sent in vain; nil at a first look.
	refused *refusedForm
}

// maxForm is the largest form, in bytes: 500 pasted addresses with room to spare.
const maxForm = 256 << 10

// signedIn is a page for whoever is signed in.
func (w *Web) signedIn(page func(*visit) error) httpx.Handler {
	return w.forms(func(rw http.ResponseWriter, r *http.Request) error {
		v, err := w.visit(rw, r)
		if err != nil {
			return w.lost(rw, r, err)
		}
		return w.lost(rw, r, page(v))
	})
}

// inOrg is a page of the organization in the address; one that the person is not in is not there (R44).
func (w *Web) inOrg(page func(*visit) error) httpx.Handler {
	return w.signedIn(func(v *visit) error {
		var err error
		if v.scope, err = v.principal.In(domain.OrgID(v.r.PathValue("org"))); err != nil {
			return err
		}
		httpx.Identify(v.r.Context(), v.scope.Org(), "")
		if v.org, err = v.Rules.Organization(v.r.Context(), v.scope); err != nil {
			return err
		}
		return v.whoCan(page(v))
	})
}

// forms refuses forms that another site sends (item 99) or that are too large, and reads the others.
func (w *Web) forms(next httpx.Handler) httpx.Handler {
	read := httpx.LimitBody(maxForm, func(rw http.ResponseWriter, r *http.Request) error {
		if r.Method == http.MethodPost {
			if err := r.ParseForm(); err != nil {
				return domain.Wrap(domain.Invalid, err, "the form cannot be read")
			}
		}
		return next(rw, r)
	})
	return w.config.SameOrigin.Protect(read)
}

func (w *Web) visit(rw http.ResponseWriter, r *http.Request) (*visit, error) {
	principal, err := w.principal(r)
	return &visit{Web: w, rw: rw, r: r, principal: principal}, err
}

// lost leads to the door whoever has no session, and keeps a form for afterwards.
func (w *Web) lost(rw http.ResponseWriter, r *http.Request, err error) error {
	switch {
	case domain.IsKind(err, domain.Unauthenticated) && r.Method == http.MethodGet:
		return w.goTo(rw, r, "/sign-in?"+url.Values{"next": {r.URL.RequestURI()}}.Encode())
	case domain.IsKind(err, domain.Unauthenticated), domain.IsKind(err, domain.StepUpNeeded):
		return w.again(rw, r, domain.AsError(err))
	default:
		return err
	}
}

// whoCan adds to a refusal whom to ask.
func (v *visit) whoCan(err error) error {
	if !domain.IsKind(err, domain.Forbidden) {
		return err
	}
	admins := v.admins()
	if len(admins) == 0 {
		return err
	}
	known := *domain.AsError(err)
	known.Text = sentence(known.Text) + " Organization Admins here: " + strings.Join(admins, ", ") + "."
	return &known
}

// admins are the addresses of some Organization Admins, for whoever needs one.
func (v *visit) admins() []string {
	found, err := v.Rules.Members(v.r.Context(), v.scope, domain.MemberQuery{
		Role: domain.RoleOrgAdmin, Status: domain.Active, Window: domain.Window{Limit: 3},
	})
	if err != nil {
		return nil // whoever may not read members is told without names
	}
	var addresses []string
	for _, admin := range found {
		addresses = append(addresses, admin.Email)
	}
	return addresses
}

func (v *visit) ctx() context.Context { return v.r.Context() }

// at is the address of a page of the organization, without the base path.
func (v *visit) at(path string) string { return "/orgs/" + string(v.org.ID) + path }

// common is what every page of an organization knows.
type common struct {
	// In is where the organization's pages are.
	In string
	// Manage is for those who manage the organization, Admin for its Organization Admins only.
	Manage, Admin bool
	OrgName       string
	// Admins are some Organization Admins' addresses, for those who are none.
	Admins  []string
	refused *refusedForm
}

func (v *visit) common() common {
	c := common{
		In: v.config.BasePath + v.at(""), Manage: v.scope.Has(domain.PermOrgManage), Admin: v.scope.Role() == domain.RoleOrgAdmin,
		OrgName: v.org.DisplayName, refused: v.refused,
	}
	if v.org.ID != "" && !c.Admin {
		c.Admins = v.admins()
	}
	return c
}

// Form returns what was sent in the form of that name, and what was wrong with it.
func (c common) Form(name string) form { return formOf(c.refused, name) }

// render shows a page; one that a refused form is part of has the refusal's status.
func (v *visit) render(page, title, section string, data any) error {
	done, undo := v.done()
	shown := frame{
		Title: title, User: v.principal.User().Email, Sections: v.sections(section), Page: data,
		Done: done, Undo: undo,
	}
	if v.org.ID != "" {
		shown.Org, shown.Title = v.org.DisplayName, title+" · "+v.org.DisplayName
	}
	status := http.StatusOK
	if v.refused != nil {
		status, _ = failurePage(v.refused.err.Kind)
	}
	return v.show(v.rw, status, page, shown)
}

// refuse keeps what was sent for the page that is shown again; an error that no form can mend is returned.
func (v *visit) refuse(name string, err error) error {
	known := domain.AsError(err)
	switch known.Kind { //nolint:exhaustive // what is left is not about the form
	case domain.Invalid, domain.Conflict, domain.Stale, domain.Forbidden, domain.Guarded, domain.NotFound:
		v.refused = &refusedForm{name: name, err: known, values: v.r.PostForm}
		return nil
	default:
		return err
	}
}

// retry shows a page once more with a refused form.
func (v *visit) retry(name string, err error, page func(*visit) error) error {
	if err := v.refuse(name, err); err != nil {
		return err
	}
	return page(v)
}

// seen is what the form's reader saw; what they change is refused when it looks otherwise now.
func (v *visit) seen() *domain.Service {
	return v.Rules.Having(domain.Seen(v.r.PostForm.Get("seen")))
}

// face returns the digest of what a page shows, and keeps it for the comparison when one of the named forms turned out stale.
func (v *visit) face(face any, forms ...string) domain.Seen {
	if v.refused != nil && v.refused.err.Kind == domain.Stale && slices.Contains(forms, v.refused.name) {
		v.refused.now, v.refused.names = face, map[string]string{}
		if names, err := v.names(); err == nil {
			for _, role := range names.roles {
				v.refused.names[string(role.ID)] = role.DisplayName
			}
			for id, name := range names.workspaces {
				v.refused.names[string(id)] = name
			}
		}
	}
	return domain.SeenOf(face)
}

func (v *visit) value(name string) string { return strings.TrimSpace(v.r.FormValue(name)) }

// checked are the values of all ticked boxes of a name.
func checked[T ~string](v *visit, name string) []T {
	values := []T{}
	for _, value := range v.r.PostForm[name] {
		if value != "" {
			values = append(values, T(value))
		}
	}
	return values
}

// number reads a whole number; an empty field is nil.
func (v *visit) number(name, label string) (*int, error) {
	text := v.value(name)
	if text == "" {
		return nil, nil //nolint:nilnil // no number
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return nil, domain.Invalidf(name, "%s is a whole number, and %q is none", label, text)
	}
	return &n, nil
}

// pageSize is how many rows a list shows at once.
const pageSize = 50

// pager leads through a list.
type pager struct {
	// Path has everything of the address but the page.
	path string
	Page int
	More bool
	Rows int
	size int
}

// window is the page that the address asks for, with one row more, which says whether there are others.
func (v *visit) window() domain.Window {
	return domain.Window{Limit: pageSize + 1, Offset: (v.page() - 1) * pageSize}
}

func (v *visit) page() int {
	n, err := strconv.Atoi(v.r.URL.Query().Get("page"))
	if err != nil {
		return 1
	}
	return max(1, min(n, maxPage))
}

// maxPage keeps offsets within what the rules take.
const maxPage = 1_000_000

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// paged cuts a list, which begins with the page that is asked for, to that page.
func paged[T any](v *visit, rows []T) ([]T, pager) { return pagedBy(v, rows, pageSize) }

// pageOf is the page that is asked for of a whole list.
func pageOf[T any](v *visit, rows []T, size int) ([]T, pager) {
	return pagedBy(v, rows[min((v.page()-1)*size, len(rows)):], size)
}

func pagedBy[T any](v *visit, rows []T, size int) ([]T, pager) {
	query := v.r.URL.Query()
	query.Del("page")
	query.Del("done")
	p := pager{path: v.config.BasePath + v.r.URL.Path + "?" + query.Encode(), Page: v.page(), size: size}
	if p.More = len(rows) > size; p.More {
		rows = rows[:size]
	}
	if v.r.Method != http.MethodGet {
		// The address of a form is no list's.
		p.More, p.Page = false, 1
	}
	p.Rows = len(rows)
	return rows, p
}

// Earlier and Later are the addresses of the pages beside this one; empty where there is none.
func (p pager) Earlier() string {
	if p.Page <= 1 {
		return ""
	}
	return p.to(p.Page - 1)
}

// Later is the next page.
func (p pager) Later() string {
	if !p.More {
		return ""
	}
	return p.to(p.Page + 1)
}

func (p pager) to(page int) string {
	return p.path + "&page=" + strconv.Itoa(page)
}

// From and To are the numbers of the first and last row.
func (p pager) From() int { return (p.Page-1)*p.size + 1 }

// To is the number of the last row.
func (p pager) To() int { return (p.Page-1)*p.size + p.Rows }
