package badidp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"time"
)

// IDToken makes the token that the knobs ask for.
func (p *Provider) IDToken(nonce string) string {
	knobs := p.current()
	now := p.now()
	claims := map[string]any{
		"iss": p.Issuer(), "aud": ClientID, "sub": "subject-1", "nonce": nonce,
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "email": "alice@example.com", "email_verified": true, "name": "Alice",
	}
	if knobs.AuthTime != nil {
		claims["auth_time"] = knobs.AuthTime()
	}
	if knobs.Claims != nil {
		knobs.Claims(claims)
	}
	return p.signed(knobs, map[string]any{"typ": "JWT"}, claims, knobs.Header)
}

// signed makes a token of a header and claims, signed as the knobs want it; edit, which may be nil, has the last word on the header.
func (p *Provider) signed(knobs Knobs, header, claims map[string]any, edit func(map[string]any)) string {
	algorithm := knobs.Algorithm
	if algorithm == "" {
		algorithm = "RS256"
	}
	p.mutex.Lock()
	rsaID := p.rsaID
	p.mutex.Unlock()
	header["alg"], header["kid"] = algorithm, rsaID
	switch algorithm {
	case "ES256":
		header["kid"] = "ec-1"
	case "HS256-public":
		header["alg"] = "HS256"
	}
	if edit != nil {
		edit(header)
	}
	signed := encode(header) + "." + encode(claims)
	signature := p.sign(algorithm, signed)
	if knobs.BadSignature {
		signature[len(signature)/2] ^= 1
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func (p *Provider) sign(algorithm, signed string) []byte {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	sum := sha256.Sum256([]byte(signed))
	var signature []byte
	var err error
	switch algorithm {
	case "RS256":
		signature, err = rsa.SignPKCS1v15(rand.Reader, p.rsa, crypto.SHA256, sum[:])
	case "PS256":
		signature, err = rsa.SignPSS(rand.Reader, p.rsa, crypto.SHA256, sum[:], nil)
	case "ES256":
		signature, err = signES256(p.ec, sum[:])
	case "HS256":
		signature = mac([]byte(ClientSecret), signed)
	case "HS256-public":
		signature = mac(x509.MarshalPKCS1PublicKey(&p.rsa.PublicKey), signed)
	case "none":
	}
	if err != nil {
		panic(err) // a test's provider that cannot sign is a broken test
	}
	return signature
}

func signES256(key *ecdsa.PrivateKey, sum []byte) ([]byte, error) {
	r, s, err := ecdsa.Sign(rand.Reader, key, sum)
	if err != nil {
		return nil, err
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signature, nil
}

func mac(key []byte, signed string) []byte {
	hash := hmac.New(sha256.New, key)
	hash.Write([]byte(signed))
	return hash.Sum(nil)
}

func encode(value any) string {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err) // a test's claims are JSON
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// PublicKeys is what the provider publishes.
func (p *Provider) PublicKeys() []map[string]any {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	text := func(n *big.Int, size int) string {
		raw := n.Bytes()
		if size > 0 {
			raw = n.FillBytes(make([]byte, size))
		}
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	return []map[string]any{
		{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": p.rsaID, "n": text(p.rsa.N, 0), "e": text(big.NewInt(int64(p.rsa.E)), 0)},
		{"kty": "EC", "use": "sig", "alg": "ES256", "kid": "ec-1", "crv": "P-256", "x": text(p.ec.X, 32), "y": text(p.ec.Y, 32)},
		{"kty": "unheard-of", "kid": "odd"},
	}
}
