package scim

import (
	"net/http"

	"muster/domain"
	"muster/internal/httpx"
)

// serveMe is /Me for a token that is no person's: such a client has no resource of its own (RFC 7644 section 3.11, S23).
// A person's token is answered before, by ownUser.
func (s *Server) serveMe(http.ResponseWriter, *request) error {
	return &protocolError{status: http.StatusNotImplemented, text: "a SCIM token is no person's; /Me answers to a personal access token"}
}

// ownUser answers /Me for a personal access token with its holder's resource; handled is false for any other credential.
func (s *Server) ownUser(w http.ResponseWriter, r *http.Request) (handled bool, err error) {
	token, ok := bearer(r.Header)
	if r.Pattern != base+"/Me" || !ok || r.URL.Query().Has("access_token") {
		return false, nil
	}
	scope, user, err := s.service.OwnUser(r.Context(), token, s.client(r))
	switch {
	case domain.IsKind(err, domain.Unauthenticated):
		return false, nil
	case err != nil:
		return true, err
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return true, wrongMethod(http.MethodGet)
	}
	httpx.Identify(r.Context(), scope.Org(), scope.Actor().Credential)
	if err := acceptable(r); err != nil {
		return true, err
	}
	return true, s.answerOwn(w, r, scope, user)
}

func (s *Server) answerOwn(w http.ResponseWriter, r *http.Request, scope domain.OrgScope, user domain.SCIMUser) error {
	known, err := s.catalogs.of(r.Context(), scope)
	if err != nil {
		return err
	}
	own, _ := known.types[0].(users)
	values, err := parameters(r.URL.RawQuery)
	if err != nil {
		return err
	}
	shown, err := readProjection(values, own.kind())
	if err != nil {
		return err
	}
	res := own.resource(user)
	w.Header().Set("Location", s.location(res.kind, res.id))
	result, err := unlessKnown(r.Header, res, shown)
	if err != nil {
		return err
	}
	return s.answer(r.Context(), w, result)
}
