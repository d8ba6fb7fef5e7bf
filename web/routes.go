package web

import (
	"net/http"

	"muster/internal/httpx"
)

// Routes registers every page there is, and the page for all addresses that nothing else serves.
func (w *Web) Routes(mux *http.ServeMux) {
	for _, route := range []struct {
		method, path string
		serve        httpx.Handler
	}{
		{http.MethodGet, "/{$}", w.home},
		{http.MethodGet, "/sign-in", w.signIn},
		{http.MethodGet, "/you", w.you},
		{http.MethodPost, "/sign-out", w.config.SameOrigin.Protect(w.signOut)},
		{http.MethodGet, "/static/{file}", w.file},
	} {
		mux.Handle(route.method+" "+route.path, w.page(route.serve))
		mux.Handle(route.path, w.page(w.notAllowed(route.method)))
	}
	mux.HandleFunc("/", w.NotFound)
}

// page gives a handler the headers of a page and errors that are pages.
func (w *Web) page(handler httpx.Handler) http.Handler {
	return w.headers(handler.With(w.Failed))
}

// headers sets those of every page (item 101).
func (w *Web) headers(next http.Handler) http.Handler {
	return httpx.SecurityHeaders{ContentSecurityPolicy: policy, PublicURL: w.config.PublicURL}.Wrap(next)
}
