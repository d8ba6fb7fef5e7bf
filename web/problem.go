package web

import (
	"io/fs"
	"net/http"
	"path"

	"muster/domain"
	"muster/internal/httpx"
)

// problem is a page that says what happened, why, and what to do now.
type problem struct {
	What, Why, Next string
	// Email is the address that the provider gave; empty when it matters not.
	Email     string
	RequestID string
	// Retry offers to sign in again.
	Retry bool
}

// Refused shows why a sign-in was refused.
func (w *Web) Refused(rw http.ResponseWriter, r *http.Request, refusal *domain.Refusal) {
	status, page := refusalPage(refusal.Reason)
	page.Email, page.Retry = refusal.Email, true
	if status == http.StatusServiceUnavailable {
		rw.Header().Set("Retry-After", "5")
	}
	w.problem(rw, r, status, page)
}

// refusalPage has an entry for every reason.
func refusalPage(reason domain.Reason) (int, problem) {
	switch reason {
	case domain.ReasonNotInvited:
		return http.StatusForbidden, problem{What: "You are not invited yet", Why: "You signed in, but nobody has invited this address, and joining by signing in is switched off here.", Next: "Ask an administrator to invite you, and sign in again."}
	case domain.ReasonDisabled:
		return http.StatusForbidden, problem{What: "Your access is disabled", Why: "Your membership was disabled by an administrator or by your company's identity provider.", Next: "Ask an administrator to enable it again."}
	case domain.ReasonDeprovisioned:
		return http.StatusForbidden, problem{What: "Your access has ended", Why: "Your company's identity provider removed you here.", Next: "Ask to be assigned to this application again, or ask an administrator for an invite."}
	case domain.ReasonEmailMissing:
		return http.StatusForbidden, problem{What: "Your address is missing", Why: "The identity provider did not say which e-mail address you have.", Next: "Ask your administrator to let the provider send the email claim to this application."}
	case domain.ReasonEmailUnverified:
		return http.StatusForbidden, problem{What: "Your address is not verified", Why: "The identity provider has not verified your e-mail address, and an unverified address proves nothing.", Next: "Verify your address at the identity provider, and sign in again."}
	case domain.ReasonEmailTaken:
		return http.StatusForbidden, problem{What: "This address belongs to another account", Why: "Somebody with this address signs in with another account of the identity provider.", Next: "Sign in with the account you used before, or ask an administrator."}
	case domain.ReasonUnreachable:
		return http.StatusServiceUnavailable, problem{What: "The identity provider does not answer", Why: "Signing in works again by itself as soon as it does. Whoever is signed in stays signed in.", Next: "Try again in a moment."}
	case domain.ReasonProviderError:
		return http.StatusBadGateway, problem{What: "The identity provider said no", Why: "It ended the sign-in with an error; perhaps you cancelled, or you are not assigned to this application there.", Next: "Try again, or ask your administrator."}
	case domain.ReasonFlowLost:
		return http.StatusBadRequest, problem{What: "Please start again", Why: "This sign-in was begun in another browser, or too long ago, or was finished already.", Next: "Start again from the sign-in page."}
	case domain.ReasonClockSkew:
		return http.StatusBadGateway, problem{What: "The clocks do not agree", Why: "The identity provider's clock and this server's clock are too far apart.", Next: "Ask your administrator to check the time on this server."}
	case domain.ReasonBadToken:
		return http.StatusBadGateway, problem{What: "The identity provider's answer cannot be trusted", Why: "A check of its answer failed, so nobody was signed in.", Next: "Try again; if it stays so, give your administrator the request id below."}
	default:
		return http.StatusForbidden, problem{What: "You could not be signed in", Why: "The server refused this sign-in.", Next: "Ask your administrator, and give them the request id below."}
	}
}

// Failed shows an error; what is not meant for people stays in the log.
func (w *Web) Failed(rw http.ResponseWriter, r *http.Request, err error) {
	known := domain.AsError(err)
	status, what, next := failurePage(known.Kind)
	why := known.Text
	if known.Kind == domain.Internal {
		why = "Something went wrong on our side. It has been logged."
	}
	w.problem(rw, r, status, problem{What: what, Why: why, Next: next})
}

// failurePage has an entry for every kind.
func failurePage(kind domain.Kind) (status int, what, next string) {
	switch kind {
	case domain.Invalid:
		return http.StatusBadRequest, "That cannot be right", "Go back and change what you entered."
	case domain.NotFound:
		return http.StatusNotFound, "There is nothing here", "Go back to the front page."
	case domain.Conflict, domain.Stale:
		return http.StatusConflict, "Something stands against it", "Look at the page again."
	case domain.Unauthenticated:
		return http.StatusUnauthorized, "Please sign in", "Sign in and try again."
	case domain.Forbidden:
		return http.StatusForbidden, "You may not do this", "Ask an administrator."
	case domain.Guarded, domain.Limited:
		return http.StatusTooManyRequests, "Too much at once", "Wait a little and try again."
	case domain.TooLarge:
		return http.StatusRequestEntityTooLarge, "That is too large", "Send less."
	case domain.Unavailable, domain.Unknown:
		return http.StatusServiceUnavailable, "Not just now", "Try again in a moment."
	case domain.Internal:
		return http.StatusInternalServerError, "Something went wrong", "Try again; if it stays so, give your administrator the request id below."
	default:
		return http.StatusInternalServerError, "Something went wrong", "Try again; if it stays so, give your administrator the request id below."
	}
}

// problem renders the page with its own headers, because it also ends requests of other front ends.
func (w *Web) problem(rw http.ResponseWriter, r *http.Request, status int, page problem) {
	page.RequestID = httpx.RequestID(r.Context())
	show := httpx.Handler(func(rw http.ResponseWriter, _ *http.Request) error {
		return w.show(rw, status, "problem", frame{Title: page.What, Page: page})
	})
	w.headers(show.With(func(rw http.ResponseWriter, _ *http.Request, _ error) {
		http.Error(rw, "the page could not be shown", http.StatusInternalServerError)
	})).ServeHTTP(rw, r)
}

func (w *Web) nowhere(http.ResponseWriter, *http.Request) error {
	return domain.Errorf(domain.NotFound, "There is no page at this address.")
}

// file serves the style; it is part of the binary, so browsers may keep it for an hour.
func (w *Web) file(rw http.ResponseWriter, r *http.Request) error {
	name := path.Join("static", path.Base(r.PathValue("file")))
	if _, err := fs.Stat(static, name); err != nil {
		return domain.Errorf(domain.NotFound, "There is no such file.")
	}
	rw.Header().Set("Cache-Control", "public, max-age=3600")
	http.ServeFileFS(rw, r, static, name)
	return nil
}
