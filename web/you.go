package web

import (
	"net/http"

	"muster/domain"
)

// you shows the person, every role they have, and why.
func (w *Web) you(rw http.ResponseWriter, r *http.Request) error {
	principal, err := w.principal(r)
	if domain.IsKind(err, domain.Unauthenticated) {
		return w.goTo(rw, r, "/sign-in?next=%2Fyou")
	}
	if err != nil {
		return err
	}
	me, err := w.config.Service.Me(r.Context(), principal)
	if err != nil {
		return err
	}
	return w.show(rw, http.StatusOK, "you", frame{Title: "You", User: me.User.Email, Page: me})
}

// grantWords says in a sentence why a role is held.
func grantWords(why domain.Why) string {
	if why.Implied {
		return "because you are Organization Admin"
	}
	return grantSentence(why.Grant)
}

func grantSentence(grant domain.Grant) string {
	switch grant.Kind {
	case domain.GrantGroup:
		return "from the group “" + grant.SourceName + "”"
	case domain.GrantJIT:
		return "joined at first sign-in"
	case domain.GrantInvite:
		return "invited by " + someone(grant.SourceName)
	case domain.GrantManual:
		return "given by " + someone(grant.SourceName)
	case domain.GrantBootstrap:
		return "the installation's first Admin"
	case domain.GrantSCIM:
		return "made a member by the identity provider"
	default:
		return string(grant.Kind)
	}
}

func someone(name string) string {
	if name == "" {
		return "an Admin"
	}
	return name
}
