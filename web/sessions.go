package web

import (
	"net/http"
	"strings"

	"muster/domain"
)

// sessionsPage lists the browsers in which somebody is signed in (item 92).
type sessionsPage struct{ Sessions []mySession }

type mySession struct {
	domain.Session

	Current bool
}

func (w *Web) sessions(rw http.ResponseWriter, r *http.Request) error {
	principal, err := w.principal(r)
	if domain.IsKind(err, domain.Unauthenticated) {
		return w.goTo(rw, r, "/sign-in?next=%2Fyou%2Fsessions")
	}
	if err != nil {
		return err
	}
	me, err := w.config.Service.Me(r.Context(), principal)
	if err != nil {
		return err
	}
	found, err := w.config.Service.MySessions(r.Context(), principal)
	if err != nil {
		return err
	}
	page := sessionsPage{}
	for _, session := range found {
		page.Sessions = append(page.Sessions, mySession{session, session.ID == principal.CurrentSession()})
	}
	return w.show(rw, http.StatusOK, "sessions", inside("Signed-in browsers", "/you/sessions", me, page))
}

// endSession ends one session, which may be the browser's own.
func (w *Web) endSession(rw http.ResponseWriter, r *http.Request) error {
	principal, err := w.principal(r)
	if err != nil {
		return err
	}
	id := domain.SessionID(r.PostFormValue("id"))
	if id == principal.CurrentSession() {
		return w.signOut(rw, r)
	}
	// One that ended by itself meanwhile is what was wanted.
	if err := w.config.Service.EndMySession(r.Context(), principal, id); err != nil && !domain.IsKind(err, domain.NotFound) {
		return err
	}
	return w.goTo(rw, r, "/you/sessions")
}

func (w *Web) endOtherSessions(rw http.ResponseWriter, r *http.Request) error {
	principal, err := w.principal(r)
	if err != nil {
		return err
	}
	if _, err := w.config.Service.EndMySessions(r.Context(), principal, true); err != nil {
		return err
	}
	return w.goTo(rw, r, "/you/sessions")
}

// endAllSessions signs out everywhere, here as well.
func (w *Web) endAllSessions(rw http.ResponseWriter, r *http.Request) error {
	principal, err := w.principal(r)
	if err != nil {
		return err
	}
	if _, err := w.config.Service.EndMySessions(r.Context(), principal, true); err != nil {
		return err
	}
	return w.signOut(rw, r)
}

// browserName says in two words what a User-Agent says in many: "Firefox on Windows".
// Every browser claims to be the ones before it, so the order counts.
func browserName(agent string) string {
	first := func(marks [][2]string) string {
		for _, mark := range marks {
			if strings.Contains(agent, mark[0]) {
				return mark[1]
			}
		}
		return ""
	}
	browser := first([][2]string{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"}, {"Chrome/", "Chrome"}, {"CriOS/", "Chrome"}, {"Safari/", "Safari"},
	})
	system := first([][2]string{
		{"Windows", "Windows"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"},
	})
	switch {
	case agent == "":
		return "Unknown browser"
	case browser == "" && system == "":
		return shortened(agent)
	case browser == "":
		return "A browser on " + system
	case system == "":
		return browser
	default:
		return browser + " on " + system
	}
}

const maxAgent = 60 // characters

// shortened keeps a program's own name readable.
func shortened(agent string) string {
	runes := []rune(agent)
	if len(runes) <= maxAgent {
		return agent
	}
	return string(runes[:maxAgent]) + "…"
}
