package admin

import (
	"context"
	"time"

	"muster/domain"
)

// scimToken is a SCIM token without its secret, but for the answer to its creation.
type scimToken struct {
	ID          domain.TokenID     `json:"id"`
	Description string             `json:"description"`
	ShortToken  string             `json:"short_token"`
	LastUsedAt  *time.Time         `json:"last_used_at"`
	CreatedAt   time.Time          `json:"created_at"`
	UpdatedAt   time.Time          `json:"updated_at"`
	Profile     domain.SCIMProfile `json:"profile"`
	ExpiresAt   *time.Time         `json:"expires_at"`
	Token       *string            `json:"token,omitempty" doc:"The secret: in the answer to its creation only."`
}

func token(t domain.SCIMToken) scimToken {
	return scimToken{ID: t.ID, Description: t.Description, ShortToken: t.Short, LastUsedAt: moment(t.LastUsedAt), CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt, Profile: t.Profile, ExpiresAt: moment(t.ExpiresAt)}
}

type tokenPath struct {
	ID domain.TokenID `path:"scim_token_id"`
}

type tokenCreation struct {
	Body *struct {
		Description string             `json:"description,omitempty" nullable:"true"`
		Profile     domain.SCIMProfile `json:"profile,omitempty" enum:"auto,okta,entra,lenient,strict" doc:"How strictly the client is read; default auto."`
		ExpiresAt   *time.Time         `json:"expires_at,omitempty" nullable:"true" doc:"Without it the token does not end; Admins get mail before it does."`
	} `nameHint:"ScimTokenCreate"`
}

// request is empty when there is no body.
func (in *tokenCreation) request() domain.NewSCIMToken {
	if in.Body == nil {
		return domain.NewSCIMToken{}
	}
	request := domain.NewSCIMToken{Description: in.Body.Description, Profile: in.Body.Profile}
	assign(&request.ExpiresAt, in.Body.ExpiresAt)
	return request
}

// tokenUpdate has what of a token can change; what is left out stays.
type tokenUpdate struct {
	ID   domain.TokenID `path:"scim_token_id"`
	Body struct {
		Description *string             `json:"description,omitempty" nullable:"true"`
		Profile     *domain.SCIMProfile `json:"profile,omitempty" enum:"auto,okta,entra,lenient,strict" doc:"How strictly the client is read."`
	} `nameHint:"ScimTokenUpdate"`
}

func (a *api) listTokens(ctx context.Context, c caller, _ *none) (*out[[]scimToken], error) {
	tokens, err := a.Service.SCIMTokens(ctx, c.scope)
	if err != nil {
		return nil, err
	}
	return found(list(tokens, token))
}

func (a *api) createToken(ctx context.Context, c caller, in *tokenCreation) (*out[scimToken], error) {
	made, secret, err := c.service.CreateSCIMToken(ctx, c.scope, in.request())
	if err != nil {
		return nil, err
	}
	body := token(made)
	body.Token = nullable(string(secret))
	return found(body)
}

func (a *api) getToken(ctx context.Context, c caller, in *tokenPath) (*out[scimToken], error) {
	one, err := a.Service.SCIMTokenByID(ctx, c.scope, in.ID)
	if err != nil {
		return nil, err
	}
	return found(token(one))
}

func (a *api) updateToken(ctx context.Context, c caller, in *tokenUpdate) (*out[scimToken], error) {
	one, err := a.Service.UpdateSCIMToken(ctx, c.scope, in.ID, domain.SCIMTokenUpdate{Description: in.Body.Description, Profile: in.Body.Profile})
	if err != nil {
		return nil, err
	}
	return found(token(one))
}

func (a *api) deleteToken(ctx context.Context, c caller, in *tokenPath) (*none, error) {
	return &none{}, a.Service.DeleteSCIMToken(ctx, c.scope, in.ID)
}
