package badidp

import (
	"crypto/rand"
	"time"
)

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
