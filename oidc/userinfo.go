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
func (p *Provider) userInfo(ctx context.Context, meta *metadata, token *oauth2.Token) (tokenClaims, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, meta.userinfo.UserInfoEndpoint(), nil)
	if err != nil {
		return tokenClaims{}, fmt.Errorf("userinfo: %w", err)
	}
	token.SetAuthHeader(request)
	answer, err := p.client.Do(request)
	if err != nil {
		return tokenClaims{}, fmt.Errorf("userinfo: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK || !strings.HasPrefix(answer.Header.Get("Content-Type"), "application/json") {
		return tokenClaims{}, fmt.Errorf("userinfo answered %d with %q", answer.StatusCode, answer.Header.Get("Content-Type"))
	}
	var info tokenClaims
	if err := json.NewDecoder(answer.Body).Decode(&info); err != nil {
		return tokenClaims{}, fmt.Errorf("userinfo: %w", err)
	}
	return info, nil
}
