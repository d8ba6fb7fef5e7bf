// Package web is the pages that people see: signing in, who they are and why, and refusals that say what to do.
//
// Pages are made on the server and work without scripts. Every page is one template in templates/ with the frame of layout.html;
// the routes stand in routes.go.
package web

import (
	"bytes"
	"context"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"time"

	"muster/domain"
	"muster/internal/httpx"
)

// Service is what the pages need of the rules; *domain.Service has it.
type Service interface {
	Session(ctx context.Context, token string, client domain.Client) (domain.Principal, error)
	Me(ctx context.Context, principal domain.Principal) (domain.Me, error)
	SignOut(ctx context.Context, token string, client domain.Client) error
}

// Config is what the pages are made of.
type Config struct {
	Service   Service
	BasePath  string
	PublicURL *url.URL
	Cookies   httpx.Cookies
	// SameOrigin refuses forms that another site sends (item 99).
	SameOrigin *httpx.SameOrigin
	// ProviderName is what the sign-in button calls the provider.
	ProviderName       string
	ProviderConfigured bool
	// ProviderReady reports whether the provider answers at the moment.
	ProviderReady func() bool
}

// Web serves the pages.
type Web struct {
	config Config
	pages  map[string]*template.Template
}

//go:embed templates/*.html
var templates embed.FS

//go:embed static/*
var static embed.FS

// policy lets a page load its own style and send its own forms, and nothing else.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// New makes the pages; the templates are part of the binary and cannot fail at run time.
func New(config Config) *Web {
	w := &Web{config: config, pages: map[string]*template.Template{}}
	functions := template.FuncMap{
		"base": func() string { return config.BasePath }, "grant": grantWords, "role": domain.RoleName,
		"day": day, "iso": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	}
	for _, page := range []string{"sign-in", "you", "problem"} {
		w.pages[page] = template.Must(template.New("layout.html").Funcs(functions).ParseFS(templates, "templates/layout.html", "templates/"+page+".html"))
	}
	return w
}

// frame is what the layout shows around every page.
type frame struct {
	Title string
	// User is empty when nobody is signed in.
	User string
	Page any
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

func day(t time.Time) string { return t.UTC().Format("2 January 2006") }
