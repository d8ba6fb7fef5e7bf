package web

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"muster/domain"
)

// signInPage is what the page of that name shows.
type signInPage struct {
	// Host is where this installation lives, so that people see whose door they stand at.
	Host      string
	Doors     []openDoor
	SignedOut bool
	// Away says that none of the providers answers, Closed that all are disabled.
	Away   bool
	Closed bool
}

// openDoor is a provider with the address where a sign-in through it begins.
type openDoor struct {
	Door

	Start string
	// Disabled says that the operator has switched the provider off.
	Disabled bool
}

// signIn is the door; it needs nothing of the database, so that it opens whatever else is down.
// With one provider it leads straight on, unless somebody has just signed out or the provider is away.
func (w *Web) signIn(rw http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	start := url.Values{}
	// The provider's front end checks both (item 81).
	if next := query.Get("next"); next != "" {
		start.Set("next", next)
	}
	if to := query.Get("return_to"); to != "" {
		start.Set("return_to", to)
	}
	if query.Has("another") {
		// Whoever was refused may have another account, which a provider that remembers them would not offer.
		start.Set("prompt", "select_account")
	}
	page := signInPage{Host: w.config.PublicURL.Host, SignedOut: query.Has("signed-out"), Doors: w.doors(r.Context(), start)}
	if len(page.Doors) == 1 && page.Doors[0].Ready && !page.Doors[0].Disabled && !page.SignedOut {
		http.Redirect(rw, r, page.Doors[0].Start, http.StatusSeeOther)
		return nil
	}
	page.Away, page.Closed = true, true
	for _, door := range page.Doors {
		page.Away = page.Away && !door.Ready
		page.Closed = page.Closed && door.Disabled
	}
	return w.show(rw, http.StatusOK, "sign-in", frame{Title: "Sign in", Page: page})
}

// disabledPatience is how long the door waits for the database to say which providers are disabled.
const disabledPatience = time.Second

// doors are the providers, each with its start and the parameters for it.
// When the database does not say which are disabled none is shown so: a sign-in through one is refused in any case.
func (w *Web) doors(ctx context.Context, parameters url.Values) []openDoor {
	ctx, cancel := context.WithTimeout(ctx, disabledPatience)
	defer cancel()
	disabled, err := w.config.Service.DisabledProviders(ctx)
	if err != nil {
		disabled = nil
	}
	var doors []openDoor
	for _, door := range w.config.Doors.List() {
		start := w.config.BasePath + "/api/v1/oauth/" + url.PathEscape(door.ID)
		if len(parameters) > 0 {
			start += "?" + parameters.Encode()
		}
		_, off := disabled[door.ID]
		doors = append(doors, openDoor{door, start, off})
	}
	return doors
}

// setUpPage is the set-up link's: the first person who signs in from here becomes Organization Admin.
type setUpPage struct {
	Host  string
	Doors []openDoor
}

// setUp shows where to sign in as the first Admin, as long as there is none (R7).
func (w *Web) setUp(rw http.ResponseWriter, r *http.Request) error {
	token := r.URL.Query().Get("token")
	if err := w.config.Service.CheckSetUpToken(r.Context(), token); domain.IsKind(err, domain.NotFound) {
		w.Refused(rw, r, &domain.Refusal{Reason: domain.ReasonSetUpOver})
		return nil
	} else if err != nil {
		return err
	}
	return w.show(rw, http.StatusOK, "set-up", frame{Title: "Set up Muster", Page: setUpPage{w.config.PublicURL.Host, w.doors(r.Context(), url.Values{"set-up": {token}})}})
}
