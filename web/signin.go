package web

import (
	"net/http"
	"net/url"

	"muster/domain"
)

// signInPage is what the page of that name shows.
type signInPage struct {
	// Host is where this installation lives, so that people see whose door they stand at.
	Host       string
	Provider   string
	Configured bool
	Ready      bool
	SignedOut  bool
	// Start is where a sign-in begins; the provider's front end checks the "next" in it (item 81).
	Start string
}

// signIn is the door; it asks the database nothing, so that it opens whatever else is down.
func (w *Web) signIn(rw http.ResponseWriter, r *http.Request) error {
	page := signInPage{
		Host: w.config.PublicURL.Host, Provider: w.config.ProviderName, Configured: w.config.ProviderConfigured,
		Ready: w.config.ProviderReady(), SignedOut: r.URL.Query().Has("signed-out"),
		Start: w.config.BasePath + "/api/v1/oauth/" + domain.ProviderOIDC,
	}
	if next := r.URL.Query().Get("next"); next != "" {
		page.Start += "?" + url.Values{"next": {next}}.Encode()
	}
	return w.show(rw, http.StatusOK, "sign-in", frame{Title: "Sign in", Page: page})
}
