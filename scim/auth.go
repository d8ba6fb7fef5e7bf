package scim

import (
	"net/http"
	"strings"

	"muster/domain"
)

// The challenges of RFC 6750 section 3; a request without a credential gets no error code (section 3.1).
const (
	challenge          = `Bearer realm="SCIM"`
	challengeInvalid   = challenge + `, error="invalid_token"`
	challengeMisplaced = challenge + `, error="invalid_request", error_description="the token belongs into the Authorization header"`
)

// authenticate returns the scope that the request's bearer token fixes (R25).
// Everything that is not a living SCIM token is Unauthenticated with one and the same text:
// missing, malformed, unknown, expired, deleted, another kind of token, another scheme.
func (s *Server) authenticate(w http.ResponseWriter, r *http.Request) (domain.OrgScope, error) {
	// A token in a URL ends up in logs; it is refused even beside a good header (S52).
	if r.URL.Query().Has("access_token") {
		return domain.OrgScope{}, refuse(w, challengeMisplaced)
	}
	if len(r.Header.Values("Authorization")) == 0 {
		return domain.OrgScope{}, refuse(w, challenge)
	}
	token, ok := bearer(r.Header)
	if !ok {
		return domain.OrgScope{}, refuse(w, challengeInvalid)
	}
	scope, err := s.service.SCIMToken(r.Context(), token, s.client(r))
	if domain.IsKind(err, domain.Unauthenticated) {
		return domain.OrgScope{}, refuse(w, challengeInvalid)
	}
	return scope, err
}

// presume returns the scope of a token that was checked a moment ago, for the reads that check it along the way; false for all else.
func (s *Server) presume(r *http.Request) (domain.OrgScope, bool) {
	if r.Method != http.MethodGet || r.Pattern != base+"/Users" && r.Pattern != base+"/Users/{id}" || r.URL.Query().Has("access_token") {
		return domain.OrgScope{}, false
	}
	token, ok := bearer(r.Header)
	if !ok {
		return domain.OrgScope{}, false
	}
	return s.service.PresumeSCIMToken(token, s.client(r))
}

func refuse(w http.ResponseWriter, challenge string) error {
	w.Header().Set("WWW-Authenticate", challenge)
	return domain.Errorf(domain.Unauthenticated, "this needs a valid SCIM token, sent as Authorization: Bearer")
}

// bearer reads the one Authorization header (RFC 6750 section 2.1); the scheme's case does not matter (RFC 9110 section 11.1).
func bearer(header http.Header) (string, bool) {
	values := header.Values("Authorization")
	if len(values) != 1 {
		return "", false
	}
	scheme, token, found := strings.Cut(strings.TrimSpace(values[0]), " ")
	token = strings.TrimSpace(token)
	return token, found && strings.EqualFold(scheme, "Bearer") && token != ""
}
