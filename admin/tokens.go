package admin

import (
	"net/http"
	"time"

	"muster/domain"
)

// tokenBody is a SCIM token without its secret, but for the answer to its creation.
type tokenBody struct {
	ID          domain.TokenID `json:"id"`
	Description string         `json:"description"`
	ShortToken  string         `json:"short_token"`
	LastUsedAt  *time.Time     `json:"last_used_at"`
	CreatedAt   time.Time      `json:"created_at"`
	UpdatedAt   time.Time      `json:"updated_at"`
	Token       *string        `json:"token,omitempty"`
}

func token(t domain.SCIMToken) tokenBody {
	return tokenBody{ID: t.ID, Description: t.Description, ShortToken: t.Short, LastUsedAt: moment(t.LastUsedAt), CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt}
}

// descriptionOf reads the one field of a SCIM token; absent is empty.
func descriptionOf(r *http.Request) (string, error) {
	var body struct {
		Description string `json:"description"`
	}
	err := decode(r, &body)
	return body.Description, err
}

func (a *api) listTokens(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	tokens, err := a.Service.SCIMTokens(r.Context(), c.scope)
	if err != nil {
		return result{}, err
	}
	bodies := make([]tokenBody, len(tokens))
	for i, one := range tokens {
		bodies[i] = token(one)
	}
	return found(bodies)
}

func (a *api) createToken(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	description, err := descriptionOf(r)
	if err != nil {
		return result{}, err
	}
	made, secret, err := a.Service.CreateSCIMToken(r.Context(), c.scope, description)
	if err != nil {
		return result{}, err
	}
	body := token(made)
	body.Token = nullable(string(secret))
	return result{http.StatusCreated, body}, nil
}

func (a *api) getToken(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	one, err := a.Service.SCIMTokenByID(r.Context(), c.scope, domain.TokenID(r.PathValue("id")))
	if err != nil {
		return result{}, err
	}
	return found(token(one))
}

func (a *api) updateToken(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	description, err := descriptionOf(r)
	if err != nil {
		return result{}, err
	}
	one, err := a.Service.RenameSCIMToken(r.Context(), c.scope, domain.TokenID(r.PathValue("id")), description)
	if err != nil {
		return result{}, err
	}
	return found(token(one))
}

func (a *api) deleteToken(_ http.ResponseWriter, r *http.Request, c caller) (result, error) {
	if err := a.Service.DeleteSCIMToken(r.Context(), c.scope, domain.TokenID(r.PathValue("id"))); err != nil {
		return result{}, err
	}
	return result{status: http.StatusNoContent}, nil
}
