package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"muster/domain"
	"muster/internal/httpx"
)

// Failed shows an error; what is not meant for people stays in the log.
func (w *Web) Failed(rw http.ResponseWriter, r *http.Request, err error) {
	known := domain.AsError(err)
	status, page := failurePage(known.Kind)
	if page.Why == "" {
		page.Why = sentence(known.Text)
	}
	if known.Kind == domain.StepUpNeeded {
		page.Links = []way{{"Sign in again", w.stepUpPath(known.Provider, r)}}
	}
	if page.Links == nil {
		page.Links = frontPage()
	}
	if passes(known.Kind) && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		page.Links = append([]way{{Name: "Try again"}}, page.Links...)
	}
	w.problem(rw, r, status, page)
}

// NotFound shows that there is no page at the request's address.
func (w *Web) NotFound(rw http.ResponseWriter, r *http.Request) {
	nowhere := httpx.Handler(func(http.ResponseWriter, *http.Request) error {
		return domain.Errorf(domain.NotFound, "there is no page at this address")
	})
	w.page(nowhere).ServeHTTP(rw, r)
}

// notAllowed answers every method but those that an address takes (RFC 9110 section 15.5.6).
func (w *Web) notAllowed(methods ...string) httpx.Handler {
	if slices.Contains(methods, http.MethodGet) {
		methods = append(methods, http.MethodHead)
	}
	allowed := strings.Join(methods, ", ")
	return func(rw http.ResponseWriter, r *http.Request) error {
		rw.Header().Set("Allow", allowed)
		w.problem(rw, r, http.StatusMethodNotAllowed, problem{
			What: "This address works another way", Why: "The browser asked for it in a way that it does not answer.",
			Next: "Go to the front page and begin there.", Links: frontPage(),
		})
		return nil
	}
}

// failurePage has an entry for every kind; without a Why of its own a page shows the error's text.
func failurePage(kind domain.Kind) (int, problem) {
	switch kind {
	case domain.Invalid:
		return http.StatusBadRequest, problem{What: "This request cannot be right", Next: "Go back and change what you entered."}
	case domain.NotFound:
		return http.StatusNotFound, problem{What: "There is nothing here", Next: "Check the address, or begin at the front page."}
	case domain.Conflict:
		return http.StatusConflict, problem{What: "This cannot be done as things are", Next: "Go back, load the page again and look at what it says now."}
	case domain.Stale:
		return http.StatusConflict, problem{What: "Somebody else was faster", Next: "Go back and load the page again; it then shows what is there now."}
	case domain.Unauthenticated:
		return http.StatusUnauthorized, problem{What: "You are not signed in", Why: "You have not signed in yet, or your session has ended.", Next: "Sign in and try again.", Links: []way{{"Sign in", "/sign-in"}}}
	case domain.Forbidden:
		return http.StatusForbidden, problem{What: "You may not do this", Next: "If you think you should, ask an administrator."}
	case domain.StepUpNeeded:
		return http.StatusUnauthorized, problem{What: "Please prove once more who you are", Why: "This change needs a recent sign-in, so that nobody can make it at a computer that was left alone.", Next: "Sign in again with the same account, then make the change once more."}
	case domain.Guarded:
		return http.StatusTooManyRequests, problem{What: "This is being held back", Next: "An administrator has to release it first."}
	case domain.TooLarge:
		return http.StatusRequestEntityTooLarge, problem{What: "This is too large", Next: "Go back and send less at once."}
	case domain.Limited:
		return http.StatusTooManyRequests, problem{What: "That was too much at once", Next: "Wait a moment and try again."}
	case domain.Unavailable:
		return http.StatusServiceUnavailable, problem{What: "This does not work right now", Next: "Try again in a moment."}
	case domain.Unknown:
		return http.StatusServiceUnavailable, problem{What: "The outcome is not known", Next: "Look whether it was done before you try again."}
	case domain.Internal:
		return http.StatusInternalServerError, defect()
	default:
		return http.StatusInternalServerError, defect()
	}
}

// defect hides the error's text: it was not written for people.
func defect() problem {
	return problem{
		What: "Something went wrong", Why: "The fault is on our side, and it has been logged.",
		Next: "Try again. If it happens again, give an administrator the request id below.",
	}
}

// stepUpPath leads to the provider and back to the page from which the refused form came, or to the front page.
func (w *Web) stepUpPath(provider string, r *http.Request) string {
	next := "/"
	if from, err := url.Parse(r.Referer()); err == nil {
		if path := strings.TrimPrefix(from.Path, w.config.BasePath); strings.HasPrefix(path, "/") {
			next = path
		}
	}
	return "/api/v1/oauth/" + url.PathEscape(provider) + "/step-up?" + url.Values{"next": {next}}.Encode()
}

// passes reports whether the same request may work a moment later.
func passes(kind domain.Kind) bool {
	return kind == domain.Limited || kind == domain.Unavailable || kind == domain.Unknown || kind == domain.Internal
}

func frontPage() []way { return []way{{"Front page", "/"}} }
