package web

import (
	"crypto/subtle"
	"net/http"
	"time"

	"muster/internal/httpx"
)

const (
	// signOutCookie holds the state of a sign-out that went on to the provider.
	signOutCookie = "muster-out"
	// signOutTime is how long the way through the provider may take.
	signOutTime = 10 * time.Minute
)

// signOut ends the session before it forgets the cookie, so that a copy of the cookie is worth nothing either (item 91),
// and then leads on to the provider where its session is to end too (item 102).
func (w *Web) signOut(rw http.ResponseWriter, r *http.Request) error {
	token := w.config.Cookies.Session(r)
	if token == "" {
		return w.goTo(rw, r, "/sign-in?signed-out")
	}
	signedOut, err := w.config.Service.SignOut(r.Context(), token, httpx.ClientOf(r))
	if err != nil {
		return err
	}
	w.config.Cookies.ClearSession(rw)
	target, state := w.config.Doors.EndSession(signedOut)
	if target == "" {
		return w.goTo(rw, r, "/sign-in?signed-out")
	}
	w.config.Cookies.Set(rw, signOutCookie, state, signOutTime)
	http.Redirect(rw, r, target, http.StatusSeeOther)
	return nil
}

// signedOut is where the provider sends the browser back; a state that is not ours is logged and changes nothing:
// the session here ended before the browser left.
func (w *Web) signedOut(rw http.ResponseWriter, r *http.Request) error {
	state := w.config.Cookies.Get(r, signOutCookie)
	if state == "" || subtle.ConstantTimeCompare([]byte(state), []byte(r.URL.Query().Get("state"))) != 1 {
		httpx.Logger(r.Context()).InfoContext(r.Context(), "a sign-out came back with another state, or with none")
	}
	w.config.Cookies.Clear(rw, signOutCookie)
	return w.goTo(rw, r, "/sign-in?signed-out")
}
