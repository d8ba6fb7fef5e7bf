package admin

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"muster/domain"
	"muster/internal/httpx"
)

// fieldError is one field of a body or query that is wrong, in the form that clients of the model's API read.
type fieldError struct {
	Location []string `json:"loc"`
	Message  string   `json:"msg"`
	Type     string   `json:"type"`
}

// invalidBody is a request with one or more wrong fields; it lists them all.
type invalidBody struct{ fields []fieldError }

func (e *invalidBody) Error() string { return "the request has wrong fields" }

// orgKeyNeedsWorkspace is the answer to a key that reaches several workspaces and names none.
var errOrgKeyNeedsWorkspace = errors.New("org_scoped_key_requires_workspace")

// failure is every error's body: "detail" for one family of clients, "error" for the other.
type failure struct {
	Detail any    `json:"detail"`
	Error  string `json:"error"`
}

// fail writes err; what is not meant for clients stays in the log.
func fail(w http.ResponseWriter, _ *http.Request, err error) {
	if invalid, ok := errors.AsType[*invalidBody](err); ok {
		_ = httpx.WriteJSON(w, http.StatusUnprocessableEntity, mediaType, failure{invalid.fields, invalid.fields[0].Message})
		return
	}
	if errors.Is(err, errOrgKeyNeedsWorkspace) {
		text := "this key reaches the whole organization; name a workspace in X-Tenant-Id"
		_ = httpx.WriteJSON(w, http.StatusForbidden, mediaType, map[string]string{"error": err.Error(), "message": text, "detail": text})
		return
	}
	known := domain.AsError(err)
	status := statusOf(known.Kind)
	body := failure{Detail: known.Text, Error: known.Text}
	switch status {
	case http.StatusUnprocessableEntity:
		body.Detail = []fieldError{{Location: []string{"body", known.Field}, Message: known.Text, Type: "value_error"}}
	case http.StatusConflict:
		// The model's generated clients repeat a 409 unless they are told not to.
		w.Header().Set("X-Should-Retry", "false")
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="muster"`)
	case http.StatusInternalServerError:
		body = failure{Detail: "something went wrong on our side", Error: "something went wrong on our side"}
	}
	_ = httpx.WriteJSON(w, status, mediaType, body)
}

const mediaType = "application/json"

// statusOf has an entry for every kind.
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
	case domain.Unauthenticated:
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

// route answers one path: by method, 405 with Allow for the others, 404 when there is no such path.
func (a *api) route(methods map[string]operation) http.Handler {
	handler := httpx.Handler(func(w http.ResponseWriter, r *http.Request) error {
		if methods == nil {
			return domain.Errorf(domain.NotFound, "there is no such path in this API")
		}
		method := r.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		operation, known := methods[method]
		if !known {
			return notAllowed(w, methods)
		}
		result, err := operation(w, r)
		if err != nil {
			return err
		}
		return write(w, result)
	})
	return handler.With(fail)
}

func notAllowed(w http.ResponseWriter, methods map[string]operation) error {
	var allowed []string
	for method := range methods {
		allowed = append(allowed, method)
	}
	slices.Sort(allowed)
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	text := "this path takes " + strings.Join(allowed, ", ")
	return httpx.WriteJSON(w, http.StatusMethodNotAllowed, mediaType, failure{text, text})
}
