package scim

import (
	"errors"
	"net/http"

	elimity "github.com/elimity-com/scim/errors"

	"muster/domain"
	"muster/internal/httpx"
	"muster/scim/scimerr"
)

// protocolError is a refusal by HTTP's own rules, which the domain knows nothing of.
type protocolError struct {
	status int
	text   string
	// allow is the header Allow of a 405.
	allow string
}

// Error returns the sentence for the client.
func (e *protocolError) Error() string { return e.text }

// Unwrap gives the refusal a kind for logs and metrics: the client's mistake, not a defect of ours.
func (e *protocolError) Unwrap() error {
	if e.status == http.StatusNotFound {
		return domain.Errorf(domain.NotFound, "%s", e.text)
	}
	return domain.Errorf(domain.Invalid, "%s", e.text)
}

// maxDetail bounds an error's text, which may repeat what the client sent.
const maxDetail = 1024

// guardedRetry is when a deprovisioning that the guard held back may be tried again, in seconds (R39).
const guardedRetry = "300"

// renderError writes any error as a SCIM error (RFC 7644 section 3.12); Retry-After is already set where the error has one.
func renderError(w http.ResponseWriter, _ *http.Request, err error) {
	scimError := toSCIM(err)
	if refused, ok := errors.AsType[*protocolError](err); ok && refused.allow != "" {
		w.Header().Set("Allow", refused.allow)
	}
	if domain.IsKind(err, domain.Guarded) && w.Header().Get("Retry-After") == "" {
		w.Header().Set("Retry-After", guardedRetry)
	}
	// A client that went away is the only reason why this can fail.
	_ = httpx.WriteJSON(w, scimError.Status, mediaType, scimError)
}

// toSCIM says what a client is told; the text of our own defects is not among it.
func toSCIM(err error) elimity.ScimError {
	if refused, ok := errors.AsType[*protocolError](err); ok {
		return elimity.ScimError{Status: refused.status, Detail: refused.text}
	}
	known := domain.AsError(err)
	status, scimType := statusOf(known)
	if keyword := scimerr.TypeOf(err); keyword != "" {
		scimType = elimity.ScimType(keyword)
	}
	detail := known.Text
	if status == http.StatusInternalServerError {
		detail = "something went wrong on our side"
	}
	if len(detail) > maxDetail {
		detail = scimerr.Quote(detail)
	}
	return elimity.ScimError{Status: status, ScimType: scimType, Detail: detail}
}

// statusOf is the domain's kinds of failure in HTTP's and SCIM's words (RFC 7644 Tables 8 and 9).
func statusOf(err *domain.Error) (int, elimity.ScimType) {
	switch err.Kind {
	case domain.Invalid:
		return http.StatusBadRequest, elimity.ScimTypeInvalidValue
	case domain.NotFound:
		return http.StatusNotFound, ""
	case domain.Conflict:
		return http.StatusConflict, elimity.ScimTypeUniqueness
	case domain.Stale:
		return http.StatusPreconditionFailed, ""
	case domain.Unauthenticated:
		return http.StatusUnauthorized, ""
	case domain.Forbidden:
		return http.StatusForbidden, ""
	case domain.TooLarge:
		return http.StatusRequestEntityTooLarge, ""
	case domain.StepUpNeeded:
		return http.StatusForbidden, ""
	case domain.Guarded, domain.Limited:
		return http.StatusTooManyRequests, ""
	case domain.Unavailable, domain.Unknown:
		return http.StatusServiceUnavailable, ""
	case domain.Internal:
		return http.StatusInternalServerError, ""
	default:
		return http.StatusInternalServerError, ""
	}
}
