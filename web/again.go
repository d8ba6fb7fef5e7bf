package web

import (
	"net/http"
	"net/url"

	"muster/domain"
)

// againPage keeps a form that came without a session, or without a recent one, until the person has signed in beside it.
type againPage struct {
	// Proof is true for somebody who is signed in and has to prove once more who they are.
	Proof  bool
	SignIn string
	Action string
	Fields url.Values
}

// again shows the form as it was sent, with the way to sign in; nothing of it was stored.
func (w *Web) again(rw http.ResponseWriter, r *http.Request, err *domain.Error) error {
	page := againPage{Action: w.config.BasePath + r.URL.RequestURI(), Fields: r.PostForm}
	next := url.Values{"next": {"/signed-in"}}.Encode()
	title, status := "Your session has ended", http.StatusUnauthorized
	page.SignIn = w.config.BasePath + "/sign-in?" + next
	if err.Kind == domain.StepUpNeeded {
		title, page.Proof = "Please prove once more who you are", true
		page.SignIn = w.config.BasePath + "/api/v1/oauth/" + url.PathEscape(err.Provider) + "/step-up?" + next
	}
	return w.show(rw, status, "again", frame{Title: title, Page: page})
}

// signedInBeside is where signing in beside a kept form ends.
func (w *Web) signedInBeside(rw http.ResponseWriter, r *http.Request) error {
	if _, err := w.principal(r); err != nil {
		return w.lost(rw, r, err)
	}
	return w.show(rw, http.StatusOK, "signed-in", frame{Title: "You are signed in"})
}
