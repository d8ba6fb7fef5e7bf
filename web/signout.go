package web

import (
	"net/http"

	"muster/internal/httpx"
)

// signOut ends the session before it forgets the cookie, so that a copy of the cookie is worth nothing either (item 91).
func (w *Web) signOut(rw http.ResponseWriter, r *http.Request) error {
	if token := w.config.Cookies.Session(r); token != "" {
		if err := w.config.Service.SignOut(r.Context(), token, httpx.ClientOf(r)); err != nil {
			return err
		}
	}
	w.config.Cookies.ClearSession(rw)
	return w.goTo(rw, r, "/sign-in?signed-out")
}
