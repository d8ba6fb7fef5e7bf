package badidp

import (
	"crypto/rand"
	"net/http"
	"time"
)

// newRefreshToken makes a refresh token that is good.
func (p *Provider) newRefreshToken() string {
	token := rand.Text()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.refresh[token] = true
	return token
}

// Reused counts the refresh tokens that were redeemed and not good: spent already, or unknown.
func (p *Provider) Reused() int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.reused
}

// renew redeems a refresh token (OpenID Connect Core section 12).
func (p *Provider) renew(w http.ResponseWriter, r *http.Request, knobs Knobs) {
	if knobs.Refresh != nil {
		knobs.Refresh(w, r)
		return
	}
	old := r.FormValue("refresh_token")
	p.mutex.Lock()
	good := p.refresh[old]
	if !good {
		p.reused++
	}
	if !knobs.NoRotation {
		delete(p.refresh, old)
	}
	p.mutex.Unlock()
	if !good {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
		return
	}
	answer := map[string]any{"access_token": "access", "token_type": "Bearer", "expires_in": 3600}
	if !knobs.NoRotation {
		answer["refresh_token"] = p.newRefreshToken()
	}
	if !knobs.NoRenewedToken {
		now := p.now()
		claims := map[string]any{"iss": p.Issuer(), "aud": ClientID, "sub": "subject-1", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
		if knobs.RefreshClaims != nil {
			knobs.RefreshClaims(claims)
		}
		answer["id_token"] = p.signed(knobs, map[string]any{"typ": "JWT"}, claims, nil)
	}
	writeJSON(w, http.StatusOK, answer)
}

// Edit changes a token before it is signed.
type Edit func(header, claims map[string]any)

// LogoutToken makes a good logout token (OpenID Connect Back-Channel Logout section 2.4), edited and signed as the knobs want it.
func (p *Provider) LogoutToken(edit Edit) string {
	now := p.now()
	return p.signal(map[string]any{"typ": "logout+jwt"}, map[string]any{
		"iss": p.Issuer(), "aud": ClientID, "iat": now.Unix(), "exp": now.Add(2 * time.Minute).Unix(), "jti": rand.Text(),
		"sub": "subject-1", "sid": "session-1",
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	}, edit)
}

// RevocationToken makes a good assertion for a global token revocation, as Okta sends it to the endpoint that audience is.
func (p *Provider) RevocationToken(audience string, edit Edit) string {
	now := p.now()
	return p.signal(map[string]any{"typ": "global-token-revocation+jwt"}, map[string]any{
		"iss": p.Issuer(), "sub": ClientID, "aud": audience, "jti": rand.Text(),
		"iat": now.Unix(), "nbf": now.Add(-5 * time.Minute).Unix(), "exp": now.Add(5 * time.Minute).Unix(),
	}, edit)
}

func (p *Provider) signal(header, claims map[string]any, edit Edit) string {
	return p.signed(p.current(), header, claims, func(header map[string]any) {
		if edit != nil {
			edit(header, claims)
		}
	})
}
