package web

import (
	"net/http"

	"muster/internal/httpx"
)

// problem is a page that says what happened, why, and what to do next.
type problem struct {
	What, Why, Next string
	// Email is the address that the provider gave; empty when there is none to show.
	Email string
	// Person is true when another person might fare better at the same door.
	Person    bool
	RequestID string
	// Links lead on; the first is the one to take.
	Links []way
}

// way is a link out of a problem; an empty Path is the same page once more.
type way struct{ Name, Path string }

// problem renders the page with its own headers, because it also ends requests of other front ends.
func (w *Web) problem(rw http.ResponseWriter, r *http.Request, status int, page problem) {
	page.RequestID = httpx.RequestID(r.Context())
	show := httpx.Handler(func(rw http.ResponseWriter, _ *http.Request) error {
		// The address of a failed sign-in may hold its code, so not even our own files learn it (item 38).
		rw.Header().Set("Referrer-Policy", "no-referrer")
		return w.show(rw, status, "problem", frame{Title: page.What, Page: page})
	})
	w.headers(show.With(func(rw http.ResponseWriter, _ *http.Request, _ error) {
		http.Error(rw, "the page could not be shown", http.StatusInternalServerError)
	})).ServeHTTP(rw, r)
}
