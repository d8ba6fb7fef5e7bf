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
}

// Web serves the pages.
type Web struct {
	config Config
	pages  map[string]*template.Template
	files  map[string]file
}

//go:embed templates/*.html
var templates embed.FS

// New makes the pages; templates and files are part of the binary, so that what is wrong with them shows at once.
func New(config Config) *Web {
	w := &Web{config: config, pages: map[string]*template.Template{}, files: readFiles()}
	functions := template.FuncMap{
		"base": func() string { return config.BasePath }, "asset": w.asset,
		"reason": reasonOf, "counted": counted, "browser": browserName, "sentence": sentence, "date": date,
	}
	for _, page := range []string{"sign-in", "set-up", "you", "sessions", "problem"} {
		files := []string{"templates/layout.html", "templates/" + page + ".html"}
		w.pages[page] = template.Must(template.New("layout.html").Funcs(functions).ParseFS(templates, files...))
	}
	return w
}

// frame is what the layout shows around every page.
type frame struct {
	Title string
	// User is the address of who is signed in; empty when nobody is.
	User string
	// Links are the console's pages; there are none before somebody is signed in.
	Links []link
	Page  any
}

// link is one entry of the navigation.
type link struct {
	Name, Path string
	Current    bool
}

// inside is the frame of a page for somebody who is signed in; path is the page's own.
func inside(title, path string, me domain.Me, page any) frame {
	links := []link{{Name: "You", Path: "/you"}, {Name: "Signed-in browsers", Path: "/you/sessions"}}
	for i := range links {
		links[i].Current = links[i].Path == path
	}
	return frame{Title: title, User: me.User.Email, Links: links, Page: page}
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
	return w.config.Service.Session(r.Context(), token, httpx.ClientOf(r))
}

func (w *Web) goTo(rw http.ResponseWriter, r *http.Request, path string) error {
	http.Redirect(rw, r, w.config.BasePath+path, http.StatusSeeOther)
	return nil
}
