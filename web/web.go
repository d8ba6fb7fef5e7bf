// Package web is the pages that people see: signing in, who they are and why, and refusals that say what to do.
//
// Pages are made on the server and work without scripts.
// Every page is one template in templates/ inside the frame of layout.html, and one Go file; the routes stand in routes.go.
package web

import (
	"bytes"
	"context"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"muster/domain"
	"muster/internal/httpx"
)

// Service is what the pages need of the rules; *domain.Service has it.
type Service interface {
	Session(ctx context.Context, token string, client domain.Client) (domain.Principal, error)
	Me(ctx context.Context, principal domain.Principal) (domain.Me, error)
	SignOut(ctx context.Context, token string, client domain.Client) (domain.SignedOut, error)
	MySessions(ctx context.Context, principal domain.Principal) ([]domain.Session, error)
	EndMySession(ctx context.Context, principal domain.Principal, id domain.SessionID) error
	EndMySessions(ctx context.Context, principal domain.Principal, keepCurrent bool) (int, error)
	CheckSetUpToken(ctx context.Context, token string) error
	DisabledProviders(ctx context.Context) (map[string]time.Time, error)
}

// Door is one provider on the sign-in page.
type Door struct {
	ID, Name string
	// Ready reports whether the provider answers at the moment.
	Ready bool
}

// Doors is what the pages need of the configured providers.
type Doors interface {
	List() []Door
	// EndSession returns where the provider's own session is ended, and the state that comes back; empty where that is not done.
	EndSession(signedOut domain.SignedOut) (target, state string)
	// EndSessionOrigins are the origins that EndSession leads to.
	EndSessionOrigins() []string
}

// Config is what the pages are made of.
type Config struct {
	Service Service
	// BasePath is where the whole server is mounted; requests arrive without it, and every address on a page has it.
	BasePath  string
	PublicURL *url.URL
	Cookies   httpx.Cookies
	// SameOrigin refuses forms that another site sends (item 99).
	SameOrigin *httpx.SameOrigin
	Doors      Doors
	// Rules are the use cases of the console, the very ones of the admin API.
	Rules     *domain.Service
	Providers Providers
	Events    Events
	Operator  Operator
}

// Providers is what the console shows of the configured OpenID providers.
type Providers interface {
	List() []domain.ProviderStatus
	// Test checks a provider without saving anything, or returns domain.NotFound (item 11).
	Test(ctx context.Context, id string) ([]domain.Finding, error)
}

// Events sends events to hooks.
type Events interface {
	SendBody(ctx context.Context, hook domain.EventHook, id string, body []byte) error
}

// Web serves the pages.
type Web struct {
	// Rules are the use cases of the console.
	Rules *domain.Service

	config Config
	pages  map[string]*template.Template
	files  map[string]file
}

//go:embed templates/*.html
var templates embed.FS

// New makes the pages; templates and files are part of the binary, so that what is wrong with them shows at once.
func New(config Config) *Web {
	w := &Web{Rules: config.Rules, config: config, pages: map[string]*template.Template{}, files: readFiles()}
	functions := template.FuncMap{
		"base": func() string { return config.BasePath }, "asset": w.asset,
		"reason": reasonOf, "counted": counted, "browser": browserName, "sentence": sentence, "date": date,
		"text": textField, "number": numberField, "day": dateField, "choice": choiceField, "checks": checkField, "switch": switchField,
		"short": shortDate, "method": methodOf, "about": aboutPerson, "named": name, "role": domain.RoleName, "ordered": orderedFields,
		"cell": cellOf, "days": days, "minutes": minutes, "number0": deref, "none": noneOf, "pick": pickField, "several": severalField, "rows": rowsIn, "last": lastMoment,
	}
	for _, page := range w.names() {
		files := []string{"templates/layout.html", "templates/parts.html", "templates/" + page + ".html"}
		w.pages[page] = template.Must(template.New("layout.html").Funcs(functions).ParseFS(templates, files...))
	}
	return w
}

// names are the pages: every template but the frame and the parts that pages share.
func (w *Web) names() []string {
	entries, err := templates.ReadDir("templates")
	if err != nil {
		panic(err) // the folder is part of the binary
	}
	var names []string
	for _, entry := range entries {
		if name := strings.TrimSuffix(entry.Name(), ".html"); name != "layout" && name != "parts" {
			names = append(names, name)
		}
	}
	return names
}

func (w *Web) now() time.Time { return time.Now() }

// frame is what the layout shows around every page.
type frame struct {
	Title string
	// User is the address of who is signed in; empty when nobody is.
	User string
	// Org is the organization of the page; empty on pages of no organization.
	Org string
	// Sections are the pages beside this one: the organization's, or the person's own; there are none before somebody is signed in.
	Sections []link
	// Done is what the form before this page did, and Undo takes it back.
	Done string
	Undo *undoing
	Page any
}

// link is one entry of the navigation.
type link struct {
	Name, Path string
	Current    bool
}

// inside is the frame of a page for somebody who is signed in; path is the page's own.
func inside(title, path string, me domain.Me, page any) frame {
	return frame{Title: title, User: me.User.Email, Sections: ownPages(path), Page: page}
}

// Here is the name of the current one among the pages; empty when it is none of them.
func (f frame) Here() string {
	for _, one := range f.Sections {
		if one.Current {
			return one.Name
		}
	}
	return ""
}

// ownPages are the person's pages; the one at path is the current one.
func ownPages(path string) []link {
	return current(path, link{Name: "You", Path: "/you"}, link{Name: "Organizations", Path: "/orgs"}, link{Name: "Your invites", Path: "/you/invites"},
		link{Name: "Your tokens", Path: "/you/tokens"}, link{Name: "Signed-in browsers", Path: "/you/sessions"})
}

func current(path string, links ...link) []link {
	for i := range links {
		links[i].Current = links[i].Path == path
	}
	return links
}

// sections are the organization's pages that the person may look at, or the person's own.
func (v *visit) sections(section string) []link {
	if v.org.ID == "" {
		return ownPages(section)
	}
	links := []link{
		{Name: "Members", Path: "/members"},
		{Name: "Workspaces", Path: "/workspaces"},
		{Name: "Roles", Path: "/roles"},
		{Name: "Sign-in", Path: "/sign-in-settings"},
		{Name: "Provisioning", Path: "/provisioning"},
		{Name: "Groups", Path: "/provisioning/groups"},
		{Name: "Activity", Path: "/provisioning/activity"},
	}
	if v.scope.Has(domain.PermOrgManage) {
		links = append(links,
			link{Name: "Guard", Path: "/provisioning/guard"}, link{Name: "Keys", Path: "/keys"}, link{Name: "Event hooks", Path: "/hooks"},
			link{Name: "Audit log", Path: "/audit"})
	}
	links = append(links, link{Name: "Settings", Path: "/settings"})
	if v.scope.Role() == domain.RoleOrgAdmin {
		links = append(links, link{Name: "Health", Path: "/health"})
	}
	links = current(section, links...)
	for i := range links {
		links[i].Path = v.at(links[i].Path)
	}
	return links
}

// show renders a page whole before it writes anything.
func (w *Web) show(rw http.ResponseWriter, status int, page string, data frame) error {
	var out bytes.Buffer
	if err := w.pages[page].Execute(&out, data); err != nil {
		return err
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.WriteHeader(status)
	_, err := rw.Write(out.Bytes())
	return err
}

// principal returns who is signed in, or Unauthenticated.
func (w *Web) principal(r *http.Request) (domain.Principal, error) {
	token := w.config.Cookies.Session(r)
	if token == "" {
		return domain.Principal{}, domain.Errorf(domain.Unauthenticated, "nobody is signed in")
	}
	principal, err := w.config.Service.Session(r.Context(), token, httpx.ClientOf(r))
	httpx.Identify(r.Context(), "", principal.Actor().Credential)
	return principal, err
}

func (w *Web) goTo(rw http.ResponseWriter, r *http.Request, path string) error {
	http.Redirect(rw, r, w.config.BasePath+path, http.StatusSeeOther)
	return nil
}
