package oidc

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"golang.org/x/oauth2"
)

// userInfo asks the userinfo endpoint; go-oidc's own call fails on an email_verified that is a number.
// The answer is a JSON object, or a token that the provider signed for us (OpenID Connect Core section 5.3.2).
func (p *Provider) userInfo(ctx context.Context, meta *metadata, token *oauth2.Token) (claimSet, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, meta.userinfo, nil)
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
	kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if answer.StatusCode != http.StatusOK || kind != "application/json" && kind != "application/jwt" {
		return nil, fmt.Errorf("userinfo answered %d with %.64q", answer.StatusCode, answer.Header.Get("Content-Type"))
	}
	if kind == "application/jwt" {
		return p.signedUserInfo(ctx, meta, answer.Body)
	}
	var info claimSet
	if err := json.NewDecoder(answer.Body).Decode(&info); err != nil {
		return nil, fmt.Errorf("userinfo: %w", err)
	}
	return info, nil
}

// signedUserInfo checks issuer and audience too, which go-oidc's own call ignores (item 52).
func (p *Provider) signedUserInfo(ctx context.Context, meta *metadata, body io.Reader) (claimSet, error) {
	raw, err := io.ReadAll(body)
	if err != nil {
		return nil, &awayError{fmt.Errorf("userinfo: %w", err)}
	}
	verified, err := p.checkSignature(ctx, meta, strings.TrimSpace(string(raw)))
	if err != nil {
		return nil, fmt.Errorf("userinfo: %w", err)
	}
	var info claimSet
	if err := verified.Claims(&info); err != nil {
		return nil, fmt.Errorf("userinfo: %w", err)
	}
	return info, nil
}
