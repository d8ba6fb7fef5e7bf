package admin_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"muster/admin"
	"muster/domain"
	"muster/internal/httpx"
)

// broken is a store of which every transaction ends with the same error.
type broken struct{ err error }

func (b broken) Read(context.Context, func(domain.Tx) error) error  { return b.err }
func (b broken) Write(context.Context, func(domain.Tx) error) error { return b.err }

// Every kind of error as a client sees it: status, headers and the whole body.
func TestErrorKinds(t *testing.T) {
	both := func(text string) string { return `{"detail":"` + text + `","error":"` + text + `"}` }
	for name, c := range map[string]struct {
		err    error
		status int
		header map[string]string
		body   string
	}{
		"invalid":         {domain.Invalidf("email", "why"), 422, nil, `{"detail":[{"loc":["body","email"],"msg":"why","type":"value_error"}],"error":"why"}`},
		"not found":       {domain.Errorf(domain.NotFound, "why"), 404, nil, both("why")},
		"conflict":        {domain.Conflictf("email", "why"), 409, map[string]string{"X-Should-Retry": "false"}, both("why")},
		"stale":           {domain.Errorf(domain.Stale, "why"), 412, nil, both("why")},
		"unauthenticated": {domain.Errorf(domain.Unauthenticated, "why"), 401, map[string]string{"WWW-Authenticate": `Bearer realm="muster"`}, both("why")},
		"forbidden":       {domain.Errorf(domain.Forbidden, "why"), 403, nil, both("why")},
		"step up": {
			&domain.Error{Kind: domain.StepUpNeeded, Text: "prove it", Provider: "custom-oidc"}, 401,
			map[string]string{"WWW-Authenticate": `Bearer realm="muster", error="insufficient_user_authentication", error_description="prove it", step_up_path="/api/v1/oauth/custom-oidc/step-up"`},
			both("prove it"),
		},
		"guarded":              {domain.Errorf(domain.Guarded, "why").After(90 * time.Second), 429, map[string]string{"Retry-After": "90"}, both("why")},
		"too large":            {domain.Errorf(domain.TooLarge, "why"), 413, nil, both("why")},
		"limited":              {domain.Errorf(domain.Limited, "why").After(2 * time.Second), 429, map[string]string{"Retry-After": "2"}, both("why")},
		"unavailable":          {domain.Errorf(domain.Unavailable, "why"), 503, map[string]string{"Retry-After": "1"}, both("why")},
		"unknown":              {domain.Errorf(domain.Unknown, "why"), 503, map[string]string{"Retry-After": "1"}, both("why")},
		"internal":             {domain.Errorf(domain.Internal, "secret"), 500, nil, both("something went wrong on our side")},
		"an error of no kind":  {errors.New("secret"), 500, nil, both("something went wrong on our side")},
		"a kind of the future": {domain.Errorf(domain.Kind(99), "secret"), 500, nil, both("something went wrong on our side")},
	} {
		t.Run(name, func(t *testing.T) {
			handler := httpx.Observer{}.Wrap(admin.New(admin.Config{
				Service: domain.New(broken{c.err}, domain.Policy{}), Session: func(*http.Request) string { return domain.NewOpaque() },
			}))
			recorder := httptest.NewRecorder()
			handler.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/me", nil))
			if recorder.Code != c.status || strings.TrimSpace(recorder.Body.String()) != c.body {
				t.Errorf("%d %s, want %d %s", recorder.Code, recorder.Body, c.status, c.body)
			}
			for header, want := range c.header {
				if got := recorder.Header().Get(header); got != want {
					t.Errorf("%s is %q, want %q", header, got, want)
				}
			}
		})
	}
}
