package oidc

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/oauth2"
)

// userInfo asks the userinfo endpoint; go-oidc's own call fails on an email_verified that is a number.
// Only the plain JSON form is read (OpenID Connect Core section 5.3.2).
func (p *Provider) userInfo(ctx context.Context, endpoint string, token *oauth2.Token) (claimSet, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint, nil)
	if err != nil {
		return nil, fmt.Errorf("userinfo: %w", err)
	}
	token.SetAuthHeader(request)
	answer, err := p.client.Do(request)
	if err != nil {
		return nil, &awayError{fmt.Errorf("userinfo: %w", err)}
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode >= http.StatusInternalServerError {
		return nil, &awayError{fmt.Errorf("userinfo answered %d", answer.StatusCode)}
	}
	if answer.StatusCode != http.StatusOK || !strings.HasPrefix(answer.Header.Get("Content-Type"), "application/json") {
		return nil, fmt.Errorf("userinfo answered %d with %.64q", answer.StatusCode, answer.Header.Get("Content-Type"))
	}
	var info claimSet
	if err := json.NewDecoder(answer.Body).Decode(&info); err != nil {
		return nil, fmt.Errorf("userinfo: %w", err)
	}
	return info, nil
}
