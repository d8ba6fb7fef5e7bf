package admin

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"muster/domain"
	"muster/internal/httpx"
)

const maxIdempotencyKey = 255 // bytes

// attemptOf is the attempt that a request makes when it carries an idempotency key; false is a request without.
// The body is read for it, and put back.
func attemptOf(r *http.Request, c caller) (domain.Attempt, bool, error) {
	key := r.Header.Get(domain.KeyField)
	if key == "" || r.Method != http.MethodPost {
		return domain.Attempt{}, false, nil
	}
	if len(key) > maxIdempotencyKey {
		return domain.Attempt{}, false, invalid("header", domain.KeyField, "an idempotency key has at most 255 bytes")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return domain.Attempt{}, false, domain.Errorf(domain.Invalid, "the body did not arrive whole")
	}
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), r.Body))
	parts := []string{r.Method, r.URL.Path, string(c.scope.Org()), string(c.workspace), string(body)}
	return domain.Attempt{
		Credential: c.principal.Actor().Credential, Key: domain.DigestOf(key), Request: domain.DigestOf(strings.Join(parts, "\n")),
	}, true, nil
}

// once answers an attempt that was made before as it was answered then, and lets a new one through, with a service that does it once.
// It reports whether the request is to go on.
func (a *api) once(ctx huma.Context, c *caller) bool {
	result := outcomeOf(ctx.Context())
	r := requestOf(ctx)
	attempt, carries, err := attemptOf(r, *c)
	if err != nil || !carries {
		result.err = err
		return err == nil
	}
	status, body, answered, err := a.Service.Attempted(r.Context(), attempt)
	switch {
	case err != nil:
		result.err = err
		return false
	case answered:
		ctx.SetHeader("Idempotent-Replayed", "true")
		ctx.SetHeader("Content-Type", mediaType)
		ctx.SetStatus(status)
		_, _ = ctx.BodyWriter().Write([]byte(body))
		return false
	}
	c.service = a.Service.Once(attempt)
	result.keep = &keptAnswer{done: func(ctx context.Context, status int, body string) {
		// The client has its answer; what is lost here is that it can get it a second time.
		if err := a.Service.KeepAnswer(context.WithoutCancel(ctx), attempt, status, body); err != nil {
			httpx.Logger(ctx).WarnContext(ctx, "the answer to an idempotency key was not kept", "error", err)
		}
	}}
	return true
}

// keptAnswer collects an answer while it is written.
type keptAnswer struct {
	status int
	body   bytes.Buffer
	done   func(ctx context.Context, status int, body string)
}
