package scim

import (
	"net/http"

	"muster/domain"
)

// serveMe is /Me for a token that is no person's: such a client has no resource of its own (RFC 7644 section 3.11, S23).
// A person's token is answered before, by ownUser.
func (s *Server) serveMe(http.ResponseWriter, *request) error {
	return &protocolError{status: http.StatusNotImplemented, text: "a SCIM token is no person's; /Me answers to a personal access token"}
}

// ownUser answers GET /Me for a personal access token with its holder's resource; handled is false for any other request.
func (s *Server) ownUser(w http.ResponseWriter, r *http.Request) (handled bool, err error) {
	token, ok := bearer(r.Header)
	if r.Pattern != base+"/Me" || r.Method != http.MethodGet || !ok || r.URL.Query().Has("access_token") {
		return false, nil
	}
	_, user, err := s.service.OwnUser(r.Context(), token, s.client(r))
	if domain.IsKind(err, domain.Unauthenticated) {
		return false, nil
	}
	if err != nil {
		return true, err
	}
	own, _ := s.catalogs.standard.types[0].(users)
	values, err := parameters(r.URL.RawQuery)
	if err != nil {
		return true, err
	}
	shown, err := readProjection(values, own.kind())
	if err != nil {
		return true, err
	}
	res := own.resource(user)
	w.Header().Set("Location", s.location(res.kind, res.id))
	return true, s.answer(r.Context(), w, outcome{status: http.StatusOK, res: res, shown: shown})
}
