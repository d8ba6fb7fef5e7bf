package web

import (
	"net/http"
	"strings"

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
		{http.MethodGet, "/signed-out", w.signedOut},
		{http.MethodGet, "/set-up", w.setUp},
		{http.MethodGet, "/you", w.you},
		{http.MethodGet, "/you/sessions", w.sessions},
		{http.MethodPost, "/you/sessions/end", w.config.SameOrigin.Protect(w.endSession)},
		{http.MethodPost, "/you/sessions/end-others", w.config.SameOrigin.Protect(w.endOtherSessions)},
		{http.MethodPost, "/you/sessions/end-all", w.config.SameOrigin.Protect(w.endAllSessions)},
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
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		httpx.SecurityHeaders{ContentSecurityPolicy: w.policy(), PublicURL: w.config.PublicURL}.Wrap(next).ServeHTTP(rw, r)
	})
}

// policy lets a page load its own style and script and send its own forms, and nothing else.
// Signing out may lead on to a provider, which browsers count as part of the form's action (item 101).
func (w *Web) policy() string {
	forms := strings.Join(append([]string{"'self'"}, w.config.Doors.EndSessionOrigins()...), " ")
	return "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action " + forms +
		"; frame-ancestors 'none'; base-uri 'none'"
}
