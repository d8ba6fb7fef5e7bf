package admin

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"muster/domain"
	"muster/internal/httpx"
)

// fieldError is one field of a request that is wrong, in the form that clients of the model's API read.
type fieldError struct {
	// Location leads from "body", "query", "path" or "header" to the field; numbers are places in a list.
	Location []any  `json:"loc" nullable:"false"`
	Message  string `json:"msg"`
	Type     string `json:"type" enum:"missing,json_invalid,value_error"`
}

// invalidRequest is a request with one or more wrong fields; it lists them all.
type invalidRequest struct{ fields []fieldError }

// Error implements error.
func (e *invalidRequest) Error() string { return e.fields[0].Message }

// Unwrap gives the error its kind, by which it is logged.
func (e *invalidRequest) Unwrap() error { return domain.Errorf(domain.Invalid, "%s", e.Error()) }

func invalid(part, field, message string) error {
	return &invalidRequest{[]fieldError{{[]any{part, field}, message, "value_error"}}}
}

func tooLarge() error {
	return domain.Errorf(domain.TooLarge, "the body is larger than %d bytes", maxBody)
}

// malformed is a request that the model's API answers with 400 instead of 422.
type malformed struct{ error }

func badRequest(text string) error { return &malformed{domain.Errorf(domain.Invalid, "%s", text)} }

// Unwrap gives the error its kind and text.
func (m *malformed) Unwrap() error { return m.error }

// errOrgKeyNeedsWorkspace is the answer to a key that reaches several workspaces and names none.
var errOrgKeyNeedsWorkspace = domain.Errorf(domain.Forbidden, "org_scoped_key_requires_workspace")

// failure is every error's body: "detail" for one family of clients, "error" for the other (checklist, item 9).
type failure struct {
	Detail any    `json:"detail"`
	Error  string `json:"error"`
}

// TransformSchema implements huma.SchemaTransformer: the detail is a sentence, or the list of wrong fields with 422.
func (failure) TransformSchema(r huma.Registry, s *huma.Schema) *huma.Schema {
	s.Properties["detail"] = &huma.Schema{OneOf: []*huma.Schema{
		{Type: huma.TypeString},
		{Type: huma.TypeArray, Items: schemaOf[fieldError](r)},
	}}
	return s
}

// fail writes err; what is not meant for clients stays in the log.
func fail(w http.ResponseWriter, _ *http.Request, err error) {
	if errors.Is(err, errOrgKeyNeedsWorkspace) {
		text := "this key reaches the whole organization; name a workspace in X-Tenant-Id"
		body := map[string]string{"error": errOrgKeyNeedsWorkspace.Text, "message": text, "detail": text}
		_ = httpx.WriteJSON(w, http.StatusForbidden, mediaType, body)
		return
	}
	known := domain.AsError(err)
	body := failure{Detail: known.Text, Error: known.Text}
	if known.RetryAfter > 0 {
		// The model's generated clients read this one first.
		w.Header().Set("Retry-After-Ms", strconv.FormatInt(known.RetryAfter.Milliseconds(), 10))
	}
	status := statusOf(known.Kind)
	if _, ok := errors.AsType[*malformed](err); ok {
		status = http.StatusBadRequest
	}
	switch status {
	case http.StatusUnprocessableEntity:
		body.Detail = wrongFields(err, known)
	case http.StatusConflict:
		// The model's generated clients repeat a 409 unless they are told not to.
		w.Header().Set("X-Should-Retry", strconv.FormatBool(known.RetryAfter > 0))
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", challenge(known))
	case http.StatusInternalServerError:
		body = failure{Detail: "something went wrong on our side", Error: "something went wrong on our side"}
	}
	_ = httpx.WriteJSON(w, status, mediaType, body)
}

// challenge asks for a credential, or for a fresh proof by whoever sits before the session (RFC 9470 section 3).
func challenge(known *domain.Error) string {
	if known.Kind != domain.StepUpNeeded {
		return `Bearer realm="muster"`
	}
	return `Bearer realm="muster", error="insufficient_user_authentication", error_description="` + known.Text +
		`", step_up_path="/api/v1/oauth/` + known.Provider + `/step-up"`
}

const mediaType = "application/json"

// wrongFields lists what is wrong with a request; a use case finds one thing at a time.
func wrongFields(err error, known *domain.Error) []fieldError {
	if request, ok := errors.AsType[*invalidRequest](err); ok {
		return request.fields
	}
	if len(known.Rows) > 0 {
		return list(known.Rows, func(row domain.RowError) fieldError {
			return fieldError{[]any{"body", row.Row, row.Field}, row.Text, "value_error"}
		})
	}
	location := []any{"body"}
	if known.Field != "" {
		location = append(location, known.Field)
	}
	return []fieldError{{location, known.Text, "value_error"}}
}

// statusOf has an entry for every kind; one that it does not know hides its text.
func statusOf(kind domain.Kind) int {
	switch kind {
	case domain.Invalid:
		return http.StatusUnprocessableEntity
	case domain.NotFound:
		return http.StatusNotFound
	case domain.Conflict:
		return http.StatusConflict
	case domain.Stale:
		return http.StatusPreconditionFailed
	case domain.Unauthenticated, domain.StepUpNeeded:
		return http.StatusUnauthorized
	case domain.Forbidden:
		return http.StatusForbidden
	case domain.Guarded, domain.Limited:
		return http.StatusTooManyRequests
	case domain.TooLarge:
		return http.StatusRequestEntityTooLarge
	case domain.Unavailable, domain.Unknown:
		return http.StatusServiceUnavailable
	case domain.Internal:
		return http.StatusInternalServerError
	default:
		return http.StatusInternalServerError
	}
}
