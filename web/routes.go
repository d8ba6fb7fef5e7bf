package web

import (
	"net/http"

	"muster/internal/httpx"
)

// Routes registers every page there is.
func (w *Web) Routes(mux *http.ServeMux) {
	mux.Handle("GET /{$}", w.page(w.home))
	mux.Handle("GET /sign-in", w.page(w.signIn))
	mux.Handle("GET /you", w.page(w.you))
	mux.Handle("POST /sign-out", w.page(w.config.SameOrigin.Protect(w.signOut)))
	mux.Handle("GET /static/{file}", w.page(w.file))
	mux.Handle("/", w.page(w.nowhere))
}

// page gives a handler the headers of a page and errors that are pages.
func (w *Web) page(handler httpx.Handler) http.Handler {
	return w.headers(handler.With(w.Failed))
}

func (w *Web) headers(next http.Handler) http.Handler {
	return httpx.SecurityHeaders{ContentSecurityPolicy: policy, PublicURL: w.config.PublicURL}.Wrap(next)
}
