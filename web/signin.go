package web

import (
	"net/http"
	"net/url"

	"muster/domain"
	"muster/internal/httpx"
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

func (w *Web) goTo(rw http.ResponseWriter, r *http.Request, path string) error {
	http.Redirect(rw, r, w.config.BasePath+path, http.StatusSeeOther)
	return nil
}

// principal returns who is signed in, or Unauthenticated.
func (w *Web) principal(r *http.Request) (domain.Principal, error) {
	token := w.config.Cookies.Session(r)
	if token == "" {
		return domain.Principal{}, domain.Errorf(domain.Unauthenticated, "nobody is signed in")
	}
	return w.config.Service.Session(r.Context(), token, httpx.ClientOf(r))
}

// signInPage is what the page of that name shows.
type signInPage struct {
	Provider   string
	Configured bool
	Ready      bool
	SignedOut  bool
	Start      string
}

func (w *Web) signIn(rw http.ResponseWriter, r *http.Request) error {
	page := signInPage{
		Provider: w.config.ProviderName, Configured: w.config.ProviderConfigured,
		Ready: w.config.ProviderReady(), SignedOut: r.URL.Query().Has("signed-out"),
		Start: w.config.BasePath + "/api/v1/oauth/" + domain.ProviderOIDC,
	}
	if next := r.URL.Query().Get("next"); next != "" {
		page.Start += "?" + url.Values{"next": {next}}.Encode()
	}
	return w.show(rw, http.StatusOK, "sign-in", frame{Title: "Sign in", Page: page})
}

// signOut ends the session before it forgets the cookie, so that a copy of the cookie is worth nothing either.
func (w *Web) signOut(rw http.ResponseWriter, r *http.Request) error {
	if token := w.config.Cookies.Session(r); token != "" {
		if err := w.config.Service.SignOut(r.Context(), token, httpx.ClientOf(r)); err != nil {
			return err
		}
	}
	w.config.Cookies.ClearSession(rw)
	return w.goTo(rw, r, "/sign-in?signed-out")
}
