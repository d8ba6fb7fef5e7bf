package demoidp

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// token redeems a code, once, for an ID token.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if err := r.ParseForm(); err != nil || !p.authenticated(r) {
		writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	}
	granted, ok := p.redeem(r.PostForm)
	if !ok || r.PostForm.Get("grant_type") != "authorization_code" {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return
	}
	idToken, err := p.sign(p.claims(granted))
	if err != nil {
		writeJSON(w, http.StatusInternalServerError, map[string]string{"error": "server_error"})
		return
	}
	access := rand.Text()
	p.mutex.Lock()
	granted.expires = time.Now().Add(lifetime)
	p.access[access] = granted
	p.mutex.Unlock()
	writeJSON(w, http.StatusOK, map[string]any{
		"access_token": access, "token_type": "Bearer", "expires_in": int(lifetime.Seconds()), "id_token": idToken,
	})
}

// authenticated checks the client's secret, in the header or in the form.
func (p *Provider) authenticated(r *http.Request) bool {
	id, secret, basic := r.BasicAuth()
	if basic {
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	} else {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	return id == p.config.ClientID && subtle.ConstantTimeCompare([]byte(secret), []byte(p.config.ClientSecret)) == 1
}

// redeem takes the code out, whatever comes of it, so that nobody can try twice.
func (p *Provider) redeem(form url.Values) (grant, bool) {
	p.mutex.Lock()
	granted, ok := p.codes[form.Get("code")]
	delete(p.codes, form.Get("code"))
	for _, grants := range []map[string]grant{p.codes, p.access} {
		maps.DeleteFunc(grants, func(_ string, g grant) bool { return time.Now().After(g.expires) })
	}
	p.mutex.Unlock()
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	return granted, ok && time.Now().Before(granted.expires) &&
		granted.redirectURI == form.Get("redirect_uri") && granted.challenge == base64.RawURLEncoding.EncodeToString(sum[:])
}

func (p *Provider) claims(granted grant) map[string]any {
	now := time.Now()
	claims := personClaims(granted.person)
	claims["iss"], claims["aud"], claims["nonce"] = p.config.Issuer, p.config.ClientID, granted.nonce
	claims["iat"], claims["exp"], claims["auth_time"] = now.Unix(), now.Add(lifetime).Unix(), granted.authTime.Unix()
	return claims
}

func personClaims(person Person) map[string]any {
	return map[string]any{
		"sub": person.Subject, "email": person.Email, "email_verified": person.Verified,
		"name": person.Name, "given_name": person.Given, "family_name": person.Family,
	}
}

func (p *Provider) userinfo(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	p.mutex.Lock()
	granted, ok := p.access[token]
	p.mutex.Unlock()
	if !ok || time.Now().After(granted.expires) {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "invalid_token"})
		return
	}
	writeJSON(w, http.StatusOK, personClaims(granted.person))
}

// sign makes a JWT with RS256.
func (p *Provider) sign(claims map[string]any) (string, error) {
	header, err := json.Marshal(map[string]string{"alg": "RS256", "typ": "JWT", "kid": p.kid})
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(payload)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, p.key, crypto.SHA256, sum[:])
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), err
}

// signingKey reads the key, or makes one and keeps it.
func signingKey(path string) (*rsa.PrivateKey, error) {
	if path != "" {
		raw, err := os.ReadFile(path)
		if err == nil {
			block, _ := pem.Decode(raw)
			if block == nil {
				return nil, errors.New("no PEM in " + path)
			}
			return x509.ParsePKCS1PrivateKey(block.Bytes)
		}
		if !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil || path == "" {
		return key, err
	}
	return key, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}), 0o600)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) //nolint:errchkjson // plain maps of texts and numbers
}

func style(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, files, "style.css")
}
